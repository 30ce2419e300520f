//! Absence: signs of life, silences that last too long, and dark gateways.

use std::sync::Arc;

use city_model::{
    AlertEvent, Device, Directory, Marks, Placement, Position, Reading, Timestamp, ZoneKey, ZoneSet,
};
use rustc_hash::FxHashSet;

use super::Evaluator;
use super::program::{Compiled, Program};
use super::reload::Scope;
use super::slot::{Body, Evidence, Quiet, SlotId, SubjectKey};
use super::trace::Decision;
use crate::kinds::{Condition, Gateways, Silence, Watch};
use crate::ladder::Verdict;

/// The gateways of the devices that a rule watches; empty if it does not group.
pub(super) fn gateways_of(
    compiled: &Compiled,
    silence: &Silence,
    directory: &Directory,
) -> FxHashSet<Arc<str>> {
    if silence.gateways.is_none() {
        return FxHashSet::default();
    }
    directory
        .devices()
        .filter(|device| compiled.allowance(silence, device).is_some())
        .filter_map(|device| device.gateway.clone())
        .collect()
}

/// From when the allowance counts of something that was never heard, where only what was heard is
/// watched.
const UNHEARD: Timestamp = Timestamp::from_micros(i64::MAX);

impl Evaluator {
    /// Lets silence count only from the first reading of a device or series on. For runs over
    /// history, which begins at some time for each device, and not with an alert.
    pub fn watch_from_first_readings(&mut self) {
        for slot in self.slots.all_mut() {
            if let Body::Silence(quiet) = &mut slot.body
                && !quiet.silent
            {
                quiet.armed = UNHEARD;
            }
        }
        self.reschedule();
    }

    /// Makes slots for all that must be heard, counted from `now` where they are new, and groups
    /// them by gateway. Looks at the devices in `scope` only, except for rules that group.
    pub(super) fn watch_silence(&mut self, now: Timestamp, scope: &Scope) {
        for slot in self.slots.all_mut() {
            if let Body::Gateway { members } = &mut slot.body {
                members.clear();
            }
        }
        let directory = self.directory.clone();
        let program = std::mem::take(&mut self.program);
        let mut watched = Vec::new();
        for (rule, compiled, silence) in program.silences() {
            let gateways = gateways_of(compiled, silence, &directory);
            let mut watch = |device: &Device| {
                if gateways.contains(&device.id) {
                    return;
                }
                if let Some(allowance) = compiled.allowance(silence, device) {
                    for key in subjects(compiled, silence, device, &directory) {
                        let id = self.watch(rule, key, device, &gateways, allowance, now);
                        watched.push(id);
                    }
                }
            };
            match scope {
                Scope::Devices(devices) if !compiled.groups() => {
                    // In order, so that slots do not depend on how a set is laid out.
                    let mut devices: Vec<_> = devices.iter().copied().collect();
                    devices.sort_unstable();
                    let devices = devices.into_iter().filter_map(|key| directory.device(key));
                    devices.for_each(|device| watch(device));
                }
                _ => directory.devices().for_each(|device| watch(device)),
            }
        }
        self.program = program;
        for id in watched {
            self.schedule(id);
        }
    }

    /// Gives an allowance anew to what is suppressed by nobody's alert any more: causes can go
    /// without a word, with their rules and devices.
    pub(super) fn free_orphans(&mut self, now: Timestamp) {
        for id in 0..self.slots.all().len() as SlotId {
            let slot = self.slots.get(id);
            let Some(quiet) = self.slots.quiet(id).filter(|quiet| quiet.suppressed) else {
                continue;
            };
            if quiet.gateway.is_some_and(|gateway| self.stands(gateway))
                || self.is_suppressed(slot.rule, &slot.key)
            {
                continue;
            }
            if let Some(quiet) = self.slots.quiet_mut(id) {
                quiet.arm_anew(now);
            }
            self.schedule(id);
        }
    }

    /// Whether the alert of a gateway stands for its devices; one that is held back does, too.
    pub(super) fn stands(&self, gateway: SlotId) -> bool {
        let slot = self.slots.get(gateway);
        slot.fires() || (slot.held && slot.open.is_some())
    }

    fn watch(
        &mut self,
        rule: u32,
        key: SubjectKey,
        device: &Device,
        gateways: &FxHashSet<Arc<str>>,
        allowance: city_model::Span,
        now: Timestamp,
    ) -> SlotId {
        let group = device.gateway.as_ref().filter(|gateway| gateways.contains(*gateway));
        let gateway = group.map(|gateway| {
            self.slots.find_or_add(rule, SubjectKey::Gateway(gateway.clone()), || Body::Gateway {
                members: Vec::new(),
            })
        });
        let id = self.slots.find_or_add(rule, key, || {
            Body::Silence(Box::new(Quiet {
                armed: now,
                allowance,
                silent: false,
                suppressed: false,
                simulated: device.simulated,
                time: None,
                place: None,
                gateway: None,
            }))
        });
        if let Some(quiet) = self.slots.quiet_mut(id) {
            quiet.allowance = allowance;
            quiet.gateway = gateway;
        }
        if let Some(gateway) = gateway
            && let Body::Gateway { members } = &mut self.slots.get_mut(gateway).body
        {
            members.push(id);
        }
        id
    }

    /// Takes a sign of life.
    pub(super) fn hear(
        &mut self,
        id: SlotId,
        reading: &Reading,
        device_simulated: bool,
        out: &mut Vec<AlertEvent>,
    ) {
        let now = self.clock;
        let whole_device = matches!(self.slots.get(id).key, SubjectKey::Device(_));
        if whole_device && reading.marks.has(Marks::DERIVED) {
            return; // computed here: it says nothing about whether the device is alive
        }
        let Some(quiet) = self.slots.quiet_mut(id) else { return };
        let is_first = quiet.armed == UNHEARD;
        quiet.armed = now;
        quiet.time = Some(reading.time);
        quiet.simulated = device_simulated || reading.marks.has(Marks::SIMULATED);
        if let Some(position) = reading.position {
            quiet.place = Some((reading.zones.clone(), position));
        }
        let (gateway, until) = (quiet.gateway, quiet.deadline());
        self.note(id, || Decision::Heard { until });
        if is_first {
            self.schedule(id);
        }
        let Some(quiet) = self.slots.quiet_mut(id) else { return };
        if quiet.silent {
            quiet.silent = false;
            quiet.suppressed = false;
            let evidence = self.evidence(id);
            self.apply(id, now, now, Verdict::CLEAR, evidence, out);
            self.schedule(id);
        }
        if let Some(gateway) = gateway
            && self.slots.get(gateway).open.is_some()
        {
            self.check_gateway(gateway, now, true, out);
        }
    }

    /// The allowance of a device or series has passed.
    pub(super) fn fall_silent(&mut self, id: SlotId, now: Timestamp, out: &mut Vec<AlertEvent>) {
        let Some(quiet) = self.slots.quiet_mut(id) else { return };
        quiet.silent = true;
        let (since, gateway) = (quiet.armed, quiet.gateway);
        self.note(id, || Decision::Silent { since });
        if let Some(gateway) = gateway {
            self.check_gateway(gateway, now, false, out);
            if self.stands(gateway) {
                // An alert of its own that still fires goes on: it has its own story.
                if let Some(quiet) = self.slots.quiet_mut(id) {
                    quiet.suppressed = true;
                }
                if self.slots.get(id).open.is_none() {
                    let rule = self.program.rules[self.slots.get(id).rule as usize].rule.id.clone();
                    return self.note(id, || Decision::HeldBack { by: vec![rule] });
                }
            }
        }
        let slot = self.slots.get(id);
        if slot.open.is_none() && self.is_suppressed(slot.rule, &slot.key) {
            self.counters.stats.suppressed += 1;
            self.note_held(id);
            if let Some(quiet) = self.slots.quiet_mut(id) {
                quiet.suppressed = true;
            }
            return;
        }
        let severity = self.program.rules[self.slots.get(id).rule as usize].rule.severity;
        let evidence = self.evidence(id);
        self.apply(id, now, since, Verdict::raise(severity), evidence, out);
    }

    /// Judges whether a gateway is dark. Only a sign of life (`heard`) can clear it.
    fn check_gateway(
        &mut self,
        id: SlotId,
        now: Timestamp,
        heard: bool,
        out: &mut Vec<AlertEvent>,
    ) {
        let slot = self.slots.get(id);
        let Body::Gateway { members } = &slot.body else { return };
        let compiled = &self.program.rules[slot.rule as usize];
        let Some(gateways) = grouping(&self.program, slot.rule) else { return };
        // Half of the allowance: neighbours report at different moments, so that when the first
        // one's allowance ends, the others have missed something, too, but not yet as much.
        let silent: Vec<&Quiet> = members
            .iter()
            .filter_map(|member| self.slots.quiet(*member))
            .filter(|quiet| now.since(quiet.armed).micros() >= quiet.allowance.micros() / 2)
            .collect();
        let dark = silent.len() >= gateways.min_devices as usize
            && silent.len() as f64 >= gateways.share * members.len() as f64;
        let verdict = if dark { Verdict::raise(compiled.rule.severity) } else { Verdict::CLEAR };
        if !dark && (!heard || slot.open.is_none()) {
            return;
        }
        // The last word that came through it.
        let since = silent.iter().map(|quiet| quiet.armed).max().unwrap_or(now);
        let SubjectKey::Gateway(gateway) = &slot.key else { return };
        let device = self.directory.device_by_id(gateway);
        let evidence = Evidence {
            value: None,
            time: silent.iter().filter_map(|quiet| quiet.time).max(),
            zones: match device {
                Some(device) => device.zones.clone(),
                None => self.zones_of(members),
            },
            position: self.middle_of(members),
            simulated: device.is_some_and(|device| device.simulated)
                || silent.iter().any(|quiet| quiet.simulated),
            devices: silent.len() as u32,
        };
        self.apply(id, now, since, verdict, evidence, out);
    }

    /// Gives the devices behind a gateway that is back their full allowance anew: not each had its turn
    /// to send yet.
    pub(super) fn release_members(&mut self, id: SlotId, now: Timestamp) {
        let Body::Gateway { members } = &self.slots.get(id).body else { return };
        for member in members.clone() {
            if let Some(quiet) = self.slots.quiet_mut(member)
                && (quiet.suppressed || !quiet.silent)
            {
                quiet.arm_anew(now);
                self.schedule(member);
            }
        }
    }

    /// What is known of something that is watched.
    fn evidence(&self, id: SlotId) -> Evidence {
        let slot = self.slots.get(id);
        let Body::Silence(quiet) = &slot.body else { return Evidence::default() };
        let device = self.device_of(id);
        let (zones, position) = match (&quiet.place, device) {
            (Some((zones, position)), _) => (zones.clone(), Some(*position)),
            (None, Some(device)) => (device.zones.clone(), None),
            (None, None) => (ZoneSet::default(), None),
        };
        Evidence {
            value: None,
            time: quiet.time,
            zones,
            position,
            simulated: quiet.simulated || device.is_some_and(|device| device.simulated),
            devices: 1,
        }
    }

    fn device_of(&self, id: SlotId) -> Option<&Arc<Device>> {
        match &self.slots.get(id).key {
            SubjectKey::Device(device) => self.directory.device(*device),
            SubjectKey::Series(series) => self.directory.device(series.device),
            SubjectKey::Zone(_) | SubjectKey::Gateway(_) => None,
        }
    }

    fn zones_of(&self, members: &[SlotId]) -> ZoneSet {
        let devices = members.iter().filter_map(|member| self.device_of(*member));
        let mut zones: Vec<ZoneKey> = devices.flat_map(|device| device.zones.to_vec()).collect();
        zones.sort_unstable();
        zones.dedup();
        zones.into()
    }

    /// The middle of the devices behind a gateway that is not registered itself.
    fn middle_of(&self, members: &[SlotId]) -> Option<Position> {
        let mut sum = (0.0, 0.0, 0.0);
        for device in members.iter().filter_map(|member| self.device_of(*member)) {
            if let Placement::Fixed(position) = device.placement {
                sum = (sum.0 + position.lon, sum.1 + position.lat, sum.2 + 1.0);
            }
        }
        (sum.2 > 0.0).then(|| Position { lon: sum.0 / sum.2, lat: sum.1 / sum.2 })
    }
}

fn grouping(program: &Program, rule: u32) -> Option<&Gateways> {
    match &program.rules[rule as usize].rule.condition {
        Condition::Silence(silence) => silence.gateways.as_ref(),
        _ => None,
    }
}

/// What a rule watches of a device.
fn subjects(
    compiled: &Compiled,
    silence: &Silence,
    device: &Device,
    directory: &Directory,
) -> Vec<SubjectKey> {
    match silence.watch {
        Watch::Devices => vec![SubjectKey::Device(device.key)],
        Watch::Series => compiled
            .rule
            .select
            .metric
            .iter()
            .filter_map(|name| directory.metrics.by_id(name))
            .map(|metric| {
                SubjectKey::Series(city_model::SeriesKey { device: device.key, metric: metric.key })
            })
            .collect(),
    }
}
