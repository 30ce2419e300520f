//! Rules that follow the alerts of others: composites, and dependencies that hold others back.
//!
//! All of it follows from the alerts that fire, so nothing of it is saved: after a restart and
//! after a reload the ties are made anew.

use std::sync::Arc;

use city_model::{AlertEvent, Attribute, Device, EndReason, Span, Timestamp, ZoneSet};
use rustc_hash::{FxHashMap, FxHashSet};

use super::slot::{Body, Evidence, SlotId, SubjectKey};
use super::{Evaluator, alerts};
use crate::kinds::{Composite, Condition, Dependency, Via};
use crate::ladder::Verdict;
use crate::state::Timing;

/// Longer than anything waits.
const FOREVER: Span = Span::from_hours(24 * 365 * 100);

/// What hangs together at present.
#[derive(Debug, Default)]
pub(super) struct Ties {
    /// By the slot of an alert: the composites for which it counts.
    links: FxHashMap<SlotId, Vec<Link>>,
    /// By the slot of an alert: the causes that it is, each a dependency with the name of what
    /// hangs on it.
    causes: FxHashMap<SlotId, Vec<Cause>>,
    /// How many alerts are the same cause.
    active: FxHashMap<Cause, u32>,
}

type Cause = (u32, Arc<str>);

#[derive(Clone, Copy, Debug)]
struct Link {
    composite: SlotId,
    place: usize,
    simulated: bool,
}

impl Ties {
    fn is_empty(&self) -> bool {
        self.links.is_empty() && self.active.is_empty()
    }
}

/// How many alerts of a followed rule fire, and how many of them are simulated.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fires {
    pub(super) count: u32,
    simulated: u32,
}

/// The timing of a slot; one that is held back fires never.
pub(super) fn timing_of(timing: Timing, held: bool) -> Timing {
    if held { Timing { hold: [FOREVER; 4], ..timing } } else { timing }
}

impl Evaluator {
    /// Follows a change of an alert into the rules that are tied to it. `reason`: why it ended, if no
    /// reading cleared it.
    pub(super) fn follow(
        &mut self,
        id: SlotId,
        reason: Option<EndReason>,
        now: Timestamp,
        out: &mut Vec<AlertEvent>,
    ) {
        let rule = self.slots.get(id).rule;
        if self.program.ties[rule as usize].is_empty() {
            return;
        }
        let mut changed: Vec<SlotId> = self.untie(id);
        let before = self.ties.causes.remove(&id).unwrap_or_default();
        self.tie(id);
        changed.extend(self.ties.links.get(&id).into_iter().flatten().map(|link| link.composite));
        for composite in self.in_order(changed) {
            self.judge_composite(composite, (Some(id), reason), now, out);
        }
        let begun = self.ties.causes.get(&id).cloned().unwrap_or_default();
        for cause in begun {
            if !before.contains(&cause) {
                self.hold_back(cause.0);
            }
        }
        for cause in before {
            self.end_cause(&cause);
            if !self.ties.active.contains_key(&cause) {
                self.release(&cause, now, out);
            }
        }
    }

    /// Makes all ties anew, and judges the composites by them; those that lost a member end with the
    /// reason.
    pub(super) fn tie_all(&mut self, now: Timestamp, reason: EndReason, out: &mut Vec<AlertEvent>) {
        self.make_ties(now, reason, out);
        self.free_orphans(now);
    }

    fn make_ties(&mut self, now: Timestamp, reason: EndReason, out: &mut Vec<AlertEvent>) {
        if self.program.ties.iter().all(Vec::is_empty) && self.ties.is_empty() {
            return;
        }
        self.ties = Ties::default();
        let (mut composites, mut held) = (Vec::new(), Vec::new());
        for (id, slot) in self.slots.all_mut().iter_mut().enumerate() {
            if std::mem::take(&mut slot.held) {
                held.push(id as SlotId);
            }
            if let Body::Composite { fires } = &mut slot.body {
                let len = self.program.rules[slot.rule as usize].followed.len();
                *fires = vec![Fires::default(); len];
                composites.push(id as SlotId);
            }
        }
        for id in 0..self.slots.all().len() as SlotId {
            if !self.program.ties[self.slots.get(id).rule as usize].is_empty() {
                self.tie(id);
                composites
                    .extend(self.ties.links.get(&id).into_iter().flatten().map(|l| l.composite));
            }
        }
        let dependencies: FxHashSet<u32> =
            self.ties.active.keys().map(|(dependency, _)| *dependency).collect();
        for dependency in dependencies {
            self.hold_back(dependency);
        }
        for id in self.in_order(held) {
            let slot = self.slots.get_mut(id);
            if let Some(open) = slot.open.as_mut().filter(|open| !slot.held && open.alert.is_none())
            {
                open.machine.wait_anew(now);
            }
            self.schedule(id);
        }
        for composite in self.in_order(composites) {
            self.judge_composite(composite, (None, Some(reason)), now, out);
        }
    }

    /// Takes an alert out of the composites for which it counts.
    fn untie(&mut self, id: SlotId) -> Vec<SlotId> {
        let links = self.ties.links.remove(&id).unwrap_or_default();
        for link in &links {
            if let Body::Composite { fires } = &mut self.slots.get_mut(link.composite).body {
                fires[link.place].count -= 1;
                fires[link.place].simulated -= u32::from(link.simulated);
            }
        }
        links.into_iter().map(|link| link.composite).collect()
    }

    /// Lets an alert count where it is tied to, if it fires.
    fn tie(&mut self, id: SlotId) {
        let slot = self.slots.get(id);
        let Some(open) = slot.open.as_ref().filter(|open| open.machine.severity().is_some()) else {
            return;
        };
        let simulated = open.simulated;
        let ties = self.program.ties[slot.rule as usize].clone();
        for (rule, place) in ties {
            match &self.program.rules[rule as usize].rule.condition {
                Condition::Composite(composite) => {
                    let len = self.program.rules[rule as usize].followed.len();
                    for key in self.subjects_of(id, composite) {
                        let slot = self.slots.find_or_add(rule, key, || Body::Composite {
                            fires: vec![Fires::default(); len],
                        });
                        if let Body::Composite { fires } = &mut self.slots.get_mut(slot).body {
                            fires[place].count += 1;
                            fires[place].simulated += u32::from(simulated);
                        }
                        let link = Link { composite: slot, place, simulated };
                        self.ties.links.entry(id).or_default().push(link);
                    }
                }
                Condition::Dependency(dependency) => {
                    for name in self.causes_of(id, dependency) {
                        *self.ties.active.entry((rule, name.clone())).or_default() += 1;
                        self.ties.causes.entry(id).or_default().push((rule, name));
                    }
                }
                _ => {}
            }
        }
    }

    fn end_cause(&mut self, cause: &Cause) {
        if let Some(count) = self.ties.active.get_mut(cause) {
            *count -= 1;
            if *count == 0 {
                self.ties.active.remove(cause);
            }
        }
    }

    /// What a composite is about when this alert fires.
    fn subjects_of(&self, id: SlotId, composite: &Composite) -> Vec<SubjectKey> {
        if composite.zones {
            let zones = self.zones_of_alert(id).into_iter();
            return zones
                .filter(|id| {
                    let zone = self.directory.zone_by_id(id);
                    zone.is_some_and(|zone| composite.takes_layer(&zone.layer))
                })
                .map(SubjectKey::Zone)
                .collect();
        }
        let device = match &self.slots.get(id).key {
            SubjectKey::Series(series) => Some(series.device),
            SubjectKey::Device(device) => Some(*device),
            SubjectKey::Gateway(id) => self.directory.device_by_id(id).map(|device| device.key),
            SubjectKey::Zone(_) => None,
        };
        device.map(SubjectKey::Device).into_iter().collect()
    }

    /// The zones in which an alert is.
    fn zones_of_alert(&self, id: SlotId) -> Vec<Arc<str>> {
        let slot = self.slots.get(id);
        if let SubjectKey::Zone(zone) = &slot.key {
            return vec![zone.clone()];
        }
        let alert = slot.open.as_ref().and_then(|open| open.alert.as_ref());
        alert.map(|alert| alert.zones.clone()).unwrap_or_default()
    }

    /// The names of what hangs on an alert.
    fn causes_of(&self, id: SlotId, dependency: &Dependency) -> Vec<Arc<str>> {
        let slot = self.slots.get(id);
        let device = match &slot.key {
            SubjectKey::Series(series) => self.directory.device(series.device),
            SubjectKey::Device(device) => self.directory.device(*device),
            SubjectKey::Gateway(id) => self.directory.device_by_id(id),
            SubjectKey::Zone(_) => None,
        };
        let own = match &slot.key {
            SubjectKey::Gateway(id) => Some(id.clone()),
            _ => device.map(|device| device.id.clone()),
        };
        match &dependency.via {
            Via::Zone => {
                let mut zones = self.zones_of_alert(id);
                zones.retain(|id| self.takes_zone(dependency, id));
                zones
            }
            Via::Device | Via::Gateway => own.into_iter().collect(),
            Via::Attribute(name) => {
                let value = device.and_then(|device| attribute(device, name));
                own.into_iter().chain(value).collect()
            }
        }
    }

    fn takes_zone(&self, dependency: &Dependency, id: &str) -> bool {
        let layers = &dependency.layers;
        let zone = self.directory.zone_by_id(id);
        zone.is_some_and(|zone| {
            layers.is_empty() || layers.iter().any(|(layer, _)| *layer == zone.layer)
        })
    }

    /// Whether a cause that is known holds an alert back.
    pub(super) fn is_suppressed(&self, rule: u32, key: &SubjectKey) -> bool {
        let suppressors = &self.program.rules[rule as usize].suppressors;
        suppressors.iter().any(|dependency| self.hangs_on_a_cause(*dependency, key))
    }

    pub(super) fn hangs_on_a_cause(&self, rule: u32, key: &SubjectKey) -> bool {
        self.hangs_on(rule, key, |name| self.ties.active.contains_key(&(rule, name.clone())))
    }

    /// Whether a subject hangs, by a dependency, on one of the causes that are `active`.
    fn hangs_on(&self, rule: u32, key: &SubjectKey, active: impl Fn(&Arc<str>) -> bool) -> bool {
        let Condition::Dependency(dependency) = &self.program.rules[rule as usize].rule.condition
        else {
            return false;
        };
        let device = match key {
            SubjectKey::Zone(zone) => return dependency.via == Via::Zone && active(zone),
            SubjectKey::Series(series) => self.directory.device(series.device),
            SubjectKey::Device(device) => self.directory.device(*device),
            SubjectKey::Gateway(id) => self.directory.device_by_id(id),
        };
        let Some(device) = device else { return false };
        match &dependency.via {
            Via::Device => active(&device.id),
            Via::Gateway => device.gateway.as_ref().is_some_and(&active),
            Via::Zone => device
                .zones
                .iter()
                .any(|zone| self.directory.zone(*zone).is_some_and(|z| active(&z.id))),
            Via::Attribute(name) => attribute(device, name).is_some_and(|value| active(&value)),
        }
    }

    /// Holds back what is pending and hangs on a cause.
    fn hold_back(&mut self, dependency: u32) {
        for id in self.suppressed_by(dependency) {
            let slot = self.slots.get(id);
            let pends = slot.open.is_some() && !slot.fires();
            if pends && self.is_suppressed(slot.rule, &slot.key) {
                self.slots.get_mut(id).held = true;
            }
        }
    }

    /// Lets go of what no longer hangs on a cause: silences have their allowance anew, also those that
    /// were not over it yet, and what is pending begins anew.
    fn release(&mut self, cause: &Cause, now: Timestamp, out: &mut Vec<AlertEvent>) {
        let (dependency, ended) = cause;
        for id in self.suppressed_by(*dependency) {
            let slot = self.slots.get(id);
            let quiet = self.slots.quiet(id);
            let held = slot.held || quiet.is_some_and(|quiet| quiet.suppressed);
            let waits = quiet.is_some_and(|quiet| !quiet.silent)
                && self.hangs_on(*dependency, &slot.key, |name| name == ended);
            if !(held || waits) || self.is_suppressed(slot.rule, &slot.key) {
                continue;
            }
            let dark = self
                .slots
                .quiet(id)
                .and_then(|quiet| quiet.gateway)
                .is_some_and(|gateway| self.stands(gateway));
            let slot = self.slots.get_mut(id);
            slot.held = false;
            if let Body::Silence(quiet) = &mut slot.body
                && (quiet.suppressed || waits)
                && !dark
            {
                quiet.arm_anew(now);
            }
            if let Some(open) = slot.open.as_mut().filter(|open| open.alert.is_none()) {
                open.machine.wait_anew(now);
            }
            self.wake(id, now, out);
        }
    }

    /// The slots of the rules that a dependency suppresses.
    fn suppressed_by(&self, dependency: u32) -> Vec<SlotId> {
        let hangs = |rule: u32| self.program.rules[rule as usize].suppressors.contains(&dependency);
        let slots = self.slots.all().iter().enumerate();
        self.in_order(
            slots.filter(|(_, slot)| hangs(slot.rule)).map(|(id, _)| id as SlotId).collect(),
        )
    }

    /// By rule and subject: the numbers of slots depend on history.
    fn in_order(&self, mut slots: Vec<SlotId>) -> Vec<SlotId> {
        slots.sort_unstable_by(|a, b| {
            let (a, b) = (self.slots.get(*a), self.slots.get(*b));
            (a.rule, &a.key).cmp(&(b.rule, &b.key))
        });
        slots.dedup();
        slots
    }

    /// Judges a composite. `by`: the alert whose change is the occasion, and why it ended if no
    /// reading cleared it.
    fn judge_composite(
        &mut self,
        id: SlotId,
        (by, reason): (Option<SlotId>, Option<EndReason>),
        now: Timestamp,
        out: &mut Vec<AlertEvent>,
    ) {
        let slot = self.slots.get(id);
        let compiled = &self.program.rules[slot.rule as usize];
        let (Condition::Composite(composite), Body::Composite { fires }) =
            (&compiled.rule.condition, &slot.body)
        else {
            return;
        };
        let (members, unless) = fires.split_at(composite.members.len());
        let count = members.iter().filter(|member| member.count > 0).count();
        let blocked = unless.iter().any(|other| other.count > 0);
        let holds = count >= composite.at_least && !blocked;
        if let Some(reason) = reason.filter(|_| !holds) {
            return self.end_composite(id, reason, now, out);
        }
        let simulated = members.iter().any(|member| member.simulated > 0);
        let verdict = match &compiled.rule.ladder {
            _ if !holds => Verdict::CLEAR,
            Some(ladder) => ladder.all(),
            None => Verdict::raise(compiled.rule.severity),
        };
        let device = match &slot.key {
            SubjectKey::Device(device) => self.directory.device(*device),
            _ => None,
        };
        let before = slot.open.as_ref().map(|open| &open.evidence);
        let by = by.and_then(|by| Some(&self.slots.get(by).open.as_ref()?.evidence)).or(before);
        let evidence = Evidence {
            value: None,
            time: by.and_then(|evidence| evidence.time),
            zones: match (by, device) {
                (Some(evidence), _) if !evidence.zones.is_empty() => evidence.zones.clone(),
                (_, Some(device)) => device.zones.clone(),
                _ => ZoneSet::default(),
            },
            position: by.and_then(|evidence| evidence.position),
            simulated,
            devices: count as u32,
        };
        if self.tracer.is_some() {
            let fires: Vec<bool> = fires.iter().map(|rule| rule.count > 0).collect();
            let composite = composite.clone();
            self.note_followed(id, &composite, &fires);
        }
        self.apply(id, now, now, verdict, evidence, out);
    }

    /// Ends a composite whose members did not end by a reading.
    fn end_composite(
        &mut self,
        id: SlotId,
        reason: EndReason,
        now: Timestamp,
        out: &mut Vec<AlertEvent>,
    ) {
        let slot = self.slots.get_mut(id);
        let told = slot.is_told();
        // One that is over already only waits for `keep_firing_for`.
        let Some(open) = slot.open.as_mut().filter(|open| !open.machine.is_recovering()) else {
            return;
        };
        let fires = open.alert.is_some();
        out.extend(if fires { alerts::end(open, now, reason) } else { None });
        slot.open = None;
        slot.held = false;
        self.slots.firing -= usize::from(told);
        if fires {
            self.follow(id, Some(reason), now, out);
        }
    }
}

fn attribute(device: &Device, name: &str) -> Option<Arc<str>> {
    Some(match device.attributes.get(name)? {
        Attribute::Text(text) => text.as_str().into(),
        Attribute::Number(number) => number.to_string().into(),
        Attribute::Bool(flag) => flag.to_string().into(),
    })
}

#[cfg(test)]
mod tests;
