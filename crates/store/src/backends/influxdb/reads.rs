//! Reads: what is here from the spool, what is not from the server, as one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;

use city_model::{DeviceKey, MetricKey, Position, Reading, SeriesKey, Span, Timestamp};

use super::{HELD_TIMES, Influx};
use crate::backends::bare_reading;
use crate::steps::{Stats, Steps, check_range, ranked};
use crate::{Bucket, Cancel, Point, Rank, Store as _, StoreError, TimeRange};

/// Readings in a page that is asked of the server.
const PAGE: usize = crate::EXPORT_PAGE;
const MICRO: Span = Span::from_micros(1);

/// A part of a range, and where its readings are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Near(TimeRange),
    Far(TimeRange),
}

/// Takes a range apart at `border`, from which on everything is here, in order of time.
pub(super) fn parts(range: TimeRange, border: Timestamp) -> Vec<Part> {
    let between = |from: Timestamp, to: Timestamp| {
        let part = TimeRange { from: range.from.max(from), to: range.to.min(to) };
        (part.from < part.to).then_some(part)
    };
    let (first, all) = (HELD_TIMES.0.min(border), TimeRange::ALL);
    let early = between(all.from, first).map(Part::Near);
    let far = between(first, border).map(Part::Far);
    let near = between(border.max(first), all.to).map(Part::Near);
    [early, far, near].into_iter().flatten().collect()
}

impl Influx {
    /// Answers a read part by part. If days left meanwhile, asks again.
    fn part_by_part<T>(
        &self,
        range: TimeRange,
        mut read: impl FnMut(&[Part]) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        check_range(range)?;
        loop {
            let border = self.complete_from();
            let answer = read(&parts(range, border));
            if self.complete_from() == border {
                return answer;
            }
        }
    }

    pub(super) fn read_raw(
        &self,
        series: SeriesKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<Point>, StoreError> {
        self.part_by_part(range, |parts| {
            let mut points = Vec::new();
            for part in parts {
                let left = limit - points.len();
                points.extend(match part {
                    Part::Near(range) => self.local.raw(series, *range, left)?,
                    Part::Far(range) => self.far_raw(series, *range, left)?,
                });
            }
            Ok(points)
        })
    }

    /// Page by page with a question of its own for each, so that nothing is open at the server
    /// while somebody takes time over a page, and no day can leave unseen in between.
    pub(super) fn read_scan(
        &self,
        series: SeriesKey,
        range: TimeRange,
        each: &mut dyn FnMut(&[Point]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        check_range(range)?;
        let mut rest = range;
        while rest.from < rest.to {
            let page = self.read_raw(series, rest, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            rest.from = last.time + MICRO;
            if each(&page).is_break() || page.len() < PAGE {
                return Ok(());
            }
        }
        Ok(())
    }

    pub(super) fn read_buckets(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        step: Span,
        cancel: &Cancel,
    ) -> Result<Vec<Bucket>, StoreError> {
        let series = sorted(series);
        self.part_by_part(range, |parts| {
            let mut steps = Steps::new(step)?;
            cancel.check()?;
            for part in parts {
                match part {
                    Part::Near(range) => {
                        for bucket in self.local.buckets(&series, *range, step, cancel)? {
                            steps.merge(bucket.start.micros(), &stats_of(&bucket, *range));
                        }
                    }
                    Part::Far(range) => {
                        self.far_stats(&series, *range, Some(step), cancel, |start, _, stats| {
                            steps.merge(start.micros(), stats);
                        })?;
                    }
                }
            }
            Ok(steps.finish())
        })
    }

    pub(super) fn read_top(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        by: Rank,
        n: usize,
        cancel: &Cancel,
    ) -> Result<Vec<(SeriesKey, Bucket)>, StoreError> {
        let series = sorted(series);
        self.part_by_part(range, |parts| {
            cancel.check()?;
            if let [Part::Near(range)] = parts {
                return self.local.top(&series, *range, by, n, cancel);
            }
            let mut all: BTreeMap<SeriesKey, Stats> = BTreeMap::new();
            for part in parts {
                match part {
                    Part::Near(range) => {
                        let near = (&series, *range, usize::MAX);
                        for (of, bucket) in
                            self.local.top(near.0, near.1, Rank::Count, near.2, cancel)?
                        {
                            all.entry(of).or_default().merge(&stats_of(&bucket, *range));
                        }
                    }
                    Part::Far(range) => {
                        self.far_stats(&series, *range, None, cancel, |_, of, stats| {
                            all.entry(of).or_default().merge(stats);
                        })?;
                    }
                }
            }
            Ok(ranked(all.into_iter().collect(), range, by, n))
        })
    }

    pub(super) fn read_track(
        &self,
        device: DeviceKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Position)>, StoreError> {
        self.part_by_part(range, |parts| {
            let mut track = Vec::new();
            for part in parts {
                let left = limit - track.len();
                track.extend(match part {
                    Part::Near(range) => self.local.track(device, *range, left)?,
                    Part::Far(range) => self.far_track(device, *range, left)?,
                });
            }
            Ok(track)
        })
    }

    pub(super) fn read_count(
        &self,
        device: Option<DeviceKey>,
        range: TimeRange,
    ) -> Result<u64, StoreError> {
        self.part_by_part(range, |parts| {
            let count = |part: &Part| match part {
                Part::Near(range) => self.local.count(device, *range),
                Part::Far(range) => self.far_count(device, None, *range),
            };
            parts.iter().map(count).sum()
        })
    }

    /// All series of the device are read side by side. Which there are, the last values know.
    pub(super) fn read_export(
        &self,
        device: DeviceKey,
        range: TimeRange,
        each: &mut dyn FnMut(Vec<Reading>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        check_range(range)?;
        let here = self.local.last_of_device(device);
        let mut metrics: BTreeSet<MetricKey> = here.into_iter().map(|(metric, _)| metric).collect();
        // A spool that is new knows nothing of what came before it.
        for part in parts(range, self.complete_from()) {
            if let Part::Far(range) = part {
                metrics.extend(self.far_metrics(device, range)?);
            }
        }
        let mut sources: Vec<Source> = metrics
            .into_iter()
            .map(|metric| Source {
                series: SeriesKey { device, metric },
                rest: range,
                points: VecDeque::new(),
            })
            .collect();
        loop {
            let mut page: Vec<Reading> = Vec::new();
            while page.len() < PAGE {
                for source in &mut sources {
                    source.fill(self)?;
                }
                let next = sources.iter_mut().filter(|source| !source.points.is_empty());
                let Some(next) = next.min_by_key(|source| (source.time(), source.series)) else {
                    break;
                };
                let Some(Point { time, value, quality }) = next.points.pop_front() else { break };
                page.push(bare_reading(next.series, time, value, quality, None));
            }
            let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(()) };
            let within = TimeRange { from: first.time, to: last.time + MICRO };
            let track: BTreeMap<_, _> =
                self.read_track(device, within, usize::MAX)?.into_iter().collect();
            for reading in &mut page {
                reading.position = track.get(&reading.time).copied();
            }
            let is_last = page.len() < PAGE;
            if each(page).is_break() || is_last {
                return Ok(());
            }
        }
    }
}

/// A series that is being exported.
struct Source {
    series: SeriesKey,
    /// What was not read yet.
    rest: TimeRange,
    points: VecDeque<Point>,
}

impl Source {
    fn time(&self) -> Option<Timestamp> {
        self.points.front().map(|point| point.time)
    }

    fn fill(&mut self, influx: &Influx) -> Result<(), StoreError> {
        if !self.points.is_empty() || self.rest.from >= self.rest.to {
            return Ok(());
        }
        self.points = influx.read_raw(self.series, self.rest, PAGE)?.into();
        self.rest.from = match self.points.back() {
            Some(last) if self.points.len() == PAGE => last.time + MICRO,
            _ => self.rest.to,
        };
        Ok(())
    }
}

fn sorted(series: &[SeriesKey]) -> Vec<SeriesKey> {
    let mut series = series.to_vec();
    series.sort_unstable();
    series.dedup();
    series
}

/// Readings of a part that are summed up already. All of the part's readings are later than those
/// of the parts before it, and earlier than those of the parts after it.
fn stats_of(bucket: &Bucket, part: TimeRange) -> Stats {
    let known = bucket.count > 0;
    Stats {
        count: bucket.count,
        min: if known { bucket.min } else { f64::INFINITY },
        max: if known { bucket.max } else { f64::NEG_INFINITY },
        sum: bucket.sum,
        last: bucket.last,
        last_time: bucket.start.max(part.from).micros(),
        flagged: bucket.flagged,
    }
}
