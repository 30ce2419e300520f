//! A device for which something is derived: its hours, what came late, what was told.

use std::sync::Arc;

use city_derive::{Hour, Pollutant, Station};
use city_model::{Device, Marks, MetricKey, Quality, Reading, SeriesKey, Timestamp, Value};

/// A device for which something is derived.
pub(super) struct Watched {
    pub(super) device: Arc<Device>,
    pub(super) station: Station,
    /// When it was heard last, by the clock.
    pub(super) heard: Timestamp,
    /// The newest simulated reading.
    pub(super) simulated: Option<Timestamp>,
    pub(super) late: Vec<LateHour>,
    /// What was derived for the hours that can still be corrected.
    pub(super) told: Vec<Told>,
}

/// An hour of a series with late readings.
pub(super) struct LateHour {
    pub(super) pollutant: Pollutant,
    pub(super) hour: Hour,
    /// The commit of the last of them.
    pub(super) commit: u64,
    pub(super) since: Timestamp,
}

/// A report that was derived.
#[derive(PartialEq)]
pub(super) struct Told {
    pub(super) hour: Hour,
    pub(super) output: usize,
    pub(super) index: u32,
    pub(super) primary: Arc<str>,
}

impl Watched {
    /// Notes a late reading.
    pub(super) fn late(&mut self, pollutant: Pollutant, hour: Hour, commit: u64, now: Timestamp) {
        let same = |late: &&mut LateHour| late.pollutant == pollutant && late.hour == hour;
        match self.late.iter_mut().find(same) {
            Some(late) => late.commit = commit,
            None => self.late.push(LateHour { pollutant, hour, commit, since: now }),
        }
    }

    /// What is told of an hour.
    pub(super) fn reading(
        &self,
        metric: MetricKey,
        hour: Hour,
        value: Value,
        quality: Quality,
        now: Timestamp,
    ) -> Reading {
        let mut marks = Marks::DERIVED;
        let simulated = self.simulated.is_some_and(|at| at >= hour.plus(-23).start());
        if self.device.simulated || simulated {
            marks = marks.with(Marks::SIMULATED);
        }
        Reading {
            series: SeriesKey { device: self.device.key, metric },
            time: hour.end(),
            received: now,
            value,
            quality,
            marks,
            position: None,
            zones: self.device.zones.clone(),
        }
    }
}
