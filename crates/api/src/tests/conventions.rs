//! What `openapi/conventions.md` says of every call, held against the document.

use serde_json::Value;

use crate::openapi::JSON;

/// Changes of what has no ETag, and why.
const WITHOUT_ETAG: &[(&str, &str, &str)] = &[
    ("DELETE", "/api/v1/session", "ends a login"),
    ("PUT", "/api/v1/session/password", "nobody can see the one before"),
    ("DELETE", "/api/v1/users/{id}/sessions", "ends logins"),
    ("DELETE", "/api/v1/tokens/{id}", "never changes"),
    ("PUT", "/api/v1/credentials/{id}/enabled", "one switch"),
    ("PUT", "/api/v1/credentials/{id}/password", "nobody can see the one before"),
    ("DELETE", "/api/v1/credentials/{id}/{number}", "never changes"),
];

/// What chooses among things and can be several.
const SEVERAL: &[&str] = &[
    "zone",
    "kind",
    "department",
    "device",
    "metric",
    "rule",
    "group",
    "severity",
    "status",
    "life_cycle",
    "reason",
    "source",
    "alert",
    "fields",
];

fn document() -> Value {
    serde_json::from_str(&JSON).expect("JSON")
}

/// Every call: `GET /path` and what the document says of it.
fn calls(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            let calls = item.as_object().expect("calls").iter();
            calls.map(move |(method, call)| (method.to_uppercase(), path.clone(), call))
        })
        .collect()
}

fn parameters(call: &Value) -> impl Iterator<Item = &Value> {
    call["parameters"].as_array().into_iter().flatten().filter(|of| of["in"] == "query")
}

fn parameter<'a>(call: &'a Value, name: &str) -> Option<&'a Value> {
    parameters(call).find(|of| of["name"] == name)
}

/// A schema without its reference; of a page that can have chosen members the whole one.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return document.pointer(reference.trim_start_matches('#')).expect("a shape");
    }
    match schema["anyOf"].as_array() {
        Some(either) => resolved(document, &either[0]),
        None => schema,
    }
}

#[test]
fn lists_have_items_and_a_cursor() {
    let document = document();
    let mut lists = 0;
    for (method, path, call) in calls(&document) {
        let schema = &call["responses"]["200"]["content"]["application/json"]["schema"];
        let page = resolved(&document, schema);
        if method != "GET" || page["properties"]["items"].is_null() {
            // Zones are a collection of GeoJSON, with its cursor beside the features; pages of open
            // data as CSV have it in a header.
            let others = ["/api/v1/zones", "/open/v1/datasets/{id}/readings.csv"];
            let has_cursor = parameter(call, "cursor").is_some() && !others.contains(&&*path);
            assert!(!has_cursor, "{method} {path} has a cursor and no list");
            continue;
        }
        lists += 1;
        let next = &page["properties"]["next_cursor"];
        assert_eq!(next["type"], serde_json::json!(["string", "null"]), "{path}: {page}");
        assert!(parameter(call, "cursor").is_some(), "{path} has no cursor");
        let limit = parameter(call, "limit").unwrap_or_else(|| panic!("{path} has no limit"));
        assert_eq!(limit["schema"]["minimum"], 1, "{path}: {limit}");
        assert!(limit["schema"]["maximum"].is_u64(), "{path}: {limit}");
        for of in parameters(call) {
            let name = of["name"].as_str().expect("a name");
            let about = of["description"].as_str().unwrap_or_default();
            let is_list = !SEVERAL.contains(&name) || about.contains("separated by commas");
            assert!(is_list, "{path}: several values of {name}: {about}");
        }
    }
    assert!(lists > 15, "{lists}");
}

#[test]
fn instants_are_date_times() {
    let document = document();
    let mut instants = 0;
    let mut check = |at: &str, name: &str, schema: &Value| {
        let types = schema["type"].to_string();
        let is_named = name.ends_with("_at") || ["time", "received", "from", "to"].contains(&name);
        if is_named && types.contains("string") {
            instants += 1;
            assert_eq!(schema["format"], "date-time", "{at}: {name}: {schema}");
        }
        assert!(!name.ends_with("_at") || types.contains("string"), "{at}: {name}: {schema}");
    };
    for (name, schema) in document["components"]["schemas"].as_object().expect("shapes") {
        // `from` of an alert's handling is a person, that of a span of the week a time of the day,
        // and an audit log is broken at a number.
        let parts = schema["allOf"].as_array().into_iter().flatten().chain([schema]);
        for (member, schema) in parts.filter_map(|of| of["properties"].as_object()).flatten() {
            let is_other = member == "broken_at"
                || name == "WeeklySpan"
                || name == "Handling" && member == "from";
            if !is_other {
                check(name, member, schema);
            }
        }
    }
    for (method, path, call) in calls(&document) {
        for of in parameters(call) {
            let name = of["name"].as_str().expect("a name");
            check(&format!("{method} {path}"), name, &of["schema"]);
        }
    }
    assert!(instants > 60, "{instants}");
}

#[test]
fn errors_are_problem_documents() {
    let document = document();
    for (method, path, call) in calls(&document) {
        for (status, response) in call["responses"].as_object().expect("responses") {
            if !status.starts_with(['4', '5']) {
                continue;
            }
            let content = response["content"].as_object();
            let content = content.unwrap_or_else(|| panic!("{method} {path} {status}: no content"));
            let media: Vec<_> = content.keys().collect();
            assert_eq!(media, ["application/problem+json"], "{method} {path} {status}");
            let schema = &content["application/problem+json"]["schema"];
            assert_eq!(schema["$ref"], "#/components/schemas/Problem", "{method} {path} {status}");
        }
    }
}

#[test]
fn changes_can_depend_on_what_was_seen() {
    let document = document();
    for (method, path, call) in calls(&document) {
        let changes = ["PUT", "PATCH", "DELETE"].contains(&&*method);
        let without = WITHOUT_ETAG.iter().any(|(m, p, _)| *m == method && *p == path);
        let said = !call["responses"]["412"].is_null();
        assert!(!changes || said != without, "{method} {path}: 412 {said}, listed {without}");
    }
}

#[test]
fn lists_with_fields_come_as_files_too() {
    let document = document();
    let mut found = Vec::new();
    for (_, path, call) in calls(&document) {
        if parameter(call, "fields").is_none() {
            continue;
        }
        let content = call["responses"]["200"]["content"].as_object().expect("content");
        for format in crate::export::FORMATS {
            assert!(content.contains_key(format.media), "{path}: {}", format.media);
        }
        found.push(path);
    }
    found.sort();
    for path in ["alert-log", "alerts", "dead-letters", "devices", "last-values", "readings/export"]
    {
        assert!(found.contains(&format!("/api/v1/{path}")), "{path}");
    }
}

#[test]
fn what_can_be_kept_says_when_nothing_changed() {
    let document = document();
    for path in
        ["kinds", "metrics-catalogue", "metrics", "mappings", "zones", "rules", "departments"]
    {
        let call = &document["paths"][format!("/api/v1/{path}")]["get"];
        assert!(!call["responses"]["304"].is_null(), "{path}");
    }
}
