//! After a restart: what receivers were told against what the evaluator knows.
//!
//! Normally the two are the same. They are not if the saved state could not be read, or if rules or
//! registry were changed while the program was down. Then nobody may be left with an alert that
//! never ends, and no event may get the key of another one.

use city_model::{Alert, AlertEvent, AlertEventKind, EndReason, Timestamp};
use rustc_hash::FxHashMap;

use super::slot::{Body, Slot};
use super::{Evaluator, alerts};

/// An alert that fires as far as receivers were told.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The number of its last event.
    pub seq: u32,
    /// The alert after that event.
    pub alert: Alert,
}

impl Evaluator {
    /// Brings what was told and what is known together. `out` gets the end of every alert that was
    /// told and does not fire, with the reason that `why` gives or what the rules say, and a step
    /// up or down where the severity is another one. Alerts that nobody was told of are forgotten:
    /// the next reading raises them.
    pub fn reconcile(
        &mut self,
        told: impl IntoIterator<Item = Told>,
        why: impl Fn(&Alert) -> Option<EndReason>,
        out: &mut Vec<AlertEvent>,
    ) {
        let now = self.clock;
        let mut told: FxHashMap<_, _> =
            told.into_iter().map(|told| (told.alert.id.clone(), told)).collect();
        let mut forgotten = false;
        for slot in self.slots.all_mut() {
            let Some(open) = slot.open.as_deref_mut() else { continue };
            let Some(alert) = &open.alert else { continue };
            if open.seq == 0 {
                // Of a silent rule: nobody is ever told.
                continue;
            }
            let Some(told) = told.remove(&alert.id) else {
                forget(slot, now);
                forgotten = true;
                continue;
            };
            open.seq = open.seq.max(told.seq);
            let (before, after) = (told.alert.severity, alert.severity);
            let kind = match after.cmp(&before) {
                std::cmp::Ordering::Equal => continue,
                std::cmp::Ordering::Greater => AlertEventKind::Escalated,
                std::cmp::Ordering::Less => AlertEventKind::Deescalated,
            };
            out.extend(alerts::next_event(open, kind, now, None));
        }
        let mut lost: Vec<Told> = told.into_values().collect();
        lost.sort_unstable_by(|a, b| a.alert.id.cmp(&b.alert.id));
        for Told { seq, mut alert } in lost {
            let reason = why(&alert).unwrap_or_else(|| self.reason(&alert));
            alert.resolved_at = Some(now.max(alert.fired_at));
            let seq = seq + 1;
            out.push(AlertEvent {
                key: format!("{}/{seq}", alert.id),
                seq,
                kind: AlertEventKind::Resolved,
                at: now,
                reason: Some(reason),
                alert,
            });
        }
        if forgotten {
            self.slots.reindex();
            self.tie_all(now, EndReason::StateLost, out);
            self.reschedule();
        }
    }

    /// Why an alert is not known any more.
    fn reason(&self, alert: &Alert) -> EndReason {
        match self.rules.get(&alert.rule.id) {
            None => EndReason::RuleRemoved,
            Some(rule) if rule.version != alert.rule.version => EndReason::RuleChanged,
            Some(_) => EndReason::StateLost,
        }
    }

    /// The alerts that fire as receivers were told of them, provided that they were.
    pub fn told(&self) -> impl Iterator<Item = Told> {
        let open = self.slots.all().iter().filter_map(|slot| slot.open.as_ref());
        open.filter(|open| open.seq > 0)
            .filter_map(|open| Some(Told { seq: open.seq, alert: open.alert.clone()? }))
    }
}

fn forget(slot: &mut Slot, now: Timestamp) {
    slot.open = None;
    if let Body::Silence(quiet) = &mut slot.body {
        quiet.silent = false;
        quiet.suppressed = false;
        quiet.armed = quiet.armed.max(now);
    }
}
