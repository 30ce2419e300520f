//! What the listener counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start, and the number of connections that are open.
#[derive(Debug, Default)]
pub struct Stats {
    pub(crate) open: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) refused_connections: AtomicU64,
    pub(crate) frames: AtomicU64,
    pub(crate) answered: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) bad_checksums: AtomicU64,
    pub(crate) garbage_bytes: AtomicU64,
}

/// The counters at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatsSnapshot {
    /// Connections that are open.
    pub open: u64,
    /// Connections that were taken.
    pub connections: u64,
    /// Connections that were closed at once, because there are too many.
    pub refused_connections: u64,
    /// Frames that were handed to the pipeline.
    pub frames: u64,
    /// Frames that were answered after the commit.
    pub answered: u64,
    /// Frames that were refused for their password.
    pub refused: u64,
    /// Frames among those handed over whose checksum is wrong.
    pub bad_checksums: u64,
    /// Bytes that belong to no frame.
    pub garbage_bytes: u64,
}

impl Stats {
    /// The counters now.
    pub fn snapshot(&self) -> StatsSnapshot {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StatsSnapshot {
            open: load(&self.open),
            connections: load(&self.connections),
            refused_connections: load(&self.refused_connections),
            frames: load(&self.frames),
            answered: load(&self.answered),
            refused: load(&self.refused),
            bad_checksums: load(&self.bad_checksums),
            garbage_bytes: load(&self.garbage_bytes),
        }
    }
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}
