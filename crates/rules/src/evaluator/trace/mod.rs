//! What is decided about one subject of one rule, step by step, for those who ask why an alert
//! fired and why it did not. Nothing is traced live: without a tracer a step costs one branch.

mod step;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use city_model::{
    AlertEventKind, Directory, Quality, Reading, SeriesKey, Severity, Subject, Timestamp,
};

use super::Evaluator;
use super::series::Subscription;
use super::slot::{Body, Slot, SlotId, SubjectKey};
use super::ties::timing_of;
use crate::kinds::Composite;
use crate::state::Level;

pub use step::{Decision, NearMiss, Seen, Standing, Step, Trace};

/// Steps that are kept, the newest ones.
const KEPT: usize = 2_000;

/// Takes the steps down.
#[derive(Debug)]
pub(super) struct Tracer {
    rule: u32,
    /// A gateway that is registered has two.
    keys: Vec<SubjectKey>,
    /// The reading that is served, if it is about the subject.
    seen: Option<Seen>,
    steps: VecDeque<Step>,
    dropped: u64,
    counts: BTreeMap<&'static str, u64>,
    untrusted: BTreeMap<Quality, u64>,
    nearest: Option<NearMiss>,
    ceased: Option<(Timestamp, Timestamp)>,
    pending: Option<(Timestamp, Timestamp)>,
    recovering: Option<Timestamp>,
}

impl Tracer {
    fn is_about(&self, reading: &Reading, directory: &Directory) -> bool {
        self.keys.iter().any(|key| match key {
            SubjectKey::Series(series) => *series == reading.series,
            SubjectKey::Device(device) => *device == reading.series.device,
            SubjectKey::Zone(zone) => {
                directory.zone_by_id(zone).is_some_and(|zone| reading.zones.contains(&zone.key))
            }
            SubjectKey::Gateway(_) => false,
        })
    }

    fn takes(&self, rule: u32, key: &SubjectKey) -> bool {
        self.rule == rule && self.keys.contains(key)
    }

    fn push(&mut self, at: Timestamp, decision: Decision) {
        *self.counts.entry(decision.name()).or_default() += 1;
        match &decision {
            Decision::Untrusted { flag } => *self.untrusted.entry(*flag).or_default() += 1,
            Decision::Judged { value: Some(value), limit: Some(limit), raised: None, .. } => {
                let is_nearer =
                    |known: NearMiss| (limit - value).abs() <= (known.limit - known.value).abs();
                if value.is_finite() && self.nearest.is_none_or(is_nearer) {
                    self.nearest = Some(NearMiss { value: *value, limit: *limit, at });
                }
            }
            Decision::Changed(AlertEventKind::Resolved) => self.nearest = None,
            Decision::Ceased { since } => self.ceased = Some((*since, at)),
            _ => {}
        }
        if self.steps.len() == KEPT {
            self.steps.pop_front();
            self.dropped += 1;
        }
        self.steps.push_back(Step { at, reading: self.seen.clone(), decision });
    }
}

/// Takes down what was decided about a slot.
pub(super) fn note(
    tracer: &mut Option<Box<Tracer>>,
    (rule, key): (u32, &SubjectKey),
    at: Timestamp,
    decision: impl FnOnce() -> Decision,
) {
    if let Some(tracer) = tracer
        && tracer.takes(rule, key)
    {
        tracer.push(at, decision());
    }
}

impl Evaluator {
    /// Takes down from now on what is decided about a subject of a rule. `false` if there is no
    /// such rule or subject. For runs over history: with other rules or another directory the
    /// trace is worth nothing.
    pub fn trace(&mut self, rule: &str, subject: &Subject) -> bool {
        let Some(rule) = self.rules.position(rule) else { return false };
        let directory = &self.directory;
        let device = |id: &Arc<str>| directory.device_by_id(id).map(|device| device.key);
        let keys: Vec<SubjectKey> = match subject {
            Subject::Series { device: id, metric } => device(id)
                .zip(directory.metrics.by_id(metric))
                .map(|(device, metric)| {
                    SubjectKey::Series(SeriesKey { device, metric: metric.key })
                })
                .into_iter()
                .collect(),
            Subject::Device { device: id } => device(id)
                .map(SubjectKey::Device)
                .into_iter()
                .chain([SubjectKey::Gateway(id.clone())])
                .collect(),
            Subject::Zone { zone } => vec![SubjectKey::Zone(zone.clone())],
        };
        let found = !keys.is_empty();
        self.tracer = found.then(|| {
            Box::new(Tracer {
                rule: rule as u32,
                keys,
                seen: None,
                steps: VecDeque::new(),
                dropped: 0,
                counts: BTreeMap::new(),
                untrusted: BTreeMap::new(),
                nearest: None,
                ceased: None,
                pending: None,
                recovering: None,
            })
        });
        found
    }

    /// What was taken down since [`Evaluator::trace`], and how it stands by the clock.
    pub fn traced(&mut self) -> Option<Trace> {
        let tracer = self.tracer.take()?;
        let slots = tracer.keys.iter().filter_map(|key| self.slots.find(tracer.rule, key));
        let standing = slots.map(|id| self.standing(self.slots.get(id)));
        let worst = standing.max_by_key(|standing| match standing {
            Standing::Clear => 0,
            Standing::Heard { .. } => 1,
            Standing::HeldBack => 2,
            Standing::Pending { .. } => 3,
            Standing::Firing { .. } => 4,
        });
        let Tracer { steps, dropped, counts, untrusted, nearest, ceased, .. } = *tracer;
        Some(Trace {
            steps: steps.into(),
            dropped,
            counts,
            untrusted,
            nearest,
            ceased,
            standing: worst.unwrap_or(Standing::Clear),
        })
    }

    fn standing(&self, slot: &Slot) -> Standing {
        if let Body::Silence(quiet) = &slot.body
            && slot.open.is_none()
        {
            return match quiet.time {
                _ if quiet.suppressed => Standing::HeldBack,
                Some(_) if !quiet.silent => {
                    Standing::Heard { at: quiet.armed, until: quiet.deadline() }
                }
                _ => Standing::Clear,
            };
        }
        let Some(open) = &slot.open else { return Standing::Clear };
        let timing = self.program.rules[slot.rule as usize].timing;
        let deadline = open.machine.next_deadline(timing);
        if let Some(alert) = &open.alert {
            let until = deadline.filter(|_| open.machine.is_recovering());
            return Standing::Firing { alert: Box::new(alert.clone()), until };
        }
        match deadline {
            Some(until) if !slot.held => Standing::Pending { since: open.started, until },
            _ => Standing::HeldBack,
        }
    }

    /// Looks whether a reading is about what is traced.
    pub(super) fn trace_reading(&mut self, reading: &Reading, plan: Option<usize>) {
        let Some(tracer) = &mut self.tracer else { return };
        let plan = plan.and_then(|index| self.series.entries[index].plan.as_deref());
        let selected = |plan: &[Subscription]| plan.iter().any(|line| line.rule == tracer.rule);
        let is_it = plan.is_some_and(selected) && tracer.is_about(reading, &self.directory);
        tracer.seen = is_it.then(|| Seen {
            series: reading.series,
            time: reading.time,
            received: reading.received,
            value: reading.value.clone(),
            quality: reading.quality,
            marks: reading.marks,
        });
    }

    /// Takes down what a rule, or whoever came before all rules, decided about the reading.
    pub(super) fn note_reading(&mut self, rule: Option<u32>, decision: Decision) {
        if let Some(tracer) = &mut self.tracer
            && tracer.seen.is_some()
            && rule.is_none_or(|rule| rule == tracer.rule)
        {
            tracer.push(self.clock, decision);
        }
    }

    /// Takes down what was decided about a slot.
    pub(super) fn note(&mut self, id: SlotId, decision: impl FnOnce() -> Decision) {
        if self.tracer.is_some() {
            let slot = self.slots.get(id);
            note(&mut self.tracer, (slot.rule, &slot.key), self.clock, decision);
        }
    }

    /// Takes down that something holds an alert back.
    pub(super) fn note_held(&mut self, id: SlotId) {
        if self.tracer.is_some() {
            let slot = self.slots.get(id);
            let by = self.suppressors_of(slot.rule, &slot.key);
            self.note(id, || Decision::HeldBack { by });
        }
    }

    /// Takes down what a composite counted.
    pub(super) fn note_followed(&mut self, id: SlotId, composite: &Composite, fires: &[bool]) {
        let (members, unless) = fires.split_at(composite.members.len());
        let those = |ids: &[Arc<str>], fires: &[bool]| {
            let firing = ids.iter().zip(fires).filter(|(_, fires)| **fires);
            firing.map(|(id, _)| id.clone()).collect()
        };
        self.note(id, || Decision::Followed {
            firing: those(&composite.members, members),
            needed: composite.at_least,
            blocking: those(&composite.unless, unless),
        });
    }

    /// Takes down what became of an alert with the last verdict or deadline.
    pub(super) fn note_change(&mut self, id: SlotId, now: Timestamp, kind: Option<AlertEventKind>) {
        let slot = self.slots.get(id);
        let Some(tracer) = &mut self.tracer else { return };
        if !tracer.takes(slot.rule, &slot.key) {
            return;
        }
        if let Some(kind) = kind {
            tracer.push(now, Decision::Changed(kind));
        }
        let timing = timing_of(self.program.rules[slot.rule as usize].timing, slot.held);
        let machine = slot.open.as_ref().map(|open| (&open.machine, open.started));
        let deadline = machine.and_then(|(machine, _)| machine.next_deadline(timing));
        let fires = machine.is_some_and(|(machine, _)| machine.severity().is_some());
        let pends = machine.filter(|(machine, _)| {
            Severity::ALL.iter().any(|s| matches!(machine.level(*s), Level::Pending { .. }))
        });
        let recovers = machine.is_some_and(|(machine, _)| machine.is_recovering());
        let pending =
            pends.filter(|_| !fires && !slot.held).and_then(|(_, since)| Some((since, deadline?)));
        if let (Some((since, _)), None) = (tracer.pending, pending)
            && !fires
            && !slot.held
        {
            tracer.push(now, Decision::Ceased { since });
        }
        if let Some((_, until)) = pending.filter(|pending| tracer.pending != Some(*pending)) {
            tracer.push(now, Decision::Pending { until });
        }
        tracer.pending = pending;
        let recovering = deadline.filter(|_| recovers);
        if let Some(until) = recovering.filter(|until| tracer.recovering != Some(*until)) {
            tracer.push(now, Decision::Recovering { until });
        }
        tracer.recovering = recovering;
    }

    /// The dependencies that hold an alert back now.
    fn suppressors_of(&self, rule: u32, key: &SubjectKey) -> Vec<Arc<str>> {
        let all = &self.program.rules[rule as usize].suppressors;
        let holding = all.iter().filter(|dependency| self.hangs_on_a_cause(**dependency, key));
        holding.map(|rule| self.program.rules[*rule as usize].rule.id.clone()).collect()
    }
}
