//! Hostile texts through every text that the API takes, and every place where they come out again.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use city_model::{AlertEventKind, Severity, Span};
use serde_json::{Map, Value, json};

use super::fixture::{Answer, City, NOW, alert, event};
use crate::openapi::JSON;

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

/// A way from the top of a schema to a text in it.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Member(String),
    Item,
    AnyMember,
    Branch(usize),
}

struct Document(Value);

impl Document {
    fn read() -> Self {
        Self(serde_json::from_str(&JSON).expect("JSON"))
    }

    fn resolve<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        while let Some(reference) = schema["$ref"].as_str() {
            schema = self.0.pointer(reference.trim_start_matches('#')).expect("a shape");
        }
        schema
    }

    fn alternatives<'a>(&'a self, schema: &'a Value) -> Option<&'a Vec<Value>> {
        ["oneOf", "anyOf"].iter().find_map(|word| schema[*word].as_array())
    }

    /// All texts of a schema that are not one of a few words.
    fn texts(&self, schema: &Value) -> Vec<Vec<Step>> {
        let schema = self.resolve(schema);
        let under = |step: Step, schema: &Value| {
            let below = self.texts(schema).into_iter();
            below.map(|way| [vec![step.clone()], way].concat()).collect::<Vec<_>>()
        };
        let mut ways = Vec::new();
        if is_of(schema, "string") && schema.get("enum").is_none() {
            ways.push(Vec::new());
        }
        for (index, branch) in self.alternatives(schema).into_iter().flatten().enumerate() {
            ways.extend(under(Step::Branch(index), branch));
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            ways.extend(under(Step::Member(name.clone()), member));
        }
        if schema["items"].is_object() {
            ways.extend(under(Step::Item, &schema["items"]));
        }
        if schema["additionalProperties"].is_object() {
            ways.extend(under(Step::AnyMember, &schema["additionalProperties"]));
        }
        ways
    }

    /// An ordinary value of a schema, with a text at the end of a way, and in the way as the name of
    /// members that may have any.
    fn value(&self, schema: &Value, name: &str, way: Option<&[Step]>, text: &str) -> Value {
        let schema = self.resolve(schema);
        if way == Some(&[]) {
            return text.into();
        }
        let (next, rest) = match way {
            Some([next, rest @ ..]) => (Some(next), Some(rest)),
            _ => (None, None),
        };
        if let Some(Step::Branch(index)) = next {
            let branches = self.alternatives(schema).expect("branches");
            return self.value(&branches[*index], name, rest, text);
        }
        if let Some(words) = schema["enum"].as_array() {
            return words[0].clone();
        }
        if let Some(value) = usual(name) {
            if next.is_none() {
                return value;
            }
        }
        if let Some(properties) = schema["properties"].as_object() {
            let mut members = Map::new();
            let required: BTreeSet<&str> = schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            for (name, member) in properties {
                let on_the_way = next == Some(&Step::Member(name.clone()));
                let way = if on_the_way { rest } else { None };
                if on_the_way || required.contains(name.as_str()) {
                    members.insert(name.clone(), self.value(member, name, way, text));
                }
            }
            return Value::Object(members);
        }
        if next == Some(&Step::AnyMember) {
            let value = self.value(&schema["additionalProperties"], "", rest, text);
            return json!({ "a": value.clone(), text: value });
        }
        if schema["items"].is_object() {
            return json!([self.value(&schema["items"], name, rest, text)]);
        }
        if let Some(branches) = self.alternatives(schema) {
            let null = |branch: &&Value| !is_of(branch, "null");
            let branch = branches.iter().find(null).unwrap_or(&branches[0]);
            return self.value(branch, name, None, text);
        }
        ordinary(schema)
    }
}

fn is_of(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::String(of) => of == kind,
        Value::Array(of) => of.iter().any(|of| of == kind),
        _ => false,
    }
}

/// What members of these names need to be, to be taken.
fn usual(name: &str) -> Option<Value> {
    let at = |span: Span| Some(json!((NOW + span).to_string()));
    match name {
        "until" | "ends_at" => at(Span::from_hours(1)),
        "at" | "fired_at" | "started_at" | "starts_at" | "from" | "reading_time" => at(Span::ZERO),
        "to" => at(Span::from_mins(5)),
        "department" => Some("environment".into()),
        "kind" => Some("air_station".into()),
        "password" => Some("correct horse battery staple".into()),
        "payload_base64" | "severity" | "token" => Some("aGk=".into()),
        "metric" => Some("pm25".into()),
        "interval" => Some("1m".into()),
        _ => None,
    }
}

fn ordinary(schema: &Value) -> Value {
    if is_of(schema, "string") {
        "usual".into()
    } else if is_of(schema, "number") || is_of(schema, "integer") {
        json!(1)
    } else if is_of(schema, "boolean") {
        json!(true)
    } else if is_of(schema, "array") {
        json!([])
    } else if is_of(schema, "null") {
        Value::Null
    } else {
        json!({})
    }
}

/// One place of a request where a text goes in.
struct Site {
    method: Method,
    path: String,
    name: String,
    way: Vec<Step>,
}

impl Site {
    fn label(&self) -> String {
        let way = self.way.iter().filter_map(|step| match step {
            Step::Member(name) => Some(name.as_str()),
            Step::Item => Some("0"),
            Step::AnyMember => Some("*"),
            Step::Branch(_) => None,
        });
        format!("{} /{}", self.name, way.collect::<Vec<_>>().join("/"))
    }
}

/// Every text in the JSON bodies of the document.
fn sites(document: &Document) -> Vec<(Site, Value)> {
    let mut sites = Vec::new();
    for (path, item) in document.0["paths"].as_object().expect("paths") {
        for (method, call) in item.as_object().expect("an item") {
            let schema = &call["requestBody"]["content"]["application/json"]["schema"];
            if schema.is_null() {
                continue;
            }
            for way in document.texts(schema) {
                let site = Site {
                    method: method.to_uppercase().parse().expect("a method"),
                    path: path.clone(),
                    name: call["operationId"].as_str().expect("a name").to_owned(),
                    way,
                };
                sites.push((site, schema.clone()));
            }
        }
    }
    sites
}

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
        "put_device" | "put_kind" if !site.label().ends_with(" /id") => {
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
    ] {
        assert!(taken.contains(label), "{label} takes none of them; taken: {taken:#?}");
    }
    for path in outputs(&city, &document).await {
        let answer = city.get(&path).await;
        let known = answer.status.is_success() || answer.status.is_client_error();
        assert!(known, "{path}: {} {}", answer.status, answer.text);
        is_harmless(&answer, &path);
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
            if list == "/devices" {
                paths.push(format!("/api/v1/devices/{id}/entry"));
            }
        }
    }
    paths
}

/// Whether nothing of what was put in can do anything where it comes out.
#[track_caller]
fn is_harmless(answer: &Answer, what: &str) {
    for (name, value) in &answer.headers {
        let text = value.to_str().unwrap_or_else(|_| panic!("{what}: {name}"));
        assert!(!text.contains("evil") && !text.contains(".."), "{what}: {name}: {text}");
    }
    assert!(answer.headers.contains_key("content-security-policy"), "{what}");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{what}");
    if answer.text.is_empty() {
        return;
    }
    let media = answer.headers["content-type"].to_str().expect("text");
    match media.split(';').next().expect("a type").trim() {
        "application/json" | "application/problem+json" | "application/geo+json" => {
            answer.json();
        }
        "application/x-ndjson" => {
            for line in answer.text.lines() {
                let _: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{what}: {e}"));
            }
        }
        "text/csv" => is_harmless_csv(&answer.text, what),
        "application/cap+xml" | "application/atom+xml" | "application/xml" => {
            is_harmless_xml(&answer.text, what);
        }
        "text/html" => {
            for text in ["<script", "onerror", "evil"] {
                assert!(!answer.text.contains(text), "{what}: {text}");
            }
        }
        "text/plain" => {
            // Figures for Prometheus: a line is a comment or a sample.
            for line in answer.text.lines().filter(|line| !line.is_empty()) {
                let good =
                    line.starts_with("# ") || line.starts_with(|c: char| c.is_ascii_lowercase());
                assert!(good, "{what}: {line}");
            }
        }
        "text/css" | "text/javascript" => {}
        other => panic!("{what}: nobody looked at {other} yet"),
    }
}

#[track_caller]
fn is_harmless_csv(text: &str, what: &str) {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
    for record in reader.records() {
        for cell in &record.unwrap_or_else(|error| panic!("{what}: {error}")) {
            let number = cell.parse::<f64>().is_ok_and(f64::is_finite);
            let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
            assert!(number || !formula, "{what}: {cell:?}");
        }
    }
}

#[track_caller]
fn is_harmless_xml(text: &str, what: &str) {
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut depth = 0;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{what}: {error}: {text}")) {
            quick_xml::events::Event::Start(start) => {
                depth += 1;
                let name = start.name().as_ref().to_owned();
                assert!(!["script", "img", "html"].contains(&name.as_str()), "{what}: <{name}>");
            }
            quick_xml::events::Event::End(_) => depth -= 1,
            quick_xml::events::Event::DocType(_) => panic!("{what}: a document type"),
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "{what}");
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(allowed), "{what}: characters that XML 1.0 does not know");
}

fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
    let coded =
        |byte: u8| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(coded).collect()
}
