//! How a broker is reached and what is asked of it.

use std::fmt;
use std::path::{Path, PathBuf};

use city_model::Span;
use serde::{Deserialize, Serialize, Serializer};

use crate::tls::TlsConfig;

/// The shortest keep-alive that the client library takes.
const MIN_KEEP_ALIVE: Span = Span::from_secs(5);
/// The longest that MQTT can express, in seconds.
const MAX_KEEP_ALIVE: Span = Span::from_secs(65_535);
/// The largest packet that MQTT can express, in bytes.
pub(crate) const MQTT_MAX_PACKET: u32 = 268_435_460;

/// A broker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerConfig {
    /// Its name or address.
    pub host: String,
    /// Its port; 1883 if missing, and 8883 with TLS.
    #[serde(default)]
    pub port: Option<u16>,
    /// Our client id; the broker keeps our session under it, so it must be unique and stay.
    pub client_id: String,
    /// Our user name.
    #[serde(default)]
    pub username: Option<String>,
    /// Our password. Better in a file.
    #[serde(default)]
    pub password: Option<Secret>,
    /// A file with our password in its first line, read at every connect.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The version of MQTT. 5 is better: the broker is told what we can take.
    #[serde(default)]
    pub version: MqttVersion,
    /// How often we show that we live: 5 s to 18 h.
    #[serde(default = "default_keep_alive")]
    pub keep_alive: Span,
    /// Messages at QoS 1 that may be under way to the pipeline; at least 1. An MQTT 5 broker is
    /// told, and should stop by itself then.
    #[serde(default = "default_receive_maximum")]
    pub receive_maximum: u16,
    /// The largest message that we take, in bytes: 1,024 to 268,435,460. An MQTT 5 broker is told
    /// and drops larger ones. A 3.1.1 broker sends them: they become dead letters of which the
    /// beginning is kept.
    #[serde(default = "default_max_packet_size")]
    pub max_packet_size: u32,
    /// How long the broker keeps our session while we are away (MQTT 5; a 3.1.1 broker decides).
    #[serde(default = "default_session_expiry")]
    pub session_expiry: Span,
    /// The group with which the subscriptions are shared: `$share/{group}/{filter}`.
    #[serde(default)]
    pub shared_group: Option<String>,
    /// Our id as a Sparkplug host application: our state is published under it, and the session
    /// begins anew with each connection. Unique among all hosts of the broker.
    #[serde(default)]
    pub sparkplug_host: Option<String>,
    /// TLS; none if missing.
    #[serde(default)]
    pub tls: Option<TlsConfig>,
}

fn default_keep_alive() -> Span {
    Span::from_secs(30)
}

fn default_receive_maximum() -> u16 {
    1000
}

fn default_max_packet_size() -> u32 {
    16 << 20
}

fn default_session_expiry() -> Span {
    Span::from_hours(7 * 24)
}

/// A version of MQTT, written as the number 4 (for 3.1.1) or 5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum MqttVersion {
    /// MQTT 3.1.1, whose protocol level is 4.
    V4,
    /// MQTT 5.
    #[default]
    V5,
}

/// A number that is not a version of MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a version of MQTT that is spoken here; write 5, or 4 for MQTT 3.1.1")]
pub struct UnknownVersion(u8);

impl TryFrom<u8> for MqttVersion {
    type Error = UnknownVersion;

    fn try_from(number: u8) -> Result<Self, UnknownVersion> {
        match number {
            4 => Ok(Self::V4),
            5 => Ok(Self::V5),
            other => Err(UnknownVersion(other)),
        }
    }
}

impl From<MqttVersion> for u8 {
    fn from(version: MqttVersion) -> Self {
        match version {
            MqttVersion::V4 => 4,
            MqttVersion::V5 => 5,
        }
    }
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, to be used and not to be shown.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
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

impl BrokerConfig {
    /// A broker with everything else as it is by default.
    pub fn new(host: impl Into<String>, port: u16, client_id: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: Some(port),
            client_id: client_id.into(),
            username: None,
            password: None,
            password_file: None,
            version: MqttVersion::default(),
            keep_alive: default_keep_alive(),
            receive_maximum: default_receive_maximum(),
            max_packet_size: default_max_packet_size(),
            session_expiry: default_session_expiry(),
            shared_group: None,
            sparkplug_host: None,
            tls: None,
        }
    }

    /// Its port, as it is or as it is by default.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.tls.is_some() { 8883 } else { 1883 })
    }

    /// Whether a session with `other` would throw this one out, or the other way round.
    pub fn displaces(&self, other: &Self) -> bool {
        (&self.host, self.port(), &self.client_id) == (&other.host, other.port(), &other.client_id)
    }

    /// Takes the relative paths of files as relative to `base`.
    pub fn resolve_paths(&mut self, base: &Path) {
        self.password_file.iter_mut().for_each(|path| *path = base.join(&*path));
        self.tls.iter_mut().for_each(|tls| tls.resolve_paths(base));
    }

    /// Everything that is wrong with it.
    pub fn problems(&self) -> Vec<ConfigError> {
        let mut problems = Vec::new();
        let mut check = |good: bool, key, value: String, wanted| {
            if !good {
                problems.push(ConfigError { key, value, wanted });
            }
        };
        let shown = |text: &str| format!("`{text}`");
        check(!self.host.is_empty(), "host", shown(&self.host), "a name or an address");
        check(self.port() > 0, "port", self.port().to_string(), "from 1 to 65535");
        check(
            !self.client_id.is_empty() && !self.client_id.contains('\0'),
            "client_id",
            shown(&self.client_id),
            "a name of our own: the broker keeps our session under it",
        );
        check(
            (MIN_KEEP_ALIVE..=MAX_KEEP_ALIVE).contains(&self.keep_alive),
            "keep_alive",
            self.keep_alive.to_string(),
            "from 5s to 18h",
        );
        check(
            self.receive_maximum > 0,
            "receive_maximum",
            self.receive_maximum.to_string(),
            "at least 1",
        );
        check(
            (1024..=MQTT_MAX_PACKET).contains(&self.max_packet_size),
            "max_packet_size",
            self.max_packet_size.to_string(),
            "from 1024 to 268435460 bytes",
        );
        check(
            self.session_expiry > Span::ZERO,
            "session_expiry",
            self.session_expiry.to_string(),
            "longer than nothing, or what is published while we are away is lost",
        );
        if let Some(group) = &self.shared_group {
            let good = !group.is_empty() && !group.contains(['/', '+', '#']);
            check(good, "shared_group", shown(group), "a name without `/`, `+` and `#`");
        }
        if let Some(id) = &self.sparkplug_host {
            let good = !id.is_empty() && !id.contains(['/', '+', '#']);
            check(good, "sparkplug_host", shown(id), "a name without `/`, `+` and `#`");
            let alone = self.shared_group.is_none();
            let wanted = "without shared_group: a host must hear every message of an edge node";
            check(alone, "sparkplug_host", shown(id), wanted);
        }
        if self.password.is_some() && self.password_file.is_some() {
            check(false, "password", "given twice".into(), "either here or in password_file");
        }
        if self.username.is_none() && (self.password.is_some() || self.password_file.is_some()) {
            let wanted = "there when there is a password: MQTT has no password without it";
            check(false, "username", "missing".into(), wanted);
        }
        problems.extend(self.tls.iter().flat_map(TlsConfig::problems));
        problems
    }

    /// The subscription for a filter: shared, if we share.
    pub(crate) fn subscription(&self, filter: &str) -> String {
        match &self.shared_group {
            Some(group) => format!("$share/{group}/{filter}"),
            None => filter.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_needed_and_typos_are_named() {
        let config: BrokerConfig =
            toml::from_str("host = \"broker\"\nclient_id = \"citybrain\"\nversion = 4")
                .expect("good");
        let expected = BrokerConfig {
            version: MqttVersion::V4,
            port: None,
            ..BrokerConfig::new("broker", 1883, "citybrain")
        };
        assert_eq!(config, expected);
        assert_eq!((config.problems(), config.port()), (vec![], 1883));
        let text = "host = \"b\"\nclient_id = \"c\"\ntls = {}";
        let config: BrokerConfig = toml::from_str(text).expect("good");
        assert_eq!(config.port(), 8883);
        let text = "host = \"b\"\nclient_id = \"c\"\nrecieve_maximum = 3";
        let error = toml::from_str::<BrokerConfig>(text).expect_err("a typo");
        assert!(error.to_string().contains("recieve_maximum"), "{error}");
        let text = "host = \"b\"\nclient_id = \"c\"\nversion = 3";
        let error = toml::from_str::<BrokerConfig>(text).expect_err("no such version");
        assert!(error.to_string().contains("write 5, or 4"), "{error}");
    }

    #[test]
    fn every_problem_is_named() {
        let config = BrokerConfig {
            keep_alive: Span::from_secs(1),
            receive_maximum: 0,
            max_packet_size: 10,
            session_expiry: Span::ZERO,
            shared_group: Some("a/b".into()),
            password: Some(Secret::new("x")),
            password_file: Some("y".into()),
            tls: Some(TlsConfig { cert_file: Some("z".into()), ..TlsConfig::default() }),
            ..BrokerConfig::new("", 0, "")
        };
        let keys: Vec<_> = config.problems().iter().map(|problem| problem.key).collect();
        let expected = [
            "host",
            "port",
            "client_id",
            "keep_alive",
            "receive_maximum",
            "max_packet_size",
            "session_expiry",
            "shared_group",
            "password",
            "username",
            "tls.key_file",
        ];
        assert_eq!(keys, expected);
    }

    #[test]
    fn two_sessions_with_one_client_id_displace_each_other() {
        let config = BrokerConfig::new("b", 1883, "c");
        assert!(config.displaces(&BrokerConfig { port: None, ..config.clone() }));
        assert!(!config.displaces(&BrokerConfig::new("b", 1883, "d")));
        assert!(!config.displaces(&BrokerConfig::new("b", 1884, "c")));
    }

    #[test]
    fn files_are_looked_for_beside_the_configuration() {
        let mut config = BrokerConfig {
            password_file: Some("secret".into()),
            tls: Some(TlsConfig { ca_file: Some("/etc/ca.pem".into()), ..TlsConfig::default() }),
            ..BrokerConfig::new("b", 1, "c")
        };
        config.resolve_paths(Path::new("/city"));
        assert_eq!(config.password_file, Some("/city/secret".into()));
        assert_eq!(config.tls.and_then(|tls| tls.ca_file), Some("/etc/ca.pem".into()));
    }

    #[test]
    fn the_password_is_not_shown() {
        let config =
            BrokerConfig { password: Some(Secret::new("hush")), ..BrokerConfig::new("b", 1, "c") };
        let shown = format!("{config:?} {}", toml::to_string(&config).expect("text"));
        assert!(!shown.contains("hush"), "{shown}");
    }
}
