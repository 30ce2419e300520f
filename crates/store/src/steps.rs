//! Adds readings up to steps of time; every backend that has no engine of its own for it uses this.

use std::collections::BTreeMap;

use city_model::{Quality, SeriesKey, Span, Timestamp};

use crate::{Bucket, Rank, StoreError, StoreErrorKind, TimeRange};

/// Statistics of some readings: of one step, or of one column of a chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stats {
    /// How many readings count.
    pub(crate) count: u64,
    /// The lowest of them.
    pub(crate) min: f64,
    /// The highest of them.
    pub(crate) max: f64,
    /// Their sum.
    pub(crate) sum: f64,
    /// The newest of them.
    pub(crate) last: f64,
    /// Its event time in microseconds.
    pub(crate) last_time: i64,
    /// How many readings, counting or not, are flagged.
    pub(crate) flagged: u64,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            count: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sum: 0.0,
            last: f64::NAN,
            last_time: i64::MIN,
            flagged: 0,
        }
    }
}

impl Stats {
    /// Adds one reading; `number` is `None` for texts.
    pub(crate) fn add(&mut self, time: i64, number: Option<f64>, quality: Quality) {
        if !quality.is_trusted() {
            self.flagged += 1;
        }
        let Some(number) = number.filter(|_| counts(quality)) else { return };
        // Makes 0 of -0, so that the order of readings never shows in the statistics.
        let number = number + 0.0;
        self.count += 1;
        self.min = self.min.min(number);
        self.max = self.max.max(number);
        self.sum += number;
        self.add_newest(time, number);
    }

    /// Of several series with their newest at the same time the highest counts, so that the order
    /// in which they are asked never shows.
    fn add_newest(&mut self, time: i64, number: f64) {
        let higher = self.last.is_nan() || number > self.last;
        if time > self.last_time || (time == self.last_time && higher) {
            self.last = number;
            self.last_time = time;
        }
    }

    /// Adds other readings.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.flagged += other.flagged;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
        if other.count > 0 {
            self.add_newest(other.last_time, other.last);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0 && self.flagged == 0
    }

    pub(crate) fn bucket(&self, start: i64) -> Bucket {
        let known = self.count > 0;
        Bucket {
            start: Timestamp::from_micros(start),
            count: self.count,
            min: if known { self.min } else { f64::NAN },
            max: if known { self.max } else { f64::NAN },
            sum: self.sum,
            last: if known { self.last } else { f64::NAN },
            flagged: self.flagged,
        }
    }
}

/// Whether a number of this quality counts for statistics.
pub(crate) fn counts(quality: Quality) -> bool {
    quality.is_trusted() || quality == Quality::Suspect
}

/// Steps under way. Feed series by series or window by window; both are quick.
#[derive(Debug)]
pub(crate) struct Steps {
    step: i64,
    done: BTreeMap<i64, Stats>,
    start: i64,
    now: Stats,
}

impl Steps {
    /// Steps of this length.
    pub(crate) fn new(step: Span) -> Result<Self, StoreError> {
        if step.micros() <= 0 {
            return Err(StoreError::new(
                StoreErrorKind::Invalid,
                format!("a step of {step} cannot be: it must be longer than zero"),
            ));
        }
        Ok(Self { step: step.micros(), done: BTreeMap::new(), start: 0, now: Stats::default() })
    }

    /// Where the step begins in which `time` lies.
    pub(crate) fn start_of(&self, time: i64) -> i64 {
        time.div_euclid(self.step).saturating_mul(self.step)
    }

    /// Adds one reading.
    pub(crate) fn add(&mut self, time: i64, number: Option<f64>, quality: Quality) {
        self.turn_to(self.start_of(time));
        self.now.add(time, number, quality);
    }

    /// Adds readings that all lie in the step that begins at `start`.
    pub(crate) fn merge(&mut self, start: i64, stats: &Stats) {
        self.turn_to(start);
        self.now.merge(stats);
    }

    fn turn_to(&mut self, start: i64) {
        if start != self.start {
            self.put_away();
            self.start = start;
        }
    }

    fn put_away(&mut self) {
        let now = std::mem::take(&mut self.now);
        if !now.is_empty() {
            self.done.entry(self.start).or_default().merge(&now);
        }
    }

    /// The steps that hold anything, in order.
    pub(crate) fn finish(mut self) -> Vec<Bucket> {
        self.put_away();
        self.done.iter().map(|(start, stats)| stats.bucket(*start)).collect()
    }
}

/// The first `n` by rank; see [`crate::Store::top`].
pub(crate) fn ranked(
    mut all: Vec<(SeriesKey, Stats)>,
    range: TimeRange,
    by: Rank,
    n: usize,
) -> Vec<(SeriesKey, Bucket)> {
    all.retain(|(_, stats)| stats.count > 0);
    let key = |stats: &Stats| match by {
        Rank::Highest => stats.max,
        Rank::Lowest => -stats.min,
        Rank::Mean => stats.sum / stats.count as f64,
        Rank::Last => stats.last,
        Rank::Sum => stats.sum,
        Rank::Count => stats.count as f64,
    };
    let order = |a: &(SeriesKey, Stats), b: &(SeriesKey, Stats)| {
        key(&b.1).total_cmp(&key(&a.1)).then(a.0.cmp(&b.0))
    };
    if n < all.len() {
        all.select_nth_unstable_by(n, order);
        all.truncate(n);
    }
    all.sort_unstable_by(order);
    let start = range.from.micros();
    all.into_iter().map(|(series, stats)| (series, stats.bucket(start))).collect()
}

/// Refuses a range that ends before it starts.
pub(crate) fn check_range(range: TimeRange) -> Result<(), StoreError> {
    if range.from > range.to {
        return Err(StoreError::new(
            StoreErrorKind::Invalid,
            format!("the range ends ({}) before it starts ({}); swap them", range.to, range.from),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_hold_what_counts_and_count_what_is_flagged() {
        let mut steps = Steps::new(Span::from_micros(10)).expect("a step");
        steps.add(-1, Some(5.0), Quality::Pass);
        steps.add(3, Some(1.0), Quality::Suspect);
        steps.add(9, Some(-2.0), Quality::NotEvaluated);
        steps.add(4, Some(99.0), Quality::Fail);
        steps.add(4, None, Quality::Pass);
        steps.add(10, Some(7.0), Quality::Missing);
        steps.add(20, None, Quality::Pass);
        let got = steps.finish();
        assert_eq!(got.len(), 3, "a step with nothing but unflagged texts is left out: {got:?}");
        assert_eq!((got[0].start.micros(), got[0].sum), (-10, 5.0));
        let b = got[1];
        assert_eq!(
            (b.count, b.min, b.max, b.sum, b.last, b.flagged),
            (2, -2.0, 1.0, -1.0, -2.0, 2)
        );
        assert_eq!((got[2].count, got[2].flagged, got[2].sum), (0, 1, 0.0));
        assert!(got[2].min.is_nan() && got[2].max.is_nan() && got[2].last.is_nan());
    }

    #[test]
    fn going_back_to_a_step_adds_to_it() {
        let mut steps = Steps::new(Span::from_micros(10)).expect("a step");
        for (time, number) in [(1, 1.0), (11, 2.0), (2, 3.0)] {
            steps.add(time, Some(number), Quality::Pass);
        }
        let got = steps.finish();
        assert_eq!((got.len(), got[0].count, got[0].last), (2, 2, 3.0));
    }
}
