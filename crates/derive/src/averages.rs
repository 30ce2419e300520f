//! Means over several hours, as the standards ask for them, with how much of the time must have
//! been measured.

use num_bigint::BigUint;

use crate::{Decimal, Pollutant};

/// How many hours the longest mean takes.
pub const DAY_HOURS: usize = 24;

/// Windows of eight hours that lie within a day.
const EIGHTS: usize = 17;

/// The hourly means of the 24 hours before an instant, newest first, in the units of a standard;
/// `None` for hours that are not valid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Day(pub [[Option<Decimal>; DAY_HOURS]; 6]);

impl Day {
    /// The mean of the newest hour.
    pub(crate) fn hour(&self, pollutant: Pollutant) -> Option<Decimal> {
        self.of(pollutant)[0]
    }

    /// The mean of the newest `hours` hours, of which at least `least` must be valid.
    pub(crate) fn mean(&self, pollutant: Pollutant, hours: usize, least: usize) -> Option<Decimal> {
        mean(&self.of(pollutant)[..hours], least)
    }

    /// The highest hourly mean of the day, of which at least `least` hours must be valid.
    pub(crate) fn highest_hour(&self, pollutant: Pollutant, least: usize) -> Option<Decimal> {
        let valid = self.of(pollutant).iter().flatten();
        (valid.clone().count() >= least).then(|| valid.max().copied()).flatten()
    }

    /// The highest of the 17 eight-hour means that lie within the day, of which at least `least`
    /// must be valid; one is valid with six of its hours.
    pub(crate) fn highest_eight(&self, pollutant: Pollutant, least: usize) -> Option<Decimal> {
        let hours = self.of(pollutant);
        let valid: Vec<Decimal> =
            (0..EIGHTS).filter_map(|first| mean(&hours[first..first + 8], 6)).collect();
        if valid.len() < least { None } else { valid.into_iter().max() }
    }

    /// The NowCast of particles: a mean of twelve hours in which recent ones weigh more when
    /// concentrations change (US EPA, *Technical Assistance Document*, May 2024, and its fact
    /// sheet *PM NowCast*). Exact until the last of nine places, which is cut off.
    ///
    /// `None` unless two of the last three hours are valid.
    pub(crate) fn nowcast(&self, pollutant: Pollutant) -> Option<Decimal> {
        let hours = &self.of(pollutant)[..12];
        if hours[..3].iter().flatten().count() < 2 {
            return None;
        }
        // Below zero is noise of an instrument that sees clean air.
        let hours: Vec<Option<u64>> =
            hours.iter().map(|hour| hour.map(|mean| mean.billionths().max(0) as u64)).collect();
        let most = hours.iter().flatten().max().copied().unwrap_or_default();
        if most == 0 {
            return Some(Decimal::ZERO);
        }
        let least = hours.iter().flatten().min().copied().unwrap_or_default();
        // The weight factor is 1 - (max - min) / max = min / max, but at least 1/2.
        let (up, down) = if least * 2 < most { (1, 2) } else { (least, most) };
        // Times down^11, so that all is whole: sum(up^i down^(11-i) c) / sum(up^i down^(11-i)).
        let (up, down) = (BigUint::from(up), BigUint::from(down));
        let (mut sum, mut weights) = (BigUint::ZERO, BigUint::ZERO);
        for (ago, mean) in (0_u32..).zip(&hours) {
            let Some(mean) = mean else { continue };
            let weight = up.pow(ago) * down.pow(11 - ago);
            sum += &weight * BigUint::from(*mean);
            weights += weight;
        }
        i64::try_from(sum / weights).ok().map(Decimal::from_billionths)
    }

    fn of(&self, pollutant: Pollutant) -> &[Option<Decimal>; DAY_HOURS] {
        &self.0[pollutant.index()]
    }
}

fn mean(hours: &[Option<Decimal>], least: usize) -> Option<Decimal> {
    let valid = hours.iter().flatten();
    if valid.clone().count() < least { None } else { Decimal::mean(valid.copied()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pollutant::{O3, Pm25};

    /// Hourly means of a pollutant, newest first; a negative number is an invalid hour.
    fn day(pollutant: Pollutant, newest_first: &[i64]) -> Day {
        let mut day = Day::default();
        for (hour, mean) in newest_first.iter().enumerate() {
            day.0[pollutant.index()][hour] = (*mean >= 0).then(|| Decimal::new(*mean, 0));
        }
        day
    }

    #[test]
    fn a_mean_needs_enough_hours() {
        let day = day(O3, &[10, -1, 20, 30, -1, 40, 50, 60]);
        assert_eq!(day.mean(O3, 8, 6), Some(Decimal::new(35, 0)));
        assert_eq!(day.mean(O3, 8, 7), None);
        assert_eq!(day.mean(Pm25, 1, 1), None);
        assert_eq!(day.hour(O3), Some(Decimal::new(10, 0)));
        assert_eq!(day.highest_hour(O3, 6), Some(Decimal::new(60, 0)));
        assert_eq!(day.highest_hour(O3, 7), None);
    }

    #[test]
    fn the_highest_eight_hours_lie_within_the_day() {
        let mut hours = [10; DAY_HOURS];
        hours[4..12].fill(90);
        let whole = day(O3, &hours);
        assert_eq!(whole.highest_eight(O3, 14), Some(Decimal::new(90, 0)));
        hours[12..].fill(-1);
        // Hours 0 to 11 are left: windows beginning at 0 to 6 have at least six valid hours.
        assert_eq!(day(O3, &hours).highest_eight(O3, 7), Some(Decimal::new(90, 0)));
        assert_eq!(day(O3, &hours).highest_eight(O3, 8), None);
    }

    #[test]
    fn the_nowcast_agrees_with_the_agencys_example() {
        // US EPA, "Computing the NowCast": 50 80 75 90 82 53 64 74 21 10 16 13, newest last, gives
        // 17.4 µg/m³.
        let hours = day(Pm25, &[13, 16, 10, 21, 74, 64, 53, 82, 90, 75, 80, 50]);
        let nowcast = hours.nowcast(Pm25).expect("valid");
        assert_eq!(nowcast.truncated(1), Decimal::new(174, 1));
    }

    #[test]
    fn the_nowcast_of_steady_air_is_its_mean_and_missing_hours_weigh_nothing() {
        assert_eq!(day(Pm25, &[35; 12]).nowcast(Pm25), Some(Decimal::new(35, 0)));
        assert_eq!(day(Pm25, &[35, -1, 35]).nowcast(Pm25), Some(Decimal::new(35, 0)));
        assert_eq!(day(Pm25, &[35, -1, -1, 35]).nowcast(Pm25), None);
        assert_eq!(day(Pm25, &[0, 0]).nowcast(Pm25), Some(Decimal::ZERO));
        // w = 8/10: (10 + 0.8 * 8) / 1.8 = 9.111…
        let two = day(Pm25, &[10, 8]).nowcast(Pm25).expect("valid");
        assert_eq!(two, Decimal::from_billionths(9_111_111_111));
    }
}
