//! What the JSON formats share: borrowed texts, scalars, and errors.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::error::{At, DecodeError, DecodeErrorKind, quote};
use crate::limits;

/// A value as it was sent, before any mapping.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Raw<'a> {
    Number(f64),
    Integer(i64),
    Bool(bool),
    Text(Cow<'a, str>),
    /// A text by which the device says that it has no value, as it was sent: `NaN`.
    Absent(Cow<'a, str>),
}

impl Raw<'_> {
    /// For error messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Number(number) => format!("the number {number}"),
            Self::Integer(number) => format!("the number {number}"),
            Self::Bool(flag) => format!("the truth value {flag}"),
            Self::Text(text) | Self::Absent(text) => format!("the text `{}`", quote(text)),
        }
    }

    /// The number that it is or spells.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Integer(number) => Some(*number as f64),
            Self::Bool(_) | Self::Absent(_) => None,
            Self::Text(text) => spelled_number(text),
        }
    }

    pub(crate) fn into_owned<'b>(self) -> Raw<'b> {
        match self {
            Self::Number(number) => Raw::Number(number),
            Self::Integer(number) => Raw::Integer(number),
            Self::Bool(flag) => Raw::Bool(flag),
            Self::Text(text) => Raw::Text(Cow::Owned(text.into_owned())),
            Self::Absent(text) => Raw::Absent(Cow::Owned(text.into_owned())),
        }
    }
}

/// The number that a text spells in decimal notation, NaN and infinities included.
pub(crate) fn spelled_number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// What a text outside JSON says: a number, a truth value or itself. `None`: that there is no
/// value, by being empty, a NaN or an infinity.
pub(crate) fn spelled(text: Cow<'_, str>) -> Option<Raw<'_>> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    match spelled_number(trimmed) {
        Some(number) => number.is_finite().then_some(Raw::Number(number)),
        None if trimmed.eq_ignore_ascii_case("true") => Some(Raw::Bool(true)),
        None if trimmed.eq_ignore_ascii_case("false") => Some(Raw::Bool(false)),
        None => Some(Raw::Text(text)),
    }
}

/// JSON with null for each bare `NaN`, `nan`, `inf` or `Infinity` with or without sign; `None` if
/// there is none. Python's `json.dumps` and C's `printf` write these, though JSON has no such
/// numbers (RFC 8259, clause 6).
pub(crate) fn nan_to_null(payload: &[u8]) -> Option<Vec<u8>> {
    let mut mended = Vec::new();
    let (mut at, mut copied, mut in_text) = (0, 0, false);
    while let Some(&byte) = payload.get(at) {
        let start = at;
        at += 1;
        match byte {
            b'"' => in_text = !in_text,
            b'\\' if in_text => at += 1,
            b'-' | b'+' | b'a'..=b'z' | b'A'..=b'Z' if !in_text => {
                let word = payload.get(at..).unwrap_or_default();
                at += word.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
                if payload.get(start..at).is_some_and(is_nan) {
                    mended.extend_from_slice(payload.get(copied..start).unwrap_or_default());
                    mended.extend_from_slice(b"null");
                    copied = at;
                }
            }
            _ => {}
        }
    }
    if copied == 0 {
        return None;
    }
    mended.extend_from_slice(payload.get(copied..).unwrap_or_default());
    Some(mended)
}

fn is_nan(word: &[u8]) -> bool {
    let word = word.strip_prefix(b"-").or(word.strip_prefix(b"+")).unwrap_or(word);
    [b"nan".as_slice(), b"inf", b"infinity"].iter().any(|nan| word.eq_ignore_ascii_case(nan))
}

/// Checks size, encoding and depth of a JSON payload; a byte order mark is skipped.
pub(crate) fn json_text(payload: &[u8]) -> Result<&str, DecodeError> {
    let text = std::str::from_utf8(payload).map_err(|error| {
        DecodeError::new(
            DecodeErrorKind::Malformed,
            At::Byte(error.valid_up_to()),
            "the payload is not UTF-8 text",
            "send JSON as UTF-8; check that the source's format is right",
        )
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    limits::check_depth(text)?;
    Ok(text)
}

/// Reads a whole JSON document.
pub(crate) fn from_json<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, DecodeError> {
    serde_json::from_str(json_text(payload)?).map_err(|error| json_error(&error))
}

/// What a JSON parser's error means for a message.
pub(crate) fn json_error(error: &serde_json::Error) -> DecodeError {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let at = match error.line() {
        0 => At::Message,
        line => At::LineColumn { line, column: error.column() },
    };
    let (kind, hint) = match error.classify() {
        serde_json::error::Category::Data => (
            DecodeErrorKind::WrongShape,
            "check that the source's format is the one that the device sends",
        ),
        _ => (
            DecodeErrorKind::Malformed,
            "send valid JSON; check that the message was not cut short",
        ),
    };
    DecodeError::new(kind, at, quote_all(message), hint)
}

/// Parser messages quote the payload; they are cut to a sensible length.
fn quote_all(message: &str) -> String {
    let start: String = message.chars().take(200).collect();
    if start.len() < message.len() { format!("{start}…") } else { start }
}

/// A text that borrows from the payload where it holds no escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// A scalar; `None` for null, arrays and objects, which are read over.
pub(crate) struct Scalar<'a>(pub(crate) Option<Raw<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = Scalar<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Scalar<'de>, E> {
                Ok(Scalar(Some(Raw::Bool(flag))))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Scalar<'de>, E> {
                Ok(Scalar(Some(Raw::Integer(number))))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Scalar<'de>, E> {
                Ok(Scalar(Some(unsigned(number))))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Scalar<'de>, E> {
                Ok(Scalar(Some(Raw::Number(number))))
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
                Ok(Scalar(Some(Raw::Text(Cow::Borrowed(text)))))
            }
            fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
                Ok(Scalar(Some(Raw::Text(Cow::Owned(text.to_owned())))))
            }
            fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
                Ok(Scalar(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Scalar<'de>, A::Error> {
                drain_seq(items).map(|()| Scalar(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Scalar<'de>, A::Error> {
                drain_map(entries).map(|()| Scalar(None))
            }
        }
        deserializer.deserialize_any(ScalarVisitor)
    }
}

/// An unsigned integer; one beyond `i64` becomes the nearest number.
pub(crate) fn unsigned<'a>(number: u64) -> Raw<'a> {
    i64::try_from(number).map_or(Raw::Number(number as f64), Raw::Integer)
}

/// Reads over the rest of an array.
pub(crate) fn drain_seq<'de, A: SeqAccess<'de>>(mut items: A) -> Result<(), A::Error> {
    while items.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Reads over the rest of an object.
pub(crate) fn drain_map<'de, A: MapAccess<'de>>(mut entries: A) -> Result<(), A::Error> {
    while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_nans_become_null() {
        for (json, expected) in [
            (r#"{"a":nan,"b":[NaN,-Infinity , inf]}"#, r#"{"a":null,"b":[null,null , null]}"#),
            (r#"{"nan":"nan \" NaN","b":-nan}"#, r#"{"nan":"nan \" NaN","b":null}"#),
            ("NaN", "null"),
        ] {
            let mended = nan_to_null(json.as_bytes()).expect(json);
            assert_eq!(String::from_utf8(mended).expect("text"), expected);
        }
        for json in [r#"{"a":nano,"b":"NaN","c":1e5,"d":-7}"#, "\"NaN", "", "\"\\"] {
            assert_eq!(nan_to_null(json.as_bytes()), None, "{json}");
        }
    }

    #[test]
    fn texts_say_what_they_spell() {
        for (text, expected) in [
            (" 7.5 ", Some(Raw::Number(7.5))),
            ("TRUE", Some(Raw::Bool(true))),
            ("on", Some(Raw::Text("on".into()))),
            ("", None),
            ("nan", None),
            ("1e999", None),
        ] {
            assert_eq!(spelled(text.into()), expected, "{text}");
        }
    }
}
