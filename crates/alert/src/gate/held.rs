//! The gate's tables: what is held for whom, and which alerts fire.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{Alert, AlertEvent, Timestamp};
use city_store::{StateDb, StateError};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::flood::Flood;

const MIGRATIONS: &[&str] = &["
    CREATE TABLE alert_held (
        id       INTEGER PRIMARY KEY,
        receiver TEXT NOT NULL,
        alert    TEXT NOT NULL,
        key      TEXT NOT NULL,
        body     TEXT NOT NULL,   -- AlertEvent as JSON
        held_at  INTEGER NOT NULL,
        UNIQUE (receiver, key)
    ) STRICT;
    CREATE INDEX alert_held_alert ON alert_held (alert, receiver, id);
    CREATE TABLE alert_open (
        alert TEXT PRIMARY KEY,   -- alerts that fire
        body  TEXT NOT NULL       -- Alert as JSON
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE alert_floods (
        position TEXT PRIMARY KEY,
        state    TEXT NOT NULL    -- JSON
    ) STRICT, WITHOUT ROWID;
    -- What fired before there was a gate.
    INSERT INTO alert_open
        SELECT alert, json_extract(body, '$.alert') FROM alert_outbox
        WHERE id IN (SELECT max(id) FROM alert_outbox GROUP BY alert)
        AND json_extract(body, '$.kind') <> 'resolved';
"];

pub(super) fn migrate(state: &StateDb) -> Result<(), StateError> {
    state.migrate("alert_gate", MIGRATIONS)
}

/// The alerts of which something is held, as the newest held event has them.
pub(super) fn newest(conn: &Connection) -> rusqlite::Result<Vec<Arc<Alert>>> {
    let mut statement = conn.prepare(
        "SELECT json_extract(body, '$.alert') FROM alert_held
         WHERE id IN (SELECT max(id) FROM alert_held GROUP BY alert)",
    )?;
    read(&mut statement)
}

/// The alerts that fire.
pub(super) fn open(conn: &Connection) -> rusqlite::Result<Vec<Arc<Alert>>> {
    read(&mut conn.prepare("SELECT body FROM alert_open")?)
}

fn read(statement: &mut rusqlite::Statement<'_>) -> rusqlite::Result<Vec<Arc<Alert>>> {
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut alerts = Vec::new();
    for json in rows {
        match serde_json::from_str(&json?) {
            Ok(alert) => alerts.push(Arc::new(alert)),
            Err(error) => tracing::error!(error.cause = %error, "a held alert cannot be read"),
        }
    }
    Ok(alerts)
}

/// Notes whether an alert fires.
pub(super) fn note_open(tx: &Transaction<'_>, event: &AlertEvent) -> rusqlite::Result<()> {
    if event.alert.resolved_at.is_some() {
        tx.prepare_cached("DELETE FROM alert_open WHERE alert = ?1")?
            .execute([&*event.alert.id])?;
        return Ok(());
    }
    let json = serde_json::to_string(&event.alert).unwrap_or_default();
    tx.prepare_cached(
        "INSERT INTO alert_open (alert, body) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET body = excluded.body",
    )?
    .execute(params![&*event.alert.id, json])?;
    Ok(())
}

/// What is known of the floods at each position.
pub(super) fn floods(conn: &Connection) -> rusqlite::Result<BTreeMap<Arc<str>, Flood>> {
    let mut statement = conn.prepare("SELECT position, state FROM alert_floods")?;
    let rows =
        statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut floods = BTreeMap::new();
    for row in rows {
        let (position, state) = row?;
        match serde_json::from_str(&state) {
            Ok(flood) => drop(floods.insert(position.into(), flood)),
            Err(error) => {
                tracing::error!(error.cause = %error, "what is known of a flood cannot be read");
            }
        }
    }
    Ok(floods)
}

pub(super) fn save_flood(
    tx: &Transaction<'_>,
    position: &str,
    flood: &Flood,
) -> rusqlite::Result<()> {
    let state = serde_json::to_string(flood).unwrap_or_default();
    tx.prepare_cached(
        "INSERT INTO alert_floods (position, state) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET state = excluded.state",
    )?
    .execute([position, &state])?;
    Ok(())
}

/// Puts a digest into the outbox of a receiver that wants it, or was told of the same flood before.
pub(super) fn tell_digest(
    tx: &Transaction<'_>,
    receiver: &str,
    digest: &AlertEvent,
    (wanted, now): (bool, Timestamp),
) -> rusqlite::Result<()> {
    if !wanted && !was_told(tx, receiver, &digest.alert.id)? {
        return Ok(());
    }
    let body = serde_json::to_string(digest).unwrap_or_default();
    tx.prepare_cached(
        "INSERT INTO alert_outbox (receiver, key, alert, body, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    )?
    .execute(params![receiver, digest.key, &*digest.alert.id, body, now.micros()])?;
    Ok(())
}

/// Whether anything of an alert was given to a receiver, delivered yet or not.
pub(super) fn was_told(
    tx: &Transaction<'_>,
    receiver: &str,
    alert: &str,
) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM alert_outbox WHERE receiver = ?1 AND alert = ?2")?
        .exists([receiver, alert])
}

pub(super) fn is_held(tx: &Transaction<'_>, receiver: &str, alert: &str) -> rusqlite::Result<bool> {
    tx.prepare_cached("SELECT 1 FROM alert_held WHERE receiver = ?1 AND alert = ?2")?
        .exists([receiver, alert])
}

/// Holds an event. Only the first and the newest of an alert are kept: no more will be told.
pub(super) fn hold(
    tx: &Transaction<'_>,
    receiver: &str,
    event: &AlertEvent,
    body: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO alert_held (receiver, alert, key, body, held_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![receiver, &*event.alert.id, event.key, body, now.micros()])?;
    tx.prepare_cached(
        "DELETE FROM alert_held WHERE receiver = ?1 AND alert = ?2 AND id NOT IN (
             SELECT min(id) FROM alert_held WHERE receiver = ?1 AND alert = ?2
             UNION SELECT max(id) FROM alert_held WHERE receiver = ?1 AND alert = ?2)",
    )?
    .execute([receiver, &event.alert.id])?;
    Ok(())
}

/// Drops what is held of an alert for a receiver; `true` if there was something.
pub(super) fn drop_all(
    tx: &Transaction<'_>,
    receiver: &str,
    alert: &str,
) -> rusqlite::Result<bool> {
    let dropped = tx
        .prepare_cached("DELETE FROM alert_held WHERE receiver = ?1 AND alert = ?2")?
        .execute([receiver, alert])?;
    Ok(dropped > 0)
}

/// For whom something of an alert is held.
pub(super) fn receivers(tx: &Transaction<'_>, alert: &str) -> rusqlite::Result<Vec<String>> {
    tx.prepare_cached("SELECT DISTINCT receiver FROM alert_held WHERE alert = ?1")?
        .query_map([alert], |row| row.get(0))?
        .collect()
}

/// Puts what is held of an alert into the outbox: the newest event, and before it the first one for
/// a receiver that knows nothing of the alert.
pub(super) fn release(
    tx: &Transaction<'_>,
    receiver: &str,
    alert: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let newest: Option<i64> = tx
        .prepare_cached("SELECT max(id) FROM alert_held WHERE receiver = ?1 AND alert = ?2")?
        .query_row([receiver, alert], |row| row.get(0))
        .optional()?
        .flatten();
    let Some(newest) = newest else { return Ok(()) };
    let from = if was_told(tx, receiver, alert)? { newest } else { 0 };
    tx.prepare_cached(
        "INSERT INTO alert_outbox (receiver, key, alert, body, created_at)
         SELECT receiver, key, alert, body, ?3 FROM alert_held
         WHERE receiver = ?1 AND alert = ?2 AND id >= ?4 ORDER BY id
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![receiver, alert, now.micros(), from])?;
    drop_all(tx, receiver, alert)?;
    Ok(())
}
