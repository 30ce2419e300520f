//! Tests of loading, locating, merging and drawing zones; agreement with GEOS is in
//! `tests/geotag.rs`.

use super::*;

fn options() -> ZoneOptions {
    ZoneOptions { layer: "test".into(), ..ZoneOptions::default() }
}

fn load(text: &str) -> Loaded {
    ZoneIndex::from_geojson(text, &options()).expect("a FeatureCollection")
}

/// A collection of squares: name, west, south, size.
fn squares(squares: &[(&str, f64, f64, f64)]) -> String {
    let features: Vec<Value> = squares
        .iter()
        .map(|(name, w, s, size)| {
            let (e, n) = (w + size, s + size);
            json!({
                "type": "Feature",
                "properties": { "name": name },
                "geometry": { "type": "Polygon",
                    "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]] },
            })
        })
        .collect();
    json!({ "type": "FeatureCollection", "features": features }).to_string()
}

fn ids_at(index: &ZoneIndex, lon: f64, lat: f64) -> Vec<&str> {
    let set = index.locate(Position { lon, lat });
    set.iter().map(|key| &*index.zones()[key.0 as usize].id).collect()
}

#[test]
fn overlapping_zones_are_all_found_in_ascending_order() {
    let index = load(&squares(&[("City", 0., 0., 9.), ("East", 5., 0., 4.), ("Core", 4., 1., 2.)]));
    assert_eq!(index.problems, []);
    let index = index.index;
    assert_eq!(ids_at(&index, 1.0, 1.5), ["city"]);
    assert_eq!(ids_at(&index, 5.5, 1.5), ["city", "east", "core"]);
    assert_eq!(ids_at(&index, 20.0, 1.5), Vec::<&str>::new());
    assert_eq!(index.bounds(), Some([0.0, 0.0, 9.0, 9.0]));
    let core = index.zone_by_id("core").expect("exists");
    assert_eq!((core.key, &*core.layer, core.bounds), (ZoneKey(2), "test", [4., 1., 6., 3.]));
}

#[test]
fn equal_sets_are_one_allocation() {
    let index = load(&squares(&[("A", 0., 0., 2.), ("B", 1., 0., 2.)])).index;
    let at = |lon| index.locate(Position { lon, lat: 1.0 });
    assert!(std::ptr::eq(at(1.2).as_ptr(), at(1.7).as_ptr()));
    assert_eq!(at(-5.0), at(9.0));
    let mut keys = vec![ZoneKey(77)];
    index.locate_into(Position { lon: 0.5, lat: 1.0 }, &mut keys);
    assert_eq!(keys, [ZoneKey(0)]);
}

#[test]
fn an_empty_index_has_no_answer_and_no_trouble() {
    let index = ZoneIndex::default();
    assert!(index.locate(Position { lon: 0.0, lat: 0.0 }).is_empty());
    assert!(index.zones().is_empty() && index.bounds().is_none());
    assert_eq!(index.map_geojson(1e-5)["features"], json!([]));
    assert!(ZoneIndex::merge(vec![]).zones().is_empty());
}

#[test]
fn positions_that_are_no_numbers_lie_nowhere() {
    let index = load(&squares(&[("A", 0., 0., 2.)])).index;
    for (lon, lat) in [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::INFINITY, 1.0)] {
        assert!(index.locate(Position { lon, lat }).is_empty(), "{lon} {lat}");
    }
}

#[test]
fn layers_merge_with_new_keys_and_unique_ids() {
    let city = load(&squares(&[("Loop", 0., 0., 9.)])).index;
    let mut other = options();
    other.layer = "ward".into();
    let wards =
        ZoneIndex::from_geojson(&squares(&[("Loop", 0., 0., 1.), ("Pier", 1., 0., 1.)]), &other);
    let merged = ZoneIndex::merge(vec![city, wards.expect("valid").index]);
    assert_eq!(ids_at(&merged, 0.5, 0.5), ["loop", "loop-2"]);
    assert_eq!(ids_at(&merged, 1.5, 0.5), ["loop", "pier"]);
    for (index, zone) in merged.zones().iter().enumerate() {
        assert_eq!(zone.key.0 as usize, index);
        assert_eq!(merged.zone_by_id(&zone.id), Some(zone));
    }
    assert_eq!(&*merged.zones()[1].layer, "ward");
}

#[test]
fn names_and_ids_come_from_the_configured_properties() {
    let text = json!({ "type": "FeatureCollection", "features": [
        { "type": "Feature", "properties": { "adcode": 110_105, "en": "Chaoyang", "zh": "朝阳区" },
          "geometry": { "type": "Polygon",
              "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]] } },
        { "type": "Feature", "properties": { "en": "Haidian", "zh": "海淀区" },
          "geometry": { "type": "Polygon",
              "coordinates": [[[1, 0], [2, 0], [2, 1], [1, 1], [1, 0]]] } },
    ] })
    .to_string();
    let with_id = ZoneOptions {
        layer: "district".into(),
        id_property: Some("adcode".into()),
        name_property: Some("en".into()),
        name_zh_property: Some("zh".into()),
        ..ZoneOptions::default()
    };
    let loaded = ZoneIndex::from_geojson(&text, &with_id).expect("valid");
    let zone = loaded.index.zone_by_id("110105").expect("the id property");
    assert_eq!((zone.name.en.as_str(), zone.name.zh.as_str()), ("Chaoyang", "朝阳区"));
    assert_eq!(loaded.problems.len(), 1);
    assert_eq!(loaded.problems[0].reason, SkipReason::NoId { property: "adcode".into() });

    let by_name = ZoneOptions { id_property: None, name_property: Some("zh".into()), ..with_id };
    let loaded = ZoneIndex::from_geojson(&text, &by_name).expect("valid");
    assert!(loaded.index.zone_by_id("海淀区").is_some());
}

#[test]
fn every_unusable_feature_is_named_with_the_reason() {
    let square = json!([[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]);
    let polygon = |coordinates: Value| json!({ "type": "Polygon", "coordinates": coordinates });
    let feature = |name: Value, geometry: Value| json!({ "type": "Feature", "properties": { "name": name }, "geometry": geometry });
    let text = json!({ "type": "FeatureCollection", "features": [
        feature(json!("Good"), polygon(square.clone())),
        feature(json!("Bare"), Value::Null),
        feature(json!("Dot"), json!({ "type": "Point", "coordinates": [1, 2] })),
        feature(Value::Null, polygon(square.clone())),
        feature(json!("Metres"), polygon(json!([[[358_000, 0], [1, 0], [1, 1], [358_000, 0]]]))),
        feature(json!("Flat"), polygon(json!([[[0, 0], [1, 1], [2, 2], [0, 0]]]))),
        feature(json!("Hollow"), polygon(json!([]))),
        feature(json!("Short"), polygon(json!([[[0], [1, 1], [2, 2], [0]]]))),
        feature(json!("Text"), polygon(json!([[["0", "1"]]]))),
        json!(7),
        feature(json!("Last"), polygon(square)),
    ] })
    .to_string();
    let loaded = load(&text);
    let ids: Vec<&str> = loaded.index.zones().iter().map(|zone| &*zone.id).collect();
    assert_eq!(ids, ["good", "last"]);
    let problems: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    for (problem, expected) in problems.iter().zip([
        "features[1] (Bare): it has no geometry",
        "features[2] (Dot): its geometry is a Point;",
        "features[3]: it has no text or number in the property `name`",
        "features[4] (Metres): its coordinates are not degrees (358000, 0);",
        "features[5] (Flat): its rings enclose no area",
        "features[6] (Hollow): its rings enclose no area",
        "features[7] (Short): it is not a GeoJSON feature:",
        "features[8] (Text): it is not a GeoJSON feature:",
        "features[9]: it is not a GeoJSON feature:",
    ]) {
        assert!(problem.starts_with(expected), "{problem}");
    }
    assert_eq!(problems.len(), 9, "{problems:#?}");
}

#[test]
fn a_file_that_is_no_collection_says_what_it_is() {
    let error = |text: &str| {
        ZoneIndex::from_geojson(text, &options()).expect_err("not a collection").to_string()
    };
    assert!(error("{\"type\":\n\"FeatureCollection\",").contains("line 2"));
    assert!(error("[]").contains("not GeoJSON"));
    assert!(error(r#"{"type":"Polygon","coordinates":[]}"#).contains("holds a `Polygon`"));
    assert!(load("\u{feff}{\"type\":\"FeatureCollection\",\"features\":[]}").problems.is_empty());
}

#[test]
fn the_map_gets_fewer_corners_in_the_right_order() {
    // A square with a clockwise exterior, 400 corners on its sides, and a tiny square beside it.
    let side = |i: i32| f64::from(i) / 100.0;
    let mut ring: Vec<[f64; 2]> = (0..100).map(|i| [0.0, side(i)]).collect();
    ring.extend((0..100).map(|i| [side(i), 1.0]));
    ring.extend((0..100).map(|i| [1.0, 1.0 - side(i)]));
    ring.extend((0..=100).map(|i| [1.0 - side(i), 0.0]));
    let tiny = [[2.0, 2.0], [2.000_03, 2.0], [2.000_03, 2.000_03], [2.0, 2.000_03], [2.0, 2.0]];
    let text = json!({ "type": "FeatureCollection", "features": [
        { "type": "Feature", "properties": { "name": "Big" },
          "geometry": { "type": "Polygon", "coordinates": [ring] } },
        { "type": "Feature", "properties": { "name": "Tiny" },
          "geometry": { "type": "Polygon", "coordinates": [tiny] } },
    ] })
    .to_string();
    let index = load(&text).index;
    let map = index.map_geojson(1e-4);
    let outline = index.outlines("big", 1e-4).expect("there is one");
    let corners: Vec<_> = outline[0].iter().map(|place| (place.lon, place.lat)).collect();
    assert_eq!(corners, [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)]);
    assert!(index.outlines("tiny", 1e-4).is_some_and(|outlines| outlines[0].len() >= 4));
    assert_eq!(index.outlines("nowhere", 1e-4), None);
    let big = &map["features"][0];
    assert_eq!(
        big["properties"],
        json!({ "id": "big", "name": { "en": "Big", "zh": "Big" }, "layer": "test" })
    );
    assert_eq!(
        big["geometry"]["coordinates"],
        json!([[[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]]])
    );
    let tiny = map["features"][1]["geometry"]["coordinates"][0][0].as_array().expect("a ring");
    assert!(tiny.len() >= 4, "a zone smaller than the tolerance is kept: {tiny:?}");
}

mod walks {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    /// A square or a star on a coarse grid, so that borders meet, cross and run along latitudes.
    fn shape() -> impl Strategy<Value = Vec<[f64; 2]>> {
        const SQUARE: [[f64; 2]; 4] = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        const STAR: [[f64; 2]; 7] =
            [[0.0, 0.0], [0.5, 0.25], [1.0, 0.0], [0.75, 0.5], [1.0, 1.0], [0.5, 0.5], [0.0, 1.0]];
        let number = |range| (range as std::ops::Range<i32>).prop_map(f64::from);
        let corner = [number(0..12), number(0..12)];
        let size = [number(1..9), number(1..9)];
        (corner, size, any::<bool>()).prop_map(|([west, south], [width, height], star)| {
            let corners: &[[f64; 2]] = if star { &STAR } else { &SQUARE };
            corners.iter().map(|[x, y]| [west + x * width, south + y * height]).collect()
        })
    }

    fn collection(shapes: &[Vec<[f64; 2]>]) -> String {
        let feature = |(number, ring): (usize, &Vec<[f64; 2]>)| {
            let ring: Vec<_> = ring.iter().chain(ring.first()).collect();
            json!({ "type": "Feature", "properties": { "name": number },
                "geometry": { "type": "Polygon", "coordinates": [ring] } })
        };
        let features: Vec<Value> = shapes.iter().enumerate().map(feature).collect();
        json!({ "type": "FeatureCollection", "features": features }).to_string()
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 400,
            rng_seed: RngSeed::Fixed(7),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn a_position_lies_in_the_areas_that_hold_it_and_where_it_stays_it_stays(
            shapes in prop::collection::vec(shape(), 1..12),
            steps in prop::collection::vec((0..200_u32, 0..200_u32), 40),
        ) {
            let index = load(&collection(&shapes)).index;
            let areas: Vec<(ZoneKey, Area)> = index
                .zones()
                .iter()
                .zip(&index.shapes)
                .flat_map(|(zone, shape)| shape.iter().map(|polygon| (zone.key, polygon)))
                .filter_map(|(key, polygon)| Some((key, Area::new(polygon)?)))
                .collect();
            let mut before: Option<Whereabouts> = None;
            for (x, y) in steps {
                let (lon, lat) = (f64::from(x) / 10.0, f64::from(y) / 10.0);
                let position = Position { lon, lat };
                let there = index.whereabouts(position);
                let holds = |(_, area): &&(ZoneKey, Area)| {
                    let [w, s, e, n] = area.bounds();
                    w <= lon && lon <= e && s <= lat && lat <= n && area.contains(lon, lat)
                };
                let expected: Vec<ZoneKey> =
                    areas.iter().filter(holds).map(|(key, _)| *key).collect();
                prop_assert_eq!(&*there.zones, &*expected, "{} {}", lon, lat);
                if let Some(before) = before.filter(|before| before.hold(position)) {
                    prop_assert_eq!(&*before.zones, &*expected, "still there at {} {}", lon, lat);
                }
                before = Some(there);
            }
        }
    }

    #[test]
    fn most_of_a_zone_is_known_without_looking_again() {
        let text = squares(&[("City", 0., 0., 9.), ("A", 1., 1., 2.), ("B", 3., 1., 2.)]);
        let index = load(&text).index;
        let at = |lon, lat| Position { lon, lat };
        let there = index.whereabouts(at(2.0, 2.0));
        assert!(there.hold(at(2.4, 2.2)) && !there.hold(at(3.1, 2.0)));
        // The city's own core has borders in it: what it says does not hold around it.
        let outside = index.whereabouts(at(6.0, 6.0));
        assert_eq!(outside.zones.len(), 1);
        assert!(!outside.hold(at(4.0, 2.0)));
    }
}
