//! The statistics of one metric in a chunk, in a few bytes.

use super::bytes::{Damaged, Reader, put_f64, put_signed, put_varint};
use super::numbers;
use crate::backends::embedded::columns::Column;
use crate::steps::{Stats, counts};

/// Counts; then, if anything counts, lowest, highest, newest and sum: as integers of the column's
/// decimal exponent if that is exact, else whole; and which row is the newest.
pub(super) fn encode(
    column: &Column,
    times: &[i64],
    decimals: Option<&numbers::Decimals>,
    out: &mut Vec<u8>,
) {
    let mut stats = Stats::default();
    let mut of_ints = IntStats::default();
    let mut newest = 0;
    let mut ints = decimals.map(|d| d.ints.iter());
    for (row, time) in times.iter().enumerate() {
        let Some((number, quality)) = column.number(row) else { continue };
        let int = ints.as_mut().and_then(Iterator::next);
        stats.add(*time, number, quality);
        if number.is_some() && counts(quality) {
            newest = row;
            of_ints.add(int.copied());
        }
    }
    put_varint(out, stats.count);
    put_varint(out, stats.flagged);
    if stats.count == 0 {
        return;
    }
    if let (Some(decimals), Some(sum)) = (decimals, of_ints.sum) {
        out.push(decimals.exponent);
        for int in [of_ints.min, of_ints.max, of_ints.last, sum] {
            put_signed(out, int);
        }
    } else {
        out.push(u8::MAX);
        for number in [stats.min, stats.max, stats.last, stats.sum] {
            put_f64(out, number);
        }
    }
    put_varint(out, (times.len() - 1 - newest) as u64);
}

/// Statistics over the integers of decimals, exact as long as the sum does not overflow.
struct IntStats {
    min: i64,
    max: i64,
    last: i64,
    sum: Option<i64>,
}

impl Default for IntStats {
    fn default() -> Self {
        Self { min: i64::MAX, max: i64::MIN, last: 0, sum: Some(0) }
    }
}

impl IntStats {
    fn add(&mut self, int: Option<i64>) {
        let Some(int) = int else {
            self.sum = None;
            return;
        };
        self.min = self.min.min(int);
        self.max = self.max.max(int);
        self.last = int;
        self.sum = self.sum.and_then(|sum| sum.checked_add(int));
    }
}

pub(super) fn decode(reader: &mut Reader<'_>, times: &[i64]) -> Result<Stats, Damaged> {
    let mut stats =
        Stats { count: reader.varint()?, flagged: reader.varint()?, ..Stats::default() };
    if stats.count == 0 {
        return Ok(stats);
    }
    let exponent = reader.byte()?;
    let mut next = || {
        if exponent == u8::MAX {
            reader.f64()
        } else {
            reader.signed().and_then(|int| numbers::from_decimal(int, exponent))
        }
    };
    (stats.min, stats.max, stats.last, stats.sum) = (next()?, next()?, next()?, next()?);
    let from_end = reader.count(times.len())?;
    let newest = times.len().checked_sub(1 + from_end).ok_or(Damaged("the newest is missing"))?;
    stats.last_time = times[newest];
    Ok(stats)
}
