//! Silences from outside: what they do to the list, what they count, what is left of them.

use axum::http::{Method, StatusCode};
use city_model::{AlertEventKind, Severity, Span, Timestamp};
use city_rules::lifecycle::{InhibitRule, Silencing as _};
use city_store::StateDb;
use serde_json::{Value, json};

use super::fixture::{City, NOW, alert, event};

fn later(minutes: i64) -> Timestamp {
    NOW + Span::from_mins(minutes)
}

/// Silences air-1 until so many minutes after [`NOW`].
async fn silence(city: &City, minutes: i64) -> String {
    let body = json!({ "match": { "device": ["air-1"] }, "reason": "Calibration",
        "ends_at": later(minutes).to_string() });
    let answer = city.post("/api/v1/silences", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer.json()["id"].as_str().expect("an id").to_owned()
}

async fn fire(city: &City, id: &str) {
    city.push(&event(1, AlertEventKind::Fired, alert(id, Severity::High))).await;
}

async fn resolve(city: &City, id: &str) {
    city.push(&event(2, AlertEventKind::Resolved, alert(id, Severity::High))).await;
}

/// What stands in an alert's log of silences and inhibitions: kind and about.
async fn marks(city: &City, id: &str) -> Vec<(String, String)> {
    let detail = city.ok(&format!("/api/v1/alerts/{id}")).await;
    let log = detail["log"].as_array().expect("a log").clone();
    let line = |entry: &Value| {
        let text = |name: &str| entry[name].as_str().map(str::to_owned);
        Some((text("kind")?, text("about")?))
    };
    log.iter().filter_map(line).collect()
}

fn pass(city: &City, minutes: i64) {
    city.clock.advance(Span::from_mins(minutes));
    city.brain.app.alerts.tick().expect("done");
}

#[tokio::test]
async fn a_silenced_alert_stands_in_the_list_marked_until_the_silence_ends() {
    let city = City::new();
    fire(&city, "before").await;
    let id = silence(&city, 60).await;
    fire(&city, "under").await;
    for alert in ["before", "under"] {
        let shown = city.ok(&format!("/api/v1/alerts/{alert}")).await;
        assert_eq!(shown["state"], "firing");
        assert_eq!(shown["silenced_by"], json!([id]), "{alert}");
        assert_eq!(marks(&city, alert).await, [("silenced".to_owned(), id.clone())], "{alert}");
    }
    let shown = city.ok(&format!("/api/v1/silences/{id}")).await;
    let expected = json!({ "id": id, "state": "active", "owner": "ada", "reason": "Calibration",
        "match": { "rule": [], "subject": [], "device": ["air-1"], "zone": [], "department": [],
            "labels": {}, "severity_at_most": null, "severity_at_least": null },
        "created_at": NOW.to_string(), "starts_at": NOW.to_string(),
        "ends_at": later(60).to_string(), "next_change_at": later(60).to_string(),
        "weekly": null, "expires_soon": true, "ended": null, "hid": 2, "unsaid": 0 });
    assert_eq!(shown, expected);

    resolve(&city, "under").await;
    fire(&city, "again").await;
    pass(&city, 60);
    resolve(&city, "again").await;
    let shown = city.ok(&format!("/api/v1/silences/{id}")).await;
    assert_eq!(
        (&shown["state"], &shown["hid"], &shown["unsaid"]),
        (&json!("expired"), &json!(3), &json!(1)),
        "one came and went: {shown}"
    );
    assert_eq!(city.ok("/api/v1/alerts/before").await["silenced_by"], json!([]));
    let unsilenced = ("unsilenced".to_owned(), id.clone());
    assert!(marks(&city, "before").await.contains(&unsilenced));
    assert_eq!(
        city.ok("/api/v1/alerts/under").await["silenced_by"],
        json!([id]),
        "as it was when it ended"
    );
}

#[tokio::test]
async fn a_silence_can_be_ended_and_survives_a_restart() {
    let city = City::new();
    fire(&city, "a").await;
    let (one, two) = (silence(&city, 600).await, silence(&city, 700).await);
    city.clock.advance(Span::from_mins(1));
    let path = format!("/api/v1/silences/{one}/end");
    let mut stale = city.request(Method::POST, &path, Some(&json!({})));
    stale.headers_mut().insert("if-match", "\"1\"".parse().expect("a header"));
    assert_eq!(city.send(stale).await.problem(), "changed_meanwhile");
    let ended = city.post(&path, &json!({ "reason": "Done" })).await.json();
    assert_eq!(ended["state"], "expired");
    let expected = json!({ "by": "ada", "at": later(1).to_string(), "reason": "Done" });
    assert_eq!(ended["ended"], expected);
    assert_eq!(city.post(&path, &json!({})).await.problem(), "silence_over");
    assert_eq!(city.ok("/api/v1/alerts/a").await["silenced_by"], json!([two]), "at once");
    assert_eq!(city.post("/api/v1/silences/x/end", &json!({})).await.problem(), "unknown_silence");

    let again = City::with_state(city.state.clone(), later(2));
    assert_eq!(again.ok("/api/v1/alerts/a").await["silenced_by"], json!([two]));
    let current = again.brain.app.silences.current();
    assert_eq!(current.silences.len(), 1, "what is over is not asked any more");
    assert!(current.holds(&alert("new", Severity::Low), later(2)));
    let late = City::with_state(city.state.clone(), later(701));
    assert_eq!(late.ok("/api/v1/alerts/a").await["silenced_by"], json!([]), "over meanwhile");
}

#[tokio::test]
async fn silences_are_listed_by_state_page_by_page() {
    let city = City::new();
    let soon = silence(&city, 1).await;
    let body = json!({ "match": { "severity_at_most": "low" }, "reason": "Nights",
        "starts_at": NOW.to_string(), "ends_at": (NOW + Span::from_hours(24 * 90)).to_string(),
        "weekly": { "time_zone": "Europe/Copenhagen",
            "spans": [{ "days": ["mon"], "from": "22:00", "to": "06:00" }] } });
    city.clock.advance(Span::from_secs(1));
    let nights = city.post("/api/v1/silences", &body).await.json();
    assert_eq!(nights["state"], "pending", "it is Monday noon: {nights}");
    assert_eq!(nights["next_change_at"], "2026-11-23T21:00:00Z");
    assert_eq!(nights["expires_soon"], false);
    city.clock.advance(Span::from_secs(1));
    let active = silence(&city, 600).await;
    pass(&city, 1);
    let nights = nights["id"].as_str().expect("an id");
    for (query, expected) in [
        ("", vec![active.as_str(), nights, soon.as_str()]),
        ("?state=active", vec![active.as_str()]),
        ("?state=pending", vec![nights]),
        ("?state=expired", vec![soon.as_str()]),
    ] {
        let page = city.ok(&format!("/api/v1/silences{query}")).await;
        let items = page["items"].as_array().expect("items").clone();
        let ids: Vec<_> = items.iter().map(|item| item["id"].as_str().expect("an id")).collect();
        assert_eq!(ids, expected, "{query}");
    }
    let mut seen = Vec::new();
    let mut path = "/api/v1/silences?limit=1".to_owned();
    loop {
        let page = city.ok(&path).await;
        seen.push(page["items"][0]["id"].as_str().expect("an id").to_owned());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/silences?limit=1&cursor={cursor}");
    }
    assert_eq!(seen, [active, nights.to_owned(), soon]);
}

#[tokio::test]
async fn a_silence_needs_a_reason_an_end_and_something_to_match() {
    let city = City::new();
    let good = json!({ "match": { "rule": "pm25_high" }, "reason": "Test",
        "ends_at": later(5).to_string() });
    for (member, value, code) in [
        ("match", json!({}), "bad_silence"),
        ("match", json!({ "rule": "" }), "bad_silence"),
        ("match", json!({ "rules": "x" }), "bad_body"),
        ("reason", json!(" "), "bad_body"),
        ("reason", json!("x".repeat(2_001)), "bad_body"),
        ("ends_at", json!(NOW.to_string()), "bad_silence"),
        ("ends_at", json!((NOW + Span::from_hours(24 * 30 + 1)).to_string()), "bad_silence"),
        ("ends_at", Value::Null, "bad_body"),
        ("weekly", json!({ "time_zone": "Mars", "spans": [] }), "bad_body"),
        ("owner", json!("somebody else"), "bad_body"),
    ] {
        let mut body = good.clone();
        body[member] = value;
        let answer = city.post("/api/v1/silences", &body).await;
        assert_eq!(answer.problem(), code, "{body}");
    }
    assert_eq!(city.post("/api/v1/silences", &good).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn an_inhibited_alert_says_what_inhibits_it() {
    let rules: Vec<InhibitRule> = serde_json::from_value(json!([{
        "source": { "rule": "power_out" }, "target": { "rule": "pm25_high" }, "equal": ["zone"] }]))
    .expect("rules");
    let state = std::sync::Arc::new(StateDb::in_memory().expect("a database"));
    let city = City::inhibiting(state, NOW, rules.clone());
    fire(&city, "target").await;
    let mut source = alert("source", Severity::Critical);
    source.rule.id = "power_out".into();
    city.push(&event(1, AlertEventKind::Fired, source.clone())).await;
    assert_eq!(city.ok("/api/v1/alerts/target").await["inhibited_by"], json!(["source"]));
    assert_eq!(city.ok("/api/v1/alerts/source").await["inhibited_by"], json!([]));
    let city = City::inhibiting(city.state.clone(), NOW, rules);
    fire(&city, "second").await;
    assert_eq!(city.ok("/api/v1/alerts/second").await["inhibited_by"], json!(["source"]));
    city.push(&event(2, AlertEventKind::Resolved, source)).await;
    for id in ["target", "second"] {
        assert_eq!(city.ok(&format!("/api/v1/alerts/{id}")).await["inhibited_by"], json!([]));
        let log = marks(&city, id).await;
        let expected = ["inhibited", "uninhibited"].map(|k| (k.to_owned(), "source".to_owned()));
        assert_eq!(log, expected, "{id}");
    }
}
