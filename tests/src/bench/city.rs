//! A city that sends for the benchmarks of storage, the same at every run: each of its readings
//! follows from its device, its metric and its minute, so that whatever a store returns can be
//! checked.
//!
//! Each device sends one message a minute at a phase of its own, and all readings of a message have
//! one time: three quarters of the devices stamp whole seconds, the others milliseconds that waver.
//! Messages arrive some seconds out of order, and one in a hundred 5 to 60 minutes late. Values
//! drift over the day and waver in their last digits, as sensors write them: with one decimal, the
//! battery's voltage with two. Some devices may move.

use std::collections::VecDeque;
use std::sync::LazyLock;

use city_model::{
    DeviceKey, Marks, MetricKey, Position, Quality, Reading, SeriesKey, Span, Timestamp, Value,
    ZoneSet,
};
use city_store::{Commit, TimeRange};

/// Minutes of a day.
pub(super) const DAY: u32 = 1_440;
/// Messages of which one is late.
const LATE: u64 = 100;
const EARLIEST_LATE: u64 = 5;
/// Minutes after which even the latest message is here.
pub(super) const LATEST: u32 = 61;
/// Milliseconds by which messages overtake each other.
const OUT_OF_ORDER_MS: u64 = 4_000;

/// What is sent, and from when on.
#[derive(Clone, Copy, Debug)]
pub(super) struct City {
    /// Devices, numbered from 0.
    pub(super) devices: u32,
    /// Metrics of each, numbered from 0; at most [`KINDS`] has.
    pub(super) metrics: u16,
    /// One device of so many moves; 0: none.
    pub(super) moving: u32,
}

/// Midnight of 2026-03-01: the first minute.
const START: Timestamp = Timestamp::from_secs(1_772_323_200);

/// How a metric behaves, in its last digit.
struct Kind {
    base: f64,
    spread: f64,
    daily: f64,
    slow: f64,
    noise: f64,
    digits: f64,
}

/// Temperature, humidity, sound level, fine dust, and a battery.
const KINDS: [Kind; 5] = [
    Kind { base: 120.0, spread: 60.0, daily: 60.0, slow: 20.0, noise: 1.0, digits: 10.0 },
    Kind { base: 550.0, spread: 150.0, daily: 120.0, slow: 40.0, noise: 3.0, digits: 10.0 },
    Kind { base: 600.0, spread: 80.0, daily: 60.0, slow: 10.0, noise: 20.0, digits: 10.0 },
    Kind { base: 300.0, spread: 100.0, daily: 80.0, slow: 60.0, noise: 8.0, digits: 10.0 },
    Kind { base: 360.0, spread: 12.0, daily: 1.5, slow: 0.0, noise: 0.6, digits: 100.0 },
];

/// A sine over a day, minute by minute.
static WAVE: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let at = |minute| f64::from(minute) / f64::from(DAY) * std::f64::consts::TAU;
    (0..DAY).map(|minute| at(minute).sin()).collect()
});

/// A number that looks like chance and is always the same (SplitMix64).
pub(super) fn chance(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The same from 0 to 1.
fn part(seed: u64) -> f64 {
    (chance(seed) >> 11) as f64 / (1_u64 << 53) as f64
}

impl City {
    pub(super) fn series(&self) -> u64 {
        u64::from(self.devices) * u64::from(self.metrics)
    }

    /// Readings of a minute.
    pub(super) fn per_minute(&self) -> u64 {
        self.series()
    }

    /// The first instant of a minute.
    pub(super) fn minute(minute: u32) -> Timestamp {
        START + Span::from_mins(i64::from(minute))
    }

    /// From the first instant of a minute to that of another.
    pub(super) fn range(from: u32, to: u32) -> TimeRange {
        TimeRange { from: Self::minute(from), to: Self::minute(to) }
    }

    /// The minute that an instant is in.
    pub(super) fn minute_of(time: Timestamp) -> i64 {
        time.since(START).micros().div_euclid(60_000_000)
    }

    /// When a device measures in a minute: never in another one.
    pub(super) fn time(device: u32, minute: u32) -> Timestamp {
        let own = chance(u64::from(device) | 1 << 40);
        let second = own % 59;
        let ms = if (own >> 32).is_multiple_of(4) {
            // It wavers by 50 ms around a part of a second.
            own % 950 + chance(u64::from(device) << 32 | u64::from(minute)) % 50
        } else {
            0
        };
        Self::minute(minute) + Span::from_millis((second * 1_000 + ms) as i64)
    }

    /// The value of a metric of a device in a minute.
    pub(super) fn value(device: u32, metric: u16, minute: u32) -> f64 {
        let kind = &KINDS[usize::from(metric)];
        let own = chance(u64::from(device) << 8 | u64::from(metric) | 2 << 40);
        let (phase, place) = ((own % 240) as u32, (own >> 40) as f64 / f64::from(1 << 24));
        let day = WAVE[((minute + phase) % DAY) as usize];
        let slow = WAVE[((minute / 5 + phase * 6) % DAY) as usize];
        let noise = part(u64::from(device) << 36 | u64::from(minute) << 8 | u64::from(metric));
        let units = kind.base
            + kind.spread * (place - 0.5)
            + kind.daily * day
            + kind.slow * slow
            + kind.noise * (2.0 * noise - 1.0);
        units.round() / kind.digits
    }

    fn quality(device: u32, metric: u16, minute: u32) -> Quality {
        let seed = u64::from(minute) << 36 | u64::from(device) << 8 | u64::from(metric);
        if chance(seed).is_multiple_of(500) { Quality::Suspect } else { Quality::Pass }
    }

    /// Where a moving device is in a minute.
    fn position(&self, device: u32, minute: u32) -> Option<Position> {
        if self.moving == 0 || !device.is_multiple_of(self.moving) {
            return None;
        }
        let own = chance(u64::from(device));
        let (round, across) = ((own % 1_440) as u32, (own >> 20) as f64 / (1_u64 << 44) as f64);
        // A tour of some hours, with five decimals as receivers write them.
        let east = WAVE[((minute * 6 + round) % DAY) as usize];
        let north = WAVE[((minute * 6 + round + DAY / 4) % DAY) as usize];
        let digits = |degrees: f64| (degrees * 1e5).round() / 1e5;
        Position::new(
            digits(-87.65 + 0.1 * across + 0.04 * east),
            digits(41.7 + 0.2 * across + 0.04 * north),
        )
    }

    fn reading(&self, device: u32, metric: u16, minute: u32, received: Timestamp) -> Reading {
        Reading {
            series: series(device, metric),
            time: Self::time(device, minute),
            received,
            value: Value::Number(Self::value(device, metric, minute)),
            quality: Self::quality(device, metric, minute),
            marks: Marks::NONE,
            position: self.position(device, minute),
            zones: ZoneSet::default(),
        }
    }
}

pub(super) fn series(device: u32, metric: u16) -> SeriesKey {
    SeriesKey { device: DeviceKey(device), metric: MetricKey(metric) }
}

/// A message: of whom, and of which minute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    pub(super) device: u32,
    pub(super) minute: u32,
}

/// The messages of a city in the order in which they arrive.
#[derive(Debug)]
pub(super) struct Feed {
    city: City,
    /// The next minute.
    minute: u32,
    /// What arrives in the current one: when, in milliseconds of it, and what.
    arrivals: Vec<(u32, Message)>,
    place: usize,
    /// Late messages by the minutes from the next one on in which they arrive.
    late: VecDeque<Vec<Message>>,
}

impl Feed {
    pub(super) fn new(city: City) -> Self {
        Self { city, minute: 0, arrivals: Vec::new(), place: 0, late: VecDeque::new() }
    }

    /// The next message and when it arrives.
    pub(super) fn next(&mut self) -> (Message, Timestamp) {
        if self.place == self.arrivals.len() {
            self.next_minute();
        }
        let (ms, message) = self.arrivals[self.place];
        self.place += 1;
        (message, City::minute(self.minute - 1) + Span::from_millis(i64::from(ms)))
    }

    fn next_minute(&mut self) {
        let minute = self.minute;
        self.arrivals.clear();
        self.place = 0;
        for message in self.late.pop_front().unwrap_or_default() {
            let seed = u64::from(message.device) << 32 | u64::from(message.minute) | 3 << 60;
            self.arrivals.push(((chance(seed) % 60_000) as u32, message));
        }
        for device in 0..self.city.devices {
            let message = Message { device, minute };
            let own = chance(u64::from(device) << 32 | u64::from(minute) | 1 << 62);
            if own.is_multiple_of(LATE) {
                let span = u64::from(LATEST) - 1 - EARLIEST_LATE;
                // The first entry is for the next minute.
                let after = (EARLIEST_LATE + (own >> 32) % (span + 1)) as usize - 1;
                if self.late.len() <= after {
                    self.late.resize(after + 1, Vec::new());
                }
                self.late[after].push(message);
            } else {
                let measured = City::time(device, minute).since(City::minute(minute)).micros();
                let delay = own >> 40 & 0xffff;
                let ms = measured as u64 / 1_000 + delay * OUT_OF_ORDER_MS / 0x1_0000;
                self.arrivals.push((ms as u32, message));
            }
        }
        self.arrivals.sort_unstable_by_key(|(ms, message)| (*ms, message.device));
        self.minute += 1;
    }

    /// Puts the next readings in the place of those of a commit. Returns when the last one arrives.
    pub(super) fn fill(&mut self, commit: &mut Commit, readings: usize) -> Timestamp {
        commit.readings.clear();
        let mut now = City::minute(self.minute);
        while commit.readings.len() < readings {
            let (Message { device, minute }, at) = self.next();
            now = at;
            for metric in 0..self.city.metrics {
                commit.readings.push(self.city.reading(device, metric, minute, at));
            }
        }
        commit.sources.resize(commit.readings.len(), 0);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_arrives_once_and_some_late() {
        let city = City { devices: 200, metrics: 5, moving: 0 };
        let mut feed = Feed::new(city);
        let (mut seen, mut late) = (std::collections::BTreeSet::new(), 0);
        loop {
            let (message, at) = feed.next();
            let behind = City::minute_of(at) - i64::from(message.minute);
            assert!((0..=i64::from(LATEST)).contains(&behind), "{message:?} arrives at {at}");
            late += u32::from(behind > 1);
            assert!(seen.insert((message.minute, message.device)), "{message:?} arrives again");
            if City::minute_of(at) > 200 {
                break;
            }
        }
        assert!((200..=600).contains(&late), "{late} are late");
        let whole = seen.iter().filter(|(minute, _)| *minute < 120).count();
        assert_eq!(whole, 120 * 200);
    }

    #[test]
    fn a_minute_holds_its_own_time() {
        for (device, minute) in (0..500).flat_map(|device| [(device, 0), (device, 77)]) {
            let time = City::time(device, minute);
            assert_eq!(City::minute_of(time), i64::from(minute), "{device} at {time}");
        }
    }
}
