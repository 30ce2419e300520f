//! Alerts against other alerts, and against incidents that are known.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{Span, Timestamp};
use city_store::TimeRange;
use serde::{Deserialize, Serialize};

use crate::run::WouldBe;

/// What other rules did differently: alerts of the same rule and subject that do not overlap in
/// time with any of the other side.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// How many both have.
    pub both: u64,
    /// How many only these rules raise.
    pub only_here: u64,
    /// How many only the others raise.
    pub only_there: u64,
    /// Alerts that only the others raise, the first of them.
    pub lost: Vec<WouldBe>,
    /// Alerts that only these rules raise, the first of them.
    pub gained: Vec<WouldBe>,
}

/// An incident that is known to have happened.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// What it was.
    #[serde(default)]
    pub name: String,
    /// The rule that should have seen it; any if it is not given.
    #[serde(default)]
    pub rule: Option<Arc<str>>,
    /// The device or zone at which it was; any if it is not given.
    #[serde(default)]
    pub place: Option<Arc<str>>,
    /// When it began.
    pub from: Timestamp,
    /// When it was over.
    pub to: Timestamp,
}

/// What became of a label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// When it began.
    pub from: Timestamp,
    /// When the first alert for it fired; `None` if none did.
    pub fired_at: Option<Timestamp>,
}

/// How well alerts agree with incidents.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Labelled {
    /// The part of the alerts that belong to an incident; `None` without alerts.
    pub precision: Option<f64>,
    /// The part of the incidents for which an alert fired; `None` without incidents.
    pub recall: Option<f64>,
    /// From the beginning of an incident to its first alert, in seconds: the median over those that
    /// were seen. An alert that came before counts as no delay.
    pub delay_s: Option<f64>,
    /// Each incident, in order of time.
    pub incidents: Vec<Found>,
    /// How many alerts belong to none.
    pub false_alarms: u64,
}

fn overlap(a: (Timestamp, Timestamp), b: (Timestamp, Timestamp)) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

fn by_subject(alerts: &[WouldBe]) -> BTreeMap<(&str, String), Vec<&WouldBe>> {
    let mut all: BTreeMap<(&str, String), Vec<&WouldBe>> = BTreeMap::new();
    for alert in alerts {
        all.entry((&alert.rule, alert.subject.to_string())).or_default().push(alert);
    }
    all
}

fn within(alerts: &[WouldBe], range: TimeRange) -> Vec<&WouldBe> {
    alerts.iter().filter(|alert| range.contains(alert.fired_at)).collect()
}

/// The alerts of `some` that overlap with none of `others`, which are in order of time.
fn only(some: &[&WouldBe], others: &[WouldBe], end: Timestamp) -> Vec<WouldBe> {
    let others = by_subject(others);
    let is_alone = |alert: &&&WouldBe| {
        let there = others.get(&(&*alert.rule, alert.subject.to_string()));
        let there = there.map_or(&[][..], Vec::as_slice);
        // Those of one rule and subject follow one another.
        let next = there.partition_point(|other| other.stood(end).1 < alert.fired_at);
        !there.get(next).is_some_and(|other| overlap(alert.stood(end), other.stood(end)))
    };
    some.iter().filter(is_alone).map(|alert| (*alert).clone()).collect()
}

impl Difference {
    /// What `here` has and `there` has not, and the other way round, of alerts that fired within the
    /// range; both are in order of time. Lists at most `most` of each. Alerts that are not over last
    /// until the range ends.
    pub fn between(here: &[WouldBe], there: &[WouldBe], range: TimeRange, most: usize) -> Self {
        let (own, others) = (within(here, range), within(there, range));
        let mut gained = only(&own, there, range.to);
        let mut lost = only(&others, here, range.to);
        let (only_here, only_there) = (gained.len() as u64, lost.len() as u64);
        gained.truncate(most);
        lost.truncate(most);
        Self { both: own.len() as u64 - only_here, only_here, only_there, lost, gained }
    }
}

impl Labelled {
    /// Compares alerts with incidents. Alerts that are not over last until `end`.
    pub fn of(alerts: &[WouldBe], labels: &[Label], end: Timestamp) -> Self {
        let belongs = |alert: &WouldBe, label: &Label| {
            label.rule.as_ref().is_none_or(|rule| *rule == alert.rule)
                && label.place.as_ref().is_none_or(|place| alert.is_at(place))
                && overlap(alert.stood(end), (label.from, label.to))
        };
        let mut incidents: Vec<(Found, Option<Span>)> = labels
            .iter()
            .map(|label| {
                let own = alerts.iter().filter(|alert| belongs(alert, label));
                let fired_at = own.map(|alert| alert.fired_at).min();
                let delay = fired_at.map(|at| at.since(label.from).max(Span::ZERO));
                (Found { name: label.name.clone(), from: label.from, fired_at }, delay)
            })
            .collect();
        incidents.sort_by_key(|(found, _)| found.from);
        let mut delays: Vec<Span> = incidents.iter().filter_map(|(_, delay)| *delay).collect();
        delays.sort_unstable();
        let right = alerts.iter().filter(|a| labels.iter().any(|label| belongs(a, label))).count();
        let part = |some: usize, all: usize| (all > 0).then(|| some as f64 / all as f64);
        Self {
            precision: part(right, alerts.len()),
            recall: part(delays.len(), labels.len()),
            delay_s: delays.get(delays.len() / 2).map(|delay| delay.secs_f64()),
            incidents: incidents.into_iter().map(|(found, _)| found).collect(),
            false_alarms: (alerts.len() - right) as u64,
        }
    }
}
