//! Pages of alerts: filters, orders and cursors in SQL.

use city_model::{Severity, Timestamp};
use city_store::StateError;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Stored;
use super::tables::{self, severity_code};

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sort {
    /// Fired last, first.
    #[default]
    Newest,
    /// Fired first, first.
    Oldest,
    /// Changed last, first.
    Updated,
    /// Unacknowledged first, then acknowledged, then resolved; within these the worst first, then
    /// the newest.
    Urgency,
}

/// Which alerts.
#[derive(Clone, Debug, Default)]
pub(crate) struct AlertQuery {
    /// Only those that fire, or only those that ended.
    pub(crate) firing: Option<bool>,
    /// Only these severities; all if empty.
    pub(crate) severities: Vec<Severity>,
    /// Only those in one of these zones; likewise the next ones.
    pub(crate) zone: Option<Vec<String>>,
    pub(crate) device: Option<Vec<String>>,
    pub(crate) rule: Option<Vec<String>>,
    /// Only those of rules that one of these departments owns.
    pub(crate) department: Option<Vec<String>>,
    /// Only those about devices of one of these kinds.
    pub(crate) kind: Option<Vec<String>>,
    pub(crate) acknowledged: Option<bool>,
    /// Only those that somebody put aside, or only the others.
    pub(crate) shelved: Option<bool>,
    /// Only those that silences hold back, or only the others.
    pub(crate) silenced: Option<bool>,
    /// Only those that this person was asked to take care of, or has accepted.
    pub(crate) who: Option<String>,
    /// Only those in whose texts or ids this appears.
    pub(crate) text: Option<String>,
    /// Only those that fired at or after this.
    pub(crate) from: Option<Timestamp>,
    /// Only those that fired before this.
    pub(crate) to: Option<Timestamp>,
    pub(crate) sort: Sort,
    pub(crate) after: Option<AlertCursor>,
    pub(crate) limit: usize,
}

/// The last alert of a page, by what it was sorted by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AlertCursor {
    pub(crate) sort: Sort,
    urgency: i64,
    severity: i64,
    fired_at: i64,
    #[serde(default)]
    updated_at: i64,
    id: String,
}

/// A page.
#[derive(Debug)]
pub(crate) struct AlertPage {
    pub(crate) items: Vec<Stored>,
    pub(crate) next: Option<AlertCursor>,
}

const URGENCY: &str =
    "CASE WHEN resolved_at IS NOT NULL THEN 0 WHEN ack_at IS NOT NULL THEN 1 ELSE 2 END";

/// Reads a page.
pub(super) fn page(conn: &Connection, query: &AlertQuery) -> Result<AlertPage, StateError> {
    let (wanted, mut values) = conditions(query);
    let order = match query.sort {
        Sort::Newest => "fired_at DESC, id DESC".to_owned(),
        Sort::Oldest => "fired_at, id".to_owned(),
        Sort::Updated => "updated_at DESC, id DESC".to_owned(),
        Sort::Urgency => format!("{URGENCY} DESC, severity DESC, fired_at DESC, id DESC"),
    };
    values.push(Value::Integer(query.limit as i64 + 1));
    let sql = format!(
        "SELECT {}, {URGENCY} FROM alerts WHERE {wanted} ORDER BY {order} LIMIT ?",
        tables::COLUMNS
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| {
        Ok((tables::stored(row)?, row.get::<_, i64>(tables::COLUMN_COUNT)?))
    })?;
    let mut rows: Vec<(Stored, i64)> = rows.collect::<Result<_, _>>()?;
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let next = rows.last().filter(|_| more).map(|(last, urgency)| AlertCursor {
        sort: query.sort,
        urgency: *urgency,
        severity: i64::from(severity_code(last.alert.severity)),
        fired_at: last.alert.fired_at.micros(),
        updated_at: last.updated_at.micros(),
        id: last.alert.id.to_string(),
    });
    Ok(AlertPage { items: rows.into_iter().map(|(stored, _)| stored).collect(), next })
}

fn conditions(query: &AlertQuery) -> (String, Vec<Value>) {
    let mut conditions = vec!["TRUE".to_owned()];
    let mut values = Vec::new();
    let mut also = |condition: &str, given: Vec<Value>| {
        conditions.push(condition.to_owned());
        values.extend(given);
    };
    match query.firing {
        Some(true) => also("resolved_at IS NULL", vec![]),
        Some(false) => also("resolved_at IS NOT NULL", vec![]),
        None => {}
    }
    match query.acknowledged {
        Some(true) => also("ack_at IS NOT NULL", vec![]),
        Some(false) => also("ack_at IS NULL", vec![]),
        None => {}
    }
    match query.shelved {
        Some(true) => also("shelf IS NOT NULL", vec![]),
        Some(false) => also("shelf IS NULL", vec![]),
        None => {}
    }
    // Not marked at all is not silenced.
    let silenced = "coalesce(json_array_length(marks, '$.silenced_by'), 0)";
    match query.silenced {
        Some(true) => also(&format!("{silenced} > 0"), vec![]),
        Some(false) => also(&format!("{silenced} = 0"), vec![]),
        None => {}
    }
    if let Some(who) = &query.who {
        also("json_extract(handling, '$.who') = ?", vec![text(who)]);
    }
    if !query.severities.is_empty() {
        let codes: Vec<String> =
            query.severities.iter().map(|s| severity_code(*s).to_string()).collect();
        also(&format!("severity IN ({})", codes.join(", ")), vec![]);
    }
    for (condition, wanted) in [
        ("EXISTS (SELECT 1 FROM alert_zones WHERE alert = alerts.id AND zone IN (*))", &query.zone),
        ("device IN (*)", &query.device),
        ("rule IN (*)", &query.rule),
        ("department IN (*)", &query.department),
        ("json_extract(alert, '$.kind') IN (*)", &query.kind),
    ] {
        if let Some(wanted) = wanted {
            also(&one_of(condition, wanted.len()), wanted.iter().map(|id| text(id)).collect());
        }
    }
    if let Some(words) = &query.text {
        also("search LIKE ? ESCAPE '\\'", vec![Value::Text(pattern(words))]);
    }
    if let Some(from) = query.from {
        also("fired_at >= ?", vec![Value::Integer(from.micros())]);
    }
    if let Some(to) = query.to {
        also("fired_at < ?", vec![Value::Integer(to.micros())]);
    }
    if let Some(after) = &query.after {
        let AlertCursor { urgency, severity, fired_at, updated_at, id, .. } = after;
        let numbers = |numbers: &[i64]| -> Vec<Value> {
            numbers.iter().copied().map(Value::Integer).chain([text(id)]).collect()
        };
        match query.sort {
            Sort::Newest => also("(fired_at, id) < (?, ?)", numbers(&[*fired_at])),
            Sort::Oldest => also("(fired_at, id) > (?, ?)", numbers(&[*fired_at])),
            Sort::Updated => also("(updated_at, id) < (?, ?)", numbers(&[*updated_at])),
            Sort::Urgency => also(
                &format!("({URGENCY}, severity, fired_at, id) < (?, ?, ?, ?)"),
                numbers(&[*urgency, *severity, *fired_at]),
            ),
        }
    }
    (conditions.join(" AND "), values)
}

/// A condition with as many placeholders in the place of `*` as there are values.
pub(super) fn one_of(condition: &str, values: usize) -> String {
    condition.replace('*', &vec!["?"; values].join(", "))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A `LIKE` pattern that finds the text anywhere, its wildcards taken literally.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
