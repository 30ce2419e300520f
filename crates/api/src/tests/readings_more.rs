//! Several series at once, rankings, and readings that are deleted.

use axum::http::Method;
use city_model::{Reading, Span};
use serde_json::{Value, json};

use super::fixture::{Answer, City, NOW};

fn city() -> City {
    let city = City::new();
    let ago =
        |mins: i64, reading: Reading| Reading { time: NOW - Span::from_mins(mins), ..reading };
    city.commit(vec![
        ago(50, city.reading("air-1", "pm25", 10.0)),
        ago(40, city.reading("air-1", "pm25", 30.0)),
        ago(30, city.reading("air-1", "no2", 5.0)),
        ago(20, city.reading("air-2", "pm25", 25.0)),
        ago(10, city.at(city.reading("bus-1", "pm25", 40.0), 10.5, 50.5)),
        ago(90, city.reading("air-2", "pm25", 99.0)),
    ]);
    city
}

#[tokio::test]
async fn several_series_come_together() {
    let city = city();
    let page = city.ok("/api/v1/readings/series?metric=pm25,no2&zone=old-town&step=1h").await;
    let items = page["items"].as_array().expect("items");
    let mut found: Vec<_> =
        items.iter().map(|of| format!("{} {}", of["device"], of["metric"])).collect();
    found.sort_unstable();
    assert_eq!(found, [r#""air-1" "no2""#, r#""air-1" "pm25""#, r#""bus-1" "pm25""#]);
    let of_pm25 = items.iter().find(|of| of["metric"] == "pm25").expect("there");
    assert_eq!((&of_pm25["step_s"], &of_pm25["unit"]), (&json!(3_600), &json!("ug/m3")));
    assert_eq!(of_pm25["buckets"]["sum"], json!([40.0]));
    let raw = city.ok("/api/v1/readings/series?device=air-2&step=raw").await;
    assert_eq!(raw["items"][0]["raw"]["value"], json!([99.0, 25.0]));
    let many = city.get("/api/v1/readings/series?limit=101").await;
    assert_eq!(many.problem(), "bad_parameter");
}

#[tokio::test]
async fn devices_are_ranked_by_what_is_asked_for() {
    let city = city();
    let top = async |query: &str| {
        let top = city.ok(&format!("/api/v1/top?metric=pm25{query}")).await;
        let ranking = top["ranking"].as_array().expect("a ranking").clone();
        ranking.into_iter().map(|of| of["device"].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(top("").await, ["bus-1", "air-2", "air-1"]);
    assert_eq!(top("&by=count&limit=1").await, ["air-1"]);
    assert_eq!(top("&by=min").await, ["air-1", "air-2", "bus-1"]);
    assert_eq!(top("&zone=old-town&kind=air_station,lamp").await, ["air-1"]);
    let from = NOW - Span::from_hours(2);
    assert_eq!(top(&format!("&from={from}&by=max")).await[0], "air-2");
    let one = city.ok("/api/v1/top?metric=pm25&zone=old-town&by=last&limit=2").await;
    assert_eq!(
        one["ranking"][1],
        json!({ "device": "air-1", "name": { "en": "Market Square", "zh": "集市广场" }, "count": 2,
            "min": 10.0, "mean": 20.0, "max": 30.0, "sum": 40.0, "last": 30.0 })
    );
    assert_eq!(city.get("/api/v1/top?metric=x").await.problem(), "unknown_metric");
}

async fn delete(city: &City, query: &str) -> Answer {
    city.send(city.request(Method::DELETE, &format!("/api/v1/readings?{query}"), None)).await
}

#[tokio::test]
async fn readings_are_deleted_by_those_who_know_how_many() {
    let city = city();
    let range = format!("from={}&to={NOW}", NOW - Span::from_hours(1));
    let what = format!("device=air-1,bus-1&metric=pm25&{range}");
    let dry = delete(&city, &what).await;
    assert_eq!(dry.json(), json!({ "readings": 3, "deleted": false }));
    let left = || city.store.count(None, city_store::TimeRange::ALL).expect("countable");
    assert_eq!(left(), 6);
    let wrong = delete(&city, &format!("{what}&expect=2&why=nonsense")).await;
    assert_eq!(
        (wrong.problem().as_str(), &wrong.json()["readings"]),
        ("changed_meanwhile", &json!(3))
    );
    let silent = delete(&city, &format!("{what}&expect=3")).await;
    assert_eq!(silent.problem(), "bad_body");
    assert_eq!(left(), 6);
    let done = delete(&city, &format!("{what}&expect=3&why=nonsense")).await;
    assert_eq!(done.json(), json!({ "readings": 3, "deleted": true }));
    assert_eq!(left(), 3);
    let values = city.ok("/api/v1/readings?device=air-1&metric=no2").await;
    assert_eq!(values["raw"]["value"], json!([5.0]), "another metric stays");
    let all = delete(&city, &format!("device=air-1&{range}")).await;
    assert_eq!(all.json()["readings"], 1);
    for (query, problem) in [
        ("device=air-1", "missing_parameter"),
        ("metric=pm25", "missing_parameter"),
        (&*format!("device=nobody&{range}"), "unknown_device"),
        (&*format!("device=air-1&to={}&from={NOW}", NOW - Span::from_hours(1)), "bad_range"),
    ] {
        assert_eq!(delete(&city, query).await.problem(), problem, "{query}");
    }
}
