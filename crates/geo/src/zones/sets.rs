//! Interned zone sets: equal sets share one `Arc`, and finding one allocates nothing.

use std::hash::{Hash, Hasher};
use std::sync::{Mutex, OnceLock, PoisonError};

use city_model::{ZoneKey, ZoneSet};
use rustc_hash::{FxHashSet, FxHasher};

/// How many neighbouring slots are tried before the overflow table.
const PROBES: usize = 8;

/// A table of the sets seen so far. Reading takes no lock: slots are filled once and never change.
/// Sets that find no slot go to a locked table, which stays small because a city has few more
/// combinations of zones than zones.
#[derive(Debug)]
pub(super) struct ZoneSets {
    slots: Box<[OnceLock<ZoneSet>]>,
    overflow: Mutex<FxHashSet<ZoneSet>>,
}

impl Default for ZoneSets {
    fn default() -> Self {
        Self::for_zones(0)
    }
}

impl ZoneSets {
    /// A table with room for the combinations of this many zones.
    pub(super) fn for_zones(zones: usize) -> Self {
        Self::with_slots((zones * 2).max(64))
    }

    fn with_slots(slots: usize) -> Self {
        let slots = (0..slots.next_power_of_two()).map(|_| OnceLock::new()).collect();
        Self { slots, overflow: Mutex::default() }
    }

    /// Bytes on the heap, without the sets themselves.
    pub(super) fn bytes(&self) -> usize {
        self.slots.len() * size_of::<OnceLock<ZoneSet>>()
    }

    /// The shared set with these keys, which must be in ascending order.
    pub(super) fn intern(&self, keys: &[ZoneKey]) -> ZoneSet {
        let mut hasher = FxHasher::default();
        keys.hash(&mut hasher);
        let start = hasher.finish() as usize;
        for probe in 0..PROBES {
            let slot = &self.slots[start.wrapping_add(probe) & (self.slots.len() - 1)];
            // If another thread fills the slot first, its set is compared like any other.
            let set = slot.get_or_init(|| keys.into());
            if **set == *keys {
                return set.clone();
            }
        }
        // A panic while the lock was held cannot leave a set half inserted that matters here.
        let mut overflow = self.overflow.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = overflow.get(keys) {
            return set.clone();
        }
        let set: ZoneSet = keys.into();
        overflow.insert(set.clone());
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether two sets of several zones are one allocation.
    fn is_shared(a: &ZoneSet, b: &ZoneSet) -> bool {
        std::ptr::eq(a.as_ptr(), b.as_ptr())
    }

    /// The first zones, two at least: one needs no allocation.
    fn keys(n: u32) -> Vec<ZoneKey> {
        (0..n + 2).map(ZoneKey).collect()
    }

    #[test]
    fn equal_sets_share_one_allocation_also_when_the_slots_are_full() {
        let sets = ZoneSets::with_slots(4);
        let first: Vec<ZoneSet> = (0..50).map(|n| sets.intern(&keys(n))).collect();
        for (n, set) in (0..50).zip(&first) {
            assert_eq!(**set, *keys(n));
            assert!(is_shared(set, &sets.intern(&keys(n))), "{n} zones");
        }
        assert_eq!(sets.overflow.lock().expect("unpoisoned").len(), 46);
    }

    #[test]
    fn threads_agree_on_the_set() {
        let sets = ZoneSets::for_zones(10);
        let all: Vec<Vec<ZoneSet>> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..100).map(|n| sets.intern(&keys(n))).collect()))
                .collect();
            workers.into_iter().map(|worker| worker.join().expect("no panic")).collect()
        });
        for other in &all[1..] {
            assert!(all[0].iter().zip(other).all(|(a, b)| is_shared(a, b)));
        }
    }
}
