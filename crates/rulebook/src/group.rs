//! A group as people see it.

use city_rules::RuleProblems;

use crate::assemble::Text;
use crate::tables::Kept;

/// Where a group lives, and so where it can be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Home {
    /// In these files, by name and text.
    Files(Vec<Text>),
    /// In the state database.
    Kept(Kept),
}

/// A group of rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleGroup {
    /// Its name.
    pub name: String,
    /// Where it lives.
    pub home: Home,
    /// How many of its rules are in force.
    pub rules: usize,
    /// Why it is disabled, so that none of its rules is in force; `None` if it is not.
    pub problems: Option<RuleProblems>,
}

impl RuleGroup {
    /// What tells its text from others.
    pub fn tag(&self) -> String {
        match &self.home {
            Home::Files(files) => crate::tables::tag(files.iter().map(|(_, text)| text.as_str())),
            Home::Kept(kept) => kept.tag(),
        }
    }
}
