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
    let change = |from: &str, to: &str| {
        let mut files = city.rule_texts.0.lock().expect("not poisoned");
        files[0].1 = files[0].1.replace(from, to);
    };
    change("above: 75", "abvoe: 75");
    let answer = city.post("/api/v1/rules/reload", &json!({})).await;
    assert_eq!(answer.problem(), "bad_rules");
    let answer = answer.json();
    let detail = answer["detail"].as_str().expect("text");
    assert!(detail.contains("air.yaml:9:13"), "{detail}");
    assert_eq!(
        (&answer["problems"][0]["line"], &answer["problems"][0]["column"]),
        (&json!(9), &json!(13))
    );
    let problems = city.ok("/api/v1/system").await["rule_problems"].clone();
    assert!(problems[0].as_str().is_some_and(|text| text.contains("air.yaml:9:13")), "{problems}");
    change("abvoe: 75", "above: 74");
    let done = city.post("/api/v1/rules/reload", &json!({})).await.json();
    assert_eq!((&done["rules"], &done["changed"]), (&json!(1), &json!(["pm25_high"])), "{done}");
    assert_eq!(city.ok("/api/v1/system").await["rule_problems"], json!([]));
}

#[tokio::test]
async fn tests_of_rules_are_run_within_limits() {
    let city = City::new();
    let tests = |until: &str, values: &str| {
        format!(
            "rules: trial.yaml\ndevices: [{{id: a, kind: air_station, interval: 30s}}]\ntests:\n  - name: dust \
             raises\n    until: {until}\n    input: [{{series: pm25 of a, every: 10s, values: \"{values}\"}}]\n    \
             expect: [{{at: 10s, event: fired, subject: pm25 of a, severity: medium}}]\n"
        )
    };
    let run = async |tests: String, files: Value| {
        let tests = json!({ "name": "trial.test.yaml", "text": tests });
        city.post("/api/v1/rules/test", &json!({ "tests": tests, "files": files })).await.json()
    };
    let passed = run(tests("1m", "10 80"), files(RULES)).await;
    let expected = json!({ "ok": true, "passed": ["dust raises"], "failed": [], "problems": [] });
    assert_eq!(passed, expected);
    let failed = run(tests("1m", "10 20"), files(RULES)).await;
    assert_eq!((&failed["ok"], &failed["failed"]), (&json!(false), &json!(["dust raises"])));
    assert_eq!(failed["problems"][0]["file"], "trial.test.yaml", "{failed}");
    let alone = run(tests("1m", "10 80"), json!([])).await;
    let message = alone["problems"][0]["message"].as_str().expect("text");
    assert!(message.contains("was not sent along"), "{alone}");
    let long = run(tests("1m", "10x200001"), files(RULES)).await;
    let message = long["problems"][0]["message"].as_str().expect("text");
    assert!(message.contains("more readings than"), "{long}");
}
