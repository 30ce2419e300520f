//! What was sent and what came of it, for progress displays and reports.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts over all connections of one run; cheap to read at any time.
#[derive(Debug, Default)]
pub struct Counters {
    pub(super) stored: AtomicU64,
    pub(super) published: AtomicU64,
    pub(super) acknowledged: AtomicU64,
    pub(super) readings: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) resent: AtomicU64,
    pub(super) connects: AtomicU64,
    pub(super) connected: AtomicU64,
}

/// The counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Messages that devices wanted to send.
    pub stored: u64,
    /// Messages handed to a connection for the first time.
    pub published: u64,
    /// Messages that the other side acknowledged.
    pub acknowledged: u64,
    /// Readings in acknowledged messages.
    pub readings: u64,
    /// Messages that gave way because a store was full.
    pub dropped: u64,
    /// Messages sent again after a connection was lost.
    pub resent: u64,
    /// Connections made, the first ones included.
    pub connects: u64,
    /// Connections that stand now.
    pub connected: u64,
}

impl Snapshot {
    /// Messages that wait to be sent or acknowledged.
    pub const fn waiting(&self) -> u64 {
        self.stored.saturating_sub(self.acknowledged).saturating_sub(self.dropped)
    }
}

impl Counters {
    /// The counts now.
    pub fn snapshot(&self) -> Snapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // Acknowledged first: what is counted later must not look smaller.
        let (acknowledged, readings) = (get(&self.acknowledged), get(&self.readings));
        Snapshot {
            acknowledged,
            readings,
            dropped: get(&self.dropped),
            resent: get(&self.resent),
            published: get(&self.published),
            stored: get(&self.stored),
            connects: get(&self.connects),
            connected: get(&self.connected),
        }
    }

    pub(super) fn add(counter: &AtomicU64, count: u64) {
        counter.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn sub(counter: &AtomicU64, count: u64) {
        counter.fetch_sub(count, Ordering::Relaxed);
    }
}
