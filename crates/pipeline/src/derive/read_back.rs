//! What the store still knows: the last hours of a device after a start, and hours with late
//! readings, which are computed anew.

use std::sync::Arc;

use city_derive::{Hour, KEPT_HOURS, OpenHour, Pollutant, Slots, Station};
use city_model::{Device, Marks, MetricKey, Reading, SeriesKey, Span, Timestamp, Value};
use city_store::{Point, StoreError, TimeRange};

use super::plan::{Input, Plan, amount};
use super::watched::{Told, Watched};

/// Readings stored for a time further ahead than this were not trusted when they came.
const AHEAD: Span = Span::from_mins(5);

impl Plan {
    /// Reads an hour of a series back, and tells what follows from that.
    pub(super) fn correct(
        &self,
        watched: &mut Watched,
        pollutant: Pollutant,
        hour: Hour,
        now: Timestamp,
        out: &mut Vec<Reading>,
    ) -> Result<(), StoreError> {
        let Some(input) = self.inputs.iter().find(|input| input.pollutant == pollutant) else {
            return Ok(());
        };
        let range = TimeRange { from: hour.start(), to: hour.end() };
        let points = self.points(&watched.device, input.metric, range)?;
        let slots = watched.station.slots();
        let stored = hours(*input, slots, &points).pop().map(|(open, _)| open);
        if !watched.station.replace(pollutant, stored.unwrap_or_else(|| OpenHour::new(hour))) {
            return Ok(());
        }
        // Means of up to 24 hours hold it.
        let (oldest, over) = (watched.station.correctable(), watched.station.over());
        let first = hour.max(oldest.unwrap_or(hour));
        let last = hour.plus(23).min(over.unwrap_or(hour));
        for later in (first.0..=last.0).map(Hour) {
            if later == hour || watched.told.iter().any(|told| told.hour == later) {
                self.tell(watched, later, now, out);
            }
        }
        Ok(())
    }

    /// A device with what is stored of its last hours.
    pub(super) fn read_back(&self, device: &Arc<Device>, commit: u64, now: Timestamp) -> Watched {
        let mut watched = Watched {
            device: device.clone(),
            station: Station::new(device.interval),
            heard: now,
            simulated: None,
            late: Vec::new(),
            told: Vec::new(),
        };
        if let Some(range) = self.last_hours(device, now) {
            complain(self.read_series(&mut watched, range, commit, now));
            complain(self.read_told(&mut watched, range));
        }
        watched
    }

    /// As much before the device's newest reading as is kept of it; `None` if that is too long ago
    /// to matter.
    fn last_hours(&self, device: &Device, now: Timestamp) -> Option<TimeRange> {
        let last =
            |input: &Input| self.store.last(SeriesKey { device: device.key, metric: input.metric });
        let newest = self.inputs.iter().filter_map(last).map(|last| last.time).max()?.min(now);
        let hours = -(KEPT_HOURS as i64);
        let from = Hour::of(newest).plus(hours).start();
        (Hour::of(newest) >= Hour::of(now).plus(hours))
            .then_some(TimeRange { from, to: now + AHEAD })
    }

    fn read_series(
        &self,
        watched: &mut Watched,
        range: TimeRange,
        commit: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for input in &self.inputs {
            let series = SeriesKey { device: watched.device.key, metric: input.metric };
            let last = self.store.last(series);
            let Some(last) = last.filter(|last| last.time >= range.from) else { continue };
            if last.marks.has(Marks::SIMULATED) {
                watched.simulated = watched.simulated.max(Some(last.time));
            }
            let points = self.points(&watched.device, input.metric, range)?;
            let hours = hours(*input, watched.station.slots(), &points);
            let newest = hours.last().map(|(_, newest)| *newest);
            let hours: Vec<OpenHour> = hours.into_iter().map(|(open, _)| open).collect();
            if let Some(open) = hours.last() {
                // Some of it may be under way to the store: look again when it is over.
                watched.late(input.pollutant, open.hour, commit, now);
            }
            let (basis, heard) = (input.intake.basis, last.time.min(now));
            watched.station.load(input.pollutant, basis, heard, hours, newest);
        }
        Ok(())
    }

    /// What was derived for the device's last hours.
    fn read_told(&self, watched: &mut Watched, range: TimeRange) -> Result<(), StoreError> {
        for (output, spec) in self.outputs.iter().enumerate() {
            if !spec.selects(&watched.device.kind) {
                continue;
            }
            let primaries = self.points(&watched.device, spec.primary, range)?;
            for point in self.points(&watched.device, spec.index, range)? {
                let primary = primaries.iter().find(|primary| primary.time == point.time);
                let (Some(index), Some(Value::Text(primary))) =
                    (point.value.as_f64(), primary.map(|primary| &primary.value))
                else {
                    continue;
                };
                let hour = Hour::of(point.time).plus(-1);
                let (index, primary) = (index as u32, primary.clone());
                watched.told.push(Told { hour, output, index, primary });
            }
        }
        Ok(())
    }

    fn points(
        &self,
        device: &Device,
        metric: MetricKey,
        range: TimeRange,
    ) -> Result<Vec<Point>, StoreError> {
        self.store.raw(SeriesKey { device: device.key, metric }, range, usize::MAX)
    }
}

/// Stored readings by hour, each with the newest time in it.
fn hours(input: Input, slots: Slots, points: &[Point]) -> Vec<(OpenHour, Timestamp)> {
    let mut hours: Vec<(OpenHour, Timestamp)> = Vec::new();
    for point in points {
        let Some(amount) = amount(input, &point.value, point.quality) else { continue };
        let hour = Hour::of(point.time);
        if hours.last().is_none_or(|(open, _)| open.hour != hour) {
            hours.push((OpenHour::new(hour), point.time));
        }
        if let Some((open, newest)) = hours.last_mut() {
            open.add(slots, point.time, amount);
            *newest = point.time;
        }
    }
    hours
}

pub(super) fn complain(result: Result<(), StoreError>) {
    if let Err(error) = result {
        tracing::error!(error.cause = %error, "what is derived lacks readings that cannot be read back");
    }
}
