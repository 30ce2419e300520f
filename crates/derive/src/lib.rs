//! Series that are derived from readings: the air quality index by the standards that a city
//! chooses. Pure: numbers in, numbers out; who feeds it and who stores the result is the
//! pipeline's business.
//!
//! A [`Station`] gathers the readings of one device into hourly means and keeps the last
//! [`KEPT_HOURS`] of them. When an hour is over, a [`Standard`] turns the [`Day`] before its end
//! into concentrations, and those into the index with its primary pollutants. Everything is
//! computed in decimals and fractions of whole numbers: binary fractions would put a concentration
//! that stands on a breakpoint on the wrong side of it.

mod aqi;
mod averages;
mod config;
mod decimal;
mod hour;
mod pollutant;
mod station;

pub use aqi::{
    Aqi, Category, Concentrations, Form, Metrics, Period, STANDARDS, Standard, Unit, standard,
};
pub use averages::{DAY_HOURS, Day};
pub use config::AqiConfig;
pub use decimal::Decimal;
pub use hour::{Hour, OpenHour, Slots};
pub use pollutant::{Basis, Intake, Pollutant};
pub use station::{KEPT_HOURS, Station, Taken};
