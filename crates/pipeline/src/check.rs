//! The quality stage: one checker for each metric, one small state for each series.

use city_model::{Directory, MetricKey, Quality, SeriesKey, Timestamp, Value};
use city_quality::{CheckConfig, Checker, Input, SeriesState};

/// Checkers by metric and states by series.
#[derive(Default)]
pub(crate) struct Checks {
    checkers: Vec<Option<Checker>>,
    /// For each device, its metrics; a handful each, so that a scan beats a hash.
    states: Vec<Vec<(MetricKey, SeriesState)>>,
}

impl Checks {
    /// The flag of a reading; `value` is `None` if the device said that it has none.
    pub(crate) fn check(
        &mut self,
        directory: &Directory,
        series: SeriesKey,
        time: Timestamp,
        value: Option<&Value>,
        position_verdict: Quality,
    ) -> Quality {
        let device = series.device.index();
        if self.states.len() <= device {
            self.states.resize_with(directory.device_slots().max(device + 1), Vec::new);
        }
        let states = &mut self.states[device];
        let at = match states.iter().position(|(metric, _)| *metric == series.metric) {
            Some(at) => at,
            None => {
                states.push((series.metric, SeriesState::default()));
                states.len() - 1
            }
        };
        let checker = checker(&mut self.checkers, directory, series.metric);
        let number = match value {
            Some(Value::Number(number)) => Some(*number),
            Some(_) => return position_verdict,
            None => None,
        };
        let input = Input { time, value: number, position_verdict };
        checker.check(&mut states[at].1, &input).quality
    }
}

fn checker<'a>(
    checkers: &'a mut Vec<Option<Checker>>,
    directory: &Directory,
    metric: MetricKey,
) -> &'a Checker {
    let index = metric.index();
    if checkers.len() <= index {
        checkers.resize_with(index + 1, || None);
    }
    checkers[index].get_or_insert_with(|| {
        let config = directory.metrics.get(metric).map(CheckConfig::for_metric);
        Checker::new(config.unwrap_or_default())
    })
}
