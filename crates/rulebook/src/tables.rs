//! The tables of kept groups: the groups, and everything that they ever were.

use std::fmt::Write as _;
use std::sync::Arc;

use city_model::Timestamp;
use city_store::{StateDb, StateError};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use sha2::{Digest as _, Sha256};

/// The present text of a group is that of its newest entry; a deleted group has entries only.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE rule_history (
        name TEXT NOT NULL,
        number INTEGER NOT NULL,
        text TEXT,
        by TEXT NOT NULL,
        at INTEGER NOT NULL,
        why TEXT NOT NULL,
        restored_from INTEGER,
        PRIMARY KEY (name, number)
    ) STRICT;
    CREATE TABLE rule_groups (
        name TEXT PRIMARY KEY,
        number INTEGER NOT NULL,
        FOREIGN KEY (name, number) REFERENCES rule_history (name, number)
    ) STRICT, WITHOUT ROWID;
"];

const COLUMNS: &str = "h.name, h.number, h.text, h.by, h.at, h.why, h.restored_from";

pub(crate) fn migrate(state: &StateDb) -> Result<(), StateError> {
    state.migrate("rules", MIGRATIONS)
}

/// A group that is kept in the state database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub name: Arc<str>,
    /// Its YAML text.
    pub text: Arc<str>,
    /// The number of the newest entry of its history, from 1.
    pub number: u64,
    /// Who changed it last.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

impl Kept {
    /// What tells this text from others.
    pub fn tag(&self) -> String {
        tag([&*self.text])
    }
}

/// What tells texts from others: the first half of the SHA-256 of all of them, in hexadecimal.
pub(crate) fn tag<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hash.finalize().iter().take(16).fold(String::new(), |mut tag, byte| {
        // Writing to a text cannot fail.
        let _ = write!(tag, "{byte:02x}");
        tag
    })
}

/// What an entry of a group's history says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// It got another text, or its first.
    Written,
    /// It got the text of an earlier entry again.
    Restored {
        /// The number of that entry.
        from: u64,
    },
    /// It was deleted.
    Deleted,
}

/// An entry of a group's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The group.
    pub name: Arc<str>,
    /// From 1, counted on when a group that was deleted comes back.
    pub number: u64,
    /// What was done.
    pub kind: EntryKind,
    /// The text from then on; `None` if it was deleted.
    pub text: Option<Arc<str>>,
    /// Who did it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let text: Option<Arc<str>> = row.get(2)?;
    let from: Option<i64> = row.get(6)?;
    Ok(Entry {
        name: row.get(0)?,
        number: row.get::<_, i64>(1)? as u64,
        kind: match (&text, from) {
            (None, _) => EntryKind::Deleted,
            (_, Some(from)) => EntryKind::Restored { from: from as u64 },
            _ => EntryKind::Written,
        },
        text,
        by: row.get(3)?,
        at: Timestamp::from_micros(row.get(4)?),
        why: row.get(5)?,
    })
}

/// All groups by name.
pub(crate) fn kept(conn: &Connection) -> Result<Vec<Kept>, StateError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM rule_groups JOIN rule_history h USING (name, number) ORDER BY name"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut groups = Vec::new();
    for found in statement.query_map([], entry)? {
        let Entry { name, number, text, by, at, why, .. } = found?;
        // The entry of a group that is there has a text.
        groups.push(Kept { name, number, text: text.unwrap_or_default(), by, at, why });
    }
    Ok(groups)
}

/// The newest entries of groups that were deleted, by name.
pub(crate) fn deleted(conn: &Connection) -> Result<Vec<Entry>, StateError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM rule_history h
         WHERE number = (SELECT max(number) FROM rule_history WHERE name = h.name)
           AND text IS NULL ORDER BY name"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let entries = statement.query_map([], entry)?.collect::<Result<_, _>>()?;
    Ok(entries)
}

/// The entries of a group before a number, newest first.
pub(crate) fn history(
    conn: &Connection,
    name: &str,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Entry>, StateError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM rule_history h WHERE name = ?1 AND number < ?2
         ORDER BY number DESC LIMIT ?3"
    );
    let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
    let mut statement = conn.prepare_cached(&sql)?;
    let entries = statement.query_map(params![name, before, limit as i64], entry)?;
    Ok(entries.collect::<Result<_, _>>()?)
}

/// One entry of a group.
pub(crate) fn one(conn: &Connection, name: &str, number: u64) -> Result<Option<Entry>, StateError> {
    let sql = format!("SELECT {COLUMNS} FROM rule_history h WHERE name = ?1 AND number = ?2");
    let Ok(number) = i64::try_from(number) else { return Ok(None) };
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement.query_row(params![name, number], entry).optional()?)
}

/// Adds an entry to the history of its group, under the next number, which is told.
pub(crate) fn add(tx: &Transaction<'_>, entry: &Entry) -> Result<u64, StateError> {
    let number: i64 = tx.query_row(
        "SELECT coalesce(max(number), 0) + 1 FROM rule_history WHERE name = ?1",
        [&entry.name],
        |row| row.get(0),
    )?;
    let from = match entry.kind {
        EntryKind::Restored { from } => i64::try_from(from).ok(),
        EntryKind::Written | EntryKind::Deleted => None,
    };
    let Entry { name, text, by, why, .. } = entry;
    tx.execute(
        "INSERT INTO rule_history (name, number, text, by, at, why, restored_from)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![name, number, text, by, entry.at.micros(), why, from],
    )?;
    if text.is_some() {
        tx.execute(
            "INSERT INTO rule_groups (name, number) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET number = excluded.number",
            params![name, number],
        )?;
    } else {
        tx.execute("DELETE FROM rule_groups WHERE name = ?1", [name])?;
    }
    Ok(number as u64)
}
