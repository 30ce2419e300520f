//! Named areas of the city.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::LocalText;

/// A zone's number while the program runs: a reload of the zones keeps the numbers of ids that
/// stay and never gives a number to another id. Not the same after a restart, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ZoneKey(pub u32);

/// The zones that a position lies in, in ascending order; cheap to share between readings.
///
/// Most places of a city with one layer lie in one zone, which needs no memory of its own: counting
/// who shares it would cost more than anything else that is done to find it.
#[derive(Clone)]
pub struct ZoneSet(Keys);

#[derive(Clone)]
enum Keys {
    Few(Option<ZoneKey>),
    Many(Arc<[ZoneKey]>),
}

impl Default for ZoneSet {
    fn default() -> Self {
        Self(Keys::Few(None))
    }
}

impl Deref for ZoneSet {
    type Target = [ZoneKey];

    fn deref(&self) -> &[ZoneKey] {
        match &self.0 {
            Keys::Few(key) => key.as_slice(),
            Keys::Many(keys) => keys,
        }
    }
}

impl From<&[ZoneKey]> for ZoneSet {
    fn from(keys: &[ZoneKey]) -> Self {
        Self(match keys {
            [] => Keys::Few(None),
            [key] => Keys::Few(Some(*key)),
            keys => Keys::Many(keys.into()),
        })
    }
}

impl<const N: usize> From<[ZoneKey; N]> for ZoneSet {
    fn from(keys: [ZoneKey; N]) -> Self {
        keys.as_slice().into()
    }
}

impl From<Vec<ZoneKey>> for ZoneSet {
    fn from(keys: Vec<ZoneKey>) -> Self {
        keys.as_slice().into()
    }
}

impl FromIterator<ZoneKey> for ZoneSet {
    fn from_iter<I: IntoIterator<Item = ZoneKey>>(keys: I) -> Self {
        keys.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'s> IntoIterator for &'s ZoneSet {
    type Item = &'s ZoneKey;
    type IntoIter = std::slice::Iter<'s, ZoneKey>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Borrow<[ZoneKey]> for ZoneSet {
    fn borrow(&self) -> &[ZoneKey] {
        self
    }
}

impl PartialEq for ZoneSet {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Keys::Many(a), Keys::Many(b)) if Arc::ptr_eq(a, b) => true,
            _ => **self == **other,
        }
    }
}

impl Eq for ZoneSet {}

impl Hash for ZoneSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for ZoneSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A named polygon in a hierarchy: city, district, neighbourhood.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// The number in this set of zones.
    pub key: ZoneKey,
    /// The stable name used in rules, the API and the store; lower-case, `-` for spaces.
    pub id: Arc<str>,
    /// What people call it.
    pub name: LocalText,
    /// The layer, such as `neighbourhood`.
    pub layer: Arc<str>,
    /// A place inside the zone, for labels.
    pub label: crate::Position,
    /// West, south, east, north in degrees; west is greater than east across the antimeridian
    /// (RFC 7946, section 5.2).
    pub bounds: [f64; 4],
    /// The zone above it in the hierarchy.
    pub parent: Option<ZoneKey>,
    /// Its area in square kilometres, on a sphere.
    pub area_km2: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_its_keys_however_many_and_no_larger_than_a_shared_one() {
        for keys in [vec![], vec![ZoneKey(7)], vec![ZoneKey(1), ZoneKey(2)]] {
            let set = ZoneSet::from(keys.clone());
            assert_eq!(*set, *keys);
            assert_eq!(set, keys.iter().copied().collect());
            assert_eq!(format!("{set:?}"), format!("{keys:?}"));
            assert!(std::collections::HashSet::from([set]).contains(keys.as_slice()));
        }
        assert_eq!(ZoneSet::default(), ZoneSet::from([]));
        assert_eq!(size_of::<ZoneSet>(), size_of::<Arc<[ZoneKey]>>());
    }
}
