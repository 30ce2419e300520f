//! Rule files to rules, with all problems of all files at once.
//!
//! ```yaml
//! group: air
//! department: environment              # of rules that name none
//! rules:
//!   - id: pm25-high                    # unique among all files
//!     name: {en: PM2.5 high, zh: PM2.5 超标}         # default: the id
//!     kind: threshold                  # one of KINDS; each file in kinds/ shows its own keys
//!     select:                          # each part one or a list; all parts must match
//!       metric: pm25
//!       kind: [air_station]
//!       zone: [loop]                   # also department, device
//!       attributes: {roadside: true}
//!     severity:                        # a ladder; or `severity: high` with `raise` and `clear`
//!       medium: {above: 75, clear_below: 65}        # or below, clear_above
//!       high: {above: 115, clear_below: 100}      # a limit may be the device's, see limits.rs
//!     for: 30s                         # default 0s
//!     keep_firing_for: 1m              # default 0s
//!     schedule: {times: ["Mon-Fri 07:00-19:00"], calendar: workdays}    # see schedule.rs
//!     trust: [pass, not_evaluated]     # the default; absence trusts all flags but `missing`
//!     lateness: 2m                     # default 5m; `any` evaluates however late
//!     summary: {en: "{device} measures {value} {unit}", zh: "{device}：{value} {unit}"}
//!     silent: true                     # only a member of composites; nobody is told
//!     labels: {team: air}
//!     runbook: https://example.org/air
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use city_model::{LocalText, Quality, Span};
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

use crate::calendar::Calendars;
use crate::fields::{self, Fields, one_or_many};
use crate::kinds::{self, Condition, KINDS, Kind};
use crate::limits::DeviceLimits;
use crate::problem::{Mark, RuleProblems, Sink, suggestion};
use crate::references;
use crate::rule::{GroupPlace, Rule, RuleSet, Trust};
use crate::schedule::Schedule;
use crate::selector::Selector;
use crate::setting::Setting;
use crate::template::Template;
use crate::yaml::{self, Content, Node};

/// How late readings may be where a rule does not say.
const DEFAULT_LATENESS: Span = Span::from_mins(5);

/// The names of quality flags.
pub(crate) const QUALITIES: [(&str, Quality); 5] = [
    ("pass", Quality::Pass),
    ("not_evaluated", Quality::NotEvaluated),
    ("suspect", Quality::Suspect),
    ("fail", Quality::Fail),
    ("missing", Quality::Missing),
];

/// Looks at a rule file and at each of its rules, whatever else is in it.
fn each_table(text: &str, mut look: impl FnMut(&mut Fields<'_>, &mut Sink)) {
    let mut quiet = Sink::new("");
    let root = yaml::read(text, &mut quiet);
    let Some(mut file) = root.as_ref().and_then(|root| Fields::of(root, "", &mut quiet)) else {
        return;
    };
    look(&mut file, &mut quiet);
    if let Some(Content::List(rules)) = file.get("rules").map(|rules| &rules.content) {
        for rule in rules {
            if let Some(mut rule) = Fields::of(rule, "", &mut quiet) {
                look(&mut rule, &mut quiet);
            }
        }
    }
}

impl RuleSet {
    /// Reads rule files, given as names and texts.
    ///
    /// Either all rules of all files are good, or every problem of every file is reported.
    pub fn parse<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Result<Self, RuleProblems> {
        Self::parse_in(files, &Setting::default())
    }

    /// The group that a rule file names, whatever else is in it.
    pub fn group_of(text: &str) -> Option<String> {
        let mut quiet = Sink::new("");
        let root = yaml::read(text, &mut quiet)?;
        let group = Fields::of(&root, "", &mut quiet)?.get("group")?;
        group.text_value().map(ToOwned::to_owned)
    }

    /// The departments that own the rules of a rule file, whatever else is in it: that of the file,
    /// and those that rules name themselves.
    pub fn departments_of(text: &str) -> BTreeSet<String> {
        let mut departments = BTreeSet::new();
        each_table(text, |fields, sink| {
            departments.extend(fields.text("department", sink).map(str::to_owned));
        });
        departments
    }

    /// The ids of the rules that a rule file holds back ([`crate::Dependency`]), whatever else is in
    /// it.
    pub fn suppressed_by(text: &str) -> BTreeSet<String> {
        let mut rules = BTreeSet::new();
        each_table(text, |fields, sink| {
            let named = located(fields.get("suppress"), "suppress", sink);
            rules.extend(named.iter().map(|(id, _)| id.to_string()));
        });
        rules
    }

    /// Reads rule files of a city. Files of calendars may be among them; a calendar of theirs stands
    /// for that of the city with the same id.
    pub fn parse_in<N: AsRef<str>, T: AsRef<str>>(
        files: &[(N, T)],
        city: &Setting,
    ) -> Result<Self, RuleProblems> {
        let mut setting = city.clone();
        let mut calendars = Vec::new();
        let mut read: Vec<(Sink, &str, Option<Node>)> = Vec::new();
        for (name, text) in files {
            let mut sink = Sink::new(name.as_ref());
            let mut root = yaml::read(text.as_ref(), &mut sink);
            if let Some(file) = root.take_if(|root| Calendars::is_file(root)) {
                setting.calendars.read(&file, &mut calendars, &mut sink);
            }
            read.push((sink, text.as_ref(), root));
        }
        let mut problems = Vec::new();
        let mut rules: Vec<Arc<Rule>> = Vec::new();
        let (mut ids, mut groups) = (FxHashMap::default(), Vec::new());
        for (mut sink, text, root) in read {
            if let Some(root) = root {
                let (ids, groups) = (&mut ids, &mut groups);
                let mut file = File { sink: &mut sink, text, ids, groups, setting: &setting };
                rules.extend(file.read(&root).into_iter().map(Arc::new));
            }
            sink.problems.sort_by_key(|problem| (problem.line, problem.column));
            problems.append(&mut sink.problems);
        }
        if !problems.is_empty() {
            return Err(RuleProblems(problems));
        }
        let rules = Self::new(rules, setting).with_groups(groups);
        problems = references::check(&rules);
        if problems.is_empty() { Ok(rules) } else { Err(RuleProblems(problems)) }
    }
}

/// Where each rule id was first seen.
type Ids = FxHashMap<Arc<str>, (Arc<str>, Mark)>;

struct File<'f> {
    sink: &'f mut Sink,
    text: &'f str,
    ids: &'f mut Ids,
    setting: &'f Setting,
    groups: &'f mut Vec<GroupPlace>,
}

struct Group {
    name: Arc<str>,
    department: Option<Arc<str>>,
}

impl File<'_> {
    fn read(&mut self, root: &Node) -> Vec<Rule> {
        let Some(mut fields) = Fields::of(root, "a rule file", self.sink) else {
            return Vec::new();
        };
        let group =
            fields.need("group", "every file names its group, for example `group: air`", self.sink);
        let at = group.map(|node| node.mark).unwrap_or_default();
        let group = Group {
            name: group
                .and_then(|node| fields::text(node, "group", self.sink))
                .unwrap_or_default()
                .into(),
            department: fields.text("department", self.sink).map(Into::into),
        };
        self.groups.push(GroupPlace {
            group: group.name.clone(),
            file: self.sink.file.clone(),
            line: at.line,
            column: at.column,
        });
        let rules =
            fields.need("rules", "write `rules:` and below it one `- id: …` per rule", self.sink);
        fields.finish(|_| None, self.sink);
        let Some(rules) = rules else { return Vec::new() };
        let Content::List(items) = &rules.content else {
            self.sink
                .report(rules.mark, format!("`rules` must be a list, found {}", rules.found()));
            return Vec::new();
        };
        if items.is_empty() {
            self.sink.report(rules.mark, "`rules` is empty");
        }
        items.iter().filter_map(|item| self.rule(item, &group)).collect()
    }

    fn rule(&mut self, node: &Node, group: &Group) -> Option<Rule> {
        let before = self.sink.problems.len();
        let rule = self.read_rule(node, group);
        self.sink.rule = None;
        // A rule with problems is no rule, even if enough of it could be read.
        rule.filter(|_| self.sink.problems.len() == before)
    }

    fn read_rule(&mut self, node: &Node, group: &Group) -> Option<Rule> {
        let mut fields = Fields::of(node, "a rule", self.sink)?;
        let id = self.id(&mut fields);
        let sink = &mut *self.sink;
        let name = fields.local("name", sink);
        let department = fields.text("department", sink).map(Arc::from);
        let department = department.or_else(|| group.department.clone());
        if department.is_none() {
            sink.report_with(
                node.mark,
                "no department owns the rule",
                "add `department: …` to the rule or at the top of the file",
            );
        }
        let select = fields.get("select");
        let selector = Selector::read(select, sink);
        let trust = read_trust(&mut fields, sink);
        let lateness = read_lateness(&mut fields, sink);
        let keep_firing_for = fields.span("keep_firing_for", sink).unwrap_or(Span::ZERO);
        let silent = fields.flag("silent", sink).unwrap_or(false);
        let labels = read_labels(&mut fields, sink);
        let runbook = read_runbook(&mut fields, sink);
        let schedule = fields.get("schedule");
        let schedule = schedule.and_then(|node| Schedule::read(node, self.setting, sink));
        let summary = fields.get("summary");
        let kind = read_kind(&mut fields, sink);
        let Some(kind) = kind else {
            // Without its kind nobody can say which further keys are known.
            return None;
        };
        let mut built = (kind.read)(&mut fields, &selector, sink);
        if let Some(kinds::Built { condition: Condition::Dependency(_), .. }) = &built
            && let Some(node) = fields.get("schedule")
        {
            sink.report_with(
                node.mark,
                "a dependency has no schedule: it holds back whenever its cause fires",
                "give the rule that tells the cause a schedule",
            );
        }
        if let Some(kinds::Built { condition: Condition::Function(function), .. }) = &mut built
            && let Some(local) = function.in_zone(&self.setting.time_zone)
        {
            *function = local;
        }
        let limits = DeviceLimits::read(&fields);
        let judges_series = |built: &kinds::Built| {
            matches!(built.condition, Condition::Value | Condition::Function(_))
        };
        if limits.is_some() && built.as_ref().is_some_and(|built| !judges_series(built)) {
            sink.report_with(
                node.mark,
                format!("limits of single devices are not for rules of kind {}", kind.name),
                "write numbers, or use a kind that judges the series of a device",
            );
        }
        let at = summary.map_or(node.mark, |node| node.mark);
        let summary = match summary {
            Some(node) => fields::local(node, "summary", sink),
            None => Some(LocalText::new(kind.summary[0], kind.summary[1])),
        };
        let summary = summary.map(|text| Template::read(text, kind.placeholders, at, sink));
        fields.finish(|key| kinds::elsewhere(key, kind), sink);
        let (id, built, department) = (id?, built?, department?);
        let mut selector = selector;
        selector.marks.extend(built.places);
        if let Some(metrics) = built.metrics {
            selector.replace_metrics(metrics, kind, sink);
        }
        Some(Rule {
            version: version(node, &department),
            meaning: meaning(node, &department),
            name: name.unwrap_or_else(|| LocalText::same(&*id)),
            group: group.name.clone(),
            department,
            kind: kind.name,
            select: selector,
            severity: built.severity,
            ladder: built.ladder,
            limits,
            condition: built.condition,
            hold: built.hold,
            keep_firing_for,
            schedule,
            trust: trust.unwrap_or(built.trust),
            lateness,
            silent,
            summary: summary?,
            labels,
            runbook,
            source: source(self.text, node),
            file: self.sink.file.clone(),
            line: node.mark.line,
            mark: node.mark,
            id,
        })
    }

    fn id(&mut self, fields: &mut Fields<'_>) -> Option<Arc<str>> {
        let node =
            fields.need("id", "give it a short lasting name such as `id: pm25-high`", self.sink)?;
        let id: Arc<str> = fields::text(node, "id", self.sink)?.into();
        self.sink.rule = Some(id.clone());
        let fine =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if id.len() > 64 || !id.chars().all(fine) {
            self.sink.report_with(
                node.mark,
                format!("`{id}` cannot be an id"),
                "use at most 64 lower-case letters, digits, `-`, `_` and `.`",
            );
        }
        let here = (self.sink.file.clone(), node.mark);
        if let Some((file, mark)) = self.ids.get(&id) {
            let message = format!(
                "the id `{id}` is used twice: {}:{}:{} and {file}:{}:{}",
                here.0, here.1.line, here.1.column, mark.line, mark.column
            );
            self.sink.report_with(node.mark, message, "give one of the two another id");
        } else {
            self.ids.insert(id.clone(), here);
        }
        Some(id)
    }
}

fn read_kind(fields: &mut Fields<'_>, sink: &mut Sink) -> Option<&'static Kind> {
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let node = fields.need("kind", &format!("one of {}", names.join(", ")), sink)?;
    let name = fields::text(node, "kind", sink)?;
    let kind = KINDS.iter().find(|kind| kind.name == name);
    if kind.is_none() {
        sink.push(node.mark, format!("unknown kind `{name}`"), suggestion(name, &names));
    }
    kind.copied()
}

fn read_trust(fields: &mut Fields<'_>, sink: &mut Sink) -> Option<Trust> {
    let names = QUALITIES.map(|(name, _)| name);
    fields.get("trust")?;
    let mut flags = Vec::new();
    for (name, node) in fields.texts("trust", sink) {
        match QUALITIES.iter().find(|(other, _)| *other == name) {
            Some((_, flag)) => flags.push(*flag),
            None => sink.push(
                node.mark,
                format!("unknown quality flag `{name}`"),
                suggestion(name, &names),
            ),
        }
    }
    Some(Trust::of(&flags))
}

fn read_lateness(fields: &mut Fields<'_>, sink: &mut Sink) -> Option<Span> {
    match fields.get("lateness") {
        None => Some(DEFAULT_LATENESS),
        Some(node) if node.text_value() == Some("any") => None,
        Some(node) => fields::span(node, "lateness", sink),
    }
}

fn read_labels(fields: &mut Fields<'_>, sink: &mut Sink) -> BTreeMap<String, String> {
    let labels = fields.get("labels").and_then(|node| Fields::of(node, "`labels`", sink));
    let Some(labels) = labels else { return BTreeMap::new() };
    labels
        .entries()
        .iter()
        .filter_map(|(key, node)| {
            Some((key.name.clone(), fields::text(node, &key.name, sink)?.to_owned()))
        })
        .collect()
}

fn read_runbook(fields: &mut Fields<'_>, sink: &mut Sink) -> Option<String> {
    let node = fields.get("runbook")?;
    let text = fields::text(node, "runbook", sink)?;
    // It becomes a link in the browser: nothing but a web page may stand there.
    if !(text.starts_with("https://") || text.starts_with("http://")) {
        sink.report_with(
            node.mark,
            format!("`runbook` must be a web address, found `{text}`"),
            "begin it with https://",
        );
    }
    Some(text.to_owned())
}

fn version(node: &Node, department: &str) -> Arc<str> {
    let canonical = serde_json::json!([department, node.canonical()]);
    hex(canonical.to_string().as_bytes(), 12).into()
}

/// Keys of a rule that say something and decide nothing.
const TELLING: [&str; 5] = ["name", "summary", "gateway_summary", "runbook", "labels"];

fn meaning(node: &Node, department: &str) -> Arc<str> {
    let mut canonical = node.canonical();
    if let Some(keys) = canonical.as_object_mut() {
        keys.retain(|key, _| !TELLING.contains(&key.as_str()));
    }
    hex(serde_json::json!([department, canonical]).to_string().as_bytes(), 12).into()
}

/// The first digits of the SHA-256 in hexadecimal.
pub(crate) fn hex(bytes: &[u8], digits: usize) -> String {
    let mut text = String::with_capacity(digits + 1);
    for byte in Sha256::digest(bytes).iter().take(digits.div_ceil(2)) {
        let _ = write!(text, "{byte:02x}");
    }
    text.truncate(digits);
    text
}

/// The lines of a node, without the indentation and the `- ` of the list.
fn source(text: &str, node: &Node) -> String {
    let indent = node.mark.column - 1;
    let first = node.mark.line;
    let mut out = String::new();
    for (index, line) in text.lines().enumerate().take(node.last_line).skip(first - 1) {
        let cut = if index + 1 == first {
            line.char_indices().nth(indent).map_or("", |(at, _)| &line[at..])
        } else {
            let blank = line.len() - line.trim_start().len();
            &line[blank.min(indent)..]
        };
        out.push_str(cut.trim_end());
        out.push('\n');
    }
    out
}

/// Reads `over: 10m` and the like: a length of time that is more than nothing.
pub(crate) fn positive_span(
    fields: &mut Fields<'_>,
    key: &'static str,
    hint: &str,
    sink: &mut Sink,
) -> Option<Span> {
    let node = fields.need(key, hint, sink)?;
    let span = fields::span(node, key, sink)?;
    if span == Span::ZERO {
        sink.report(node.mark, format!("`{key}` must be more than nothing"));
        return None;
    }
    Some(span)
}

/// Reports a rule that needs its metrics named.
pub(crate) fn need_metric(selector: &Selector, at: Mark, sink: &mut Sink) {
    if selector.metric.is_empty() {
        sink.report_with(
            at,
            "the rule selects no metric, so its limits would apply to everything",
            "add `select: {metric: …}`",
        );
    }
}

/// The items of a key that holds names of a fixed list.
pub(crate) fn choose<T: Copy>(
    fields: &mut Fields<'_>,
    key: &'static str,
    choices: &[(&'static str, T)],
    sink: &mut Sink,
) -> Option<T> {
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let node = fields.need(key, &format!("one of {}", names.join(", ")), sink)?;
    let name = fields::text(node, key, sink)?;
    let found = choices.iter().find(|(other, _)| *other == name).map(|(_, choice)| *choice);
    if found.is_none() {
        sink.push(node.mark, format!("unknown {key} `{name}`"), suggestion(name, &names));
    }
    found
}

/// A list of names with their places.
pub(crate) fn located(node: Option<&Node>, what: &str, sink: &mut Sink) -> Vec<(Arc<str>, Mark)> {
    let Some(node) = node else { return Vec::new() };
    one_or_many(node)
        .iter()
        .filter_map(|item| Some((fields::text(item, what, sink)?.into(), item.mark)))
        .collect()
}

#[cfg(test)]
mod tests;
