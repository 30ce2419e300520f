//! Zones as cities have them: several layers, careless files, the edges of the map.

use city_geo::{
    HierarchyReason, Repair, SkipReason, ZoneFileError, ZoneFileOddity, ZoneIndex, ZoneOptions,
};
use city_model::{Crs, Position};
use serde_json::{Value, json};

type Ring<'a> = &'a [[f64; 2]];

fn feature(properties: &Value, rings: &[Ring<'_>]) -> Value {
    json!({ "type": "Feature", "properties": properties,
        "geometry": { "type": "Polygon", "coordinates": rings } })
}

fn named(name: &str, rings: &[Ring<'_>]) -> Value {
    feature(&json!({ "name": name }), rings)
}

/// A square by name, west, south and size.
fn square(name: &str, w: f64, s: f64, size: f64) -> Value {
    let (e, n) = (w + size, s + size);
    named(name, &[&[[w, s], [e, s], [e, n], [w, n], [w, s]]])
}

fn collection(features: &[Value]) -> String {
    json!({ "type": "FeatureCollection", "features": features }).to_string()
}

fn layer(name: &str) -> ZoneOptions {
    ZoneOptions { layer: name.to_owned(), ..ZoneOptions::default() }
}

fn read(features: &[Value], options: &ZoneOptions) -> ZoneIndex {
    let loaded = ZoneIndex::from_geojson(&collection(features), options).expect("a collection");
    assert_eq!(loaded.problems, []);
    loaded.index
}

fn ids_at(index: &ZoneIndex, lon: f64, lat: f64) -> Vec<&str> {
    index.zones_at(Position { lon, lat }).into_iter().map(|zone| &*zone.id).collect()
}

fn parent<'i>(index: &'i ZoneIndex, id: &str) -> Option<&'i str> {
    let zone = index.zone_by_id(id).expect("a zone");
    zone.parent.map(|key| &*index.zone(key).expect("a parent").id)
}

/// City, districts and neighbourhoods; the last listed first.
fn three_layers() -> ZoneIndex {
    let corners = read(
        &[square("Corner", 0.0, 0.0, 1.0), square("Border", 4.0, 0.0, 1.0)],
        &layer("neighbourhood"),
    );
    let districts =
        read(&[square("West", 0.0, 0.0, 4.0), square("East", 4.0, 0.0, 4.0)], &layer("district"));
    ZoneIndex::merge(vec![
        corners,
        districts,
        read(&[square("City", 0.0, 0.0, 8.0)], &layer("city")),
    ])
}

#[test]
fn the_hierarchy_follows_from_where_zones_lie_whatever_the_order_of_the_files() {
    let index = three_layers();
    assert_eq!(index.hierarchy_problems(), []);
    for (id, above) in [
        ("corner", Some("west")),
        ("border", Some("east")),
        ("west", Some("city")),
        ("east", Some("city")),
        ("city", None),
    ] {
        assert_eq!(parent(&index, id), above, "{id}");
    }
    let layers: Vec<(String, usize, usize)> = index
        .layers()
        .into_iter()
        .map(|figures| (figures.layer.to_string(), figures.zones, figures.with_parent))
        .collect();
    assert_eq!(
        layers,
        [
            ("neighbourhood".to_owned(), 2, 2),
            ("district".to_owned(), 2, 2),
            ("city".to_owned(), 1, 0)
        ]
    );
}

#[test]
fn a_position_lies_in_every_zone_that_holds_it_the_smallest_of_a_layer_first() {
    assert_eq!(ids_at(&three_layers(), 0.5, 0.5), ["corner", "west", "city"]);
    let overlapping = [
        square("Wide", 0.0, 0.0, 9.0),
        square("Small", 1.0, 1.0, 2.0),
        square("Middle", 0.0, 0.0, 5.0),
    ];
    let index = read(&overlapping, &layer("park"));
    assert_eq!(ids_at(&index, 2.0, 2.0), ["small", "middle", "wide"]);
    let overlaps = index.overlaps();
    let pairs: Vec<_> = overlaps.iter().map(|o| o.zones.each_ref().map(|id| &**id)).collect();
    assert_eq!(pairs.len(), 3, "{overlaps:?}");
    assert!(overlaps.windows(2).all(|pair| pair[0].area_km2 >= pair[1].area_km2));
    // Neighbours that only touch do not overlap, nor do layers.
    assert_eq!(three_layers().overlaps(), []);
}

#[test]
fn the_hierarchy_can_be_told_by_a_property_and_mistakes_are_named() {
    let of = |name: &str, code: &str, above: &str, west: f64, size: f64| {
        let mut feature = square(name, west, 0.0, size);
        feature["properties"]["code"] = code.into();
        feature["properties"]["above"] = above.into();
        feature
    };
    let options = ZoneOptions {
        id_property: Some("code".into()),
        parent_property: Some("above".into()),
        ..layer("area")
    };
    let features = [
        of("City", "1", "", 0.0, 9.0),
        of("By id", "11", "1", 0.0, 1.0),
        of("By name", "12", "City", 1.0, 1.0),
        of("Lost", "13", "77", 2.0, 1.0),
        of("Chicken", "14", "15", 3.0, 1.0),
        of("Egg", "15", "14", 4.0, 1.0),
    ];
    let index = ZoneIndex::merge(vec![read(&features, &options)]);
    for (id, above) in [("1", None), ("11", Some("1")), ("12", Some("1")), ("13", None)] {
        assert_eq!(parent(&index, id), above, "{id}");
    }
    let problems: Vec<_> =
        index.hierarchy_problems().iter().map(|p| (&*p.zone, p.reason.clone())).collect();
    assert_eq!(problems[0], ("13", HierarchyReason::Unknown { parent: "77".into() }));
    assert_eq!(problems[1..], [("14", HierarchyReason::Circle), ("15", HierarchyReason::Circle)]);
    assert_eq!((parent(&index, "14"), parent(&index, "15")), (None, None));

    let strict = ZoneOptions { parent_layer: Some("city".into()), ..layer("district") };
    let outside = read(&[square("In", 1.0, 1.0, 1.0), square("Out", 20.0, 1.0, 1.0)], &strict);
    let city = read(&[square("City", 0.0, 0.0, 9.0)], &layer("city"));
    let index = ZoneIndex::merge(vec![outside, city]);
    assert_eq!((parent(&index, "in"), parent(&index, "out")), (Some("city"), None));
    assert_eq!(
        index.hierarchy_problems()[0].to_string(),
        "out (district): it lies in no zone of the layer `city`"
    );
}

#[test]
fn zones_across_the_antimeridian_are_found_however_they_are_written() {
    let split = json!({ "type": "Feature", "properties": { "name": "Z" }, "geometry": {
        "type": "MultiPolygon", "coordinates": [
            [[[177.0, -19.0], [180.0, -19.0], [180.0, -16.0], [177.0, -16.0], [177.0, -19.0]]],
            [[[-180.0, -19.0], [-178.0, -19.0], [-178.0, -16.0], [-180.0, -16.0], [-180.0, -19.0]]],
        ] } });
    let past: Ring<'_> =
        &[[177.0, -19.0], [182.0, -19.0], [182.0, -16.0], [177.0, -16.0], [177.0, -19.0]];
    let jump: Ring<'_> =
        &[[177.0, -19.0], [-178.0, -19.0], [-178.0, -16.0], [177.0, -16.0], [177.0, -19.0]];
    let minus: Ring<'_> =
        &[[-183.0, -19.0], [-178.0, -19.0], [-178.0, -16.0], [-183.0, -16.0], [-183.0, -19.0]];
    for (what, zone, mended) in [
        ("split", split, false),
        ("past 180", named("Z", &[past]), true),
        ("a jump", named("Z", &[jump]), true),
        ("below -180", named("Z", &[minus]), true),
    ] {
        let loaded =
            ZoneIndex::from_geojson(&collection(&[zone]), &layer("sea")).expect("a collection");
        assert_eq!(!loaded.repairs.is_empty(), mended, "{what}: {:?}", loaded.repairs);
        let index = loaded.index;
        for (lon, inside) in [
            (176.9, false),
            (177.0, true),
            (179.999_999, true),
            (180.0, true),
            (-180.0, true),
            (-179.999_999, true),
            (-178.1, true),
            (-178.0, false),
            (0.0, false),
        ] {
            assert_eq!(ids_at(&index, lon, -17.0).len(), usize::from(inside), "{what} {lon}");
        }
        assert_eq!(index.bounds(), Some([177.0, -19.0, -178.0, -16.0]), "{what}");
        let zone = &index.zones()[0];
        assert!((zone.area_km2 - 176_550.0).abs() < 1_000.0, "{what}: {}", zone.area_km2);
        assert!(
            ids_at(&index, zone.label.lon, zone.label.lat) == ["z"],
            "{what}: {:?}",
            zone.label
        );
        // The map gets it split (RFC 7946, section 3.1.9).
        let map = index.map_geojson(0.0);
        let parts = map["features"][0]["geometry"]["coordinates"].as_array().expect("parts");
        assert_eq!(parts.len(), 2, "{what}: {map}");
        let outlines = index.outlines(&zone.id, 0.0).expect("the zone's");
        assert_eq!(outlines.len(), 2, "{what}: {outlines:?}");
        let lons = parts.iter().flat_map(|part| part[0].as_array().expect("a ring"));
        assert!(lons.into_iter().all(|at| at[0].as_f64().expect("a number").abs() <= 180.0));
    }
}

#[test]
fn holes_across_the_antimeridian_stay_holes() {
    let outer: Ring<'_> =
        &[[175.0, -20.0], [-175.0, -20.0], [-175.0, -10.0], [175.0, -10.0], [175.0, -20.0]];
    let east: Ring<'_> =
        &[[-178.0, -16.0], [-177.0, -16.0], [-177.0, -15.0], [-178.0, -15.0], [-178.0, -16.0]];
    let across: Ring<'_> =
        &[[179.0, -16.0], [-179.0, -16.0], [-179.0, -15.0], [179.0, -15.0], [179.0, -16.0]];
    let index = read(&[named("Sea", &[outer, east, across])], &layer("sea"));
    for (lon, inside) in [
        (176.0, true),
        (179.5, false),
        (-179.5, false),
        (-178.5, true),
        (-177.5, false),
        (-176.0, true),
    ] {
        assert_eq!(ids_at(&index, lon, -15.5).len(), usize::from(inside), "{lon}");
    }
}

#[test]
fn the_poles_belong_to_what_lies_around_them() {
    let arctic: Ring<'_> =
        &[[-180.0, 66.0], [180.0, 66.0], [180.0, 90.0], [-180.0, 90.0], [-180.0, 66.0]];
    // Three corners around the south pole, without the detour to it.
    let antarctic: Ring<'_> = &[[0.0, -70.0], [120.0, -70.0], [-120.0, -70.0], [0.0, -70.0]];
    let index =
        read(&[named("Arctic", &[arctic]), named("Antarctic", &[antarctic])], &layer("cap"));
    for lon in [-180.0, -179.0, -60.0, 0.0, 120.0, 180.0] {
        for (lat, zone) in
            [(90.0, "arctic"), (70.0, "arctic"), (-80.0, "antarctic"), (-90.0, "antarctic")]
        {
            assert_eq!(ids_at(&index, lon, lat), [zone], "{lon} {lat}");
        }
        assert_eq!(ids_at(&index, lon, 0.0), Vec::<&str>::new());
    }
}

#[test]
fn what_was_mended_is_told_by_feature() {
    let mut twice = square("Twice", 5.0, 0.0, 1.0);
    twice["properties"]["name"] = "Bowtie".into();
    let features = [
        named("Bowtie", &[&[[0.0, 0.0], [2.0, 2.0], [2.0, 0.0], [0.0, 2.0]]]),
        square("Fine", 3.0, 0.0, 1.0),
        twice,
    ];
    let loaded =
        ZoneIndex::from_geojson(&collection(&features), &layer("odd")).expect("a collection");
    assert_eq!(loaded.problems, []);
    let told: Vec<String> = loaded.repairs.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "features[0] (bowtie): a ring was closed; a ring that crosses itself was split",
            "features[2] (bowtie-2): the id `bowtie` is taken",
        ]
    );
    assert_eq!(loaded.repairs[0].repairs, [Repair::Unclosed, Repair::SelfIntersection]);
    // The two triangles without the gaps between them.
    for (lon, lat, inside) in
        [(0.2, 1.0, true), (1.8, 1.0, true), (1.0, 0.2, false), (1.0, 1.8, false)]
    {
        assert_eq!(ids_at(&loaded.index, lon, lat).len(), usize::from(inside), "{lon} {lat}");
    }
}

#[test]
fn files_in_another_system_are_converted_and_neighbours_stay_neighbours() {
    let options = ZoneOptions { crs: Crs::Gcj02, ..layer("district") };
    let west: Ring<'_> =
        &[[116.3, 39.9], [116.4, 39.9], [116.41, 40.0], [116.3, 40.0], [116.3, 39.9]];
    let east: Ring<'_> =
        &[[116.4, 39.9], [116.5, 39.9], [116.5, 40.0], [116.41, 40.0], [116.4, 39.9]];
    let index = read(&[named("West", &[west]), named("East", &[east])], &options);
    let at = |lon, lat| city_geo::crs::to_wgs84(Crs::Gcj02, lon, lat);
    let (lon, lat) = at(116.3501, 39.95);
    assert_eq!(ids_at(&index, lon, lat), ["west"]);
    // 600 m from there the unconverted number is another place.
    assert!((lon - 116.3501).abs() > 0.005);
    for step in 0..=1_000 {
        let (a, b) = (at(116.4, 39.9), at(116.41, 40.0));
        let along = f64::from(step) / 1_000.0;
        let (lon, lat) = (a.0 + (b.0 - a.0) * along, a.1 + (b.1 - a.1) * along);
        let owners = ids_at(&index, lon, lat).len();
        // The two ends lie on the southern and northern borders, which bend by centimetres.
        assert!(owners == 1 || step == 0 || step == 1_000, "{owners} at step {step}");
    }
}

#[test]
fn swapped_numbers_are_recognised() {
    let swapped =
        named("Beijing", &[&[[39.9, 116.3], [39.9, 116.4], [40.0, 116.4], [39.9, 116.3]]]);
    let loaded =
        ZoneIndex::from_geojson(&collection(&[swapped]), &layer("city")).expect("a collection");
    assert_eq!(loaded.problems[0].reason, SkipReason::Swapped { lon: 39.9, lat: 116.3 });

    // Chicago's numbers are in range either way round: only the city tells.
    let chicago =
        named("Loop", &[&[[41.87, -87.64], [41.87, -87.62], [41.89, -87.62], [41.87, -87.64]]]);
    let text = collection(&[chicago]);
    let oddity = |near| {
        let options = ZoneOptions { near, ..layer("city") };
        ZoneIndex::from_geojson(&text, &options).expect("a collection").oddity
    };
    assert!(matches!(oddity(None), Some(ZoneFileOddity::Swapped { .. })), "beyond 84 degrees");
    let city = Some([-87.94, 41.64, -87.52, 42.02]);
    assert!(matches!(oddity(city), Some(ZoneFileOddity::Swapped { .. })));
    let elsewhere = oddity(Some([10.0, 56.0, 10.4, 56.4])).expect("odd");
    assert!(matches!(elsewhere, ZoneFileOddity::Elsewhere { .. }));
    assert!(elsewhere.to_string().contains("41.8"), "{elsewhere}");
    assert_eq!(oddity(Some([41.0, -88.0, 42.0, -87.0])), None);
}

#[test]
fn a_file_that_declares_another_system_is_refused_unless_it_is_known() {
    let with = |name: &str, crs: Crs| {
        let text = json!({ "type": "FeatureCollection", "features": [],
            "crs": { "type": "name", "properties": { "name": name } } });
        ZoneIndex::from_geojson(&text.to_string(), &ZoneOptions { crs, ..layer("city") })
    };
    for known in ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4490"] {
        assert!(with(known, Crs::Wgs84).is_ok(), "{known}");
    }
    let error = with("urn:ogc:def:crs:EPSG::3857", Crs::Wgs84).expect_err("metres");
    assert!(matches!(error, ZoneFileError::ForeignCrs { .. }));
    assert!(error.to_string().contains("3857") && error.to_string().contains("WGS-84"), "{error}");
    // Whoever says what the numbers are is believed.
    assert!(with("urn:ogc:def:crs:EPSG::3857", Crs::Bd09).is_ok());
}

#[test]
fn keys_last_over_a_reload_and_a_grid_can_lie_beside_zones() {
    let bounds = [0.0, 0.0, 8.0, 8.0];
    let grid = |level| ZoneIndex::h3_grid(bounds, level).expect("few cells");
    let before = ZoneIndex::merge(vec![three_layers(), grid(4)]);
    let after = ZoneIndex::merge(vec![
        grid(4),
        read(&[square("New", 0.0, 0.0, 2.0), square("West", 0.0, 0.0, 5.0)], &layer("district")),
    ])
    .with_keys_of(&before);
    for zone in after.zones() {
        let known = before.zone_by_id(&zone.id).map(|zone| zone.key);
        assert!(known.is_none_or(|key| key == zone.key), "{}", zone.id);
        assert_eq!(after.zone(zone.key).map(|zone| &zone.id), Some(&zone.id));
        assert!(after.locate(zone.label).contains(&zone.key), "{}", zone.id);
        assert!(zone.parent.is_none_or(|key| after.zone(key).is_some()), "{}", zone.id);
    }
    let new = after.zone_by_id("new").expect("a zone");
    assert!(before.zones().iter().all(|zone| zone.key != new.key));
    assert_eq!(parent(&after, "new"), None);
    assert!(before.zone_by_id("corner").is_some_and(|gone| after.zone(gone.key).is_none()));
    let again = before.zones().len();
    assert_eq!(
        ZoneIndex::merge(vec![three_layers(), grid(4)]).with_keys_of(&after).zones().len(),
        again
    );
}
