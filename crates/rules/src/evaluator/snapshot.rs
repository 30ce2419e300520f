//! The whole state as plain data: what is needed to go on after a restart as without it.
//!
//! Keys are those that last: device and metric keys, zone ids, rule ids with versions. No part
//! needs a self-describing format.

use std::sync::Arc;

use city_model::{
    Alert, Directory, LocalText, Position, RuleRef, SeriesKey, Severity, Timestamp, ZoneSet,
};
use serde::{Deserialize, Serialize};

use super::Evaluator;
use super::reload::{ReloadReport, Scope, zone_set};
use super::slot::{Body, Evidence, Member, Members, Open, Quiet, Slot, SlotId, SubjectKey, Whole};
use crate::kinds::{Condition, Saved, SavedDevice};
use crate::rule::RuleSet;
use crate::state::Machine;

/// The state of an evaluator at one moment of its clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    clock: Timestamp,
    rules: Vec<SavedRule>,
    series: Vec<(SeriesKey, Timestamp)>,
    slots: Vec<SavedSlot>,
}

/// Slots that are being saved piece by piece, as they were at one moment: whoever changes one
/// that has not had its turn has it saved before.
#[derive(Debug)]
pub(super) struct Taking {
    directory: Arc<Directory>,
    /// How many slots there were; later ones do not belong to it.
    upto: usize,
    /// The slots below this have had their turn.
    next: usize,
    /// Which of the others were saved early, a bit for each slot.
    early: Vec<u64>,
    saved: Vec<(SlotId, SavedSlot)>,
}

impl Taking {
    pub(super) fn new(directory: Arc<Directory>, slots: usize) -> Self {
        let early = vec![0; slots.div_ceil(64)];
        Self { directory, upto: slots, next: 0, early, saved: Vec::new() }
    }

    /// Called before a slot is changed.
    pub(super) fn before_change(&mut self, id: SlotId, slot: &Slot) {
        let place = id as usize;
        if (self.next..self.upto).contains(&place) && !self.is_early(place) {
            self.early[place / 64] |= 1 << (place % 64);
            self.save(id, slot);
        }
    }

    /// Gives up to so many slots their turn; says when all have had it.
    pub(super) fn go_on(&mut self, list: &[Slot], slots: usize) -> Option<()> {
        let end = self.upto.min(self.next.saturating_add(slots));
        for (place, slot) in list.iter().enumerate().take(end).skip(self.next) {
            if !self.is_early(place) {
                self.save(place as SlotId, slot);
            }
        }
        self.next = end;
        (end == self.upto).then_some(())
    }

    /// The slots by id.
    pub(super) fn saved(mut self) -> Vec<SavedSlot> {
        self.saved.sort_unstable_by_key(|(id, _)| *id);
        self.saved.into_iter().map(|(_, slot)| slot).collect()
    }

    fn is_early(&self, place: usize) -> bool {
        self.early[place / 64] >> (place % 64) & 1 == 1
    }

    fn save(&mut self, id: SlotId, slot: &Slot) {
        if !is_pristine(slot) {
            self.saved.push((id, save_slot(slot, &self.directory)));
        }
    }
}

/// The rest of a snapshot that is being taken.
#[derive(Debug)]
pub(super) struct Begun {
    clock: Timestamp,
    rules: Vec<SavedRule>,
    series: Vec<(SeriesKey, Timestamp)>,
}

impl Snapshot {
    /// The time up to which everything had been evaluated.
    pub fn clock(&self) -> Timestamp {
        self.clock
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SavedRule {
    id: Arc<str>,
    /// What decides; versions that differ in texts only go on.
    meaning: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedSlot {
    /// An index into the rules of the snapshot.
    rule: u32,
    key: SubjectKey,
    last_started: Option<Timestamp>,
    open: Option<SavedOpen>,
    body: SavedBody,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SavedOpen {
    machine: Machine,
    started: Timestamp,
    simulated: bool,
    seq: u32,
    evidence: SavedEvidence,
    alert: Option<SavedAlert>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SavedEvidence {
    value: Option<f64>,
    time: Option<Timestamp>,
    zones: Vec<Arc<str>>,
    position: Option<Position>,
    simulated: bool,
    devices: u32,
}

/// An [`Alert`] without its subject, which follows from the slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SavedAlert {
    id: Arc<str>,
    rule: RuleRef,
    severity: Severity,
    started_at: Timestamp,
    fired_at: Timestamp,
    metric: Option<Arc<str>>,
    unit: Option<Arc<str>>,
    value: Option<f64>,
    limit: Option<f64>,
    reading_time: Option<Timestamp>,
    summary: LocalText,
    zones: Vec<Arc<str>>,
    kind: Option<Arc<str>>,
    position: Option<Position>,
    simulated: bool,
    runbook: Option<String>,
    labels: Vec<(String, String)>,
    /// The device's id, for messages about devices that the directory has lost.
    device: Option<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum SavedBody {
    Series { memory: Option<Saved>, simulated_at: Option<Timestamp> },
    Silence(SavedQuiet),
    Zone { members: Vec<Member>, next: Option<Timestamp>, dirty: bool },
    Gateway,
    Device { memory: SavedDevice, simulated_at: Option<Timestamp>, seen: SavedEvidence },
    Composite,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SavedQuiet {
    armed: Timestamp,
    silent: bool,
    suppressed: bool,
    simulated: bool,
    time: Option<Timestamp>,
    place: Option<(Vec<Arc<str>>, Position)>,
}

impl Begun {
    fn with(self, slots: Vec<SavedSlot>) -> Snapshot {
        let Self { clock, rules, series } = self;
        Snapshot { clock, rules, series, slots }
    }
}

impl Evaluator {
    /// The state, to be restored into an evaluator with the same or other rules.
    pub fn snapshot(&self) -> Snapshot {
        let slots = self.slots.all();
        let mut taking = Taking::new(self.directory.clone(), slots.len());
        taking.go_on(slots, usize::MAX);
        self.begun().with(taking.saved())
    }

    /// Begins to take a snapshot of the state as it is now, without standing still for it: call
    /// [`Evaluator::go_on_with_snapshot`] until it is there, between readings as it suits. One that
    /// was begun before is given up.
    pub fn begin_snapshot(&mut self) {
        self.begun = Some(self.begun());
        self.slots.begin_taking(self.directory.clone());
    }

    /// Takes up to `slots` further rules' subjects into the snapshot that was begun; gives it when
    /// it is whole. What happened since it was begun is not in it.
    pub fn go_on_with_snapshot(&mut self, slots: usize) -> Option<Snapshot> {
        let slots = self.slots.go_on_taking(slots)?;
        Some(self.begun.take()?.with(slots))
    }

    /// Gives up the snapshot that was begun, if there is one.
    pub fn give_up_snapshot(&mut self) {
        self.begun = None;
        self.slots.give_up_taking();
    }

    /// Whether a snapshot was begun that is not there yet. New rules, a changed directory and a
    /// clock that is set back give it up.
    pub fn is_taking_snapshot(&self) -> bool {
        self.slots.is_being_taken()
    }

    fn begun(&self) -> Begun {
        let rules = self.rules.rules().iter();
        let newest = |entry: &super::series::Entry| Some((entry.key, entry.newest?));
        Begun {
            clock: self.clock,
            rules: rules
                .map(|rule| SavedRule { id: rule.id.clone(), meaning: rule.meaning.clone() })
                .collect(),
            series: self.series.entries.iter().filter_map(newest).collect(),
        }
    }

    /// Takes the state of a snapshot instead of its own; the clock goes to that of the snapshot,
    /// so that readings received since can be evaluated again. Deadlines that have passed since
    /// are served by the next [`Evaluator::advance`]; call [`Evaluator::resume`] before it if
    /// nothing could be received in between.
    ///
    /// Alerts of rules that have changed or gone since end, as in [`Evaluator::set_rules`].
    pub fn restore(&mut self, snapshot: Snapshot) -> ReloadReport {
        let mut report = ReloadReport::default();
        let known = self.clock.max(snapshot.clock);
        self.clock = snapshot.clock;
        self.series = super::series::Table::default();
        for (key, newest) in &snapshot.series {
            let index = self.series.find_or_add(*key);
            self.series.entries[index].newest = Some(*newest);
        }
        let numbers = number_rules(&snapshot.rules, &self.rules, &mut report);
        let slots = snapshot
            .slots
            .into_iter()
            .map(|slot| {
                let rule = numbers.get(slot.rule as usize).copied().flatten();
                let condition = rule.map(|rule| &self.rules.rules()[rule as usize].condition);
                load_slot(slot, condition, &self.directory)
            })
            .collect();
        self.slots.replace(slots);
        self.renumber(&numbers, &mut report);
        self.rebuild(known, &Scope::All, &mut report);
        report
    }
}

/// Whether a slot can be made anew when the next reading comes, as most thresholds can.
fn is_pristine(slot: &Slot) -> bool {
    slot.open.is_none()
        && slot.last_started.is_none()
        && matches!(slot.body, Body::Series { memory: None, .. } | Body::Composite { .. })
}

fn number_rules(
    saved: &[SavedRule],
    rules: &RuleSet,
    report: &mut ReloadReport,
) -> Vec<Option<u32>> {
    let numbers = saved
        .iter()
        .map(|old| {
            let place = rules.position(&old.id);
            let same = place.filter(|index| rules.rules()[*index].meaning == old.meaning);
            let list = match (place, same) {
                (_, Some(_)) => &mut report.kept,
                (Some(_), None) => &mut report.changed,
                (None, _) => &mut report.removed,
            };
            list.push(old.id.clone());
            same.map(|index| index as u32)
        })
        .collect();
    let known = |id: &Arc<str>| saved.iter().any(|old| old.id == *id);
    report.added =
        rules.rules().iter().map(|rule| rule.id.clone()).filter(|id| !known(id)).collect();
    numbers
}

fn zone_ids(zones: &ZoneSet, directory: &Directory) -> Vec<Arc<str>> {
    zones.iter().filter_map(|key| Some(directory.zone(*key)?.id.clone())).collect()
}

fn save_slot(slot: &Slot, directory: &Directory) -> SavedSlot {
    SavedSlot {
        rule: slot.rule,
        key: slot.key.clone(),
        last_started: slot.last_started,
        open: slot.open.as_ref().map(|open| SavedOpen {
            machine: open.machine,
            started: open.started,
            simulated: open.simulated,
            seq: open.seq,
            evidence: save_evidence(&open.evidence, directory),
            alert: open.alert.as_ref().map(save_alert),
        }),
        body: match &slot.body {
            Body::Series { memory, simulated_at } => SavedBody::Series {
                memory: memory.as_ref().map(|memory| memory.save()),
                simulated_at: *simulated_at,
            },
            Body::Silence(quiet) => SavedBody::Silence(SavedQuiet {
                armed: quiet.armed,
                silent: quiet.silent,
                suppressed: quiet.suppressed,
                simulated: quiet.simulated,
                time: quiet.time,
                place: quiet
                    .place
                    .as_ref()
                    .map(|(zones, position)| (zone_ids(zones, directory), *position)),
            }),
            Body::Zone(members) => SavedBody::Zone {
                members: members.list.clone(),
                next: members.next,
                dirty: members.dirty,
            },
            Body::Gateway { .. } => SavedBody::Gateway,
            Body::Composite { .. } => SavedBody::Composite,
            Body::Device(whole) => SavedBody::Device {
                memory: whole.memory.save(),
                simulated_at: whole.simulated_at,
                seen: save_evidence(&whole.seen, directory),
            },
        },
    }
}

fn save_evidence(evidence: &Evidence, directory: &Directory) -> SavedEvidence {
    SavedEvidence {
        value: evidence.value,
        time: evidence.time,
        zones: zone_ids(&evidence.zones, directory),
        position: evidence.position,
        simulated: evidence.simulated,
        devices: evidence.devices,
    }
}

fn load_evidence(saved: &SavedEvidence, directory: &Directory) -> Evidence {
    Evidence {
        value: saved.value,
        time: saved.time,
        zones: zone_set(&saved.zones, directory),
        position: saved.position,
        simulated: saved.simulated,
        devices: saved.devices,
    }
}

fn save_alert(alert: &Alert) -> SavedAlert {
    SavedAlert {
        id: alert.id.clone(),
        rule: alert.rule.clone(),
        severity: alert.severity,
        started_at: alert.started_at,
        fired_at: alert.fired_at,
        metric: alert.metric.clone(),
        unit: alert.unit.clone(),
        value: alert.value,
        limit: alert.limit,
        reading_time: alert.reading_time,
        summary: alert.summary.clone(),
        zones: alert.zones.clone(),
        kind: alert.kind.clone(),
        position: alert.position,
        simulated: alert.simulated,
        runbook: alert.runbook.clone(),
        labels: alert.labels.clone().into_iter().collect(),
        device: alert.subject.device().cloned(),
    }
}

/// A slot as it was. Without a condition (its rule is gone) only its alert matters any more.
fn load_slot(saved: SavedSlot, condition: Option<&Condition>, directory: &Directory) -> Slot {
    let body = match saved.body {
        SavedBody::Series { memory, simulated_at } => Body::Series {
            memory: match (condition, memory) {
                (Some(Condition::Function(function)), Some(memory)) => {
                    Some(function.restore(&memory))
                }
                _ => None,
            },
            simulated_at,
        },
        SavedBody::Silence(quiet) => Body::Silence(Box::new(Quiet {
            armed: quiet.armed,
            // Set when the device is found in the directory.
            allowance: city_model::Span::ZERO,
            silent: quiet.silent,
            suppressed: quiet.suppressed,
            simulated: quiet.simulated,
            time: quiet.time,
            place: quiet.place.map(|(zones, position)| (zone_set(&zones, directory), position)),
            gateway: None,
        })),
        SavedBody::Zone { members, next, dirty } => {
            Body::Zone(Box::new(Members { list: members, next, dirty }))
        }
        SavedBody::Gateway => Body::Gateway { members: Vec::new() },
        // Counted anew by the alerts that fire.
        SavedBody::Composite => Body::Composite { fires: Vec::new() },
        SavedBody::Device { memory, simulated_at, seen } => match condition {
            Some(Condition::Device(function)) => Body::Device(Box::new(Whole {
                memory: function.restore(&memory),
                simulated_at,
                seen: load_evidence(&seen, directory),
            })),
            // Its rule is gone; only the alert is of interest.
            _ => Body::Series { memory: None, simulated_at },
        },
    };
    let key = saved.key;
    let open = saved.open.map(|open| {
        Box::new(Open {
            machine: open.machine,
            started: open.started,
            simulated: open.simulated,
            seq: open.seq,
            evidence: load_evidence(&open.evidence, directory),
            alert: open.alert.map(|alert| load_alert(alert, &key)),
        })
    });
    Slot { last_started: saved.last_started, open, ..Slot::new(saved.rule, key, body) }
}

fn load_alert(saved: SavedAlert, key: &SubjectKey) -> Alert {
    use city_model::Subject;
    let device = saved.device.unwrap_or_default();
    let subject = match key {
        SubjectKey::Series(_) => {
            Subject::Series { device, metric: saved.metric.clone().unwrap_or_default() }
        }
        SubjectKey::Device(_) | SubjectKey::Gateway(_) => Subject::Device { device },
        SubjectKey::Zone(zone) => Subject::Zone { zone: zone.clone() },
    };
    Alert {
        id: saved.id,
        rule: saved.rule,
        subject,
        severity: saved.severity,
        started_at: saved.started_at,
        fired_at: saved.fired_at,
        resolved_at: None,
        metric: saved.metric,
        unit: saved.unit,
        value: saved.value,
        limit: saved.limit,
        reading_time: saved.reading_time,
        summary: saved.summary,
        zones: saved.zones,
        kind: saved.kind,
        position: saved.position,
        simulated: saved.simulated,
        runbook: saved.runbook,
        labels: saved.labels.into_iter().collect(),
    }
}
