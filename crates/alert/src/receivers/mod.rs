//! Kinds of receivers: one file each, and one line in [`RECEIVERS`].

mod http;
mod secrets;
mod trial;
mod webhook;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use city_model::Timestamp;

pub use http::plain_client;
pub use trial::TrialError;

/// All kinds.
pub static RECEIVERS: &[&dyn ReceiverKind] = &[&webhook::Webhook];

/// A kind of receiver.
pub trait ReceiverKind: Send + Sync {
    /// Its name in configuration.
    fn name(&self) -> &'static str;

    /// A receiver with these options; otherwise what is wrong with them.
    fn build(&self, options: &serde_json::Value) -> Result<Box<dyn Receiver>, String>;
}

/// What is delivered: an event, exactly as it was written to the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The idempotency key: the same whenever this event comes again.
    pub key: String,
    /// The `AlertEvent` as JSON.
    pub body: String,
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

/// The outcome of a delivery, when it is there.
pub type Delivering<'a> = Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>>;

/// Somebody who is told about alert events.
pub trait Receiver: Send + Sync {
    /// Tells it about events, in their order; bounded in time by the receiver itself. `now` is when
    /// this attempt is made.
    fn deliver<'a>(&'a self, events: &'a [Delivery], now: Timestamp) -> Delivering<'a>;
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
            let Err(error) = kind.build(&serde_json::json!({"no_such_option": 1})) else {
                panic!("{} took an unknown option", kind.name())
            };
            assert!(error.contains("no_such_option"), "{}: {error}", kind.name());
        }
    }
}
