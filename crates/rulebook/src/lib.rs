//! The book of rules: groups that live in files, groups that are kept in the state database with
//! their history, and the rules in force that all of them make together.
//!
//! Each group has one home, and can be changed there only. [`Book::open`] reads both homes,
//! [`Book::reload`] reads the files again, [`Book::edit`] changes a kept group. Whatever changes is
//! parsed as one set of rules, taken as a whole or not at all, and handed to the alert engine, which
//! keeps the state of rules that decide the same.
//!
//! It knows neither HTTP nor how rules are evaluated.

mod assemble;
mod book;
mod edit;
mod error;
mod group;
mod tables;

use std::sync::Arc;

use city_rules::{ReloadReport, RuleSet};
use city_store::{StateDb, StateError};

pub use assemble::{Broken, Text, assemble, file_of};
pub use book::{Book, BookParts, Reloaded};
pub use edit::{Author, Change, Edited};
pub use error::BookError;
pub use group::{Home, RuleGroup};
pub use tables::{Entry, EntryKind, Kept};

/// The files that groups come from.
pub trait Files: Send + Sync {
    /// Names and texts of all files, which are taken as seen. The error is for people.
    fn read(&self) -> Result<Vec<Text>, String>;

    /// The same, but what changed is still news.
    fn peek(&self) -> Result<Vec<Text>, String>;

    /// Whether the configuration says where they are.
    fn are_configured(&self) -> bool;
}

/// Puts rules in force, and tells what became of the alerts of those before; `None` if nothing
/// evaluates rules any more. Blocks.
pub type Apply = Box<dyn Fn(Arc<RuleSet>) -> Option<ReloadReport> + Send + Sync>;

/// The groups that a state database keeps, by name. It may be in use; nothing is changed but the
/// tables, if they are of before.
pub fn kept_groups(state: &StateDb) -> Result<Vec<Kept>, StateError> {
    tables::migrate(state)?;
    state.read(tables::kept)
}

#[cfg(test)]
mod tests;
