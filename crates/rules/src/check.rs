//! Rules against the registry: names that exist nowhere select nothing, which nobody wants.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{Directory, LocalText, Placement};

use crate::kinds::Condition;
use crate::limits::LimitFault;
use crate::problem::{Mark, RuleProblem, RuleProblems, suggestion};
use crate::rule::{Rule, RuleSet};

/// Devices that a rule selects and cannot judge, for one reason.
#[derive(Clone, Debug, PartialEq)]
pub struct NotJudged {
    /// The rule.
    pub rule: Arc<str>,
    /// What they are selected with and why that is not enough, for people.
    pub reason: LocalText,
    /// Their ids, in order.
    pub devices: Vec<Arc<str>>,
}

impl RuleSet {
    /// The devices whose limits rules take from the registry, and which have no valid ones there.
    /// Such rules are good; but nobody should think that these devices are watched.
    pub fn not_judged(&self, directory: &Directory) -> Vec<NotJudged> {
        let mut found = Vec::new();
        for rule in self.rules() {
            let (Some(limits), Some(ladder)) = (&rule.limits, &rule.ladder) else { continue };
            let zones: Vec<_> =
                rule.select.zone.iter().filter_map(|id| directory.zone_by_id(id)).collect();
            let mut faults: BTreeMap<LimitFault, Vec<Arc<str>>> = BTreeMap::new();
            for device in directory.devices() {
                let inside = rule.select.zone.is_empty()
                    || !matches!(device.placement, Placement::Fixed(_))
                    || zones.iter().any(|zone| device.zones.contains(&zone.key));
                if !inside || !rule.select.matches_device(device) {
                    continue;
                }
                if let Err(fault) = limits.resolve(ladder, device) {
                    faults.entry(fault).or_default().push(device.id.clone());
                }
            }
            found.extend(faults.into_iter().map(|(fault, mut devices)| {
                devices.sort();
                NotJudged { rule: rule.id.clone(), reason: fault.text(), devices }
            }));
        }
        found
    }

    /// Reports metrics, zones and layers of zones that the directory does not know.
    ///
    /// Devices, kinds and departments are not checked: devices may register later.
    pub fn check_against(&self, directory: &Directory) -> Result<(), RuleProblems> {
        let metrics: Vec<&str> = directory.metrics.iter().map(|metric| &*metric.id).collect();
        let zones: Vec<&str> = directory.zones().iter().map(|zone| &*zone.id).collect();
        let mut layers: Vec<&str> = directory.zones().iter().map(|zone| &*zone.layer).collect();
        layers.sort_unstable();
        layers.dedup();
        let mut problems = Vec::new();
        for rule in self.rules() {
            let mut check = |what: &str, name: &str, known: &[&str], at: Mark| {
                if !known.contains(&name) {
                    problems.push(problem(rule, at, what, name, known));
                }
            };
            let mark = |name: &str| rule.select.mark_of(name).unwrap_or(rule.mark);
            for name in &rule.select.metric {
                check("metric", name, &metrics, mark(name));
            }
            for name in &rule.select.zone {
                check("zone", name, &zones, mark(name));
            }
            if let Condition::Device(function) = &rule.condition {
                for zone in function.zones() {
                    check("zone", zone, &zones, mark(zone));
                }
            }
            let wanted: &[_] = match &rule.condition {
                Condition::Zone(aggregate) => &aggregate.layers,
                Condition::Composite(composite) => &composite.layers,
                Condition::Dependency(dependency) => &dependency.layers,
                _ => &[],
            };
            for (layer, at) in wanted {
                check("layer", layer, &layers, *at);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(RuleProblems(problems)) }
    }
}

fn problem(rule: &Rule, at: Mark, what: &str, name: &str, known: &[&str]) -> RuleProblem {
    let hint = suggestion(name, known).unwrap_or_else(|| {
        if known.is_empty() {
            return format!("no {what}s are loaded");
        }
        format!("none of the {} known {what}s is similar", known.len())
    });
    RuleProblem {
        file: rule.file.clone(),
        line: at.line,
        column: at.column,
        rule: Some(rule.id.clone()),
        message: format!("unknown {what} `{name}`"),
        hint: Some(hint),
    }
}
