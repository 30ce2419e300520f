//! One surprise per anomaly: what lasts is told once.

use super::state::{State, Visit};

/// What is less odd than that is never told.
const LEAST: f32 = 1.3;
/// How much odder something must be than what was told before, in the same episode.
const MORE: f32 = 1.2;
/// An episode goes on while surprises reach this part of the largest one.
const ON: f32 = 0.5;
/// Readings after the end of an episode until the bar for the next one has sunk to a third.
const REST: f32 = 15.0;

/// The surprise that was told last and how long it is over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Episode {
    peak: f32,
    rest: f32,
}

impl Episode {
    /// What is to be told of a surprise: all of it at the onset, 0 while the same goes on.
    pub(super) fn told(&mut self, surprise: f32) -> f32 {
        let bar = self.peak * MORE * (-self.rest / REST).exp();
        if surprise > bar.max(LEAST) {
            *self = Self { peak: surprise, rest: 0.0 };
            return surprise;
        }
        let on = surprise >= self.peak * ON && surprise > LEAST;
        self.rest = if on { 0.0 } else { self.rest + 1.0 };
        0.0
    }
}

impl State for Episode {
    fn visit(&mut self, visit: &mut Visit<'_>) {
        visit(&mut self.peak);
        visit(&mut self.rest);
    }
}
