//! The readings of one device in one window: a column of times, and for each metric a column of
//! values and of flags.

use std::collections::BTreeSet;
use std::hash::BuildHasher as _;
use std::hint::black_box;
use std::sync::Arc;

use city_model::{MetricKey, Position, Quality, Value};
use rustc_hash::FxBuildHasher;

/// What a flag byte says beside the quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Number = 0,
    Bool = 1,
    Text = 2,
}

/// A value's kind and quality in one byte: the quality's code in the lower four bits, the kind
/// above them. 0 says that there is no reading, for no quality has that code.
pub(super) const ABSENT: u8 = 0;

pub(super) const fn flag(kind: Kind, quality: Quality) -> u8 {
    (kind as u8) << 4 | quality.code()
}

pub(super) const fn kind_of(flag: u8) -> Option<Kind> {
    match flag >> 4 {
        0 => Some(Kind::Number),
        1 => Some(Kind::Bool),
        2 => Some(Kind::Text),
        _ => None,
    }
}

/// How many of the newest distinct texts are looked through before a text is kept once more.
const TEXTS_COMPARED: usize = 16;

/// The values of one metric. A column may be shorter than the times: the rest is absent.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    pub(super) metric: MetricKey,
    /// Numbers; 0 or 1 for truth values; an index into `texts` for texts.
    pub(super) values: Vec<f64>,
    pub(super) flags: Vec<u8>,
    pub(super) texts: Vec<Arc<str>>,
}

impl Column {
    pub(super) fn has(&self, row: usize) -> bool {
        self.flags.get(row).is_some_and(|flag| *flag != ABSENT)
    }

    pub(super) fn get(&self, row: usize) -> Option<(Value, Quality)> {
        let flag = *self.flags.get(row)?;
        let quality = Quality::from_code(flag & 0xf)?;
        let number = *self.values.get(row)?;
        let value = match kind_of(flag)? {
            Kind::Number => Value::Number(number),
            Kind::Bool => Value::Bool(number != 0.0),
            Kind::Text => Value::Text(self.texts.get(number as usize)?.clone()),
        };
        Some((value, quality))
    }

    /// The number of a row, as statistics see it, and its quality.
    pub(super) fn number(&self, row: usize) -> Option<(Option<f64>, Quality)> {
        let flag = *self.flags.get(row)?;
        let quality = Quality::from_code(flag & 0xf)?;
        let number = *self.values.get(row)?;
        Some(((kind_of(flag)? != Kind::Text).then_some(number), quality))
    }

    /// Sets a row that the column may not have reached yet. Says whether there was nothing before,
    /// and whether anything changed. The same value again is a redelivery: the flag that it got
    /// the first time, when the readings before it were at hand, stands.
    ///
    /// `room` is for how many rows there is room in the times: as much is made here when it is needed.
    fn set(&mut self, row: usize, room: usize, value: &Value, quality: Quality) -> Put {
        let (kind, number) = match value {
            Value::Number(number) => (Kind::Number, *number),
            Value::Bool(state) => (Kind::Bool, f64::from(u8::from(*state))),
            Value::Text(text) => (Kind::Text, self.text_index(text) as f64),
        };
        let flag = flag(kind, quality);
        if self.flags.len() <= row {
            if self.flags.capacity() <= row {
                self.flags.reserve_exact(room - self.flags.len());
                self.values.reserve_exact(room - self.values.len());
            }
            self.flags.resize(row, ABSENT);
            self.values.resize(row, 0.0);
            self.flags.push(flag);
            self.values.push(number);
            return Put::New;
        }
        let (old, old_bits) = (self.flags[row], self.values[row].to_bits());
        if old != ABSENT && kind_of(old) == Some(kind) && old_bits == number.to_bits() {
            return Put::Same;
        }
        self.flags[row] = flag;
        self.values[row] = number;
        if old == ABSENT { Put::New } else { Put::Changed }
    }

    fn text_index(&mut self, text: &Arc<str>) -> usize {
        let recent = self.texts.iter().enumerate().rev().take(TEXTS_COMPARED);
        if let Some((index, _)) = recent.into_iter().find(|(_, known)| *known == text) {
            return index;
        }
        self.texts.push(text.clone());
        self.texts.len() - 1
    }

    fn insert_absent(&mut self, row: usize) {
        if row < self.flags.len() {
            self.flags.insert(row, ABSENT);
            self.values.insert(row, 0.0);
        }
    }
}

/// What putting a reading in did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// There was nothing.
    New,
    /// There was another value.
    Changed,
    /// It was there already.
    Same,
}

/// All of one device in one window.
#[derive(Clone, Debug, Default)]
pub(super) struct DeviceColumns {
    /// Microseconds, strictly rising.
    pub(super) times: Vec<i64>,
    pub(super) columns: Vec<Column>,
    /// Where a moving device was, row by row; may be shorter than the times.
    pub(super) positions: Vec<Option<Position>>,
    /// How many readings there are: values that are not absent.
    pub(super) readings: usize,
}

impl DeviceColumns {
    /// None yet, with room for so many rows.
    pub(super) fn with_room(rows: usize) -> Self {
        Self { times: Vec::with_capacity(rows), ..Self::default() }
    }

    /// Brings where its columns are into the processor's caches; see [`super::warm`].
    pub(super) fn warm(&self) {
        black_box((self.times.len(), self.readings));
    }

    /// The same with the columns; what it reads should be there by [`Self::warm`].
    pub(super) fn warm_columns(&self) {
        for column in &self.columns {
            black_box((column.values.len(), column.texts.len()));
        }
    }

    /// The same with their ends; what it reads should be there by [`Self::warm_columns`].
    pub(super) fn warm_ends(&self) {
        black_box(self.times.last().copied());
        for column in &self.columns {
            black_box((column.values.last().copied(), column.flags.last().copied()));
        }
    }

    /// Puts a reading in its place. The last one written at a place stands.
    pub(super) fn put(
        &mut self,
        metric: MetricKey,
        time: i64,
        value: &Value,
        quality: Quality,
        position: Option<Position>,
    ) -> Put {
        let row = self.row_for(time);
        let room = self.times.capacity();
        let column = if let Some(index) = self.columns.iter().position(|c| c.metric == metric) {
            &mut self.columns[index]
        } else {
            let (values, flags) = (Vec::with_capacity(room), Vec::with_capacity(room));
            self.columns.push(Column { metric, values, flags, texts: Vec::new() });
            self.columns.last_mut().expect("just pushed")
        };
        let mut put = column.set(row, room, value, quality);
        self.readings += usize::from(put == Put::New);
        if let Some(position) = position {
            if self.positions.len() <= row {
                self.positions.resize(row + 1, None);
            }
            let old = self.positions[row].replace(position);
            if put == Put::Same && old != Some(position) {
                put = Put::Changed;
            }
        }
        put
    }

    /// Makes room for more rows if there is none: half as much again to twice as much, by the first
    /// time, which differs from device to device. Devices that send equally often would otherwise all
    /// be moved to larger places in the same moment, and whoever waits for the commit would wait for
    /// hundreds of megabytes to be copied.
    fn grow_if_full(&mut self) {
        let room = self.times.capacity();
        if room > 0 && self.times.len() == room {
            let first = self.times[0] as usize;
            self.times.reserve_exact(spread(room, first));
        }
    }

    /// The row of this time, made if it is not there.
    fn row_for(&mut self, time: i64) -> usize {
        self.grow_if_full();
        match self.times.last() {
            Some(last) if *last == time => return self.times.len() - 1,
            Some(last) if *last > time => {}
            _ => {
                self.times.push(time);
                return self.times.len() - 1;
            }
        }
        match self.times.binary_search(&time) {
            Ok(row) => row,
            Err(row) => {
                self.times.insert(row, time);
                for column in &mut self.columns {
                    column.insert_absent(row);
                }
                if row < self.positions.len() {
                    self.positions.insert(row, None);
                }
                row
            }
        }
    }

    /// Lets go of all rows but these.
    pub(super) fn keep_rows(&mut self, rows: std::ops::Range<usize>) {
        self.retain_rows(|row| rows.contains(&row));
    }

    /// Lets go of rows that `keep` does not want, and of columns in which nothing is left.
    pub(super) fn retain_rows(&mut self, keep: impl Fn(usize) -> bool) {
        fn cut<T>(list: &mut Vec<T>, keep: &impl Fn(usize) -> bool) {
            let mut row = 0;
            list.retain(|_| {
                row += 1;
                keep(row - 1)
            });
        }
        cut(&mut self.times, &keep);
        cut(&mut self.positions, &keep);
        for column in &mut self.columns {
            cut(&mut column.flags, &keep);
            cut(&mut column.values, &keep);
        }
        self.tidy();
    }

    /// Removes the readings of a metric, or all, at the times that `gone` names, and rows in which
    /// nothing is left then. Returns how many readings went.
    pub(super) fn remove(
        &mut self,
        metric: Option<MetricKey>,
        gone: std::ops::Range<usize>,
    ) -> usize {
        let before = self.readings;
        match metric {
            None => self.retain_rows(|row| !gone.contains(&row)),
            Some(metric) => {
                if let Some(column) = self.columns.iter_mut().find(|c| c.metric == metric) {
                    let end = gone.end.min(column.flags.len());
                    if let Some(flags) = column.flags.get_mut(gone.start.min(end)..end) {
                        flags.fill(ABSENT);
                    }
                }
                let left = |row: usize| {
                    self.columns.iter().any(|column| column.has(row))
                        || self.positions.get(row).is_some_and(Option::is_some)
                };
                let left: Vec<bool> = (0..self.times.len()).map(left).collect();
                self.retain_rows(|row| left[row]);
            }
        }
        before - self.readings
    }

    /// Removes all readings of some metrics. Returns how many went.
    pub(super) fn remove_metrics(&mut self, metrics: &BTreeSet<MetricKey>) -> usize {
        if !self.columns.iter().any(|column| metrics.contains(&column.metric)) {
            return 0;
        }
        let all = 0..self.times.len();
        metrics.iter().map(|metric| self.remove(Some(*metric), all.clone())).sum()
    }

    /// Forgets columns in which nothing is left, and counts anew.
    fn tidy(&mut self) {
        self.columns.retain(|column| column.flags.iter().any(|flag| *flag != ABSENT));
        let present = |column: &Column| column.flags.iter().filter(|f| **f != ABSENT).count();
        self.readings = self.columns.iter().map(present).sum();
    }

    /// Appends readings that are all later.
    pub(super) fn append(&mut self, later: &Self) {
        let offset = self.times.len();
        self.times.extend_from_slice(&later.times);
        if later.positions.iter().any(Option::is_some) {
            self.positions.resize(offset, None);
            self.positions.extend_from_slice(&later.positions);
        }
        for column in &later.columns {
            let known = self.columns.iter().position(|c| c.metric == column.metric);
            let own = known.unwrap_or_else(|| {
                self.columns.push(Column { metric: column.metric, ..Column::default() });
                self.columns.len() - 1
            });
            let own = &mut self.columns[own];
            own.flags.resize(offset, ABSENT);
            own.values.resize(offset, 0.0);
            let texts: Vec<usize> = column.texts.iter().map(|text| own.text_index(text)).collect();
            for (flag, value) in column.flags.iter().zip(&column.values) {
                let text = *flag != ABSENT && kind_of(*flag) == Some(Kind::Text);
                let moved = if text { texts.get(*value as usize).map(|t| *t as f64) } else { None };
                own.flags.push(*flag);
                own.values.push(moved.unwrap_or(*value));
            }
        }
        self.readings += later.readings;
    }

    pub(super) fn column(&self, metric: MetricKey) -> Option<&Column> {
        self.columns.iter().find(|column| column.metric == metric)
    }

    /// Whether there is a reading of this metric at this time.
    pub(super) fn has(&self, metric: MetricKey, time: i64) -> bool {
        let Some(column) = self.column(metric) else { return false };
        self.times.binary_search(&time).is_ok_and(|row| column.has(row))
    }
}

/// Between a half of `most` and all of it, at least one, by what `of` is.
pub(super) fn spread(most: usize, of: usize) -> usize {
    let half = (most / 2).max(1);
    half + FxBuildHasher.hash_one(of) as usize % half
}

/// The rows whose time is in `from <= time < to`.
pub(super) fn rows(times: &[i64], from: i64, to: i64) -> std::ops::Range<usize> {
    let first = times.partition_point(|time| *time < from);
    first..times.partition_point(|time| *time < to).max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: MetricKey = MetricKey(1);
    const B: MetricKey = MetricKey(2);

    fn put(
        device: &mut DeviceColumns,
        metric: MetricKey,
        time: i64,
        value: impl Into<Value>,
    ) -> Put {
        device.put(metric, time, &value.into(), Quality::Pass, None)
    }

    #[test]
    fn late_readings_find_their_place_and_the_last_one_written_stands() {
        let mut device = DeviceColumns::default();
        assert_eq!(put(&mut device, A, 10, 1.0), Put::New);
        assert_eq!(put(&mut device, B, 10, "开"), Put::New);
        assert_eq!(put(&mut device, A, 30, 3.0), Put::New);
        assert_eq!(put(&mut device, B, 20, true), Put::New);
        assert_eq!(put(&mut device, A, 30, 3.5), Put::Changed);
        assert_eq!(put(&mut device, A, 30, 3.5), Put::Same);
        assert_eq!(device.times, [10, 20, 30]);
        assert_eq!(device.readings, 4);
        let a = device.column(A).expect("metric A");
        assert_eq!([a.has(0), a.has(1), a.has(2)], [true, false, true]);
        assert_eq!(a.get(2), Some((Value::Number(3.5), Quality::Pass)));
        let b = device.column(B).expect("metric B");
        assert_eq!(b.get(0), Some(("开".into(), Quality::Pass)));
        assert_eq!(b.get(1), Some((true.into(), Quality::Pass)));
        assert!(!device.has(B, 30) && device.has(A, 30));
    }

    #[test]
    fn a_late_row_moves_positions_along() {
        let mut device = DeviceColumns::default();
        let at = |lon| Some(Position { lon, lat: 0.0 });
        device.put(A, 10, &1.0.into(), Quality::Pass, at(1.0));
        device.put(A, 30, &1.0.into(), Quality::Pass, at(3.0));
        device.put(A, 20, &1.0.into(), Quality::Pass, None);
        assert_eq!(device.positions, [at(1.0), None, at(3.0)]);
        assert_eq!(device.put(A, 20, &1.0.into(), Quality::Pass, at(2.0)), Put::Changed);
        assert_eq!(device.put(A, 20, &1.0.into(), Quality::Pass, None), Put::Same);
        assert_eq!(device.positions[1], at(2.0));
    }

    /// Devices that send in step do not all grow in the same step.
    #[test]
    fn devices_grow_at_different_times() {
        let mut devices = vec![DeviceColumns::default(); 200];
        let mut most = 0;
        for row in 0..4_096 {
            let mut grown = 0;
            for (device, index) in devices.iter_mut().zip(0..) {
                let before = device.times.capacity();
                put(device, A, row * 1_000_000 + index * 997, 1.0);
                grown += usize::from(device.times.capacity() != before);
                let column = &device.columns[0];
                assert_eq!(column.flags.capacity(), device.times.capacity());
                assert_eq!(column.values.capacity(), device.times.capacity());
            }
            if row > 64 {
                most = most.max(grown);
            }
        }
        assert!(most < 40, "{most} of 200 at once");
    }

    #[test]
    fn rows_are_half_open() {
        let times = [10, 20, 30];
        assert_eq!(rows(&times, 10, 30), 0..2);
        assert_eq!(rows(&times, 11, 20), 1..1);
        assert_eq!(rows(&times, 31, 5), 3..3);
    }
}
