//! What the document says of requests beyond what the types tell: members that are not named are
//! refused, and so are parameters that are needed and empty.

use std::collections::BTreeSet;

use serde_json::Value;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::schema::{AdditionalProperties, Schema};
use utoipa::openapi::{OpenApi, RefOr, Required};

/// The names of all shapes that requests are made of.
pub(super) fn shapes(document: &OpenApi) -> BTreeSet<String> {
    let document = serde_json::to_value(document).unwrap_or_default();
    let mut names = BTreeSet::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    for call in paths.flat_map(|(_, item)| item.as_object().into_iter().flatten()) {
        collect(&document, &call.1["requestBody"], &mut names);
    }
    // What other shapes are put together with has more members there.
    let mut parts = BTreeSet::new();
    collect_parts(&document, &mut parts);
    &names - &parts
}

fn collect_parts(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for part in members.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                let name = part["$ref"].as_str().and_then(|name| name.rsplit('/').next());
                names.extend(name.map(str::to_owned));
            }
            members.values().for_each(|value| collect_parts(value, names));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_parts(value, names)),
        _ => {}
    }
}

fn collect(document: &Value, value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str);
            if let Some(name) = name.and_then(|name| name.rsplit('/').next())
                && names.insert(name.to_owned())
            {
                collect(document, &document["components"]["schemas"][name], names);
            }
            members.values().for_each(|value| collect(document, value, names));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(document, value, names)),
        _ => {}
    }
}

/// Says that there are no members but those that are named.
pub(super) fn close(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object)
            if !object.properties.is_empty() && object.additional_properties.is_none() =>
        {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Says of query parameters that must be there that they are not empty.
pub(super) fn need_text(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        let needed = matches!(parameter.required, Required::True);
        if needed
            && matches!(parameter.parameter_in, ParameterIn::Query)
            && let Some(RefOr::T(Schema::Object(text))) = &mut parameter.schema
        {
            text.min_length.get_or_insert(1);
        }
    }
}
