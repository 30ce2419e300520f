//! Alerts on their way through hands, from outside; and the log that tells of it.

use axum::http::{Method, StatusCode};
use city_model::{AlertEventKind, Severity, Span, Subject};
use serde_json::{Value, json};

use super::fixture::{City, NOW, alert, bare, event};
use crate::Role;

/// Does something as somebody with the role of this name, who is called like it.
async fn as_role(city: &City, role: Role, path: &str, body: &Value) -> super::fixture::Answer {
    let mut request = bare(Method::POST, path, Some(body));
    let bearer = format!("Bearer {}", city.token(role)).parse().expect("a header");
    request.headers_mut().insert("authorization", bearer);
    city.send(request).await
}

fn until(minutes: i64) -> String {
    (NOW + Span::from_mins(minutes)).to_string()
}

async fn fired() -> City {
    let city = City::new();
    city.push(&event(1, AlertEventKind::Fired, alert("a", Severity::High))).await;
    city
}

fn pass(city: &City, minutes: i64) {
    city.clock.advance(Span::from_mins(minutes));
    city.brain.app.alerts.tick().expect("done");
}

#[tokio::test]
async fn an_alert_is_assigned_accepted_handed_over_and_returned() {
    let city = fired().await;
    let unassigned = json!({ "stage": "unassigned", "who": null, "department": null, "holder": null,
        "until": null, "overdue": false, "overdue_count": 0, "step": 0, "from": null });
    assert_eq!(city.ok("/api/v1/alerts/a").await["handling"], unassigned);

    let body = json!({ "who": "operator", "until": until(10), "note": "Please look" });
    let assigned = city.post("/api/v1/alerts/a/assign", &body).await.json();
    let mut expected = unassigned.clone();
    for (member, value) in
        [("stage", json!("assigned")), ("who", json!("operator")), ("until", json!(until(10)))]
    {
        expected[member] = value;
    }
    assert_eq!(assigned["handling"], expected);
    let other = city.post("/api/v1/alerts/a/accept", &json!({})).await;
    assert_eq!((other.status, other.problem().as_str()), (StatusCode::CONFLICT, "not_yours"));
    let accepted = as_role(&city, Role::Operator, "/api/v1/alerts/a/accept", &json!({})).await;
    assert_eq!(accepted.json()["handling"]["stage"], "accepted");

    let over = json!({ "department": "transport", "until": until(30) });
    let handed = as_role(&city, Role::Operator, "/api/v1/alerts/a/hand-over", &over).await.json();
    assert_eq!(handed["handling"]["department"], "transport");
    assert_eq!(
        (&handed["handling"]["step"], &handed["handling"]["from"]),
        (&json!(1), &json!("operator"))
    );
    assert_eq!(handed["handling"]["holder"], Value::Null, "it was asked, and has not answered");
    let back = json!({ "until": until(40), "note": "Not ours" });
    let back = city.post("/api/v1/alerts/a/return", &back).await.json();
    assert_eq!(
        (&back["handling"]["stage"], &back["handling"]["who"]),
        (&json!("assigned"), &json!("operator"))
    );

    let nowhere = json!({ "department": "magic", "until": until(30) });
    let nowhere = as_role(&city, Role::Operator, "/api/v1/alerts/a/hand-over", &nowhere).await;
    assert_eq!(nowhere.problem(), "unknown_department");
    let viewer = as_role(&city, Role::Viewer, "/api/v1/alerts/a/accept", &json!({})).await;
    assert_eq!(viewer.problem(), "forbidden");
    let log = city.ok("/api/v1/alert-log?alert=a").await;
    let lines: Vec<(&str, &str, Option<&str>)> = log["items"]
        .as_array()
        .expect("items")
        .iter()
        .rev()
        .map(|line| {
            let text = |name: &str| line[name].as_str();
            (text("kind").expect("a kind"), text("by").expect("who"), text("about"))
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("fired", "engine", None),
            ("assigned", "ada", Some("operator")),
            ("accepted", "operator", Some("operator")),
            ("handed_over", "operator", Some("transport")),
            ("returned", "ada", Some("operator")),
        ]
    );
}

#[tokio::test]
async fn nobody_takes_an_alert_from_somebody_unseen() {
    let city = fired().await;
    let body = json!({ "who": "bob", "until": until(10) });
    let path = "/api/v1/alerts/a/assign";
    let seen = city.get("/api/v1/alerts/a").await;
    let first = city.post(path, &body).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    let blind = city.post(path, &body).await;
    assert_eq!((blind.status, blind.problem().as_str()), (StatusCode::CONFLICT, "already_exists"));
    let assign = async |tag: &axum::http::HeaderValue| {
        let mut request = city.request(Method::POST, path, Some(&body));
        request.headers_mut().insert("if-match", tag.clone());
        city.send(request).await
    };
    let stale = assign(&seen.headers["etag"]).await;
    assert_eq!(stale.problem(), "changed_meanwhile");
    let now = city.get("/api/v1/alerts/a").await;
    assert_eq!(now.headers["etag"], first.headers["etag"]);
    assert_eq!(assign(&now.headers["etag"]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_missed_deadline_is_logged_and_told_outside_once_also_if_that_fails_at_first() {
    let city = fired().await;
    let body = json!({ "who": "bob", "until": until(10) });
    city.post("/api/v1/alerts/a/assign", &body).await;
    pass(&city, 9);
    assert!(city.told.events.lock().expect("not poisoned").is_empty());
    city.told.failing.store(true, std::sync::atomic::Ordering::Relaxed);
    pass(&city, 1);
    assert_eq!(city.ok("/api/v1/alerts/a").await["handling"]["overdue"], false, "not yet said");
    city.told.failing.store(false, std::sync::atomic::Ordering::Relaxed);
    pass(&city, 1);
    pass(&city, 1);
    let told = city.told.events.lock().expect("not poisoned").clone();
    assert_eq!(told.len(), 1, "once");
    assert_eq!((told[0].key.as_str(), told[0].kind), ("a/h1", AlertEventKind::Overdue));
    assert_eq!(told[0].at.to_string(), until(10));
    assert!(told[0].alert.summary.en.starts_with("bob should have accepted it by"));
    assert!(told[0].alert.summary.zh.starts_with("bob 应接受处置"));
    let detail = city.ok("/api/v1/alerts/a").await;
    assert_eq!(detail["handling"]["overdue"], true);
    let line = &detail["log"][2];
    assert_eq!((&line["kind"], &line["about"]), (&json!("overdue"), &json!("bob")));
    assert_eq!(line["at"], until(10));

    // Over a restart nothing is told again, and what is due after it is.
    let again = City::with_state(city.state.clone(), NOW + Span::from_mins(20));
    again.brain.app.alerts.tick().expect("done");
    assert!(again.told.events.lock().expect("not poisoned").is_empty());
    let body = json!({ "department": "works", "until": until(30) });
    again.post("/api/v1/alerts/a/hand-over", &body).await.problem();
    let mut take = again.request(
        Method::POST,
        "/api/v1/alerts/a/assign",
        Some(&json!({ "who": "ada", "until": until(30) })),
    );
    take.headers_mut().insert("if-match", "*".parse().expect("a header"));
    assert_eq!(again.send(take).await.status, StatusCode::OK);
    let late = City::with_state(again.state.clone(), NOW + Span::from_mins(31));
    late.brain.app.alerts.tick().expect("done");
    assert_eq!(late.told.events.lock().expect("not poisoned")[0].key, "a/h2");
}

#[tokio::test]
async fn an_alert_that_has_ended_is_nobodys_any_more() {
    let city = fired().await;
    city.post("/api/v1/alerts/a/assign", &json!({ "who": "bob", "until": until(10) })).await;
    city.push(&event(2, AlertEventKind::Resolved, alert("a", Severity::High))).await;
    pass(&city, 60);
    assert!(city.told.events.lock().expect("not poisoned").is_empty());
    assert_eq!(city.ok("/api/v1/alerts/a").await["handling"]["who"], "bob", "as it was");
    let late = city.post("/api/v1/alerts/a/accept", &json!({})).await;
    assert_eq!(late.problem(), "already_resolved");
    city.push(&event(3, AlertEventKind::Fired, alert("a", Severity::High))).await;
    assert_eq!(city.ok("/api/v1/alerts/a").await["handling"]["stage"], "unassigned");
    for (body, code) in [
        (json!({ "who": " ", "until": until(90) }), "bad_body"),
        (json!({ "who": "bob", "until": until(60) }), "bad_deadline"),
        (json!({ "who": "bob" }), "bad_body"),
    ] {
        assert_eq!(city.post("/api/v1/alerts/a/assign", &body).await.problem(), code, "{body}");
    }
}

#[tokio::test]
async fn the_list_shows_what_is_shelved_silenced_or_somebodys() {
    let city = fired().await;
    for id in ["b", "c"] {
        let mut other = alert(id, Severity::Low);
        other.rule.id = id.into();
        city.push(&event(1, AlertEventKind::Fired, other)).await;
    }
    let body = json!({ "until": until(60), "reason": "Known" });
    city.post("/api/v1/alerts/a/shelve", &body).await;
    let body = json!({ "match": { "rule": "b" }, "reason": "Known", "ends_at": until(60) });
    city.post("/api/v1/silences", &body).await;
    let body = json!({ "who": "bob", "until": until(60) });
    city.post("/api/v1/alerts/c/assign", &body).await;
    for (query, expected) in [
        ("shelved=true", vec!["a"]),
        ("shelved=false", vec!["c", "b"]),
        ("silenced=true", vec!["b"]),
        ("silenced=false", vec!["c", "a"]),
        ("who=bob", vec!["c"]),
        ("who=eve", vec![]),
    ] {
        let page = city.ok(&format!("/api/v1/alerts?{query}")).await;
        let items = page["items"].as_array().expect("items").clone();
        let ids: Vec<_> = items.iter().map(|item| item["id"].as_str().expect("an id")).collect();
        assert_eq!(ids, expected, "{query}");
    }
}

#[tokio::test]
async fn the_log_is_filtered_and_read_page_by_page() {
    let city = fired().await;
    let mut zone = alert("z", Severity::Low);
    zone.rule.id = "harbour_quiet".into();
    zone.rule.department = "port".into();
    zone.subject = Subject::Zone { zone: "harbour".into() };
    zone.zones = vec!["harbour".into()];
    city.clock.advance(Span::from_mins(2));
    city.push(&event(2, AlertEventKind::Fired, zone)).await;
    city.post("/api/v1/alerts/a/notes", &json!({ "note": "Hm" })).await;
    let silence = json!({ "match": { "rule": "x" }, "reason": "Y", "ends_at": until(60) });
    let silence = city.post("/api/v1/silences", &silence).await.json();
    let silence = silence["id"].as_str().expect("an id");
    for (query, expected) in [
        ("", vec!["noted", "silence_created", "fired", "fired"]),
        ("?alert=a", vec!["noted", "fired"]),
        ("?rule=harbour_quiet", vec!["fired"]),
        ("?device=air-1", vec!["noted", "fired"]),
        ("?zone=harbour", vec!["fired"]),
        ("?department=port", vec!["fired"]),
        ("?department=environment&who=engine", vec!["fired"]),
        ("?who=ada", vec!["noted", "silence_created"]),
        ("?kind=noted,silence_created", vec!["noted", "silence_created"]),
        ("?from=2026-11-23T12:02:00Z", vec!["noted", "silence_created"]),
        ("?to=2026-11-23T12:01:00Z", vec!["fired"]),
    ] {
        let page = city.ok(&format!("/api/v1/alert-log{query}")).await;
        let items = page["items"].as_array().expect("items").clone();
        let kinds: Vec<_> = items.iter().map(|item| item["kind"].as_str().expect("text")).collect();
        assert_eq!(kinds, expected, "{query}");
    }
    let about = city.ok(&format!("/api/v1/alert-log?about={silence}")).await;
    let line = &about["items"][0];
    assert_eq!(
        (&line["kind"], &line["alert"], &line["note"]),
        (&json!("silence_created"), &Value::Null, &json!("Y"))
    );

    let whole = city.ok("/api/v1/alert-log").await["items"].clone();
    let mut seen = Vec::new();
    let mut path = "/api/v1/alert-log?limit=1".to_owned();
    loop {
        let page = city.ok(&path).await;
        seen.extend(page["items"].as_array().expect("items").clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/v1/alert-log?limit=1&cursor={cursor}");
    }
    assert_eq!(Value::Array(seen), whole);
    assert_eq!(city.get("/api/v1/alert-log?kind=slept").await.problem(), "bad_parameter");
}
