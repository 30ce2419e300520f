//! The readings of a window with running results.

use std::collections::VecDeque;

use city_model::Timestamp;

use super::panes::{Panes, Summary};
use super::{Function, Late, Memory, Saved, Window};

/// How many readings are kept one by one; older ones go into panes.
pub(super) const MOST: usize = 4_096;

#[derive(Debug)]
pub(super) struct Running {
    window: Window,
    panes: Panes,
    readings: VecDeque<(Timestamp, f64)>,
    /// What is taken off values in the sums, so that their squares do not lose small changes of
    /// large values.
    reference: f64,
    /// The sum of the readings over the reference.
    sum: f64,
    /// The sum of the squares of that.
    squares: f64,
    /// How many readings have left since the sums were last added up afresh.
    since_exact: i64,
    /// Candidates for the highest, best first; each is younger than the one before.
    highest: VecDeque<(Timestamp, f64)>,
    /// The same for the lowest, with signs changed.
    lowest: VecDeque<(Timestamp, f64)>,
    /// All values in order, for percentiles.
    sorted: Vec<f64>,
}

impl Running {
    pub(super) fn restore(window: Window, saved: &Saved) -> Self {
        // Columns: integers = -1 - the number of readings, the running counter, the times, then the
        // panes; numbers = sum, squares, reference, the values, then the panes. Before there were
        // panes: integers = the running counter, the times; numbers = the sum, the values.
        let (integers, numbers) = (saved.integers.as_slice(), saved.numbers.as_slice());
        let mut running = Self {
            window,
            panes: Panes::new(window.over, window.function.needs_order()),
            readings: VecDeque::new(),
            reference: 0.0,
            sum: 0.0,
            squares: 0.0,
            since_exact: 0,
            highest: VecDeque::new(),
            lowest: VecDeque::new(),
            sorted: Vec::new(),
        };
        let (times, values) = match (integers, numbers) {
            ([count, since, rest @ ..], [sum, squares, reference, values @ ..]) if *count < 0 => {
                let count = ((-1 - count) as usize).min(rest.len()).min(values.len());
                running.since_exact = *since;
                (running.sum, running.squares, running.reference) = (*sum, *squares, *reference);
                running.panes.load(&rest[count..], &values[count..]);
                (&rest[..count], &values[..count])
            }
            ([since, times @ ..], [sum, values @ ..]) if *since >= 0 => {
                running.since_exact = *since;
                running.sum = *sum;
                (times, values)
            }
            _ => (&[][..], &[][..]),
        };
        let times = times.iter().map(|micros| Timestamp::from_micros(*micros));
        running.readings = times.zip(values.iter().copied()).collect();
        running.order_anew();
        running
    }

    /// Takes a reading into what only some functions need.
    fn admit(&mut self, time: Timestamp, value: f64) {
        if self.window.function.needs_high() {
            candidate(&mut self.highest, time, value);
        }
        if self.window.function.needs_low() {
            candidate(&mut self.lowest, time, -value);
        }
        if self.window.function.needs_order() {
            let at = self.sorted.partition_point(|other| other.total_cmp(&value).is_lt());
            self.sorted.insert(at, value);
        }
    }

    fn order_anew(&mut self) {
        self.highest.clear();
        self.lowest.clear();
        self.sorted.clear();
        for index in 0..self.readings.len() {
            let (time, value) = self.readings[index];
            self.admit(time, value);
        }
    }

    fn add(&mut self, value: f64) {
        let over = value - self.reference;
        self.sum += over;
        self.squares += over * over;
    }

    fn evict(&mut self, value: f64) {
        let over = value - self.reference;
        self.sum -= over;
        self.squares -= over * over;
        self.since_exact += 1;
        if self.window.function.needs_order()
            && let Ok(at) = self.sorted.binary_search_by(|other| other.total_cmp(&value))
        {
            self.sorted.remove(at);
        }
    }

    /// Rounding errors of running sums would grow without end: after as many removals as there are
    /// readings they are added up afresh, which costs a constant amount per reading.
    fn refresh(&mut self) {
        if self.since_exact as usize <= self.readings.len() {
            return;
        }
        let values = || self.readings.iter().map(|(_, value)| *value);
        self.reference = values().sum::<f64>() / self.readings.len().max(1) as f64;
        self.sum = values().map(|value| value - self.reference).sum();
        self.squares = values().map(|value| (value - self.reference).powi(2)).sum();
        self.since_exact = 0;
    }

    /// Drops what the window has left behind.
    fn leave(&mut self, horizon: Timestamp) {
        self.panes.drop_until(horizon);
        while let Some((oldest, value)) = self.readings.front().copied() {
            if oldest > horizon {
                break;
            }
            self.readings.pop_front();
            self.evict(value);
        }
        for candidates in [&mut self.highest, &mut self.lowest] {
            while candidates.front().is_some_and(|(oldest, _)| *oldest <= horizon) {
                candidates.pop_front();
            }
        }
        if self.readings.is_empty() {
            (self.sum, self.squares, self.since_exact) = (0.0, 0.0, 0);
        }
    }

    /// Puts the oldest readings into panes where there are too many.
    fn compress(&mut self) {
        while self.readings.len() > MOST {
            let Some((time, value)) = self.readings.pop_front() else { return };
            self.evict(value);
            for candidates in [&mut self.highest, &mut self.lowest] {
                if candidates.front().is_some_and(|(oldest, _)| *oldest == time) {
                    candidates.pop_front();
                }
            }
            self.panes.add(time, value);
        }
    }

    fn total(&self) -> f64 {
        let old = self.panes.summary();
        old.mean * old.count as f64 + self.reference * self.readings.len() as f64 + self.sum
    }

    /// Of all readings, those in panes too.
    fn summary(&self) -> Summary {
        let count = self.readings.len() as f64;
        let exact = Summary {
            count: self.readings.len() as u64,
            mean: self.reference + self.sum / count.max(1.0),
            squares: (self.squares - self.sum * self.sum / count.max(1.0)).max(0.0),
            low: self.lowest.front().map_or(f64::INFINITY, |(_, value)| -value),
            high: self.highest.front().map_or(f64::NEG_INFINITY, |(_, value)| *value),
        };
        self.panes.summary().with(exact)
    }

    fn result(&self) -> Option<f64> {
        let summary = self.summary();
        let count = summary.count as usize;
        if count < self.window.min_count.max(1) {
            return None;
        }
        Some(match self.window.function {
            Function::Mean => summary.mean,
            Function::Sum => self.total(),
            Function::Count => count as f64,
            Function::Min => summary.low,
            Function::Max => summary.high,
            Function::Range => summary.high - summary.low,
            Function::Stddev => (summary.squares / count as f64).sqrt(),
            Function::Median if count.is_multiple_of(2) => {
                f64::midpoint(self.at_rank(count / 2)?, self.at_rank(count / 2 + 1)?)
            }
            Function::Median => self.at_rank(count / 2 + 1)?,
            Function::Percentile { permille } => {
                self.at_rank((count * usize::from(permille)).div_ceil(1_000))?
            }
        })
    }

    fn at_rank(&self, rank: usize) -> Option<f64> {
        self.panes.at_rank(rank, &self.sorted)
    }
}

/// Keeps those that can still become the highest.
fn candidate(candidates: &mut VecDeque<(Timestamp, f64)>, time: Timestamp, value: f64) {
    while candidates.back().is_some_and(|(_, last)| *last <= value) {
        candidates.pop_back();
    }
    candidates.push_back((time, value));
}

impl Memory for Running {
    fn push(&mut self, time: Timestamp, value: f64) -> Option<f64> {
        self.leave(time - self.window.over);
        if self.readings.is_empty() {
            self.reference = value;
        }
        self.readings.push_back((time, value));
        self.add(value);
        self.admit(time, value);
        self.compress();
        self.refresh();
        self.result()
    }

    fn insert_late(&mut self, time: Timestamp, value: f64) -> Late {
        let newest = self.readings.back().map(|(newest, _)| *newest);
        let Some(newest) = newest.filter(|newest| *newest >= time) else {
            return Late::Taken(self.push(time, value));
        };
        let place = self.readings.partition_point(|(other, _)| *other < time);
        let is_there = self.readings.get(place).is_some_and(|(other, _)| *other == time);
        // Panes do not know which readings they hold already.
        let in_panes = self.panes.newest().is_some_and(|newest| time <= newest);
        if is_there || in_panes || time <= newest - self.window.over {
            return Late::Refused;
        }
        self.readings.insert(place, (time, value));
        self.add(value);
        if self.window.function.needs_order() {
            self.admit(time, value);
        } else {
            self.order_anew();
        }
        self.compress();
        Late::Taken(self.result())
    }

    fn save(&self) -> Saved {
        let times = self.readings.iter().map(|(time, _)| time.micros());
        let values = self.readings.iter().map(|(_, value)| *value);
        let head = [-1 - self.readings.len() as i64, self.since_exact];
        let mut integers: Vec<i64> = head.into_iter().chain(times).collect();
        let sums = [self.sum, self.squares, self.reference];
        let mut numbers: Vec<f64> = sums.into_iter().chain(values).collect();
        self.panes.save(&mut integers, &mut numbers);
        Saved { integers, numbers }
    }
}
