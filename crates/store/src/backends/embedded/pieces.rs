//! What is stored of a device on a day, piece by piece in order of time, wherever it is: in the
//! head, in chunks of single windows, or in the chunk of the whole day.
//!
//! The rule that makes it right: a window that is in the head is there with all its readings, else
//! a window with a chunk of its own has all of them in it, else they are in the day's chunk.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use city_model::{DeviceKey, MetricKey, Position};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Embedded;
use super::codec::Chunk;
use super::codec::bytes::Damaged;
use super::columns::{ABSENT, Column, DeviceColumns, rows};
use super::day_file::DeviceRows;
use super::day_name::{DAY, window_of};
use crate::steps::{Stats, Steps};
use crate::{Cancel, StoreError, TimeRange};

/// Readings of a device that are stored together.
pub(super) struct Piece<'a> {
    what: What<'a>,
    /// The rows of it that count.
    rows: Range<usize>,
}

enum What<'a> {
    Columns(&'a DeviceColumns),
    Chunk(&'a Chunk<'a>),
}

impl Piece<'_> {
    pub(super) fn times(&self) -> &[i64] {
        match &self.what {
            What::Columns(columns) => &columns.times,
            What::Chunk(chunk) => &chunk.times,
        }
    }

    /// The rows in a range.
    pub(super) fn within(&self, range: TimeRange) -> Range<usize> {
        let rows = rows(self.times(), range.from.micros(), range.to.micros());
        let first = rows.start.max(self.rows.start);
        first..rows.end.min(self.rows.end).max(first)
    }

    /// Hands the values of a metric to `read`, if there are any.
    pub(super) fn column<T>(
        &self,
        metric: MetricKey,
        read: impl FnOnce(&Column) -> T,
    ) -> Result<Option<T>, Damaged> {
        match &self.what {
            What::Columns(columns) => Ok(columns.column(metric).map(read)),
            What::Chunk(chunk) => Ok(chunk.column(metric)?.as_ref().map(read)),
        }
    }

    /// Where the device was, row by row; may be shorter than the times.
    pub(super) fn positions(&self) -> Result<std::borrow::Cow<'_, [Option<Position>]>, Damaged> {
        match &self.what {
            What::Columns(columns) => Ok(columns.positions.as_slice().into()),
            What::Chunk(chunk) => chunk.positions().map(Into::into),
        }
    }

    /// All of it that counts.
    pub(super) fn all(&self) -> Result<DeviceColumns, Damaged> {
        let mut columns = match &self.what {
            What::Columns(columns) => (*columns).clone(),
            What::Chunk(chunk) => chunk.all()?,
        };
        if self.rows.len() < columns.times.len() {
            columns.keep_rows(self.rows.clone());
        }
        Ok(columns)
    }

    /// Adds a metric's readings in a range to steps: by what is noted of them if all lie in one.
    pub(super) fn to_steps(
        &self,
        metric: MetricKey,
        range: TimeRange,
        steps: &mut Steps,
    ) -> Result<(), Damaged> {
        let times = self.times();
        let within = self.within(range);
        if let What::Chunk(chunk) = &self.what
            && within.len() == times.len()
            && let (Some(first), Some(last)) = (times.first(), times.last())
            && steps.start_of(*first) == steps.start_of(*last)
        {
            if let Some(stats) = chunk.stats(metric) {
                steps.merge(steps.start_of(*first), stats);
            }
            return Ok(());
        }
        self.column(metric, |column| {
            for row in within {
                if let Some((number, quality)) = column.number(row) {
                    steps.add(times[row], number, quality);
                }
            }
        })?;
        Ok(())
    }

    /// Adds a metric's readings in a range to statistics.
    pub(super) fn to_stats(
        &self,
        metric: MetricKey,
        range: TimeRange,
        stats: &mut Stats,
    ) -> Result<(), Damaged> {
        let within = self.within(range);
        if let What::Chunk(chunk) = &self.what
            && within.len() == self.times().len()
        {
            if let Some(noted) = chunk.stats(metric) {
                stats.merge(noted);
            }
            return Ok(());
        }
        self.column(metric, |column| {
            for row in within {
                if let Some((number, quality)) = column.number(row) {
                    stats.add(self.times()[row], number, quality);
                }
            }
        })?;
        Ok(())
    }

    /// How many readings there are in a range.
    pub(super) fn count(&self, range: TimeRange) -> Result<u64, Damaged> {
        let within = self.within(range);
        let count = |columns: &DeviceColumns| {
            if within.len() == columns.times.len() {
                return columns.readings as u64;
            }
            let present = |column: &Column| {
                let end = within.end.min(column.flags.len());
                let flags = column.flags.get(within.start.min(end)..end).unwrap_or_default();
                flags.iter().filter(|flag| **flag != ABSENT).count() as u64
            };
            columns.columns.iter().map(present).sum()
        };
        match &self.what {
            What::Columns(columns) => Ok(count(columns)),
            What::Chunk(chunk) => Ok(count(&chunk.all()?)),
        }
    }
}

impl Embedded {
    /// Calls `each` with the pieces of a device on a day in a range.
    pub(super) fn each_piece(
        &self,
        day: i64,
        device: DeviceKey,
        range: TimeRange,
        mut each: impl FnMut(&Piece<'_>) -> Result<(), Damaged>,
    ) -> Result<(), StoreError> {
        let Some(windows) = self.windows_of(day, range) else { return Ok(()) };
        // The head first: what is sealed after this look has a chunk at the next one.
        let mut here: BTreeMap<i64, Arc<DeviceColumns>> = BTreeMap::new();
        for window in self.head.between(*windows.start(), *windows.end()) {
            match window.device(device) {
                Some(slot) if slot.damaged => {
                    return Err(self.damaged_slot(window.start, device));
                }
                Some(slot) => drop(here.insert(window.start, slot.columns)),
                None => {}
            }
        }
        let in_head: Vec<i64> = here.keys().copied().collect();
        let rows = self.days.device(day, device, windows.clone(), &in_head)?;
        let damage = |window: i64, what: Damaged| self.days.damage(window, device, what.0);
        let DeviceRows { windows: own, day: whole } = rows;
        let whole = match &whole {
            Some(blob) => Some(Chunk::parse(blob, day, device).map_err(|w| damage(day, w))?),
            None => None,
        };
        let mut own = own.iter().peekable();
        let mut here = here.iter().peekable();
        let mut next = *windows.start();
        loop {
            let window = [own.peek().map(|(window, _)| *window), here.peek().map(|(w, _)| **w)];
            let window = window.into_iter().flatten().min();
            if let Some(whole) = &whole {
                let until = window.unwrap_or(windows.end() + self.window);
                piece_of_day(whole, next..until, &mut each).map_err(|w| damage(day, w))?;
            }
            let Some(window) = window else { return Ok(()) };
            next = window + self.window;
            if let Some((_, columns)) = here.next_if(|(w, _)| **w == window) {
                let piece = Piece { what: What::Columns(columns), rows: 0..columns.times.len() };
                each(&piece).map_err(|what| damage(window, what))?;
            } else if let Some((_, blob)) = own.next() {
                let chunk = Chunk::parse(blob, window, device).map_err(|w| damage(window, w))?;
                let piece = Piece { what: What::Chunk(&chunk), rows: 0..chunk.times.len() };
                each(&piece).map_err(|what| damage(window, what))?;
            }
        }
    }

    /// The same for many devices, in any order of devices and pieces: the chunks of the day are read
    /// in the order in which they are stored.
    pub(super) fn each_piece_of_many(
        &self,
        day: i64,
        devices: &[(DeviceKey, &[MetricKey])],
        range: TimeRange,
        cancel: &Cancel,
        mut each: impl FnMut(DeviceKey, &[MetricKey], &Piece<'_>) -> Result<(), Damaged>,
    ) -> Result<(), StoreError> {
        let Some(windows) = self.windows_of(day, range) else { return Ok(()) };
        let wanted: FxHashMap<DeviceKey, &[MetricKey]> = devices.iter().copied().collect();
        let mut in_order: Vec<DeviceKey> = wanted.keys().copied().collect();
        in_order.sort_unstable();
        let damage = |window: i64, device, what: Damaged| self.days.damage(window, device, what.0);
        // The head first, as in `each_piece`.
        let mut here: FxHashMap<i64, FxHashMap<DeviceKey, Arc<DeviceColumns>>> =
            FxHashMap::default();
        for window in self.head.between(*windows.start(), *windows.end()) {
            let mut slots = FxHashMap::default();
            for slot in window.devices() {
                if !wanted.contains_key(&slot.device) {
                    continue;
                }
                if slot.damaged {
                    return Err(self.damaged_slot(window.start, slot.device));
                }
                slots.insert(slot.device, slot.columns);
            }
            here.insert(window.start, slots);
        }
        let mut apart: FxHashSet<DeviceKey> = FxHashSet::default();
        let compacted = self.days.read_all(day, |contents, conn| {
            let mut scan = |window: Option<i64>, skip: &dyn Fn(DeviceKey) -> bool| {
                let start = window.unwrap_or(day);
                self.days.each_chunk((day, window), conn, &in_order, |device, blob| {
                    let Some(metrics) = wanted.get(&device) else { return Ok(()) };
                    if skip(device) {
                        return Ok(());
                    }
                    cancel.check()?;
                    let chunk = Chunk::parse(blob, start, device);
                    let chunk = chunk.map_err(|what| damage(start, device, what))?;
                    let rows = 0..chunk.times.len();
                    each(device, metrics, &Piece { what: What::Chunk(&chunk), rows })
                        .map_err(|what| damage(start, device, what))
                })
            };
            if contents.compacted {
                apart.extend(contents.overridden.iter().map(|device| DeviceKey(*device)));
                apart.extend(here.values().flat_map(FxHashMap::keys));
                scan(None, &|device| apart.contains(&device))?;
                return Ok(true);
            }
            for window in contents.windows.range(windows.clone()) {
                let slots = here.get(window);
                let in_head = |device| slots.is_some_and(|slots| slots.contains_key(&device));
                scan(Some(*window), &in_head)?;
            }
            Ok(false)
        })?;
        if compacted == Some(true) {
            for device in apart {
                let Some(metrics) = wanted.get(&device) else { continue };
                cancel.check()?;
                self.each_piece(day, device, range, |piece| each(device, metrics, piece))?;
            }
            return Ok(());
        }
        for (window, slots) in here {
            cancel.check()?;
            for (device, columns) in slots {
                let piece = Piece { what: What::Columns(&columns), rows: 0..columns.times.len() };
                each(device, wanted[&device], &piece)
                    .map_err(|what| damage(window, device, what))?;
            }
        }
        Ok(())
    }

    /// The windows of a day that a range touches.
    pub(super) fn windows_of(&self, day: i64, range: TimeRange) -> Option<RangeInclusive<i64>> {
        if range.from >= range.to {
            return None;
        }
        let first = window_of(range.from.micros(), self.window).max(day);
        let last = window_of(range.to.micros() - 1, self.window).min(day + DAY - self.window);
        (first <= last).then_some(first..=last)
    }
}

/// What the chunk of a whole day holds of some windows.
fn piece_of_day(
    chunk: &Chunk<'_>,
    windows: Range<i64>,
    each: &mut impl FnMut(&Piece<'_>) -> Result<(), Damaged>,
) -> Result<(), Damaged> {
    let rows = rows(&chunk.times, windows.start, windows.end);
    if rows.is_empty() {
        return Ok(());
    }
    each(&Piece { what: What::Chunk(chunk), rows })
}
