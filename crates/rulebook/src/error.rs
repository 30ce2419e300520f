//! Why the book cannot be read or changed.

use city_rules::RuleProblems;
use city_store::StateError;

/// Why the book cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The state database failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The rule files cannot be read; the text is for people.
    #[error("{0}")]
    Files(String),
    /// The configuration names no folder with rules, and no group is kept.
    #[error("the configuration names no folder with rules; write `rules = \"rules\"` in [city]")]
    NoFiles,
    /// The rules have problems; those in force stay.
    #[error(transparent)]
    Rules(#[from] RuleProblems),
    /// The group lives in files, and can be changed there only.
    #[error("the group `{group}` lives in {}", files.join(", "))]
    InFiles {
        /// The group.
        group: String,
        /// The files that bring it.
        files: Vec<String>,
    },
    /// A group cannot have this name.
    #[error("`{name}` cannot be the name of a group that is kept here: {why}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// No group of this name is kept.
    #[error("there is no rule group `{0}`")]
    Unknown(String),
    /// The group's history has no such entry.
    #[error("the history of `{group}` has no entry {number}")]
    UnknownEntry {
        /// The group.
        group: String,
        /// The number.
        number: u64,
    },
    /// The entry of the history says that the group was deleted, so it has no text.
    #[error("entry {number} of the history of `{group}` is its deletion, which has no text")]
    NoText {
        /// The group.
        group: String,
        /// The number.
        number: u64,
    },
    /// Nothing evaluates rules; what was stored is in force after the next start.
    #[error("the alert engine does not run; its log says why, and the next start takes the rules")]
    NoEngine,
}
