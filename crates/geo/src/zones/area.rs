//! One polygon, prepared so that asking for a point looks at a handful of its edges.
//!
//! The edges are sorted into bands of latitude; a point's ray to the east meets only edges of the
//! point's band. Holes need no treatment of their own: the ray crosses their edges too.
//!
//! **Boundary rule.** A point on a western or southern boundary lies inside, on an eastern or
//! northern one outside. Each edge is computed from its southern end whatever its direction in
//! the ring, so two polygons that share an edge decide alike, rounding included: a point on a
//! boundary between neighbours belongs to exactly one of them.

use geo::{Coord, CoordsIter, LinesIter, Polygon};

use super::core_box::{CoreBox, Cores};
use super::tree::FAN;

/// A band holds about this many edges that begin in it, besides those that pass through.
const EDGES_PER_BAND: usize = 4;

/// Up to this many edges are one band: looking at all of them costs less than finding the band.
const EDGES_OF_ONE_BAND: usize = 24;

/// In how many latitudes a place for the label is looked for.
const LABEL_SCANS: usize = 9;

/// An edge between two latitudes; level edges meet no ray and are left out.
#[derive(Clone, Copy, Debug)]
struct Edge {
    south: f64,
    north: f64,
    /// Longitude at `south`.
    lon: f64,
    /// Degrees east per degree north.
    slope: f64,
}

impl Edge {
    fn new(a: Coord<f64>, b: Coord<f64>) -> Option<Self> {
        let (low, high) = if a.y < b.y { (a, b) } else { (b, a) };
        (low.y < high.y).then(|| Self {
            south: low.y,
            north: high.y,
            lon: low.x,
            slope: (high.x - low.x) / (high.y - low.y),
        })
    }

    fn spans(&self, lat: f64) -> bool {
        self.south <= lat && lat < self.north
    }

    fn lon_at(&self, lat: f64) -> f64 {
        self.lon + (lat - self.south) * self.slope
    }
}

/// A polygon with its holes.
#[derive(Clone, Debug)]
pub(super) struct Area {
    /// West, south, east, north in degrees.
    bounds: [f64; 4],
    bands_per_degree: f64,
    /// A box strictly inside: whatever lies in it needs no look at the edges.
    core: CoreBox,
    /// The edges of band `i` are `edges[starts[i]..starts[i + 1]]`.
    starts: Vec<u32>,
    edges: Vec<Edge>,
    levels: Vec<Level>,
}

/// An edge along a latitude.
#[derive(Clone, Copy, Debug)]
struct Level {
    lat: f64,
    west: f64,
    east: f64,
}

impl Area {
    /// Prepares a polygon with finite coordinates; `None` if it has no extent in latitude or
    /// longitude.
    pub(super) fn new(polygon: &Polygon<f64>) -> Option<Self> {
        let bounds = bounds_of(polygon.exterior().coords_iter())?;
        let [west, south, east, north] = bounds;
        if west >= east || south >= north {
            return None;
        }
        let edges: Vec<Edge> =
            polygon.lines_iter().filter_map(|line| Edge::new(line.start, line.end)).collect();
        let bands = band_count(&edges, north - south);
        let mut levels: Vec<Level> = polygon
            .lines_iter()
            .filter(|line| line.start.y == line.end.y)
            .map(|line| Level {
                lat: line.start.y,
                west: line.start.x.min(line.end.x),
                east: line.start.x.max(line.end.x),
            })
            .collect();
        levels.sort_by(|a, b| a.lat.total_cmp(&b.lat));
        let mut area = Self {
            bounds,
            bands_per_degree: bands as f64 / (north - south),
            core: CoreBox::NOTHING,
            starts: vec![0; bands + 1],
            edges: Vec::new(),
            levels,
        };
        area.sort_into_bands(&edges);
        area.core = area.label().map_or(CoreBox::NOTHING, |widest| CoreBox::grow(polygon, widest));
        Some(area)
    }

    /// West, south, east, north in degrees.
    pub(super) fn bounds(&self) -> [f64; 4] {
        self.bounds
    }

    /// Whether these bounds lie within the area's own.
    pub(super) fn bounds_hold(&self, [west, south, east, north]: [f64; 4]) -> bool {
        self.bounds[0] <= west
            && self.bounds[1] <= south
            && east <= self.bounds[2]
            && north <= self.bounds[3]
    }

    /// Whether any edge passes through a box or touches it.
    pub(super) fn has_edge_in(&self, [west, south, east, north]: [f64; 4]) -> bool {
        let after = self.levels.partition_point(|level| level.lat < south);
        let mut levels = self.levels[after..].iter().take_while(|level| level.lat <= north);
        if levels.any(|level| level.west <= east && west <= level.east) {
            return true;
        }
        let bands = self.starts[self.band(south)]..self.starts[self.band(north) + 1];
        self.edges[bands.start as usize..bands.end as usize].iter().any(|edge| {
            let (low, high) = (south.max(edge.south), north.min(edge.north));
            let (a, b) = (edge.lon_at(low), edge.lon_at(high));
            low <= high && a.min(b) <= east && west <= a.max(b)
        })
    }

    /// Whether the point lies inside, by the boundary rule.
    pub(super) fn contains(&self, lon: f64, lat: f64) -> bool {
        is_inside(self.band_edges(lat), lon, lat)
    }

    /// A point inside for a label, with the width in degrees of what surrounds it: the middle of
    /// the widest stretch in a few latitudes. `None` only for slivers too thin for any of them.
    pub(super) fn label(&self) -> Option<(Coord<f64>, f64)> {
        let [_, south, _, north] = self.bounds;
        let mut best: Option<(Coord<f64>, f64)> = None;
        for scan in 1..=LABEL_SCANS {
            let lat = south + (north - south) * scan as f64 / (LABEL_SCANS + 1) as f64;
            let mut crossings: Vec<f64> = self
                .band_edges(lat)
                .iter()
                .filter(|edge| edge.spans(lat))
                .map(|edge| edge.lon_at(lat))
                .collect();
            crossings.sort_by(f64::total_cmp);
            for pair in crossings.chunks_exact(2) {
                let (width, middle) = (pair[1] - pair[0], f64::midpoint(pair[0], pair[1]));
                let wider = best.is_none_or(|(_, widest)| width > widest);
                if wider && self.contains(middle, lat) {
                    best = Some((Coord { x: middle, y: lat }, width));
                }
            }
        }
        best
    }

    /// The band of a latitude within the bounds. It never decreases as the latitude increases, so
    /// an edge that spans a latitude is always found in that latitude's band.
    fn band(&self, lat: f64) -> usize {
        band_of(lat, self.bounds[1], self.bands_per_degree, self.starts.len() - 1)
    }

    fn band_edges(&self, lat: f64) -> &[Edge] {
        let band = self.band(lat);
        &self.edges[self.starts[band] as usize..self.starts[band + 1] as usize]
    }

    /// Counting sort: sizes, then starts, then the edges to their places.
    fn sort_into_bands(&mut self, edges: &[Edge]) {
        for edge in edges {
            for band in self.band(edge.south)..=self.band(edge.north) {
                self.starts[band + 1] += 1;
            }
        }
        for band in 1..self.starts.len() {
            self.starts[band] += self.starts[band - 1];
        }
        let Some(&first) = edges.first() else { return };
        let mut next = self.starts.clone();
        self.edges = vec![first; self.starts.last().map_or(0, |&total| total as usize)];
        for edge in edges {
            for place in &mut next[self.band(edge.south)..=self.band(edge.north)] {
                self.edges[*place as usize] = *edge;
                *place += 1;
            }
        }
    }
}

/// As many bands as give each a few edges, unless long edges that pass through many bands would
/// make that more than about five times the memory of the edges.
fn band_count(edges: &[Edge], height: f64) -> usize {
    let travel: f64 = edges.iter().map(|edge| edge.north - edge.south).sum();
    let affordable = 4.0 * edges.len() as f64 * height / travel;
    if edges.len() <= EDGES_OF_ONE_BAND {
        return 1;
    }
    (edges.len() / EDGES_PER_BAND).min(affordable as usize).max(1)
}

/// The band of a latitude, of as many as there are from `south` upward.
fn band_of(lat: f64, south: f64, bands_per_degree: f64, bands: usize) -> usize {
    (((lat - south) * bands_per_degree) as usize).min(bands - 1)
}

/// Whether a ray to the east crosses an odd number of these edges.
fn is_inside(edges: &[Edge], lon: f64, lat: f64) -> bool {
    let mut inside = false;
    for edge in edges {
        inside ^= edge.spans(lat) & (lon < edge.lon_at(lat));
    }
    inside
}

/// What is looked at first of a packed area: most often it is enough.
#[derive(Clone, Copy, Debug)]
struct Head {
    core: CoreBox,
    south: f64,
    bands_per_degree: f64,
    bands: u32,
    /// With one band the first of its edges, otherwise the first of its places in `starts`.
    start: u32,
    /// With one band, how many edges it has.
    edges: u16,
    company: Company,
    owner: u32,
}

/// Which other areas there are where an area's core is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Company {
    /// Any: a border may pass through the core.
    #[default]
    Unknown,
    /// All of the core lies in the same areas.
    Same,
    /// None: whatever lies in the core lies in this area only.
    Alone,
}

/// Many areas, packed: neighbours in memory are neighbours on the map.
#[derive(Debug, Default)]
pub(super) struct Areas {
    heads: Vec<Head>,
    /// For areas of several bands, where each band starts in `edges`, and where the last ends.
    starts: Vec<u32>,
    edges: Vec<Edge>,
    /// The cores in which an area is alone; by leaf of the tree.
    cores: Vec<Cores>,
}

impl Areas {
    /// Adds an area that belongs to `owner`.
    pub(super) fn push(&mut self, area: &Area, owner: u32) {
        let (bands, first) = (area.starts.len() - 1, self.edges.len() as u32);
        let start = if bands == 1 { first } else { self.starts.len() as u32 };
        if bands > 1 {
            self.starts.extend(area.starts.iter().map(|start| first + start));
        }
        self.heads.push(Head {
            core: area.core,
            south: area.bounds[1],
            bands_per_degree: area.bands_per_degree,
            bands: bands as u32,
            start,
            // Areas with more have more bands.
            edges: area.edges.len().min(usize::from(u16::MAX)) as u16,
            company: Company::default(),
            owner,
        });
        self.edges.extend_from_slice(&area.edges);
    }

    /// A box inside an area, if there is one.
    pub(super) fn core(&self, area: usize) -> CoreBox {
        self.heads[area].core
    }

    /// Says which other areas there are where an area's core is.
    pub(super) fn set_company(&mut self, area: usize, company: Company) {
        self.heads[area].company = company;
        if company == Company::Alone {
            self.cores.resize(self.heads.len().div_ceil(FAN), Cores::NOTHING);
            let Head { core, owner, .. } = self.heads[area];
            self.cores[area / FAN].set(area % FAN, core, owner);
        }
    }

    /// The owner of an area of a leaf, if the point lies in a core where it is alone.
    pub(super) fn alone_at(&self, leaf: usize, lon: f64, lat: f64) -> Option<(u32, CoreBox)> {
        self.cores.get(leaf)?.at(lon, lat)
    }

    /// The owner of an area, if the point lies inside, by the boundary rule; `settled` becomes its
    /// core if the point lies there and all of the core lies in the same areas.
    pub(super) fn owner_at(
        &self,
        area: usize,
        lon: f64,
        lat: f64,
        settled: &mut CoreBox,
    ) -> Option<u32> {
        let head = &self.heads[area];
        if head.core.holds(lon, lat) {
            if head.company != Company::Unknown {
                *settled = head.core;
            }
            return Some(head.owner);
        }
        let start = head.start as usize;
        let edges = if head.bands == 1 {
            &self.edges[start..start + usize::from(head.edges)]
        } else {
            let band = band_of(lat, head.south, head.bands_per_degree, head.bands as usize);
            let starts = &self.starts[start + band..start + band + 2];
            &self.edges[starts[0] as usize..starts[1] as usize]
        };
        is_inside(edges, lon, lat).then_some(head.owner)
    }

    /// Gives every area the owner that `of` says.
    pub(super) fn change_owners(&mut self, of: impl Fn(u32) -> u32) {
        for head in &mut self.heads {
            head.owner = of(head.owner);
        }
        // Where no area is alone there is no owner either.
        let cores = self.cores.iter_mut().zip(self.heads.chunks(FAN));
        for (cores, heads) in cores {
            for (owner, head) in cores.owners_mut().iter_mut().zip(heads) {
                *owner = head.owner;
            }
        }
    }

    /// Gives back what was reserved too much.
    pub(super) fn shrink(&mut self) {
        self.heads.shrink_to_fit();
        self.starts.shrink_to_fit();
        self.edges.shrink_to_fit();
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.heads.capacity() * size_of::<Head>()
            + self.starts.capacity() * size_of::<u32>()
            + self.edges.capacity() * size_of::<Edge>()
            + self.cores.capacity() * size_of::<Cores>()
    }
}

/// West, south, east, north of some coordinates, none of them across the antimeridian.
pub(super) fn bounds_of(coords: impl Iterator<Item = Coord<f64>>) -> Option<[f64; 4]> {
    coords.map(|c| [c.x, c.y, c.x, c.y]).reduce(union)
}

/// The smallest bounds around two.
pub(super) fn union(a: [f64; 4], b: [f64; 4]) -> [f64; 4] {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
}

#[cfg(test)]
mod tests {
    use geo::{LineString, polygon};
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    fn area(polygon: &Polygon<f64>) -> Area {
        Area::new(polygon).expect("has an extent")
    }

    /// A ragged star with `n` corners around a point.
    fn star(n: usize, x: f64, y: f64) -> Polygon<f64> {
        let corner = |i: usize| {
            let angle = i as f64 / n as f64 * std::f64::consts::TAU;
            let radius = 1.0 + 0.5 * (i * 7919 % 101) as f64 / 101.0;
            (x + radius * angle.cos(), y + radius * angle.sin())
        };
        Polygon::new((0..n).map(corner).collect::<LineString<f64>>(), vec![])
    }

    /// Even-odd over every edge, written down afresh.
    fn contains_slowly(polygon: &Polygon<f64>, lon: f64, lat: f64) -> bool {
        let crossed = polygon.lines_iter().filter(|line| {
            let (a, b) = (line.start, line.end);
            (a.y > lat) != (b.y > lat) && lon < (b.x - a.x) * (lat - a.y) / (b.y - a.y) + a.x
        });
        crossed.count() % 2 == 1
    }

    #[test]
    fn the_boundary_belongs_to_the_west_and_the_south() {
        let square =
            area(&polygon![(x: 0., y: 0.), (x: 1., y: 0.), (x: 1., y: 1.), (x: 0., y: 1.)]);
        for (lon, lat, inside) in [
            (0.5, 0.5, true),
            (0.0, 0.5, true),  // west
            (0.5, 0.0, true),  // south
            (1.0, 0.5, false), // east
            (0.5, 1.0, false), // north
            (0.0, 0.0, true),
            (1.0, 0.0, false),
            (0.0, 1.0, false),
            (1.0, 1.0, false),
            (-0.1, 0.5, false),
            (0.5, -7.0, false),
            (0.5, 7.0, false),
            (f64::NAN, 0.5, false),
            (0.5, f64::NAN, false),
        ] {
            assert_eq!(square.contains(lon, lat), inside, "{lon} {lat}");
        }
    }

    #[test]
    fn holes_are_outside_and_islands_in_them_can_be_zones_of_their_own() {
        let ring = area(&polygon!(
            exterior: [(x: 0., y: 0.), (x: 9., y: 0.), (x: 9., y: 9.), (x: 0., y: 9.)],
            interiors: [[(x: 3., y: 3.), (x: 6., y: 3.), (x: 6., y: 6.), (x: 3., y: 6.)]],
        ));
        let island =
            area(&polygon![(x: 3., y: 3.), (x: 6., y: 3.), (x: 6., y: 6.), (x: 3., y: 6.)]);
        for tenth in 0..90 {
            let (lon, lat) = (f64::from(tenth) / 10.0, 4.5);
            assert!(ring.contains(lon, lat) ^ island.contains(lon, lat), "{lon}");
        }
        let (label, width) = ring.label().expect("has room");
        assert!(ring.contains(label.x, label.y));
        assert!((width - 9.0).abs() < 1e-9, "the full width beside the hole, not {width}");
    }

    #[test]
    fn a_band_holds_few_edges_and_copies_stay_bounded() {
        let coast = |i: i32| {
            let angle = f64::from(i) / 20_000.0 * std::f64::consts::TAU;
            let radius = 1.0 + 0.2 * (9.0 * angle).sin() + 0.02 * (211.0 * angle).sin();
            (radius * angle.cos(), radius * angle.sin())
        };
        let coast = (0..20_000).map(coast).collect::<LineString<f64>>();
        let coast = area(&Polygon::new(coast, vec![]));
        let most = coast.starts.windows(2).map(|w| w[1] - w[0]).max().expect("bands");
        assert!(most < 100, "{most} of 20,000 edges in one band");
        let comb: LineString<f64> = (0..2_000)
            .map(|i| (f64::from(i), if i % 2 == 0 { 0.0 } else { 1.0 }))
            .chain([(2_000.0, -1.0)])
            .collect();
        let comb = area(&Polygon::new(comb, vec![]));
        assert!(comb.edges.len() < 7 * 2_000, "{} copies", comb.edges.len());
        assert!(comb.contains(0.5, 0.4) && !comb.contains(0.5, 0.6));
    }

    #[test]
    fn what_has_no_extent_is_no_area() {
        let line = Polygon::new(LineString::from(vec![(0., 0.), (1., 0.), (0., 0.)]), vec![]);
        assert!(Area::new(&line).is_none());
        assert!(Area::new(&Polygon::new(LineString::new(vec![]), vec![])).is_none());
    }

    proptest! {
        // The same cases every time; PROPTEST_CASES asks for more.
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn bands_change_no_answer(
            n in 3..400_usize,
            points in prop::collection::vec((-1.6..1.6_f64, -1.6..1.6_f64), 50),
        ) {
            let polygon = star(n, 0.0, 0.0);
            let prepared = area(&polygon);
            let mut packed = Areas::default();
            packed.push(&area(&star(30, 5.0, 5.0)), 7);
            packed.push(&prepared, 9);
            for (lon, lat) in points {
                let expected = contains_slowly(&polygon, lon, lat);
                prop_assert_eq!(prepared.contains(lon, lat), expected);
                let owner = packed.owner_at(1, lon, lat, &mut CoreBox::NOTHING.clone());
                prop_assert_eq!(owner, expected.then_some(9));
            }
        }

        // Triangles around a common corner tile a quadrilateral: every point of it, the inner
        // edges included, belongs to exactly one.
        #[test]
        fn neighbours_share_no_point_and_leave_none_out(
            centre in (0.2..0.8_f64, 0.2..0.8_f64),
            along in 0.0..=1.0_f64,
            corner in 0..4_usize,
        ) {
            let corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
            let triangles: Vec<Area> = (0..4)
                .map(|i| {
                    // Alternate the direction, as files do.
                    let mut ring = vec![corners[i], corners[(i + 1) % 4], centre];
                    if i % 2 == 0 {
                        ring.reverse();
                    }
                    area(&Polygon::new(LineString::from(ring), vec![]))
                })
                .collect();
            let (from, to) = (corners[corner], centre);
            let lon = from.0 + (to.0 - from.0) * along;
            let lat = from.1 + (to.1 - from.1) * along;
            let owners = triangles.iter().filter(|t| t.contains(lon, lat)).count();
            let in_square = lon < 1.0 && lat < 1.0;
            prop_assert_eq!(owners, usize::from(in_square), "{} {}", lon, lat);
        }
    }
}
