//! Events as receivers get them: with the group that they belong to.

use city_model::{Alert, AlertEvent, LocalText};
use city_rules::lifecycle::{Cause, Group};
use serde::Serialize;

use super::Gate;

/// An event with what it has in common with others.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    event: &'a AlertEvent,
    group: InGroup<'a>,
}

#[derive(Serialize)]
struct InGroup<'a> {
    #[serde(flatten)]
    group: Group,
    /// The id of the flood that it came into.
    flood: Option<&'a str>,
}

impl Gate {
    /// An event as receivers get it.
    pub(crate) fn body(&self, event: &AlertEvent) -> String {
        let (group, _) = self.labelled(&event.alert);
        let memory = self.memory();
        let flood = memory.floods.of(&event.alert).map(|id| &**id);
        serde_json::to_string(&Told { event, group: InGroup { group, flood } }).unwrap_or_default()
    }

    /// The group of an alert, and what people call it.
    pub(super) fn labelled(&self, alert: &Alert) -> (Group, LocalText) {
        let place = self.place(alert);
        let group = Group::of(alert, &place, &self.memory().troubled);
        let directory = self.registry.as_ref().map(|registry| registry.directory());
        let directory = directory.as_deref();
        let zone = group.zone.as_ref().map(|id| {
            let known = directory.and_then(|directory| directory.zone_by_id(id));
            known.map_or_else(|| LocalText::same(&**id), |zone| zone.name.clone())
        });
        let cause = match &group.cause {
            Cause::Rule { .. } => alert.rule.name.clone(),
            Cause::Gateway { id } => {
                let known = directory.and_then(|directory| directory.device_by_id(id));
                known.map_or_else(|| LocalText::same(&**id), |device| device.name.clone())
            }
        };
        let label = match zone {
            Some(zone) => LocalText::new(
                format!("{}, {}", zone.en, cause.en),
                format!("{} {}", zone.zh, cause.zh),
            ),
            None => cause,
        };
        (group, label)
    }
}
