//! Zones of a city and the question which of them a position lies in.
//!
//! A packed tree over the bounds of every polygon (`tree`) names the few that a position may lie
//! in; each of them then looks at one band of its edges (`area`). Sets of zones are shared
//! (`sets`), so a moving device costs no allocation. Zones may overlap and nest; layers are merged
//! into one index. Cells of an H3 grid (`grid`) are found by computation.

mod area;
mod core_box;
mod grid;
mod hierarchy;
mod load;
mod map;
mod meridian;
mod repair;
mod report;
mod sets;
mod slug;
mod tree;

use std::cell::RefCell;
use std::sync::Arc;

use city_model::{Position, Zone, ZoneKey, ZoneSet};
use geo::{CoordsIter, MultiPolygon};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use self::area::{Area, Areas, Company};
use self::core_box::CoreBox;
use self::grid::Grid;
use self::hierarchy::Wanted;
use self::sets::ZoneSets;
use self::slug::TakenIds;
use self::tree::{FAN, Tree};
pub use grid::{GRID_LAYER, GridError, MOST_CELLS, automatic_resolution};
pub use hierarchy::{HierarchyProblem, HierarchyReason};
pub use load::{
    Loaded, SkipReason, ZoneFileError, ZoneFileOddity, ZoneOptions, ZoneProblem, ZoneRepair,
};
pub use repair::Repair;
pub use report::{LayerFigures, Overlap};

/// The place of a key that no zone has.
const NO_PLACE: u32 = u32::MAX;

/// The zones of a city, ready to locate positions. Immutable; share it by `Arc`. The default has
/// no zones.
#[derive(Debug, Default)]
pub struct ZoneIndex {
    zones: Vec<Zone>,
    /// The place of each zone in `zones` by its id.
    by_id: FxHashMap<Arc<str>, u32>,
    /// And by its key.
    by_key: Vec<u32>,
    /// For the map; by place.
    shapes: Vec<MultiPolygon<f64>>,
    /// What the files say about the zones above; by place.
    wanted: Vec<Wanted>,
    hierarchy_problems: Vec<HierarchyProblem>,
    /// Over every polygon of every zone that is no cell of a grid.
    tree: Tree,
    /// The polygons in the order of the tree; each with the key of its zone.
    areas: Areas,
    /// Whether any polygon goes on past 180 degrees.
    beyond: bool,
    grids: Vec<Grid>,
    /// Whether a zone is a cell of a grid; by place.
    cells: Vec<bool>,
    sets: ZoneSets,
}

/// What an index is made of: zones whose keys are their places, and what belongs to each.
#[derive(Default)]
struct Parts {
    zones: Vec<Zone>,
    shapes: Vec<MultiPolygon<f64>>,
    wanted: Vec<Wanted>,
    grids: Vec<Grid>,
}

thread_local! {
    /// The keys being collected; kept so that locating allocates nothing.
    static FOUND: RefCell<Vec<ZoneKey>> = const { RefCell::new(Vec::new()) };
    /// The leaves of the tree around the position, each with its boxes that hold it, as bits;
    /// likewise.
    static HITS: RefCell<Vec<(usize, u32)>> = const { RefCell::new(Vec::new()) };
}

/// The zones of a place, and how far around it they are the same; for things that move, which are
/// most often still there when they are asked for again. Holds for the index that gave it only.
#[derive(Clone, Debug)]
pub struct Whereabouts {
    /// The zones.
    pub zones: ZoneSet,
    core: CoreBox,
}

impl Whereabouts {
    /// Whether a position lies in the same zones, as far as that is known without looking.
    pub fn hold(&self, position: Position) -> bool {
        self.core.holds(position.lon, position.lat)
    }
}

impl ZoneIndex {
    /// Reads the zones of a GeoJSON FeatureCollection: features with a Polygon or MultiPolygon,
    /// holes included. Features that cannot be used are skipped and reported, those that can be
    /// mended are mended and reported; a file of which nothing can be used is an index without
    /// zones and a list of problems.
    ///
    /// Ids are made from the id property or the name: lower-case, `-` for what is neither letter
    /// nor digit, apostrophes dropped, other scripts kept; the second of two gets `-2`.
    ///
    /// Rings across the antimeridian may be split there (RFC 7946, section 3.1.9), count past 180
    /// degrees, or jump from 179 to -179: a step of more than 180 degrees, but less than the
    /// whole 360, is taken for the short way round.
    pub fn from_geojson(text: &str, options: &ZoneOptions) -> Result<Loaded, ZoneFileError> {
        load::from_geojson(text, options)
    }

    /// The cells of the H3 grid that touch bounds (west, south, east, north in degrees; west may
    /// be greater than east across the antimeridian), with their H3 numbers as ids, in the layer
    /// [`GRID_LAYER`]. `resolution` is 0 to 15; at most [`MOST_CELLS`] cells.
    pub fn h3_grid(bounds: [f64; 4], resolution: u8) -> Result<Self, GridError> {
        grid::grid(bounds, resolution)
    }

    /// One index of several layers, with the hierarchy between them. Keys are given anew in the
    /// order of the indexes; an id that an earlier index has gets a suffix.
    pub fn merge(indexes: Vec<Self>) -> Self {
        let mut taken = TakenIds::default();
        let mut parts = Parts::default();
        for index in indexes {
            let first = parts.zones.len() as u32;
            for mut grid in index.grids {
                for key in grid.by_cell.values_mut() {
                    *key = first + index.by_key[*key as usize];
                }
                parts.grids.push(grid);
            }
            for (zone, place) in index.zones.into_iter().zip(first..) {
                let id = taken.take(zone.id.to_string()).into();
                parts.zones.push(Zone { key: ZoneKey(place), id, parent: None, ..zone });
            }
            parts.shapes.extend(index.shapes);
            parts.wanted.extend(index.wanted);
        }
        Self::assemble(parts)
    }

    /// The same zones with the keys that their ids have in `before`; ids that are new there get
    /// keys that nobody had.
    #[must_use]
    pub fn with_keys_of(mut self, before: &Self) -> Self {
        let mut next = before.by_key.len() as u32;
        let keys: Vec<u32> = self
            .zones
            .iter()
            .map(|zone| {
                before.zone_by_id(&zone.id).map_or_else(
                    || {
                        next += 1;
                        next - 1
                    },
                    |known| known.key.0,
                )
            })
            .collect();
        let places = std::mem::take(&mut self.by_key);
        let renamed = |old: u32| keys[places[old as usize] as usize];
        for zone in &mut self.zones {
            zone.key = ZoneKey(renamed(zone.key.0));
            zone.parent = zone.parent.map(|key| ZoneKey(renamed(key.0)));
        }
        self.areas.change_owners(renamed);
        for key in self.grids.iter_mut().flat_map(|grid| grid.by_cell.values_mut()) {
            *key = renamed(*key);
        }
        self.number(next as usize);
        self
    }

    /// The zones that a position lies in, in ascending order of their keys. Equal sets are the
    /// same `Arc`.
    ///
    /// A position on a western or southern boundary lies inside, on an eastern or northern one
    /// outside, so that neighbours that share an edge never both claim it and never both decline.
    /// 180 and -180 degrees are the same meridian; the north pole counts as just below it.
    pub fn locate(&self, position: Position) -> ZoneSet {
        self.whereabouts(position).zones
    }

    /// The same, with how far around the position it is so.
    pub fn whereabouts(&self, position: Position) -> Whereabouts {
        FOUND.with_borrow_mut(|found| {
            let core = self.find(position, found);
            let zones = match found.as_slice() {
                few @ ([] | [_]) => few.into(),
                many => self.sets.intern(many),
            };
            Whereabouts { zones, core }
        })
    }

    /// Replaces the content of `keys` by the zones that a position lies in, in ascending order.
    pub fn locate_into(&self, position: Position, keys: &mut Vec<ZoneKey>) {
        self.find(position, keys);
    }

    /// The same; returns a box in which all positions have these zones.
    fn find(&self, position: Position, keys: &mut Vec<ZoneKey>) -> CoreBox {
        keys.clear();
        let lon = meridian::normal(position.lon);
        let lat = if position.lat == 90.0 { position.lat.next_down() } else { position.lat };
        let mut core = self.collect(lon, lat, keys);
        if self.beyond {
            self.collect(lon + 360.0, lat, keys);
        }
        for grid in &self.grids {
            keys.extend(grid.at(lon, position.lat).map(ZoneKey));
            // Its cells know no areas.
            core = CoreBox::NOTHING;
        }
        if keys.len() > 1 {
            keys.sort_unstable();
            // Polygons of one zone may overlap in careless files.
            keys.dedup();
        }
        core
    }

    fn collect(&self, lon: f64, lat: f64, keys: &mut Vec<ZoneKey>) -> CoreBox {
        HITS.with_borrow_mut(|hits| {
            hits.clear();
            // Most positions lie in some core where nobody else is, which takes one look. The boxes
            // are looked at in the same go: waiting for memory once is better than twice.
            let mut alone = None;
            self.tree.leaves_at(lon, lat, |leaf| {
                hits.push((leaf, self.tree.in_leaf(leaf, lon, lat)));
                alone = alone.or_else(|| self.areas.alone_at(leaf, lon, lat));
            });
            if let Some((owner, core)) = alone {
                keys.push(ZoneKey(owner));
                return core;
            }
            let mut core = CoreBox::NOTHING;
            for (leaf, boxes) in hits.iter_mut() {
                while *boxes != 0 {
                    let number = *leaf * FAN + boxes.trailing_zeros() as usize;
                    keys.extend(self.areas.owner_at(number, lon, lat, &mut core).map(ZoneKey));
                    *boxes &= *boxes - 1;
                }
            }
            core
        })
    }

    /// The zones that a position lies in for people: the layers in the order of their files, and
    /// within a layer the smallest zone first.
    pub fn zones_at(&self, position: Position) -> Vec<&Zone> {
        let mut layers: FxHashMap<&str, usize> = FxHashMap::default();
        let set = self.locate(position);
        let mut zones: Vec<&Zone> = set.iter().filter_map(|key| self.zone(*key)).collect();
        if zones.len() > 1 {
            for zone in &self.zones {
                let next = layers.len();
                layers.entry(&*zone.layer).or_insert(next);
            }
            zones.sort_by(|a, b| {
                let layer = |zone: &Zone| layers.get(&*zone.layer).copied();
                layer(a).cmp(&layer(b)).then(a.area_km2.total_cmp(&b.area_km2))
            });
        }
        zones
    }

    /// All zones in the order of their files; a key is no index here.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }

    /// The zone with this key.
    pub fn zone(&self, key: ZoneKey) -> Option<&Zone> {
        self.zones.get(self.place(key)?)
    }

    /// The zone with this id.
    pub fn zone_by_id(&self, id: &str) -> Option<&Zone> {
        self.zones.get(*self.by_id.get(id)? as usize)
    }

    /// The place of a key in [`ZoneIndex::zones`].
    fn place(&self, key: ZoneKey) -> Option<usize> {
        let place = *self.by_key.get(key.0 as usize)?;
        (place != NO_PLACE).then_some(place as usize)
    }

    /// Zones that should have a zone above them and have none.
    pub fn hierarchy_problems(&self) -> &[HierarchyProblem] {
        &self.hierarchy_problems
    }

    /// West, south, east and north of all zones in degrees, with west greater than east if they
    /// lie across the antimeridian; `None` without zones.
    pub fn bounds(&self) -> Option<[f64; 4]> {
        meridian::around(self.zones.iter().map(|zone| zone.bounds))
    }

    /// About how many bytes the index holds on the heap.
    pub fn bytes(&self) -> usize {
        let coords: usize = self.shapes.iter().map(CoordsIter::coords_count).sum();
        let text: usize =
            self.zones.iter().map(|z| z.id.len() + z.name.en.len() + z.name.zh.len()).sum();
        // A key with its set and the set's own allocation; a zone by id; a cell by number.
        let per_zone = size_of::<Zone>() + size_of::<Wanted>() + 4 + 1 + (16 + 24) + (24 + 8);
        let per_shape = size_of::<MultiPolygon<f64>>() + size_of::<geo::Polygon<f64>>();
        self.tree.bytes()
            + self.areas.bytes()
            + self.sets.bytes()
            + coords * 16
            + text
            + self.zones.len() * (per_zone + per_shape)
            + self.grids.iter().map(|grid| grid.by_cell.capacity() * 17).sum::<usize>()
    }

    /// A GeoJSON FeatureCollection for the map, in the order of the zones: properties `id`,
    /// `name` (`{en, zh}`) and `layer`; MultiPolygons simplified by Douglas and Peucker's method
    /// with a tolerance in degrees (1e-5 to 1e-4 suit a city; 0 keeps every corner), coordinates
    /// rounded to five decimals, split at the antimeridian. Neighbours are simplified apart: gaps
    /// up to the tolerance may show between them.
    pub fn map_geojson(&self, tolerance_deg: f64) -> Value {
        let features = self.zones.iter().zip(&self.shapes);
        let features = features.map(|(zone, shape)| map::feature(zone, shape, tolerance_deg));
        json!({ "type": "FeatureCollection", "features": features.collect::<Vec<_>>() })
    }

    /// The outlines of a zone, one closed ring for each of its polygons, without holes; simplified,
    /// rounded and split as [`ZoneIndex::map_geojson`] does it. `None` if there is no such zone.
    pub fn outlines(&self, id: &str, tolerance_deg: f64) -> Option<Vec<Vec<Position>>> {
        let place = *self.by_id.get(id)? as usize;
        Some(map::outlines(self.shape(place), tolerance_deg))
    }

    /// The polygons of the zone at a place.
    fn shape(&self, place: usize) -> &MultiPolygon<f64> {
        &self.shapes[place]
    }

    /// Whether the zone at a place is a cell of a grid.
    fn is_cell(&self, place: usize) -> bool {
        self.cells[place]
    }

    fn assemble(Parts { zones, shapes, wanted, grids }: Parts) -> Self {
        let mut cells = vec![false; zones.len()];
        for key in grids.iter().flat_map(|grid| grid.by_cell.values()) {
            cells[*key as usize] = true;
        }
        let polygons = shapes.iter().enumerate().filter(|(place, _)| !cells[*place]);
        let prepared: Vec<(u32, Area)> = polygons
            .flat_map(|(place, shape)| {
                shape.iter().filter_map(move |polygon| Some((place as u32, Area::new(polygon)?)))
            })
            .collect();
        let boxes: Vec<_> = prepared.iter().map(|(_, area)| area.bounds()).collect();
        let (tree, order) = Tree::new(&boxes);
        let mut areas = Areas::default();
        for index in &order {
            let (owner, area) = &prepared[*index as usize];
            areas.push(area, *owner);
        }
        areas.shrink();
        let beyond = boxes.iter().any(|[_, _, east, _]| *east > 180.0);
        // Across the antimeridian areas meet that are far apart in numbers.
        if !beyond {
            for number in 0..order.len() {
                let other = |number: usize| &prepared[order[number] as usize].1;
                areas.set_company(number, company(areas.core(number), number, &tree, other));
            }
        }
        let one_layer = zones.windows(2).all(|pair| pair[0].layer == pair[1].layer);
        let mut index = Self {
            by_id: zones.iter().map(|zone| (zone.id.clone(), zone.key.0)).collect(),
            sets: ZoneSets::for_zones(if one_layer { zones.len() / 8 } else { zones.len() }),
            beyond,
            zones,
            shapes,
            wanted,
            tree,
            areas,
            grids,
            cells,
            ..Self::default()
        };
        index.number(index.zones.len());
        let (parents, problems) = hierarchy::parents(&index, &index.wanted);
        for (zone, parent) in index.zones.iter_mut().zip(parents) {
            zone.parent = parent;
        }
        index.hierarchy_problems = problems;
        index
    }

    /// Makes what is looked up by key, for keys below `keys`.
    fn number(&mut self, keys: usize) {
        self.by_key = vec![NO_PLACE; keys];
        for (place, zone) in self.zones.iter().enumerate() {
            self.by_key[zone.key.0 as usize] = place as u32;
        }
    }
}

/// Which areas there are beside area `number` where its core is.
fn company<'a>(
    core: CoreBox,
    number: usize,
    tree: &Tree,
    area: impl Fn(usize) -> &'a Area,
) -> Company {
    let Some(bounds) = core.bounds() else { return Company::Unknown };
    let [west, south, east, north] = bounds;
    let (lon, lat) = (f64::midpoint(west, east), f64::midpoint(south, north));
    let mut company = Company::Alone;
    tree.touching(bounds, |other| {
        if other == number || company == Company::Unknown {
            return;
        }
        let area = area(other);
        if area.has_edge_in(bounds) {
            company = Company::Unknown;
        } else if area.contains(lon, lat) {
            company = Company::Same;
        }
    });
    company
}

#[cfg(test)]
mod tests;
