//! Rule kinds: one file per kind and one line in [`KINDS`].
//!
//! A kind reads its keys from a rule and says what the evaluator is to do with the readings that
//! the rule selects: a [`Condition`]. Kinds that turn the readings of one series into one number
//! (windows, rates, scores) implement [`SeriesFunction`]; state, timers, severities and texts are
//! the evaluator's and the same for all kinds.

mod absence;
mod anomaly;
mod flat_line;
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
use crate::ladder::Ladder;
use crate::problem::Sink;
use crate::rule::Trust;
use crate::selector::Selector;
use crate::template::{Placeholder, Template};

pub use absence::{Allowed, Gateways, Silence, Watch};
pub use state_duration::States;
pub use zone_aggregate::{Aggregate, ZoneAggregate};

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
}

/// What the evaluator does with the readings that a rule selects.
#[derive(Debug)]
pub enum Condition {
    /// Judges every value of a series as it is.
    Value,
    /// Judges whether a series is in certain states, also such as are texts.
    State(States),
    /// Judges what a function makes of the values of a series.
    Function(Arc<dyn SeriesFunction>),
    /// Watches devices or series for silence.
    Silence(Silence),
    /// Judges an aggregate over the devices in a zone.
    Zone(ZoneAggregate),
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
}

impl Measure {
    /// The unit as people write it, for values of a metric; `None` if there is none.
    pub(crate) fn unit(self, metric: Option<&Metric>) -> Option<Arc<str>> {
        match self {
            Self::Metric => metric.map(|metric| metric.symbol.clone()),
            Self::Plain => None,
            Self::Per(span) => {
                let length = span.to_string();
                // `/h`, but `/10m`.
                let one = length.strip_prefix('1');
                let one = one.filter(|unit| unit.chars().all(char::is_alphabetic));
                metric.map(|metric| format!("{}/{}", metric.symbol, one.unwrap_or(&length)).into())
            }
            Self::Length => Some("s".into()),
        }
    }
}

impl Condition {
    /// What the judged value is measured in.
    pub(crate) fn measure(&self) -> Measure {
        match self {
            Self::Function(function) => function.measure(),
            Self::State(_) => Measure::Length,
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
    use crate::problem::Mark;
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
