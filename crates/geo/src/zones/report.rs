//! What a person wants to know of zones before they are switched on: how many, how large, and
//! which of one layer overlap.

use std::sync::Arc;

use city_model::Zone;
use geo::{BooleanOps, ChamberlainDuquetteArea};

use super::ZoneIndex;

/// A share of the smaller zone below which an overlap is a careless border and no overlap.
const CARELESS: f64 = 1e-3;

/// A layer in figures.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerFigures {
    /// The layer.
    pub layer: Arc<str>,
    /// How many zones it has.
    pub zones: usize,
    /// Their areas together in square kilometres, on a sphere; what overlaps counts twice.
    pub area_km2: f64,
    /// The area of the smallest.
    pub smallest_km2: f64,
    /// And of the largest.
    pub largest_km2: f64,
    /// How many have a zone above them.
    pub with_parent: usize,
}

/// Two zones of one layer that overlap.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlap {
    /// The layer.
    pub layer: Arc<str>,
    /// The ids of the two.
    pub zones: [Arc<str>; 2],
    /// What they share, in square kilometres.
    pub area_km2: f64,
}

impl ZoneIndex {
    /// The layers in the order of their first zones.
    pub fn layers(&self) -> Vec<LayerFigures> {
        let mut layers: Vec<LayerFigures> = Vec::new();
        for zone in self.zones() {
            let known = layers.iter().position(|figures| figures.layer == zone.layer);
            let place = known.unwrap_or_else(|| {
                layers.push(LayerFigures {
                    layer: zone.layer.clone(),
                    zones: 0,
                    area_km2: 0.0,
                    smallest_km2: f64::INFINITY,
                    largest_km2: 0.0,
                    with_parent: 0,
                });
                layers.len() - 1
            });
            let figures = &mut layers[place];
            figures.zones += 1;
            figures.area_km2 += zone.area_km2;
            figures.smallest_km2 = figures.smallest_km2.min(zone.area_km2);
            figures.largest_km2 = figures.largest_km2.max(zone.area_km2);
            figures.with_parent += usize::from(zone.parent.is_some());
        }
        layers
    }

    /// The pairs of zones of one layer that share more than a thousandth of the smaller one, the
    /// largest overlaps first. Costs seconds with 100,000 zones. Cells of a grid never overlap.
    pub fn overlaps(&self) -> Vec<Overlap> {
        let mut found = Vec::new();
        let mut by_west: Vec<usize> =
            (0..self.zones().len()).filter(|place| !self.is_cell(*place)).collect();
        let wide = |place: &usize| spread(&self.zones()[*place]);
        by_west.sort_by(|a, b| wide(a).0.total_cmp(&wide(b).0));
        let mut open: Vec<usize> = Vec::new();
        for place in by_west {
            let (west, ..) = wide(&place);
            open.retain(|other| wide(other).1 > west);
            for other in &open {
                found.extend(self.overlap(*other, place));
            }
            open.push(place);
        }
        found.sort_by(|a, b| b.area_km2.total_cmp(&a.area_km2));
        found
    }

    fn overlap(&self, a: usize, b: usize) -> Option<Overlap> {
        let zones = [&self.zones()[a], &self.zones()[b]];
        let [first, second] = zones.map(|zone| zone.bounds);
        if zones[0].layer != zones[1].layer || first[1] >= second[3] || second[1] >= first[3] {
            return None;
        }
        let shared = self.shape(a).intersection(self.shape(b));
        let area_km2 = shared.chamberlain_duquette_unsigned_area() / 1e6;
        let smaller = zones[0].area_km2.min(zones[1].area_km2);
        (area_km2 > smaller * CARELESS).then(|| Overlap {
            layer: zones[0].layer.clone(),
            zones: zones.map(|zone| zone.id.clone()),
            area_km2,
        })
    }
}

/// West and east, going on past 180 degrees.
fn spread(zone: &Zone) -> (f64, f64) {
    let [west, _, east, _] = zone.bounds;
    (west, if west <= east { east } else { east + 360.0 })
}
