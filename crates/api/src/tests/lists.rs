//! Pages, orders, filters, fields and tags, the same for all lists.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use city_model::{AlertEventKind, Severity, Span};
use serde_json::{Value, json};

use super::fixture::{City, NOW, alert, event};

/// All items of a list in pages of one, by one of their members.
async fn walk(city: &City, path: &str, member: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let glue = if path.contains('?') { '&' } else { '?' };
    let first = format!("/api/v1/{path}{glue}limit=1");
    let mut next = first.clone();
    loop {
        let page = city.ok(&next).await;
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 1, "{next}");
        found.extend(items.iter().map(|item| item[member].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { return found };
        next = format!("{first}&cursor={cursor}");
        assert!(found.len() < 1_000, "{path} has no end");
    }
}

#[tokio::test]
async fn pages_of_one_hold_what_the_whole_list_holds() {
    let city = City::new();
    city.commit(vec![city.reading("air-1", "pm25", 1.0), city.reading("air-2", "no2", 2.0)]);
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    city.push(&event(1, AlertEventKind::Fired, alert("a-2", Severity::Low))).await;
    for (name, metric) in [("b", "pm25"), ("a", "no2")] {
        let body = json!({ "name": name, "metric": metric });
        let put = city.send(city.request(Method::PUT, "/api/v1/mappings", Some(&body))).await;
        assert_eq!(put.status, StatusCode::NO_CONTENT, "{}", put.text);
    }
    for (path, member, least) in [
        ("kinds", "id", 3),
        ("departments", "id", 3),
        ("metrics-catalogue", "id", 10),
        ("metrics", "id", 10),
        ("mappings", "name", 2),
        ("rules", "id", 1),
        ("rule-groups", "group", 1),
        ("rules?sort=-name", "id", 1),
        ("metrics?sort=-unit", "id", 10),
        ("mappings?sort=-metric", "name", 2),
        ("kinds?sort=-devices", "id", 3),
        ("departments?sort=-name", "id", 3),
        ("loss?by=device", "id", 2),
        ("loss?by=device&sort=-id", "id", 2),
        ("tokens", "id", 1),
        ("tokens?sort=note", "id", 1),
        ("users?sort=-last_login_at", "id", 0),
        ("credentials?sort=-name", "name", 0),
        ("devices", "id", 5),
        ("devices?sort=-last_seen_at", "id", 5),
        ("devices?sort=kind", "id", 5),
        ("last-values", "device", 2),
        ("readings/series", "device", 2),
        ("alerts?sort=oldest", "id", 2),
        ("alerts?sort=updated", "id", 2),
        ("alerts?sort=urgency", "id", 2),
        ("alert-log", "alert", 2),
        ("alert-log?sort=oldest", "alert", 2),
        ("audit-log?sort=oldest", "number", 2),
    ] {
        let whole = city.ok(&format!("/api/v1/{path}")).await;
        let whole = whole["items"].as_array().expect("items").iter();
        let whole: Vec<Value> = whole.map(|item| item[member].clone()).collect();
        assert!(whole.len() >= least, "{path}: {whole:?}");
        assert_eq!(walk(&city, path, member).await, whole, "{path}");
    }
}

async fn ids(city: &City, query: &str) -> Vec<String> {
    let page = city.ok(&format!("/api/v1/{query}")).await;
    let items = page["items"].as_array().expect("items").iter();
    items.map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn zones_come_in_parts_too() {
    let city = City::new();
    let whole = city.ok("/api/v1/zones").await;
    let features = whole["features"].as_array().expect("features");
    assert_eq!((features.len(), &whole["next_cursor"]), (2, &Value::Null));
    let first = city.ok("/api/v1/zones?limit=1").await;
    assert_eq!(first["features"], json!([features[0]]));
    let cursor = first["next_cursor"].as_str().expect("more");
    let second = city.ok(&format!("/api/v1/zones?limit=1&cursor={cursor}")).await;
    assert_eq!(
        (&second["features"], &second["next_cursor"]),
        (&json!([features[1]]), &Value::Null)
    );
    let named = city.ok("/api/v1/zones?q=harb").await;
    assert_eq!(named["features"][0]["properties"]["id"], "harbour");
    let layer = whole["features"][0]["properties"]["layer"].as_str().expect("a layer");
    let layers = city.ok(&format!("/api/v1/zones?layer=none,{layer}")).await;
    assert_eq!(layers["features"], whole["features"]);
    assert_eq!(city.ok("/api/v1/zones?layer=none").await["features"], json!([]));
}

#[tokio::test]
async fn devices_are_in_the_order_that_is_asked_for() {
    let city = City::new();
    city.commit(vec![city.reading("lamp/1", "lamp_on", true)]);
    city.clock.advance(Span::from_secs(1));
    city.commit(vec![city.reading("air-2", "pm25", 1.0)]);
    assert_eq!(
        ids(&city, "devices?sort=-id").await,
        ["old-1", "lamp/1", "bus-1", "air-2", "air-1"]
    );
    assert_eq!(
        ids(&city, "devices?sort=-last_seen_at").await,
        ["air-2", "lamp/1", "air-1", "bus-1", "old-1"]
    );
    assert_eq!(
        ids(&city, "devices?sort=-department").await,
        ["lamp/1", "old-1", "bus-1", "air-1", "air-2"],
        "equals by id"
    );
    let page = city.ok("/api/v1/devices?sort=name&limit=1").await;
    let cursor = page["next_cursor"].as_str().expect("more");
    let other = city.get(&format!("/api/v1/devices?sort=kind&cursor={cursor}")).await;
    assert_eq!(other.problem(), "bad_cursor");
    assert_eq!(city.get("/api/v1/devices?sort=colour").await.problem(), "bad_parameter");
}

#[tokio::test]
async fn lists_are_in_the_order_that_is_asked_for() {
    let city = City::new();
    assert_eq!(ids(&city, "kinds?sort=-id").await, ["street_light", "bus", "air_station"]);
    let by_devices = city.ok("/api/v1/kinds?sort=-devices").await;
    let counts: Vec<u64> = by_devices["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|kind| kind["devices"].as_u64().expect("a number"))
        .collect();
    assert!(counts.is_sorted_by(|a, b| a >= b), "{counts:?}");
    let zones = city.ok("/api/v1/zones?sort=-id").await;
    let first = &zones["features"][0]["properties"];
    assert_eq!(
        (&zones["features"].as_array().map(Vec::len), &first["id"]),
        (&Some(2), &json!("old-town"))
    );
    for (path, why) in [("kinds?sort=colour", "devices"), ("kinds?sort=ID", "member")] {
        let wrong = city.get(&format!("/api/v1/{path}")).await;
        assert_eq!(wrong.problem(), "bad_parameter");
        assert!(wrong.text.contains(why), "{}", wrong.text);
    }
    let page = city.ok("/api/v1/kinds?sort=id&limit=1").await;
    let cursor = page["next_cursor"].as_str().expect("more");
    let other = city.get(&format!("/api/v1/kinds?sort=-id&cursor={cursor}")).await;
    assert_eq!(other.problem(), "bad_cursor");
    for path in ["alert-log", "audit-log", "dead-letters"] {
        let wrong = city.get(&format!("/api/v1/{path}?sort=upside_down")).await;
        assert_eq!(wrong.problem(), "bad_parameter", "{path}");
    }
}

#[tokio::test]
async fn filters_take_several_values() {
    let city = City::new();
    assert_eq!(ids(&city, "devices?kind=bus,street_light").await, ["bus-1", "lamp/1", "old-1"]);
    assert_eq!(ids(&city, "devices?zone=old-town,harbour").await, ["air-1", "air-2"]);
    assert_eq!(ids(&city, "devices?life_cycle=retired,planned").await, ["old-1"]);
    assert_eq!(ids(&city, "devices?department=works,transport&kind=bus").await, ["bus-1"]);
    assert_eq!(ids(&city, "kinds?q=STREET").await, ["street_light"]);
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    let found = async |query: &str| ids(&city, &format!("alerts?{query}")).await.len();
    assert_eq!(found("device=air-9,air-1&rule=x,pm25_high&zone=harbour,old-town").await, 1);
    assert_eq!(found("department=environment&kind=air_station").await, 1);
    assert_eq!(found("department=works").await, 0);
    assert_eq!(found("kind=bus,lamp").await, 0);
}

#[tokio::test]
async fn fields_are_chosen_and_others_refused() {
    let city = City::new();
    let page = city.ok("/api/v1/devices?fields=id,status&kind=bus").await;
    assert_eq!(page["items"], json!([{ "id": "bus-1", "status": "never_seen" }]));
    assert_eq!((&page["total"], &page["next_cursor"]), (&json!(1), &Value::Null));
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    // One of the alert's own members, and one that the brain adds.
    let page = city.ok("/api/v1/alerts?fields=severity,state").await;
    assert_eq!(page["items"], json!([{ "severity": "high", "state": "firing" }]));
    let wrong = city.get("/api/v1/devices?fields=id,colour").await;
    assert_eq!(wrong.problem(), "bad_parameter");
    assert!(wrong.text.contains("life_cycle"), "{}", wrong.text);
}

#[tokio::test]
async fn late_readings_and_dead_letters_are_paged_and_filtered() {
    use city_rules::{LateDecision, LateReading};
    let city = City::new();
    for n in 0..3 {
        city.late_readings.push(LateReading {
            series: city.series("air-1", "pm25"),
            time: NOW - Span::from_hours(n),
            received: NOW,
            decision: LateDecision::Inserted { rules: 1 },
        });
        city.dead_letter(format!("{n}").as_bytes(), if n == 1 { "syntax" } else { "unit" });
    }
    assert_eq!(walk(&city, "late-readings", "time").await.len(), 3);
    assert_eq!(walk(&city, "late-readings?device=air-2,air-1&metric=pm25", "time").await.len(), 3);
    assert_eq!(walk(&city, "late-readings?metric=no2", "time").await.len(), 0);
    let letters = async |query: &str| {
        let all = walk(&city, &format!("dead-letters{query}"), "payload_text").await;
        all.iter().map(|text| text.as_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(letters("").await, ["2", "1", "0"]);
    assert_eq!(letters("?sort=oldest").await, ["0", "1", "2"]);
    assert_eq!(letters("?sort=oldest&reason=unit").await, ["0", "2"]);
    let times = walk(&city, "late-readings?sort=time", "time").await;
    assert!(times.is_sorted_by(|a, b| a.as_str() <= b.as_str()), "{times:?}");
    assert_eq!(letters("?reason=syntax").await, ["1"]);
    assert_eq!(letters("?reason=syntax,unit&source=mqtt").await, ["2", "1", "0"]);
    assert_eq!(letters("?q=BYTE").await.len(), 3);
    assert_eq!(letters("?source=http").await.len(), 0);
    assert_eq!(letters(&format!("?to={NOW}")).await.len(), 0);
    let reasons: BTreeSet<_> = walk(&city, "dead-letters?fields=reason", "reason")
        .await
        .into_iter()
        .map(|reason| reason.to_string())
        .collect();
    assert_eq!(reasons.len(), 2);
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let city = City::new();
    for path in
        ["kinds", "departments", "metrics-catalogue", "metrics", "mappings", "rules", "zones"]
    {
        let path = format!("/api/v1/{path}");
        let tag = city.get(&path).await.headers["etag"].clone();
        let again = |tag: &axum::http::HeaderValue| {
            let mut request = city.request(Method::GET, &path, None);
            request.headers_mut().insert("if-none-match", tag.clone());
            request
        };
        let answer = city.send(again(&tag)).await;
        assert_eq!((answer.status, &*answer.text), (StatusCode::NOT_MODIFIED, ""), "{path}");
        assert_eq!(answer.headers["etag"], tag, "{path}");
        let other = axum::http::HeaderValue::from_static("W/\"other\"");
        assert_eq!(city.send(again(&other)).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn nothing_is_forgotten_that_somebody_changed_meanwhile() {
    let city = City::new();
    let send = async |method: Method, path: &str, body: Option<&Value>, tag: Option<&str>| {
        let mut request = city.request(method, path, body);
        if let Some(tag) = tag {
            request.headers_mut().insert("if-match", tag.parse().expect("a header"));
        }
        city.send(request).await
    };
    let mapping = json!({ "name": "a", "metric": "pm25" });
    for (path, body, delete) in [
        ("/api/v1/departments/parks", json!({ "name": "Parks" }), ""),
        ("/api/v1/kinds/tram", json!({ "name": "Tram" }), ""),
        (
            "/api/v1/credentials/tram-1",
            json!({ "devices": null, "any_device": false, "publish": [] }),
            "",
        ),
        ("/api/v1/mappings", mapping, "?name=a"),
    ] {
        let put = send(Method::PUT, path, Some(&body), None).await;
        assert!(put.status.is_success(), "{path}: {}", put.text);
        let tag = city.get(path).await.headers["etag"].to_str().expect("text").to_owned();
        let wrong = send(Method::PUT, path, Some(&body), Some("\"wrong\"")).await;
        assert_eq!(wrong.problem(), "changed_meanwhile", "{path}");
        let delete = format!("{path}{delete}");
        let wrong = send(Method::DELETE, &delete, None, Some("\"wrong\"")).await;
        assert_eq!(wrong.problem(), "changed_meanwhile", "{path}");
        let gone = send(Method::DELETE, &delete, None, Some(&tag)).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT, "{path}: {}", gone.text);
    }
}

#[tokio::test]
async fn the_end_of_an_answer_in_pieces_can_be_asked_for_again() {
    use futures_util::StreamExt as _;
    let city = City::new();
    for path in ["/devices?format=ndjson", "/alerts?format=ndjson", "/audit-log?format=csv"] {
        let request = city.request(Method::GET, &format!("/api/v1{path}"), None);
        let mut pieces = city.open(request).await.into_body().into_data_stream();
        while let Some(piece) = pieces.next().await {
            piece.expect("a piece");
        }
        assert!(pieces.next().await.is_none(), "{path}");
    }
}
