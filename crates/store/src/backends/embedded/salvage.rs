//! Reading what can be read of a database with damaged pages.

use rusqlite::Connection;
use rusqlite::types::Value;

/// How often a table is entered in the middle to find rows between pages that cannot be read.
const PROBES: usize = 4_000;

/// Copies a table row by row as far as it can be read, past pages that cannot. Returns how many
/// rows, and whether those were all.
pub(super) fn salvage(
    old: &Connection,
    new: &Connection,
    table: &str,
    columns: &[&str],
) -> rusqlite::Result<(u64, bool)> {
    let mut copy = Copy { old, new, table, columns, rows: 0 };
    // The whole of it; without an order, for names are no numbers.
    if copy.run("", &[])? == Read::All {
        return Ok((copy.rows, true));
    }
    let key = if columns[0] == "name" { "name" } else { "rowid" };
    let up = format!("WHERE {key} > ?1 AND {key} < ?2 ORDER BY {key} ASC");
    let down = format!("WHERE {key} > ?1 AND {key} < ?2 ORDER BY {key} DESC");
    // Gaps that are not known to be empty, the widest first.
    let mut gaps = std::collections::BinaryHeap::from([(i64::MAX as u64, i64::MIN, i64::MAX)]);
    for _ in 0..PROBES {
        let Some((_, from, to)) = gaps.pop() else { break };
        let middle = from.midpoint(to);
        for (order, low, high) in [(&down, from, middle.saturating_add(1)), (&up, middle, to)] {
            let (low, high) = match copy.run(order, &[low, high])? {
                Read::All => continue,
                Read::Until(Some(last)) if order == &up => (last, high),
                Read::Until(Some(last)) => (low, last),
                Read::Until(None) => (low, high),
            };
            let width = high.abs_diff(low);
            if width > 1 && width < to.abs_diff(from) {
                gaps.push((width, low, high));
            }
        }
    }
    Ok((copy.rows, false))
}

/// How far rows could be read.
#[derive(PartialEq, Eq)]
enum Read {
    All,
    /// The key of the last one, if there was any and it is a number.
    Until(Option<i64>),
}

struct Copy<'a> {
    old: &'a Connection,
    new: &'a Connection,
    table: &'a str,
    columns: &'a [&'a str],
    rows: u64,
}

impl Copy<'_> {
    /// Copies the rows that a condition names until one cannot be read.
    fn run(&mut self, condition: &str, between: &[i64]) -> rusqlite::Result<Read> {
        // By the row's number, whatever the column may be that stands for it.
        let by_number = self.columns[0] != "name";
        let key = if by_number { "rowid" } else { self.columns[0] };
        let rest = self.columns[1..].join(", ");
        let names = self.columns.join(", ");
        let places: Vec<String> =
            (1..=self.columns.len()).map(|place| format!("?{place}")).collect();
        let mut put = self.new.prepare_cached(&format!(
            "INSERT OR IGNORE INTO {} ({names}) VALUES ({})",
            self.table,
            places.join(", ")
        ))?;
        let select = format!("SELECT {key}, {rest} FROM {} {condition}", self.table);
        // A column may have lost its name: the order is still the same.
        let all = format!("SELECT {key}, * FROM {} {condition}", self.table);
        let prepared = self.old.prepare(&select).or_else(|_| self.old.prepare(&all));
        let Ok(mut statement) = prepared else { return Ok(Read::Until(None)) };
        // What stands for the number comes once more among all.
        let again = statement.column_count() > self.columns.len();
        let shift = usize::from(again && self.columns[0] != "rowid");
        let Ok(mut found) = statement.query(rusqlite::params_from_iter(between)) else {
            return Ok(Read::Until(None));
        };
        let mut last = None;
        loop {
            let row = match found.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(Read::All),
                Err(_) => return Ok(Read::Until(last)),
            };
            let values: rusqlite::Result<Vec<Value>> = (0..self.columns.len())
                .map(|column| row.get(if column == 0 { 0 } else { column + shift }))
                .collect();
            let Ok(values) = values else { return Ok(Read::Until(last)) };
            if let Some(Value::Integer(key)) = values.first() {
                last = Some(*key);
            }
            self.rows += put.execute(rusqlite::params_from_iter(values))? as u64;
        }
    }
}
