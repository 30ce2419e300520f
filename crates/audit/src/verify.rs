//! Checks the whole log, a part at a time, so that nobody else waits for it.

use city_store::StateError;
use rusqlite::Connection;
use serde::Serialize;

use crate::chain::{Break, Checker, written_as};
use crate::entry::hex;
use crate::head::{Found, Head};
use crate::log::AuditLog;
use crate::tables::{GUARDS, entry, last, select};

/// So many entries are read at once.
const SLICE: u64 = 2_000;

/// What checking a log came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// How many entries are as they were written, from the first one on.
    pub entries: u64,
    /// The number of the first of them.
    pub first: Option<u64>,
    /// The number of the last of them.
    pub last: Option<u64>,
    /// The hash of the last of them, in hexadecimal: whoever notes number and hash elsewhere can
    /// tell later that nothing before was written anew.
    pub hash: Option<String>,
    /// The first thing that is wrong.
    pub broken: Option<Break>,
}

impl Verification {
    /// What a checker found.
    pub fn of(checker: &Checker, broken: Option<Break>) -> Self {
        Self {
            entries: checker.count(),
            first: checker.first(),
            last: checker.last_number(),
            hash: checker.last().map(|(_, hash)| hex(&hash)),
            broken,
        }
    }

    /// Whether nothing is wrong.
    pub fn is_intact(&self) -> bool {
        self.broken.is_none()
    }
}

impl Serialize for Verification {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct View<'a> {
            entries: u64,
            first: Option<u64>,
            last: Option<u64>,
            hash: Option<&'a str>,
            intact: bool,
            broken_at: Option<u64>,
            broken: Option<&'a str>,
            detail: Option<String>,
        }
        View {
            entries: self.entries,
            first: self.first,
            last: self.last,
            hash: self.hash.as_deref(),
            intact: self.is_intact(),
            broken_at: self.broken.as_ref().and_then(Break::number),
            broken: self.broken.as_ref().map(Break::kind),
            detail: self.broken.as_ref().map(ToString::to_string),
        }
        .serialize(serializer)
    }
}

impl AuditLog {
    /// Checks all entries; also while others are written. `go_on` is asked now and then with how
    /// many were checked; with `false` it ends, and `None` is returned. Blocks.
    pub fn verify(
        &self,
        mut go_on: impl FnMut(u64) -> bool,
    ) -> Result<Option<Verification>, StateError> {
        // Read first: what is in the file is in the database already, whatever comes meanwhile.
        let found = self.head_file().read();
        let missing = self.state().read(missing_guard)?;
        let head = match &found {
            Some(Found::Head(head)) => Some(*head),
            _ => None,
        };
        let mut checker = Checker::whole().with_head(head);
        let broken = match missing {
            Some(trigger) => Some(Break::Unguarded { trigger }),
            None => match self.walk(&mut checker, &mut go_on)? {
                Walked::Stopped => return Ok(None),
                Walked::Broken(broken) => Some(broken),
                Walked::Through => checker.end().err().or_else(|| no_head(&checker, found)),
            },
        };
        Ok(Some(Verification::of(&checker, broken)))
    }

    fn walk(
        &self,
        checker: &mut Checker,
        go_on: &mut impl FnMut(u64) -> bool,
    ) -> Result<Walked, StateError> {
        let mut after = 0_u64;
        loop {
            let entries = self.state().read(|conn| {
                let sql = select("WHERE number > ?1 ORDER BY number LIMIT ?2");
                let mut statement = conn.prepare_cached(&sql)?;
                let rows = statement.query_map([after as i64, SLICE as i64], entry)?;
                Ok::<_, StateError>(rows.collect::<Result<Vec<_>, _>>()?)
            })?;
            for entry in &entries {
                if let Err(broken) = checker.check(entry) {
                    return Ok(Walked::Broken(self.closer(broken, entry)?));
                }
                after = entry.number;
            }
            if entries.is_empty() {
                return Ok(Walked::Through);
            }
            if !go_on(checker.count()) {
                return Ok(Walked::Stopped);
            }
        }
    }

    /// Whether what was changed of an entry is its number alone.
    fn closer(&self, broken: Break, entry: &crate::Entry) -> Result<Break, StateError> {
        let Break::Changed { number } = broken else { return Ok(broken) };
        let (last, _) = self.state().read(|conn| Ok::<_, StateError>(last(conn)?))?;
        // One more than there are, because entries before it may have been removed.
        let up_to = match self.head_file().read() {
            Some(Found::Head(Head { number, .. })) => number.max(last),
            _ => last,
        };
        let was = written_as(entry, up_to + 1);
        Ok(was.map_or(broken, |was| Break::Moved { number, was }))
    }
}

enum Walked {
    Through,
    Broken(Break),
    Stopped,
}

fn no_head(checker: &Checker, found: Option<Found>) -> Option<Break> {
    let last = checker.last_number()?;
    let why = match found? {
        Found::Head(_) => return None,
        Found::Missing => "is gone".to_owned(),
        Found::Unreadable(why) => format!("cannot be read ({why})"),
    };
    Some(Break::NoHead { last, why })
}

fn missing_guard(conn: &Connection) -> Result<Option<String>, StateError> {
    let sql = "SELECT count(*) FROM sqlite_schema
               WHERE type = 'trigger' AND tbl_name = 'audit_log' AND name = ?1";
    for guard in GUARDS {
        let there: i64 = conn.query_row(sql, [guard], |row| row.get(0))?;
        if there == 0 {
            return Ok(Some(guard.to_owned()));
        }
    }
    Ok(None)
}
