//! The way back to where a source's messages come from: its broker, or the embedded endpoint.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use city_collect::Publisher;
use city_decode::Command;
use city_pipeline::{Downlink, Source};

/// Ways back by broker, and one for sources without. Formats get it before the collectors are
/// there; until then nothing has come that could be answered.
#[derive(Clone)]
pub(crate) struct Downlinks {
    brokers: Arc<RwLock<HashMap<String, Publisher>>>,
    endpoint: Arc<dyn Downlink>,
}

impl Downlinks {
    /// With this way to what is connected to the embedded endpoint.
    pub(crate) fn new(endpoint: Arc<dyn Downlink>) -> Self {
        Self { brokers: Arc::default(), endpoint }
    }

    /// Adds the way back to a broker.
    pub(crate) fn connect(&self, broker: &str, publisher: Publisher) {
        let mut brokers = self.brokers.write().unwrap_or_else(PoisonError::into_inner);
        brokers.insert(broker.to_owned(), publisher);
    }
}

impl Downlink for Downlinks {
    fn publish(&self, source: &Source, command: Command) {
        let Some(broker) = source.spec.broker.as_deref() else {
            return self.endpoint.publish(source, command);
        };
        let brokers = self.brokers.read().unwrap_or_else(PoisonError::into_inner);
        let Some(publisher) = brokers.get(broker) else { return };
        let Command { topic, payload } = command;
        if let Err(error) = publisher.publish(topic.clone(), payload) {
            tracing::debug!(mqtt.broker = broker, mqtt.topic = topic, error.cause = %error, "not published");
        }
    }
}
