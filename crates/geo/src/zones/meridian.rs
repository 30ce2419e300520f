//! Rings and bounds on a round Earth: the antimeridian and the poles.
//!
//! Inside this crate longitudes of a ring never jump: a ring across the antimeridian goes on past
//! 180 degrees. Positions that are asked for, labels and bounds are in -180 to 180.

use geo::Coord;

use super::repair::Repair;
use super::tree::Bounds;

/// Between two positions of a ring no edge is this long: a longer step went the other way round.
const HALF: f64 = 180.0;

/// Makes an open ring (its first position not repeated) go on past 180 degrees instead of
/// jumping. One that winds around a pole is led along its own meridian to the pole and back.
///
/// An edge of exactly 360 degrees, from one side of the map to the other, is meant as such.
pub(super) fn unwrap(ring: &mut Vec<Coord<f64>>, repairs: &mut Vec<Repair>) {
    let Some(&first) = ring.first() else { return };
    let (mut turns, mut before) = (0.0, first.x);
    for place in ring.iter_mut().skip(1) {
        turns -= turn(before, place.x);
        before = place.x;
        place.x += 360.0 * turns;
    }
    turns -= turn(before, first.x);
    if turns != 0.0 {
        let mean = ring.iter().map(|place| place.y).sum::<f64>() / ring.len() as f64;
        let pole = 90.0_f64.copysign(mean);
        let last = first.x + 360.0 * turns;
        ring.extend([
            Coord { x: last, y: first.y },
            Coord { x: last, y: pole },
            Coord { x: first.x, y: pole },
        ]);
        repairs.push(Repair::AroundPole);
    } else if ring.iter().any(|place| !(-HALF..=HALF).contains(&place.x)) {
        repairs.push(Repair::Antimeridian);
    }
    let west = ring.iter().map(|place| place.x).fold(f64::INFINITY, f64::min);
    shift(ring, home(west));
}

/// Moves a hole by whole turns to where its exterior is.
pub(super) fn follow(hole: &mut [Coord<f64>], [west, _, east, _]: Bounds) {
    let (least, most) = hole
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), place| (a.min(place.x), b.max(place.x)));
    if least < west && least + 360.0 < east {
        shift(hole, 360.0);
    } else if most > east && most - 360.0 > west {
        shift(hole, -360.0);
    }
}

fn shift(ring: &mut [Coord<f64>], by: f64) {
    if by != 0.0 {
        for place in ring {
            place.x += by;
        }
    }
}

/// The whole turn that was made between two longitudes as written: 1 eastward over the
/// antimeridian is a step from 179 to -179.
fn turn(from: f64, to: f64) -> f64 {
    let step = to - from;
    if step.abs() > HALF && step.abs() < 360.0 { step.signum() } else { 0.0 }
}

/// By how much a longitude must be moved to lie in -180 to 180, 180 itself excluded.
fn home(lon: f64) -> f64 {
    -360.0 * ((lon + HALF) / 360.0).floor()
}

/// A longitude in -180 to 180, 180 itself excluded.
pub(super) fn normal(lon: f64) -> f64 {
    if (-HALF..HALF).contains(&lon) { lon } else { lon + home(lon) }
}

/// The smallest bounds around some others, on a round Earth: the widest gap between them is left
/// out. West is greater than east if what remains lies across the antimeridian.
pub(super) fn around(all: impl Iterator<Item = Bounds>) -> Option<Bounds> {
    let mut spans: Vec<(f64, f64)> = Vec::new();
    let (mut south, mut north) = (f64::INFINITY, f64::NEG_INFINITY);
    for [west, low, east, high] in all {
        // As RFC 7946 writes them, or as they are inside this crate.
        let width = if west <= east { east - west } else { east + 360.0 - west };
        spans.push((normal(west), width));
        (south, north) = (south.min(low), north.max(high));
    }
    let (west, east) = without_widest_gap(spans)?;
    Some([west, south, east, north])
}

/// West and east, in -180 to 180, of spans given by their west in -180 to 180 and their width.
fn without_widest_gap(mut spans: Vec<(f64, f64)>) -> Option<(f64, f64)> {
    spans.sort_by(|a, b| a.0.total_cmp(&b.0));
    let first = *spans.first()?;
    let mut end = first.0 + first.1;
    // (width of the gap, where it ends, where it begins)
    let mut widest = (0.0, 0.0, 0.0);
    for (west, width) in spans.iter().skip(1) {
        if *west - end > widest.0 {
            widest = (*west - end, *west, end);
        }
        end = end.max(west + width);
    }
    // The gap from the last span round to the first one; it wins if another is only as wide.
    let round = first.0 + 360.0 - end;
    if round >= widest.0 {
        if round <= 0.0 {
            return Some((-HALF, HALF));
        }
        return Some((first.0, if end > HALF { end - 360.0 } else { end }));
    }
    let (_, west, east) = widest;
    Some((west, if east > HALF { east - 360.0 } else { east }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrapped(ring: &[(f64, f64)]) -> (Vec<(f64, f64)>, Vec<Repair>) {
        let mut ring: Vec<Coord<f64>> = ring.iter().map(|(x, y)| Coord { x: *x, y: *y }).collect();
        let mut repairs = Vec::new();
        unwrap(&mut ring, &mut repairs);
        (ring.into_iter().map(|place| (place.x, place.y)).collect(), repairs)
    }

    #[test]
    fn a_ring_that_jumps_or_counts_to_360_goes_on_past_180() {
        let expected = vec![(179.0, 0.0), (181.0, 0.0), (181.0, 1.0), (179.0, 1.0)];
        for ring in [
            [(179.0, 0.0), (-179.0, 0.0), (-179.0, 1.0), (179.0, 1.0)],
            [(179.0, 0.0), (181.0, 0.0), (181.0, 1.0), (179.0, 1.0)],
            [(-181.0, 0.0), (-179.0, 0.0), (-179.0, 1.0), (-181.0, 1.0)],
        ] {
            let (got, repairs) = unwrapped(&ring);
            assert_eq!((got, repairs), (expected.clone(), vec![Repair::Antimeridian]), "{ring:?}");
        }
        let (from_east, _) = unwrapped(&[(-179.0, 0.0), (-179.0, 1.0), (179.0, 1.0), (179.0, 0.0)]);
        assert_eq!(from_east, [(181.0, 0.0), (181.0, 1.0), (179.0, 1.0), (179.0, 0.0)]);
    }

    #[test]
    fn what_touches_the_antimeridian_or_spans_the_world_stays() {
        for ring in [
            vec![(170.0, 0.0), (180.0, 0.0), (180.0, 1.0), (170.0, 1.0)],
            vec![(-180.0, 0.0), (-170.0, 0.0), (-170.0, 1.0), (-180.0, 1.0)],
            vec![(-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0)],
        ] {
            assert_eq!(unwrapped(&ring), (ring, vec![]));
        }
    }

    #[test]
    fn a_ring_around_a_pole_is_led_to_it() {
        let (ring, repairs) = unwrapped(&[(0.0, -70.0), (120.0, -71.0), (-120.0, -70.0)]);
        assert_eq!(repairs, [Repair::AroundPole]);
        let expected = [
            (0.0, -70.0),
            (120.0, -71.0),
            (240.0, -70.0),
            (360.0, -70.0),
            (360.0, -90.0),
            (0.0, -90.0),
        ];
        assert_eq!(ring, expected);
    }

    #[test]
    fn bounds_leave_out_the_widest_gap() {
        let check = |all: &[Bounds], expected: Bounds| {
            assert_eq!(around(all.iter().copied()), Some(expected), "{all:?}");
        };
        check(&[[0.0, 0.0, 1.0, 1.0], [5.0, -1.0, 6.0, 0.0]], [0.0, -1.0, 6.0, 1.0]);
        check(&[[177.0, 0.0, 180.0, 1.0], [-180.0, 0.0, -178.0, 1.0]], [177.0, 0.0, -178.0, 1.0]);
        check(&[[177.0, 0.0, 182.0, 1.0]], [177.0, 0.0, -178.0, 1.0]);
        check(&[[177.0, 0.0, -178.0, 1.0], [170.0, 0.0, 171.0, 2.0]], [170.0, 0.0, -178.0, 2.0]);
        check(&[[-180.0, -90.0, 180.0, 90.0]], [-180.0, -90.0, 180.0, 90.0]);
        check(&[[0.0, 60.0, 360.0, 90.0]], [-180.0, 60.0, 180.0, 90.0]);
        check(&[[-87.0, 41.0, -86.0, 42.0]], [-87.0, 41.0, -86.0, 42.0]);
        assert_eq!(around(std::iter::empty()), None);
    }
}
