//! Things that have their id in the address: reading them from a body, and changing some of their
//! members.

use axum::http::StatusCode;
use city_registry::FieldProblem;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::problem::{Answer, Problem, bad_fields};

/// The thing of this id; `member` is what the thing calls its id, and may be left out of the body.
pub(crate) fn named<T: DeserializeOwned>(
    member: &str,
    id: &str,
    mut body: Map<String, Value>,
) -> Answer<T> {
    let given = body.entry(member).or_insert_with(|| id.into());
    if given != id {
        return Err(one(
            member,
            format!("the body says {given}, the address `{id}`"),
            "leave it out",
        ));
    }
    serde_path_to_error::deserialize(Value::Object(body)).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { path };
        let hint = "the document at /api/v1/openapi.json describes the body of each call";
        one(&field, error.inner().to_string(), hint)
    })
}

fn one(field: &str, message: String, hint: &'static str) -> Problem {
    bad_fields(&[FieldProblem { field: field.to_owned(), message, hint }])
}

/// Changes some members of a document: `null` takes one out (RFC 7396).
pub(crate) fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(&name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// The status that says whether something is new.
pub(crate) const fn created(new: bool) -> StatusCode {
    if new { StatusCode::CREATED } else { StatusCode::OK }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_merged_as_rfc_7396_says() {
        // The examples of its appendix A.
        for (target, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, patch.clone());
            assert_eq!(merged, result, "{target} with {patch}");
        }
    }
}
