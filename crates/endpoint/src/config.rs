//! The endpoint's limits and deadlines.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use city_model::Span;
use serde::{Deserialize, Serialize};

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
    /// The file in which sessions outlive a restart; without it, they do not.
    pub sessions_file: Option<PathBuf>,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 1883)),
            max_connections: 10_000,
            max_packet_size: 1 << 20,
            max_unacknowledged: 4096,
            max_unacknowledged_bytes: 4 << 20,
            connect_deadline: Span::from_secs(10),
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
        ] {
            check(value > 0, key, value.to_string(), "at least 1");
        }
        for (key, span) in
            [("connect_deadline", self.connect_deadline), ("write_deadline", self.write_deadline)]
        {
            check(span > Span::ZERO, key, span.to_string(), "longer than nothing, such as 10s");
        }
        problems
    }
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
