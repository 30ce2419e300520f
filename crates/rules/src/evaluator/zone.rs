//! Zone aggregates: membership of devices and the judgement over a zone.

use city_model::{AlertEvent, Marks, Reading, Span, Timestamp};

use super::Evaluator;
use super::series::{Subscription, ZoneLink};
use super::slot::{Body, Evidence, Member, SlotId, SubjectKey};
use super::trace::{Decision, note};
use crate::kinds::Condition;

/// A zone is judged at most this often.
const PACE: Span = Span::from_secs(1);

impl Evaluator {
    /// Takes a reading into the zones for which it counts, and judges them.
    pub(super) fn judge_zones(
        &mut self,
        link: u32,
        subscription: Subscription,
        reading: &Reading,
        value: f64,
        out: &mut Vec<AlertEvent>,
    ) {
        let index = link as usize;
        let known = self.series.links[index].zones.as_ref();
        if known.is_none_or(|zones| *zones != reading.zones) {
            self.relink(index, subscription.rule, reading);
        }
        for at in 0..self.series.links[index].slots.len() {
            let id = self.series.links[index].slots[at];
            self.count_in(id, subscription, reading, value, out);
        }
    }

    /// Lets a device count in a zone with a reading, and judges the zone, now or when its time comes.
    pub(super) fn count_in(
        &mut self,
        id: SlotId,
        subscription: Subscription,
        reading: &Reading,
        value: f64,
        out: &mut Vec<AlertEvent>,
    ) {
        let now = self.clock;
        let compiled = &self.program.rules[subscription.rule as usize];
        let unlimited = compiled.lateness.is_none();
        let Condition::Zone(aggregate) = &compiled.rule.condition else { return };
        let (each, over) = (aggregate.each, aggregate.over);
        let mut member = Member {
            device: reading.series.device,
            value,
            time: reading.time,
            // Where readings may be late without limit, their own time says nothing about age.
            stamp: if unlimited { now } else { reading.time },
            simulated: subscription.simulated || reading.marks.has(Marks::SIMULATED),
        };
        let Body::Zone(members) = &mut self.slots.get_mut(id).body else { return };
        if let Some(each) = each {
            let was = members
                .get(member.device)
                .is_some_and(|before| before.value > 0.0 && before.stamp >= now - over);
            member.value = f64::from(u8::from(each.beyond(value, was)));
        }
        members.put(member);
        if members.next.is_none_or(|next| next <= now) {
            self.judge_zone(id, now, out);
        } else {
            members.dirty = true;
            self.schedule(id);
        }
    }

    /// Follows a device into the zones of its reading and out of those it has left.
    fn relink(&mut self, index: usize, rule: u32, reading: &Reading) {
        let compiled = &self.program.rules[rule as usize];
        let Condition::Zone(aggregate) = &compiled.rule.condition else { return };
        let mut slots = Vec::with_capacity(reading.zones.len());
        for key in &reading.zones {
            let Some(zone) = self.directory.zone(*key) else { continue };
            if compiled.in_zones(&[*key]) && aggregate.takes_layer(&zone.layer) {
                slots.push(self.slots.find_or_add(rule, SubjectKey::Zone(zone.id.clone()), || {
                    Body::Zone(Box::default())
                }));
            }
        }
        let left = std::mem::take(&mut self.series.links[index].slots);
        for id in left {
            if !slots.contains(&id)
                && let Body::Zone(members) = &mut self.slots.get_mut(id).body
            {
                members.remove(reading.series.device);
            }
        }
        self.slots.set_memberships(rule, reading.series.device, &slots);
        self.series.links[index] = ZoneLink { zones: Some(reading.zones.clone()), slots };
    }

    /// Judges a zone by what is known of its devices now.
    pub(super) fn judge_zone(&mut self, id: SlotId, now: Timestamp, out: &mut Vec<AlertEvent>) {
        let slot = self.slots.get_mut(id);
        let compiled = &self.program.rules[slot.rule as usize];
        let about = (slot.rule, &slot.key);
        let (Condition::Zone(aggregate), Body::Zone(members)) =
            (&compiled.rule.condition, &mut slot.body)
        else {
            return;
        };
        members.dirty = false;
        let oldest = now - aggregate.over;
        members.list.retain(|member| member.stamp >= oldest);
        let count = members.list.len() as u32;
        if count < aggregate.min_devices {
            let need = aggregate.min_devices;
            let few = || Decision::TooFewDevices { have: count, need };
            return note(&mut self.tracer, about, now, few);
        }
        members.next = Some(now + PACE);
        self.values.clear();
        self.values.extend(members.list.iter().map(|member| member.value));
        let (Some(value), Some(ladder)) =
            (aggregate.function.of(&mut self.values), &compiled.rule.ladder)
        else {
            return;
        };
        let verdict = ladder.judge(value);
        let decision = || Decision::judged(Some(value), Some(ladder), verdict);
        note(&mut self.tracer, about, now, decision);
        let evidence = Evidence {
            value: Some(value),
            time: members.list.iter().map(|member| member.time).max(),
            simulated: members.list.iter().any(|member| member.simulated),
            devices: count,
            ..Evidence::default()
        };
        self.apply(id, now, now, verdict, evidence, out);
    }
}
