//! In what ways a reading can be odd: each feature sees another shape and has its own tail.

use super::Direction;
use super::mean::Mean;
use super::outlook::{Expected, MEMORY};
use super::state::{State, Visit};
use super::tail::Tail;

/// How many features there are.
const FEATURES: usize = 4;
/// How many readings a burst and a shift look at.
const BURST: f32 = 4.0;
const SHIFT: f32 = 12.0;
/// One reading adds at most so many usual errors to them.
const CLIP: f32 = 6.0;
/// How many readings the activity looks at, and how many must be there.
const ACTIVE: f32 = 12.0;
const ACTIVE_LEAST: f32 = 6.0;
/// A single change counts at most so many usual ones.
const ACTIVE_CLIP: f32 = 10.0;
/// How much the features beside the oddest one add.
const OTHERS: f32 = 0.3;
/// What is taken off because the oddest of several features is looked at: log10 of 6.
const CHOICE: f32 = 0.78;
/// No feature is larger than that.
const LARGEST: f32 = 1e6;
/// Nothing is odder than that.
const MOST: f32 = 30.0;

/// What made a reading odd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// The reading itself is far from what was expected.
    #[default]
    Point,
    /// The last few readings together are.
    Burst,
    /// The last dozen readings together are: another level than usual.
    Shift,
    /// Values change more from reading to reading than usual.
    Activity,
}

const REASONS: [Reason; FEATURES] = [Reason::Point, Reason::Burst, Reason::Shift, Reason::Activity];

/// The features of one series.
#[derive(Clone, Debug, Default)]
pub(super) struct Features {
    burst: Mean,
    shift: Mean,
    activity: Mean,
    usual_activity: Mean,
    tails: [Tail; FEATURES],
}

impl Features {
    /// Forgets what looked at the last readings.
    pub(super) fn disconnect(&mut self) {
        self.burst = Mean::default();
        self.shift = Mean::default();
        self.activity = Mean::default();
    }

    /// How odd a reading is and why. `change` is that from the last reading, if it was not long ago.
    pub(super) fn judge(
        &mut self,
        value: f32,
        expected: &Expected,
        change: Option<f32>,
        direction: Direction,
    ) -> (f32, Reason) {
        let slow = ((value - expected.slow) / expected.slow_scale).clamp(-CLIP, CLIP);
        self.burst.add(slow, BURST);
        self.shift.add(slow * expected.slow_scale, SHIFT);
        let together = |mean: &Mean| mean.value * mean.count.sqrt();
        let sided = |off: f32| match direction {
            Direction::Either => off.abs(),
            Direction::Above => off.max(0.0),
            Direction::Below => (-off).max(0.0),
        };
        let activity = self.activity(change, expected.floor());
        let features = [
            sided((value - expected.value) / expected.scale),
            sided(together(&self.burst)),
            sided(together(&self.shift) / expected.slow_scale),
            if direction == Direction::Either { activity } else { 0.0 },
        ];
        let mut odd = [0.0; FEATURES];
        for ((odd, tail), feature) in odd.iter_mut().zip(&mut self.tails).zip(features) {
            let feature = feature.min(LARGEST);
            *odd = tail.surprise(feature);
            tail.learn(feature);
        }
        let oddest =
            (1..FEATURES).fold(0, |best, next| if odd[next] > odd[best] { next } else { best });
        let others = odd.iter().sum::<f32>() - odd[oddest];
        let surprise = (odd[oddest] + OTHERS * others - CHOICE).clamp(0.0, MOST);
        (surprise, REASONS[oddest])
    }

    /// How much more than usual values change from reading to reading; 0 for as usual or less.
    fn activity(&mut self, change: Option<f32>, floor: f32) -> f32 {
        let Some(size) = change.map(f32::abs) else { return 0.0 };
        let usual = self.usual_activity.value;
        self.activity.add(size.min(ACTIVE_CLIP * usual.max(floor)), ACTIVE);
        self.usual_activity.add_error(size, floor, MEMORY);
        if self.activity.count < ACTIVE_LEAST {
            return 0.0;
        }
        let least = 0.1 * floor;
        ((self.activity.value + least) / (usual + least) - 1.0).max(0.0)
    }

    /// The largest error of a single reading, in usual ones, that is less odd than `surprise`.
    pub(super) fn largest_error(&self, surprise: f32) -> f32 {
        self.tails[0].feature(surprise + CHOICE)
    }
}

impl State for Features {
    fn visit(&mut self, visit: &mut Visit<'_>) {
        for mean in [&mut self.burst, &mut self.shift, &mut self.activity, &mut self.usual_activity]
        {
            mean.visit(visit);
        }
        self.tails.visit(visit);
    }
}
