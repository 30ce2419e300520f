//! Checks that everything in a store's folder can be read and is what was written.
//!
//! Nothing is changed, and nothing is locked that a running program needs, so a city can be checked
//! while it works. What is found says which file, which window and which device it is about: all
//! the rest is fine.

use std::fmt;
use std::path::{Path, PathBuf};

use city_model::{DeviceKey, Timestamp};
use rusqlite::{Connection, OptionalExtension as _};

use super::codec::{Chunk, tier};
use super::columns::DeviceColumns;
use super::day_file;
use super::day_name::{DAY, date_of, files_in, window_of};
use super::last::LastValues;
use super::ledger::Ledger;
use super::seal::{LAST, LEDGER};
use super::tiers::{self, Tier, Tiers};
use super::{ingest_db, log};
use crate::sqlite::{self, Format};
use crate::{StoreError, TimeRange, state};

/// Commits that a program at work may have sealed since its log was looked at.
pub(super) const MEANWHILE: i64 = 1_000_000;

/// The newest commit that the log and what stands for it know of.
pub(super) const NEWEST: &str = "SELECT max((SELECT coalesce(max(seq), 0) FROM log),
                                            (SELECT coalesce(max(seq), 0) FROM snapshots),
                                            (SELECT coalesce(max(value), 0) FROM settings
                                             WHERE name = 'seq_floor'))";

/// How many lines SQLite writes about a file at most.
const SQLITE_LINES: u32 = 20;

/// What was looked at, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Files looked at.
    pub files: u64,
    /// Chunks decoded: a device's readings of a window each.
    pub chunks: u64,
    /// Readings in them. Those of a compacted day to which something came since count twice.
    pub readings: u64,
    /// Summaries decoded: those of a device on a day in steps of one length each.
    pub summaries: u64,
    /// Commits in the log decoded.
    pub commits: u64,
    /// Chunks that were put aside in an earlier repair, because they could not be read.
    pub put_aside: u64,
    /// What is not as it was written, in the order of the files.
    pub damages: Vec<Damage>,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// Where in it and what.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.what)
    }
}

/// Checks the store in `dir`; `begin` is called with each file before it is looked at, its place
/// among them from 0, and how many there are.
///
/// # Errors
/// If the folder holds no store, or cannot be read at all. What is wrong with single files is no
/// error but in the result.
pub fn verify(
    dir: &Path,
    begin: impl FnMut(&Path, usize, usize),
) -> Result<Verification, StoreError> {
    verify_only(dir, |_| true, begin)
}

/// As [`verify`]; of the days and summaries only the files that are `wanted`.
///
/// # Errors
/// As [`verify`].
pub fn verify_only(
    dir: &Path,
    wanted: impl Fn(&Path) -> bool,
    mut begin: impl FnMut(&Path, usize, usize),
) -> Result<Verification, StoreError> {
    let ingest = super::ingest_db_of(dir)?;
    let mut days = files_in(dir);
    days.retain(|_, (_, path)| wanted(path));
    let mut tiers = Tiers::open(dir.join("tiers")).paths();
    tiers.retain(|(_, path)| wanted(path));
    let total = days.len() + tiers.len() + 1;
    let mut found = Verification::default();
    begin(&ingest, 0, total);
    let known = found.file(&ingest, &ingest_db::FORMAT, |found, conn| found.ingest(&ingest, conn));
    let (window, newest) = known.unwrap_or((DAY, i64::MAX));
    let mut place = 1;
    for (day, (_, path)) in days {
        begin(&path, place, total);
        place += 1;
        found.file(&path, &day_file::FORMAT, |found, conn| {
            found.day(&path, conn, (day, window, newest))
        });
    }
    for (tier, path) in tiers {
        begin(&path, place, total);
        place += 1;
        found.file(&path, &tiers::FORMAT, |found, conn| found.summaries(&path, conn, tier));
    }
    Ok(found)
}

/// Checks the state database, `state.db`: the registry, rules, alerts and users.
pub fn verify_state(path: &Path) -> Verification {
    let mut found = Verification::default();
    found.file(path, &state::FORMAT, |_, _| Ok(()));
    found
}

impl Verification {
    /// Adds what another one found.
    pub fn append(&mut self, other: Self) {
        self.files += other.files;
        self.chunks += other.chunks;
        self.readings += other.readings;
        self.summaries += other.summaries;
        self.commits += other.commits;
        self.put_aside += other.put_aside;
        self.damages.extend(other.damages);
    }

    /// Opens a file, lets SQLite check its structure, and then `look` at what is in it.
    fn file<T>(
        &mut self,
        path: &Path,
        format: &Format,
        look: impl FnOnce(&mut Self, &Connection) -> rusqlite::Result<T>,
    ) -> Option<T> {
        let opened = format.open_only_to_read(path);
        // A day whose time was over meanwhile.
        if opened.is_err() && !path.exists() {
            return None;
        }
        self.files += 1;
        let conn = match opened {
            Ok(conn) => conn,
            Err(error) => {
                self.damage(path, error.to_string());
                return None;
            }
        };
        let looked = structure(path, &conn, format).and_then(|problems| {
            for problem in problems {
                self.damage(path, format!("its structure is damaged: {problem}"));
            }
            look(self, &conn)
        });
        match looked {
            Ok(seen) => Some(seen),
            Err(error) => {
                self.damage(path, sqlite::error("cannot read", path, error).to_string());
                None
            }
        }
    }

    fn damage(&mut self, file: &Path, what: impl Into<String>) {
        self.damages.push(Damage { file: file.to_owned(), what: what.into() });
    }

    /// Decodes the log and the snapshots; returns how long windows are, in microseconds, and the
    /// number that no commit in the days can have passed.
    fn ingest(&mut self, path: &Path, conn: &Connection) -> rusqlite::Result<(i64, i64)> {
        let mut statement = conn.prepare("SELECT seq, payload FROM log ORDER BY seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            self.commits += 1;
            if let Err(what) = log::decode(row.get_ref(1)?.as_blob()?, |_| {}) {
                self.damage(path, format!("commit {seq} in the log: {what}"));
            }
        }
        let mut snapshots = conn.prepare("SELECT name, payload FROM snapshots")?;
        let mut rows = snapshots.query([])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let payload = row.get_ref(1)?.as_blob()?;
            let problem = match &*name {
                LEDGER => Ledger::decode(payload).err().map(|error| error.to_string()),
                LAST => LastValues::decode(payload).err().map(|what| what.to_string()),
                _ => None,
            };
            if let Some(problem) = problem {
                self.damage(path, format!("the snapshot `{name}`: {problem}"));
            }
        }
        let window = "SELECT value FROM settings WHERE name = 'window_us'";
        let window = conn.query_row(window, [], |row| row.get(0)).optional()?.unwrap_or(DAY);
        let newest: i64 = conn.query_row(NEWEST, [], |row| row.get(0))?;
        Ok((window, newest.saturating_add(MEANWHILE)))
    }

    /// Decodes the chunks of a day.
    fn day(
        &mut self,
        path: &Path,
        conn: &Connection,
        (day, window, newest): (i64, i64, i64),
    ) -> rusqlite::Result<()> {
        let ahead = "SELECT count(*) FROM seals WHERE seq > ?1 OR seq < 0";
        let ahead: i64 = conn.query_row(ahead, [newest], |row| row.get(0))?;
        if ahead > 0 {
            let what = "windows are noted as complete up to commits that there are none of";
            self.damage(path, format!("{ahead} {what}"));
        }
        let unsealed = "SELECT count(DISTINCT id >> 32) FROM chunks
                        WHERE id >> 32 < 86400000000 / ?2
                        AND ?1 + (id >> 32) * ?2 NOT IN (SELECT window FROM seals)";
        let unsealed: i64 = conn.query_row(unsealed, [day, window], |row| row.get(0))?;
        if unsealed > 0 {
            let what = "windows have chunks, but no note of which commits are in them";
            self.damage(path, format!("{unsealed} {what}"));
        }
        let strange = "SELECT count(*) FROM seals
                       WHERE window < ?1 OR window >= ?1 + 86400000000 OR (window - ?1) % ?2 <> 0";
        let strange: i64 = conn.query_row(strange, [day, window], |row| row.get(0))?;
        if strange > 0 {
            self.damage(path, format!("{strange} notes are of windows that there are none of"));
        }
        let put_aside: i64 =
            conn.query_row("SELECT count(*) FROM damaged", [], |row| row.get(0))?;
        self.put_aside += put_aside.unsigned_abs();
        let mut statement = conn.prepare("SELECT id, first, last, readings, chunk FROM chunks")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            // Behind the last window come the chunks of the whole day.
            let (start, length) = match id >> 32 {
                place if place == DAY / window => (day, DAY),
                place => (day + place * window, window),
            };
            let device = DeviceKey(id as u32);
            let noted: (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
            self.chunks += 1;
            let decoded = Chunk::parse(row.get_ref(4)?.as_blob()?, start, device)
                .and_then(|chunk| chunk.all());
            let problem = match decoded {
                Err(what) => Some(what.to_string()),
                Ok(columns) => {
                    self.readings += columns.readings as u64;
                    contradiction(&columns, noted, start, length, window)
                }
            };
            if let Some(problem) = problem {
                let from = Timestamp::from_micros(start);
                let of = if length == DAY { "on the day" } else { "in the window" };
                let what = format!("device {} {of} from {from}: {problem}", device.0);
                self.damage(path, what);
            }
        }
        Ok(())
    }

    /// Decodes the summaries of a month.
    fn summaries(&mut self, path: &Path, conn: &Connection, tier: Tier) -> rusqlite::Result<()> {
        let month = tiers::month_of_name(path).unwrap_or_default();
        let mut statement = conn.prepare("SELECT id, summary FROM rows")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (day, device) = tiers::of_row(month, row.get(0)?);
            self.summaries += 1;
            let decoded = tier::decode(
                row.get_ref(1)?.as_blob()?,
                (day, tier.step()),
                device,
                None,
                TimeRange::ALL,
            );
            if let Err(what) = decoded {
                let what = format!("summary of device {} on {}: {what}", device.0, date_of(day));
                self.damage(path, what);
            }
        }
        Ok(())
    }
}

/// What SQLite finds wrong with the structure of a file, and tables that are not as they are made.
pub(super) fn structure(
    path: &Path,
    conn: &Connection,
    format: &Format,
) -> rusqlite::Result<Vec<String>> {
    if let Some(problem) = sqlite::odd_header(path) {
        return Ok(vec![problem]);
    }
    if let Some(problem) = format.wrong_table(conn)? {
        return Ok(vec![problem]);
    }
    let mut statement = conn.prepare(&format!("PRAGMA integrity_check({SQLITE_LINES})"))?;
    let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
    let lines: Vec<String> = lines.collect::<rusqlite::Result<_>>()?;
    Ok(if lines == ["ok"] { Vec::new() } else { lines })
}

/// Where a chunk is at odds with its row: what is noted of it there, and where it stands.
pub(super) fn contradiction(
    columns: &DeviceColumns,
    noted: (i64, i64, i64),
    start: i64,
    length: i64,
    window: i64,
) -> Option<String> {
    let times = &columns.times;
    if let Some(pair) = times.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Some(format!("its times are out of order at {}", Timestamp::from_micros(pair[1])));
    }
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        // It stands for what was deleted of the whole day's chunk.
        return (noted != (start, start, 0)).then(|| "it is empty".to_owned());
    };
    let inside = start..start + length;
    if !inside.contains(&window_of(*first, window)) || !inside.contains(&window_of(*last, window)) {
        let (first, last) = (Timestamp::from_micros(*first), Timestamp::from_micros(*last));
        return Some(format!("it reaches from {first} to {last}"));
    }
    let is = (*first, *last, columns.readings as i64);
    (is != noted).then(|| {
        format!("its row notes {} readings, and {} are in it, or other times", noted.2, is.2)
    })
}
