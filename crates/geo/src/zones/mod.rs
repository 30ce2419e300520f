//! Zones of a city and the question which of them a position lies in.
//!
//! An R-tree over the bounds of every polygon names the few that a position may lie in; each of
//! them then looks at one band of its edges (`area`). Sets of zones are interned (`sets`), so a
//! moving device costs no allocation. Zones may overlap and nest; layers are merged into one index.

mod area;
mod load;
mod map;
mod sets;
mod slug;

use std::cell::RefCell;
use std::sync::Arc;

use city_model::{Position, Zone, ZoneKey, ZoneSet};
use geo::MultiPolygon;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use self::area::Area;
use self::sets::ZoneSets;
use self::slug::TakenIds;
pub use load::{Loaded, SkipReason, ZoneFileError, ZoneOptions, ZoneProblem};

/// The bounds of a polygon with its index in [`ZoneIndex::areas`].
type Entry = GeomWithData<Rectangle<[f64; 2]>, u32>;

/// The zones of a city, ready to locate positions. Immutable; share it by `Arc`. The default has
/// no zones.
#[derive(Debug, Default)]
pub struct ZoneIndex {
    zones: Vec<Zone>,
    by_id: FxHashMap<Arc<str>, ZoneKey>,
    /// As read, for the map; by zone.
    shapes: Vec<MultiPolygon<f64>>,
    /// Every polygon of every zone.
    areas: Vec<(ZoneKey, Area)>,
    tree: RTree<Entry>,
    sets: ZoneSets,
}

/// What an index is made of: zones whose keys are their index, and their polygons.
#[derive(Default)]
struct Parts {
    zones: Vec<Zone>,
    shapes: Vec<MultiPolygon<f64>>,
    areas: Vec<(ZoneKey, Area)>,
}

thread_local! {
    /// The keys being collected; kept so that locating allocates nothing.
    static FOUND: RefCell<Vec<ZoneKey>> = const { RefCell::new(Vec::new()) };
}

impl ZoneIndex {
    /// Reads the zones of a GeoJSON FeatureCollection in WGS-84: features with a Polygon or
    /// MultiPolygon, holes included. Features that cannot be used are skipped and reported; a file
    /// of which nothing can be used is an index without zones and a list of problems.
    ///
    /// Ids are made from the id property or the name: lower-case, `-` for what is neither letter
    /// nor digit, apostrophes dropped, other scripts kept; the second of two gets `-2`.
    pub fn from_geojson(text: &str, options: &ZoneOptions) -> Result<Loaded, ZoneFileError> {
        load::from_geojson(text, options)
    }

    /// One index of several layers. Keys are given anew in the order of the indexes; an id that an
    /// earlier index has gets a suffix.
    pub fn merge(indexes: Vec<Self>) -> Self {
        let mut taken = TakenIds::default();
        let mut parts = Parts::default();
        for index in indexes {
            let first = parts.zones.len() as u32;
            let moved = |key: ZoneKey| ZoneKey(first + key.0);
            for zone in index.zones {
                let id = taken.take(zone.id.to_string()).into();
                parts.zones.push(Zone { key: moved(zone.key), id, ..zone });
            }
            parts.shapes.extend(index.shapes);
            parts.areas.extend(index.areas.into_iter().map(|(key, area)| (moved(key), area)));
        }
        Self::assemble(parts)
    }

    /// The zones that a position lies in, in ascending order. Equal sets are the same `Arc`.
    ///
    /// A position on a western or southern boundary lies inside, on an eastern or northern one
    /// outside, so that neighbours that share an edge never both claim it and never both decline.
    pub fn locate(&self, position: Position) -> ZoneSet {
        FOUND.with_borrow_mut(|found| {
            self.locate_into(position, found);
            self.sets.intern(found)
        })
    }

    /// Replaces the content of `keys` by the zones that a position lies in, in ascending order.
    pub fn locate_into(&self, position: Position, keys: &mut Vec<ZoneKey>) {
        keys.clear();
        let Position { lon, lat } = position;
        for entry in self.tree.locate_in_envelope_intersecting(AABB::from_point([lon, lat])) {
            let (key, area) = &self.areas[entry.data as usize];
            if area.contains(lon, lat) {
                keys.push(*key);
            }
        }
        if keys.len() > 1 {
            keys.sort_unstable();
            // Polygons of one zone may overlap in careless files.
            keys.dedup();
        }
    }

    /// All zones; a zone's key is its index.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The zone with this id.
    pub fn zone_by_id(&self, id: &str) -> Option<&Zone> {
        self.zones.get(self.by_id.get(id)?.0 as usize)
    }

    /// West, south, east and north of all zones in degrees; `None` without zones.
    pub fn bounds(&self) -> Option<[f64; 4]> {
        self.zones.iter().map(|zone| zone.bounds).reduce(area::union)
    }

    /// A GeoJSON FeatureCollection for the map, in the order of the zones: properties `id`,
    /// `name` (`{en, zh}`) and `layer`; MultiPolygons simplified by Douglas and Peucker's method
    /// with a tolerance in degrees (1e-5 to 1e-4 suit a city; 0 keeps every corner), coordinates
    /// rounded to five decimals. Neighbours are simplified apart: gaps up to the tolerance may
    /// show between them.
    pub fn map_geojson(&self, tolerance_deg: f64) -> Value {
        let features = self.zones.iter().zip(&self.shapes);
        let features = features.map(|(zone, shape)| map::feature(zone, shape, tolerance_deg));
        json!({ "type": "FeatureCollection", "features": features.collect::<Vec<_>>() })
    }

    fn assemble(Parts { zones, shapes, areas }: Parts) -> Self {
        let entries = areas.iter().enumerate().map(|(index, (_, area))| {
            let [west, south, east, north] = area.bounds();
            Entry::new(Rectangle::from_corners([west, south], [east, north]), index as u32)
        });
        Self {
            tree: RTree::bulk_load(entries.collect()),
            by_id: zones.iter().map(|zone| (zone.id.clone(), zone.key)).collect(),
            sets: ZoneSets::for_zones(zones.len()),
            zones,
            shapes,
            areas,
        }
    }
}

#[cfg(test)]
mod tests;
