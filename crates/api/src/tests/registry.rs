//! Devices, zones, kinds, departments, metrics, system, map.

use axum::http::{Method, StatusCode};
use city_model::{AlertEventKind, Marks, Severity, Span};
use serde_json::{Value, json};

use super::fixture::{City, NOW, alert, event};

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn a_device_is_shown_as_registered_and_as_it_is_now() {
    let city = City::new();
    let silent = city.ok("/api/v1/devices/air-1").await;
    assert_eq!(silent["status"], "never_seen");
    assert_eq!(silent["last_seen_at"], Value::Null);

    city.commit(vec![city.reading("air-1", "pm25", 12.0)]);
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    let device = city.ok("/api/v1/devices/air-1").await;
    let expected = json!({
        "id": "air-1", "name": { "en": "Market Square", "zh": "集市广场" },
        "kind": "air_station", "department": "environment",
        "position": [10.5, 50.5], "moving": false,
        "declared": { "lon": 10.5, "lat": 50.5, "crs": "WGS-84" },
        "zones": ["old-town"], "interval_s": 60.0, "gateway": null,
        "life_cycle": "active", "simulated": false,
        "attributes": { "limit": 3.5, "pole": "P7" }, "inherited": [],
        "status": "online", "last_seen_at": NOW.to_string(), "newest_reading_at": NOW.to_string(),
        "severity": "high",
        "counters": { "received": 1, "stored": 1, "duplicate": 0, "dead_lettered": 0 },
    });
    assert_eq!(device, expected);
    assert_eq!(city.ok("/api/v1/devices/lamp%2F1").await["id"], "lamp/1");
}

#[tokio::test]
async fn a_device_grows_late_and_then_offline_and_comes_back() {
    let city = City::new();
    city.commit(vec![city.reading("air-1", "pm25", 12.0)]);
    let status = async || city.ok("/api/v1/devices/air-1").await["status"].clone();
    assert_eq!(status().await, "online");
    city.clock.advance(Span::from_secs(91));
    assert_eq!(status().await, "late");
    city.clock.advance(Span::from_secs(90));
    assert_eq!(status().await, "offline");
    // What a broker had retained is not news of the device.
    let retained =
        city_model::Reading { marks: Marks::RETAINED, ..city.reading("air-1", "pm25", 13.0) };
    city.commit(vec![retained]);
    assert_eq!(status().await, "offline");
    city.clock.advance(Span::from_secs(1));
    city.commit(vec![city.reading("air-1", "pm25", 14.0)]);
    assert_eq!(status().await, "online");
}

#[tokio::test]
async fn devices_are_filtered_sorted_and_paged() {
    let city = City::new();
    city.commit(vec![
        city.reading("air-2", "pm25", 12.0),
        city.at(city.reading("bus-1", "traffic_speed", 30.0), 10.5, 50.5),
    ]);
    let find = async |query: &str| ids(&city.ok(&format!("/api/v1/devices?{query}")).await);
    assert_eq!(find("").await, ["air-1", "air-2", "bus-1", "lamp/1", "old-1"]);
    assert_eq!(find("kind=air_station").await, ["air-1", "air-2"]);
    assert_eq!(find("department=transport").await, ["bus-1"]);
    assert_eq!(find("zone=old-town").await, ["air-1", "bus-1"], "the bus is there now");
    assert_eq!(find("q=MARKET").await, ["air-1"]);
    assert_eq!(find("q=%E9%9B%86%E5%B8%82").await, ["air-1"], "集市");
    assert_eq!(find("status=online").await, ["air-2", "bus-1"]);
    assert_eq!(find("life_cycle=retired").await, ["old-1"]);
    assert_eq!(find("status=never_seen&kind=air_station").await, ["air-1"]);
    assert_eq!(find("kind=submarine").await, Vec::<String>::new());

    let mut seen = Vec::new();
    let mut path = "/api/v1/devices?limit=2&sort=id".to_owned();
    loop {
        let page = city.ok(&path).await;
        assert_eq!(page["total"], 5);
        seen.extend(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/devices?limit=2&sort=id&cursor={cursor}");
    }
    assert_eq!(seen, ["air-1", "air-2", "bus-1", "lamp/1", "old-1"]);
}

#[tokio::test]
async fn kinds_and_departments_are_counted_and_named() {
    let city = City::new();
    let kinds = city.ok("/api/v1/kinds").await;
    assert_eq!(ids(&kinds), ["air_station", "bus", "street_light"]);
    let name = json!({ "en": "Air station", "zh": "空气站" });
    let expected = json!({ "id": "air_station", "name": name, "devices": 2, "configured": true,
        "template": { "id": "air_station", "name": name } });
    assert_eq!(kinds["items"][0], expected);
    let departments = city.ok("/api/v1/departments").await;
    assert_eq!(ids(&departments), ["environment", "transport", "works"]);
    assert_eq!(departments["items"][2]["devices"], 2);
}

#[tokio::test]
async fn the_catalogue_gives_units_and_ranges() {
    let city = City::new();
    let metrics = city.ok("/api/v1/metrics-catalogue").await;
    let pm25 = metrics["items"].as_array().expect("items").iter().find(|m| m["id"] == "pm25");
    let expected = json!({
        "id": "pm25", "name": { "en": "PM2.5", "zh": "细颗粒物 PM2.5" }, "unit": "ug/m3",
        "symbol": "µg/m³", "range": { "min": 0.0, "max": 2000.0 }, "decimals": 0,
        "unmapped": false,
    });
    assert_eq!(pm25, Some(&expected));
}

#[tokio::test]
async fn zones_are_drawn_and_not_sent_again_while_they_are_the_same() {
    let city = City::new();
    let answer = city.get("/api/v1/zones").await;
    assert_eq!(answer.headers["content-type"], "application/geo+json");
    let zones = answer.json();
    let properties = &zones["features"][0]["properties"];
    assert_eq!(properties["id"], "old-town");
    assert_eq!(properties["name"], json!({ "en": "Old Town", "zh": "老城" }));
    assert_eq!(properties["bounds"], json!([10.0, 50.0, 11.0, 51.0]));
    assert_eq!(properties["devices"], 1);
    assert_eq!(zones["features"][0]["geometry"]["type"], "MultiPolygon");

    let mut again = city.request(Method::GET, "/api/v1/zones", None);
    again.headers_mut().insert("if-none-match", answer.headers["etag"].clone());
    let unchanged = city.send(again).await;
    assert_eq!(unchanged.status, StatusCode::NOT_MODIFIED);
    assert_eq!(unchanged.text, "");
}

#[tokio::test]
async fn a_zone_in_figures_counts_what_is_there_now_and_fresh() {
    let city = City::new();
    let suspect = city_model::Reading {
        quality: city_model::Quality::Suspect,
        ..city.reading("air-1", "no2", 900.0)
    };
    let old = city_model::Reading {
        time: NOW - Span::from_mins(16),
        ..city.reading("air-1", "pm10", 70.0)
    };
    city.commit(vec![
        city.reading("air-1", "pm25", 10.0),
        suspect,
        old,
        city.at(city.reading("bus-1", "pm25", 20.0), 10.2, 50.2),
        city.reading("air-2", "pm25", 99.0),
    ]);
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    let zone = city.ok("/api/v1/zones/old-town").await;
    assert_eq!(zone["devices"], 2);
    assert_eq!(zone["devices_by_kind"], json!({ "air_station": 1, "bus": 1 }));
    assert_eq!(zone["alerts_firing"], 1);
    assert_eq!(zone["offline"], 0);
    let expected = json!([{ "metric": "pm25", "mean": 15.0, "min": 10.0, "max": 20.0,
        "devices": 2, "newest_at": NOW.to_string() }]);
    assert_eq!(zone["metrics"], expected);
    assert_eq!(city.ok("/api/v1/zones/harbour").await["alerts_firing"], 0);
}

#[tokio::test]
async fn other_zones_are_taken_up_everywhere_or_not_at_all() {
    let city = City::new();
    city.commit(vec![city.at(city.reading("bus-1", "pm25", 20.0), 11.2, 50.2)]);
    assert_eq!(city.ok("/api/v1/devices/bus-1").await["zones"], json!(["harbour"]));
    let answer = city.post("/api/v1/zones/reload", &json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let expected =
        json!({ "zones": 2, "added": ["new-town"], "removed": ["harbour"], "warnings": [] });
    assert_eq!(answer.json(), expected);
    city.pass(Span::from_secs(1));
    // The device that stands there, and the one that was there last.
    for device in ["air-2", "bus-1"] {
        let path = format!("/api/v1/devices/{device}");
        assert_eq!(city.ok(&path).await["zones"], json!(["new-town"]), "{device}");
    }
    assert_eq!(city.ok("/api/v1/zones/new-town").await["devices"], 2);
    assert_eq!(city.get("/api/v1/zones/harbour").await.status, StatusCode::NOT_FOUND);
    let zones = city.ok("/api/v1/zones").await;
    assert_eq!(zones["features"][1]["properties"]["id"], "new-town");
    assert_eq!(zones["features"][1]["properties"]["devices"], 1);

    let refused = city.post("/api/v1/zones/reload", &json!({})).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.json()["code"], "bad_zones");
    assert_eq!(refused.json()["detail"], "zones.geojson is not GeoJSON");
    assert_eq!(city.ok("/api/v1/devices/air-2").await["zones"], json!(["new-town"]));
}

#[tokio::test]
async fn the_system_tells_what_it_is_and_how_it_is_doing() {
    let city = City::new();
    city.commit(vec![city.reading("air-1", "pm25", 12.0)]);
    city.pipeline.status.lock().expect("not poisoned").readings_per_s = 12.5;
    let system = city.ok("/api/v1/system").await;
    for (member, value) in [
        ("version", json!("0.0.0-test")),
        ("mode", json!("demo")),
        ("simulated", json!(true)),
        ("devices", json!(4)),
        ("devices_online", json!(1)),
        ("readings_per_s", json!(12.5)),
        ("last_reading_at", json!(NOW.to_string())),
        ("now", json!(NOW.to_string())),
        ("alerts_firing", json!(0)),
        ("commits_failing", json!(null)),
    ] {
        assert_eq!(system[member], value, "{member}");
    }
    assert_eq!(system["city"]["time_zone"], "Europe/Copenhagen");
}

#[tokio::test]
async fn the_map_has_a_column_entry_for_every_device_in_service() {
    let city = City::new();
    city.commit(vec![city.at(city.reading("bus-1", "traffic_speed", 30.0), 10.25, 50.25)]);
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::Critical))).await;
    city.pass(Span::from_millis(200));
    let map = city.ok("/api/v1/map").await;
    let devices = &map["devices"];
    assert_eq!(devices["id"], json!(["air-1", "air-2", "bus-1", "lamp/1"]));
    assert_eq!(map["kinds"], json!(["air_station", "bus", "street_light"]));
    assert_eq!(devices["kind"], json!([0, 0, 1, 2]));
    assert_eq!(devices["lon"], json!([10.5, 11.5, 10.25, null]));
    assert_eq!(devices["lat"], json!([50.5, 50.5, 50.25, null]));
    assert_eq!(devices["status"], json!([3, 3, 0, 3]));
    assert_eq!(devices["severity"], json!([4, 0, 0, 0]));
    assert_eq!(devices["moving"], json!([0, 0, 1, 0]));
}

#[tokio::test]
async fn devices_are_imported_all_or_none_and_exported_in_the_same_shape() {
    let city = City::new();
    let two = json!([
        { "id": "new-1", "kind": "air_station", "department": "environment", "interval": "30s" },
        { "id": "new-2", "name": { "en": "Two", "zh": "二" }, "kind": "bus", "department": "transport",
          "moving": true },
    ]);
    let answer = city.post("/api/v1/devices/import", &two).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json(), json!({ "added": 2, "changed": 0, "unchanged": 0, "problems": [] }));
    assert_eq!(city.ok("/api/v1/devices/new-2").await["moving"], true);

    let exported = city.ok("/api/v1/devices/export").await;
    let again = city.post("/api/v1/devices/import", &exported).await.json();
    assert_eq!(again["unchanged"], exported.as_array().expect("a list").len());

    let bad = json!([
        { "id": "new-3", "kind": "bus", "department": "transport" },
        { "id": "", "kind": "bus", "department": "transport" },
    ]);
    let refused = city.post("/api/v1/devices/import", &bad).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.problem(), "bad_devices");
    let lookup = city.get("/api/v1/devices/new-3").await;
    assert_eq!(lookup.status, StatusCode::NOT_FOUND, "none of them");
}
