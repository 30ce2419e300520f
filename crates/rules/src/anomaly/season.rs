//! What is usual by hour of day, on working days and at weekends.

use super::civil::Civil;
use super::mean::Mean;
use super::state::{State, Visit};

/// An hour is believed as far as it is known: so much time in it weighs as much as what is known
/// without it. Hours.
const SHRINK: f32 = 1.0;
/// How much time in an hour is remembered, which is as many days. Hours.
const MEMORY: f32 = 12.0;
/// The first time in an hour teaches all, for there is nothing to hold against it. Hours.
const FIRST: f32 = 1.5;

/// Deviations from the level, by hour of day, and by hour of day and kind of day.
#[derive(Clone, Debug, Default)]
pub(super) struct Season {
    day: [Mean; 24],
    week: [[Mean; 24]; 2],
}

/// Deviations from the level that the season expects.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usual {
    /// In this hour.
    pub(super) day: f32,
    /// In this hour of such a day.
    pub(super) week: f32,
    /// The same as `day`, on the line from the middle of one hour to that of the next.
    pub(super) smooth_day: f32,
    /// The same as `week`, on that line.
    pub(super) smooth_week: f32,
}

impl Season {
    /// What is usual at a time.
    pub(super) fn usual(&self, at: Civil) -> Usual {
        let (day, week) = self.hour(at.hour, at.weekend);
        let neighbour = if at.part < 0.5 { at.hour + 23 } else { at.hour + 1 } % 24;
        let (other_day, other_week) = self.hour(neighbour, at.weekend);
        let weight = (at.part - 0.5).abs();
        Usual {
            day,
            week,
            smooth_day: day + (other_day - day) * weight,
            smooth_week: week + (other_week - week) * weight,
        }
    }

    fn hour(&self, hour: usize, weekend: bool) -> (f32, f32) {
        let shrunk = |bin: &Mean, parent: f32| {
            parent + (bin.value - parent) * bin.count / (bin.count + SHRINK)
        };
        let day = shrunk(&self.day[hour], 0.0);
        (day, shrunk(&self.week[usize::from(weekend)][hour], day))
    }

    /// Learns a deviation from the level that stands for so many `hours`; more than `clip` away
    /// from what is usual teaches no more than that.
    pub(super) fn learn(&mut self, at: Civil, deviation: f32, clip: f32, hours: f32) {
        for bin in [&mut self.day[at.hour], &mut self.week[usize::from(at.weekend)][at.hour]] {
            bin.count = (bin.count + hours).min(MEMORY);
            let clip = if bin.count < FIRST { f32::MAX } else { clip };
            bin.value += (deviation - bin.value).clamp(-clip, clip) * (hours / bin.count).min(1.0);
        }
    }
}

impl State for Season {
    fn visit(&mut self, visit: &mut Visit<'_>) {
        self.day.visit(visit);
        self.week.visit(visit);
    }
}
