//! What the endpoint counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start, and the number of connections that are open. Added to once a batch,
/// so that connections do not fight over them.
#[derive(Debug, Default)]
pub struct Stats {
    pub(crate) open: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) refused_connections: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) acknowledged: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) violations: AtomicU64,
    pub(crate) takeovers: AtomicU64,
    pub(crate) limited: AtomicU64,
    pub(crate) failed_logins: AtomicU64,
    pub(crate) throttled: AtomicU64,
    pub(crate) commands: AtomicU64,
    pub(crate) commands_sent: AtomicU64,
    pub(crate) commands_acknowledged: AtomicU64,
    pub(crate) commands_dropped: AtomicU64,
}

/// The counters at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatsSnapshot {
    /// Connections that are open and admitted.
    pub open: u64,
    /// Connections that were admitted.
    pub connections: u64,
    /// Connections that were not: over the limit, too slow, malformed, or without the right.
    pub refused_connections: u64,
    /// Messages that were handed to the pipeline, at every QoS, wills included.
    pub received: u64,
    /// Bytes of their topics and payloads.
    pub bytes: u64,
    /// Messages that were acknowledged to their sender after the commit.
    pub acknowledged: u64,
    /// Messages that were refused because the client may not publish to their topic.
    pub refused: u64,
    /// Connections that were ended because the client broke the protocol or a limit.
    pub violations: u64,
    /// Connections that were ended because their client connected anew.
    pub takeovers: u64,
    /// Connections that were refused because of a limit of their device or address.
    pub limited: u64,
    /// Connections that were refused because what the client showed was wrong.
    pub failed_logins: u64,
    /// How often a device was not read from because it sent more than its rate.
    pub throttled: u64,
    /// Commands that were given to the endpoint.
    pub commands: u64,
    /// Commands that were written to clients, those sent again included.
    pub commands_sent: u64,
    /// Commands that clients have answered.
    pub commands_acknowledged: u64,
    /// Commands that were given up: expired, too large for their client, or in a full mailbox.
    pub commands_dropped: u64,
}

impl Stats {
    /// The counters now.
    pub fn snapshot(&self) -> StatsSnapshot {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StatsSnapshot {
            open: load(&self.open),
            connections: load(&self.connections),
            refused_connections: load(&self.refused_connections),
            received: load(&self.received),
            bytes: load(&self.bytes),
            acknowledged: load(&self.acknowledged),
            refused: load(&self.refused),
            violations: load(&self.violations),
            takeovers: load(&self.takeovers),
            limited: load(&self.limited),
            failed_logins: load(&self.failed_logins),
            throttled: load(&self.throttled),
            commands: load(&self.commands),
            commands_sent: load(&self.commands_sent),
            commands_acknowledged: load(&self.commands_acknowledged),
            commands_dropped: load(&self.commands_dropped),
        }
    }
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}
