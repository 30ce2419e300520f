//! Mends a store that [`super::verify`](fn@super::verify) found damaged. Nothing is deleted: what
//! cannot be read is put aside, and what could not be saved is said.
//!
//! A file whose structure is damaged goes to the folder `damaged` as it is; what can still be read
//! of it goes into a new one. A chunk, a commit or a summary that is not as it was written goes to a
//! table of its file whose name begins with `damaged`. Then what follows from readings is made again:
//! newest values, the ledger's counts of what is stored, summaries.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use city_model::{DeviceKey, Span};
use rusqlite::{Connection, OptionalExtension as _};

use super::codec::{Chunk, tier};
use super::compact::Batch;
use super::day_name::{DAY, date_of, day_of_name, files_in};
use super::last::LastValues;
use super::ledger::Ledger;
use super::salvage::salvage;
use super::seal::{LAST, LEDGER};
use super::tiers::{self, Tier, Tiers};
use super::verify::{Damage, MEANWHILE, NEWEST, contradiction, structure};
use super::{Embedded, Options, day_file, ingest_db, log};
use crate::sqlite::{self, Format};
use crate::{Store as _, StoreError, StoreErrorKind, TimeRange};

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repair {
    /// Files looked at.
    pub files: u64,
    /// What was mended, or put aside, and where.
    pub mended: Vec<Damage>,
    /// What could not be saved. It is still in what was put aside, for people who can read it.
    pub lost: Vec<Damage>,
}

/// Tables of a day's file with their columns; the first is the row's number.
const DAY_TABLES: &[(&str, &[&str])] = &[
    ("chunks", &["id", "first", "last", "readings", "chunk"]),
    ("seals", &["window", "seq"]),
    ("damaged", &["rowid", "id", "chunk"]),
    ("facts", &["name", "value"]),
];
const INGEST_TABLES: &[(&str, &[&str])] = &[
    ("log", &["seq", "payload"]),
    (
        "dead_letters",
        &[
            "id",
            "bytes",
            "received",
            "replayed_at",
            "source",
            "items",
            "source_id",
            "reason",
            "device",
            "device_key",
            "client",
            "topic",
            "detail",
            "hint",
            "payload",
        ],
    ),
    ("snapshots", &["rowid", "name", "seq", "payload"]),
    ("holds", &["name", "seq"]),
    ("settings", &["name", "value"]),
    ("deletions", &["id", "device", "metric", "from_us", "to_us", "done", "readings"]),
];
const TIER_TABLES: &[(&str, &[&str])] = &[("rows", &["id", "summary"])];

/// Mends the store in `dir`, which no program may use meanwhile. `begin` is called with each file
/// before it is looked at.
///
/// # Errors
/// If there is no store, if a program uses it, or if nothing can be written.
pub fn repair(dir: &Path, mut begin: impl FnMut(&Path)) -> Result<Repair, StoreError> {
    let ingest = super::ingest_db_of(dir)?;
    let lock = super::lock(dir)?;
    let mut work = Work { dir: dir.to_owned(), done: Repair::default() };
    begin(&ingest);
    if !work.file(&ingest, &ingest_db::FORMAT, INGEST_TABLES)? {
        return Ok(work.done);
    }
    let rebuild = work.ingest(&ingest)?;
    let (window, newest) = (window(&ingest)?, newest(&ingest)?);
    for (_, path) in files_in(dir).into_values() {
        begin(&path);
        if work.file(&path, &day_file::FORMAT, DAY_TABLES)? {
            work.day(&path, window, newest)?;
        }
    }
    let mut again = BTreeSet::new();
    for (tier, path) in Tiers::open(dir.join("tiers")).paths() {
        begin(&path);
        if work.file(&path, &tiers::FORMAT, TIER_TABLES)? {
            again.extend(work.summaries(&path, tier)?);
        }
    }
    drop(lock);
    if rebuild || !again.is_empty() {
        let options = Options { window: Span::from_micros(window), ..Options::default() };
        let (store, _) = Embedded::open(dir, options)?;
        work.make_again(&store, rebuild, &again)?;
    }
    Ok(work.done)
}

struct Work {
    dir: PathBuf,
    done: Repair,
}

impl Work {
    fn mended(&mut self, file: &Path, what: impl Into<String>) {
        self.done.mended.push(Damage { file: file.to_owned(), what: what.into() });
    }

    fn lost(&mut self, file: &Path, what: impl Into<String>) {
        self.done.lost.push(Damage { file: file.to_owned(), what: what.into() });
    }

    /// Makes a file sound whose structure is damaged: what can be read of it goes to a new one. Says
    /// whether it can be worked on: one of another program or version is left alone.
    fn file(
        &mut self,
        path: &Path,
        format: &Format,
        tables: &[(&str, &[&str])],
    ) -> Result<bool, StoreError> {
        self.done.files += 1;
        let problem = match format.open_only_to_read(path) {
            Ok(conn) => match structure(path, &conn, format) {
                Ok(problems) if problems.is_empty() => return Ok(true),
                Ok(problems) => problems.join("; "),
                Err(error) => error.to_string(),
            },
            Err(error) if error.kind == StoreErrorKind::Version => {
                self.lost(path, format!("{error}; it was left alone"));
                return Ok(false);
            }
            Err(error) if error.kind != StoreErrorKind::Corrupt => return Err(error),
            Err(error) => error.to_string(),
        };
        let aside = self.aside(path)?;
        for suffix in ["", "-wal", "-shm"] {
            let (from, to) = (with(path, suffix), with(&aside, suffix));
            if from.exists() {
                std::fs::rename(&from, &to).map_err(|e| super::folder(&self.dir, e))?;
            }
        }
        let new = format.build(path)?;
        let mut rows = 0;
        let mut cut = Vec::new();
        if let Ok(old) = Connection::open(&aside) {
            for (table, columns) in tables {
                let (read, whole) = salvage(&old, &new, table, columns)
                    .map_err(|e| sqlite::error("cannot write to", path, e))?;
                rows += read;
                if !whole {
                    cut.push(*table);
                }
            }
        }
        format.finish_build(new, path)?;
        let at = aside.display();
        self.mended(path, format!("{problem}; {rows} rows were saved, the old file is {at}"));
        if !cut.is_empty() {
            let what = format!("some rows of {} cannot be read in {at}", cut.join(", "));
            self.lost(path, what);
        }
        Ok(true)
    }

    /// A place in the folder for what is damaged that nothing has yet.
    fn aside(&self, path: &Path) -> Result<PathBuf, StoreError> {
        let folder = self.dir.join("damaged");
        std::fs::create_dir_all(&folder).map_err(|e| super::folder(&folder, e))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let place = |n: u32| folder.join(format!("{name}.{n}"));
        Ok((1..u32::MAX).map(place).find(|place| !place.exists()).unwrap_or(folder))
    }

    /// Puts commits and snapshots aside that are not as they were written. Says whether a snapshot
    /// has to be made again.
    fn ingest(&mut self, path: &Path) -> Result<bool, StoreError> {
        let conn = ingest_db::FORMAT.open(path)?;
        let fail = |e| sqlite::error("cannot repair", path, e);
        let mut bad = Vec::new();
        let commits: Vec<i64> = numbers(&conn, "SELECT seq FROM log ORDER BY seq").map_err(fail)?;
        for seq in commits {
            let blob = blob(&conn, "SELECT payload FROM log WHERE seq = ?1", seq).map_err(fail)?;
            if let Err(what) = log::decode(&blob, |_| {}) {
                bad.push((seq, what));
            }
        }
        for (seq, what) in bad {
            conn.execute_batch(&format!(
                "BEGIN; CREATE TABLE IF NOT EXISTS damaged_log (seq INTEGER, payload BLOB);
                 INSERT INTO damaged_log SELECT seq, payload FROM log WHERE seq = {seq};
                 DELETE FROM log WHERE seq = {seq}; COMMIT;"
            ))
            .map_err(fail)?;
            let aside = "it is in the table damaged_log";
            self.lost(path, format!("commit {seq} in the log: {what}; {aside}"));
        }
        let mut rebuild = false;
        for name in [LEDGER, LAST] {
            let found: Option<Vec<u8>> = conn
                .query_row("SELECT payload FROM snapshots WHERE name = ?1", [name], |r| r.get(0))
                .optional()
                .map_err(fail)?;
            let Some(blob) = found else {
                // A store that has never been flushed has none, and needs none.
                let first: Option<i64> = conn
                    .query_row("SELECT min(seq) FROM log", [], |row| row.get(0))
                    .map_err(fail)?;
                rebuild |= first != Some(1);
                continue;
            };
            let problem = match name {
                LEDGER => Ledger::decode(&blob).err().map(|error| error.to_string()),
                _ => LastValues::decode(&blob).err().map(|what| what.to_string()),
            };
            if let Some(problem) = problem {
                rebuild = true;
                conn.execute_batch(&format!(
                    "BEGIN; CREATE TABLE IF NOT EXISTS damaged_snapshots
                         (name TEXT, seq INTEGER, payload BLOB);
                     INSERT INTO damaged_snapshots
                         SELECT name, seq, payload FROM snapshots WHERE name = '{name}';
                     DELETE FROM snapshots WHERE name = '{name}'; COMMIT;"
                ))
                .map_err(fail)?;
                self.mended(path, format!("the snapshot `{name}`: {problem}; it is made again"));
            }
        }
        // Numbers of commits must not begin anew below those that days note, if the log lost some;
        // what is far beyond them is a damaged note.
        let known = newest_in(&conn).map_err(fail)?;
        let floor = days_floor(&self.dir, known.saturating_add(MEANWHILE));
        conn.execute(
            "INSERT INTO settings (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            (super::SEQ_FLOOR, floor as i64),
        )
        .map_err(fail)?;
        Ok(rebuild)
    }

    /// Puts chunks of a day aside that are not as they were written.
    fn day(&mut self, path: &Path, window: i64, newest: i64) -> Result<(), StoreError> {
        let Some((day, generation)) = day_of_name(path) else { return Ok(()) };
        let conn = day_file::FORMAT.open(path)?;
        let fail = |e| sqlite::error("cannot repair", path, e);
        let mut bad = Vec::new();
        for id in numbers(&conn, "SELECT id FROM chunks ORDER BY id").map_err(fail)? {
            let blob = blob(&conn, "SELECT chunk FROM chunks WHERE id = ?1", id).map_err(fail)?;
            let (start, length) = match id >> 32 {
                place if place == DAY / window => (day, DAY),
                place => (day + place * window, window),
            };
            let device = DeviceKey(id as u32);
            let chunk = Chunk::parse(&blob, start, device).and_then(|chunk| chunk.all());
            match chunk {
                Err(what) => bad.push((id, start, device, what)),
                Ok(columns) => {
                    // What is noted beside a sound chunk can be noted again.
                    let first = columns.times.first().copied().unwrap_or(start);
                    let last = columns.times.last().copied().unwrap_or(start);
                    let noted = (first, last, columns.readings as i64);
                    if contradiction(&columns, noted, start, length, window).is_some() {
                        let what = super::codec::bytes::Damaged("it is in a wrong place");
                        bad.push((id, start, device, what));
                        continue;
                    }
                    let changed = conn
                        .execute(
                            "UPDATE chunks SET first = ?2, last = ?3, readings = ?4 WHERE id = ?1
                             AND (first, last, readings) <> (?2, ?3, ?4)",
                            (id, noted.0, noted.1, noted.2),
                        )
                        .map_err(fail)?;
                    if changed > 0 {
                        self.mended(path, format!("what is noted of device {}", device.0));
                    }
                }
            }
        }
        for (id, start, device, what) in bad {
            conn.execute_batch(&format!(
                "BEGIN; INSERT INTO damaged (id, chunk) SELECT id, chunk FROM chunks
                     WHERE id = {id};
                 DELETE FROM chunks WHERE id = {id}; COMMIT;"
            ))
            .map_err(fail)?;
            let from = city_model::Timestamp::from_micros(start);
            let aside = "it is in the table damaged";
            self.lost(path, format!("device {} from {from}: {what}; {aside}", device.0));
        }
        let strange = conn
            .execute(
                "DELETE FROM seals
                 WHERE window < ?1 OR window >= ?1 + 86400000000 OR (window - ?1) % ?2 <> 0",
                (day, window),
            )
            .map_err(fail)?;
        if strange > 0 {
            self.mended(path, format!("{strange} notes were of windows that there are none of"));
        }
        let ahead = conn
            .execute("UPDATE seals SET seq = 0 WHERE seq > ?1 OR seq < 0", [newest])
            .map_err(fail)?;
        if ahead > 0 {
            self.mended(path, format!("{ahead} windows were noted as complete too far"));
        }
        // With 0 the log is taken in again, which changes nothing that is there.
        let noted = conn
            .execute(
                "INSERT OR IGNORE INTO seals (window, seq)
                 SELECT DISTINCT ?1 + (id >> 32) * ?2, 0 FROM chunks
                 WHERE id >> 32 < 86400000000 / ?2",
                (day, window),
            )
            .map_err(fail)?;
        if noted > 0 && generation == 0 {
            self.mended(path, format!("{noted} windows had no note of their commits"));
        }
        Ok(())
    }

    /// Puts summaries aside that are not as they were written; returns those to make again.
    fn summaries(&mut self, path: &Path, tier: Tier) -> Result<Vec<(i64, DeviceKey)>, StoreError> {
        let month = tiers::month_of_name(path).unwrap_or_default();
        let conn = tiers::FORMAT.open(path)?;
        let fail = |e| sqlite::error("cannot repair", path, e);
        let mut bad = Vec::new();
        for id in numbers(&conn, "SELECT id FROM rows ORDER BY id").map_err(fail)? {
            let blob = blob(&conn, "SELECT summary FROM rows WHERE id = ?1", id).map_err(fail)?;
            let (day, device) = tiers::of_row(month, id);
            if let Err(what) = tier::decode(&blob, (day, tier.step()), device, None, TimeRange::ALL)
            {
                conn.execute_batch(&format!(
                    "BEGIN; CREATE TABLE IF NOT EXISTS damaged (id INTEGER, summary BLOB);
                     INSERT INTO damaged SELECT id, summary FROM rows WHERE id = {id};
                     DELETE FROM rows WHERE id = {id}; COMMIT;"
                ))
                .map_err(fail)?;
                let date = date_of(day);
                self.mended(path, format!("summary of device {} on {date}: {what}", device.0));
                bad.push((day, device));
            }
        }
        Ok(bad)
    }

    /// Makes newest values, the ledger and summaries again from what is stored.
    fn make_again(
        &mut self,
        store: &Embedded,
        rebuild: bool,
        summaries: &BTreeSet<(i64, DeviceKey)>,
    ) -> Result<(), StoreError> {
        for (day, device) in summaries {
            let compacted = store.days.contents(*day, |found| found.compacted)?.unwrap_or(false);
            if !compacted || *day < store.complete_from().micros() {
                let what = format!(
                    "the summary of device {} on {}, whose readings are no longer kept",
                    device.0,
                    date_of(*day)
                );
                self.lost(&store.days.path(*day), what);
                continue;
            }
            let mut columns = super::columns::DeviceColumns::default();
            store.each_piece(*day, *device, TimeRange::ALL, |piece| {
                columns.append(&piece.all()?);
                Ok(())
            })?;
            let mut batch = Batch::default();
            let stripped = store.days.stripped(*day)?;
            store.summarise(*day, *device, &columns, &stripped, &mut batch)?;
            store.put_summaries(*day, &mut batch, 0)?;
        }
        if rebuild {
            store.rebuild_from_days()?;
        }
        store.flush()
    }
}

impl Embedded {
    /// Takes newest values and counts of what is stored from the days, where the ledger and the
    /// newest values have less.
    fn rebuild_from_days(&self) -> Result<(), StoreError> {
        let mut stored: BTreeMap<DeviceKey, u64> = BTreeMap::new();
        for day in self.days.days() {
            let devices = self.days.devices(day)?;
            for device in devices {
                let mut readings = Vec::new();
                self.query_export(device, self.range_of(day), &mut |page| {
                    readings.extend(page);
                    std::ops::ControlFlow::Continue(())
                })?;
                *stored.entry(device).or_default() += readings.len() as u64;
                self.last.apply(&readings, |reading| reading);
            }
        }
        let mut ledger = self.ledger_lock();
        for (device, stored) in stored {
            ledger.at_least_stored(device, stored);
        }
        drop(ledger);
        let mut writer = self.writer();
        self.last.each_newest(|series, _, time| writer.newest.raise(series, time.micros()));
        Ok(())
    }

    fn range_of(&self, day: i64) -> TimeRange {
        let from = self.first_of(day);
        let last = day + DAY - self.window;
        let to = if self.window_of(i64::MAX) == last {
            TimeRange::ALL.to
        } else {
            city_model::Timestamp::from_micros(day + DAY)
        };
        TimeRange { from, to }
    }
}

fn numbers(conn: &Connection, select: &str) -> rusqlite::Result<Vec<i64>> {
    conn.prepare(select)?.query_map([], |row| row.get(0))?.collect()
}

fn blob(conn: &Connection, select: &str, id: i64) -> rusqlite::Result<Vec<u8>> {
    conn.prepare_cached(select)?.query_row([id], |row| row.get(0))
}

fn window(ingest: &Path) -> Result<i64, StoreError> {
    let conn = ingest_db::FORMAT.open_only_to_read(ingest)?;
    let select = "SELECT value FROM settings WHERE name = 'window_us'";
    let found = conn.query_row(select, [], |row| row.get(0)).optional();
    let found = found.map_err(|e| sqlite::error("cannot read", ingest, e))?;
    Ok(found.unwrap_or_else(|| Options::default().window.micros()))
}

/// The number that no commit in the days can have passed.
fn newest(ingest: &Path) -> Result<i64, StoreError> {
    let conn = ingest_db::FORMAT.open_only_to_read(ingest)?;
    newest_in(&conn).map_err(|e| sqlite::error("cannot read", ingest, e))
}

fn newest_in(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row(NEWEST, [], |row| row.get(0))
}

/// The highest number of a commit that any day notes, as far as they can be read and are below
/// `most`.
fn days_floor(dir: &Path, most: i64) -> u64 {
    let highest = files_in(dir).into_values().filter_map(|(_, path)| {
        let conn = day_file::FORMAT.open_only_to_read(&path).ok()?;
        let highest = "SELECT max(seq) FROM seals WHERE seq <= ?1";
        conn.query_row(highest, [most], |row| row.get::<_, Option<i64>>(0)).ok()?
    });
    highest.max().unwrap_or(0) as u64
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
