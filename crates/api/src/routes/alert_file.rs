//! Alerts and their log as rows of a file.

use crate::alerts::{AlertLogItem, Stored};
use crate::export::{Cell, Column, Kind, column, lon_lat, word};

/// The columns of a file of alerts. `unit` is the unit of `value` and `limit`, as people write it.
pub(super) static COLUMNS: &[Column] = &[
    column("id", Kind::Text),
    column("state", Kind::Text),
    column("severity", Kind::Text),
    column("rule", Kind::Text),
    column("department", Kind::Text),
    column("device", Kind::Text),
    column("metric", Kind::Text),
    column("kind", Kind::Text),
    column("zones", Kind::Text),
    column("summary_en", Kind::Text),
    column("summary_zh", Kind::Text),
    column("value", Kind::Number),
    column("limit", Kind::Number),
    column("unit", Kind::Text),
    column("started_at", Kind::Time),
    column("fired_at", Kind::Time),
    column("resolved_at", Kind::Time),
    column("updated_at", Kind::Time),
    column("acknowledged_by", Kind::Text),
    column("acknowledged_at", Kind::Time),
    column("acknowledged_note", Kind::Text),
    column("simulated", Kind::Flag),
    column("events", Kind::Integer),
    column("lon", Kind::Number),
    column("lat", Kind::Number),
];

/// The row of an alert.
pub(super) fn row(stored: &Stored) -> [Cell<'_>; 25] {
    let Stored { alert, acknowledged, .. } = stored;
    let acknowledged = acknowledged.as_ref();
    let [lon, lat] = lon_lat(alert.position);
    [
        Cell::from(&*alert.id),
        if alert.resolved_at.is_some() { "resolved" } else { "firing" }.into(),
        word(alert.severity),
        Cell::from(&*alert.rule.id),
        Cell::from(&*alert.rule.department),
        alert.subject.device().map(|id| &**id).into(),
        alert.metric.as_deref().into(),
        alert.kind.as_deref().into(),
        alert.zones.join(" ").into(),
        Cell::from(&*alert.summary.en),
        Cell::from(&*alert.summary.zh),
        alert.value.into(),
        alert.limit.into(),
        alert.unit.as_deref().into(),
        alert.started_at.into(),
        alert.fired_at.into(),
        alert.resolved_at.into(),
        stored.updated_at.into(),
        acknowledged.map(|said| &*said.by).into(),
        acknowledged.map(|said| said.at).into(),
        acknowledged.and_then(|said| said.note.as_deref()).into(),
        alert.simulated.into(),
        u64::from(stored.events).into(),
        lon,
        lat,
    ]
}

/// The columns of a file of the log.
pub(super) static LOG_COLUMNS: &[Column] = &[
    column("at", Kind::Time),
    column("kind", Kind::Text),
    column("by", Kind::Text),
    column("alert", Kind::Text),
    column("rule", Kind::Text),
    column("department", Kind::Text),
    column("device", Kind::Text),
    column("severity", Kind::Text),
    column("value", Kind::Number),
    column("note", Kind::Text),
    column("about", Kind::Text),
    column("reason", Kind::Text),
];

/// The row of a line of the log.
pub(super) fn log_row(item: &AlertLogItem) -> [Cell<'_>; 12] {
    [
        item.at.into(),
        word(item.kind),
        Cell::from(&*item.by),
        item.alert.as_deref().into(),
        item.rule.as_deref().into(),
        item.department.as_deref().into(),
        item.device.as_deref().into(),
        item.severity.map_or(Cell::Empty, word),
        item.value.into(),
        item.note.as_deref().into(),
        item.about.as_deref().into(),
        item.reason.map_or(Cell::Empty, word),
    ]
}
