//! `webhook`: an HTTP POST of the event as JSON. The brain itself is told in this way.
//!
//! Options: `url` (needed), `token` or `token_file` (sent as bearer token), `secret` or
//! `secret_file` (signs what is sent), `timeout` (default `10s`), `ca_file` (certificates in PEM of
//! authorities to trust beside those that the machine trusts).
//!
//! Beside the members of the event there is `group`: the zone and the cause that it has in common
//! with others, and the id of the flood of alerts that it came into, or `null`.
//!
//! The header `Idempotency-Key` holds the event's key. Any 2xx answer is success. An answer that
//! says that this very event is not wanted (400, 409, 410, 413, 422) is final. Everything else is
//! tried again, because it can be mended at the other side, a wrong token too; `Retry-After` in
//! seconds is honoured up to an hour.
//!
//! # Signature
//!
//! With a secret there is a header
//!
//! ```text
//! X-Citybrain-Signature: t=<unix seconds>,v1=<hexadecimal HMAC-SHA256>
//! ```
//!
//! over the seconds, a dot, and the body, byte for byte as received. It is made anew for every
//! attempt. A receiver recomputes it, compares without leaking time, and refuses what is older than
//! it likes (five minutes, say), so that a request that was overheard cannot be sent again later; what
//! is sent again within that time has the same `Idempotency-Key`.

use std::path::PathBuf;

use city_model::{Span, Timestamp};
use city_store::Secret;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

use super::http::{self, Target};
use super::{CityFacts, Delivering, Delivery, Receiver, ReceiverKind, options, secrets};

/// The header with the time and the signature.
pub(super) const SIGNATURE: &str = "x-citybrain-signature";

pub(super) struct Webhook;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    url: String,
    token: Option<Secret>,
    token_file: Option<PathBuf>,
    secret: Option<Secret>,
    secret_file: Option<PathBuf>,
    #[serde(default = "http::ten_seconds")]
    timeout: Span,
    ca_file: Option<PathBuf>,
}

impl ReceiverKind for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn build(&self, given: &serde_json::Value, _: &CityFacts) -> Result<Box<dyn Receiver>, String> {
        let options: Options = options(given)?;
        Ok(Box::new(Hook {
            target: Target::new(&options.url, options.timeout, options.ca_file.as_ref())?,
            token: secrets::given("token", options.token, options.token_file.as_deref())?,
            secret: secrets::given("secret", options.secret, options.secret_file.as_deref())?,
        }))
    }
}

struct Hook {
    target: Target,
    token: Option<Secret>,
    secret: Option<Secret>,
}

impl Receiver for Hook {
    fn deliver<'a>(&'a self, events: &'a [Delivery], now: Timestamp) -> Delivering<'a> {
        Box::pin(async move {
            for event in events {
                self.post(event, now).await?;
            }
            Ok(())
        })
    }
}

impl Hook {
    async fn post(&self, event: &Delivery, now: Timestamp) -> Result<(), super::DeliveryError> {
        let mut request = self
            .target
            .post(self.target.url().clone())
            .header(CONTENT_TYPE, "application/json")
            .header("idempotency-key", &event.key);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        if let Some(secret) = &self.secret {
            let seconds = now.millis().div_euclid(1000);
            request = request.header(SIGNATURE, secrets::signature(secret, seconds, &event.body));
        }
        http::tell(request.body(event.body.clone())).await
    }
}
