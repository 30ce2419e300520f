//! Names of metrics that devices use and the catalogue does not: kept, listed with what was seen
//! of them, and mapped to metrics of the catalogue by somebody who knows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use city_model::unit::{Conversion, conversion};
use city_model::{Catalogue, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{FieldProblem, Registry, RegistryError, seen_tables};

/// The most pairs of source and name of which is noted what was seen.
const MOST_SEEN: usize = 10_000;

/// What a name means, from now on: readings that were stored before keep theirs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The source that uses the name; every source if missing. One for the source goes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The name as it is sent.
    pub name: String,
    /// The metric of the catalogue that it means.
    pub metric: String,
    /// The unit in which it is sent, whatever the message says; as the message says if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What the number is to be multiplied with first, such as 0.1 for tenths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
}

/// What was seen of a name that is not in the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct Unmapped {
    /// The source that used it.
    pub source: String,
    /// The name, which is that of the unmapped metric too.
    pub name: String,
    /// The unit that came with it the first time; empty if none did.
    pub unit: String,
    /// When it was first received.
    pub first_seen: Timestamp,
    /// When it was last received.
    pub last_seen: Timestamp,
    /// How many readings came with it, to about a minute before a crash.
    pub count: u64,
    /// The last value, if it was a number.
    pub last_value: Option<f64>,
}

/// Counts what is seen of one name from one source; on the hot path, without a lock.
#[derive(Debug)]
pub struct Seen {
    unit: String,
    first: Timestamp,
    last: AtomicI64,
    count: AtomicU64,
    /// The bits of the last number; of NaN if there was none.
    value: AtomicU64,
}

impl Seen {
    /// Notes a reading.
    pub fn note(&self, received: Timestamp, value: Option<f64>) {
        self.last.fetch_max(received.micros(), Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
        if let Some(value) = value {
            self.value.store(value.to_bits(), Ordering::Relaxed);
        }
    }
}

/// The mappings in force, and what was seen of unmapped names.
pub(crate) struct Mappings {
    by_name: ArcSwap<ByName>,
    seen: Mutex<BTreeMap<(String, String), Arc<Seen>>>,
    version: AtomicU64,
    /// How many readings were counted when that was last written down.
    saved: AtomicU64,
}

/// Mappings by name, then source: that for every source first.
type ByName = BTreeMap<(String, Option<String>), Arc<Mapping>>;

impl Mappings {
    pub(crate) fn new(mappings: Vec<Mapping>, seen: Vec<Unmapped>) -> Self {
        let saved = seen.iter().map(|row| row.count).sum();
        let seen = seen.into_iter().map(|row| {
            let seen = Seen {
                unit: row.unit,
                first: row.first_seen,
                last: AtomicI64::new(row.last_seen.micros()),
                count: AtomicU64::new(row.count),
                value: AtomicU64::new(row.last_value.unwrap_or(f64::NAN).to_bits()),
            };
            ((row.source, row.name), Arc::new(seen))
        });
        Self {
            by_name: ArcSwap::from_pointee(by_name(mappings)),
            seen: Mutex::new(seen.collect()),
            version: AtomicU64::new(0),
            saved: AtomicU64::new(saved),
        }
    }

    /// Puts others in force, if they are others.
    pub(crate) fn reset(&self, mappings: Vec<Mapping>) {
        let fresh = by_name(mappings);
        if **self.by_name.load() != fresh {
            self.by_name.store(Arc::new(fresh));
            self.version.fetch_add(1, Ordering::Release);
        }
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<(String, String), Arc<Seen>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn by_name(mappings: Vec<Mapping>) -> ByName {
    mappings.into_iter().map(|mapping| (key(&mapping), Arc::new(mapping))).collect()
}

impl Registry {
    /// What a source means by a name, if somebody said.
    pub fn mapping(&self, source: &str, name: &str) -> Option<Arc<Mapping>> {
        let by_name = self.mappings.by_name.load();
        let of_source = (name.to_owned(), Some(source.to_owned()));
        by_name.get(&of_source).or_else(|| by_name.get(&(of_source.0.clone(), None))).cloned()
    }

    /// Counts up with every change of a mapping: one atomic load, for the hot path.
    pub fn mappings_version(&self) -> u64 {
        self.mappings.version.load(Ordering::Acquire)
    }

    /// All mappings by name and source.
    pub fn mappings(&self) -> Vec<Mapping> {
        self.mappings.by_name.load().values().map(|mapping| Mapping::clone(mapping)).collect()
    }

    /// Says what a name means from now on, in place of what was said of it before.
    pub fn put_mapping(&self, mapping: Mapping) -> Result<(), RegistryError> {
        self.put_mapping_if(mapping, |_| Ok(()))
    }

    /// The same if `check`, which gets all mappings, does not refuse; nobody else changes anything
    /// meanwhile.
    pub fn put_mapping_if<E: From<RegistryError>>(
        &self,
        mapping: Mapping,
        check: impl FnOnce(&[Mapping]) -> Result<(), E>,
    ) -> Result<(), E> {
        let problems = mapping.problems(&self.directory().metrics);
        if !problems.is_empty() {
            return Err(RegistryError::Fields(problems).into());
        }
        let _one_writer = self.lock();
        check(&self.mappings())?;
        self.state.write(|tx| seen_tables::put_mapping(tx, &mapping))?;
        let mut by_name = (**self.mappings.by_name.load()).clone();
        by_name.insert(key(&mapping), Arc::new(mapping));
        self.changed_mappings(by_name);
        Ok(())
    }

    /// Forgets what a name means for a source, or for every source, if `check`, which gets all
    /// mappings, does not refuse; `false` if nobody had said.
    pub fn remove_mapping<E: From<RegistryError>>(
        &self,
        source: Option<&str>,
        name: &str,
        check: impl FnOnce(&[Mapping]) -> Result<(), E>,
    ) -> Result<bool, E> {
        let _one_writer = self.lock();
        check(&self.mappings())?;
        let mut by_name = (**self.mappings.by_name.load()).clone();
        if by_name.remove(&(name.to_owned(), source.map(str::to_owned))).is_none() {
            return Ok(false);
        }
        self.state.write(|tx| seen_tables::delete_mapping(tx, source, name))?;
        self.changed_mappings(by_name);
        Ok(true)
    }

    fn changed_mappings(&self, by_name: ByName) {
        self.mappings.by_name.store(Arc::new(by_name));
        self.mappings.version.fetch_add(1, Ordering::Release);
    }

    /// What counts the readings that a source sends under a name that is not in the catalogue;
    /// `None` if there are too many such names already.
    pub fn see_unmapped(
        &self,
        source: &str,
        name: &str,
        unit: &str,
        received: Timestamp,
    ) -> Option<Arc<Seen>> {
        let mut seen = self.mappings.seen();
        let key = (source.to_owned(), name.to_owned());
        if let Some(seen) = seen.get(&key) {
            return Some(seen.clone());
        }
        if seen.len() >= MOST_SEEN {
            return None;
        }
        let fresh = Arc::new(Seen {
            unit: unit.to_owned(),
            first: received,
            last: AtomicI64::new(received.micros()),
            count: AtomicU64::new(0),
            value: AtomicU64::new(f64::NAN.to_bits()),
        });
        seen.insert(key, fresh.clone());
        Some(fresh)
    }

    /// What was seen of names that are neither in the catalogue nor mapped, by source and name.
    pub fn unmapped(&self) -> Vec<Unmapped> {
        let metrics = &self.directory().metrics;
        let waits = |row: &Unmapped| {
            metrics.by_id(&row.name).is_none_or(|metric| metric.unmapped)
                && self.mapping(&row.source, &row.name).is_none()
        };
        self.all_seen().into_iter().filter(waits).collect()
    }

    fn all_seen(&self) -> Vec<Unmapped> {
        let row = |((source, name), seen): (&(String, String), &Arc<Seen>)| {
            let value = f64::from_bits(seen.value.load(Ordering::Relaxed));
            Unmapped {
                source: source.clone(),
                name: name.clone(),
                unit: seen.unit.clone(),
                first_seen: seen.first,
                last_seen: Timestamp::from_micros(seen.last.load(Ordering::Relaxed)),
                count: seen.count.load(Ordering::Relaxed),
                last_value: (!value.is_nan()).then_some(value),
            }
        };
        self.mappings.seen().iter().map(row).collect()
    }

    /// Writes down what was seen of unknown metrics and unknown devices; to be called now and then,
    /// and at the end. What a crash loses of it are counts: the readings and the dead letters
    /// themselves are durable before they are acknowledged.
    pub fn save_seen(&self) -> Result<(), RegistryError> {
        let metrics = self.all_seen();
        let devices = self.provisioning.take_changed();
        let saved = self.mappings.saved.load(Ordering::Relaxed);
        let counted = metrics.iter().map(|row| row.count).sum();
        if devices.is_none() && saved == counted {
            return Ok(());
        }
        self.state.write(|tx| {
            for row in &metrics {
                seen_tables::put_seen_metric(tx, row)?;
            }
            devices.map_or(Ok(()), |devices| seen_tables::put_seen_devices(tx, &devices))
        })?;
        self.mappings.saved.store(counted, Ordering::Relaxed);
        Ok(())
    }
}

impl Mapping {
    /// What is wrong with it, given the metrics that there are.
    pub fn problems(&self, metrics: &Catalogue) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        let mut add = |field: &str, message: String, hint: &'static str| {
            problems.push(FieldProblem { field: field.to_owned(), message, hint });
        };
        if self.name.is_empty() || self.name.len() > 256 {
            add("name", "it is empty or longer than 256 bytes".to_owned(), "give it as it is sent");
        }
        if self.scale.is_some_and(|scale| !scale.is_finite() || scale == 0.0) {
            add("scale", "a scale is a number and not 0".to_owned(), "0.1 is for tenths");
        }
        match metrics.by_id(&self.metric).filter(|metric| !metric.unmapped) {
            None => {
                let hint = "give an id of /api/v1/metrics-catalogue, or describe the metric in the \
                            file of city.metrics first";
                add("metric", format!("`{}` is not in the catalogue", self.metric), hint);
            }
            Some(metric) => {
                if let Some(unit) = &self.unit
                    && let Err(error) = conversion(unit, &metric.unit)
                {
                    add("unit", error.to_string(), "give the unit that the device sends");
                }
            }
        }
        problems
    }

    /// How to convert what is sent into the unit of the metric, which `sent` says if this does not.
    pub fn conversion(
        &self,
        sent: Option<&str>,
        to: &str,
    ) -> Result<Conversion, city_model::unit::UnitError> {
        let unit = self.unit.as_deref().or(sent);
        let conversion = match unit {
            Some(unit) if !to.is_empty() => conversion(unit, to)?,
            _ => Conversion::IDENTITY,
        };
        Ok(conversion.after(self.scale.unwrap_or(1.0)))
    }
}

fn key(mapping: &Mapping) -> (String, Option<String>) {
    (mapping.name.clone(), mapping.source.clone())
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

    fn feinstaub(source: Option<&str>) -> Mapping {
        Mapping {
            source: source.map(str::to_owned),
            name: "Feinstaub".to_owned(),
            metric: "pm25".to_owned(),
            unit: Some("mg/m3".to_owned()),
            scale: Some(0.1),
        }
    }

    #[test]
    fn a_mapping_for_a_source_goes_before_that_for_all_and_both_last() {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let registry = open(&state);
        let version = registry.mappings_version();
        registry.put_mapping(feinstaub(None)).expect("put");
        let own = Mapping { metric: "pm10".to_owned(), ..feinstaub(Some("a")) };
        registry.put_mapping(own).expect("put");
        assert_eq!(registry.mappings_version(), version + 2);
        for registry in [&registry, &open(&state)] {
            let metric =
                |source| registry.mapping(source, "Feinstaub").expect("there").metric.clone();
            assert_eq!((metric("a").as_str(), metric("b").as_str()), ("pm10", "pm25"));
            assert_eq!(registry.mapping("a", "feinstaub"), None, "names are exact");
            assert_eq!(registry.mappings().len(), 2);
        }
        let remove =
            || registry.remove_mapping(Some("a"), "Feinstaub", |_| Ok::<_, RegistryError>(()));
        assert!(remove().expect("removed"));
        assert!(!remove().expect("gone"));
        assert_eq!(open(&state).mapping("a", "Feinstaub").expect("all").metric, "pm25");
    }

    #[test]
    fn what_is_sent_is_scaled_and_converted() {
        let convert = |mapping: &Mapping, sent, value: f64| {
            mapping.conversion(sent, "ug/m3").expect("convertible").apply(value)
        };
        assert_eq!(convert(&feinstaub(None), Some("wrong"), 0.35), 35.0);
        let bare = Mapping { unit: None, scale: None, ..feinstaub(None) };
        assert_eq!(convert(&bare, Some("mg/m3"), 0.35), 350.0);
        assert_eq!(convert(&bare, None, 0.35), 0.35);
    }

    #[test]
    fn a_mapping_that_cannot_be_is_refused_by_field() {
        let metrics = Catalogue::embedded();
        let fields = |mapping: Mapping| -> Vec<String> {
            mapping.problems(&metrics).into_iter().map(|problem| problem.field).collect()
        };
        let bad = Mapping { scale: Some(0.0), unit: Some("Cel".to_owned()), ..feinstaub(None) };
        assert_eq!(fields(bad), ["scale", "unit"]);
        let nowhere = Mapping { metric: "dust".to_owned(), name: String::new(), ..feinstaub(None) };
        assert_eq!(fields(nowhere), ["name", "metric"]);
    }

    #[test]
    fn what_was_seen_is_listed_until_it_is_mapped_and_lasts() {
        let at = Timestamp::from_secs;
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let registry = open(&state);
        registry.metric("Feinstaub", "").expect("kept");
        let seen = registry.see_unmapped("a", "Feinstaub", "", at(10)).expect("room");
        seen.note(at(10), Some(1.5));
        seen.note(at(20), Some(2.5));
        seen.note(at(15), None);
        let expected = Unmapped {
            source: "a".to_owned(),
            name: "Feinstaub".to_owned(),
            unit: String::new(),
            first_seen: at(10),
            last_seen: at(20),
            count: 3,
            last_value: Some(2.5),
        };
        assert_eq!(registry.unmapped(), std::slice::from_ref(&expected));
        registry.save_seen().expect("saved");
        let reopened = open(&state);
        assert_eq!(reopened.unmapped(), [expected]);
        let same = reopened.see_unmapped("a", "Feinstaub", "", at(30)).expect("known");
        same.note(at(30), None);
        assert_eq!(reopened.unmapped()[0].count, 4);
        reopened.put_mapping(feinstaub(None)).expect("put");
        assert_eq!(reopened.unmapped(), []);
    }
}
