//! The commit: tell new readings from duplicates, write the log, and only then show them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use city_model::{DeviceKey, Reading, SeriesKey};
use rustc_hash::FxHashMap;

use super::Embedded;
use super::codec::Chunk;
use super::codec::bytes::Damaged;
use super::columns::{DeviceColumns, rows as rows_of, spread};
use super::day_name::day_of;
use super::head::Window;
use super::ingest_db::IngestWriter;
use super::letters::Coming;
use super::log::{Encoder, LoggedLetters};
use super::newest::{NewestTimes, Standing};
use super::warm;
use crate::{Commit, CommitReport, Outcome, StoreError, StoreErrorKind};

/// What only the committer uses.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) db: IngestWriter,
    pub(super) newest: NewestTimes,
    places: Places,
    /// Room for the next blob.
    buffer: Vec<u8>,
}

/// Where the readings of a batch go: worked out once, used when they are put in.
#[derive(Debug, Default)]
struct Places {
    windows: Vec<Arc<Window>>,
    by_start: FxHashMap<i64, u32>,
    runs: Vec<Run>,
}

/// Readings of a batch that follow each other and are of one device in one window: mostly those of
/// one message.
#[derive(Debug)]
struct Run {
    device: DeviceKey,
    readings: Range<usize>,
    /// An index into the windows.
    window: u32,
    slot: u32,
}

impl Writer {
    pub(super) fn new(db: IngestWriter) -> Self {
        Self { db, newest: NewestTimes::default(), places: Places::default(), buffer: Vec::new() }
    }
}

impl Embedded {
    pub(super) fn do_commit(&self, commit: &Commit) -> Result<CommitReport, StoreError> {
        let started = Instant::now();
        if commit.readings.len() != commit.sources.len() {
            return Err(StoreError::new(
                StoreErrorKind::Invalid,
                format!(
                    "a commit has {} readings but {} sources; there must be one for each",
                    commit.readings.len(),
                    commit.sources.len()
                ),
            ));
        }
        self.relieve_head()?;
        let mut writer = self.writer();
        let seq = self.counts.head_seq.load(Ordering::Acquire) + 1;
        let coming = writer.db.sort_letters(&commit.dead_letters)?;
        let letters = sum_up(&coming);
        let outcomes = self.classify(&mut writer, &commit.readings).and_then(|outcomes| {
            self.log(&mut writer, seq, commit, &outcomes, (&letters, &coming))?;
            Ok(outcomes)
        });
        let outcomes = outcomes.inspect_err(|_| {
            for reading in &commit.readings {
                writer.newest.take_back(reading.series);
            }
        })?;
        self.show(&mut writer, seq, commit, &outcomes, &letters);
        let took = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.counts.last_commit_us.store(took, Ordering::Relaxed);
        let places = coming.iter().enumerate().filter(|(_, coming)| coming.repeated);
        let repeated_letters = places.map(|(place, _)| place).collect();
        Ok(CommitReport { seq, outcomes, repeated_letters })
    }

    /// Finds every reading's place, and whether there is one already.
    fn classify(
        &self,
        writer: &mut Writer,
        readings: &[Reading],
    ) -> Result<Vec<Outcome>, StoreError> {
        let Writer { newest, places, .. } = writer;
        places.windows.clear();
        places.by_start.clear();
        places.runs.clear();
        newest.begin();
        let of_reading =
            |reading: &Reading| (reading.series.device, self.window_of(reading.time.micros()));
        let mut first = 0;
        for together in readings.chunk_by(|a, b| self.are_together(a, b)) {
            let (device, start) = of_reading(&together[0]);
            let (window, slot) = self.place(places, start, device)?;
            let run = first..first + together.len();
            first = run.end;
            places.runs.push(Run { device, readings: run, window, slot });
        }
        let mut outcomes = Vec::with_capacity(readings.len());
        let key = |index: usize| -> (SeriesKey, i64) {
            let reading: &Reading = &readings[index];
            (reading.series, reading.time.micros())
        };
        for runs in places.runs.chunks(warm::AHEAD) {
            for run in runs {
                newest.warm(run.device);
            }
            for run in runs {
                for index in run.readings.clone() {
                    let (series, time) = key(index);
                    let known = match newest.stand(index, series, time, key) {
                        Standing::Newer => false,
                        Standing::Known => true,
                        Standing::Late => {
                            let inner = places.windows[run.window as usize].read();
                            let known = inner.columns(run.slot as usize).has(series.metric, time);
                            if !known {
                                newest.late_is_new(series, time);
                            }
                            known
                        }
                    };
                    outcomes.push(if known { Outcome::Duplicate } else { Outcome::Stored });
                }
            }
        }
        Ok(outcomes)
    }

    /// Whether two readings are of one device and in one window.
    pub(super) fn are_together(&self, a: &Reading, b: &Reading) -> bool {
        let window = |reading: &Reading| self.window_of(reading.time.micros());
        // Those of one message have one time, and finding windows takes divisions.
        a.series.device == b.series.device && (a.time == b.time || window(a) == window(b))
    }

    /// The place of a device in a window.
    fn place(
        &self,
        places: &mut Places,
        start: i64,
        device: DeviceKey,
    ) -> Result<(u32, u32), StoreError> {
        let window = *places.by_start.entry(start).or_insert_with(|| {
            places.windows.push(self.head.get_or_make(start));
            places.windows.len() as u32 - 1
        });
        let slot = self.slot(&places.windows[window as usize], device)?;
        Ok((window, slot as u32))
    }

    /// The slot of a device in a window. If it is not in the head yet, what is sealed of it is
    /// read back first. For the holder of the committer's lock.
    pub(super) fn slot(&self, window: &Window, device: DeviceKey) -> Result<usize, StoreError> {
        if let Some(slot) = window.read().slot(device) {
            return Ok(slot);
        }
        // Ingest must go on whatever the state of an old chunk: a damaged one is put aside when
        // this window is sealed, and loses nothing by it. A day file of another version cannot be
        // sealed into: its new readings stay in the log and in memory.
        let (columns, damaged) = match self.load(window.start, device) {
            Ok(columns) => (columns, false),
            Err(error) if error.is_unreadable() => {
                tracing::error!(error.cause = %error, "a sealed chunk cannot be read; new readings go beside it");
                (DeviceColumns::default(), true)
            }
            Err(error) => return Err(error),
        };
        self.head.count(columns.readings, 0);
        let columns =
            if columns.times.is_empty() { self.room_for(window, device) } else { columns };
        Ok(window.write().add(device, columns, damaged))
    }

    /// Empty columns with room for a quarter of what the device sent in the window before: that
    /// spares most of the moves while they grow, and takes little while the window before is here.
    fn room_for(&self, window: &Window, device: DeviceKey) -> DeviceColumns {
        const MOST: usize = 4_096;
        let before = self.head.get(window.start.saturating_sub(self.window));
        let rows = before.and_then(|before| before.device(device)).map(|s| s.columns.times.len());
        rows.map_or_else(DeviceColumns::default, |rows| {
            // Not the same for all: they should not all grow at once.
            DeviceColumns::with_room(spread(rows.div_ceil(4).min(MOST), device.0 as usize))
        })
    }

    /// What is sealed of a device in a window.
    fn load(&self, window: i64, device: DeviceKey) -> Result<DeviceColumns, StoreError> {
        let rows = self.days.device(day_of(window), device, window..=window, &[])?;
        let damage = |what: Damaged| self.days.damage(window, device, what.0);
        if let Some((_, blob)) = rows.windows.first() {
            return Chunk::parse(blob, window, device)
                .and_then(|chunk| chunk.all())
                .map_err(damage);
        }
        let Some(blob) = rows.day else { return Ok(DeviceColumns::default()) };
        let chunk = Chunk::parse(&blob, day_of(window), device).map_err(damage)?;
        let rows = rows_of(&chunk.times, window, window + self.window);
        let mut columns = chunk.all().map_err(damage)?;
        columns.keep_rows(rows);
        Ok(columns)
    }

    fn log(
        &self,
        writer: &mut Writer,
        seq: u64,
        commit: &Commit,
        outcomes: &[Outcome],
        (letters, coming): (&[LoggedLetters], &[Coming<'_>]),
    ) -> Result<(), StoreError> {
        let buffer = std::mem::take(&mut writer.buffer);
        let mut encoder = Encoder::new(buffer, commit.readings.len());
        for ((reading, source), outcome) in
            commit.readings.iter().zip(&commit.sources).zip(outcomes)
        {
            encoder.reading(reading, *source, *outcome == Outcome::Duplicate);
        }
        writer.buffer = encoder.finish(letters, &commit.sequences);
        let came = writer.db.append(seq, &writer.buffer, coming, &commit.deliveries)?;
        self.counts.letters.fetch_add(came.letters, Ordering::Relaxed);
        self.counts.letter_bytes.fetch_add(came.bytes, Ordering::Relaxed);
        self.counts.log_bytes.fetch_add(writer.buffer.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Makes a durable commit visible: head, last values, ledger. Cannot fail.
    fn show(
        &self,
        writer: &mut Writer,
        seq: u64,
        commit: &Commit,
        outcomes: &[Outcome],
        letters: &[LoggedLetters],
    ) {
        let places = &mut writer.places;
        let mut came = 0;
        for runs in places.runs.chunks(warm::AHEAD) {
            for runs in runs.chunk_by(|a, b| a.window == b.window) {
                let mut inner = places.windows[runs[0].window as usize].write();
                inner.warm(&runs.iter().map(|run| run.slot as usize));
                for run in runs {
                    let readings = &commit.readings[run.readings.clone()];
                    came += inner.put(run.slot as usize, readings, seq);
                }
            }
        }
        places.windows.clear();
        self.head.count(came, 0);
        self.last.apply(&commit.readings, |reading| reading);
        let mut ledger = self.ledger_lock();
        let counted = commit.readings.iter().zip(&commit.sources).zip(outcomes);
        ledger.readings(counted.map(|((reading, source), outcome)| {
            (*source, reading.series.device, *outcome == Outcome::Duplicate)
        }));
        for letter in letters {
            ledger.letters(*letter);
        }
        for note in &commit.sequences {
            ledger.sequence(*note);
        }
        drop(ledger);
        self.counts.head_seq.store(seq, Ordering::Release);
    }
}

/// What dead letters add to the ledger, one line per source and device, and one more for those that
/// are kept already.
fn sum_up(letters: &[Coming<'_>]) -> Vec<LoggedLetters> {
    let mut sums: BTreeMap<(Option<u16>, Option<DeviceKey>, bool), u64> = BTreeMap::new();
    for Coming { letter, repeated, .. } in letters {
        let key = (letter.source, letter.device_key, *repeated);
        *sums.entry(key).or_default() += u64::from(letter.items);
    }
    let line =
        |((source, device, repeated), items)| LoggedLetters { source, device, items, repeated };
    sums.into_iter().map(line).collect()
}
