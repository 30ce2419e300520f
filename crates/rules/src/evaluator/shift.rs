//! Schedules in force: which rules may raise now, and what happens when that changes.
//!
//! While a rule is off schedule, slots whose condition holds stay open with what they last saw and
//! nothing pending; when it begins, they are judged by that.

use std::cmp::Reverse;

use city_model::{AlertEvent, EndReason, Span, Timestamp};
use rustc_hash::FxHashSet;

use super::slot::{Body, Evidence, Open, Slot, SlotId};
use super::trace::Decision;
use super::{Evaluator, alerts};
use crate::ladder::Verdict;
use crate::schedule::{Outside, Schedule, Shift};

/// Whether rules are on schedule, by their number; those without a schedule always are.
#[derive(Debug, Default)]
pub(super) struct Shifts(Vec<Option<Known>>);

/// What a schedule said at a time.
#[derive(Clone, Copy, Debug)]
struct Known {
    at: Timestamp,
    shift: Shift,
}

impl Known {
    fn of(schedule: &Schedule, at: Timestamp) -> Self {
        Self { at, shift: schedule.at(at) }
    }
}

impl Shifts {
    pub(super) fn is_off(&self, rule: u32) -> bool {
        let known = self.0.get(rule as usize).copied().flatten();
        known.is_some_and(|known| !known.shift.on)
    }
}

/// The number in the timers of the schedule of a rule. Slots never become so many.
fn timer_of(rule: u32) -> SlotId {
    SlotId::MAX - rule
}

impl Evaluator {
    /// The rule to whose schedule a timer belongs, if it is no slot's.
    pub(super) fn rule_of_timer(&self, id: SlotId) -> Option<u32> {
        let rule = SlotId::MAX - id;
        ((rule as usize) < self.shifts.0.len()).then_some(rule)
    }

    /// Looks up which rules are on schedule by the clock, where that is not known any more.
    pub(super) fn find_shifts(&mut self) {
        let now = self.clock;
        let rules = self.program.rules.iter().enumerate();
        let known = rules.map(|(rule, compiled)| {
            let schedule = compiled.rule.schedule.as_ref()?;
            let before = self.shifts.0.get(rule).copied().flatten();
            let still = before.filter(|known| known.at <= now && now < known.shift.until);
            Some(still.unwrap_or_else(|| Known::of(schedule, now)))
        });
        self.shifts.0 = known.collect();
    }

    /// Looks up which rules are on schedule by the clock, and when that is to be done again.
    pub(super) fn look_up_shifts(&mut self) {
        self.find_shifts();
        let known = self.shifts.0.iter().enumerate();
        let due = known.filter_map(|(rule, known)| Some(((*known)?.shift.until, rule as u32)));
        self.timers.extend(due.map(|(until, rule)| Reverse((until, timer_of(rule)))));
    }

    /// Serves the schedules of rules whose time has come.
    pub(super) fn change_shifts(
        &mut self,
        rules: impl IntoIterator<Item = u32>,
        now: Timestamp,
        out: &mut Vec<AlertEvent>,
    ) {
        let mut changed = Vec::new();
        for rule in rules {
            let schedule = self.program.rules[rule as usize].rule.schedule.as_ref();
            let Some(schedule) = schedule else { continue };
            let mut known = Known::of(schedule, now);
            // Time goes on, whatever a calendar says.
            known.shift.until = known.shift.until.max(now + Span::from_micros(1));
            self.timers.push(Reverse((known.shift.until, timer_of(rule))));
            let before = self.shifts.0[rule as usize].replace(known);
            if before.is_none_or(|before| before.shift.on != known.shift.on) {
                changed.push(rule);
            }
        }
        self.follow_shifts(&changed, now, out);
    }

    /// The rules, by their numbers now, that go on or off schedule with other rules or calendars.
    /// `before` is how it was with the old ones, `numbers` are the new numbers of these.
    pub(super) fn shifted(&self, before: &Shifts, numbers: &[Option<u32>]) -> Vec<u32> {
        let known = before.0.iter().zip(numbers);
        let changed = known.filter_map(|(before, number)| {
            let (before, number) = ((*before)?, (*number)?);
            (self.shifts.is_off(number) == before.shift.on).then_some(number)
        });
        changed.collect()
    }

    /// Lets slots follow rules that have just come on or gone off schedule.
    pub(super) fn follow_shifts(
        &mut self,
        rules: &[u32],
        now: Timestamp,
        out: &mut Vec<AlertEvent>,
    ) {
        if rules.is_empty() {
            return;
        }
        let rules: FxHashSet<u32> = rules.iter().copied().collect();
        let touched = |slot: &Slot| {
            rules.contains(&slot.rule)
                && (slot.open.is_some() || matches!(slot.body, Body::Silence(_)))
        };
        let slots = self.slots.all().iter().enumerate();
        let mut ids: Vec<SlotId> =
            slots.filter(|(_, slot)| touched(slot)).map(|(id, _)| id as SlotId).collect();
        ids.sort_unstable_by(|a, b| {
            let (a, b) = (self.slots.get(*a), self.slots.get(*b));
            (a.rule, &a.key).cmp(&(b.rule, &b.key))
        });
        for id in ids {
            if self.shifts.is_off(self.slots.get(id).rule) {
                self.note(id, || Decision::OffSchedule);
                self.go_off(id, now, out);
            } else {
                self.note(id, || Decision::OnSchedule);
                self.come_on(id, now, out);
            }
        }
    }

    fn go_off(&mut self, id: SlotId, now: Timestamp, out: &mut Vec<AlertEvent>) {
        let slot = self.slots.get_mut(id);
        let schedule = self.program.rules[slot.rule as usize].rule.schedule.as_ref();
        let ends = schedule.is_some_and(|schedule| schedule.outside == Outside::End);
        let Some(open) = slot.open.as_deref_mut() else { return };
        open.machine.pause();
        if ends && open.alert.is_some() {
            let told = open.seq > 0;
            out.extend(alerts::end(open, now, EndReason::OffSchedule));
            let holds = !open.machine.is_recovering();
            let evidence = std::mem::take(&mut open.evidence);
            slot.open = holds.then(|| Box::new(Open::waiting(now, evidence)));
            self.slots.firing -= usize::from(told);
            self.follow(id, Some(EndReason::OffSchedule), now, out);
        }
    }

    fn come_on(&mut self, id: SlotId, now: Timestamp, out: &mut Vec<AlertEvent>) {
        let slot = self.slots.get_mut(id);
        let rule = &self.program.rules[slot.rule as usize].rule;
        let fires = slot.fires();
        match &mut slot.body {
            Body::Silence(_) | Body::Gateway { .. } if fires => {}
            // What is silent off schedule is so with right.
            Body::Silence(quiet) => {
                quiet.arm_anew(now);
                slot.open = None;
                self.schedule(id);
            }
            Body::Gateway { .. } => slot.open = None,
            _ => {
                let Some(open) = slot.open.as_deref() else { return };
                if open.machine.is_recovering() {
                    return; // the last word was that it is over
                }
                let ladder = slot.own.as_deref().or(rule.ladder.as_ref());
                let verdict = match (ladder, open.evidence.value) {
                    (Some(ladder), Some(value)) => ladder.judge(value),
                    (Some(ladder), None) => ladder.all(),
                    (None, _) => Verdict::raise(rule.severity),
                };
                let evidence = open.evidence.clone();
                self.apply(id, now, now, verdict, evidence, out);
            }
        }
    }

    /// Gives a verdict to a slot whose rule is off schedule: it can clear, and keep what fires.
    pub(super) fn apply_off(
        &mut self,
        id: SlotId,
        now: Timestamp,
        verdict: Verdict,
        evidence: Evidence,
        out: &mut Vec<AlertEvent>,
    ) {
        let slot = self.slots.get_mut(id);
        let timing = self.program.rules[slot.rule as usize].timing;
        let open = slot.open(now);
        open.simulated |= evidence.simulated;
        open.evidence = evidence;
        let raised = verdict.raised & open.machine.firing();
        let change = open.machine.judge(now, Verdict { raised, ..verdict }, timing);
        self.settle(id, now, change, out);
        let slot = self.slots.get_mut(id);
        if verdict.raised == 0 {
            slot.forget_waiting();
        }
    }
}
