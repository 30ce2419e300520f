//! What was forwarded lately: tells a redelivery, which needs nothing, from a correction, which may
//! need that the old point is deleted first.

use city_model::{Reading, SeriesKey};
use rustc_hash::{FxHashMap, FxHasher};

use super::line::{Content, Field};

/// Points in one of the two halves: about 10 MB each when full.
const HALF: usize = 200_000;

/// A point: series and event time in microseconds.
pub(super) type Key = (SeriesKey, i64);

/// What is known of a point at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Which field it has.
    pub(super) field: Field,
    /// A hash of all that it says.
    hash: u32,
}

impl Known {
    pub(super) fn of(content: &Content<'_>) -> Self {
        use std::hash::{Hash as _, Hasher as _};
        let mut hasher = FxHasher::default();
        match content.value {
            city_model::Value::Number(number) => number.to_bits().hash(&mut hasher),
            city_model::Value::Bool(state) => state.hash(&mut hasher),
            city_model::Value::Text(text) => text.hash(&mut hasher),
        }
        content.quality.code().hash(&mut hasher);
        content.position.map(|p| (p.lon.to_bits(), p.lat.to_bits())).hash(&mut hasher);
        let hash = hasher.finish();
        Self { field: Field::of(content.value, content.quality), hash: (hash ^ hash >> 32) as u32 }
    }
}

/// The points forwarded last, at least [`HALF`] of them.
#[derive(Debug, Default)]
pub(super) struct Recent {
    newer: FxHashMap<Key, Known>,
    older: FxHashMap<Key, Known>,
}

impl Recent {
    pub(super) fn key(reading: &Reading) -> Key {
        (reading.series, reading.time.micros())
    }

    pub(super) fn get(&self, key: &Key) -> Option<Known> {
        self.newer.get(key).or_else(|| self.older.get(key)).copied()
    }

    pub(super) fn put(&mut self, key: Key, known: Known) {
        if self.newer.len() >= HALF {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{reading, series};
    use city_model::{Quality, Value};

    fn known(value: impl Into<Value>, quality: Quality) -> Known {
        Known::of(&Content { value: &value.into(), quality, position: None })
    }

    #[test]
    fn a_correction_is_no_redelivery() {
        assert_eq!(known(1.0, Quality::Pass), known(1.0, Quality::Pass));
        assert_ne!(known(1.0, Quality::Pass), known(2.0, Quality::Pass));
        assert_ne!(known(1.0, Quality::Pass), known(1.0, Quality::Suspect));
        assert_ne!(known(1.0, Quality::Pass).field, known(1.0, Quality::Fail).field);
        assert_ne!(known("1", Quality::Pass).field, known(true, Quality::Pass).field);
    }

    #[test]
    fn the_oldest_half_is_forgotten() {
        let mut recent = Recent::default();
        let key = |secs| Recent::key(&reading(series(1, 1), secs, 1.0));
        for secs in 0..=(2 * HALF as i64) {
            recent.put(key(secs), known(1.0, Quality::Pass));
        }
        assert_eq!(recent.get(&key(0)), None);
        assert!(recent.get(&key(HALF as i64 + 1)).is_some());
        assert!(recent.get(&key(2 * HALF as i64)).is_some());
    }
}
