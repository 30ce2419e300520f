//! Prints what locating a moving position costs, for real and for synthetic zones:
//! `cargo run --release -p city-geo --example locate_cost`.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

use city_geo::{ZoneIndex, ZoneOptions};
use city_model::Position;

const POINTS: usize = 1_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = ZoneOptions { layer: "zone".into(), ..ZoneOptions::default() };
    let chicago = include_str!("../testdata/boundaries/chicago_neighborhoods.geojson");
    let new_york = include_str!("../testdata/boundaries/nyc_boroughs.geojson");
    measure("Chicago", &ZoneIndex::from_geojson(chicago, &options)?.index);
    measure("New York", &ZoneIndex::from_geojson(new_york, &options)?.index);
    for side in [1, 10, 100, 316] {
        let index = ZoneIndex::from_geojson(&grid(side), &options)?.index;
        measure("grid", &index);
    }
    Ok(())
}

fn measure(name: &str, index: &ZoneIndex) {
    let Some([west, south, east, north]) = index.bounds() else { return };
    // A low-discrepancy walk (steps of the plastic number) covers the bounds evenly.
    let points: Vec<Position> = (0..POINTS)
        .map(|i| Position {
            lon: west + (east - west) * (i as f64 * 0.754_877_666_246_692_7).fract(),
            lat: south + (north - south) * (i as f64 * 0.569_840_290_998_053_2).fract(),
        })
        .collect();
    let mut inside = 0;
    let start = Instant::now();
    for point in &points {
        inside += usize::from(!black_box(index.locate(black_box(*point))).is_empty());
    }
    let nanos = start.elapsed().as_nanos() as f64 / POINTS as f64;
    let zones = index.zones().len();
    println!("{name:>10}: {zones:>6} zones {nanos:>7.0} ns a point, {inside} inside");
}

/// `side` by `side` zones of 16 corners each that fill a square of one degree.
fn grid(side: usize) -> String {
    let size = 1.0 / side as f64;
    let square = |i: usize| {
        let (west, south) = ((i % side) as f64 * size, (i / side) as f64 * size);
        let corner = |k: usize| {
            let along = (k % 4) as f64 / 4.0 * size;
            let (lon, lat) = match k / 4 {
                0 => (along, 0.0),
                1 => (size, along),
                2 => (size - along, size),
                _ => (0.0, size - along),
            };
            format!("[{},{}]", west + lon, south + lat)
        };
        let mut ring: Vec<String> = (0..16).map(corner).collect();
        ring.push(ring[0].clone());
        format!(
            r#"{{"type":"Feature","properties":{{"name":"{i}"}},"geometry":{{"type":"Polygon","coordinates":[[{}]]}}}}"#,
            ring.join(",")
        )
    };
    let features: Vec<String> = (0..side * side).map(square).collect();
    format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))
}
