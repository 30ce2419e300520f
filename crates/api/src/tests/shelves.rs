//! Shelving from outside.

use axum::http::StatusCode;
use city_model::{AlertEventKind, Severity, Span};
use city_rules::lifecycle::Silencing as _;
use serde_json::{Value, json};

use super::fixture::{City, NOW, alert, event};

#[tokio::test]
async fn a_shelved_alert_comes_back_by_itself_or_by_hand() {
    let city = City::new();
    city.push(&event(1, AlertEventKind::Fired, alert("a", Severity::High))).await;
    let until = NOW + Span::from_mins(30);
    let body = json!({ "until": until.to_string(), "reason": "Known; a part is on its way" });
    let shelved = city.post("/api/v1/alerts/a/shelve", &body).await.json();
    let expected = json!({ "by": "ada", "at": NOW.to_string(), "until": until.to_string(),
        "reason": "Known; a part is on its way" });
    assert_eq!(shelved["shelved"], expected);
    let again = city.post("/api/v1/alerts/a/shelve", &body).await;
    assert_eq!((again.status, again.problem().as_str()), (StatusCode::CONFLICT, "already_shelved"));
    assert_eq!(again.json()["shelved"]["by"], "ada");
    assert!(city.brain.app.silences.current().is_shelved("a", NOW), "who delivers knows");

    let restarted = City::with_state(city.state.clone(), NOW + Span::from_mins(1));
    assert!(restarted.brain.app.silences.current().is_shelved("a", NOW));
    restarted.clock.set(until - Span::from_micros(1));
    restarted.brain.app.alerts.tick().expect("done");
    assert_eq!(restarted.ok("/api/v1/alerts/a").await["shelved"], expected);
    restarted.clock.set(until + Span::from_secs(3));
    restarted.brain.app.alerts.tick().expect("done");
    let detail = restarted.ok("/api/v1/alerts/a").await;
    assert_eq!(detail["shelved"], Value::Null);
    let last = &detail["log"][2];
    assert_eq!((&last["kind"], &last["by"]), (&json!("unshelved"), &json!("brain")));
    assert_eq!(last["at"], until.to_string());

    let body = json!({ "until": (until + Span::from_hours(2)).to_string(), "reason": "Again" });
    restarted.post("/api/v1/alerts/a/shelve", &body).await;
    let back = restarted.post("/api/v1/alerts/a/unshelve", &json!({ "note": "Mended" })).await;
    assert_eq!(back.json()["shelved"], Value::Null);
    let twice = restarted.post("/api/v1/alerts/a/unshelve", &json!({})).await;
    assert_eq!(twice.problem(), "not_shelved");
    assert!(!restarted.brain.app.silences.current().is_shelved("a", until));
}

#[tokio::test]
async fn an_alert_that_ends_leaves_its_shelf_and_what_cannot_be_is_said() {
    let city = City::new();
    city.push(&event(1, AlertEventKind::Fired, alert("a", Severity::High))).await;
    let body = |until| json!({ "until": until, "reason": "Known" });
    for bad in [NOW, NOW + Span::from_hours(24) + Span::from_micros(1)] {
        let answer = city.post("/api/v1/alerts/a/shelve", &body(bad.to_string())).await;
        assert_eq!(answer.problem(), "bad_deadline");
    }
    let day = (NOW + Span::from_hours(24)).to_string();
    let silent = json!({ "until": day, "reason": "" });
    assert_eq!(city.post("/api/v1/alerts/a/shelve", &silent).await.problem(), "bad_body");
    assert_eq!(city.post("/api/v1/alerts/a/shelve", &body(day.clone())).await.status, 200);
    city.push(&event(2, AlertEventKind::Resolved, alert("a", Severity::High))).await;
    assert_eq!(city.ok("/api/v1/alerts/a").await["shelved"], Value::Null);
    assert!(city.brain.app.silences.current().shelves.is_empty());
    let late = city.post("/api/v1/alerts/a/shelve", &body(day)).await;
    assert_eq!(late.problem(), "already_resolved");
}
