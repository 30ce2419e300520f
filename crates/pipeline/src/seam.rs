//! The seams of the pipeline: those who follow what it commits (the alert engine and the live
//! views), and the way back to where messages come from.
//!
//! In one process the followers are called directly; a bus between processes implements the same
//! trait.

use std::sync::Arc;

use city_decode::{Codec, Codecs, Command};
use city_model::Reading;

use crate::Source;

/// Readings that are durable, in commit order.
#[derive(Debug)]
pub struct Committed {
    /// The commit's number; grows by one with each commit that holds readings.
    pub seq: u64,
    /// The readings that were new. Redeliveries are not here: they are no news.
    pub readings: Vec<Reading>,
}

/// Somebody who follows the committed readings.
pub trait Follower: Send + Sync {
    /// Takes the next commit. A follower that must not miss anything (the alert engine) may block,
    /// which holds up ingest; one that may miss something (a live view) must not.
    fn follow(&self, committed: &Arc<Committed>);
}

/// The way back to where a source's messages come from: its broker, or the embedded endpoint.
pub trait Downlink: Send + Sync {
    /// Publishes a command there. Must not block; what cannot be sent now is dropped, because
    /// formats ask again while they have reason to.
    fn publish(&self, source: &Source, command: Command);
}

/// For which devices a client may speak.
pub trait Speakers: Send + Sync {
    /// Whether a client, by the name that it has in [`RawMessage::client`](crate::RawMessage), may
    /// send readings of a device. Asked once for each device of a message: must be quick.
    fn may_speak(&self, client: &str, device: &str) -> bool;

    /// Whether a client may push a message to a topic that it chose itself; `device` is what the
    /// source takes from the topic as the device. To be asked where no broker has asked it already.
    fn may_publish(&self, client: &str, topic: &str, device: Option<&str>) -> bool {
        let _ = topic;
        device.is_some_and(|device| self.may_speak(client, device))
    }
}

/// Everybody may speak for all devices, as where there are no credentials.
#[derive(Clone, Copy, Debug, Default)]
pub struct Everybody;

impl Speakers for Everybody {
    fn may_speak(&self, _client: &str, _device: &str) -> bool {
        true
    }
}

/// A way back that leads nowhere, for replays and tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDownlink;

impl Downlink for NoDownlink {
    fn publish(&self, source: &Source, command: Command) {
        tracing::debug!(source = source.spec.id, topic = command.topic, "nobody to publish to");
    }
}

/// No device has a codec.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCodecs;

impl Codecs for NoCodecs {
    fn codec(&self, _device: &str) -> Option<Arc<dyn Codec>> {
        None
    }
}
