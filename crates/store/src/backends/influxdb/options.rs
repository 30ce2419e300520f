//! How the InfluxDB backend works, and how keys get the names that InfluxDB knows.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use city_model::{DeviceKey, MetricKey, Span};
use serde::Deserialize;

use super::client::Client;
use crate::{Options, StoreError, StoreErrorKind};

/// The names of devices and metrics, as tags and measurements are called. The registry knows them.
pub trait Naming: Send + Sync {
    /// The id of a device; `None` if nobody knows it (any more).
    fn device(&self, key: DeviceKey) -> Option<Arc<str>>;
    /// The id of a metric.
    fn metric(&self, key: MetricKey) -> Option<Arc<str>>;
}

/// A secret that is never printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for a header.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Which server, and how much is kept on this side of it.
#[derive(Clone, Debug)]
pub struct InfluxOptions {
    /// The server's address, with a path if a proxy puts it under one.
    pub url: String,
    /// The organization's name.
    pub org: String,
    /// The bucket that holds the readings.
    pub bucket: String,
    /// The API token; it must read, write and delete in the bucket.
    pub token: Secret,
    /// Certificates (PEM) of the authorities that the server's certificate may be from. Without
    /// it, those that the machine trusts.
    pub ca_pem: Option<Vec<u8>>,
    /// How long readings are kept on this machine too, in whole days of UTC; at least a day.
    pub keep_local: Span,
    /// How many bytes of readings may wait for the server. Then commits are refused, so that
    /// ingest pauses and acknowledges nothing.
    pub spool_bytes: u64,
    /// Times to wait.
    pub waits: Waits,
    /// Whether [`crate::Store::flush`] waits until the server has everything, and then lets go of
    /// all readings on this machine. For moving out and for tests.
    pub drain_on_flush: bool,
    /// Whether a spool that is new asks the server what was there before it, so that it is shown.
    pub look_back: bool,
    /// How the spool works. Its retention is not used: the bucket has its own.
    pub local: Options,
}

impl InfluxOptions {
    /// The defaults for a bucket of a server.
    pub fn new(
        url: impl Into<String>,
        org: impl Into<String>,
        bucket: impl Into<String>,
        token: Secret,
    ) -> Self {
        Self {
            url: url.into(),
            org: org.into(),
            bucket: bucket.into(),
            token,
            ca_pem: None,
            keep_local: Span::from_hours(48),
            spool_bytes: 8 << 30,
            waits: Waits::default(),
            drain_on_flush: false,
            look_back: true,
            local: Options::default(),
        }
    }

    /// Finds what would keep the backend from being made, without asking the server.
    pub fn try_out(&self) -> Result<(), StoreError> {
        self.check()?;
        Client::new(self).map(drop)
    }

    /// Refuses what cannot work.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let refuse = |message: String| Err(StoreError::new(StoreErrorKind::Invalid, message));
        if self.keep_local < Span::from_hours(24) {
            return refuse(format!(
                "readings cannot be kept on this machine for {}: keep_local must be at least a day, \
                 such as \"2d\"",
                self.keep_local
            ));
        }
        if self.spool_bytes < 1 << 20 {
            return refuse(format!(
                "a spool of {} bytes is too small: spool_bytes must be at least 1048576 (1 MiB); \
                 8589934592 holds some hours of a large city",
                self.spool_bytes
            ));
        }
        for (name, value) in [("org", &self.org), ("bucket", &self.bucket)] {
            if value.is_empty() {
                return refuse(format!("the {name} of InfluxDB is empty; name it"));
            }
        }
        Ok(())
    }
}

/// Times to wait. The defaults are for life; tests make them short.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// How long readings are gathered before they are sent, when there is no backlog.
    pub gather: Duration,
    /// The wait after a first failure; doubled with each that follows.
    pub first_retry: Duration,
    /// The longest wait between attempts, and the wait after the server denied us.
    pub longest_retry: Duration,
    /// How long a connection may take to be made.
    pub connect: Duration,
    /// How long a write may take.
    pub write: Duration,
    /// How long a query may take, its answer included.
    pub query: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            gather: Duration::from_millis(100),
            first_retry: Duration::from_millis(250),
            longest_retry: Duration::from_secs(30),
            connect: Duration::from_secs(5),
            write: Duration::from_secs(30),
            query: Duration::from_mins(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_printed() {
        let options = InfluxOptions::new("http://h", "o", "b", Secret::new("hush-hush"));
        assert!(!format!("{options:?}").contains("hush"));
        assert!(options.check().is_ok());
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let good = InfluxOptions::new("http://h", "o", "b", Secret::new("t"));
        for bad in [
            InfluxOptions { keep_local: Span::from_hours(23), ..good.clone() },
            InfluxOptions { spool_bytes: 10, ..good.clone() },
            InfluxOptions { org: String::new(), ..good.clone() },
            InfluxOptions { bucket: String::new(), ..good.clone() },
        ] {
            assert_eq!(bad.check().expect_err("refused").kind, StoreErrorKind::Invalid);
        }
    }
}
