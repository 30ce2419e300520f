//! The newest value of every series.

use std::sync::{Arc, PoisonError, RwLock};

use city_model::{DeviceKey, MetricKey, Reading, SeriesKey, Timestamp, ZoneSet};

use super::codec::bytes::{Damaged, Reader, put_signed, put_varint};
use super::pages::{Page, page_of};
use super::{log, warm};
use crate::{LastValue, TimeRange};

/// Pages that a reader holds at once: what is held must be copied before it changes.
const PAGES_HELD: usize = 32;

/// The table. One thread writes, many read.
#[derive(Debug, Default)]
pub(super) struct LastValues {
    pages: RwLock<Vec<Arc<Page>>>,
}

impl LastValues {
    /// Takes readings in order of arrival, out of whatever they are in.
    pub(super) fn apply<T>(&self, all: &[T], reading: impl Fn(&T) -> &Reading) {
        let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
        let device = |in_it: &T| reading(in_it).series.device;
        let of_one_device = |a: &T, b: &T| device(a) == device(b);
        for some in all.chunks(warm::READINGS_AHEAD) {
            for of_one in some.chunk_by(of_one_device) {
                let device = device(&of_one[0]);
                if let Some(page) = pages.get(page_of(device)) {
                    page.warm(device);
                }
            }
            for of_one in some.chunk_by(of_one_device) {
                let page = page_mut(&mut pages, device(&of_one[0]));
                for in_it in of_one {
                    page.apply(reading(in_it));
                }
            }
        }
    }

    pub(super) fn get(&self, series: SeriesKey) -> Option<LastValue> {
        let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
        pages.get(page_of(series.device))?.get(series).cloned()
    }

    pub(super) fn of_device(&self, device: DeviceKey) -> Vec<(MetricKey, LastValue)> {
        let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
        let entries = pages.get(page_of(device)).map_or(&[][..], |page| page.of_device(device));
        entries.iter().map(|entry| (entry.metric, entry.last.clone())).collect()
    }

    /// Calls `each` for every series, outside the lock.
    pub(super) fn each(&self, each: &mut dyn FnMut(SeriesKey, &LastValue)) {
        self.each_page(|number, page| page.each(number, &mut *each));
    }

    /// Calls `each` with the last value and the newest stored event time of every series.
    pub(super) fn each_newest(&self, mut each: impl FnMut(SeriesKey, &LastValue, Timestamp)) {
        self.each_page(|number, page| {
            page.each(number, |series, last| each(series, last, page.newest(series, last)));
        });
    }

    fn each_page(&self, mut each: impl FnMut(usize, &Page)) {
        let mut held = Vec::with_capacity(PAGES_HELD);
        for start in (0..).step_by(PAGES_HELD) {
            {
                let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
                held.extend(pages.iter().skip(start).take(PAGES_HELD).cloned());
            }
            if held.is_empty() {
                return;
            }
            for (number, page) in held.drain(..).enumerate() {
                each(start + number, &page);
            }
        }
    }

    /// Puts the newest that is left in the place of a value, and of a newest time, in a range that
    /// was deleted; without one the series is no more.
    pub(super) fn put_back(&self, series: SeriesKey, deleted: TimeRange, left: Option<LastValue>) {
        let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
        page_mut(&mut pages, series.device).put_back(series, deleted, left);
    }

    /// The metrics of a device of which the newest value or the newest time is in a range.
    pub(super) fn newest_in(&self, device: DeviceKey, range: TimeRange) -> Vec<MetricKey> {
        let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
        let Some(page) = pages.get(page_of(device)) else { return Vec::new() };
        let metrics = page.of_device(device).iter().filter_map(|entry| {
            let series = SeriesKey { device, metric: entry.metric };
            let times = [entry.last.time, page.newest(series, &entry.last)];
            times.iter().any(|time| range.contains(*time)).then_some(entry.metric)
        });
        metrics.collect()
    }

    /// How many series there are.
    pub(super) fn series(&self) -> usize {
        let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
        pages.iter().map(|page| page.series()).sum()
    }

    /// Everything as a blob: the values as the log writes readings, then newer event times.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut readings = Vec::new();
        let mut newer = Vec::new();
        self.each_newest(|series, last, newest| {
            if newest != last.time {
                newer.push((readings.len(), newest.micros()));
            }
            readings.push(to_reading(series, last));
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
        let mut pages = Vec::new();
        for reading in &readings {
            page_mut(&mut pages, reading.series.device).apply(reading);
        }
        for _ in 0..reader.count(readings.len())? {
            let index = reader.count(readings.len())?;
            let series = readings.get(index).ok_or(Damaged("a series is out of range"))?.series;
            let newest = Timestamp::from_micros(reader.signed()?);
            page_mut(&mut pages, series.device).raise_newest(series, newest);
        }
        Ok(Self { pages: RwLock::new(pages) })
    }
}

/// The page of a device, made if it is missing, and copied first if somebody reads it.
fn page_mut(pages: &mut Vec<Arc<Page>>, device: DeviceKey) -> &mut Page {
    let number = page_of(device);
    if pages.len() <= number {
        pages.resize_with(number + 1, Arc::default);
    }
    Arc::make_mut(&mut pages[number])
}

fn to_reading(series: SeriesKey, last: &LastValue) -> Reading {
    Reading {
        series,
        time: last.time,
        received: last.received,
        value: last.value.clone(),
        quality: last.quality,
        marks: last.marks,
        position: last.position.as_deref().copied(),
        zones: ZoneSet::default(),
    }
}

#[cfg(test)]
mod tests {
    use city_model::{Marks, Position, Quality, Value};

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
            table.each_newest(|series, last, newest| all.push((series, last.clone(), newest)));
            all
        };
        assert_eq!(all(&back), all(&table));
        assert_eq!(
            all(&back)[1].2,
            Timestamp::from_micros(99),
            "the newest stored time counts readings of the future"
        );
        assert_eq!(all(&back)[1].1.value, 7.5.into(), "but they are not the newest value");
        assert_eq!(back.series(), 2);
    }
}
