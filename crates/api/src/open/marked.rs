//! Where datasets are kept: in the state database, and in memory for those who ask.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use city_model::Timestamp;
use city_registry::tag;
use city_store::{StateDb, StateError};
use rusqlite::params;

use super::dataset::Dataset;
use crate::problem::Answer;

const STEPS: &[&str] = &["CREATE TABLE datasets (
        id TEXT PRIMARY KEY,
        document TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        updated_by TEXT NOT NULL
    ) STRICT"];

/// A dataset as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) dataset: Dataset,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) updated_by: String,
}

impl Kept {
    /// Its tag: the same exactly as long as it is.
    pub(crate) fn tag(&self) -> String {
        tag(&self.dataset)
    }
}

/// All datasets at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    /// Counts up with every change.
    pub(crate) generation: u64,
    pub(crate) datasets: BTreeMap<String, Arc<Kept>>,
}

/// The datasets of a city.
pub(crate) struct Marked {
    state: Arc<StateDb>,
    current: ArcSwap<Snapshot>,
    /// Held over a change of the database and of what is handed out.
    one_writer: Mutex<()>,
}

impl Marked {
    /// The datasets of this database. Blocks shortly.
    pub(crate) fn open(state: Arc<StateDb>) -> Result<Self, StateError> {
        state.migrate("datasets", STEPS)?;
        let rows = state.read(|conn| {
            let sql = "SELECT document, created_at, updated_at, updated_by FROM datasets";
            let mut statement = conn.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                let text: String = row.get(0)?;
                let dataset = serde_json::from_str(&text).map_err(|error| {
                    let kind = rusqlite::types::Type::Text;
                    rusqlite::Error::FromSqlConversionFailure(0, kind, error.into())
                })?;
                Ok(Kept {
                    dataset,
                    created_at: Timestamp::from_micros(row.get(1)?),
                    updated_at: Timestamp::from_micros(row.get(2)?),
                    updated_by: row.get(3)?,
                })
            })?;
            Ok::<_, StateError>(rows.collect::<Result<Vec<_>, _>>()?)
        })?;
        let datasets = rows.into_iter().map(|kept| (kept.dataset.id.clone(), Arc::new(kept)));
        let current = Snapshot { generation: 0, datasets: datasets.collect() };
        Ok(Self { state, current: ArcSwap::from_pointee(current), one_writer: Mutex::new(()) })
    }

    /// All of them now.
    pub(crate) fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Puts a dataset in the place of the one with its id; `change` gets that one and can refuse.
    /// Says whether it is new. It holds from when this returns. Blocks.
    pub(crate) fn change(
        &self,
        id: &str,
        (by, now): (&str, Timestamp),
        change: impl FnOnce(Option<&Kept>) -> Answer<Dataset>,
    ) -> Answer<(Arc<Kept>, bool)> {
        let _one = self.one_writer.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current();
        let before = current.datasets.get(id);
        let dataset = change(before.map(|kept| &**kept))?;
        let created_at = before.map_or(now, |kept| kept.created_at);
        let kept = Kept { dataset, created_at, updated_at: now, updated_by: by.to_owned() };
        let document = serde_json::to_string(&kept.dataset)
            .map_err(|error| crate::problem::Problem::internal(&error))?;
        self.state.write(|tx| {
            let sql = "INSERT INTO datasets (id, document, created_at, updated_at, updated_by)
                       VALUES (?1, ?2, ?3, ?4, ?5)
                       ON CONFLICT (id) DO UPDATE SET document = excluded.document,
                           updated_at = excluded.updated_at, updated_by = excluded.updated_by";
            tx.execute(sql, params![id, document, created_at.micros(), now.micros(), by])?;
            Ok::<_, StateError>(())
        })?;
        let new = before.is_none();
        let kept = Arc::new(kept);
        let mut next = (*current).clone();
        next.datasets.insert(id.to_owned(), kept.clone());
        self.hand_out(next);
        Ok((kept, new))
    }

    /// Forgets a dataset; `check` gets it and can refuse. `false` if there is none. Blocks.
    pub(crate) fn remove(&self, id: &str, check: impl FnOnce(&Kept) -> Answer<()>) -> Answer<bool> {
        let _one = self.one_writer.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.current();
        let Some(kept) = current.datasets.get(id) else { return Ok(false) };
        check(kept)?;
        self.state.write(|tx| {
            tx.execute("DELETE FROM datasets WHERE id = ?1", [id])?;
            Ok::<_, StateError>(())
        })?;
        let mut next = (*current).clone();
        next.datasets.remove(id);
        self.hand_out(next);
        Ok(true)
    }

    fn hand_out(&self, mut next: Snapshot) {
        next.generation += 1;
        self.current.store(Arc::new(next));
    }
}
