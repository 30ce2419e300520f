//! The brain's list of alerts: what the engines pushed and what people did about it.
//!
//! Engines deliver at least once and in any order. The list is the same whatever the order: each
//! event is taken once by its key, and the alert stands as its newest event by `seq` says.

mod board;
mod item;
mod query;
mod tables;
mod upkeep;

use std::sync::{Arc, Mutex, PoisonError};

use city_model::{Alert, AlertEvent, AlertEventKind, Timestamp};
use city_store::{StateDb, StateError};

pub(crate) use board::{Board, Counts};
pub(crate) use item::{Acknowledgement, AlertDetail, AlertItem};
pub(crate) use query::{AlertCursor, AlertPage, AlertQuery, Sort};
pub(crate) use tables::severity_code;
pub(crate) use upkeep::upkeep;

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
    /// Held over the database's transaction, the board and the news of it, so that all three
    /// tell the same story.
    one_writer: Mutex<()>,
    on_change: OnChange,
}

impl AlertList {
    /// The list of this database; `board` is loaded from it.
    pub(crate) fn new(state: Arc<StateDb>, board: Arc<Board>, on_change: OnChange) -> Self {
        Self { state, board, one_writer: Mutex::new(()), on_change }
    }

    /// Takes an event; `false` if it was taken before.
    pub(crate) fn apply(&self, event: &AlertEvent) -> Result<bool, StateError> {
        let changed = self.change(|| self.state.write(|tx| tables::apply(tx, event)))?;
        Ok(changed.is_some())
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
                tables::get(tx, id)?.ok_or_else(|| unknown(id))?;
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
            Ok(Some((stored, tables::log(conn, id)?)))
        })
    }

    /// What fires, and what ended at `since` or later, last changed first; at most `limit`.
    pub(crate) fn current(
        &self,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Stored>, StateError> {
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
        let _one = self.one_writer.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change()?;
        if let Some(stored) = &changed {
            self.board.put(stored);
            (self.on_change)(stored);
        }
        Ok(changed)
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
