//! What all devices of a city share: the sun, the weather, the time of day and how busy it is.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::Climate;
use crate::noise::{mix, smooth};

const DAY: f64 = 86_400.0;
const HOUR: f64 = 3_600.0;

/// A city's sky and clock.
#[derive(Clone, Debug)]
pub(crate) struct City {
    seed: u64,
    climate: Climate,
    lon: f64,
    lat: f64,
    /// `None`: the sun's time at `lon`.
    zone: Option<TimeZone>,
}

/// The city at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// Seconds since the epoch.
    pub(crate) secs: f64,
    /// Local time in hours, 0 to 24.
    pub(crate) hour: f64,
    /// Saturday or Sunday.
    pub(crate) weekend: bool,
    /// How high the sun stands, in degrees; negative at night.
    pub(crate) sun: f64,
    /// How busy the streets are: about 0.1 at night, 1 in the rush hours.
    pub(crate) activity: f64,
    /// The weather.
    pub(crate) weather: Weather,
}

/// The weather of the whole city; devices add their own small differences.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// °C.
    pub(crate) temperature: f64,
    /// %.
    pub(crate) humidity: f64,
    /// hPa, at the height of the city.
    pub(crate) pressure: f64,
    /// m/s.
    pub(crate) wind: f64,
    /// mm in the last hour.
    pub(crate) rain: f64,
}

impl City {
    pub(crate) fn new(seed: u64, climate: Climate, time_zone: &str, lon: f64, lat: f64) -> Self {
        let zone = TimeZone::get(time_zone).ok();
        if zone.is_none() {
            tracing::warn!(
                time_zone,
                "this machine does not know the time zone; days follow the sun"
            );
        }
        Self { seed: mix(seed, 0xc171), climate, lon, lat, zone }
    }

    pub(crate) fn at(&self, time: Timestamp) -> Now {
        let secs = time.as_millisecond() as f64 / 1e3;
        let (hour, weekend) = self.local(time, secs);
        let sun = self.sun(secs);
        Now {
            secs,
            hour,
            weekend,
            sun,
            activity: activity(hour, weekend),
            weather: self.weather(secs, sun),
        }
    }

    fn local(&self, time: Timestamp, secs: f64) -> (f64, bool) {
        if let Some(zone) = &self.zone {
            let local = zone.to_datetime(time);
            let hour = f64::from(local.hour())
                + f64::from(local.minute()) / 60.0
                + f64::from(local.second()) / HOUR;
            return (hour, local.weekday().to_monday_zero_offset() >= 5);
        }
        let local = secs + (self.lon / 15.0).round() * HOUR;
        // The epoch was a Thursday.
        let weekday = ((local / DAY).floor() as i64 + 3).rem_euclid(7);
        (local.rem_euclid(DAY) / HOUR, weekday >= 5)
    }

    /// The sun's elevation in degrees by the low-precision formulas of the Astronomical Almanac
    /// (about 0.1° between 1950 and 2050).
    pub(crate) fn sun(&self, secs: f64) -> f64 {
        let days = secs / DAY - 10_957.5;
        let anomaly = (357.528 + 0.985_600_3 * days).to_radians();
        let mean = 280.460 + 0.985_647_4 * days;
        let ecliptic = (mean + 1.915 * anomaly.sin() + 0.020 * (2.0 * anomaly).sin()).to_radians();
        let tilt = (23.439 - 4e-7 * days).to_radians();
        let declination = (tilt.sin() * ecliptic.sin()).asin();
        let ascension = (tilt.cos() * ecliptic.sin()).atan2(ecliptic.cos());
        let sidereal = (18.697_374_558 + 24.065_709_824_419_08 * days) * 15.0 + self.lon;
        let angle = sidereal.to_radians() - ascension;
        let lat = self.lat.to_radians();
        (lat.sin() * declination.sin() + lat.cos() * declination.cos() * angle.cos())
            .asin()
            .to_degrees()
    }

    fn weather(&self, secs: f64, sun: f64) -> Weather {
        let noise = |key: u64, period: f64| smooth(mix(self.seed, key), secs, period);
        // Coldest around 22 January in the north.
        let season = -((secs / DAY - 21.0) / 365.2425 * std::f64::consts::TAU).cos();
        let season = if self.lat < 0.0 { -season } else { season };
        // The afternoon is warmest: the ground answers to the sun of two hours before.
        let warmth = (self.sun(secs - 2.0 * HOUR) / 45.0).clamp(-1.0, 1.0);
        let day = self.climate.day * warmth;
        let temperature = self.climate.mean
            + self.climate.season * season
            + day
            + 4.5 * noise(1, 3.0 * DAY)
            + 1.2 * noise(2, 6.0 * HOUR);
        let wet = noise(3, 8.0 * HOUR);
        let rain = ((wet * 1.5 + 0.5 * noise(4, 0.75 * HOUR) - 0.9).max(0.0) * 7.0).min(60.0);
        let humidity =
            (66.0 - 2.6 * day + 16.0 * wet + if sun < 0.0 { 4.0 } else { 0.0 }).clamp(18.0, 100.0);
        Weather {
            temperature,
            humidity,
            pressure: 994.0 + 9.0 * noise(5, 2.5 * DAY) - 3.0 * wet,
            wind: (4.2 + 2.6 * noise(6, 9.0 * HOUR) + 1.1 * noise(7, 900.0)).max(0.2),
            rain,
        }
    }
}

/// How busy a city is at an hour of the day: rush hours on working days, a late noon at weekends.
fn activity(hour: f64, weekend: bool) -> f64 {
    let bell = |middle: f64, width: f64| {
        let distance = (hour - middle + 12.0).rem_euclid(24.0) - 12.0;
        (-(distance / width).powi(2)).exp()
    };
    let level = if weekend {
        0.1 + 0.5 * bell(14.0, 5.0) + 0.12 * bell(21.0, 3.0)
    } else {
        0.1 + 0.62 * bell(8.0, 1.6)
            + 0.42 * bell(12.8, 3.4)
            + 0.7 * bell(17.4, 2.0)
            + 0.1 * bell(21.0, 2.0)
    };
    level.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chicago() -> City {
        City::new(
            1,
            Climate { mean: 10.5, season: 13.5, day: 4.5 },
            "America/Chicago",
            -87.63,
            41.88,
        )
    }

    fn secs(text: &str) -> f64 {
        text.parse::<Timestamp>().expect("a time").as_second() as f64
    }

    #[test]
    fn the_sun_stands_where_the_almanac_says() {
        let city = chicago();
        // Solar noon at the June solstice: 90 - 41.88 + 23.44.
        let noon = city.sun(secs("2026-06-21T17:52:00Z"));
        assert!((noon - 71.56).abs() < 0.2, "{noon}");
        // Sunrise in Chicago on 23 November 2026 is at 06:49 local time (elevation -0.83°).
        let sunrise = city.sun(secs("2026-11-23T12:49:00Z"));
        assert!((sunrise + 0.83).abs() < 0.4, "{sunrise}");
    }

    #[test]
    fn working_days_have_two_rush_hours_and_a_quiet_night() {
        let at = |hour| activity(hour, false);
        assert!(at(8.0) > 0.7 && at(17.4) > 0.75);
        assert!(at(3.0) < 0.2 && at(10.5) < at(8.0));
        assert!(activity(8.0, true) < at(8.0));
    }

    #[test]
    fn winters_are_cold_and_afternoons_warm() {
        let city = chicago();
        let mean = |from: &str, hours: i32| {
            let from = secs(from);
            let at = |h: i32| city.weather(from + f64::from(h) * HOUR, city.sun(from)).temperature;
            (0..30).map(|day| at(day * 24 + hours)).sum::<f64>() / 30.0
        };
        let (winter, summer) = (mean("2026-01-05T00:00:00Z", 20), mean("2026-07-05T00:00:00Z", 20));
        assert!(summer - winter > 18.0, "{winter} {summer}");
        let (night, afternoon) =
            (mean("2026-07-05T00:00:00Z", 10), mean("2026-07-05T00:00:00Z", 20));
        assert!(afternoon > night + 3.0, "{night} {afternoon}");
    }

    #[test]
    fn without_time_zone_data_days_follow_the_sun() {
        let city = City { zone: None, ..chicago() };
        let time: Timestamp = "2026-11-23T18:00:00Z".parse().expect("a time");
        let (hour, weekend) = city.local(time, time.as_second() as f64);
        assert_eq!((hour, weekend), (12.0, false));
    }

    #[test]
    fn weather_stays_plausible_for_years() {
        let city = chicago();
        for hour in 0..(3 * 365 * 24) {
            let at = secs("2024-01-01T00:00:00Z") + f64::from(hour) * HOUR;
            let w = city.weather(at, city.sun(at));
            assert!((-30.0..42.0).contains(&w.temperature), "{w:?}");
            assert!((10.0..=100.0).contains(&w.humidity), "{w:?}");
            assert!((970.0..1_020.0).contains(&w.pressure), "{w:?}");
            assert!((0.0..15.0).contains(&w.wind) && (0.0..=60.0).contains(&w.rain), "{w:?}");
        }
    }
}
