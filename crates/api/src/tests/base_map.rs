//! The base map: its layers, their files, and parts of these.

use std::path::Path;

use axum::http::{Method, StatusCode};
use city_model::{LocalText, Timestamp};

use super::fixture::City;
use crate::{BaseMap, LayerAbout, LayerKind, TileCoordinates};

const WATER: &str = r#"{"type":"FeatureCollection","features":[]}"#;

/// What the city of the tests has.
pub(crate) fn layers() -> BaseMap {
    let about = |id: &str, kind| LayerAbout {
        id: id.to_owned(),
        kind,
        attribution: LocalText::same("survey"),
        min_zoom: 0,
        max_zoom: 14,
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/base-map");
    let at = Timestamp::from_secs(1_772_323_200);
    let mut map = BaseMap::default();
    map.add_geojson(about("water", LayerKind::Water), WATER.to_owned(), at);
    map.add_pmtiles(about("city", LayerKind::Vector), folder.join("city.pmtiles"), at);
    let tiles = (folder.join("tiles"), "png");
    map.add_tiles(about("survey", LayerKind::Raster), tiles, TileCoordinates::Gcj02, at);
    map
}

#[tokio::test]
async fn layers_are_listed_with_their_addresses() {
    let city = City::new();
    let map = city.get("/api/v1/base-map").await.json();
    let shown = |member: &str| -> Vec<String> {
        let layers = map["layers"].as_array().expect("layers");
        layers.iter().map(|layer| layer[member].as_str().expect("text").to_owned()).collect()
    };
    assert_eq!(shown("format"), ["geojson", "pmtiles", "tiles"]);
    assert_eq!(shown("coordinates"), ["wgs84", "wgs84", "gcj02"]);
    let urls = [
        "/api/v1/base-map/water.geojson",
        "/api/v1/base-map/city.pmtiles",
        "/api/v1/base-map/survey/{z}/{x}/{y}.png",
    ];
    assert_eq!(shown("url"), urls);
    assert_eq!(map["updated_at"], "2026-03-01T00:00:00Z");
}

#[tokio::test]
async fn files_come_whole_or_in_parts_and_nothing_else_does() {
    let city = City::new();
    let water = city.get("/api/v1/base-map/water.geojson").await;
    assert_eq!((water.text.as_str(), water.status), (WATER, StatusCode::OK));
    assert_eq!(water.headers["content-type"], "application/geo+json");

    let part = async |range: &str| {
        let mut request = city.request(Method::GET, "/api/v1/base-map/city.pmtiles", None);
        request.headers_mut().insert("range", range.parse().expect("a header"));
        city.send(request).await
    };
    let head = part("bytes=65-69").await;
    assert_eq!((head.text.as_str(), head.status), ("ABCDE", StatusCode::PARTIAL_CONTENT));
    assert_eq!(head.headers["content-range"], "bytes 65-69/256");
    assert!(!head.headers.contains_key("content-encoding"));
    assert_eq!(part("bytes=900-").await.status, StatusCode::RANGE_NOT_SATISFIABLE);

    let tile = city.request(Method::GET, "/api/v1/base-map/survey/1/0/1.png", None);
    let tile = city.open(tile).await;
    assert_eq!(tile.status(), StatusCode::OK);
    assert_eq!(tile.headers()["content-type"], "image/png");
    assert_eq!(tile.headers()["cache-control"], "private, max-age=3600");
    for missing in [
        "water.pmtiles",
        "none.geojson",
        "water",
        "survey/1/0/2.png",
        "survey/1/0/1.jpg",
        "survey/1/0/..%2F1.png",
        "survey/1/%2E%2E/1.png",
        "water/1/0/1.png",
        "none/1/0/1.png",
    ] {
        assert_eq!(
            city.get(&format!("/api/v1/base-map/{missing}")).await.problem(),
            "not_found",
            "{missing}"
        );
    }
}
