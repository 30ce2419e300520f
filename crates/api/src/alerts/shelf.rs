//! Shelving (ISA-18.2): one alert, one person, for a while, with a reason. It ends by itself.

use city_model::{Span, Timestamp};
use city_store::StateError;
use rusqlite::params;

use super::log_rows::{self, LogRow};
use super::tables;
use super::{AlertList, AlertLogKind, ChangeError, Shelf, Stored, unknown};

/// The longest that an alert may be put aside.
pub(crate) const LONGEST_SHELF: Span = Span::from_hours(24);

impl AlertList {
    /// Puts a firing alert aside.
    pub(crate) fn shelve(&self, id: &str, shelf: &Shelf) -> Result<Stored, ChangeError> {
        let changed = self.change(|| {
            self.state.write(|tx| {
                let before = tables::get(tx, id)?.ok_or_else(|| unknown(id))?;
                before.note_before();
                if let Some(at) = before.alert.resolved_at {
                    return Err(ChangeError::AlreadyResolved(at));
                }
                if let Some(earlier) = before.shelf.filter(|earlier| shelf.at < earlier.until) {
                    return Err(ChangeError::AlreadyShelved(earlier));
                }
                let json = serde_json::to_string(shelf).unwrap_or_default();
                tx.execute("UPDATE alerts SET shelf = ?2 WHERE id = ?1", params![id, json])?;
                let note = Some(shelf.reason.as_str());
                log_rows::person(tx, id, AlertLogKind::Shelved, &shelf.by, shelf.at, note)?;
                Ok(tables::get(tx, id)?)
            })
        })?;
        changed.ok_or_else(|| unknown(id))
    }

    /// Takes an alert from its shelf before its time.
    pub(crate) fn unshelve(
        &self,
        id: &str,
        by: &str,
        at: Timestamp,
        note: Option<&str>,
    ) -> Result<Stored, ChangeError> {
        let changed = self.change(|| {
            self.state.write(|tx| {
                let before = tables::get(tx, id)?.ok_or_else(|| unknown(id))?;
                before.note_before();
                if before.shelf.is_none() {
                    return Err(ChangeError::NotShelved);
                }
                tx.execute("UPDATE alerts SET shelf = NULL WHERE id = ?1", [id])?;
                log_rows::person(tx, id, AlertLogKind::Unshelved, by, at, note)?;
                Ok(tables::get(tx, id)?)
            })
        })?;
        changed.ok_or_else(|| unknown(id))
    }

    /// Takes down what has been aside for its time.
    pub(super) fn end_shelves(&self, now: Timestamp) -> Result<(), StateError> {
        let due = |(id, until)| (until <= now).then_some((id, until));
        for (id, until) in self.board.shelves().into_iter().filter_map(due) {
            let ended = self.change(|| {
                self.state.write(|tx| {
                    let shelf = tables::get(tx, &id)?.and_then(|before| before.shelf);
                    // Somebody may have taken it, or put it there anew, meanwhile.
                    if shelf.is_none_or(|shelf| shelf.until != until) {
                        return Ok::<_, StateError>(None);
                    }
                    tx.execute("UPDATE alerts SET shelf = NULL WHERE id = ?1", [&*id])?;
                    let row = LogRow::of(AlertLogKind::Unshelved, log_rows::BRAIN, until);
                    log_rows::append(tx, &id, &row)?;
                    tables::touch(tx, &id, until, 0)?;
                    tables::get(tx, &id)
                })
            })?;
            if ended.is_some() {
                tracing::debug!(alert.id = %id, "an alert is no longer shelved");
            }
        }
        Ok(())
    }
}
