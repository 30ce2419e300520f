//! The way of alert events from an engine to the brains: over the bus, once each.

use std::time::Duration;

use bytes::Bytes;
use city_alert::{Delivering, Delivery, DeliveryError, Limits, Receiver};
use city_bus::{Bus, Entry, Topic};
use city_model::Timestamp;

/// How long a delivery waits for the bus before the notifier waits and tries again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Events that are published together.
const TOGETHER: usize = 100;

/// A receiver that puts events on the bus. Their keys are the ids of their messages, so that an event
/// that a worker and its successor both publish is there once.
#[derive(Debug)]
pub struct Courier {
    bus: Bus,
    topic: Topic,
}

impl Courier {
    /// One that publishes there.
    pub fn new(bus: Bus, topic: Topic) -> Self {
        Self { bus, topic }
    }
}

impl Receiver for Courier {
    fn deliver<'a>(&'a self, events: &'a [Delivery], _now: Timestamp) -> Delivering<'a> {
        let entries: Vec<Entry> = events
            .iter()
            .map(|event| Entry {
                topic: self.topic,
                id: event.key.clone(),
                payload: Bytes::copy_from_slice(event.body.as_bytes()),
            })
            .collect();
        let bus = self.bus.clone();
        Box::pin(async move {
            let again = |message: String| DeliveryError { message, retry: true, after: None };
            let done = tokio::task::spawn_blocking(move || bus.publish(&entries, PATIENCE)).await;
            match done {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(again(error.to_string())),
                Err(error) => Err(again(error.to_string())),
            }
        })
    }

    fn limits(&self) -> Limits {
        Limits { together: TOGETHER, ..Limits::default() }
    }
}
