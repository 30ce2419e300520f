//! The OpenAPI document, and what every answer has in common.

use axum::http::{Method, StatusCode};
use city_model::AlertEventKind;
use serde_json::{Value, json};

use super::fixture::{City, alert, bare, event};
use crate::openapi::JSON;

fn document() -> Value {
    serde_json::from_str(&JSON).expect("JSON")
}

/// `UPDATE_OPENAPI=1 cargo test -p city-api` writes the file anew.
#[test]
fn the_document_is_the_one_that_is_checked_in() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &*JSON).expect("written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == *JSON,
        "crates/api/openapi.json is not what the code says; run UPDATE_OPENAPI=1 cargo test -p city-api"
    );
}

#[test]
fn the_document_is_openapi_3_1_and_every_reference_leads_somewhere() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 50);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a local reference");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                references.push(reference.clone());
            }
            members.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[test]
fn every_call_is_named_described_and_has_its_problems() {
    let document = document();
    let mut names = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, call) in item.as_object().expect("an item") {
            let at = format!("{method} {path}");
            names.push(call["operationId"].as_str().expect("a name").to_owned());
            assert!(call["summary"].as_str().is_some_and(|s| !s.is_empty()), "{at}");
            let responses = call["responses"].as_object().expect("responses");
            assert!(responses.keys().any(|status| status.starts_with('2')), "{at}");
            for status in ["400", "401", "500", "503"] {
                let problem = &responses[status]["content"]["application/problem+json"];
                assert_eq!(problem["schema"]["$ref"], "#/components/schemas/Problem", "{at}");
            }
            for parameter in call["parameters"].as_array().into_iter().flatten() {
                let described = parameter["description"].as_str().is_some_and(|d| !d.is_empty());
                assert!(described, "{at}: {parameter}");
            }
        }
    }
    let calls = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), calls, "two calls have one name");
}

#[tokio::test]
async fn answers_have_exactly_the_members_that_the_document_says() {
    let city = City::new();
    city.commit(vec![
        city.reading("air-1", "pm25", 12.0),
        city.at(city.reading("bus-1", "traffic_speed", 30.0), 10.5, 50.5),
    ]);
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", city_model::Severity::High))).await;
    city.dead_letter(b"{", "syntax");
    city.unknown("radon", "rogue-1");
    city.post("/api/v1/credentials/air-1/tokens", &json!({})).await;
    *city.desk.report.lock().expect("not poisoned") = vec![super::receivers::dead()];
    let silence = json!({ "match": { "rule": "x" }, "reason": "y",
        "ends_at": (super::fixture::NOW + city_model::Span::from_mins(1)).to_string() });
    city.post("/api/v1/silences", &silence).await;
    let document = document();
    for (path, shape, pointer) in [
        ("/session", "Session", ""),
        ("/system", "System", ""),
        ("/metrics-catalogue", "Metric", "/items/0"),
        ("/kinds", "Kind", "/items/0"),
        ("/departments", "Department", "/items/0"),
        ("/metrics", "MetricUse", "/items/0"),
        ("/metrics?unmapped=true", "SeenFrom", "/items/0/seen/0"),
        ("/mappings", "MappingList", ""),
        ("/provisioning/unknown", "UnknownPage", ""),
        ("/provisioning/unknown", "Unknown", "/items/0"),
        ("/credentials", "ClientPage", ""),
        ("/credentials/air-1", "Client", ""),
        ("/credentials/air-1", "Credential", "/credentials/0"),
        ("/zones", "ZoneProperties", "/features/0/properties"),
        ("/zones/old-town", "ZoneDetail", ""),
        ("/zones/old-town", "ZoneMetric", "/metrics/0"),
        ("/devices", "DevicePage", ""),
        ("/devices/air-1", "Device", ""),
        ("/map", "MapSnapshot", ""),
        ("/map", "MapColumns", "/devices"),
        ("/last-values?device=air-1", "LastValue", "/items/0"),
        ("/readings?device=air-1&metric=pm25", "Readings", ""),
        ("/readings?device=air-1&metric=pm25", "RawReadings", "/raw"),
        ("/readings?device=air-1&metric=pm25&step=1m", "Buckets", "/buckets"),
        ("/aggregates?metric=pm25", "Aggregates", ""),
        ("/track?device=bus-1", "Track", ""),
        ("/alerts", "AlertPage", ""),
        ("/alerts", "AlertItem", "/items/0"),
        ("/alerts/a-1", "AlertDetail", ""),
        ("/alerts/a-1", "AlertLogEntry", "/log/0"),
        ("/alerts/a-1", "RuleRef", "/rule"),
        ("/alerts/a-1", "Handling", "/handling"),
        ("/alert-log", "AlertLogPage", ""),
        ("/alert-log", "AlertLogItem", "/items/0"),
        ("/alerts/groups", "PositionGroups", "/items/0"),
        ("/alerts/groups", "AlertGroup", "/items/0/groups/0"),
        ("/alarm-load", "AlarmLoad", ""),
        ("/alarm-load", "PositionLoad", "/city"),
        (
            "/alarm-load?from=2026-11-22T00:00:00Z&to=2026-11-24T00:00:00Z",
            "BadActor",
            "/bad_actors/0",
        ),
        ("/audit-log", "AuditPage", ""),
        ("/audit-log", "AuditEntry", "/items/0"),
        ("/audit-log/verification", "AuditVerification", ""),
        ("/silences", "SilencePage", ""),
        ("/silences", "Silence", "/items/0"),
        ("/silences", "AlertMatch", "/items/0/match"),
        ("/rules", "Rule", "/items/0"),
        ("/receivers", "Receiver", "/items/0"),
        ("/receivers", "ReceiverRoute", "/items/0/route"),
        ("/dead-letters", "DeadLetter", "/items/0"),
        ("/loss", "Loss", ""),
        ("/loss", "LossItem", "/items/0"),
        ("/late-readings", "LateReadings", ""),
        ("/nothing", "Problem", ""),
    ] {
        let answer = city.get(&format!("/api/v1{path}")).await.json();
        let got = answer.pointer(pointer).unwrap_or_else(|| panic!("{path}{pointer}: {answer}"));
        let mut got: Vec<_> = got.as_object().expect("an object").keys().cloned().collect();
        let mut said = members(&document, &document["components"]["schemas"][shape]);
        got.sort();
        said.sort();
        assert_eq!(got, said, "{path}{pointer} against {shape}");
    }
}

/// The members of a shape, with those of the shapes that it is put together from.
fn members(document: &Value, schema: &Value) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#')).expect("a shape");
        return members(document, target);
    }
    let mut names: Vec<String> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    for part in schema["allOf"].as_array().into_iter().flatten() {
        names.extend(members(document, part));
    }
    names
}

#[test]
fn an_alert_event_has_the_members_that_the_document_says() {
    let document = document();
    let mut event = event(1, AlertEventKind::Resolved, alert("a", city_model::Severity::Low));
    event.reason = Some(city_model::EndReason::RuleRemoved);
    let json = serde_json::to_value(&event).expect("JSON");
    for (pointer, shape) in [("", "AlertEvent"), ("/alert", "Alert"), ("/alert/rule", "RuleRef")] {
        let got = json.pointer(pointer).and_then(Value::as_object).expect("an object");
        let mut got: Vec<_> = got.keys().cloned().collect();
        let mut said = members(&document, &document["components"]["schemas"][shape]);
        got.sort();
        said.sort();
        assert_eq!(got, said, "{shape}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_a_problem_that_names_it() {
    let city = City::new();
    for (path, code, named) in [
        ("/devices?colour=red", "unknown_parameter", "colour"),
        ("/system?x=1", "unknown_parameter", "takes no query parameters"),
        ("/devices?limit=5&limit=6", "repeated_parameter", "limit"),
        ("/devices?limit=0", "bad_parameter", "1 to 1000"),
        ("/devices?limit=many", "bad_parameter", "limit"),
        ("/devices?status=asleep", "bad_parameter", "never_seen"),
        ("/devices?cursor=%21", "bad_cursor", "next_cursor"),
        ("/readings?device=air-1", "missing_parameter", "metric"),
        (
            "/readings?device=air-1&metric=pm25&from=yesterday",
            "bad_parameter",
            "2026-11-23T08:30:00Z",
        ),
        ("/readings?device=air-1&metric=pm25&step=soon", "bad_parameter", "5m"),
        ("/aggregates?metric=pm25&step=raw", "bad_parameter", "step"),
        ("/readings?device=x&metric=pm25", "unknown_device", "`x`"),
        ("/readings?device=air-1&metric=x", "unknown_metric", "metrics-catalogue"),
        ("/devices?zone=x", "unknown_zone", "zones"),
        ("/zones/x", "unknown_zone", "`x`"),
        ("/devices/x", "unknown_device", "`x`"),
        ("/alerts/x", "unknown_alert", "`x`"),
        ("/rules/x", "unknown_rule", "`x`"),
        ("/dead-letters/7", "unknown_dead_letter", "`7`"),
        ("/dead-letters/x", "unknown_dead_letter", "`x`"),
        ("/nothing", "not_found", "docs"),
        ("/devices/%FF", "bad_parameter", "UTF-8"),
    ] {
        let answer = city.get(&format!("/api/v1{path}")).await;
        assert_eq!(answer.problem(), code, "{path}: {}", answer.text);
        assert!(answer.text.contains(named), "{path}: {}", answer.text);
        let instance = answer.json()["instance"].clone();
        assert_eq!(instance, format!("/api/v1{}", path.split('?').next().expect("a path")));
        let id = answer.headers["x-request-id"].to_str().expect("plain");
        assert_eq!(answer.json()["request_id"], id);
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_problems() {
    let city = City::new();
    let path = "/api/v1/alerts/a-1/notes";
    let send = async |body: String, content_type: Option<&'static str>| {
        let mut request = city.request(Method::POST, path, None);
        *request.body_mut() = body.into();
        if let Some(content_type) = content_type {
            let value = content_type.parse().expect("a header");
            request.headers_mut().insert("content-type", value);
        }
        city.send(request).await.problem()
    };
    let json = Some("application/json");
    assert_eq!(send("{".to_owned(), json).await, "bad_json");
    assert_eq!(send(r#"{"note":5}"#.to_owned(), json).await, "bad_body");
    assert_eq!(send(r#"{"note":"x","colour":"red"}"#.to_owned(), json).await, "bad_body");
    assert_eq!(send(r#"["x"]"#.to_owned(), json).await, "bad_body", "an array is no object");
    assert_eq!(send(r#"{"note":"x"}"#.to_owned(), None).await, "unsupported_media_type");
    let huge = json!({ "note": "x".repeat(crate::BODY_LIMIT) }).to_string();
    assert_eq!(send(huge, json).await, "body_too_large");
}

#[tokio::test]
async fn a_method_that_an_address_does_not_take_is_told_which_it_takes() {
    let city = City::new();
    let answer = city.send(bare(Method::PUT, "/api/v1/session", None)).await;
    assert_eq!(answer.problem(), "method_not_allowed");
    let allow = answer.headers["allow"].to_str().expect("text");
    for method in ["GET", "POST", "DELETE"] {
        assert!(allow.contains(method), "{allow}");
    }
    let answer = city.send(bare(Method::POST, "/some/page", None)).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    );
}

#[tokio::test]
async fn the_page_describes_every_call_shape_and_problem() {
    let city = City::new();
    let page = city.get("/api/v1/docs").await;
    assert!(page.headers["content-type"].to_str().expect("text").starts_with("text/html"));
    let document = document();
    for (path, _) in document["paths"].as_object().expect("paths") {
        assert!(page.text.contains(path.as_str()), "{path}");
    }
    for (name, _) in document["components"]["schemas"].as_object().expect("schemas") {
        assert!(page.text.contains(&format!("id=\"shape-{name}\"")), "{name}");
    }
    for code in crate::problem::codes::ALL {
        assert!(page.text.contains(&format!("id=\"problem-{}\"", code.name)), "{code:?}");
    }
    for forbidden in ["<script", "style=", "http://", "https://"] {
        assert!(!page.text.contains(forbidden), "{forbidden}");
    }
    let css = city.get("/api/v1/docs.css").await;
    assert_eq!(css.headers["content-type"], "text/css; charset=utf-8");
    assert_eq!(city.get("/api/v1/openapi.json").await.json(), document);
}
