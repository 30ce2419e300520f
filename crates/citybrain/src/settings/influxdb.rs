//! The InfluxDB backend's part of the settings.

use std::path::{Path, PathBuf};

use city_model::Span;
use city_store::{InfluxOptions, Options, Secret};
use serde::Deserialize;

use super::Problem;

/// What holds the readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreBackend {
    /// Files in the data folder.
    #[default]
    Embedded,
    /// An InfluxDB 2 server, with a spool in the data folder before it.
    InfluxDb,
}

/// The InfluxDB server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InfluxSettings {
    /// Its address, such as `http://127.0.0.1:8086`.
    pub url: String,
    /// The organization's name.
    pub org: String,
    /// The bucket of the readings; tiers are in buckets beside it.
    #[serde(default = "default_bucket")]
    pub bucket: String,
    /// The API token.
    #[serde(default)]
    pub token: Option<Secret>,
    /// A file with the token in its first line.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// Certificates (PEM) of the authorities of the server's certificate.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How long readings are kept on this machine too: at least a day.
    #[serde(default = "default_keep_local")]
    pub keep_local: Span,
    /// How many bytes of readings may wait for the server before ingest pauses.
    #[serde(default = "default_spool_bytes")]
    pub spool_bytes: u64,
    /// How long the server keeps steps of 15 minutes; for ever if missing.
    #[serde(default)]
    pub retention_15m: Option<Span>,
    /// How long it keeps steps of an hour; for ever if missing.
    #[serde(default)]
    pub retention_1h: Option<Span>,
}

fn default_bucket() -> String {
    "citybrain".to_owned()
}

fn default_keep_local() -> Span {
    Span::from_hours(48)
}

fn default_spool_bytes() -> u64 {
    8 << 30
}

impl InfluxSettings {
    /// Makes paths relative to a folder absolute.
    pub(crate) fn resolve_paths(&mut self, base: &Path) {
        for path in [&mut self.token_file, &mut self.ca_file].into_iter().flatten() {
            *path = base.join(&*path);
        }
    }

    /// What the backend is made with, or what is wrong.
    pub fn options(&self, local: Options) -> Result<InfluxOptions, Problem> {
        let key = |name: &str| format!("store.influxdb.{name}");
        let token = match (&self.token, &self.token_file) {
            (Some(token), None) => token.clone(),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    Problem::new(
                        key("token_file"),
                        format!("{} cannot be read: {error}", path.display()),
                        "put the token into its first line; paths are relative to the \
                         configuration file",
                    )
                })?;
                Secret::new(text.lines().next().unwrap_or_default().trim())
            }
            _ => {
                return Err(Problem::new(
                    key("token"),
                    "exactly one of `token` and `token_file` is needed",
                    "make a token that reads and writes the bucket with `influx auth create`, or \
                     give that of the first user",
                ));
            }
        };
        if token.expose().is_empty() {
            return Err(Problem::new(key("token"), "the token is empty", "write the API token"));
        }
        let ca_pem = self.ca_file.as_ref().map(std::fs::read).transpose().map_err(|error| {
            Problem::new(
                key("ca_file"),
                format!("it cannot be read: {error}"),
                "a file with certificates in PEM; paths are relative to the configuration file",
            )
        })?;
        let options = InfluxOptions {
            ca_pem,
            keep_local: self.keep_local,
            spool_bytes: self.spool_bytes,
            local,
            ..InfluxOptions::new(&self.url, &self.org, &self.bucket, token)
        };
        options.try_out().map_err(|error| {
            Problem::new(
                "store.influxdb",
                error,
                "see [store.influxdb] of `citybrain config example`",
            )
        })?;
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Option<String> {
        let settings: InfluxSettings = toml::from_str(text).expect("the right shape");
        settings.options(Options::default()).err().map(|problem| problem.key)
    }

    #[test]
    fn what_is_wrong_is_named_and_no_secret_is_shown() {
        let good = "url = \"http://127.0.0.1:8086\"\norg = \"city\"\ntoken = \"hush\"\n";
        assert_eq!(problem(good), None);
        for (text, key) in [
            ("url = \"http://h\"\norg = \"city\"", "store.influxdb.token"),
            ("url = \"http://h\"\norg = \"city\"\ntoken = \"\"", "store.influxdb.token"),
            (&format!("{good}token_file = \"x\""), "store.influxdb.token"),
            (
                "url = \"http://h\"\norg = \"o\"\ntoken_file = \"/nowhere\"",
                "store.influxdb.token_file",
            ),
            (&format!("{good}ca_file = \"/nowhere\""), "store.influxdb.ca_file"),
            (&format!("{good}keep_local = \"1h\""), "store.influxdb"),
            ("url = \"influx:8086\"\norg = \"o\"\ntoken = \"t\"", "store.influxdb"),
        ] {
            assert_eq!(problem(text).as_deref(), Some(key), "{text}");
        }
        let settings: InfluxSettings = toml::from_str(good).expect("good");
        assert!(!format!("{settings:?}").contains("hush"));
    }
}
