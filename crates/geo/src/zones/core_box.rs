//! A box inside a polygon, so that most positions need no look at its edges.

use geo::{Coord, LinesIter, Polygon};
use wide::f32x8;

use super::tree::FAN;

/// A box strictly inside an area. In single precision, rounded inward: no point that rounds into
/// it lies outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct CoreBox {
    west: f32,
    south: f32,
    east: f32,
    north: f32,
}

impl CoreBox {
    /// Holds nothing.
    pub(super) const NOTHING: Self = Self { west: 0.0, south: 0.0, east: 0.0, north: 0.0 };

    /// Whether a point lies in it.
    #[expect(clippy::needless_bitwise_bool, reason = "one answer without a branch")]
    pub(super) fn holds(&self, lon: f64, lat: f64) -> bool {
        let (lon, lat) = (lon as f32, lat as f32);
        (self.west < lon) & (lon < self.east) & (self.south < lat) & (lat < self.north)
    }

    /// West, south, east, north of a box around it, somewhat larger than what it holds; `None` if it
    /// holds nothing.
    pub(super) fn bounds(&self) -> Option<[f64; 4]> {
        let Self { west, south, east, north } = *self;
        let (west, south) = (f64::from(west.next_down()), f64::from(south.next_down()));
        let (east, north) = (f64::from(east.next_up()), f64::from(north.next_up()));
        (self.west < self.east && self.south < self.north).then_some([west, south, east, north])
    }

    /// Grows a box from the middle half of the widest stretch: north and south as far as no edge
    /// is in the way, then east and west.
    pub(super) fn grow(polygon: &Polygon<f64>, (middle, width): (Coord<f64>, f64)) -> Self {
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        let (mut west, mut east) = (middle.x - width / 4.0, middle.x + width / 4.0);
        for line in polygon.lines_iter() {
            let Some((least, most)) = within(line.start, line.end, west, east) else { continue };
            if least >= middle.y {
                high = high.min(least);
            } else if most <= middle.y {
                low = low.max(most);
            } else {
                return Self::NOTHING;
            }
        }
        let (inner_west, inner_east) = (west, east);
        (west, east) = (f64::NEG_INFINITY, f64::INFINITY);
        for line in polygon.lines_iter() {
            let flip = |at: Coord<f64>| Coord { x: at.y, y: at.x };
            let crossed = within(flip(line.start), flip(line.end), low, high);
            let Some((least, most)) = crossed else { continue };
            if least >= inner_east {
                east = east.min(least);
            } else if most <= inner_west {
                west = west.max(most);
            } else {
                (west, east) = (west.max(inner_west), east.min(inner_east));
            }
        }
        if !(west < east && low < high) {
            return Self::NOTHING;
        }
        Self {
            west: (west as f32).next_up().next_up(),
            south: (low as f32).next_up().next_up(),
            east: (east as f32).next_down().next_down(),
            north: (high as f32).next_down().next_down(),
        }
    }
}

/// The boxes inside eight neighbouring areas, each of which is alone there, with the areas' owners.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Cores {
    west: [f32; FAN],
    south: [f32; FAN],
    east: [f32; FAN],
    north: [f32; FAN],
    owners: [u32; FAN],
}

impl Cores {
    /// Hold nothing.
    pub(super) const NOTHING: Self = Self {
        west: [0.0; FAN],
        south: [0.0; FAN],
        east: [0.0; FAN],
        north: [0.0; FAN],
        owners: [0; FAN],
    };

    pub(super) fn set(&mut self, slot: usize, core: CoreBox, owner: u32) {
        self.west[slot] = core.west;
        self.south[slot] = core.south;
        self.east[slot] = core.east;
        self.north[slot] = core.north;
        self.owners[slot] = owner;
    }

    pub(super) fn owners_mut(&mut self) -> &mut [u32] {
        &mut self.owners
    }

    /// The box that holds the point, with the owner of its area.
    pub(super) fn at(&self, lon: f64, lat: f64) -> Option<(u32, CoreBox)> {
        let (x, y) = (f32x8::splat(lon as f32), f32x8::splat(lat as f32));
        let lanes = f32x8::from(self.west).simd_lt(x)
            & x.simd_lt(f32x8::from(self.east))
            & f32x8::from(self.south).simd_lt(y)
            & y.simd_lt(f32x8::from(self.north));
        let hits = lanes.to_bitmask();
        if hits == 0 {
            return None;
        }
        let i = hits.trailing_zeros() as usize % FAN;
        let (west, south) = (self.west[i], self.south[i]);
        let (east, north) = (self.east[i], self.north[i]);
        Some((self.owners[i], CoreBox { west, south, east, north }))
    }
}

/// The least and the greatest y of the part of an edge between two x, if it has one.
fn within(a: Coord<f64>, b: Coord<f64>, from: f64, to: f64) -> Option<(f64, f64)> {
    let (a, b) = if a.x < b.x { (a, b) } else { (b, a) };
    if b.x <= from || a.x >= to {
        return None;
    }
    let at = |x: f64| {
        if x <= a.x {
            a.y
        } else if x >= b.x {
            b.y
        } else {
            a.y + (x - a.x) * (b.y - a.y) / (b.x - a.x)
        }
    };
    if a.x == b.x {
        return Some((a.y.min(b.y), a.y.max(b.y)));
    }
    let (left, right) = (at(from), at(to));
    Some((left.min(right), left.max(right)))
}
