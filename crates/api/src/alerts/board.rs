//! The alerts that fire now, in memory: for counts, device severities and zone figures.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use city_model::{Alert, Severity, Subject, Timestamp};
use city_rules::lifecycle::Shelves;
use city_store::{StateDb, StateError};
use rustc_hash::FxHashMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Marks, Stored, tables};

/// How many alerts fire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AlertCounts)]
pub(crate) struct Counts {
    pub(crate) firing: u64,
    /// Those of them that nobody has acknowledged.
    pub(crate) unacknowledged: u64,
    pub(crate) by_severity: BySeverity,
}

/// A number for each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct BySeverity {
    pub(crate) critical: u64,
    pub(crate) high: u64,
    pub(crate) medium: u64,
    pub(crate) low: u64,
}

#[derive(Debug)]
struct Firing {
    alert: Arc<Alert>,
    acknowledged: bool,
    marks: Marks,
    shelved_until: Option<Timestamp>,
    due: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Inner {
    alerts: FxHashMap<Arc<str>, Firing>,
    of_device: FxHashMap<Arc<str>, Vec<(Arc<str>, Severity)>>,
}

/// The alerts that fire now.
#[derive(Debug, Default)]
pub(crate) struct Board(RwLock<Inner>);

impl Board {
    /// As the database has it.
    pub(crate) fn load(state: &StateDb) -> Result<Self, StateError> {
        let board = Self::default();
        for stored in state.read(tables::firing)? {
            board.put(&stored);
        }
        Ok(board)
    }

    /// Takes the new state of an alert.
    pub(crate) fn put(&self, stored: &Stored) {
        let alert = &stored.alert;
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Inner { alerts, of_device } = &mut *inner;
        if let Some(device) = alert.subject.device() {
            let list = of_device.entry(device.clone()).or_default();
            list.retain(|(id, _)| *id != alert.id);
            if alert.resolved_at.is_none() {
                list.push((alert.id.clone(), alert.severity));
            } else if list.is_empty() {
                of_device.remove(device);
            }
        }
        if alert.resolved_at.is_some() {
            alerts.remove(&alert.id);
            return;
        }
        alerts.insert(
            alert.id.clone(),
            Firing {
                alert: Arc::new(alert.clone()),
                acknowledged: stored.acknowledged.is_some(),
                marks: stored.marks.clone(),
                shelved_until: stored.shelf.as_ref().map(|shelf| shelf.until),
                due: stored.handling.next_deadline(),
            },
        );
    }

    /// The worst that fires for a device.
    pub(crate) fn severity_of(&self, device: &str) -> Option<Severity> {
        self.read().of_device.get(device)?.iter().map(|(_, severity)| *severity).max()
    }

    /// How many fire in all.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for alert in self.read().alerts.values() {
            counts.firing += 1;
            counts.unacknowledged += u64::from(!alert.acknowledged);
            *match alert.alert.severity {
                Severity::Critical => &mut counts.by_severity.critical,
                Severity::High => &mut counts.by_severity.high,
                Severity::Medium => &mut counts.by_severity.medium,
                Severity::Low => &mut counts.by_severity.low,
            } += 1;
        }
        counts
    }

    /// How many fire in a zone.
    pub(crate) fn firing_in(&self, zone: &str) -> u64 {
        let in_zone = |firing: &&Firing| {
            let alert = &firing.alert;
            alert.zones.iter().any(|id| &**id == zone)
                || matches!(&alert.subject, Subject::Zone { zone: id } if &**id == zone)
        };
        self.read().alerts.values().filter(in_zone).count() as u64
    }

    /// How many fire by rule.
    pub(crate) fn firing_by_rule(&self) -> FxHashMap<Arc<str>, u64> {
        let mut rules = FxHashMap::default();
        for alert in self.read().alerts.values() {
            *rules.entry(alert.alert.rule.id.clone()).or_default() += 1;
        }
        rules
    }

    /// The alerts that fire of some rules, with their rules and what they are about; by id.
    pub(crate) fn firing_of(
        &self,
        of: impl Fn(&str) -> bool,
    ) -> Vec<(Arc<str>, Arc<str>, Subject)> {
        let inner = self.read();
        let mut alerts: Vec<_> = inner
            .alerts
            .iter()
            .filter(|(_, firing)| of(&firing.alert.rule.id))
            .map(|(id, Firing { alert, .. })| {
                (id.clone(), alert.rule.id.clone(), alert.subject.clone())
            })
            .collect();
        alerts.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        alerts
    }

    /// All that fire, with what holds them back.
    pub(super) fn firing(&self) -> Vec<(Arc<Alert>, Marks)> {
        let inner = self.read();
        inner.alerts.values().map(|firing| (firing.alert.clone(), firing.marks.clone())).collect()
    }

    /// All that fire, with whether somebody acknowledged them.
    pub(super) fn acknowledged(&self) -> Vec<(Arc<Alert>, bool)> {
        let inner = self.read();
        inner.alerts.values().map(|firing| (firing.alert.clone(), firing.acknowledged)).collect()
    }

    /// Those of them that somebody put aside.
    pub(super) fn shelves(&self) -> Shelves {
        let inner = self.read();
        let shelved = inner.alerts.iter();
        shelved.filter_map(|(id, firing)| Some((id.clone(), firing.shelved_until?))).collect()
    }

    /// The ids of those whose deadline has passed.
    pub(super) fn overdue(&self, now: Timestamp) -> Vec<Arc<str>> {
        let inner = self.read();
        let due =
            inner.alerts.iter().filter(|(_, firing)| firing.due.is_some_and(|due| due <= now));
        due.map(|(id, _)| id.clone()).collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}
