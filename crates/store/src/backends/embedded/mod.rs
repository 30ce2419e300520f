//! The embedded store: SQLite files in one directory, a log, a head in memory, sealed chunks.
//!
//! ```text
//! LOCK                      held by the process that uses the directory
//! ingest.db                 log of commits, dead letters, snapshots, holds
//! chunks/2026-11-23.db      device chunks of one day
//! tiers/1h/2026-11.db       summaries of a month's days in steps of an hour; also 15m and 1m
//! ```
//! A commit is one fsynced transaction on `ingest.db`; only then its readings go into the head.
//! When a window is over, its devices are encoded as chunks, and once they are on the disk, the
//! log is cut. After a crash the log is replayed. Once a day is over it is compacted: one chunk per
//! device, and summaries. `verify` reads all of it and says what is damaged.

mod backup;
mod codec;
mod columns;
mod commit;
mod compact;
mod day_file;
mod day_name;
mod day_write;
mod delete;
mod export;
mod head;
mod ingest_db;
mod last;
mod ledger;
mod letters;
mod log;
mod look_up;
mod near;
mod newest;
mod options;
mod pages;
mod pieces;
mod query;
mod recovery;
mod repair;
mod salvage;
mod seal;
#[cfg(test)]
mod tests;
mod tiers;
mod verify;
mod warm;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use city_model::{DeviceKey, MetricKey, Position, Reading, SeriesKey, Span, Timestamp};
use parking_lot::{FairMutex, FairMutexGuard};

pub use self::backup::{
    Backup, Earlier, Stamp, backup, backup_since, backup_state, pass_on_numbers,
};
use self::commit::Writer;
use self::compact::Compactor;
use self::day_file::DayFiles;
use self::head::Head;
use self::ingest_db::IngestDb;
use self::last::LastValues;
use self::ledger::Ledger;
pub(super) use self::near::Followed;
pub use self::options::{Options, TierRetention};
pub use self::repair::{Repair, repair};
use self::tiers::Tiers;
pub use self::verify::{Damage, Verification, verify, verify_only, verify_state};
use crate::steps::check_range;
use crate::{
    Bucket, Cancel, Commit, CommitReport, Counters, DeadLetter, DeadLetterId, DeadLetterPage,
    Deletion, DeliveryNote, LastValue, LedgerKey, LetterCount, LettersFrom, Point, Rank, Replay,
    Store, StoreError, StoreErrorKind, StoreStats, TimeRange,
};

/// The setting that says from when on all readings are here.
const COMPLETE_FROM: &str = "complete_from";
/// The setting that a backup has: no commit gets this number or a lower one.
const SEQ_FLOOR: &str = "seq_floor";

/// What opening brought back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Commits replayed from the log.
    pub log_commits: u64,
    /// Their readings.
    pub readings: u64,
    /// How long opening took.
    pub took: Duration,
}

/// The embedded store. See the module's documentation.
///
/// One thread commits; any number may query meanwhile. Dropping it without [`Store::flush`] is
/// always safe: the next start takes a little longer.
#[derive(Debug)]
pub struct Embedded {
    dir: PathBuf,
    options: Options,
    /// `options.window` in microseconds.
    window: i64,
    ingest: IngestDb,
    days: DayFiles,
    tiers: Tiers,
    head: Head,
    last: LastValues,
    ledger: Mutex<Ledger>,
    /// Locked by whoever changes the head or writes to `ingest.db`. Fair: commits come between the
    /// steps of maintenance.
    writer: FairMutex<Writer>,
    /// Locked by whoever seals, before the writer.
    sealer: Mutex<Sealer>,
    /// Locked by whoever writes whole days anew, before the sealer.
    compactor: Mutex<Compactor>,
    holds: Mutex<BTreeMap<String, u64>>,
    metric_retention: Mutex<BTreeMap<MetricKey, Span>>,
    counts: Counts,
    /// Keeps other processes out.
    _lock: File,
}

/// Numbers that are read without a lock.
#[derive(Debug, Default)]
struct Counts {
    /// The newest commit that is durable and visible.
    head_seq: AtomicU64,
    log_bytes: AtomicU64,
    last_commit_us: AtomicU64,
    /// Readings that retention dropped, or that were deleted.
    dropped: AtomicU64,
    /// Readings of days before this one are dropped, in microseconds.
    complete_from: AtomicI64,
    letters: AtomicU64,
    letter_bytes: AtomicU64,
    letters_dropped: AtomicU64,
}

/// What sealing remembers from one turn to the next.
#[derive(Debug, Default)]
struct Sealer {
    /// When the last snapshot was made, in microseconds.
    snapshot_at: Option<i64>,
    /// The commit that it is of.
    snapshot_seq: u64,
    /// When something was last sealed in a day, by day, in microseconds.
    touched: BTreeMap<i64, i64>,
}

impl Embedded {
    /// Opens the store in `dir`, which is made if it is not there, and replays its log.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<(Self, Recovery), StoreError> {
        let started = std::time::Instant::now();
        let dir = dir.as_ref();
        options.check()?;
        std::fs::create_dir_all(dir).map_err(|e| folder(dir, e))?;
        let lock = lock(dir)?;
        let (ingest, mut writer) = ingest_db::open(&dir.join("ingest.db"))?;
        let window = writer.setting_or("window_us", options.window.micros())?;
        if window != options.window.micros() {
            return Err(StoreError::new(
                StoreErrorKind::Invalid,
                format!(
                    "the store in {} was made with windows of {}, not {}; set it back",
                    dir.display(),
                    Span::from_micros(window),
                    options.window
                ),
            ));
        }
        let days = DayFiles::open(dir.join("chunks"), options.window)
            .map_err(|e| folder(&dir.join("chunks"), e))?;
        let counts = Counts::default();
        for (name, count) in [
            ("dropped", &counts.dropped),
            (letters::COUNT, &counts.letters),
            (letters::BYTES, &counts.letter_bytes),
            (letters::DROPPED, &counts.letters_dropped),
        ] {
            count.store(writer.setting_or(name, 0)? as u64, Ordering::Relaxed);
        }
        counts.complete_from.store(writer.setting_or(COMPLETE_FROM, i64::MIN)?, Ordering::Relaxed);
        let seq_floor = writer.setting_or(SEQ_FLOOR, 0)? as u64;
        let holds = Mutex::new(ingest.holds()?);
        let tiers = Tiers::open(dir.join("tiers"));
        let metric_retention = Mutex::new(options.metric_retention.clone());
        let mut store = Self {
            dir: dir.to_owned(),
            options,
            window,
            ingest,
            days,
            tiers,
            head: Head::default(),
            last: LastValues::default(),
            ledger: Mutex::default(),
            writer: FairMutex::new(Writer::new(writer)),
            sealer: Mutex::default(),
            compactor: Mutex::default(),
            holds,
            metric_retention,
            counts,
            _lock: lock,
        };
        let (log_commits, readings) = store.recover(seq_floor)?;
        store.finish_deletions()?;
        Ok((store, Recovery { log_commits, readings, took: started.elapsed() }))
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn writer(&self) -> FairMutexGuard<'_, Writer> {
        self.writer.lock()
    }

    fn sealer(&self) -> MutexGuard<'_, Sealer> {
        self.sealer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ledger_lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn holds_lock(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn window_of(&self, time: i64) -> i64 {
        day_name::window_of(time, self.window)
    }

    fn compactor(&self) -> MutexGuard<'_, Compactor> {
        self.compactor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps readings of some metrics for less than those of the others, by event time in whole
    /// days of UTC. Takes the place of what held before.
    pub fn keep_metrics(&self, retention: BTreeMap<MetricKey, Span>) {
        *self.metric_retention.lock().unwrap_or_else(PoisonError::into_inner) = retention;
    }

    /// The first instant from which on all readings that were ever stored are still here; those of
    /// before were dropped, because their time was over.
    pub fn complete_from(&self) -> Timestamp {
        Timestamp::from_micros(self.counts.complete_from.load(Ordering::Acquire))
    }

    fn disk_bytes(&self) -> u64 {
        let days = self.days.days();
        file_bytes(self.ingest.path())
            + days.into_iter().map(|day| file_bytes(&self.days.path(day))).sum::<u64>()
            + self.tiers.paths().iter().map(|(_, path)| file_bytes(path)).sum::<u64>()
    }

    fn damaged_commit(&self, seq: u64, what: codec::bytes::Damaged) -> StoreError {
        StoreError::new(
            StoreErrorKind::Corrupt,
            format!(
                "commit {seq} in the log of {} is damaged: {what}; restore the data directory from \
                 a backup, or put it aside with `citybrain store repair`",
                self.ingest.path().display()
            ),
        )
    }
}

/// The log of the store in a folder.
fn ingest_db_of(dir: &Path) -> Result<PathBuf, StoreError> {
    let ingest = dir.join("ingest.db");
    if ingest.is_file() {
        return Ok(ingest);
    }
    let message = format!(
        "there is no store in {}: it has no ingest.db; name the folder that holds it",
        dir.display()
    );
    Err(StoreError::new(StoreErrorKind::Invalid, message))
}

fn folder(dir: &Path, e: std::io::Error) -> StoreError {
    let kind = match e.kind() {
        std::io::ErrorKind::StorageFull => StoreErrorKind::Full,
        _ => StoreErrorKind::ReadOnly,
    };
    StoreError::new(
        kind,
        format!("cannot use the folder {}: {e}; let citybrain's user write to it", dir.display()),
    )
    .caused_by(e)
}

/// Two processes on the same files would destroy them.
fn lock(dir: &Path) -> Result<File, StoreError> {
    let file = File::create(dir.join("LOCK")).map_err(|e| folder(dir, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::new(
            StoreErrorKind::Busy,
            format!(
                "another citybrain uses the data directory {}; stop it, or give this one another \
                 directory",
                dir.display()
            ),
        )),
        Err(TryLockError::Error(e)) => Err(folder(dir, e)),
    }
}

impl Store for Embedded {
    fn commit(&self, commit: &Commit) -> Result<CommitReport, StoreError> {
        self.do_commit(commit)
    }

    fn scan(
        &self,
        series: SeriesKey,
        range: TimeRange,
        each: &mut dyn FnMut(&[Point]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.query_scan(series, range, each)
    }

    fn buckets(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        step: Span,
        cancel: &Cancel,
    ) -> Result<Vec<Bucket>, StoreError> {
        self.query_buckets(series, range, step, cancel)
    }

    fn top(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        by: Rank,
        n: usize,
        cancel: &Cancel,
    ) -> Result<Vec<(SeriesKey, Bucket)>, StoreError> {
        self.query_top(series, range, by, n, cancel)
    }

    fn export(
        &self,
        device: DeviceKey,
        range: TimeRange,
        each: &mut dyn FnMut(Vec<Reading>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.query_export(device, range, each)
    }

    fn delete(&self, what: &Deletion) -> Result<u64, StoreError> {
        self.do_delete(what)
    }

    fn track(
        &self,
        device: DeviceKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Position)>, StoreError> {
        self.query_track(device, range, limit)
    }

    fn count(&self, device: Option<DeviceKey>, range: TimeRange) -> Result<u64, StoreError> {
        self.query_count(device, range)
    }

    fn last(&self, series: SeriesKey) -> Option<LastValue> {
        self.last.get(series)
    }

    fn last_of_device(&self, device: DeviceKey) -> Vec<(MetricKey, LastValue)> {
        self.last.of_device(device)
    }

    fn each_last(&self, each: &mut dyn FnMut(SeriesKey, &LastValue)) {
        self.last.each(each);
    }

    fn replay(&self, from: u64, each: &mut dyn FnMut(Replay)) -> Result<(), StoreError> {
        let through = self.head_seq();
        let mut from = from;
        while from <= through {
            let page = self.ingest.log_page(from, through)?;
            let Some((newest, _)) = page.last() else { return Ok(()) };
            from = newest + 1;
            for (seq, payload) in page {
                let mut readings = Vec::new();
                log::decode(&payload, |logged| {
                    if !logged.duplicate {
                        readings.push(logged.reading);
                    }
                })
                .map_err(|what| self.damaged_commit(seq, what))?;
                each(Replay { seq, readings });
            }
        }
        Ok(())
    }

    fn hold(&self, name: &str, from: u64) -> Result<(), StoreError> {
        // A hold that moves on is written with the next cut: until then it keeps too much, never
        // too little. A new one, or one that moves back, must be on the disk before the next cut.
        let mut writer = self.writer();
        let before = self.holds_lock().insert(name.to_owned(), from);
        if before.is_some_and(|before| before <= from) {
            return Ok(());
        }
        let holds = BTreeMap::from([(name.to_owned(), from)]);
        let result = writer.db.put(&[], &holds);
        if result.is_err() {
            let mut holds = self.holds_lock();
            match before {
                Some(before) => holds.insert(name.to_owned(), before),
                None => holds.remove(name),
            };
        }
        result
    }

    fn head_seq(&self) -> u64 {
        self.counts.head_seq.load(Ordering::Acquire)
    }

    fn dead_letters(
        &self,
        from: LettersFrom,
        reason: Option<&str>,
        limit: usize,
    ) -> Result<DeadLetterPage, StoreError> {
        let items = self.ingest.dead_letters(from, reason, limit.saturating_add(1))?;
        Ok(DeadLetterPage::cut(from, items, limit))
    }

    fn count_letters(&self, received: TimeRange) -> Result<Vec<LetterCount>, StoreError> {
        check_range(received)?;
        self.ingest.count_letters(received)
    }

    fn dead_letter(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
        self.ingest.dead_letter(id)
    }

    fn mark_replayed(&self, id: DeadLetterId, at: Timestamp) -> Result<(), StoreError> {
        self.writer().db.mark_replayed(id, at)
    }

    fn deliveries(&self) -> Result<Vec<DeliveryNote>, StoreError> {
        self.ingest.deliveries()
    }

    fn ledger(&self) -> Vec<(LedgerKey, Counters)> {
        self.ledger_lock().counters()
    }

    fn maintain(&self, now: Timestamp) -> Result<(), StoreError> {
        self.do_maintain(now.micros())
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.do_flush()
    }

    fn stats(&self) -> StoreStats {
        let stored = self.ledger_lock().stored();
        StoreStats {
            readings: stored.saturating_sub(self.counts.dropped.load(Ordering::Relaxed)),
            series: self.last.series() as u64,
            disk_bytes: self.disk_bytes(),
            log_bytes: self.counts.log_bytes.load(Ordering::Relaxed),
            commits: self.head_seq(),
            last_commit_us: self.counts.last_commit_us.load(Ordering::Relaxed),
            dead_letters: self.counts.letters.load(Ordering::Relaxed),
            dead_letter_bytes: self.counts.letter_bytes.load(Ordering::Relaxed),
            dead_letters_dropped: self.counts.letters_dropped.load(Ordering::Relaxed),
            forward: None,
        }
    }
}

/// Bytes of a database with what SQLite has beside it.
fn file_bytes(path: &Path) -> u64 {
    let with = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        std::fs::metadata(name).map_or(0, |metadata| metadata.len())
    };
    ["", "-wal", "-shm"].map(with).iter().sum()
}
