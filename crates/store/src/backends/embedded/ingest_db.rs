//! The statements on `ingest.db`: the log, dead letters, snapshots and holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use city_model::{DeviceKey, MetricKey, Timestamp};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::letters::{self, Amount, Coming};
use crate::sqlite::{self, Format};
use crate::{
    DELIVERIES_KEPT, DeadLetter, DeadLetterId, Deletion, DeliveryNote, LetterCount, LettersFrom,
    NewDeadLetter, StoreError, TimeRange,
};

pub(super) const FORMAT: Format = Format {
    name: "ingest database",
    application: 0x4342_494e, // "CBIN"
    version: 3,
    page_size: 16384,
    schema: "CREATE TABLE log (
                 seq     INTEGER PRIMARY KEY,
                 payload BLOB NOT NULL
             );
             -- A number is never given twice. What stands before the payload is read without it.
             CREATE TABLE dead_letters (
                 id          INTEGER PRIMARY KEY AUTOINCREMENT,
                 bytes       INTEGER NOT NULL,
                 received    INTEGER NOT NULL,
                 replayed_at INTEGER,
                 source      INTEGER,
                 items       INTEGER NOT NULL,
                 source_id   TEXT NOT NULL,
                 reason      TEXT NOT NULL,
                 device      TEXT,
                 device_key  INTEGER,
                 client      TEXT,
                 topic       TEXT NOT NULL,
                 detail      TEXT NOT NULL,
                 hint        TEXT NOT NULL,
                 payload     BLOB NOT NULL
             );
             CREATE INDEX dead_letters_by_reason ON dead_letters (reason, id);
             CREATE INDEX dead_letters_by_age ON dead_letters (received);
             CREATE TABLE snapshots (
                 name    TEXT PRIMARY KEY,
                 seq     INTEGER NOT NULL,
                 payload BLOB NOT NULL
             );
             CREATE TABLE holds (
                 name TEXT PRIMARY KEY,
                 seq  INTEGER NOT NULL
             ) WITHOUT ROWID;
             CREATE TABLE settings (
                 name  TEXT PRIMARY KEY,
                 value INTEGER NOT NULL
             ) WITHOUT ROWID;
             -- What was asked to be deleted: done is 0 until it is, whatever happens in between.
             CREATE TABLE deletions (
                 id       INTEGER PRIMARY KEY,
                 device   INTEGER NOT NULL,
                 metric   INTEGER,
                 from_us  INTEGER NOT NULL,
                 to_us    INTEGER NOT NULL,
                 done     INTEGER NOT NULL DEFAULT 0,
                 readings INTEGER NOT NULL DEFAULT 0
             );",
    // Days may be compacted from version 3 on, which programs of before would not see.
    upgrades: &[(
        2,
        "CREATE TABLE deletions (
             id       INTEGER PRIMARY KEY,
             device   INTEGER NOT NULL,
             metric   INTEGER,
             from_us  INTEGER NOT NULL,
             to_us    INTEGER NOT NULL,
             done     INTEGER NOT NULL DEFAULT 0,
             readings INTEGER NOT NULL DEFAULT 0
         );",
    )],
};

/// What came with version 2, added to every file that does not have it. The column stands behind the payload, but is only ever
/// looked up by its index; letters of before have none.
const LETTER_HASH: &str = "ALTER TABLE dead_letters ADD COLUMN hash INTEGER;";
const ADDED: &str = "CREATE INDEX IF NOT EXISTS dead_letters_by_hash ON dead_letters (hash)
                         WHERE hash IS NOT NULL;
                     CREATE TABLE IF NOT EXISTS deliveries (
                         id       INTEGER PRIMARY KEY,
                         key      INTEGER NOT NULL,
                         received INTEGER NOT NULL
                     );";

/// The database: one connection that writes, one that reads.
#[derive(Debug)]
pub(super) struct IngestDb {
    path: PathBuf,
    reader: Mutex<Connection>,
}

/// The writing end; the committer owns it.
#[derive(Debug)]
pub(super) struct IngestWriter {
    path: PathBuf,
    conn: Connection,
}

/// A snapshot of something as of commit `seq`.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) name: &'static str,
    pub(super) seq: u64,
    pub(super) payload: Vec<u8>,
}

/// Opens the database and makes it if it is not there.
pub(super) fn open(path: &Path) -> Result<(IngestDb, IngestWriter), StoreError> {
    let conn = FORMAT.open(path)?;
    add_what_came_later(&conn).map_err(|e| sqlite::error("cannot extend", path, e))?;
    let reader = Mutex::new(FORMAT.open_reader(path)?);
    let path = path.to_owned();
    Ok((IngestDb { path: path.clone(), reader }, IngestWriter { path, conn }))
}

fn add_what_came_later(conn: &Connection) -> rusqlite::Result<()> {
    let has_hash = conn
        .prepare("SELECT 1 FROM pragma_table_info('dead_letters') WHERE name = 'hash'")?
        .exists([])?;
    if !has_hash {
        conn.execute_batch(LETTER_HASH)?;
    }
    conn.execute_batch(ADDED)
}

impl IngestWriter {
    /// Appends a commit with its dead letters and deliveries. All of it is on the disk when this returns, or none.
    /// Returns how much the letters are.
    pub(super) fn append(
        &mut self,
        seq: u64,
        payload: &[u8],
        letters: &[Coming<'_>],
        deliveries: &[DeliveryNote],
    ) -> Result<Amount, StoreError> {
        self.transaction("cannot write to", |conn| {
            conn.prepare_cached("INSERT INTO log (seq, payload) VALUES (?1, ?2)")?
                .execute((seq as i64, payload))?;
            put_deliveries(conn, deliveries)?;
            letters::insert(conn, letters)
        })
    }

    /// Tells letters that are news from those that are kept already.
    pub(super) fn sort_letters<'a>(
        &self,
        letters: &'a [NewDeadLetter],
    ) -> Result<Vec<Coming<'a>>, StoreError> {
        letters::sort(&self.conn, letters).map_err(|e| sqlite::error("cannot read", &self.path, e))
    }

    /// Notes that a dead letter was replayed.
    pub(super) fn mark_replayed(
        &mut self,
        id: DeadLetterId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.transaction("cannot write to", |conn| letters::mark_replayed(conn, id, at))
    }

    /// Drops dead letters received before `before`, and the oldest as long as there are more than
    /// `most_bytes` of them. Returns what went; if that is full, there may be more.
    pub(super) fn drop_letters(
        &mut self,
        before: i64,
        most_bytes: u64,
    ) -> Result<Amount, StoreError> {
        self.transaction("cannot drop dead letters in", |conn| {
            letters::drop_some(conn, before, most_bytes)
        })
    }

    /// Writes snapshots and holds, together.
    pub(super) fn put(
        &mut self,
        snapshots: &[Snapshot],
        holds: &BTreeMap<String, u64>,
    ) -> Result<(), StoreError> {
        self.transaction("cannot write to", |conn| {
            let mut put = conn.prepare_cached(
                "INSERT OR REPLACE INTO snapshots (name, seq, payload) VALUES (?1, ?2, ?3)",
            )?;
            for snapshot in snapshots {
                put.execute((snapshot.name, snapshot.seq as i64, &snapshot.payload))?;
            }
            let mut put =
                conn.prepare_cached("INSERT OR REPLACE INTO holds (name, seq) VALUES (?1, ?2)")?;
            for (name, seq) in holds {
                put.execute((name, i64::try_from(*seq).unwrap_or(i64::MAX)))?;
            }
            Ok(())
        })
    }

    /// Deletes commits before `keep`, oldest first, about `most` bytes of them. Returns how many
    /// bytes went; fewer than `most` when there are no more.
    pub(super) fn cut(&mut self, keep: u64, most: u64) -> Result<u64, StoreError> {
        self.transaction("cannot cut the log in", |conn| {
            let mut through = None;
            let mut bytes = 0;
            {
                let mut select = conn.prepare_cached(
                    "SELECT seq, length(payload) FROM log WHERE seq < ?1 ORDER BY seq",
                )?;
                let mut rows = select.query([i64::try_from(keep).unwrap_or(i64::MAX)])?;
                while let Some(row) = rows.next()? {
                    through = Some(row.get::<_, i64>(0)?);
                    bytes += row.get::<_, i64>(1)? as u64;
                    if bytes >= most {
                        break;
                    }
                }
            }
            if let Some(through) = through {
                conn.prepare_cached("DELETE FROM log WHERE seq <= ?1")?.execute([through])?;
            }
            Ok(bytes)
        })
    }

    /// Adds to a setting that counts.
    pub(super) fn add_to_setting(&mut self, name: &str, add: u64) -> Result<(), StoreError> {
        self.transaction("cannot write to", |conn| add_to(conn, name, add as i64))
    }

    /// Sets a setting.
    pub(super) fn set(&mut self, name: &str, value: i64) -> Result<(), StoreError> {
        self.transaction("cannot write to", |conn| {
            conn.prepare_cached("INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)")?
                .execute((name, value))
                .map(|_| ())
        })
    }

    /// Notes that something is to be deleted, before it is. Returns the note's number.
    pub(super) fn begin_deletion(&mut self, what: &Deletion) -> Result<i64, StoreError> {
        self.transaction("cannot write to", |conn| {
            conn.execute(
                "INSERT INTO deletions (device, metric, from_us, to_us) VALUES (?1, ?2, ?3, ?4)",
                (
                    what.device.0,
                    what.metric.map(|metric| metric.0),
                    what.range.from.micros(),
                    what.range.to.micros(),
                ),
            )?;
            Ok(conn.last_insert_rowid())
        })
    }

    /// Notes that it is deleted, and how many readings went.
    pub(super) fn end_deletion(&mut self, id: i64, readings: u64) -> Result<(), StoreError> {
        self.transaction("cannot write to", |conn| {
            conn.execute(
                "UPDATE deletions SET done = 1, readings = readings + ?2 WHERE id = ?1",
                (id, readings as i64),
            )?;
            add_to(conn, "dropped", readings as i64)
        })
    }

    /// A setting; `new` is written first if it is not there.
    pub(super) fn setting_or(&mut self, name: &str, new: i64) -> Result<i64, StoreError> {
        self.transaction("cannot write to", |conn| {
            conn.execute(
                "INSERT OR IGNORE INTO settings (name, value) VALUES (?1, ?2)",
                (name, new),
            )?;
            conn.query_row("SELECT value FROM settings WHERE name = ?1", [name], |row| row.get(0))
        })
    }

    /// Lets the database grow to this many pages and no further, as a full disk would.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) {
        self.conn.execute_batch(&format!("PRAGMA max_page_count = {pages};")).expect("a limit");
    }

    fn transaction<T>(
        &mut self,
        what: &str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let run = || {
            let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&tx)?;
            tx.commit()?;
            Ok(result)
        };
        run().map_err(|e| sqlite::error(what, &self.path, e))
    }
}

impl IngestDb {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The snapshot of this name and the commit that it is of.
    pub(super) fn snapshot(&self, name: &str) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.read(|conn| {
            conn.query_row("SELECT seq, payload FROM snapshots WHERE name = ?1", [name], |row| {
                Ok((row.get::<_, i64>(0)? as u64, row.get(1)?))
            })
            .optional()
        })
    }

    pub(super) fn holds(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        self.read(|conn| {
            conn.prepare("SELECT name, seq FROM holds")?
                .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?
                .collect()
        })
    }

    /// Bytes of the log and the number of its newest commit, 0 if it is empty.
    pub(super) fn log_size(&self) -> Result<(u64, u64), StoreError> {
        self.read(|conn| {
            conn.query_row(
                "SELECT coalesce(sum(length(payload)), 0), coalesce(max(seq), 0) FROM log",
                [],
                |row| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64)),
            )
        })
    }

    /// Bytes of the commits from number `from` up to `to`.
    pub(super) fn log_bytes(&self, from: u64, to: u64) -> Result<u64, StoreError> {
        let clamp = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
        self.read(|conn| {
            conn.prepare_cached(
                "SELECT coalesce(sum(length(payload)), 0) FROM log WHERE seq BETWEEN ?1 AND ?2",
            )?
            .query_row((clamp(from), clamp(to)), |row| Ok(row.get::<_, i64>(0)? as u64))
        })
    }

    /// Some commits from number `from` up to `to`, in order; none when there are no more.
    pub(super) fn log_page(&self, from: u64, to: u64) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        // Enough to make the statement's cost vanish, little enough to keep memory small.
        const PAGE: u64 = 16;
        let clamp = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
        self.read(|conn| {
            conn.prepare_cached(
                "SELECT seq, payload FROM log WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq LIMIT ?3",
            )?
            .query_map((clamp(from), clamp(to), clamp(PAGE)), |row| {
                Ok((row.get::<_, i64>(0)? as u64, row.get(1)?))
            })?
            .collect()
        })
    }

    /// Dead letters, at most `limit`.
    pub(super) fn dead_letters(
        &self,
        from: LettersFrom,
        reason: Option<&str>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.read(|conn| letters::page(conn, from, reason, limit))
    }

    pub(super) fn count_letters(
        &self,
        received: TimeRange,
    ) -> Result<Vec<LetterCount>, StoreError> {
        self.read(|conn| letters::count(conn, received))
    }

    pub(super) fn dead_letter(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
        self.read(|conn| letters::one(conn, id))
    }

    /// Deletions that were begun and not ended.
    pub(super) fn open_deletions(&self) -> Result<Vec<(i64, Deletion)>, StoreError> {
        self.read(|conn| {
            conn.prepare("SELECT id, device, metric, from_us, to_us FROM deletions WHERE done = 0")?
                .query_map([], |row| {
                    let (from, to) = (row.get(3)?, row.get(4)?);
                    let range = TimeRange {
                        from: Timestamp::from_micros(from),
                        to: Timestamp::from_micros(to),
                    };
                    let metric = row.get::<_, Option<u16>>(2)?.map(MetricKey);
                    Ok((row.get(0)?, Deletion { device: DeviceKey(row.get(1)?), metric, range }))
                })?
                .collect()
        })
    }

    /// The last deliveries, oldest first.
    pub(super) fn deliveries(&self) -> Result<Vec<DeliveryNote>, StoreError> {
        self.read(|conn| {
            conn.prepare("SELECT key, received FROM deliveries ORDER BY id")?
                .query_map([], |row| {
                    let key = row.get::<_, i64>(0)?.cast_unsigned();
                    Ok(DeliveryNote { key, received: Timestamp::from_micros(row.get(1)?) })
                })?
                .collect()
        })
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let conn = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        read(&conn).map_err(|e| sqlite::error("cannot read", &self.path, e))
    }
}

/// Puts deliveries in and forgets the oldest. For use inside a transaction.
fn put_deliveries(conn: &Connection, deliveries: &[DeliveryNote]) -> rusqlite::Result<()> {
    if deliveries.is_empty() {
        return Ok(());
    }
    let mut insert =
        conn.prepare_cached("INSERT INTO deliveries (key, received) VALUES (?1, ?2)")?;
    for note in deliveries {
        insert.execute((note.key.cast_signed(), note.received.micros()))?;
    }
    conn.prepare_cached("DELETE FROM deliveries WHERE id <= (SELECT max(id) FROM deliveries) - ?1")?
        .execute([DELIVERIES_KEPT as i64])
        .map(|_| ())
}

/// Adds to a setting that counts. For use inside a transaction.
pub(super) fn add_to(conn: &Connection, name: &str, add: i64) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO settings (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
    )?
    .execute((name, add))
    .map(|_| ())
}
