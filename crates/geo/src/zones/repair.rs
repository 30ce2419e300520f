//! Mends polygons that are not valid (OGC simple features), or says that nothing is left of them.
//!
//! What is valid goes through untouched, corner by corner, so that neighbours keep the borders
//! that they share; spikes are cut off without touching the other corners. What crosses itself is mended by the even-odd rule, holes are subtracted; the
//! corners of such a zone move by up to a ten-millionth of its extent.

use std::collections::BTreeSet;
use std::fmt;

use geo::kernels::{Kernel, Orientation, RobustKernel};
use geo::line_intersection::{LineIntersection, line_intersection};
use geo::{BooleanOps, Coord, Line, LineString, MultiPolygon, Polygon};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use super::area::{Area, bounds_of};
use super::meridian;

/// Up to this many edges every pair is looked at; above, a tree finds the pairs.
const FEW_EDGES: usize = 48;

/// Something in the geometry of a feature that was mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    /// A ring did not end where it began.
    Unclosed,
    /// Positions came twice in a row.
    Repeated,
    /// A ring went out and came back the same way.
    Spike,
    /// A ring crossed itself.
    SelfIntersection,
    /// A hole lay outside, crossed the border or another hole.
    Hole,
    /// A ring or a part enclosed nothing.
    Collapsed,
    /// A ring crossed the antimeridian in one piece (RFC 7946, section 3.1.9, wants two).
    Antimeridian,
    /// A ring wound around a pole without reaching it.
    AroundPole,
}

impl Repair {
    /// Whether the zone encloses something else than the file says, or may: worth a warning.
    pub fn changes_shape(self) -> bool {
        match self {
            Self::SelfIntersection | Self::Hole | Self::Collapsed | Self::AroundPole => true,
            Self::Unclosed | Self::Repeated | Self::Spike | Self::Antimeridian => false,
        }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unclosed => "a ring was closed",
            Self::Repeated => "repeated positions were dropped",
            Self::Spike => "a spike was cut off",
            Self::SelfIntersection => "a ring that crosses itself was split",
            Self::Hole => "a hole that is not inside was subtracted",
            Self::Collapsed => "a ring or part without area was dropped",
            Self::Antimeridian => "a ring across the antimeridian was continued past 180 degrees",
            Self::AroundPole => "a ring around a pole was led to the pole",
        })
    }
}

/// Mends a polygon, given as rings of positions in degrees, exterior first. What comes back
/// encloses something; there may be several polygons, or none.
pub(super) fn mend(rings: Vec<Vec<Coord<f64>>>, repairs: &mut Vec<Repair>) -> Vec<Polygon<f64>> {
    let mut rings = rings.into_iter();
    let Some(exterior) = rings.next().and_then(|ring| open(ring, repairs)) else {
        repairs.push(Repair::Collapsed);
        return Vec::new();
    };
    let Some(bounds) = bounds_of(exterior.iter().copied()) else { return Vec::new() };
    let mut holes = Vec::new();
    for hole in rings {
        match open(hole, repairs) {
            Some(mut hole) => {
                meridian::follow(&mut hole, bounds);
                holes.push(closed(hole));
            }
            None => repairs.push(Repair::Collapsed),
        }
    }
    let polygon = Polygon::new(closed(exterior), holes);
    let found = faults(&polygon);
    let polygons = if found.is_empty() { vec![polygon] } else { overlaid(&polygon) };
    repairs.extend(found);
    let before = polygons.len();
    let kept: Vec<Polygon<f64>> =
        polygons.into_iter().filter(|polygon| Area::new(polygon).is_some()).collect();
    if kept.len() < before || kept.is_empty() {
        repairs.push(Repair::Collapsed);
    }
    kept
}

/// The ring without its repeated end and repeated positions, unwrapped; `None` if fewer than
/// three positions are left.
fn open(mut ring: Vec<Coord<f64>>, repairs: &mut Vec<Repair>) -> Option<Vec<Coord<f64>>> {
    if ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    } else {
        repairs.push(Repair::Unclosed);
    }
    let before = ring.len();
    ring.dedup();
    while ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    if ring.len() < before {
        repairs.push(Repair::Repeated);
    }
    if ring.len() < 3 {
        return None;
    }
    meridian::unwrap(&mut ring, repairs);
    let before = ring.len();
    cut_spikes(&mut ring);
    if ring.len() < before {
        repairs.push(Repair::Spike);
    }
    (ring.len() >= 3).then_some(ring)
}

/// Drops the corners at which an open ring turns back on itself. The other corners stay what they
/// are.
fn cut_spikes(ring: &mut Vec<Coord<f64>>) {
    let mut kept: Vec<Coord<f64>> = Vec::with_capacity(ring.len());
    for place in ring.drain(..) {
        while let [.., before, tip] = kept.as_slice()
            && turns_back(*before, *tip, place)
        {
            kept.pop();
        }
        if kept.last() != Some(&place) {
            kept.push(place);
        }
    }
    // The same where the ring closes.
    while let [first, second, .., before, last] = *kept.as_slice() {
        if last == first || turns_back(before, last, first) {
            kept.pop();
        } else if turns_back(last, first, second) {
            kept.remove(0);
        } else {
            break;
        }
    }
    *ring = kept;
}

/// Whether the way from `a` to `b` goes on to `c` exactly backwards.
fn turns_back(a: Coord<f64>, b: Coord<f64>, c: Coord<f64>) -> bool {
    let backwards = (b.x - a.x) * (c.x - b.x) + (b.y - a.y) * (c.y - b.y) < 0.0;
    backwards && RobustKernel::orient2d(a, b, c) == Orientation::Collinear
}

fn closed(mut ring: Vec<Coord<f64>>) -> LineString<f64> {
    ring.extend(ring.first().copied());
    LineString::new(ring)
}

/// What makes a polygon invalid. Rings that touch in single points do no harm and are left alone.
fn faults(polygon: &Polygon<f64>) -> Vec<Repair> {
    let mut found = BTreeSet::new();
    let edges = edges(polygon);
    each_close_pair(&edges, |a, b| {
        if let Some(fault) = fault(&edges[a], &edges[b]) {
            found.insert(fault);
        }
    });
    if !polygon.interiors().is_empty() && !holes_are_inside(polygon) {
        found.insert(Repair::Hole);
    }
    found.into_iter().collect()
}

/// An edge with its ring and its place in it.
struct RingEdge {
    line: Line<f64>,
    ring: usize,
    place: usize,
    /// How many edges the ring has.
    of: usize,
}

fn edges(polygon: &Polygon<f64>) -> Vec<RingEdge> {
    let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
    let mut edges = Vec::new();
    for (ring, line_string) in rings.enumerate() {
        let of = line_string.0.len().saturating_sub(1);
        let lines = line_string.lines().enumerate();
        edges.extend(lines.map(|(place, line)| RingEdge { line, ring, place, of }));
    }
    edges
}

/// Calls `each` with the pairs of edges whose boxes meet.
fn each_close_pair(edges: &[RingEdge], mut each: impl FnMut(usize, usize)) {
    if edges.len() <= FEW_EDGES {
        for b in 1..edges.len() {
            for a in 0..b {
                each(a, b);
            }
        }
        return;
    }
    let entries = edges.iter().enumerate().map(|(index, edge)| {
        let (from, to) = (edge.line.start, edge.line.end);
        GeomWithData::new(Rectangle::from_corners([from.x, from.y], [to.x, to.y]), index)
    });
    let tree = RTree::bulk_load(entries.collect());
    for (index, edge) in edges.iter().enumerate() {
        let (from, to) = (edge.line.start, edge.line.end);
        let box_of = AABB::from_corners([from.x, from.y], [to.x, to.y]);
        for other in tree.locate_in_envelope_intersecting(box_of) {
            if other.data < index {
                each(other.data, index);
            }
        }
    }
}

/// What is wrong between two edges, the first one earlier.
fn fault(a: &RingEdge, b: &RingEdge) -> Option<Repair> {
    let neighbours =
        a.ring == b.ring && (b.place - a.place == 1 || (a.place == 0 && b.place + 1 == b.of));
    match line_intersection(a.line, b.line)? {
        LineIntersection::SinglePoint { is_proper: true, .. } if a.ring == b.ring => {
            Some(Repair::SelfIntersection)
        }
        LineIntersection::SinglePoint { is_proper: true, .. } => Some(Repair::Hole),
        LineIntersection::SinglePoint { .. } => None,
        LineIntersection::Collinear { intersection } if intersection.start == intersection.end => {
            None
        }
        LineIntersection::Collinear { .. } if neighbours => Some(Repair::Spike),
        LineIntersection::Collinear { .. } if a.ring == b.ring => Some(Repair::SelfIntersection),
        LineIntersection::Collinear { .. } => Some(Repair::Hole),
    }
}

/// Whether every hole lies inside the exterior and outside the others, given that no edges cross.
fn holes_are_inside(polygon: &Polygon<f64>) -> bool {
    let area = |ring: &LineString<f64>| Area::new(&Polygon::new(ring.clone(), vec![]));
    let Some(exterior) = area(polygon.exterior()) else { return false };
    // Holes without area change nothing.
    let holes: Vec<Area> = polygon.interiors().iter().filter_map(area).collect();
    let inner = |hole: &Area| hole.label().map(|(place, _)| place);
    let outer = inner(&exterior);
    holes.iter().enumerate().all(|(index, hole)| {
        let Some(place) = inner(hole) else { return true };
        let in_another = holes
            .iter()
            .enumerate()
            .any(|(other, area)| other != index && area.contains(place.x, place.y));
        // An exterior inside its hole is one of the ways to be wrong.
        let around = outer.is_some_and(|outer| hole.contains(outer.x, outer.y))
            && !exterior.bounds_hold(hole.bounds());
        exterior.contains(place.x, place.y) && !in_another && !around
    })
}

/// The exterior by the even-odd rule, minus its holes.
fn overlaid(polygon: &Polygon<f64>) -> Vec<Polygon<f64>> {
    let nothing = MultiPolygon::<f64>::new(vec![]);
    let ring = |ring: &LineString<f64>| Polygon::new(ring.clone(), vec![]).union(&nothing);
    let mut whole = ring(polygon.exterior());
    for hole in polygon.interiors() {
        whole = whole.difference(&ring(hole));
    }
    whole.0
}

#[cfg(test)]
mod tests {
    use geo::Area as _;

    use super::*;

    fn ring(corners: &[(f64, f64)]) -> Vec<Coord<f64>> {
        corners.iter().map(|(x, y)| Coord { x: *x, y: *y }).collect()
    }

    fn mended(rings: &[&[(f64, f64)]]) -> (f64, usize, Vec<Repair>) {
        let mut repairs = Vec::new();
        let polygons = mend(rings.iter().map(|corners| ring(corners)).collect(), &mut repairs);
        repairs.sort_unstable();
        (polygons.iter().map(Polygon::unsigned_area).sum(), polygons.len(), repairs)
    }

    const SQUARE: [(f64, f64); 5] = [(0., 0.), (9., 0.), (9., 9.), (0., 9.), (0., 0.)];

    #[test]
    fn every_fault_is_named_and_mended() {
        use Repair::{Collapsed, Hole, Repeated, SelfIntersection, Spike, Unclosed};
        type Case<'a> = (&'a str, &'a [&'a [(f64, f64)]], f64, usize, &'a [Repair]);
        let inner: &[(f64, f64)] = &[(3., 3.), (6., 3.), (6., 6.), (3., 6.), (3., 3.)];
        let cases: &[Case<'_>] = &[
            ("valid", &[&SQUARE], 81.0, 1, &[]),
            ("valid with a hole", &[&SQUARE, inner], 72.0, 1, &[]),
            ("unclosed", &[&SQUARE[..4]], 81.0, 1, &[Unclosed]),
            (
                "repeated",
                &[&[(0., 0.), (9., 0.), (9., 0.), (9., 9.), (0., 9.), (0., 9.), (0., 0.)]],
                81.0,
                1,
                &[Repeated],
            ),
            (
                "spike",
                &[&[(0., 0.), (9., 0.), (9., 9.), (20., 9.), (9., 9.), (0., 9.), (0., 0.)]],
                81.0,
                1,
                &[Spike],
            ),
            (
                "bowtie",
                &[&[(0., 0.), (2., 2.), (2., 0.), (0., 2.), (0., 0.)]],
                2.0,
                2,
                &[SelfIntersection],
            ),
            (
                "a hole across the border is subtracted",
                &[&SQUARE, &[(6., 3.), (12., 3.), (12., 6.), (6., 6.), (6., 3.)]],
                72.0,
                1,
                &[Hole],
            ),
            (
                "a hole outside is nothing",
                &[&SQUARE, &[(10., 3.), (12., 3.), (12., 6.), (10., 6.), (10., 3.)]],
                81.0,
                1,
                &[Hole],
            ),
            (
                "a hole in a hole is hole all the same",
                &[&SQUARE, inner, &[(4., 4.), (5., 4.), (5., 5.), (4., 5.), (4., 4.)]],
                72.0,
                1,
                &[Hole],
            ),
            (
                "a hole around everything leaves nothing",
                &[inner, &SQUARE],
                0.0,
                0,
                &[Hole, Collapsed],
            ),
            ("a line", &[&[(0., 0.), (1., 1.), (2., 2.), (0., 0.)]], 0.0, 0, &[Spike, Collapsed]),
            ("two positions", &[&[(0., 0.), (1., 1.), (0., 0.)]], 0.0, 0, &[Collapsed]),
            (
                "a hole that is a line",
                &[&SQUARE, &[(1., 1.), (2., 2.), (1., 1.)]],
                81.0,
                1,
                &[Collapsed],
            ),
            ("nothing", &[&[]], 0.0, 0, &[Unclosed, Collapsed]),
        ];
        for (what, rings, area, parts, repairs) in cases {
            let (got, polygons, found) = mended(rings);
            assert_eq!((polygons, &*found), (*parts, *repairs), "{what}");
            assert!((got - area).abs() < 1e-6, "{what}: {got}");
        }
    }

    #[test]
    fn a_large_ring_that_crosses_itself_once_is_found() {
        let star: Vec<(f64, f64)> = (0..1_000)
            .map(|i| {
                let angle = f64::from(i) / 1_000.0 * std::f64::consts::TAU;
                // Two corners have changed places.
                let angle = if i == 500 { angle + 0.009 } else { angle };
                (angle.cos(), angle.sin())
            })
            .collect();
        let (area, _, repairs) = mended(&[&star]);
        assert_eq!(repairs, [Repair::Unclosed, Repair::SelfIntersection]);
        assert!((area - std::f64::consts::PI).abs() < 1e-3, "{area}");
    }

    #[test]
    fn what_is_valid_keeps_every_corner() {
        let mut repairs = Vec::new();
        let polygons = mend(vec![ring(&SQUARE)], &mut repairs);
        assert_eq!(polygons[0].exterior().0, ring(&SQUARE));
        assert!(repairs.is_empty());
    }
}
