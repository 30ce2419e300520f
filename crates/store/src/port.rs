//! The storage port: what every backend must do, whatever it is made of.

mod error;
mod letters;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use city_model::{
    DeviceKey, MetricKey, Position, Quality, Reading, SeriesKey, Span, Timestamp, Value,
};
use serde::{Deserialize, Serialize};

pub use error::{StoreError, StoreErrorKind};
pub use letters::{
    DeadLetter, DeadLetterId, DeadLetterPage, LetterCount, LettersFrom, NewDeadLetter,
};

/// What is committed together: all of it is durable, or none of it.
#[derive(Debug, Default)]
pub struct Commit {
    /// Readings in order of arrival.
    pub readings: Vec<Reading>,
    /// For each reading, the number of the source that it came from.
    pub sources: Vec<u16>,
    /// Messages, or parts of messages, that could not become readings.
    pub dead_letters: Vec<NewDeadLetter>,
    /// The numbers that devices gave their messages, in order of arrival.
    pub sequences: Vec<SequenceNote>,
    /// Messages without a time of their own that could come again, in order of arrival.
    pub deliveries: Vec<DeliveryNote>,
}

/// How many deliveries are remembered, at least: hours of a large network's uplinks.
pub const DELIVERIES_KEPT: usize = 65_536;

/// The most readings in a page of [`Store::export`].
pub const EXPORT_PAGE: usize = 10_000;

/// When a message without a time of its own was received for the first time, so that its readings
/// have the same time when it is delivered again, after a restart too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryNote {
    /// A hash of its source and of the id that its sender gave it.
    pub key: u64,
    /// When it was received.
    pub received: Timestamp,
}

/// The number of one message, such as a LoRaWAN frame counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceNote {
    /// The number of the source that it came from.
    pub source: u16,
    /// The device that sent it.
    pub device: DeviceKey,
    /// Its number.
    pub number: u64,
}

/// What became of one reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing at (series, event time): it is stored.
    Stored,
    /// There was a reading at (series, event time): a redelivery, or a correction whose value
    /// now stands. It is counted as a duplicate and is no news to the alert engine.
    Duplicate,
}

/// What became of a commit.
#[derive(Debug)]
pub struct CommitReport {
    /// Its number: grows by one with each commit.
    pub seq: u64,
    /// One for each reading, in the same order.
    pub outcomes: Vec<Outcome>,
    /// The places of the dead letters that were kept already, see [`NewDeadLetter::again`].
    pub repeated_letters: Vec<usize>,
}

/// Half-open: `from <= event time < to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// The first instant inside.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
}

impl TimeRange {
    /// All of time.
    pub const ALL: Self =
        Self { from: Timestamp::from_micros(i64::MIN), to: Timestamp::from_micros(i64::MAX) };

    /// Whether the instant is inside.
    pub fn contains(&self, time: Timestamp) -> bool {
        self.from <= time && time < self.to
    }
}

/// A stored reading of a known series.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Event time.
    pub time: Timestamp,
    /// The value.
    pub value: Value,
    /// The quality flag.
    pub quality: Quality,
}

/// Readings of one step of time in short. Only numbers (truth values as 0 and 1) whose quality
/// is trusted or suspect count for the statistics; failed and missing ones only in `flagged`.
/// A step in which nothing counts but something is flagged has the sum 0 and NaN for `min`, `max`
/// and `last`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The first instant of the step: a multiple of it since the epoch.
    pub start: Timestamp,
    /// How many readings count.
    pub count: u64,
    /// The lowest value.
    pub min: f64,
    /// The highest value.
    pub max: f64,
    /// The sum of the values; the mean is `sum / count`.
    pub sum: f64,
    /// The newest value of the step; of several series' at the same time the highest.
    pub last: f64,
    /// How many readings are flagged suspect, fail or missing.
    pub flagged: u64,
}

/// The newest reading of a series by event time. One whose time is too far in the future to be
/// trusted (`Marks::FUTURE`) is it only as long as there is no other.
#[derive(Clone, Debug, PartialEq)]
pub struct LastValue {
    /// Event time.
    pub time: Timestamp,
    /// When it reached us.
    pub received: Timestamp,
    /// The value.
    pub value: Value,
    /// The quality flag.
    pub quality: Quality,
    /// What is special about it.
    pub marks: city_model::Marks,
    /// Where a moving device was; apart, because few series have it and all last values are looked
    /// at for each picture of the city.
    pub position: Option<Box<Position>>,
}

/// Whom a counter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LedgerKey {
    /// A source.
    Source(u16),
    /// Dead letters whose topic no source wanted.
    NoSource,
    /// A device.
    Device(DeviceKey),
    /// Dead letters whose device could not be told, or is not registered, or which stand for
    /// several devices.
    NoDevice,
}

/// What was counted, over the whole life of the store. `received = stored + duplicate +
/// dead_lettered` holds here exactly; what is in flight is known to the pipeline only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Items received: readings, and messages that gave none.
    pub received: u64,
    /// Readings stored.
    pub stored: u64,
    /// Readings that were there already.
    pub duplicate: u64,
    /// Items dead-lettered.
    pub dead_lettered: u64,
    /// Messages that never came: numbers that devices skipped. Nobody received them, so that they
    /// are no part of the sum.
    pub missed: u64,
}

/// One commit, handed out again after a restart.
#[derive(Debug)]
pub struct Replay {
    /// Its number.
    pub seq: u64,
    /// The readings that were new. Their `zones` are empty: zones are not stored, for their keys
    /// change with every load; whoever needs them locates the readings again.
    pub readings: Vec<Reading>,
}

/// How the store is doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoreStats {
    /// Readings stored.
    pub readings: u64,
    /// Series known.
    pub series: u64,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Bytes of the log that is not yet sealed.
    pub log_bytes: u64,
    /// Commits so far.
    pub commits: u64,
    /// How long the last commit took until it was durable, in microseconds.
    pub last_commit_us: u64,
    /// Dead letters kept.
    pub dead_letters: u64,
    /// Their bytes: payloads, topics and what is noted with them.
    pub dead_letter_bytes: u64,
    /// Dead letters dropped so far because they were too old or too many.
    pub dead_letters_dropped: u64,
    /// How the way to the server is doing, if the store is on one.
    pub forward: Option<ForwardStats>,
}

/// How readings get from the spool on this machine to the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForwardStats {
    /// The server's address.
    pub server: String,
    /// Bytes that wait.
    pub spool_bytes: u64,
    /// Bytes that may wait; then commits are refused.
    pub spool_limit: u64,
    /// When the oldest reading that waits was received; `None` if none waits.
    pub oldest_waiting: Option<Timestamp>,
    /// Readings that the server confirmed since the start.
    pub forwarded: u64,
    /// Those of them that corrected what it had.
    pub corrected: u64,
    /// Readings that the server does not take, since the start; each is a dead letter.
    pub rejected: u64,
    /// Requests that were tried again, since the start.
    pub retries: u64,
    /// Lines in a batch, at most, as the server's answers made it.
    pub batch_lines: u64,
    /// What went wrong last, while it lasts.
    pub trouble: Option<String>,
}

/// What is to be deleted for good: readings of one device, of one metric or of all, in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The device.
    pub device: DeviceKey,
    /// The metric; `None`: all, and where the device was.
    pub metric: Option<MetricKey>,
    /// By event time.
    pub range: TimeRange,
}

/// What series are ranked by, over the readings that count (see [`Bucket`]) of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// The highest value first.
    Highest,
    /// The lowest value first.
    Lowest,
    /// The highest mean first.
    Mean,
    /// The highest newest value first.
    Last,
    /// The highest sum first.
    Sum,
    /// The most readings first.
    Count,
}

/// How whoever asked tells a query that nobody waits for its answer any more. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// One that nobody calls.
    pub fn never() -> Self {
        Self::default()
    }

    /// Ends the query soon: it fails with [`StoreErrorKind::Cancelled`].
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Fails once it is cancelled.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.0.load(Ordering::Relaxed) {
            let message = "nobody waits for this query any more";
            return Err(StoreError::new(StoreErrorKind::Cancelled, message));
        }
        Ok(())
    }
}

/// The storage port. Calls block; callers on async threads use a blocking pool.
pub trait Store: Send + Sync {
    /// Makes a commit durable and visible, and says what was new. On an error nothing of it is
    /// durable and the same commit can be tried again.
    fn commit(&self, commit: &Commit) -> Result<CommitReport, StoreError>;

    /// Readings of a series in order of event time, page by page while `each` says to go on. A page
    /// is never empty, and holds what is stored in one piece. Nothing is locked while `each` runs,
    /// so it may take its time: that is the back-pressure.
    fn scan(
        &self,
        series: SeriesKey,
        range: TimeRange,
        each: &mut dyn FnMut(&[Point]) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// Readings of a series in order of event time, at most `limit`.
    fn raw(
        &self,
        series: SeriesKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<Point>, StoreError> {
        let mut points = Vec::new();
        self.scan(series, range, &mut |page| {
            points.extend(page.iter().take(limit - points.len()).cloned());
            if points.len() >= limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(points)
    }

    /// Readings of several series together in steps; steps without readings are left out.
    /// A series named twice counts once. The range picks by itself how fine the data are that
    /// answer it: where readings are no longer kept, the finest summary that still is.
    fn buckets(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        step: Span,
        cancel: &Cancel,
    ) -> Result<Vec<Bucket>, StoreError>;

    /// The first `n` series by rank, each with its readings of the range in short; of equals the
    /// one with the lower key first. Series without readings that count are left out, a series
    /// named twice counts once.
    fn top(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        by: Rank,
        n: usize,
        cancel: &Cancel,
    ) -> Result<Vec<(SeriesKey, Bucket)>, StoreError>;

    /// All readings of a device in order of event time, for copying and exports, in pages of at most
    /// [`EXPORT_PAGE`] while `each` says to go on: the memory that this takes does not grow with the
    /// range. Nothing is locked while `each` runs, so it may take its time. They were received at their event time and have no marks and no zones,
    /// for these are not stored.
    fn export(
        &self,
        device: DeviceKey,
        range: TimeRange,
        each: &mut dyn FnMut(Vec<Reading>) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// Deletes readings for good, summaries of them too. Returns how many went. The newest value
    /// of a series becomes the newest that is left. The ledger still counts them: they were
    /// received and stored.
    fn delete(&self, what: &Deletion) -> Result<u64, StoreError>;

    /// Where a moving device was, in order of time, at most `limit`.
    fn track(
        &self,
        device: DeviceKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Position)>, StoreError>;

    /// How many readings are stored in the range, of one device or of all.
    fn count(&self, device: Option<DeviceKey>, range: TimeRange) -> Result<u64, StoreError>;

    /// The newest value of one series.
    fn last(&self, series: SeriesKey) -> Option<LastValue>;

    /// The newest values of one device.
    fn last_of_device(&self, device: DeviceKey) -> Vec<(MetricKey, LastValue)>;

    /// The newest values of everything: calls `each` for every series, in no order.
    fn each_last(&self, each: &mut dyn FnMut(SeriesKey, &LastValue));

    /// Hands out the commits from number `from` on, in order, as far as they are still kept
    /// (see [`Store::hold`]).
    fn replay(&self, from: u64, each: &mut dyn FnMut(Replay)) -> Result<(), StoreError>;

    /// Keeps commits from number `from` on for the follower called `name`, over restarts, until
    /// it holds a later one. To let go of everything, hold `u64::MAX`; a follower that goes away
    /// without it keeps the log growing for ever.
    fn hold(&self, name: &str, from: u64) -> Result<(), StoreError>;

    /// The number of the newest commit; 0 if there is none.
    fn head_seq(&self) -> u64;

    /// A page of dead letters, of one reason or of all.
    fn dead_letters(
        &self,
        from: LettersFrom,
        reason: Option<&str>,
        limit: usize,
    ) -> Result<DeadLetterPage, StoreError>;

    /// One dead letter.
    fn dead_letter(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError>;

    /// The dead letters received in a range that are still kept, counted by source and reason, in
    /// the order of both.
    fn count_letters(&self, received: TimeRange) -> Result<Vec<LetterCount>, StoreError>;

    /// Notes that a dead letter was replayed.
    fn mark_replayed(&self, id: DeadLetterId, at: Timestamp) -> Result<(), StoreError>;

    /// The last [`DELIVERIES_KEPT`] deliveries that were committed, oldest first.
    fn deliveries(&self) -> Result<Vec<DeliveryNote>, StoreError>;

    /// What was counted, exact over restarts.
    fn ledger(&self) -> Vec<(LedgerKey, Counters)>;

    /// Work that is due now: sealing windows, cutting the log, dropping what is past its time and
    /// dead letters that are too many.
    /// Called every few seconds; never holds up commits for long.
    fn maintain(&self, now: Timestamp) -> Result<(), StoreError>;

    /// Writes everything out so that the next start is quick. The store goes on working.
    fn flush(&self) -> Result<(), StoreError>;

    /// How the store is doing.
    fn stats(&self) -> StoreStats;
}

/// A store shared by everybody who uses it.
pub type SharedStore = Arc<dyn Store>;
