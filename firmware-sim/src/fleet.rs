//! A city of simulated devices: pure functions of (seed, device, time).

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::build::{self, Builder};
use crate::city::{City, Now};
use crate::clock::from_millis;
use crate::fault::{Fault, FaultKind};
use crate::formats::{self, Encoder, Record};
use crate::incident::{Incident, IncidentKind, rfc3339};
use crate::kinds::{KINDS, Kind, Moment, Sample, Seed};
use crate::route::Ride;
use crate::scenario::{Backfill, Scenario};
use crate::sends::Sends;
use crate::zones::Zones;
use crate::{DeviceSpec, Label, SimError};

/// What a device is inside; beside it the [`DeviceSpec`] with the same index.
pub(crate) struct Unit {
    pub(crate) kind: &'static dyn Kind,
    pub(crate) format: &'static dyn Encoder,
    pub(crate) seed: Seed,
    pub(crate) zone: usize,
    /// Where it really stands, whatever its registry entry says; of no meaning for what moves.
    pub(crate) place: (f64, f64),
    pub(crate) ride: Option<Ride>,
    /// The index of its gateway.
    pub(crate) gateway: Option<usize>,
    /// Milliseconds from one message to the next.
    pub(crate) interval: i64,
    /// It sends when (time - phase) is a multiple of the interval, in milliseconds.
    pub(crate) phase: i64,
}

/// Who publishes: a device, or a cabinet for all its devices at once.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) devices: Vec<usize>,
    /// Which connection it uses, modulo their number.
    pub(crate) link: u64,
    pub(crate) interval: i64,
    pub(crate) phase: i64,
}

/// A simulated city.
pub struct Fleet {
    specs: Vec<DeviceSpec>,
    units: Vec<Unit>,
    index: HashMap<String, usize>,
    senders: Vec<Sender>,
    incidents: Vec<Incident>,
    /// For each device the incidents that act on it, by their start.
    struck: Vec<Vec<usize>>,
    /// How long the longest incident takes, in milliseconds.
    longest: i64,
    faults: Vec<Fault>,
    /// For each device the faults that it has at some time.
    faulty: Vec<Vec<usize>>,
    city: City,
    seed: u64,
    start: Timestamp,
    backfill: Option<Backfill>,
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fleet")
            .field("devices", &self.specs.len())
            .field("incidents", &self.incidents.len())
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}

impl Fleet {
    /// The city of a scenario. `zones` is the text of its zone file; incidents count from `start`.
    pub fn new(scenario: &Scenario, zones: &str, start: Timestamp) -> Result<Self, SimError> {
        let zones = Zones::parse(zones)?;
        let mut builder = Builder::new(scenario, &zones);
        builder.devices()?;
        let incidents = builder.incidents(start)?;
        let faults = builder.faults(start)?;
        let senders = builder.senders();
        let Builder { specs, units, .. } = builder;
        let index: HashMap<String, usize> =
            specs.iter().enumerate().map(|(index, spec)| (spec.id.clone(), index)).collect();
        let by_device = |lists: &mut dyn Iterator<Item = &[String]>| {
            let mut of_device = vec![Vec::new(); specs.len()];
            for (number, ids) in lists.enumerate() {
                for device in ids.iter().filter_map(|id| index.get(id)) {
                    of_device[*device].push(number);
                }
            }
            of_device
        };
        let length = |i: &Incident| i.end.as_millisecond() - i.start.as_millisecond();
        let longest = incidents.iter().map(length).max().unwrap_or(0);
        let struck = by_device(&mut incidents.iter().map(|incident| &*incident.devices));
        let faulty = by_device(&mut faults.iter().map(|fault| &*fault.devices));
        let [west, south, east, north] = zones.bounds;
        let city = City::new(
            scenario.seed,
            scenario.climate,
            &scenario.time_zone,
            f64::midpoint(west, east),
            f64::midpoint(south, north),
        );
        let backfill = scenario.backfill;
        Ok(Self {
            specs,
            units,
            index,
            senders,
            incidents,
            struck,
            longest,
            faults,
            faulty,
            city,
            seed: scenario.seed,
            start,
            backfill,
        })
    }

    /// All devices, in the shape that the registry imports; always in the same order.
    pub fn devices(&self) -> &[DeviceSpec] {
        &self.specs
    }

    /// The kinds with their names in both languages.
    pub fn kinds(&self) -> Vec<Label> {
        build::labels(KINDS).0
    }

    /// The departments with their names in both languages.
    pub fn departments(&self) -> Vec<Label> {
        build::labels(KINDS).1
    }

    /// What really happens, by the start: the ground truth for alert rules.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// What devices do wrong, or otherwise than one expects, in the scenario's order.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// All that an alert rule or a check of quality should find, to be written beside what is sent.
    pub fn truth(&self) -> Truth<'_> {
        Truth {
            seed: self.seed,
            start: self.start,
            incidents: &self.incidents,
            faults: &self.faults,
        }
    }

    /// Everything that it sends from its start on, without history.
    pub fn sends(&self) -> Sends<'_> {
        self.sends_from(self.start)
    }

    /// The same from another moment on; its message counters begin there.
    pub fn sends_from(&self, from: Timestamp) -> Sends<'_> {
        Sends::new(self, from, vec![0; self.specs.len()])
    }

    /// The instant from which incidents count.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// What the devices had stored before the start, as the scenario says.
    pub fn backfill(&self) -> Option<Backfill> {
        self.backfill
    }

    /// The place of a device in [`Fleet::devices`].
    pub fn index_of(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// What a device measures at a time; empty if there is no such device.
    pub fn values_at(&self, device: usize, time: Timestamp) -> Vec<Sample> {
        self.measure(device, time, &self.city.at(time)).0
    }

    /// Where a device is at a time, in degrees (lon, lat, WGS-84).
    pub fn position_at(&self, device: usize, time: Timestamp) -> Option<(f64, f64)> {
        let unit = self.units.get(device)?;
        Some(match &unit.ride {
            Some(ride) => ride.at(time.as_millisecond() as f64 / 1e3).0,
            None => unit.place,
        })
    }

    /// Whether a device cannot be heard at a time because its gateway is dark or has no power, or
    /// itself has none.
    pub fn is_silent(&self, device: usize, time: Timestamp) -> bool {
        self.acting(device, time).any(|(kind, strength, _)| kind.silences() && strength > 0.0)
    }

    /// The incidents that act on a device: kind, strength, peak.
    fn acting(
        &self,
        device: usize,
        time: Timestamp,
    ) -> impl Iterator<Item = (IncidentKind, f64, f64)> + '_ {
        let struck = self.struck.get(device).map_or(&[][..], Vec::as_slice);
        let begun = struck.partition_point(|number| self.incidents[*number].start <= time);
        let from = time.as_millisecond() - self.longest;
        let may_act =
            move |number: &&usize| self.incidents[**number].start.as_millisecond() >= from;
        struck[..begun].iter().rev().take_while(may_act).filter_map(move |number| {
            let incident = &self.incidents[*number];
            let strength = incident.strength(time);
            (strength > 0.0).then_some((incident.kind, strength, incident.peak))
        })
    }

    fn measure(
        &self,
        device: usize,
        time: Timestamp,
        now: &Now,
    ) -> (Vec<Sample>, Option<(f64, f64)>) {
        let mut samples = Vec::new();
        let Some(unit) = self.units.get(device) else { return (samples, None) };
        let effects: Vec<_> = self.acting(device, time).collect();
        let ride = unit.ride.map(|ride| ride.at(now.secs));
        let speed = ride.map_or(0.0, |(_, speed)| speed);
        let moment = Moment { now, device: unit.seed, effects: &effects, speed };
        unit.kind.measure(&moment, &mut samples);
        (samples, ride.map(|(place, _)| place))
    }

    pub(crate) fn senders(&self) -> &[Sender] {
        &self.senders
    }

    /// The format that a sender's firmware speaks at a time.
    pub(crate) fn format_of(&self, sender: &Sender, time: Timestamp) -> &'static dyn Encoder {
        let device = sender.devices[0];
        let updated = self.faults_of(device, time).filter_map(|fault| fault.format.as_deref());
        updated.last().and_then(formats::format).unwrap_or(self.units[device].format)
    }

    pub(crate) fn seed_of(&self, device: usize) -> u64 {
        self.units[device].seed.0
    }

    /// The faults that a device has at a time.
    pub(crate) fn faults_of(
        &self,
        device: usize,
        time: Timestamp,
    ) -> impl Iterator<Item = &Fault> + '_ {
        let faults = self.faulty.get(device).map_or(&[][..], Vec::as_slice);
        faults.iter().map(|number| &self.faults[*number]).filter(move |fault| fault.acts(time))
    }

    /// Whether what a device measures at a time is not sent yet.
    pub(crate) fn holds_back(&self, device: &DeviceSpec, time: Timestamp) -> bool {
        let Some(index) = self.index_of(&device.id) else { return false };
        let unit = &self.units[index];
        self.faults_of(index, time).any(|fault| fault.holds_back(unit.seed.0, time, unit.interval))
    }

    /// Appends what a sender has to say at a time: nothing of devices that cannot be heard, whose
    /// message counters go on all the same. `counters` has one for each device.
    pub(crate) fn records<'f>(
        &'f self,
        sender: &Sender,
        time: Timestamp,
        counters: &mut [u32],
        out: &mut Vec<Record<'f>>,
    ) {
        let now = self.city.at(time);
        for &device in &sender.devices {
            let unit = &self.units[device];
            let seed = unit.seed.0;
            let sent = counters[device];
            counters[device] = sent.wrapping_add(1);
            if self.is_silent(device, time) {
                continue;
            }
            let mut record = Record {
                device: &self.specs[device],
                time,
                samples: Vec::new(),
                position: None,
                counter: sent,
                seed,
            };
            (record.samples, record.position) = self.measure(device, time, &now);
            let mut is_up = true;
            for fault in self.faults_of(device, time) {
                match fault.kind {
                    FaultKind::Stuck => {
                        let then = self.city.at(fault.start);
                        record.samples = self.measure(device, fault.start, &then).0;
                    }
                    FaultKind::ClockDrift => record.time = from_millis(fault.clock(time)),
                    FaultKind::Reboots => match fault.count_since_start(time, unit.interval) {
                        Some(count) => record.counter = count,
                        None => is_up = false,
                    },
                    FaultKind::SwappedCoordinates | FaultKind::Gcj02 => {
                        record.position = record.position.and_then(|place| fault.kind.said(place));
                    }
                    _ => record.samples.iter_mut().for_each(|s| fault.spoil(s, seed, time)),
                }
            }
            if is_up {
                out.push(record);
            }
        }
    }
}

/// What really happens in a city and with its devices.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Truth<'f> {
    /// The number from which everything random follows.
    pub seed: u64,
    /// The start of the simulation.
    #[serde(serialize_with = "rfc3339")]
    pub start: Timestamp,
    /// What happens in the city, by the start.
    pub incidents: &'f [Incident],
    /// What devices do wrong.
    pub faults: &'f [Fault],
}

#[cfg(test)]
#[path = "fleet/tests.rs"]
mod tests;
