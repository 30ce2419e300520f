//! Changes of kept groups: written, restored, deleted, or only tried.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use city_rules::{RuleProblems, RuleSet};

use crate::assemble::{Text, assemble, file_of};
use crate::book::{Book, Held, Page, Reloaded};
use crate::error::BookError;
use crate::tables::{self, Entry, EntryKind, Kept};

/// How many characters the name of a kept group may have.
const LONGEST_NAME: usize = 64;

/// Who changes a group, and why.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// Who.
    pub by: &'a str,
    /// Why.
    pub why: &'a str,
}

/// A change of a kept group.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// This text, for a group that is new or not.
    Write(&'a str),
    /// The text of an entry of its history.
    Restore(u64),
    /// No text any more.
    Delete,
}

/// What a change did, or would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited {
    /// Whether the group is new.
    pub created: bool,
    /// The group as it is kept now, or still is if the change was only tried; `None` if there is
    /// none.
    pub kept: Option<Kept>,
    /// What that does to the rules in force; without alerts that ended if it was only tried.
    pub reloaded: Reloaded,
}

impl Book {
    /// Changes a kept group, stores that in its history, and puts the rules in force. `check` is
    /// told the tag of the present text, if there is one, and may refuse.
    ///
    /// Files that changed on disk are left for a reload, with one exception: if the change moves a
    /// group from one home to the other, they are read with it, so that rules that stay the same
    /// keep their state.
    pub fn edit<E: From<BookError>>(
        &self,
        group: &str,
        change: Change<'_>,
        author: Author<'_>,
        check: impl FnOnce(Option<&str>) -> Result<(), E>,
    ) -> Result<Edited, E> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let draft = self.draft(group, change, check)?;
        Ok(self.make(draft, author)?)
    }

    /// Tells what [`Self::edit`] would do, and does nothing.
    pub fn preview<E: From<BookError>>(
        &self,
        group: &str,
        change: Change<'_>,
        check: impl FnOnce(Option<&str>) -> Result<(), E>,
    ) -> Result<Edited, E> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let Draft { created, present, rules, .. } = self.draft(group, change, check)?;
        let changes = rules.changes_since(&self.in_force.load());
        let reloaded = Reloaded { rules: rules.len(), changes, ended: Vec::new() };
        Ok(Edited { created, kept: present, reloaded })
    }

    fn draft<E: From<BookError>>(
        &self,
        group: &str,
        change: Change<'_>,
        check: impl FnOnce(Option<&str>) -> Result<(), E>,
    ) -> Result<Draft, E> {
        let page = self.page.load_full();
        let present = page.held.get(group).map(|held| held.kept.clone());
        let files = self.files_for(group, change, &page)?;
        let (kind, text) = match change {
            Change::Write(text) => (EntryKind::Written, Some(Arc::from(text))),
            Change::Restore(from) => {
                let entry = self.entry(group, from)?;
                let none = || BookError::NoText { group: group.to_owned(), number: from };
                (EntryKind::Restored { from }, Some(entry.text.ok_or_else(none)?))
            }
            Change::Delete if present.is_none() => {
                return Err(BookError::Unknown(group.to_owned()).into());
            }
            Change::Delete => (EntryKind::Deleted, None),
        };
        if present.is_none() {
            check_name(group)?;
        }
        // A group whose file was taken away is still in force, and was seen there.
        let tag = self.group(group).map(|group| group.tag());
        check(tag.as_deref())?;
        let name: Arc<str> = group.into();
        let rules =
            self.together(&name, text.as_deref(), &files, &page).map_err(BookError::from)?;
        let created = tag.is_none();
        Ok(Draft { name, kind, text, files, created, present, page, rules })
    }

    /// The files to go with a change: those in force, or those on disk if the group moves.
    fn files_for(
        &self,
        group: &str,
        change: Change<'_>,
        page: &Page,
    ) -> Result<Arc<Vec<Text>>, BookError> {
        let living = self.files_with(group);
        let on_disk = || self.parts.files.peek().map_err(BookError::Files);
        if matches!(change, Change::Delete) && living.is_empty() {
            // A file that cannot be read now is no reason to keep the group.
            let files = on_disk().unwrap_or_default();
            return Ok(if brings(&files, group) { Arc::new(files) } else { page.files.clone() });
        }
        if living.is_empty() {
            return Ok(page.files.clone());
        }
        let files = on_disk()?;
        if brings(&files, group) || files.iter().any(|(name, _)| living.contains(name)) {
            return Err(BookError::InFiles { group: group.to_owned(), files: living });
        }
        Ok(Arc::new(files))
    }

    /// All rules with another text of one group, or without it. What is disabled stays so.
    fn together(
        &self,
        name: &Arc<str>,
        text: Option<&str>,
        files: &[Text],
        page: &Page,
    ) -> Result<RuleSet, RuleProblems> {
        let mut firm: Vec<(&Arc<str>, &str)> = page
            .held
            .values()
            .filter(|held| held.problems.is_none() && held.kept.name != *name)
            .map(Held::text)
            .collect();
        let mut names: BTreeSet<Arc<str>> = page.names();
        match text {
            Some(text) => {
                let place = firm.partition_point(|(other, _)| *other < name);
                firm.insert(place, (name, text));
                names.insert(name.clone());
            }
            None => {
                names.remove(name);
            }
        }
        let directory = (self.parts.directory)();
        let (directory, setting) = (Some(&*directory), &self.parts.setting);
        let problems = match assemble(files, &firm, &[], &names, directory, setting) {
            Ok((rules, _)) => return Ok(rules),
            Err(problems) => problems,
        };
        let own = file_of(name);
        if text.is_none() || problems.0.iter().all(|problem| *problem.file == *own) {
            return Err(problems);
        }
        // Where two groups do not go together, the one that changes is to blame: it comes last.
        firm.sort_by_key(|(other, _)| *other == name);
        match assemble(files, &firm, &[], &names, directory, setting) {
            Err(problems) => Err(problems),
            Ok(_) => Err(problems),
        }
    }

    /// Stores a change and puts it in force.
    fn make(&self, draft: Draft, author: Author<'_>) -> Result<Edited, BookError> {
        let Draft { name, kind, text, files, created, present, page, rules } = draft;
        let same = present.as_ref().is_some_and(|kept| Some(&kept.text) == text.as_ref());
        let kept = if same { present } else { self.store(&name, kind, text, author)? };
        let mut page = Page::clone(&page);
        page.files = files;
        match &kept {
            Some(kept) => {
                page.held.insert(name, Held { kept: kept.clone(), problems: None });
            }
            None => {
                page.held.remove(&name);
            }
        }
        let reloaded = self.put_in_force(page, rules)?;
        Ok(Edited { created, kept, reloaded })
    }

    fn store(
        &self,
        name: &Arc<str>,
        kind: EntryKind,
        text: Option<Arc<str>>,
        author: Author<'_>,
    ) -> Result<Option<Kept>, BookError> {
        let (by, why) = (author.by.to_owned(), author.why.to_owned());
        let at = self.parts.clock.now();
        let entry = Entry { name: name.clone(), number: 0, kind, text, by, at, why };
        let number = self.parts.state.write(|tx| tables::add(tx, &entry))?;
        let Entry { name, text, by, at, why, .. } = entry;
        Ok(text.map(|text| Kept { name, text, number, by, at, why }))
    }
}

/// A change that can be made.
struct Draft {
    name: Arc<str>,
    kind: EntryKind,
    text: Option<Arc<str>>,
    files: Arc<Vec<Text>>,
    created: bool,
    present: Option<Kept>,
    page: Arc<Page>,
    rules: RuleSet,
}

/// Whether one of the files brings a group.
fn brings(files: &[Text], group: &str) -> bool {
    files.iter().any(|(_, text)| RuleSet::group_of(text).is_some_and(|of| of == group))
}

/// A name is a part of an address and the name of the file that an export writes.
fn check_name(name: &str) -> Result<(), BookError> {
    let odd = |c: char| c.is_control() || matches!(c, '/' | '\\');
    let why = if name.is_empty() || name.trim() != name || name.starts_with('.') {
        "it must begin with neither a space nor a full stop, and not end with a space"
    } else if name.chars().count() > LONGEST_NAME {
        "it may have at most 64 characters"
    } else if name.contains(odd) {
        "it must be a file name without slashes and control characters"
    } else {
        return Ok(());
    };
    Err(BookError::Name { name: name.to_owned(), why })
}
