//! An hour of one series: readings into the means of short slots, and those into the hour's mean.
//!
//! Stations average in steps of five minutes, and an hour counts if 45 minutes of it were measured
//! (GB 3095-2012, table 4; 40 CFR 50 asks for 75 %). So an hour has twelve slots, or fewer if the
//! device is not expected to send as often; its mean is the mean of the slots that were heard, and
//! it is valid if three quarters of them were. A reading counts for the slot that it was measured
//! in: a burst of readings weighs no more than one.

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

/// How an hour is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    width: Span,
    count: u8,
}

/// The narrowest slot.
const NARROWEST: Span = Span::from_mins(5);

/// The slots of a device of which nobody knows how often it sends.
const UNKNOWN: Span = Span::from_mins(15);

impl Slots {
    const MOST: usize = 12;

    /// For a device that is expected to send this often.
    pub fn of(interval: Option<Span>) -> Self {
        let width = interval.unwrap_or(UNKNOWN).clamp(NARROWEST, Hour::LENGTH);
        let count = (Hour::LENGTH.micros() as u64).div_ceil(width.micros() as u64);
        Self { width, count: count as u8 }
    }

    /// How many of them must be heard.
    const fn needed(self) -> u32 {
        (self.count as u32 * 3).div_ceil(4)
    }

    fn at(self, time: Timestamp) -> usize {
        let into = time.since(Hour::of(time).start()).micros();
        ((into / self.width.micros()) as usize).min(Self::MOST - 1)
    }
}

/// An hour that readings still come for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenHour {
    /// Which.
    pub hour: Hour,
    /// The sum of each slot, in billionths, and how many readings it has.
    slots: [(i128, u32); Slots::MOST],
}

impl OpenHour {
    /// One without readings.
    pub const fn new(hour: Hour) -> Self {
        Self { hour, slots: [(0, 0); Slots::MOST] }
    }

    /// Takes a reading of this hour.
    pub fn add(&mut self, slots: Slots, time: Timestamp, amount: Decimal) {
        let (sum, count) = &mut self.slots[slots.at(time)];
        *sum += i128::from(amount.billionths());
        *count += 1;
    }

    /// The mean; `None` if too little of the hour was measured.
    pub fn mean(&self, slots: Slots) -> Option<Decimal> {
        let heard = self.slots.iter().filter(|(_, count)| *count > 0).count() as u32;
        let means =
            self.slots.iter().filter_map(|(sum, count)| Decimal::mean_of(*sum, i128::from(*count)));
        if heard < slots.needed() { None } else { Decimal::mean(means) }
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
    fn slots_follow_the_interval() {
        for (interval, count, needed) in [
            (Some(Span::from_secs(5)), 12, 9),
            (Some(Span::from_mins(10)), 6, 5),
            (Some(Span::from_mins(7)), 9, 7),
            (Some(Span::from_mins(60)), 1, 1),
            (Some(Span::from_hours(8)), 1, 1),
            (None, 4, 3),
        ] {
            let slots = Slots::of(interval);
            assert_eq!((slots.count, slots.needed()), (count, needed), "{interval:?}");
        }
        assert_eq!(mean(Some(Span::from_mins(60)), &[(0, 7)]), Some(Decimal::new(7, 0)));
        assert_eq!(mean(None, &[(0, 1), (16, 2)]), None);
    }

    #[test]
    fn hours_before_the_epoch_have_their_numbers_too() {
        assert_eq!(Hour::of(Timestamp::from_secs(-1)), Hour(-1));
        assert_eq!(Hour(-1).end(), Timestamp::from_secs(0));
    }
}
