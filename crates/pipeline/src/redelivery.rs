//! Network servers' own message ids: what a redelivery without a time of its own is told by.
//!
//! A message that says when it was measured needs none of this: its readings have their key. One
//! that does not gets the time at which it was received, and would get another when it is delivered
//! again.

use std::collections::VecDeque;
use std::hash::BuildHasher as _;

use city_model::Timestamp;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// How many messages are remembered: hours of a large network's uplinks in a few megabytes.
const REMEMBERED: usize = 65_536;

/// The times at which the last messages with an id were received.
#[derive(Debug, Default)]
pub(crate) struct Redeliveries {
    received: FxHashMap<u64, Timestamp>,
    /// The keys in order of arrival, to forget the oldest.
    order: VecDeque<u64>,
}

impl Redeliveries {
    /// When the message with this id was received for the first time: `received`, unless it came
    /// from this source before.
    pub(crate) fn first(&mut self, source: u16, id: &str, received: Timestamp) -> Timestamp {
        let key = FxBuildHasher.hash_one((source, id));
        if let Some(first) = self.received.get(&key) {
            return *first;
        }
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.received.remove(&oldest);
        }
        self.order.push_back(key);
        self.received.insert(key, received);
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
        assert_eq!(redeliveries.first(0, "a", at(10)), at(10));
        assert_eq!(redeliveries.first(0, "a", at(20)), at(10));
        assert_eq!(redeliveries.first(1, "a", at(30)), at(30), "another source");
        for other in 0..REMEMBERED {
            redeliveries.first(0, &format!("b{other}"), at(40));
        }
        assert_eq!(redeliveries.first(0, "a", at(50)), at(50));
        assert_eq!(redeliveries.received.len(), REMEMBERED);
    }
}
