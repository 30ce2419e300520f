//! The alert list from outside.

use axum::http::StatusCode;
use city_model::{Alert, AlertEventKind, Severity, Span, Subject};
use serde_json::{Value, json};

use super::fixture::{City, NOW, alert, event};

fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item["id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn an_alert_fires_escalates_is_acknowledged_and_ends() {
    let city = City::new();
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    let item = city.ok("/api/v1/alerts").await["items"][0].clone();
    assert_eq!(item["state"], "firing");
    assert_eq!(item["acknowledged"], Value::Null);
    assert_eq!(item["device_name"], json!({ "en": "Market Square", "zh": "集市广场" }));
    assert_eq!(item["zone_names"], json!([{ "en": "Old Town", "zh": "老城" }]));
    assert_eq!(item["subject"], json!({ "type": "series", "device": "air-1", "metric": "pm25" }));
    assert_eq!((&item["events"], &item["updated_at"]), (&json!(1), &json!(NOW.to_string())));

    city.push(&event(2, AlertEventKind::Escalated, alert("a-1", Severity::Critical))).await;
    city.clock.advance(Span::from_secs(90));
    let note = json!({ "note": " On my way " });
    let acknowledged = city.post("/api/v1/alerts/a-1/acknowledge", &note).await.json();
    let expected =
        json!({ "by": "ada", "at": (NOW + Span::from_secs(90)).to_string(), "note": "On my way" });
    assert_eq!(acknowledged["acknowledged"], expected);
    assert_eq!(acknowledged["severity"], "critical");
    city.push(&event(3, AlertEventKind::Resolved, alert("a-1", Severity::Critical))).await;

    let detail = city.ok("/api/v1/alerts/a-1").await;
    assert_eq!(detail["state"], "resolved");
    assert_eq!(detail["acknowledged"], expected, "who knew stays on record");
    let log: Vec<_> = detail["log"]
        .as_array()
        .expect("a log")
        .iter()
        .map(|entry| (entry["seq"].clone(), entry["kind"].clone(), entry["by"].clone()))
        .collect();
    let expected = [
        (json!(1), json!("fired"), json!("engine")),
        (json!(2), json!("escalated"), json!("engine")),
        (json!(3), json!("acknowledged"), json!("ada")),
        (json!(4), json!("resolved"), json!("engine")),
    ];
    assert_eq!(log, expected);
    assert_eq!(detail["log"][1]["severity"], "critical");
}

#[tokio::test]
async fn acknowledging_twice_or_too_late_is_a_conflict_that_says_why() {
    let city = City::new();
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    city.push(&event(1, AlertEventKind::Fired, alert("a-2", Severity::High))).await;
    city.push(&event(2, AlertEventKind::Resolved, alert("a-2", Severity::High))).await;
    let first = city.post("/api/v1/alerts/a-1/acknowledge", &json!({})).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    let second = city.post("/api/v1/alerts/a-1/acknowledge", &json!({})).await;
    assert_eq!(
        (second.status, second.problem().as_str()),
        (StatusCode::CONFLICT, "already_acknowledged")
    );
    assert_eq!(second.json()["acknowledged"]["by"], "ada");
    assert_eq!(second.json()["acknowledged"]["at"], NOW.to_string());
    let late = city.post("/api/v1/alerts/a-2/acknowledge", &json!({})).await;
    assert_eq!((late.status, late.problem().as_str()), (StatusCode::CONFLICT, "already_resolved"));
    let none = city.post("/api/v1/alerts/x/acknowledge", &json!({})).await;
    assert_eq!(none.problem(), "unknown_alert");
}

#[tokio::test]
async fn notes_are_kept_with_who_and_when() {
    let city = City::new();
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::Low))).await;
    city.clock.advance(Span::from_secs(5));
    let item = city.post("/api/v1/alerts/a-1/notes", &json!({ "note": "已派人" })).await.json();
    assert_eq!(item["updated_at"], (NOW + Span::from_secs(5)).to_string());
    assert_eq!(item["events"], 1, "people are not engines");
    let detail = city.ok("/api/v1/alerts/a-1").await;
    let expected = json!({ "seq": 2, "at": (NOW + Span::from_secs(5)).to_string(), "kind": "noted",
        "by": "ada", "note": "已派人", "severity": null, "value": null, "about": null,
        "reason": null });
    assert_eq!(detail["log"][1], expected);
    for bad in ["  ".to_owned(), "x".repeat(2_001)] {
        let answer = city.post("/api/v1/alerts/a-1/notes", &json!({ "note": bad })).await;
        assert_eq!(answer.problem(), "bad_body");
    }
}

#[tokio::test]
async fn a_key_that_does_not_fit_its_event_is_refused() {
    let city = City::new();
    let good = event(1, AlertEventKind::Fired, alert("a-1", Severity::Low));
    let bad = city_model::AlertEvent { key: "a-1/2".to_owned(), ..good.clone() };
    let body = serde_json::to_value(&bad).expect("JSON");
    assert_eq!(city.post("/api/v1/alert-events", &body).await.problem(), "bad_idempotency_key");

    let body = serde_json::to_value(&good).expect("JSON");
    for (header, status) in [("a-1/9", 422), ("a-1/1", 204), ("a-1/1", 204)] {
        let mut request =
            city.request(axum::http::Method::POST, "/api/v1/alert-events", Some(&body));
        request.headers_mut().insert("idempotency-key", header.parse().expect("a header"));
        assert_eq!(city.send(request).await.status.as_u16(), status, "{header}");
    }
    assert_eq!(city.ok("/api/v1/alerts/a-1").await["events"], 1);
}

/// Four alerts: three of air-1, one of the harbour.
async fn four(city: &City) {
    let at = |id: &str, severity, minutes: i64| {
        let fired_at = NOW - Span::from_mins(minutes);
        Alert { fired_at, ..alert(id, severity) }
    };
    city.push(&event(1, AlertEventKind::Fired, at("old", Severity::Critical, 60))).await;
    city.push(&event(1, AlertEventKind::Fired, at("mid", Severity::Medium, 30))).await;
    city.push(&event(1, AlertEventKind::Fired, at("new", Severity::High, 1))).await;
    let mut zone = at("zone", Severity::Low, 10);
    zone.subject = Subject::Zone { zone: "harbour".into() };
    zone.zones = vec!["harbour".into()];
    zone.kind = None;
    zone.rule.id = "harbour_quiet".into();
    zone.summary = city_model::LocalText::new("The harbour is quiet", "港区 100% 安静");
    city.push(&event(1, AlertEventKind::Fired, zone)).await;
    city.post("/api/v1/alerts/old/acknowledge", &json!({})).await;
    city.push(&event(2, AlertEventKind::Resolved, at("mid", Severity::Medium, 30))).await;
}

#[tokio::test]
async fn alerts_are_filtered_and_counted() {
    let city = City::new();
    four(&city).await;
    for (query, expected) in [
        ("", vec!["new", "zone", "mid", "old"]),
        ("?state=firing", vec!["new", "zone", "old"]),
        ("?state=resolved", vec!["mid"]),
        ("?severity=high,critical", vec!["new", "old"]),
        ("?zone=harbour", vec!["zone"]),
        ("?device=air-1&state=firing", vec!["new", "old"]),
        ("?rule=harbour_quiet", vec!["zone"]),
        ("?acknowledged=true", vec!["old"]),
        ("?acknowledged=false&state=firing", vec!["new", "zone"]),
        ("?q=%E6%B8%AF%E5%8C%BA", vec!["zone"]),
        ("?q=100%25", vec!["zone"]),
        ("?q=DUST%20is%20high", vec!["new", "mid", "old"]),
        ("?q=_", vec!["new", "zone", "mid", "old"]),
        ("?q=__", vec![]),
        ("?from=2026-11-23T11:25:00Z&to=2026-11-23T11:55:00Z", vec!["zone", "mid"]),
        ("?sort=urgency", vec!["new", "zone", "old", "mid"]),
    ] {
        let page = city.ok(&format!("/api/v1/alerts{query}")).await;
        assert_eq!(ids(&page), expected, "{query}");
        let counts = json!({ "firing": 3, "unacknowledged": 2,
            "by_severity": { "critical": 1, "high": 1, "medium": 0, "low": 1 } });
        assert_eq!(page["counts"], counts, "{query}");
    }
}

#[tokio::test]
async fn pages_of_alerts_join_without_gaps_in_both_orders() {
    let city = City::new();
    four(&city).await;
    for (sort, expected) in
        [("newest", ["new", "zone", "mid", "old"]), ("urgency", ["new", "zone", "old", "mid"])]
    {
        let mut seen = Vec::new();
        let mut path = format!("/api/v1/alerts?limit=1&sort={sort}");
        loop {
            let page = city.ok(&path).await;
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/api/v1/alerts?limit=1&sort={sort}&cursor={cursor}");
        }
        assert_eq!(seen, expected, "{sort}");
    }
    let page = city.ok("/api/v1/alerts?limit=1&sort=newest").await;
    let cursor = page["next_cursor"].as_str().expect("more");
    let other = city.get(&format!("/api/v1/alerts?sort=urgency&cursor={cursor}")).await;
    assert_eq!(other.problem(), "bad_cursor");
}

#[tokio::test]
async fn the_list_survives_a_restart() {
    let city = City::new();
    four(&city).await;
    let before = city.ok("/api/v1/alerts").await;
    let again = City::with_state(city.state.clone(), NOW + Span::from_mins(10));
    assert_eq!(again.ok("/api/v1/alerts").await, before);
    assert_eq!(again.ok("/api/v1/devices/air-1").await["severity"], "critical");
    assert_eq!(again.ok("/api/v1/map").await["devices"]["severity"], json!([4, 0, 0, 0]));
}
