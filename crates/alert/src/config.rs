//! Receivers as configuration describes them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use city_cap::{Issuer, Places};
use city_model::LocalText;
use city_registry::Registry;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::receivers::{RECEIVERS, Receiver};
use crate::route::{LabelValues, Route};

/// What messages to people say of the city.
#[derive(Clone, Debug, PartialEq)]
pub struct CityFacts {
    /// Its name; empty if it is not said.
    pub name: LocalText,
    /// The time zone that times are told in.
    pub time_zone: TimeZone,
    /// Who speaks in the Common Alerting Protocol, if somebody does.
    pub cap: Option<Issuer>,
    /// Where things are.
    pub places: PlaceBook,
}

impl Default for CityFacts {
    fn default() -> Self {
        Self {
            name: LocalText::default(),
            time_zone: TimeZone::UTC,
            cap: None,
            places: PlaceBook::default(),
        }
    }
}

/// Where devices and zones are and what they are called, as of now; the default knows nothing.
#[derive(Clone, Default)]
pub struct PlaceBook(Option<Arc<Registry>>);

impl PlaceBook {
    /// What the registry knows.
    pub fn of(registry: Arc<Registry>) -> Self {
        Self(Some(registry))
    }

    pub(crate) fn places(&self) -> Places {
        Places {
            zones: self.0.as_ref().map(|registry| registry.zones()),
            directory: self.0.as_ref().map(|registry| registry.directory()),
        }
    }
}

impl std::fmt::Debug for PlaceBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PlaceBook").field(&self.0.is_some()).finish()
    }
}

impl PartialEq for PlaceBook {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

/// Where alert events are pushed to, and which. An alert that it was told of once is followed to its
/// end, whatever becomes of its severity and zones.
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
    /// The departments whose rules it wants to hear of; all if empty.
    #[serde(default)]
    pub departments: Vec<String>,
    /// The zones of which it wants to hear; all if empty.
    #[serde(default)]
    pub zones: Vec<String>,
    /// The ids of the rules that it wants to hear of; all if empty.
    #[serde(default)]
    pub rules: Vec<String>,
    /// The labels that a rule must have, each with its value or a list of which one will do.
    #[serde(default)]
    pub labels: BTreeMap<String, LabelValues>,
    /// The kinds of devices of which it wants to hear; all if empty, alerts of zones then too.
    #[serde(default)]
    pub device_kinds: Vec<String>,
    /// Whether it wants to hear that alerts ended.
    #[serde(default = "yes")]
    pub resolved: bool,
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

fn yes() -> bool {
    true
}

impl ReceiverConfig {
    /// A receiver outside that is told of everything.
    pub fn new(id: impl Into<String>, kind: impl Into<String>, options: serde_json::Value) -> Self {
        Self {
            id: id.into(),
            kind: kind.into(),
            severity: lowest(),
            departments: Vec::new(),
            zones: Vec::new(),
            rules: Vec::new(),
            labels: BTreeMap::new(),
            device_kinds: Vec::new(),
            resolved: true,
            inside: false,
            city: CityFacts::default(),
            options,
        }
    }

    /// What it wants to be told.
    pub fn route(&self) -> Route {
        Route {
            receiver: self.id.clone(),
            inside: self.inside,
            severity: self.severity,
            departments: self.departments.clone(),
            zones: self.zones.clone(),
            rules: self.rules.clone(),
            labels: self.labels.clone(),
            device_kinds: self.device_kinds.clone(),
            resolved: self.resolved,
        }
    }

    /// Whether a receiver can be made of this; otherwise what is wrong.
    pub fn check(&self) -> Result<(), String> {
        self.build().map(drop)
    }

    /// Makes the paths of options that name files relative to a folder absolute.
    pub fn resolve_paths(&mut self, base: &Path) {
        resolve(&mut self.options, base);
    }

    pub(crate) fn build(&self) -> Result<Box<dyn Receiver>, String> {
        let kind = RECEIVERS.iter().find(|kind| kind.name() == self.kind).ok_or_else(|| {
            let known: Vec<_> = RECEIVERS.iter().map(|kind| kind.name()).collect();
            format!("there is no type `{}`; there are {}", self.kind, known.join(", "))
        })?;
        if let Some((name, _)) = self.labels.iter().find(|(_, wanted)| wanted.values().is_empty()) {
            return Err(format!("labels.{name} lists no value; write one, or leave the label out"));
        }
        let cap = self.city.cap.as_ref().map(|issuer| issuer.to(&self.id));
        let receiver = kind.build(&self.options, &CityFacts { cap, ..self.city.clone() })?;
        if !self.resolved && receiver.limits().repeat.is_some() {
            return Err(format!(
                "`resolved = false` does not go with `{}`, which is told again and again until an \
                 alert ends; leave it out",
                self.kind
            ));
        }
        Ok(receiver)
    }
}

/// Makes every text behind a key that ends with `_file` a path below `base`, in tables too.
fn resolve(options: &mut serde_json::Value, base: &Path) {
    let serde_json::Value::Object(options) = options else { return };
    for (name, value) in options {
        match value {
            serde_json::Value::String(path) if name.ends_with("_file") => {
                *path = base.join(&*path).to_string_lossy().into_owned();
            }
            value => resolve(value, base),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn problem(kind: &str, more: &Value) -> Option<String> {
        let mut config = json!({"id": "desk", "type": kind, "options": {"url": "http://desk"}});
        config.as_object_mut().expect("one").extend(more.as_object().cloned().expect("one"));
        let config: ReceiverConfig = serde_json::from_value(config).expect("the right shape");
        config.check().err()
    }

    #[test]
    fn files_are_looked_for_beside_the_configuration_in_tables_too() {
        let options = json!({"token_file": "t", "broker": {"host": "h", "tls": {"ca_file": "c"}}});
        let mut config = ReceiverConfig::new("desk", "mqtt", options);
        config.resolve_paths(Path::new("/city"));
        let wanted = json!({"token_file": "/city/t",
            "broker": {"host": "h", "tls": {"ca_file": "/city/c"}}});
        assert_eq!(config.options, wanted);
    }

    #[test]
    fn a_route_that_cannot_work_is_refused() {
        assert_eq!(problem("webhook", &json!({"resolved": false, "labels": {"a": "b"}})), None);
        let said = problem("alertmanager", &json!({"resolved": false})).expect("refused");
        assert!(said.contains("`resolved = false` does not go with `alertmanager`"), "{said}");
        let said = problem("webhook", &json!({"labels": {"team": []}})).expect("refused");
        assert!(said.contains("labels.team lists no value"), "{said}");
        let unknown = json!({"id": "desk", "type": "webhook", "department": ["water"]});
        let said = serde_json::from_value::<ReceiverConfig>(unknown).expect_err("a typo");
        assert!(said.to_string().contains("unknown field `department`"), "{said}");
    }
}
