//! The catalogue of metrics: named quantities with a unit and a physical range.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{LocalText, unit};

/// A metric's number: dense from 0, kept for ever.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct MetricKey(pub u16);

impl MetricKey {
    /// As an index into dense tables.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Lowest and highest value that can physically be, in the metric's unit, both included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// The lowest value.
    pub min: f64,
    /// The highest value.
    pub max: f64,
}

/// A named quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its number.
    pub key: MetricKey,
    /// Its name in code, configuration, API and store: `pm25`, `water_level`.
    pub id: Arc<str>,
    /// What people call it.
    pub name: LocalText,
    /// UCUM code of its unit; `1` for counts and ratios, empty if unknown.
    pub unit: Arc<str>,
    /// The unit as people write it, such as `µg/m³`.
    pub symbol: Arc<str>,
    /// What is physically possible.
    pub range: Option<Range>,
    /// How many decimals people want to see.
    pub decimals: u8,
    /// Whether it came with an unknown name and waits to be mapped.
    pub unmapped: bool,
}

/// All metrics, by key and by name.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    metrics: Vec<Metric>,
    by_id: FxHashMap<Arc<str>, MetricKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    metric: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    name: LocalText,
    unit: String,
    symbol: Option<String>,
    range: Option<[f64; 2]>,
    #[serde(default)]
    decimals: u8,
}

/// Why a catalogue file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Not TOML of the right shape.
    #[error("the metric catalogue cannot be read: {0}")]
    Syntax(#[from] toml::de::Error),
    /// The same name twice.
    #[error("metric `{0}` is defined twice; remove one of the two")]
    Twice(String),
    /// A unit that is not known.
    #[error("metric `{metric}`: unit `{unit}` is not a known UCUM code; known are {known}")]
    Unit {
        /// The metric.
        metric: String,
        /// The unit.
        unit: String,
        /// The codes that can be used.
        known: String,
    },
    /// A range whose ends are swapped or not finite.
    #[error("metric `{0}`: the range must be [lowest, highest]")]
    Range(String),
}

impl Catalogue {
    /// The catalogue that ships with citybrain.
    pub fn embedded() -> Self {
        Self::parse(include_str!("catalogue.toml")).unwrap_or_default()
    }

    /// Reads a catalogue from TOML: `[[metric]]` tables with `id`, `name`, `unit` and optionally
    /// `symbol`, `range`, `decimals`. Keys are given in the order of the file.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let file: File = toml::from_str(text)?;
        let mut seen = BTreeSet::new();
        let mut catalogue = Self::default();
        for entry in file.metric {
            if !seen.insert(entry.id.clone()) {
                return Err(CatalogueError::Twice(entry.id));
            }
            if !unit::is_known(&entry.unit) {
                let known = unit::known().collect::<Vec<_>>().join(", ");
                return Err(CatalogueError::Unit { metric: entry.id, unit: entry.unit, known });
            }
            let range = match entry.range {
                Some([min, max]) if min < max => Some(Range { min, max }),
                Some(_) => return Err(CatalogueError::Range(entry.id)),
                None => None,
            };
            catalogue.put(Metric {
                key: MetricKey(catalogue.metrics.len() as u16),
                id: entry.id.into(),
                name: entry.name,
                symbol: entry.symbol.unwrap_or_else(|| entry.unit.clone()).into(),
                unit: entry.unit.into(),
                range,
                decimals: entry.decimals,
                unmapped: false,
            });
        }
        Ok(catalogue)
    }

    /// Adds a metric at the end. Its key must equal [`Catalogue::len`].
    pub fn put(&mut self, metric: Metric) {
        debug_assert_eq!(metric.key.index(), self.metrics.len());
        self.by_id.insert(metric.id.clone(), metric.key);
        self.metrics.push(metric);
    }

    /// This catalogue with the metrics of `other` on top: those with the same name are replaced.
    #[must_use]
    pub fn overlaid(mut self, other: &Self) -> Self {
        for metric in other.iter() {
            if let Some(&key) = self.by_id.get(&metric.id) {
                self.metrics[key.index()] = Metric { key, ..metric.clone() };
            } else {
                let key = MetricKey(self.metrics.len() as u16);
                self.put(Metric { key, ..metric.clone() });
            }
        }
        self
    }

    /// The metric with this key.
    pub fn get(&self, key: MetricKey) -> Option<&Metric> {
        self.metrics.get(key.index())
    }

    /// The metric with this name.
    pub fn by_id(&self, id: &str) -> Option<&Metric> {
        self.get(*self.by_id.get(id)?)
    }

    /// All metrics in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &Metric> {
        self.metrics.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.metrics.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_catalogue_is_valid_and_bilingual() {
        let catalogue = Catalogue::parse(include_str!("catalogue.toml")).expect("valid");
        assert!(catalogue.len() >= 20);
        for metric in catalogue.iter() {
            assert_ne!(metric.name.en, metric.name.zh, "{} has one name only", metric.id);
        }
    }

    #[test]
    fn an_unknown_unit_is_named_with_those_that_are_known() {
        let text = "[[metric]]\nid = \"a\"\nname = \"A\"\nunit = \"furlong\"";
        let error = Catalogue::parse(text).expect_err("unknown unit").to_string();
        assert!(error.contains("furlong") && error.contains("Cel"), "{error}");
    }
}
