//! `threshold`: the value itself passes a limit.
//!
//! ```yaml
//! kind: threshold
//! select: {metric: pm25}
//! severity:
//!   high: {above: 115, clear_below: 100}
//! for: 30s
//! ```

use city_model::Span;

use super::{Built, Condition, Kind};
use crate::fields::Fields;
use crate::ladder::Ladder;
use crate::parse::need_metric;
use crate::problem::Sink;
use crate::selector::Selector;
use crate::template::Placeholder;

pub(super) static KIND: Kind = Kind {
    name: "threshold",
    about: [
        "Raises when a value passes a limit and clears when it is back behind another.",
        "数值越限时告警，回落到恢复限值以内时解除。",
    ],
    keys: &["severity", "raise", "clear", "for"],
    placeholders: PLACEHOLDERS,
    summary: [
        "{device_name}: {metric} {value} {unit} (limit {limit})",
        "{device_name}：{metric} {value} {unit}（限值 {limit}）",
    ],
    read,
};

/// What is known of every series.
pub(super) const PLACEHOLDERS: &[Placeholder] = &[
    Placeholder::Device,
    Placeholder::DeviceName,
    Placeholder::Zone,
    Placeholder::Metric,
    Placeholder::Value,
    Placeholder::Limit,
    Placeholder::Unit,
    Placeholder::For,
];

fn read(rule: &mut Fields<'_>, select: &Selector, sink: &mut Sink) -> Option<Built> {
    need_metric(select, rule.node.mark, sink);
    let hold = rule.span("for", sink).unwrap_or(Span::ZERO);
    let ladder = Ladder::read(rule, sink)?;
    Built::judged(ladder, Condition::Value, hold)
}
