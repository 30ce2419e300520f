//! What became of the readings: counters that add up, and the late ones one by one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use city_model::{SeriesKey, Timestamp};
use serde::{Deserialize, Serialize};

/// How many late readings are remembered.
const REMEMBERED: usize = 10_000;

/// Counters since the evaluator was made, and its size.
///
/// Every reading is counted once: `readings` = `unselected` + `retained` + `future` + `duplicate`
/// + `out_of_order` + `inserted` + `evaluated` + `late` + `untrusted` + `without_limit` + `not_numeric`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// All readings that were observed.
    pub readings: u64,
    /// No rule selects the series.
    pub unselected: u64,
    /// Came from a broker's retained store: no news.
    pub retained: u64,
    /// Its time was too far in the future: only a sign of life.
    pub future: u64,
    /// Its time is that of the newest one of the series.
    pub duplicate: u64,
    /// It is older than the newest one of the series, and no rule had a use for it.
    pub out_of_order: u64,
    /// It is older than the newest one of the series, and came in time for a window or zone.
    pub inserted: u64,
    /// At least one rule evaluated it.
    pub evaluated: u64,
    /// Every rule that selects it found it too late (backfill), or would not trust it.
    pub late: u64,
    /// No rule that selects it trusts its quality flag.
    pub untrusted: u64,
    /// Its device has no limits for the rules that select it.
    pub without_limit: u64,
    /// It is a text, and its rules judge numbers.
    pub not_numeric: u64,
    /// How often a rule evaluated a reading.
    pub evaluations: u64,
    /// How often a verdict would have raised an alert, had not a dependency held it back.
    pub suppressed: u64,
    /// Pairs of a rule and a subject with state.
    pub slots: usize,
    /// Series that were seen.
    pub series: usize,
    /// Alerts that fire.
    pub firing: usize,
    /// The last late readings, oldest first, each with the decision.
    pub recent_late: Vec<LateReading>,
}

/// A late reading and what was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateReading {
    /// Whose and of what.
    pub series: SeriesKey,
    /// When it was measured.
    pub time: Timestamp,
    /// When it reached us.
    pub received: Timestamp,
    /// What was decided.
    pub decision: LateDecision,
}

/// What was decided about a late reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LateDecision {
    /// Later than a rule allows: recorded, not evaluated by that rule. The first such rule and the
    /// number of them.
    Backfill {
        /// The id of the first rule that did not evaluate it.
        rule: Arc<str>,
        /// How many rules did not.
        rules: u32,
    },
    /// A newer reading of the series had been evaluated before: recorded, not evaluated.
    OutOfOrder {
        /// The time of the newer one.
        newest: Timestamp,
    },
    /// A newer reading of the series had been evaluated before, but windows or zones had still a
    /// place for this one, and were judged anew with it.
    Inserted {
        /// How many rules took it.
        rules: u32,
    },
}

/// The last 10,000 decisions about late readings, shared by the evaluator and those who ask.
#[derive(Clone, Debug, Default)]
pub struct LateLog(Arc<Mutex<VecDeque<LateReading>>>);

impl LateLog {
    /// Remembers a decision, and forgets the oldest one where there are too many.
    pub fn push(&self, late: LateReading) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == REMEMBERED {
            all.pop_front();
        }
        all.push_back(late);
    }

    /// At most so many of those that fit, newest first.
    pub fn newest(&self, limit: usize, fits: impl Fn(&LateReading) -> bool) -> Vec<LateReading> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().rev().filter(|late| fits(late)).take(limit).cloned().collect()
    }
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) stats: Stats,
    pub(super) late: LateLog,
}

impl Counters {
    pub(super) fn remember(&self, late: LateReading) {
        self.late.push(late);
    }

    pub(super) fn report(&self, slots: usize, series: usize, firing: usize) -> Stats {
        let mut recent_late = self.late.newest(REMEMBERED, |_| true);
        recent_late.reverse();
        Stats { slots, series, firing, recent_late, ..self.stats.clone() }
    }
}
