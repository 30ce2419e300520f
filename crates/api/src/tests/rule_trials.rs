//! Rules that are not in force yet: checked, and tried on history.

use city_model::{Reading, Span};
use serde_json::{Value, json};

use super::fixture::{City, NOW};

const RULES: &str = "group: trial\ndepartment: environment\nrules:\n  - id: dust\n    kind: threshold\n    \
                     select: {metric: pm25}\n    severity: medium\n    raise: {above: 50}\n";

fn files(text: &str) -> Value {
    json!([{ "name": "trial.yaml", "text": text }])
}

/// An hour of minutes at air-1, with ten minutes of dust.
fn commit_dust(city: &City) {
    let reading = |minute: i64| Reading {
        time: NOW - Span::from_mins(60 - minute),
        ..city.reading("air-1", "pm25", if (30..40).contains(&minute) { 80.0 } else { 20.0 })
    };
    city.commit((0..60).map(reading).collect());
}

#[tokio::test]
async fn files_are_checked_with_the_place_of_every_problem() {
    let city = City::new();
    let good = city.post("/api/v1/rules/check", &json!({ "files": files(RULES) })).await.json();
    assert_eq!(good, json!({ "rules": 1, "problems": [], "not_judged": [] }));
    let own = RULES.replace("above: 50", "above: {attribute: no_such_limit}");
    let own = city.post("/api/v1/rules/check", &json!({ "files": files(&own) })).await.json();
    let found = &own["not_judged"][0];
    assert_eq!((&own["rules"], &found["rule"]), (&json!(1), &json!("dust")), "{own}");
    let first = found["first"].as_array().expect("a list");
    assert!(first.contains(&json!("air-1")), "{own}");
    assert_eq!(found["devices"], json!(first.len()), "{own}");
    let bad = RULES.replace("pm25", "pm52").replace("above", "abvoe");
    let bad = city.post("/api/v1/rules/check", &json!({ "files": files(&bad) })).await.json();
    let first = &bad["problems"][0];
    assert_eq!((&bad["rules"], &first["file"]), (&json!(0), &json!("trial.yaml")), "{bad}");
    assert_eq!((&first["rule"], &first["line"]), (&json!("dust"), &json!(8)), "{bad}");
    assert!(first["hint"].as_str().is_some_and(|hint| hint.contains("above")), "{bad}");
}

#[tokio::test]
async fn a_trial_says_what_would_have_fired_and_how_it_compares() {
    let city = City::new();
    commit_dust(&city);
    let incident = json!({ "name": "fire", "place": "air-1", "from": NOW - Span::from_mins(32),
        "to": NOW - Span::from_mins(25) });
    let body = json!({ "files": files(RULES), "compare": true, "operators": 2,
        "from": NOW - Span::from_mins(60), "to": NOW, "incidents": [incident] });
    let report = city.post("/api/v1/rules/backtest", &body).await.json();
    let alert = &report["alerts"][0];
    assert_eq!(report["alerts"].as_array().map(Vec::len), Some(1), "{report}");
    assert_eq!(alert["fired_at"], json!(NOW - Span::from_mins(30)), "{report}");
    assert_eq!(alert["resolved_at"], json!(NOW - Span::from_mins(20)), "{report}");
    assert_eq!(alert["subject"]["device"], "air-1");
    assert_eq!((&report["readings"], &report["load"]["alerts"]), (&json!(60), &json!(1)));
    assert_eq!(report["load"]["per_operator_day"], json!(12.0), "one an hour for two");
    assert_eq!(report["difference"]["only_here"], json!(1), "{report}");
    assert_eq!(report["incidents"]["recall"], json!(1.0), "{report}");
    assert_eq!(report["incidents"]["delay_s"], json!(120.0), "{report}");
    assert!(report["caveats"].as_array().is_some_and(|caveats| caveats.len() >= 4), "{report}");
}

#[tokio::test]
async fn what_cannot_be_tried_is_said_and_only_engineers_try() {
    let city = City::new();
    let post = async |body: Value| city.post("/api/v1/rules/backtest", &body).await;
    let bad = post(json!({ "files": files("rules: 5") })).await;
    assert_eq!(bad.problem(), "bad_rules");
    assert!(bad.json()["problems"][0]["line"].is_u64(), "{:?}", bad.json());
    assert_eq!(post(json!({ "only": ["nobody"] })).await.problem(), "unknown_rule");
    let turned = json!({ "from": NOW, "to": NOW - Span::from_mins(1) });
    assert_eq!(post(turned).await.problem(), "bad_range");
    assert_eq!(post(json!({ "form": NOW })).await.problem(), "bad_body");
}

#[tokio::test]
async fn rule_files_that_have_problems_change_nothing_and_say_why() {
    let city = City::new();
    let answer = city.post("/api/v1/rules/reload", &json!({})).await;
    assert_eq!(answer.problem(), "bad_rules");
    let detail = answer.json()["detail"].clone();
    assert!(detail.as_str().is_some_and(|detail| detail.contains("air.yaml:3:5")), "{detail}");
}
