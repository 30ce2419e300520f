//! The newest event time of every series: the committer's fast way to tell that a reading is new.

use std::hint::black_box;

use city_model::{DeviceKey, MetricKey, SeriesKey, Timestamp};
use rustc_hash::FxHashSet;

use crate::TimeRange;

/// How a reading's time stands to those of its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Newer than all: certainly new.
    Newer,
    /// The same batch brought it already, or it is the newest itself: certainly a duplicate.
    Known,
    /// Older than the newest: what is stored must be asked.
    Late,
}

/// Dense by device. Used by one thread at a time.
#[derive(Debug, Default)]
pub(super) struct NewestTimes {
    devices: Vec<Vec<Entry>>,
    batch: u64,
    /// Late readings of this batch that were taken as new.
    late: FxHashSet<(SeriesKey, i64)>,
    /// All of this batch's readings newer than what was stored before it; filled once it is asked.
    fresh: FxHashSet<(SeriesKey, i64)>,
    fresh_until: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    newest: i64,
    /// The newest before the batch that touched the series last, if the series was there.
    before: i64,
    batch: u64,
    metric: MetricKey,
    was_there: bool,
}

impl Entry {
    fn before(&self) -> Option<i64> {
        self.was_there.then_some(self.before)
    }
}

impl NewestTimes {
    /// Notes that a reading is stored.
    pub(super) fn raise(&mut self, series: SeriesKey, time: i64) {
        let batch = self.batch;
        match self.entry(series) {
            Some(entry) => entry.newest = entry.newest.max(time),
            None => self.push(series, time, batch, true),
        }
    }

    /// Brings what is known of a device into the processor's caches; see [`super::warm`].
    pub(super) fn warm(&self, device: DeviceKey) {
        for entry in self.devices.get(device.index()).into_iter().flatten() {
            black_box(entry.newest);
        }
    }

    /// Begins a batch; what it notes can be taken back.
    pub(super) fn begin(&mut self) {
        self.batch += 1;
        self.late.clear();
        self.fresh.clear();
        self.fresh_until = 0;
    }

    /// How the reading number `index` of this batch stands; `series_and_time` gives the earlier
    /// ones. Notes it as the newest if it is.
    pub(super) fn stand(
        &mut self,
        index: usize,
        series: SeriesKey,
        time: i64,
        series_and_time: impl Fn(usize) -> (SeriesKey, i64),
    ) -> Standing {
        let batch = self.batch;
        let Some(entry) = self.entry(series) else {
            self.push(series, time, batch, false);
            return Standing::Newer;
        };
        if entry.batch != batch {
            entry.batch = batch;
            (entry.before, entry.was_there) = (entry.newest, true);
        }
        if time > entry.newest {
            entry.newest = time;
            return Standing::Newer;
        }
        if time == entry.newest || self.late.contains(&(series, time)) {
            return Standing::Known;
        }
        let entry = self.entry(series).map(|entry| entry.before());
        if entry.is_some_and(|before| before.is_none_or(|before| time > before)) {
            // Only this batch can have brought it.
            for earlier in self.fresh_until..index {
                self.fresh.insert(series_and_time(earlier));
            }
            self.fresh_until = index;
            if self.fresh.contains(&(series, time)) {
                return Standing::Known;
            }
        }
        Standing::Late
    }

    /// Notes that a late reading of this batch is new.
    pub(super) fn late_is_new(&mut self, series: SeriesKey, time: i64) {
        self.late.insert((series, time));
    }

    /// Takes back what this batch noted about a series.
    pub(super) fn take_back(&mut self, series: SeriesKey) {
        let batch = self.batch;
        let Some(entries) = self.devices.get_mut(series.device.index()) else { return };
        let Some(at) = entries.iter().position(|e| e.metric == series.metric) else { return };
        if entries[at].batch != batch {
            return;
        }
        match entries[at].before() {
            Some(before) => entries[at].newest = before,
            None => {
                entries.swap_remove(at);
            }
        }
    }

    /// Notes that the readings of a range were deleted, and what the newest of the rest is.
    pub(super) fn lower(&mut self, series: SeriesKey, deleted: TimeRange, left: Option<i64>) {
        let Some(entries) = self.devices.get_mut(series.device.index()) else { return };
        let Some(at) = entries.iter().position(|e| e.metric == series.metric) else { return };
        if !deleted.contains(Timestamp::from_micros(entries[at].newest)) {
            return;
        }
        match left {
            Some(left) => entries[at].newest = left,
            None => drop(entries.swap_remove(at)),
        }
    }

    fn entry(&mut self, series: SeriesKey) -> Option<&mut Entry> {
        let entries = self.devices.get_mut(series.device.index())?;
        entries.iter_mut().find(|entry| entry.metric == series.metric)
    }

    fn push(&mut self, series: SeriesKey, newest: i64, batch: u64, was_there: bool) {
        let entry = Entry { newest, before: newest, batch, metric: series.metric, was_there };
        let index = series.device.index();
        if self.devices.len() <= index {
            self.devices.resize(index + 1, Vec::new());
        }
        self.devices[index].push(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(device: u32) -> SeriesKey {
        SeriesKey { device: DeviceKey(device), metric: MetricKey(0) }
    }

    fn batch(table: &mut NewestTimes, readings: &[(u32, i64)]) -> Vec<Standing> {
        table.begin();
        let at = |i: usize| (series(readings[i].0), readings[i].1);
        (0..readings.len())
            .map(|i| {
                let (series, time) = at(i);
                let standing = table.stand(i, series, time, at);
                if standing == Standing::Late {
                    table.late_is_new(series, time);
                }
                standing
            })
            .collect()
    }

    #[test]
    fn readings_of_one_batch_see_each_other() {
        use Standing::{Known, Late, Newer};
        let mut table = NewestTimes::default();
        assert_eq!(
            batch(&mut table, &[(1, 5), (1, 5), (1, 3), (1, 3)]),
            [Newer, Known, Late, Known]
        );
        assert_eq!(
            batch(&mut table, &[(1, 10), (1, 12), (1, 10), (1, 11), (1, 11), (1, 4), (1, 5)]),
            [Newer, Newer, Known, Late, Known, Late, Late],
        );
    }

    #[test]
    fn a_failed_batch_leaves_nothing() {
        let mut table = NewestTimes::default();
        table.raise(series(1), 5);
        for _ in 0..2 {
            assert_eq!(batch(&mut table, &[(1, 9), (2, 1)]), [Standing::Newer; 2]);
            table.take_back(series(1));
            table.take_back(series(2));
        }
        assert_eq!(batch(&mut table, &[(1, 9), (2, 1)]), [Standing::Newer; 2]);
    }
}
