//! What is done through the `influxdb2` crate (0.5), and why not all of it.
//!
//! **Used**, for servers that are reached by plain http, as a database beside citybrain mostly is:
//! whether the server is ready and who it is (`ready`, `health`), whether it is fresh
//! (`is_onboarding_allowed`), and to find and make organizations' buckets and tasks in
//! `citybrain influx setup` (`list_organizations`, `list_buckets`, `create_bucket`, `list_tasks`,
//! `create_task`).
//!
//! **Not used**, and done by [`super::client`] instead; all of it as read in the source of 0.5.2:
//! - https: its feature `rustls` brings rustls 0.21 with a `webpki` that has advisories, its default
//!   needs OpenSSL. It is built without both, so it speaks http only.
//! - writes: `write_line_protocol` cannot say `Content-Encoding`, and an error has lost the answer's
//!   `Retry-After`. `write` neither escapes line breaks and backslashes nor refuses NaN.
//! - queries: the whole answer is read into one text; `query` panics on a null or a table without
//!   `_field`.
//! - deletes: nothing is wrong with `delete`, but it goes the way of the writes that it stands
//!   between.
//! - onboarding with a token of one's own, and changing a bucket's retention: it has no call for them.
//! - time limits: it has none; every call here is given one.
//! - a bad address makes it panic; addresses are checked before. The path of an address is lost: a
//!   server under a path is left to our client.

use std::time::Duration;

use influxdb2::RequestError;

use super::client::parse_url;

/// A server as the `influxdb2` crate sees it.
#[derive(Debug)]
pub struct CrateClient {
    client: influxdb2::Client,
    limit: Duration,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The server answered with an error.
    #[error("{status}: {words}")]
    Answered {
        /// The status.
        status: u16,
        /// Its words.
        words: String,
    },
    /// It did not answer, or nothing that makes sense.
    #[error("{0}")]
    Silent(String),
}

impl CallError {
    /// Whether the server says that there is no such thing.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Answered { status: 404, .. })
    }
}

impl CrateClient {
    /// A client of a server; `None` if the crate cannot reach it, see the module's documentation.
    pub fn new(url: &str, org: &str, token: &str, limit: Duration) -> Option<Self> {
        let parsed = parse_url(url).ok()?;
        let can = parsed.scheme() == "http" && parsed.path() == "/" && token.is_ascii();
        let build = || influxdb2::ClientBuilder::new(parsed.as_str(), org, token).build().ok();
        can.then(build).flatten().map(|client| Self { client, limit })
    }

    /// Whether the server is ready for requests.
    pub async fn ready(&self) -> Result<bool, CallError> {
        self.call(self.client.ready()).await
    }

    /// The server's version, if it says one.
    pub async fn version(&self) -> Result<Option<String>, CallError> {
        self.call(self.client.health()).await.map(|health| health.version)
    }

    /// Whether nobody has set the server up.
    pub async fn is_fresh(&self) -> Result<bool, CallError> {
        self.call(self.client.is_onboarding_allowed()).await
    }

    /// Makes a call within the limit of time.
    pub(super) async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, RequestError>>,
    ) -> Result<T, CallError> {
        match tokio::time::timeout(self.limit, call).await {
            Err(_) => Err(CallError::Silent("it does not answer in time".to_owned())),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(RequestError::Http { status, text })) => {
                let json: Option<serde_json::Value> = serde_json::from_str(&text).ok();
                let told = json.as_ref().and_then(|json| json.get("message")?.as_str());
                let words = told.map_or(text.clone(), str::to_owned);
                Err(CallError::Answered { status: status.as_u16(), words })
            }
            Ok(Err(error)) => Err(CallError::Silent(error.to_string())),
        }
    }

    pub(super) fn raw(&self) -> &influxdb2::Client {
        &self.client
    }
}
