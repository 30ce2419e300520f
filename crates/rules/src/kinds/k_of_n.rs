//! `k_of_n`: at least so many of the devices in a zone are beyond a limit.
//!
//! ```yaml
//! kind: k_of_n
//! select: {metric: water_level}
//! layer: district
//! each: {above: 0.5, clear_below: 0.3}   # the limit of each device
//! over: 10m                              # readings that are older do not count
//! of: 4                                  # with fewer devices heard, nothing is known
//! severity:
//!   medium: {devices: 2}
//!   high: {devices: 4}                   # or {share: 0.5}: half of those that are heard
//! ```
//!
//! One device may be wrong; several that agree seldom are. Each device counts with its latest
//! trusted reading; between its two limits it stays on the side on which it was. `of` is the
//! smallest number of devices if it is not given, and 3 for shares.

use city_model::{Severity, Span};

use super::zone_aggregate::need_one_metric;
use super::{Aggregate, Built, Condition, Each, Kind, ZoneAggregate};
use crate::fields::{self, Fields};
use crate::ladder::{self, Direction, Ladder, Step};
use crate::parse::{located, positive_span};
use crate::problem::{Mark, Sink};
use crate::selector::Selector;
use crate::template::Placeholder;
use crate::yaml::Content;

pub(super) static KIND: Kind = Kind {
    name: "k_of_n",
    about: [
        "Raises when at least so many, or such a share, of the devices in a zone are beyond a limit.",
        "区域内超限设备达到一定数量或比例时告警。",
    ],
    keys: &["each", "over", "of", "layer", "severity", "devices", "share", "for"],
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
        "{zone}: {metric} beyond its limit at {value} {unit} of {devices} devices",
        "{zone}：{metric} 超限设备 {value} {unit}（共 {devices} 台）",
    ],
    read,
};

const HINT: &str = "write `severity: {medium: {devices: 2}, high: {devices: 4}}`, or `severity: high` with \
     `devices: 3` or `share: 0.5`";

fn read(rule: &mut Fields<'_>, select: &Selector, sink: &mut Sink) -> Option<Built> {
    need_one_metric(rule, select, sink);
    let hold = rule.span("for", sink).unwrap_or(Span::ZERO);
    let layers = located(rule.get("layer"), "layer", sink);
    let each = read_each(rule, sink);
    let over = positive_span(rule, "over", "how old a device's reading may be: `over: 10m`", sink);
    let counts = read_counts(rule, sink);
    let of = rule.count("of", 1, sink);
    let (each, over, (function, steps)) = (each?, over?, counts?);
    let mildest = *steps.first()?;
    let least = if function == Aggregate::Count { mildest.raise as u32 } else { 3 };
    if let (Some(of), Some(node)) = (of, rule.get("of"))
        && function == Aggregate::Count
        && of < least
    {
        sink.report_with(
            node.mark,
            format!("{least} of {of} devices cannot be beyond their limit"),
            format!("`of` must be {least} or more"),
        );
        return None;
    }
    let condition = Condition::Zone(ZoneAggregate {
        function,
        over,
        min_devices: of.unwrap_or(least),
        each: Some(each),
        layers,
    });
    Built::judged(Ladder { direction: Direction::Above, steps, reaching: true }, condition, hold)
}

fn read_each(rule: &mut Fields<'_>, sink: &mut Sink) -> Option<Each> {
    let node = rule.need("each", "the limit of a device: `each: {above: 75}`", sink)?;
    let mut fields = Fields::of(node, "`each`", sink)?;
    let step = ladder::read_step(&mut fields, Severity::Low, fixed, sink);
    fields.finish(|_| None, sink);
    let (direction, step) = step?;
    if step.hold.is_some() {
        sink.report_with(
            node.mark,
            "a device is beyond its limit at once",
            "write `for` beside `severity`: how long so many devices must be",
        );
        return None;
    }
    ladder::check_gap(&step, direction, node.mark, sink).then_some(Each { direction, step })
}

/// The limit is the same for all devices.
fn fixed(fields: &mut Fields<'_>, key: &'static str, sink: &mut Sink) -> Option<f64> {
    fields.number(key, sink)
}

/// The numbers or shares of devices with their severities, mildest first.
fn read_counts(rule: &mut Fields<'_>, sink: &mut Sink) -> Option<(Aggregate, Vec<Step>)> {
    let before = sink.problems.len();
    let node = rule.need("severity", HINT, sink)?;
    let mut found: Vec<(Aggregate, Step, Mark)> = Vec::new();
    if matches!(node.content, Content::Map(_)) {
        for key in ["devices", "share"] {
            if let Some(extra) = rule.get(key) {
                let message = format!("`{key}` does not go with a severity ladder");
                sink.report_with(extra.mark, message, "write it inside each severity");
            }
        }
        let severities = Fields::of(node, "`severity`", sink)?;
        for (key, node) in severities.entries() {
            let severity = ladder::named_severity(&key.name, key.mark, sink);
            let Some(mut step) = Fields::of(node, &format!("`{}`", key.name), sink) else {
                continue;
            };
            let count = read_count(&mut step, node.mark, sink);
            let hold = step.span("for", sink);
            step.finish(|_| None, sink);
            if let (Some(severity), Some((function, raise))) = (severity, count) {
                found.push((function, Step { severity, raise, clear: None, hold }, key.mark));
            }
        }
    } else {
        let severity = ladder::plain_severity(node, sink)?;
        let (function, raise) = read_count(rule, node.mark, sink)?;
        found.push((function, Step { severity, raise, clear: None, hold: None }, node.mark));
    }
    if found.is_empty() && sink.problems.len() == before {
        sink.report_with(node.mark, "`severity` has no steps", HINT);
    }
    found.sort_by_key(|(_, step, _)| step.severity);
    for pair in found.windows(2) {
        let ((function, mild, _), (other, severe, at)) = (&pair[0], &pair[1]);
        if function != other {
            sink.report_with(
                *at,
                "`devices` and `share` do not mix",
                "use one of them in all steps",
            );
        } else if severe.raise <= mild.raise {
            let message = format!("`{}` must need more than `{}`", severe.severity, mild.severity);
            sink.report_with(*at, message, "swap them, or remove one step");
        }
    }
    let function = found.first()?.0;
    let steps = found.into_iter().map(|(_, step, _)| step).collect();
    (sink.problems.len() == before).then_some((function, steps))
}

fn read_count(fields: &mut Fields<'_>, at: Mark, sink: &mut Sink) -> Option<(Aggregate, f64)> {
    let (devices, share) = (fields.get("devices"), fields.get("share"));
    match (devices, share) {
        (Some(_), None) => Some((Aggregate::Count, f64::from(fields.count("devices", 1, sink)?))),
        (None, Some(node)) => {
            let share = fields::number(node, "share", sink)?;
            if !(share > 0.0 && share <= 1.0) {
                let message = format!("`share` is {share}");
                sink.report_with(
                    node.mark,
                    message,
                    "a part of the devices: more than 0, at most 1",
                );
                return None;
            }
            // 0.55 is 55, not a little more.
            Some((Aggregate::Percent, (share * 1e9).round() / 1e7))
        }
        _ => {
            sink.report_with(at, "one of `devices` and `share` is needed", HINT);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_its_limits_a_device_stays_on_its_side() {
        let step = Step { severity: Severity::Low, raise: 3.0, clear: Some(2.5), hold: None };
        let each = Each { direction: Direction::Above, step };
        for (value, was, beyond) in
            [(3.1, false, true), (3.0, false, false), (2.5, true, true), (2.4, true, false)]
        {
            assert_eq!(each.beyond(value, was), beyond, "{value}, {was}");
        }
        let low = Each { direction: Direction::Below, step: Step { clear: None, ..step } };
        assert!(low.beyond(2.9, false) && !low.beyond(3.1, true));
    }

    #[test]
    fn a_share_that_is_reached_is_not_missed_by_rounding() {
        for (share, percent) in
            [(0.55, 11.0 / 20.0 * 100.0), (0.07, 7.0), (0.56, 14.0 / 25.0 * 100.0)]
        {
            let text = format!(
                "group: g\ndepartment: d\nrules:\n  - {{id: r, kind: k_of_n, select: {{metric: pm25}}, \
                 severity: high, share: {share}, over: 5m, each: {{above: 1}}}}\n"
            );
            let rules = crate::RuleSet::parse(&[("f.yaml", text)]).expect("good");
            let ladder = rules.rules()[0].ladder.as_ref().expect("one");
            assert!(ladder.judge(percent).raised > 0, "{share}");
        }
    }
}
