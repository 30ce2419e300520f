//! Readings that are older than the newest one of their series. They say nothing about now, so they
//! raise and clear nothing by themselves; but windows are wrong without them, and so are zones whose
//! newest reading of the device was not to be trusted. Every one is remembered with the decision.

use city_model::{AlertEvent, Marks, Reading, Timestamp};

use super::Evaluator;
use super::series::{Subscription, Target};
use super::slot::{Body, Evidence, SlotId, SubjectKey};
use super::stats::{LateDecision, LateReading};
use super::trace::Decision;
use crate::kinds::{Condition, Late};

impl Evaluator {
    /// Gives an older reading to the rules that can still use it, each inside its lateness.
    pub(super) fn take_late(
        &mut self,
        reading: &Reading,
        index: usize,
        newest: Timestamp,
        out: &mut Vec<AlertEvent>,
    ) {
        let number = reading.value.as_f64();
        let mut rules = 0;
        let mut at = 0;
        while let Some(&subscription) =
            self.series.entries[index].plan.as_ref().and_then(|plan| plan.get(at))
        {
            at += 1;
            let compiled = &self.program.rules[subscription.rule as usize];
            let lateness = self.clock.since(reading.time);
            let too_late = compiled.lateness.is_some_and(|allowed| lateness > allowed);
            let trusted = compiled.trust.has(reading.quality);
            let value = match number {
                _ if too_late => Err(Decision::Late { by: lateness }),
                _ if !trusted => Err(Decision::Untrusted { flag: reading.quality }),
                None => Err(Decision::OutOfOrder { newest }),
                Some(value) => Ok(value),
            };
            let value = match value {
                Ok(value) => value,
                Err(refused) => {
                    self.note_reading(Some(subscription.rule), refused);
                    continue;
                }
            };
            let taken = match subscription.target {
                Target::Series { slot, roams } => {
                    self.insert_late(slot, roams, (reading, newest), value, subscription, out)
                }
                Target::Zone { link } => self.member_late(link, subscription, reading, value, out),
                _ => false,
            };
            let decision = if taken { Decision::Inserted } else { Decision::OutOfOrder { newest } };
            self.note_reading(Some(subscription.rule), decision);
            rules += u32::from(taken);
        }
        let stats = &mut self.counters.stats;
        let decision = if rules > 0 {
            stats.inserted += 1;
            stats.evaluations += u64::from(rules);
            LateDecision::Inserted { rules }
        } else {
            stats.out_of_order += 1;
            LateDecision::OutOfOrder { newest }
        };
        self.counters.remember(LateReading {
            series: reading.series,
            time: reading.time,
            received: reading.received,
            decision,
        });
    }

    /// Puts a reading in its place in the memory of a function, and judges what comes of it. `false`
    /// if the function has no use for it.
    fn insert_late(
        &mut self,
        id: SlotId,
        roams: bool,
        (reading, newest): (&Reading, Timestamp),
        value: f64,
        subscription: Subscription,
        out: &mut Vec<AlertEvent>,
    ) -> bool {
        let slot = self.slots.get_mut(id);
        let compiled = &self.program.rules[slot.rule as usize];
        let Body::Series { memory: Some(memory), simulated_at } = &mut slot.body else {
            return false;
        };
        if roams && !compiled.in_zones(&reading.zones) {
            return false;
        }
        let Late::Taken(result) = memory.insert_late(reading.time, value) else { return false };
        if subscription.simulated || reading.marks.has(Marks::SIMULATED) {
            *simulated_at = (*simulated_at).max(Some(reading.time));
        }
        let ladder = slot.own.as_deref().or(compiled.rule.ladder.as_ref());
        let (Some(value), Some(ladder)) = (result, ladder) else { return true };
        let verdict = ladder.judge(value);
        if verdict.raised == 0 && slot.open.is_none() {
            return true;
        }
        let Condition::Function(function) = &compiled.rule.condition else { return true };
        let simulated = simulated_at.is_some_and(|at| newest.since(at) <= function.reach());
        // Where the device is, newer readings say.
        let before = slot.open.as_ref().map(|open| open.evidence.clone());
        let evidence = Evidence {
            value: Some(value),
            simulated,
            ..before.unwrap_or_else(|| Evidence {
                time: Some(newest),
                zones: reading.zones.clone(),
                position: reading.position,
                devices: 1,
                ..Evidence::default()
            })
        };
        self.apply(id, self.clock, self.clock, verdict, evidence, out);
        true
    }

    /// Lets a device count with an older reading in the zones in which it counts with one that is
    /// older still. `false` if there are none.
    fn member_late(
        &mut self,
        link: u32,
        subscription: Subscription,
        reading: &Reading,
        value: f64,
        out: &mut Vec<AlertEvent>,
    ) -> bool {
        let device = reading.series.device;
        let counts_less = |id: &SlotId| {
            let slot = self.slots.get(*id);
            let (Body::Zone(members), SubjectKey::Zone(zone)) = (&slot.body, &slot.key) else {
                return false;
            };
            // A device that moves may have been somewhere else then.
            let was_there = self.directory.zone_by_id(zone);
            was_there.is_some_and(|zone| reading.zones.contains(&zone.key))
                && members.get(device).is_some_and(|known| known.time < reading.time)
        };
        let slots = self.series.links[link as usize].slots.iter().copied();
        let slots: Vec<SlotId> = slots.filter(counts_less).collect();
        for id in &slots {
            self.count_in(*id, subscription, reading, value, out);
        }
        !slots.is_empty()
    }
}
