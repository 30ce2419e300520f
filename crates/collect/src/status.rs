//! What can be seen of a collector from outside.

use std::sync::atomic::{AtomicU64, Ordering};

use city_model::Timestamp;
use serde::Serialize;

/// How it stands with a broker.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// What it is doing.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// Why the last connection ended, or did not come about, and when; kept while a later one is
    /// good.
    pub last_error: Option<(Timestamp, String)>,
    /// How many subscriptions the broker granted on this connection.
    pub granted: usize,
    /// Subscriptions that the broker refused on this connection.
    pub refused: Vec<RefusedFilter>,
    /// Whether the broker had kept our session when we connected last. At the first connect it
    /// cannot have; later, `false` means that it may have lost messages.
    pub session_resumed: bool,
    /// Connections so far.
    pub connects: u64,
}

/// What a collector is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It is connecting.
    Connecting,
    /// It is connected.
    Connected,
    /// It waits before it connects again.
    Waiting,
    /// It has stopped.
    Stopped,
}

/// A subscription that the broker refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedFilter {
    /// The topic filter.
    pub filter: String,
    /// Why, in the broker's words; MQTT 3.1.1 has none.
    pub reason: String,
}

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Stats {
    pub(crate) received: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) acknowledged: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) overflows: AtomicU64,
}

/// The counters at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatsSnapshot {
    /// Messages that were taken for the pipeline, redeliveries included.
    pub received: u64,
    /// Bytes of their topics and payloads.
    pub bytes: u64,
    /// Messages that were acknowledged after the commit.
    pub acknowledged: u64,
    /// Messages at QoS 0 that were dropped because they were too large, or the pipeline was full
    /// for too long.
    pub dropped: u64,
    /// Connections on which the broker sent more than there was room for, so that the rest had to
    /// be got by another.
    pub overflows: u64,
}

impl Stats {
    /// The counters now.
    pub fn snapshot(&self) -> StatsSnapshot {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StatsSnapshot {
            received: load(&self.received),
            bytes: load(&self.bytes),
            acknowledged: load(&self.acknowledged),
            dropped: load(&self.dropped),
            overflows: load(&self.overflows),
        }
    }
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}
