//! Hostile texts through every text that the API takes, and every place where they come out again.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use city_model::{AlertEventKind, Severity, Span};
use serde_json::{Value, json};

use super::fixture::{City, NOW, alert, event};
use super::injection_bodies::{Document, Site, sites};
use super::injection_outputs::is_harmless;

/// What attackers write, and what each is against.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "'; DROP TABLE alerts; --",
    "\" OR 1=1 --",
    "x\r\nSet-Cookie: citybrain_session=evil\r\n\r\n<html>",
    "../../../../etc/passwd",
    "..\\..\\windows\\system.ini",
    "2026-01-01T00:00:00Z ERROR forged\n2026-01-01T00:00:01Z  INFO line",
    "\u{1b}]0;owned\u{7}\u{1b}[2J",
    "pay\u{202e}gpj.exe\u{2066}",
    "a\u{0}b",
    "{{7*7}}${7*7}%s%n",
    "]]>&xxe;<!ENTITY xxe SYSTEM \"file:///etc/passwd\">",
    "\u{feff}\u{fffe}\u{ffff}",
];

/// Makes what a request is about, and its path.
async fn target(city: &City, site: &Site, number: usize) -> String {
    let id = format!("t{number}");
    if site.path.contains("/alerts/{id}") {
        city.push(&event(1, AlertEventKind::Fired, alert(&id, Severity::High))).await;
        let until = (NOW + Span::from_hours(2)).to_string();
        let first = match site.name.as_str() {
            "unshelve_alert" => Some(("shelve", json!({ "until": until, "reason": "x" }))),
            "return_alert" => Some(("assign", json!({ "who": "ada", "until": until }))),
            _ => None,
        };
        if let Some((deed, body)) = first {
            let done = city.post(&format!("/api/v1/alerts/{id}/{deed}"), &body).await;
            assert_eq!(done.status, StatusCode::OK, "{}", done.text);
        }
    }
    let mut path = site.path.clone();
    if path.contains("/silences/{id}") {
        let body = json!({ "match": { "rule": "x" }, "reason": "y",
            "ends_at": (NOW + Span::from_mins(9)).to_string() });
        let made = city.post("/api/v1/silences", &body).await.json();
        path = path.replace("{id}", made["id"].as_str().expect("an id"));
    }
    if path.contains("/unknown/{id}") {
        city.unknown("radon", &id);
    }
    if path.contains("/devices/{id}/commands") {
        path = path.replace("{id}", "air-1");
    }
    for name in ["{id}", "{group}", "{source}"] {
        path = path.replace(name, &id);
    }
    path.replace("{version}", "1").replace("{number}", "1")
}

fn fits(site: &Site, body: &mut Value, number: usize) {
    match site.name.as_str() {
        "push_alert_event" if site.label() != "push_alert_event /key" => {
            body["seq"] = json!(1);
            if site.label() != "push_alert_event /alert/id" {
                body["alert"]["id"] = json!(format!("pushed-{number}"));
            }
            let id = body["alert"]["id"].as_str().unwrap_or_default();
            body["key"] = json!(format!("{id}/1"));
        }
        "create_silence" if site.label() == "create_silence /reason" => {
            body["match"] = json!({ "department": "environment" });
        }
        "put_device" | "put_kind" | "put_dataset" if !site.label().ends_with(" /id") => {
            body.as_object_mut().expect("an object").remove("id");
        }
        _ => {}
    }
}

#[tokio::test]
async fn hostile_texts_harm_no_place_where_they_come_out() {
    let (city, document) = (City::new(), Document::read());
    let mut taken = BTreeSet::new();
    let mut number = 0;
    for (site, schema) in sites(&document) {
        for text in HOSTILE {
            number += 1;
            let path = target(&city, &site, number).await;
            let mut body = document.value(&schema, "", Some(&site.way), text);
            fits(&site, &mut body, number);
            let answer = city.send(city.request(site.method.clone(), &path, Some(&body))).await;
            let said = || format!("{} {text:?}: {} {body}", site.label(), answer.text);
            assert!(answer.status.as_u16() < 500 || answer.status == 503, "{}", said());
            is_harmless(&answer, &said());
            if answer.status.is_success() {
                taken.insert(site.label());
            }
        }
    }
    // What is meant for people to write is taken as it is: else this would show nothing.
    for label in [
        "acknowledge_alert /note",
        "add_alert_note /note",
        "assign_alert /who",
        "shelve_alert /reason",
        "unshelve_alert /note",
        "create_silence /reason",
        "end_silence /reason",
        "put_department /name/en",
        "put_device /name/en",
        "put_device /attributes/*",
        "put_kind /name/zh",
        "put_client /publish/0",
        "issue_client_token /note",
        "set_client_password /note",
        "accept_unknown_device /name/en",
        "import_devices /0/name/zh",
        "put_mapping /name",
        "push_alert_event /alert/summary/en",
        "push_alert_event /alert/rule/name/zh",
        "push_alert_event /alert/labels/*",
        "push_alert_event /alert/runbook",
        "put_dataset /title/en",
        "put_dataset /description/zh",
    ] {
        assert!(taken.contains(label), "{label} takes none of them; taken: {taken:#?}");
    }
    for path in outputs(&city, &document).await {
        let answer = city.get(&path).await;
        let known = answer.status.is_success() || answer.status.is_client_error();
        assert!(known, "{path}: {} {}", answer.status, answer.text);
        is_harmless(&answer, &path);
        let mut page = city.request(Method::GET, &path, None);
        page.headers_mut().insert("accept", "text/html".parse().expect("a header"));
        is_harmless(&city.send(page).await, &path);
    }
}

#[tokio::test]
async fn hostile_parameters_and_ids_are_answered_with_problems_or_nothing() {
    let (city, document) = (City::new(), Document::read());
    for (path, item) in document.0["paths"].as_object().expect("paths") {
        for (method, call) in item.as_object().expect("an item") {
            if path.ends_with("/stream") {
                continue;
            }
            for parameter in call["parameters"].as_array().into_iter().flatten() {
                for text in HOSTILE {
                    let coded = percent(text);
                    let name = parameter["name"].as_str().expect("a name");
                    let mut asked = path.clone();
                    match parameter["in"].as_str() {
                        Some("path") => asked = asked.replace(&format!("{{{name}}}"), &coded),
                        Some("query") => asked = format!("{asked}?{name}={coded}"),
                        _ => continue,
                    }
                    let asked = asked.replace(['{', '}'], "");
                    let method = method.to_uppercase().parse().expect("a method");
                    let body = json!({});
                    let body = (method != Method::GET).then_some(&body);
                    let answer = city.send(city.request(method, &asked, body)).await;
                    let status = answer.status.as_u16();
                    assert!(status < 500 || status == 503, "{asked}: {}", answer.text);
                    is_harmless(&answer, &asked);
                }
            }
        }
    }
}

/// Every address that gives something, with ids of things that are there.
async fn outputs(city: &City, document: &Document) -> Vec<String> {
    let mut paths = Vec::new();
    for (path, item) in document.0["paths"].as_object().expect("paths") {
        if item.get("get").is_none() || path.ends_with("/stream") {
            continue;
        }
        if !path.contains('{') {
            paths.push(path.clone());
            for format in ["csv", "jsonl", "geojson", "json"] {
                let text = item["get"]["parameters"].to_string();
                if text.contains("\"format\"") && text.contains(format) {
                    paths.push(format!("{path}?format={format}"));
                }
            }
        }
    }
    paths.push("/metrics".to_owned());
    for (list, id) in [
        ("/alerts", "/id"),
        ("/devices", "/id"),
        ("/kinds", "/id"),
        ("/credentials", "/name"),
        ("/silences", "/id"),
        ("/rule-groups", "/group"),
        ("/datasets", "/id"),
    ] {
        let page = city.get(&format!("/api/v1{list}?limit=1000")).await;
        let page =
            if page.status.is_success() { page } else { city.get(&format!("/api/v1{list}")).await };
        for item in page.json()["items"].as_array().expect("items") {
            let id = percent(item.pointer(id).and_then(Value::as_str).expect("an id"));
            paths.push(format!("/api/v1{list}/{id}"));
            if list == "/alerts" {
                paths.push(format!("/api/v1/cap/{id}"));
            }
            if list == "/datasets" {
                let public = format!("/open/v1/datasets/{id}");
                let files = ["", "/latest.csv", "/latest.json", "/latest.geojson"];
                paths.extend(files.map(|file| format!("{public}{file}")));
            }
            if list == "/devices" {
                paths.push(format!("/api/v1/devices/{id}/entry"));
            }
        }
    }
    paths
}

fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
    let coded =
        |byte: u8| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(coded).collect()
}
