//! What a birth certificate declares.

use city_model::Timestamp;
use rustc_hash::FxHashMap;

use crate::formats::sparkplug_b::wire::{Metric, Payload};

/// The metrics of a node or a device, and from when on its messages may be read with them.
#[derive(Debug, Default)]
pub(in crate::formats::sparkplug_b) struct Names {
    list: Vec<Declared>,
    by_alias: FxHashMap<u64, u32>,
    by_name: FxHashMap<Box<str>, u32>,
    /// The arrival of the first message that no earlier birth can have been about: those before
    /// it were sent with other names, or it is not known with which.
    from: Timestamp,
    /// The arrival of the first message that did not fit: it waits for the next birth.
    doubted: Option<Timestamp>,
}

/// A metric as it was declared.
#[derive(Debug)]
pub(in crate::formats::sparkplug_b) struct Declared {
    pub(in crate::formats::sparkplug_b) name: Box<str>,
    pub(in crate::formats::sparkplug_b) datatype: Option<u32>,
    pub(in crate::formats::sparkplug_b) unit: Option<Box<str>>,
}

impl Names {
    /// Those of a birth, for messages that arrived from `from` on.
    pub(super) fn of(payload: &Payload<'_>, from: Timestamp) -> Self {
        let mut names = Self { from, ..Self::default() };
        for metric in &payload.metrics {
            let Some(name) = metric.name.filter(|name| !name.is_empty()) else { continue };
            let place = names.list.len() as u32;
            names.list.push(Declared {
                name: name.into(),
                datatype: metric.datatype,
                unit: metric.properties().unit.map(Into::into),
            });
            names.by_name.insert(name.into(), place);
            if let Some(alias) = metric.alias {
                names.by_alias.insert(alias, place);
            }
        }
        names
    }

    pub(super) fn set_from(&mut self, from: Timestamp) {
        self.from = from;
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether a message that arrived then was sent with these names, as far as can be told.
    pub(in crate::formats::sparkplug_b) fn hold_for(&self, received: Timestamp) -> bool {
        received >= self.from
    }

    /// A message has arrived that does not fit.
    pub(super) fn doubt(&mut self, now: Timestamp) {
        self.doubted.get_or_insert(now);
    }

    /// From when on messages are not about these names, since another birth has arrived.
    pub(super) fn until(&self, next: Timestamp) -> Timestamp {
        self.doubted.unwrap_or(next)
    }

    /// What a metric in data is, by its name or else its alias.
    pub(in crate::formats::sparkplug_b) fn find(&self, metric: &Metric<'_>) -> Option<&Declared> {
        let place = match (metric.name.filter(|name| !name.is_empty()), metric.alias) {
            (Some(name), _) => self.by_name.get(name),
            (None, Some(alias)) => self.by_alias.get(&alias),
            (None, None) => None,
        };
        self.list.get(*place? as usize)
    }
}
