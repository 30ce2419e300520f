//! `flat_line`: a sensor that still sends, but always the same.
//!
//! ```yaml
//! kind: flat_line
//! select: {metric: temperature}
//! flat: {tolerance: 0.05, min_count: 5, max_gap: 1h}
//! severity:
//!   low: {for: 2h}
//!   medium: {for: 12h}
//! ```
//!
//! Flat are the newest readings of which the highest and the lowest are at most `tolerance` apart
//! (default 0: all the same); a reading that leaves this band begins anew. They must be
//! `min_count` (default 3) at least. Time is that of the readings: silence is no flat line, so a
//! gap of more than `max_gap` (default 1h) begins anew, too. Devices that send more rarely need a
//! longer one.

use std::sync::Arc;

use city_model::{Span, Timestamp};

use super::{Built, Condition, Kind, Measure, Memory, Saved, SeriesFunction, threshold};
use crate::fields::Fields;
use crate::ladder::{self, Ladder};
use crate::parse::{need_metric, positive_span};
use crate::problem::Sink;
use crate::selector::Selector;

pub(super) static KIND: Kind = Kind {
    name: "flat_line",
    about: [
        "Raises when the values of a series have not moved for a length of time.",
        "数值长时间没有变化时告警。",
    ],
    keys: &["flat", "severity", "for"],
    placeholders: threshold::PLACEHOLDERS,
    summary: [
        "{device_name}: {metric} has not moved for {value} (limit {limit})",
        "{device_name}：{metric} 已 {value} 没有变化（限值 {limit}）",
    ],
    read,
};

const MAX_GAP: Span = Span::from_mins(60);

#[derive(Clone, Copy, Debug)]
struct Flat {
    tolerance: f64,
    min_count: u32,
    max_gap: Span,
}

fn read(rule: &mut Fields<'_>, select: &Selector, sink: &mut Sink) -> Option<Built> {
    need_metric(select, rule.node.mark, sink);
    let lengths = ladder::read_lengths(rule, sink);
    let mut flat = Flat { tolerance: 0.0, min_count: 3, max_gap: MAX_GAP };
    if let Some(node) = rule.get("flat") {
        let mut fields = Fields::of(node, "`flat`", sink)?;
        if let Some(tolerance) = fields.number("tolerance", sink) {
            flat.tolerance = tolerance;
            if tolerance < 0.0 {
                sink.report(node.mark, "`tolerance` must not be negative");
            }
        }
        flat.min_count = fields.count("min_count", 2, sink).unwrap_or(flat.min_count);
        if fields.get("max_gap").is_some() {
            let hint = "the longest gap between readings, for example `max_gap: 1h`";
            flat.max_gap = positive_span(&mut fields, "max_gap", hint, sink)?;
        }
        fields.finish(|_| None, sink);
    }
    let lengths = lengths?;
    // The readings have taken that long already.
    let ladder = Ladder::of_lengths(&lengths, false);
    Built::judged(ladder, Condition::Function(Arc::new(flat)), Span::ZERO)
}

impl SeriesFunction for Flat {
    fn start(&self) -> Box<dyn Memory> {
        Box::new(Line { flat: *self, run: None })
    }

    fn restore(&self, saved: &Saved) -> Box<dyn Memory> {
        // Columns: integers = first time, newest time, count; numbers = lowest, highest.
        let run = match (saved.integers.as_slice(), saved.numbers.as_slice()) {
            ([first, newest, count], [low, high]) => Some(Run {
                first: Timestamp::from_micros(*first),
                newest: Timestamp::from_micros(*newest),
                count: *count,
                low: *low,
                high: *high,
            }),
            _ => None,
        };
        Box::new(Line { flat: *self, run })
    }

    fn reach(&self) -> Span {
        self.max_gap
    }

    fn measure(&self) -> Measure {
        Measure::Length
    }
}

#[derive(Debug)]
struct Line {
    flat: Flat,
    run: Option<Run>,
}

/// The newest readings that lie in a band.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: Timestamp,
    newest: Timestamp,
    count: i64,
    low: f64,
    high: f64,
}

impl Run {
    /// Whether its values are at most so far apart, as decimals: 21.1 and 21 are 0.1 apart, which
    /// floats miss by their last digits.
    fn lies_within(&self, tolerance: f64) -> bool {
        let rounding = 4.0 * f64::EPSILON * self.low.abs().max(self.high.abs());
        self.high - self.low <= tolerance + rounding
    }
}

impl Memory for Line {
    fn push(&mut self, time: Timestamp, value: f64) -> Option<f64> {
        let goes_on = self.run.filter(|run| time.since(run.newest) <= self.flat.max_gap);
        let goes_on = goes_on.map(|run| Run {
            newest: time,
            count: run.count.saturating_add(1),
            low: run.low.min(value),
            high: run.high.max(value),
            ..run
        });
        let goes_on = goes_on.filter(|run| run.lies_within(self.flat.tolerance));
        let anew = Run { first: time, newest: time, count: 1, low: value, high: value };
        let run = self.run.insert(goes_on.unwrap_or(anew));
        let enough = run.count >= i64::from(self.flat.min_count);
        Some(if enough { time.since(run.first).secs_f64() } else { 0.0 })
    }

    fn save(&self) -> Saved {
        let Some(run) = self.run else { return Saved::default() };
        Saved {
            integers: vec![run.first.micros(), run.newest.micros(), run.count],
            numbers: vec![run.low, run.high],
        }
    }
}
