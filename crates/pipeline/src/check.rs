//! The quality stage: one checker for each metric and kind of device that is checked in its own
//! way, one small state for each series.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{Device, Directory, MetricKey, Quality, Timestamp, Value};
use city_quality::{CheckConfig, Checker, MetricChecks, SeriesState};

/// Checkers by metric and states by series.
pub(crate) struct Checks {
    configs: BTreeMap<String, MetricChecks>,
    /// By metric key.
    checkers: Vec<Option<OfMetric>>,
    /// For each device, its metrics; a handful each, so that a scan beats a hash.
    states: Vec<Vec<(MetricKey, SeriesState)>>,
}

/// The checkers of one metric.
struct OfMetric {
    all: Checker,
    /// Those of kinds that have limits of their own; a handful, if any.
    kinds: Vec<(Arc<str>, Checker)>,
}

impl Checks {
    /// Checks with these limits by metric; other metrics get the check of their physical range.
    pub(crate) fn new(configs: BTreeMap<String, MetricChecks>) -> Self {
        Self { configs, checkers: Vec::new(), states: Vec::new() }
    }

    /// The flag of a reading; `value` is `None` if the device said that it has none.
    pub(crate) fn check(
        &mut self,
        directory: &Directory,
        device: &Device,
        metric: MetricKey,
        time: Timestamp,
        value: Option<&Value>,
        position_verdict: Quality,
    ) -> Quality {
        let index = device.key.index();
        if self.states.len() <= index {
            self.states.resize_with(directory.device_slots().max(index + 1), Vec::new);
        }
        let states = &mut self.states[index];
        let at = states.iter().position(|(known, _)| *known == metric);
        let at = at.unwrap_or_else(|| {
            states.push((metric, SeriesState::default()));
            states.len() - 1
        });
        let checkers = checkers(&mut self.checkers, &self.configs, directory, metric);
        let checker = checkers.of(&device.kind);
        checker.check_value(&mut states[at].1, time, value, position_verdict).quality
    }
}

impl OfMetric {
    fn of(&self, kind: &str) -> &Checker {
        self.kinds.iter().find(|(of, _)| **of == *kind).map_or(&self.all, |(_, checker)| checker)
    }
}

fn checkers<'a>(
    checkers: &'a mut Vec<Option<OfMetric>>,
    configs: &BTreeMap<String, MetricChecks>,
    directory: &Directory,
    metric: MetricKey,
) -> &'a OfMetric {
    let index = metric.index();
    if checkers.len() <= index {
        checkers.resize_with(index + 1, || None);
    }
    checkers[index].get_or_insert_with(|| {
        let metric = directory.metrics.get(metric);
        let own = metric.and_then(|metric| configs.get(&*metric.id)).cloned().unwrap_or_default();
        let checker = |config: CheckConfig| {
            Checker::new(match metric {
                Some(metric) => config.with_metric(metric),
                None => config,
            })
        };
        let kinds = own.kinds.keys().map(|kind| (kind.as_str().into(), checker(own.of(kind))));
        OfMetric { all: checker(own.of_all()), kinds: kinds.collect() }
    })
}
