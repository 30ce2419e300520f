//! Whether entries follow each other as they were written, and if not, where and how not.

use std::fmt;

use crate::entry::{BEGINNING, Entry, Hash};
use crate::head::Head;

/// The first thing that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Break {
    /// These entries are not there.
    Missing {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// The entry is not as it was written.
    Changed {
        /// Its number.
        number: u64,
    },
    /// The entry stands at another place than where it was written.
    Moved {
        /// Where it stands.
        number: u64,
        /// Where it was written.
        was: u64,
    },
    /// The entry was not written after the one that stands before it: one of the two was added or
    /// put in the place of another.
    Unchained {
        /// Its number.
        number: u64,
    },
    /// Entries at the end are not there.
    CutOff {
        /// The last that is there; 0 if none is.
        last: u64,
        /// The last that was written.
        written: u64,
    },
    /// The entry is not the one that was written last: everything since some point was written anew.
    Replaced {
        /// Its number.
        number: u64,
    },
    /// The file with the last number and hash is gone or unreadable, so it cannot be told whether
    /// entries at the end are.
    NoHead {
        /// The last entry that is there.
        last: u64,
        /// What is wrong with the file.
        why: String,
    },
    /// The database does not refuse changes of entries any more.
    Unguarded {
        /// The trigger that is gone.
        trigger: String,
    },
    /// A line of an exported file is no entry.
    Unreadable {
        /// Which line, from 1.
        line: u64,
        /// Why.
        why: String,
    },
}

impl Break {
    /// What kind of break it is, one word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Changed { .. } => "changed",
            Self::Moved { .. } => "moved",
            Self::Unchained { .. } => "unchained",
            Self::CutOff { .. } => "cut_off",
            Self::Replaced { .. } => "replaced",
            Self::NoHead { .. } => "no_head",
            Self::Unguarded { .. } => "unguarded",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    /// The number of the first entry that is not as it should be, if it is about one.
    pub const fn number(&self) -> Option<u64> {
        match *self {
            Self::Missing { first, .. } => Some(first),
            Self::Changed { number }
            | Self::Moved { number, .. }
            | Self::Unchained { number }
            | Self::Replaced { number } => Some(number),
            Self::CutOff { last, .. } => Some(last + 1),
            Self::NoHead { .. } | Self::Unguarded { .. } | Self::Unreadable { .. } => None,
        }
    }
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { first, last } if first == last => write!(f, "entry {first} is missing"),
            Self::Missing { first, last } => write!(f, "entries {first} to {last} are missing"),
            Self::Changed { number } => {
                write!(f, "entry {number} was changed after it was written")
            }
            Self::Moved { number, was } => {
                write!(
                    f,
                    "entry {number} was written as entry {was}: entries were moved or removed"
                )
            }
            Self::Unchained { number } => write!(
                f,
                "entry {number} was not written after entry {}: one of the two was added or replaced",
                number.saturating_sub(1)
            ),
            Self::CutOff { last, written } => write!(
                f,
                "the log ends with entry {last}, but {written} were written: the end was cut off, \
                 or an older copy of the database took its place"
            ),
            Self::Replaced { number } => write!(
                f,
                "entry {number} is not the one that was written: the log was written anew before it"
            ),
            Self::NoHead { last, why } => write!(
                f,
                "the file audit.head beside the database {why}, so entries after {last} may have \
                 been cut off"
            ),
            Self::Unguarded { trigger } => {
                write!(f, "the database lets entries be changed: its trigger {trigger} is gone")
            }
            Self::Unreadable { line, why } => write!(f, "line {line} is no entry: {why}"),
        }
    }
}

/// Checks entries one after the other.
#[derive(Clone, Debug)]
pub struct Checker {
    /// The entry before; `None` if nothing is known of what came before.
    before: Option<(u64, Hash)>,
    head: Option<Head>,
    count: u64,
    first: Option<u64>,
}

impl Checker {
    /// For a whole log, from entry 1.
    pub fn whole() -> Self {
        Self { before: Some((0, BEGINNING)), head: None, count: 0, first: None }
    }

    /// For a part of a log: what its first entry followed is taken on trust.
    pub fn part() -> Self {
        Self { before: None, ..Self::whole() }
    }

    /// What is known of the end.
    pub(crate) fn with_head(self, head: Option<Head>) -> Self {
        Self { head, ..self }
    }

    /// How many entries were good.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The number of the first good entry.
    pub fn first(&self) -> Option<u64> {
        self.first
    }

    /// The number and the hash of the last good entry.
    pub(crate) fn last(&self) -> Option<(u64, Hash)> {
        self.before.filter(|_| self.count > 0)
    }

    /// The number of the last good entry.
    pub fn last_number(&self) -> Option<u64> {
        self.last().map(|(number, _)| number)
    }

    /// Checks the next entry.
    pub fn check(&mut self, entry: &Entry) -> Result<(), Break> {
        let number = entry.number;
        if let Some((before, _)) = self.before
            && number > before + 1
        {
            return Err(Break::Missing { first: before + 1, last: number - 1 });
        }
        if entry.digest() != entry.hash {
            return Err(Break::Changed { number });
        }
        if let Some((before, hash)) = self.before {
            if number <= before {
                return Err(Break::Moved { number: before + 1, was: number });
            }
            if entry.previous != hash {
                return Err(Break::Unchained { number });
            }
        }
        if self.head.is_some_and(|head| head.number == number && head.hash != entry.hash) {
            return Err(Break::Replaced { number });
        }
        self.before = Some((number, entry.hash));
        self.first.get_or_insert(number);
        self.count += 1;
        Ok(())
    }

    /// Whether something is missing at the end, once all entries were checked.
    pub(crate) fn end(&self) -> Result<(), Break> {
        let last = self.last_number().unwrap_or(0);
        match self.head {
            Some(head) if head.number > last => Err(Break::CutOff { last, written: head.number }),
            _ => Ok(()),
        }
    }
}

/// The number that a changed entry was written under, if that is all that was changed.
pub(crate) fn written_as(entry: &Entry, last: u64) -> Option<u64> {
    (1..=last).find(|number| entry.digest_as(*number) == entry.hash)
}
