//! The books: what the ledger counted on each day of the city's calendar.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use city_model::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};

use crate::{Counters, LedgerKey, SharedStore, StateDb, StateError, TimeRange};

const COMPONENT: &str = "accounts";

const MIGRATIONS: &[&str] = &[
    // `opening` is the ledger at the beginning of the day that is not closed yet, the only row;
    // `closed` holds what came in each day before, without those of which nothing came.
    "CREATE TABLE accounts_opening (
         only    INTEGER PRIMARY KEY CHECK (only = 0),
         day     TEXT NOT NULL,
         since   INTEGER NOT NULL,
         ledger  BLOB NOT NULL
     );
     CREATE TABLE accounts_closed (
         day     TEXT PRIMARY KEY,
         since   INTEGER NOT NULL,
         until   INTEGER NOT NULL,
         came    BLOB NOT NULL
     ) WITHOUT ROWID;",
];

/// How many days are kept: a year and a bit, as alerts are.
const KEPT_DAYS: i64 = 400;

/// What was counted on one day. `received = stored + duplicate + dead_lettered`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCounters {
    /// Items received: readings, and messages that gave none.
    pub received: u64,
    /// Readings stored.
    pub stored: u64,
    /// Readings that were there already.
    pub duplicate: u64,
    /// Items dead-lettered.
    pub dead_lettered: u64,
    /// Messages found missing, less those that were found missing on a day before and came after
    /// all: can be negative.
    pub missed: i64,
}

/// One day in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The day in the city's calendar.
    pub day: Date,
    /// When its counting began and ended; the end is now for the day that is not over. Counting
    /// passes from one day to the next a few seconds after midnight, or at the first start after
    /// it, so that every item is in the books of exactly one day.
    pub counted: TimeRange,
    /// Whether the day is over.
    pub closed: bool,
    /// What was counted, by source and by device; only those of which anything was.
    pub entries: Vec<(LedgerKey, DayCounters)>,
}

/// Keeps the books. Calls block.
pub struct Accounts {
    store: SharedStore,
    state: Arc<StateDb>,
    time_zone: TimeZone,
    opening: Mutex<Opening>,
}

/// The ledger at the beginning of the day that is not closed yet.
struct Opening {
    day: Date,
    since: Timestamp,
    ledger: BTreeMap<LedgerKey, Counters>,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").field("time_zone", &self.time_zone).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Opens the books in the state database. The first time, counting begins now.
    pub fn open(
        store: SharedStore,
        state: Arc<StateDb>,
        time_zone: TimeZone,
        now: Timestamp,
    ) -> Result<Self, StateError> {
        state.migrate(COMPONENT, MIGRATIONS)?;
        let kept = state.read(read_opening)?;
        let opening = if let Some(opening) = kept {
            opening
        } else {
            let day = local_date(now, &time_zone);
            let ledger = store.ledger().into_iter().collect();
            let opening = Opening { day, since: now, ledger };
            state.write(|tx| write_opening(tx, &opening))?;
            opening
        };
        let accounts = Self { store, state, time_zone, opening: Mutex::new(opening) };
        accounts.tick(now)?;
        Ok(accounts)
    }

    /// Closes the day if it is over. Called every few seconds.
    ///
    /// A clock that jumps to another day and back makes two days of one: what was counted under
    /// the wrong date stays there, and the right day goes on where it was.
    pub fn tick(&self, now: Timestamp) -> Result<(), StateError> {
        let today = local_date(now, &self.time_zone);
        let mut opening = self.opening();
        if today == opening.day {
            return Ok(());
        }
        let next =
            Opening { day: today, since: now, ledger: self.store.ledger().into_iter().collect() };
        let ended = Account {
            day: opening.day,
            counted: TimeRange { from: opening.since, to: now.max(opening.since) },
            closed: true,
            entries: came(&opening.ledger, &next.ledger),
        };
        self.state.write(|tx| -> rusqlite::Result<()> {
            let before = read_closed(tx, ended.day)?;
            let ended = before.map_or_else(|| ended.clone(), |before| joined(before, &ended));
            tx.execute(
                "INSERT OR REPLACE INTO accounts_closed (day, since, until, came)
                 VALUES (?1, ?2, ?3, ?4)",
                (
                    ended.day.to_string(),
                    ended.counted.from.micros(),
                    ended.counted.to.micros(),
                    encode(&ended.entries),
                ),
            )?;
            // By number and not by age: a clock that is ahead must not take all of them away.
            tx.execute(
                "DELETE FROM accounts_closed WHERE day NOT IN
                 (SELECT day FROM accounts_closed ORDER BY day DESC LIMIT ?1)",
                [KEPT_DAYS],
            )?;
            write_opening(tx, &next)
        })?;
        *opening = next;
        Ok(())
    }

    /// The books of a day; `None` if there are none, because nothing ran or it is too long ago.
    pub fn day(&self, day: Date, now: Timestamp) -> Result<Option<Account>, StateError> {
        let opening = self.opening();
        if day == opening.day {
            let ledger = self.store.ledger().into_iter().collect();
            let entries = came(&opening.ledger, &ledger);
            let counted = TimeRange { from: opening.since, to: now.max(opening.since) };
            let open = Account { day, counted, closed: false, entries };
            drop(opening);
            let before = self.state.read(|conn| read_closed(conn, day))?;
            return Ok(Some(before.map_or_else(|| open.clone(), |before| joined(before, &open))));
        }
        drop(opening);
        Ok(self.state.read(|conn| read_closed(conn, day))?)
    }

    /// The days that there are books of, newest first.
    pub fn days(&self) -> Result<Vec<Date>, StateError> {
        let open = self.opening().day;
        let closed = self.state.read(|conn| {
            conn.prepare("SELECT day FROM accounts_closed ORDER BY day DESC")?
                .query_map([], |row| row.get::<_, String>(0))?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        let closed = closed.iter().filter_map(|day| day.parse().ok());
        Ok(std::iter::once(open).chain(closed.filter(|day| *day != open)).collect())
    }

    /// The day that it is in the city.
    pub fn today(&self, now: Timestamp) -> Date {
        local_date(now, &self.time_zone)
    }

    fn opening(&self) -> MutexGuard<'_, Opening> {
        self.opening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was counted between two states of the ledger.
fn came(
    before: &BTreeMap<LedgerKey, Counters>,
    after: &BTreeMap<LedgerKey, Counters>,
) -> Vec<(LedgerKey, DayCounters)> {
    let nothing = Counters::default();
    let difference = |(key, after): (&LedgerKey, &Counters)| {
        let before = before.get(key).unwrap_or(&nothing);
        let came = DayCounters {
            received: after.received.saturating_sub(before.received),
            stored: after.stored.saturating_sub(before.stored),
            duplicate: after.duplicate.saturating_sub(before.duplicate),
            dead_lettered: after.dead_lettered.saturating_sub(before.dead_lettered),
            missed: after.missed as i64 - before.missed as i64,
        };
        (came != DayCounters::default()).then_some((*key, came))
    };
    after.iter().filter_map(difference).collect()
}

/// Two parts of one day together.
fn joined(before: Account, after: &Account) -> Account {
    let mut entries: BTreeMap<LedgerKey, DayCounters> = before.entries.into_iter().collect();
    for (key, more) in &after.entries {
        let sum = entries.entry(*key).or_default();
        sum.received += more.received;
        sum.stored += more.stored;
        sum.duplicate += more.duplicate;
        sum.dead_lettered += more.dead_lettered;
        sum.missed += more.missed;
    }
    let counted = TimeRange {
        from: before.counted.from.min(after.counted.from),
        to: before.counted.to.max(after.counted.to),
    };
    Account { counted, entries: entries.into_iter().collect(), ..*after }
}

fn local_date(now: Timestamp, time_zone: &TimeZone) -> Date {
    // Beyond jiff's years there is no calendar; no clock is ever there.
    let instant = jiff::Timestamp::from_microsecond(now.micros()).unwrap_or_default();
    time_zone.to_datetime(instant).date()
}

fn encode<T: Serialize>(what: &T) -> Vec<u8> {
    postcard::to_stdvec(what).expect("maps and numbers always encode")
}

fn decode<T: for<'de> Deserialize<'de>>(column: usize, bytes: &[u8]) -> rusqlite::Result<T> {
    postcard::from_bytes(bytes).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Blob,
            Box::new(error),
        )
    })
}

fn date(column: usize, text: &str) -> rusqlite::Result<Date> {
    text.parse().map_err(|error: jiff::Error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}

fn read_opening(conn: &Connection) -> rusqlite::Result<Option<Opening>> {
    conn.query_row("SELECT day, since, ledger FROM accounts_opening", [], |row| {
        Ok(Opening {
            day: date(0, &row.get::<_, String>(0)?)?,
            since: Timestamp::from_micros(row.get(1)?),
            ledger: decode(2, row.get_ref(2)?.as_blob()?)?,
        })
    })
    .optional()
}

fn write_opening(conn: &Connection, opening: &Opening) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT OR REPLACE INTO accounts_opening (only, day, since, ledger) VALUES (0, ?1, ?2, ?3)",
        (opening.day.to_string(), opening.since.micros(), encode(&opening.ledger)),
    )?;
    Ok(())
}

fn read_closed(conn: &Connection, day: Date) -> rusqlite::Result<Option<Account>> {
    conn.query_row(
        "SELECT since, until, came FROM accounts_closed WHERE day = ?1",
        [day.to_string()],
        |row| {
            let (from, to) = (row.get(0)?, row.get(1)?);
            let counted =
                TimeRange { from: Timestamp::from_micros(from), to: Timestamp::from_micros(to) };
            Ok(Account {
                day,
                counted,
                closed: true,
                entries: decode(2, row.get_ref(2)?.as_blob()?)?,
            })
        },
    )
    .optional()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{device, letter, reading, series, with_source};
    use crate::{Memory, SequenceNote};

    /// 2026-11-22, 23:00 in Shanghai.
    fn evening() -> Timestamp {
        "2026-11-22T15:00:00Z".parse().expect("a time")
    }

    fn later(hours: i64) -> Timestamp {
        evening() + city_model::Span::from_hours(hours)
    }

    fn date(text: &str) -> Date {
        text.parse().expect("a date")
    }

    fn shanghai() -> TimeZone {
        TimeZone::get("Asia/Shanghai").expect("a time zone")
    }

    #[test]
    fn every_item_is_in_the_books_of_one_day() {
        let store: SharedStore = Arc::new(Memory::new());
        let state = Arc::new(StateDb::in_memory().expect("opens"));
        let open = |now| Accounts::open(store.clone(), state.clone(), shanghai(), now);
        store.commit(&with_source(1, [reading(series(1, 1), 0, 1.0)])).expect("commits");
        let accounts = open(evening()).expect("opens");
        assert!(accounts.day(date("2026-11-22"), evening()).expect("ok").is_some_and(|account| {
            account.entries.is_empty() // what came before there were books is in no day
        }));

        let mut commit = with_source(1, (0..4).map(|i| reading(series(1, 1), i, 1.0)));
        commit.dead_letters = vec![letter("syntax", 2)];
        let note = |number| SequenceNote { source: 1, device: device(1), number };
        commit.sequences = vec![note(5), note(9)];
        store.commit(&commit).expect("commits");
        drop(accounts);

        // Nothing ran at midnight: the next start closes the day.
        let accounts = open(later(2)).expect("opens again");
        let mut commit = with_source(1, [reading(series(1, 1), 9, 1.0)]);
        commit.sequences = vec![note(6)];
        store.commit(&commit).expect("commits");

        let first = accounts.day(date("2026-11-22"), later(2)).expect("readable").expect("there");
        assert!(first.closed);
        assert_eq!(first.counted, TimeRange { from: evening(), to: later(2) });
        let counted = |stored, duplicate, dead_lettered, missed| DayCounters {
            received: stored + duplicate + dead_lettered,
            stored,
            duplicate,
            dead_lettered,
            missed,
        };
        let of = |account: &Account, key| {
            account.entries.iter().find(|(of, _)| *of == key).map(|(_, counters)| *counters)
        };
        assert_eq!(of(&first, LedgerKey::Source(1)), Some(counted(3, 1, 0, 3)));
        assert_eq!(of(&first, LedgerKey::Source(3)), Some(counted(0, 0, 2, 0)));
        assert_eq!(of(&first, LedgerKey::Device(device(1))), Some(counted(3, 1, 0, 3)));

        let second = accounts.day(date("2026-11-23"), later(3)).expect("readable").expect("there");
        assert!(!second.closed);
        assert_eq!(of(&second, LedgerKey::Source(1)), Some(counted(1, 0, 0, -1)));
        assert_eq!(of(&second, LedgerKey::Source(3)), None);
        assert_eq!(accounts.days().expect("ok"), [date("2026-11-23"), date("2026-11-22")]);
        assert_eq!(accounts.day(date("2026-11-21"), later(3)).expect("readable"), None);
    }

    #[test]
    fn only_so_many_days_are_kept() {
        let store: SharedStore = Arc::new(Memory::new());
        let state = Arc::new(StateDb::in_memory().expect("opens"));
        let accounts = Accounts::open(store, state, shanghai(), evening()).expect("opens");
        for day in 1..=KEPT_DAYS + 5 {
            accounts.tick(later(24 * day)).expect("ticks");
        }
        let days = accounts.days().expect("ok");
        assert_eq!(days.len() as i64, KEPT_DAYS + 1, "and the one that is not over");
        assert_eq!(days.last(), Some(&date("2026-11-27")));
    }

    #[test]
    fn a_clock_that_jumps_and_comes_back_loses_no_day_and_no_item() {
        let store: SharedStore = Arc::new(Memory::new());
        let state = Arc::new(StateDb::in_memory().expect("opens"));
        let accounts = Accounts::open(store.clone(), state, shanghai(), evening()).expect("opens");
        let mut at = 0;
        let mut store_one = || {
            at += 1;
            store.commit(&with_source(1, [reading(series(1, 1), at, 1.0)])).expect("commits");
        };
        store_one();
        accounts.tick(later(24 * 365 * 10)).expect("ticks");
        store_one();
        accounts.tick(evening()).expect("ticks");
        store_one();
        let stored = |day: &str, now| -> u64 {
            let account = accounts.day(date(day), now).expect("readable").expect("there");
            let of = |(key, counted): &(LedgerKey, DayCounters)| {
                matches!(key, LedgerKey::Source(_)).then_some(counted.stored)
            };
            account.entries.iter().filter_map(of).sum()
        };
        assert_eq!(stored("2026-11-22", evening()), 2, "before the jump and after it");
        assert_eq!(stored("2036-11-19", evening()), 1, "under the wrong date, but there");
        accounts.tick(later(24)).expect("ticks");
        assert_eq!(stored("2026-11-22", later(24)), 2, "closed for good");
        assert_eq!(accounts.days().expect("ok").len(), 3);
    }
}
