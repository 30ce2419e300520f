//! The settings of the bus.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::BusError;
use crate::names::is_token;

/// Where the bus is and what it keeps. Lengths of time are written as everywhere in the settings:
/// `500ms`, `30s`, `5m`, `1h30m`, `2d`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BusConfig {
    /// The servers' addresses, such as `nats://10.0.0.1:4222` or `tls://bus.city.example:4222`. One
    /// that answers is enough: it names the others.
    pub servers: Vec<String>,
    /// How many servers keep each message: 1, 3 or 5. Of 3, one may be lost; of 5, two.
    pub replicas: usize,
    /// How many partitions the readings have: 1 to 1024. It is fixed when the bus is first used.
    pub partitions: u16,
    /// What the names of all streams and subjects begin with, so that several cities can share
    /// servers.
    pub prefix: String,
    /// How long readings and alerts are kept.
    #[serde(deserialize_with = "length_of_time")]
    pub retention: Duration,
    /// How many bytes of readings are kept at most. A full bus takes no more, so that ingest pauses
    /// and nothing is lost. 0: no bound.
    pub max_bytes: u64,
    /// How long an operation that names no time of its own may take.
    #[serde(deserialize_with = "length_of_time")]
    pub timeout: Duration,
    /// The user's name, if the servers want a name and a password.
    pub user: Option<String>,
    /// A file with the user's password in its first line.
    pub password_file: Option<PathBuf>,
    /// A file with the user's JWT and key, as `nsc` writes it (`*.creds`), instead of a password.
    pub credentials_file: Option<PathBuf>,
    /// Certificates (PEM) of the authorities of the servers' certificates. The system's, if missing.
    pub ca_file: Option<PathBuf>,
}

impl Default for BusConfig {
    fn default() -> Self {
        Self {
            servers: vec!["nats://127.0.0.1:4222".to_owned()],
            replicas: 1,
            partitions: 8,
            prefix: "citybrain".to_owned(),
            retention: Duration::from_hours(7 * 24),
            max_bytes: 0,
            timeout: Duration::from_secs(5),
            user: None,
            password_file: None,
            credentials_file: None,
            ca_file: None,
        }
    }
}

impl BusConfig {
    /// Makes paths relative to a folder absolute.
    pub fn resolve_paths(&mut self, base: &Path) {
        let files = [&mut self.password_file, &mut self.credentials_file, &mut self.ca_file];
        for path in files.into_iter().flatten() {
            *path = base.join(&*path);
        }
    }

    /// Says what is wrong with it, without asking a server.
    pub fn check(&self) -> Result<(), BusError> {
        let wrong = |key, why| Err(BusError::Setting { key, why });
        if self.servers.is_empty() {
            return wrong("servers", "there must be at least one server");
        }
        if self.servers.iter().any(|server| server.contains('@')) {
            return wrong(
                "servers",
                "no user belongs there; write bus.nats.user and bus.nats.password_file",
            );
        }
        if self.user.is_some() != self.password_file.is_some() {
            return wrong("password_file", "it belongs to bus.nats.user: write both or none");
        }
        if self.user.is_some() && self.credentials_file.is_some() {
            return wrong("credentials_file", "write it or bus.nats.user, not both");
        }
        if !matches!(self.replicas, 1 | 3 | 5) {
            return wrong("replicas", "it must be 1, 3 or 5");
        }
        if !(1..=1024).contains(&self.partitions) {
            return wrong("partitions", "it must be from 1 to 1024");
        }
        if !is_token(&self.prefix) {
            return wrong("prefix", "it must be of ASCII letters, digits, `_` and `-`");
        }
        if self.retention < Duration::from_mins(5) {
            return wrong("retention", "it must be at least 5m");
        }
        if i64::try_from(self.max_bytes).is_err() {
            return wrong("max_bytes", "it is too large; 0 means that there is no bound");
        }
        if self.timeout < Duration::from_millis(100) {
            return wrong("timeout", "it must be at least 100ms");
        }
        Ok(())
    }
}

fn length_of_time<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    parse(&text).ok_or_else(|| {
        let shown: String = text.chars().take(64).collect();
        serde::de::Error::custom(format!(
            "`{shown}` is not a length of time; write a number with a unit: 500ms, 30s, 5m, 1h30m, 2d"
        ))
    })
}

/// Reads what the `Span` of the domain's model reads, on which this crate does not depend.
fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = (!rest.is_empty()).then_some(Duration::ZERO)?;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let millis: u64 = match &rest[..letters] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_millis(count.checked_mul(millis)?))?;
        rest = &rest[letters..];
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_table_is_the_default_and_times_have_units() {
        assert_eq!(toml::from_str::<BusConfig>("").unwrap(), BusConfig::default());
        let text = "retention = '1h30m'\ntimeout = '500ms'\nreplicas = 3";
        let read: BusConfig = toml::from_str(text).unwrap();
        assert_eq!(read.retention, Duration::from_mins(90));
        assert_eq!(read.timeout, Duration::from_millis(500));
        assert_eq!(read.replicas, 3);
        read.check().unwrap();
    }

    #[test]
    fn paths_are_relative_to_the_configuration() {
        let text = "password_file = 'p'\nca_file = '/etc/ca.pem'\ncredentials_file = 'c'";
        let mut read: BusConfig = toml::from_str(text).unwrap();
        read.resolve_paths(Path::new("/city"));
        assert_eq!(read.password_file, Some("/city/p".into()));
        assert_eq!(read.credentials_file, Some("/city/c".into()));
        assert_eq!(read.ca_file, Some("/etc/ca.pem".into()));
    }

    #[test]
    fn a_typo_is_named() {
        let error = toml::from_str::<BusConfig>("replica = 3").unwrap_err().to_string();
        assert!(error.contains("replica"), "{error}");
        let error = toml::from_str::<BusConfig>("timeout = '5 apples'").unwrap_err().to_string();
        assert!(error.contains("5 apples") && error.contains("1h30m"), "{error}");
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_key() {
        let default = BusConfig::default;
        let some = |text: &str| Some(text.to_owned());
        let with_password = vec!["nats://a:b@c:4222".to_owned()];
        for (key, config) in [
            ("servers", BusConfig { servers: Vec::new(), ..default() }),
            ("servers", BusConfig { servers: with_password, ..default() }),
            ("password_file", BusConfig { user: some("city"), ..default() }),
            (
                "credentials_file",
                BusConfig {
                    user: some("city"),
                    password_file: Some("p".into()),
                    credentials_file: Some("c".into()),
                    ..default()
                },
            ),
            ("replicas", BusConfig { replicas: 2, ..default() }),
            ("partitions", BusConfig { partitions: 0, ..default() }),
            ("prefix", BusConfig { prefix: "a.b".to_owned(), ..default() }),
            ("retention", BusConfig { retention: Duration::from_secs(1), ..default() }),
            ("max_bytes", BusConfig { max_bytes: u64::MAX, ..default() }),
            ("timeout", BusConfig { timeout: Duration::ZERO, ..default() }),
        ] {
            let error = config.check().unwrap_err().to_string();
            assert!(error.starts_with(&format!("bus.nats.{key}: ")), "{error}");
        }
    }
}
