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

mod plan;
mod read_back;
mod watched;

use std::sync::Arc;

use city_derive::{AqiConfig, Hour, Taken};
use city_model::{Device, DeviceKey, Directory, Marks, Reading, SharedClock, Span, Timestamp};
use city_registry::{Registry, RegistryError};
use city_store::{Commit, SharedStore};

use plan::{Plan, amount};
use read_back::complain;
use watched::Watched;

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
