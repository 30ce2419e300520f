//! The quality stage: one checker for each metric, one small state for each series.

use std::collections::BTreeMap;

use city_model::{Directory, MetricKey, Quality, SeriesKey, Timestamp, Value};
use city_quality::{CheckConfig, Checker, SeriesState};

/// Checkers by metric and states by series.
pub(crate) struct Checks {
    configs: BTreeMap<String, CheckConfig>,
    checkers: Vec<Option<Checker>>,
    /// For each device, its metrics; a handful each, so that a scan beats a hash.
    states: Vec<Vec<(MetricKey, SeriesState)>>,
}

impl Checks {
    /// Checks with these limits by metric; other metrics get the check of their physical range.
    pub(crate) fn new(configs: BTreeMap<String, CheckConfig>) -> Self {
        Self { configs, checkers: Vec::new(), states: Vec::new() }
    }

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
        let at = states.iter().position(|(metric, _)| *metric == series.metric);
        let at = at.unwrap_or_else(|| {
            states.push((series.metric, SeriesState::default()));
            states.len() - 1
        });
        let checker = checker(&mut self.checkers, &self.configs, directory, series.metric);
        checker.check_value(&mut states[at].1, time, value, position_verdict).quality
    }
}

fn checker<'a>(
    checkers: &'a mut Vec<Option<Checker>>,
    configs: &BTreeMap<String, CheckConfig>,
    directory: &Directory,
    metric: MetricKey,
) -> &'a Checker {
    let index = metric.index();
    if checkers.len() <= index {
        checkers.resize_with(index + 1, || None);
    }
    checkers[index].get_or_insert_with(|| {
        let metric = directory.metrics.get(metric);
        let own = metric.and_then(|metric| configs.get(&*metric.id)).cloned().unwrap_or_default();
        Checker::new(metric.map_or(own.clone(), |metric| own.with_metric(metric)))
    })
}
