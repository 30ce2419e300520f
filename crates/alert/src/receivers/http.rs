//! HTTP for receivers: one request, bounded in time and in what is read of the answer.

use std::path::PathBuf;
use std::sync::{Arc, Once};
use std::time::Duration;

use city_model::Span;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode, Url};

use super::DeliveryError;

/// The longest that a receiver may ask to be left alone.
const HOUR: Duration = Duration::from_hours(1);

/// The longest that a receiver may be waited for.
const LONGEST_TIMEOUT: Span = Span::from_mins(1);

/// As much of an answer as is read; what follows is left where it is.
const ANSWER_BYTES: usize = 16 * 1024;

/// How long a receiver is waited for where its options do not say.
pub(super) fn ten_seconds() -> Span {
    Span::from_secs(10)
}

/// Whether a receiver may be waited for so long.
pub(super) fn check_timeout(timeout: Span) -> Result<(), String> {
    if timeout <= Span::from_micros(0) || timeout > LONGEST_TIMEOUT {
        return Err(format!("timeout `{timeout}`: it must be from \"1ms\" to \"1m\""));
    }
    Ok(())
}

/// An address that events are posted to.
pub(super) struct Target {
    client: reqwest::Client,
    url: Url,
}

/// An answer with a status of success or of failure.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// How long the receiver asks to be left alone.
    pub(super) after: Option<Duration>,
    /// The beginning of the body.
    pub(super) body: Vec<u8>,
}

impl Target {
    /// An address with its client; otherwise what is wrong with the options.
    pub(super) fn new(url: &str, timeout: Span, ca_file: Option<&PathBuf>) -> Result<Self, String> {
        // Not the URL itself, which may hold a secret.
        let url = Url::parse(url)
            .map_err(|error| format!("url: {error}; write it like https://host/path"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("url: only http and https are spoken".to_owned());
        }
        check_timeout(timeout)?;
        install_crypto();
        let mut client = reqwest::Client::builder()
            .timeout(timeout.to_std())
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true);
        if is_this_machine(&url) {
            // What stays on this machine, the brain's token too, must not go through a proxy.
            client = client.no_proxy();
            if url.scheme() == "http" && ca_file.is_none() {
                // The program must start, and tell the brain, also where no authorities are installed.
                client = client.tls_backend_preconfigured(trusts_nobody()?);
            }
        }
        if let Some(path) = ca_file {
            client = client.tls_certs_merge(certificates(path)?);
        }
        let client = client
            .build()
            .map_err(|error| format!("the HTTP client cannot be made: {}", innermost(&error)))?;
        Ok(Self { client, url })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }
}

/// Sends a request to somebody whose status says all: of a success nothing more is read.
pub(super) async fn tell(request: RequestBuilder) -> Result<(), DeliveryError> {
    let answer = request.send().await.map_err(|error| unreachable(&error))?;
    if answer.status().is_success() { Ok(()) } else { read(answer).await.into_result() }
}

/// Sends a request; an answer of failure is an answer, too.
pub(super) async fn send(request: RequestBuilder) -> Result<Answer, DeliveryError> {
    Ok(read(request.send().await.map_err(|error| unreachable(&error))?).await)
}

async fn read(mut answer: reqwest::Response) -> Answer {
    let (status, after) = (answer.status(), asked_pause(answer.headers()));
    let mut body = Vec::new();
    // The status stands, although the rest of the answer does not come.
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= ANSWER_BYTES {
            break;
        }
    }
    body.truncate(ANSWER_BYTES);
    Answer { status, after, body }
}

impl Answer {
    /// Success, or the failure that the status means.
    pub(super) fn into_result(self) -> Result<(), DeliveryError> {
        if self.status.is_success() {
            return Ok(());
        }
        Err(DeliveryError {
            message: format!("it answered {}{}", self.status, self.words()),
            retry: !is_final(self.status),
            after: self.after,
        })
    }

    /// The first line of the body, for people.
    fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let line: String =
            text.trim().lines().next().unwrap_or_default().chars().take(200).collect();
        if line.is_empty() { line } else { format!(": {line}") }
    }
}

/// Whether the receiver has said that it will never take this event.
fn is_final(status: StatusCode) -> bool {
    [
        StatusCode::BAD_REQUEST,
        StatusCode::CONFLICT,
        StatusCode::GONE,
        StatusCode::PAYLOAD_TOO_LARGE,
        StatusCode::UNPROCESSABLE_ENTITY,
    ]
    .contains(&status)
}

/// `Retry-After` in seconds, or what Feishu has in its place (`x-ogw-ratelimit-reset`,
/// <https://open.feishu.cn/document/server-docs/api-call-guide/frequency-control>).
fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    let seconds = |name: &str| headers.get(name)?.to_str().ok()?.parse().ok();
    let seconds = seconds(RETRY_AFTER.as_str()).or_else(|| seconds("x-ogw-ratelimit-reset"));
    seconds.map(|seconds| Duration::from_secs(seconds).min(HOUR))
}

fn unreachable(error: &reqwest::Error) -> DeliveryError {
    let message = if error.is_timeout() {
        "it does not answer in time".to_owned()
    } else {
        format!("cannot reach it: {}", innermost(error))
    };
    // What is no request, such as a header with a line end in it, never becomes one.
    DeliveryError { message, retry: !error.is_builder(), after: None }
}

/// The cause that a person can act on, such as "connection refused"; never the URL, which may
/// hold a secret.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// An HTTP client for this machine: no TLS, no proxy. `timeout` is for a whole request.
pub fn plain_client(timeout: Duration) -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .timeout(timeout)
        .no_proxy()
        .tls_backend_preconfigured(trusts_nobody()?)
        .build()
        .map_err(|error| format!("the HTTP client cannot be made: {}", innermost(&error)))
}

fn trusts_nobody() -> Result<rustls::ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?;
    Ok(config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

fn certificates(path: &PathBuf) -> Result<Vec<reqwest::Certificate>, String> {
    let pem = std::fs::read(path)
        .map_err(|error| format!("ca_file {} cannot be read: {error}", path.display()))?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(format!("ca_file {} holds no certificate in PEM", path.display())),
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The TLS library wants its cryptography chosen once in a process.
pub(super) fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error only says that somebody chose before.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
