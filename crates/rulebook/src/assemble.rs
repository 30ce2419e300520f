//! Texts of both homes to one set of rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use city_model::Directory;
use city_rules::{RuleProblem, RuleProblems, RuleSet, Setting};

/// The name and the text of a file.
pub type Text = (String, String);

/// The problems of groups that had to be left out, by their names.
pub type Broken = BTreeMap<Arc<str>, RuleProblems>;

/// What problems call the text of a kept group.
pub fn file_of(group: &str) -> String {
    format!("{KEPT}{group}")
}

const KEPT: &str = "api:";

/// The name and the text of a kept group.
pub(crate) type Group<'g> = (&'g Arc<str>, &'g str);

/// Makes one set of rules of files and kept groups.
///
/// Files, and `firm` groups, must be good, with each other too; `shaky` ones are left out if they
/// are not. `held` are the names of all kept groups: no file may bring one of them. Without a
/// directory nobody knows which metrics, zones and layers there are. `setting` is that of the city.
pub fn assemble(
    files: &[Text],
    firm: &[(&Arc<str>, &str)],
    shaky: &[(&Arc<str>, &str)],
    held: &BTreeSet<Arc<str>>,
    directory: Option<&Directory>,
    setting: &Setting,
) -> Result<(RuleSet, Broken), RuleProblems> {
    let mut broken = Broken::new();
    loop {
        // Shaky ones come last: whoever comes second is blamed for what two of them have in common.
        let shaky: Vec<Group<'_>> =
            shaky.iter().filter(|(name, _)| !broken.contains_key(*name)).copied().collect();
        let problems = match check(files, firm, &shaky, held, directory, setting) {
            Ok(rules) => return Ok((rules, broken)),
            Err(problems) => problems,
        };
        let mut others = Vec::new();
        let before = broken.len();
        for problem in problems.0 {
            let group = shaky.iter().find(|(name, _)| *problem.file == *file_of(name));
            match group {
                Some((name, _)) => {
                    let of = broken.entry(Arc::clone(name));
                    of.or_insert_with(|| RuleProblems(Vec::new())).0.push(problem);
                }
                None => others.push(problem),
            }
        }
        if !others.is_empty() || broken.len() == before {
            // A file may only miss what a group has that is broken itself: say why.
            others.extend(broken.into_values().flat_map(|problems| problems.0));
            return Err(RuleProblems(others));
        }
    }
}

fn check(
    files: &[Text],
    firm: &[Group<'_>],
    shaky: &[Group<'_>],
    held: &BTreeSet<Arc<str>>,
    directory: Option<&Directory>,
    setting: &Setting,
) -> Result<RuleSet, RuleProblems> {
    let kept: Vec<(String, &str)> =
        firm.iter().chain(shaky).map(|(name, text)| (file_of(name), *text)).collect();
    let files_in_all = files.len();
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let all: Vec<(&str, &str)> =
        files.chain(kept.iter().map(|(name, text)| (name.as_str(), *text))).collect();
    let rules = match RuleSet::parse_in(&all, setting) {
        Ok(rules) => rules,
        Err(problems) => {
            // A file that brings a kept group brings its ids too, most likely: say what it is.
            let own = RuleSet::parse_in(&all[..files_in_all], setting).unwrap_or_default();
            let misplaced = misplaced(&own, held);
            return Err(if misplaced.is_empty() { problems } else { RuleProblems(misplaced) });
        }
    };
    let mut problems = misplaced(&rules, held);
    problems.extend(kept.iter().filter_map(|(name, _)| groupless(&rules, name)));
    if let Some(Err(unknown)) = directory.map(|directory| rules.check_against(directory)) {
        problems.extend(unknown.0);
    }
    if problems.is_empty() { Ok(rules) } else { Err(RuleProblems(problems)) }
}

/// What is wrong with a kept text that may be another kind of file, but is no group of rules.
fn groupless(rules: &RuleSet, file: &str) -> Option<RuleProblem> {
    let found = rules.groups().iter().any(|place| *place.file == *file);
    (!found).then(|| RuleProblem {
        file: file.into(),
        line: 1,
        column: 1,
        rule: None,
        message: "the text is no group of rules".to_owned(),
        hint: Some("write `group: …` and `rules: …`; other files live in the folder".to_owned()),
    })
}

/// Groups that are not where they should be.
fn misplaced(rules: &RuleSet, held: &BTreeSet<Arc<str>>) -> Vec<RuleProblem> {
    let problem = |place: &city_rules::GroupPlace, message: String, hint: String| RuleProblem {
        file: place.file.clone(),
        line: place.line,
        column: place.column,
        rule: None,
        message,
        hint: Some(hint),
    };
    let mut problems = Vec::new();
    for place in rules.groups() {
        let group = &place.group;
        if let Some(name) = place.file.strip_prefix(KEPT) {
            if name != &**group {
                problems.push(problem(
                    place,
                    format!("the text names the group `{group}`, but it is kept as `{name}`"),
                    format!("write `group: {name}`"),
                ));
            }
        } else if held.contains(group) {
            problems.push(problem(
                place,
                format!("the group `{group}` is kept in the API, so no file can bring it"),
                format!(
                    "give the file's group another name; or leave the file where it is and delete \
                     the API's group (DELETE /api/v1/rule-groups/{group}), then the file takes over"
                ),
            ));
        }
    }
    problems
}
