//! HJ 633-2012: the Chinese index until 2026-02-28, for data of that time and for comparison.
//!
//! Source: HJ 633-2012, 环境空气质量指数（AQI）技术规定（试行）, Ministry of Environmental Protection: table 1
//! with its notes (the one-hour limits of SO2, NO2 and CO are for the real-time report only; SO2
//! above 800 µg/m³ in one hour is reported by the mean of 24 hours; O3 above 800 µg/m³ in eight
//! hours by the mean of one hour), the formula of the sub-index (rounded up to a whole number), the
//! primary pollutants, and the means of the two reports. It has no one-hour limits for particles:
//! the real-time report takes their running mean of 24 hours. The index ends at 500.
//!
//! Validity of means: as in `hj633_2026.rs`.

use super::china::{self, Column, full};
use super::{Concentrations, Form, Metrics, Period, Standard};
use crate::{Day, Decimal, Pollutant};

pub(super) static STANDARD: Standard = Standard {
    id: "hj633_2012",
    name: "HJ 633-2012",
    source: "HJ 633-2012, table 1 with its notes; GB 3095-2012, table 4",
    title_en: "Air quality index (China, HJ 633-2012)",
    title_zh: "环境空气质量指数（HJ 633-2012）",
    hourly: Metrics { index: "aqi_cn_2012", primary: "aqi_cn_2012_primary" },
    daily: Metrics { index: "aqi_cn_2012_24h", primary: "aqi_cn_2012_24h_primary" },
    unit: china::unit,
    means,
    sub_index: |pollutant, means| china::sub_index(TABLE, pollutant, means),
    primary_above: 50,
    categories: china::CATEGORIES,
};

/// Above it, in µg/m³, the one-hour mean of SO2 is not judged.
const SO2_HOUR_LIMIT: Decimal = Decimal::new(800, 0);

static TABLE: &[Column] = &[
    full(Pollutant::So2, Period::H24, &[0, 50, 150, 475, 800, 1600, 2100, 2620]),
    Column {
        pollutant: Pollutant::So2,
        period: Period::H1,
        limits: &[0, 150, 500, 650, 800],
        above: None,
    },
    full(Pollutant::No2, Period::H24, &[0, 40, 80, 180, 280, 565, 750, 940]),
    full(Pollutant::No2, Period::H1, &[0, 100, 200, 700, 1200, 2340, 3090, 3840]),
    full(Pollutant::Co, Period::H24, &[0, 2, 4, 14, 24, 36, 48, 60]),
    full(Pollutant::Co, Period::H1, &[0, 5, 10, 35, 60, 90, 120, 150]),
    Column {
        pollutant: Pollutant::O3,
        period: Period::H8,
        limits: &[0, 100, 160, 215, 265, 800],
        above: None,
    },
    full(Pollutant::O3, Period::H1, &[0, 160, 200, 300, 400, 800, 1000, 1200]),
    full(Pollutant::Pm10, Period::H24, &[0, 50, 150, 250, 350, 420, 500, 600]),
    full(Pollutant::Pm25, Period::H24, &[0, 35, 75, 115, 150, 250, 350, 500]),
];

fn means(form: Form, day: &Day) -> Concentrations {
    use Period::{H1, H8, H24};
    use Pollutant::{Co, No2, O3, Pm10, Pm25, So2};
    let mut means = Concentrations::default();
    for particles in [Pm25, Pm10] {
        means.set(particles, H24, day.mean(particles, 24, 20));
    }
    match form {
        Form::Hourly => {
            for gas in [So2, No2, Co, O3] {
                means.set(gas, H1, day.hour(gas));
            }
            means.set(O3, H8, day.mean(O3, 8, 6));
            if day.hour(So2).is_some_and(|mean| mean.rounded(0) > SO2_HOUR_LIMIT) {
                means.set(So2, H24, day.mean(So2, 24, 20));
            }
        }
        Form::Daily => {
            for gas in [So2, No2, Co] {
                means.set(gas, H24, day.mean(gas, 24, 20));
            }
            means.set(O3, H1, day.highest_hour(O3, 20));
            means.set(O3, H8, day.highest_eight(O3, 14));
        }
    }
    means
}
