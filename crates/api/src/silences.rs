//! Silences: who made which, kept for good, and handed out to whoever delivers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use city_model::Timestamp;
use city_rules::lifecycle::{Shelves, Silence, SilenceState, Silencing, Suppressions};
use city_store::{StateDb, StateError};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;

use crate::alerts::{self, AlertLogKind, append_note};

/// The silences of a city. It is opened before the alert engine starts, so that no event is told
/// that a silence holds back.
pub struct Silences {
    state: Arc<StateDb>,
    current: ArcSwap<Suppressions>,
    /// Held over a change of the database and of what is handed out.
    one_writer: Mutex<()>,
}

impl std::fmt::Debug for Silences {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Silences").finish_non_exhaustive()
    }
}

impl Silencing for Silences {
    fn current(&self) -> Arc<Suppressions> {
        self.current.load_full()
    }
}

/// A silence with who made it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SilenceRecord {
    pub(crate) silence: Silence,
    pub(crate) owner: String,
    pub(crate) reason: String,
    pub(crate) created_at: Timestamp,
    pub(crate) ended: Option<EndedEarly>,
    /// How many alerts it has held back.
    pub(crate) hid: u64,
    /// How many of them came and went without anybody outside hearing of them.
    pub(crate) unsaid: u64,
}

/// Who ended a silence early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct EndedEarly {
    pub(crate) by: String,
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    pub(crate) reason: Option<String>,
}

/// Why a silence cannot be ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndError {
    #[error("there is no such silence")]
    Unknown,
    #[error("it ended at {0}")]
    Over(Timestamp),
    /// It is not as the client saw it.
    #[error("it was changed meanwhile")]
    Changed(Box<crate::problem::Problem>),
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<rusqlite::Error> for EndError {
    fn from(error: rusqlite::Error) -> Self {
        Self::State(error.into())
    }
}

const COLUMNS: &str = "id, owner, reason, created_at, starts_at, ends_at, matches, weekly, \
                       ended_by, ended_at, ended_reason, hid, unsaid";

impl Silences {
    /// The silences of this database. Blocks shortly.
    pub fn open(state: Arc<StateDb>, now: Timestamp) -> Result<Self, StateError> {
        alerts::migrate(&state)?;
        let shelves = state.read(|conn| {
            let sql = "SELECT id, json_extract(shelf, '$.until') FROM alerts
                       WHERE shelf IS NOT NULL AND resolved_at IS NULL";
            let mut statement = conn.prepare(sql)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let rows = rows.collect::<Result<Vec<(String, String)>, _>>()?;
            let read = |(id, until): (String, String)| Some((id.into(), until.parse().ok()?));
            Ok::<Shelves, StateError>(rows.into_iter().filter_map(read).collect())
        })?;
        let current = ArcSwap::from_pointee(Suppressions { silences: Vec::new(), shelves });
        let silences = Self { state, current, one_writer: Mutex::new(()) };
        silences.hand_out(now)?;
        Ok(silences)
    }

    /// Keeps a new silence; it holds from now on.
    pub(crate) fn add(&self, record: &SilenceRecord) -> Result<(), StateError> {
        let _one = self.lock();
        let silence = &record.silence;
        let unwritable =
            |error: serde_json::Error| rusqlite::Error::ToSqlConversionFailure(error.into());
        let matches = serde_json::to_string(&silence.matches).map_err(unwritable)?;
        let weekly = silence.weekly.as_ref().map(serde_json::to_string).transpose();
        let weekly = weekly.map_err(unwritable)?;
        self.state.write(|tx| {
            tx.execute(
                "INSERT INTO silences (id, owner, reason, created_at, starts_at, ends_at, matches,
                                       weekly)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    &*silence.id,
                    record.owner,
                    record.reason,
                    record.created_at.micros(),
                    silence.starts_at.micros(),
                    silence.ends_at.micros(),
                    matches,
                    weekly,
                ],
            )?;
            let who = (record.owner.as_str(), record.created_at);
            let (kind, reason) = (AlertLogKind::SilenceCreated, Some(record.reason.as_str()));
            Ok::<_, StateError>(append_note(tx, kind, who, &silence.id, reason)?)
        })?;
        self.hand_out(record.created_at)
    }

    /// Ends a silence before its time; `check` looks at it before.
    pub(crate) fn end(
        &self,
        id: &str,
        ended: &EndedEarly,
        check: impl FnOnce(&SilenceRecord) -> crate::problem::Answer<()>,
    ) -> Result<SilenceRecord, EndError> {
        let _one = self.lock();
        let record = self.state.write(|tx| {
            let before = get(tx, id)?.ok_or(EndError::Unknown)?;
            check(&before).map_err(|problem| EndError::Changed(Box::new(problem)))?;
            if before.silence.state(ended.at) == SilenceState::Expired {
                return Err(EndError::Over(before.silence.ends_at));
            }
            tx.execute(
                "UPDATE silences SET ends_at = ?2, ended_by = ?3, ended_at = ?2, ended_reason = ?4
                 WHERE id = ?1",
                params![id, ended.at.micros(), ended.by, ended.reason],
            )?;
            let who = (ended.by.as_str(), ended.at);
            append_note(tx, AlertLogKind::SilenceEnded, who, id, ended.reason.as_deref())?;
            Ok(get(tx, id)?.unwrap_or(before))
        })?;
        self.hand_out(ended.at)?;
        Ok(record)
    }

    /// One silence.
    pub(crate) fn get(&self, id: &str) -> Result<Option<SilenceRecord>, StateError> {
        self.state.read(|conn| Ok(get(conn, id)?))
    }

    /// The silences in this state at `now`, or all.
    pub(crate) fn list(
        &self,
        state: Option<SilenceState>,
        now: Timestamp,
    ) -> Result<Vec<SilenceRecord>, StateError> {
        let when = match state {
            None => "?1 IS NOT NULL",
            Some(SilenceState::Expired) => "ends_at <= ?1",
            Some(_) => "ends_at > ?1",
        };
        let sql = format!("SELECT {COLUMNS} FROM silences WHERE {when} ORDER BY id");
        let mut found: Vec<SilenceRecord> = self.state.read(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let found = statement.query_map([now.micros()], read)?.collect::<Result<_, _>>()?;
            Ok::<_, StateError>(found)
        })?;
        // Whether one that recurs is active now is not for SQL to say.
        found.retain(|record| state.is_none_or(|state| record.silence.state(now) == state));
        Ok(found)
    }

    /// Notes until when an alert is shelved, if it is.
    pub(crate) fn set_shelf(&self, alert: &Arc<str>, until: Option<Timestamp>) {
        if self.current.load().shelves.get(alert).copied() == until {
            return;
        }
        let _one = self.lock();
        let mut next = Suppressions::clone(&self.current.load());
        match until {
            Some(until) => next.shelves.insert(alert.clone(), until),
            None => next.shelves.remove(alert),
        };
        self.current.store(Arc::new(next));
    }

    /// Notes all shelves.
    pub(crate) fn set_shelves(&self, shelves: Shelves) {
        let _one = self.lock();
        let silences = self.current.load().silences.clone();
        self.current.store(Arc::new(Suppressions { silences, shelves }));
    }

    /// Hands out what is not over.
    fn hand_out(&self, now: Timestamp) -> Result<(), StateError> {
        let silences = self.state.read(|conn| {
            let sql = format!("SELECT {COLUMNS} FROM silences WHERE ends_at > ?1 ORDER BY id");
            let mut statement = conn.prepare_cached(&sql)?;
            let rows = statement.query_map([now.micros()], read)?;
            let silence = |record: Result<SilenceRecord, _>| Ok(Arc::new(record?.silence));
            rows.map(silence).collect::<Result<Vec<_>, StateError>>()
        })?;
        let shelves = self.current.load().shelves.clone();
        self.current.store(Arc::new(Suppressions { silences, shelves }));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.one_writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn get(conn: &Connection, id: &str) -> rusqlite::Result<Option<SilenceRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM silences WHERE id = ?1");
    conn.prepare_cached(&sql)?.query_row([id], read).optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<SilenceRecord> {
    let time = |column| Ok::<_, rusqlite::Error>(Timestamp::from_micros(row.get(column)?));
    let unreadable = |column, error: serde_json::Error| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, kind, error.into())
    };
    let (id, matches): (String, String) = (row.get(0)?, row.get(6)?);
    let weekly: Option<String> = row.get(7)?;
    let weekly = weekly.map(|json| serde_json::from_str(&json)).transpose();
    let (by, at): (Option<String>, Option<i64>) = (row.get(8)?, row.get(9)?);
    let reason = row.get(10)?;
    let ended = by.zip(at);
    Ok(SilenceRecord {
        silence: Silence {
            id: id.into(),
            matches: serde_json::from_str(&matches).map_err(|error| unreadable(6, error))?,
            starts_at: time(4)?,
            ends_at: time(5)?,
            weekly: weekly.map_err(|error| unreadable(7, error))?,
        },
        owner: row.get(1)?,
        reason: row.get(2)?,
        created_at: time(3)?,
        ended: ended.map(|(by, at)| EndedEarly { by, at: Timestamp::from_micros(at), reason }),
        hid: row.get::<_, i64>(11)? as u64,
        unsaid: row.get::<_, i64>(12)? as u64,
    })
}
