//! The endpoint's limits and deadlines.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use city_model::Span;
use city_tls::TlsConfig;
use serde::{Deserialize, Serialize};

use crate::downlink::CommandsConfig;
use crate::limits::LimitsConfig;
use crate::listener::ListenerConfig;

/// The largest packet that MQTT can express, in bytes.
const MQTT_MAX_PACKET: u32 = 268_435_460;
/// The smallest limit on packets that leaves room for a CONNECT with credentials, in bytes.
const SMALLEST_MAX_PACKET: u32 = 1024;

/// How the endpoint listens and what it allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EndpointConfig {
    /// Where to listen; port 0 takes any free one. Loopback by default.
    pub listen: SocketAddr,
    /// TLS there.
    pub tls: Option<TlsConfig>,
    /// Further listeners.
    pub listeners: Vec<ListenerConfig>,
    /// Limits of devices and addresses.
    pub limits: LimitsConfig,
    /// Limits of commands to devices.
    pub commands: CommandsConfig,
    /// Connections at a time, those that shake hands included; at least 1.
    pub max_connections: usize,
    /// The largest packet, in bytes: 1024 to 268,435,460. MQTT 5 clients are told.
    pub max_packet_size: u32,
    /// Messages of one connection that may wait for their commit; at least 1. MQTT 5 clients are
    /// told (receive maximum).
    pub max_unacknowledged: u16,
    /// Bytes of one connection's packets that may wait for their commit. A single packet is
    /// always let through.
    pub max_unacknowledged_bytes: usize,
    /// How long a client may take from the connection to the end of the handshake.
    pub connect_deadline: Span,
    /// The longest keep-alive; an MQTT 5 client that asks for a longer one, or none, is told this
    /// one instead. Zero for any.
    pub max_keep_alive: Span,
    /// How long a client may leave its acknowledgements unread.
    pub write_deadline: Span,
    /// How long a shutdown waits for acknowledgements that are under way.
    pub shutdown_deadline: Span,
    /// Sessions of absent clients that are remembered; the oldest are forgotten first.
    pub max_sessions: usize,
    /// How long the session of an absent client is remembered at most.
    pub max_session_expiry: Span,
    /// The longest delay of a will (MQTT 5); longer ones are cut to it.
    pub max_will_delay: Span,
    /// The file in which sessions outlive a restart, beside one of the same name and `-commands`
    /// for subscriptions and commands; without it, they do not.
    pub sessions_file: Option<PathBuf>,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 1883)),
            tls: None,
            listeners: Vec::new(),
            limits: LimitsConfig::default(),
            commands: CommandsConfig::default(),
            max_connections: 10_000,
            max_packet_size: 1 << 20,
            max_unacknowledged: 4096,
            max_unacknowledged_bytes: 4 << 20,
            connect_deadline: Span::from_secs(10),
            max_keep_alive: Span::from_hours(1),
            write_deadline: Span::from_secs(30),
            shutdown_deadline: Span::from_secs(3),
            max_sessions: 100_000,
            max_session_expiry: Span::from_hours(7 * 24),
            max_will_delay: Span::from_mins(5),
            sessions_file: None,
        }
    }
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {value}; it must be {wanted}")]
pub struct ConfigError {
    /// The setting's name.
    pub key: &'static str,
    /// What it is.
    pub value: String,
    /// What it may be.
    pub wanted: &'static str,
}

impl EndpointConfig {
    /// Everything that is wrong with it.
    pub fn problems(&self) -> Vec<ConfigError> {
        let mut problems = Vec::new();
        let mut check = |good: bool, key, value: String, wanted| {
            if !good {
                problems.push(ConfigError { key, value, wanted });
            }
        };
        let size = self.max_packet_size;
        check(
            (SMALLEST_MAX_PACKET..=MQTT_MAX_PACKET).contains(&size),
            "max_packet_size",
            size.to_string(),
            "from 1024 to 268435460 bytes",
        );
        for (key, value) in [
            ("max_connections", self.max_connections),
            ("max_unacknowledged", usize::from(self.max_unacknowledged)),
            ("max_unacknowledged_bytes", self.max_unacknowledged_bytes),
            ("commands.max_queued", self.commands.max_queued),
            ("commands.max_unanswered", usize::from(self.commands.max_unanswered)),
        ] {
            check(value > 0, key, value.to_string(), "at least 1");
        }
        for (key, span) in [
            ("connect_deadline", self.connect_deadline),
            ("write_deadline", self.write_deadline),
            ("commands.expiry", self.commands.expiry),
        ] {
            check(span > Span::ZERO, key, span.to_string(), "longer than nothing, such as 10s");
        }
        let keep_alive = self.max_keep_alive;
        check(
            keep_alive == Span::ZERO || keep_alive_secs(keep_alive).is_some(),
            "max_keep_alive",
            keep_alive.to_string(),
            "from 1s to 65535s, or 0s for any",
        );
        problems
    }

    /// All listeners, the first one first.
    pub(crate) fn all_listeners(&self) -> Vec<ListenerConfig> {
        let first = ListenerConfig {
            listen: self.listen,
            tls: self.tls.clone(),
            websocket: false,
            origins: Vec::new(),
        };
        std::iter::once(first).chain(self.listeners.iter().cloned()).collect()
    }

    /// The keep-alive that a client gets instead of the one that it asked for, in seconds.
    pub(crate) fn other_keep_alive(&self, asked: u16) -> Option<u16> {
        let most = keep_alive_secs(self.max_keep_alive)?;
        (asked == 0 || asked > most).then_some(most)
    }
}

fn keep_alive_secs(span: Span) -> Option<u16> {
    u16::try_from(span.micros() / 1_000_000).ok().filter(|seconds| *seconds > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_good_and_listens_on_loopback_only() {
        let config = EndpointConfig::default();
        assert_eq!(config.problems(), []);
        assert!(config.listen.ip().is_loopback());
    }

    #[test]
    fn every_problem_is_named() {
        let config = EndpointConfig {
            max_packet_size: 10,
            max_connections: 0,
            connect_deadline: Span::ZERO,
            ..EndpointConfig::default()
        };
        let keys: Vec<_> = config.problems().iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["max_packet_size", "max_connections", "connect_deadline"]);
    }

    #[test]
    fn a_misspelt_key_is_named() {
        let error = toml::from_str::<EndpointConfig>("max_packet = 3").expect_err("a wrong key");
        assert!(error.to_string().contains("max_packet"), "{error}");
        let config: EndpointConfig =
            toml::from_str("connect_deadline = \"5s\"").expect("the right key");
        assert_eq!(config.connect_deadline, Span::from_secs(5));
    }
}
