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
//! Functions: `mean`, `min`, `max`, `sum`, `count`, `range` (highest less lowest), `stddev` (standard
//! deviation of the readings themselves, divided by their number), `median`, and percentiles by
//! nearest rank from `p0.1` to `p99.9`.
//!
//! The window reaches from the newest reading back by `over` in event time, its far end excluded.
//! Readings that come out of order, but inside the rule's `lateness`, count in it, too. Sums, counts
//! and extremes are kept running: the work for a reading does not grow with the window. Percentiles
//! keep the window sorted.
//!
//! Memory is bounded: the newest 4,096 readings are kept one by one, what is older in 256 stretches
//! of the window. So a window with more readings leaves its oldest ones behind up to 1/256 of `over`
//! late, knows medians and percentiles to 2 % of their value, and takes readings out of order only
//! among its newest 4,096. Everything else is exact.

use std::sync::Arc;

use city_model::Span;

use self::running::Running;
use super::{Built, Condition, Kind, Late, Measure, Memory, Saved, SeriesFunction, threshold};
use crate::fields::{self, Fields};
use crate::ladder::Ladder;
use crate::parse::{need_metric, positive_span};
use crate::problem::{Sink, suggestion};
use crate::selector::Selector;

mod panes;
mod running;

pub(super) static KIND: Kind = Kind {
    name: "window",
    about: [
        "Judges the mean, spread, an extreme, percentile, sum or count of a series over a length of \
         time.",
        "对一段时间内的均值、离散程度、极值、百分位数、总和或个数进行判断。",
    ],
    keys: &["window", "severity", "raise", "clear", "for"],
    placeholders: threshold::PLACEHOLDERS,
    summary: [
        "{device_name}: {metric} {value} {unit} over the window (limit {limit})",
        "{device_name}：窗口内 {metric} {value} {unit}（限值 {limit}）",
    ],
    read,
};

const FUNCTIONS: [(&str, Function); 8] = [
    ("mean", Function::Mean),
    ("min", Function::Min),
    ("max", Function::Max),
    ("sum", Function::Sum),
    ("count", Function::Count),
    ("range", Function::Range),
    ("stddev", Function::Stddev),
    ("median", Function::Median),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Mean,
    Min,
    Max,
    Sum,
    Count,
    Range,
    Stddev,
    Median,
    /// From 1 to 999.
    Percentile {
        permille: u16,
    },
}

impl Function {
    fn needs_high(self) -> bool {
        matches!(self, Self::Max | Self::Range)
    }

    fn needs_low(self) -> bool {
        matches!(self, Self::Min | Self::Range)
    }

    fn needs_order(self) -> bool {
        matches!(self, Self::Median | Self::Percentile { .. })
    }

    fn named(name: &str) -> Option<Self> {
        let found = FUNCTIONS.iter().find(|(other, _)| *other == name);
        found.map(|(_, function)| *function).or_else(|| {
            let percent: f64 = name.strip_prefix('p')?.parse().ok()?;
            let permille = (percent * 10.0).round();
            let whole = (permille - percent * 10.0).abs() < 1e-6;
            (whole && (1.0..=999.0).contains(&permille))
                .then_some(Self::Percentile { permille: permille as u16 })
        })
    }

    fn read(fields: &mut Fields<'_>, sink: &mut Sink) -> Option<Self> {
        let mut names: Vec<&str> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
        names.extend(["p95", "p99.9"]);
        let node = fields.need("function", &format!("one of {}", names.join(", ")), sink)?;
        let name = fields::text(node, "function", sink)?;
        let found = Self::named(name);
        if found.is_none() {
            let message = format!("unknown function `{name}`");
            let is_percentile =
                name.strip_prefix('p').is_some_and(|rest| rest.parse::<f64>().is_ok());
            let hint = if is_percentile {
                Some("percentiles go from p0.1 to p99.9, with one decimal at most".to_owned())
            } else {
                suggestion(name, &names)
            };
            sink.push(node.mark, message, hint);
        }
        found
    }
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
    let function = Function::read(&mut fields, sink);
    let over = positive_span(&mut fields, "over", "how far back, for example `over: 10m`", sink);
    let min_count = fields.count("min_count", 1, sink).unwrap_or(1) as usize;
    fields.finish(|_| None, sink);
    let (ladder, function, over) = (ladder?, function?, over?);
    Built::judged(ladder, Condition::Function(Arc::new(Window { function, over, min_count })), hold)
}

impl SeriesFunction for Window {
    fn start(&self) -> Box<dyn Memory> {
        self.restore(&Saved::default())
    }

    fn restore(&self, saved: &Saved) -> Box<dyn Memory> {
        Box::new(Running::restore(*self, saved))
    }

    fn reach(&self) -> Span {
        self.over
    }

    fn measure(&self) -> Measure {
        if self.function == Function::Count { Measure::Plain } else { Measure::Metric }
    }
}

#[cfg(test)]
mod tests;
