//! Anomaly detection in one series: streaming, one pass, constant memory, seasonal, and able to say
//! what it expected.
//!
//! A reading goes through five steps, each a file: simple predictors compete for what is expected
//! (`outlook.rs` with `season.rs`); the error, its course over the last readings and the activity are
//! features (`features.rs`); each feature is judged by its own tail, learnt so far (`tail.rs`); and of
//! an anomaly that lasts only the onset is told (`episode.rs`). What comes out is the surprise: one
//! reading in 10 to this power would be as odd.
//!
//! Judged first, learnt after: nothing later than a reading, no label and no property of a whole
//! series enters its score. All constants are global. Errors are clipped where they teach, so that an
//! anomaly is not soon taken as usual, but a change that lasts is, after some 250 readings.

mod civil;
mod episode;
mod features;
mod mean;
mod outlook;
mod season;
mod state;
mod tail;
#[cfg(test)]
mod tests;

use city_model::{Span, Timestamp};

use civil::Civil;
use episode::Episode;
use features::Features;
use mean::Mean;
use outlook::Outlook;
use state::{State, Visit};

pub use features::Reason;

/// A pause of more than so many usual ones is a gap: what was before it is no longer near.
const GAP: f32 = 6.0;
/// How many pauses are remembered, how many must be known, and how far one of them counts at most,
/// as the natural logarithm of a ratio.
const PAUSES: f32 = 64.0;
const PAUSES_LEAST: f32 = 8.0;
const PAUSE_CLIP: f32 = 1.0;
/// What a reading stands for where pauses are not known. Hours.
const SOME_HOURS: f32 = 0.1;
/// Nothing is told of the first readings, and less of those after them.
const SILENT: f32 = 100.0;
const WARM: f32 = 300.0;
/// Half of the smallest change that was seen is the least error that means anything; a larger one is
/// believed again by so much a reading.
const RESOLUTION_GROWTH: f32 = 1.002;
/// The least error in parts of the value, and as such.
const RELATIVE_FLOOR: f32 = 1e-6;
const FLOOR: f32 = 1e-12;
/// Values farther from the first one are taken as that far.
const FARTHEST: f64 = 1e30;
/// The surprise at which [`Score::output`] is one half.
pub const HALF: f64 = 4.0;
/// What a single reading inside the band is at most.
const BAND: f32 = 3.0;

/// Which seasons a series may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seasons {
    /// As the series shows.
    #[default]
    Auto,
    /// None: only level and last value.
    None,
    /// By hour of day.
    Day,
    /// By hour of day, on working days and at weekends.
    Week,
}

/// On which side values are odd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both.
    #[default]
    Either,
    /// High values only.
    Above,
    /// Low values only.
    Below,
}

/// What a detector is to look for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Which seasons the series may have.
    pub season: Seasons,
    /// On which side values are odd.
    pub direction: Direction,
}

/// What a detector says of a reading.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// One reading in 10 to this power would be as odd; 0 while an anomaly that was told goes on.
    /// From 0 to 30.
    pub surprise: f64,
    /// The surprise as a score from 0 up to 1.
    pub output: f64,
    /// What was expected, in the unit of the series.
    pub expected: f64,
    /// The band outside which a single reading has a surprise of about 3 or more, in the unit of the
    /// series.
    pub low: f64,
    /// The upper end of the band.
    pub high: f64,
    /// How far off the reading is, in usual errors; negative below what was expected.
    pub deviation: f64,
    /// What is odd about it.
    pub reason: Reason,
    /// Whether it has seen enough for any of this to mean something.
    pub ready: bool,
}

/// The state of one series; about a kilobyte.
#[derive(Clone, Debug, Default)]
pub struct Detector {
    config: Config,
    last: Option<Timestamp>,
    /// The first value: all others are kept relative to it.
    origin: f64,
    numbers: Numbers,
}

/// What a detector has learnt.
#[derive(Clone, Debug, Default)]
struct Numbers {
    /// Readings so far, up to [`WARM`].
    count: f32,
    /// The logarithm of the pauses in seconds.
    pause: Mean,
    /// The last value and whether there was one since the last gap.
    value: f32,
    connected: f32,
    /// The smallest change that is believed.
    resolution: f32,
    outlook: Outlook,
    features: Features,
    episode: Episode,
}

/// A saved [`Detector`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedDetector {
    /// The time of the last reading in microseconds; `None` before the first.
    pub last: Option<i64>,
    /// All numbers, the first value before them.
    pub numbers: Vec<f64>,
}

impl Detector {
    /// A detector that has seen nothing.
    pub fn new(config: Config) -> Self {
        Self { config, ..Self::default() }
    }

    /// Judges a reading, then learns it. `offset` is by how much local clocks are ahead of UTC.
    ///
    /// Readings come in the order of their times; one that does not is taken as if it came at once
    /// after the one before. Values that are not finite are passed over.
    pub fn update(&mut self, time: Timestamp, offset: Span, value: f64) -> Score {
        if !value.is_finite() {
            return Score {
                expected: self.origin + f64::from(self.numbers.value),
                ..Score::default()
            };
        }
        if self.last.is_none() {
            self.origin = value;
        }
        let pause = self.last.map_or(0, |last| time.since(last).micros());
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
        let relative = (value - self.origin).clamp(-FARTHEST, FARTHEST) as f32;
        let numbers = &mut self.numbers;
        let hours = numbers.pause(pause as f32 / 1e6);
        let floor = (numbers.resolution / 2.0)
            .max(RELATIVE_FLOOR * (relative.abs() + self.origin.abs().min(FARTHEST) as f32))
            .max(FLOOR);
        let at = Civil::of(time, offset);
        let connected = numbers.connected > 0.0;
        let expected = numbers.outlook.expect(self.config, at, connected, floor);
        let change = connected.then_some(relative - numbers.value);
        let largest = numbers.features.largest_error(BAND);
        let (odd, reason) =
            numbers.features.judge(relative, &expected, change, self.config.direction);
        numbers.outlook.learn(at, relative, &expected, hours);
        let warmth = ((numbers.count - SILENT) / (WARM - SILENT)).clamp(0.0, 1.0);
        let surprise = f64::from(numbers.episode.told(odd * warmth));
        numbers.take(relative, change);
        let (middle, scale) = match reason {
            Reason::Point | Reason::Activity => (expected.value, expected.scale),
            Reason::Burst | Reason::Shift => (expected.slow, expected.slow_scale),
        };
        let (middle, scale) = (f64::from(middle), f64::from(scale));
        let reach = scale * f64::from(largest);
        Score {
            surprise,
            output: surprise / (surprise + HALF),
            expected: self.origin + middle,
            low: self.origin + middle - reach,
            high: self.origin + middle + reach,
            deviation: (f64::from(relative) - middle) / scale,
            reason,
            ready: warmth > 0.0,
        }
    }

    /// Everything that is needed to go on as if without interruption.
    pub fn save(&self) -> SavedDetector {
        let mut numbers = vec![self.origin];
        self.numbers.clone().visit(&mut |number| numbers.push(f64::from(*number)));
        SavedDetector { last: self.last.map(Timestamp::micros), numbers }
    }

    /// Goes on from what was saved. What another version saved, or what is not finite, is not
    /// understood: the detector then begins anew.
    pub fn restore(config: Config, saved: &SavedDetector) -> Self {
        let mut fresh = Self::new(config);
        let mut expected = 1;
        fresh.numbers.visit(&mut |_| expected += 1);
        let fits = saved.numbers.len() == expected && saved.numbers.iter().all(|n| n.is_finite());
        let (Some(last), Some(origin), true) = (saved.last, saved.numbers.first(), fits) else {
            return fresh;
        };
        let mut numbers = saved.numbers.iter().skip(1);
        fresh.numbers.visit(&mut |number| *number = numbers.next().map_or(0.0, |n| *n as f32));
        Self { last: Some(Timestamp::from_micros(last)), origin: *origin, ..fresh }
    }
}

impl Numbers {
    /// Takes the pause before a reading, in seconds, and says what the reading stands for, in hours.
    fn pause(&mut self, pause: f32) -> f32 {
        if pause <= 0.0 {
            return SOME_HOURS;
        }
        let log = pause.ln();
        if self.pause.count == 0.0 {
            self.pause.add(log, PAUSES);
        }
        let usual = self.pause.value;
        if self.pause.count >= PAUSES_LEAST && log - usual > GAP.ln() {
            self.connected = 0.0;
            self.features.disconnect();
        }
        self.pause.add(log.clamp(usual - PAUSE_CLIP, usual + PAUSE_CLIP), PAUSES);
        pause.min(self.pause.value.exp() * GAP).min(3_600.0) / 3_600.0
    }

    fn take(&mut self, value: f32, change: Option<f32>) {
        let size = change.map_or(0.0, f32::abs);
        if size > 0.0 {
            self.resolution = if self.resolution == 0.0 {
                size
            } else {
                size.min(self.resolution * RESOLUTION_GROWTH)
            };
        }
        self.value = value;
        self.connected = 1.0;
        self.count = (self.count + 1.0).min(WARM);
    }
}

impl State for Numbers {
    fn visit(&mut self, visit: &mut Visit<'_>) {
        visit(&mut self.count);
        self.pause.visit(visit);
        visit(&mut self.value);
        visit(&mut self.connected);
        visit(&mut self.resolution);
        self.outlook.visit(visit);
        self.features.visit(visit);
        self.episode.visit(visit);
    }
}
