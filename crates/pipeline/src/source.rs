//! Sources: which topics are wanted, and how their messages are to be understood.

use city_decode::topic::{TopicError, TopicTemplate};
use city_decode::{Decoder, OptionsError};
use city_model::Crs;
use city_registry::ProvisioningRule;
use serde::{Deserialize, Serialize};

use crate::SourceKey;

/// A source as configuration describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// Its id: in the ledger, the metrics and the dead letters.
    pub id: String,
    /// The topics, as a template: `city/{department}/{kind}/{device}/up`.
    pub topic: String,
    /// The format of its messages, by name.
    pub format: String,
    /// The external broker that it comes through, by name; the embedded endpoint if missing.
    #[serde(default)]
    pub broker: Option<String>,
    /// The coordinate system of positions in its messages.
    #[serde(default)]
    pub crs: Crs,
    /// Whether everything from it is simulated or test data.
    #[serde(default)]
    pub simulated: bool,
    /// What happens to messages of devices that are not registered.
    #[serde(default)]
    pub unknown_devices: UnknownDevices,
    /// The kind of devices that register themselves, unless the topic says.
    #[serde(default = "unknown_kind")]
    pub kind: String,
    /// The department of devices that register themselves, unless the topic says.
    #[serde(default = "unknown_kind")]
    pub department: String,
    /// Which devices may register by sending something, whatever `unknown_devices` says of the
    /// others: the first that fits.
    #[serde(default)]
    pub provisioning: Vec<ProvisioningRule>,
    /// How many devices may register themselves through it, ever; those that were removed again
    /// do not count. A source that makes up ids must not fill the registry.
    #[serde(default = "max_registered")]
    pub max_registered: usize,
    /// How many names of metrics that are not in the catalogue it may bring, ever: each takes one
    /// of some 60,000 numbers that the city has.
    #[serde(default = "max_metrics")]
    pub max_metrics: usize,
    /// Options of the format.
    #[serde(default)]
    pub options: serde_json::Value,
}

/// How many devices may register themselves through a source unless it says.
const fn max_registered() -> usize {
    10_000
}

/// How many names of metrics a source may bring unless it says.
const fn max_metrics() -> usize {
    1_000
}

fn unknown_kind() -> String {
    "unknown".to_owned()
}

/// What happens to messages of devices that are not registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownDevices {
    /// They become dead letters, which can be replayed once the device is registered.
    #[default]
    Quarantine,
    /// The device is registered with what is known.
    Register,
}

/// Why a source cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No format has this name.
    #[error("there is no format `{name}`; there are {known}")]
    Format {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The topic template is not one.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// The format does not take these options.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// A rule about devices that register themselves cannot be used.
    #[error("provisioning[{place}] (`{pattern}`): {message}")]
    Provisioning {
        /// Its place in the list, from 0.
        place: usize,
        /// Its pattern.
        pattern: String,
        /// What is wrong.
        message: String,
    },
    /// Two sources have the same id.
    #[error("the id `{0}` is used twice; give each source its own")]
    Twice(String),
}

/// A source that could not be made ready.
#[derive(Debug, thiserror::Error)]
#[error("source {place} (`{id}`): {error}")]
pub struct SourceProblem {
    /// Its place in the configuration, from 1.
    pub place: usize,
    /// Its id.
    pub id: String,
    /// What is wrong.
    #[source]
    pub error: SourceError,
}

/// A source ready for work.
pub struct Source {
    /// What it was made from.
    pub spec: SourceSpec,
    /// The template of its topics.
    pub template: TopicTemplate,
    pub(crate) decoder: Box<dyn Decoder>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("spec", &self.spec).finish_non_exhaustive()
    }
}

/// All sources, in the order of the configuration; the first whose template fits a topic has it.
#[derive(Debug, Default)]
pub struct Sources {
    list: Vec<Source>,
}

impl Sources {
    /// Makes sources ready; reports all that cannot be.
    pub fn compile(specs: &[SourceSpec]) -> Result<Self, Vec<SourceProblem>> {
        let mut list = Vec::with_capacity(specs.len());
        let mut problems = Vec::new();
        for (index, spec) in specs.iter().enumerate() {
            let twice = specs[..index].iter().any(|earlier| earlier.id == spec.id);
            let compiled =
                if twice { Err(SourceError::Twice(spec.id.clone())) } else { compile(spec) };
            match compiled {
                Ok(source) => list.push(source),
                Err(error) => {
                    problems.push(SourceProblem { place: index + 1, id: spec.id.clone(), error });
                }
            }
        }
        if problems.is_empty() { Ok(Self { list }) } else { Err(problems) }
    }

    /// The source that wants a topic of this broker (`None`: the embedded endpoint).
    pub fn route(&self, broker: Option<&str>, topic: &str) -> Option<SourceKey> {
        let wants = |source: &Source| {
            source.spec.broker.as_deref() == broker && source.template.capture(topic).is_some()
        };
        self.list.iter().position(wants).map(|index| SourceKey(index as u16))
    }

    /// The source with this number.
    pub fn get(&self, key: SourceKey) -> Option<&Source> {
        self.list.get(usize::from(key.0))
    }

    /// The number of the source with this id.
    pub fn by_id(&self, id: &str) -> Option<SourceKey> {
        let index = self.list.iter().position(|source| source.spec.id == id)?;
        Some(SourceKey(index as u16))
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.list.iter()
    }

    /// The subscriptions that one broker needs.
    pub fn filters(&self, broker: Option<&str>) -> Vec<String> {
        let of = self.list.iter().filter(|source| source.spec.broker.as_deref() == broker);
        of.map(|source| source.template.filter()).collect()
    }
}

fn compile(spec: &SourceSpec) -> Result<Source, SourceError> {
    let format = city_decode::format(&spec.format).ok_or_else(|| {
        let known: Vec<_> = city_decode::FORMATS.iter().map(|format| format.name()).collect();
        SourceError::Format { name: spec.format.clone(), known: known.join(", ") }
    })?;
    let template = TopicTemplate::parse(&spec.topic)?;
    for (place, rule) in spec.provisioning.iter().enumerate() {
        if let Some(message) = rule.problem() {
            let pattern = rule.pattern.clone();
            return Err(SourceError::Provisioning { place, pattern, message });
        }
    }
    let options = match &spec.options {
        serde_json::Value::Null => serde_json::json!({}),
        options => options.clone(),
    };
    let decoder = format.compile(&options)?;
    Ok(Source { spec: spec.clone(), template, decoder })
}
