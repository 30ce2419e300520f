//! Rules on devices as a whole.

use city_model::{AlertEvent, Marks, Reading, SeriesKey, Timestamp};

use super::Evaluator;
use super::program::Inside;
use super::series::Target;
use super::slot::{Body, Evidence, SlotId, SubjectKey, Whole};
use super::trace::Decision;
use crate::kinds::{Condition, Finding, Input};
use crate::ladder::Verdict;

/// Where a reading goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) slot: SlotId,
    pub(super) place: u8,
    pub(super) roams: bool,
    /// Whether the device is simulated.
    pub(super) simulated: bool,
}

impl Evaluator {
    pub(super) fn device_target(
        &mut self,
        rule: u32,
        key: SeriesKey,
        inside: Inside,
    ) -> Option<Target> {
        if inside == Inside::Never {
            return None;
        }
        let compiled = &self.program.rules[rule as usize];
        let Condition::Device(function) = &compiled.rule.condition else { return None };
        let metric = &self.directory.metrics.get(key.metric)?.id;
        let place = compiled.rule.select.metric.iter().position(|name| name == metric);
        let slot = self.slots.find_or_add(rule, SubjectKey::Device(key.device), || {
            Body::Device(Box::new(Whole {
                memory: function.start(),
                simulated_at: None,
                seen: Evidence::default(),
            }))
        });
        let place = u8::try_from(place.unwrap_or(0)).ok()?;
        Some(Target::Device { slot, place, roams: inside == Inside::Varies })
    }

    /// Judges a device by a reading of it.
    pub(super) fn judge_device(&mut self, at: At, reading: &Reading, out: &mut Vec<AlertEvent>) {
        let now = self.clock;
        let slot = self.slots.get_mut(at.slot);
        let compiled = &self.program.rules[slot.rule as usize];
        let Condition::Device(function) = &compiled.rule.condition else { return };
        let Body::Device(whole) = &mut slot.body else { return };
        if at.simulated || reading.marks.has(Marks::SIMULATED) {
            whole.simulated_at = Some(reading.time);
        }
        let since = whole.simulated_at.map(|simulated| reading.time.since(simulated));
        whole.seen = Evidence {
            value: None,
            time: Some(reading.time),
            zones: reading.zones.clone(),
            position: reading.position,
            simulated: since.is_some_and(|since| since <= function.reach()),
            devices: 1,
        };
        if at.roams && !compiled.in_zones(&reading.zones) {
            // It has left the zones of the rule: seen outside, it is clear.
            let evidence = whole.seen.clone();
            self.note(at.slot, || Decision::OutsideZones);
            self.apply(at.slot, now, now, Verdict::CLEAR, evidence, out);
            return;
        }
        let finding = whole.memory.take(&Input {
            place: usize::from(at.place),
            time: reading.time,
            now,
            value: &reading.value,
            position: reading.position,
            inside: compiled.in_fence(&reading.zones),
        });
        self.conclude(at.slot, now, finding, out);
    }

    /// Serves the deadline of a device's memory.
    pub(super) fn wake_device(&mut self, id: SlotId, now: Timestamp, out: &mut Vec<AlertEvent>) {
        if let Body::Device(whole) = &mut self.slots.get_mut(id).body {
            let finding = whole.memory.wake();
            self.conclude(id, now, finding, out);
        }
    }

    fn conclude(
        &mut self,
        id: SlotId,
        now: Timestamp,
        finding: Option<Finding>,
        out: &mut Vec<AlertEvent>,
    ) {
        let slot = self.slots.get(id);
        let rule = &self.program.rules[slot.rule as usize].rule;
        if let (Some(finding), Body::Device(whole)) = (finding, &slot.body) {
            let mut evidence = whole.seen.clone();
            let verdict = match (finding, &rule.ladder) {
                (Finding::Number(value), Some(ladder)) => {
                    evidence.value = Some(value);
                    ladder.judge(value)
                }
                (Finding::Truth(true), Some(ladder)) => ladder.all(),
                (Finding::Truth(true), None) => Verdict::raise(rule.severity),
                (Finding::Truth(false), _) | (Finding::Number(_), None) => Verdict::CLEAR,
            };
            let value = evidence.value;
            let decision = Decision::judged(value, rule.ladder.as_ref(), verdict);
            self.note(id, || decision);
            self.apply(id, now, now, verdict, evidence, out);
        } else {
            self.note(id, || Decision::NoResult);
        }
        self.schedule(id);
    }
}
