//! An hour of one series: readings into the means of short slots, and those into the hour's mean.
//!
//! Stations average in steps of five minutes, and an hour counts if 45 minutes of it were measured
//! (GB 3095-2012, table 4; 40 CFR 50 asks for 75 %). So an hour has twelve slots, its mean is the
//! mean of those that were heard, and it is valid if three quarters of them were. A reading counts
//! for the slot that it was measured in: a burst of readings weighs no more than one.
//!
//! Devices that send less often are asked for three quarters of the readings that they send in an
//! hour, as whole ones. Nobody knows at which minute they send, and their clocks drift: what
//! counts is how far readings are apart. One less than half an interval behind another belongs to
//! that.

use city_model::{Span, Timestamp};

use crate::Decimal;

/// An hour's number since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub i64);

impl Hour {
    const LENGTH: Span = Span::from_hours(1);

    /// The hour that an instant lies in.
    pub const fn of(time: Timestamp) -> Self {
        Self(time.micros().div_euclid(Self::LENGTH.micros()))
    }

    /// Its first instant.
    pub const fn start(self) -> Timestamp {
        Timestamp::from_micros(self.0.saturating_mul(Self::LENGTH.micros()))
    }

    /// The first instant after it: the event time of what is derived from it.
    pub const fn end(self) -> Timestamp {
        self.plus(1).start()
    }

    /// The hour this many hours later.
    #[must_use]
    pub const fn plus(self, hours: i64) -> Self {
        Self(self.0.saturating_add(hours))
    }
}

/// How an hour is divided: into slots of five minutes for a device that sends so often, else by
/// its readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// From [`NARROWEST`] to an hour.
    interval: Span,
}

/// The narrowest slot.
const NARROWEST: Span = Span::from_mins(5);

/// The interval of a device of which nobody knows how often it sends.
const UNKNOWN: Span = Span::from_mins(15);

impl Slots {
    /// For a device that is expected to send this often.
    pub fn of(interval: Option<Span>) -> Self {
        Self { interval: interval.unwrap_or(UNKNOWN).clamp(NARROWEST, Hour::LENGTH) }
    }

    /// How many of them must be heard.
    const fn needed(self) -> usize {
        let needed = Hour::LENGTH.micros() * 3 / 4 / self.interval.micros();
        if needed < 1 { 1 } else { needed as usize }
    }

    /// Where a slot begins in which a reading is the first.
    fn start(self, time: Timestamp) -> Timestamp {
        if self.interval > NARROWEST {
            return time;
        }
        Timestamp::from_micros(time.micros() - time.micros().rem_euclid(NARROWEST.micros()))
    }

    /// Whether a reading belongs to the slot that begins there.
    fn holds(self, start: Timestamp, time: Timestamp) -> bool {
        if self.interval > NARROWEST {
            return time.since(start).micros().abs() * 2 < self.interval.micros();
        }
        self.start(time) == start
    }
}

/// An hour that readings still come for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenHour {
    /// Which.
    pub hour: Hour,
    /// Those with readings, at most 24.
    slots: Vec<Slot>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    start: Timestamp,
    /// The sum of its readings, in billionths.
    sum: i128,
    /// How many it has.
    count: u32,
}

impl OpenHour {
    /// One without readings.
    pub const fn new(hour: Hour) -> Self {
        Self { hour, slots: Vec::new() }
    }

    /// Takes a reading of this hour.
    pub fn add(&mut self, slots: Slots, time: Timestamp, amount: Decimal) {
        let amount = i128::from(amount.billionths());
        match self.slots.iter_mut().rev().find(|slot| slots.holds(slot.start, time)) {
            Some(slot) => {
                slot.sum += amount;
                slot.count += 1;
            }
            None => self.slots.push(Slot { start: slots.start(time), sum: amount, count: 1 }),
        }
    }

    /// The mean; `None` if too little of the hour was measured.
    pub fn mean(&self, slots: Slots) -> Option<Decimal> {
        if self.slots.len() < slots.needed() {
            return None;
        }
        let means = self.slots.iter();
        Decimal::mean(means.filter_map(|slot| Decimal::mean_of(slot.sum, i128::from(slot.count))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY_MINUTE: Option<Span> = Some(Span::from_mins(1));

    fn mean(interval: Option<Span>, readings: &[(i64, i64)]) -> Option<Decimal> {
        let slots = Slots::of(interval);
        let mut hour = OpenHour::new(Hour(0));
        for (minute, amount) in readings {
            hour.add(slots, Timestamp::from_secs(minute * 60), Decimal::new(*amount, 0));
        }
        hour.mean(slots)
    }

    #[test]
    fn forty_five_minutes_are_an_hour_and_forty_four_are_not() {
        let minutes = |to: i64| (0..to).map(|minute| (minute, 10)).collect::<Vec<_>>();
        assert_eq!(mean(EVERY_MINUTE, &minutes(45)), Some(Decimal::new(10, 0)));
        assert_eq!(mean(EVERY_MINUTE, &minutes(40)), None);
        assert_eq!(mean(EVERY_MINUTE, &[]), None);
    }

    #[test]
    fn a_burst_weighs_no_more_than_one_reading() {
        let mut readings: Vec<_> = (0..12).map(|slot| (slot * 5, 10)).collect();
        assert_eq!(mean(EVERY_MINUTE, &readings), Some(Decimal::new(10, 0)));
        readings.extend([(1, 10), (2, 10), (6, 22), (7, 22), (8, 22)]);
        // The second slot is (10 + 3 * 22) / 4 = 19, so the hour is (11 * 10 + 19) / 12 = 10.75.
        assert_eq!(mean(EVERY_MINUTE, &readings), Some(Decimal::new(1_075, 2)));
    }

    #[test]
    fn three_quarters_of_what_a_device_sends_are_asked_for() {
        for (interval, needed) in [
            (Some(Span::from_secs(5)), 9),
            (Some(Span::from_mins(5)), 9),
            (Some(Span::from_mins(7)), 6),
            (Some(Span::from_mins(10)), 4),
            (Some(Span::from_mins(20)), 2),
            (Some(Span::from_mins(25)), 1),
            (Some(Span::from_mins(60)), 1),
            (Some(Span::from_hours(8)), 1),
            (None, 3),
        ] {
            assert_eq!(Slots::of(interval).needed(), needed, "{interval:?}");
        }
        assert_eq!(mean(Some(Span::from_mins(60)), &[(0, 7)]), Some(Decimal::new(7, 0)));
        assert_eq!(mean(None, &[(0, 1), (16, 2)]), None);
        assert_eq!(mean(None, &[(0, 1), (2, 1), (4, 1), (16, 2)]), None, "a burst is one");
        assert_eq!(mean(None, &[(3, 1), (16, 2), (33, 3)]), Some(Decimal::new(2, 0)));
    }

    /// Whether all hours have a mean in which a device sends every so many minutes, from a second
    /// on, some seconds late or early.
    fn all_hours_count(interval: i64, phase: i64, jitter: impl Fn(i64) -> i64) -> bool {
        const HOURS: i64 = 12;
        let slots = Slots::of(Some(Span::from_mins(interval)));
        let mut hours: Vec<OpenHour> = (0..HOURS).map(|hour| OpenHour::new(Hour(hour))).collect();
        for sent in 0..=HOURS * 60 / interval {
            let time = Timestamp::from_secs(sent * interval * 60 + phase + jitter(sent));
            let hour = usize::try_from(Hour::of(time).0).ok();
            if let Some(hour) = hour.and_then(|hour| hours.get_mut(hour)) {
                hour.add(slots, time, Decimal::new(10, 0));
            }
        }
        // The first hour begins before the device does, and one of two such hours may be empty
        // where there is one reading an hour, now before the full hour and now behind it.
        let heard = hours.iter().skip(1).filter(|hour| interval < 60 || !hour.slots.is_empty());
        heard.map(|hour| hour.mean(slots)).all(|mean| mean == Some(Decimal::new(10, 0)))
    }

    #[test]
    fn slow_devices_lose_no_hour_whatever_their_minute_and_however_they_drift() {
        for interval in [6, 7, 10, 12, 15, 20, 25, 30, 40, 45, 60] {
            for phase in 0..interval * 60 {
                for jitter in [|_| 0, |sent| sent % 2 * 4 - 2, |sent| sent * 7 % 11 - 5] {
                    assert!(all_hours_count(interval, phase, jitter), "{interval} min, {phase} s");
                }
            }
        }
    }

    #[test]
    fn hours_before_the_epoch_have_their_numbers_too() {
        assert_eq!(Hour::of(Timestamp::from_secs(-1)), Hour(-1));
        assert_eq!(Hour(-1).end(), Timestamp::from_secs(0));
    }
}
