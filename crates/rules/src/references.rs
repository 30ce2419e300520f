//! Rules that name other rules: every name must be there, without circles, and fit.

use std::sync::Arc;

use crate::kinds::{Condition, Via};
use crate::problem::{Mark, RuleProblem, suggestion};
use crate::rule::{Rule, RuleSet};

/// Reports names of rules that are unknown or do not fit.
pub(crate) fn check(rules: &RuleSet) -> Vec<RuleProblem> {
    let mut problems = Vec::new();
    let known: Vec<&str> = rules.rules().iter().map(|rule| &*rule.id).collect();
    for rule in rules.rules() {
        let mut report = |name: &str, message: String, hint: String| {
            let at = rule.select.mark_of(name).unwrap_or(rule.mark);
            problems.push(problem(rule, at, message, hint));
        };
        for name in rule.condition.names() {
            let Some(other) = rules.get(name) else {
                let hint = suggestion(name, &known)
                    .unwrap_or_else(|| format!("none of the {} rules has this id", known.len()));
                report(name, format!("unknown rule `{name}`"), hint);
                continue;
            };
            if let Condition::Dependency(_) = other.condition {
                report(
                    name,
                    format!("`{name}` raises no alerts: it is a dependency"),
                    "name the rules that it suppresses or follows".to_owned(),
                );
            }
        }
        match &rule.condition {
            Condition::Composite(composite) if !composite.zones => {
                for name in composite.followed() {
                    if rules.get(name).is_some_and(|rule| rule.is_about_zones()) {
                        report(
                            name,
                            format!("the alerts of `{name}` are about zones, not about devices"),
                            "write `on: zone`, or name another rule".to_owned(),
                        );
                    }
                }
            }
            Condition::Dependency(dependency) if dependency.via != Via::Zone => {
                for name in &dependency.when {
                    if rules.get(name).is_some_and(|rule| rule.is_about_zones()) {
                        report(
                            name,
                            format!("the alerts of `{name}` are about zones, not about devices"),
                            "write `via: zone`, or name another rule".to_owned(),
                        );
                    }
                }
            }
            _ => {}
        }
        if let Some(circle) = circle_through(rule, rules) {
            problems.push(problem(
                rule,
                rule.mark,
                format!("the rule follows itself: {}", circle.join(" → ")),
                "take one of them out of `when` or `unless`".to_owned(),
            ));
        }
    }
    problems
}

fn problem(rule: &Rule, at: Mark, message: String, hint: String) -> RuleProblem {
    RuleProblem {
        file: rule.file.clone(),
        line: at.line,
        column: at.column,
        rule: Some(rule.id.clone()),
        message,
        hint: Some(hint),
    }
}

/// The way from a composite back to itself. Each circle is told at its first rule only.
fn circle_through(rule: &Rule, rules: &RuleSet) -> Option<Vec<Arc<str>>> {
    let mut ways: Vec<Vec<Arc<str>>> = vec![vec![rule.id.clone()]];
    let mut seen = std::collections::BTreeSet::new();
    let first = rules.position(&rule.id)?;
    while let Some(way) = ways.pop() {
        let last = rules.get(way.last()?)?;
        let Condition::Composite(composite) = &last.condition else { continue };
        for name in composite.followed() {
            let longer: Vec<Arc<str>> = way.iter().cloned().chain([name.clone()]).collect();
            if *name == rule.id {
                return Some(longer);
            }
            if rules.position(name).is_some_and(|place| place > first) && seen.insert(name.clone())
            {
                ways.push(longer);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::rule::RuleSet;

    #[test]
    fn names_of_rules_must_be_there_fit_and_make_no_circle() {
        let head = "group: g\ndepartment: d\nrules:\n";
        let known = "  - {id: hot, kind: threshold, select: {metric: pm25}, severity: low, raise: {above: 1}}
  - {id: wide, kind: zone_aggregate, select: {metric: pm25}, severity: low, raise: {above: 1}, aggregate: {function: mean, over: 5m}}
  - {id: held, kind: dependency, when: hot, suppress: wide, via: device}
";
        let circle = "  - {id: x, kind: composite, severity: low, when: {all: [y, hot]}}
  - {id: y, kind: composite, severity: low, when: {any: z}}
  - {id: z, kind: composite, severity: low, when: {any: hot}, unless: x}
";
        for (rule, expected) in [
            (
                "  - {id: c, kind: composite, severity: low, when: {all: [hot, hott]}}\n",
                "7:63: rule `c`: unknown rule `hott`\n  hint: did you mean `hot`?",
            ),
            (
                "  - {id: c, kind: composite, severity: low, when: {all: [hot, wide]}}\n",
                "about zones, not about devices",
            ),
            (
                "  - {id: c, kind: composite, severity: low, when: {all: [hot, held]}}\n",
                "raises no alerts",
            ),
            (
                "  - {id: c, kind: dependency, when: wide, suppress: hot, via: gateway}\n",
                "`via: zone`",
            ),
            (circle, "the rule follows itself: x → y → z → x"),
        ] {
            let error =
                RuleSet::parse(&[("f.yaml", format!("{head}{known}{rule}"))]).expect_err(rule);
            assert_eq!(error.0.len(), 1, "{error}");
            assert!(error.to_string().contains(expected), "{error} lacks {expected}");
        }
        RuleSet::parse(&[("f.yaml", format!("{head}{known}"))]).expect("good");
    }
}
