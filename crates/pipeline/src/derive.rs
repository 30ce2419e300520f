//! The derive stage: what is computed from a commit's readings joins the commit, at its end, so
//! that it is as durable as they are and reaches rules and live views as any reading does.
//!
//! Readings in order are summed up as they come. Whatever comes late, or twice, marks its hour: that
//! hour is read back from the store once it is durable there, so that a redelivery changes nothing
//! and a correction counts as what now stands. A restart reads the last hours back in the same way
//! and computes what is not stored yet, so it changes nothing either.
//!
//! An hour is over when the device is a minute into the next, or has been silent for two minutes
//! after its end. That is looked at whenever messages come, from whatever device.

use std::sync::Arc;

use city_derive::{
    AqiConfig, Form, Hour, Intake, KEPT_HOURS, OpenHour, Pollutant, Slots, Standard, Station, Taken,
};
use city_model::{
    Device, DeviceKey, Directory, Marks, MetricKey, Quality, Reading, SeriesKey, SharedClock, Span,
    Timestamp, Value,
};
use city_registry::{Registry, RegistryError};
use city_store::{Commit, Point, SharedStore, StoreError, TimeRange};

/// The source that derived readings are counted for in the ledger.
pub const DERIVED_SOURCE: &str = "derived";

/// After how many commits a reading is surely durable: its own waits for the committer, which
/// works on the one before.
const DURABLE_AFTER: u64 = 3;

/// How long a device must be silent after the end of an hour for the hour to be over.
const QUIET: Span = Span::from_mins(2);

/// How often devices are looked at that may be silent.
const LOOK_EVERY: Span = Span::from_secs(10);

/// How long late readings are gathered before what was derived is corrected.
const SETTLE: Span = Span::from_secs(30);

/// Devices read back for each commit after a start, beside those that send.
const READ_BACK: usize = 8;

/// Readings stored for a time further ahead than this were not trusted when they came.
const AHEAD: Span = Span::from_mins(5);

/// Derives series from readings; one thread calls it.
pub(crate) struct Deriver {
    plan: Plan,
    clock: SharedClock,
    /// By device key.
    devices: Vec<Slot>,
    watched: Vec<DeviceKey>,
    /// Devices with readings of before the start that have not been read back yet.
    waiting: Vec<DeviceKey>,
    /// Devices with late readings.
    late: Vec<DeviceKey>,
    commits: u64,
    looked: Timestamp,
}

/// What is known of a device.
#[derive(Default)]
enum Slot {
    #[default]
    Unknown,
    /// Nothing is derived for its kind.
    Other(Arc<str>),
    Watched(Box<Watched>),
}

/// A device for which something is derived.
struct Watched {
    device: Arc<Device>,
    station: Station,
    /// When it was heard last, by the clock.
    heard: Timestamp,
    /// The newest simulated reading.
    simulated: Option<Timestamp>,
    late: Vec<LateHour>,
    /// What was derived for the hours that can still be corrected.
    told: Vec<Told>,
}

/// An hour of a series with late readings.
struct LateHour {
    pollutant: Pollutant,
    hour: Hour,
    /// The commit of the last of them.
    commit: u64,
    since: Timestamp,
}

/// A report that was derived.
#[derive(PartialEq)]
struct Told {
    hour: Hour,
    output: usize,
    index: u32,
    primary: Arc<str>,
}

/// What is derived from what, and where it goes.
struct Plan {
    store: SharedStore,
    /// The number of [`DERIVED_SOURCE`] in the ledger.
    number: u16,
    inputs: Vec<Input>,
    /// By metric key, as an index into `inputs`.
    by_metric: Vec<Option<u8>>,
    outputs: Vec<Output>,
}

#[derive(Clone, Copy)]
struct Input {
    pollutant: Pollutant,
    metric: MetricKey,
    intake: Intake,
}

struct Output {
    standard: &'static Standard,
    kinds: Vec<String>,
    form: Form,
    index: MetricKey,
    primary: MetricKey,
}

impl Deriver {
    /// `None` if nothing is to be derived.
    pub(crate) fn new(
        configs: &[AqiConfig],
        registry: &Registry,
        store: &SharedStore,
        clock: SharedClock,
    ) -> Result<Option<Self>, RegistryError> {
        if configs.is_empty() {
            return Ok(None);
        }
        let plan = Plan::new(configs, registry, store.clone())?;
        let mut waiting = Vec::new();
        store.each_last(&mut |series, _| {
            if plan.input(series.metric).is_some() {
                waiting.push(series.device);
            }
        });
        waiting.sort_unstable();
        waiting.dedup();
        Ok(Some(Self {
            plan,
            clock,
            devices: Vec::new(),
            watched: Vec::new(),
            waiting,
            late: Vec::new(),
            commits: 0,
            looked: Timestamp::MIN,
        }))
    }

    /// Adds to a commit what follows from its readings.
    pub(crate) fn derive(&mut self, directory: &Directory, commit: &mut Commit) {
        self.commits += 1;
        let now = self.clock.now();
        let mut out = Vec::new();
        for reading in &commit.readings {
            self.take(directory, reading, now, &mut out);
        }
        self.read_back(directory, now, &mut out);
        self.end_quiet_hours(now, &mut out);
        self.correct(now, &mut out);
        commit.sources.extend(std::iter::repeat_n(self.plan.number, out.len()));
        commit.readings.append(&mut out);
    }

    fn take(
        &mut self,
        directory: &Directory,
        reading: &Reading,
        now: Timestamp,
        out: &mut Vec<Reading>,
    ) {
        let Some(input) = self.plan.input(reading.series.metric) else { return };
        if reading.marks.has(Marks::FUTURE) {
            return; // its time says nothing
        }
        let (key, commit) = (reading.series.device, self.commits);
        let Some(device) = directory.device(key) else { return };
        self.know(device, now, out);
        let Some(Slot::Watched(watched)) = self.devices.get_mut(key.index()) else { return };
        watched.heard = now;
        if reading.marks.has(Marks::SIMULATED) {
            watched.simulated = watched.simulated.max(Some(reading.time));
        }
        let amount = amount(input, &reading.value, reading.quality);
        let basis = input.intake.basis;
        match watched.station.take(input.pollutant, basis, reading.time, amount) {
            Taken::InTime => {
                let finished = watched.station.finished();
                self.plan.end_hours(watched, finished, now, out);
            }
            Taken::Late(hour) => {
                if watched.late.is_empty() {
                    self.late.push(key);
                }
                watched.late(input.pollutant, hour, commit, now);
            }
            Taken::TooOld => {}
        }
    }

    /// Makes sure that a device is known as it is in the directory now.
    fn know(&mut self, device: &Arc<Device>, now: Timestamp, out: &mut Vec<Reading>) {
        let index = device.key.index();
        if self.devices.len() <= index {
            self.devices.resize_with(index + 1, Slot::default);
        }
        match &mut self.devices[index] {
            Slot::Other(kind) if *kind == device.kind => return,
            Slot::Watched(watched) if Arc::ptr_eq(&watched.device, device) => return,
            Slot::Watched(watched)
                if watched.device.kind == device.kind
                    && watched.device.interval == device.interval =>
            {
                watched.device = device.clone();
                return;
            }
            _ => {}
        }
        if matches!(self.devices[index], Slot::Watched(_)) {
            self.watched.retain(|key| *key != device.key);
            self.late.retain(|key| *key != device.key);
        }
        self.devices[index] = if self.plan.selects(&device.kind) {
            let mut watched = self.plan.read_back(device, self.commits, now);
            self.plan.tell_what_is_missing(&mut watched, now, out);
            self.watched.push(device.key);
            if !watched.late.is_empty() {
                self.late.push(device.key);
            }
            Slot::Watched(Box::new(watched))
        } else {
            Slot::Other(device.kind.clone())
        };
    }

    /// Reads back some of the devices that have not sent since the start.
    fn read_back(&mut self, directory: &Directory, now: Timestamp, out: &mut Vec<Reading>) {
        let from = self.waiting.len().saturating_sub(READ_BACK);
        for key in self.waiting.split_off(from) {
            let known = self.devices.get(key.index());
            let unknown = known.is_none_or(|slot| matches!(slot, Slot::Unknown));
            if let Some(device) = directory.device(key).filter(|_| unknown) {
                self.know(device, now, out);
            }
        }
    }

    /// Ends the hours of devices that have nothing more to say about them.
    fn end_quiet_hours(&mut self, now: Timestamp, out: &mut Vec<Reading>) {
        // The clock may have gone back.
        if now.since(self.looked) < LOOK_EVERY && now >= self.looked {
            return;
        }
        self.looked = now;
        let ended = Hour::of(now - QUIET);
        for key in &self.watched {
            let Some(Slot::Watched(watched)) = self.devices.get_mut(key.index()) else { continue };
            if now.since(watched.heard) >= QUIET {
                let open = watched.station.open_before(ended);
                self.plan.end_hours(watched, open, now, out);
            }
        }
    }

    /// Reads hours with late readings back, and tells what changes by that.
    fn correct(&mut self, now: Timestamp, out: &mut Vec<Reading>) {
        let (devices, plan, commits) = (&mut self.devices, &self.plan, self.commits);
        self.late.retain(|key| {
            let Some(Slot::Watched(watched)) = devices.get_mut(key.index()) else { return false };
            let late = std::mem::take(&mut watched.late);
            for mut hour in late {
                let over = watched.station.over().is_some_and(|over| hour.hour <= over);
                let waits = now.since(hour.since) < SETTLE && now >= hour.since;
                if !over || waits || commits <= DURABLE_AFTER {
                    watched.late.push(hour);
                    continue;
                }
                let durable = commits >= hour.commit + DURABLE_AFTER;
                match plan.correct(watched, hour.pollutant, hour.hour, now, out) {
                    Ok(()) if durable => {}
                    result => {
                        complain(result);
                        hour.since = now;
                        watched.late.push(hour);
                    }
                }
            }
            !watched.late.is_empty()
        });
    }
}

impl Watched {
    /// Notes a late reading.
    fn late(&mut self, pollutant: Pollutant, hour: Hour, commit: u64, now: Timestamp) {
        let same = |late: &&mut LateHour| late.pollutant == pollutant && late.hour == hour;
        match self.late.iter_mut().find(same) {
            Some(late) => late.commit = commit,
            None => self.late.push(LateHour { pollutant, hour, commit, since: now }),
        }
    }
}

impl Plan {
    fn new(
        configs: &[AqiConfig],
        registry: &Registry,
        store: SharedStore,
    ) -> Result<Self, RegistryError> {
        let numbers = registry.source_numbers([DERIVED_SOURCE])?;
        let mut outputs = Vec::new();
        for config in configs {
            for form in Form::ALL {
                let metrics = config.standard.metrics(form);
                outputs.push(Output {
                    standard: config.standard,
                    kinds: config.kinds.clone(),
                    form,
                    index: registry.metric(metrics.index, "1")?,
                    primary: registry.metric(metrics.primary, "1")?,
                });
            }
        }
        let directory = registry.directory();
        let (mut inputs, mut by_metric) = (Vec::new(), vec![None; directory.metrics.len()]);
        for pollutant in Pollutant::ALL {
            let Some(metric) = directory.metrics.by_id(pollutant.metric()) else { continue };
            let Some(intake) = Intake::of(&metric.unit) else {
                tracing::warn!(
                    metric = &*metric.id,
                    unit = &*metric.unit,
                    "no air quality index can be made of this unit; use ug/m3, mg/m3, [ppb] or [ppm]"
                );
                continue;
            };
            by_metric[metric.key.index()] = Some(inputs.len() as u8);
            inputs.push(Input { pollutant, metric: metric.key, intake });
        }
        let number = numbers.first().copied().unwrap_or_default();
        Ok(Self { store, number, inputs, by_metric, outputs })
    }

    fn input(&self, metric: MetricKey) -> Option<Input> {
        let place = self.by_metric.get(metric.index()).copied().flatten()?;
        self.inputs.get(usize::from(place)).copied()
    }

    fn selects(&self, kind: &str) -> bool {
        self.outputs.iter().any(|output| output.selects(kind))
    }

    /// Ends hours, and tells what follows from each.
    fn end_hours(
        &self,
        watched: &mut Watched,
        hours: Vec<Hour>,
        now: Timestamp,
        out: &mut Vec<Reading>,
    ) {
        for hour in hours {
            watched.station.close(hour);
            self.tell(watched, hour, now, out);
            let oldest = watched.station.correctable();
            watched.told.retain(|told| oldest.is_none_or(|oldest| told.hour >= oldest));
        }
    }

    /// Derives the reports of an hour that is over; those that were told already are no news.
    fn tell(&self, watched: &mut Watched, hour: Hour, now: Timestamp, out: &mut Vec<Reading>) {
        for (output, spec) in self.outputs.iter().enumerate() {
            if !spec.selects(&watched.device.kind) {
                continue;
            }
            let day = watched.station.day(hour, spec.standard);
            let Some(aqi) = spec.standard.report(spec.form, &day) else { continue };
            let primary: Arc<str> = aqi.primary_text().into();
            let told = Told { hour, output, index: aqi.index, primary: primary.clone() };
            if watched.told.contains(&told) {
                continue;
            }
            watched.told.retain(|before| (before.hour, before.output) != (hour, output));
            watched.told.push(told);
            let quality = quality(&watched.station, &aqi.sub);
            let index = Value::Number(f64::from(aqi.index));
            for (metric, value) in [(spec.index, index), (spec.primary, Value::Text(primary))] {
                out.push(watched.reading(metric, hour, value, quality, now));
            }
        }
    }

    /// Tells what an earlier run could not tell any more, or could not know.
    fn tell_what_is_missing(&self, watched: &mut Watched, now: Timestamp, out: &mut Vec<Reading>) {
        // Nothing is told of the first of them: the day before them was not read back.
        for hour in watched.station.finished() {
            watched.station.close(hour);
        }
        let (Some(oldest), Some(over)) = (watched.station.correctable(), watched.station.over())
        else {
            return;
        };
        watched.told.retain(|told| told.hour >= oldest);
        let hours = (oldest.0..=over.0).map(Hour);
        for hour in hours.filter(|hour| watched.station.has_means(*hour)).collect::<Vec<_>>() {
            self.tell(watched, hour, now, out);
        }
    }

    /// Reads an hour of a series back, and tells what follows from that.
    fn correct(
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
    fn read_back(&self, device: &Arc<Device>, commit: u64, now: Timestamp) -> Watched {
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

impl Output {
    fn selects(&self, kind: &str) -> bool {
        self.kinds.iter().any(|selected| selected == kind)
    }
}

impl Watched {
    fn reading(
        &self,
        metric: MetricKey,
        hour: Hour,
        value: Value,
        quality: Quality,
        now: Timestamp,
    ) -> Reading {
        let mut marks = Marks::DERIVED;
        let simulated = self.simulated.is_some_and(|at| at >= hour.plus(-23).start());
        if self.device.simulated || simulated {
            marks = marks.with(Marks::SIMULATED);
        }
        Reading {
            series: SeriesKey { device: self.device.key, metric },
            time: hour.end(),
            received: now,
            value,
            quality,
            marks,
            position: None,
            zones: self.device.zones.clone(),
        }
    }
}

/// Passed if every pollutant of the standard is in the index; suspect if the device measures one
/// that is not, because too little of it is valid; not evaluated if it does not measure them all.
fn quality(station: &Station, sub: &[Option<u32>; 6]) -> Quality {
    let lacks = |pollutant: &Pollutant| sub[pollutant.index()].is_none();
    let mut lacking = Pollutant::ALL.into_iter().filter(lacks).peekable();
    if lacking.peek().is_none() {
        Quality::Pass
    } else if lacking.any(|pollutant| station.measures(pollutant)) {
        Quality::Suspect
    } else {
        Quality::NotEvaluated
    }
}

/// The amount that a reading tells; `None` if it is flagged or is no number.
fn amount(input: Input, value: &Value, quality: Quality) -> Option<city_derive::Decimal> {
    match value {
        Value::Number(number) if quality.is_trusted() => input.intake.amount(*number),
        _ => None,
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

fn complain(result: Result<(), StoreError>) {
    if let Err(error) = result {
        tracing::error!(%error, "what is derived lacks readings that cannot be read back");
    }
}
