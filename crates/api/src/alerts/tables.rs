//! The alert list's tables and the statements that change them.

use city_model::{Alert, AlertEvent, AlertEventKind, EndReason, Severity, Subject, Timestamp};
use city_store::StateError;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::de::DeserializeOwned;

use super::item::Acknowledgement;
use super::log_rows::{LogRow, append, person};
use super::{AlertLogKind, Step, Stored};

pub(super) const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE alerts (
        id TEXT PRIMARY KEY,
        newest_seq INTEGER NOT NULL,
        severity INTEGER NOT NULL,
        fired_at INTEGER NOT NULL,
        resolved_at INTEGER,
        updated_at INTEGER NOT NULL,
        rule TEXT NOT NULL,
        device TEXT,
        search TEXT NOT NULL,
        events INTEGER NOT NULL,
        ack_by TEXT,
        ack_at INTEGER,
        ack_note TEXT,
        alert TEXT NOT NULL
    ) STRICT;
    CREATE INDEX alerts_newest ON alerts (fired_at, id);
    CREATE INDEX alerts_firing ON alerts (id) WHERE resolved_at IS NULL;
    CREATE INDEX alerts_device ON alerts (device, fired_at);
    CREATE TABLE alert_zones (
        alert TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
        zone TEXT NOT NULL,
        PRIMARY KEY (alert, zone)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX alert_zones_zone ON alert_zones (zone);
    CREATE TABLE alert_log (
        alert TEXT NOT NULL,
        n INTEGER NOT NULL,
        engine_seq INTEGER,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        by TEXT NOT NULL,
        note TEXT,
        severity INTEGER,
        value REAL,
        PRIMARY KEY (alert, n),
        UNIQUE (alert, engine_seq)
    ) STRICT;
",
    "
    CREATE INDEX alerts_ended ON alerts (resolved_at) WHERE resolved_at IS NOT NULL;
",
    // `marks`, `shelf` and `handling` are JSON; rows of the log that speak of no alert have `alert`
    // empty; `about` is the id of the silence or alert, or the department, that a row speaks of.
    "
    ALTER TABLE alerts ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE alerts ADD COLUMN department TEXT NOT NULL DEFAULT '';
    ALTER TABLE alerts ADD COLUMN marks TEXT;
    ALTER TABLE alerts ADD COLUMN shelf TEXT;
    ALTER TABLE alerts ADD COLUMN handling TEXT;
    UPDATE alerts SET department = coalesce(json_extract(alert, '$.rule.department'), '');
    ALTER TABLE alert_log ADD COLUMN about TEXT;
    CREATE INDEX alert_log_at ON alert_log (at, alert, n);
    CREATE INDEX alert_log_about ON alert_log (about, at) WHERE about IS NOT NULL;
    CREATE TABLE silences (
        id TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        reason TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        starts_at INTEGER NOT NULL,
        ends_at INTEGER NOT NULL,
        matches TEXT NOT NULL,
        weekly TEXT,
        ended_by TEXT,
        ended_at INTEGER,
        ended_reason TEXT,
        hid INTEGER NOT NULL DEFAULT 0,
        unsaid INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX silences_end ON silences (ends_at);
",
    // Why it ended, if no reading cleared it.
    "ALTER TABLE alert_log ADD COLUMN reason TEXT;",
];

/// The columns of an alert, in the order that [`stored`] reads.
pub(super) const COLUMNS: &str =
    "alert, ack_by, ack_at, ack_note, updated_at, events, version, marks, shelf, handling";
/// How many they are.
pub(super) const COLUMN_COUNT: usize = 10;

/// The alerts that ended before a time, those that ended first first.
pub(super) const ENDED: &str =
    "SELECT id FROM alerts WHERE resolved_at < ?1 ORDER BY resolved_at LIMIT ?2";

/// Who writes the log entries of engines.
const ENGINE: &str = "engine";

/// Takes an event; `None` if it was taken before.
pub(super) fn apply(
    tx: &Transaction<'_>,
    event: &AlertEvent,
) -> Result<Option<Stored>, StateError> {
    let alert = &event.alert;
    let entry = LogRow {
        engine_seq: Some(event.seq),
        severity: Some(alert.severity),
        value: alert.value,
        reason: event.reason,
        ..LogRow::of(log_kind(event.kind), ENGINE, event.at)
    };
    if !append(tx, &alert.id, &entry)? {
        return Ok(None);
    }
    let before: Option<(u32, bool)> = tx
        .query_row(
            "SELECT newest_seq, resolved_at IS NOT NULL FROM alerts WHERE id = ?1",
            [&*alert.id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    match before {
        Some((newest, was_resolved)) if event.seq > newest => {
            // Whoever acknowledged it before it ended has not seen that it came back.
            if was_resolved && alert.resolved_at.is_none() {
                tx.execute(
                    "UPDATE alerts SET ack_by = NULL, ack_at = NULL, ack_note = NULL,
                                       handling = NULL
                     WHERE id = ?1",
                    [&*alert.id],
                )?;
            }
            put(tx, event)?;
            if alert.resolved_at.is_some() {
                tx.execute("UPDATE alerts SET shelf = NULL WHERE id = ?1", [&*alert.id])?;
                super::handling::close(tx, &alert.id)?;
            }
        }
        None => put(tx, event)?,
        // An earlier event that comes late belongs into the log, not over a newer state.
        Some(_) => touch(tx, &alert.id, event.at, 1)?,
    }
    get(tx, &alert.id)
}

/// Notes an acknowledgement on the alert and in its log.
pub(super) fn acknowledge(
    tx: &Transaction<'_>,
    id: &str,
    by: &Acknowledgement,
) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE alerts SET ack_by = ?2, ack_at = ?3, ack_note = ?4 WHERE id = ?1",
        params![id, by.by, by.at.micros(), by.note],
    )?;
    person(tx, id, AlertLogKind::Acknowledged, &by.by, by.at, by.note.as_deref())
}

/// Adds a note to the log.
pub(super) fn note(
    tx: &Transaction<'_>,
    id: &str,
    by: &str,
    at: Timestamp,
    note: &str,
) -> rusqlite::Result<()> {
    person(tx, id, AlertLogKind::Noted, by, at, Some(note))
}

/// One alert.
pub(super) fn get(conn: &Connection, id: &str) -> Result<Option<Stored>, StateError> {
    let mut statement =
        conn.prepare_cached(&format!("SELECT {COLUMNS} FROM alerts WHERE id = ?1"))?;
    Ok(statement.query_row([id], stored).optional()?)
}

/// All that fire.
pub(super) fn firing(conn: &Connection) -> Result<Vec<Stored>, StateError> {
    let mut statement =
        conn.prepare(&format!("SELECT {COLUMNS} FROM alerts WHERE resolved_at IS NULL"))?;
    Ok(statement.query_map([], stored)?.collect::<Result<_, _>>()?)
}

/// All that fire, each with the number of its newest event.
pub(super) fn firing_with_seq(conn: &Connection) -> Result<Vec<(Alert, u32)>, StateError> {
    let mut statement =
        conn.prepare("SELECT alert, newest_seq FROM alerts WHERE resolved_at IS NULL")?;
    let rows = statement.query_map([], |row| {
        let alert = from_json(row, 0)?.ok_or_else(|| unreadable(0, "there is none".to_owned()))?;
        Ok((alert, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What fires, and what ended at `since` or later, last changed first; and why it ended, if no
/// reading cleared it.
pub(super) fn current(
    conn: &Connection,
    since: Timestamp,
    limit: usize,
) -> Result<Vec<(Stored, Option<EndReason>)>, StateError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS}, (SELECT reason FROM alert_log
                            WHERE alert = alerts.id AND engine_seq = alerts.newest_seq)
         FROM alerts WHERE resolved_at IS NULL OR resolved_at >= ?1
         ORDER BY updated_at DESC, id LIMIT ?2"
    ))?;
    let rows = statement.query_map(params![since.micros(), limit as i64], |row| {
        let reason: Option<String> = row.get(COLUMN_COUNT)?;
        Ok((stored(row)?, end_reason(reason.as_deref())))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What engines told of one alert, in the order of their numbers.
pub(super) fn steps(conn: &Connection, id: &str) -> Result<Vec<Step>, StateError> {
    let mut statement = conn.prepare_cached(
        "SELECT engine_seq, at, kind, reason FROM alert_log
         WHERE alert = ?1 AND engine_seq IS NOT NULL ORDER BY engine_seq",
    )?;
    let rows = statement.query_map([id], |row| {
        let kind: String = row.get(2)?;
        let known = KINDS.into_iter().find(|known| log_kind(*known).name() == kind);
        let (seq, at) = (row.get(0)?, Timestamp::from_micros(row.get(1)?));
        let reason = end_reason(row.get::<_, Option<String>>(3)?.as_deref());
        Ok(known.map(|kind| Step { seq, at, kind, reason }))
    })?;
    // What people did is no step, whatever it is called.
    Ok(rows.filter_map(Result::transpose).collect::<Result<_, _>>()?)
}

/// The reason with this name, if there is one.
fn end_reason(name: Option<&str>) -> Option<EndReason> {
    EndReason::ALL.into_iter().find(|reason| name == Some(reason.name()))
}

/// What engines tell.
const KINDS: [AlertEventKind; 4] = [
    AlertEventKind::Fired,
    AlertEventKind::Escalated,
    AlertEventKind::Deescalated,
    AlertEventKind::Resolved,
];

/// Deletes at most `limit` alerts that ended before `before`, with all that hangs on them.
pub(super) fn delete_ended(
    tx: &Transaction<'_>,
    before: Timestamp,
    limit: usize,
) -> Result<usize, StateError> {
    let ended: Vec<String> = tx
        .prepare_cached(ENDED)?
        .query_map(params![before.micros(), limit as i64], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    // The zones go with the alert.
    let mut log = tx.prepare_cached("DELETE FROM alert_log WHERE alert = ?1")?;
    let mut alert = tx.prepare_cached("DELETE FROM alerts WHERE id = ?1")?;
    for id in &ended {
        log.execute([id])?;
        alert.execute([id])?;
    }
    tx.execute("DELETE FROM alert_log WHERE alert = '' AND at < ?1", [before.micros()])?;
    tx.execute("DELETE FROM silences WHERE ends_at < ?1", [before.micros()])?;
    Ok(ended.len())
}

/// Reads an alert from [`COLUMNS`].
pub(super) fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let json: String = row.get(0)?;
    let alert: Alert = serde_json::from_str(&json).map_err(|e| unreadable(0, e.to_string()))?;
    let by: Option<String> = row.get(1)?;
    let at: Option<i64> = row.get(2)?;
    let note = row.get(3)?;
    let acknowledged =
        by.zip(at).map(|(by, at)| Acknowledgement { by, at: Timestamp::from_micros(at), note });
    Ok(Stored {
        alert,
        acknowledged,
        updated_at: Timestamp::from_micros(row.get(4)?),
        events: row.get(5)?,
        version: row.get(6)?,
        marks: from_json(row, 7)?.unwrap_or_default(),
        shelf: from_json(row, 8)?,
        handling: from_json(row, 9)?.unwrap_or_default(),
    })
}

/// What a column holds as JSON; `None` if it holds nothing.
fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    let json: Option<String> = row.get(column)?;
    let read = |json: String| serde_json::from_str(&json);
    json.map(read).transpose().map_err(|error| unreadable(column, error.to_string()))
}

/// 1 for low to 4 for critical, as the API's columns have it.
pub(crate) const fn severity_code(severity: Severity) -> u8 {
    severity as u8 + 1
}

pub(super) fn severity_of(code: u8) -> Option<Severity> {
    Severity::ALL.into_iter().find(|severity| severity_code(*severity) == code)
}

/// A row that this program cannot have written.
pub(super) fn unreadable(column: usize, what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, what.into())
}

const fn log_kind(kind: AlertEventKind) -> AlertLogKind {
    match kind {
        AlertEventKind::Fired => AlertLogKind::Fired,
        AlertEventKind::Escalated => AlertLogKind::Escalated,
        AlertEventKind::Deescalated => AlertLogKind::Deescalated,
        AlertEventKind::Resolved => AlertLogKind::Resolved,
        AlertEventKind::Overdue => AlertLogKind::Overdue,
    }
}

pub(super) fn touch(
    tx: &Transaction<'_>,
    id: &str,
    at: Timestamp,
    events: u32,
) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE alerts SET updated_at = max(updated_at, ?2), events = events + ?3,
                           version = version + 1 WHERE id = ?1",
        params![id, at.micros(), events],
    )?;
    Ok(())
}

fn put(tx: &Transaction<'_>, event: &AlertEvent) -> Result<(), StateError> {
    let alert = &event.alert;
    let json = serde_json::to_string(alert)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    tx.prepare_cached(
        "INSERT INTO alerts (id, newest_seq, severity, fired_at, resolved_at, updated_at, rule,
                             device, search, events, alert, department)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10, ?11)
         ON CONFLICT (id) DO UPDATE SET
             newest_seq = excluded.newest_seq, severity = excluded.severity,
             fired_at = excluded.fired_at, resolved_at = excluded.resolved_at,
             updated_at = max(updated_at, excluded.updated_at), rule = excluded.rule,
             device = excluded.device, search = excluded.search, events = events + 1,
             alert = excluded.alert, department = excluded.department, version = version + 1",
    )?
    .execute(params![
        &*alert.id,
        event.seq,
        severity_code(alert.severity),
        alert.fired_at.micros(),
        alert.resolved_at.map(Timestamp::micros),
        event.at.micros(),
        &*alert.rule.id,
        alert.subject.device().map(|device| &**device),
        search_text(alert),
        json,
        &*alert.rule.department,
    ])?;
    tx.execute("DELETE FROM alert_zones WHERE alert = ?1", [&*alert.id])?;
    let mut insert = tx.prepare_cached("INSERT OR IGNORE INTO alert_zones VALUES (?1, ?2)")?;
    for zone in &alert.zones {
        insert.execute(params![&*alert.id, &**zone])?;
    }
    if let Subject::Zone { zone } = &alert.subject {
        insert.execute(params![&*alert.id, &**zone])?;
    }
    Ok(())
}

/// Everything that a search looks at, in lower case.
fn search_text(alert: &Alert) -> String {
    [
        &*alert.id,
        &*alert.rule.id,
        &alert.rule.name.en,
        &alert.rule.name.zh,
        &alert.summary.en,
        &alert.summary.zh,
        &alert.subject.to_string(),
    ]
    .join("\n")
    .to_lowercase()
}
