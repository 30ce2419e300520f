//! Reads of what is only at the server: by Flux, streamed, one record in memory at a time.

use std::collections::{BTreeMap, BTreeSet};

use city_model::{DeviceKey, MetricKey, Position, Quality, SeriesKey, Span, Timestamp, Value};
use rustc_hash::FxHashMap;

use super::Influx;
use super::client::Refusal;
use super::csv::Decoder;
use super::flux::{self, Ask};
use super::line::{self, Name};
use crate::steps::Stats;
use crate::{Cancel, Point, StoreError, StoreErrorKind, TimeRange};

/// Series in one query.
const SERIES: usize = 100;

/// Records of one answer are handed to `take` until it has enough.
async fn pull(
    influx: &Influx,
    flux: &str,
    mut take: impl FnMut(&Decoder) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let refused = |e: Refusal| e.into_error("read from", &influx.server);
    let mut rows = influx.client.query(flux).await.map_err(refused)?;
    while let Some(row) = rows.next().await.map_err(refused)? {
        if !take(row)? {
            break;
        }
    }
    Ok(())
}

impl Influx {
    pub(super) fn far_raw(
        &self,
        series: SeriesKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<Point>, StoreError> {
        let Some(source) = flux::source(&self.bucket, range).filter(|_| limit > 0) else {
            return Ok(Vec::new());
        };
        let name = Name::of(series, &*self.naming);
        let mut points = Vec::new();
        self.wait(pull(self, &flux::raw(&source, &name, limit), |row| {
            points.push(point(row)?);
            Ok(points.len() < limit)
        }))?;
        Ok(points)
    }

    pub(super) fn far_track(
        &self,
        device: DeviceKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Position)>, StoreError> {
        let Some(source) = flux::source(&self.bucket, range).filter(|_| limit > 0) else {
            return Ok(Vec::new());
        };
        let tag = line::device_tag(device, &*self.naming);
        let mut track: Vec<(Timestamp, Position)> = Vec::new();
        self.wait(pull(self, &flux::track(&source, &tag, limit), |row| {
            let time = time(row, "_time")?;
            let position = Position { lon: number(row, "lon")?, lat: number(row, "lat")? };
            match track.last_mut() {
                Some(last) if last.0 == time => last.1 = position,
                _ => track.push((time, position)),
            }
            Ok(track.len() <= limit)
        }))?;
        track.truncate(limit);
        Ok(track)
    }

    pub(super) fn far_count(
        &self,
        device: Option<DeviceKey>,
        metric: Option<MetricKey>,
        range: TimeRange,
    ) -> Result<u64, StoreError> {
        let Some(source) = flux::source(&self.bucket, range) else { return Ok(0) };
        let name = |device| {
            let series = SeriesKey { device, metric: metric.unwrap_or_default() };
            Name::of(series, &*self.naming)
        };
        let name = device.map(name);
        let of = name.as_ref().map(|name| {
            let measurement = metric.is_some().then_some(&*name.measurement);
            (&*name.device, measurement)
        });
        let mut count = 0;
        self.wait(pull(self, &flux::count(&source, of), |row| {
            count += integer(row, "_value")?;
            Ok(true)
        }))?;
        Ok(count)
    }

    /// The metrics that a device has readings of in a range. Those that nobody here has a name for
    /// are not among them.
    pub(super) fn far_metrics(
        &self,
        device: DeviceKey,
        range: TimeRange,
    ) -> Result<Vec<MetricKey>, StoreError> {
        let Some(source) = flux::source(&self.bucket, range) else { return Ok(Vec::new()) };
        let tag = line::device_tag(device, &*self.naming);
        let mut there: BTreeSet<String> = BTreeSet::new();
        self.wait(pull(self, &flux::measurements(&source, &tag), |row| {
            there.insert(cell(row, "_measurement")?.to_owned());
            Ok(true)
        }))?;
        let named = |key: &MetricKey| {
            let series = SeriesKey { device, metric: *key };
            there.contains(&Name::of(series, &*self.naming).measurement)
        };
        let keys = (0..=u16::MAX).map(MetricKey);
        Ok(if there.is_empty() { Vec::new() } else { keys.filter(named).collect() })
    }

    /// The newest reading of a series in a range.
    pub(super) fn far_newest(
        &self,
        series: SeriesKey,
        range: TimeRange,
    ) -> Result<Option<Point>, StoreError> {
        let Some(source) = flux::source(&self.bucket, range) else { return Ok(None) };
        let name = Name::of(series, &*self.naming);
        let mut newest: Option<Timestamp> = None;
        self.wait(pull(self, &flux::newest(&source, &name), |row| {
            newest = newest.max(Some(time(row, "_time")?));
            Ok(true)
        }))?;
        let Some(time) = newest else { return Ok(None) };
        let at = TimeRange { from: time, to: time + Span::from_micros(1) };
        Ok(self.far_raw(series, at, 1)?.pop())
    }

    /// Hands out statistics of series, by step or of the whole range, with where the step starts.
    /// The series are sorted, and none is named twice.
    pub(super) fn far_stats(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        step: Option<Span>,
        cancel: &Cancel,
        mut each: impl FnMut(Timestamp, SeriesKey, &Stats),
    ) -> Result<(), StoreError> {
        let Some(source) = flux::source(&self.bucket, range) else { return Ok(()) };
        for of in series.chunks(SERIES) {
            let names: Vec<Name> = of.iter().map(|of| Name::of(*of, &*self.naming)).collect();
            let places: FxHashMap<(&str, &str), usize> = (0..)
                .zip(&names)
                .map(|(place, name)| ((&*name.measurement, &*name.device), place))
                .collect();
            let all: Vec<&Name> = names.iter().collect();
            let mut parts: BTreeMap<(i64, usize), Part> = BTreeMap::new();
            let flux = flux::steps(&source, &all, step);
            let work = pull(self, &flux, |row| {
                let name = (cell(row, "_measurement")?, cell(row, "device")?);
                let Some(place) = places.get(&name) else { return Ok(true) };
                // The first step is cut off by the range: it starts before.
                let start = time(row, "_start")?;
                let start = step.map_or(start, |step| start.floor_to(step));
                parts.entry((start.micros(), *place)).or_default().take(row)?;
                Ok(true)
            });
            self.wait_unless(cancel, work)?;
            for ((start, place), part) in parts {
                each(Timestamp::from_micros(start), of[place], &part.stats());
            }
        }
        Ok(())
    }
}

/// One step of one series: numbers, and truth values beside them.
#[derive(Debug, Default)]
struct Part {
    numbers: Stats,
    states: u64,
    true_states: u64,
    last_state: Option<(i64, bool)>,
}

impl Part {
    fn take(&mut self, row: &Decoder) -> Result<(), StoreError> {
        let result = cell(row, "result")?;
        let Some(ask) = Ask::ALL.into_iter().find(|ask| ask.name() == result) else {
            return Err(odd(&format!("a result `{result}` that was not asked for")));
        };
        // Makes 0 of -0, as everywhere in statistics.
        let number = || number(row, "_value").map(|number| number + 0.0);
        match ask {
            Ask::Count => self.numbers.count = integer(row, "_value")?,
            Ask::Sum => self.numbers.sum = number()?,
            Ask::Min => self.numbers.min = number()?,
            Ask::Max => self.numbers.max = number()?,
            Ask::Last => {
                self.numbers.last = number()?;
                self.numbers.last_time = time(row, "_time")?.micros();
            }
            Ask::States => self.states = integer(row, "_value")?,
            Ask::TrueStates => self.true_states = integer(row, "_value")?,
            Ask::LastState => {
                let state = cell(row, "_value")? == "true";
                self.last_state = Some((time(row, "_time")?.micros(), state));
            }
            Ask::Flagged => self.numbers.flagged = integer(row, "_value")?,
        }
        Ok(())
    }

    fn stats(self) -> Stats {
        let mut all = self.numbers;
        let as_number = |state| if state { 1.0 } else { 0.0 };
        if let Some((time, last)) = self.last_state {
            all.merge(&Stats {
                count: self.states,
                min: as_number(self.true_states == self.states),
                max: as_number(self.true_states > 0),
                sum: self.true_states as f64,
                last: as_number(last),
                last_time: time,
                flagged: 0,
            });
        }
        all
    }
}

/// A reading from a row of `flux::raw`.
fn point(row: &Decoder) -> Result<Point, StoreError> {
    let code = integer(row, "quality")?;
    let quality = u8::try_from(code)
        .ok()
        .and_then(Quality::from_code)
        .ok_or_else(|| odd(&format!("the quality {code}")))?;
    let counts = crate::steps::counts(quality);
    let of =
        |name| row.place(name).and_then(|place| row.cell(place)).filter(|cell| !cell.is_empty());
    // A point has one of them. Should it have two, because somebody else wrote there, the quality
    // says which.
    let (number, other) = if counts { ("value", "rejected") } else { ("rejected", "value") };
    let (state, other_state) =
        if counts { ("state", "rejected_state") } else { ("rejected_state", "state") };
    let value = if let Some(cell) = of(number).or_else(|| of(other)) {
        Value::Number(parse(cell)?)
    } else if let Some(cell) = of(state).or_else(|| of(other_state)) {
        Value::Bool(cell == "true")
    } else {
        // An empty text and none at all look the same.
        Value::Text(line::text_of(of("text").unwrap_or_default()))
    };
    Ok(Point { time: time(row, "_time")?, value, quality })
}

fn cell<'a>(row: &'a Decoder, column: &str) -> Result<&'a str, StoreError> {
    let place = row.place(column).ok_or_else(|| odd(&format!("no column `{column}`")))?;
    row.cell(place).ok_or_else(|| odd(&format!("a column `{column}` that is no text")))
}

fn time(row: &Decoder, column: &str) -> Result<Timestamp, StoreError> {
    let cell = cell(row, column)?;
    cell.parse().map_err(|_| odd(&format!("the time `{cell}`")))
}

fn integer(row: &Decoder, column: &str) -> Result<u64, StoreError> {
    let cell = cell(row, column)?;
    cell.parse().map_err(|_| odd(&format!("`{cell}` where a count should be")))
}

fn number(row: &Decoder, column: &str) -> Result<f64, StoreError> {
    parse(cell(row, column)?)
}

fn parse(cell: &str) -> Result<f64, StoreError> {
    cell.parse().map_err(|_| odd(&format!("`{cell}` where a number should be")))
}

fn odd(what: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::Other,
        format!(
            "InfluxDB answered with {what}; is the bucket written by something else than citybrain?"
        ),
    )
}
