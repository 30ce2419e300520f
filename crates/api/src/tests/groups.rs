//! Groups of alerts and floods from outside.

use city_model::{Alert, AlertEventKind, Severity, Span, Subject};
use city_registry::read_devices;
use serde_json::{Value, json};

use super::fixture::{City, NOW, alert, event};

async fn fire(city: &City, alert: Alert, secs: i64) {
    let mut event = event(1, AlertEventKind::Fired, alert);
    event.at = NOW + Span::from_secs(secs);
    event.alert.fired_at = event.at;
    city.push(&event).await;
}

#[tokio::test]
async fn what_fires_is_grouped_by_zone_and_cause() {
    let city = City::new();
    let devices = r#"[{"id":"gw","kind":"gateway","department":"works"},
        {"id":"noise-1","kind":"noise_meter","department":"environment","gateway":"gw",
         "position":{"lon":11.5,"lat":50.5}}]"#;
    city.registry.import(&read_devices("d", devices).expect("valid")).expect("imported");
    fire(&city, alert("a", Severity::Low), 0).await;
    fire(&city, alert("b", Severity::High), 10).await;
    let mut silent = alert("c", Severity::Medium);
    silent.subject = Subject::Device { device: "noise-1".into() };
    silent.rule.id = "silent".into();
    silent.zones = vec!["harbour".into()];
    fire(&city, silent, 20).await;
    let path = "/api/v1/alerts/groups";
    let groups = city.ok(path).await["items"].clone();
    assert_eq!(groups.as_array().map(Vec::len), Some(1), "{groups}");
    assert_eq!(groups[0]["groups"][1]["cause_id"], "silent");

    let mut dark = alert("dark", Severity::Medium);
    dark.subject = Subject::Device { device: "gw".into() };
    dark.rule.department = "works".into();
    dark.zones = vec![];
    fire(&city, dark, 30).await;
    city.post("/api/v1/alerts/a/acknowledge", &json!({})).await;
    let groups = city.ok(path).await["items"].clone();
    let expected = json!({ "position": "environment", "flood": null, "firing": 3, "groups": [
        { "zone": "old-town", "zone_name": { "en": "Old Town", "zh": "老城" }, "cause": "rule",
          "cause_id": "pm25_high", "cause_name": { "en": "Fine dust", "zh": "细颗粒物" },
          "firing": 2, "unacknowledged": 1, "severity": "high",
          "first_fired_at": NOW.to_string(),
          "last_fired_at": (NOW + Span::from_secs(10)).to_string(), "alerts": ["b", "a"] },
        { "zone": "harbour", "zone_name": { "en": "Harbour", "zh": "港区" }, "cause": "gateway",
          "cause_id": "gw", "cause_name": { "en": "gw", "zh": "gw" }, "firing": 1,
          "unacknowledged": 1, "severity": "medium",
          "first_fired_at": (NOW + Span::from_secs(20)).to_string(),
          "last_fired_at": (NOW + Span::from_secs(20)).to_string(), "alerts": ["c"] }] });
    assert_eq!(groups[0], expected);
    assert_eq!(
        (&groups[1]["position"], &groups[1]["groups"][0]["zone"]),
        (&json!("works"), &Value::Null)
    );
}

/// The kinds and values of the log's lines about floods, oldest first.
async fn floods(city: &City) -> Vec<(String, Value, String)> {
    let log = city.ok("/api/v1/alert-log?about=environment").await;
    let line = |line: &Value| {
        let text = |name: &str| line[name].as_str().expect("text").to_owned();
        (text("kind"), line["value"].clone(), text("at"))
    };
    log["items"].as_array().expect("items").iter().rev().map(line).collect()
}

#[tokio::test]
async fn a_flood_begins_and_ends_in_the_log_also_over_a_restart() {
    let city = City::new();
    let silence = json!({ "match": { "rule": "hushed" }, "reason": "Known",
        "ends_at": (NOW + Span::from_hours(1)).to_string() });
    city.post("/api/v1/silences", &silence).await;
    for n in 0..10 {
        fire(&city, alert(&format!("a-{n}"), Severity::Low), n).await;
        let mut hushed = alert(&format!("h-{n}"), Severity::Low);
        hushed.rule.id = "hushed".into();
        fire(&city, hushed, n).await;
    }
    assert_eq!(floods(&city).await, [], "what is silenced does not count");
    fire(&city, alert("a-10", Severity::Low), 20).await;
    let at = |secs| (NOW + Span::from_secs(secs)).to_string();
    let began = [("flood_began".to_owned(), Value::Null, at(20))];
    assert_eq!(floods(&city).await, began);
    let shown = city.ok("/api/v1/alerts/groups").await["items"][0]["flood"].clone();
    assert_eq!(shown, json!({ "since": at(20), "alerts": 11 }));

    let again = City::with_state(city.state.clone(), NOW + Span::from_mins(5));
    let shown = again.ok("/api/v1/alerts/groups").await["items"][0]["flood"].clone();
    assert_eq!(shown["since"], at(20));
    again.brain.app.alerts.tick().expect("done");
    assert_eq!(floods(&again).await, began, "neither again nor over");
    again.clock.set(NOW + Span::from_mins(11));
    again.brain.app.alerts.tick().expect("done");
    let log = floods(&again).await;
    assert_eq!((log.len(), log[1].0.as_str()), (2, "flood_ended"));
    let shown = again.ok("/api/v1/alerts/groups").await["items"][0]["flood"].clone();
    assert_eq!(shown, Value::Null);
}
