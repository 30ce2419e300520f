//! Routing: which alert events a receiver wants to be told about.

use std::collections::BTreeMap;

use city_model::{Alert, AlertEvent, AlertEventKind, Severity, Subject};
use serde::{Deserialize, Serialize};

/// The value of a label that a receiver wants, or several of which any will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LabelValues {
    /// This one.
    One(String),
    /// Any of these.
    Any(Vec<String>),
}

impl LabelValues {
    fn contains(&self, value: &str) -> bool {
        match self {
            Self::One(wanted) => wanted == value,
            Self::Any(wanted) => wanted.iter().any(|wanted| wanted == value),
        }
    }

    /// The values, one or several.
    pub fn values(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Any(values) => values,
        }
    }
}

/// What a receiver wants. Each list that is not empty must hold something of the alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The receiver's id.
    pub receiver: String,
    /// Whether it belongs to this instance: simulated and test data reach no other.
    pub inside: bool,
    /// The least severity.
    pub severity: Severity,
    /// Departments that own the rule.
    pub departments: Vec<String>,
    /// Zones that the alert lies in.
    pub zones: Vec<String>,
    /// Ids of rules.
    pub rules: Vec<String>,
    /// Labels of the rule: all of these must be there.
    pub labels: BTreeMap<String, LabelValues>,
    /// Kinds of the device; alerts of zones have none.
    pub device_kinds: Vec<String>,
    /// Whether it wants to hear that alerts ended.
    pub resolved: bool,
}

impl Route {
    /// Whether it wants to be told about an event, had it not heard of the alert before.
    pub fn wants(&self, event: &AlertEvent) -> bool {
        let alert = &event.alert;
        let among = |wanted: &[String], value: &str| wanted.iter().any(|wanted| wanted == value);
        let one_of = |wanted: &[String], value: &str| wanted.is_empty() || among(wanted, value);
        self.hears_of(event)
            && (self.inside || !alert.simulated)
            && alert.severity >= self.severity
            && one_of(&self.departments, &alert.rule.department)
            && one_of(&self.rules, &alert.rule.id)
            && one_of(&self.device_kinds, alert.kind.as_deref().unwrap_or_default())
            && (self.zones.is_empty() || zones_of(alert).any(|zone| among(&self.zones, zone)))
            && self.labels.iter().all(|(name, wanted)| {
                alert.labels.get(name).is_some_and(|value| wanted.contains(value))
            })
    }

    /// Whether it is told of such an event at all, also if it was told of the alert before.
    pub fn hears_of(&self, event: &AlertEvent) -> bool {
        self.resolved || event.kind != AlertEventKind::Resolved
    }
}

/// The zones that an alert lies in, and the zone that it is about.
fn zones_of(alert: &Alert) -> impl Iterator<Item = &str> {
    let about = match &alert.subject {
        Subject::Zone { zone } => Some(&**zone),
        Subject::Series { .. } | Subject::Device { .. } => None,
    };
    alert.zones.iter().map(|zone| &**zone).chain(about)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::ReceiverConfig;
    use crate::receivers::sample::event;

    fn wants(route: &Value, change: impl FnOnce(&mut AlertEvent)) -> bool {
        let mut config = json!({"id": "desk", "type": "webhook"});
        config.as_object_mut().expect("an object").extend(route.as_object().cloned().expect("one"));
        let config: ReceiverConfig = serde_json::from_value(config).expect("a receiver");
        let mut event = event(AlertEventKind::Fired);
        event.alert.labels = [("team".to_owned(), "air".to_owned())].into();
        change(&mut event);
        config.route().wants(&event)
    }

    /// The event is of `pm25-high` of the environment department, critical, about an air station in
    /// the zones haidian and beijing.
    #[test]
    fn every_list_that_is_given_must_hold_something_of_the_alert() {
        for (route, wanted) in [
            (json!({}), true),
            (json!({"severity": "critical"}), true),
            (json!({"departments": ["water", "environment"]}), true),
            (json!({"departments": ["water"]}), false),
            (json!({"zones": ["haidian"]}), true),
            (json!({"zones": ["chaoyang", "beijing"]}), true),
            (json!({"zones": ["chaoyang"]}), false),
            (json!({"rules": ["pm25-high"]}), true),
            (json!({"rules": ["pm25"]}), false),
            (json!({"device_kinds": ["air_station"]}), true),
            (json!({"device_kinds": ["bus"]}), false),
            (json!({"labels": {"team": "air"}}), true),
            (json!({"labels": {"team": ["water", "air"]}}), true),
            (json!({"labels": {"team": "water"}}), false),
            (json!({"labels": {"team": "air", "site": "north"}}), false),
            (json!({"zones": ["haidian"], "departments": ["water"]}), false),
        ] {
            assert_eq!(wants(&route, |_| {}), wanted, "{route}");
        }
    }

    #[test]
    fn milder_simulated_and_unwanted_ends_are_left_out() {
        assert!(!wants(&json!({"severity": "critical"}), |e| e.alert.severity = Severity::High));
        assert!(!wants(&json!({}), |event| event.alert.simulated = true));
        let end = |event: &mut AlertEvent| event.kind = AlertEventKind::Resolved;
        assert!(wants(&json!({}), end));
        assert!(!wants(&json!({"resolved": false}), end));
        assert!(wants(&json!({"resolved": false}), |e| e.kind = AlertEventKind::Deescalated));
    }

    #[test]
    fn an_alert_about_a_zone_lies_in_it() {
        let about = |zone: &str| {
            let zone = zone.into();
            move |event: &mut AlertEvent| {
                event.alert.zones.clear();
                event.alert.subject = Subject::Zone { zone };
            }
        };
        assert!(wants(&json!({"zones": ["haidian"]}), about("haidian")));
        assert!(!wants(&json!({"zones": ["haidian"]}), about("chaoyang")));
    }

    #[test]
    fn an_alert_of_a_zone_has_no_kind_of_device() {
        let of_zone = |event: &mut AlertEvent| event.alert.kind = None;
        assert!(!wants(&json!({"device_kinds": ["air_station"]}), of_zone));
        assert!(wants(&json!({}), of_zone));
    }
}
