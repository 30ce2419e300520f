//! Inhibition as Alertmanager has it: while a source fires, its targets are not told, because
//! whoever knows of the source knows of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::Alert;
use serde::{Deserialize, Serialize};

use super::{AlertMatch, Place};

/// What source and target must have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Equal {
    /// The target lies in the source's zone: the one that the source is about, or else the
    /// smallest that it lies in.
    Zone,
    /// They are about the same device.
    Device,
    /// Their rules belong to the same department.
    Department,
    /// The source's device is the target's gateway, or they have the same one.
    Gateway,
}

/// Alerts that keep others from being told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InhibitRule {
    /// Which alerts inhibit.
    pub source: AlertMatch,
    /// Which are inhibited.
    pub target: AlertMatch,
    /// What the two must have in common; nothing if empty.
    #[serde(default)]
    pub equal: Vec<Equal>,
}

impl InhibitRule {
    /// What is wrong with it, for people; `None` if nothing is.
    pub fn problem(&self) -> Option<String> {
        let side = |name: &str, matcher: &AlertMatch| {
            if matcher.is_empty() {
                return Some(format!("`{name}` matches every alert; say which are meant"));
            }
            matcher.problem().map(|problem| format!("`{name}`: {problem}"))
        };
        side("source", &self.source).or_else(|| side("target", &self.target))
    }

    /// Whether `source`, which fires, inhibits `target`.
    fn inhibits(&self, (source, at): (&Alert, &Place), (target, of): (&Alert, &Place)) -> bool {
        source.id != target.id
            // What is simulated keeps nothing real from being told.
            && (!source.simulated || target.simulated)
            && self.source.matches(source)
            && self.target.matches(target)
            // As in Alertmanager: what is both keeps nothing of its kind from being told.
            && !(self.source.matches(target) && self.target.matches(source))
            && self.equal.iter().all(|equal| match equal {
                Equal::Device => {
                    source.subject.device().is_some()
                        && source.subject.device() == target.subject.device()
                }
                Equal::Department => source.rule.department == target.rule.department,
                Equal::Zone => at.zone.as_ref().is_some_and(|zone| {
                    of.zone.as_ref() == Some(zone) || target.zones.contains(zone)
                }),
                Equal::Gateway => of.gateway.as_ref().is_some_and(|gateway| {
                    source.subject.device() == Some(gateway) || at.gateway.as_ref() == Some(gateway)
                }),
            })
    }
}

/// Which alerts are inhibited, kept up to date alert by alert.
#[derive(Debug, Default)]
pub struct Inhibitions {
    rules: Arc<[InhibitRule]>,
    /// The firing alerts that are a source of some rule, by id.
    sources: BTreeMap<Arc<str>, (Arc<Alert>, Place)>,
}

impl Inhibitions {
    /// None yet.
    pub fn new(rules: Arc<[InhibitRule]>) -> Self {
        Self { rules, sources: BTreeMap::new() }
    }

    /// Whether there are no rules, so that nothing ever is inhibited.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Takes an alert as it is now; `true` if the inhibitions of others may have changed by it.
    pub fn take(&mut self, alert: &Arc<Alert>, place: &Place) -> bool {
        let fires = alert.resolved_at.is_none();
        if fires && self.rules.iter().any(|rule| rule.source.matches(alert)) {
            let now = (alert.clone(), place.clone());
            let before = self.sources.insert(alert.id.clone(), now);
            return before
                .is_none_or(|(before, at)| before.severity != alert.severity || at != *place);
        }
        self.sources.remove(&alert.id).is_some()
    }

    /// The ids of the alerts that inhibit this one.
    pub fn of(&self, target: &Alert, place: &Place) -> Vec<Arc<str>> {
        if !self.rules.iter().any(|rule| rule.target.matches(target)) {
            return Vec::new();
        }
        let sources = self.sources.iter().filter(|(_, (source, at))| {
            self.rules.iter().any(|rule| rule.inhibits((source, at), (target, place)))
        });
        sources.map(|(id, _)| id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use city_model::{Severity, Subject, Timestamp};
    use serde_json::{Value, json};

    use super::super::matcher::tests::alert;
    use super::*;

    fn inhibitions(rules: Value) -> Inhibitions {
        let rules: Vec<InhibitRule> = serde_json::from_value(rules).expect("rules");
        assert!(rules.iter().all(|rule| rule.problem().is_none()));
        Inhibitions::new(rules.into())
    }

    fn about(id: &str, rule: &str, device: &str) -> Arc<Alert> {
        let mut alert = alert(id);
        alert.rule.id = rule.into();
        alert.subject = Subject::Device { device: device.into() };
        Arc::new(alert)
    }

    fn at(zone: &str) -> Place {
        Place { zone: Some(zone.into()), gateway: None }
    }

    #[test]
    fn a_source_inhibits_while_it_fires() {
        let mut all = inhibitions(json!([{"source": {"rule": "power-out"},
            "target": {"rule": "pm25-high"}, "equal": ["zone"]}]));
        let target = about("t", "pm25-high", "a");
        assert!(!all.take(&target, &at("pier")), "it is no source");
        assert!(all.of(&target, &at("pier")).is_empty());
        let mut source = alert("s");
        source.rule.id = "power-out".into();
        source.subject = Subject::Zone { zone: "harbour".into() };
        let source = Arc::new(source);
        assert!(all.take(&source, &at("harbour")));
        assert!(!all.take(&source, &at("harbour")), "nothing new");
        assert_eq!(all.of(&target, &at("pier")), ["s".into()], "the pier lies in the harbour");
        let mut elsewhere = (*target).clone();
        elsewhere.zones = vec!["old-town".into()];
        assert!(all.of(&elsewhere, &at("old-town")).is_empty());
        let over = Alert { resolved_at: Some(Timestamp::from_secs(1)), ..(*source).clone() };
        assert!(all.take(&Arc::new(over), &at("harbour")));
        assert!(all.of(&target, &at("pier")).is_empty());
    }

    #[test]
    fn what_must_be_equal_is() {
        let by = |equal: &str| {
            let mut all = inhibitions(json!([{"source": {"rule": "dark"},
                "target": {"rule": "silent"}, "equal": [equal]}]));
            all.take(&about("s", "dark", "gw"), &Place::default());
            all
        };
        let behind = Place { zone: None, gateway: Some("gw".into()) };
        let (same, other) = (about("1", "silent", "gw"), about("2", "silent", "b"));
        assert_eq!(by("device").of(&same, &Place::default()).len(), 1);
        assert_eq!(by("device").of(&other, &Place::default()).len(), 0);
        assert_eq!(by("gateway").of(&other, &behind).len(), 1);
        assert_eq!(by("gateway").of(&other, &Place::default()).len(), 0);
        assert_eq!(by("department").of(&other, &Place::default()).len(), 1);
        assert_eq!(by("zone").of(&other, &at("pier")).len(), 0, "the source has no zone");
    }

    #[test]
    fn nothing_inhibits_itself_or_its_like_and_simulated_nothing_real() {
        let mut all = inhibitions(json!([{"source": {"department": "environment"},
            "target": {"department": "environment"}}]));
        let (one, two) = (about("1", "x", "a"), about("2", "x", "b"));
        all.take(&one, &Place::default());
        all.take(&two, &Place::default());
        assert!(all.of(&one, &Place::default()).is_empty(), "each is both");

        let mut all = inhibitions(json!([{"source": {"severity_at_least": "high"},
            "target": {"severity_at_most": "medium"}}]));
        let test = Alert { simulated: true, severity: Severity::Critical, ..alert("test") };
        all.take(&Arc::new(test), &Place::default());
        assert!(all.of(&one, &Place::default()).is_empty());
        let other_test = Alert { simulated: true, ..alert("other") };
        assert_eq!(all.of(&other_test, &Place::default()), ["test".into()]);
    }

    #[test]
    fn a_rule_that_matches_everything_is_refused() {
        let rule = |source: Value, target: Value| -> InhibitRule {
            serde_json::from_value(json!({"source": source, "target": target})).expect("a rule")
        };
        assert!(rule(json!({}), json!({"rule": "x"})).problem().is_some());
        assert!(rule(json!({"rule": "x"}), json!({})).problem().is_some());
        assert!(rule(json!({"rule": ""}), json!({"rule": "y"})).problem().is_some());
        assert_eq!(rule(json!({"rule": "x"}), json!({"rule": "y"})).problem(), None);
    }
}
