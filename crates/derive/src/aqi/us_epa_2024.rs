//! The index of the United States, with the breakpoints for particles of 2024.
//!
//! Source: US EPA, *Technical Assistance Document for the Reporting of Daily Air Quality: the Air
//! Quality Index (AQI)*, EPA-454/B-24-002, May 2024: table 6 with its notes, equation 1, and the
//! truncation of concentrations; 40 CFR 58, appendix G. Concentrations are truncated, the index is
//! rounded to the nearest whole number. Above 500 the last line is continued.
//!
//! Rules for two means of one pollutant: the eight-hour mean of O3 gives nothing above 300, the
//! one-hour mean nothing below 0.125 ppm, and the higher of the two counts. SO2 from 305 ppb in one
//! hour on is judged by the mean of 24 hours; if that is lower than 305 ppb, the index is 200.
//!
//! The hourly report takes the NowCast for particles, and means of eight hours that end now for O3
//! and CO. (The agency's own O3 NowCast is a regression on each station's past, with coefficients
//! that it does not publish.) Validity: three quarters of the hours.

use super::line::Line;
use super::{Category, Concentrations, Form, Metrics, Period, Standard, Unit};
use crate::{Day, Decimal, Pollutant};

pub(super) static STANDARD: Standard = Standard {
    id: "us_epa_2024",
    name: "US EPA AQI 2024",
    source: "EPA-454/B-24-002 (May 2024), table 6 and equation 1; 40 CFR 58, appendix G",
    title_en: "Air quality index (US EPA 2024)",
    title_zh: "空气质量指数（美国 EPA 2024）",
    hourly: Metrics { index: "aqi_us", primary: "aqi_us_primary" },
    daily: Metrics { index: "aqi_us_24h", primary: "aqi_us_24h_primary" },
    unit,
    means,
    sub_index,
    primary_above: 0,
    categories: CATEGORIES,
};

/// 40 CFR 58, appendix G, table 1.
const CATEGORIES: &[Category] = &[
    Category { id: "good", names: ["Good", "良好"], above: 0 },
    Category { id: "moderate", names: ["Moderate", "中等"], above: 50 },
    Category {
        id: "unhealthy_for_sensitive_groups",
        names: ["Unhealthy for sensitive groups", "对敏感人群不健康"],
        above: 100,
    },
    Category { id: "unhealthy", names: ["Unhealthy", "不健康"], above: 150 },
    Category { id: "very_unhealthy", names: ["Very unhealthy", "非常不健康"], above: 200 },
    Category { id: "hazardous", names: ["Hazardous", "危险"], above: 300 },
];

fn unit(pollutant: Pollutant) -> Unit {
    match pollutant {
        Pollutant::Pm25 | Pollutant::Pm10 => Unit::MicrogramsPerM3,
        Pollutant::So2 | Pollutant::No2 => Unit::Ppb,
        Pollutant::Co | Pollutant::O3 => Unit::Ppm,
    }
}

/// A table of a mean: how many places it is truncated to, and its lines.
struct Table {
    places: u32,
    /// Both concentrations in the last place, then both indices.
    rows: &'static [[u32; 4]],
}

const O3_8H: Table = Table {
    places: 3,
    rows: &[
        [0, 54, 0, 50],
        [55, 70, 51, 100],
        [71, 85, 101, 150],
        [86, 105, 151, 200],
        [106, 200, 201, 300],
    ],
};
const O3_1H: Table = Table {
    places: 3,
    rows: &[[125, 164, 101, 150], [165, 204, 151, 200], [205, 404, 201, 300], [405, 604, 301, 500]],
};
const PM25: Table = Table {
    places: 1,
    rows: &[
        [0, 90, 0, 50],
        [91, 354, 51, 100],
        [355, 554, 101, 150],
        [555, 1254, 151, 200],
        [1255, 2254, 201, 300],
        [2255, 3254, 301, 500],
    ],
};
const PM10: Table = Table {
    places: 0,
    rows: &[
        [0, 54, 0, 50],
        [55, 154, 51, 100],
        [155, 254, 101, 150],
        [255, 354, 151, 200],
        [355, 424, 201, 300],
        [425, 604, 301, 500],
    ],
};
const CO_8H: Table = Table {
    places: 1,
    rows: &[
        [0, 44, 0, 50],
        [45, 94, 51, 100],
        [95, 124, 101, 150],
        [125, 154, 151, 200],
        [155, 304, 201, 300],
        [305, 504, 301, 500],
    ],
};
const SO2_1H: Table = Table {
    places: 0,
    rows: &[[0, 35, 0, 50], [36, 75, 51, 100], [76, 185, 101, 150], [186, 304, 151, 200]],
};
const SO2_24H: Table = Table { places: 0, rows: &[[305, 604, 201, 300], [605, 1004, 301, 500]] };
const NO2_1H: Table = Table {
    places: 0,
    rows: &[
        [0, 53, 0, 50],
        [54, 100, 51, 100],
        [101, 360, 101, 150],
        [361, 649, 151, 200],
        [650, 1249, 201, 300],
        [1250, 2049, 301, 500],
    ],
};

impl Table {
    /// The index of a mean; `None` below the first line. Above the last, that line goes on.
    fn index(&self, mean: Decimal) -> Option<u32> {
        let mean = mean.truncated(self.places).max(Decimal::ZERO);
        let row = self.rows.iter().rfind(|row| mean >= self.concentration(row[0]))?;
        let line = Line { c: [row[0], row[1]].map(|c| self.concentration(c)), i: [row[2], row[3]] };
        Some(line.nearest(mean))
    }

    /// As [`Table::index`], for a table that ends with its last line.
    fn index_within(&self, mean: Decimal) -> Option<u32> {
        let [_, last, ..] = self.rows.last()?;
        let within = mean.truncated(self.places) <= self.concentration(*last);
        if within { self.index(mean) } else { None }
    }

    const fn concentration(&self, digits: u32) -> Decimal {
        Decimal::new(digits as i64, self.places)
    }
}

fn sub_index(pollutant: Pollutant, means: &Concentrations) -> Option<u32> {
    let mean = |period| means.get(pollutant, period);
    match pollutant {
        Pollutant::Pm25 => PM25.index(mean(Period::H24)?),
        Pollutant::Pm10 => PM10.index(mean(Period::H24)?),
        Pollutant::Co => CO_8H.index(mean(Period::H8)?),
        Pollutant::No2 => NO2_1H.index(mean(Period::H1)?),
        Pollutant::O3 => {
            let eight = mean(Period::H8).and_then(|mean| O3_8H.index_within(mean));
            eight.max(mean(Period::H1).and_then(|mean| O3_1H.index(mean)))
        }
        Pollutant::So2 => {
            let day = mean(Period::H24).and_then(|mean| SO2_24H.index(mean));
            let hour = mean(Period::H1).map(|mean| SO2_1H.index_within(mean).unwrap_or(200));
            day.max(hour)
        }
    }
}

fn means(form: Form, day: &Day) -> Concentrations {
    use Period::{H1, H8, H24};
    use Pollutant::{Co, No2, O3, Pm10, Pm25, So2};
    let mut means = Concentrations::default();
    means.set(So2, H24, day.mean(So2, 24, 18));
    match form {
        Form::Hourly => {
            for particles in [Pm25, Pm10] {
                means.set(particles, H24, day.nowcast(particles));
            }
            for gas in [Co, O3] {
                means.set(gas, H8, day.mean(gas, 8, 6));
            }
            for gas in [So2, No2, O3] {
                means.set(gas, H1, day.hour(gas));
            }
        }
        Form::Daily => {
            for particles in [Pm25, Pm10] {
                means.set(particles, H24, day.mean(particles, 24, 18));
            }
            for gas in [Co, O3] {
                means.set(gas, H8, day.highest_eight(gas, 13));
            }
            for gas in [So2, No2, O3] {
                means.set(gas, H1, day.highest_hour(gas, 18));
            }
        }
    }
    means
}
