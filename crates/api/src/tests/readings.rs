//! Last values, history, aggregates, tracks.

use city_model::{Marks, Quality, Reading, Span, Value as Measured};
use serde_json::{Value, json};

use super::fixture::{City, NOW};
use crate::routes::MAX_RAW;

/// `count` readings of pm25 at air-1, one a second, the newest just before [`NOW`].
fn series(city: &City, count: usize) -> Vec<Reading> {
    let start = NOW - Span::from_secs(count as i64);
    let reading = |n: usize| Reading {
        time: start + Span::from_secs(n as i64),
        ..city.reading("air-1", "pm25", (n % 100) as f64)
    };
    (0..count).map(reading).collect()
}

#[tokio::test]
async fn a_last_value_has_an_age_and_a_greatest_age() {
    let city = City::new();
    city.commit(vec![Reading {
        time: NOW - Span::from_secs(20),
        ..city.reading("air-1", "pm25", 12.5)
    }]);
    let values = city.ok("/api/v1/last-values?device=air-1").await;
    let expected = json!({
        "items": [{
            "device": "air-1", "metric": "pm25", "value": 12.5, "quality": "pass",
            "time": (NOW - Span::from_secs(20)).to_string(), "received": NOW.to_string(),
            "age_s": 20.0, "max_age_s": 180.0, "stale": false, "position": null,
            "simulated": false, "marks": [],
        }],
        "next_cursor": null,
    });
    assert_eq!(values, expected);
    city.clock.advance(Span::from_secs(161));
    assert_eq!(city.ok("/api/v1/last-values?device=air-1").await["items"][0]["stale"], true);
}

#[tokio::test]
async fn a_retained_value_without_a_time_is_never_fresh() {
    let city = City::new();
    let marks = Marks::RETAINED.with(Marks::UNTIMED).with(Marks::SIMULATED);
    city.commit(vec![Reading { marks, ..city.reading("air-1", "pm25", 12.5) }]);
    let value = city.ok("/api/v1/last-values?device=air-1").await["items"][0].clone();
    assert_eq!(value["stale"], true);
    assert_eq!(value["simulated"], true);
    assert_eq!(value["marks"], json!(["retained", "untimed"]));
}

#[tokio::test]
async fn last_values_are_filtered_and_paged() {
    let city = City::new();
    city.commit(vec![
        city.reading("air-1", "pm25", 1.0),
        city.reading("air-1", "no2", 2.0),
        city.reading("air-2", "pm25", 3.0),
        city.at(city.reading("bus-1", "traffic_speed", 4.0), 10.5, 50.5),
        city.reading("lamp/1", "lamp_on", Measured::Bool(true)),
    ]);
    let find = async |query: &str| {
        let page = city.ok(&format!("/api/v1/last-values?{query}")).await;
        let items = page["items"].as_array().expect("items").clone();
        items.iter().map(|item| item["value"].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(find("metric=pm25").await, [json!(1.0), json!(3.0)]);
    assert_eq!(find("zone=old-town").await, [json!(1.0), json!(2.0), json!(4.0)]);
    assert_eq!(find("kind=street_light").await, [json!(true)]);
    let mut seen = 0;
    let mut path = "/api/v1/last-values?limit=2".to_owned();
    loop {
        let page = city.ok(&path).await;
        seen += page["items"].as_array().expect("items").len();
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/last-values?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, 5);
}

#[tokio::test]
async fn readings_are_raw_while_they_are_few_and_in_steps_when_they_are_many() {
    let city = City::new();
    city.commit(series(&city, MAX_RAW));
    let path = "/api/v1/readings?device=air-1&metric=pm25";
    let few = city.ok(path).await;
    assert_eq!(few["raw"]["time"].as_array().map(Vec::len), Some(MAX_RAW));
    assert_eq!(few["raw"]["time"][0], (NOW - Span::from_secs(MAX_RAW as i64)).millis());
    assert_eq!(few["raw"]["quality"][0], 1);
    assert_eq!((&few["step_s"], &few["buckets"]), (&Value::Null, &Value::Null));
    assert_eq!((&few["symbol"], &few["truncated"]), (&json!("µg/m³"), &json!(false)));

    let one_more = Reading {
        time: NOW - Span::from_secs(MAX_RAW as i64 + 1),
        ..city.reading("air-1", "pm25", 1.0)
    };
    city.commit(vec![one_more]);
    let many = city.ok(path).await;
    assert_eq!(many["raw"], Value::Null);
    assert_eq!(many["step_s"], 30, "six hours in at most 1,500 steps");
    let counts: u64 =
        many["buckets"]["count"].as_array().expect("counts").iter().filter_map(Value::as_u64).sum();
    assert_eq!(counts, MAX_RAW as u64 + 1);

    let cut = city.ok(&format!("{path}&step=raw")).await;
    assert_eq!(
        (&cut["truncated"], cut["raw"]["time"].as_array().map(Vec::len)),
        (&json!(true), Some(MAX_RAW))
    );
}

#[tokio::test]
async fn steps_give_statistics_and_count_what_is_flagged() {
    let city = City::new();
    let start = NOW - Span::from_mins(10);
    let at = |secs: i64, value: f64, quality: Quality| Reading {
        time: start + Span::from_secs(secs),
        quality,
        ..city.reading("air-1", "pm25", value)
    };
    city.commit(vec![
        at(0, 10.0, Quality::Pass),
        at(30, 20.0, Quality::Suspect),
        at(50, 999.0, Quality::Fail),
        at(60, 5.0, Quality::Fail),
    ]);
    let path = format!("/api/v1/readings?device=air-1&metric=pm25&step=1m&from={start}&to={NOW}");
    let readings = city.ok(&path).await;
    let expected = json!({
        "start": [start.millis(), (start + Span::from_mins(1)).millis()],
        "count": [2, 0], "min": [10.0, null], "mean": [15.0, null], "max": [20.0, null],
        "sum": [30.0, null], "last": [20.0, null], "flagged": [2, 1],
    });
    assert_eq!(readings["buckets"], expected);
    assert_eq!(readings["from"], start.to_string());
}

#[tokio::test]
async fn ranges_and_steps_that_make_no_sense_are_refused() {
    let city = City::new();
    let path = "/api/v1/readings?device=air-1&metric=pm25";
    let swapped = city.get(&format!("{path}&from={NOW}&to={}", NOW - Span::from_secs(1))).await;
    assert_eq!(swapped.problem(), "bad_range");
    let fine = city.get(&format!("{path}&step=1")).await;
    assert_eq!(fine.problem(), "too_many_steps");
    assert!(fine.json()["hint"].as_str().expect("a hint").contains("step=30s"), "{}", fine.text);
}

#[tokio::test]
async fn aggregates_put_the_devices_of_a_zone_together() {
    let city = City::new();
    city.clock.advance(Span::from_secs(1));
    city.commit(vec![
        city.reading("air-1", "pm25", 10.0),
        city.reading("air-2", "pm25", 30.0),
        city.at(city.reading("bus-1", "pm25", 20.0), 10.5, 50.5),
    ]);
    city.clock.advance(Span::from_secs(1));
    let all = city.ok("/api/v1/aggregates?metric=pm25&step=5m").await;
    assert_eq!((&all["devices"], &all["zone"]), (&json!(3), &Value::Null));
    assert_eq!(all["buckets"]["mean"], json!([20.0]));
    assert_eq!(all["step_s"], 300);
    let zone = city.ok("/api/v1/aggregates?metric=pm25&zone=old-town&step=300").await;
    assert_eq!((&zone["devices"], &zone["zone"]), (&json!(2), &json!("old-town")));
    assert_eq!(zone["buckets"]["max"], json!([20.0]));
    let kind = city.ok("/api/v1/aggregates?metric=pm25&kind=air_station&step=5m").await;
    assert_eq!(kind["buckets"]["count"], json!([2]));
}

#[tokio::test]
async fn a_track_is_a_line_with_times() {
    let city = City::new();
    let path = "/api/v1/track?device=bus-1";
    assert_eq!(city.ok(path).await["geometry"], Value::Null);
    for lon in [10.1, 10.2, 10.3] {
        city.commit(vec![city.at(city.reading("bus-1", "traffic_speed", 30.0), lon, 50.5)]);
        city.clock.advance(Span::from_secs(30));
    }
    let track = city.ok(path).await;
    assert_eq!(track["type"], "Feature");
    let line =
        json!({ "type": "LineString", "coordinates": [[10.1, 50.5], [10.2, 50.5], [10.3, 50.5]] });
    assert_eq!(track["geometry"], line);
    assert_eq!(track["properties"]["times"][1], (NOW + Span::from_secs(30)).to_string());
    assert_eq!(track["properties"]["truncated"], false);
}
