//! What is derived from what, and the reports of hours that are over.

use std::sync::Arc;

use city_derive::{AqiConfig, Form, Hour, Intake, Pollutant, Standard, Station};
use city_model::{MetricKey, Quality, Reading, Timestamp, Value};
use city_registry::{Registry, RegistryError};
use city_store::SharedStore;

use super::DERIVED_SOURCE;
use super::watched::{Told, Watched};

/// What is derived from what, and where it goes.
pub(super) struct Plan {
    pub(super) store: SharedStore,
    /// The number of [`DERIVED_SOURCE`] in the ledger.
    pub(super) number: u16,
    pub(super) inputs: Vec<Input>,
    /// By metric key, as an index into `inputs`.
    pub(super) by_metric: Vec<Option<u8>>,
    pub(super) outputs: Vec<Output>,
}

#[derive(Clone, Copy)]
pub(super) struct Input {
    pub(super) pollutant: Pollutant,
    pub(super) metric: MetricKey,
    pub(super) intake: Intake,
}

pub(super) struct Output {
    pub(super) standard: &'static Standard,
    pub(super) kinds: Vec<String>,
    pub(super) form: Form,
    pub(super) index: MetricKey,
    pub(super) primary: MetricKey,
}

impl Plan {
    pub(super) fn new(
        configs: &[AqiConfig],
        registry: &Registry,
        store: SharedStore,
    ) -> Result<Self, RegistryError> {
        let numbers = registry.source_numbers([DERIVED_SOURCE])?;
        let mut outputs = Vec::new();
        for config in configs {
            for form in Form::ALL {
                let metrics = config.standard.metrics(form);
                outputs.push(Output {
                    standard: config.standard,
                    kinds: config.kinds.clone(),
                    form,
                    index: registry.metric(metrics.index, "1")?,
                    primary: registry.metric(metrics.primary, "1")?,
                });
            }
        }
        let directory = registry.directory();
        let (mut inputs, mut by_metric) = (Vec::new(), vec![None; directory.metrics.len()]);
        for pollutant in Pollutant::ALL {
            let Some(metric) = directory.metrics.by_id(pollutant.metric()) else { continue };
            let Some(intake) = Intake::of(&metric.unit) else {
                tracing::warn!(
                    metric = &*metric.id,
                    unit = &*metric.unit,
                    "no air quality index can be made of this unit; use ug/m3, mg/m3, [ppb] or [ppm]"
                );
                continue;
            };
            by_metric[metric.key.index()] = Some(inputs.len() as u8);
            inputs.push(Input { pollutant, metric: metric.key, intake });
        }
        let number = numbers.first().copied().unwrap_or_default();
        Ok(Self { store, number, inputs, by_metric, outputs })
    }

    pub(super) fn input(&self, metric: MetricKey) -> Option<Input> {
        let place = self.by_metric.get(metric.index()).copied().flatten()?;
        self.inputs.get(usize::from(place)).copied()
    }

    pub(super) fn selects(&self, kind: &str) -> bool {
        self.outputs.iter().any(|output| output.selects(kind))
    }

    /// Ends hours, and tells what follows from each.
    pub(super) fn end_hours(
        &self,
        watched: &mut Watched,
        hours: Vec<Hour>,
        now: Timestamp,
        out: &mut Vec<Reading>,
    ) {
        for hour in hours {
            watched.station.close(hour);
            self.tell(watched, hour, now, out);
            let oldest = watched.station.correctable();
            watched.told.retain(|told| oldest.is_none_or(|oldest| told.hour >= oldest));
        }
    }

    /// Derives the reports of an hour that is over; those that were told already are no news.
    pub(super) fn tell(
        &self,
        watched: &mut Watched,
        hour: Hour,
        now: Timestamp,
        out: &mut Vec<Reading>,
    ) {
        for (output, spec) in self.outputs.iter().enumerate() {
            if !spec.selects(&watched.device.kind) {
                continue;
            }
            let day = watched.station.day(hour, spec.standard);
            let Some(aqi) = spec.standard.report(spec.form, &day) else { continue };
            let primary: Arc<str> = aqi.primary_text().into();
            let told = Told { hour, output, index: aqi.index, primary: primary.clone() };
            if watched.told.contains(&told) {
                continue;
            }
            watched.told.retain(|before| (before.hour, before.output) != (hour, output));
            watched.told.push(told);
            let quality = quality(&watched.station, &aqi.sub);
            let index = Value::Number(f64::from(aqi.index));
            for (metric, value) in [(spec.index, index), (spec.primary, Value::Text(primary))] {
                out.push(watched.reading(metric, hour, value, quality, now));
            }
        }
    }

    /// Tells what an earlier run could not tell any more, or could not know.
    pub(super) fn tell_what_is_missing(
        &self,
        watched: &mut Watched,
        now: Timestamp,
        out: &mut Vec<Reading>,
    ) {
        // Nothing is told of the first of them: the day before them was not read back.
        for hour in watched.station.finished() {
            watched.station.close(hour);
        }
        let (Some(oldest), Some(over)) = (watched.station.correctable(), watched.station.over())
        else {
            return;
        };
        watched.told.retain(|told| told.hour >= oldest);
        let hours = (oldest.0..=over.0).map(Hour);
        for hour in hours.filter(|hour| watched.station.has_means(*hour)).collect::<Vec<_>>() {
            self.tell(watched, hour, now, out);
        }
    }
}

impl Output {
    pub(super) fn selects(&self, kind: &str) -> bool {
        self.kinds.iter().any(|selected| selected == kind)
    }
}

/// Passed if every pollutant of the standard is in the index; suspect if the device measures one
/// that is not, because too little of it is valid; not evaluated if it does not measure them all.
fn quality(station: &Station, sub: &[Option<u32>; 6]) -> Quality {
    let lacks = |pollutant: &Pollutant| sub[pollutant.index()].is_none();
    let mut lacking = Pollutant::ALL.into_iter().filter(lacks).peekable();
    if lacking.peek().is_none() {
        Quality::Pass
    } else if lacking.any(|pollutant| station.measures(pollutant)) {
        Quality::Suspect
    } else {
        Quality::NotEvaluated
    }
}

/// The amount that a reading tells; `None` if it is flagged or is no number.
pub(super) fn amount(
    input: Input,
    value: &Value,
    quality: Quality,
) -> Option<city_derive::Decimal> {
    match value {
        Value::Number(number) if quality.is_trusted() => input.intake.amount(*number),
        _ => None,
    }
}
