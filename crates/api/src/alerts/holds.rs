//! What holds alerts back from outside receivers, as the list shows it: silences, other alerts,
//! shelves. Whoever delivers decides by the same rules; the list tells people.

use std::sync::{Arc, Mutex, PoisonError};

use city_model::{Alert, AlertEvent, AlertEventKind, SharedClock, Timestamp};
use city_rules::lifecycle::{Inhibitions, Place, Silencing as _, Suppressions};
use city_store::StateError;
use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::log_rows::{self, LogRow};
use super::tables;
use super::{AlertLogKind, Stored};
use crate::parts::Notices;
use crate::silences::Silences;

/// So many of the alerts that inhibit another are named.
const MOST_INHIBITORS: usize = 10;

/// What holds an alert back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marks {
    /// Ids of silences.
    pub(crate) silenced_by: Vec<Arc<str>>,
    /// Ids of alerts.
    pub(crate) inhibited_by: Vec<Arc<str>>,
    /// Whether it was held back without a break since it fired.
    pub(crate) untold: bool,
}

impl Marks {
    pub(super) fn is_held(&self) -> bool {
        !self.silenced_by.is_empty() || !self.inhibited_by.is_empty()
    }
}

/// Somebody's decision not to be bothered with an alert for a while (ISA-18.2: shelve).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Shelf {
    /// The user.
    pub(crate) by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// When it ends by itself.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) until: Timestamp,
    /// Why.
    pub(crate) reason: String,
}

/// Where an alert is.
pub(crate) type Locate = Box<dyn Fn(&Alert) -> Place + Send + Sync>;

/// What holds alerts back.
pub(crate) struct Holds {
    pub(super) silences: Arc<Silences>,
    inhibitions: Mutex<Inhibitions>,
    pub(super) locate: Locate,
    pub(super) clock: SharedClock,
    pub(super) notices: Arc<dyn Notices>,
    /// The silences that were active when the marks were last looked at.
    active: Mutex<Vec<Arc<str>>>,
}

impl Holds {
    pub(crate) fn new(
        silences: Arc<Silences>,
        inhibitions: Inhibitions,
        locate: Locate,
        clock: SharedClock,
        notices: Arc<dyn Notices>,
    ) -> Self {
        let active = Mutex::default();
        let inhibitions = Mutex::new(inhibitions);
        Self { silences, inhibitions, locate, clock, notices, active }
    }

    /// Takes an alert as it is now; `true` if what inhibits others may have changed by it.
    pub(super) fn take(&self, alert: &Arc<Alert>) -> bool {
        let mut inhibitions = self.inhibitions.lock().unwrap_or_else(PoisonError::into_inner);
        !inhibitions.is_empty() && inhibitions.take(alert, &(self.locate)(alert))
    }

    /// Those of some firing alerts whose marks a change of `source` may have changed.
    pub(super) fn concerned(
        &self,
        source: &Alert,
        firing: Vec<(Arc<Alert>, Marks)>,
    ) -> Vec<(Arc<Alert>, Marks)> {
        let inhibitions = self.inhibitions.lock().unwrap_or_else(PoisonError::into_inner);
        let at = (self.locate)(source);
        let concerned = |(alert, marks): &(Arc<Alert>, Marks)| {
            marks.inhibited_by.contains(&source.id)
                || inhibitions.concerns((source, &at), alert, |alert| (self.locate)(alert))
        };
        firing.into_iter().filter(concerned).collect()
    }

    /// Whether silences began or ended since this was asked last.
    pub(super) fn have_changed(&self, now: Timestamp) -> bool {
        let active = self.silences.current().active(now);
        let mut before = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = *before != active;
        *before = active;
        changed
    }

    /// The marks of an alert that fires; `before` are its present ones.
    pub(super) fn marks(&self, alert: &Alert, before: &Marks, now: Timestamp) -> Marks {
        let silences: Arc<Suppressions> = self.silences.current();
        let inhibitions = self.inhibitions.lock().unwrap_or_else(PoisonError::into_inner);
        let inhibited_by = if inhibitions.is_empty() {
            Vec::new()
        } else {
            inhibitions.of(alert, &(self.locate)(alert), MOST_INHIBITORS)
        };
        let marks =
            Marks { silenced_by: silences.silenced_by(alert, now), inhibited_by, untold: false };
        let untold = before.untold && (marks.is_held() || silences.is_shelved(&alert.id, now));
        Marks { untold, ..marks }
    }

    /// Marks an alert to which something has just happened, and counts it if nobody outside ever
    /// heard of it.
    pub(super) fn mark(
        &self,
        tx: &Transaction<'_>,
        event: &AlertEvent,
        stored: Stored,
        now: Timestamp,
    ) -> Result<Stored, StateError> {
        let (id, before) = (&stored.alert.id, &stored.marks);
        if stored.alert.resolved_at.is_some() {
            if event.kind == AlertEventKind::Resolved && before.untold {
                for silence in &before.silenced_by {
                    tx.execute(
                        "UPDATE silences SET unsaid = unsaid + 1 WHERE id = ?1",
                        [&**silence],
                    )?;
                }
            }
            return Ok(stored);
        }
        let begins = event.kind == AlertEventKind::Fired;
        let marks = if begins {
            // Whatever held it back before it ended and came back, this is its first moment.
            self.marks(&stored.alert, &Marks { untold: true, ..Marks::default() }, now)
        } else {
            self.marks(&stored.alert, before, now)
        };
        if marks == *before {
            return Ok(stored);
        }
        write(tx, id, before, &marks, now)?;
        Ok(tables::get(tx, id)?.unwrap_or(stored))
    }
}

/// Writes the marks of an alert, and what changed into its log.
pub(super) fn write(
    tx: &Transaction<'_>,
    id: &str,
    before: &Marks,
    marks: &Marks,
    now: Timestamp,
) -> Result<(), StateError> {
    use AlertLogKind::{Inhibited, Silenced, Uninhibited, Unsilenced};
    let json = serde_json::to_string(marks).unwrap_or_default();
    tx.execute("UPDATE alerts SET marks = ?2 WHERE id = ?1", params![id, json])?;
    let mut changes = Vec::new();
    let mut compare = |old: &[Arc<str>], new: &[Arc<str>], begins, ends| {
        changes.extend(new.iter().filter(|id| !old.contains(id)).map(|id| (begins, id.clone())));
        changes.extend(old.iter().filter(|id| !new.contains(id)).map(|id| (ends, id.clone())));
    };
    compare(&before.silenced_by, &marks.silenced_by, Silenced, Unsilenced);
    compare(&before.inhibited_by, &marks.inhibited_by, Inhibited, Uninhibited);
    for (kind, about) in changes {
        if kind == Silenced {
            // One that recurs may hide the same alert again and again; that is one alert.
            tx.execute(
                "UPDATE silences SET hid = hid + 1 WHERE id = ?2 AND NOT EXISTS (
                     SELECT 1 FROM alert_log WHERE alert = ?1 AND kind = 'silenced' AND about = ?2)",
                params![id, &*about],
            )?;
        }
        let row = LogRow { about: Some(&about), ..LogRow::of(kind, log_rows::BRAIN, now) };
        log_rows::append(tx, id, &row)?;
        tables::touch(tx, id, now, 0)?;
    }
    Ok(())
}
