//! A city of simulated devices: pure functions of (seed, device, time).

use std::collections::HashMap;

use jiff::Timestamp;

use crate::build::{self, Builder};
use crate::city::{City, Now};
use crate::formats::{Encoder, Record};
use crate::incident::{Incident, IncidentKind};
use crate::kinds::{KINDS, Kind, Moment, Sample, Seed};
use crate::route::Ride;
use crate::scenario::{Backfill, Scenario};
use crate::zones::Zones;
use crate::{DeviceSpec, Label, SimError};

/// What a device is inside; beside it the [`DeviceSpec`] with the same index.
pub(crate) struct Unit {
    pub(crate) kind: &'static dyn Kind,
    pub(crate) format: &'static dyn Encoder,
    pub(crate) seed: Seed,
    pub(crate) zone: usize,
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
    city: City,
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
        let senders = builder.senders();
        let Builder { specs, units, .. } = builder;
        let index: HashMap<String, usize> =
            specs.iter().enumerate().map(|(index, spec)| (spec.id.clone(), index)).collect();
        let mut struck = vec![Vec::new(); specs.len()];
        for (number, incident) in incidents.iter().enumerate() {
            for device in incident.devices.iter().filter_map(|id| index.get(id)) {
                struck[*device].push(number);
            }
        }
        let [west, south, east, north] = zones.bounds;
        let city = City::new(
            scenario.seed,
            scenario.climate,
            &scenario.time_zone,
            f64::midpoint(west, east),
            f64::midpoint(south, north),
        );
        let backfill = scenario.backfill;
        Ok(Self { specs, units, index, senders, incidents, struck, city, start, backfill })
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
        match (&unit.ride, &self.specs[device].position) {
            (Some(ride), _) => Some(ride.at(time.as_millisecond() as f64 / 1e3).0),
            (None, Some(position)) => Some((position.lon, position.lat)),
            (None, None) => None,
        }
    }

    /// Whether a device cannot be heard at a time because its gateway is dark.
    pub fn is_silent(&self, device: usize, time: Timestamp) -> bool {
        self.acting(device, time)
            .any(|(kind, strength, _)| kind == IncidentKind::DarkGateway && strength > 0.0)
    }

    /// The incidents that act on a device: kind, strength, peak.
    fn acting(
        &self,
        device: usize,
        time: Timestamp,
    ) -> impl Iterator<Item = (IncidentKind, f64, f64)> + '_ {
        let struck = self.struck.get(device).map_or(&[][..], Vec::as_slice);
        let begun = struck.partition_point(|number| self.incidents[*number].start <= time);
        // No place is struck again before the last few incidents are over.
        struck[begun.saturating_sub(4)..begun].iter().filter_map(move |number| {
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

    pub(crate) fn format_of(&self, sender: &Sender) -> &'static dyn Encoder {
        self.units[sender.devices[0]].format
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
            let counter = counters[device];
            counters[device] = counter.wrapping_add(1);
            if self.is_silent(device, time) {
                continue;
            }
            let (samples, position) = self.measure(device, time, &now);
            let seed = self.units[device].seed.0;
            out.push(Record {
                device: &self.specs[device],
                time,
                samples,
                position,
                counter,
                seed,
            });
        }
    }
}

#[cfg(test)]
#[path = "fleet/tests.rs"]
mod tests;
