//! The lines of the alert log in their table.

use city_model::{EndReason, Severity, Timestamp};
use city_store::StateError;
use rusqlite::{Connection, Row, Transaction, params};

use super::AlertLogKind;
use super::item::AlertLogEntry;
use super::tables::{severity_code, severity_of, touch, unreadable};

/// Who writes what follows from what people and the configuration decided before.
pub(super) const BRAIN: &str = "brain";

/// The log of one alert: by time, the engine's events in the order of their `seq`.
pub(super) fn log(conn: &Connection, id: &str) -> Result<Vec<AlertLogEntry>, StateError> {
    let mut statement = conn.prepare_cached(
        "SELECT at, kind, by, note, severity, value, about, reason FROM alert_log WHERE alert = ?1
         ORDER BY at, coalesce(engine_seq, 1 << 40), n",
    )?;
    let rows = statement.query_map([id], log_entry)?;
    let mut entries: Vec<AlertLogEntry> = rows.collect::<Result<_, _>>()?;
    for (entry, seq) in entries.iter_mut().zip(1..) {
        entry.seq = seq;
    }
    Ok(entries)
}

/// A line of a log from `at, kind, by, note, severity, value, about, reason`, without its place.
pub(super) fn log_entry(row: &Row<'_>) -> rusqlite::Result<AlertLogEntry> {
    let kind: String = row.get(1)?;
    let severity: Option<u8> = row.get(4)?;
    let reason: Option<String> = row.get(7)?;
    Ok(AlertLogEntry {
        seq: 0,
        at: Timestamp::from_micros(row.get(0)?),
        kind: AlertLogKind::named(&kind).ok_or_else(|| unreadable(1, format!("kind {kind}")))?,
        by: row.get(2)?,
        note: row.get(3)?,
        severity: severity.and_then(severity_of),
        value: row.get(5)?,
        about: row.get(6)?,
        reason: reason.and_then(|name| EndReason::ALL.into_iter().find(|r| r.name() == name)),
    })
}

/// Adds a line that speaks of no alert to the log.
pub(crate) fn append_note(
    tx: &Transaction<'_>,
    kind: AlertLogKind,
    (by, at): (&str, Timestamp),
    about: &str,
    note: Option<&str>,
) -> rusqlite::Result<()> {
    let row = LogRow { note, about: Some(about), ..LogRow::of(kind, by, at) };
    append(tx, "", &row).map(drop)
}

/// A line of the log as it is written.
pub(super) struct LogRow<'a> {
    pub(super) engine_seq: Option<u32>,
    pub(super) at: Timestamp,
    pub(super) kind: AlertLogKind,
    pub(super) by: &'a str,
    pub(super) note: Option<&'a str>,
    pub(super) severity: Option<Severity>,
    pub(super) value: Option<f64>,
    pub(super) about: Option<&'a str>,
    pub(super) reason: Option<EndReason>,
}

impl<'a> LogRow<'a> {
    pub(super) const fn of(kind: AlertLogKind, by: &'a str, at: Timestamp) -> Self {
        let (note, severity, value, about, reason) = (None, None, None, None, None);
        Self { engine_seq: None, at, kind, by, note, severity, value, about, reason }
    }
}

/// Appends to the log; `false` if this event of the engine is there already.
pub(super) fn append(
    tx: &Transaction<'_>,
    alert: &str,
    row: &LogRow<'_>,
) -> rusqlite::Result<bool> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO alert_log (alert, n, engine_seq, at, kind, by, note, severity, value, about,
                                reason)
         VALUES (?1, (SELECT coalesce(max(n), 0) + 1 FROM alert_log WHERE alert = ?1),
                 ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (alert, engine_seq) DO NOTHING",
    )?;
    let added = statement.execute(params![
        alert,
        row.engine_seq,
        row.at.micros(),
        row.kind.name(),
        row.by,
        row.note,
        row.severity.map(severity_code),
        row.value,
        row.about,
        row.reason.map(EndReason::name),
    ])?;
    Ok(added > 0)
}

/// Notes what somebody did, in the log and on the alert.
pub(super) fn person(
    tx: &Transaction<'_>,
    id: &str,
    kind: AlertLogKind,
    by: &str,
    at: Timestamp,
    note: Option<&str>,
) -> rusqlite::Result<()> {
    append(tx, id, &LogRow { note, ..LogRow::of(kind, by, at) })?;
    touch(tx, id, at, 0)
}
