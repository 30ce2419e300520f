//! HJ 633-2026: the Chinese index from 2026-03-01 on.
//!
//! Source: HJ 633-2026, 环境空气质量指数（AQI）技术规定, Ministry of Ecology and Environment: table 3 (limits
//! of the sub-indices) with notes b and c, the formula of the sub-index (rounded up to a whole
//! number), the primary pollutants, and the means of the real-time and the daily report. Means are
//! rounded by GB/T 8170 first, CO to one place, the others to whole numbers. The index ends at 500.
//!
//! Validity of means: GB 3095-2012, table 4 (45 minutes of an hour, 20 hours of a day, 6 of 8
//! hours), and 14 eight-hour means for the day's highest (HJ 663-2013).

use super::china::{self, Column, full};
use super::{Concentrations, Form, Metrics, Period, Standard};
use crate::{Day, Pollutant};

pub(super) static STANDARD: Standard = Standard {
    id: "hj633_2026",
    name: "HJ 633-2026",
    source: "HJ 633-2026, table 3 with notes b and c; GB 3095-2012, table 4",
    title_en: "Air quality index (China, HJ 633-2026)",
    title_zh: "环境空气质量指数（HJ 633-2026）",
    hourly: Metrics { index: "aqi_cn", primary: "aqi_cn_primary" },
    daily: Metrics { index: "aqi_cn_24h", primary: "aqi_cn_24h_primary" },
    unit: china::unit,
    means,
    sub_index: |pollutant, means| china::sub_index(TABLE, pollutant, means),
    primary_above: 50,
    categories: china::CATEGORIES,
};

const PM25: &[i64] = &[0, 35, 60, 115, 150, 250, 350, 500];
const PM10: &[i64] = &[0, 50, 120, 250, 350, 420, 500, 600];

static TABLE: &[Column] = &[
    full(Pollutant::So2, Period::H24, &[0, 50, 150, 475, 800, 1600, 2100, 2620]),
    // Note b: above 800 the one-hour mean of SO2 gives 200.
    Column {
        pollutant: Pollutant::So2,
        period: Period::H1,
        limits: &[0, 150, 500, 650, 800],
        above: Some(200),
    },
    full(Pollutant::No2, Period::H24, &[0, 40, 80, 180, 280, 565, 750, 940]),
    full(Pollutant::No2, Period::H1, &[0, 100, 200, 700, 1200, 2340, 3090, 3840]),
    full(Pollutant::Co, Period::H24, &[0, 2, 4, 14, 24, 36, 48, 60]),
    full(Pollutant::Co, Period::H1, &[0, 5, 10, 35, 60, 90, 120, 150]),
    // Note c: above 800 the eight-hour mean of O3 gives 300.
    Column {
        pollutant: Pollutant::O3,
        period: Period::H8,
        limits: &[0, 100, 160, 215, 265, 800],
        above: Some(300),
    },
    full(Pollutant::O3, Period::H1, &[0, 160, 200, 300, 400, 800, 1000, 1200]),
    // The real-time report judges the one-hour means of particles by the limits of the day.
    full(Pollutant::Pm10, Period::H24, PM10),
    full(Pollutant::Pm10, Period::H1, PM10),
    full(Pollutant::Pm25, Period::H24, PM25),
    full(Pollutant::Pm25, Period::H1, PM25),
];

fn means(form: Form, day: &Day) -> Concentrations {
    let mut means = Concentrations::default();
    for pollutant in Pollutant::ALL {
        let (period, mean) = match (form, pollutant) {
            (Form::Hourly, _) => (Period::H1, day.hour(pollutant)),
            (Form::Daily, Pollutant::O3) => (Period::H8, day.highest_eight(pollutant, 14)),
            (Form::Daily, _) => (Period::H24, day.mean(pollutant, 24, 20)),
        };
        means.set(pollutant, period, mean);
    }
    means
}
