//! Assigning, accepting, handing over and returning alerts, and what happens when a deadline of
//! these is missed.

use city_model::{AlertEvent, AlertEventKind, LocalText, Timestamp};
use city_rules::lifecycle::{Act, Handling, Stage};
use city_store::StateError;
use rusqlite::{Transaction, params};
use serde::Serialize;
use utoipa::ToSchema;

use super::log_rows::{self, LogRow};
use super::tables;
use super::{AlertList, AlertLogKind, ChangeError, Stored, unknown};
use crate::problem::Answer;

/// What somebody does with an alert.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    pub(crate) act: Act,
    pub(crate) by: String,
    pub(crate) at: Timestamp,
    pub(crate) note: Option<String>,
}

/// How far an alert is on its way through hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HandlingStage {
    Unassigned,
    Assigned,
    Accepted,
    HandedOver,
}

/// Who takes care of an alert.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Handling)]
pub(crate) struct HandlingView {
    stage: HandlingStage,
    /// Who was asked or has accepted it.
    who: Option<String>,
    /// The department that was asked.
    department: Option<String>,
    /// The department that has it: the last one that accepted it; `null` for that of the rule.
    holder: Option<String>,
    /// Until when they must accept it, or be done with it.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Whether they have not.
    overdue: bool,
    /// How many deadlines were missed in all.
    overdue_count: u32,
    /// How many times it was handed over.
    step: u32,
    /// To whom it goes when it is returned.
    from: Option<String>,
}

impl HandlingView {
    pub(super) fn new(handling: &Handling) -> Self {
        let who = || handling.due_from().map(str::to_owned);
        let (stage, who, department) = match handling.stage() {
            Stage::Unassigned => (HandlingStage::Unassigned, None, None),
            Stage::Assigned { .. } => (HandlingStage::Assigned, who(), None),
            Stage::Accepted { .. } => (HandlingStage::Accepted, who(), None),
            Stage::HandedOver { .. } => (HandlingStage::HandedOver, None, who()),
        };
        Self {
            stage,
            who,
            department,
            holder: handling.holder().map(str::to_owned),
            until: handling.until(),
            overdue: handling.is_overdue(),
            overdue_count: handling.overdue(),
            step: handling.step(),
            from: handling.giver().map(str::to_owned),
        }
    }
}

impl AlertList {
    /// Does something with a firing alert; `check` looks at it before.
    pub(crate) fn handle(
        &self,
        id: &str,
        deed: &Deed,
        check: impl FnOnce(&Stored) -> Answer<()>,
    ) -> Result<Stored, ChangeError> {
        // Who comes too late must be too late also if nobody has looked at the clock yet.
        self.serve_deadlines(deed.at)?;
        let changed = self.change(|| {
            self.state.write(|tx| {
                let before = tables::get(tx, id)?.ok_or_else(|| unknown(id))?;
                before.note_before();
                if let Some(at) = before.alert.resolved_at {
                    return Err(ChangeError::AlreadyResolved(at));
                }
                check(&before).map_err(|problem| ChangeError::Seen(Box::new(problem)))?;
                let mut handling = before.handling;
                handling.act(deed.at, deed.act.clone()).map_err(ChangeError::Refused)?;
                save(tx, id, &handling)?;
                let kind = match deed.act {
                    Act::Assign { .. } => AlertLogKind::Assigned,
                    Act::Accept { .. } => AlertLogKind::Accepted,
                    Act::HandOver { .. } => AlertLogKind::HandedOver,
                    Act::Return { .. } => AlertLogKind::Returned,
                };
                let row = LogRow {
                    note: deed.note.as_deref(),
                    about: handling.due_from(),
                    ..LogRow::of(kind, &deed.by, deed.at)
                };
                log_rows::append(tx, id, &row)?;
                tables::touch(tx, id, deed.at, 0)?;
                Ok(tables::get(tx, id)?)
            })
        })?;
        changed.ok_or_else(|| unknown(id))
    }

    /// Escalates what was not done in time: into the log, and to receivers outside.
    pub(super) fn serve_deadlines(&self, now: Timestamp) -> Result<(), StateError> {
        for id in self.board.overdue(now) {
            let _one = self.lock();
            let Some(stored) = self.state.read(|conn| tables::get(conn, &id))? else { continue };
            let mut handling = stored.handling.clone();
            if !handling.advance(now) {
                continue;
            }
            // Told before it is noted: after a crash in between it is told again, under the same key.
            if let Err(error) = self.holds.notices.tell(&notice(&stored, &handling)) {
                tracing::error!(
                    alert.id = %id,
                    error,
                    "nobody can be told of a missed deadline; it is tried again"
                );
                continue;
            }
            let at = handling.until().unwrap_or(now);
            let changed = self.state.write(|tx| {
                save(tx, &id, &handling)?;
                let about = handling.due_from();
                let row =
                    LogRow { about, ..LogRow::of(AlertLogKind::Overdue, log_rows::BRAIN, at) };
                log_rows::append(tx, &id, &row)?;
                tables::touch(tx, &id, at, 0)?;
                tables::get(tx, &id)
            })?;
            if let Some(stored) = changed {
                self.tell(&stored);
            }
        }
        Ok(())
    }
}

/// Takes the deadlines from an alert that has ended.
pub(super) fn close(tx: &Transaction<'_>, id: &str) -> Result<(), StateError> {
    let Some(stored) = tables::get(tx, id)? else { return Ok(()) };
    if stored.handling == Handling::default() {
        return Ok(());
    }
    let mut handling = stored.handling;
    handling.close();
    Ok(save(tx, id, &handling)?)
}

fn save(tx: &Transaction<'_>, id: &str, handling: &Handling) -> rusqlite::Result<()> {
    let json = serde_json::to_string(handling).unwrap_or_default();
    tx.execute("UPDATE alerts SET handling = ?2 WHERE id = ?1", params![id, json])?;
    Ok(())
}

/// What receivers outside are told of a missed deadline.
fn notice(stored: &Stored, handling: &Handling) -> AlertEvent {
    let mut alert = stored.alert.clone();
    let who = handling.due_from().unwrap_or_default();
    let at = handling.until().unwrap_or(stored.updated_at);
    let (en, zh) = match handling.stage() {
        Stage::Accepted { .. } => ("should be done with it", "应完成处置"),
        _ => ("should have accepted it", "应接受处置"),
    };
    alert.summary = LocalText::new(
        format!("{who} {en} by {at}: {}", alert.summary.en),
        format!("{who} {zh}，期限 {at}：{}", alert.summary.zh),
    );
    let count = handling.overdue();
    AlertEvent {
        reason: None,
        key: format!("{}/h{count}", alert.id),
        // It follows what was told before.
        seq: count + 1,
        kind: AlertEventKind::Overdue,
        at,
        alert,
    }
}
