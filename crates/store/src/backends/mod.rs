//! What implements the storage port: one module per backend.

use city_model::{Marks, Position, Quality, Reading, SeriesKey, Timestamp, Value, ZoneSet};

use crate::{Deletion, LastValue};

pub mod embedded;
pub mod influxdb;
pub mod memory;

impl From<&Reading> for LastValue {
    fn from(reading: &Reading) -> Self {
        Self {
            time: reading.time,
            received: reading.received,
            value: reading.value.clone(),
            quality: reading.quality,
            marks: reading.marks,
            position: reading.position.map(Box::new),
        }
    }
}

impl Deletion {
    /// Whether readings of this series may be meant.
    fn is_about(&self, series: SeriesKey) -> bool {
        series.device == self.device && self.metric.is_none_or(|metric| metric == series.metric)
    }
}

/// A reading of which only what is stored is known.
fn bare_reading(
    series: SeriesKey,
    time: Timestamp,
    value: Value,
    quality: Quality,
    position: Option<Position>,
) -> Reading {
    let (received, marks, zones) = (time, Marks::NONE, ZoneSet::default());
    Reading { series, time, received, value, quality, marks, position, zones }
}

/// Whether a reading becomes the newest value of its series in the place of `last`.
///
/// The newest is the one with the latest event time; of two with the same time the correction
/// that came later, unless it says the same. A reading whose time is too far in the future to be
/// trusted ([`Marks::FUTURE`]) never hides one whose time is not.
fn supersedes(reading: &Reading, last: &LastValue) -> bool {
    let (new, old) = (reading.marks.has(Marks::FUTURE), last.marks.has(Marks::FUTURE));
    if new != old {
        return old;
    }
    if reading.time != last.time {
        return reading.time > last.time;
    }
    let moved = reading.position.is_some() && reading.position.as_ref() != last.position.as_deref();
    moved || !same_value(&reading.value, &last.value)
}

/// Whether two values are the same bit for bit (0 and -0 are not).
fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}
