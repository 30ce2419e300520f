//! The store of those who commit to the bus, and of engines that read their commits from it: both
//! ends of the seam between a commit and its consumers.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use city_bus::{Bus, BusError, Entry, Follow, Topic};
use city_model::{DeviceKey, MetricKey, Position, Reading, SeriesKey, Span, Timestamp};
use city_registry::Registry;
use city_store::{
    Bucket, Cancel, Commit, CommitReport, Counters, DeadLetter, DeadLetterId, DeadLetterPage,
    Deletion, DeliveryNote, LastValue, LedgerKey, LetterCount, LettersFrom, Outcome, Point, Rank,
    Replay, SharedStore, StateDb, Store, StoreError, StoreErrorKind, StoreStats, TimeRange,
};

use crate::partition::{Partition, partition_of};
use crate::wire::Batch;

/// How long a commit waits for the bus before it is tried again: the pipeline does so until it
/// succeeds, and acknowledges nothing meanwhile.
const PATIENCE: Duration = Duration::from_secs(10);

/// Readings in one message: below the limit of a NATS server's messages, 1 MiB, with texts of the
/// greatest length.
const MOST_READINGS: usize = 2_000;

/// How long the next message of a replay may take to come.
const NEXT_COMES: Duration = Duration::from_secs(10);

/// A store that commits to the bus, or replays from it; whatever is asked of history is answered by
/// another one.
pub struct BusStore {
    bus: Bus,
    side: Side,
    /// Answers questions.
    local: SharedStore,
}

enum Side {
    Writes(Writer),
    Reads(Partition),
}

struct Writer {
    registry: Arc<Registry>,
    state: Arc<StateDb>,
    /// What message ids begin with: of this process alone.
    prefix: String,
    commits: AtomicU64,
    seq: AtomicU64,
}

impl std::fmt::Debug for BusStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BusStore").finish_non_exhaustive()
    }
}

impl BusStore {
    /// One that commits. `process` names this run of this process and no other. Questions about what
    /// was stored go to `local`.
    pub fn writer(
        bus: Bus,
        registry: Arc<Registry>,
        state: Arc<StateDb>,
        process: &str,
        local: SharedStore,
    ) -> Self {
        let writer = Writer {
            registry,
            state,
            prefix: process.to_owned(),
            commits: AtomicU64::new(0),
            seq: AtomicU64::new(0),
        };
        Self { bus, side: Side::Writes(writer), local }
    }

    /// One that replays what a partition's engine has to evaluate again.
    pub(crate) fn reader(bus: Bus, partition: Partition, local: SharedStore) -> Self {
        Self { bus, side: Side::Reads(partition), local }
    }

    fn publish(&self, writer: &Writer, commit: &Commit) -> Result<(), StoreError> {
        // The state before the readings: their keys are in it.
        let state = writer.state.position();
        let directory = writer.registry.directory();
        let partitions = self.bus.partitions();
        let mut parts: Vec<Vec<(&Reading, u16)>> = vec![Vec::new(); usize::from(partitions)];
        for (reading, source) in commit.readings.iter().zip(&commit.sources) {
            // A device that was removed meanwhile has no partition of its own any more.
            let id = directory.device(reading.series.device).map_or("", |device| &*device.id);
            parts[usize::from(partition_of(id, partitions))].push((reading, *source));
        }
        let number = writer.commits.load(Ordering::Relaxed);
        let mut entries = Vec::new();
        let mut add = |topic: Topic, batch: &Batch| {
            let id = format!("{}-{number}-{}", writer.prefix, entries.len());
            entries.push(Entry { topic, id, payload: Bytes::from(batch.encode()) });
        };
        for (partition, readings) in (0..).zip(parts) {
            for some in readings.chunks(MOST_READINGS) {
                add(Topic::Readings(partition), &Batch::of_readings(state, some.iter().copied()));
            }
        }
        let has_more = !commit.dead_letters.is_empty()
            || !commit.sequences.is_empty()
            || !commit.deliveries.is_empty();
        if has_more {
            add(Topic::Letters, &Batch::of_the_rest(state, commit));
        }
        self.bus.publish(&entries, PATIENCE).map_err(|error| bus_error(&error))?;
        // Until here the same commit has the same ids, however often it is tried.
        writer.commits.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

pub(crate) fn bus_error(error: &BusError) -> StoreError {
    StoreError::new(StoreErrorKind::Busy, error.to_string())
}

impl Store for BusStore {
    fn commit(&self, commit: &Commit) -> Result<CommitReport, StoreError> {
        let Side::Writes(writer) = &self.side else {
            let message = "an alert engine commits nothing";
            return Err(StoreError::new(StoreErrorKind::Invalid, message));
        };
        self.publish(writer, commit)?;
        // Whether a reading was there before is found out by those who read the bus.
        let outcomes = vec![Outcome::Stored; commit.readings.len()];
        let seq = writer.seq.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(CommitReport { seq, outcomes, repeated_letters: Vec::new() })
    }

    fn replay(&self, from: u64, each: &mut dyn FnMut(Replay)) -> Result<(), StoreError> {
        let Side::Reads(partition) = self.side else { return self.local.replay(from, each) };
        let end = self.head_seq();
        let mut seen = from.saturating_sub(1);
        if end <= seen {
            return Ok(());
        }
        let what = || partition.follow(self.bus.partitions());
        let mut following = self.bus.follow(what(), seen).map_err(|error| bus_error(&error))?;
        while seen < end {
            let message = match following.next(NEXT_COMES) {
                Ok(Some(message)) => message,
                Ok(None) => {
                    let message = format!("message {end} of the bus does not come");
                    return Err(StoreError::new(StoreErrorKind::Busy, message));
                }
                Err(BusError::Gone { first }) => {
                    tracing::error!(
                        partition = partition.name(),
                        from = seen + 1,
                        first,
                        "readings that were never evaluated are gone from the bus; alerts go on \
                         with those that are left: let the bus keep them for longer, or keep a \
                         worker running"
                    );
                    seen = first.saturating_sub(1);
                    following = self.bus.follow(what(), seen).map_err(|error| bus_error(&error))?;
                    continue;
                }
                Err(error) => return Err(bus_error(&error)),
            };
            seen = message.number;
            match Batch::decode(message.number, &message.payload) {
                Ok(batch) => each(Replay { seq: message.number, readings: batch.into_readings() }),
                Err(error) => tracing::error!("{error}"),
            }
        }
        Ok(())
    }

    fn hold(&self, name: &str, from: u64) -> Result<(), StoreError> {
        match self.side {
            // The bus keeps its messages by their age.
            Side::Reads(_) => Ok(()),
            Side::Writes(_) => self.local.hold(name, from),
        }
    }

    fn head_seq(&self) -> u64 {
        let Side::Reads(partition) = self.side else { return self.local.head_seq() };
        let Follow::Topics(topics) = partition.follow(self.bus.partitions()) else { return 0 };
        // Asked at a start, where there is nothing better to do than to ask again.
        topics.into_iter().filter_map(|topic| self.bus.topic_end(topic).ok()).max().unwrap_or(0)
    }

    fn scan(
        &self,
        series: SeriesKey,
        range: TimeRange,
        each: &mut dyn FnMut(&[Point]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.local.scan(series, range, each)
    }

    fn buckets(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        step: Span,
        cancel: &Cancel,
    ) -> Result<Vec<Bucket>, StoreError> {
        self.local.buckets(series, range, step, cancel)
    }

    fn top(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        by: Rank,
        n: usize,
        cancel: &Cancel,
    ) -> Result<Vec<(SeriesKey, Bucket)>, StoreError> {
        self.local.top(series, range, by, n, cancel)
    }

    fn export(
        &self,
        device: DeviceKey,
        range: TimeRange,
        each: &mut dyn FnMut(Vec<Reading>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.local.export(device, range, each)
    }

    fn delete(&self, what: &Deletion) -> Result<u64, StoreError> {
        self.local.delete(what)
    }

    fn track(
        &self,
        device: DeviceKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Position)>, StoreError> {
        self.local.track(device, range, limit)
    }

    fn count(&self, device: Option<DeviceKey>, range: TimeRange) -> Result<u64, StoreError> {
        self.local.count(device, range)
    }

    fn last(&self, series: SeriesKey) -> Option<LastValue> {
        self.local.last(series)
    }

    fn last_of_device(&self, device: DeviceKey) -> Vec<(MetricKey, LastValue)> {
        self.local.last_of_device(device)
    }

    fn each_last(&self, each: &mut dyn FnMut(SeriesKey, &LastValue)) {
        self.local.each_last(each);
    }

    fn dead_letters(
        &self,
        from: LettersFrom,
        reason: Option<&str>,
        limit: usize,
    ) -> Result<DeadLetterPage, StoreError> {
        self.local.dead_letters(from, reason, limit)
    }

    fn dead_letter(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
        self.local.dead_letter(id)
    }

    fn count_letters(&self, received: TimeRange) -> Result<Vec<LetterCount>, StoreError> {
        self.local.count_letters(received)
    }

    fn mark_replayed(&self, id: DeadLetterId, at: Timestamp) -> Result<(), StoreError> {
        self.local.mark_replayed(id, at)
    }

    fn deliveries(&self) -> Result<Vec<DeliveryNote>, StoreError> {
        self.local.deliveries()
    }

    fn ledger(&self) -> Vec<(LedgerKey, Counters)> {
        self.local.ledger()
    }

    fn maintain(&self, now: Timestamp) -> Result<(), StoreError> {
        self.local.maintain(now)
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.local.flush()
    }

    fn stats(&self) -> StoreStats {
        self.local.stats()
    }
}
