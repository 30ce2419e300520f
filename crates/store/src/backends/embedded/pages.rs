//! Last values as they lie in memory: those of neighbouring devices together, and shared with who
//! reads them.
//!
//! A reader takes hold of a page instead of copying it; a writer who finds a page held copies it
//! first. So nobody waits for a reader, and reading all of them costs a walk through memory.

use std::hint::black_box;
use std::ops::Range;

use city_model::{DeviceKey, MetricKey, Reading, SeriesKey, Timestamp};

use crate::backends::supersedes;
use crate::{LastValue, TimeRange};

/// Devices of a page: few, because a page that somebody reads is copied before it changes.
pub(super) const DEVICES: usize = 32;

/// The page of a device.
pub(super) fn page_of(device: DeviceKey) -> usize {
    device.index() / DEVICES
}

/// The last values of the devices whose numbers are `DEVICES * n ..`.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    /// Where the entries of each device end; they begin where those of the one before it end.
    ends: [u32; DEVICES],
    entries: Vec<Entry>,
    newer: Vec<(SeriesKey, Timestamp)>,
}

/// One line of the processor's caches.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Entry {
    pub(super) last: LastValue,
    pub(super) metric: MetricKey,
}

impl Page {
    /// All entries of a device.
    pub(super) fn of_device(&self, device: DeviceKey) -> &[Entry] {
        &self.entries[self.range(device.index() % DEVICES)]
    }

    /// The last value of a series.
    pub(super) fn get(&self, series: SeriesKey) -> Option<&LastValue> {
        let mut entries = self.of_device(series.device).iter();
        Some(&entries.find(|entry| entry.metric == series.metric)?.last)
    }

    /// The newest event time of all that is stored of a series: another one than that of its last
    /// value where that time is in the future.
    pub(super) fn newest(&self, series: SeriesKey, last: &LastValue) -> Timestamp {
        let newer = self.newer.iter().find(|(of, _)| *of == series);
        newer.map_or(last.time, |(_, time)| *time)
    }

    /// Every series in order of its device; `number` is that of the page.
    pub(super) fn each(&self, number: usize, mut each: impl FnMut(SeriesKey, &LastValue)) {
        let mut entries = self.entries.iter();
        let mut at = 0;
        for (device, end) in (number * DEVICES..).zip(self.ends) {
            let device = DeviceKey(device as u32);
            for entry in entries.by_ref().take((end - at) as usize) {
                each(SeriesKey { device, metric: entry.metric }, &entry.last);
            }
            at = end;
        }
    }

    /// How many series there are.
    pub(super) fn series(&self) -> usize {
        self.entries.len()
    }

    /// Brings what is known of a device into the processor's caches; see [`super::warm`].
    pub(super) fn warm(&self, device: DeviceKey) {
        for entry in self.of_device(device) {
            black_box(entry.last.time);
        }
    }

    /// Takes a reading.
    pub(super) fn apply(&mut self, reading: &Reading) {
        let series = reading.series;
        let Some(at) = self.place(series) else {
            self.insert(series, LastValue::from(reading));
            return;
        };
        let last = &self.entries[at].last;
        let newest = self.newest(series, last).max(reading.time);
        if supersedes(reading, last) {
            self.entries[at].last = LastValue::from(reading);
        }
        self.set_newest(series, at, newest);
    }

    /// Notes the newest event time of a series that has a last value.
    pub(super) fn raise_newest(&mut self, series: SeriesKey, newest: Timestamp) {
        if let Some(at) = self.place(series) {
            self.set_newest(series, at, newest);
        }
    }

    /// See [`super::last::LastValues::put_back`].
    pub(super) fn put_back(
        &mut self,
        series: SeriesKey,
        deleted: TimeRange,
        left: Option<LastValue>,
    ) {
        let Some(at) = self.place(series) else { return };
        let Some(left) = left else {
            self.remove(series, at);
            return;
        };
        let last = &self.entries[at].last;
        let newest = self.newest(series, last);
        let newest = if deleted.contains(newest) { left.time } else { newest };
        if deleted.contains(last.time) {
            self.entries[at].last = left;
        }
        self.set_newest(series, at, newest);
    }

    fn range(&self, place: usize) -> Range<usize> {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        start as usize..self.ends[place] as usize
    }

    fn place(&self, series: SeriesKey) -> Option<usize> {
        let mut range = self.range(series.device.index() % DEVICES);
        range.find(|at| self.entries[*at].metric == series.metric)
    }

    fn set_newest(&mut self, series: SeriesKey, at: usize, newest: Timestamp) {
        if !self.newer.is_empty() {
            self.newer.retain(|(of, _)| *of != series);
        }
        if newest != self.entries[at].last.time {
            self.newer.push((series, newest));
        }
    }

    fn insert(&mut self, series: SeriesKey, last: LastValue) {
        let place = series.device.index() % DEVICES;
        let end = self.ends[place] as usize;
        self.entries.insert(end, Entry { last, metric: series.metric });
        for end in &mut self.ends[place..] {
            *end += 1;
        }
    }

    fn remove(&mut self, series: SeriesKey, at: usize) {
        self.entries.remove(at);
        self.newer.retain(|(of, _)| *of != series);
        for end in &mut self.ends[series.device.index() % DEVICES..] {
            *end -= 1;
        }
    }
}
