//! Inhibition as Alertmanager has it: while a source fires, its targets are not told, because
//! whoever knows of the source knows of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use city_model::Alert;
use rustc_hash::FxHashMap;
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

    /// By what sources and targets find each other quickly: the part of `equal` with the most values.
    fn key(&self) -> Option<Equal> {
        let order = [Equal::Device, Equal::Zone, Equal::Gateway, Equal::Department];
        order.into_iter().find(|equal| self.equal.contains(equal))
    }

    /// Under which keys a source is found; a source without any inhibits nothing.
    fn source_keys(&self, source: &Alert, at: &Place) -> Vec<Arc<str>> {
        match self.key() {
            None => vec![Arc::default()],
            Some(Equal::Device) => source.subject.device().cloned().into_iter().collect(),
            Some(Equal::Zone) => at.zone.clone().into_iter().collect(),
            Some(Equal::Department) => vec![source.rule.department.clone()],
            Some(Equal::Gateway) => {
                source.subject.device().cloned().into_iter().chain(at.gateway.clone()).collect()
            }
        }
    }

    /// Under which keys a target looks for sources.
    fn target_keys(&self, target: &Alert, of: &Place) -> Vec<Arc<str>> {
        match self.key() {
            Some(Equal::Zone) => target.zones.iter().cloned().chain(of.zone.clone()).collect(),
            Some(Equal::Gateway) => of.gateway.clone().into_iter().collect(),
            _ => self.source_keys(target, of),
        }
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

/// Which alerts are inhibited, kept up to date alert by alert. What it costs to ask for one depends
/// on the sources that have something in common with it, not on how many there are.
#[derive(Debug, Default)]
pub struct Inhibitions {
    rules: Arc<[InhibitRule]>,
    /// The firing alerts that are a source of some rule, by id.
    sources: FxHashMap<Arc<str>, (Arc<Alert>, Place)>,
    /// Their ids, by rule and key.
    found: FxHashMap<(usize, Arc<str>), BTreeSet<Arc<str>>>,
}

impl Inhibitions {
    /// None yet.
    pub fn new(rules: Arc<[InhibitRule]>) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Whether there are no rules, so that nothing ever is inhibited.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Takes an alert as it is now; `true` if the inhibitions of others may have changed by it.
    pub fn take(&mut self, alert: &Arc<Alert>, place: &Place) -> bool {
        let before = self.sources.remove(&alert.id);
        if let Some((before, at)) = &before {
            self.index(before, at, false);
        }
        let fires = alert.resolved_at.is_none();
        if !fires || !self.rules.iter().any(|rule| rule.source.matches(alert)) {
            return before.is_some();
        }
        self.index(alert, place, true);
        self.sources.insert(alert.id.clone(), (alert.clone(), place.clone()));
        before.is_none_or(|(before, at)| before.severity != alert.severity || at != *place)
    }

    fn index(&mut self, alert: &Alert, place: &Place, add: bool) {
        for (number, rule) in self.rules.iter().enumerate() {
            if !rule.source.matches(alert) {
                continue;
            }
            for key in rule.source_keys(alert, place) {
                let found = self.found.entry((number, key.clone())).or_default();
                if add {
                    found.insert(alert.id.clone());
                } else {
                    found.remove(&alert.id);
                    if found.is_empty() {
                        self.found.remove(&(number, key));
                    }
                }
            }
        }
    }

    /// The ids of the alerts that inhibit this one, `most` of them at most.
    pub fn of(&self, target: &Alert, place: &Place, most: usize) -> Vec<Arc<str>> {
        let mut inhibitors = BTreeSet::new();
        for (number, rule) in self.rules.iter().enumerate() {
            if !rule.target.matches(target) {
                continue;
            }
            for key in rule.target_keys(target, place) {
                let Some(found) = self.found.get(&(number, key)) else { continue };
                for id in found {
                    if inhibitors.len() == most {
                        return inhibitors.into_iter().collect();
                    }
                    let source = self.sources.get(id);
                    if source
                        .is_some_and(|(source, at)| rule.inhibits((source, at), (target, place)))
                    {
                        inhibitors.insert(id.clone());
                    }
                }
            }
        }
        inhibitors.into_iter().collect()
    }

    /// Whether one alert, would it fire, inhibited another; `place` says where that one is.
    pub fn concerns(
        &self,
        (source, at): (&Alert, &Place),
        target: &Alert,
        place: impl Fn(&Alert) -> Place,
    ) -> bool {
        let may = |rule: &&InhibitRule| rule.target.matches(target) && rule.source.matches(source);
        let mut rules = self.rules.iter().filter(may).peekable();
        if rules.peek().is_none() {
            return false;
        }
        let of = place(target);
        rules.any(|rule| rule.inhibits((source, at), (target, &of)))
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
        assert!(all.of(&target, &at("pier"), 9).is_empty());
        let mut source = alert("s");
        source.rule.id = "power-out".into();
        source.subject = Subject::Zone { zone: "harbour".into() };
        let source = Arc::new(source);
        assert!(all.take(&source, &at("harbour")));
        assert!(!all.take(&source, &at("harbour")), "nothing new");
        assert_eq!(all.of(&target, &at("pier"), 9), ["s".into()], "the pier lies in the harbour");
        let mut elsewhere = (*target).clone();
        elsewhere.zones = vec!["old-town".into()];
        assert!(all.of(&elsewhere, &at("old-town"), 9).is_empty());
        let over = Alert { resolved_at: Some(Timestamp::from_secs(1)), ..(*source).clone() };
        assert!(all.take(&Arc::new(over), &at("harbour")));
        assert!(all.of(&target, &at("pier"), 9).is_empty());
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
        assert_eq!(by("device").of(&same, &Place::default(), 9).len(), 1);
        assert_eq!(by("device").of(&other, &Place::default(), 9).len(), 0);
        assert_eq!(by("gateway").of(&other, &behind, 9).len(), 1);
        assert_eq!(by("gateway").of(&other, &Place::default(), 9).len(), 0);
        assert_eq!(by("department").of(&other, &Place::default(), 9).len(), 1);
        assert_eq!(by("zone").of(&other, &at("pier"), 9).len(), 0, "the source has no zone");
    }

    #[test]
    fn nothing_inhibits_itself_or_its_like_and_simulated_nothing_real() {
        let mut all = inhibitions(json!([{"source": {"department": "environment"},
            "target": {"department": "environment"}}]));
        let (one, two) = (about("1", "x", "a"), about("2", "x", "b"));
        all.take(&one, &Place::default());
        all.take(&two, &Place::default());
        assert!(all.of(&one, &Place::default(), 9).is_empty(), "each is both");

        let mut all = inhibitions(json!([{"source": {"severity_at_least": "high"},
            "target": {"severity_at_most": "medium"}}]));
        let test = Alert { simulated: true, severity: Severity::Critical, ..alert("test") };
        all.take(&Arc::new(test), &Place::default());
        assert!(all.of(&one, &Place::default(), 9).is_empty());
        let other_test = Alert { simulated: true, ..alert("other") };
        assert_eq!(all.of(&other_test, &Place::default(), 9), ["test".into()]);
    }

    #[test]
    fn an_index_finds_what_a_search_of_all_finds() {
        let places = ["pier", "harbour", "old-town"];
        let gateways = [None, Some("gw"), Some("d0")];
        let all = |n: usize| {
            let mut alert =
                (*about(&format!("{n:02}"), ["dark", "silent"][n % 2], &format!("d{}", n % 5)))
                    .clone();
            alert.rule.department = ["works", "water"][n % 3 % 2].into();
            alert.zones = places[..=(n % 3)].iter().map(|zone| Arc::from(*zone)).collect();
            if n.is_multiple_of(7) {
                alert.subject = Subject::Zone { zone: places[n % 3].into() };
            }
            let place = Place {
                zone: (!n.is_multiple_of(4)).then(|| places[n % 3].into()),
                gateway: gateways[n % 3].map(Arc::from),
            };
            (Arc::new(alert), place)
        };
        for equal in [
            json!([]),
            json!(["device"]),
            json!(["zone"]),
            json!(["gateway"]),
            json!(["department"]),
            json!(["department", "zone"]),
        ] {
            let mut indexed = inhibitions(json!([{"source": {"rule": "dark"},
                "target": {"rule": ["silent", "dark"], "severity_at_most": "high"}, "equal": equal}]));
            let alerts: Vec<_> = (0..40).map(all).collect();
            for (alert, place) in &alerts {
                indexed.take(alert, place);
            }
            // Some end again.
            for (alert, place) in alerts.iter().step_by(6) {
                let at = Some(Timestamp::from_secs(9));
                indexed.take(&Arc::new(Alert { resolved_at: at, ..(**alert).clone() }), place);
            }
            let rule = &indexed.rules[0];
            let mut some = 0;
            for (target, of) in &alerts {
                let firing = alerts.iter().enumerate().filter(|(n, _)| !n.is_multiple_of(6));
                let inhibits =
                    |(source, at): &(Arc<Alert>, Place)| rule.inhibits((source, at), (target, of));
                let expected: Vec<Arc<str>> = firing
                    .filter(|(_, source)| inhibits(source))
                    .map(|(_, (source, _))| source.id.clone())
                    .collect();
                assert_eq!(indexed.of(target, of, 99), expected, "{equal} {}", target.id);
                for (source, at) in &alerts {
                    let concerns = indexed.concerns((source, at), target, |_| of.clone());
                    assert_eq!(concerns, inhibits(&(source.clone(), at.clone())));
                }
                some += expected.len();
            }
            assert!(some > 0, "{equal}");
        }
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
