//! The log of all alerts: filters and cursors in SQL.

use city_model::{EndReason, Timestamp};
use city_store::StateError;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::item::AlertLogEntry;
use super::query::one_of;
use super::{AlertList, AlertLogKind, log_rows};
use crate::order::LogOrder;
use crate::schema;

/// Which lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogQuery {
    /// Only those of one of these alerts; likewise the next ones.
    pub(crate) alert: Option<Vec<String>>,
    pub(crate) rule: Option<Vec<String>>,
    pub(crate) device: Option<Vec<String>>,
    pub(crate) zone: Option<Vec<String>>,
    pub(crate) department: Option<Vec<String>>,
    pub(crate) who: Option<Vec<String>>,
    pub(crate) about: Option<Vec<String>>,
    /// All if empty.
    pub(crate) kinds: Vec<AlertLogKind>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    pub(crate) sort: LogOrder,
    pub(crate) after: Option<LogCursor>,
    pub(crate) limit: usize,
}

/// The last line of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogCursor {
    at: i64,
    alert: String,
    n: i64,
}

/// One line of the log of all alerts.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct AlertLogItem {
    /// The alert's id; `null` if it speaks of none.
    pub(crate) alert: Option<String>,
    /// The id of the alert's rule.
    pub(crate) rule: Option<String>,
    /// The department that owns the rule.
    pub(crate) department: Option<String>,
    /// The device that the alert is about, if it is about one.
    pub(crate) device: Option<String>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    pub(crate) kind: AlertLogKind,
    /// `engine`, `brain`, or the user.
    pub(crate) by: String,
    /// What a person wrote.
    pub(crate) note: Option<String>,
    /// How bad it was from then on.
    #[schema(value_type = Option<schema::Severity>)]
    pub(crate) severity: Option<city_model::Severity>,
    /// The value that decided.
    pub(crate) value: Option<f64>,
    /// The id of the silence, alert or department, or the person, that it speaks of.
    pub(crate) about: Option<String>,
    /// Why the alert ended, if no reading cleared it.
    #[schema(value_type = Option<schema::EndReason>)]
    pub(crate) reason: Option<EndReason>,
}

impl AlertList {
    /// A page of the log.
    pub(crate) fn log(
        &self,
        query: &LogQuery,
    ) -> Result<(Vec<AlertLogItem>, Option<LogCursor>), StateError> {
        self.state.read(|conn| page(conn, query))
    }
}

fn page(
    conn: &Connection,
    query: &LogQuery,
) -> Result<(Vec<AlertLogItem>, Option<LogCursor>), StateError> {
    let (wanted, mut values) = conditions(query);
    values.push(Value::Integer(query.limit as i64 + 1));
    let order = query.sort.sql();
    let sql = format!(
        "SELECT log.at, log.kind, log.by, log.note, log.severity, log.value, log.about,
                log.reason, log.alert, log.n, alerts.rule, alerts.department, alerts.device
         FROM alert_log AS log LEFT JOIN alerts ON alerts.id = log.alert
         WHERE {wanted} ORDER BY log.at {order}, log.alert {order}, log.n {order} LIMIT ?"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        let entry: AlertLogEntry = log_rows::log_entry(row)?;
        let alert: String = row.get(8)?;
        let cursor = LogCursor { at: entry.at.micros(), alert: alert.clone(), n: row.get(9)? };
        let item = AlertLogItem {
            alert: Some(alert).filter(|id| !id.is_empty()),
            rule: row.get(10)?,
            department: row.get(11)?,
            device: row.get(12)?,
            at: entry.at,
            kind: entry.kind,
            by: entry.by,
            note: entry.note,
            severity: entry.severity,
            value: entry.value,
            about: entry.about,
            reason: entry.reason,
        };
        Ok((item, cursor))
    })?;
    let mut rows: Vec<(AlertLogItem, LogCursor)> = rows.collect::<Result<_, _>>()?;
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let next = rows.last().filter(|_| more).map(|(_, cursor)| cursor.clone());
    Ok((rows.into_iter().map(|(item, _)| item).collect(), next))
}

fn conditions(query: &LogQuery) -> (String, Vec<Value>) {
    let mut conditions = vec!["TRUE".to_owned()];
    let mut values = Vec::new();
    let mut also = |condition: &str, given: Vec<Value>| {
        conditions.push(condition.to_owned());
        values.extend(given);
    };
    for (condition, wanted) in [
        ("log.alert IN (*)", &query.alert),
        ("alerts.rule IN (*)", &query.rule),
        ("alerts.device IN (*)", &query.device),
        ("alerts.department IN (*)", &query.department),
        ("log.by IN (*)", &query.who),
        ("log.about IN (*)", &query.about),
        ("EXISTS (SELECT 1 FROM alert_zones WHERE alert = log.alert AND zone IN (*))", &query.zone),
    ] {
        if let Some(wanted) = wanted {
            let values = wanted.iter().cloned().map(Value::Text).collect();
            also(&one_of(condition, wanted.len()), values);
        }
    }
    if !query.kinds.is_empty() {
        let kinds = query.kinds.iter().map(|kind| Value::Text(kind.name().to_owned()));
        also(&one_of("log.kind IN (*)", query.kinds.len()), kinds.collect());
    }
    if let Some(from) = query.from {
        also("log.at >= ?", vec![Value::Integer(from.micros())]);
    }
    if let Some(to) = query.to {
        also("log.at < ?", vec![Value::Integer(to.micros())]);
    }
    if let Some(after) = &query.after {
        let place = vec![
            Value::Integer(after.at),
            Value::Text(after.alert.clone()),
            Value::Integer(after.n),
        ];
        also(&format!("(log.at, log.alert, log.n) {} (?, ?, ?)", query.sort.beyond()), place);
    }
    (conditions.join(" AND "), values)
}
