//! Blobs of many rows by their numbers, in order.

use rusqlite::Connection;

use crate::StoreError;

/// If there are more rows for each that is wanted, those are looked up one by one.
const SPARSE: i64 = 8;

/// A table of blobs: a column `id`, the primary key, and one for the blob.
pub(super) struct Blobs {
    /// Selects the number and the blob of a row by its number.
    pub(super) one: &'static str,
    /// Selects the same of all rows between two numbers, in order.
    pub(super) between: &'static str,
}

impl Blobs {
    /// Calls `each` with the blobs of rows whose numbers are given in order, in that order; perhaps
    /// also with rows between them. Ends with the first error of `each`, and hands it out.
    pub(super) fn each(
        &self,
        conn: &Connection,
        ids: &[i64],
        mut each: impl FnMut(i64, &[u8]) -> Result<(), StoreError>,
    ) -> rusqlite::Result<Result<(), StoreError>> {
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(Ok(())) };
        if ids.len() as i64 * SPARSE >= last - first {
            let mut statement = conn.prepare_cached(self.between)?;
            return hand_out(statement.query((first, last))?, &mut each);
        }
        // One transaction, or each look would lock the file anew.
        let transaction = conn.unchecked_transaction()?;
        let mut statement = transaction.prepare_cached(self.one)?;
        for id in ids {
            let found = hand_out(statement.query([id])?, &mut each)?;
            if found.is_err() {
                return Ok(found);
            }
        }
        Ok(Ok(()))
    }
}

fn hand_out(
    mut rows: rusqlite::Rows<'_>,
    each: &mut impl FnMut(i64, &[u8]) -> Result<(), StoreError>,
) -> rusqlite::Result<Result<(), StoreError>> {
    while let Some(row) = rows.next()? {
        let found = each(row.get(0)?, row.get_ref(1)?.as_blob()?);
        if found.is_err() {
            return Ok(found);
        }
    }
    Ok(Ok(()))
}
