//! Runs the checks of a metric on the readings of a series, one by one.

use city_model::{Quality, Timestamp, Value};

use crate::checks::{Evidence, Role};
use crate::{CHECKS, Check, CheckConfig, CheckSet, SeriesState};

/// The checks of one metric, ready to run. One serves all series of the metric.
#[derive(Clone, Debug)]
pub struct Checker {
    config: CheckConfig,
    /// Those that are configured, in the order of [`CHECKS`].
    active: Vec<(CheckSet, &'static Check)>,
}

/// A reading to be judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Input {
    /// Its event time.
    pub time: Timestamp,
    /// Its number in the metric's unit; `None` if the device sent a placeholder for "no value".
    pub value: Option<f64>,
    /// The verdict on the position of its message; not evaluated for devices that stand still.
    pub position_verdict: Quality,
}

/// What the checks say of a reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The worst of their flags; not evaluated if no check could run.
    pub quality: Quality,
    /// The checks that found it suspect or failed it.
    pub failed: CheckSet,
}

impl Verdict {
    fn add(&mut self, bit: CheckSet, quality: Quality) {
        self.quality = self.quality.worst(quality);
        if matches!(quality, Quality::Suspect | Quality::Fail) {
            self.failed = self.failed.with(bit);
        }
    }
}

impl Checker {
    /// The checks of a configuration. Limits that make no sense
    /// ([`CheckConfig::problems`]) are taken as they are: report them where files are read.
    pub fn new(config: CheckConfig) -> Self {
        let active = CHECKS
            .iter()
            .enumerate()
            .filter(|(_, check)| (check.is_on)(&config))
            .map(|(index, check)| (CheckSet::of_index(index), check))
            .collect();
        Self { config, active }
    }

    /// The configuration.
    pub fn config(&self) -> &CheckConfig {
        &self.config
    }

    /// Judges a reading and takes it into the series' memory.
    ///
    /// - No value is [`Quality::Missing`] and leaves the memory alone.
    /// - A number that is not finite fails the gross range, configured or not.
    /// - A reading that is not later than those before it (late, or a redelivery) is judged by
    ///   the gross range and location checks only and leaves the memory alone.
    /// - A reading outside the physical range is not compared with others and leaves the memory
    ///   alone.
    pub fn check(&self, state: &mut SeriesState, input: &Input) -> Verdict {
        let Some(value) = input.value else {
            return Verdict { quality: Quality::Missing, failed: CheckSet::EMPTY };
        };
        if !value.is_finite() {
            return Verdict { quality: Quality::Fail, failed: CheckSet::GROSS_RANGE };
        }
        let in_order = state.last_time().is_none_or(|last| input.time > last);
        let history =
            if self.is_forgotten(state, input.time) { SeriesState::default() } else { *state };
        let evidence = Evidence {
            state: &history,
            time: input.time,
            value,
            position_verdict: input.position_verdict,
        };
        let (mut verdict, mut steps, mut impossible) = (Verdict::default(), CheckSet::EMPTY, false);
        for &(bit, check) in &self.active {
            // An impossible value is no spike and no change: nothing to compare.
            if check.role.needs_order() && (impossible || !in_order) {
                continue;
            }
            let quality = (check.judge)(&self.config, &evidence);
            verdict.add(bit, quality);
            match check.role {
                Role::Value => impossible |= quality == Quality::Fail,
                Role::Step if verdict.failed.has(bit) => steps = steps.with(bit),
                Role::Step | Role::Run | Role::Place => {}
            }
        }
        if in_order && !impossible {
            *state = SeriesState::after(&self.config, &evidence, steps);
        }
        verdict
    }

    /// As [`Checker::check`], for a value of any kind: truth values and texts are judged by the
    /// position of their message only.
    pub fn check_value(
        &self,
        state: &mut SeriesState,
        time: Timestamp,
        value: Option<&Value>,
        position_verdict: Quality,
    ) -> Verdict {
        match value {
            Some(Value::Bool(_) | Value::Text(_)) => self.check_position(position_verdict),
            Some(Value::Number(number)) => {
                self.check(state, &Input { time, value: Some(*number), position_verdict })
            }
            None => self.check(state, &Input { time, value: None, position_verdict }),
        }
    }

    fn check_position(&self, position_verdict: Quality) -> Verdict {
        let state = &SeriesState::default();
        let evidence = Evidence { state, time: Timestamp::default(), value: 0.0, position_verdict };
        let mut verdict = Verdict::default();
        for (bit, check) in &self.active {
            if check.role == Role::Place {
                verdict.add(*bit, (check.judge)(&self.config, &evidence));
            }
        }
        verdict
    }

    /// Whether the series was silent for so long that its history says nothing any more.
    fn is_forgotten(&self, state: &SeriesState, now: Timestamp) -> bool {
        let silence = state.last_time().map(|last| now.since(last));
        self.config.max_gap.zip(silence).is_some_and(|(max_gap, silence)| silence > max_gap)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The flags of some values, ten seconds apart.
    pub(crate) fn flags(config: &CheckConfig, values: &[f64]) -> Vec<Quality> {
        let readings: Vec<(i64, f64)> = (0..).map(|i| i * 10).zip(values.iter().copied()).collect();
        flags_at(config, &readings)
    }

    /// The flags of some readings, given as (second, value).
    pub(crate) fn flags_at(config: &CheckConfig, readings: &[(i64, f64)]) -> Vec<Quality> {
        assert_eq!(config.problems(), []);
        let checker = Checker::new(config.clone());
        let mut state = SeriesState::default();
        let judge = |&(second, value): &(i64, f64)| {
            let time = Timestamp::from_secs(second);
            let position_verdict = Quality::NotEvaluated;
            checker.check(&mut state, &Input { time, value: Some(value), position_verdict }).quality
        };
        readings.iter().map(judge).collect()
    }
}
