//! A running mean that forgets.

use super::state::{State, Visit};

/// Errors above so many usual ones teach no more than that, so that an anomaly teaches little but
/// what lasts is learnt.
const CLIP: f32 = 4.0;
/// So many readings are taken as they are before any is clipped.
const UNCLIPPED: f32 = 30.0;

/// Weighs its first values equally and forgets from then on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    pub(super) value: f32,
    /// How many values it stands for.
    pub(super) count: f32,
}

impl Mean {
    /// Takes a value; `memory` is how many values the mean stands for at most.
    pub(super) fn add(&mut self, value: f32, memory: f32) {
        self.count = (self.count + 1.0).min(memory);
        self.value += (value - self.value) / self.count;
    }

    /// The largest error that teaches all of itself; `floor` is the least that counts as usual.
    pub(super) fn largest_error(self, floor: f32) -> f32 {
        if self.count < UNCLIPPED { f32::MAX } else { CLIP * self.value.max(floor) }
    }

    /// Takes the size of an error, clipped.
    pub(super) fn add_error(&mut self, size: f32, floor: f32, memory: f32) {
        self.add(size.min(self.largest_error(floor)), memory);
    }
}

impl State for Mean {
    fn visit(&mut self, visit: &mut Visit<'_>) {
        visit(&mut self.value);
        visit(&mut self.count);
    }
}
