//! The book: what is in force, where it lives, and how it is read again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use city_model::{Directory, SharedClock};
use city_rules::{Changes, Ended, RuleProblems, RuleSet, Setting};
use city_store::StateDb;

use crate::assemble::{Broken, Text, assemble, file_of};
use crate::error::BookError;
use crate::group::{Home, RuleGroup};
use crate::tables::{self, Entry, Kept};
use crate::{Apply, Files};

/// What a book is made of.
pub struct BookParts {
    /// Where groups are kept.
    pub state: Arc<StateDb>,
    /// The files that groups come from.
    pub files: Box<dyn Files>,
    /// Metrics, zones and layers as they are now.
    pub directory: Box<dyn Fn() -> Arc<Directory> + Send + Sync>,
    /// The time zone and the calendars of the city; files may bring more calendars.
    pub setting: Setting,
    /// The clock of the history.
    pub clock: SharedClock,
}

impl std::fmt::Debug for BookParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BookParts").finish_non_exhaustive()
    }
}

/// What a reload did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reloaded {
    /// How many rules there are now.
    pub rules: usize,
    /// What is different.
    pub changes: Changes,
    /// The alerts that ended by it.
    pub ended: Vec<Ended>,
}

/// A group that is kept, and why it is disabled, if it is.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) kept: Kept,
    pub(crate) problems: Option<RuleProblems>,
}

impl Held {
    /// Its name and text.
    pub(crate) fn text(&self) -> (&Arc<str>, &str) {
        (&self.kept.name, &*self.kept.text)
    }
}

pub(crate) type HeldGroups = BTreeMap<Arc<str>, Held>;

/// What is in force and where it comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) files: Arc<Vec<Text>>,
    pub(crate) held: HeldGroups,
    /// Why the files that were read last were refused.
    refused: Option<String>,
}

impl Page {
    pub(crate) fn names(&self) -> BTreeSet<Arc<str>> {
        self.held.keys().cloned().collect()
    }
}

/// Where each group of rules lives, and the rules that they make together. Calls block.
pub struct Book {
    pub(crate) parts: BookParts,
    /// One change at a time.
    pub(crate) turn: Mutex<()>,
    pub(crate) page: ArcSwap<Page>,
    pub(crate) in_force: Arc<ArcSwap<RuleSet>>,
    apply: OnceLock<Apply>,
}

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book").field("rules", &self.in_force.load().len()).finish_non_exhaustive()
    }
}

impl Book {
    /// Reads both homes. A problem of a file is a reason to refuse; a kept group that has one, such
    /// as a zone that is gone, is disabled and the others are in force.
    pub fn open(parts: BookParts) -> Result<Self, BookError> {
        let files = parts.files.read().map_err(BookError::Files)?;
        let groups = crate::kept_groups(&parts.state)?;
        let shaky: Vec<_> = groups.iter().map(|group| (&group.name, &*group.text)).collect();
        let names = groups.iter().map(|group| group.name.clone()).collect();
        let directory = (parts.directory)();
        let (rules, broken) =
            assemble(&files, &[], &shaky, &names, Some(&directory), &parts.setting)?;
        let held = held(groups, broken);
        let page = Page { files: Arc::new(files), held, refused: None };
        Ok(Self {
            parts,
            turn: Mutex::new(()),
            page: ArcSwap::from_pointee(page),
            in_force: Arc::new(ArcSwap::from_pointee(rules)),
            apply: OnceLock::new(),
        })
    }

    /// The rules in force.
    pub fn in_force(&self) -> Arc<ArcSwap<RuleSet>> {
        self.in_force.clone()
    }

    /// Where rules go from now on. Called once, when the alert engine has started with those in
    /// force.
    pub fn connect(&self, apply: Apply) {
        // A second call would change nothing, and there is none.
        let _ = self.apply.set(apply);
    }

    /// Reads the files again, tries disabled groups again, and puts all in force; or nothing, if a
    /// file has a problem.
    pub fn reload(&self) -> Result<Reloaded, BookError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let page = self.page.load_full();
        let done = if self.parts.files.are_configured() || !page.held.is_empty() {
            let files = self.parts.files.read().map_err(BookError::Files);
            files.and_then(|files| self.take(Arc::new(files), &page))
        } else {
            Err(BookError::NoFiles)
        };
        if let Err(error @ (BookError::Files(_) | BookError::Rules(_))) = &done {
            let page = Page { refused: Some(error.to_string()), ..(**self.page.load()).clone() };
            self.page.store(Arc::new(page));
        }
        done
    }

    /// Tries disabled groups again, because there are other zones now; `None` if there are none, or
    /// they are as they were.
    pub fn retry_disabled(&self) -> Option<Reloaded> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let page = self.page.load_full();
        page.held.values().find(|held| held.problems.is_some())?;
        // An error would be one of the groups that run, and they go on running.
        let done = self.take(page.files.clone(), &page).ok()?;
        (!done.changes.added.is_empty()).then_some(done)
    }

    /// Reads the kept groups again, because somebody else has changed them in the state database, and
    /// puts them in force; those that cannot be are disabled.
    pub fn reread(&self) -> Result<Reloaded, BookError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let files = self.page.load().files.clone();
        let groups = crate::kept_groups(&self.parts.state)?;
        let texts: Vec<_> = groups.iter().map(|group| (&group.name, &*group.text)).collect();
        let names = groups.iter().map(|group| group.name.clone()).collect();
        let directory = (self.parts.directory)();
        let (rules, broken) =
            assemble(&files, &[], &texts, &names, Some(&directory), &self.parts.setting)?;
        self.put_in_force(Page { files, held: held(groups, broken), refused: None }, rules)
    }

    /// Puts these files in force, and all kept groups that can be.
    fn take(&self, files: Arc<Vec<Text>>, page: &Page) -> Result<Reloaded, BookError> {
        let (firm, shaky): (Vec<&Held>, Vec<&Held>) =
            page.held.values().partition(|held| held.problems.is_none());
        let firm: Vec<_> = firm.into_iter().map(Held::text).collect();
        let shaky: Vec<_> = shaky.into_iter().map(Held::text).collect();
        let directory = (self.parts.directory)();
        let (rules, broken) =
            assemble(&files, &firm, &shaky, &page.names(), Some(&directory), &self.parts.setting)?;
        let groups = page.held.values().map(|held| held.kept.clone()).collect();
        let page = Page { files, held: held(groups, broken), refused: None };
        self.put_in_force(page, rules)
    }

    /// Hands rules over to whoever evaluates them. The page is so from then on even if nobody does.
    pub(crate) fn put_in_force(&self, page: Page, rules: RuleSet) -> Result<Reloaded, BookError> {
        let rules = Arc::new(rules);
        let changes = rules.changes_since(&self.in_force.load());
        self.page.store(Arc::new(page));
        let report = self.apply.get().and_then(|apply| apply(rules.clone()));
        let report = report.ok_or(BookError::NoEngine)?;
        self.in_force.store(rules.clone());
        Ok(Reloaded { rules: rules.len(), changes, ended: report.ended })
    }

    /// What is wrong with the rules: files that were refused, groups that are disabled.
    pub fn problems(&self) -> Vec<String> {
        let page = self.page.load();
        let refused = page.refused.iter().map(|why| {
            format!("The rule files were refused, and the rules stay as they are: {why}")
        });
        let disabled = page.held.values().filter_map(|held| {
            let problems = held.problems.as_ref()?;
            Some(format!("The rule group `{}` is disabled: {problems}", held.kept.name))
        });
        refused.chain(disabled).collect()
    }

    /// All groups by name.
    pub fn groups(&self) -> Vec<RuleGroup> {
        let rules = self.in_force.load();
        let mut names: BTreeSet<Arc<str>> = self.page.load().names();
        names.extend(rules.groups().iter().map(|place| place.group.clone()));
        names.iter().filter_map(|name| self.group(name)).collect()
    }

    /// The group of this name.
    pub fn group(&self, name: &str) -> Option<RuleGroup> {
        let page = self.page.load();
        let (home, problems) = if let Some(Held { kept, problems }) = page.held.get(name) {
            (Home::Kept(kept.clone()), problems.clone())
        } else {
            let living = self.files_with(name);
            let files = page.files.iter().filter(|(file, _)| living.contains(file));
            let files: Vec<Text> = files.cloned().collect();
            if files.is_empty() {
                return None;
            }
            (Home::Files(files), None)
        };
        let rules = self.in_force.load();
        let own = rules.rules().iter().filter(|rule| &*rule.group == name);
        let rules = if problems.is_none() { own.count() } else { 0 };
        Some(RuleGroup { name: name.to_owned(), home, rules, problems })
    }

    /// The newest entries of groups that were kept and deleted, by name.
    pub fn deleted(&self) -> Result<Vec<Entry>, BookError> {
        Ok(self.parts.state.read(tables::deleted)?)
    }

    /// Entries of the history of a group that is kept or was, newest first, before a number.
    pub fn history(
        &self,
        group: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Entry>, BookError> {
        Ok(self.parts.state.read(|conn| tables::history(conn, group, before, limit))?)
    }

    /// One entry of a group's history.
    pub fn entry(&self, group: &str, number: u64) -> Result<Entry, BookError> {
        let found = self.parts.state.read(|conn| tables::one(conn, group, number))?;
        found.ok_or_else(|| BookError::UnknownEntry { group: group.to_owned(), number })
    }

    /// The files in force that bring a group.
    pub(crate) fn files_with(&self, group: &str) -> Vec<String> {
        let kept = file_of(group);
        let rules = self.in_force.load();
        let places = rules.groups().iter();
        places
            .filter(|place| &*place.group == group && *place.file != *kept)
            .map(|place| place.file.to_string())
            .collect()
    }
}

fn held(groups: Vec<Kept>, mut broken: Broken) -> HeldGroups {
    groups
        .into_iter()
        .map(|kept| (kept.name.clone(), Held { problems: broken.remove(&kept.name), kept }))
        .collect()
}
