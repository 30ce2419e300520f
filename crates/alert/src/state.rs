//! The engine's tables in the state database.

use city_model::Timestamp;
use city_store::{StateDb, StateError};
use rusqlite::{OptionalExtension as _, Transaction, params};

const MIGRATIONS: &[&str] = &["
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
"];

pub(crate) fn migrate(state: &StateDb) -> Result<(), StateError> {
    state.migrate("alert", MIGRATIONS)
}

/// The evaluator's state as saved.
pub(crate) struct Saved {
    pub(crate) seq: u64,
    pub(crate) clock: Timestamp,
    pub(crate) snapshot: Vec<u8>,
}

pub(crate) fn load(state: &StateDb) -> Result<Option<Saved>, StateError> {
    state.read(|conn| {
        let mut statement = conn.prepare_cached("SELECT seq, clock, snapshot FROM alert_engine")?;
        let saved = statement.query_row([], |row| {
            Ok(Saved {
                seq: row.get::<_, i64>(0)? as u64,
                clock: Timestamp::from_micros(row.get(1)?),
                snapshot: row.get(2)?,
            })
        });
        Ok(saved.optional()?)
    })
}

pub(crate) fn save(tx: &Transaction<'_>, saved: &Saved) -> Result<(), StateError> {
    tx.prepare_cached(
        "INSERT INTO alert_engine (id, seq, clock, snapshot) VALUES (1, ?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET seq = excluded.seq, clock = excluded.clock,
                                   snapshot = excluded.snapshot",
    )?
    .execute(params![saved.seq as i64, saved.clock.micros(), saved.snapshot])?;
    Ok(())
}
