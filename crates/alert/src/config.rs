//! Receivers as configuration describes them.

use std::path::Path;

use city_model::LocalText;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::receivers::{RECEIVERS, Receiver};

/// What messages to people say of the city.
#[derive(Clone, Debug, PartialEq)]
pub struct CityFacts {
    /// Its name; empty if it is not said.
    pub name: LocalText,
    /// The time zone that times are told in.
    pub time_zone: TimeZone,
}

impl Default for CityFacts {
    fn default() -> Self {
        Self { name: LocalText::default(), time_zone: TimeZone::UTC }
    }
}

/// Where alert events are pushed to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiverConfig {
    /// Its id: in the outbox, the metrics and the status page.
    pub id: String,
    /// The kind of receiver, by name, such as `webhook`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The least severity that it wants.
    #[serde(default = "lowest")]
    pub severity: city_model::Severity,
    /// Whether it belongs to this instance. Alerts from simulated or test data are sent to
    /// receivers inside only.
    #[serde(skip)]
    pub inside: bool,
    /// The city that its messages are about.
    #[serde(skip)]
    pub city: CityFacts,
    /// Options of the kind.
    #[serde(default)]
    pub options: serde_json::Value,
}

fn lowest() -> city_model::Severity {
    city_model::Severity::Low
}

impl ReceiverConfig {
    /// Whether a receiver can be made of this; otherwise what is wrong.
    pub fn check(&self) -> Result<(), String> {
        self.build().map(drop)
    }

    /// Makes the paths of options that name files relative to a folder absolute.
    pub fn resolve_paths(&mut self, base: &Path) {
        let serde_json::Value::Object(options) = &mut self.options else { return };
        for (name, value) in options {
            if let (true, serde_json::Value::String(path)) = (name.ends_with("_file"), value) {
                *path = base.join(&*path).to_string_lossy().into_owned();
            }
        }
    }

    pub(crate) fn build(&self) -> Result<Box<dyn Receiver>, String> {
        let kind = RECEIVERS.iter().find(|kind| kind.name() == self.kind).ok_or_else(|| {
            let known: Vec<_> = RECEIVERS.iter().map(|kind| kind.name()).collect();
            format!("there is no type `{}`; there are {}", self.kind, known.join(", "))
        })?;
        kind.build(&self.options, &self.city)
    }
}
