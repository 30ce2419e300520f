//! Queries: walk the windows of a range in order, each from the head or from its chunk.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use city_model::{DeviceKey, MetricKey, Position, SeriesKey, Span, Timestamp};
use rustc_hash::FxHashSet;

use super::codec::Chunk;
use super::codec::bytes::Damaged;
use super::columns::{ABSENT, Column, DeviceColumns, add_to_steps, rows};
use super::day_file::day_of;
use super::{Embedded, head};
use crate::steps::{Steps, check_range};
use crate::{Bucket, Point, StoreError, TimeRange};

/// All readings of a device in a window, wherever they are.
enum Found {
    Head(Arc<DeviceColumns>),
    Chunk(Vec<u8>),
}

impl Embedded {
    pub(super) fn query_raw(
        &self,
        series: SeriesKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<Point>, StoreError> {
        let mut points = Vec::new();
        self.walk(range, |window| {
            if points.len() >= limit {
                return Ok(ControlFlow::Break(()));
            }
            self.with_column(window, series, |times, column| {
                for row in within(times, range) {
                    if points.len() >= limit {
                        break;
                    }
                    if let Some((value, quality)) = column.get(row) {
                        let time = Timestamp::from_micros(times[row]);
                        points.push(Point { time, value, quality });
                    }
                }
            })?;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(points)
    }

    pub(super) fn query_buckets(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        step: Span,
    ) -> Result<Vec<Bucket>, StoreError> {
        let mut steps = Steps::new(step)?;
        let mut series = series.to_vec();
        series.sort_unstable();
        series.dedup();
        self.walk(range, |window| {
            for of_device in series.chunk_by(|a, b| a.device == b.device) {
                let device = of_device[0].device;
                match self.find(window, device)? {
                    None => {}
                    Some(Found::Head(columns)) => {
                        let rows = within(&columns.times, range);
                        for column in of_device.iter().filter_map(|s| columns.column(s.metric)) {
                            add_to_steps(&columns.times, column, rows.clone(), &mut steps);
                        }
                    }
                    Some(Found::Chunk(blob)) => {
                        let metrics = of_device.iter().map(|s| s.metric);
                        Chunk::parse(&blob, window, device)
                            .and_then(|chunk| chunk_to_steps(&chunk, metrics, range, &mut steps))
                            .map_err(|what| self.days.damage(window, device, what.0))?;
                    }
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(steps.finish())
    }

    pub(super) fn query_track(
        &self,
        device: DeviceKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Position)>, StoreError> {
        let mut track = Vec::new();
        self.walk(range, |window| {
            if track.len() >= limit {
                return Ok(ControlFlow::Break(()));
            }
            let mut add = |times: &[i64], positions: &[Option<Position>]| {
                for row in within(times, range) {
                    if let Some(Some(position)) = positions.get(row) {
                        track.push((Timestamp::from_micros(times[row]), *position));
                    }
                }
            };
            match self.find(window, device)? {
                None => {}
                Some(Found::Head(columns)) => add(&columns.times, &columns.positions),
                Some(Found::Chunk(blob)) => {
                    let damage = |what: Damaged| self.days.damage(window, device, what.0);
                    let chunk = Chunk::parse(&blob, window, device).map_err(damage)?;
                    add(&chunk.times, &chunk.positions().map_err(damage)?);
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        track.truncate(limit);
        Ok(track)
    }

    pub(super) fn query_count(
        &self,
        device: Option<DeviceKey>,
        range: TimeRange,
    ) -> Result<u64, StoreError> {
        let mut count = 0;
        self.walk(range, |window| {
            count += match device {
                Some(device) => self.count_device(window, device, range)?,
                None => self.count_window(window, range)?,
            };
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(count)
    }

    fn count_window(&self, window: i64, range: TimeRange) -> Result<u64, StoreError> {
        // The head first: a device that is sealed after this look is in a chunk at the next one.
        let here = self.head.get(window).map(|window| window.devices()).unwrap_or_default();
        if let Some(slot) = here.iter().find(|slot| slot.damaged) {
            return Err(self.damaged_slot(window, slot.device));
        }
        let mut count: u64 = here.iter().map(|slot| count_rows(&slot.columns, range)).sum();
        let here: FxHashSet<DeviceKey> = here.into_iter().map(|slot| slot.device).collect();
        for chunk in self.days.summaries(window)? {
            if here.contains(&chunk.device) {
                continue;
            }
            count += if inside(chunk.first, chunk.last, range) {
                chunk.readings
            } else {
                self.count_device(window, chunk.device, range)?
            };
        }
        Ok(count)
    }

    fn count_device(
        &self,
        window: i64,
        device: DeviceKey,
        range: TimeRange,
    ) -> Result<u64, StoreError> {
        if let Some(columns) = self.in_head(window, device)? {
            return Ok(count_rows(&columns, range));
        }
        if let Some(chunk) = self.days.summary(window, device)?
            && inside(chunk.first, chunk.last, range)
        {
            return Ok(chunk.readings);
        }
        let Some(blob) = self.days.chunk(window, device)? else { return Ok(0) };
        let all = Chunk::parse(&blob, window, device).and_then(|chunk| chunk.all());
        all.map(|columns| count_rows(&columns, range))
            .map_err(|what| self.days.damage(window, device, what.0))
    }

    /// Hands the times and values of a series in a window to `read`, if there are any.
    fn with_column(
        &self,
        window: i64,
        series: SeriesKey,
        read: impl FnOnce(&[i64], &Column),
    ) -> Result<(), StoreError> {
        match self.find(window, series.device)? {
            None => {}
            Some(Found::Head(columns)) => {
                if let Some(column) = columns.column(series.metric) {
                    read(&columns.times, column);
                }
            }
            Some(Found::Chunk(blob)) => {
                let damage = |what: Damaged| self.days.damage(window, series.device, what.0);
                let chunk = Chunk::parse(&blob, window, series.device).map_err(damage)?;
                if let Some(column) = chunk.column(series.metric).map_err(damage)? {
                    read(&chunk.times, &column);
                }
            }
        }
        Ok(())
    }

    /// The head first, then the chunk: see [`head`].
    fn find(&self, window: i64, device: DeviceKey) -> Result<Option<Found>, StoreError> {
        if let Some(columns) = self.in_head(window, device)? {
            return Ok(Some(Found::Head(columns)));
        }
        Ok(self.days.chunk(window, device)?.map(Found::Chunk))
    }

    fn in_head(
        &self,
        window: i64,
        device: DeviceKey,
    ) -> Result<Option<Arc<DeviceColumns>>, StoreError> {
        match self.head.get(window).and_then(|window| window.device(device)) {
            Some(slot) if slot.damaged => Err(self.damaged_slot(window, device)),
            slot => Ok(slot.map(|slot| slot.columns)),
        }
    }

    fn damaged_slot(&self, window: i64, device: DeviceKey) -> StoreError {
        self.days.damage(window, device, "it could not be read when new readings came for it")
    }

    /// Calls `visit` for every window in the range that has anything, in order, until it breaks.
    /// Goes day by day, so that files past the break are not opened.
    fn walk(
        &self,
        range: TimeRange,
        mut visit: impl FnMut(i64) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        check_range(range)?;
        if range.from == range.to {
            return Ok(());
        }
        let from = self.window_of(range.from.micros());
        let to = self.window_of(range.to.micros() - 1);
        // The head first: a window that is sealed after this look has a file at the next one.
        let in_head: Vec<i64> = self
            .head
            .between(from, to)
            .iter()
            .map(|window: &Arc<head::Window>| window.start)
            .collect();
        let mut days: BTreeSet<i64> = in_head.iter().map(|window| day_of(*window)).collect();
        days.extend(self.days.days_between(from, to));
        for day in days {
            let of_day = in_head.iter().copied().filter(|window| day_of(*window) == day);
            let mut windows: BTreeSet<i64> = of_day.collect();
            let sealed = self.days.seals(day)?;
            windows.extend(sealed.into_keys().filter(|window| (from..=to).contains(window)));
            for window in windows {
                if visit(window)?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// Adds a chunk's metrics to steps: by its statistics if it lies in one step, else row by row.
fn chunk_to_steps(
    chunk: &Chunk<'_>,
    metrics: impl Iterator<Item = MetricKey>,
    range: TimeRange,
    steps: &mut Steps,
) -> Result<(), Damaged> {
    let (Some(first), Some(last)) = (chunk.times.first(), chunk.times.last()) else {
        return Ok(());
    };
    let start = steps.start_of(*first);
    let whole = inside(*first, *last, range) && start == steps.start_of(*last);
    let rows = within(&chunk.times, range);
    for metric in metrics {
        if whole {
            if let Some(stats) = chunk.stats(metric) {
                steps.merge(start, stats);
            }
        } else if let Some(column) = chunk.column(metric)? {
            add_to_steps(&chunk.times, &column, rows.clone(), steps);
        }
    }
    Ok(())
}

fn within(times: &[i64], range: TimeRange) -> std::ops::Range<usize> {
    rows(times, range.from.micros(), range.to.micros())
}

/// Whether all of `first..=last` is in the range.
fn inside(first: i64, last: i64, range: TimeRange) -> bool {
    range.from.micros() <= first && last < range.to.micros()
}

fn count_rows(columns: &DeviceColumns, range: TimeRange) -> u64 {
    let rows = within(&columns.times, range);
    if rows.len() == columns.times.len() {
        return columns.readings as u64;
    }
    let present = |column: &Column| {
        let end = rows.end.min(column.flags.len());
        let flags = column.flags.get(rows.start.min(end)..end).unwrap_or_default();
        flags.iter().filter(|flag| **flag != ABSENT).count() as u64
    };
    columns.columns.iter().map(present).sum()
}
