//! Figures of the parts that count for themselves, handed to Prometheus when it asks.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntCounter, IntGauge, Opts};

/// Figures that are read when they are asked for.
pub struct Read<F> {
    descriptions: Vec<Desc>,
    read: F,
}

/// One figure: its name, what it means, whether it only grows, and its value.
pub type Figure = (&'static str, &'static str, Growth, u64);

/// Whether a figure only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// It counts since the start.
    Counter,
    /// It goes up and down.
    Gauge,
}

impl<F: Fn() -> Vec<Figure> + Send + Sync> Read<F> {
    /// Figures that `read` gives, with labels that stay the same.
    pub fn register(
        registry: &prometheus::Registry,
        labels: &[(&str, &str)],
        read: F,
    ) -> Result<(), prometheus::Error>
    where
        F: 'static,
    {
        let labels: std::collections::HashMap<String, String> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let descriptions = read()
            .into_iter()
            .map(|(name, help, ..)| {
                Desc::new(name.to_owned(), help.to_owned(), Vec::new(), labels.clone())
            })
            .collect::<Result<_, _>>()?;
        let labels = Arc::new(labels);
        let read = move || -> Vec<MetricFamily> {
            read().into_iter().filter_map(|figure| family(figure, &labels)).collect()
        };
        registry.register(Box::new(Read { descriptions, read }))
    }
}

fn family(
    (name, help, growth, value): Figure,
    labels: &std::collections::HashMap<String, String>,
) -> Option<MetricFamily> {
    let options = Opts::new(name, help).const_labels(labels.clone());
    let families = match growth {
        Growth::Counter => {
            let counter = IntCounter::with_opts(options).ok()?;
            counter.inc_by(value);
            counter.collect()
        }
        Growth::Gauge => {
            let gauge = IntGauge::with_opts(options).ok()?;
            gauge.set(value as i64);
            gauge.collect()
        }
    };
    families.into_iter().next()
}

impl<F: Fn() -> Vec<MetricFamily> + Send + Sync> Collector for Read<F> {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        (self.read)()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn the_value_is_that_of_the_moment_of_asking() {
        let registry = prometheus::Registry::new();
        let value = Arc::new(AtomicU64::new(1));
        let read = value.clone();
        Read::register(&registry, &[("broker", "city")], move || {
            vec![("citybrain_test_total", "A test.", Growth::Counter, read.load(Ordering::SeqCst))]
        })
        .expect("registered");
        value.store(7, Ordering::SeqCst);
        let families = registry.gather();
        assert_eq!(families[0].get_metric()[0].get_counter().get_value(), 7.0);
        assert_eq!(families[0].get_metric()[0].get_label()[0].value(), "city");
    }
}
