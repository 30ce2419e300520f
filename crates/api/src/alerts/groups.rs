//! What fires, grouped by where it is and what made it: how a flood of alerts is looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{Alert, Directory, LocalText, Severity, Timestamp};
use city_rules::lifecycle::{Cause, Group, Troubled};
use serde::Serialize;
use utoipa::ToSchema;

use super::AlertList;
use crate::schema;

/// Ids of alerts that a group names.
const NAMED: usize = 20;

/// Alerts, each with whether somebody acknowledged it.
type Members = Vec<(Arc<Alert>, bool)>;

/// What fires at one operator position.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PositionGroups {
    /// The department, or `city` where all have the same operators.
    pub(crate) position: String,
    /// The flood that goes on; `null` if there is none.
    pub(crate) flood: Option<AlertFlood>,
    /// How many alerts fire.
    pub(crate) firing: u64,
    /// The groups, the largest first.
    pub(crate) groups: Vec<AlertGroup>,
}

/// A flood: more alerts than anybody can look at.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertFlood {
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// How many alerts came in it.
    alerts: u64,
}

/// Alerts that are in one zone and have one cause.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertGroup {
    /// The zone that they are about, or the smallest that they lie in.
    zone: Option<String>,
    /// What people call it.
    #[schema(value_type = Option<schema::LocalText>)]
    zone_name: Option<LocalText>,
    /// `gateway` if something is wrong with the gateway through which they come, else `rule`.
    cause: &'static str,
    /// The id of the gateway or rule.
    cause_id: String,
    /// What people call it.
    #[schema(value_type = schema::LocalText)]
    cause_name: LocalText,
    firing: u64,
    /// Those of them that nobody has acknowledged.
    unacknowledged: u64,
    /// The worst of them.
    #[schema(value_type = schema::Severity)]
    severity: Severity,
    #[schema(value_type = String, format = DateTime)]
    first_fired_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_fired_at: Timestamp,
    /// Ids of the 20 newest.
    alerts: Vec<String>,
}

impl AlertList {
    /// What fires, by position, zone and cause.
    pub(crate) fn groups(&self, directory: &Directory) -> Vec<PositionGroups> {
        let firing = self.board.acknowledged();
        let mut troubled = Troubled::default();
        for (alert, _) in &firing {
            troubled.take(alert);
        }
        let mut positions: BTreeMap<Arc<str>, BTreeMap<Group, Members>> = BTreeMap::new();
        for (alert, acknowledged) in firing {
            let group = Group::of(&alert, &(self.holds.locate)(&alert), &troubled);
            let position = self.floods.config.position(&alert);
            let groups = positions.entry(position).or_default();
            groups.entry(group).or_default().push((alert, acknowledged));
        }
        positions
            .into_iter()
            .map(|(position, groups)| {
                let flood = self.floods.at(&position);
                let firing = groups.values().map(|alerts| alerts.len() as u64).sum();
                let groups = groups.into_iter();
                let mut groups: Vec<AlertGroup> =
                    groups.filter_map(|(group, alerts)| show(&group, alerts, directory)).collect();
                // Those of one size stay in the order of their names.
                groups.sort_by_key(|group| std::cmp::Reverse(group.firing));
                PositionGroups {
                    position: position.to_string(),
                    flood: flood.map(|(since, alerts)| AlertFlood { since, alerts }),
                    firing,
                    groups,
                }
            })
            .collect()
    }
}

/// A group; `None` if it has no alerts.
fn show(group: &Group, mut alerts: Members, directory: &Directory) -> Option<AlertGroup> {
    alerts.sort_by(|(a, _), (b, _)| (b.fired_at, &b.id).cmp(&(a.fired_at, &a.id)));
    let (newest, _) = alerts.first()?;
    let (cause, cause_name) = match &group.cause {
        Cause::Rule { .. } => ("rule", newest.rule.name.clone()),
        Cause::Gateway { id } => {
            let known = directory.device_by_id(id);
            ("gateway", known.map_or_else(|| LocalText::same(&**id), |known| known.name.clone()))
        }
    };
    let zone_name = |id: &Arc<str>| {
        let known = directory.zone_by_id(id);
        known.map_or_else(|| LocalText::same(&**id), |zone| zone.name.clone())
    };
    Some(AlertGroup {
        zone: group.zone.as_ref().map(ToString::to_string),
        zone_name: group.zone.as_ref().map(zone_name),
        cause,
        cause_id: group.cause.id().to_string(),
        cause_name,
        firing: alerts.len() as u64,
        unacknowledged: alerts.iter().filter(|(_, acknowledged)| !acknowledged).count() as u64,
        severity: alerts.iter().map(|(alert, _)| alert.severity).max()?,
        first_fired_at: alerts.iter().map(|(alert, _)| alert.fired_at).min()?,
        last_fired_at: newest.fired_at,
        alerts: alerts.iter().take(NAMED).map(|(alert, _)| alert.id.to_string()).collect(),
    })
}
