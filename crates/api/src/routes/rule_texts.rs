//! Texts of rules as they come in, what is wrong with them, and what became of the rules in force.

use city_model::{EndReason, LocalText};
use city_registry::FieldProblem;
use city_rulebook::{BookError, Reloaded};
use city_rules::{RuleProblem, RuleProblems};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alerts::Board;
use crate::problem::{Problem, bad_fields, codes};
use crate::schema;

/// The most that all texts of a request may have together, in bytes: all rule files of a city, with
/// incidents.
pub(super) const TEXTS_LIMIT: usize = 4 << 20;

/// A rule file.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    /// What problems call it.
    pub(super) name: String,
    /// The YAML text.
    pub(super) text: String,
}

/// One problem of a rule file.
#[derive(Serialize, ToSchema)]
pub(super) struct RuleFault {
    /// The name of the file; `api:` and the group for one that is kept in the API.
    file: String,
    /// The line, from 1.
    line: usize,
    /// The column in characters, from 1.
    column: usize,
    /// The rule in which it is.
    rule: Option<String>,
    /// What is wrong.
    message: String,
    /// How to mend it.
    hint: Option<String>,
}

pub(super) fn faults(problems: RuleProblems) -> Vec<RuleFault> {
    let fault = |problem: RuleProblem| RuleFault {
        file: problem.file.to_string(),
        line: problem.line,
        column: problem.column,
        rule: problem.rule.map(|rule| rule.to_string()),
        message: problem.message,
        hint: problem.hint,
    };
    problems.0.into_iter().map(fault).collect()
}

/// What a change of the rules did, or would do.
#[derive(Serialize, ToSchema)]
pub(super) struct RuleReload {
    /// How many rules there are then.
    pub(super) rules: usize,
    /// How many are the same: they keep their state.
    kept: usize,
    /// The ids of those of which only texts and labels changed: they keep their state.
    retold: Vec<String>,
    /// The ids of those that decide differently: they begin afresh.
    changed: Vec<String>,
    /// The ids that are new.
    added: Vec<String>,
    /// The ids that are gone.
    removed: Vec<String>,
    /// The alerts that end by it.
    ended: Vec<EndedAlert>,
}

/// An alert that ends without a reading that clears it.
#[derive(Serialize, ToSchema)]
struct EndedAlert {
    /// The alert's id.
    alert: String,
    /// The id of its rule.
    rule: String,
    /// What it is about.
    subject: String,
    /// Why it ends.
    #[schema(value_type = schema::LocalText)]
    reason: LocalText,
}

impl From<Reloaded> for RuleReload {
    fn from(reloaded: Reloaded) -> Self {
        let Reloaded { rules, changes, ended } = reloaded;
        let names = |ids: Vec<std::sync::Arc<str>>| ids.iter().map(ToString::to_string).collect();
        let ended = ended.into_iter().map(|ended| EndedAlert {
            alert: ended.alert.to_string(),
            rule: ended.rule.to_string(),
            subject: ended.subject.to_string(),
            reason: ended.reason.text(),
        });
        Self {
            rules,
            kept: changes.kept.len(),
            retold: names(changes.retold),
            changed: names(changes.changed),
            added: names(changes.added),
            removed: names(changes.removed),
            ended: ended.collect(),
        }
    }
}

impl RuleReload {
    /// What a change would do that was only tried: alerts of rules that would decide differently, or
    /// be gone, would end.
    pub(super) fn tried(reloaded: Reloaded, board: &Board) -> Self {
        let mut told = Self::from(reloaded);
        let gone = |rule: &str| told.removed.iter().any(|id| id == rule);
        let ends = |rule: &str| gone(rule) || told.changed.iter().any(|id| id == rule);
        let ended = board.firing_of(ends).into_iter().map(|(alert, rule, subject)| EndedAlert {
            alert: alert.to_string(),
            subject: subject.to_string(),
            reason: if gone(&rule) { EndReason::RuleRemoved } else { EndReason::RuleChanged }
                .text(),
            rule: rule.to_string(),
        });
        told.ended = ended.collect();
        told
    }
}

impl From<BookError> for Problem {
    fn from(error: BookError) -> Self {
        let detail = error.to_string();
        match error {
            BookError::State(error) => error.into(),
            BookError::Rules(problems) => {
                Self::new(codes::BAD_RULES, detail).with("problems", faults(problems)).hint(
                    "The rules in force stay. `citybrain rules check` says the same of files.",
                )
            }
            BookError::Files(_) | BookError::NoFiles => Self::new(codes::BAD_RULES, detail),
            BookError::InFiles { files, .. } => Self::new(codes::GROUP_IN_FILES, sentence(&detail))
                .hint("Edit it there. To keep it in the API instead, take the file away, then put it.")
                .with("files", files),
            BookError::Name { .. } => bad_fields(&[FieldProblem {
                field: "group".to_owned(),
                message: detail,
                hint: "give the group a short name, such as `air`",
            }]),
            BookError::Unknown(_) => Self::new(codes::UNKNOWN_RULE_GROUP, sentence(&detail))
                .hint("GET /api/v1/rule-groups lists the groups."),
            BookError::UnknownEntry { .. } | BookError::NoText { .. } => {
                let hint = "GET /api/v1/rule-groups/{group}/history lists the versions.";
                Self::new(codes::UNKNOWN_VERSION, sentence(&detail)).hint(hint)
            }
            BookError::NoEngine => Self::new(codes::ENGINE_STOPPED, sentence(&detail))
                .hint("Look into the server's log and restart it."),
        }
    }
}

/// A message as a sentence.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).chain(['.']).collect()
}
