//! `webhook`: an HTTP POST of the event as JSON. The brain itself is told in this way.
//!
//! Options: `url` (needed), `token` (sent as bearer token), `timeout` (default `10s`).
//! The header `Idempotency-Key` holds the event's key. Any 2xx answer is success; 408, 425, 429
//! and 5xx are tried again, honouring `Retry-After` in seconds; other answers are final.

use std::sync::Once;
use std::time::Duration;

use city_model::Span;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::Deserialize;

use super::{Delivering, Delivery, DeliveryError, Receiver, ReceiverKind};

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
        let client = reqwest::Client::builder()
            .timeout(options.timeout.to_std())
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .build()
            .map_err(|error| format!("the HTTP client cannot be made: {error}"))?;
        Ok(Box::new(Target { client, url, token: options.token }))
    }
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
                retry: is_transient(status),
                after: after.and_then(|text| text.parse().ok()).map(Duration::from_secs),
            })
        })
    }
}

fn is_transient(status: StatusCode) -> bool {
    status.is_server_error()
        || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS]
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
