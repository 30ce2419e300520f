//! Rules against the registry: names that exist nowhere select nothing, which nobody wants.

use city_model::Directory;

use crate::kinds::Condition;
use crate::problem::{Mark, RuleProblem, RuleProblems, suggestion};
use crate::rule::{Rule, RuleSet};

impl RuleSet {
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
