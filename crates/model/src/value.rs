//! What a reading says: a number, a truth value or a short text.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The value of a reading, in the metric's unit if it is a number.
///
/// Numbers are always finite: decoders refuse NaN and infinities, absence is the absence of a
/// reading.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A finite number in the metric's unit.
    Number(f64),
    /// A state such as open or closed.
    Bool(bool),
    /// A short text, at most [`Value::MAX_TEXT`] bytes.
    Text(Arc<str>),
}

impl Value {
    /// The longest text that a reading may hold, in bytes.
    pub const MAX_TEXT: usize = 256;

    /// The value as a number: truth values count as 0 and 1, texts have none.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Bool(state) => Some(f64::from(u8::from(*state))),
            Self::Text(_) => None,
        }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(state: bool) -> Self {
        Self::Bool(state)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

// In JSON a value is just the number, boolean or string; binary formats need the tag.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Plain {
    Bool(bool),
    Number(f64),
    Text(Arc<str>),
}

#[derive(Serialize, Deserialize)]
enum Tagged {
    Number(f64),
    Bool(bool),
    Text(Arc<str>),
}

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            match self.clone() {
                Self::Number(n) => Plain::Number(n),
                Self::Bool(b) => Plain::Bool(b),
                Self::Text(t) => Plain::Text(t),
            }
            .serialize(serializer)
        } else {
            match self.clone() {
                Self::Number(n) => Tagged::Number(n),
                Self::Bool(b) => Tagged::Bool(b),
                Self::Text(t) => Tagged::Text(t),
            }
            .serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Ok(match Plain::deserialize(deserializer)? {
                Plain::Number(n) => Self::Number(n),
                Plain::Bool(b) => Self::Bool(b),
                Plain::Text(t) => Self::Text(t),
            })
        } else {
            Ok(match Tagged::deserialize(deserializer)? {
                Tagged::Number(n) => Self::Number(n),
                Tagged::Bool(b) => Self::Bool(b),
                Tagged::Text(t) => Self::Text(t),
            })
        }
    }
}
