//! What never goes into the log: secrets, and texts so long that they would swamp it.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::entry::hex;

/// Texts up to so many bytes are kept whole.
const LONGEST_TEXT: usize = 16 << 10;
/// The most bytes of a document, as JSON.
const LONGEST: usize = 128 << 10;
/// How many characters of a longer text are kept.
const BEGINNING: usize = 200;

/// What stands in the place of a secret.
const SECRET: &str = "(secret)";
/// The last words of the names of members that are secrets, in lower case.
const SECRETS: &[&str] = &[
    "password",
    "passphrase",
    "secret",
    "token",
    "private_key",
    "api_key",
    "authorization",
    "cookie",
];

/// A document as it may be kept: secrets are replaced by `(secret)`, by the names of members such
/// as `password`; of a text of more than 16 KiB its beginning, its length and its SHA-256 are kept,
/// and of a document of more than 128 KiB the latter two.
///
/// Those who call must not hand in secrets under other names: this is the second net.
pub fn bounded(value: Value) -> Value {
    let value = without_secrets(value);
    match serde_json::to_string(&value) {
        Ok(text) if text.len() > LONGEST => {
            json!({ "sha256": sum(&text), "bytes": text.len() })
        }
        _ => value,
    }
}

fn without_secrets(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (String, Value)| {
                let value = if is_secret(&name) { hidden(value) } else { without_secrets(value) };
                (name, value)
            };
            Value::Object(members.into_iter().map(member).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_secrets).collect()),
        Value::String(text) if text.len() > LONGEST_TEXT => {
            let beginning: String = text.chars().take(BEGINNING).collect();
            json!({ "beginning": beginning, "sha256": sum(&text), "bytes": text.len() })
        }
        other => other,
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    SECRETS.iter().any(|secret| {
        name.ends_with(secret) || name.strip_suffix('s').is_some_and(|one| one.ends_with(secret))
    })
}

/// Texts are hidden wherever they are in it; what is no text, such as whether there is one, is not.
fn hidden(value: Value) -> Value {
    match value {
        Value::String(_) => SECRET.into(),
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .map(|item| match item {
                    Value::String(_) => SECRET.into(),
                    other => without_secrets(other),
                })
                .collect(),
        ),
        other => without_secrets(other),
    }
}

fn sum(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_replaced_wherever_they_are() {
        let document = json!({
            "name": "a", "password": "hunter2", "has_password": true,
            "deep": [{ "access_token": "abc", "Client-Secret": "x", "tokens": ["t1", {"id": 1}] }],
            "headers": { "Authorization": "Bearer x" },
        });
        let kept = bounded(document);
        assert_eq!(
            kept,
            json!({
                "name": "a", "password": SECRET, "has_password": true,
                "deep": [{ "access_token": SECRET, "Client-Secret": SECRET,
                           "tokens": [SECRET, {"id": 1}] }],
                "headers": { "Authorization": SECRET },
            })
        );
    }

    #[test]
    fn long_texts_keep_their_beginning_their_length_and_their_sum() {
        let whole = "界".repeat(LONGEST_TEXT / 3);
        assert_eq!(bounded(json!({ "a": whole })), json!({ "a": whole }));
        let long = "界".repeat(LONGEST_TEXT / 3 + 1);
        let kept = bounded(json!([long]));
        assert_eq!(kept[0]["bytes"], long.len());
        assert_eq!(kept[0]["beginning"], "界".repeat(BEGINNING));
        assert_eq!(kept[0]["sha256"], sum(&long));
    }

    #[test]
    fn long_documents_keep_their_length_and_their_sum() {
        let document = json!(vec![7; LONGEST]);
        let text = document.to_string();
        assert_eq!(bounded(document), json!({ "sha256": sum(&text), "bytes": text.len() }));
    }
}
