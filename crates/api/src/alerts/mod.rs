//! The brain's list of alerts: what the engines pushed and what people did about it.
//!
//! Engines deliver at least once and in any order. The list is the same whatever the order: each
//! event is taken once by its key, and the alert stands as its newest event by `seq` says.

mod board;
mod floods;
mod groups;
mod handling;
mod holds;
mod item;
mod load;
mod load_metrics;
mod log_kind;
mod log_query;
mod log_rows;
mod query;
mod shelf;
mod tables;
mod upkeep;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use city_model::{Alert, AlertEvent, AlertEventKind, EndReason, Timestamp};
use city_rules::lifecycle::{Handling, Refusal};
use city_store::{StateDb, StateError};
use serde_json::{Value, json};

use crate::audit;
use crate::problem::Problem;

pub(crate) use board::{Board, Counts};
pub(crate) use floods::Floods;
pub(crate) use groups::PositionGroups;
pub(crate) use handling::{Deed, HandlingView};
pub(crate) use holds::{Holds, Marks, Shelf};
pub(crate) use item::{Acknowledgement, AlertDetail, AlertItem};
pub(crate) use load::{AlarmLoad, MOST_ALERTS};
pub(crate) use load_metrics::{LoadMetrics, show_load};
pub(crate) use log_kind::AlertLogKind;
pub(crate) use log_query::{AlertLogItem, LogCursor, LogQuery};
pub(crate) use log_rows::append_note;
pub(crate) use query::{AlertCursor, AlertPage, AlertQuery, Sort};
pub(crate) use shelf::LONGEST_SHELF;
pub(crate) use tables::severity_code;
pub(crate) use upkeep::upkeep;
pub(crate) use watch::watch;

/// The events by which everything that fires ends because no engine knows of it: on a bus that is new,
/// engines begin anew, and what still holds is raised again. Blocks.
pub fn ends_of_unknown(state: &StateDb, now: Timestamp) -> Result<Vec<AlertEvent>, StateError> {
    let firing = state.read(tables::firing_with_seq)?;
    let end = |(mut alert, newest): (Alert, u32)| {
        alert.resolved_at = Some(now);
        let seq = newest + 1;
        let (key, reason) = (format!("{}/{seq}", alert.id), Some(EndReason::StateLost));
        AlertEvent { key, seq, kind: AlertEventKind::Resolved, at: now, reason, alert }
    };
    Ok(firing.into_iter().map(end).collect())
}

/// An alert as the list keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    /// As of its newest event.
    pub(crate) alert: Alert,
    /// Who said that they know, if somebody did.
    pub(crate) acknowledged: Option<Acknowledgement>,
    /// When anything last happened to it.
    pub(crate) updated_at: Timestamp,
    /// How many events the engines pushed for it.
    pub(crate) events: u32,
    /// Counts its changes, for `ETag`.
    pub(crate) version: u32,
    /// What holds it back from outside receivers.
    pub(crate) marks: Marks,
    /// Who put it aside.
    pub(crate) shelf: Option<Shelf>,
    /// Who takes care of it.
    pub(crate) handling: Handling,
}

impl Stored {
    /// Changes whenever the alert does.
    pub(crate) fn tag(&self) -> String {
        format!("{}-{}", self.alert.fired_at.micros(), self.version)
    }

    /// What people have done about it, for the audit log.
    fn handled(&self) -> Value {
        json!({
            "acknowledged": self.acknowledged, "shelved": self.shelf,
            "handling": HandlingView::new(&self.handling),
        })
    }

    /// Says in the audit log how it is before a change, and whose.
    fn note_before(&self) {
        audit::department(&self.alert.rule.department);
        audit::before(self.handled());
    }
}

/// An event of an alert as the log keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Its number, from 1.
    pub(crate) seq: u32,
    /// When it happened.
    pub(crate) at: Timestamp,
    /// What happened.
    pub(crate) kind: AlertEventKind,
    /// Why it ended, if no reading cleared it.
    pub(crate) reason: Option<EndReason>,
}

/// What is wrong with a change that somebody wants.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error("there is no alert `{0}`")]
    Unknown(String),
    #[error("it was acknowledged before")]
    AlreadyAcknowledged(Acknowledgement),
    #[error("it ended at {0}")]
    AlreadyResolved(Timestamp),
    #[error("it is on a shelf already")]
    AlreadyShelved(Shelf),
    #[error("it is on no shelf")]
    NotShelved,
    #[error("{0}")]
    Refused(Refusal),
    /// It is not as the client saw it, or the client did not look.
    #[error("it was changed meanwhile")]
    Seen(Box<Problem>),
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<rusqlite::Error> for ChangeError {
    fn from(error: rusqlite::Error) -> Self {
        Self::State(error.into())
    }
}

/// Called with every change, in the order in which they happen.
type OnChange = Box<dyn Fn(&Stored) + Send + Sync>;

/// The alert list. All calls block.
pub(crate) struct AlertList {
    state: Arc<StateDb>,
    board: Arc<Board>,
    holds: Holds,
    floods: Floods,
    /// Held over the database's transaction, the board and the news of it, so that all three
    /// tell the same story.
    one_writer: Mutex<()>,
    on_change: OnChange,
}

impl AlertList {
    /// The list of this database; `board` is loaded from it.
    pub(crate) fn new(
        state: Arc<StateDb>,
        board: Arc<Board>,
        holds: Holds,
        floods: Floods,
        on_change: OnChange,
    ) -> Self {
        for (alert, _) in board.firing() {
            holds.take(&alert);
        }
        holds.silences.set_shelves(board.shelves());
        Self { state, board, holds, floods, one_writer: Mutex::new(()), on_change }
    }

    /// Takes an event; `false` if it was taken before.
    pub(crate) fn apply(&self, event: &AlertEvent) -> Result<bool, StateError> {
        let _one = self.lock();
        let now = self.holds.clock.now();
        let changed = self.state.write(|tx| {
            let Some(stored) = tables::apply(tx, event)? else { return Ok::<_, StateError>(None) };
            self.holds.mark(tx, event, stored, now).map(Some)
        })?;
        let Some(stored) = changed else { return Ok(false) };
        let others = self.holds.take(&Arc::new(stored.alert.clone()));
        self.tell(&stored);
        if event.kind == AlertEventKind::Fired {
            self.count_for_floods(&stored, event.at)?;
        }
        if others {
            self.look_again(self.holds.concerned(&stored.alert, self.board.firing()), now)?;
        }
        Ok(true)
    }

    /// Brings the marks of all firing alerts up to date with what holds them back now.
    pub(crate) fn review(&self) -> Result<(), StateError> {
        let _one = self.lock();
        let now = self.holds.clock.now();
        self.holds.have_changed(now);
        self.look_again(self.board.firing(), now)
    }

    /// Brings the marks of some firing alerts up to date.
    fn look_again(
        &self,
        firing: Vec<(Arc<Alert>, Marks)>,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let differing = |(alert, before): (Arc<Alert>, Marks)| {
            let marks = self.holds.marks(&alert, &before, now);
            (marks != before).then_some((alert, before, marks))
        };
        let changes: Vec<_> = firing.into_iter().filter_map(differing).collect();
        if changes.is_empty() {
            return Ok(());
        }
        let changed = self.state.write(|tx| {
            let mut changed = Vec::with_capacity(changes.len());
            for (alert, before, marks) in &changes {
                holds::write(tx, &alert.id, before, marks, now)?;
                changed.extend(tables::get(tx, &alert.id)?);
            }
            Ok::<_, StateError>(changed)
        })?;
        for stored in &changed {
            self.tell(stored);
        }
        Ok(())
    }

    /// Notes that somebody knows of a firing alert.
    pub(crate) fn acknowledge(
        &self,
        id: &str,
        acknowledgement: &Acknowledgement,
    ) -> Result<Stored, ChangeError> {
        let changed = self.change(|| {
            self.state.write(|tx| {
                let before = tables::get(tx, id)?.ok_or_else(|| unknown(id))?;
                before.note_before();
                if let Some(earlier) = before.acknowledged {
                    return Err(ChangeError::AlreadyAcknowledged(earlier));
                }
                if let Some(at) = before.alert.resolved_at {
                    return Err(ChangeError::AlreadyResolved(at));
                }
                tables::acknowledge(tx, id, acknowledgement)?;
                Ok(tables::get(tx, id)?)
            })
        })?;
        changed.ok_or_else(|| unknown(id))
    }

    /// Adds a note to an alert's log, firing or not.
    pub(crate) fn note(
        &self,
        id: &str,
        by: &str,
        at: Timestamp,
        note: &str,
    ) -> Result<Stored, ChangeError> {
        let changed = self.change(|| {
            self.state.write(|tx| {
                tables::get(tx, id)?.ok_or_else(|| unknown(id))?.note_before();
                tables::note(tx, id, by, at, note)?;
                Ok::<_, ChangeError>(tables::get(tx, id)?)
            })
        })?;
        changed.ok_or_else(|| unknown(id))
    }

    /// An alert with its log.
    pub(crate) fn detail(
        &self,
        id: &str,
    ) -> Result<Option<(Stored, Vec<item::AlertLogEntry>)>, StateError> {
        self.state.read(|conn| {
            let Some(stored) = tables::get(conn, id)? else { return Ok(None) };
            Ok(Some((stored, log_rows::log(conn, id)?)))
        })
    }

    /// What fires, and what ended at `since` or later, last changed first; at most `limit`. And why
    /// it ended, if no reading cleared it.
    pub(crate) fn current(
        &self,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Stored, Option<EndReason>)>, StateError> {
        self.state.read(|conn| tables::current(conn, since, limit))
    }

    /// An alert with what engines told of it, in the order of their numbers: number, time and kind of
    /// each event.
    pub(crate) fn steps(&self, id: &str) -> Result<Option<(Stored, Vec<Step>)>, StateError> {
        self.state.read(|conn| {
            let Some(stored) = tables::get(conn, id)? else { return Ok(None) };
            Ok(Some((stored, tables::steps(conn, id)?)))
        })
    }

    /// A page of alerts.
    pub(crate) fn page(&self, query: &AlertQuery) -> Result<AlertPage, StateError> {
        self.state.read(|conn| query::page(conn, query))
    }

    /// Deletes at most `limit` alerts that ended before `before`, those that ended first first,
    /// with their logs; gives how many. The board knows only what fires, so it stays as it is.
    pub(crate) fn delete_ended(
        &self,
        before: Timestamp,
        limit: usize,
    ) -> Result<usize, StateError> {
        self.state.write(|tx| tables::delete_ended(tx, before, limit))
    }

    /// Makes a change and tells everybody about it before the next one.
    fn change<E>(
        &self,
        change: impl FnOnce() -> Result<Option<Stored>, E>,
    ) -> Result<Option<Stored>, E> {
        let _one = self.lock();
        let changed = change()?;
        if let Some(stored) = &changed {
            audit::after(stored.handled());
            self.tell(stored);
        }
        Ok(changed)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.one_writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, stored: &Stored) {
        self.board.put(stored);
        let shelf = stored.shelf.as_ref().map(|shelf| shelf.until);
        self.holds.silences.set_shelf(&stored.alert.id, shelf);
        (self.on_change)(stored);
    }
}

/// Makes the list's tables.
pub(crate) fn migrate(state: &StateDb) -> Result<(), StateError> {
    state.migrate("alert_list", tables::MIGRATIONS)
}

fn unknown(id: &str) -> ChangeError {
    ChangeError::Unknown(id.chars().take(128).collect())
}

#[cfg(test)]
mod tests;
