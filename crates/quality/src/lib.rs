//! Quality control of readings as they arrive: the real-time checks of the IOOS QARTOD manuals.
//!
//! A [`Checker`] judges the readings of one series, one by one, and keeps a [`SeriesState`] of 64
//! bytes between them. A [`LocationChecker`] judges the positions of one device; its verdict goes
//! into the verdict of every reading of the message. Nothing is ever dropped or corrected here:
//! readings get a flag, rules and people decide.
//!
//! Source: IOOS, *Manual for Real-Time Quality Control of In-situ Temperature and Salinity Data*,
//! version 2.1 (2020), tests 3, 4, 6, 7 and 8. Where a check departs from the manual because an
//! alert cannot wait for the next reading, its file in `checks/` says how and why.

mod checker;
mod checks;
mod config;
mod location;
mod plan;
mod set;
mod state;

pub use checker::{Checker, Input, Verdict};
pub use checks::{CHECKS, Check};
pub use config::{CheckConfig, ConfigProblem, FlatLine, GrossRange, RateOfChange, Spike};
pub use location::{Fix, LocationChecker, LocationConfig, LocationState};
pub use plan::{Instead, KindChecks, KindLocation, LocationChecks, MetricChecks};
pub use set::CheckSet;
pub use state::SeriesState;
