//! Metrics that come unasked: names that devices use and the catalogue does not, each with a number
//! for ever, and therefore so many of a source and no more.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use city_model::{Catalogue, Metric, MetricKey};

use crate::{Registry, RegistryError, tables};

/// Metrics that may come unasked, so that the rest of the numbers stays free for those that the
/// catalogue describes later.
const MOST_METRICS: usize = 60_000;

/// Why a name was not added.
#[derive(Debug, thiserror::Error)]
pub enum NotAdded {
    /// Its source has brought as many as it may.
    #[error("source `{source_id}` has brought {max} names that are not in the catalogue already")]
    Full {
        /// The source.
        source_id: String,
        /// How many it may bring.
        max: usize,
    },
    /// The registry failed, or there are no more numbers.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl Registry {
    /// The key of a metric, which is added as unmapped if its name is new.
    pub fn metric(&self, id: &str, unit: &str) -> Result<MetricKey, RegistryError> {
        if let Some(metric) = self.directory().metrics.by_id(id) {
            return Ok(metric.key);
        }
        self.add(None, &[(id, unit)])?;
        let directory = self.directory();
        directory.metrics.by_id(id).map(|metric| metric.key).ok_or(RegistryError::TooManyMetrics)
    }

    /// How many more names a source may bring that has `max` in all.
    pub fn metrics_left(&self, source: &str, max: usize) -> usize {
        max.saturating_sub(self.brought().get(source).copied().unwrap_or_default())
    }

    /// Adds names with their units that a source brought, in one transaction: as many as it may
    /// still bring and as there are numbers for. An error says that not even the first could be
    /// added.
    ///
    /// A source that makes up names must not take them from all others: numbers are for ever.
    /// Names that the catalogue describes later do not count any more.
    pub fn add_metrics(
        &self,
        source: &str,
        max: usize,
        names: &[(&str, &str)],
    ) -> Result<(), NotAdded> {
        let left = self.metrics_left(source, max);
        if left == 0 && !names.is_empty() {
            return Err(NotAdded::Full { source_id: source.to_owned(), max });
        }
        Ok(self.add(Some(source), &names[..names.len().min(left)])?)
    }

    /// Gives a metric that came unasked and without a unit the one that came now, for ever: what
    /// comes in another from now on is converted or refused. Does nothing to others.
    pub fn give_unit(&self, id: &str, unit: &str) -> Result<(), RegistryError> {
        let _one_writer = self.lock();
        let old = self.directory();
        let metric = old.metrics.by_id(id);
        let Some(metric) = metric.filter(|metric| metric.unmapped && metric.unit.is_empty()) else {
            return Ok(());
        };
        self.state.write(|tx| tables::put_unit(tx, id, unit))?;
        let mut changed = Catalogue::default();
        changed.put(Metric { key: MetricKey(0), ..tables::unmapped(metric.key, id, unit) });
        let mut directory = (*old).clone();
        directory.version += 1;
        directory.metrics = std::mem::take(&mut directory.metrics).overlaid(&changed);
        self.directory.store(Arc::new(directory));
        Ok(())
    }

    fn add(&self, source: Option<&str>, names: &[(&str, &str)]) -> Result<(), RegistryError> {
        self.again(|| self.add_once(source, names))
    }

    fn add_once(&self, source: Option<&str>, names: &[(&str, &str)]) -> Result<(), RegistryError> {
        let _one_writer = self.lock();
        let old = self.directory();
        let is_new = |(id, _): &&(&str, &str)| old.metrics.by_id(id).is_none();
        let names: Vec<_> = names.iter().filter(is_new).collect();
        if names.is_empty() {
            return Ok(());
        }
        let before = old.metrics.len();
        if before >= MOST_METRICS {
            return Err(RegistryError::TooManyMetrics);
        }
        let mut directory = (*old).clone();
        self.state.write(|tx| {
            for (id, unit) in names {
                if directory.metrics.by_id(id).is_some() {
                    continue; // named twice
                }
                if directory.metrics.len() >= MOST_METRICS {
                    break;
                }
                let key = MetricKey(directory.metrics.len() as u16);
                tables::put_metric(tx, key, id, unit, source)?;
                directory.metrics.put(tables::unmapped(key, id, unit));
            }
            Ok::<_, RegistryError>(())
        })?;
        let added = directory.metrics.len() - before;
        directory.version += 1;
        self.directory.store(Arc::new(directory));
        if let Some(source) = source {
            *self.brought().entry(source.to_owned()).or_default() += added;
        }
        Ok(())
    }

    fn brought(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.brought.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use city_store::StateDb;

    use super::*;
    use crate::Seed;

    fn open(state: &Arc<StateDb>) -> Registry {
        let seed = Seed { catalogue: Catalogue::embedded(), ..Seed::default() };
        Registry::open(state.clone(), seed).expect("a registry")
    }

    #[test]
    fn a_new_metric_name_gets_a_key_that_lasts() {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let registry = open(&state);
        let key = registry.metric("radon", "Bq/m3").expect("added");
        assert_eq!(registry.metric("radon", "").expect("known"), key);
        let pm25 = registry.directory().metrics.by_id("pm25").expect("known").key;

        let reopened = open(&state).directory();
        let radon = reopened.metrics.by_id("radon").expect("kept");
        assert_eq!((radon.key, radon.unmapped), (key, true));
        assert_eq!(reopened.metrics.by_id("pm25").expect("known").key, pm25);
    }

    #[test]
    fn a_source_brings_so_many_names_and_no_more_over_restarts_too() {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let registry = open(&state);
        let version = registry.directory().version;
        registry.add_metrics("mqtt", 3, &[("a", "V"), ("pm25", ""), ("b", "")]).expect("room");
        assert_eq!(registry.directory().version, version + 1, "all of them in one go");
        assert_eq!(registry.metrics_left("mqtt", 3), 1, "what was known does not count");
        registry.add_metrics("mqtt", 3, &[("c", ""), ("d", "")]).expect("room for the first");
        for registry in [&registry, &open(&state)] {
            assert!(registry.directory().metrics.by_id("c").is_some());
            assert!(registry.directory().metrics.by_id("d").is_none());
            let error = registry.add_metrics("mqtt", 3, &[("d", "")]).expect_err("full");
            assert!(matches!(&error, NotAdded::Full { max: 3, .. }), "{error}");
            assert_eq!(registry.metrics_left("http", 3), 3);
        }
        let described = "[[metric]]\nid = \"a\"\nname = { en = \"A\", zh = \"A\" }\nunit = \"V\"\n";
        let described = Catalogue::parse(described).expect("valid");
        let catalogue = Catalogue::embedded().overlaid(&described);
        let seed = Seed { catalogue, ..Seed::default() };
        let registry = Registry::open(state, seed).expect("a registry");
        assert_eq!(registry.metrics_left("mqtt", 3), 1, "the catalogue has it now");
    }

    #[test]
    fn the_first_unit_that_comes_stands() {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let registry = open(&state);
        let key = registry.metric("oil", "").expect("added");
        for (id, unit) in [("oil", "Cel"), ("oil", "[degF]"), ("pm25", "V"), ("none", "V")] {
            registry.give_unit(id, unit).expect("written");
        }
        for directory in [registry.directory(), open(&state).directory()] {
            let oil = directory.metrics.by_id("oil").expect("known");
            assert_eq!((oil.key, &*oil.unit, oil.unmapped), (key, "Cel", true));
            assert_eq!(&*directory.metrics.by_id("pm25").expect("known").unit, "ug/m3");
        }
    }
}
