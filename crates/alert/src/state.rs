//! The engine's tables in the state database.

use std::collections::VecDeque;

use city_model::{Alert, AlertEvent, AlertEventKind, Timestamp};
use city_rules::Told;
use city_store::{StateDb, StateError};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::engine::Input;

const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE alert_engine (
        id       INTEGER PRIMARY KEY CHECK (id = 1),
        seq      INTEGER NOT NULL,   -- the last commit that the snapshot has seen
        clock    INTEGER NOT NULL,   -- the engine's clock then, microseconds
        snapshot BLOB NOT NULL       -- the evaluator's state, postcard
    ) STRICT;
    CREATE TABLE alert_outbox (
        id           INTEGER PRIMARY KEY,
        receiver     TEXT NOT NULL,
        key          TEXT NOT NULL,  -- idempotency key of the event
        alert        TEXT NOT NULL,  -- the alert's id
        body         TEXT NOT NULL,  -- AlertEvent as JSON
        created_at   INTEGER NOT NULL,
        attempts     INTEGER NOT NULL DEFAULT 0,
        last_error   TEXT,
        delivered_at INTEGER,
        given_up_at  INTEGER,
        UNIQUE (receiver, key)
    ) STRICT;
    CREATE INDEX alert_outbox_alert ON alert_outbox (receiver, alert);
    CREATE INDEX alert_outbox_open ON alert_outbox (receiver, id)
        WHERE delivered_at IS NULL AND given_up_at IS NULL;
",
    "
    -- The saved state in parts, so that no transaction takes long; alert_base says which counts.
    CREATE TABLE alert_snapshot (
        generation INTEGER NOT NULL,
        part       INTEGER NOT NULL,
        bytes      BLOB NOT NULL,
        PRIMARY KEY (generation, part)
    ) STRICT;
    CREATE TABLE alert_base (
        id         INTEGER PRIMARY KEY CHECK (id = 1),
        seq        INTEGER NOT NULL,   -- the last commit that the saved state has seen
        clock      INTEGER NOT NULL,   -- the engine's clock then, microseconds
        generation INTEGER NOT NULL,
        place      INTEGER NOT NULL    -- inputs of the journal before this place are in the state
    ) STRICT;
    -- What the evaluator was given since, written with the events that came of it.
    CREATE TABLE alert_journal (
        n      INTEGER PRIMARY KEY,
        place  INTEGER NOT NULL,       -- that of the first input
        inputs BLOB NOT NULL           -- postcard
    ) STRICT;
    -- Alerts that fire as far as receivers were told.
    CREATE TABLE alert_told (
        alert TEXT PRIMARY KEY,
        seq   INTEGER NOT NULL,        -- the number of its last event
        body  TEXT NOT NULL            -- the alert after that event, JSON
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX alert_outbox_done ON alert_outbox (coalesce(delivered_at, given_up_at));
",
    "
    CREATE INDEX alert_outbox_given_up ON alert_outbox (receiver, id)
        WHERE given_up_at IS NOT NULL;
",
];

/// Makes all tables of an engine and of what it tells: for a database that others follow, which must
/// have them before it has anything in it.
pub fn make_tables(state: &StateDb) -> Result<(), StateError> {
    migrate(state)?;
    crate::gate::migrate(state)
}

pub(crate) fn migrate(state: &StateDb) -> Result<(), StateError> {
    state.migrate("alert", MIGRATIONS)
}

/// What an engine left behind.
pub(crate) struct Saved {
    /// The last commit that the saved state has seen.
    pub(crate) seq: u64,
    /// The engine's clock then.
    pub(crate) clock: Timestamp,
    /// The saved state.
    pub(crate) bytes: Vec<u8>,
    /// What the evaluator was given since.
    pub(crate) inputs: VecDeque<Input>,
    /// What receivers were told; `None` if that was not written down then.
    pub(crate) told: Option<Vec<Told>>,
}

/// Where the next save and the next entry of the journal go.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) generation: i64,
    pub(crate) entry: i64,
}

pub(crate) fn load(state: &StateDb) -> Result<(Option<Saved>, Numbers), StateError> {
    state.read(|conn| {
        let next = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
        let numbers = Numbers {
            generation: next("SELECT coalesce(max(generation), 0) + 1 FROM alert_snapshot")?,
            entry: next("SELECT coalesce(max(n), 0) + 1 FROM alert_journal")?,
        };
        let base = conn
            .query_row("SELECT seq, clock, generation, place FROM alert_base", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        let saved = match base {
            Some((seq, clock, generation, place)) => Some(Saved {
                seq: i64_as_u64(seq),
                clock: Timestamp::from_micros(clock),
                bytes: load_parts(conn, generation)?,
                inputs: load_inputs(conn, place)?,
                told: Some(load_told(conn)?),
            }),
            None => load_first_layout(conn)?,
        };
        Ok((saved, numbers))
    })
}

fn i64_as_u64(number: i64) -> u64 {
    number as u64
}

/// What versions before the journal have written: one row.
fn load_first_layout(conn: &Connection) -> rusqlite::Result<Option<Saved>> {
    let row = conn.query_row("SELECT seq, clock, snapshot FROM alert_engine", [], |row| {
        Ok(Saved {
            seq: i64_as_u64(row.get(0)?),
            clock: Timestamp::from_micros(row.get(1)?),
            bytes: row.get(2)?,
            inputs: VecDeque::new(),
            told: None,
        })
    });
    row.optional()
}

fn load_parts(conn: &Connection, generation: i64) -> rusqlite::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut statement =
        conn.prepare("SELECT bytes FROM alert_snapshot WHERE generation = ?1 ORDER BY part")?;
    let mut rows = statement.query([generation])?;
    while let Some(row) = rows.next()? {
        bytes.extend_from_slice(row.get_ref(0)?.as_blob()?);
    }
    Ok(bytes)
}

fn load_inputs(conn: &Connection, from: i64) -> rusqlite::Result<VecDeque<Input>> {
    let mut found = VecDeque::new();
    let mut statement = conn.prepare("SELECT place, inputs FROM alert_journal ORDER BY n")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let place: i64 = row.get(0)?;
        let Ok(inputs) = postcard::from_bytes::<Vec<Input>>(row.get_ref(1)?.as_blob()?) else {
            tracing::error!(
                "an entry of the alert engine's journal cannot be read; it is left out"
            );
            continue;
        };
        found.extend(inputs.into_iter().zip(place..).filter(|(_, at)| *at >= from).map(|(i, _)| i));
    }
    Ok(found)
}

fn load_told(conn: &Connection) -> rusqlite::Result<Vec<Told>> {
    let mut found = Vec::new();
    let mut statement = conn.prepare("SELECT alert, seq, body FROM alert_told ORDER BY alert")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        match serde_json::from_str::<Alert>(row.get_ref(2)?.as_str()?) {
            Ok(alert) => found.push(Told { seq: row.get(1)?, alert }),
            Err(error) => {
                let alert: String = row.get(0)?;
                tracing::error!(alert, error.cause = %error, "what was told of an alert cannot be read");
            }
        }
    }
    Ok(found)
}

/// Writes an entry of the journal.
pub(crate) fn put_inputs(
    tx: &Transaction<'_>,
    entry: i64,
    place: u64,
    inputs: &[u8],
) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO alert_journal (n, place, inputs) VALUES (?1, ?2, ?3)")?
        .execute(params![entry, place as i64, inputs])?;
    Ok(())
}

/// Writes a part of a state that does not count yet.
pub(crate) fn put_part(
    tx: &Transaction<'_>,
    generation: i64,
    part: i64,
    bytes: &[u8],
) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO alert_snapshot (generation, part, bytes) VALUES (?1, ?2, ?3)")?
        .execute(params![generation, part, bytes])?;
    Ok(())
}

/// A state whose parts are all written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base {
    pub(crate) seq: u64,
    pub(crate) clock: Timestamp,
    pub(crate) generation: i64,
    /// Inputs before this place are in it.
    pub(crate) place: u64,
    /// The last entry of the journal that was written when the state was taken.
    pub(crate) entry: i64,
}

/// From now on this state counts, and the journal goes on from it.
pub(crate) fn put_base(tx: &Transaction<'_>, base: &Base) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO alert_base (id, seq, clock, generation, place) VALUES (1, ?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET seq = excluded.seq, clock = excluded.clock,
                                   generation = excluded.generation, place = excluded.place",
    )?
    .execute(params![
        base.seq as i64,
        base.clock.micros(),
        base.generation,
        base.place as i64
    ])?;
    tx.prepare_cached("DELETE FROM alert_journal WHERE n <= ?1")?.execute([base.entry])?;
    tx.prepare_cached("DELETE FROM alert_engine")?.execute([])?;
    Ok(())
}

/// Removes some parts of states that do not count any more; `false` once there are none.
pub(crate) fn drop_parts(tx: &Transaction<'_>, counts: i64) -> rusqlite::Result<bool> {
    let dropped = tx
        .prepare_cached(
            "DELETE FROM alert_snapshot WHERE rowid IN (
                 SELECT rowid FROM alert_snapshot WHERE generation <> ?1 LIMIT 8)",
        )?
        .execute([counts])?;
    Ok(dropped > 0)
}

/// Notes what receivers are told by events.
pub(crate) fn put_told(tx: &Transaction<'_>, events: &[AlertEvent]) -> rusqlite::Result<()> {
    for event in events {
        if event.kind == AlertEventKind::Resolved {
            tx.prepare_cached("DELETE FROM alert_told WHERE alert = ?1")?
                .execute([&*event.alert.id])?;
        } else {
            note_told(tx, event.seq, &event.alert)?;
        }
    }
    Ok(())
}

/// Notes that receivers were told of an alert.
pub(crate) fn note_told(tx: &Transaction<'_>, seq: u32, alert: &Alert) -> rusqlite::Result<()> {
    let body = serde_json::to_string(alert).unwrap_or_default();
    tx.prepare_cached(
        "INSERT INTO alert_told (alert, seq, body) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET seq = excluded.seq, body = excluded.body",
    )?
    .execute(params![&*alert.id, seq, body])?;
    Ok(())
}
