//! Receivers: how delivery is doing, and trying one.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use city_model::{Severity, Span};
use serde_json::{Value, json};

use super::fixture::{Answer, City, NOW, bare};
use crate::{ReceiverFailure, ReceiverReport, ReceiverRoute, ReceiverTrial, Role, TrialRefusal};

/// A receiver that is away for nine minutes.
pub(super) fn dead() -> ReceiverReport {
    let since = NOW - Span::from_mins(9);
    let failure =
        ReceiverFailure { at: NOW, message: "cannot reach it: connection refused".to_owned() };
    ReceiverReport {
        id: "duty-desk".to_owned(),
        r#type: "webhook".to_owned(),
        inside: false,
        ok: false,
        error: Some(failure.message.clone()),
        failing_since: Some(since),
        next_try_at: Some(NOW + Span::from_secs(40)),
        last_failure: Some(failure),
        last_delivery: Some(since - Span::from_hours(1)),
        waiting: 3,
        oldest_waiting_at: Some(since),
        given_up: 1,
        last_given_up: Some(ReceiverFailure { at: since, message: "it answered 400".to_owned() }),
        route: ReceiverRoute {
            severity: Severity::High,
            departments: vec!["environment".to_owned()],
            zones: Vec::new(),
            rules: vec!["pm25_high".to_owned(), "pm25_hihg".to_owned()],
            labels: BTreeMap::from([("team".to_owned(), vec!["air".to_owned()])]),
            device_kinds: Vec::new(),
            resolved: true,
        },
        unknown_rules: Vec::new(),
    }
}

async fn ask(city: &City, role: Role, method: Method, path: &str) -> Answer {
    let mut request = bare(method, path, None);
    let bearer = format!("Bearer {}", city.token(role)).parse().expect("a header");
    request.headers_mut().insert("authorization", bearer);
    city.send(request).await
}

#[tokio::test]
async fn operators_see_how_delivery_is_doing_and_which_rules_are_unknown() {
    let city = City::new();
    *city.desk.report.lock().expect("not poisoned") = vec![dead()];
    let answer = ask(&city, Role::Operator, Method::GET, "/api/v1/receivers").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let receiver = &answer.json()["items"][0];
    for (member, value) in [
        ("id", json!("duty-desk")),
        ("type", json!("webhook")),
        ("ok", json!(false)),
        ("error", json!("cannot reach it: connection refused")),
        ("failing_since", json!("2026-11-23T11:51:00Z")),
        ("next_try_at", json!("2026-11-23T12:00:40Z")),
        ("last_delivery", json!("2026-11-23T10:51:00Z")),
        ("waiting", json!(3)),
        ("oldest_waiting_at", json!("2026-11-23T11:51:00Z")),
        ("given_up", json!(1)),
        ("last_given_up", json!({"at": "2026-11-23T11:51:00Z", "message": "it answered 400"})),
        ("unknown_rules", json!(["pm25_hihg"])),
    ] {
        assert_eq!(receiver[member], value, "{member}");
    }
    assert_eq!(receiver["route"]["severity"], "high");
    assert_eq!(receiver["route"]["labels"], json!({"team": ["air"]}));

    let viewer = ask(&city, Role::Viewer, Method::GET, "/api/v1/receivers").await;
    assert_eq!((viewer.status.as_u16(), viewer.problem().as_str()), (403, "forbidden"));
}

#[tokio::test]
async fn engineers_try_a_receiver_and_are_told_what_came_of_it() {
    let city = City::new();
    let path = "/api/v1/receivers/duty-desk/test";
    let operator = ask(&city, Role::Operator, Method::POST, path).await;
    assert_eq!(operator.problem(), "forbidden");

    let trial = ReceiverTrial {
        taken: false,
        took_ms: 12,
        error: Some("it did not take the alert: it answered 401".to_owned()),
        hint: Some("check the secrets".to_owned()),
    };
    let wanted: Value = serde_json::to_value(&trial).expect("JSON");
    *city.desk.trial.lock().expect("not poisoned") = Some(Ok(trial));
    let answer = ask(&city, Role::Engineer, Method::POST, path).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, wanted));

    for (refusal, status, code) in [
        (TrialRefusal::Unknown, 404, "unknown_receiver"),
        (TrialRefusal::Inside, 409, "own_receiver"),
        (TrialRefusal::Busy, 503, "busy"),
    ] {
        *city.desk.trial.lock().expect("not poisoned") = Some(Err(refusal));
        let answer = ask(&city, Role::Engineer, Method::POST, path).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (status, code));
    }
}
