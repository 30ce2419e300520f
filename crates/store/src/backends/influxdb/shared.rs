//! What the store, its forwarder and whoever asks for figures share.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use city_model::Timestamp;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::ForwardStats;

/// The state of the way to the server.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Cancelled when the store is closed.
    pub(super) stop: CancellationToken,
    /// Rung after a commit.
    pub(super) wake: Notify,
    /// Bytes of the log that are not forwarded. A commit may be forwarded before it is counted.
    waiting: AtomicI64,
    pub(super) retries: AtomicU64,
    /// Grows when something is deleted at the server: what was forwarded before is no longer
    /// surely there.
    pub(super) deletions: AtomicU64,
    figures: Mutex<Figures>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Figures {
    /// The first commit that the server does not have, or not surely.
    position: u64,
    oldest: Option<Timestamp>,
    forwarded: u64,
    corrected: u64,
    rejected: u64,
    trouble: Option<String>,
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) forwarded: u64,
    pub(super) corrected: u64,
    pub(super) rejected: u64,
}

impl Shared {
    pub(super) fn new(position: u64, waiting: u64) -> Self {
        let shared = Self::default();
        shared.figures().position = position;
        shared.waiting.store(waiting as i64, Ordering::Relaxed);
        shared
    }

    pub(super) fn position(&self) -> u64 {
        self.figures().position
    }

    pub(super) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed).max(0) as u64
    }

    /// A commit of so many bytes came.
    pub(super) fn came(&self, bytes: u64) {
        self.waiting.fetch_add(bytes as i64, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// The oldest reading of what is being sent was received then.
    pub(super) fn sends(&self, oldest: Option<Timestamp>) {
        let mut figures = self.figures();
        figures.oldest = oldest.or(figures.oldest);
    }

    /// The server has all commits before `position`; so many bytes less wait.
    pub(super) fn forwarded(&self, position: u64, bytes: u64, done: Done, is_all: bool) {
        self.waiting.fetch_sub(bytes as i64, Ordering::Relaxed);
        let mut figures = self.figures();
        figures.position = position;
        figures.forwarded += done.forwarded;
        figures.corrected += done.corrected;
        figures.rejected += done.rejected;
        if is_all {
            figures.oldest = None;
        }
        self.moved.notify_all();
    }

    /// Notes what goes wrong, or that nothing does. Says whether that is news.
    pub(super) fn trouble(&self, trouble: Option<String>) -> bool {
        let mut figures = self.figures();
        let is_news = figures.trouble.is_some() != trouble.is_some();
        figures.trouble = trouble;
        is_news
    }

    /// Waits until the server has all commits up to this one; says whether it has.
    pub(super) fn wait_for(&self, seq: u64, within: Duration) -> bool {
        let until = Instant::now() + within;
        let mut figures = self.figures();
        while figures.position <= seq {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.moved.wait_timeout(figures, left);
            figures = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// The figures; the caller adds what it knows itself.
    pub(super) fn stats(&self) -> ForwardStats {
        let figures = self.figures();
        ForwardStats {
            spool_bytes: self.waiting(),
            oldest_waiting: figures.oldest,
            forwarded: figures.forwarded,
            corrected: figures.corrected,
            rejected: figures.rejected,
            retries: self.retries.load(Ordering::Relaxed),
            trouble: figures.trouble.clone(),
            ..ForwardStats::default()
        }
    }

    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
