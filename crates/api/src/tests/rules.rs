//! Rules as loaded.

use city_model::{AlertEventKind, Severity, Span};
use city_rules::{LateDecision, LateReading};
use serde_json::json;

use super::fixture::{City, NOW, alert, event};

#[tokio::test]
async fn a_rule_is_shown_as_loaded_with_how_many_of_its_alerts_fire() {
    let city = City::new();
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    let rule = city.ok("/api/v1/rules/pm25_high").await;
    assert_eq!(city.ok("/api/v1/rules").await["items"], json!([rule]));
    for (member, value) in [
        ("group", json!("air")),
        ("department", json!("environment")),
        ("name", json!({ "en": "Fine dust", "zh": "细颗粒物" })),
        ("kind", json!("threshold")),
        (
            "severities",
            json!([
                { "severity": "high", "limit": 75.0, "clear": 70.0, "for_s": 300.0 },
                { "severity": "critical", "limit": 150.0, "clear": 140.0, "for_s": 300.0 },
            ]),
        ),
        ("direction", json!("above")),
        ("for_s", json!(300.0)),
        ("keep_firing_for_s", json!(60.0)),
        (
            "select",
            json!({ "metric": ["pm25"], "kind": ["air_station"], "department": [], "zone": [],
                "device": [], "attributes": { "pole": ["P7"] } }),
        ),
        ("runbook", json!("https://example.org/dust")),
        ("labels", json!({ "team": "air" })),
        ("file", json!("air.yaml")),
        ("line", json!(4)),
        ("firing", json!(1)),
    ] {
        assert_eq!(rule[member], value, "{member}");
    }
    assert!(rule["text"].as_str().expect("text").contains("clear_below: 70"), "{rule}");
    assert_eq!(rule["version"].as_str().map(str::len), Some(12));
}

#[tokio::test]
async fn what_was_decided_about_late_readings_is_told_newest_first() {
    let city = City::new();
    let late = |minutes: i64, metric: &str, decision: LateDecision| {
        let reading = city.reading("air-1", metric, 1.0);
        let time = NOW - Span::from_mins(minutes);
        city.late_readings.push(LateReading {
            series: reading.series,
            time,
            received: NOW,
            decision,
        });
    };
    late(9, "pm25", LateDecision::Backfill { rule: "pm25_high".into(), rules: 2 });
    late(3, "no2", LateDecision::OutOfOrder { newest: NOW });
    late(2, "pm25", LateDecision::Inserted { rules: 1 });
    let all = city.ok("/api/v1/late-readings").await;
    let decisions: Vec<_> = all["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|item| item["decision"].clone())
        .collect();
    assert_eq!(decisions, ["inserted", "out_of_order", "backfill"]);
    let one = city.ok("/api/v1/late-readings?device=air-1&metric=pm25&limit=1").await;
    assert_eq!(
        one["items"],
        json!([{ "device": "air-1", "metric": "pm25", "time": NOW - Span::from_mins(2),
            "received": NOW, "decision": "inserted", "rule": null, "rules": 1, "newest": null }])
    );
    assert_eq!(city.ok("/api/v1/late-readings?device=bus-1").await["items"], json!([]));
    assert_eq!(all["items"][2]["rule"], json!("pm25_high"));
    assert_eq!(all["items"][1]["newest"], json!(NOW));
}
