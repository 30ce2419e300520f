//! `composite`: alerts of several other rules come together.
//!
//! ```yaml
//! kind: composite
//! when: {all: [pump-off, level-rising]}     # or `any: […]`, or `at_least: 2` with `of: […]`
//! unless: [pump-maintenance]
//! on: device                                # the default; or `zone`, with `layer: district`
//! severity: critical
//! for: 2m
//! ```
//!
//! It follows the alerts of its members, about the same device or in the same zone: an alert about
//! a device counts for the zones in which it is. It clears when a member is resolved or an alert
//! of `unless` begins. That a rule of `unless` is quiet may also mean that nothing is heard; so put
//! into `when` what must be known. Members that are only building blocks say `silent: true`: they
//! raise nothing by themselves. Composites may be members of others, without circles.

use std::sync::Arc;

use city_model::LocalText;

use super::{Built, Condition, Kind};
use crate::fields::Fields;
use crate::ladder;
use crate::parse::{choose, located};
use crate::problem::{Mark, Sink};
use crate::selector::Selector;
use crate::template::Placeholder;

pub(super) static KIND: Kind = Kind {
    name: "composite",
    about: [
        "Raises when alerts of several other rules come together.",
        "多条规则的告警同时成立时告警。",
    ],
    keys: &["when", "unless", "on", "layer", "severity", "for"],
    placeholders: &[
        Placeholder::Device,
        Placeholder::DeviceName,
        Placeholder::Zone,
        Placeholder::State,
        Placeholder::Devices,
        Placeholder::For,
    ],
    summary: ["{device_name} {zone}: {state}", "{device_name} {zone}：{state}"],
    read,
};

/// Rules whose alerts are counted.
#[derive(Clone, Debug)]
pub struct Composite {
    /// The ids of the rules that must fire.
    pub members: Vec<Arc<str>>,
    /// How many of them.
    pub at_least: usize,
    /// The ids of the rules that must not fire.
    pub unless: Vec<Arc<str>>,
    /// Whether it is about zones; otherwise about devices.
    pub zones: bool,
    /// Only zones of these layers; all if empty.
    pub(crate) layers: Vec<(Arc<str>, Mark)>,
}

impl Composite {
    /// All rules that it follows: members first.
    pub fn followed(&self) -> impl Iterator<Item = &Arc<str>> {
        self.members.iter().chain(&self.unless)
    }

    /// Whether zones of this layer are judged.
    pub fn takes_layer(&self, layer: &str) -> bool {
        self.layers.is_empty() || self.layers.iter().any(|(name, _)| **name == *layer)
    }
}

fn read(rule: &mut Fields<'_>, select: &Selector, sink: &mut Sink) -> Option<Built> {
    if *select != Selector::default() {
        sink.report_with(
            rule.get("select").map_or(rule.node.mark, |node| node.mark),
            "rules of kind composite select no readings",
            "remove `select`: the members do that",
        );
    }
    let waits = ladder::read_waits(rule, sink);
    let unless = located(rule.get("unless"), "unless", sink);
    let zones = match rule.get("on") {
        Some(_) => choose(rule, "on", &[("device", false), ("zone", true)], sink),
        None => Some(false),
    };
    let layers = located(rule.get("layer"), "layer", sink);
    if let (Some(false), Some((_, at))) = (zones, layers.first()) {
        sink.report_with(*at, "`layer` is for zones", "add `on: zone`, or remove `layer`");
    }
    let node = rule.need("when", "write `when: {all: [one-rule, another]}`", sink)?;
    let mut fields = Fields::of(node, "`when`", sink)?;
    let (all, any, of) = (fields.get("all"), fields.get("any"), fields.get("of"));
    let at_least = fields.count("at_least", 1, sink);
    fields.finish(|_| None, sink);
    let (list, at_least) = match (all, any, of, at_least) {
        (Some(list), None, None, None) => (list, None),
        (None, Some(list), None, None) => (list, Some(1)),
        (None, None, Some(list), Some(least)) => (list, Some(least as usize)),
        _ => {
            sink.report_with(
                node.mark,
                "`when` needs one of `all`, `any`, and `at_least` with `of`",
                "write `when: {all: […]}`, `when: {any: […]}` or `when: {at_least: 2, of: […]}`",
            );
            return None;
        }
    };
    let members = located(Some(list), "when", sink);
    let at_least = at_least.unwrap_or(members.len());
    if members.is_empty() || at_least > members.len() {
        sink.report_with(
            list.mark,
            format!("{at_least} of {} rules cannot fire", members.len()),
            "name more rules, or ask for fewer",
        );
        return None;
    }
    let ids = |places: &[(Arc<str>, Mark)]| places.iter().map(|(id, _)| id.clone()).collect();
    let composite =
        Composite { members: ids(&members), at_least, unless: ids(&unless), zones: zones?, layers };
    let built = Built::waiting(waits?, Condition::Composite(composite));
    Some(Built { places: [members, unless].concat(), ..built })
}

/// What fires, for people.
pub(crate) fn together(names: &[&LocalText]) -> LocalText {
    let join = |of: fn(&LocalText) -> &str, between: &str| {
        names.iter().map(|name| of(name)).collect::<Vec<_>>().join(between)
    };
    LocalText::new(join(|name| &name.en, ", "), join(|name| &name.zh, "、"))
}
