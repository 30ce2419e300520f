//! A grid of H3 cells where there is no zone file.
//!
//! A position's cell comes from H3 itself and not from the drawn hexagons, so no position between
//! two cells is lost, and the ids agree with every other program that speaks H3.

use city_model::{LocalText, Position, ZoneKey};
use geo::{LineString, MultiPolygon, Polygon};
use h3o::{CellIndex, LatLng, Resolution};
use rustc_hash::{FxHashMap, FxHashSet};

use super::hierarchy::Wanted;
use super::load::zone;
use super::meridian::{normal, unwrap};
use super::{Parts, ZoneIndex};

/// A grid has at most so many cells; more are no zones that people can watch.
pub const MOST_CELLS: u64 = 50_000;

/// The automatic grid is coarse enough to have at most so many cells.
const AUTOMATIC_CELLS: u64 = 10_000;

/// The finest resolution of an automatic grid: cells of about 0.7 square kilometres.
const AUTOMATIC_RESOLUTION: u8 = 8;

/// Between two samples along a meridian, in edges of a cell: close enough that no cell, however
/// far it is distorted, lies between four samples.
const STEP_EDGES: f64 = 0.35;

/// Kilometres in a degree of latitude, on the sphere that H3 uses.
const KM_PER_DEG: f64 = 111.195;

/// The layer of the cells.
pub const GRID_LAYER: &str = "grid";

/// Why a grid cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GridError {
    /// H3 has resolutions 0 to 15.
    #[error("H3 has no resolution {resolution}; it is 0 (coarse) to 15 (fine)")]
    Resolution {
        /// What was asked for.
        resolution: u8,
    },
    /// More cells than anybody can watch.
    #[error(
        "a grid of resolution {resolution} would have about {cells} cells here, more than {MOST_CELLS}; resolution {finest} is the finest that fits"
    )]
    TooManyCells {
        /// What was asked for.
        resolution: u8,
        /// How many cells that would be.
        cells: u64,
        /// The finest resolution with few enough.
        finest: u8,
    },
}

/// The cells of one resolution.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    resolution: Resolution,
    pub(super) by_cell: FxHashMap<u64, u32>,
}

impl Grid {
    /// What belongs to the cell of a position.
    pub(super) fn at(&self, lon: f64, lat: f64) -> Option<u32> {
        let cell = LatLng::new(lat, lon).ok()?.to_cell(self.resolution);
        self.by_cell.get(&u64::from(cell)).copied()
    }
}

/// The finest resolution for an automatic grid over bounds (west, south, east, north in degrees).
pub fn automatic_resolution(bounds: [f64; 4]) -> u8 {
    (0..=AUTOMATIC_RESOLUTION)
        .rev()
        .find(|resolution| {
            Resolution::try_from(*resolution)
                .is_ok_and(|resolution| estimate(bounds, resolution) <= AUTOMATIC_CELLS)
        })
        .unwrap_or(0)
}

pub(super) fn grid(bounds: [f64; 4], resolution: u8) -> Result<ZoneIndex, GridError> {
    let level =
        Resolution::try_from(resolution).map_err(|_| GridError::Resolution { resolution })?;
    let count = estimate(bounds, level);
    if count > MOST_CELLS {
        let fits = |level: &Resolution| estimate(bounds, *level) <= MOST_CELLS;
        let finest = Resolution::range(Resolution::Zero, level).rfind(fits);
        let finest = finest.map_or(0, u8::from);
        return Err(GridError::TooManyCells { resolution, cells: count, finest });
    }
    let mut parts = Parts::default();
    let mut by_cell = FxHashMap::default();
    for cell in cells(bounds, level) {
        let id = cell.to_string();
        let key = ZoneKey(parts.zones.len() as u32);
        let shape = outline(cell);
        let name = LocalText::same(&id);
        // A cell always has an extent.
        let Ok(mut zone) = zone(key, id, name, GRID_LAYER, &shape) else { continue };
        let centre = LatLng::from(cell);
        zone.label = Position { lon: normal(centre.lng()), lat: centre.lat() };
        zone.area_km2 = cell.area_km2();
        by_cell.insert(u64::from(cell), key.0);
        parts.zones.push(zone);
        parts.shapes.push(shape);
        parts.wanted.push(Wanted::default());
    }
    parts.grids.push(Grid { resolution: level, by_cell });
    Ok(ZoneIndex::assemble(parts))
}

/// Width and height of bounds in degrees, on a round Earth.
fn extent([west, south, east, north]: [f64; 4]) -> (f64, f64) {
    let width = if west <= east { east - west } else { east + 360.0 - west };
    (width.min(360.0), (north - south).max(0.0))
}

/// About how many cells bounds have, those on the border included.
fn estimate(bounds: [f64; 4], resolution: Resolution) -> u64 {
    let (width, height) = extent(bounds);
    let edge = resolution.edge_length_km();
    // The strip between two parallels, and half a cell more on every side.
    let middle = f64::midpoint(bounds[1], bounds[3]).to_radians().cos();
    let (wide, high) = (width * KM_PER_DEG * middle + edge, height * KM_PER_DEG + edge);
    let cells = wide * high / resolution.area_km2();
    (cells.ceil() as u64).clamp(1, resolution.cell_count())
}

/// All cells that bounds touch, in the order of their numbers: whatever the samples of a raster
/// finer than the cells lie in.
fn cells(bounds: [f64; 4], resolution: Resolution) -> Vec<CellIndex> {
    let (width, height) = extent(bounds);
    let step_lat = resolution.edge_length_km() * STEP_EDGES / KM_PER_DEG;
    let rows = (height / step_lat).ceil().max(1.0) as usize;
    let mut found = FxHashSet::default();
    for row in 0..=rows {
        let lat = (bounds[1] + height * row as f64 / rows as f64).clamp(-90.0, 90.0);
        let step_lon = step_lat / lat.to_radians().cos().max(1e-3);
        let columns = (width / step_lon).ceil().max(1.0) as usize;
        for column in 0..=columns {
            let lon = bounds[0] + width * column as f64 / columns as f64;
            if let Ok(place) = LatLng::new(lat, normal(lon)) {
                found.insert(place.to_cell(resolution));
            }
        }
    }
    let mut cells: Vec<CellIndex> = found.into_iter().collect();
    cells.sort_unstable();
    cells
}

/// The hexagon as drawn.
fn outline(cell: CellIndex) -> MultiPolygon<f64> {
    let mut ring: Vec<geo::Coord<f64>> = cell
        .boundary()
        .iter()
        .map(|corner| geo::Coord { x: corner.lng(), y: corner.lat() })
        .collect();
    unwrap(&mut ring, &mut Vec::new());
    MultiPolygon(vec![Polygon::new(LineString::new(ring), vec![])])
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    const CHICAGO: [f64; 4] = [-87.94, 41.64, -87.52, 42.02];
    const FIJI: [f64; 4] = [177.0, -19.2, -179.8, -16.0];

    static GRIDS: LazyLock<Vec<([f64; 4], ZoneIndex)>> = LazyLock::new(|| {
        [(CHICAGO, 8), (FIJI, 5), ([-180.0, -90.0, 180.0, 90.0], 2)]
            .map(|(bounds, level)| (bounds, ZoneIndex::h3_grid(bounds, level).expect("fits")))
            .into()
    });

    fn ids_at(index: &ZoneIndex, lon: f64, lat: f64) -> Vec<&str> {
        let set = index.locate(Position { lon, lat });
        set.iter().map(|key| &*index.zone(*key).expect("known").id).collect()
    }

    #[test]
    fn cells_have_the_names_that_h3_gives_them() {
        let index = ZoneIndex::h3_grid(CHICAGO, 8).expect("few cells");
        // The Loop, as h3-js and h3-py answer for (41.8837, -87.6289) at resolution 8.
        let expected = LatLng::new(41.8837, -87.6289).expect("valid").to_cell(Resolution::Eight);
        assert_eq!(ids_at(&index, -87.6289, 41.8837), [expected.to_string()]);
        let zone = index.zone_by_id(&expected.to_string()).expect("a zone");
        assert_eq!(&*zone.layer, GRID_LAYER);
        assert!(zone.id.starts_with("882664") && zone.id.ends_with("fffff"), "{}", zone.id);
        assert!(zone.area_km2 > 0.5 && zone.area_km2 < 1.0, "{}", zone.area_km2);
        assert!((1_500..3_500).contains(&index.zones().len()), "{}", index.zones().len());
    }

    #[test]
    fn too_fine_a_grid_is_refused_with_one_that_fits() {
        let error = ZoneIndex::h3_grid(CHICAGO, 12).expect_err("millions");
        let GridError::TooManyCells { cells, finest, .. } = error else { panic!("{error}") };
        assert!(cells > 1_000_000 && finest == 9, "{error}");
        assert!(ZoneIndex::h3_grid(CHICAGO, finest).expect("fits").zones().len() <= 50_000);
        assert_eq!(
            ZoneIndex::h3_grid(CHICAGO, 16).expect_err("none").to_string(),
            "H3 has no resolution 16; it is 0 (coarse) to 15 (fine)"
        );
    }

    #[test]
    fn the_automatic_grid_suits_the_size_of_the_city() {
        assert_eq!(automatic_resolution(CHICAGO), 8);
        assert_eq!(automatic_resolution([115.4, 39.4, 117.5, 41.1]), 7);
        assert_eq!(automatic_resolution([-180.0, -90.0, 180.0, 90.0]), 2);
        for bounds in [CHICAGO, FIJI, [-180.0, -90.0, 180.0, 90.0], [5.0, 5.0, 5.0, 5.0]] {
            let index = ZoneIndex::h3_grid(bounds, automatic_resolution(bounds)).expect("fits");
            assert!((1..=11_000).contains(&index.zones().len()), "{}", index.zones().len());
        }
    }

    proptest! {
        // The same cases every time; PROPTEST_CASES asks for more.
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            cases: 64,
            ..ProptestConfig::default()
        })]

        #[test]
        fn every_position_within_the_bounds_lies_in_one_cell(
            places in prop::collection::vec((0.0..=1.0_f64, 0.0..=1.0_f64), 200),
        ) {
            for (bounds, index) in GRIDS.iter() {
                let bounds = *bounds;
                let (width, height) = extent(bounds);
                for (x, y) in &places {
                    let (lon, lat) = (normal(bounds[0] + width * x), bounds[1] + height * y);
                    prop_assert_eq!(ids_at(index, lon, lat).len(), 1, "{} {}", lon, lat);
                }
            }
        }
    }
}
