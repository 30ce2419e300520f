//! Floods of alerts as the list sees them, with their beginnings and ends in the log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use city_model::{Alert, Timestamp};
use city_rules::lifecycle::{FloodChange, FloodConfig, FloodMonitor};
use city_store::{StateDb, StateError};
use rusqlite::Transaction;

use super::log_rows::{self, LogRow};
use super::{AlertList, AlertLogKind, Stored};

type Monitors = BTreeMap<Arc<str>, FloodMonitor>;

/// The floods of all operator positions.
pub(crate) struct Floods {
    pub(super) config: Arc<FloodConfig>,
    monitors: Mutex<Monitors>,
}

impl Floods {
    /// As the database has them.
    pub(crate) fn load(
        state: &StateDb,
        config: Arc<FloodConfig>,
        now: Timestamp,
    ) -> Result<Self, StateError> {
        let mut monitors = Monitors::new();
        let (open, recent) = state.read(|conn| {
            // The last word on each position, if it is that a flood began.
            let mut statement = conn.prepare(
                "SELECT about, at, (SELECT count(*) FROM alerts WHERE fired_at >= began.at)
                 FROM alert_log AS began WHERE alert = '' AND kind = 'flood_began'
                 AND NOT EXISTS (SELECT 1 FROM alert_log WHERE alert = '' AND n > began.n
                                 AND about = began.about
                                 AND kind IN ('flood_began', 'flood_ended'))",
            )?;
            let open = statement.query_map([], |row| {
                Ok((row.get(0)?, Timestamp::from_micros(row.get(1)?), row.get::<_, i64>(2)? as u64))
            })?;
            let open: Vec<(String, Timestamp, u64)> = open.collect::<Result<_, _>>()?;
            let mut statement = conn.prepare(
                "SELECT alert FROM alerts
                 WHERE fired_at >= ?1 AND NOT coalesce(json_extract(marks, '$.untold'), FALSE)
                 ORDER BY fired_at, id",
            )?;
            let from = (now - config.window).micros();
            let recent = statement.query_map([from], |row| row.get::<_, String>(0))?;
            Ok::<_, StateError>((open, recent.collect::<Result<Vec<_>, _>>()?))
        })?;
        for json in recent {
            let Ok(alert) = serde_json::from_str::<Alert>(&json) else { continue };
            let position = config.position(&alert);
            let operators = config.operators_of(&position);
            let monitor = monitors.entry(position).or_default();
            monitor.fired(&alert.id, alert.fired_at, &config, operators);
        }
        for (position, since, alerts) in open {
            monitors.entry(position.into()).or_default().resume(since, alerts);
        }
        Ok(Self { config, monitors: Mutex::new(monitors) })
    }

    /// Since when there is a flood at a position, and how many alerts came in it.
    pub(super) fn at(&self, position: &str) -> Option<(Timestamp, u64)> {
        let monitors = self.lock();
        let monitor = monitors.get(position)?;
        Some((monitor.since()?, monitor.alerts()))
    }

    fn lock(&self) -> MutexGuard<'_, Monitors> {
        self.monitors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AlertList {
    /// Counts an alert that has begun to fire, unless something holds it back.
    pub(super) fn count_for_floods(
        &self,
        stored: &Stored,
        at: Timestamp,
    ) -> Result<(), StateError> {
        if stored.alert.resolved_at.is_some() || stored.marks.is_held() {
            return Ok(());
        }
        let config = &self.floods.config;
        let position = config.position(&stored.alert);
        let operators = config.operators_of(&position);
        let mut monitors = self.floods.lock();
        let monitor = monitors.entry(position.clone()).or_default();
        let mut changes = Vec::from_iter(monitor.advance(at, config, operators));
        changes.extend(monitor.fired(&stored.alert.id, at, config, operators));
        drop(monitors);
        self.note_floods(&[(position, changes)], at)
    }

    /// Lets time pass for the floods.
    pub(super) fn end_floods(&self, now: Timestamp) -> Result<(), StateError> {
        let config = &self.floods.config;
        let advance = |(position, monitor): (&Arc<str>, &mut FloodMonitor)| {
            let change = monitor.advance(now, config, config.operators_of(position))?;
            Some((position.clone(), vec![change]))
        };
        let changes: Vec<_> = self.floods.lock().iter_mut().filter_map(advance).collect();
        self.note_floods(&changes, now)
    }

    fn note_floods(
        &self,
        changes: &[(Arc<str>, Vec<FloodChange>)],
        now: Timestamp,
    ) -> Result<(), StateError> {
        if changes.iter().all(|(_, changes)| changes.is_empty()) {
            return Ok(());
        }
        self.state.write(|tx| {
            for (position, changes) in changes {
                for change in changes {
                    append(tx, position, *change, now)?;
                }
            }
            Ok(())
        })
    }
}

fn append(
    tx: &Transaction<'_>,
    position: &str,
    change: FloodChange,
    now: Timestamp,
) -> Result<(), StateError> {
    let (kind, at, alerts) = match change {
        FloodChange::Began => (AlertLogKind::FloodBegan, now, None),
        FloodChange::Ended { at, alerts, .. } => (AlertLogKind::FloodEnded, at, Some(alerts)),
    };
    let row = LogRow {
        about: Some(position),
        value: alerts.map(|alerts| alerts as f64),
        ..LogRow::of(kind, log_rows::BRAIN, at)
    };
    log_rows::append(tx, "", &row)?;
    tracing::info!(position, kind = kind.name(), "a flood of alerts");
    Ok(())
}
