//! A rule as the evaluator and people see it, and the set of all rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{LocalText, Quality, RuleRef, Severity, Span};
use rustc_hash::FxHashMap;

use crate::kinds::Condition;
use crate::ladder::{Ladder, Step};
use crate::limits::DeviceLimits;
use crate::problem::Mark;
use crate::schedule::Schedule;
use crate::selector::Selector;
use crate::setting::Setting;
use crate::template::Template;

/// Which quality flags a rule trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trust(u16);

impl Trust {
    /// Exactly these flags.
    pub fn of(flags: &[Quality]) -> Self {
        Self(flags.iter().fold(0, |bits, flag| bits | 1 << flag.code()))
    }

    /// Whether a reading with this flag may decide.
    pub const fn has(self, flag: Quality) -> bool {
        self.0 & (1 << flag.code()) != 0
    }

    /// The flags, best first.
    pub fn flags(self) -> impl Iterator<Item = Quality> {
        (1..=9).filter_map(Quality::from_code).filter(move |flag| self.has(*flag))
    }
}

impl Default for Trust {
    /// Passed and not evaluated.
    fn default() -> Self {
        Self::of(&[Quality::Pass, Quality::NotEvaluated])
    }
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Unique among all rules.
    pub id: Arc<str>,
    /// The first 12 hexadecimal digits of the SHA-256 of its canonical definition: comments,
    /// order and style do not count, the department of its group does.
    pub version: Arc<str>,
    /// The group of its file.
    pub group: Arc<str>,
    /// What people call it.
    pub name: LocalText,
    /// The department that owns it.
    pub department: Arc<str>,
    /// The name of its kind, one of [`crate::KINDS`].
    pub kind: &'static str,
    /// What it selects.
    pub select: Selector,
    /// The severity; that of the mildest step if there is a ladder.
    pub severity: Severity,
    /// The limits with their severities, for kinds that judge a value.
    pub ladder: Option<Ladder>,
    /// Where limits come from the device; those of the ladder are then those of devices without the
    /// attributes, and not a number if there are none.
    pub limits: Option<DeviceLimits>,
    /// What it does with the readings that it selects.
    pub condition: Condition,
    /// A hash of all that decides: the same in versions that differ in texts and labels only.
    pub(crate) meaning: Arc<str>,
    /// For how long a limit must be passed before the alert fires (`for`), where a severity does
    /// not say otherwise.
    pub hold: Span,
    /// For how long the alert goes on firing after the condition has cleared.
    pub keep_firing_for: Span,
    /// When it may raise; always if there is none.
    pub schedule: Option<Schedule>,
    /// Which quality flags it trusts.
    pub trust: Trust,
    /// Readings that come later than this after their event time are backfill and not evaluated;
    /// `None` evaluates them however late they are.
    pub lateness: Option<Span>,
    /// Whether it only is a member of composites and raises no alerts that anybody is told.
    pub silent: bool,
    /// What the alert says.
    pub summary: Template,
    /// Routing labels.
    pub labels: BTreeMap<String, String>,
    /// Where to read what to do.
    pub runbook: Option<String>,
    /// The part of the file that defines it.
    pub source: String,
    /// The file.
    pub file: Arc<str>,
    /// The line on which it begins, from 1.
    pub line: usize,
    pub(crate) mark: Mark,
}

impl Rule {
    /// The rule as alerts refer to it.
    pub fn reference(&self) -> RuleRef {
        RuleRef {
            id: self.id.clone(),
            version: self.version.clone(),
            name: self.name.clone(),
            department: self.department.clone(),
        }
    }

    /// Whether its alerts are about zones.
    pub fn is_about_zones(&self) -> bool {
        match &self.condition {
            Condition::Zone(_) => true,
            Condition::Composite(composite) => composite.zones,
            _ => false,
        }
    }

    /// For how long the limit of each severity must be passed before it fires.
    pub fn holds(&self) -> [Span; Severity::ALL.len()] {
        Severity::ALL.map(|severity| self.hold_of(severity))
    }

    /// For how long the limit of a severity must be passed before it fires.
    pub fn hold_of(&self, severity: Severity) -> Span {
        let step = self.ladder.as_ref().and_then(|ladder| ladder.step(severity));
        step.and_then(|step| step.hold).unwrap_or(self.hold)
    }

    /// Its severities, mildest first, with their limits if it judges a value.
    pub fn severities(&self) -> Vec<(Severity, Option<Step>)> {
        match &self.ladder {
            Some(ladder) => ladder.steps.iter().map(|step| (step.severity, Some(*step))).collect(),
            None => vec![(self.severity, None)],
        }
    }
}

/// All rules, in the order of files and lines.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Arc<Rule>>,
    by_id: FxHashMap<Arc<str>, usize>,
    setting: Setting,
}

impl RuleSet {
    pub(crate) fn new(rules: Vec<Arc<Rule>>, setting: Setting) -> Self {
        let by_id =
            rules.iter().enumerate().map(|(index, rule)| (rule.id.clone(), index)).collect();
        Self { rules, by_id, setting }
    }

    /// The rules.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// The time zone and the calendars with which the rules were read.
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// The rule with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Rule>> {
        self.position(id).map(|index| &self.rules[index])
    }

    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Only the rules with these ids, and those that they name, directly or not.
    #[must_use]
    pub fn only(&self, ids: &[String]) -> Self {
        let mut wanted: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut next = 0;
        while let Some(id) = wanted.get(next).copied() {
            let names = self.get(id).map(|rule| rule.condition.names()).unwrap_or_default();
            for name in names {
                if !wanted.contains(&&**name) {
                    wanted.push(name);
                }
            }
            next += 1;
        }
        let named = |rule: &&Arc<Rule>| wanted.contains(&&*rule.id);
        Self::new(self.rules.iter().filter(named).cloned().collect(), self.setting.clone())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}
