//! Deadlines: when slots wake without a reading, and what they do then.

use std::cmp::Reverse;

use city_model::{AlertEvent, Timestamp};

use super::Evaluator;
use super::slot::{Body, SlotId};
use super::ties::timing_of;

impl Evaluator {
    pub(super) fn serve_deadlines(&mut self, at: Timestamp, out: &mut Vec<AlertEvent>) {
        let mut due = std::mem::take(&mut self.due);
        let mut shifts = Vec::new();
        while let Some(Reverse((next, id))) = self.timers.peek().copied() {
            if next != at {
                break;
            }
            self.timers.pop();
            if let Some(rule) = self.rule_of_timer(id) {
                shifts.push(rule);
                continue;
            }
            let slot = self.slots.get_mut(id);
            // Others are wake-ups that an earlier one has replaced.
            if slot.timer == Some(at) {
                slot.timer = None;
                due.push(id);
            }
        }
        // Who may raise is settled before anything is.
        shifts.sort_unstable();
        self.change_shifts(shifts, self.clock, out);
        let slots = &self.slots;
        due.sort_unstable_by(|a, b| {
            let (a, b) = (slots.get(*a), slots.get(*b));
            (a.rule, &a.key).cmp(&(b.rule, &b.key))
        });
        for id in due.drain(..) {
            self.wake(id, self.clock, out);
        }
        self.due = due;
    }

    pub(super) fn wake(&mut self, id: SlotId, now: Timestamp, out: &mut Vec<AlertEvent>) {
        let slot = self.slots.get_mut(id);
        let timing = timing_of(self.program.rules[slot.rule as usize].timing, slot.held);
        if let Some(open) = &mut slot.open {
            if self.shifts.is_off(slot.rule) {
                open.machine.pause();
            }
            let change = open.machine.advance(now, timing);
            self.settle(id, now, change, out);
        }
        match &self.slots.get(id).body {
            Body::Silence(quiet) if !quiet.silent && quiet.deadline() <= now => {
                self.fall_silent(id, now, out);
            }
            Body::Zone(members) if members.dirty && members.next.is_none_or(|next| next <= now) => {
                self.judge_zone(id, now, out);
            }
            Body::Device(whole) if whole.memory.deadline().is_some_and(|due| due <= now) => {
                self.wake_device(id, now, out);
            }
            _ => {}
        }
        self.schedule(id);
    }

    /// Sees to it that a slot wakes in time.
    pub(super) fn schedule(&mut self, id: SlotId) {
        let slot = self.slots.get_mut(id);
        let Some(wanted) = slot.deadline(&self.program) else { return };
        if slot.timer.is_none_or(|timer| wanted < timer) {
            slot.timer = Some(wanted);
            self.timers.push(Reverse((wanted, id)));
        }
    }

    /// Sets all wake-ups anew.
    pub(super) fn reschedule(&mut self) {
        self.timers.clear();
        self.look_up_shifts();
        for id in 0..self.slots.all().len() as SlotId {
            self.slots.get_mut(id).timer = None;
            self.schedule(id);
        }
    }
}
