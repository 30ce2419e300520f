//! Kinds of devices as templates: what holds for a device where its own entry is silent.

use std::collections::BTreeMap;

use city_model::{Attribute, Crs, LocalText, Span};
use serde::{Deserialize, Serialize};

use crate::check_id;

/// A kind of device, and what its devices have in common.
///
/// The defaults are applied whenever a device is looked at, not copied when it is registered: a
/// changed template takes effect for all devices of the kind that do not say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Its id, such as `air_station`.
    pub id: String,
    /// What people call it.
    pub name: LocalText,
    /// How often its devices are expected to send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// Whether its devices move and their messages carry their position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moving: Option<bool>,
    /// The coordinate system of positions in their messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crs: Option<Crs>,
    /// Attributes that devices have unless they give their own of that name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Attribute>,
    /// The codec that turns the bytes of their frames into values, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// What the codec is told beside the bytes, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub codec_variables: BTreeMap<String, serde_json::Value>,
    /// The metrics that such a device is expected to send, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<String>,
}

impl Kind {
    /// A kind with a name and nothing else.
    pub fn named(id: impl Into<String>, name: LocalText) -> Self {
        Self { id: id.into(), name, ..Self::default() }
    }

    /// What is wrong with it: the field, what, and how to mend it.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        let mut add = |field: &str, message: String, hint: &'static str| {
            problems.push(FieldProblem { field: field.to_owned(), message, hint });
        };
        if let Err(why) = check_id(&self.id) {
            add("id", why.to_owned(), "name it in a word, for example `air_station`");
        }
        if self.name.is_empty() {
            add("name", "nobody could read it".to_owned(), "say what people call it");
        }
        if self.interval.is_some_and(|interval| interval <= Span::ZERO) {
            add("interval", "the interval is not positive".to_owned(), "write it like \"30s\"");
        }
        if self.codec.is_none() && !self.codec_variables.is_empty() {
            let message = "there are variables for a codec, but no codec".to_owned();
            add("codec_variables", message, "name the codec in `codec`, or leave them out");
        }
        problems
    }
}

/// What is wrong with one field of what somebody sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// The field; of attributes `attributes.NAME`.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: &'static str,
}
