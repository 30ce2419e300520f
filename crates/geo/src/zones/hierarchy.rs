//! Which zone lies above which: by what the file says, or by where a zone lies.

use std::fmt;
use std::sync::Arc;

use city_model::{Zone, ZoneKey};
use rustc_hash::FxHashMap;

use super::ZoneIndex;
use super::slug::slug;

/// What the file says about the zone above.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// Its id or its name; empty text if the property is configured but missing here.
    pub(super) parent: Option<String>,
    /// Its layer.
    pub(super) layer: Option<String>,
}

/// A zone that has no zone above it although there should be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HierarchyProblem {
    /// The zone's id.
    pub zone: Arc<str>,
    /// Its layer.
    pub layer: Arc<str>,
    /// Why.
    pub reason: HierarchyReason,
}

/// Why a zone has no zone above it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HierarchyReason {
    /// The property names a zone that there is not.
    #[error("there is no zone `{parent}` above it")]
    Unknown {
        /// What the property says.
        parent: String,
    },
    /// The zone above it lies, over some steps, below it.
    #[error("the zones above it lead back to it")]
    Circle,
    /// It lies in no zone of the layer above.
    #[error("it lies in no zone of the layer `{layer}`")]
    Outside {
        /// The layer that was named.
        layer: String,
    },
}

impl fmt::Display for HierarchyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.zone, self.layer, self.reason)
    }
}

/// The zone above each, in the order of the zones.
pub(super) fn parents(
    index: &ZoneIndex,
    wanted: &[Wanted],
) -> (Vec<Option<ZoneKey>>, Vec<HierarchyProblem>) {
    let zones = index.zones();
    let mut problems = Vec::new();
    let one_layer = zones.windows(2).all(|pair| pair[0].layer == pair[1].layer);
    if one_layer && wanted.iter().all(|wanted| wanted.parent.is_none() && wanted.layer.is_none()) {
        return (vec![None; zones.len()], problems);
    }
    let by_name = names(zones);
    let mut parents: Vec<Option<ZoneKey>> = Vec::with_capacity(zones.len());
    for (zone, wanted) in zones.iter().zip(wanted) {
        let found = match wanted.parent.as_deref() {
            Some("") => Ok(None),
            Some(parent) => named(index, &by_name, zone, parent, wanted.layer.as_deref()).map(Some),
            None => holder(index, zone, wanted.layer.as_deref()),
        };
        parents.push(found.unwrap_or_else(|reason| {
            problems.push(problem(zone, reason));
            None
        }));
    }
    for place in circles(index, &parents) {
        parents[place] = None;
        problems.push(problem(&zones[place], HierarchyReason::Circle));
    }
    (parents, problems)
}

fn problem(zone: &Zone, reason: HierarchyReason) -> HierarchyProblem {
    HierarchyProblem { zone: zone.id.clone(), layer: zone.layer.clone(), reason }
}

/// Zones by their names in both languages.
fn names(zones: &[Zone]) -> FxHashMap<&str, Vec<&Zone>> {
    let mut by_name: FxHashMap<&str, Vec<&Zone>> = FxHashMap::default();
    for zone in zones {
        by_name.entry(&zone.name.en).or_default().push(zone);
        if zone.name.zh != zone.name.en {
            by_name.entry(&zone.name.zh).or_default().push(zone);
        }
    }
    by_name
}

/// The zone that a property names, by its id or its name.
fn named(
    index: &ZoneIndex,
    by_name: &FxHashMap<&str, Vec<&Zone>>,
    zone: &Zone,
    parent: &str,
    layer: Option<&str>,
) -> Result<ZoneKey, HierarchyReason> {
    let fits =
        |other: &&Zone| other.key != zone.key && layer.is_none_or(|layer| *other.layer == *layer);
    let by_id = index.zone_by_id(&slug(parent)).filter(fits);
    let found = by_id.or_else(|| {
        let all = by_name.get(parent)?;
        // A district may be called like its city: the other layer is meant.
        let elsewhere = all.iter().copied().filter(fits).find(|other| other.layer != zone.layer);
        elsewhere.or_else(|| all.iter().copied().find(fits))
    });
    found.map(|zone| zone.key).ok_or_else(|| HierarchyReason::Unknown { parent: parent.to_owned() })
}

/// The smallest larger zone of another layer that holds the label.
fn holder(
    index: &ZoneIndex,
    zone: &Zone,
    layer: Option<&str>,
) -> Result<Option<ZoneKey>, HierarchyReason> {
    let mut keys = Vec::new();
    index.locate_into(zone.label, &mut keys);
    let around = keys.iter().filter_map(|key| index.zone(*key)).filter(|other| {
        other.layer != zone.layer
            && other.area_km2 > zone.area_km2
            && layer.is_none_or(|layer| *other.layer == *layer)
    });
    let smallest = around.min_by(|a, b| a.area_km2.total_cmp(&b.area_km2));
    match (smallest, layer) {
        (None, Some(layer)) => Err(HierarchyReason::Outside { layer: layer.to_owned() }),
        (found, _) => Ok(found.map(|zone| zone.key)),
    }
}

/// The places of zones whose ancestors lead back to them. By containment they never do, because
/// areas grow.
fn circles(index: &ZoneIndex, parents: &[Option<ZoneKey>]) -> Vec<usize> {
    let above = |place: usize| parents[place].and_then(|key| index.place(key));
    // The walk in which a zone was met; 0 if it was not yet.
    let mut met = vec![0_usize; parents.len()];
    let mut found = Vec::new();
    for start in 0..parents.len() {
        let walk = start + 1;
        let mut at = Some(start);
        while let Some(place) = at.filter(|place| met[*place] == 0) {
            met[place] = walk;
            at = above(place);
        }
        // Met in this very walk: here the circle closes.
        if let Some(first) = at.filter(|place| met[*place] == walk) {
            found.push(first);
            let rest = std::iter::successors(above(first), |place| above(*place));
            found.extend(rest.take_while(|place| *place != first));
        }
    }
    found.sort_unstable();
    found
}
