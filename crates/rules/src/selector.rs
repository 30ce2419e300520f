//! Which series, devices and zones a rule is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{Attribute, Device, LifeCycle, Zone, ZoneKey};
use serde::Serialize;

use crate::fields::{Fields, one_or_many};
use crate::kinds::Kind;
use crate::problem::{Mark, Sink};
use crate::yaml::Node;

/// What a rule selects: every part that is given must match, an empty part matches everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Selector {
    /// Names of metrics.
    pub metric: Vec<Arc<str>>,
    /// Kinds of devices.
    pub kind: Vec<Arc<str>>,
    /// Departments that own the devices.
    pub department: Vec<Arc<str>>,
    /// Ids of zones; the device must be in one of them.
    pub zone: Vec<Arc<str>>,
    /// Ids of devices.
    pub device: Vec<Arc<str>>,
    /// Attributes with the values that match.
    pub attributes: BTreeMap<String, Vec<Attribute>>,
    /// Where metrics and zones stand in the file, for [`crate::RuleSet::check_against`].
    #[serde(skip)]
    pub(crate) marks: Vec<(Arc<str>, Mark)>,
}

impl Selector {
    pub(crate) fn read(node: Option<&Node>, sink: &mut Sink) -> Self {
        let mut selector = Self::default();
        let Some(mut fields) = node.and_then(|node| Fields::of(node, "`select`", sink)) else {
            return selector;
        };
        for (key, list) in [
            ("metric", &mut selector.metric),
            ("kind", &mut selector.kind),
            ("department", &mut selector.department),
            ("zone", &mut selector.zone),
            ("device", &mut selector.device),
        ] {
            for (text, node) in fields.texts(key, sink) {
                let text: Arc<str> = text.into();
                selector.marks.push((text.clone(), node.mark));
                list.push(text);
            }
        }
        if let Some(attributes) =
            fields.get("attributes").and_then(|node| Fields::of(node, "`attributes`", sink))
        {
            for (key, node) in attributes.entries() {
                let values: Vec<Attribute> =
                    one_or_many(node).iter().filter_map(|item| attribute(item, sink)).collect();
                selector.attributes.insert(key.name.clone(), values);
            }
        }
        fields.finish(|_| None, sink);
        selector
    }

    /// Whether a device matches, its zones aside. Planned and retired devices never do.
    pub fn matches_device(&self, device: &Device) -> bool {
        fn one_of(list: &[Arc<str>], value: &str) -> bool {
            list.is_empty() || list.iter().any(|item| **item == *value)
        }
        !matches!(device.life_cycle, LifeCycle::Planned | LifeCycle::Retired)
            && one_of(&self.kind, &device.kind)
            && one_of(&self.department, &device.department)
            && one_of(&self.device, &device.id)
            && self.attributes.iter().all(|(name, values)| {
                device.attributes.get(name).is_some_and(|value| values.contains(value))
            })
    }

    /// Whether a metric matches.
    pub fn matches_metric(&self, metric: &str) -> bool {
        self.metric.is_empty() || self.metric.iter().any(|item| **item == *metric)
    }

    /// Takes the metrics that the kind of the rule knows.
    pub(crate) fn replace_metrics(
        &mut self,
        metrics: Vec<(Arc<str>, Mark)>,
        kind: &Kind,
        sink: &mut Sink,
    ) {
        if let Some(at) = self.metric.first().and_then(|name| self.mark_of(name)) {
            sink.report_with(
                at,
                format!("rules of kind {} know their metrics themselves", kind.name),
                "remove `metric` from `select`",
            );
        }
        self.metric = metrics.iter().map(|(name, _)| name.clone()).collect();
        self.marks.extend(metrics);
    }

    pub(crate) fn mark_of(&self, name: &str) -> Option<Mark> {
        self.marks.iter().find(|(other, _)| **other == *name).map(|(_, mark)| *mark)
    }
}

pub(crate) fn attribute(node: &Node, sink: &mut Sink) -> Option<Attribute> {
    if let Some(flag) = node.bool_value() {
        return Some(Attribute::Bool(flag));
    }
    if let Some(number) = node.number_value() {
        return Some(Attribute::Number(number));
    }
    let text = node.text_value();
    if text.is_none() {
        sink.report(
            node.mark,
            format!("an attribute is a truth value, a number or a text, found {}", node.found()),
        );
    }
    text.map(|text| Attribute::Text(text.to_owned()))
}

/// The smallest of some zones: the most telling one for people.
pub(crate) fn smallest<'z>(
    zones: &[ZoneKey],
    find: impl Fn(ZoneKey) -> Option<&'z Zone>,
) -> Option<&'z Zone> {
    let found = zones.iter().filter_map(|key| find(*key));
    found.min_by(|a, b| a.area_km2.total_cmp(&b.area_km2))
}
