//! The kinds of devices: what each measures, how that goes over a day, and what incidents do to it.
//!
//! To add a kind: one file here and one line in [`KINDS`].

mod air_station;
mod bus;
mod gateway;
mod noise_meter;
mod parking_garage;
mod street_light;
mod traffic_loop;
mod waste_bin;
mod water_gauge;
mod weather_station;

use std::collections::BTreeMap;

use crate::city::Now;
use crate::noise::{between, jitter, mix, round, smooth};
use crate::{Attribute, IncidentKind, LocalText};

/// Every kind there is.
pub static KINDS: &[&dyn Kind] = &[
    &air_station::AirStation,
    &noise_meter::NoiseMeter,
    &weather_station::WeatherStation,
    &traffic_loop::TrafficLoop,
    &water_gauge::WaterGauge,
    &parking_garage::ParkingGarage,
    &street_light::StreetLight,
    &waste_bin::WasteBin,
    &bus::Bus,
    &gateway::Gateway,
];

/// The kind through which others send.
pub(crate) const GATEWAY: &str = "gateway";

/// The kind that moves along routes.
pub(crate) const BUS: &str = "bus";

/// A kind of device.
pub trait Kind: Send + Sync {
    /// Its name in files and the API.
    fn id(&self) -> &'static str;

    /// What people call it.
    fn name(&self) -> LocalText;

    /// The department that owns such devices: its name in files, and what people call it.
    fn department(&self) -> (&'static str, LocalText);

    /// What the ids of such devices begin with.
    fn prefix(&self) -> &'static str;

    /// What the registry knows of one beside its place.
    fn attributes(&self, device: Seed) -> BTreeMap<String, Attribute> {
        let _ = device;
        BTreeMap::new()
    }

    /// What it measures at a moment.
    fn measure(&self, moment: &Moment<'_>, out: &mut Vec<Sample>);
}

/// The kind with this name.
pub(crate) fn kind(id: &str) -> Option<&'static dyn Kind> {
    KINDS.iter().copied().find(|kind| kind.id() == id)
}

/// One measured value, as the firmware has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The catalogue's metric.
    pub metric: &'static str,
    /// What the firmware calls it; mostly the same.
    pub sent: &'static str,
    /// The value in `unit`.
    pub value: Value,
    /// UCUM code of the unit that the firmware uses, which need not be the catalogue's.
    pub unit: &'static str,
}

/// What a sensor sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number with a fraction.
    Number(f64),
    /// A count.
    Integer(i64),
    /// A state.
    Bool(bool),
}

impl Value {
    /// As a number; states count as 0 and 1.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Number(number) => number,
            Self::Integer(count) => count as f64,
            Self::Bool(state) => f64::from(u8::from(state)),
        }
    }
}

/// What makes one device differ from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub(crate) u64);

impl Seed {
    /// A constant of this device, uniform in [low, high).
    pub(crate) fn constant(self, which: u64, low: f64, high: f64) -> f64 {
        between(mix(self.0, which), low, high)
    }
}

/// A device at a moment: all that its measurement depends on.
pub struct Moment<'a> {
    pub(crate) now: &'a Now,
    pub(crate) device: Seed,
    /// What incidents do to it: kind, strength from 0 to 1, peak.
    pub(crate) effects: &'a [(IncidentKind, f64, f64)],
    /// Speed in km/h, if it moves.
    pub(crate) speed: f64,
}

impl Moment<'_> {
    /// A constant of this device, uniform in [low, high).
    fn constant(&self, which: u64, low: f64, high: f64) -> f64 {
        self.device.constant(which, low, high)
    }

    /// This device's own slow drift in [-1, 1].
    fn drift(&self, which: u64, period: f64) -> f64 {
        smooth(mix(self.device.0, which), self.now.secs, period)
    }

    /// The noise of one measurement in [-1, 1).
    fn noise(&self, which: u64) -> f64 {
        jitter(mix(self.device.0, which), self.now.secs)
    }

    /// Strength (0 to 1) and peak of an incident that acts on this device.
    fn effect(&self, kind: IncidentKind) -> Option<(f64, f64)> {
        let acting = self.effects.iter().filter(|effect| effect.0 == kind);
        acting.max_by(|a, b| a.1.total_cmp(&b.1)).map(|effect| (effect.1, effect.2))
    }

    /// A battery that lasts for years; a few devices have a nearly empty one.
    fn battery(&self) -> i64 {
        if self.constant(900, 0.0, 1.0) < 0.004 {
            return self.constant(901, 6.0, 9.0) as i64;
        }
        let years = self.constant(902, 3.0, 8.0);
        let age = (self.now.secs / (years * 31_557_600.0) + self.constant(903, 0.0, 1.0)).fract();
        (98.0 - 70.0 * age).round() as i64
    }
}

/// A number rounded to a number of decimals.
fn number(metric: &'static str, value: f64, decimals: i32, unit: &'static str) -> Sample {
    Sample { metric, sent: metric, value: Value::Number(round(value, decimals)), unit }
}

/// A count or a whole percentage.
fn integer(metric: &'static str, value: f64, unit: &'static str) -> Sample {
    Sample { metric, sent: metric, value: Value::Integer(value.round() as i64), unit }
}

/// The same under the name that this firmware uses.
fn called(sent: &'static str, sample: Sample) -> Sample {
    Sample { sent, ..sample }
}

/// The departments of the city, named once for the kinds that share them.
mod departments {
    use crate::LocalText;

    type Department = (&'static str, LocalText);

    pub(super) fn environment() -> Department {
        ("environment", LocalText::new("Environment", "生态环境局"))
    }
    pub(super) fn transport() -> Department {
        ("transport", LocalText::new("Transport", "交通局"))
    }
    pub(super) fn water() -> Department {
        ("water", LocalText::new("Water management", "水务局"))
    }
    pub(super) fn lighting() -> Department {
        ("lighting", LocalText::new("Street lighting", "路灯管理处"))
    }
    pub(super) fn sanitation() -> Department {
        ("sanitation", LocalText::new("Streets and sanitation", "环卫局"))
    }
    pub(super) fn networks() -> Department {
        ("networks", LocalText::new("City networks", "城市网络中心"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_named_once_and_in_both_languages() {
        let mut ids: Vec<_> = KINDS.iter().map(|kind| kind.id()).collect();
        let mut prefixes: Vec<_> = KINDS.iter().map(|kind| kind.prefix()).collect();
        for list in [&mut ids, &mut prefixes] {
            list.sort_unstable();
            list.dedup();
            assert_eq!(list.len(), KINDS.len());
        }
        for kind in KINDS {
            let (name, department) = (kind.name(), kind.department().1);
            assert!(name.en.is_ascii() && !name.zh.is_ascii(), "{}", kind.id());
            assert!(department.en.is_ascii() && !department.zh.is_ascii(), "{}", kind.id());
        }
    }
}
