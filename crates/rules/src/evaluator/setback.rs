//! A clock that was set back: what the evaluator took for the time lies ahead of it now.
//!
//! Left alone, the evaluator would wait until the clock has caught up: timers would stand still, and
//! every fresh reading would be late or older than what it knows. So it forgets the time that never
//! was: what began then begins now.

use city_model::{AlertEvent, Timestamp};

use super::Evaluator;
use super::slot::{Body, SubjectKey};
use crate::kinds::Condition;

impl Evaluator {
    /// Goes back to `now`, for a clock that was ahead and has been set right. Alerts stay as they
    /// are; what waits for its time, waits for all of it from now on at most; windows that hold
    /// readings of the time that never was start anew. Rules that are on or off schedule by the right
    /// clock are so at once.
    pub fn set_back(&mut self, now: Timestamp, out: &mut Vec<AlertEvent>) {
        self.clock = self.clock.min(now);
        for entry in &mut self.series.entries {
            entry.newest = entry.newest.filter(|newest| *newest <= now);
        }
        for slot in self.slots.all_mut() {
            if let Some(open) = &mut slot.open {
                open.machine.set_back(now);
            }
            match &mut slot.body {
                Body::Series { memory, simulated_at } => {
                    let SubjectKey::Series(key) = slot.key else { continue };
                    let index = self.series.find_or_add(key);
                    if self.series.entries[index].newest.is_none()
                        && let Condition::Function(function) =
                            &self.program.rules[slot.rule as usize].rule.condition
                    {
                        *memory = Some(function.start());
                    }
                    *simulated_at = simulated_at.map(|at| at.min(now));
                }
                Body::Silence(quiet) => quiet.armed = quiet.armed.min(now),
                Body::Zone(members) => {
                    members.next = members.next.map(|next| next.min(now));
                    for member in &mut members.list {
                        member.time = member.time.min(now);
                        member.stamp = member.stamp.min(now);
                    }
                }
                Body::Device(whole) => {
                    whole.memory.set_back(now);
                    whole.simulated_at = whole.simulated_at.map(|at| at.min(now));
                }
                Body::Composite { .. } | Body::Gateway { .. } => {}
            }
        }
        let before = std::mem::take(&mut self.shifts);
        self.reschedule();
        let numbers: Vec<Option<u32>> = (0..self.program.rules.len() as u32).map(Some).collect();
        let shifted = self.shifted(&before, &numbers);
        self.follow_shifts(&shifted, self.clock, out);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use city_model::{
        AlertEventKind, Catalogue, Crs, Device, DeviceKey, Directory, LifeCycle, LocalText, Marks,
        Placement, Position, Quality, Reading, SeriesKey, Span, Value, ZoneSet,
    };

    use super::*;
    use crate::rule::RuleSet;

    const T0: Timestamp = Timestamp::from_secs(1_767_225_600);
    const RULES: &str = "
group: all
department: d
rules:
  - {id: high, kind: threshold, select: {metric: pm25}, for: 20s,
     severity: low, raise: {above: 50}}
  - {id: mean, kind: window, select: {metric: pm25}, window: {function: mean, over: 60s},
     severity: medium, raise: {above: 55}, clear: {below: 50}}
  - {id: gone, kind: absence, severity: low, for: 45s}
";

    fn evaluator() -> Evaluator {
        let device = Device {
            key: DeviceKey(0),
            id: "d".into(),
            name: LocalText::same("D"),
            kind: "k".into(),
            department: "d".into(),
            placement: Placement::Fixed(Position { lon: 1.0, lat: 2.0 }),
            declared: None,
            crs: Crs::default(),
            zones: ZoneSet::default(),
            interval: Some(Span::from_secs(15)),
            gateway: None,
            life_cycle: LifeCycle::Active,
            simulated: false,
            attributes: BTreeMap::new(),
        };
        let directory = Directory::new([Arc::new(device)], Catalogue::embedded(), Vec::new(), 1);
        let rules = RuleSet::parse(&[("rules.yaml", RULES)]).expect("valid rules");
        Evaluator::new(Arc::new(rules), Arc::new(directory), T0)
    }

    fn pm25(secs: i64, value: f64) -> Reading {
        let metric = Catalogue::embedded().by_id("pm25").expect("known").key;
        let at = T0 + Span::from_secs(secs);
        Reading {
            series: SeriesKey { device: DeviceKey(0), metric },
            time: at,
            received: at,
            value: Value::Number(value),
            quality: Quality::Pass,
            marks: Marks::NONE,
            position: None,
            zones: ZoneSet::default(),
        }
    }

    /// What happened: rule and kind.
    fn log(events: &[AlertEvent]) -> Vec<(String, AlertEventKind)> {
        events.iter().map(|event| (event.alert.rule.id.to_string(), event.kind)).collect()
    }

    #[test]
    fn alerts_go_on_after_a_clock_that_was_two_hours_ahead() {
        let mut evaluator = evaluator();
        let mut out = Vec::new();
        evaluator.observe(&pm25(0, 10.0), &mut out);
        // The clock is two hours ahead, and a reading without a time of its own with it.
        let ahead = 7_200;
        evaluator.observe(&pm25(ahead, 90.0), &mut out);
        out.clear();
        evaluator.set_back(T0 + Span::from_secs(10), &mut out);
        assert_eq!(log(&out), []);
        assert_eq!(evaluator.clock(), T0 + Span::from_secs(10));
        for secs in 11..=31 {
            evaluator.observe(&pm25(secs, 90.0), &mut out);
        }
        let all = log(&out);
        let fired = |rule: &str| all.contains(&(rule.to_owned(), AlertEventKind::Fired));
        assert!(fired("high"), "the reading is no longer out of order, and `for` is over: {all:?}");
        out.clear();
        for secs in 32..=40 {
            evaluator.observe(&pm25(secs, 10.0), &mut out);
        }
        assert!(log(&out).contains(&("high".to_owned(), AlertEventKind::Resolved)), "{out:?}");
        out.clear();
        // Silence counts from the last reading by the right clock.
        evaluator.advance(T0 + Span::from_secs(90), &mut out);
        assert!(log(&out).contains(&("gone".to_owned(), AlertEventKind::Fired)), "{out:?}");
    }

    #[test]
    fn a_clock_that_is_not_ahead_changes_nothing() {
        let (mut left, mut right) = (evaluator(), evaluator());
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for secs in 0..60 {
            left.observe(&pm25(secs, 90.0), &mut one);
            right.observe(&pm25(secs, 90.0), &mut two);
            right.set_back(T0 + Span::from_secs(secs), &mut two);
        }
        assert_eq!(log(&one), log(&two));
        assert!(!one.is_empty());
    }
}
