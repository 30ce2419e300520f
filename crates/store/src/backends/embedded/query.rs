//! Queries: walk the days of a range in order; within a day ask summaries or [`super::pieces`].

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use city_model::{DeviceKey, MetricKey, Position, SeriesKey, Span, Timestamp};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

use super::Embedded;
use super::codec::bytes::Damaged;
use super::codec::tier;
use super::day_file::Summary;
use super::day_name::{DAY, day_of, window_of};
use super::pieces::Piece;
use super::tiers::Tier;
use crate::steps::{Stats, Steps, check_range, ranked};
use crate::{Bucket, Cancel, Point, Rank, StoreError, TimeRange};

/// So many devices are read in the order in which they are stored.
const MANY: usize = 64;

/// Whether the part of a range that lies in a day begins and ends with steps of a tier.
fn ends_where_steps_end(day: i64, range: TimeRange, tier: Tier) -> bool {
    let (from, to) = (range.from.micros().max(day), range.to.micros().min(day + DAY));
    from % tier.step() == 0 && to % tier.step() == 0
}

/// Devices and their metrics, each once, in order.
struct Wanted(Vec<(DeviceKey, Vec<MetricKey>)>);

impl Wanted {
    fn new(series: &[SeriesKey]) -> Self {
        let mut series = series.to_vec();
        series.sort_unstable();
        series.dedup();
        let by_device = series.chunk_by(|a, b| a.device == b.device);
        Self(by_device.map(|of| (of[0].device, of.iter().map(|s| s.metric).collect())).collect())
    }
}

impl Embedded {
    pub(super) fn query_scan(
        &self,
        series: SeriesKey,
        range: TimeRange,
        each: &mut dyn FnMut(&[Point]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        check_range(range)?;
        for day in self.days_of(range) {
            let mut page = Vec::new();
            self.each_piece(day, series.device, range, |piece| {
                piece.column(series.metric, |column| {
                    for row in piece.within(range) {
                        if let Some((value, quality)) = column.get(row) {
                            let time = Timestamp::from_micros(piece.times()[row]);
                            page.push(Point { time, value, quality });
                        }
                    }
                })?;
                Ok(())
            })?;
            if !page.is_empty() && each(&page).is_break() {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn query_buckets(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        step: Span,
        cancel: &Cancel,
    ) -> Result<Vec<Bucket>, StoreError> {
        let mut steps = Steps::new(step)?;
        check_range(range)?;
        let tier = Tier::for_step(step.micros());
        let wanted = Wanted::new(series);
        for day in self.days_of(range) {
            let left =
                self.summarised_of(day, &wanted, range, tier, cancel, |_, start, stats| {
                    steps.merge(steps.start_of(start), stats);
                })?;
            self.each_piece_of(day, &left, range, cancel, |_, metrics, piece| {
                metrics.iter().try_for_each(|metric| piece.to_steps(*metric, range, &mut steps))
            })?;
        }
        Ok(steps.finish())
    }

    pub(super) fn query_top(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        by: Rank,
        n: usize,
        cancel: &Cancel,
    ) -> Result<Vec<(SeriesKey, Bucket)>, StoreError> {
        check_range(range)?;
        let wanted = Wanted::new(series);
        let mut all: FxHashMap<SeriesKey, Stats> =
            FxHashMap::with_capacity_and_hasher(series.len(), FxBuildHasher);
        for day in self.days_of(range) {
            let tier = Some(Tier::Hour);
            let left = self.summarised_of(day, &wanted, range, tier, cancel, |of, _, stats| {
                all.entry(of).or_default().merge(stats);
            })?;
            self.each_piece_of(day, &left, range, cancel, |device, metrics, piece| {
                metrics.iter().try_for_each(|metric| {
                    let series = SeriesKey { device, metric: *metric };
                    piece.to_stats(*metric, range, all.entry(series).or_default())
                })
            })?;
        }
        Ok(ranked(all.into_iter().collect(), range, by, n))
    }

    pub(super) fn query_track(
        &self,
        device: DeviceKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Position)>, StoreError> {
        check_range(range)?;
        let mut track = Vec::new();
        for day in self.days_of(range) {
            if track.len() >= limit {
                break;
            }
            self.each_piece(day, device, range, |piece| {
                let positions = piece.positions()?;
                for row in piece.within(range) {
                    if let Some(Some(position)) = positions.get(row) {
                        track.push((Timestamp::from_micros(piece.times()[row]), *position));
                    }
                }
                Ok(())
            })?;
        }
        track.truncate(limit);
        Ok(track)
    }

    pub(super) fn query_count(
        &self,
        device: Option<DeviceKey>,
        range: TimeRange,
    ) -> Result<u64, StoreError> {
        check_range(range)?;
        let mut count = 0;
        for day in self.days_of(range) {
            count += match device {
                Some(device) => self.count_device(day, device, range)?,
                None => self.count_day(day, range)?,
            };
        }
        Ok(count)
    }

    fn count_day(&self, day: i64, range: TimeRange) -> Result<u64, StoreError> {
        let Some(windows) = self.windows_of(day, range) else { return Ok(0) };
        // The head first: a device that is sealed after this look is in a chunk at the next one.
        let mut apart: FxHashSet<DeviceKey> = FxHashSet::default();
        for window in self.head.between(*windows.start(), *windows.end()) {
            for slot in window.devices() {
                if slot.damaged {
                    return Err(self.damaged_slot(window.start, slot.device));
                }
                apart.insert(slot.device);
            }
        }
        let found = self.days.contents(day, |found| {
            let own = found.windows.range(windows.clone()).copied().collect::<Vec<i64>>();
            (found.compacted, own, found.overridden.clone())
        })?;
        let (compacted, own, overridden) = found.unwrap_or_default();
        let mut summaries: Vec<Summary> = Vec::new();
        if compacted {
            apart.extend(overridden.into_iter().map(DeviceKey));
            summaries = self.days.day_summaries(day)?;
        } else {
            for window in own {
                summaries.extend(self.days.summaries(window)?);
            }
        }
        let mut count = 0;
        for chunk in summaries.iter().filter(|chunk| !apart.contains(&chunk.device)) {
            let whole = range.from.micros() <= chunk.first && chunk.last < range.to.micros();
            count += if whole {
                chunk.readings
            } else if compacted {
                self.count_device(day, chunk.device, range)?
            } else {
                self.count_device(day, chunk.device, self.of_window(chunk.window, range))?
            };
        }
        for device in apart {
            count += self.count_device(day, device, range)?;
        }
        Ok(count)
    }

    /// The part of a range that lies in a window.
    fn of_window(&self, window: i64, range: TimeRange) -> TimeRange {
        let inside = |time: Timestamp| window_of(time.micros(), self.window) == window;
        let from = if inside(range.from) { range.from } else { self.first_of(window) };
        let last = Timestamp::from_micros(range.to.micros() - 1);
        let to = if inside(last) { range.to } else { self.first_of(window + self.window) };
        TimeRange { from, to }
    }

    /// The first instant of a window; of the outermost ones the first that there is.
    pub(super) fn first_of(&self, window: i64) -> Timestamp {
        let before = window_of(i64::MIN, self.window);
        if window <= before { TimeRange::ALL.from } else { Timestamp::from_micros(window) }
    }

    fn count_device(
        &self,
        day: i64,
        device: DeviceKey,
        range: TimeRange,
    ) -> Result<u64, StoreError> {
        let mut count = 0;
        self.each_piece(day, device, range, |piece| {
            count += piece.count(range)?;
            Ok(())
        })?;
        Ok(count)
    }

    /// Hands the steps of the devices' summaries of a day to `add`, of those for which there is one
    /// to be used; returns the others. Many are read in the order in which they are stored.
    fn summarised_of<'a>(
        &self,
        day: i64,
        wanted: &'a Wanted,
        range: TimeRange,
        tier: Option<Tier>,
        cancel: &Cancel,
        mut add: impl FnMut(SeriesKey, i64, &Stats),
    ) -> Result<Vec<(DeviceKey, &'a [MetricKey])>, StoreError> {
        let kept = day >= self.counts.complete_from.load(Ordering::Acquire);
        let mut left = Vec::new();
        if !kept || wanted.0.len() < MANY {
            for (device, metrics) in &wanted.0 {
                cancel.check()?;
                let mut add = |metric, start, stats: &Stats| {
                    add(SeriesKey { device: *device, metric }, start, stats);
                };
                if !self.summarised(day, *device, metrics, range, tier, &mut add)? {
                    left.push((*device, metrics.as_slice()));
                }
            }
            return Ok(left);
        }
        let settled =
            self.days.contents(day, |found| found.compacted.then(|| found.overridden.clone()))?;
        let all = || wanted.0.iter().map(|(device, metrics)| (*device, metrics.as_slice()));
        let (Some(tier), Some(Some(overridden))) = (tier, settled) else {
            return Ok(all().collect());
        };
        if !ends_where_steps_end(day, range, tier) {
            return Ok(all().collect());
        }
        let mut apart: FxHashSet<DeviceKey> = overridden.into_iter().map(DeviceKey).collect();
        for window in self.head.between(day, day + DAY - self.window) {
            apart.extend(window.devices().iter().map(|slot| slot.device));
        }
        let mut next = all().peekable();
        let devices: Vec<DeviceKey> = wanted.0.iter().map(|(device, _)| *device).collect();
        self.tiers.each_row(tier, day, &devices, |device, blob| {
            cancel.check()?;
            // Both run in the order of the devices.
            while let Some(without) = next.next_if(|(of, _)| *of < device) {
                left.push(without);
            }
            let Some((_, metrics)) = next.next_if(|(of, _)| *of == device) else { return Ok(()) };
            if apart.contains(&device) {
                left.push((device, metrics));
                return Ok(());
            }
            let steps = (day, tier.step());
            tier::each(blob, steps, device, Some(metrics), range, |metric, start, stats| {
                add(SeriesKey { device, metric }, start, stats);
            })
            .map_err(|what| self.tiers.damage(tier, day, device, what))
        })?;
        left.extend(next);
        Ok(left)
    }

    /// Hands the steps of a device's summary of a day to `add`, if a summary says exactly what the
    /// readings say; or, if these are no longer kept, what comes nearest. Says whether it did.
    fn summarised(
        &self,
        day: i64,
        device: DeviceKey,
        metrics: &[MetricKey],
        range: TimeRange,
        tier: Option<Tier>,
        mut add: impl FnMut(MetricKey, i64, &Stats),
    ) -> Result<bool, StoreError> {
        let kept = day >= self.counts.complete_from.load(Ordering::Acquire);
        let tiers: Vec<Tier> = if kept {
            let Some(tier) = tier else { return Ok(false) };
            if !self.summary_is_exact(day, device, range, tier)? {
                return Ok(false);
            }
            vec![tier]
        } else {
            // The one asked for, else a finer one, else the finest that there is.
            let finer = Tier::ALL.into_iter().rev().filter(|other| Some(*other) <= tier);
            finer.chain(Tier::ALL.into_iter().filter(|other| Some(*other) > tier)).collect()
        };
        for tier in tiers {
            let Some(row) = self.tiers.row(tier, day, device, metrics, range)? else { continue };
            for (metric, summary) in &row {
                for (start, stats) in summary {
                    add(*metric, *start, stats);
                }
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Whether a summary of this device and day, if there is one, says what its readings say, and
    /// the range ends where steps end.
    fn summary_is_exact(
        &self,
        day: i64,
        device: DeviceKey,
        range: TimeRange,
        tier: Tier,
    ) -> Result<bool, StoreError> {
        if !ends_where_steps_end(day, range, tier) {
            return Ok(false);
        }
        let in_head = self.head.between(day, day + DAY - self.window);
        if in_head.iter().any(|window| window.has(device)) {
            return Ok(false);
        }
        let settled = self
            .days
            .contents(day, |found| found.compacted && !found.overridden.contains(&device.0))?;
        Ok(settled.unwrap_or(false))
    }

    pub(super) fn damaged_slot(&self, window: i64, device: DeviceKey) -> StoreError {
        self.days.damage(window, device, "it could not be read when new readings came for it")
    }

    /// The days in a range of which anything may be stored, in order.
    pub(super) fn days_of(&self, range: TimeRange) -> BTreeSet<i64> {
        if range.from >= range.to {
            return BTreeSet::new();
        }
        let from = window_of(range.from.micros(), self.window);
        let to = window_of(range.to.micros() - 1, self.window);
        // The head first: a window that is sealed after this look has a file at the next one.
        let in_head = self.head.between(from, to);
        let mut days: BTreeSet<i64> = in_head.iter().map(|window| day_of(window.start)).collect();
        days.extend(self.days.days_between(from, to));
        let complete_from = self.counts.complete_from.load(Ordering::Acquire);
        days.extend(self.tiers.days_between(day_of(from), day_of(to).min(complete_from)));
        days
    }

    /// Calls `each` with the pieces of several devices on a day, in any order; many at once are
    /// read in the order in which they are stored.
    fn each_piece_of(
        &self,
        day: i64,
        devices: &[(DeviceKey, &[MetricKey])],
        range: TimeRange,
        cancel: &Cancel,
        mut each: impl FnMut(DeviceKey, &[MetricKey], &Piece<'_>) -> Result<(), Damaged>,
    ) -> Result<(), StoreError> {
        if devices.len() >= MANY {
            return self.each_piece_of_many(day, devices, range, cancel, each);
        }
        for (device, metrics) in devices {
            cancel.check()?;
            self.each_piece(day, *device, range, |piece| each(*device, metrics, piece))?;
        }
        Ok(())
    }
}
