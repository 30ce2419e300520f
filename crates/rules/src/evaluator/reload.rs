//! New rules or a new directory under a running evaluator: what can be kept is kept, the alerts of
//! what is gone end with a reason.

use std::sync::Arc;

use city_model::{
    AlertEvent, Device, DeviceKey, Directory, EndReason, LifeCycle, Subject, Timestamp, ZoneKey,
    ZoneSet,
};
use rustc_hash::FxHashSet;

use super::program::{Inside, Program};
use super::silence::gateways_of;
use super::slot::{Body, Slot, SubjectKey};
use super::{Evaluator, alerts};
use crate::kinds::{Condition, Watch};
use crate::rule::{Fate, RuleSet};

/// What a reload did.
#[derive(Debug, Default)]
#[must_use = "its events must be delivered like any others"]
pub struct ReloadReport {
    /// Events of deadlines up to the reload and of alerts that it ended, in order.
    pub events: Vec<AlertEvent>,
    /// The alerts that it ended.
    pub ended: Vec<Ended>,
    /// Rules whose definition is the same: their state was kept.
    pub kept: Vec<Arc<str>>,
    /// Rules of which only texts and labels are new: their state was kept, too.
    pub retold: Vec<Arc<str>>,
    /// Rules that decide differently: they began afresh.
    pub changed: Vec<Arc<str>>,
    /// Rules that are gone.
    pub removed: Vec<Arc<str>>,
    /// Rules that are new.
    pub added: Vec<Arc<str>>,
}

/// An alert that ended without a reading that cleared it.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// The alert.
    pub alert: Arc<str>,
    /// The id of its rule.
    pub rule: Arc<str>,
    /// What it was about.
    pub subject: Subject,
    /// Why it ended.
    pub reason: EndReason,
}

/// Of which devices something has changed.
#[derive(Debug)]
pub(super) enum Scope {
    All,
    Devices(FxHashSet<DeviceKey>),
}

impl Scope {
    pub(super) fn covers(&self, device: DeviceKey) -> bool {
        match self {
            Self::All => true,
            Self::Devices(devices) => devices.contains(&device),
        }
    }
}

impl Evaluator {
    /// Takes a new directory and keeps all state that still has a subject. Costs what has changed
    /// in it, and a look at each slot.
    pub fn set_directory(&mut self, directory: Arc<Directory>, now: Timestamp) -> ReloadReport {
        let mut report = ReloadReport::default();
        self.advance(now, &mut report.events);
        let difference = self.directory.difference(&directory);
        let before = std::mem::replace(&mut self.directory, directory);
        let all = difference.zones || difference.metrics;
        if all || self.program.index.is_outgrown(&self.directory) {
            self.program = Program::new(&self.rules, &self.directory);
        }
        if difference.zones {
            self.follow_zones(&before);
        }
        let scope =
            if all { Scope::All } else { Scope::Devices(difference.devices.into_iter().collect()) };
        self.rebuild(self.clock, &scope, &mut report);
        report.kept = self.rules.rules().iter().map(|rule| rule.id.clone()).collect();
        report
    }

    /// Takes new rules. Rules with the same id that decide the same keep their state, with new texts
    /// from their next event on; alerts of the others end.
    pub fn set_rules(&mut self, rules: Arc<RuleSet>, now: Timestamp) -> ReloadReport {
        let mut report = ReloadReport::default();
        self.advance(now, &mut report.events);
        let before = std::mem::replace(&mut self.rules, rules);
        let shifts = std::mem::take(&mut self.shifts);
        self.program = Program::new(&self.rules, &self.directory);
        let mut numbers = Vec::with_capacity(before.len());
        for old in before.rules() {
            let (fate, place) = self.rules.fate_of(old);
            let same = place.filter(|_| matches!(fate, Fate::Kept | Fate::Retold));
            numbers.push(same.map(|index| index as u32));
        }
        let changes = self.rules.changes_since(&before);
        (report.kept, report.retold) = (changes.kept, changes.retold);
        (report.changed, report.removed) = (changes.changed, changes.removed);
        report.added = changes.added;
        self.renumber(&numbers, &mut report);
        self.rebuild(self.clock, &Scope::All, &mut report);
        let shifted = self.shifted(&shifts, &numbers);
        self.follow_shifts(&shifted, self.clock, &mut report.events);
        report
    }

    /// Gives slots the new numbers of their rules; without one they end.
    pub(super) fn renumber(&mut self, numbers: &[Option<u32>], report: &mut ReloadReport) {
        let mut slots = self.slots.take_all();
        slots.retain_mut(|slot| {
            let number = numbers.get(slot.rule as usize).copied().flatten();
            match number {
                Some(number) => slot.rule = number,
                None => self.end(slot, None, report),
            }
            number.is_some()
        });
        self.slots.replace(slots);
        self.slots.reindex();
    }

    /// Ends what is no longer selected, watches what is new, and forgets what was looked up of all
    /// that has changed. `known` is from when silences of new devices count.
    pub(super) fn rebuild(&mut self, known: Timestamp, scope: &Scope, report: &mut ReloadReport) {
        let gateways: FxHashSet<(u32, Arc<str>)> = self
            .program
            .silences()
            .flat_map(|(rule, compiled, silence)| {
                let ids = gateways_of(compiled, silence, &self.directory);
                ids.into_iter().map(move |id| (rule, id))
            })
            .collect();
        let mut slots = self.slots.take_all();
        let before = slots.len();
        let (events, ended) = (report.events.len(), report.ended.len());
        slots.retain_mut(|slot| {
            let look = match &slot.key {
                SubjectKey::Series(series) => scope.covers(series.device),
                SubjectKey::Device(device) => scope.covers(*device),
                SubjectKey::Zone(_) => matches!(scope, Scope::All),
                SubjectKey::Gateway(_) => true,
            };
            if !look && !self.program.rules[slot.rule as usize].groups() {
                return true;
            }
            let reason = self.gone(slot, &gateways).or_else(|| self.take_limits(slot));
            if reason.is_some() {
                self.end(slot, reason, report);
            }
            reason.is_none()
        });
        let moved = slots.len() != before;
        self.slots.replace(slots);
        // The order of slots is that in which they came to be: it says nothing.
        report.events[events..].sort_by(|a, b| {
            (&a.alert.rule.id, &a.alert.subject).cmp(&(&b.alert.rule.id, &b.alert.subject))
        });
        report.ended[ended..].sort_by(|a, b| (&a.rule, &a.subject).cmp(&(&b.rule, &b.subject)));
        match scope {
            Scope::Devices(devices) if !moved => {
                for device in devices {
                    self.series.forget_device(*device);
                }
                self.watch_silence(known, scope);
                self.tie_all(self.clock, EndReason::NotSelected, &mut report.events);
            }
            // Slots have other numbers now.
            _ => {
                self.slots.reindex();
                self.find_shifts();
                self.series.forget_plans();
                self.watch_silence(known, scope);
                self.tie_all(self.clock, EndReason::RuleChanged, &mut report.events);
                self.reschedule();
            }
        }
    }

    /// Why a slot has lost its subject, if it has.
    fn gone(&self, slot: &Slot, gateways: &FxHashSet<(u32, Arc<str>)>) -> Option<EndReason> {
        let device = match &slot.key {
            SubjectKey::Zone(id) => return self.zone_gone(slot.rule, id),
            SubjectKey::Gateway(id) => {
                let known = gateways.contains(&(slot.rule, id.clone()));
                return (!known).then_some(EndReason::NotSelected);
            }
            SubjectKey::Series(series) => self.directory.device(series.device),
            SubjectKey::Device(device) => self.directory.device(*device),
        };
        let Some(device) = device else { return Some(EndReason::NotSelected) };
        self.device_gone(slot, device, gateways)
    }

    /// Gives a slot the limits that its device has now.
    fn take_limits(&self, slot: &mut Slot) -> Option<EndReason> {
        let SubjectKey::Series(series) = &slot.key else { return None };
        let compiled = &self.program.rules[slot.rule as usize];
        match compiled.own_limits(self.directory.device(series.device)?) {
            Ok(own) => slot.own = own,
            Err(_) => return Some(EndReason::NoLimit),
        }
        None
    }

    fn device_gone(
        &self,
        slot: &Slot,
        device: &Device,
        gateways: &FxHashSet<(u32, Arc<str>)>,
    ) -> Option<EndReason> {
        let compiled = &self.program.rules[slot.rule as usize];
        let select = &compiled.rule.select;
        if !select.matches_device(device) || compiled.inside(device) == Inside::Never {
            return Some(EndReason::NotSelected);
        }
        if let Condition::Silence(silence) = &compiled.rule.condition {
            if compiled.allowance(silence, device).is_none() {
                let serves = device.life_cycle == LifeCycle::Active;
                return Some(if serves { EndReason::NotSelected } else { EndReason::NotWatched });
            }
            let own =
                matches!(slot.key, SubjectKey::Device(_)) == (silence.watch == Watch::Devices);
            if !own || gateways.contains(&(slot.rule, device.id.clone())) {
                return Some(EndReason::NotSelected);
            }
        }
        None
    }

    fn zone_gone(&self, rule: u32, id: &str) -> Option<EndReason> {
        let compiled = &self.program.rules[rule as usize];
        let zone = self.directory.zone_by_id(id);
        let stays = zone.is_some_and(|zone| {
            let takes = match &compiled.rule.condition {
                Condition::Zone(aggregate) => aggregate.takes_layer(&zone.layer),
                Condition::Composite(composite) => composite.takes_layer(&zone.layer),
                _ => false,
            };
            takes && compiled.in_zones(&[zone.key])
        });
        (!stays).then_some(EndReason::ZoneGone)
    }

    /// Ends the alert of a slot that is about to go. Without a reason its rule is the reason.
    fn end(&self, slot: &mut Slot, reason: Option<EndReason>, report: &mut ReloadReport) {
        let Some(open) = slot.open.as_deref_mut() else { return };
        let Some(rule) = open.alert.as_ref().map(|alert| alert.rule.id.clone()) else { return };
        let reason = reason.unwrap_or(match self.rules.get(&rule) {
            Some(_) => EndReason::RuleChanged,
            None => EndReason::RuleRemoved,
        });
        let Some(event) = alerts::end(open, self.clock, reason) else { return };
        let (alert, subject) = (event.alert.id.clone(), event.alert.subject.clone());
        report.ended.push(Ended { alert, rule, subject, reason });
        report.events.push(event);
    }

    /// Zone keys that are kept for later are those of the old directory: finds the new ones.
    fn follow_zones(&mut self, before: &Directory) {
        let directory = self.directory.clone();
        let follow = |zones: &mut ZoneSet| {
            if !zones.is_empty() {
                let ids = zones.iter().filter_map(|key| Some(&before.zone(*key)?.id));
                *zones = zone_set(ids, &directory);
            }
        };
        for slot in self.slots.all_mut() {
            if let Some(open) = &mut slot.open {
                follow(&mut open.evidence.zones);
            }
            match &mut slot.body {
                Body::Silence(quiet) => {
                    if let Some((zones, _)) = &mut quiet.place {
                        follow(zones);
                    }
                }
                Body::Device(whole) => follow(&mut whole.seen.zones),
                _ => {}
            }
        }
    }
}

/// The keys of zones in a directory, in order; ids that it does not know are left out.
pub(super) fn zone_set<'i>(
    ids: impl IntoIterator<Item = &'i Arc<str>>,
    directory: &Directory,
) -> ZoneSet {
    let mut keys: Vec<ZoneKey> =
        ids.into_iter().filter_map(|id| Some(directory.zone_by_id(id)?.key)).collect();
    keys.sort_unstable();
    keys.into()
}
