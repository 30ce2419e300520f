//! The audit log: what goes in, who reads it, and that no change goes by it.

use axum::http::{Method, StatusCode};
use city_audit::{Checker, from_json_line};
use city_model::{AlertEventKind, Severity, Span};
use city_store::StateError;
use serde_json::{Value, json};

use super::fixture::{City, alert, bare, event};
use super::owned::{grants, token};
use crate::Role;
use crate::audit::{NOT_CHANGES, action};
use crate::auth::policy::POLICIES;

impl City {
    /// The entries, oldest first.
    async fn entries(&self) -> Vec<Value> {
        let page = self.ok("/api/v1/audit-log?limit=1000").await;
        assert_eq!(page["next_cursor"], Value::Null);
        let mut items = page["items"].as_array().expect("items").clone();
        items.reverse();
        items
    }

    async fn last_entry(&self) -> Value {
        self.entries().await.pop().expect("an entry")
    }

    async fn done(&self, method: Method, path: &str, body: Option<&Value>) -> StatusCode {
        self.send(self.request(method, path, body)).await.status
    }

    fn sql(&self, sql: &str) {
        self.state.write(|tx| Ok::<_, StateError>(tx.execute_batch(sql)?)).expect("done");
    }
}

#[test]
fn every_route_that_changes_something_is_recorded_or_listed_with_a_reason() {
    for policy in POLICIES.iter().filter(|policy| policy.method != "GET") {
        let listed = NOT_CHANGES
            .iter()
            .any(|(method, path, _)| *method == policy.method && *path == policy.path);
        let recorded = action(policy.method, policy.path).is_some();
        assert!(recorded != listed, "{} {}", policy.method, policy.path);
    }
    for (method, path, why) in NOT_CHANGES {
        let known = POLICIES.iter().any(|p| p.method == *method && p.path == *path);
        assert!(known && !why.is_empty(), "{method} {path} is no route");
    }
}

#[tokio::test]
async fn a_change_is_recorded_with_who_what_when_where_before_and_after() {
    let city = City::new();
    let mut request = city.request(
        Method::PATCH,
        "/api/v1/devices/air-1",
        Some(&json!({ "name": "Fish Market", "interval": null })),
    );
    request.headers_mut().insert("x-forwarded-for", "192.0.2.7".parse().expect("a header"));
    assert_eq!(city.send(request).await.status, StatusCode::OK);
    let entry = city.last_entry().await;
    assert_eq!(
        (&entry["number"], &entry["at"], &entry["user"], &entry["via"], &entry["address"]),
        (
            &json!(1),
            &json!("2026-11-23T12:00:00Z"),
            &json!("ada"),
            &json!("token"),
            &json!("192.0.2.7")
        )
    );
    assert_eq!(
        (&entry["action"], &entry["target"], &entry["department"]),
        (&json!("patch_device"), &json!("air-1"), &json!("environment"))
    );
    assert_eq!((&entry["status"], &entry["outcome"]), (&json!(200), &json!("done")));
    assert_eq!(entry["before"]["name"]["en"], "Market Square");
    assert_eq!(entry["before"]["interval"], "1m");
    assert_eq!(entry["after"]["name"]["en"], "Fish Market");
    assert_eq!(entry["after"].get("interval"), None);
}

#[tokio::test]
async fn refusals_are_recorded_too_with_nothing_after() {
    let city = City::new();
    let viewer = format!("Bearer {}", city.token(Role::Viewer));
    let mut request = bare(Method::DELETE, "/api/v1/kinds/air_station", None);
    request.headers_mut().insert("authorization", viewer.parse().expect("a header"));
    assert_eq!(city.send(request).await.problem(), "forbidden");
    let request = bare(Method::DELETE, "/api/v1/kinds/air_station", None);
    assert_eq!(city.send(request).await.problem(), "unauthenticated");
    let conflict = city.done(Method::DELETE, "/api/v1/kinds/air_station", None).await;
    assert_eq!(conflict, StatusCode::CONFLICT);
    let entries = city.entries().await;
    let seen: Vec<_> = entries
        .iter()
        .map(|e| (e["user"].as_str(), e["via"].as_str(), e["outcome"].as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (Some("viewer"), Some("token"), Some("forbidden")),
            (None, Some("anonymous"), Some("unauthenticated")),
            (Some("ada"), Some("token"), Some("configured")),
        ]
    );
    assert!(entries.iter().all(|entry| entry["after"] == Value::Null), "{entries:?}");
    assert_eq!(entries[0]["target"], "air_station");
}

#[tokio::test]
async fn logins_and_logouts_are_recorded_and_guesses_only_so_often() {
    let city = City::new();
    let token = city.token(Role::Operator);
    let log_in = async |token: &str| {
        let body = json!({ "token": token });
        city.send(bare(Method::POST, "/api/v1/session", Some(&body))).await
    };
    let cookie = log_in(&token).await.headers["set-cookie"].to_str().expect("text").to_owned();
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let log_out = |csrf: bool| {
        let mut request = bare(Method::DELETE, "/api/v1/session", None);
        request.headers_mut().insert("cookie", cookie.parse().expect("a header"));
        if csrf {
            request.headers_mut().insert("x-citybrain-csrf", "1".parse().expect("a header"));
        }
        city.send(request)
    };
    assert_eq!(log_out(false).await.problem(), "csrf_header_missing");
    assert_eq!(log_out(true).await.status, StatusCode::NO_CONTENT);
    for _ in 0..25 {
        log_in("a guess that must not be kept").await;
    }
    city.clock.advance(Span::from_secs(61));
    log_in("a guess that must not be kept").await;
    let entries = city.entries().await;
    let said = |n: usize| {
        let entry = &entries[n];
        (
            entry["action"].as_str(),
            entry["user"].as_str(),
            entry["via"].as_str(),
            entry["outcome"].as_str(),
        )
    };
    assert_eq!(said(0), (Some("log_in"), Some("operator"), Some("session"), Some("done")));
    assert_eq!(
        said(1),
        (Some("log_out"), Some("operator"), Some("session"), Some("csrf_header_missing"))
    );
    assert_eq!(said(2), (Some("log_out"), Some("operator"), Some("session"), Some("done")));
    // Ten with the code bad_token, ten with too_many_attempts, one for the five beyond, one later.
    let times: Vec<_> = entries[3..].iter().map(|entry| entry["times"].as_u64()).collect();
    assert_eq!(times.iter().flatten().sum::<u64>(), 26);
    assert_eq!(times.len(), 10 + 10 + 1 + 1);
    assert!(!entries.iter().any(|entry| entry.to_string().contains("guess")));
    assert!(entries.iter().all(|entry| !entry.to_string().contains(&token)));
}

#[tokio::test]
async fn a_change_that_cannot_be_recorded_is_not_made() {
    let city = City::new();
    city.sql(
        "CREATE TRIGGER full BEFORE INSERT ON audit_begun
         BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
    );
    let answer = city.send(city.request(Method::DELETE, "/api/v1/devices/air-1", None)).await;
    assert_eq!(answer.problem(), "not_recorded");
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers["retry-after"], "30");
    city.ok("/api/v1/devices/air-1").await;
    city.sql("DROP TRIGGER full");
    assert_eq!(city.entries().await.len(), 1, "the refusal is recorded once it can be");
    assert_eq!(city.last_entry().await["outcome"], "not_recorded");
    assert!(city.ok("/api/v1/audit-log/verification").await["intact"] == true);
}

#[tokio::test]
async fn a_change_that_was_made_is_recorded_even_if_the_log_fails_in_between() {
    let city = City::new();
    city.sql(
        "CREATE TRIGGER full BEFORE INSERT ON audit_log
         BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
    );
    assert_eq!(
        city.done(Method::DELETE, "/api/v1/devices/air-1", None).await,
        StatusCode::NO_CONTENT,
        "what is so is said"
    );
    assert_eq!(
        city.done(Method::DELETE, "/api/v1/devices/air-2", None).await,
        StatusCode::SERVICE_UNAVAILABLE,
        "but nothing else before that is recorded"
    );
    city.sql("DROP TRIGGER full");
    assert_eq!(
        city.done(Method::DELETE, "/api/v1/devices/air-2", None).await,
        StatusCode::NO_CONTENT
    );
    let entries = city.entries().await;
    let seen: Vec<_> =
        entries.iter().map(|e| (e["target"].as_str(), e["outcome"].as_str())).collect();
    assert_eq!(
        seen,
        [
            (Some("air-1"), Some("done")),
            (Some("air-2"), Some("not_recorded")),
            (Some("air-2"), Some("done"))
        ]
    );
}

#[tokio::test]
async fn what_a_killed_server_had_begun_is_recorded_by_the_next_one() {
    let city = City::new();
    city.sql(
        "INSERT INTO audit_begun (process, at, user, via, address, action, target, department)
         VALUES (x'00', 1795435200000000, 'bo', 'session', '192.0.2.1', 'delete_device', 'air-9',
                 'environment')",
    );
    let again = City::with_state(city.state.clone(), super::fixture::NOW);
    let entry = again.last_entry().await;
    assert_eq!((&entry["user"], &entry["target"]), (&json!("bo"), &json!("air-9")));
    assert_eq!((&entry["outcome"], &entry["status"]), (&json!("unknown"), &Value::Null));
}

#[tokio::test]
async fn a_change_goes_on_and_is_recorded_when_its_client_goes_away() {
    let city = City::new();
    let path = "/api/v1/devices/air-1";
    let work = city.open(city.request(Method::DELETE, path, None));
    // Polled once, so that it has begun, and dropped.
    let mut work = Box::pin(work);
    assert!(futures_util::poll!(&mut work).is_pending());
    drop(work);
    let log = city.brain.app.audit.log().clone();
    while log.last().expect("read") == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(city.last_entry().await["outcome"], "done");
    assert_eq!(city.get(path).await.problem(), "unknown_device");
}

#[tokio::test]
async fn secrets_do_not_stand_in_the_log() {
    let city = City::new();
    let password = "correct horse battery staple";
    let put = json!({ "password": password, "note": "the pump" });
    let path = "/api/v1/credentials/air-1/password";
    assert_eq!(city.done(Method::PUT, path, Some(&put)).await, StatusCode::OK);
    let made = city.post("/api/v1/credentials/air-1/tokens", &json!({ "note": "n" })).await.json();
    let command =
        json!({ "name": "set", "payload": json!({ "wifi_password": password }).to_string() });
    city.post("/api/v1/devices/air-1/commands", &command).await;
    city.done(Method::DELETE, "/api/v1/credentials/air-1", None).await;
    let all = json!(city.entries().await).to_string();
    assert!(all.contains("the pump") && all.contains("wifi_password"), "{all}");
    let token = made["token"].as_str().expect("a token");
    assert!(!all.contains(password) && !all.contains(token), "{all}");
}

#[tokio::test]
async fn imports_are_recorded_when_they_are_done_and_trials_are_not() {
    let city = City::new();
    let list = json!([{ "id": "new-1", "kind": "lamp", "department": "works" }]);
    let send = async |query: &str, accept: &'static str| {
        let path = format!("/api/v1/devices/import{query}");
        let mut request = city.request(Method::POST, &path, Some(&list));
        request.headers_mut().insert("accept", accept.parse().expect("a header"));
        city.send(request).await.status
    };
    assert_eq!(send("?check=true", "application/json").await, StatusCode::OK);
    assert_eq!(send("?check=true", "application/x-ndjson").await, StatusCode::OK);
    assert_eq!(city.entries().await.len(), 0);
    assert_eq!(send("", "application/x-ndjson").await, StatusCode::OK);
    let entry = city.last_entry().await;
    assert_eq!((&entry["outcome"], &entry["after"]["added"]), (&json!("done"), &json!(1)));
    assert_eq!(send("", "application/json").await, StatusCode::OK);
    assert_eq!(city.last_entry().await["after"]["unchanged"], 1);
}

#[tokio::test]
async fn what_people_do_with_alerts_is_recorded_before_and_after() {
    let city = City::new();
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    assert_eq!(city.entries().await.len(), 0, "what engines find is not a change by somebody");
    city.post("/api/v1/alerts/a-1/acknowledge", &json!({ "note": "on my way" })).await;
    let entry = city.last_entry().await;
    assert_eq!((&entry["target"], &entry["department"]), (&json!("a-1"), &json!("environment")));
    assert_eq!(entry["before"]["acknowledged"], Value::Null);
    assert_eq!(entry["after"]["acknowledged"]["note"], "on my way");
    let again = city.post("/api/v1/alerts/a-1/acknowledge", &json!({})).await;
    assert_eq!(again.problem(), "already_acknowledged");
    assert_eq!(city.last_entry().await["outcome"], "already_acknowledged");
}

#[tokio::test]
async fn the_log_is_searched_paged_exported_and_checked() {
    let city = City::new();
    for n in 0..5 {
        let name = json!({ "name": format!("=cmd|{n}") });
        city.done(Method::PUT, &format!("/api/v1/departments/d{n}"), Some(&name)).await;
    }
    let found = city.ok("/api/v1/audit-log?q=D3&action=put_department").await;
    assert_eq!(found["items"].as_array().expect("items").len(), 1);
    let first = city.ok("/api/v1/audit-log?limit=2").await;
    let cursor = first["next_cursor"].as_str().expect("more");
    let next = city.ok(&format!("/api/v1/audit-log?limit=2&cursor={cursor}")).await;
    assert_eq!((&first["items"][1]["number"], &next["items"][0]["number"]), (&json!(4), &json!(3)));

    let csv = city.get("/api/v1/audit-log?format=csv").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8; header=present");
    assert_eq!(csv.headers["content-disposition"], "attachment; filename=\"audit-log.csv\"");
    assert_eq!(csv.text.lines().count(), 6);
    let mut request = city.request(Method::GET, "/api/v1/audit-log", None);
    let accept = "text/html, application/x-ndjson;q=0.9".parse().expect("a header");
    request.headers_mut().insert("accept", accept);
    let lines = city.send(request).await;
    assert_eq!(lines.headers["content-type"], "application/x-ndjson");
    let mut checker = Checker::whole();
    for line in lines.text.lines() {
        checker.check(&from_json_line(line).expect("an entry")).expect("intact");
    }
    assert_eq!(checker.count(), 5);

    let good = city.ok("/api/v1/audit-log/verification").await;
    assert_eq!(
        (&good["entries"], &good["intact"], &good["broken_at"]),
        (&json!(5), &json!(true), &Value::Null)
    );
    city.sql(
        "DROP TRIGGER audit_log_never_changes; UPDATE audit_log SET user = 'eve' WHERE number = 2;
         CREATE TRIGGER audit_log_never_changes BEFORE UPDATE ON audit_log BEGIN SELECT 1; END;",
    );
    let bad = city.ok("/api/v1/audit-log/verification").await;
    assert_eq!(
        (&bad["intact"], &bad["broken_at"], &bad["broken"]),
        (&json!(false), &json!(2), &json!("changed"))
    );
}

#[tokio::test]
async fn only_administrators_read_the_log() {
    let city = City::new();
    for path in
        ["/api/v1/audit-log", "/api/v1/audit-log?format=csv", "/api/v1/audit-log/verification"]
    {
        for role in [Role::Viewer, Role::Operator, Role::Engineer, Role::Engine] {
            let mut request = bare(Method::GET, path, None);
            let bearer = format!("Bearer {}", city.token(role)).parse().expect("a header");
            request.headers_mut().insert("authorization", bearer);
            assert_eq!(city.send(request).await.problem(), "forbidden", "{path} {role}");
        }
        assert_eq!(city.get(path).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn administrators_of_departments_see_what_concerns_these_and_nothing_else() {
    let city = City::new();
    for device in ["air-1", "lamp%2F1", "bus-1"] {
        let path = format!("/api/v1/devices/{device}");
        assert_eq!(city.done(Method::DELETE, &path, None).await, StatusCode::NO_CONTENT);
    }
    let user = json!({ "name": "Bo", "grants": [{ "department": "works", "role": "viewer" }],
        "enabled": true, "password": "violet-harbour-tram-91" });
    assert_eq!(city.done(Method::PUT, "/api/v1/users/bo", Some(&user)).await, StatusCode::CREATED);
    let grants = grants(&[("works", Role::Admin), ("environment", Role::Viewer)]);
    let bearer = format!("Bearer {}", token(&city, grants));
    for (path, own) in [
        ("/api/v1/audit-log", 2),
        ("/api/v1/audit-log?department=environment", 0),
        ("/api/v1/audit-log?format=jsonl", 2),
    ] {
        let mut request = bare(Method::GET, path, None);
        request.headers_mut().insert("authorization", bearer.parse().expect("a header"));
        let answer = city.send(request).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert!(!answer.text.contains("air-1") && !answer.text.contains("bus-1"), "{path}");
        assert_eq!(answer.text.matches("\"hash\"").count(), own, "{path}: {}", answer.text);
    }
    assert!(!json!(city.entries().await).to_string().contains("violet-harbour"));
}
