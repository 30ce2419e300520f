//! `window`: an aggregate of the last minutes of one series passes a limit.
//!
//! ```yaml
//! kind: window
//! select: {metric: noise_laeq}
//! window: {function: mean, over: 10m, min_count: 5}
//! severity:
//!   medium: {above: 70, clear_below: 67}
//! ```
//!
//! The window reaches from the newest reading back by `over` in event time, its far end excluded.
//! Readings that come out of order, but inside the rule's `lateness`, count in it, too. Sums, counts and extremes are kept running: the work for a reading does not grow with the
//! window. Percentiles keep the window sorted.

use std::collections::VecDeque;
use std::sync::Arc;

use city_model::{Span, Timestamp};

use super::{Built, Condition, Kind, Late, Measure, Memory, Saved, SeriesFunction, threshold};
use crate::fields::Fields;
use crate::ladder::Ladder;
use crate::parse::{choose, need_metric, positive_span};
use crate::problem::Sink;
use crate::rule::Trust;
use crate::selector::Selector;

pub(super) static KIND: Kind = Kind {
    name: "window",
    about: [
        "Judges the mean, extreme, sum, count or 95th percentile of a series over a length of time.",
        "对一段时间内的均值、极值、总和、个数或第 95 百分位数进行判断。",
    ],
    keys: &["window", "severity", "raise", "clear", "for"],
    placeholders: threshold::PLACEHOLDERS,
    summary: [
        "{device_name}: {metric} {value} {unit} over the window (limit {limit})",
        "{device_name}：窗口内 {metric} {value} {unit}（限值 {limit}）",
    ],
    read,
};

const FUNCTIONS: [(&str, Function); 6] = [
    ("mean", Function::Mean),
    ("min", Function::Min),
    ("max", Function::Max),
    ("sum", Function::Sum),
    ("count", Function::Count),
    ("p95", Function::P95),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Mean,
    Min,
    Max,
    Sum,
    Count,
    P95,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    function: Function,
    over: Span,
    min_count: usize,
}

fn read(rule: &mut Fields<'_>, select: &Selector, sink: &mut Sink) -> Option<Built> {
    need_metric(select, rule.node.mark, sink);
    let hold = rule.span("for", sink).unwrap_or(Span::ZERO);
    let ladder = Ladder::read(rule, sink);
    let hint = "write `window: {function: mean, over: 10m}`";
    let node = rule.need("window", hint, sink)?;
    let mut fields = Fields::of(node, "`window`", sink)?;
    let function = choose(&mut fields, "function", &FUNCTIONS, sink);
    let over = positive_span(&mut fields, "over", "how far back, for example `over: 10m`", sink);
    let min_count = fields.count("min_count", 1, sink).unwrap_or(1) as usize;
    fields.finish(|_| None, sink);
    let (ladder, function, over) = (ladder?, function?, over?);
    Some(Built {
        severity: ladder.steps.first()?.severity,
        ladder: Some(ladder),
        condition: Condition::Function(Arc::new(Window { function, over, min_count })),
        hold,
        trust: Trust::default(),
    })
}

impl SeriesFunction for Window {
    fn start(&self) -> Box<dyn Memory> {
        self.restore(&Saved::default())
    }

    fn restore(&self, saved: &Saved) -> Box<dyn Memory> {
        // Columns: integers = the running counter, then the times; numbers = the running sum, then
        // the values.
        let times = saved.integers.iter().skip(1).map(|micros| Timestamp::from_micros(*micros));
        let values = saved.numbers.iter().skip(1).copied();
        let mut running = Running {
            window: *self,
            readings: times.zip(values).collect(),
            sum: saved.numbers.first().copied().unwrap_or(0.0),
            since_exact: saved.integers.first().copied().unwrap_or(0),
            extremes: VecDeque::new(),
            sorted: Vec::new(),
        };
        for index in 0..running.readings.len() {
            let (time, value) = running.readings[index];
            running.admit(time, value);
        }
        Box::new(running)
    }

    fn reach(&self) -> Span {
        self.over
    }

    fn measure(&self) -> Measure {
        if self.function == Function::Count { Measure::Plain } else { Measure::Metric }
    }
}

#[derive(Debug)]
struct Running {
    window: Window,
    readings: VecDeque<(Timestamp, f64)>,
    sum: f64,
    /// How many readings have left since the sum was last added up afresh.
    since_exact: i64,
    /// Candidates for the extreme, best first; each is younger than the one before.
    extremes: VecDeque<(Timestamp, f64)>,
    /// All values in order, for percentiles.
    sorted: Vec<f64>,
}

impl Running {
    /// Takes a reading into what only this function needs.
    fn admit(&mut self, time: Timestamp, value: f64) {
        match self.window.function {
            Function::Min | Function::Max => {
                let highest = self.window.function == Function::Max;
                while let Some((_, last)) = self.extremes.back() {
                    let useless = if highest { *last <= value } else { *last >= value };
                    if !useless {
                        break;
                    }
                    self.extremes.pop_back();
                }
                self.extremes.push_back((time, value));
            }
            Function::P95 => {
                let at = self.sorted.partition_point(|other| other.total_cmp(&value).is_lt());
                self.sorted.insert(at, value);
            }
            Function::Mean | Function::Sum | Function::Count => {}
        }
    }

    fn evict(&mut self, value: f64) {
        match self.window.function {
            Function::Mean | Function::Sum => {
                self.sum -= value;
                self.since_exact += 1;
            }
            Function::P95 => {
                if let Ok(at) = self.sorted.binary_search_by(|other| other.total_cmp(&value)) {
                    self.sorted.remove(at);
                }
            }
            Function::Min | Function::Max | Function::Count => {}
        }
    }

    /// Rounding errors of a running sum would grow without end: after as many removals as there
    /// are readings it is added up afresh, which costs a constant amount per reading.
    fn refresh(&mut self) {
        if self.since_exact as usize > self.readings.len() {
            self.sum = self.readings.iter().map(|(_, value)| value).sum();
            self.since_exact = 0;
        }
    }

    fn result(&self) -> Option<f64> {
        let count = self.readings.len();
        if count < self.window.min_count {
            return None;
        }
        Some(match self.window.function {
            Function::Mean => self.sum / count as f64,
            Function::Sum => self.sum,
            Function::Count => count as f64,
            Function::Min | Function::Max => self.extremes.front()?.1,
            // Nearest rank.
            Function::P95 => *self.sorted.get((count * 95).div_ceil(100) - 1)?,
        })
    }
}

impl Memory for Running {
    fn push(&mut self, time: Timestamp, value: f64) -> Option<f64> {
        let horizon = time - self.window.over;
        while let Some((oldest, value)) = self.readings.front().copied() {
            if oldest > horizon {
                break;
            }
            self.readings.pop_front();
            self.evict(value);
        }
        while self.extremes.front().is_some_and(|(oldest, _)| *oldest <= horizon) {
            self.extremes.pop_front();
        }
        self.readings.push_back((time, value));
        if matches!(self.window.function, Function::Mean | Function::Sum) {
            self.sum += value;
            self.refresh();
        }
        self.admit(time, value);
        self.result()
    }

    fn insert_late(&mut self, time: Timestamp, value: f64) -> Late {
        let Some((newest, _)) = self.readings.back().copied() else {
            return Late::Taken(self.push(time, value));
        };
        if time > newest {
            return Late::Taken(self.push(time, value));
        }
        let place = self.readings.partition_point(|(other, _)| *other < time);
        let is_there = self.readings.get(place).is_some_and(|(other, _)| *other == time);
        if is_there || time <= newest - self.window.over {
            return Late::Refused;
        }
        self.readings.insert(place, (time, value));
        match self.window.function {
            Function::Mean | Function::Sum => self.sum += value,
            Function::Min | Function::Max => {
                self.extremes.clear();
                for index in 0..self.readings.len() {
                    let (time, value) = self.readings[index];
                    self.admit(time, value);
                }
            }
            Function::Count | Function::P95 => self.admit(time, value),
        }
        Late::Taken(self.result())
    }

    fn save(&self) -> Saved {
        let times = self.readings.iter().map(|(time, _)| time.micros());
        let values = self.readings.iter().map(|(_, value)| *value);
        Saved {
            integers: std::iter::once(self.since_exact).chain(times).collect(),
            numbers: std::iter::once(self.sum).chain(values).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slow(function: Function, window: &[f64]) -> f64 {
        let mut sorted = window.to_vec();
        sorted.sort_by(f64::total_cmp);
        match function {
            Function::Mean => window.iter().sum::<f64>() / window.len() as f64,
            Function::Sum => window.iter().sum(),
            Function::Count => window.len() as f64,
            Function::Min => sorted[0],
            Function::Max => sorted[sorted.len() - 1],
            Function::P95 => sorted[(0.95 * sorted.len() as f64).ceil() as usize - 1],
        }
    }

    proptest! {
        #[test]
        fn late_readings_count_as_if_they_had_come_in_order(
            steps in prop::collection::vec((0i64..200, -50i32..50), 1..100),
            which in 0usize..6,
        ) {
            let function = FUNCTIONS[which].1;
            let window = Window { function, over: Span::from_secs(60), min_count: 1 };
            let mut memory = window.start();
            let mut taken: Vec<(i64, f64)> = Vec::new();
            for (at, tenths) in steps {
                let value = f64::from(tenths) / 10.0;
                let newest = taken.last().map_or(i64::MIN, |(at, _)| *at);
                let place = taken.partition_point(|(other, _)| *other < at);
                let known = taken.get(place).is_some_and(|(other, _)| *other == at);
                let late = memory.insert_late(Timestamp::from_secs(at), value);
                if known || at <= newest.saturating_sub(60) {
                    prop_assert_eq!(late, Late::Refused);
                    continue;
                }
                taken.insert(place, (at, value));
                let newest = newest.max(at);
                taken.retain(|(at, _)| *at > newest - 60);
                let mut sorted = window.start();
                let mut expected = None;
                for (at, value) in &taken {
                    expected = sorted.push(Timestamp::from_secs(*at), *value);
                }
                let Late::Taken(Some(got)) = late else { panic!("{late:?} is no result") };
                let expected = expected.expect("one reading is enough");
                prop_assert!((got - expected).abs() < 1e-9, "{:?}: {} is not {}", function, got, expected);
            }
        }

        #[test]
        fn running_results_equal_those_of_the_whole_window(
            steps in prop::collection::vec((1i64..40, -50i32..50), 1..200),
            which in 0usize..6,
            restart in 0usize..200,
        ) {
            let function = FUNCTIONS[which].1;
            let window = Window { function, over: Span::from_secs(60), min_count: 3 };
            let mut memory = window.start();
            let mut all: Vec<(i64, f64)> = Vec::new();
            let mut now = 0;
            for (index, (gap, tenths)) in steps.into_iter().enumerate() {
                if index == restart {
                    memory = window.restore(&memory.save());
                }
                now += gap;
                all.push((now, f64::from(tenths) / 10.0));
                let inside: Vec<f64> =
                    all.iter().filter(|(t, _)| *t > now - 60).map(|(_, v)| *v).collect();
                let got = memory.push(Timestamp::from_secs(now), f64::from(tenths) / 10.0);
                if inside.len() < 3 {
                    prop_assert_eq!(got, None);
                } else {
                    let expected = slow(function, &inside);
                    let got = got.expect("enough readings");
                    prop_assert!((got - expected).abs() < 1e-9, "{:?}: {} is not {}", function, got, expected);
                }
            }
        }
    }
}
