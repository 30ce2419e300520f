//! Agreement with GEOS on real boundaries (testdata/SOURCES.md).

use city_geo::{ZoneIndex, ZoneOptions};
use city_model::Position;
use serde::Deserialize;

#[derive(Deserialize)]
struct Expectations {
    points: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    lon: f64,
    lat: f64,
    #[serde(rename = "expected")]
    names: Vec<String>,
    boundary_distance_m: f64,
}

fn load(boundaries: &str) -> ZoneIndex {
    let options = ZoneOptions { layer: "neighbourhood".into(), ..ZoneOptions::default() };
    let loaded = ZoneIndex::from_geojson(boundaries, &options).expect("a FeatureCollection");
    assert_eq!(loaded.problems, []);
    loaded.index
}

fn names_at(index: &ZoneIndex, lon: f64, lat: f64) -> Vec<&str> {
    let set = index.locate(Position { lon, lat });
    let mut names: Vec<&str> =
        set.iter().map(|key| index.zone(*key).expect("known").name.en.as_str()).collect();
    names.sort_unstable();
    names
}

/// Checks a city and returns how many points were compared.
fn check(boundaries: &str, expectations: &str, zones: usize) -> usize {
    let index = load(boundaries);
    assert_eq!(index.zones().len(), zones);
    let mut points: Expectations = serde_json::from_str(expectations).expect("JSON");
    // Closer than a metre, either side is right.
    points.points.retain(|point| point.boundary_distance_m >= 1.0);
    for point in &mut points.points {
        point.names.sort_unstable();
        assert_eq!(
            names_at(&index, point.lon, point.lat),
            point.names,
            "{} {}",
            point.lon,
            point.lat
        );
    }
    for zone in index.zones() {
        let here = index.locate(zone.label);
        assert!(here.contains(&zone.key), "the label of {} lies outside", zone.id);
        assert_eq!(index.zone_by_id(&zone.id), Some(zone));
    }
    points.points.len()
}

#[test]
fn chicago_neighbourhoods() {
    let checked = check(
        include_str!("../testdata/boundaries/chicago_neighborhoods.geojson"),
        include_str!("../testdata/geotag/chicago_neighborhoods.json"),
        98,
    );
    println!("{checked} points agree");
    assert_eq!(checked, 200);
}

#[test]
fn new_york_boroughs() {
    let checked = check(
        include_str!("../testdata/boundaries/nyc_boroughs.geojson"),
        include_str!("../testdata/geotag/nyc_boroughs.json"),
        5,
    );
    println!("{checked} points agree");
    assert_eq!(checked, 100);
}

#[test]
fn melbourne_suburbs() {
    let checked = check(
        include_str!("../testdata/boundaries/melbourne_suburbs_osm.geojson"),
        include_str!("../testdata/geotag/melbourne_suburbs_osm.json"),
        122,
    );
    println!("{checked} points agree");
    assert_eq!(checked, 131);
}

#[test]
fn the_map_of_a_city_is_small_and_stays_true() {
    let index = load(include_str!("../testdata/boundaries/chicago_neighborhoods.geojson"));
    let map = index.map_geojson(1e-4).to_string();
    assert!(map.len() < 200_000, "{} bytes", map.len());
    // Read back, the map still puts the labels where they belong.
    let options = ZoneOptions {
        layer: "neighbourhood".into(),
        id_property: Some("id".into()),
        ..ZoneOptions::default()
    };
    let again = ZoneIndex::from_geojson(&map, &options).expect("valid GeoJSON");
    assert_eq!(again.problems, []);
    for zone in index.zones() {
        let simple = again.index.zone_by_id(&zone.id).expect("kept");
        assert!(again.index.locate(zone.label).contains(&simple.key), "{}", zone.id);
    }
}
