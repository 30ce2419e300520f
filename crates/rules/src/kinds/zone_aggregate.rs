//! `zone_aggregate`: an aggregate over the devices in a zone passes a limit.
//!
//! ```yaml
//! kind: zone_aggregate
//! select: {metric: pm25}
//! aggregate: {function: mean, over: 5m, min_devices: 3}
//! layer: neighbourhood
//! severity:
//!   high: {above: 115, clear_below: 100}
//! ```
//!
//! Each device counts with its latest trusted reading, as long as that is not older than `over`.
//! With fewer than `min_devices` of them nothing is known, and nothing changes. A zone is judged
//! when one of its devices has news, at most once a second of the evaluation's clock.

use std::sync::Arc;

use city_model::Span;

use super::{Built, Condition, Kind, Measure};
use crate::fields::Fields;
use crate::ladder::{Direction, Ladder, Step};
use crate::parse::{choose, located, positive_span};
use crate::problem::{Mark, Sink};
use crate::selector::Selector;
use crate::template::Placeholder;

pub(super) static KIND: Kind = Kind {
    name: "zone_aggregate",
    about: [
        "Judges the mean, extreme or median over the devices in a zone.",
        "对区域内各设备的均值、极值或中位数进行判断。",
    ],
    keys: &["aggregate", "layer", "severity", "raise", "clear", "for"],
    placeholders: &[
        Placeholder::Zone,
        Placeholder::Metric,
        Placeholder::Value,
        Placeholder::Limit,
        Placeholder::Unit,
        Placeholder::For,
        Placeholder::Devices,
    ],
    summary: [
        "{zone}: {metric} {value} {unit} over {devices} devices (limit {limit})",
        "{zone}：{devices} 台设备的 {metric} {value} {unit}（限值 {limit}）",
    ],
    read,
};

const FUNCTIONS: [(&str, Aggregate); 4] = [
    ("mean", Aggregate::Mean),
    ("min", Aggregate::Min),
    ("max", Aggregate::Max),
    ("median", Aggregate::Median),
];

/// How the values of the devices become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Their arithmetic mean.
    Mean,
    /// The lowest.
    Min,
    /// The highest.
    Max,
    /// The middle one, or the mean of the middle two.
    Median,
    /// How many are beyond their limit, for values of [`Each`].
    Count,
    /// How many of a hundred are.
    Percent,
}

impl Aggregate {
    /// The result over the values, which it may reorder; `None` if there are none.
    pub fn of(self, values: &mut [f64]) -> Option<f64> {
        if values.is_empty() {
            return None;
        }
        Some(match self {
            Self::Mean => values.iter().sum::<f64>() / values.len() as f64,
            Self::Count => values.iter().sum(),
            Self::Percent => 100.0 * values.iter().sum::<f64>() / values.len() as f64,
            Self::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Median => {
                values.sort_unstable_by(f64::total_cmp);
                let middle = values.len() / 2;
                if values.len() % 2 == 1 {
                    values[middle]
                } else {
                    f64::midpoint(values[middle - 1], values[middle])
                }
            }
        })
    }
}

/// What a zone rule judges.
#[derive(Clone, Debug)]
pub struct ZoneAggregate {
    /// The function.
    pub function: Aggregate,
    /// How old a device's reading may be.
    pub over: Span,
    /// How many devices must count.
    pub min_devices: u32,
    /// The limit of each device, where it is counted how many are beyond.
    pub each: Option<Each>,
    /// Only zones of these layers; all if empty.
    pub(crate) layers: Vec<(Arc<str>, Mark)>,
}

/// A limit that each device is held to: its value becomes 1 beyond it, and 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Each {
    pub(crate) direction: Direction,
    pub(crate) step: Step,
}

impl Each {
    /// Whether a value is beyond the limit; between the two limits it is what it was.
    pub fn beyond(&self, value: f64, was: bool) -> bool {
        let clear = self.step.clear.unwrap_or(self.step.raise);
        match self.direction {
            Direction::Above => value > self.step.raise || (was && value >= clear),
            Direction::Below => value < self.step.raise || (was && value <= clear),
        }
    }
}

impl ZoneAggregate {
    /// What the result is measured in.
    pub(crate) fn measure(&self) -> Measure {
        match self.function {
            Aggregate::Count => Measure::Plain,
            Aggregate::Percent => Measure::Percent,
            _ => Measure::Metric,
        }
    }

    /// Whether zones of this layer are judged.
    pub fn takes_layer(&self, layer: &str) -> bool {
        self.layers.is_empty() || self.layers.iter().any(|(name, _)| **name == *layer)
    }
}

/// Reports a rule that is not over one metric.
pub(super) fn need_one_metric(rule: &Fields<'_>, select: &Selector, sink: &mut Sink) {
    if select.metric.len() != 1 {
        sink.report_with(
            rule.node.mark,
            format!("an aggregate is over one metric, the rule selects {}", select.metric.len()),
            "add `select: {metric: …}` with one name, and make a rule for each further metric",
        );
    }
}

fn read(rule: &mut Fields<'_>, select: &Selector, sink: &mut Sink) -> Option<Built> {
    need_one_metric(rule, select, sink);
    let hold = rule.span("for", sink).unwrap_or(Span::ZERO);
    let layers = located(rule.get("layer"), "layer", sink);
    let ladder = Ladder::read(rule, sink);
    let node = rule.need(
        "aggregate",
        "write `aggregate: {function: mean, over: 5m, min_devices: 3}`",
        sink,
    )?;
    let mut fields = Fields::of(node, "`aggregate`", sink)?;
    let function = choose(&mut fields, "function", &FUNCTIONS, sink);
    let over = positive_span(
        &mut fields,
        "over",
        "how old a device's reading may be, for example `over: 5m`",
        sink,
    );
    let min_devices = fields.count("min_devices", 1, sink).unwrap_or(3);
    fields.finish(|_| None, sink);
    let (ladder, function, over) = (ladder?, function?, over?);
    Built::judged(
        ladder,
        Condition::Zone(ZoneAggregate { function, over, min_devices, each: None, layers }),
        hold,
    )
}

#[cfg(test)]
mod tests {
    use super::Aggregate::{Max, Mean, Median, Min};

    #[test]
    fn aggregates_of_few_values() {
        let values = [4.0, 1.0, 9.0, 2.0];
        for (function, expected) in [(Mean, 4.0), (Min, 1.0), (Max, 9.0), (Median, 3.0)] {
            assert_eq!(function.of(&mut values.clone()), Some(expected), "{function:?}");
        }
        assert_eq!(Median.of(&mut [7.0]), Some(7.0));
        assert_eq!(Mean.of(&mut []), None);
    }
}
