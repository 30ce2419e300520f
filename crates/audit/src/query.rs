//! Finding entries, a window of numbers at a time: a search for something rare holds up nobody.

use city_model::Timestamp;
use city_store::StateError;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use crate::entry::Entry;
use crate::log::AuditLog;
use crate::tables::{entry, last, select};

/// So many numbers are looked at in one read.
const WINDOW: u64 = 5_000;
/// So many reads are done for one page; then it ends, with or without enough entries.
const WINDOWS: usize = 40;

/// Of which departments somebody may see entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Departments {
    /// All, and those of none.
    #[default]
    All,
    /// Only these.
    Only(Vec<String>),
}

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those at this instant or later.
    pub from: Option<Timestamp>,
    /// Only those before this instant.
    pub to: Option<Timestamp>,
    /// Only those of one of these users.
    pub user: Option<Vec<String>>,
    /// Only one of these actions.
    pub action: Option<Vec<String>>,
    /// Only those about what one of these departments owns.
    pub department: Option<Vec<String>>,
    /// Only those with this text in the user, address, action, target, before or after; ASCII
    /// letters in any case.
    pub q: Option<String>,
    /// What the reader may see.
    pub visible: Departments,
}

/// Some entries of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The entries, in order.
    pub items: Vec<Entry>,
    /// The number after which, in the order of the page, it goes on; `None` at the end.
    pub next: Option<u64>,
}

impl AuditLog {
    /// Entries with smaller numbers than `before`, newest first, at most `limit`. There may be
    /// fewer and yet more to come. Blocks.
    pub fn newest(
        &self,
        filter: &Filter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page, StateError> {
        let Some((first, last)) = self.bounds(filter)? else { return Ok(END) };
        let mut high = before.map_or(last, |before| last.min(before.saturating_sub(1)));
        let mut items = Vec::new();
        for _ in 0..WINDOWS {
            if high < first {
                return Ok(Page { items, next: None });
            }
            let low = first.max(high.saturating_sub(WINDOW - 1));
            // One more, to know whether there is more.
            let wanted = limit + 1 - items.len();
            items.extend(self.window(filter, (low, high), "DESC", wanted)?);
            if items.len() > limit {
                items.truncate(limit);
                let next = items.last().map(|entry| entry.number);
                return Ok(Page { items, next });
            }
            high = low.saturating_sub(1);
        }
        Ok(Page { items, next: (high >= first).then_some(high + 1) })
    }

    /// Entries with greater numbers than `after`, oldest first, at most `limit`. There may be fewer
    /// and yet more to come. Blocks.
    pub fn oldest(&self, filter: &Filter, after: u64, limit: usize) -> Result<Page, StateError> {
        let Some((first, last)) = self.bounds(filter)? else { return Ok(END) };
        let mut low = first.max(after + 1);
        let mut items = Vec::new();
        for _ in 0..WINDOWS {
            if low > last {
                return Ok(Page { items, next: None });
            }
            let high = last.min(low + WINDOW - 1);
            let wanted = limit + 1 - items.len();
            items.extend(self.window(filter, (low, high), "ASC", wanted)?);
            if items.len() > limit {
                items.truncate(limit);
                let next = items.last().map(|entry| entry.number);
                return Ok(Page { items, next });
            }
            low = high + 1;
        }
        Ok(Page { items, next: (low <= last).then_some(low - 1) })
    }

    /// The numbers between which entries of the time range lie; `None` if there are none.
    fn bounds(&self, filter: &Filter) -> Result<Option<(u64, u64)>, StateError> {
        // A clock that was set back makes the range wider, and the filter looks at each entry.
        let edge = |conn: &Connection, sql: &str, at: Timestamp| {
            conn.prepare_cached(sql)?
                .query_row([at.micros()], |row| row.get::<_, Option<i64>>(0))
                .optional()
                .map(|number| number.flatten().map(|number| number as u64))
        };
        self.state().read(|conn| {
            let first = match filter.from {
                None => Some(1),
                Some(from) => edge(conn, "SELECT min(number) FROM audit_log WHERE at >= ?1", from)?,
            };
            let last = match filter.to {
                None => Some(last(conn)?.0),
                Some(to) => edge(conn, "SELECT max(number) FROM audit_log WHERE at < ?1", to)?,
            };
            Ok(first.zip(last).filter(|(first, last)| first <= last))
        })
    }

    fn window(
        &self,
        filter: &Filter,
        (low, high): (u64, u64),
        order: &str,
        limit: usize,
    ) -> Result<Vec<Entry>, StateError> {
        let mut conditions = vec!["number >= ? AND number <= ?"];
        let mut values = vec![Value::Integer(low as i64), Value::Integer(high as i64)];
        let mut only = |condition, value: Option<Value>| {
            if let Some(value) = value {
                conditions.push(condition);
                values.push(value);
            }
        };
        let time = |at: Timestamp| Value::Integer(at.micros());
        only("at >= ?", filter.from.map(time));
        only("at < ?", filter.to.map(time));
        let list = |of: &Option<Vec<String>>| {
            of.as_ref().map(|of| Value::Text(serde_json::to_string(of).unwrap_or_default()))
        };
        only("user IN (SELECT value FROM json_each(?))", list(&filter.user));
        only("action IN (SELECT value FROM json_each(?))", list(&filter.action));
        only("department IN (SELECT value FROM json_each(?))", list(&filter.department));
        if let Departments::Only(departments) = &filter.visible {
            let list = serde_json::to_string(departments).unwrap_or_default();
            only("department IN (SELECT value FROM json_each(?))", Some(Value::Text(list)));
        }
        only(
            "(coalesce(user, '') || char(10) || coalesce(address, '') || char(10) || action ||
              char(10) || coalesce(target, '') || char(10) || coalesce(before, '') || char(10) ||
              coalesce(after, '')) LIKE ? ESCAPE '\\'",
            filter.q.as_deref().map(|words| Value::Text(format!("%{}%", escaped(words)))),
        );
        values.push(Value::Integer(limit as i64));
        let rest = format!("WHERE {} ORDER BY number {order} LIMIT ?", conditions.join(" AND "));
        self.state().read(|conn| {
            let mut statement = conn.prepare_cached(&select(&rest))?;
            let rows = statement.query_map(params_from_iter(values), entry)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

const END: Page = Page { items: Vec::new(), next: None };

/// A text that LIKE takes as it is.
fn escaped(words: &str) -> String {
    words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
