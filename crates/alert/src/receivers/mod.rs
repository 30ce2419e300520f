//! Kinds of receivers: one file each, and one line in [`RECEIVERS`].

mod alertmanager;
mod cap;
mod dingtalk;
mod email;
mod feishu;
mod http;
mod message;
mod mqtt;
mod robot;
mod secrets;
mod trial;
mod webhook;
mod wecom;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use city_cap::Earlier;
use city_model::{AlertEvent, AlertEventKind, Timestamp};

use crate::config::CityFacts;

pub use http::plain_client;
pub use trial::TrialError;

/// All kinds.
pub static RECEIVERS: &[&dyn ReceiverKind] = &[
    &webhook::Webhook,
    &alertmanager::Alertmanager,
    &email::Email,
    &mqtt::Mqtt,
    &cap::Cap,
    &dingtalk::DINGTALK,
    &wecom::WECOM,
    &feishu::FEISHU,
];

/// A kind of receiver.
pub trait ReceiverKind: Send + Sync {
    /// Its name in configuration.
    fn name(&self) -> &'static str;

    /// A receiver with these options in this city; otherwise what is wrong with them.
    fn build(
        &self,
        options: &serde_json::Value,
        city: &CityFacts,
    ) -> Result<Box<dyn Receiver>, String>;
}

/// What is delivered: an event, exactly as it was written to the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The idempotency key: the same whenever this event comes again.
    pub key: String,
    /// The `AlertEvent` as JSON.
    pub body: String,
}

impl Delivery {
    /// The event, for receivers that say it in words of their own.
    pub(crate) fn event(&self) -> Result<AlertEvent, DeliveryError> {
        serde_json::from_str(&self.body)
            .map_err(|error| DeliveryError::refused(&format!("it is no alert event: {error}")))
    }

    /// Whether the alert is over with it.
    pub(crate) fn ends(&self) -> bool {
        #[derive(serde::Deserialize)]
        struct Kind {
            kind: AlertEventKind,
        }
        let kind: Result<Kind, _> = serde_json::from_str(&self.body);
        kind.is_ok_and(|event| event.kind == AlertEventKind::Resolved)
    }
}

/// Why a delivery failed, and whether another attempt can help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DeliveryError {
    /// What the receiver said, or why it could not be reached.
    pub message: String,
    /// Whether the same delivery may succeed later.
    pub retry: bool,
    /// How long the receiver asked to be left alone.
    pub after: Option<Duration>,
}

impl DeliveryError {
    /// It may succeed later.
    pub(crate) fn again(message: &str) -> Self {
        Self { message: message.to_owned(), retry: true, after: None }
    }

    /// It never will.
    pub(crate) fn refused(message: &str) -> Self {
        Self { message: message.to_owned(), retry: false, after: None }
    }
}

/// How a receiver wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// So many events in one delivery at most.
    pub together: usize,
    /// So long between two deliveries at least.
    pub apart: Duration,
    /// How often it must be told again of what fires; never if missing.
    pub repeat: Option<Duration>,
    /// Whether it must know what it took of the same alert before. Then events come one by one.
    pub history: bool,
}

impl Default for Limits {
    /// One event at a time, without a pause, once.
    fn default() -> Self {
        Self { together: 1, apart: Duration::ZERO, repeat: None, history: false }
    }
}

/// The outcome of a delivery, when it is there.
pub type Delivering<'a> = Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>>;

/// Somebody who is told about alert events.
pub trait Receiver: Send + Sync {
    /// Tells it about events, in their order; bounded in time by the receiver itself. `now` is when
    /// this attempt is made. There is at least one event, and at most as many as
    /// [`Limits::together`]; they succeed or fail as one.
    fn deliver<'a>(&'a self, events: &'a [Delivery], now: Timestamp) -> Delivering<'a>;

    /// The same for receivers that want history: `earlier` is what this one took of the alert, oldest
    /// first.
    fn deliver_after<'a>(
        &'a self,
        events: &'a [Delivery],
        earlier: &'a [Earlier],
        now: Timestamp,
    ) -> Delivering<'a> {
        let _ = earlier;
        self.deliver(events, now)
    }

    /// How it wants to be told.
    fn limits(&self) -> Limits {
        Limits::default()
    }
}

/// An event for tests.
#[cfg(test)]
pub(crate) mod sample {
    pub(crate) use super::message::tests::event;
}

/// The options of a kind; otherwise what is wrong with them.
fn options<T: serde::de::DeserializeOwned>(given: &serde_json::Value) -> Result<T, String> {
    T::deserialize(given).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_different_names_and_refuse_unknown_options() {
        for (index, kind) in RECEIVERS.iter().enumerate() {
            assert!(RECEIVERS[..index].iter().all(|other| other.name() != kind.name()));
            let Err(error) =
                kind.build(&serde_json::json!({"no_such_option": 1}), &CityFacts::default())
            else {
                panic!("{} took an unknown option", kind.name())
            };
            assert!(error.contains("no_such_option"), "{}: {error}", kind.name());
        }
    }
}
