//! `locate`: positions to zones, for 1, 100 and 100,000 zones.
//!
//! Nothing is skipped that production does: a fixed device goes through the pipeline's locator to
//! the zones that the registry looked up for it; a moving one through conversion, plausibility,
//! the check of its speed and the zone index. 10,000 devices of each sort report in turn, the
//! moving ones from 60 metres further on each time. The zones fill a degree with irregular
//! borders that neighbours share, 16 corners each. All figures are by second of processor time, of
//! one thread.
//!
//! Beside them the bare index, asked for places all over the city in no order: what the caches
//! cannot help with. Baseline: a scan over all polygons, bounding boxes first, by the even-odd
//! rule; it must find what the index finds.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use city_geo::{ZoneIndex, ZoneOptions};
use city_model::{Catalogue, Crs, DeclaredPosition, Device, Position, Span, Timestamp};
use city_pipeline::Locator;
use city_quality::LocationChecks;
use city_registry::{DeviceEntry, Registry, Seed};
use city_store::{Memory, SharedStore, StateDb};

use super::{Figure, Report, Samples, Scale, cpu_seconds};

const DEVICES: usize = 10_000;

/// Corners on a side of a zone.
const STEPS: usize = 4;

/// How far a moving device gets between two reports: about 60 metres, at 12 m/s.
const STRIDE_DEG: f64 = 0.000_6;
const INTERVAL: Span = Span::from_secs(5);

/// The city's south-west corner; it is a degree wide and high.
const HOME: (f64, f64) = (9.5, 55.5);

/// One number of zones, with the names of its figures.
struct Case {
    columns: usize,
    rows: usize,
    fixed: &'static str,
    moving: &'static str,
    anywhere: &'static str,
    linear: &'static str,
    /// Points that the scan gets.
    scanned: usize,
}

static CASES: &[Case] = &[
    Case {
        columns: 1,
        rows: 1,
        fixed: "fixed_points_per_s_1",
        moving: "moving_points_per_s_1",
        anywhere: "anywhere_points_per_s_1",
        linear: "linear_scan_per_s_1",
        scanned: 1_000_000,
    },
    Case {
        columns: 10,
        rows: 10,
        fixed: "fixed_points_per_s_100",
        moving: "moving_points_per_s_100",
        anywhere: "anywhere_points_per_s_100",
        linear: "linear_scan_per_s_100",
        scanned: 300_000,
    },
    Case {
        columns: 400,
        rows: 250,
        fixed: "fixed_points_per_s_100k",
        moving: "moving_points_per_s_100k",
        anywhere: "anywhere_points_per_s_100k",
        linear: "linear_scan_per_s_100k",
        scanned: 20_000,
    },
];

pub(super) fn run(scale: Scale) -> anyhow::Result<Report> {
    let (runs, points) = if scale == Scale::Quick { (1, 500_000) } else { (5, 5_000_000) };
    let mut samples = Samples::default();
    let mut notes = Vec::new();
    for case in CASES {
        let zones = case.columns * case.rows;
        eprintln!("{zones} zones: reading");
        let city = City::new(case)?;
        let megabytes = city.registry.zones().bytes() as f64 / 1e6;
        notes.push(format!("{zones} zones, {megabytes:.1} MB"));
        for run in 1..=runs {
            eprintln!("{zones} zones: run {run} of {runs}");
            samples.add(case.fixed, city.fixed(points * 10));
            samples.add(case.moving, city.moving(points)?);
            samples.add(case.anywhere, city.anywhere(points));
            samples.add(case.linear, city.linear(case.scanned)?);
        }
    }
    let figures = CASES.iter().zip(&notes).flat_map(|(case, note)| {
        [
            samples.figure(case.fixed, "1/s", Some(case.linear), note),
            samples.figure(case.moving, "1/s", Some(case.linear), ""),
            samples.figure(case.anywhere, "1/s", Some(case.linear), "the index alone"),
            samples.figure(case.linear, "1/s", None, ""),
        ]
    });
    let figures: Vec<Figure> = figures.collect();
    Ok(Report::new("locate", runs, figures))
}

struct City {
    registry: Registry,
    /// The exterior of each zone with its bounds, for the scan.
    rings: Vec<([f64; 4], Vec<[f64; 2]>)>,
}

impl City {
    fn new(case: &Case) -> anyhow::Result<Self> {
        let rings: Vec<Vec<[f64; 2]>> = (0..case.columns * case.rows)
            .map(|zone| ring(zone % case.columns, zone / case.columns, case.columns, case.rows))
            .collect();
        let features: Vec<serde_json::Value> = rings
            .iter()
            .enumerate()
            .map(|(zone, ring)| {
                serde_json::json!({ "type": "Feature", "properties": { "name": zone },
                    "geometry": { "type": "Polygon", "coordinates": [ring] } })
            })
            .collect();
        let text = serde_json::json!({ "type": "FeatureCollection", "features": features });
        let options = ZoneOptions { layer: "block".to_owned(), ..ZoneOptions::default() };
        let loaded = ZoneIndex::from_geojson(&text.to_string(), &options)?;
        ensure!(loaded.problems.is_empty() && loaded.repairs.is_empty(), "the zones are valid");
        let seed =
            Seed { catalogue: Catalogue::embedded(), zones: loaded.index, ..Seed::default() };
        let registry = Registry::open(Arc::new(StateDb::in_memory()?), seed)?;
        let mut devices = Vec::with_capacity(2 * DEVICES);
        for number in 0..DEVICES {
            let place = anywhere(number);
            let mut fixed =
                DeviceEntry::unknown(&format!("fixed-{number}"), "air_station", "bench", true);
            fixed.position =
                Some(DeclaredPosition { lon: place.lon, lat: place.lat, crs: Crs::Wgs84 });
            let mut moving = DeviceEntry::unknown(&format!("bus-{number}"), "bus", "bench", true);
            moving.moving = Some(true);
            devices.extend([fixed, moving]);
        }
        registry.import(&devices)?;
        let bounded = |ring: Vec<[f64; 2]>| {
            let bounds = ring.iter().fold(
                [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY],
                |[w, s, e, n], [x, y]| [w.min(*x), s.min(*y), e.max(*x), n.max(*y)],
            );
            (bounds, ring)
        };
        Ok(Self { registry, rings: rings.into_iter().map(bounded).collect() })
    }

    fn locator(&self) -> Locator {
        let store: SharedStore = Arc::new(Memory::new());
        let index = self.registry.zones();
        let bounds = index.bounds();
        Locator::new(index, bounds, &store, &LocationChecks::default())
    }

    fn devices(&self, moving: bool) -> Vec<Arc<Device>> {
        let directory = self.registry.directory();
        let prefix = if moving { "bus-" } else { "fixed-" };
        directory.devices().filter(|device| device.id.starts_with(prefix)).cloned().collect()
    }

    /// Points a second of devices that stand still.
    fn fixed(&self, points: usize) -> f64 {
        let (mut locator, devices) = (self.locator(), self.devices(false));
        let start = Timestamp::from_secs(1_790_000_000);
        let started = cpu_seconds();
        for point in 0..points {
            let device = &devices[point % DEVICES];
            let time = start + Span::from_secs((point / DEVICES) as i64 * 5);
            black_box(locator.locate(device, None, Crs::Wgs84, time));
        }
        points as f64 / (cpu_seconds() - started)
    }

    /// Points a second of devices that move.
    fn moving(&self, points: usize) -> anyhow::Result<f64> {
        let (mut locator, devices) = (self.locator(), self.devices(true));
        let rounds = points.div_ceil(DEVICES);
        let places: Vec<(f64, f64)> =
            (0..rounds * DEVICES).map(|point| drive(point % DEVICES, point / DEVICES)).collect();
        let mut time = Timestamp::from_secs(1_790_000_000);
        let mut bad = 0;
        let started = cpu_seconds();
        for places in places.chunks(DEVICES) {
            time = time + INTERVAL;
            for (device, place) in devices.iter().zip(places) {
                let located = black_box(locator.locate(device, Some(*place), Crs::Wgs84, time));
                bad += usize::from(located.bad || located.zones.is_empty());
            }
        }
        let took = cpu_seconds() - started;
        // At the very edge a place may lie outside.
        ensure!(bad < points / 100, "{bad} of {points} positions lie nowhere");
        Ok(places.len() as f64 / took)
    }

    /// Points a second of the index alone, all over the city.
    fn anywhere(&self, points: usize) -> f64 {
        let index = self.registry.zones();
        let places: Vec<Position> = (0..points).map(anywhere).collect();
        let started = cpu_seconds();
        for place in places {
            black_box(index.locate(black_box(place)));
        }
        points as f64 / (cpu_seconds() - started)
    }

    /// Points a second of a scan over all polygons.
    fn linear(&self, points: usize) -> anyhow::Result<f64> {
        let mut found = Vec::with_capacity(points);
        let started = cpu_seconds();
        for place in (0..points).map(anywhere) {
            let Position { lon, lat } = black_box(place);
            let holds = self.rings.iter().position(|([w, s, e, n], ring)| {
                *w <= lon && lon <= *e && *s <= lat && lat <= *n && inside(ring, lon, lat)
            });
            found.push(holds);
        }
        let took = cpu_seconds() - started;
        let index = self.registry.zones();
        for (number, found) in found.into_iter().enumerate() {
            let set = index.locate(anywhere(number));
            let zone = set.first().map(|key| index.zone(*key).context("a zone")).transpose()?;
            let expected = found.map(|zone| zone.to_string());
            ensure!(
                zone.map(|zone| zone.id.to_string()) == expected,
                "place {number}: the index says {zone:?}, the scan {expected:?}"
            );
        }
        Ok(points as f64 / took)
    }
}

/// A place in the city; the steps of the plastic number cover it evenly and never come again.
fn anywhere(number: usize) -> Position {
    let part = |step: f64| 0.002 + 0.996 * (number as f64 * step).fract();
    Position {
        lon: HOME.0 + part(0.754_877_666_246_692_7),
        lat: HOME.1 + part(0.569_840_290_998_053_2),
    }
}

/// Where a bus is in a round: to and fro over a fifth of a degree, each on a line of its own.
fn drive(bus: usize, round: usize) -> (f64, f64) {
    let home = anywhere(bus);
    let leg = 300;
    let along = (round + bus * 7) % (2 * leg);
    let gone = along.min(2 * leg - along) as f64 * STRIDE_DEG;
    let (sin, cos) = (bus as f64).sin_cos();
    let turn = |at: f64, low: f64, step: f64| {
        let there = at - low + step;
        // Reflected at the edge of the city.
        low + if there < 0.002 {
            0.004 - there
        } else if there > 0.998 {
            1.996 - there
        } else {
            there
        }
    };
    (turn(home.lon, HOME.0, gone * cos), turn(home.lat, HOME.1, gone * sin))
}

/// The corners of a zone, closed; the corners between two zones are the same for both.
fn ring(column: usize, row: usize, columns: usize, rows: usize) -> Vec<[f64; 2]> {
    let (west, south) = (column * STEPS, row * STEPS);
    let (east, north) = (west + STEPS, south + STEPS);
    let corner = |x: usize, y: usize| {
        // The frame of the city stays straight; everything else is moved by up to a third of a step.
        let moved = |seed: usize, at: usize, of: usize| {
            let inside = at > 0 && at < of * STEPS;
            let noise = (seed as f64 * 0.618_033_988_749_895).fract() - 0.5;
            if inside { noise * 0.66 } else { 0.0 }
        };
        let seed = x.wrapping_mul(7_919) ^ y.wrapping_mul(104_729);
        [
            HOME.0 + (x as f64 + moved(seed, x, columns)) / (columns * STEPS) as f64,
            HOME.1 + (y as f64 + moved(seed + 1, y, rows)) / (rows * STEPS) as f64,
        ]
    };
    let mut ring: Vec<[f64; 2]> = (west..east).map(|x| corner(x, south)).collect();
    ring.extend((south..north).map(|y| corner(east, y)));
    ring.extend((west + 1..=east).rev().map(|x| corner(x, north)));
    ring.extend((south + 1..=north).rev().map(|y| corner(west, y)));
    ring.push(corner(west, south));
    ring
}

/// The even-odd rule, edge by edge.
fn inside(ring: &[[f64; 2]], lon: f64, lat: f64) -> bool {
    let crosses = |pair: &[[f64; 2]]| {
        let ([ax, ay], [bx, by]) = (pair[0], pair[1]);
        (ay > lat) != (by > lat) && lon < (bx - ax) * (lat - ay) / (by - ay) + ax
    };
    ring.windows(2).filter(|pair| crosses(pair)).count() % 2 == 1
}
