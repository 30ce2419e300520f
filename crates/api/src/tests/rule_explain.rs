//! Why an alert fired, and why one did not.

use city_model::{AlertEventKind, Quality, Reading, Severity, Span, Timestamp};
use serde_json::json;

use super::fixture::{City, NOW, alert, event};

/// Half an hour of minutes at air-1, the last ten of them dusty.
fn commit_dust(city: &City) {
    let reading = |minute: i64| Reading {
        time: NOW - Span::from_mins(30 - minute),
        ..city.reading("air-1", "pm25", if minute >= 20 { 80.0 } else { 60.0 })
    };
    city.commit((0..=30).map(reading).collect());
}

fn before(minutes: i64) -> Timestamp {
    NOW - Span::from_mins(minutes)
}

#[tokio::test]
async fn an_explanation_says_what_decided_at_an_instant() {
    let city = City::new();
    commit_dust(&city);
    let path = "/api/v1/rules/pm25_high/explain?subject=air-1/pm25";
    let firing = city.ok(path).await;
    assert_eq!(firing["verdict"], "firing", "{firing}");
    assert_eq!(firing["since"], json!(before(5)), "{firing}");
    let sentence = firing["sentence"]["en"].as_str().expect("text");
    assert!(sentence.starts_with("Firing since ") && firing["sentence"]["zh"] != json!(sentence));
    assert_eq!((&firing["counts"]["judged"], &firing["readings"]), (&json!(31), &json!(31)));
    let first = &firing["steps"][0];
    assert_eq!(
        (&first["decision"], &first["value"], &first["limit"]),
        (&json!("judged"), &json!(60.0), &json!(75.0))
    );
    assert_eq!(first["reading"]["device"], "air-1");
    assert!(firing["caveats"].as_array().is_some_and(|caveats| caveats.len() >= 4), "{firing}");

    let pending = city.ok(&format!("{path}&at={}&limit=1", before(7))).await;
    assert_eq!((&pending["verdict"], &pending["until"]), (&json!("pending"), &json!(before(5))));
    assert_eq!(pending["steps"].as_array().map(Vec::len), Some(1), "{pending}");
    assert!(pending["steps_left_out"].as_u64() >= Some(20), "{pending}");
    let clear = city.ok(&format!("{path}&at={}", before(11))).await;
    assert_eq!(
        (&clear["verdict"], &clear["nearest_miss"]["value"]),
        (&json!("clear"), &json!(60.0))
    );
    // Nobody knows what comes.
    let later = city.ok(&format!("{path}&at={}", NOW + Span::from_mins(60))).await;
    assert_eq!(later["at"], json!(NOW));
}

#[tokio::test]
async fn what_did_not_count_and_what_is_not_selected_is_said() {
    let city = City::new();
    let bad = Reading { quality: Quality::Suspect, ..city.reading("air-1", "pm25", 900.0) };
    city.commit(vec![bad]);
    let path = "/api/v1/rules/pm25_high/explain";
    let unknown = city.ok(&format!("{path}?subject=air-1")).await;
    assert_eq!(
        (&unknown["verdict"], &unknown["untrusted"]["suspect"]),
        (&json!("unknown"), &json!(1))
    );
    let other = city.ok(&format!("{path}?subject=air-1/co")).await;
    assert_eq!(
        (&other["verdict"], &other["mismatches"][0]["part"]),
        (&json!("not_selected"), &json!("metric"))
    );
    for (path, code) in [
        ("/api/v1/rules/none/explain?subject=air-1", "unknown_rule"),
        ("/api/v1/rules/pm25_high/explain", "missing_parameter"),
        ("/api/v1/rules/pm25_high/explain?subject=nowhere", "bad_parameter"),
        ("/api/v1/alerts/none/explain", "unknown_alert"),
    ] {
        assert_eq!(city.get(path).await.problem(), code, "{path}");
    }
}

#[tokio::test]
async fn the_alert_that_really_was_stands_beside_it_with_its_log_and_silences() {
    let city = City::new();
    commit_dust(&city);
    city.push(&event(1, AlertEventKind::Fired, alert("a1", Severity::High))).await;
    let silence = json!({ "match": { "rule": ["pm25_high"] }, "reason": "works nearby",
        "ends_at": NOW + Span::from_mins(60) });
    let made = city.post("/api/v1/silences", &silence).await.json();
    let found = city.ok("/api/v1/alerts/a1/explain").await;
    assert_eq!((&found["rule"], &found["at"]), (&json!("pm25_high"), &json!(NOW)), "{found}");
    assert_eq!(found["alerts"][0]["id"], "a1", "{found}");
    assert_eq!(found["alerts"][0]["log"][0]["kind"], "fired", "{found}");
    assert_eq!(found["silences"][0]["id"], made["id"], "{found} {made}");
    assert_eq!(found["silences"][0]["reason"], "works nearby");
    let caveats = found["caveats"].to_string();
    assert!(caveats.contains("the alert is of version 0123456789ab"), "{caveats}");
    // Before the alert there was none, and nobody was silenced.
    let path = format!("/api/v1/rules/pm25_high/explain?subject=air-1&at={}", before(20));
    let early = city.ok(&path).await;
    assert_eq!((&early["alerts"], &early["silences"]), (&json!([]), &json!([])), "{early}");
}
