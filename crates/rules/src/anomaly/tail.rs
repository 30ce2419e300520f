//! How odd a value of a feature is for this series: the tail of the feature, learnt as it goes.
//!
//! Above a running 95 % quantile the square root of the feature is taken as exponentially
//! distributed, a tail between that of noise and that of bursts. Its mean excess is learnt, and what
//! is still unknown of it makes the tail longer (the predictive distribution is Lomax's). So a series
//! with regular peaks gets a long tail and stays quiet, a calm one a short tail, and one limit fits
//! both.

use super::state::{State, Visit};

/// Where the tail begins.
const QUANTILE: f32 = 0.95;
/// What the quantile and the mean excess are taken as before anything was seen.
const FIRST_QUANTILE: f32 = 1.0;
const FIRST_EXCESS: f32 = 0.25;
/// How many excesses the first guess weighs.
const GUESS: f32 = 16.0;
/// How many excesses are remembered.
const MEMORY: f32 = 60.0;
/// One excess teaches at most so many mean ones.
const CLIP: f32 = 10.0;
/// Readings after which the quantile moves in steps that no longer get smaller.
const SETTLED: f32 = 120.0;
/// The first steps of the quantile, in mean excesses.
const STEP: f32 = 4.0;

/// The tail of one feature.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    quantile: f32,
    excess: f32,
    /// How many excesses were seen, up to [`MEMORY`].
    seen: f32,
    /// How many values were seen, up to [`SETTLED`].
    count: f32,
}

impl Default for Tail {
    fn default() -> Self {
        Self { quantile: FIRST_QUANTILE, excess: FIRST_EXCESS, seen: 0.0, count: 0.0 }
    }
}

/// The scale on which the tail is exponential; `feature` is at least 0.
fn scaled(feature: f32) -> f32 {
    2.0 * ((1.0 + feature).sqrt() - 1.0)
}

impl Tail {
    /// How odd a value is: one in 10 to this power is as large. 0 below the quantile.
    pub(super) fn surprise(&self, feature: f32) -> f32 {
        let over = scaled(feature) - self.quantile;
        if over <= 0.0 {
            return 0.0;
        }
        let known = self.seen + GUESS;
        known * (1.0 + over / (self.excess * known)).log10() - (1.0 - QUANTILE).log10()
    }

    /// The value that is as odd as `surprise`, which must be at least that of the quantile.
    pub(super) fn feature(&self, surprise: f32) -> f32 {
        let known = self.seen + GUESS;
        let beyond = (surprise + (1.0 - QUANTILE).log10()).max(0.0);
        let over = self.excess * known * (10_f32.powf(beyond / known) - 1.0);
        let scaled = (self.quantile + over).max(0.0);
        (1.0 + scaled / 2.0).powi(2) - 1.0
    }

    /// Learns a value.
    pub(super) fn learn(&mut self, feature: f32) {
        self.count = (self.count + 1.0).min(SETTLED);
        let step = self.excess * STEP / self.count;
        let over = scaled(feature) - self.quantile;
        if over > 0.0 {
            self.quantile += step * QUANTILE;
            self.seen = (self.seen + 1.0).min(MEMORY);
            let taught = over.min(CLIP * self.excess);
            self.excess += (taught - self.excess) / (self.seen + GUESS);
        } else {
            // Features are not negative, and what is always 0 is never odd.
            self.quantile = (self.quantile - step * (1.0 - QUANTILE)).max(0.0);
        }
    }
}

impl State for Tail {
    fn visit(&mut self, visit: &mut Visit<'_>) {
        for number in [&mut self.quantile, &mut self.excess, &mut self.seen, &mut self.count] {
            visit(number);
        }
    }
}
