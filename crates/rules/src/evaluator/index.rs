//! Which rules can select a series, found without looking at all rules of its metric.
//!
//! Each rule lies under the rarest part of its selector: devices, or the attributes, zones, kinds
//! or departments that the fewest devices have. A device is looked up by all parts that it has, so
//! that ten thousand rules for one district each cost a series of another one nothing.

use std::sync::Arc;

use city_model::{Attribute, Device, Directory, MetricKey, Placement, ZoneKey};
use rustc_hash::FxHashMap;

use super::program::Compiled;

/// A part of a selector, and what devices have of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Part {
    Device(Arc<str>),
    /// Name and value. Values that are equal read the same; those that read the same are told apart
    /// by the selector itself.
    Attribute(String, String),
    Zone(ZoneKey),
    Kind(Arc<str>),
    Department(Arc<str>),
}

/// Rules by their rarest part.
#[derive(Debug, Default)]
struct Shelf {
    by_part: FxHashMap<Part, Vec<u32>>,
    /// All rules that lie under zones: a device that moves can get into any of them.
    zoned: Vec<u32>,
    /// Rules that select all devices.
    rest: Vec<u32>,
}

/// The rules by metric and by their rarest part.
#[derive(Debug, Default)]
pub(super) struct RuleIndex {
    by_metric: Vec<Shelf>,
    any_metric: Shelf,
    /// How many device keys there were when it was made.
    devices: usize,
}

impl RuleIndex {
    pub(super) fn new(rules: &[Compiled], directory: &Directory) -> Self {
        let has_attributes = |rule: &Compiled| !rule.rule.select.attributes.is_empty();
        let counts = Counts::new(directory, rules.iter().any(has_attributes));
        let mut index = Self { devices: directory.device_slots(), ..Self::default() };
        index.by_metric.resize_with(directory.metrics.len(), Shelf::default);
        for (number, rule) in rules.iter().enumerate() {
            if !rule.rule.condition.takes_readings() {
                continue;
            }
            let number = number as u32;
            let parts = counts.rarest(rule);
            let select = &rule.rule.select;
            if select.metric.is_empty() {
                index.any_metric.put(number, &parts);
            }
            let known = select.metric.iter().filter_map(|name| directory.metrics.by_id(name));
            for metric in known {
                index.by_metric[metric.key.index()].put(number, &parts);
            }
        }
        index
    }

    /// Whether so many devices were registered since that other parts are the rarest.
    pub(super) fn is_outgrown(&self, directory: &Directory) -> bool {
        directory.device_slots() > 2 * self.devices + 100
    }

    /// Adds the rules that may select the series of a metric of a device; in no order, and some of
    /// them more than once.
    pub(super) fn candidates(&self, metric: MetricKey, device: &Device, out: &mut Vec<u32>) {
        let Some(own) = self.by_metric.get(metric.index()) else { return };
        for shelf in [own, &self.any_metric] {
            out.extend(&shelf.rest);
            if shelf.by_part.is_empty() {
                continue;
            }
            let mut find = |part: &Part| out.extend(shelf.by_part.get(part).into_iter().flatten());
            find(&Part::Device(device.id.clone()));
            find(&Part::Kind(device.kind.clone()));
            find(&Part::Department(device.department.clone()));
            for (name, value) in &device.attributes {
                find(&attribute(name, value));
            }
            if let Placement::Fixed(_) = device.placement {
                device.zones.iter().for_each(|zone| find(&Part::Zone(*zone)));
            } else {
                out.extend(&shelf.zoned);
            }
        }
    }
}

impl Shelf {
    fn put(&mut self, rule: u32, parts: &[Part]) {
        if parts.is_empty() {
            self.rest.push(rule);
        }
        if let Some(Part::Zone(_)) = parts.first() {
            self.zoned.push(rule);
        }
        for part in parts {
            self.by_part.entry(part.clone()).or_default().push(rule);
        }
    }
}

fn attribute(name: &str, value: &Attribute) -> Part {
    let text = match value {
        // Zero has two signs, which are equal.
        Attribute::Number(number) => (number + 0.0).to_string(),
        other => other.to_string(),
    };
    Part::Attribute(name.to_owned(), text)
}

/// How many devices have a part.
struct Counts {
    by_part: FxHashMap<Part, usize>,
    /// Devices that can get into any zone.
    moving: usize,
}

impl Counts {
    fn new(directory: &Directory, attributes: bool) -> Self {
        let mut counts = Self { by_part: FxHashMap::default(), moving: 0 };
        for device in directory.devices() {
            let mut add = |part: Part| *counts.by_part.entry(part).or_default() += 1;
            add(Part::Kind(device.kind.clone()));
            add(Part::Department(device.department.clone()));
            device.zones.iter().for_each(|zone| add(Part::Zone(*zone)));
            if attributes {
                device.attributes.iter().for_each(|(name, value)| add(attribute(name, value)));
            }
            if !matches!(device.placement, Placement::Fixed(_)) {
                counts.moving += 1;
            }
        }
        counts
    }

    /// The parts of a rule's selector under one of which a device must be found; empty if it may be
    /// any device.
    fn rarest(&self, rule: &Compiled) -> Vec<Part> {
        let select = &rule.rule.select;
        if !select.device.is_empty() {
            return select.device.iter().cloned().map(Part::Device).collect();
        }
        let attributes = select.attributes.iter().map(|(name, values)| {
            values.iter().map(|value| attribute(name, value)).collect::<Vec<_>>()
        });
        let zones = rule.zones.as_deref().map(|zones| zones.iter().copied().map(Part::Zone));
        let kinds = select.kind.iter().cloned().map(Part::Kind).collect::<Vec<_>>();
        let departments = select.department.iter().cloned().map(Part::Department);
        let choices = attributes
            .chain(zones.map(Iterator::collect))
            .chain([kinds, departments.collect()])
            .filter(|parts| !parts.is_empty());
        choices.min_by_key(|parts| self.of(parts)).unwrap_or_default()
    }

    fn of(&self, parts: &[Part]) -> usize {
        let moving = if let Some(Part::Zone(_)) = parts.first() { self.moving } else { 0 };
        let found = parts.iter().filter_map(|part| self.by_part.get(part));
        moving + found.sum::<usize>()
    }
}
