//! What devices do wrong, or otherwise than one expects: the firmware of a real city.
//!
//! Faults of values and places are pure functions of (device, time), as everything that is measured
//! is; those of sending (what is stored, doubled, overtaken) are in [`crate::sends`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::rfc3339;
use crate::noise::{key, mix, round, unit};
use crate::{Sample, Value};

/// How long a device takes to start again, in milliseconds: it neither measures nor sends.
const START_UP: i64 = 20_000;

/// What a device does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Every value stays what it was when the fault began. The size means nothing.
    Stuck,
    /// One of fifty numbers is so many times what it should be; usually 10.
    Spiking,
    /// Numbers come in another unit than is declared: temperatures in °F, all others so many times
    /// what they should be; usually 0.001, as mg are to µg.
    WrongUnit,
    /// Latitude and longitude are exchanged: in the registry of what stands, in the messages of what
    /// moves. The size means nothing.
    SwappedCoordinates,
    /// Places are in GCJ-02, the shifted coordinates of China, but declared as WGS-84. The size
    /// means nothing.
    Gcj02,
    /// The clock goes fast by so many seconds a day, or slow if negative; usually 60.
    ClockDrift,
    /// Nothing can be sent; what is measured is stored, and sent when it is over. The size means
    /// nothing.
    Outage,
    /// To spare the battery, only every so many measurements are sent, together; usually 12.
    Batches,
    /// This share of the messages, from 0 to 1, is sent twice; usually 0.2.
    Duplicates,
    /// This share of the messages, from 0 to 1, is sent after the next one; usually 0.2.
    Reordering,
    /// All start again every so many seconds, at the same moment, and count their messages from 0;
    /// usually 120.
    Reboots,
    /// New firmware speaks another format from then on. The size means nothing.
    FirmwareUpdate,
}

impl FaultKind {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Spiking => "spiking",
            Self::WrongUnit => "wrong_unit",
            Self::SwappedCoordinates => "swapped_coordinates",
            Self::Gcj02 => "gcj02",
            Self::ClockDrift => "clock_drift",
            Self::Outage => "outage",
            Self::Batches => "batches",
            Self::Duplicates => "duplicates",
            Self::Reordering => "reordering",
            Self::Reboots => "reboots",
            Self::FirmwareUpdate => "firmware_update",
        }
    }

    /// Its usual size, and the sizes that make sense; `None` where it means nothing.
    pub(crate) const fn sizes(self) -> Option<(f64, [f64; 2])> {
        match self {
            Self::Spiking => Some((10.0, [-1e6, 1e6])),
            Self::WrongUnit => Some((0.001, [1e-9, 1e9])),
            Self::ClockDrift => Some((60.0, [-86_400.0, 86_400.0])),
            Self::Batches => Some((12.0, [2.0, 10_000.0])),
            Self::Duplicates | Self::Reordering => Some((0.2, [0.0, 1.0])),
            Self::Reboots => Some((120.0, [60.0, 86_400.0])),
            Self::Stuck
            | Self::SwappedCoordinates
            | Self::Gcj02
            | Self::Outage
            | Self::FirmwareUpdate => None,
        }
    }

    /// Whether it is about where devices are.
    pub(crate) const fn is_of_places(self) -> bool {
        matches!(self, Self::SwappedCoordinates | Self::Gcj02)
    }

    /// The place that a device says it is at, of the one where it is. `None` if there is none, as
    /// outside of China in GCJ-02.
    pub(crate) fn said(self, (lon, lat): (f64, f64)) -> Option<(f64, f64)> {
        match self {
            Self::SwappedCoordinates => Some((lat, lon)),
            Self::Gcj02 => gcj02(lon, lat),
            _ => Some((lon, lat)),
        }
    }
}

/// What devices do wrong, from when to when: a part of the ground truth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fault {
    /// Its number from 1.
    pub number: usize,
    /// What they do.
    pub kind: FaultKind,
    /// Their ids.
    pub devices: Vec<String>,
    /// From when on.
    #[serde(serialize_with = "rfc3339")]
    pub start: Timestamp,
    /// Until when; none if it does not end.
    #[serde(serialize_with = "rfc3339_or_none", skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
    /// How much, see [`FaultKind`]; 0 where it means nothing.
    pub size: f64,
    /// The format after a firmware update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

impl Fault {
    pub(crate) fn acts(&self, time: Timestamp) -> bool {
        self.start <= time && self.end.is_none_or(|end| time < end)
    }

    /// What it makes of a measured value.
    pub(crate) fn spoil(&self, sample: &mut Sample, seed: u64, time: Timestamp) {
        let Value::Number(number) = sample.value else { return };
        match self.kind {
            FaultKind::Spiking if self.is_drawn(mix(seed, key(sample.metric)), time, 0.02) => {
                sample.value = Value::Number(number * self.size);
            }
            FaultKind::WrongUnit if sample.unit == "Cel" => {
                sample.value = Value::Number(round(number * 1.8 + 32.0, 2));
            }
            FaultKind::WrongUnit => sample.value = Value::Number(number * self.size),
            _ => {}
        }
    }

    /// Whether a message or value is among the share that is hit.
    pub(crate) fn is_drawn(&self, seed: u64, time: Timestamp, share: f64) -> bool {
        let drawn = mix(mix(seed, self.number as u64), time.as_millisecond() as u64);
        unit(drawn) < share
    }

    /// What the device's clock says.
    pub(crate) fn clock(&self, time: Timestamp) -> i64 {
        let days = (time.as_millisecond() - self.start.as_millisecond()) as f64 / 86_400_000.0;
        time.as_millisecond() + (self.size * days * 1e3).round() as i64
    }

    /// How many messages the device has sent since its last start; `None` while it starts.
    pub(crate) fn count_since_start(&self, time: Timestamp, interval: i64) -> Option<u32> {
        let every = (self.size * 1e3) as i64;
        let up = (time.as_millisecond() - self.start.as_millisecond()).rem_euclid(every.max(1));
        let count = up.checked_sub(START_UP).filter(|up| *up >= 0)? / interval.max(1);
        u32::try_from(count).ok()
    }

    /// Whether what is measured now is kept for a later message.
    pub(crate) fn holds_back(&self, seed: u64, time: Timestamp, interval: i64) -> bool {
        match self.kind {
            FaultKind::Outage => true,
            FaultKind::Batches => {
                let batch = (self.size as u64).max(1);
                let number = time.as_millisecond().div_euclid(interval.max(1)) as u64;
                !number.wrapping_add(mix(seed, 6)).is_multiple_of(batch)
            }
            _ => false,
        }
    }
}

#[expect(clippy::ref_option, reason = "serde calls it with this")]
fn rfc3339_or_none<S: serde::Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, serializer),
        None => serializer.serialize_none(),
    }
}

/// WGS-84 to GCJ-02 by the formula that everybody uses (Krasovsky 1940's ellipsoid, polynomials
/// about 105° E 35° N); none outside of the rectangle around China in which it is used.
fn gcj02(lon: f64, lat: f64) -> Option<(f64, f64)> {
    use std::f64::consts::PI;
    const AXIS: f64 = 6_378_245.0;
    const ECCENTRICITY: f64 = 0.006_693_421_622_965_943;
    if !(72.004..=137.8347).contains(&lon) || !(0.8293..=55.8271).contains(&lat) {
        return None;
    }
    let (x, y) = (lon - 105.0, lat - 35.0);
    let wave = |a: f64, v: f64, b: f64, w: f64| (a * (v * PI).sin() + b * (w * PI).sin()) / 1.5;
    let ripple = wave(20.0, 6.0 * x, 20.0, 2.0 * x);
    let north = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * x.abs().sqrt()
        + ripple
        + wave(20.0, y, 40.0, y / 3.0)
        + wave(160.0, y / 12.0, 320.0, y / 30.0);
    let east = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * x.abs().sqrt()
        + ripple
        + wave(20.0, x, 40.0, x / 3.0)
        + wave(150.0, x / 12.0, 300.0, x / 30.0);
    let angle = lat.to_radians();
    let curve = 1.0 - ECCENTRICITY * angle.sin().powi(2);
    let lat_radius = AXIS * (1.0 - ECCENTRICITY) / (curve * curve.sqrt());
    let lon_radius = AXIS / curve.sqrt() * angle.cos();
    Some((lon + (east / lon_radius).to_degrees(), lat + (north / lat_radius).to_degrees()))
}

#[cfg(test)]
mod tests {
    use city_geo::crs;

    use super::*;

    #[test]
    fn the_platform_finds_places_back_that_are_said_in_gcj02() {
        for (lon, lat) in [(116.397_477, 39.908_692), (121.473_7, 31.230_4), (87.6, 43.8)] {
            let (said_lon, said_lat) = gcj02(lon, lat).expect("in China");
            let moved = (said_lon - lon).hypot(said_lat - lat) * 111_000.0;
            assert!((100.0..1_000.0).contains(&moved), "{moved} m");
            let back = crs::to_wgs84(city_model::Crs::Gcj02, said_lon, said_lat);
            assert!((back.0 - lon).hypot(back.1 - lat) * 111_000.0 < 1.0, "{back:?}");
        }
        assert_eq!(gcj02(-87.6, 41.9), None);
    }
}
