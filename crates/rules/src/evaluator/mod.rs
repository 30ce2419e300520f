//! The evaluator: readings and time in, alert events out. Live, in backtests and in rule tests.
//!
//! A reading costs what the rules that select its series cost: who selects a series is looked up
//! once and kept until rules or directory change. Deadlines lie in a heap, each slot with one
//! wake-up at most that may come early and is then put off; slots that wake at the same instant
//! are served in the order of rules and subjects, so that nothing depends on history.

mod alerts;
mod device;
mod index;
mod judge;
mod late;
mod program;
mod reconcile;
mod reload;
mod series;
mod setback;
mod shift;
mod silence;
mod slot;
mod snapshot;
mod stats;
mod ties;
mod timers;
mod trace;
mod zone;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use city_model::{Alert, AlertEvent, AlertEventKind, Directory, Marks, Reading, Timestamp};

use self::program::Program;
use self::reload::Scope;
use self::series::{Subscription, Table, Target};
use self::shift::Shifts;
use self::slot::{Body, Evidence, SlotId, Slots};
use self::snapshot::Begun;
use self::stats::Counters;
use self::ties::{Ties, timing_of};
use self::trace::Tracer;
use crate::ladder::Verdict;
use crate::rule::RuleSet;

pub use reconcile::Told;
pub use reload::{Ended, ReloadReport};
pub use snapshot::Snapshot;
pub use stats::{LateDecision, LateLog, LateReading, Stats};
pub use trace::{Decision, NearMiss, Seen, Standing, Step, Trace};

/// Evaluates rules on readings under virtual time.
#[derive(Debug)]
pub struct Evaluator {
    rules: Arc<RuleSet>,
    directory: Arc<Directory>,
    program: Program,
    clock: Timestamp,
    series: Table,
    slots: Slots,
    ties: Ties,
    timers: BinaryHeap<Reverse<(Timestamp, SlotId)>>,
    shifts: Shifts,
    counters: Counters,
    tracer: Option<Box<Tracer>>,
    /// What goes with the slots that a snapshot is being taken of.
    begun: Option<Begun>,
    /// Reused buffers.
    due: Vec<SlotId>,
    values: Vec<f64>,
}

impl Evaluator {
    /// An evaluator without history, whose clock stands at `now`. Devices that must be heard are
    /// counted as known from `now` on.
    pub fn new(rules: Arc<RuleSet>, directory: Arc<Directory>, now: Timestamp) -> Self {
        let mut evaluator = Self {
            program: Program::new(&rules, &directory),
            rules,
            directory,
            clock: now,
            series: Table::default(),
            slots: Slots::default(),
            ties: Ties::default(),
            timers: BinaryHeap::new(),
            shifts: Shifts::default(),
            counters: Counters::default(),
            tracer: None,
            begun: None,
            due: Vec::new(),
            values: Vec::new(),
        };
        evaluator.watch_silence(now, &Scope::All);
        evaluator.reschedule();
        evaluator
    }

    /// Takes a reading; the clock moves on to its received time and never back.
    ///
    /// Retained readings, readings from the future and duplicates are no news: they are counted and
    /// decide nothing (a reading from the future still is a sign of life). Readings older than the
    /// newest one of their series count in windows and zones alone.
    pub fn observe(&mut self, reading: &Reading, out: &mut Vec<AlertEvent>) {
        self.advance(self.clock.max(reading.received), out);
        self.counters.stats.readings += 1;
        let index = self.series.find_or_add(reading.series);
        if self.series.entries[index].plan.is_none() {
            self.plan(index);
        }
        let count = self.series.entries[index].plan.as_ref().map_or(0, |plan| plan.len());
        self.trace_reading(reading, Some(index));
        if !self.is_news(reading, index, count, out) {
            self.trace_reading(reading, None);
            return;
        }
        let number = reading.value.as_f64();
        let mut tally = Tally::default();
        for at in 0..count {
            // The plan stays where it is while its slots are served; each line of it is copied.
            let Some(&subscription) =
                self.series.entries[index].plan.as_ref().and_then(|plan| plan.get(at))
            else {
                break;
            };
            self.serve(subscription, reading, number, &mut tally, out);
        }
        self.count(reading, &tally);
        self.trace_reading(reading, None);
    }

    /// Moves the clock on to `now` and serves all deadlines up to then, each at its own time.
    /// Does nothing if `now` is not after the clock, except for deadlines that are due.
    pub fn advance(&mut self, now: Timestamp, out: &mut Vec<AlertEvent>) {
        while let Some(Reverse((at, _))) = self.timers.peek().copied() {
            if at > now {
                break;
            }
            self.clock = self.clock.max(at);
            self.serve_deadlines(at, out);
        }
        self.clock = self.clock.max(now);
    }

    /// When [`Evaluator::advance`] should be called next. May be earlier than anything happens,
    /// is never later.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.timers.peek().map(|Reverse((at, _))| *at)
    }

    /// The time up to which everything has been evaluated.
    pub fn clock(&self) -> Timestamp {
        self.clock
    }

    /// The rules in force.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// The directory in force.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// The alerts that fire, as they were at their last event; in no particular order.
    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        let told = self.slots.all().iter().filter_map(|slot| slot.open.as_ref());
        told.filter(|open| open.seq > 0).filter_map(|open| open.alert.as_ref())
    }

    /// How many alerts fire; costs nothing.
    pub fn firing_count(&self) -> usize {
        self.slots.firing
    }

    /// What became of the readings, and how much state there is.
    pub fn stats(&self) -> Stats {
        let (slots, series) = (self.slots.all().len(), self.series.entries.len());
        self.counters.report(slots, series, self.slots.firing)
    }

    /// What was decided about late readings; it goes on being written.
    pub fn late_log(&self) -> LateLog {
        self.counters.late.clone()
    }

    /// Lets silences count from `now`, after a time in which nothing could be received (the
    /// process was down): that nobody was heard then says nothing about the devices.
    pub fn resume(&mut self, now: Timestamp) {
        for slot in self.slots.all_mut() {
            if let Body::Silence(quiet) = &mut slot.body
                && !quiet.silent
            {
                quiet.armed = quiet.armed.max(now);
            }
        }
        self.reschedule();
    }

    /// Counts readings that are no news; those of a series that nobody selects are none either.
    fn is_news(
        &mut self,
        reading: &Reading,
        index: usize,
        rules: usize,
        out: &mut Vec<AlertEvent>,
    ) -> bool {
        let stats = &mut self.counters.stats;
        if rules == 0 {
            stats.unselected += 1;
            return false;
        }
        if reading.marks.has(Marks::RETAINED) {
            stats.retained += 1;
            self.note_reading(None, Decision::Retained);
            return false;
        }
        if reading.marks.has(Marks::FUTURE) {
            stats.future += 1;
            self.note_reading(None, Decision::Future);
            self.hear_all(reading, index, out);
            return false;
        }
        let newest = &mut self.series.entries[index].newest;
        match *newest {
            Some(newest) if newest == reading.time => {
                stats.duplicate += 1;
                self.note_reading(None, Decision::Duplicate);
            }
            Some(newest) if newest > reading.time => self.take_late(reading, index, newest, out),
            _ => {
                *newest = Some(reading.time);
                return true;
            }
        }
        false
    }

    fn hear_all(&mut self, reading: &Reading, index: usize, out: &mut Vec<AlertEvent>) {
        let plan = self.series.entries[index].plan.clone().unwrap_or_default();
        for subscription in &plan {
            if let Target::Silence { slot } = subscription.target {
                self.hear(slot, reading, subscription.simulated, out);
            }
        }
    }

    fn serve(
        &mut self,
        subscription: Subscription,
        reading: &Reading,
        number: Option<f64>,
        tally: &mut Tally,
        out: &mut Vec<AlertEvent>,
    ) {
        let hot = subscription.hot;
        // By the clock, which is never before the received time: a dead letter that is replayed after
        // its cause was mended was received long ago, and is late.
        let lateness = self.clock.since(reading.time);
        if hot.is_late(lateness) {
            tally.late += 1;
            tally.first_late.get_or_insert(subscription.rule);
            self.note_reading(Some(subscription.rule), Decision::Late { by: lateness });
            return;
        }
        if !hot.trust.has(reading.quality) {
            tally.untrusted += 1;
            let flag = reading.quality;
            self.note_reading(Some(subscription.rule), Decision::Untrusted { flag });
            return;
        }
        match (subscription.target, number) {
            (Target::Silence { slot }, _) => self.hear(slot, reading, subscription.simulated, out),
            (Target::NoLimit, _) => {
                tally.without_limit += 1;
                self.note_reading(Some(subscription.rule), Decision::NoLimit);
                return;
            }
            (_, None) if !hot.takes_text => {
                tally.not_numeric += 1;
                self.note_reading(Some(subscription.rule), Decision::NotNumeric);
                return;
            }
            (Target::Series { slot, roams }, value) => {
                self.judge_series(slot, roams, reading, value, &subscription, out);
            }
            (Target::Device { slot, place, roams }, _) => {
                let at = device::At { slot, place, roams, simulated: subscription.simulated };
                self.judge_device(at, reading, out);
            }
            (Target::Zone { .. }, None) => {}
            (Target::Zone { link }, Some(value)) => {
                self.judge_zones(link, subscription, reading, value, out);
            }
        }
        tally.evaluated += 1;
    }

    fn count(&mut self, reading: &Reading, tally: &Tally) {
        let stats = &mut self.counters.stats;
        stats.evaluations += u64::from(tally.evaluated);
        match tally {
            Tally { evaluated: 1.., .. } => stats.evaluated += 1,
            Tally { late: 1.., .. } => stats.late += 1,
            Tally { untrusted: 1.., .. } => stats.untrusted += 1,
            Tally { without_limit: 1.., .. } => stats.without_limit += 1,
            _ => stats.not_numeric += 1,
        }
        if let Some(rule) = tally.first_late {
            let rule = self.program.rules[rule as usize].rule.id.clone();
            self.counters.remember(LateReading {
                series: reading.series,
                time: reading.time,
                received: reading.received,
                decision: LateDecision::Backfill { rule, rules: tally.late },
            });
        }
    }

    /// Gives a verdict to a slot. `since` is when what it says began.
    fn apply(
        &mut self,
        id: SlotId,
        now: Timestamp,
        since: Timestamp,
        verdict: Verdict,
        evidence: Evidence,
        out: &mut Vec<AlertEvent>,
    ) {
        let slot = self.slots.get(id);
        if slot.open.is_none() && verdict.raised == 0 {
            return;
        }
        if self.shifts.is_off(slot.rule) {
            if verdict.raised != 0 {
                self.note(id, || Decision::OffSchedule);
            }
            return self.apply_off(id, now, verdict, evidence, out);
        }
        let held = verdict.raised != 0 && !slot.fires() && self.is_suppressed(slot.rule, &slot.key);
        self.counters.stats.suppressed += u64::from(held);
        if held {
            self.note_held(id);
        }
        let slot = self.slots.get_mut(id);
        slot.forget_waiting();
        if slot.open.is_none() && verdict.raised == 0 {
            return;
        }
        slot.held = held;
        let timing = timing_of(self.program.rules[slot.rule as usize].timing, held);
        let open = slot.open(since);
        open.simulated |= evidence.simulated;
        open.evidence = evidence;
        let change = open.machine.judge(now, verdict, timing);
        self.settle(id, now, change, out);
    }

    /// Records a change and sets the next wake-up.
    fn settle(
        &mut self,
        id: SlotId,
        now: Timestamp,
        change: Option<AlertEventKind>,
        out: &mut Vec<AlertEvent>,
    ) {
        let slot = self.slots.get_mut(id);
        let (fired, held) = (slot.is_told(), slot.held);
        if let Some(kind) = change {
            let compiled = &self.program.rules[slot.rule as usize];
            let event = alerts::record(slot, compiled, &self.directory, kind, now);
            out.extend(event.filter(|_| !compiled.rule.silent));
        }
        // Off schedule, slots whose condition holds are open without anything pending.
        if !self.shifts.is_off(slot.rule) || change == Some(AlertEventKind::Resolved) {
            slot.forget_waiting();
        }
        let fires = slot.is_told();
        self.note_change(id, now, change);
        self.slots.firing = self.slots.firing + usize::from(fires) - usize::from(fired);
        let let_go = held && self.slots.get(id).open.is_none();
        if change == Some(AlertEventKind::Resolved) || let_go {
            self.release_members(id, now);
        }
        if change.is_some() {
            self.follow(id, None, now, out);
        }
        self.schedule(id);
    }
}

/// What the rules that select a reading did with it.
#[derive(Debug, Default)]
struct Tally {
    evaluated: u32,
    late: u32,
    untrusted: u32,
    without_limit: u32,
    not_numeric: u32,
    first_late: Option<u32>,
}

#[cfg(test)]
mod tests;
