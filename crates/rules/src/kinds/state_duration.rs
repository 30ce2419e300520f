//! `state_duration`: something has been in a state for too long: a door open, a pump off.
//!
//! ```yaml
//! kind: state_duration
//! select: {metric: door}
//! state: {is: [open, ajar]}        # or `not: closed`
//! severity:
//!   medium: {for: 10m}
//!   high: {for: 1h}
//! ```
//!
//! States are texts, truth values or numbers. A device that reports only what changes says once
//! that it is open: so the time is counted by the clock, without further readings. A reading of
//! another state ends it at once, or after `keep_firing_for`.

use city_model::{LocalText, Value};

use super::{Built, Condition, Kind};
use crate::fields::{Fields, one_or_many};
use crate::ladder::{self, Ladder};
use crate::parse::need_metric;
use crate::problem::Sink;
use crate::selector::Selector;
use crate::template::Placeholder;
use crate::yaml::Node;

pub(super) static KIND: Kind = Kind {
    name: "state_duration",
    about: [
        "Raises when something has been in a state for longer than it should.",
        "某一状态持续时间过长时告警。",
    ],
    keys: &["state", "severity", "for"],
    placeholders: &[
        Placeholder::Device,
        Placeholder::DeviceName,
        Placeholder::Zone,
        Placeholder::Metric,
        Placeholder::State,
        Placeholder::For,
    ],
    summary: [
        "{device_name}: {metric} “{state}” for more than {for}",
        "{device_name}：{metric}“{state}”已超过 {for}",
    ],
    read,
};

/// The states in which it is bad to be.
#[derive(Clone, Debug, PartialEq)]
pub struct States {
    values: Vec<Value>,
    /// It is bad to be in any other state.
    others: bool,
    text: LocalText,
}

impl States {
    /// Whether a value is one of these states.
    pub fn hold(&self, value: &Value) -> bool {
        self.values.contains(value) != self.others
    }

    /// The states as people write them.
    pub fn text(&self) -> &LocalText {
        &self.text
    }

    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let mut fields = Fields::of(node, "`state`", sink)?;
        let (is, not) = (fields.get("is"), fields.get("not"));
        fields.finish(|_| None, sink);
        let (list, others) = match (is, not) {
            (Some(list), None) => (list, false),
            (None, Some(list)) => (list, true),
            _ => {
                sink.report_with(
                    node.mark,
                    "`state` needs one of `is` and `not`",
                    "write `state: {is: open}` or `state: {not: [closed, locked]}`",
                );
                return None;
            }
        };
        let items = one_or_many(list);
        let values: Vec<Value> = items.iter().filter_map(|item| state(item, sink)).collect();
        if items.is_empty() {
            sink.report_with(list.mark, "no state is named", "name at least one");
        }
        if values.len() < items.len() || values.is_empty() {
            return None;
        }
        let names: Vec<LocalText> = values.iter().map(named).collect();
        let join = |of: fn(&LocalText) -> &str| names.iter().map(of).collect::<Vec<_>>().join("/");
        let (en, zh) = (join(|name| &name.en), join(|name| &name.zh));
        let text = if others {
            LocalText::new(format!("not {en}"), format!("非 {zh}"))
        } else {
            LocalText::new(en, zh)
        };
        Some(Self { values, others, text })
    }
}

/// A state as people read it.
fn named(value: &Value) -> LocalText {
    match value {
        Value::Number(number) => LocalText::same(number.to_string()),
        Value::Bool(true) => LocalText::new("yes", "是"),
        Value::Bool(false) => LocalText::new("no", "否"),
        Value::Text(text) => LocalText::same(&**text),
    }
}

/// A state as it is written: without quotes `true` and `1` are no texts.
fn state(node: &Node, sink: &mut Sink) -> Option<Value> {
    let number = node.number_value().map(Value::Number);
    let value = node.bool_value().map(Value::Bool).or(number);
    let value = value.or_else(|| node.text_value().map(Value::from));
    if value.is_none() {
        sink.report_with(
            node.mark,
            format!("a state must be a text, a number, true or false, found {}", node.found()),
            "write for example `open`, `\"1\"`, `1` or `true`, as devices send it",
        );
    }
    value
}

fn read(rule: &mut Fields<'_>, select: &Selector, sink: &mut Sink) -> Option<Built> {
    need_metric(select, rule.node.mark, sink);
    let lengths = ladder::read_lengths(rule, sink);
    let node = rule.need("state", "write `state: {is: open}`", sink)?;
    let states = States::read(node, sink);
    let (lengths, states) = (lengths?, states?);
    let (_, shortest) = *lengths.first()?;
    let ladder = Ladder::of_lengths(&lengths, true);
    Built::judged(ladder, Condition::State(states), shortest)
}
