//! Rules as loaded.

use city_model::{AlertEventKind, Severity};
use serde_json::json;

use super::fixture::{City, alert, event};

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
