//! `cap`: an HTTP POST of each event as a message of the Common Alerting Protocol 1.2
//! (`application/cap+xml`), as `[cap]` of the configuration says who speaks.
//!
//! Options: `url` (needed), `token` or `token_file` (sent as bearer token), `timeout` (default `10s`),
//! `ca_file`. Answers mean what they mean to a webhook, and there is the header `Idempotency-Key`.
//!
//! What a receiver was told makes a whole of its own: the first message that it gets about an alert is
//! an `Alert`, also where the route let it hear late, and each that follows refers to all that it has
//! taken before. The end of an alert of which it took nothing is not told: there is nothing to cancel.

use std::path::PathBuf;

use city_cap::{Earlier, Issuer, Places};
use city_model::{AlertEventKind, Span, Timestamp};
use city_store::Secret;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;

use super::http::{self, Target};
use super::{
    CityFacts, Delivering, Delivery, DeliveryError, Limits, Receiver, ReceiverKind, options,
    secrets,
};
use crate::config::PlaceBook;

pub(super) struct Cap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    url: String,
    token: Option<Secret>,
    token_file: Option<PathBuf>,
    #[serde(default = "http::ten_seconds")]
    timeout: Span,
    ca_file: Option<PathBuf>,
}

impl ReceiverKind for Cap {
    fn name(&self) -> &'static str {
        "cap"
    }

    fn build(
        &self,
        given: &serde_json::Value,
        city: &CityFacts,
    ) -> Result<Box<dyn Receiver>, String> {
        let options: Options = options(given)?;
        Ok(Box::new(Office {
            target: Target::new(&options.url, options.timeout, options.ca_file.as_ref())?,
            token: secrets::given("token", options.token, options.token_file.as_deref())?,
            issuer: city.cap.clone().ok_or(
                "who speaks is not said: add a [cap] with `sender`, or mend it, see `citybrain \
                 config example`",
            )?,
            places: city.places.clone(),
        }))
    }
}

struct Office {
    target: Target,
    token: Option<Secret>,
    issuer: Issuer,
    places: PlaceBook,
}

impl Receiver for Office {
    fn deliver<'a>(&'a self, events: &'a [Delivery], now: Timestamp) -> Delivering<'a> {
        self.deliver_after(events, &[], now)
    }

    fn deliver_after<'a>(
        &'a self,
        events: &'a [Delivery],
        earlier: &'a [Earlier],
        _: Timestamp,
    ) -> Delivering<'a> {
        Box::pin(async move {
            let places = self.places.places();
            for event in events {
                self.post(event, earlier, &places).await?;
            }
            Ok(())
        })
    }

    fn limits(&self) -> Limits {
        Limits { history: true, ..Limits::default() }
    }
}

impl Office {
    async fn post(
        &self,
        delivery: &Delivery,
        earlier: &[Earlier],
        places: &Places,
    ) -> Result<(), DeliveryError> {
        let event = delivery.event()?;
        if event.kind == AlertEventKind::Resolved && earlier.is_empty() {
            return Ok(());
        }
        let message = city_cap::message(&self.issuer, &event, earlier, places);
        let mut request = self
            .target
            .post(self.target.url().clone())
            .header(CONTENT_TYPE, city_cap::MEDIA_TYPE)
            .header("idempotency-key", &delivery.key);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        http::tell(request.body(message.xml)).await
    }
}
