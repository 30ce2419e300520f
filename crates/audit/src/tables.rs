//! The tables, and rows as entries.

use city_model::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::entry::{BEGINNING, Entry, Hash, NewEntry, Outcome, Via};
use crate::redact::bounded;

pub(crate) const COMPONENT: &str = "audit";

/// The triggers that keep the log from being changed through SQL.
pub(crate) const GUARDS: [&str; 3] =
    ["audit_log_never_changes", "audit_log_never_shrinks", "audit_log_has_no_gaps"];

pub(crate) const MIGRATIONS: &[&str] = &["
    CREATE TABLE audit_log (
        number INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        user TEXT,
        via TEXT NOT NULL,
        address TEXT,
        action TEXT NOT NULL,
        target TEXT,
        department TEXT,
        before TEXT,
        after TEXT,
        status INTEGER,
        outcome TEXT NOT NULL,
        times INTEGER NOT NULL,
        previous BLOB NOT NULL,
        hash BLOB NOT NULL
    ) STRICT;
    CREATE INDEX audit_log_at ON audit_log (at);
    CREATE INDEX audit_log_user ON audit_log (user, number);
    CREATE INDEX audit_log_action ON audit_log (action, number);
    CREATE INDEX audit_log_department ON audit_log (department, number);
    CREATE TRIGGER audit_log_never_changes BEFORE UPDATE ON audit_log
        BEGIN SELECT RAISE(ABORT, 'entries of the audit log are never changed'); END;
    CREATE TRIGGER audit_log_never_shrinks BEFORE DELETE ON audit_log
        BEGIN SELECT RAISE(ABORT, 'entries of the audit log are never deleted'); END;
    CREATE TRIGGER audit_log_has_no_gaps BEFORE INSERT ON audit_log
        WHEN new.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM audit_log)
        BEGIN SELECT RAISE(ABORT, 'entries of the audit log are numbered without gaps'); END;
    CREATE TABLE audit_begun (
        id INTEGER PRIMARY KEY,
        process BLOB NOT NULL,
        at INTEGER NOT NULL,
        user TEXT,
        via TEXT NOT NULL,
        address TEXT,
        action TEXT NOT NULL,
        target TEXT,
        department TEXT
    ) STRICT;
"];

const COLUMNS: &str = "number, at, user, via, address, action, target, department, before, after,
                       status, outcome, times, previous, hash";

/// A statement that selects whole entries, in the order of [`entry`]'s columns.
pub(crate) fn select(rest: &str) -> String {
    format!("SELECT {COLUMNS} FROM audit_log {rest}")
}

/// A row of [`select`].
pub(crate) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        number: row.get::<_, i64>(0)? as u64,
        at: Timestamp::from_micros(row.get(1)?),
        user: row.get(2)?,
        via: row.get(3)?,
        address: row.get(4)?,
        action: row.get(5)?,
        target: row.get(6)?,
        department: row.get(7)?,
        before: row.get(8)?,
        after: row.get(9)?,
        // Whatever does not fit is not what was written, and so has another hash.
        status: row.get::<_, Option<i64>>(10)?.map(|status| u16::try_from(status).unwrap_or(0)),
        outcome: row.get(11)?,
        times: row.get::<_, i64>(12)? as u64,
        previous: hash_of(&row.get::<_, Vec<u8>>(13)?),
        hash: hash_of(&row.get::<_, Vec<u8>>(14)?),
    })
}

/// What is no hash cannot be the hash of anything.
fn hash_of(bytes: &[u8]) -> Hash {
    bytes.try_into().unwrap_or([0xff; 32])
}

/// The number and the hash of the last entry; 0 and zeros if there is none.
pub(crate) fn last(conn: &Connection) -> rusqlite::Result<(u64, Hash)> {
    let row = conn
        .prepare_cached("SELECT number, hash FROM audit_log ORDER BY number DESC LIMIT 1")?
        .query_row([], |row| {
            Ok((row.get::<_, i64>(0)? as u64, hash_of(&row.get::<_, Vec<u8>>(1)?)))
        })
        .optional()?;
    Ok(row.unwrap_or((0, BEGINNING)))
}

/// Adds an entry after the last one.
pub(crate) fn append(tx: &Transaction<'_>, new: NewEntry) -> rusqlite::Result<Entry> {
    let (number, previous) = last(tx)?;
    let json = |value| serde_json::to_string(&bounded(value)).unwrap_or_default();
    let mut entry = Entry {
        number: number + 1,
        at: new.at,
        user: new.user,
        via: new.via.name().to_owned(),
        address: new.address,
        action: new.action,
        target: new.target,
        department: new.department,
        before: new.before.map(json),
        after: new.after.map(json),
        status: new.status,
        outcome: new.outcome.name().to_owned(),
        times: new.times,
        previous,
        hash: BEGINNING,
    };
    entry.hash = entry.digest();
    tx.prepare_cached(&format!(
        "INSERT INTO audit_log ({COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
    ))?
    .execute(params![
        entry.number as i64,
        entry.at.micros(),
        entry.user,
        entry.via,
        entry.address,
        entry.action,
        entry.target,
        entry.department,
        entry.before,
        entry.after,
        entry.status,
        entry.outcome,
        entry.times as i64,
        &entry.previous[..],
        &entry.hash[..],
    ])?;
    Ok(entry)
}

/// Notes what is about to be done.
pub(crate) fn begin(
    tx: &Transaction<'_>,
    process: &[u8],
    entry: &NewEntry,
) -> rusqlite::Result<i64> {
    tx.prepare_cached(
        "INSERT INTO audit_begun (process, at, user, via, address, action, target, department)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .insert(params![
        process,
        entry.at.micros(),
        entry.user,
        entry.via.name(),
        entry.address,
        entry.action,
        entry.target,
        entry.department
    ])
}

/// Takes a note of [`begin`] away.
pub(crate) fn forget(tx: &Transaction<'_>, id: i64) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM audit_begun WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// What other processes began and did not finish: of those that ended it is not known what became.
pub(crate) fn left_open(
    tx: &Transaction<'_>,
    process: &[u8],
    cli_before: Timestamp,
) -> rusqlite::Result<Vec<(i64, NewEntry)>> {
    let mut statement = tx.prepare(
        "SELECT id, at, user, via, address, action, target, department FROM audit_begun
         WHERE process <> ?1 AND (via <> 'cli' OR at < ?2) ORDER BY id",
    )?;
    let rows = statement.query_map(params![process, cli_before.micros()], |row| {
        let via: String = row.get(3)?;
        let mut entry = NewEntry::new(
            Timestamp::from_micros(row.get(1)?),
            Via::read(&via).unwrap_or(Via::System),
            row.get::<_, String>(5)?,
        );
        entry.user = row.get(2)?;
        entry.address = row.get(4)?;
        entry.target = row.get(6)?;
        entry.department = row.get(7)?;
        entry.outcome = Outcome::Unknown;
        Ok((row.get(0)?, entry))
    })?;
    rows.collect()
}
