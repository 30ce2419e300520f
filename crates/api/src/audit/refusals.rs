//! Refusals of one kind that come by the dozen are counted and become one entry a minute, so that
//! neither a stranger nor a script gone wrong fills the disk with a log that is never cut.

use std::sync::{Mutex, PoisonError};

use city_audit::NewEntry;
use city_model::{Span, Timestamp};
use rustc_hash::FxHashMap;

/// So many of a kind in [`WINDOW`] have entries of their own.
const ALONE: u64 = 10;
const WINDOW: Span = Span::from_secs(60);
/// So many kinds are told apart at a time; what comes beyond is counted as one kind.
const KINDS: usize = 1_000;

/// Who was refused what: user, or address of those that proved nothing; action; outcome.
type Kind = (String, String, String);

#[derive(Debug)]
struct Run {
    since: Timestamp,
    seen: u64,
    /// The last one that has no entry of its own, with how many there are.
    counted: Option<NewEntry>,
}

/// The refusals of the last minute.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<FxHashMap<Kind, Run>>);

impl Refusals {
    /// Whether this one is counted with others, instead of having an entry of its own.
    pub(super) fn counts(&self, entry: &NewEntry) -> bool {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let who = entry.user.clone().or_else(|| entry.address.clone()).unwrap_or_default();
        let mut kind = (who, entry.action.clone(), entry.outcome.name().to_owned());
        let known = runs.contains_key(&kind);
        let crowded = !known && runs.len() >= KINDS;
        if crowded {
            kind = Kind::default();
        }
        let run = runs.entry(kind).or_insert(Run { since: entry.at, seen: 0, counted: None });
        run.seen += 1;
        if run.seen <= ALONE && !crowded {
            return false;
        }
        let times = run.counted.as_ref().map_or(0, |counted| counted.times);
        let mut last = entry.clone();
        last.times = times + 1;
        if times > 0 || crowded {
            // What they are about differs from one to the next.
            (last.target, last.department, last.before) = (None, None, None);
        }
        if crowded {
            (last.user, last.address) = (None, None);
        }
        run.counted = Some(last);
        true
    }

    /// Takes what was counted in minutes that are over.
    pub(super) fn over(&self, now: Timestamp) -> Vec<NewEntry> {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut over = Vec::new();
        runs.retain(|_, run| {
            // A clock that was set back ends it too.
            let ends = now.since(run.since) >= WINDOW || now < run.since;
            if ends {
                over.extend(run.counted.take());
            }
            !ends
        });
        over.sort_by_key(|entry| entry.at);
        over
    }
}

#[cfg(test)]
mod tests {
    use city_audit::{Outcome, Via};

    use super::*;

    fn refused(address: &str, second: i64) -> NewEntry {
        let mut entry = NewEntry::new(Timestamp::from_secs(second), Via::Anonymous, "log_in");
        entry.address = Some(address.to_owned());
        entry.target = Some(format!("guess {second}"));
        entry.outcome = Outcome::Refused("bad_token".to_owned());
        entry
    }

    #[test]
    fn the_first_ten_have_entries_and_the_rest_of_the_minute_one() {
        let refusals = Refusals::default();
        for second in 0..10 {
            assert!(!refusals.counts(&refused("192.0.2.1", second)));
        }
        for second in 10..15 {
            assert!(refusals.counts(&refused("192.0.2.1", second)));
        }
        assert!(!refusals.counts(&refused("192.0.2.2", 15)), "another client");
        assert_eq!(refusals.over(Timestamp::from_secs(59)), []);
        let over = refusals.over(Timestamp::from_secs(60));
        assert_eq!(over.len(), 1);
        assert_eq!((over[0].times, over[0].at), (5, Timestamp::from_secs(14)));
        assert_eq!(over[0].target, None);
        assert_eq!(refusals.over(Timestamp::from_secs(90)), []);
        assert!(!refusals.counts(&refused("192.0.2.1", 91)), "a new minute");
    }

    #[test]
    fn a_thousand_clients_are_told_apart_and_no_more() {
        let refusals = Refusals::default();
        for client in 0..KINDS {
            assert!(!refusals.counts(&refused(&client.to_string(), 0)));
        }
        for client in 0..500 {
            assert!(refusals.counts(&refused(&format!("other {client}"), 0)));
        }
        let over = refusals.over(Timestamp::from_secs(60));
        assert_eq!(over.iter().map(|entry| entry.times).collect::<Vec<_>>(), [500]);
        assert_eq!(over[0].address, None);
    }
}
