//! The older part of a window with more readings than are kept one by one: sums over short stretches
//! of time (panes), and for percentiles a histogram with steps of 2 % (as in Masson, Rim and Lee
//! 2019, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees").

use std::collections::{BTreeMap, VecDeque};

use city_model::{Span, Timestamp};

/// Panes of a window.
const PANES: i64 = 256;

/// The bounds of neighbouring steps of the histogram are 2 % apart, so that the middle of a step is
/// within 1 % of all its values.
const GROWTH: f64 = 1.02;

/// Smaller values count as 0, larger ones as this large.
const SMALLEST: f64 = 1e-9;
const LARGEST: f64 = 1e12;

/// Count, mean, squared deviations, and extremes of some readings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) count: u64,
    pub(super) mean: f64,
    /// The sum of squared deviations from the mean.
    pub(super) squares: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Summary {
    pub(super) const EMPTY: Self =
        Self { count: 0, mean: 0.0, squares: 0.0, low: f64::INFINITY, high: f64::NEG_INFINITY };

    pub(super) fn one(value: f64) -> Self {
        Self { count: 1, mean: value, squares: 0.0, low: value, high: value }
    }

    /// Both together (Chan, Golub and LeVeque 1979).
    pub(super) fn with(self, other: Self) -> Self {
        if self.count == 0 || other.count == 0 {
            return if self.count == 0 { other } else { self };
        }
        let (n, m) = (self.count as f64, other.count as f64);
        let apart = other.mean - self.mean;
        Self {
            count: self.count + other.count,
            mean: self.mean + apart * m / (n + m),
            squares: self.squares + other.squares + apart * apart * n * m / (n + m),
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }
}

/// The step of the histogram in which a value lies: 0 is 0, negative ones mirror positive ones.
fn step(value: f64) -> i32 {
    let size = value.abs().min(LARGEST);
    if size < SMALLEST {
        return 0;
    }
    let number = ((size / SMALLEST).ln() / GROWTH.ln()).floor() as i32 + 1;
    if value < 0.0 { -number } else { number }
}

/// The value that stands for a step.
fn middle(step: i32) -> f64 {
    if step == 0 {
        return 0.0;
    }
    let low = SMALLEST * GROWTH.powi(step.abs() - 1);
    // The harmonic middle has the same relative error at both ends.
    let middle = 2.0 * low * GROWTH / (1.0 + GROWTH);
    if step < 0 { -middle } else { middle }
}

#[derive(Clone, Debug, PartialEq)]
struct Pane {
    /// The beginning of its stretch of time.
    from: Timestamp,
    newest: Timestamp,
    summary: Summary,
    /// How many values lie in which step, in order; empty unless percentiles are wanted.
    steps: Vec<(i32, u32)>,
}

/// The panes, oldest first, and their histogram.
#[derive(Debug)]
pub(super) struct Panes {
    width: Span,
    with_steps: bool,
    list: VecDeque<Pane>,
    steps: BTreeMap<i32, u64>,
}

impl Panes {
    pub(super) fn new(over: Span, with_steps: bool) -> Self {
        let width = Span::from_micros((over.micros() / PANES).max(1));
        Self { width, with_steps, list: VecDeque::new(), steps: BTreeMap::new() }
    }

    /// The time of the newest reading in them.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.list.back().map(|pane| pane.newest)
    }

    /// Takes a reading that is newer than all in them.
    pub(super) fn add(&mut self, time: Timestamp, value: f64) {
        let from = time.floor_to(self.width);
        if self.list.back().is_none_or(|pane| pane.from != from) {
            let (summary, steps) = (Summary::EMPTY, Vec::new());
            self.list.push_back(Pane { from, newest: time, summary, steps });
        }
        let Some(pane) = self.list.back_mut() else { return };
        pane.newest = time;
        pane.summary = pane.summary.with(Summary::one(value));
        if self.with_steps {
            let step = step(value);
            match pane.steps.binary_search_by_key(&step, |(step, _)| *step) {
                Ok(at) => pane.steps[at].1 = pane.steps[at].1.saturating_add(1),
                Err(at) => pane.steps.insert(at, (step, 1)),
            }
            *self.steps.entry(step).or_default() += 1;
        }
    }

    /// Drops the panes whose readings are all at or before a time.
    pub(super) fn drop_until(&mut self, horizon: Timestamp) {
        while self.list.front().is_some_and(|pane| pane.newest <= horizon) {
            let Some(pane) = self.list.pop_front() else { return };
            for (step, count) in pane.steps {
                if let Some(all) = self.steps.get_mut(&step) {
                    *all = all.saturating_sub(u64::from(count));
                    if *all == 0 {
                        self.steps.remove(&step);
                    }
                }
            }
        }
    }

    pub(super) fn summary(&self) -> Summary {
        self.list.iter().fold(Summary::EMPTY, |all, pane| all.with(pane.summary))
    }

    /// The value at a rank (from 1) among those in the panes and others that are sorted.
    pub(super) fn at_rank(&self, rank: usize, sorted: &[f64]) -> Option<f64> {
        let mut before = 0;
        for (step, count) in &self.steps {
            let value = middle(*step);
            let after = before + *count as usize;
            let exact = sorted.partition_point(|other| *other <= value);
            if after + exact >= rank {
                // In the step, or among the others between the step before and this one.
                let other = rank.checked_sub(before + 1).and_then(|at| sorted.get(at));
                return Some(other.copied().filter(|other| *other <= value).unwrap_or(value));
            }
            before = after;
        }
        sorted.get(rank.checked_sub(before + 1)?).copied()
    }

    /// Appends everything to columns.
    pub(super) fn save(&self, integers: &mut Vec<i64>, numbers: &mut Vec<f64>) {
        for pane in &self.list {
            let Summary { count, mean, squares, low, high } = pane.summary;
            let (from, newest) = (pane.from.micros(), pane.newest.micros());
            integers.extend([from, newest, count as i64, pane.steps.len() as i64]);
            for (step, count) in &pane.steps {
                integers.extend([i64::from(*step), i64::from(*count)]);
            }
            numbers.extend([mean, squares, low, high]);
        }
    }

    /// Takes what was saved; stops where it makes no sense.
    pub(super) fn load(&mut self, mut integers: &[i64], numbers: &[f64]) {
        for numbers in numbers.chunks_exact(4) {
            let ([from, newest, count, steps], rest) = match integers.split_first_chunk::<4>() {
                Some((head, rest)) => (*head, rest),
                None => return,
            };
            let Some((pairs, rest)) = rest.split_at_checked(2 * steps.max(0) as usize) else {
                return;
            };
            integers = rest;
            let steps: Vec<(i32, u32)> =
                pairs.chunks_exact(2).map(|pair| (pair[0] as i32, pair[1] as u32)).collect();
            for (step, count) in &steps {
                *self.steps.entry(*step).or_default() += u64::from(*count);
            }
            self.list.push_back(Pane {
                from: Timestamp::from_micros(from),
                newest: Timestamp::from_micros(newest),
                summary: Summary {
                    count: count as u64,
                    mean: numbers[0],
                    squares: numbers[1],
                    low: numbers[2],
                    high: numbers[3],
                },
                steps,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn steps_know_values_to_one_percent(value in -1e11f64..1e11, small in -10.0f64..10.0) {
            for value in [value, small] {
                prop_assert!((middle(step(value)) - value).abs() <= 0.01 * value.abs() + SMALLEST);
            }
        }

        #[test]
        fn ranks_are_those_of_all_values(
            old in prop::collection::vec(0.1f64..100.0, 1..60),
            mut new in prop::collection::vec(0.1f64..100.0, 0..60),
        ) {
            let mut panes = Panes::new(Span::from_mins(10), true);
            for (at, value) in old.iter().enumerate() {
                panes.add(Timestamp::from_secs(at as i64), *value);
            }
            new.sort_by(f64::total_cmp);
            let mut all: Vec<f64> = old.iter().chain(&new).copied().collect();
            all.sort_by(f64::total_cmp);
            for rank in 1..=all.len() {
                let got = panes.at_rank(rank, &new).expect("there are so many");
                let right = all[rank - 1];
                prop_assert!((got - right).abs() <= 0.0201 * right, "{}: {} is not {}", rank, got, right);
            }
        }
    }
}
