//! Rules that name other rules: every name must be there, without circles, and fit.

use rustc_hash::FxHashMap;

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
        if let Some(way) = rules.position(&rule.id).and_then(|at| circle_through(at, rules)) {
            let hint = "take one of them out of `when` or `unless`".to_owned();
            let message = format!("the rule follows itself: {way}");
            problems.push(problem(rule, rule.mark, message, hint));
        }
    }
    if problems.is_empty()
        && let Some(rule) = too_deep(rules).map(|place| &rules.rules()[place])
    {
        problems.push(problem(
            rule,
            rule.mark,
            format!("more than {DEEPEST} rules follow each other in a chain"),
            "let it follow the last ones of them directly".to_owned(),
        ));
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

/// How many composites may follow each other in a chain.
const DEEPEST: usize = 16;

/// The way from a composite back to itself. Each circle is told at its first rule only.
fn circle_through(first: usize, rules: &RuleSet) -> Option<String> {
    // By rule, the one by which it was reached.
    let mut reached: FxHashMap<usize, usize> = FxHashMap::default();
    let mut open = vec![first];
    while let Some(place) = open.pop() {
        for next in followed(place, rules) {
            if next == first {
                let mut way = vec![first, place];
                while way.last() != Some(&first) {
                    way.extend(way.last().and_then(|last| reached.get(last)).copied());
                }
                let names = way.iter().rev().map(|place| &*rules.rules()[*place].id);
                return Some(names.collect::<Vec<_>>().join(" → "));
            }
            if next > first && !reached.contains_key(&next) {
                reached.insert(next, place);
                open.push(next);
            }
        }
    }
    None
}

/// The rules at the top of chains that are too long; there must be no circles.
fn too_deep(rules: &RuleSet) -> Option<usize> {
    let mut depths = vec![0; rules.len()];
    for _ in 0..=DEEPEST {
        for place in 0..rules.len() {
            let below = followed(place, rules).map(|next| depths[next] + 1).max();
            depths[place] = below.unwrap_or(0);
        }
    }
    depths.iter().position(|depth| *depth > DEEPEST)
}

/// The places of the rules that a composite follows.
fn followed(place: usize, rules: &RuleSet) -> impl Iterator<Item = usize> {
    let names = match &rules.rules()[place].condition {
        Condition::Composite(composite) => composite.followed().collect(),
        _ => Vec::new(),
    };
    names.into_iter().filter_map(|name| rules.position(name))
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

    #[test]
    fn chains_have_an_end_whatever_their_order() {
        let chain = |length: usize, backwards: bool| {
            let mut rules: Vec<String> = (1..=length)
                .map(|n| {
                    let below = n - 1;
                    format!("  - {{id: c{n}, kind: composite, severity: low, when: {{any: c{below}}}}}\n")
                })
                .collect();
            rules.push(
                "  - {id: c0, kind: threshold, select: {metric: pm25}, severity: low, raise: {above: 1}}\n"
                    .to_owned(),
            );
            if backwards {
                rules.reverse();
            }
            let text = format!("group: g\ndepartment: d\nrules:\n{}", rules.concat());
            RuleSet::parse(&[("f.yaml", text)]).map(|_| ()).map_err(|error| error.to_string())
        };
        for backwards in [false, true] {
            assert_eq!(chain(16, backwards), Ok(()));
            for length in [17, 2_000] {
                let error = chain(length, backwards).expect_err("too long");
                assert!(error.contains("more than 16 rules follow each other"), "{error}");
            }
        }
    }
}
