//! Readings of many series in order of time, a slice of time after the other.

use std::ops::ControlFlow;

use city_model::{
    Device, DeviceKey, Directory, Marks, Placement, Position, Quality, Reading, SeriesKey, Span,
    Timestamp, Value, ZoneSet,
};
use city_rules::RuleSet;
use city_store::{Store, StoreError, TimeRange};
use rustc_hash::FxHashSet;

/// Readings that a slice should hold; what a reading takes here is about 100 bytes.
const FEW: usize = 200_000;
const MANY: usize = 1_000_000;
const SHORTEST: Span = Span::from_secs(1);
const LONGEST: Span = Span::from_hours(24);

/// Where a position is: its zones.
pub type Locate<'a> = &'a dyn Fn(Position) -> ZoneSet;

/// Fails once the run is to end.
pub(crate) type GoOn<'a> = &'a dyn Fn() -> Result<(), StoreError>;

/// The series that rules select, as far as anything is stored of them, by device.
pub(crate) struct Wanted {
    devices: Vec<WantedDevice>,
    /// How many series there are.
    pub(crate) series: usize,
    /// Readings that a slice may hold.
    most: usize,
}

struct WantedDevice {
    key: DeviceKey,
    metrics: Vec<city_model::MetricKey>,
    /// Where it is; of one that moves, where it was last.
    zones: ZoneSet,
    moves: bool,
}

impl Wanted {
    /// Of the devices that `keep` says.
    pub(crate) fn new(
        rules: &[&RuleSet],
        directory: &Directory,
        store: &dyn Store,
        keep: &dyn Fn(&Device) -> bool,
    ) -> Self {
        let rules = || rules.iter().flat_map(|set| set.rules());
        let of = |device: &Device| {
            let own: Vec<_> = rules()
                .filter(|rule| rule.condition.takes_readings())
                .filter(|rule| rule.select.matches_device(device))
                .collect();
            let stored = store.last_of_device(device.key).into_iter().map(|(metric, _)| metric);
            let wanted = |key: &city_model::MetricKey| {
                let Some(metric) = directory.metrics.get(*key) else { return false };
                own.iter().any(|rule| rule.select.matches_metric(&metric.id))
            };
            let metrics: Vec<_> =
                if own.is_empty() { Vec::new() } else { stored.filter(wanted).collect() };
            let moves = !matches!(device.placement, Placement::Fixed(_));
            WantedDevice { key: device.key, metrics, zones: device.zones.clone(), moves }
        };
        let devices: Vec<WantedDevice> = directory
            .devices()
            .filter(|device| keep(device))
            .map(|device| of(device))
            .filter(|d| !d.metrics.is_empty())
            .collect();
        let series = devices.iter().map(|device| device.metrics.len()).sum();
        Self { devices, series, most: MANY }
    }

    /// Calls `each` with all readings of a range, in order of event time, and `slice` with the end of
    /// each slice after the last of its readings.
    pub(crate) fn read(
        &mut self,
        store: &dyn Store,
        range: TimeRange,
        locate: Locate<'_>,
        go_on: GoOn<'_>,
        mut each: impl FnMut(&Reading),
        mut slice: impl FnMut(Timestamp),
    ) -> Result<(), StoreError> {
        let mut readings: Vec<Reading> = Vec::new();
        let mut length = Span::from_hours(1);
        let mut from = range.from;
        while from < range.to {
            let to = (from + length).min(range.to);
            if !self.fill(store, TimeRange { from, to }, locate, go_on, &mut readings)? {
                length = Span::from_micros(length.micros() / 2).max(SHORTEST);
                continue;
            }
            // Each series is in order already, which this sort makes use of.
            readings.sort_by_key(|reading| reading.time);
            readings.iter().for_each(&mut each);
            slice(to);
            let longer = Span::from_micros(length.micros().saturating_mul(2));
            match readings.len() {
                // Ages in which nothing is stored are passed quickly.
                0 => length = longer,
                1..FEW => length = longer.min(LONGEST.max(length)),
                _ => length = length.min(LONGEST),
            }
            from = to;
        }
        Ok(())
    }

    /// Reads a slice; `false` if it holds too many readings and can be shorter.
    fn fill(
        &mut self,
        store: &dyn Store,
        range: TimeRange,
        locate: Locate<'_>,
        go_on: GoOn<'_>,
        readings: &mut Vec<Reading>,
    ) -> Result<bool, StoreError> {
        readings.clear();
        let most = if range.to.since(range.from) > SHORTEST { self.most } else { usize::MAX };
        let mut moved = Vec::new();
        for (place, device) in self.devices.iter_mut().enumerate() {
            go_on()?;
            let zones = device.read(store, range, locate, readings, most)?;
            moved.extend(zones.map(|zones| (place, zones)));
            if readings.len() > most {
                return Ok(false);
            }
        }
        for (place, zones) in moved {
            self.devices[place].zones = zones;
        }
        Ok(true)
    }
}

impl WantedDevice {
    /// Appends its readings, and ends early once there are more than `most` in all. Says where one
    /// that moves was last.
    fn read(
        &self,
        store: &dyn Store,
        range: TimeRange,
        locate: Locate<'_>,
        out: &mut Vec<Reading>,
        most: usize,
    ) -> Result<Option<ZoneSet>, StoreError> {
        let go_on = |out: &Vec<Reading>| match out.len() {
            count if count > most => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        if self.moves {
            let wanted: FxHashSet<_> = self.metrics.iter().copied().collect();
            let mut zones = self.zones.clone();
            store.export(self.key, range, &mut |page| {
                for mut reading in page {
                    if let Some(position) = reading.position {
                        zones = locate(position);
                    }
                    if wanted.contains(&reading.series.metric) {
                        reading.received = reading.time;
                        reading.zones = zones.clone();
                        out.push(reading);
                    }
                }
                go_on(out)
            })?;
            return Ok(Some(zones));
        }
        for metric in &self.metrics {
            let series = SeriesKey { device: self.key, metric: *metric };
            store.scan(series, range, &mut |points| {
                let readings = points.iter().map(|point| {
                    self.reading(series, point.time, point.value.clone(), point.quality)
                });
                out.extend(readings);
                go_on(out)
            })?;
        }
        Ok(None)
    }

    fn reading(
        &self,
        series: SeriesKey,
        time: Timestamp,
        value: Value,
        quality: Quality,
    ) -> Reading {
        Reading {
            series,
            time,
            // The store does not keep when it came.
            received: time,
            value,
            quality,
            marks: Marks::NONE,
            position: None,
            zones: self.zones.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use city_model::{MetricKey, ZoneKey};
    use city_store::{Commit, Memory};

    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_790_000_000 + secs)
    }

    /// Two hours of two devices every ten seconds; the second one moves, and says where it is in
    /// its first message only.
    fn store() -> Memory {
        let store = Memory::new();
        let reading = |device: u32, secs: i64| Reading {
            series: SeriesKey { device: DeviceKey(device), metric: MetricKey(0) },
            time: at(secs),
            received: at(secs),
            value: (secs as f64).into(),
            quality: Quality::Pass,
            marks: Marks::NONE,
            position: (device == 1 && secs == 0).then_some(Position { lon: 1.0, lat: 2.0 }),
            zones: ZoneSet::default(),
        };
        let times = (0..7_200).step_by(10);
        let readings: Vec<Reading> =
            times.flat_map(|secs| [reading(0, secs), reading(1, secs)]).collect();
        let sources = vec![0; readings.len()];
        store.commit(&Commit { readings, sources, ..Commit::default() }).expect("committed");
        store
    }

    #[test]
    fn what_is_too_much_for_one_slice_comes_in_shorter_ones_and_loses_nothing() {
        let device = |key: u32| WantedDevice {
            key: DeviceKey(key),
            metrics: vec![MetricKey(0)],
            zones: ZoneSet::default(),
            moves: key == 1,
        };
        let mut wanted = Wanted { devices: vec![device(0), device(1)], series: 2, most: 100 };
        let (held, longest, slices) = (Cell::new(0), Cell::new(0), Cell::new(0));
        let mut found = Vec::new();
        wanted
            .read(
                &store(),
                TimeRange { from: at(0), to: at(7_200) },
                &|_| [ZoneKey(7)].into(),
                &|| Ok(()),
                |reading| {
                    held.set(held.get() + 1);
                    found.push((reading.time, reading.series.device.0, reading.zones.len()));
                },
                |_| {
                    longest.set(longest.get().max(held.replace(0)));
                    slices.set(slices.get() + 1);
                },
            )
            .expect("read");
        let expected: Vec<(Timestamp, u32, usize)> =
            (0..7_200).step_by(10).flat_map(|secs| [(at(secs), 0, 0), (at(secs), 1, 1)]).collect();
        assert_eq!(found, expected, "in order, each once, in the zone where it was last");
        assert!(longest.get() <= 100 && slices.get() >= 15, "{longest:?} {slices:?}");
    }
}
