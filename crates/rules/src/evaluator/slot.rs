//! Slots: what the evaluator keeps for one rule and one subject.

use std::sync::Arc;

use city_model::{
    Alert, DeviceKey, Directory, Position, SeriesKey, Span, Subject, Timestamp, ZoneSet,
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::program::Program;
use super::snapshot::{SavedSlot, Taking};
use super::ties::{Fires, timing_of};
use crate::kinds::{DeviceMemory, Memory};
use crate::ladder::Ladder;
use crate::state::Machine;

/// The number of a slot in [`Slots`]; changes when rules or the directory do.
pub(super) type SlotId = u32;

/// The subject of a slot in keys that are permanent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum SubjectKey {
    Series(SeriesKey),
    Device(DeviceKey),
    Zone(Arc<str>),
    /// A gateway by its id, which need not be registered as a device.
    Gateway(Arc<str>),
}

#[derive(Debug)]
pub(super) struct Slot {
    /// The index of the rule in the program.
    pub(super) rule: u32,
    pub(super) key: SubjectKey,
    /// The earliest wake-up that is in the timers; it may be earlier than needed, never later.
    pub(super) timer: Option<Timestamp>,
    /// When the last alert of the slot started, so that no id is used twice.
    pub(super) last_started: Option<Timestamp>,
    /// A dependency holds its alert back.
    pub(super) held: bool,
    /// There while something is pending or fires.
    pub(super) open: Option<Box<Open>>,
    /// The limits of the device, where the rule takes them from it.
    pub(super) own: Option<Box<Ladder>>,
    pub(super) body: Body,
}

/// A condition that holds, and its alert as soon as it fires.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) machine: Machine,
    pub(super) started: Timestamp,
    pub(super) evidence: Evidence,
    /// Whether anything that decided since `started` was simulated.
    pub(super) simulated: bool,
    pub(super) alert: Option<Alert>,
    /// How many events the alert has had.
    pub(super) seq: u32,
}

/// What decided last.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    pub(super) value: Option<f64>,
    pub(super) time: Option<Timestamp>,
    pub(super) zones: ZoneSet,
    /// Where a moving device was.
    pub(super) position: Option<Position>,
    pub(super) simulated: bool,
    /// How many devices decided, for zones and gateways.
    pub(super) devices: u32,
}

/// What a slot remembers, by the condition of its rule.
#[derive(Debug)]
pub(super) enum Body {
    Series {
        memory: Option<Box<dyn Memory>>,
        /// The event time of the latest simulated reading.
        simulated_at: Option<Timestamp>,
    },
    Silence(Box<Quiet>),
    Zone(Box<Members>),
    Device(Box<Whole>),
    Composite {
        /// By the rules that it follows.
        fires: Vec<Fires>,
    },
    Gateway {
        /// The slots of the devices behind it.
        members: Vec<SlotId>,
    },
}

/// How long something has been silent.
#[derive(Clone, Debug)]
pub(super) struct Quiet {
    /// From when the allowance counts: the last sign of life, when the engine first knew it, or
    /// when its gateway came back.
    pub(super) armed: Timestamp,
    pub(super) allowance: Span,
    /// Its allowance has passed.
    pub(super) silent: bool,
    /// It has, but the gateway's alert stands for it.
    pub(super) suppressed: bool,
    /// The last reading or the device is simulated.
    pub(super) simulated: bool,
    /// The event time of the last reading.
    pub(super) time: Option<Timestamp>,
    /// Where a moving device was last.
    pub(super) place: Option<(ZoneSet, Position)>,
    /// The slot of its gateway.
    pub(super) gateway: Option<SlotId>,
}

impl Open {
    /// A condition that holds while its rule is off schedule.
    pub(super) fn waiting(now: Timestamp, evidence: Evidence) -> Self {
        Self {
            machine: Machine::default(),
            started: now,
            simulated: evidence.simulated,
            evidence,
            alert: None,
            seq: 0,
        }
    }
}

impl Quiet {
    /// Gives it its full allowance anew.
    pub(super) fn arm_anew(&mut self, now: Timestamp) {
        self.silent = false;
        self.suppressed = false;
        self.armed = self.armed.max(now);
    }

    /// When the allowance ends.
    pub(super) fn deadline(&self) -> Timestamp {
        self.armed + self.allowance
    }
}

/// What is remembered of a device as a whole.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) memory: Box<dyn DeviceMemory>,
    /// The event time of the latest simulated reading.
    pub(super) simulated_at: Option<Timestamp>,
    /// What the latest reading said beside its value.
    pub(super) seen: Evidence,
}

/// The devices of a zone with their latest readings.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Sorted by device, so that results do not depend on the order of arrival.
    pub(super) list: Vec<Member>,
    /// The zone is not judged again before this.
    pub(super) next: Option<Timestamp>,
    /// There is news that was not judged.
    pub(super) dirty: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) device: DeviceKey,
    pub(super) value: f64,
    pub(super) time: Timestamp,
    /// The time by which it ages.
    pub(super) stamp: Timestamp,
    pub(super) simulated: bool,
}

impl Members {
    pub(super) fn put(&mut self, member: Member) {
        match self.list.binary_search_by_key(&member.device, |other| other.device) {
            Ok(at) => self.list[at] = member,
            Err(at) => self.list.insert(at, member),
        }
    }

    pub(super) fn get(&self, device: DeviceKey) -> Option<&Member> {
        let found = self.list.binary_search_by_key(&device, |other| other.device);
        found.ok().map(|at| &self.list[at])
    }

    pub(super) fn remove(&mut self, device: DeviceKey) {
        if let Ok(at) = self.list.binary_search_by_key(&device, |other| other.device) {
            self.list.remove(at);
        }
    }
}

impl Slot {
    pub(super) fn new(rule: u32, key: SubjectKey, body: Body) -> Self {
        Self {
            rule,
            key,
            timer: None,
            last_started: None,
            held: false,
            open: None,
            own: None,
            body,
        }
    }

    /// When something is to be done next without a reading.
    pub(super) fn deadline(&self, program: &Program) -> Option<Timestamp> {
        let timing = timing_of(program.rules[self.rule as usize].timing, self.held);
        let machine = self.open.as_ref().and_then(|open| open.machine.next_deadline(timing));
        let body = match &self.body {
            Body::Silence(quiet) if !quiet.silent => Some(quiet.deadline()),
            Body::Zone(members) if members.dirty => members.next,
            Body::Device(whole) => whole.memory.deadline(),
            _ => None,
        };
        match (machine, body) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Opens the slot, if it is not open. The start is moved on by a microsecond where the alert
    /// before had the same, since the id comes from it.
    pub(super) fn open(&mut self, since: Timestamp) -> &mut Open {
        let last = self.last_started;
        self.open.get_or_insert_with(|| {
            let started = match last {
                Some(last) if since <= last => last + Span::from_micros(1),
                _ => since,
            };
            Box::new(Open::waiting(started, Evidence::default()))
        })
    }

    /// Whether an alert of the slot fires, and people were told of it.
    pub(super) fn is_told(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.alert.is_some() && open.seq > 0)
    }

    /// Closes the slot if nothing is pending and nothing fires.
    pub(super) fn forget_waiting(&mut self) {
        if self.open.as_ref().is_some_and(|open| open.machine.is_inactive()) {
            self.open = None;
            self.held = false;
        }
    }

    /// Whether an alert of the slot fires.
    pub(super) fn fires(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.alert.is_some())
    }
}

/// All slots, found by rule and subject.
#[derive(Debug, Default)]
pub(super) struct Slots {
    list: Vec<Slot>,
    /// A snapshot that is being taken piece by piece.
    taking: Option<Taking>,
    index: FxHashMap<(u32, SubjectKey), SlotId>,
    /// The zones in which a device counts, with their rules.
    memberships: FxHashMap<DeviceKey, Vec<(u32, SlotId)>>,
    /// How many of them have an alert that fires.
    pub(super) firing: usize,
}

impl Slots {
    pub(super) fn find(&self, rule: u32, key: &SubjectKey) -> Option<SlotId> {
        self.index.get(&(rule, key.clone())).copied()
    }

    pub(super) fn find_or_add(
        &mut self,
        rule: u32,
        key: SubjectKey,
        body: impl FnOnce() -> Body,
    ) -> SlotId {
        let Self { list, index, .. } = self;
        *index.entry((rule, key)).or_insert_with_key(|(_, key)| {
            let id = list.len() as SlotId;
            list.push(Slot::new(rule, key.clone(), body()));
            id
        })
    }

    /// The zone slots in which a device counts, with their rules.
    pub(super) fn memberships(&self, device: DeviceKey) -> &[(u32, SlotId)] {
        self.memberships.get(&device).map_or(&[], Vec::as_slice)
    }

    /// Notes the zone slots of a rule in which a device counts from now on.
    pub(super) fn set_memberships(&mut self, rule: u32, device: DeviceKey, slots: &[SlotId]) {
        let known = self.memberships.entry(device).or_default();
        known.retain(|(of, _)| *of != rule);
        known.extend(slots.iter().map(|slot| (rule, *slot)));
    }

    /// Makes the index anew after slots were removed or their rules renumbered.
    pub(super) fn reindex(&mut self) {
        self.index.clear();
        self.memberships.clear();
        for (id, slot) in self.list.iter().enumerate() {
            self.index.insert((slot.rule, slot.key.clone()), id as SlotId);
            if let Body::Zone(members) = &slot.body {
                for member in &members.list {
                    let of = self.memberships.entry(member.device).or_default();
                    of.push((slot.rule, id as SlotId));
                }
            }
        }
        self.firing = self.list.iter().filter(|slot| slot.is_told()).count();
    }

    pub(super) fn get(&self, id: SlotId) -> &Slot {
        &self.list[id as usize]
    }

    pub(super) fn get_mut(&mut self, id: SlotId) -> &mut Slot {
        let slot = &mut self.list[id as usize];
        if let Some(taking) = &mut self.taking {
            taking.before_change(id, slot);
        }
        slot
    }

    /// All of them, by id.
    pub(super) fn all(&self) -> &[Slot] {
        &self.list
    }

    /// All of them, to be changed; the ids stay. A snapshot that is being taken is given up.
    pub(super) fn all_mut(&mut self) -> &mut [Slot] {
        self.taking = None;
        &mut self.list
    }

    /// All of them, to be put back by [`Slots::replace`].
    pub(super) fn take_all(&mut self) -> Vec<Slot> {
        self.taking = None;
        std::mem::take(&mut self.list)
    }

    /// Puts others in their place; [`Slots::reindex`] then makes the index anew, unless they are
    /// the same.
    pub(super) fn replace(&mut self, list: Vec<Slot>) {
        self.taking = None;
        self.list = list;
    }

    /// Begins to take a snapshot of them as they are now.
    pub(super) fn begin_taking(&mut self, directory: Arc<Directory>) {
        self.taking = Some(Taking::new(directory, self.list.len()));
    }

    /// Gives up the snapshot that is being taken.
    pub(super) fn give_up_taking(&mut self) {
        self.taking = None;
    }

    /// Whether a snapshot is being taken.
    pub(super) fn is_being_taken(&self) -> bool {
        self.taking.is_some()
    }

    /// Takes as many slots more into the snapshot that is being taken; gives them when it has all.
    pub(super) fn go_on_taking(&mut self, slots: usize) -> Option<Vec<SavedSlot>> {
        self.taking.as_mut()?.go_on(&self.list, slots)?;
        self.taking.take().map(Taking::saved)
    }

    pub(super) fn quiet(&self, id: SlotId) -> Option<&Quiet> {
        match &self.get(id).body {
            Body::Silence(quiet) => Some(quiet),
            _ => None,
        }
    }

    pub(super) fn quiet_mut(&mut self, id: SlotId) -> Option<&mut Quiet> {
        match &mut self.get_mut(id).body {
            Body::Silence(quiet) => Some(quiet),
            _ => None,
        }
    }
}

impl SubjectKey {
    /// The subject as alerts name it; `None` if the directory no longer knows it.
    pub(super) fn subject(&self, directory: &Directory) -> Option<Subject> {
        Some(match self {
            Self::Series(series) => Subject::Series {
                device: directory.device(series.device)?.id.clone(),
                metric: directory.metrics.get(series.metric)?.id.clone(),
            },
            Self::Device(device) => {
                Subject::Device { device: directory.device(*device)?.id.clone() }
            }
            Self::Zone(zone) => Subject::Zone { zone: zone.clone() },
            Self::Gateway(device) => Subject::Device { device: device.clone() },
        })
    }
}
