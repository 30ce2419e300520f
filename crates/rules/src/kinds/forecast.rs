//! `forecast`: a series will reach a limit soon, if it goes on as it does.
//!
//! ```yaml
//! kind: forecast
//! select: {metric: water_level}
//! forecast: {limit: 2.3, direction: rising, over: 2h}
//! severity:
//!   medium: {within: 6h}
//!   high: {within: 1h, clear_beyond: 2h}
//! ```
//!
//! The trend is the median of the slopes between all pairs of up to 25 means over the last `over`
//! (Theil–Sen: a few that are wrong change little), from the median level. It counts as a trend where
//! rising pairs outnumber falling ones clearly enough (Kendall's tau of at least `min_agreement`,
//! default 0.6); without one the limit is not in sight. What is judged is the time until the limit;
//! beyond the limit it is nothing. A severity clears when the time is longer than `clear_beyond`,
//! by default one and a half times `within`. Nothing is known until readings span half of `over`.

use std::collections::VecDeque;
use std::sync::Arc;

use city_model::{Severity, Span, Timestamp};

use super::{Built, Condition, Kind, Measure, Memory, Saved, SeriesFunction};
use crate::fields::Fields;
use crate::ladder::{self, Direction, Ladder, Step};
use crate::parse::{choose, need_metric, positive_span};
use crate::problem::{Mark, Sink};
use crate::selector::Selector;
use crate::template::Placeholder;
use crate::yaml::Content;

pub(super) static KIND: Kind = Kind {
    name: "forecast",
    about: [
        "Raises when a series will reach a limit soon if it goes on as it does.",
        "按当前趋势预计将在一段时间内达到限值时告警。",
    ],
    keys: &["forecast", "severity", "within", "clear_beyond", "for"],
    placeholders: &[
        Placeholder::Device,
        Placeholder::DeviceName,
        Placeholder::Zone,
        Placeholder::Metric,
        Placeholder::Target,
        Placeholder::Value,
        Placeholder::Limit,
        Placeholder::For,
    ],
    summary: [
        "{device_name}: {metric} reaches {target} in {value} if it goes on like this",
        "{device_name}：按当前趋势，{metric} 将在 {value} 后达到 {target}",
    ],
    read,
};

/// Means of a window.
const PANES: i64 = 24;
/// With fewer means nobody can tell a trend.
const MIN_PANES: usize = 5;

const HINT: &str = "write `severity: {medium: {within: 6h}, high: {within: 1h}}`, or `severity: \
                    high` with `within: 1h`";

#[derive(Clone, Copy, Debug)]
struct Forecast {
    limit: f64,
    rising: bool,
    over: Span,
    agreement: f64,
    /// What stands for a limit that is not in sight, in seconds.
    never: f64,
}

fn read(rule: &mut Fields<'_>, select: &Selector, sink: &mut Sink) -> Option<Built> {
    need_metric(select, rule.node.mark, sink);
    let hold = rule.span("for", sink).unwrap_or(Span::ZERO);
    let steps = read_steps(rule, sink);
    let node = rule.need("forecast", "write `forecast: {limit: 2.3, over: 2h}`", sink)?;
    let mut fields = Fields::of(node, "`forecast`", sink)?;
    let limit = fields.need("limit", "the value that must not be reached: `limit: 2.3`", sink);
    let limit = limit.and_then(|node| crate::fields::number(node, "limit", sink));
    let rising = match fields.get("direction") {
        Some(_) => choose(&mut fields, "direction", &[("rising", true), ("falling", false)], sink),
        None => Some(true),
    };
    let over = positive_span(&mut fields, "over", "how far back, for example `over: 2h`", sink);
    let agreement = fields.number("min_agreement", sink).unwrap_or(0.6);
    if !(0.0..=1.0).contains(&agreement) {
        let message = format!("`min_agreement` is {agreement}");
        sink.report_with(node.mark, message, "from 0 (any slope is a trend) to 1");
    }
    fields.finish(|_| None, sink);
    let (steps, limit, rising, over) = (steps?, limit?, rising?, over?);
    let longest = steps.iter().filter_map(|step| step.clear).fold(0.0, f64::max);
    let forecast = Forecast { limit, rising, over, agreement, never: 2.0 * longest };
    let ladder = Ladder { direction: Direction::Below, steps, reaching: true };
    Built::judged(ladder, Condition::Function(Arc::new(forecast)), hold)
}

/// The severities with their times, mildest first.
fn read_steps(rule: &mut Fields<'_>, sink: &mut Sink) -> Option<Vec<Step>> {
    let before = sink.problems.len();
    let plain = [rule.get("within"), rule.get("clear_beyond")];
    let node = rule.need("severity", HINT, sink)?;
    let mut found: Vec<(Step, Mark)> = Vec::new();
    if matches!(node.content, Content::Map(_)) {
        for extra in plain.into_iter().flatten() {
            let message = "`within` and `clear_beyond` do not go with a severity ladder";
            sink.report_with(extra.mark, message, "write them inside each severity");
        }
        for (key, node) in Fields::of(node, "`severity`", sink)?.entries() {
            let severity = ladder::named_severity(&key.name, key.mark, sink);
            let Some(mut step) = Fields::of(node, &format!("`{}`", key.name), sink) else {
                continue;
            };
            let hold = step.span("for", sink);
            let times = read_times(&mut step, sink);
            step.finish(|_| None, sink);
            if let (Some(severity), Some(times)) = (severity, times) {
                found.push((step_of(severity, times, hold), key.mark));
            }
        }
        found.sort_by_key(|(step, _)| step.severity);
    } else {
        let severity = ladder::plain_severity(node, sink);
        let times = read_times(rule, sink);
        found.push((step_of(severity?, times?, None), node.mark));
    }
    if found.is_empty() && sink.problems.len() == before {
        sink.report_with(node.mark, "`severity` has no steps", HINT);
    }
    for pair in found.windows(2) {
        let ((mild, _), (severe, at)) = (pair[0], pair[1]);
        if severe.raise >= mild.raise || severe.clear > mild.clear {
            let message = format!(
                "`{}` must be nearer to the limit than `{}`",
                severe.severity, mild.severity
            );
            sink.report_with(at, message, "swap them, or remove one step");
        }
    }
    let steps = found.into_iter().map(|(step, _)| step).collect();
    (sink.problems.len() == before).then_some(steps)
}

fn step_of(severity: Severity, (within, clear): (f64, f64), hold: Option<Span>) -> Step {
    Step { severity, raise: within, clear: Some(clear), hold }
}

fn read_times(fields: &mut Fields<'_>, sink: &mut Sink) -> Option<(f64, f64)> {
    let within = positive_span(fields, "within", "how soon, for example `within: 1h`", sink);
    let clear = fields.span("clear_beyond", sink);
    let within = within?.secs_f64();
    let clear = clear.map_or(1.5 * within, Span::secs_f64);
    if clear < within {
        sink.report_with(
            fields.node.mark,
            "`clear_beyond` is shorter than `within`: it would clear while it raises",
            "give a longer time, or remove it",
        );
        return None;
    }
    Some((within, clear))
}

impl SeriesFunction for Forecast {
    fn start(&self) -> Box<dyn Memory> {
        self.restore(&Saved::default())
    }

    fn restore(&self, saved: &Saved) -> Box<dyn Memory> {
        // Columns: integers = first and newest time and count of each pane; numbers = the sums of
        // seconds after the first time and of values.
        let panes = saved.integers.chunks_exact(3).zip(saved.numbers.chunks_exact(2));
        let panes = panes.map(|(times, sums)| Pane {
            first: Timestamp::from_micros(times[0]),
            newest: Timestamp::from_micros(times[1]),
            count: times[2],
            seconds: sums[0],
            sum: sums[1],
        });
        Box::new(Trend { forecast: *self, panes: panes.collect() })
    }

    fn reach(&self) -> Span {
        self.over
    }

    fn measure(&self) -> Measure {
        Measure::Length
    }

    fn target(&self) -> Option<f64> {
        Some(self.limit)
    }
}

/// The mean of a part of the window.
#[derive(Clone, Copy, Debug)]
struct Pane {
    first: Timestamp,
    newest: Timestamp,
    count: i64,
    seconds: f64,
    sum: f64,
}

#[derive(Debug)]
struct Trend {
    forecast: Forecast,
    panes: VecDeque<Pane>,
}

impl Trend {
    fn add(&mut self, time: Timestamp, value: f64) {
        let over = self.forecast.over;
        while self.panes.front().is_some_and(|oldest| oldest.newest <= time - over) {
            self.panes.pop_front();
        }
        let width = over.micros() / PANES;
        match self.panes.back_mut() {
            Some(last) if time.since(last.first).micros() < width => {
                last.newest = time;
                last.count += 1;
                last.seconds += time.since(last.first).secs_f64();
                last.sum += value;
            }
            _ => self.panes.push_back(Pane {
                first: time,
                newest: time,
                count: 1,
                seconds: 0.0,
                sum: value,
            }),
        }
    }

    /// Seconds from the newest reading until the limit.
    fn until(&self) -> Option<f64> {
        let (first, newest) = (self.panes.front()?.first, self.panes.back()?.newest);
        let spans_half = newest.since(first).micros() >= self.forecast.over.micros() / 2;
        if self.panes.len() < MIN_PANES || !spans_half {
            return None;
        }
        // Seconds before the newest reading, and values on the side on which rising is bad.
        let sign = if self.forecast.rising { 1.0 } else { -1.0 };
        let points: Vec<(f64, f64)> = self
            .panes
            .iter()
            .map(|pane| {
                let count = pane.count as f64;
                let time = pane.first.since(newest).secs_f64() + pane.seconds / count;
                (time, sign * pane.sum / count)
            })
            .collect();
        let pairs = points.iter().enumerate();
        let mut slopes: Vec<f64> = pairs
            .flat_map(|(at, (t, v))| {
                points[..at].iter().map(move |(earlier, before)| (v - before) / (t - earlier))
            })
            .collect();
        let rising = slopes.iter().filter(|slope| **slope > 0.0).count() as f64;
        let falling = slopes.iter().filter(|slope| **slope < 0.0).count() as f64;
        let agreement = (rising - falling) / slopes.len() as f64;
        let slope = median(&mut slopes);
        let mut levels: Vec<f64> =
            points.iter().map(|(time, value)| value - slope * time).collect();
        let missing = sign * self.forecast.limit - median(&mut levels);
        let never = self.forecast.never;
        Some(if missing <= 0.0 {
            0.0
        } else if slope <= 0.0 || agreement < self.forecast.agreement {
            never
        } else {
            // Nobody believes a forecast to the second.
            ((missing / slope / 60.0).ceil() * 60.0).min(never)
        })
    }
}

fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

impl Memory for Trend {
    fn push(&mut self, time: Timestamp, value: f64) -> Option<f64> {
        self.add(time, value);
        self.until()
    }

    fn save(&self) -> Saved {
        let times = self.panes.iter();
        let times = times.flat_map(|pane| [pane.first.micros(), pane.newest.micros(), pane.count]);
        let sums = self.panes.iter().flat_map(|pane| [pane.seconds, pane.sum]);
        Saved { integers: times.collect(), numbers: sums.collect() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORECAST: Forecast = Forecast {
        limit: 100.0,
        rising: true,
        over: Span::from_mins(120),
        agreement: 0.6,
        never: 1e6,
    };

    #[test]
    fn a_straight_line_meets_the_limit_when_it_does_whatever_an_eighth_of_the_readings_say() {
        for (forecast, sign) in
            [(FORECAST, 1.0), (Forecast { limit: -100.0, rising: false, ..FORECAST }, -1.0)]
        {
            let mut memory = forecast.start();
            let mut found = None;
            for minute in 0..120_i32 {
                let wild = if minute % 40 < 5 { 900.0 } else { 0.0 };
                let value = sign * (f64::from(minute) / 2.0 + wild);
                found = memory.push(Timestamp::from_secs(i64::from(minute) * 60), value);
            }
            // 59.5 at the end, half a unit a minute: 81 minutes.
            let minutes = found.expect("known") / 60.0;
            assert!((minutes - 81.0).abs() <= 4.0, "{minutes}");
        }
    }

    #[test]
    fn noise_and_the_other_direction_are_never_and_beyond_the_limit_is_now() {
        let ends = |of: fn(i64) -> f64| {
            let mut memory = FORECAST.start();
            let readings = (0..240).map(|at| memory.push(Timestamp::from_secs(at * 60), of(at)));
            readings.last().flatten()
        };
        assert_eq!(ends(|at| [40.0, 60.0, 50.0][(at % 3) as usize]), Some(1e6));
        assert_eq!(ends(|at| 90.0 - at as f64 / 10.0), Some(1e6));
        assert_eq!(ends(|at| at as f64), Some(0.0));
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_outlives_a_restart(
            steps in prop::collection::vec((1i64..400, -50i32..50), 10..200),
            restart in 0usize..200,
        ) {
            let (mut one, mut two) = (FORECAST.start(), FORECAST.start());
            let mut now = 0;
            for (index, (gap, value)) in steps.into_iter().enumerate() {
                now += gap;
                if index == restart {
                    two = FORECAST.restore(&two.save());
                }
                let (time, value) = (Timestamp::from_secs(now), f64::from(value));
                prop_assert_eq!(one.push(time, value), two.push(time, value));
            }
            prop_assert!(one.save().integers.len() <= 3 * (PANES as usize + 2));
        }
    }
}
