//! A state database that several processes share: each has a file of its own, and one log, kept by
//! somebody else (a replicated bus), brings all files to the same state in the same order.
//!
//! A transaction is run on the own file, what it changed is captured row by row, and appended to the
//! log under the condition that nobody else appended since; only then it is committed. Who follows
//! applies the entries as they come. The files are copies: whatever is in one is in the log, or in an
//! image of the state up to an entry of it.
//!
//! Rows are captured by temporary triggers, which live and die with the connection that writes: a
//! database that is not shared has none. SQLite's session extension does the same from inside, but
//! asks for libclang wherever citybrain is built.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use flate2::Compression;
use flate2::write::{DeflateDecoder, DeflateEncoder};
use rusqlite::backup::Backup;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, ffi};
use serde::{Deserialize, Serialize};

use crate::StateError;

/// The layout of an entry. It goes up when entries are written otherwise.
const LAYOUT: u8 = 1;

/// Bytes of an entry, at most: half of what a NATS server takes by default. Larger transactions
/// take several.
const MOST_BYTES: usize = 512 * 1024;

/// Times that a transaction is put on top of what others appended before it gives up.
const MOST_TRIES: usize = 20;

/// Pages of an image that are copied at once.
const IMAGE_PAGES: i32 = 4096;

/// Where a database's own position in the log is kept.
pub(crate) const MIGRATIONS: &[&str] = &["CREATE TABLE shared_position (
         id     INTEGER PRIMARY KEY CHECK (id = 1),
         number INTEGER NOT NULL   -- the last entry of the log that this file knows
     ) STRICT;
     INSERT INTO shared_position VALUES (1, 0);"];

/// Tables that are of one file alone.
const OWN_TABLES: [&str; 2] = ["migrations", "shared_position"];

/// The log that makes one database of several files.
pub trait SharedLog: Send + Sync {
    /// Appends an entry if the last one has the number `after` (0: there is none), and tells its
    /// number. When this returns, the entry is as durable as the log.
    fn append(&self, after: u64, entry: &[u8]) -> Result<u64, AppendError>;

    /// Hands out the entries after the number `after`, in order, up to the end of the log.
    fn entries(&self, after: u64, each: &mut dyn FnMut(u64, &[u8])) -> Result<(), String>;
}

/// Why an entry was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else appended before.
    #[error("somebody else has written meanwhile")]
    Conflict,
    /// The log cannot be reached, or does not take anything.
    #[error("the log of the shared state does not take anything: {0}")]
    Unavailable(String),
}

/// Who else writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writers {
    /// Others may. Their changes and ours stand beside each other unless they touch the same rows.
    Several,
    /// Nobody else: if somebody does, this file's owner was replaced, and may not write any more.
    One,
}

/// Told which tables somebody else changed; must return at once.
pub type Listener = Box<dyn Fn(&BTreeSet<String>) + Send + Sync>;

/// What a file is shared by.
pub struct Sharing {
    /// The log.
    pub log: Arc<dyn SharedLog>,
    /// Who writes.
    pub writers: Writers,
    /// Hears of changes of others.
    pub listener: Listener,
}

/// A row that was changed.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Change {
    table: String,
    /// What it is known by, as SQL.
    key: String,
    /// What makes the change.
    sql: String,
}

/// A piece of a transaction, as written to the log.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    part: u32,
    of: u32,
    changes: Vec<Change>,
}

impl Entry {
    fn encode(&self) -> Vec<u8> {
        let bytes = postcard::to_stdvec(self).unwrap_or_default();
        let mut encoder = DeflateEncoder::new(vec![LAYOUT], Compression::fast());
        // Writing to memory does not fail.
        let _ = encoder.write_all(&bytes);
        encoder.finish().unwrap_or_default()
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let (layout, rest) = bytes.split_first().ok_or("it is empty")?;
        if *layout != LAYOUT {
            return Err(format!(
                "it has layout {layout}, but this program knows {LAYOUT}; run the same version of \
                 citybrain on every machine"
            ));
        }
        let mut decoder = DeflateDecoder::new(Vec::new());
        let bytes = decoder.write_all(rest).and_then(|()| decoder.finish());
        let bytes = bytes.map_err(|e| format!("it cannot be unpacked: {e}"))?;
        postcard::from_bytes(&bytes).map_err(|e| format!("it cannot be read: {e}"))
    }
}

/// The pieces of a transaction.
fn pieces(changes: Vec<Change>) -> Vec<Entry> {
    let (mut pieces, mut piece, mut bytes) = (Vec::new(), Vec::new(), 0);
    for change in changes {
        let size = change.sql.len() + change.key.len() + change.table.len();
        if bytes + size > MOST_BYTES && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
            bytes = 0;
        }
        bytes += size;
        piece.push(change);
    }
    pieces.push(piece);
    let of = pieces.len() as u32;
    (0..).zip(pieces).map(|(part, changes)| Entry { part, of, changes }).collect()
}

/// What the writer knows of the log.
pub(crate) struct Shared {
    sharing: Sharing,
    /// The last number that was seen.
    end: u64,
    /// The last number whose transaction is in the file.
    position: Arc<AtomicU64>,
    /// Pieces of a transaction that is not whole yet.
    pending: Vec<Change>,
    parts: u32,
    /// Whether somebody else writes where nobody may.
    is_replaced: Arc<AtomicBool>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("end", &self.end).finish_non_exhaustive()
    }
}

impl Shared {
    /// Prepares the connection that writes, and applies what is in the log already.
    pub(crate) fn begin(
        conn: &mut Connection,
        sharing: Sharing,
        position: Arc<AtomicU64>,
        is_replaced: Arc<AtomicBool>,
    ) -> rusqlite::Result<Self> {
        conn.execute_batch(
            "PRAGMA temp_store = MEMORY; PRAGMA recursive_triggers = ON;
             CREATE TEMP TABLE IF NOT EXISTS shared_switch (is_on INTEGER NOT NULL);
             CREATE TEMP TABLE IF NOT EXISTS shared_captured (
                 n INTEGER PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL, sql TEXT NOT NULL);
             DELETE FROM shared_switch; INSERT INTO shared_switch VALUES (1);",
        )?;
        capture(conn)?;
        let number: i64 =
            conn.query_row("SELECT number FROM shared_position", [], |row| row.get(0))?;
        position.store(number as u64, Ordering::Release);
        let mut shared = Self {
            sharing,
            end: number as u64,
            position,
            pending: Vec::new(),
            parts: 0,
            is_replaced,
        };
        shared.catch_up(conn)?;
        Ok(shared)
    }

    /// Applies what others appended. Tells the rows that they changed.
    fn catch_up(&mut self, conn: &mut Connection) -> rusqlite::Result<BTreeSet<(String, String)>> {
        let mut touched = BTreeSet::new();
        let mut outcome = Ok(());
        let log = self.sharing.log.clone();
        let read = log.entries(self.end, &mut |number, bytes| {
            if outcome.is_ok() {
                outcome = self.apply(conn, number, bytes).map(|rows| touched.extend(rows));
            }
        });
        outcome?;
        read.map_err(|why| unavailable(&why))?;
        Ok(touched)
    }

    /// Applies one entry, unless it is known. Tells the rows that it changed.
    pub(crate) fn apply(
        &mut self,
        conn: &mut Connection,
        number: u64,
        bytes: &[u8],
    ) -> rusqlite::Result<BTreeSet<(String, String)>> {
        if number <= self.end {
            return Ok(BTreeSet::new());
        }
        let entry = Entry::decode(bytes).map_err(|why| {
            let message = format!("entry {number} of the shared state: {why}");
            failure(ErrorCode::DatabaseCorrupt, &message)
        })?;
        self.end = number;
        if entry.part == 0 {
            self.pending.clear();
            self.parts = 0;
        }
        // The rest of a transaction whose beginning was given up.
        if entry.part != self.parts {
            return Ok(BTreeSet::new());
        }
        self.parts += 1;
        self.pending.extend(entry.changes);
        if self.parts < entry.of {
            return Ok(BTreeSet::new());
        }
        let changes = std::mem::take(&mut self.pending);
        self.parts = 0;
        // Rows that went or changed because others did are entries of their own.
        conn.execute_batch("PRAGMA foreign_keys = OFF; UPDATE shared_switch SET is_on = 0;")?;
        let done = apply_all(conn, &changes, number);
        conn.execute_batch("UPDATE shared_switch SET is_on = 1; PRAGMA foreign_keys = ON;")?;
        done?;
        self.position.store(number, Ordering::Release);
        let tables = changes.iter().map(|change| change.table.clone()).collect();
        (self.sharing.listener)(&tables);
        Ok(changes.into_iter().map(|change| (change.table, change.key)).collect())
    }

    /// Runs a transaction, has it appended, and commits it.
    pub(crate) fn write<T, E: From<rusqlite::Error>>(
        &mut self,
        conn: &mut Connection,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.is_replaced.load(Ordering::Acquire) {
            return Err(replaced().into());
        }
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = write(&tx)?;
        let changes = captured(&tx)?;
        if changes.is_empty() {
            tx.commit()?;
            return Ok(result);
        }
        let keys: BTreeSet<(String, String)> =
            changes.iter().map(|change| (change.table.clone(), change.key.clone())).collect();
        let entries = pieces(changes);
        match self.append(&entries) {
            Ok(()) => self.commit(tx)?,
            Err(error) => {
                drop(tx);
                self.put_on_top(conn, &entries, &keys, error)?;
            }
        }
        Ok(result)
    }

    /// Appends all pieces of a transaction.
    fn append(&mut self, entries: &[Entry]) -> Result<(), AppendError> {
        for entry in entries {
            self.end = self.sharing.log.append(self.end, &entry.encode())?;
        }
        Ok(())
    }

    fn commit(&mut self, tx: Transaction<'_>) -> rusqlite::Result<()> {
        // Whole in the log: the pieces before are of nobody else.
        self.pending.clear();
        self.parts = 0;
        tx.execute("UPDATE shared_position SET number = ?1", [self.end as i64])?;
        tx.commit()?;
        self.position.store(self.end, Ordering::Release);
        Ok(())
    }

    /// Others were quicker: their changes first, then ours, if they are about other rows.
    fn put_on_top(
        &mut self,
        conn: &mut Connection,
        entries: &[Entry],
        keys: &BTreeSet<(String, String)>,
        mut why: AppendError,
    ) -> rusqlite::Result<()> {
        for _ in 0..MOST_TRIES {
            match why {
                AppendError::Unavailable(why) => return Err(unavailable(&why)),
                AppendError::Conflict if self.sharing.writers == Writers::One => {
                    self.is_replaced.store(true, Ordering::Release);
                    return Err(replaced());
                }
                AppendError::Conflict => {}
            }
            let theirs = self.catch_up(conn)?;
            if theirs.iter().any(|row| keys.contains(row)) {
                return Err(busy("somebody else has changed the same at the same time"));
            }
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for change in entries.iter().flat_map(|entry| &entry.changes) {
                tx.execute_batch(&change.sql).map_err(|error| {
                    busy(&format!("somebody else has changed what this rests on ({error})"))
                })?;
            }
            tx.execute("DELETE FROM shared_captured", [])?;
            match self.append(entries) {
                Ok(()) => return self.commit(tx),
                Err(error) => why = error,
            }
        }
        Err(busy("others write all the time"))
    }
}

/// Makes the triggers for tables that have none.
pub(crate) fn capture(conn: &Connection) -> rusqlite::Result<()> {
    let mut statement = conn.prepare(
        "SELECT name, wr FROM pragma_table_list
         WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let tables: Vec<(String, bool)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (table, without_rowid) in tables {
        if !OWN_TABLES.contains(&&*table) {
            conn.execute_batch(&triggers(conn, &table, without_rowid)?)?;
        }
    }
    Ok(())
}

/// The triggers that capture the changes of a table.
fn triggers(conn: &Connection, table: &str, without_rowid: bool) -> rusqlite::Result<String> {
    let mut statement = conn.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY cid")?;
    let columns: Vec<(String, i64)> = statement
        .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let all: Vec<&str> = columns.iter().map(|(name, _)| &**name).collect();
    let known_by: Vec<&str> = if without_rowid {
        columns.iter().filter(|(_, key)| *key > 0).map(|(name, _)| &**name).collect()
    } else {
        vec!["rowid"]
    };
    let number = if without_rowid { None } else { Some("rowid") };
    let stored: Vec<&str> = number.into_iter().chain(all.iter().copied()).collect();
    let join = |parts: Vec<String>, between: &str| parts.join(between);
    // An expression that gives `name = value AND …` for the row OLD or NEW.
    let place = |row: &str| {
        let each = known_by.iter().map(|name| format!("'\"{name}\" = ' || {}", literal(row, name)));
        join(each.collect(), " || ' AND ' || ")
    };
    let names = join(stored.iter().map(|name| format!("\"{name}\"")).collect(), ", ");
    let values = join(stored.iter().map(|name| literal("NEW", name)).collect(), " || ', ' || ");
    let first = known_by[0];
    let changed = join(
        stored
            .iter()
            .filter(|name| **name != first)
            .map(|name| {
                format!(
                    "iif(NEW.\"{name}\" IS NOT OLD.\"{name}\", ', \"{name}\" = ' || {}, '')",
                    literal("NEW", name)
                )
            })
            .collect(),
        " || ",
    );
    let changed = if changed.is_empty() { "''".to_owned() } else { changed };
    let first_value = literal("NEW", first);
    let trigger = |event: &str, key: String, sql: String| {
        format!(
            "CREATE TEMP TRIGGER IF NOT EXISTS \"shared_{event}_{table}\" AFTER {event} ON main.\"{table}\"
             WHEN (SELECT is_on FROM shared_switch)
             BEGIN
                 INSERT INTO shared_captured (name, key, sql) VALUES ('{table}', {key}, {sql});
             END;"
        )
    };
    Ok([
        trigger(
            "INSERT",
            place("NEW"),
            format!("'INSERT INTO \"{table}\" ({names}) VALUES (' || {values} || ')'"),
        ),
        trigger(
            "UPDATE",
            place("OLD"),
            format!(
                "'UPDATE \"{table}\" SET \"{first}\" = ' || {first_value} || {changed} || ' WHERE ' || {}",
                place("OLD")
            ),
        ),
        trigger(
            "DELETE",
            place("OLD"),
            format!("'DELETE FROM \"{table}\" WHERE ' || {}", place("OLD")),
        ),
    ]
    .concat())
}

/// An expression that gives a column's value as SQL. SQLite's `quote` cuts texts at a NUL.
fn literal(row: &str, name: &str) -> String {
    let value = format!("{row}.\"{name}\"");
    format!(
        "iif(typeof({value}) = 'text' AND instr({value}, char(0)),
             'CAST(X''' || hex({value}) || ''' AS TEXT)', quote({value}))"
    )
}

/// What was captured, which is forgotten by it.
fn captured(tx: &Transaction<'_>) -> rusqlite::Result<Vec<Change>> {
    let mut statement =
        tx.prepare_cached("SELECT name, key, sql FROM shared_captured ORDER BY n")?;
    let changes = statement
        .query_map([], |row| Ok(Change { table: row.get(0)?, key: row.get(1)?, sql: row.get(2)? }))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    if !changes.is_empty() {
        tx.execute("DELETE FROM shared_captured", [])?;
    }
    Ok(changes)
}

fn apply_all(conn: &mut Connection, changes: &[Change], number: u64) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for change in changes {
        tx.execute_batch(&change.sql).map_err(|error| {
            failure(
                ErrorCode::DatabaseCorrupt,
                &format!(
                    "entry {number} of the shared state does not fit this copy of it (table {}, \
                     {error}); stop this process, remove its state database and start it again: it \
                     is made anew from the bus",
                    change.table
                ),
            )
        })?;
    }
    tx.execute("UPDATE shared_position SET number = ?1", [number as i64])?;
    tx.commit()
}

/// The whole database as one file's bytes, with the number of the last entry that it knows. The file
/// is made at `path` meanwhile. Rows keep their numbers in it, as they would not if it were vacuumed.
pub(crate) fn image(conn: &Connection, path: &Path) -> Result<(u64, Vec<u8>), StateError> {
    let clean = || match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StateError::Image { path: path.to_owned(), source: error })
        }
        _ => Ok(()),
    };
    clean()?;
    let mut copy = Connection::open(path)?;
    copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    Backup::new(conn, &mut copy)?.run_to_completion(IMAGE_PAGES, Duration::ZERO, None)?;
    // It was copied with the mark of its write-ahead log, which is not part of it.
    copy.execute_batch("PRAGMA journal_mode = DELETE;")?;
    let number: i64 = copy.query_row("SELECT number FROM shared_position", [], |row| row.get(0))?;
    copy.close().map_err(|(_, error)| error)?;
    let bytes = std::fs::read(path)
        .map_err(|source| StateError::Image { path: path.to_owned(), source })?;
    clean()?;
    Ok((number as u64, bytes))
}

fn failure(code: ErrorCode, message: &str) -> rusqlite::Error {
    let extended = match code {
        ErrorCode::DatabaseBusy => ffi::SQLITE_BUSY,
        ErrorCode::ReadOnly => ffi::SQLITE_READONLY,
        _ => ffi::SQLITE_CORRUPT,
    };
    let error = ffi::Error { code, extended_code: extended };
    rusqlite::Error::SqliteFailure(error, Some(message.to_owned()))
}

fn unavailable(why: &str) -> rusqlite::Error {
    failure(ErrorCode::DatabaseBusy, &format!("the bus does not take the change now: {why}"))
}

fn busy(why: &str) -> rusqlite::Error {
    failure(ErrorCode::DatabaseBusy, &format!("{why}; try again"))
}

fn replaced() -> rusqlite::Error {
    failure(ErrorCode::ReadOnly, "another process has taken this over")
}

#[cfg(test)]
mod tests;
