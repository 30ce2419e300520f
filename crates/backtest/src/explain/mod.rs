//! Why an alert fired, and why one did not: one rule and one subject over stored readings, with
//! every decision on the way.

mod reach;
mod selection;
mod sentence;
mod subject;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{Alert, Device, Directory, LocalText, Quality, Span, Subject, Timestamp};
use city_rules::{Condition, Evaluator, NearMiss, Rule, RuleSet, TraceStep};
use city_store::{Cancel, Store, StoreError, TimeRange};

use crate::run::{Caveat, caveats};
use crate::slices::{Locate, Wanted};

pub use selection::Mismatch;
pub use subject::subject_of;
pub use words::{Units, told};

/// Readings that an explanation looks at; a run over more of them is a backtest's work.
const MOST: u64 = 50_000_000;

/// How something stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// An alert fired.
    Firing,
    /// The condition held, not yet for long enough.
    Pending,
    /// The condition held, but the rule was off schedule, or a dependency held the alert back.
    HeldBack,
    /// The rule judged, and found nothing to raise.
    Clear,
    /// The rule had nothing by which to judge.
    Unknown,
    /// The rule is not about it.
    NotSelected,
}

impl Verdict {
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Pending => "pending",
            Self::HeldBack => "held_back",
            Self::Clear => "clear",
            Self::Unknown => "unknown",
            Self::NotSelected => "not_selected",
        }
    }
}

/// Why something was as it was.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The rule's id.
    pub rule: Arc<str>,
    /// The version of the rule that was run: that of now.
    pub version: Arc<str>,
    /// What it is about.
    pub subject: Subject,
    /// Which moment.
    pub at: Timestamp,
    /// From when on readings were looked at.
    pub from: Timestamp,
    /// How it stood.
    pub verdict: Verdict,
    /// All of it in one sentence.
    pub sentence: LocalText,
    /// What the numbers of its steps are measured in.
    pub units: Units,
    /// Since when: the alert fired, or the condition held.
    pub since: Option<Timestamp>,
    /// When it would have changed by itself: fired, ended, or fallen silent.
    pub until: Option<Timestamp>,
    /// The alert, if one fired.
    pub alert: Option<Box<Alert>>,
    /// What of the rule does not match.
    pub mismatches: Vec<Mismatch>,
    /// How often what was decided.
    pub counts: BTreeMap<&'static str, u64>,
    /// How many readings the rule did not trust, by their flag.
    pub untrusted: BTreeMap<Quality, u64>,
    /// The value that came closest to a limit without passing it.
    pub nearest: Option<NearMiss>,
    /// The newest steps, oldest first.
    pub steps: Vec<TraceStep>,
    /// How many older steps there were.
    pub left_out: u64,
    /// How many readings were evaluated, those of other subjects that count included.
    pub readings: u64,
    /// Where it may differ from what really happened.
    pub caveats: Vec<Caveat>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question<'q> {
    /// The rules in force, among which the rule is.
    pub rules: &'q RuleSet,
    /// The rule.
    pub rule: &'q Rule,
    /// What about; see [`subject_of`].
    pub subject: Subject,
    /// At which moment.
    pub at: Timestamp,
}

/// Says why a rule did or did not raise an alert about a subject at a time, from stored readings.
///
/// `locate` says in which zones a position of a moving device is.
///
/// # Errors
///
/// If the store cannot be read, or it was cancelled.
pub fn explain(
    store: &dyn Store,
    directory: &Arc<Directory>,
    locate: Locate<'_>,
    question: &Question<'_>,
    cancel: &Cancel,
) -> Result<Explanation, StoreError> {
    let Question { rules, rule, ref subject, at } = *question;
    let mismatches = selection::mismatches(rule, subject, directory);
    let set = Arc::new(reach::needed(rules, rule));
    let deciding = reach::Deciding::new(&set, rule, subject, directory);
    let newest = newest(store, directory, subject, at);
    let quietest = quietest(store, directory, &deciding, rule, at);
    let from = reach::start(&set, rule, subject, directory, at, (newest, quietest));
    let mut explanation = Explanation {
        rule: rule.id.clone(),
        version: rule.version.clone(),
        subject: subject.clone(),
        at,
        from,
        verdict: Verdict::NotSelected,
        sentence: LocalText::default(),
        units: Units::of(rule, subject, directory),
        since: None,
        until: None,
        alert: None,
        mismatches,
        counts: BTreeMap::new(),
        untrusted: BTreeMap::new(),
        nearest: None,
        steps: Vec::new(),
        left_out: 0,
        readings: 0,
        caveats: caveats(&[&*set]),
    };
    if !explanation.mismatches.is_empty() {
        explanation.sentence = sentence::not_selected(&explanation.mismatches);
        explanation.caveats = vec![Caveat::RegistryOfToday];
        return Ok(explanation);
    }
    let mut evaluator = Evaluator::new(set.clone(), directory.clone(), from);
    evaluator.watch_from_first_readings();
    evaluator.trace(&rule.id, subject);
    let mut events = Vec::new();
    let readings = std::cell::Cell::new(0_u64);
    let go_on = || {
        cancel.check()?;
        if readings.get() <= MOST {
            return Ok(());
        }
        Err(StoreError::new(
            city_store::StoreErrorKind::Invalid,
            format!("more than {MOST} readings decide this; try a backtest of the rule"),
        ))
    };
    let keep = |device: &Device| deciding.takes(device);
    // A reading of the very moment counts.
    let range = TimeRange { from, to: at + Span::from_micros(1) };
    Wanted::new(&[&*set], directory, store, &keep).read(
        store,
        range,
        locate,
        &go_on,
        |reading| {
            readings.set(readings.get() + 1);
            evaluator.observe(reading, &mut events);
            events.clear();
        },
        |_| (),
    )?;
    evaluator.advance(at, &mut events);
    explanation.readings = readings.get();
    let Some(trace) = evaluator.traced() else { return Ok(explanation) };
    sentence::judge(&mut explanation, rule, &trace, newest);
    explanation.counts = trace.counts;
    explanation.untrusted = trace.untrusted;
    explanation.nearest = trace.nearest.filter(|_| explanation.verdict != Verdict::Firing);
    explanation.steps = trace.steps;
    explanation.left_out = trace.dropped;
    Ok(explanation)
}

/// The newest reading that is stored of a series or device, if it is not after `at`.
fn newest(
    store: &dyn Store,
    directory: &Directory,
    subject: &Subject,
    at: Timestamp,
) -> Option<Timestamp> {
    let device = directory.device_by_id(subject.device()?)?.key;
    let wanted = |metric: city_model::MetricKey| match subject {
        Subject::Series { metric: id, .. } => {
            directory.metrics.by_id(id).is_some_and(|known| known.key == metric)
        }
        _ => true,
    };
    let all = store.last_of_device(device).into_iter();
    let times = all.filter(|(metric, _)| wanted(*metric)).map(|(_, last)| last.time);
    times.max().filter(|time| *time <= at)
}

/// When the device was last heard that has been silent for longest, for rules on silence.
fn quietest(
    store: &dyn Store,
    directory: &Directory,
    deciding: &reach::Deciding<'_>,
    rule: &Rule,
    at: Timestamp,
) -> Option<Timestamp> {
    let Condition::Silence(_) = rule.condition else { return None };
    let own = directory.devices().filter(|device| deciding.is_own(device));
    let last = own.filter_map(|device| {
        let all = store.last_of_device(device.key).into_iter();
        all.filter(|(metric, _)| {
            let metric = directory.metrics.get(*metric);
            metric.is_some_and(|metric| rule.select.matches_metric(&metric.id))
        })
        .map(|(_, last)| last.time)
        .max()
    });
    last.filter(|time| *time <= at).min()
}

/// What a rule's alerts are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Series,
    Device,
    Zone,
}

impl About {
    fn of(rule: &Rule) -> Self {
        match &rule.condition {
            _ if rule.is_about_zones() => Self::Zone,
            Condition::Value
            | Condition::Index(_)
            | Condition::State(_)
            | Condition::Function(_) => Self::Series,
            Condition::Silence(silence) if silence.watch == city_rules::kinds::Watch::Series => {
                Self::Series
            }
            _ => Self::Device,
        }
    }
}
