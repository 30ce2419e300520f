//! Bodies of requests made of the API's document, with a text of choice in any place that takes one.

use std::collections::BTreeSet;

use axum::http::Method;
use city_model::Span;
use serde_json::{Map, Value, json};

use super::fixture::NOW;
use crate::openapi::JSON;

/// A way from the top of a schema to a text in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Member(String),
    Item,
    AnyMember,
    Branch(usize),
}

fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    ["oneOf", "anyOf"].iter().find_map(|word| schema[*word].as_array())
}

/// The document.
pub(super) struct Document(pub(super) Value);

impl Document {
    pub(super) fn read() -> Self {
        Self(serde_json::from_str(&JSON).expect("JSON"))
    }

    fn resolve<'a>(&'a self, mut schema: &'a Value) -> &'a Value {
        while let Some(reference) = schema["$ref"].as_str() {
            schema = self.0.pointer(reference.trim_start_matches('#')).expect("a shape");
        }
        schema
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
        for (index, branch) in alternatives(schema).into_iter().flatten().enumerate() {
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
    pub(super) fn value(
        &self,
        schema: &Value,
        name: &str,
        way: Option<&[Step]>,
        text: &str,
    ) -> Value {
        let schema = self.resolve(schema);
        if way == Some(&[]) {
            return text.into();
        }
        let (next, rest) = match way {
            Some([next, rest @ ..]) => (Some(next), Some(rest)),
            _ => (None, None),
        };
        if let Some(Step::Branch(index)) = next {
            let branches = alternatives(schema).expect("branches");
            return self.value(&branches[*index], name, rest, text);
        }
        if let Some(words) = schema["enum"].as_array() {
            return words[0].clone();
        }
        if let Some(value) = usual(name)
            && next.is_none()
        {
            return value;
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
        if let Some(branches) = alternatives(schema) {
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
        "payload_base64" | "token" => Some("aGk=".into()),
        "metric" => Some("pm25".into()),
        "interval" => Some("1m".into()),
        "any_device" => Some(false.into()),
        "resolved_at" => Some(Value::Null),
        "match" => Some(json!({ "rule": "x" })),
        "licence" => Some("CC-BY-4.0".into()),
        "kinds" => Some(json!(["air_station"])),
        "metrics" => Some(json!(["pm25"])),
        "zones" => Some(json!(["old-town"])),
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
pub(super) struct Site {
    pub(super) method: Method,
    pub(super) path: String,
    /// The operation.
    pub(super) name: String,
    pub(super) way: Vec<Step>,
}

impl Site {
    /// The operation and the member, for people.
    pub(super) fn label(&self) -> String {
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
pub(super) fn sites(document: &Document) -> Vec<(Site, Value)> {
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
