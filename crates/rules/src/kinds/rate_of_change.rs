//! `rate_of_change`: a series rises or falls too fast.
//!
//! ```yaml
//! kind: rate_of_change
//! select: {metric: water_level}
//! rate: {over: 30m, per: 1h, direction: rising, min_count: 3}
//! severity:
//!   high: {above: 0.5, clear_below: 0.2}
//! ```
//!
//! The rate is the slope of the straight line through the readings of the last `over` (least
//! squares, in event time), in the metric's unit per `per` (default: an hour). `rising` (default)
//! counts a rise as positive, `falling` a fall, `either` both. It is known once `min_count`
//! (default 3) readings span half of `over`: a gap is never a jump.
//!
//! Readings are kept as sums over at most 129 stretches of the window, so the memory of a series
//! is bounded however often it sends; the oldest stretch leaves as a whole.

use std::collections::VecDeque;
use std::sync::Arc;

use city_model::{Span, Timestamp};

use super::{Built, Condition, Kind, Measure, Memory, Saved, SeriesFunction, threshold};
use crate::fields::Fields;
use crate::ladder::Ladder;
use crate::parse::{choose, need_metric, positive_span};
use crate::problem::Sink;
use crate::selector::Selector;

pub(super) static KIND: Kind = Kind {
    name: "rate_of_change",
    about: [
        "Judges how fast the values of a series rise or fall.",
        "对数值上升或下降的速度进行判断。",
    ],
    keys: &["rate", "severity", "raise", "clear", "for"],
    placeholders: threshold::PLACEHOLDERS,
    summary: [
        "{device_name}: {metric} changes by {value} {unit} (limit {limit})",
        "{device_name}：{metric} 变化速度 {value} {unit}（限值 {limit}）",
    ],
    read,
};

const DIRECTIONS: [(&str, Direction); 3] =
    [("rising", Direction::Rising), ("falling", Direction::Falling), ("either", Direction::Either)];

/// Stretches of a window.
const STRETCHES: i64 = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Rising,
    Falling,
    Either,
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    over: Span,
    per: Span,
    direction: Direction,
    min_count: u32,
}

fn read(rule: &mut Fields<'_>, select: &Selector, sink: &mut Sink) -> Option<Built> {
    need_metric(select, rule.node.mark, sink);
    let hold = rule.span("for", sink).unwrap_or(Span::ZERO);
    let ladder = Ladder::read(rule, sink);
    let node = rule.need("rate", "write `rate: {over: 30m, per: 1h}`", sink)?;
    let mut fields = Fields::of(node, "`rate`", sink)?;
    let over = positive_span(&mut fields, "over", "how far back, for example `over: 30m`", sink);
    let per = match fields.get("per") {
        Some(_) => positive_span(&mut fields, "per", "", sink),
        None => Some(Span::from_mins(60)),
    };
    let direction = match fields.get("direction") {
        Some(_) => choose(&mut fields, "direction", &DIRECTIONS, sink),
        None => Some(Direction::Rising),
    };
    let min_count = fields.count("min_count", 2, sink).unwrap_or(3);
    fields.finish(|_| None, sink);
    let rate = Rate { over: over?, per: per?, direction: direction?, min_count };
    let ladder = ladder?;
    Built::judged(ladder, Condition::Function(Arc::new(rate)), hold)
}

impl SeriesFunction for Rate {
    fn start(&self) -> Box<dyn Memory> {
        self.restore(&Saved::default())
    }

    fn restore(&self, saved: &Saved) -> Box<dyn Memory> {
        // Columns: integers = first time, newest time and count of each stretch; numbers = the
        // reference value, then the four sums of each stretch.
        let (reference, sums) = saved.numbers.split_first().unwrap_or((&0.0, &[]));
        let times = saved.integers.chunks_exact(3);
        let stretches = times.zip(sums.chunks_exact(4)).map(|(times, sums)| Stretch {
            first: Timestamp::from_micros(times[0]),
            newest: Timestamp::from_micros(times[1]),
            count: times[2],
            sums: Sums { t: sums[0], tt: sums[1], v: sums[2], tv: sums[3] },
        });
        Box::new(Slope { rate: *self, reference: *reference, stretches: stretches.collect() })
    }

    fn reach(&self) -> Span {
        self.over
    }

    fn measure(&self) -> Measure {
        Measure::Per(self.per)
    }
}

#[derive(Debug)]
struct Slope {
    rate: Rate,
    /// What is taken off every value, so that sums of squares do not lose small changes of large
    /// values.
    reference: f64,
    stretches: VecDeque<Stretch>,
}

/// Readings of a part of the window.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    first: Timestamp,
    newest: Timestamp,
    count: i64,
    sums: Sums,
}

/// Sums over readings: of seconds after a first time, of their squares, of values, of both
/// multiplied.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    t: f64,
    tt: f64,
    v: f64,
    tv: f64,
}

impl Stretch {
    fn add(&mut self, time: Timestamp, value: f64) {
        let t = time.since(self.first).secs_f64();
        self.newest = time;
        self.count += 1;
        self.sums.t += t;
        self.sums.tt += t * t;
        self.sums.v += value;
        self.sums.tv += t * value;
    }

    /// The sums by seconds after another time.
    fn sums_after(&self, first: Timestamp) -> Sums {
        let (Sums { t, tt, v, tv }, count) = (self.sums, self.count as f64);
        let shift = self.first.since(first).secs_f64();
        Sums {
            t: t + count * shift,
            tt: tt + 2.0 * shift * t + count * shift * shift,
            v,
            tv: tv + shift * v,
        }
    }
}

impl Slope {
    /// The slope in units a second.
    fn slope(&self) -> Option<f64> {
        let (first, newest) = (self.stretches.front()?.first, self.stretches.back()?.newest);
        let count: i64 = self.stretches.iter().map(|stretch| stretch.count).sum();
        let spans_half = newest.since(first).micros() >= self.rate.over.micros() / 2;
        if count < i64::from(self.rate.min_count) || !spans_half {
            return None;
        }
        let mut all = Sums::default();
        for stretch in &self.stretches {
            let sums = stretch.sums_after(first);
            all.t += sums.t;
            all.tt += sums.tt;
            all.v += sums.v;
            all.tv += sums.tv;
        }
        let count = count as f64;
        let spread = all.tt - all.t * all.t / count;
        (spread > 0.0).then(|| (all.tv - all.t * all.v / count) / spread)
    }
}

impl Memory for Slope {
    fn push(&mut self, time: Timestamp, value: f64) -> Option<f64> {
        let horizon = time - self.rate.over;
        while self.stretches.front().is_some_and(|oldest| oldest.newest <= horizon) {
            self.stretches.pop_front();
        }
        if self.stretches.is_empty() {
            self.reference = value;
        }
        let value = value - self.reference;
        let width = self.rate.over.micros() / STRETCHES;
        match self.stretches.back_mut() {
            Some(last) if time.since(last.first).micros() < width => last.add(time, value),
            _ => {
                let sums = Sums { v: value, ..Sums::default() };
                self.stretches.push_back(Stretch { first: time, newest: time, count: 1, sums });
            }
        }
        let rise = self.slope()? * self.rate.per.secs_f64();
        Some(match self.rate.direction {
            Direction::Rising => rise,
            Direction::Falling => -rise,
            Direction::Either => rise.abs(),
        })
    }

    fn save(&self) -> Saved {
        let times = self
            .stretches
            .iter()
            .flat_map(|stretch| [stretch.first.micros(), stretch.newest.micros(), stretch.count]);
        let sums = self.stretches.iter().flat_map(|stretch| {
            let Sums { t, tt, v, tv } = stretch.sums;
            [t, tt, v, tv]
        });
        Saved {
            integers: times.collect(),
            numbers: std::iter::once(self.reference).chain(sums).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The slope of readings by the textbook.
    fn textbook(readings: &[(i64, f64)]) -> f64 {
        let count = readings.len() as f64;
        let mean_t = readings.iter().map(|(t, _)| *t as f64).sum::<f64>() / count;
        let mean_v = readings.iter().map(|(_, v)| v).sum::<f64>() / count;
        let both = |(t, v): &(i64, f64)| (*t as f64 - mean_t) * (v - mean_v);
        let square = |(t, _): &(i64, f64)| (*t as f64 - mean_t).powi(2);
        readings.iter().map(both).sum::<f64>() / readings.iter().map(square).sum::<f64>()
    }

    #[test]
    fn large_values_keep_small_slopes_and_memory_is_bounded() {
        let (over, per) = (Span::from_mins(60), Span::from_mins(60));
        let rate = Rate { over, per, direction: Direction::Rising, min_count: 3 };
        let mut memory = rate.start();
        let mut found = None;
        for second in 0..20_000_i64 {
            let value = 1e9 + second as f64 / 3_600.0;
            found = memory.push(Timestamp::from_secs(second), value);
        }
        let found = found.expect("known");
        assert!((found - 1.0).abs() < 1e-3, "{found} an hour");
        assert!(memory.save().integers.len() <= 3 * 129);
    }

    proptest! {
        #[test]
        fn the_slope_is_that_of_the_readings_in_the_window(
            steps in prop::collection::vec((10i64..200, -50i32..50), 3..80),
            restart in 0usize..80,
        ) {
            let over = Span::from_secs(1_280);
            let rate =
                Rate { over, per: Span::from_secs(1), direction: Direction::Rising, min_count: 3 };
            let mut memory = rate.start();
            let mut all: Vec<(i64, f64)> = Vec::new();
            let mut now = 1_790_000_000;
            for (index, (gap, tenths)) in steps.into_iter().enumerate() {
                if index == restart {
                    memory = rate.restore(&memory.save());
                }
                now += gap;
                all.push((now, 1_000.0 + f64::from(tenths) / 10.0));
                all.retain(|(time, _)| *time > now - 1_280);
                let (_, value) = all[all.len() - 1];
                let got = memory.push(Timestamp::from_secs(now), value);
                // Each stretch is ten seconds long, and holds one reading.
                let known = all.len() >= 3 && now - all[0].0 >= 640;
                prop_assert_eq!(got.is_some(), known);
                if let Some(got) = got {
                    let right = textbook(&all);
                    prop_assert!((got - right).abs() < 1e-7, "{} is not {}", got, right);
                }
            }
        }
    }
}
