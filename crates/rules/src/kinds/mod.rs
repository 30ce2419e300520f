//! Rule kinds: one file per kind and one line in [`KINDS`].
//!
//! A kind reads its keys from a rule and says what the evaluator is to do with the readings that
//! the rule selects: a [`Condition`]. Kinds that turn the readings of one series into one number
//! (windows, rates, scores) implement [`SeriesFunction`], those that look at all that a device sends
//! (fences, formulas) [`DeviceFunction`]; state, timers, severities and texts are
//! the evaluator's and the same for all kinds.

mod absence;
mod anomaly;
mod aqi;
mod composite;
mod dependency;
mod device;
mod expression;
mod flat_line;
mod forecast;
mod geofence;
mod k_of_n;
mod rate_of_change;
mod state_duration;
mod threshold;
mod window;
mod zone_aggregate;

use std::fmt;
use std::sync::Arc;

use city_model::{Metric, Severity, Span, Timestamp};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::fields::Fields;
use crate::ladder::{Ladder, Waits};
use crate::problem::{Mark, Sink};
use crate::rule::Trust;
use crate::selector::Selector;
use crate::template::{Placeholder, Template};

pub use absence::{Allowed, Gateways, Silence, Watch};
pub use aqi::Index;
pub use composite::Composite;
pub(crate) use composite::together;
pub use dependency::{Dependency, Via};
pub use device::{DeviceFunction, DeviceMemory, Finding, Input, SavedDevice, SavedValue};
pub use expression::is_computing;
pub use state_duration::States;
pub use zone_aggregate::{Aggregate, Each, ZoneAggregate};

/// All kinds.
pub static KINDS: &[&Kind] = &[
    &threshold::KIND,
    &window::KIND,
    &rate_of_change::KIND,
    &flat_line::KIND,
    &state_duration::KIND,
    &anomaly::KIND,
    &absence::KIND,
    &zone_aggregate::KIND,
    &k_of_n::KIND,
    &aqi::KIND,
    &forecast::KIND,
    &geofence::KIND,
    &expression::KIND,
    &composite::KIND,
    &dependency::KIND,
];

/// A kind of rule.
#[derive(Debug)]
pub struct Kind {
    /// The name in rule files.
    pub name: &'static str,
    /// What it is for, in English and Chinese.
    pub about: [&'static str; 2],
    /// The keys that it adds to those of every rule.
    pub keys: &'static [&'static str],
    /// What its texts may hold.
    pub placeholders: &'static [Placeholder],
    /// The text of rules without one, in English and Chinese.
    pub summary: [&'static str; 2],
    pub(crate) read: fn(&mut Fields<'_>, &Selector, &mut Sink) -> Option<Built>,
}

/// What a kind makes of its keys.
pub(crate) struct Built {
    pub(crate) severity: Severity,
    pub(crate) ladder: Option<Ladder>,
    pub(crate) condition: Condition,
    pub(crate) hold: Span,
    /// The flags that are trusted where the rule does not say.
    pub(crate) trust: Trust,
    /// The metrics that it selects, where the kind knows them and the rule must not say.
    pub(crate) metrics: Option<Vec<(Arc<str>, Mark)>>,
    /// Where other names that it asks about stand in the file.
    pub(crate) places: Vec<(Arc<str>, Mark)>,
}

impl Built {
    /// What most kinds make: a ladder over what a condition gives.
    pub(crate) fn judged(ladder: Ladder, condition: Condition, hold: Span) -> Option<Self> {
        Some(Self {
            severity: ladder.steps.first()?.severity,
            ladder: Some(ladder),
            condition,
            hold,
            trust: Trust::default(),
            metrics: None,
            places: Vec::new(),
        })
    }

    /// Something that is or is not, or a value with limits.
    pub(crate) fn waiting(waits: Waits, condition: Condition) -> Self {
        Self {
            severity: waits.severity,
            ladder: waits.ladder,
            condition,
            hold: waits.hold,
            trust: Trust::default(),
            metrics: None,
            places: Vec::new(),
        }
    }
}

/// What the evaluator does with the readings that a rule selects.
#[derive(Debug)]
pub enum Condition {
    /// Judges every value of a series as it is.
    Value,
    /// Judges an air quality index by its classes.
    Index(Index),
    /// Judges whether a series is in certain states, also such as are texts.
    State(States),
    /// Judges what a function makes of the values of a series.
    Function(Arc<dyn SeriesFunction>),
    /// Judges what a function makes of all that a device sends.
    Device(Arc<dyn DeviceFunction>),
    /// Watches devices or series for silence.
    Silence(Silence),
    /// Judges an aggregate over the devices in a zone.
    Zone(ZoneAggregate),
    /// Follows the alerts of other rules.
    Composite(Composite),
    /// Holds the alerts of other rules back.
    Dependency(Dependency),
}

/// What a judged value and its limits are measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// The unit of the metric.
    #[default]
    Metric,
    /// A bare number, such as a count of readings.
    Plain,
    /// The unit of the metric in a length of time.
    Per(Span),
    /// A length of time, in seconds.
    Length,
    /// Parts of a hundred.
    Percent,
    /// What a formula gives: a number without a unit.
    Computed,
}

impl Measure {
    /// The unit as people write it, for values of a metric; `None` if there is none.
    pub(crate) fn unit(self, metric: Option<&Metric>) -> Option<Arc<str>> {
        match self {
            Self::Metric => metric.map(|metric| metric.symbol.clone()),
            Self::Plain | Self::Computed => None,
            Self::Per(span) => {
                let length = span.to_string();
                // `/h`, but `/10m`.
                let one = length.strip_prefix('1');
                let one = one.filter(|unit| unit.chars().all(char::is_alphabetic));
                metric.map(|metric| format!("{}/{}", metric.symbol, one.unwrap_or(&length)).into())
            }
            Self::Length => Some("s".into()),
            Self::Percent => Some("%".into()),
        }
    }
}

impl Condition {
    /// Whether it judges readings itself.
    pub fn takes_readings(&self) -> bool {
        !matches!(self, Self::Composite(_) | Self::Dependency(_))
    }

    /// How far back readings can count; silences aside, which depend on the device.
    pub fn reach(&self) -> Span {
        match self {
            Self::Function(function) => function.reach(),
            Self::Device(function) => function.reach(),
            Self::Zone(aggregate) => aggregate.over,
            _ => Span::ZERO,
        }
    }

    /// The ids of the rules that it names.
    pub fn names(&self) -> Vec<&Arc<str>> {
        match self {
            Self::Composite(composite) => composite.followed().collect(),
            Self::Dependency(other) => other.when.iter().chain(&other.suppress).collect(),
            _ => Vec::new(),
        }
    }

    /// What the judged value is measured in.
    pub(crate) fn measure(&self) -> Measure {
        match self {
            Self::Function(function) => function.measure(),
            Self::Device(function) => function.measure(),
            Self::State(_) | Self::Composite(_) => Measure::Length,
            Self::Zone(aggregate) => aggregate.measure(),
            _ => Measure::Metric,
        }
    }
}

/// A function over the readings of one series, with a memory.
pub trait SeriesFunction: fmt::Debug + Send + Sync {
    /// An empty memory.
    fn start(&self) -> Box<dyn Memory>;
    /// The memory that was saved.
    fn restore(&self, saved: &Saved) -> Box<dyn Memory>;
    /// How far back readings can count.
    fn reach(&self) -> Span;
    /// What the result is measured in.
    fn measure(&self) -> Measure {
        Measure::Metric
    }
    /// The value of the metric that the result is about, if there is one.
    fn target(&self) -> Option<f64> {
        None
    }
    /// The function for a city in a time zone, if that makes a difference.
    fn in_zone(&self, _time_zone: &TimeZone) -> Option<Arc<dyn SeriesFunction>> {
        None
    }
}

/// What a [`SeriesFunction`] remembers of one series.
pub trait Memory: fmt::Debug + Send + Sync {
    /// Takes the next reading, always newer than the ones before, and gives the result, if there
    /// is one yet.
    fn push(&mut self, time: Timestamp, value: f64) -> Option<f64>;
    /// Takes a reading that may be older than the newest one of its series. What comes of it must
    /// be what would have come, had it arrived in order. Memories that cannot do so refuse it.
    fn insert_late(&mut self, _time: Timestamp, _value: f64) -> Late {
        Late::Refused
    }
    /// Everything needed to go on after a restart exactly as without it.
    fn save(&self) -> Saved;
    /// What was expected of the reading that was pushed last, by a memory that expects something.
    fn expectation(&self) -> Option<Expectation> {
        None
    }
}

/// What was expected of a reading, in the unit of its series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expectation {
    /// The value.
    pub value: f64,
    /// The lower end of what is usual.
    pub low: f64,
    /// The upper end of what is usual.
    pub high: f64,
    /// How far off the reading is, in usual errors; negative below what was expected.
    pub deviation: f64,
}

/// What a [`Memory`] did with a late reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Late {
    /// Nothing: it is too old, is there already, or no late reading can be used.
    Refused,
    /// Took it, with the result if there is one yet.
    Taken(Option<f64>),
}

/// A saved [`Memory`]; each kind says what the columns hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// Times or counts.
    pub integers: Vec<i64>,
    /// Values.
    pub numbers: Vec<f64>,
}

/// Where a key that this kind does not know is at home.
pub(crate) fn elsewhere(key: &str, here: &Kind) -> Option<String> {
    let kinds: Vec<&str> = KINDS
        .iter()
        .filter(|kind| kind.name != here.name && kind.keys.contains(&key))
        .map(|kind| kind.name)
        .collect();
    (!kinds.is_empty()).then(|| format!("`{key}` is for rules of kind {}", kinds.join(", ")))
}

impl Template {
    /// The default text of a kind; its placeholders are known to be good.
    pub(crate) fn fixed(texts: [&str; 2], placeholders: &[Placeholder]) -> Self {
        let mut sink = Sink::new("");
        let text = city_model::LocalText::new(texts[0], texts[1]);
        let template = Self::read(text, placeholders, crate::problem::Mark::default(), &mut sink);
        debug_assert!(sink.problems.is_empty(), "{:?}", sink.problems);
        template
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use city_model::LocalText;

    #[test]
    fn every_kind_has_its_own_name_and_valid_texts_in_two_languages() {
        for (index, kind) in KINDS.iter().enumerate() {
            assert!(KINDS[..index].iter().all(|other| other.name != kind.name), "{}", kind.name);
            for [en, zh] in [kind.about, kind.summary] {
                assert!(!en.is_empty() && !zh.is_empty() && en != zh, "{}", kind.name);
            }
            let mut sink = Sink::new("");
            let text = LocalText::new(kind.summary[0], kind.summary[1]);
            Template::read(text, kind.placeholders, Mark::default(), &mut sink);
            assert_eq!(sink.problems, [], "{}", kind.name);
        }
    }

    #[test]
    fn every_kind_has_rule_tests() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/rules");
        for kind in KINDS {
            let file = folder.join(format!("{}.test.yaml", kind.name));
            assert!(file.exists(), "{} is missing", file.display());
        }
    }
}
