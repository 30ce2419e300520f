//! Rules on single series: who selects a series, and the verdict over its readings.

use city_model::{AlertEvent, Device, Marks, Reading, SeriesKey, Span};

use super::Evaluator;
use super::program::{Hot, Inside};
use super::series::{Subscription, Target, ZoneLink};
use super::slot::{Body, Evidence, SlotId, SubjectKey};
use super::trace::{Decision, note};
use crate::kinds::{Condition, Memory, Watch};
use crate::ladder::Verdict;

impl Evaluator {
    /// Looks up who selects a series.
    pub(super) fn plan(&mut self, index: usize) {
        let key = self.series.entries[index].key;
        let mut plan = Vec::new();
        if let Some(device) = self.directory.device(key.device).cloned() {
            let mut candidates = Vec::new();
            self.program.index.candidates(key.metric, &device, &mut candidates);
            // Where it was before it moved or was moved, it must be taken out.
            let metric = self.directory.metrics.get(key.metric).map(|metric| metric.id.clone());
            let counts = |rule: &u32| {
                let select = &self.program.rules[*rule as usize].rule.select;
                metric.as_ref().is_some_and(|metric| select.matches_metric(metric))
            };
            let known = self.slots.memberships(key.device).iter().map(|(rule, _)| *rule);
            candidates.extend(known.filter(counts));
            candidates.sort_unstable();
            candidates.dedup();
            for rule in candidates {
                let compiled = &self.program.rules[rule as usize];
                if !compiled.rule.select.matches_device(&device) {
                    continue;
                }
                let (inside, simulated) = (compiled.inside(&device), device.simulated);
                let hot = Hot::new(compiled);
                let target = match &compiled.rule.condition {
                    Condition::Value
                    | Condition::Index(_)
                    | Condition::State(_)
                    | Condition::Function(_) => self.series_target(rule, key, &device, inside),
                    Condition::Composite(_) | Condition::Dependency(_) => None,
                    Condition::Device(_) => self.device_target(rule, key, inside),
                    Condition::Silence(silence) => {
                        let subject = match silence.watch {
                            Watch::Devices => SubjectKey::Device(key.device),
                            Watch::Series => SubjectKey::Series(key),
                        };
                        self.slots.find(rule, &subject).map(|slot| Target::Silence { slot })
                    }
                    Condition::Zone(_) => {
                        // After a restart the zones of the device are found by its membership.
                        let known = self.slots.memberships(key.device).iter();
                        let slots = known.filter(|(of, _)| *of == rule).map(|(_, slot)| *slot);
                        let link = ZoneLink { zones: None, slots: slots.collect() };
                        Some(Target::Zone { link: self.series.add_link(link) })
                    }
                };
                if let Some(target) = target {
                    plan.push(Subscription { rule, hot, target, simulated });
                }
            }
        }
        self.series.entries[index].plan = Some(plan.into());
    }

    fn series_target(
        &mut self,
        rule: u32,
        key: SeriesKey,
        device: &Device,
        inside: Inside,
    ) -> Option<Target> {
        if inside == Inside::Never {
            return None;
        }
        let compiled = &self.program.rules[rule as usize];
        let Ok(own) = compiled.own_limits(device) else { return Some(Target::NoLimit) };
        let condition = &compiled.rule.condition;
        let slot = self.slots.find_or_add(rule, SubjectKey::Series(key), || Body::Series {
            memory: match condition {
                Condition::Function(function) => Some(function.start()),
                _ => None,
            },
            simulated_at: None,
        });
        self.slots.get_mut(slot).own = own;
        Some(Target::Series { slot, roams: inside == Inside::Varies })
    }

    /// Judges a reading of a series; `value` is there unless the rule takes texts, too.
    pub(super) fn judge_series(
        &mut self,
        id: SlotId,
        roams: bool,
        reading: &Reading,
        value: Option<f64>,
        subscription: &Subscription,
        out: &mut Vec<AlertEvent>,
    ) {
        let slot = self.slots.get_mut(id);
        let about = (slot.rule, &slot.key);
        let compiled = &self.program.rules[slot.rule as usize];
        let Body::Series { memory, simulated_at } = &mut slot.body else { return };
        if subscription.simulated || reading.marks.has(Marks::SIMULATED) {
            *simulated_at = Some(reading.time);
        }
        let mut judged = value;
        let verdict = if roams && !compiled.in_zones(&reading.zones) {
            note(&mut self.tracer, about, self.clock, || Decision::OutsideZones);
            // It has left the zones of the rule: seen outside, it is clear.
            Verdict::CLEAR
        } else {
            if let (Some(memory), Some(value)) = (memory.as_deref_mut(), value) {
                match memory.push(reading.time, value) {
                    Some(result) => judged = Some(result),
                    None => {
                        return note(&mut self.tracer, about, self.clock, || Decision::NoResult);
                    }
                }
            }
            let is_calm = |judged| subscription.hot.is_calm(judged);
            let ladder = slot.own.as_deref().or(compiled.rule.ladder.as_ref());
            if slot.open.is_none() && slot.own.is_none() && judged.is_some_and(is_calm) {
                let calm = || {
                    let expected = memory.as_deref().and_then(Memory::expectation);
                    Decision::judged(judged, ladder, Verdict::CLEAR).expecting(expected)
                };
                return note(&mut self.tracer, about, self.clock, calm);
            }
            let verdict = match (&compiled.rule.condition, ladder, judged) {
                (Condition::State(states), Some(ladder), _) if states.hold(&reading.value) => {
                    ladder.all()
                }
                (Condition::State(_), ..) | (_, None, _) | (.., None) => Verdict::CLEAR,
                (_, Some(ladder), Some(judged)) => ladder.judge(judged),
            };
            let judged = judged.filter(|_| !compiled.takes_text());
            let decision = || {
                let expected = memory.as_deref().and_then(Memory::expectation);
                Decision::judged(judged, ladder, verdict).expecting(expected)
            };
            note(&mut self.tracer, about, self.clock, decision);
            verdict
        };
        if verdict.raised == 0 && slot.open.is_none() {
            return;
        }
        let reach = match &compiled.rule.condition {
            Condition::Function(function) => function.reach(),
            _ => Span::ZERO,
        };
        let simulated = simulated_at.is_some_and(|at| reading.time.since(at) <= reach);
        let evidence = Evidence {
            value: judged.filter(|_| !compiled.takes_text()),
            time: Some(reading.time),
            zones: reading.zones.clone(),
            position: reading.position,
            simulated,
            devices: 1,
        };
        self.apply(id, self.clock, self.clock, verdict, evidence, out);
    }
}
