//! `webhook`: an HTTP POST of the event as JSON. The brain itself is told in this way.
//!
//! Options: `url` (needed), `token` (sent as bearer token), `timeout` (default `10s`).
//! The header `Idempotency-Key` holds the event's key. Any 2xx answer is success. An answer that
//! says that this very event is not wanted (400, 409, 410, 413, 422) is final. Everything else is
//! tried again, because it can be mended at the other side, a wrong token too; `Retry-After` in
//! seconds is honoured up to an hour.

use std::sync::{Arc, Once};
use std::time::Duration;

use city_model::Span;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::Deserialize;

use super::{Delivering, Delivery, DeliveryError, Receiver, ReceiverKind};

/// The longest that a receiver may ask to be left alone.
const HOUR: Duration = Duration::from_hours(1);

pub(super) struct Webhook;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    url: String,
    token: Option<String>,
    #[serde(default = "ten_seconds")]
    timeout: Span,
}

fn ten_seconds() -> Span {
    Span::from_secs(10)
}

impl ReceiverKind for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn build(&self, options: &serde_json::Value) -> Result<Box<dyn Receiver>, String> {
        let options: Options =
            serde_json::from_value(options.clone()).map_err(|e| e.to_string())?;
        let url = reqwest::Url::parse(&options.url).map_err(|error| {
            format!("url `{}`: {error}; write it like https://host/path", options.url)
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("url `{url}`: only http and https are spoken"));
        }
        install_crypto();
        let mut client = reqwest::Client::builder()
            .timeout(options.timeout.to_std())
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true);
        if is_this_machine(&url) {
            // What stays on this machine, the brain's token too, must not go through a proxy.
            client = client.no_proxy();
        }
        let client =
            client.build().map_err(|error| format!("the HTTP client cannot be made: {error}"))?;
        Ok(Box::new(Target { client, url, token: options.token }))
    }
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

fn is_this_machine(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The TLS library wants its cryptography chosen once in a process.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error only says that somebody chose before.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

struct Target {
    client: reqwest::Client,
    url: reqwest::Url,
    token: Option<String>,
}

impl Receiver for Target {
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Delivering<'a> {
        Box::pin(async move {
            let mut request = self
                .client
                .post(self.url.clone())
                .header(CONTENT_TYPE, "application/json")
                .header("idempotency-key", &delivery.key)
                .body(delivery.body.clone());
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            let answer = request.send().await.map_err(|error| DeliveryError {
                message: format!("cannot reach it: {}", innermost(&error)),
                retry: true,
                after: None,
            })?;
            let status = answer.status();
            if status.is_success() {
                return Ok(());
            }
            let after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            Err(DeliveryError {
                message: format!("it answered {status}"),
                retry: !is_final(status),
                after: after
                    .and_then(|text| text.parse().ok())
                    .map(Duration::from_secs)
                    .map(|d| d.min(HOUR)),
            })
        })
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

/// The cause that a person can act on, such as "connection refused"; never the URL, which may
/// hold a secret.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
