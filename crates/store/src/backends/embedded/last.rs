//! The newest value of every series, dense by device.

use std::hint::black_box;
use std::sync::{PoisonError, RwLock};

use city_model::{
    DeviceKey, Marks, MetricKey, Position, Quality, Reading, SeriesKey, Timestamp, Value, ZoneSet,
};

use super::codec::bytes::{Damaged, Reader, put_signed, put_varint};
use super::{log, warm};
use crate::backends::supersedes;
use crate::{LastValue, TimeRange};

/// Devices handed out under one lock, so that a slow reader holds up nobody.
const SLICE: usize = 256;

/// The table. One thread writes, many read.
#[derive(Debug, Default)]
pub(super) struct LastValues {
    devices: RwLock<Vec<Vec<Entry>>>,
}

/// A [`LastValue`] in less room: all of them are looked at for each picture of the city.
#[derive(Clone, Debug)]
struct Entry {
    time: Timestamp,
    received: Timestamp,
    value: Value,
    rare: Option<Box<Rare>>,
    metric: MetricKey,
    quality: Quality,
    marks: Marks,
}

/// What few series have.
#[derive(Clone, Debug, Default)]
struct Rare {
    position: Option<Position>,
    /// The newest event time of all that is stored, if that is of a reading that is not shown as
    /// the newest because its time is in the future.
    newest: Option<i64>,
}

impl Entry {
    fn new(metric: MetricKey, value: LastValue) -> Self {
        let mut entry = Self {
            time: value.time,
            received: value.received,
            value: value.value,
            rare: None,
            metric,
            quality: value.quality,
            marks: value.marks,
        };
        entry.set_position(value.position);
        entry
    }

    /// Puts another value in its place. The newest event time is to be set after it.
    fn set(&mut self, value: LastValue) {
        (self.time, self.received, self.value) = (value.time, value.received, value.value);
        (self.quality, self.marks) = (value.quality, value.marks);
        self.set_position(value.position);
    }

    fn set_position(&mut self, position: Option<Position>) {
        match &mut self.rare {
            Some(rare) => rare.position = position,
            None if position.is_none() => {}
            None => self.rare = Some(Box::new(Rare { position, newest: None })),
        }
    }

    fn newest(&self) -> i64 {
        self.rare.as_ref().and_then(|rare| rare.newest).unwrap_or(self.time.micros())
    }

    fn set_newest(&mut self, newest: i64) {
        let newest = Some(newest).filter(|newest| *newest != self.time.micros());
        match &mut self.rare {
            Some(rare) => rare.newest = newest,
            None if newest.is_none() => {}
            None => self.rare = Some(Box::new(Rare { position: None, newest })),
        }
    }

    fn last(&self) -> LastValue {
        LastValue {
            time: self.time,
            received: self.received,
            value: self.value.clone(),
            quality: self.quality,
            marks: self.marks,
            position: self.rare.as_ref().and_then(|rare| rare.position),
        }
    }
}

/// Brings values into the processor's caches; see [`warm`].
fn warm_entries(entries: &[Entry]) {
    for entry in entries {
        black_box(entry.time);
    }
}

impl LastValues {
    /// Takes readings in order of arrival, out of whatever they are in.
    pub(super) fn apply<T>(&self, all: &[T], reading: impl Fn(&T) -> &Reading) {
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        for some in all.chunks(warm::READINGS_AHEAD) {
            let mut before = None;
            for device in some.iter().map(|in_it| reading(in_it).series.device) {
                if before.replace(device) != Some(device) {
                    warm_entries(devices.get(device.index()).map_or(&[], Vec::as_slice));
                }
            }
            for in_it in some {
                apply(&mut devices, reading(in_it));
            }
        }
    }

    pub(super) fn get(&self, series: SeriesKey) -> Option<LastValue> {
        let devices = self.devices.read().unwrap_or_else(PoisonError::into_inner);
        let entries = devices.get(series.device.index())?;
        entries.iter().find(|e| e.metric == series.metric).map(Entry::last)
    }

    pub(super) fn of_device(&self, device: DeviceKey) -> Vec<(MetricKey, LastValue)> {
        let devices = self.devices.read().unwrap_or_else(PoisonError::into_inner);
        let entries = devices.get(device.index()).map_or(&[][..], Vec::as_slice);
        entries.iter().map(|e| (e.metric, e.last())).collect()
    }

    /// Calls `each` for every series, outside the lock.
    pub(super) fn each(&self, each: &mut dyn FnMut(SeriesKey, &LastValue)) {
        self.each_entry(|series, entry| each(series, &entry.last()));
    }

    /// Calls `each` with the newest stored event time of every series.
    pub(super) fn each_newest(&self, mut each: impl FnMut(SeriesKey, i64)) {
        self.each_entry(|series, entry| each(series, entry.newest()));
    }

    fn each_entry(&self, mut each: impl FnMut(SeriesKey, Entry)) {
        let mut slice: Vec<(u32, Entry)> = Vec::new();
        for start in (0..).step_by(SLICE) {
            {
                let devices = self.devices.read().unwrap_or_else(PoisonError::into_inner);
                if start >= devices.len() {
                    return;
                }
                let end = devices.len().min(start + SLICE);
                for entries in &devices[start..end] {
                    warm_entries(entries);
                }
                for (device, entries) in devices[start..end].iter().enumerate() {
                    slice.extend(entries.iter().map(|e| ((start + device) as u32, e.clone())));
                }
            }
            for (device, entry) in slice.drain(..) {
                each(SeriesKey { device: DeviceKey(device), metric: entry.metric }, entry);
            }
        }
    }

    /// Puts the newest that is left in the place of a value, and of a newest time, in a range that
    /// was deleted; without one the series is no more.
    pub(super) fn put_back(
        &self,
        device: DeviceKey,
        metric: MetricKey,
        deleted: TimeRange,
        left: Option<LastValue>,
    ) {
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        let Some(entries) = devices.get_mut(device.index()) else { return };
        let Some(place) = entries.iter().position(|entry| entry.metric == metric) else { return };
        let Some(left) = left else {
            entries.remove(place);
            return;
        };
        let entry = &mut entries[place];
        let newest = entry.newest();
        let newest = if deleted.contains(Timestamp::from_micros(newest)) {
            left.time.micros()
        } else {
            newest
        };
        if deleted.contains(entry.time) {
            entry.set(left);
        }
        entry.set_newest(newest);
    }

    /// The metrics of a device of which the newest value or the newest time is in a range.
    pub(super) fn newest_in(&self, device: DeviceKey, range: TimeRange) -> Vec<MetricKey> {
        let devices = self.devices.read().unwrap_or_else(PoisonError::into_inner);
        let entries = devices.get(device.index()).map_or(&[][..], Vec::as_slice);
        let inside = |entry: &&Entry| {
            range.contains(entry.time) || range.contains(Timestamp::from_micros(entry.newest()))
        };
        entries.iter().filter(inside).map(|entry| entry.metric).collect()
    }

    /// How many series there are.
    pub(super) fn series(&self) -> usize {
        let devices = self.devices.read().unwrap_or_else(PoisonError::into_inner);
        devices.iter().map(Vec::len).sum()
    }

    /// Everything as a blob: the values as the log writes readings, then newer event times.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut readings = Vec::new();
        let mut newer = Vec::new();
        self.each_entry(|series, entry| {
            if entry.newest() != entry.time.micros() {
                newer.push((readings.len(), entry.newest()));
            }
            readings.push(to_reading(series, entry.last()));
        });
        let mut encoder = log::Encoder::new(Vec::new(), readings.len());
        for reading in &readings {
            encoder.reading(reading, 0, false);
        }
        let values = encoder.finish(&[], &[]);
        let mut out = Vec::with_capacity(values.len() + 16);
        put_varint(&mut out, values.len() as u64);
        out.extend_from_slice(&values);
        put_varint(&mut out, newer.len() as u64);
        for (index, newest) in newer {
            put_varint(&mut out, index as u64);
            put_signed(&mut out, newest);
        }
        out
    }

    /// The table of a blob.
    pub(super) fn decode(blob: &[u8]) -> Result<Self, Damaged> {
        let mut reader = Reader::new(blob);
        let length = reader.count(blob.len())?;
        let mut readings = Vec::new();
        log::decode(reader.bytes(length)?, |logged| readings.push(logged.reading))?;
        let mut devices = Vec::new();
        for reading in &readings {
            apply(&mut devices, reading);
        }
        for _ in 0..reader.count(readings.len())? {
            let index = reader.count(readings.len())?;
            let series = readings.get(index).ok_or(Damaged("a series is out of range"))?.series;
            let newest = reader.signed()?;
            let entries = devices.get_mut(series.device.index());
            if let Some(entry) =
                entries.into_iter().flatten().find(|entry| entry.metric == series.metric)
            {
                entry.set_newest(newest);
            }
        }
        Ok(Self { devices: RwLock::new(devices) })
    }
}

fn apply(devices: &mut Vec<Vec<Entry>>, reading: &Reading) {
    let index = reading.series.device.index();
    if devices.len() <= index {
        devices.resize(index + 1, Vec::new());
    }
    let metric = reading.series.metric;
    let Some(entry) = devices[index].iter_mut().find(|entry| entry.metric == metric) else {
        devices[index].push(Entry::new(metric, LastValue::from(reading)));
        return;
    };
    let newest = entry.newest().max(reading.time.micros());
    if supersedes(reading, &entry.last()) {
        entry.set(LastValue::from(reading));
    }
    entry.set_newest(newest);
}

fn to_reading(series: SeriesKey, last: LastValue) -> Reading {
    Reading {
        series,
        time: last.time,
        received: last.received,
        value: last.value,
        quality: last.quality,
        marks: last.marks,
        position: last.position,
        zones: ZoneSet::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(device: u32, time: i64, value: Value, marks: Marks) -> Reading {
        Reading {
            series: SeriesKey { device: DeviceKey(device), metric: MetricKey(3) },
            time: Timestamp::from_micros(time),
            received: Timestamp::from_micros(time + 1),
            value,
            quality: Quality::Suspect,
            marks,
            position: Some(Position { lon: 1.5, lat: -2.5 }),
            zones: ZoneSet::default(),
        }
    }

    #[test]
    fn a_snapshot_brings_everything_back() {
        let table = LastValues::default();
        let readings = [
            reading(2, 5, "开".into(), Marks::SIMULATED),
            reading(700, 1, true.into(), Marks::NONE),
            reading(700, 99, 8.5.into(), Marks::FUTURE),
            reading(700, 2, 7.5.into(), Marks::NONE),
        ];
        table.apply(&readings, |reading| reading);
        let back = LastValues::decode(&table.encode()).expect("decodes");
        let all = |table: &LastValues| {
            let mut all = Vec::new();
            table.each_entry(|series, entry| all.push((series, entry.last(), entry.newest())));
            all
        };
        assert_eq!(all(&back), all(&table));
        assert_eq!(all(&back)[1].2, 99, "the newest stored time counts readings of the future");
        assert_eq!(all(&back)[1].1.value, 7.5.into(), "but they are not the newest value");
        assert_eq!(back.series(), 2);
    }
}
