//! What is remembered of a series between its readings.

use city_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::checks::{Evidence, run_with};
use crate::{CheckConfig, CheckSet};

/// The memory of one series' checks: 64 bytes, no allocation; a fresh one has seen nothing.
///
/// It holds numbers that are finite and within the physical range only. A changed configuration
/// may go on with an old state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeriesState {
    /// Event time of the newest reading that took part.
    last: Timestamp,
    /// The two newest accepted values, newest last.
    accepted: [f64; 2],
    /// Event time of the newest accepted value.
    accepted_at: Timestamp,
    /// A value that a step check flagged, read at `last`.
    candidate: f64,
    run_value: f64,
    run_since: Timestamp,
    /// 0 until the first reading.
    run_count: u32,
    /// How many of `accepted` are set.
    accepted_count: u8,
    has_candidate: bool,
}

/// A run of equal readings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    /// The first value of it.
    pub(crate) value: f64,
    /// The event time of the first.
    pub(crate) since: Timestamp,
    /// How many readings it has.
    pub(crate) count: u32,
}

impl SeriesState {
    /// The event time of the newest reading that took part in the history.
    pub fn last_time(&self) -> Option<Timestamp> {
        (self.run_count > 0).then_some(self.last)
    }

    pub(crate) fn last_two_accepted(&self) -> Option<[f64; 2]> {
        (self.accepted_count == 2).then_some(self.accepted)
    }

    pub(crate) fn last_accepted(&self) -> Option<(f64, Timestamp)> {
        (self.accepted_count > 0).then_some((self.accepted[1], self.accepted_at))
    }

    pub(crate) fn candidate(&self) -> Option<(f64, Timestamp)> {
        self.has_candidate.then_some((self.candidate, self.last))
    }

    pub(crate) fn run(&self) -> Option<Run> {
        (self.run_count > 0).then_some(Run {
            value: self.run_value,
            since: self.run_since,
            count: self.run_count,
        })
    }

    /// The state after a reading that is in order and not outside the physical range; `steps`
    /// are the step checks that flagged it.
    pub(crate) fn after(config: &CheckConfig, evidence: &Evidence, steps: CheckSet) -> Self {
        let (mut next, value) = (*evidence.state, evidence.value);
        let run = run_with(config, evidence);
        (next.run_value, next.run_since, next.run_count) = (run.value, run.since, run.count);
        next.last = evidence.time;
        if steps.is_empty() {
            // When the value confirms a candidate, the candidate is accepted with it.
            let older = match evidence.state.candidate() {
                Some((candidate, _)) if closer(value, candidate, next.accepted[1]) => candidate,
                _ => next.accepted[1],
            };
            next.accepted = [older, value];
            next.accepted_at = evidence.time;
            next.accepted_count = (next.accepted_count + 1).min(2);
            (next.candidate, next.has_candidate) = (0.0, false);
        } else {
            (next.candidate, next.has_candidate) = (value, true);
        }
        next
    }
}

fn closer(value: f64, to: f64, than: f64) -> bool {
    (value - to).abs() < (value - than).abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_small() {
        assert!(size_of::<SeriesState>() <= 64, "{} bytes", size_of::<SeriesState>());
    }
}
