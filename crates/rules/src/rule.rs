//! A rule as the evaluator and people see it, and the set of all rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{LocalText, Metric, Quality, RuleRef, Severity, Span};
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

    /// The unit of what it judges and of its limits, as people write it, for values of a metric;
    /// `None` if there is none.
    pub fn unit(&self, metric: Option<&Metric>) -> Option<Arc<str>> {
        self.condition.measure().unit(metric)
    }

    /// Its severities, mildest first, with their limits if it judges a value.
    pub fn severities(&self) -> Vec<(Severity, Option<Step>)> {
        match &self.ladder {
            Some(ladder) => ladder.steps.iter().map(|step| (step.severity, Some(*step))).collect(),
            None => vec![(self.severity, None)],
        }
    }
}

/// Where a file names its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPlace {
    /// The group.
    pub group: Arc<str>,
    /// The name of the file as it was given.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

/// What sets one set of rules apart from another, by the ids of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The same in both.
    pub kept: Vec<Arc<str>>,
    /// Different in texts and labels only.
    pub retold: Vec<Arc<str>>,
    /// They decide differently.
    pub changed: Vec<Arc<str>>,
    /// In the later set only.
    pub added: Vec<Arc<str>>,
    /// In the earlier set only.
    pub removed: Vec<Arc<str>>,
}

/// What becomes of a rule in a later set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    Retold,
    Changed,
    Removed,
}

/// All rules, in the order of files and lines.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Arc<Rule>>,
    by_id: FxHashMap<Arc<str>, usize>,
    setting: Setting,
    groups: Vec<GroupPlace>,
}

impl RuleSet {
    pub(crate) fn new(rules: Vec<Arc<Rule>>, setting: Setting) -> Self {
        let by_id =
            rules.iter().enumerate().map(|(index, rule)| (rule.id.clone(), index)).collect();
        Self { rules, by_id, setting, groups: Vec::new() }
    }

    pub(crate) fn with_groups(self, groups: Vec<GroupPlace>) -> Self {
        Self { groups, ..self }
    }

    /// The group of each file that it was read from, in their order.
    pub fn groups(&self) -> &[GroupPlace] {
        &self.groups
    }

    /// What becomes of a rule of an earlier set, and its number if it is still there.
    pub(crate) fn fate_of(&self, old: &Rule) -> (Fate, Option<usize>) {
        let Some(index) = self.position(&old.id) else { return (Fate::Removed, None) };
        let rule = &self.rules[index];
        let fate = match (rule.version == old.version, rule.meaning == old.meaning) {
            (true, true) => Fate::Kept,
            (false, true) => Fate::Retold,
            (_, false) => Fate::Changed,
        };
        (fate, Some(index))
    }

    /// What is different from an earlier set.
    pub fn changes_since(&self, before: &Self) -> Changes {
        let mut changes = Changes::default();
        for old in &before.rules {
            let list = match self.fate_of(old).0 {
                Fate::Kept => &mut changes.kept,
                Fate::Retold => &mut changes.retold,
                Fate::Changed => &mut changes.changed,
                Fate::Removed => &mut changes.removed,
            };
            list.push(old.id.clone());
        }
        let new = self.rules.iter().filter(|rule| before.get(&rule.id).is_none());
        changes.added = new.map(|rule| rule.id.clone()).collect();
        changes
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

    /// These rules in two parts: those whose alerts follow from what one device sends, whatever the
    /// others do, and those that look at several devices or at other rules, with all that they name.
    #[must_use]
    pub fn split(&self) -> (Self, Self) {
        let spans = |rule: &&Arc<Rule>| {
            matches!(
                rule.condition,
                Condition::Zone(_) | Condition::Composite(_) | Condition::Dependency(_)
            )
        };
        let spanning: Vec<String> =
            self.rules.iter().filter(spans).map(|rule| rule.id.to_string()).collect();
        let spanning = self.only(&spanning);
        let alone = self.rules.iter().filter(|rule| spanning.get(&rule.id).is_none());
        (Self::new(alone.cloned().collect(), self.setting.clone()), spanning)
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
