//! What is expected next: simple predictors that compete, so that a seasonal series is judged by its
//! season, a wandering one by its last value and noise by its level, without being told which it is.

use super::civil::Civil;
use super::mean::Mean;
use super::season::Season;
use super::state::{State, Visit};
use super::{Config, Seasons};

/// How many readings levels, errors and scales remember.
pub(super) const MEMORY: f32 = 500.0;
/// How strongly small errors are preferred: a predictor with twice the error weighs an eighth.
const PREFERENCE: i32 = 3;
/// Predictors of which the best one's error is a smaller part than that are equally bad.
const WORST: f32 = 1e-6;
/// One reading teaches the season and the level at most so many usual errors.
const CLIP: f32 = 6.0;
/// So many readings set the level unclipped.
const FIRST: f32 = 50.0;
/// How many readings the scale of an hour remembers, and how many the common scale weighs in it.
const HOUR_MEMORY: f32 = 60.0;
const HOUR_SHRINK: f32 = 8.0;
/// How far an hour's own scale counts, from 0 to 1, and its bounds in common scales.
const HOUR_POWER: f32 = 0.7;
const HOUR_BOUNDS: (f32, f32) = (0.2, 5.0);

/// The level; the level with the season of the day and of the week; the last value with the step of
/// the season, by whole hours and smoothed.
const PREDICTORS: usize = 5;
/// How many of them, from the first, know nothing of the last value.
const SLOW: usize = 3;

/// The predictors of one series. Values are relative to its first one.
#[derive(Clone, Debug, Default)]
pub(super) struct Outlook {
    level: Mean,
    season: Season,
    /// The last value and what the season had expected then, by whole hours and smoothed.
    last: [f32; 3],
    errors: [Mean; PREDICTORS],
    scale: Mean,
    slow_scale: Mean,
    hours: [Mean; 24],
}

/// What was expected of a reading.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    /// By all predictors, and the usual error of that.
    pub(super) value: f32,
    pub(super) scale: f32,
    /// By level and season only, and the usual error of that.
    pub(super) slow: f32,
    pub(super) slow_scale: f32,
    predictions: [f32; PREDICTORS],
    connected: bool,
    floor: f32,
    steps: [f32; 2],
}

impl Expected {
    /// The least error that means anything.
    pub(super) fn floor(&self) -> f32 {
        self.floor
    }
}

impl Outlook {
    /// What is expected at a time. `floor` is the least error that means anything; `connected` says
    /// that the last reading is not long ago.
    pub(super) fn expect(
        &self,
        config: Config,
        at: Civil,
        connected: bool,
        floor: f32,
    ) -> Expected {
        let usual = self.season.usual(at);
        let (profile, steps) = match config.season {
            Seasons::None => (0.0, [0.0; 2]),
            Seasons::Day => (usual.day, [usual.day, usual.smooth_day]),
            Seasons::Auto | Seasons::Week => (usual.week, [usual.week, usual.smooth_week]),
        };
        let level = self.level.value;
        let [last, step, smooth] = self.last;
        let predictions = [
            level,
            level + usual.day,
            level + profile,
            last + steps[0] - step,
            last + steps[1] - smooth,
        ];
        let usable = match config.season {
            Seasons::None => [true, false, false, connected, false],
            Seasons::Day => [false, true, false, connected, connected],
            Seasons::Week => [false, false, true, connected, connected],
            Seasons::Auto => [true, true, true, connected, connected],
        };
        let weights = self.weights(usable, floor);
        let hour = &self.hours[at.hour];
        let common = self.slow_scale.value.max(floor);
        let own = (hour.value * hour.count + HOUR_SHRINK * common) / (hour.count + HOUR_SHRINK);
        let ratio = (own / common).clamp(HOUR_BOUNDS.0, HOUR_BOUNDS.1).powf(HOUR_POWER);
        Expected {
            value: median(predictions, weights),
            scale: (self.scale.value * ratio).max(floor),
            slow: mean(&predictions[..SLOW], &weights[..SLOW]),
            slow_scale: (self.slow_scale.value * ratio).max(floor),
            predictions,
            connected,
            floor,
            steps,
        }
    }

    /// The weights of the predictors, the best one's is 1; those that are not usable weigh nothing.
    fn weights(&self, usable: [bool; PREDICTORS], floor: f32) -> [f32; PREDICTORS] {
        let error = |index: usize| self.errors[index].value + floor;
        let best = (0..PREDICTORS).filter(|index| usable[*index]).map(error);
        let best = best.fold(f32::MAX, f32::min);
        std::array::from_fn(|index| {
            let ratio = (best / error(index)).max(WORST);
            if usable[index] { ratio.powi(PREFERENCE) } else { 0.0 }
        })
    }

    /// Learns a reading that stands for so many `hours`.
    pub(super) fn learn(&mut self, at: Civil, value: f32, expected: &Expected, hours: f32) {
        let floor = expected.floor;
        // The first reading cannot err, for nothing was expected of it.
        if self.level.count > 0.0 {
            self.learn_errors(at, value, expected);
        }
        let clip = if self.level.count < FIRST {
            f32::MAX
        } else {
            CLIP * self.errors[0].value.max(floor)
        };
        self.level.count = (self.level.count + 1.0).min(MEMORY);
        let off = (value - self.level.value).clamp(-clip, clip);
        self.level.value += off / self.level.count;
        let clip = CLIP * expected.slow_scale;
        self.season.learn(at, value - self.level.value, clip, hours);
        self.last = [value, expected.steps[0], expected.steps[1]];
    }

    fn learn_errors(&mut self, at: Civil, value: f32, expected: &Expected) {
        let floor = expected.floor;
        for (index, error) in self.errors.iter_mut().enumerate() {
            if index < SLOW || expected.connected {
                error.add_error((value - expected.predictions[index]).abs(), floor, MEMORY);
            }
        }
        self.scale.add_error((value - expected.value).abs(), floor, MEMORY);
        let size = (value - expected.slow).abs();
        let most = self.slow_scale.largest_error(floor);
        self.hours[at.hour].add(size.min(most), HOUR_MEMORY);
        self.slow_scale.add_error(size, floor, MEMORY);
    }
}

fn mean(values: &[f32], weights: &[f32]) -> f32 {
    let total: f32 = weights.iter().sum();
    values.iter().zip(weights).map(|(value, weight)| value * weight / total).sum()
}

/// The value in the middle of all weight.
fn median(values: [f32; PREDICTORS], weights: [f32; PREDICTORS]) -> f32 {
    let mut order: [usize; PREDICTORS] = std::array::from_fn(|index| index);
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let half = weights.iter().sum::<f32>() / 2.0;
    let mut below = 0.0;
    for index in order {
        below += weights[index];
        if below >= half && weights[index] > 0.0 {
            return values[index];
        }
    }
    values[order[PREDICTORS - 1]]
}

impl State for Outlook {
    fn visit(&mut self, visit: &mut Visit<'_>) {
        self.level.visit(visit);
        self.season.visit(visit);
        self.last.visit(visit);
        self.errors.visit(visit);
        self.scale.visit(visit);
        self.slow_scale.visit(visit);
        self.hours.visit(visit);
    }
}
