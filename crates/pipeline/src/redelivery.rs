//! Network servers' own message ids: what a redelivery without a time of its own is told by.
//!
//! A message that says when it was measured needs none of this: its readings have their key. One
//! that does not gets the time at which it was received, and would get another when it is delivered
//! again. So the time of the first delivery is kept, in the same commit as the readings: what is
//! durable is known again after a crash too.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use city_model::Timestamp;
use city_store::{DELIVERIES_KEPT, DeliveryNote};
use rustc_hash::FxHashMap;

/// The times at which the last messages with an id were received.
#[derive(Debug, Default)]
pub(crate) struct Redeliveries {
    received: FxHashMap<u64, Timestamp>,
    /// The keys in order of arrival, to forget the oldest.
    order: VecDeque<u64>,
    /// What the next commit is to keep.
    fresh: Vec<DeliveryNote>,
}

/// What a message is known by: the number of its source in the ledger, and the id that a network
/// server or its sender gave it. The same after a restart.
pub(crate) fn key(source: u16, id: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    (source, id).hash(&mut hasher);
    hasher.finish()
}

impl Redeliveries {
    /// With what was committed before, oldest first.
    pub(crate) fn new(before: impl IntoIterator<Item = DeliveryNote>) -> Self {
        let mut redeliveries = Self::default();
        for note in before {
            redeliveries.first(note.key, note.received);
        }
        redeliveries.fresh.clear();
        redeliveries
    }

    /// What came for the first time since this was asked last.
    pub(crate) fn take_fresh(&mut self) -> Vec<DeliveryNote> {
        std::mem::take(&mut self.fresh)
    }

    /// When the message with this key was received for the first time: `received`, unless it came
    /// before.
    pub(crate) fn first(&mut self, key: u64, received: Timestamp) -> Timestamp {
        if let Some(first) = self.received.get(&key) {
            return *first;
        }
        if self.order.len() >= DELIVERIES_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.received.remove(&oldest);
        }
        self.order.push_back(key);
        self.received.insert(key, received);
        self.fresh.push(DeliveryNote { key, received });
        received
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_time_stands_until_too_many_others_came() {
        let at = Timestamp::from_secs;
        let mut redeliveries = Redeliveries::default();
        assert_eq!(redeliveries.first(key(0, "a"), at(10)), at(10));
        assert_eq!(redeliveries.first(key(0, "a"), at(20)), at(10));
        assert_eq!(redeliveries.first(key(1, "a"), at(30)), at(30), "another source");
        let fresh = redeliveries.take_fresh();
        assert_eq!(fresh.iter().map(|note| note.received).collect::<Vec<_>>(), [at(10), at(30)]);
        let mut again = Redeliveries::new(fresh);
        assert_eq!(again.first(key(0, "a"), at(40)), at(10), "over a restart");
        assert!(again.take_fresh().is_empty());
        for other in 0..DELIVERIES_KEPT {
            redeliveries.first(key(0, format!("b{other}")), at(40));
        }
        assert_eq!(redeliveries.first(key(0, "a"), at(50)), at(50));
        assert_eq!(redeliveries.received.len(), DELIVERIES_KEPT);
    }
}
