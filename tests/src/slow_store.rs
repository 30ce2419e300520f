//! A store that is as slow as a test says, in front of one that is real.

use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use city_model::{DeviceKey, MetricKey, Position, Reading, SeriesKey, Span, Timestamp};
use city_store::{
    Bucket, Cancel, Commit, CommitReport, Counters, DeadLetter, DeadLetterId, DeadLetterPage,
    Deletion, DeliveryNote, LastValue, LedgerKey, LetterCount, LettersFrom, Point, Rank, Replay,
    SharedStore, Store, StoreError, StoreStats, TimeRange,
};

/// Commits wait as long as the test says; everything else goes straight through.
pub struct SlowStore {
    store: SharedStore,
    gate: Mutex<Gate>,
    moved: Condvar,
}

#[derive(Default)]
struct Gate {
    closed: bool,
    delay: Duration,
    waiting: bool,
    commits: u64,
}

impl SlowStore {
    /// In front of a store; not slow yet.
    pub fn new(store: SharedStore) -> Self {
        Self { store, gate: Mutex::default(), moved: Condvar::new() }
    }

    /// No commit passes any more.
    pub fn close(&self) {
        self.gate().closed = true;
    }

    /// They pass again, each after a delay.
    pub fn open(&self, delay: Duration) {
        let mut gate = self.gate();
        (gate.closed, gate.delay) = (false, delay);
        self.moved.notify_all();
    }

    /// Waits until a commit stands at the closed gate.
    pub fn wait_for_a_commit(&self) {
        let gate = self.gate();
        let waited = self.moved.wait_while(gate, |gate| !gate.waiting);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Commits that passed.
    pub fn commits(&self) -> u64 {
        self.gate().commits
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self) {
        let mut gate = self.gate();
        gate.waiting = gate.closed;
        self.moved.notify_all();
        let mut gate =
            self.moved.wait_while(gate, |gate| gate.closed).unwrap_or_else(PoisonError::into_inner);
        gate.waiting = false;
        gate.commits += 1;
        let delay = gate.delay;
        drop(gate);
        // This is the slowness itself, not a wait for something.
        std::thread::sleep(delay);
    }
}

impl Store for SlowStore {
    fn commit(&self, commit: &Commit) -> Result<CommitReport, StoreError> {
        self.pass();
        self.store.commit(commit)
    }

    fn scan(
        &self,
        series: SeriesKey,
        range: TimeRange,
        each: &mut dyn FnMut(&[Point]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.store.scan(series, range, each)
    }

    fn buckets(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        step: Span,
        cancel: &Cancel,
    ) -> Result<Vec<Bucket>, StoreError> {
        self.store.buckets(series, range, step, cancel)
    }

    fn top(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        by: Rank,
        n: usize,
        cancel: &Cancel,
    ) -> Result<Vec<(SeriesKey, Bucket)>, StoreError> {
        self.store.top(series, range, by, n, cancel)
    }

    fn export(
        &self,
        device: DeviceKey,
        range: TimeRange,
        each: &mut dyn FnMut(Vec<Reading>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.store.export(device, range, each)
    }

    fn delete(&self, what: &Deletion) -> Result<u64, StoreError> {
        self.store.delete(what)
    }

    fn track(
        &self,
        device: DeviceKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Position)>, StoreError> {
        self.store.track(device, range, limit)
    }

    fn count(&self, device: Option<DeviceKey>, range: TimeRange) -> Result<u64, StoreError> {
        self.store.count(device, range)
    }

    fn last(&self, series: SeriesKey) -> Option<LastValue> {
        self.store.last(series)
    }

    fn last_of_device(&self, device: DeviceKey) -> Vec<(MetricKey, LastValue)> {
        self.store.last_of_device(device)
    }

    fn each_last(&self, each: &mut dyn FnMut(SeriesKey, &LastValue)) {
        self.store.each_last(each);
    }

    fn replay(&self, from: u64, each: &mut dyn FnMut(Replay)) -> Result<(), StoreError> {
        self.store.replay(from, each)
    }

    fn hold(&self, name: &str, from: u64) -> Result<(), StoreError> {
        self.store.hold(name, from)
    }

    fn head_seq(&self) -> u64 {
        self.store.head_seq()
    }

    fn dead_letters(
        &self,
        from: LettersFrom,
        reason: Option<&str>,
        limit: usize,
    ) -> Result<DeadLetterPage, StoreError> {
        self.store.dead_letters(from, reason, limit)
    }

    fn dead_letter(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
        self.store.dead_letter(id)
    }

    fn count_letters(&self, received: TimeRange) -> Result<Vec<LetterCount>, StoreError> {
        self.store.count_letters(received)
    }

    fn mark_replayed(&self, id: DeadLetterId, at: Timestamp) -> Result<(), StoreError> {
        self.store.mark_replayed(id, at)
    }

    fn deliveries(&self) -> Result<Vec<DeliveryNote>, StoreError> {
        self.store.deliveries()
    }

    fn ledger(&self) -> Vec<(LedgerKey, Counters)> {
        self.store.ledger()
    }

    fn maintain(&self, now: Timestamp) -> Result<(), StoreError> {
        self.store.maintain(now)
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.store.flush()
    }

    fn stats(&self) -> StoreStats {
        self.store.stats()
    }
}
