//! Which alerts are meant: by rule, subject, place, department, labels and severity.

use std::collections::BTreeMap;

use city_model::{Alert, Severity, Subject};
use serde::{Deserialize, Deserializer, Serialize};

/// The most values that one part may list.
const MOST_VALUES: usize = 1_000;
/// The longest value, in bytes.
const LONGEST_VALUE: usize = 256;

/// Which alerts: every part that is given must match, a part matches if one of its values does, and
/// an empty part matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertMatch {
    /// Ids of rules.
    #[serde(deserialize_with = "one_or_many")]
    pub rule: Vec<String>,
    /// Subjects as text: `series:DEVICE/METRIC`, `device:DEVICE` or `zone:ZONE`.
    #[serde(deserialize_with = "one_or_many")]
    pub subject: Vec<String>,
    /// Ids of devices that they are about.
    #[serde(deserialize_with = "one_or_many")]
    pub device: Vec<String>,
    /// Ids of zones that they lie in or are about.
    #[serde(deserialize_with = "one_or_many")]
    pub zone: Vec<String>,
    /// Departments that own their rules.
    #[serde(deserialize_with = "one_or_many")]
    pub department: Vec<String>,
    /// Labels of their rules, each with the values that match.
    #[serde(deserialize_with = "labels")]
    pub labels: BTreeMap<String, Vec<String>>,
    /// The worst severity that matches.
    pub severity_at_most: Option<Severity>,
    /// The mildest severity that matches.
    pub severity_at_least: Option<Severity>,
}

impl AlertMatch {
    /// Whether it says nothing, and so would match every alert.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an alert is meant, as it is now.
    pub fn matches(&self, alert: &Alert) -> bool {
        let one_of =
            |list: &[String], value: &str| list.is_empty() || list.iter().any(|item| item == value);
        let about_zone = |zone: &String| {
            alert.zones.iter().any(|id| **id == **zone)
                || matches!(&alert.subject, Subject::Zone { zone: id } if **id == **zone)
        };
        let has_label = |(name, values): (&String, &Vec<String>)| {
            alert.labels.get(name).is_some_and(|value| one_of(values, value))
        };
        self.severity_at_most.is_none_or(|most| alert.severity <= most)
            && self.severity_at_least.is_none_or(|least| alert.severity >= least)
            && one_of(&self.rule, &alert.rule.id)
            && one_of(&self.department, &alert.rule.department)
            && (self.device.is_empty()
                || alert.subject.device().is_some_and(|device| one_of(&self.device, device)))
            && (self.zone.is_empty() || self.zone.iter().any(about_zone))
            && self.labels.iter().all(has_label)
            && (self.subject.is_empty() || one_of(&self.subject, &alert.subject.to_string()))
    }

    /// What is wrong with it, for people; `None` if nothing is.
    pub fn problem(&self) -> Option<String> {
        let lists = [&self.rule, &self.subject, &self.device, &self.zone, &self.department];
        let mut lists: Vec<&Vec<String>> = lists.into_iter().chain(self.labels.values()).collect();
        if self.labels.len() > MOST_VALUES || lists.iter().any(|list| list.len() > MOST_VALUES) {
            return Some(format!("it lists more than {MOST_VALUES} values in one place"));
        }
        let names: Vec<String> = self.labels.keys().cloned().collect();
        lists.push(&names);
        let bad = |value: &&String| value.is_empty() || value.len() > LONGEST_VALUE;
        if let Some(value) = lists.iter().flat_map(|list| list.iter()).find(bad) {
            let begin: String = value.chars().take(32).collect();
            return Some(format!("`{begin}` has no or more than {LONGEST_VALUE} bytes"));
        }
        if let (Some(most), Some(least)) = (self.severity_at_most, self.severity_at_least)
            && most < least
        {
            return Some(format!("no severity is at most {most} and at least {least}"));
        }
        None
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Vec<String> {
    fn from(given: OneOrMany) -> Self {
        match given {
            OneOrMany::One(value) => vec![value],
            OneOrMany::Many(values) => values,
        }
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    OneOrMany::deserialize(from).map(Into::into)
}

fn labels<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Vec<String>>, D::Error> {
    let given = BTreeMap::<String, OneOrMany>::deserialize(from)?;
    Ok(given.into_iter().map(|(name, values)| (name, values.into())).collect())
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use city_model::{LocalText, RuleRef, Timestamp};
    use serde_json::json;

    use super::*;

    /// A medium alert of `pm25-high` at the device `a` in `pier` and `harbour`.
    pub(crate) fn alert(id: &str) -> Alert {
        let at = Timestamp::from_secs(1_790_000_000);
        Alert {
            id: id.into(),
            rule: RuleRef {
                id: "pm25-high".into(),
                version: "000000000000".into(),
                name: LocalText::new("Fine dust", "细颗粒物"),
                department: "environment".into(),
            },
            subject: Subject::Series { device: "a".into(), metric: "pm25".into() },
            severity: Severity::Medium,
            started_at: at,
            fired_at: at,
            resolved_at: None,
            metric: Some("pm25".into()),
            unit: None,
            value: None,
            limit: None,
            reading_time: None,
            summary: LocalText::default(),
            zones: ["harbour", "pier"].map(Arc::from).to_vec(),
            kind: None,
            position: None,
            simulated: false,
            runbook: None,
            labels: [("team".to_owned(), "air".to_owned())].into(),
        }
    }

    fn reads(value: serde_json::Value) -> AlertMatch {
        serde_json::from_value(value).expect("a matcher")
    }

    #[test]
    fn every_part_that_is_given_must_match() {
        let alert = alert("1");
        for (matcher, expected) in [
            (json!({}), true),
            (json!({"rule": "pm25-high"}), true),
            (json!({"rule": ["x", "pm25-high"]}), true),
            (json!({"rule": "x"}), false),
            (json!({"subject": "series:a/pm25"}), true),
            (json!({"subject": "device:a"}), false),
            (json!({"device": "a"}), true),
            (json!({"device": "b"}), false),
            (json!({"zone": "pier"}), true),
            (json!({"zone": ["old-town", "harbour"]}), true),
            (json!({"zone": "old-town"}), false),
            (json!({"department": "environment"}), true),
            (json!({"department": "transport"}), false),
            (json!({"labels": {"team": "air"}}), true),
            (json!({"labels": {"team": ["water", "air"]}}), true),
            (json!({"labels": {"team": "water"}}), false),
            (json!({"labels": {"shift": "air"}}), false),
            (json!({"severity_at_most": "medium"}), true),
            (json!({"severity_at_most": "low"}), false),
            (json!({"severity_at_least": "high"}), false),
            (json!({"rule": "pm25-high", "zone": "old-town"}), false),
            (json!({"rule": "pm25-high", "zone": "pier", "severity_at_most": "high"}), true),
        ] {
            assert_eq!(reads(matcher.clone()).matches(&alert), expected, "{matcher}");
        }
        let mut zone = alert;
        zone.subject = Subject::Zone { zone: "square".into() };
        assert!(reads(json!({"zone": "square"})).matches(&zone), "it is about it");
        assert!(!reads(json!({"device": "a"})).matches(&zone), "it is about no device");
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        assert!(reads(json!({})).is_empty() && !reads(json!({"zone": "x"})).is_empty());
        for bad in [
            json!({"rule": ""}),
            json!({"labels": {"": "x"}}),
            json!({"labels": {"x": "y".repeat(257)}}),
            json!({"severity_at_most": "low", "severity_at_least": "high"}),
            json!({"device": vec!["x"; 1_001]}),
        ] {
            assert!(reads(bad.clone()).problem().is_some(), "{bad}");
        }
        assert_eq!(reads(json!({"rule": "x", "severity_at_most": "low"})).problem(), None);
        assert!(serde_json::from_value::<AlertMatch>(json!({"rules": "x"})).is_err(), "a typo");
    }
}
