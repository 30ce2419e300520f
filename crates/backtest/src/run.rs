//! The run itself, and its report.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{
    AlertEvent, AlertEventKind, Directory, LocalText, Reading, Severity, Span, Subject, Timestamp,
};
use city_rules::lifecycle::{Load, Occurrence};
use city_rules::{Condition, Evaluator, RuleSet};
use city_store::{Cancel, Store, StoreError, StoreErrorKind, TimeRange};
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::compare::{Difference, Label, Labelled};
use crate::slices::{Locate, Wanted};

/// Before the range rules are warmed up for as long as they look back, at most for this long.
pub(crate) const LONGEST_WARM_UP: Span = Span::from_hours(14 * 24);
/// Alerts that a report lists; more are counted only.
const LISTED: usize = 10_000;
/// Alerts that a run may find; with more nobody could live, and memory is bounded.
const MOST: usize = 1_000_000;
/// Alerts of a difference that a report lists.
const LISTED_DIFFERENCE: usize = 1_000;

/// What is to be tried.
#[derive(Clone, Debug)]
pub struct Request {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// Other rules to compare with, such as those in force.
    pub against: Option<Arc<RuleSet>>,
    /// Which time.
    pub range: TimeRange,
    /// How many operators share the alerts; at least one.
    pub operators: u32,
    /// Incidents that are known.
    pub labels: Vec<Label>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Readings so far.
    pub readings: u64,
    /// Everything before this is done.
    pub until: Timestamp,
}

/// An alert that would have fired.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WouldBe {
    /// The rule's id.
    pub rule: Arc<str>,
    /// What it is about.
    pub subject: Subject,
    /// The worst severity that it had.
    pub severity: Severity,
    /// When the condition began.
    pub started_at: Timestamp,
    /// When it fired.
    pub fired_at: Timestamp,
    /// When it was over; `None` if it fires at the end of the range.
    pub resolved_at: Option<Timestamp>,
    /// The value that decided.
    pub value: Option<f64>,
    /// The limit that it passed.
    pub limit: Option<f64>,
    /// What it would have said.
    pub summary: LocalText,
    /// Zones in which it was.
    pub zones: Vec<Arc<str>>,
}

impl WouldBe {
    /// From when to when it fired.
    pub(crate) fn stood(&self, end: Timestamp) -> (Timestamp, Timestamp) {
        (self.fired_at, self.resolved_at.unwrap_or(end))
    }

    /// What operators' load is reckoned from.
    pub fn occurrence(&self) -> Occurrence {
        Occurrence {
            rule: self.rule.clone(),
            subject: self.subject.to_string().into(),
            fired: self.fired_at,
            ended: self.resolved_at,
        }
    }

    /// Whether it is at a device or zone with this id.
    pub(crate) fn is_at(&self, place: &Arc<str>) -> bool {
        let own = match &self.subject {
            Subject::Series { device, .. } | Subject::Device { device } => device,
            Subject::Zone { zone } => zone,
        };
        own == place || self.zones.contains(place)
    }
}

/// Where a backtest may differ from what really would have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Caveat {
    /// The store keeps when something was measured, not when it arrived: nothing is late here.
    NothingIsLate,
    /// The store does not keep the marks of readings: simulated readings of real devices and
    /// retained messages count.
    MarksAreNotStored,
    /// Devices, their attributes and zones are those of today.
    RegistryOfToday,
    /// What began before the range was looked at for a while only.
    WarmUp,
    /// Silence counts from the first reading of a device on.
    SilenceFromFirstReadings,
}

impl Caveat {
    /// For people.
    pub fn text(self) -> LocalText {
        let (en, zh) = match self {
            Self::NothingIsLate => (
                "when readings arrived is not stored, so none is late here",
                "未存储读数到达时间，因此回测中没有迟到的读数",
            ),
            Self::MarksAreNotStored => (
                "marks are not stored: simulated readings of real devices count",
                "未存储标记：真实设备的模拟读数也会计入",
            ),
            Self::RegistryOfToday => {
                ("devices, attributes and zones are those of today", "设备、属性和区域均按当前登记")
            }
            Self::WarmUp => (
                "what began before the range was looked at for a while only",
                "时间范围之前的状态仅回看有限时长",
            ),
            Self::SilenceFromFirstReadings => (
                "silence counts from the first reading of a device on",
                "离线时长从设备的首个读数算起",
            ),
        };
        LocalText::new(en, zh)
    }
}

/// What would have happened.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The first instant of the range.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
    /// From when on readings were looked at, so that the rules knew what came before.
    pub warmed_up_from: Timestamp,
    /// How many series the rules select.
    pub series: usize,
    /// How many readings were evaluated, with those before the range.
    pub readings: u64,
    /// The alerts that fired within the range, in order of time; at most 10,000.
    pub alerts: Vec<WouldBe>,
    /// How much work they are.
    pub load: Load,
    /// How many there were on each day of UTC.
    pub per_day: BTreeMap<String, u64>,
    /// What the other rules did differently, if there are any.
    pub difference: Option<Difference>,
    /// How they agree with known incidents, if any are known.
    pub labelled: Option<Labelled>,
    /// What to keep in mind.
    pub caveats: Vec<Caveat>,
}

/// Runs rules over stored history.
///
/// `locate` says in which zones a position of a moving device is. `progress` is called now and
/// then.
///
/// # Errors
///
/// If the store cannot be read, it was cancelled, or there are more than a million alerts.
pub fn backtest(
    store: &dyn Store,
    directory: &Arc<Directory>,
    locate: Locate<'_>,
    request: &Request,
    cancel: &Cancel,
    mut progress: impl FnMut(Progress),
) -> Result<Report, StoreError> {
    let range = request.range;
    let sets = || std::iter::once(&request.rules).chain(&request.against);
    let warm_up = sets().map(|rules| warm_up(rules, directory)).max().unwrap_or(Span::ZERO);
    let start = range.from - warm_up;
    let sets: Vec<&RuleSet> = sets().map(Arc::as_ref).collect();
    let mut wanted = Wanted::new(&sets, directory, store, &|_| true);
    let mut trial = Trial::new(&request.rules, directory, start);
    let mut other = request.against.as_ref().map(|rules| Trial::new(rules, directory, start));
    let readings = std::cell::Cell::new(0_u64);
    let found = std::cell::Cell::new(0);
    let go_on = || {
        cancel.check()?;
        if found.get() <= MOST {
            return Ok(());
        }
        Err(StoreError::new(
            StoreErrorKind::Invalid,
            format!("the rules raise more than {MOST} alerts; try fewer rules, or a shorter range"),
        ))
    };
    let all = TimeRange { from: start, to: range.to };
    wanted.read(
        store,
        all,
        locate,
        &go_on,
        |reading| {
            readings.set(readings.get() + 1);
            trial.observe(reading);
            if let Some(other) = &mut other {
                other.observe(reading);
            }
            let there = other.as_ref().map_or(0, |other| other.alerts.all.len());
            found.set(there.max(trial.alerts.all.len()));
        },
        |until| progress(Progress { readings: readings.get(), until }),
    )?;
    let mut alerts = trial.finish(range);
    let difference = other.map(|other| {
        let there = other.finish(range);
        Difference::between(&alerts, &there, range, LISTED_DIFFERENCE)
    });
    alerts.retain(|alert| range.contains(alert.fired_at));
    let occurrences: Vec<Occurrence> = alerts.iter().map(WouldBe::occurrence).collect();
    let mut per_day = BTreeMap::new();
    for alert in &alerts {
        let time = alert.fired_at.to_string();
        let day = time.split('T').next().unwrap_or_default();
        *per_day.entry(day.to_owned()).or_default() += 1;
    }
    let load = Load::of(&occurrences, (range.from, range.to), request.operators);
    let labelled =
        (!request.labels.is_empty()).then(|| Labelled::of(&alerts, &request.labels, range.to));
    alerts.truncate(LISTED);
    Ok(Report {
        from: range.from,
        to: range.to,
        warmed_up_from: start,
        series: wanted.series,
        readings: readings.get(),
        alerts,
        load,
        per_day,
        difference,
        labelled,
        caveats: caveats(&sets),
    })
}

/// How long before the range the rules must have seen readings: as long as they look back.
pub(crate) fn warm_up(rules: &RuleSet, directory: &Directory) -> Span {
    let needs = rules.rules().iter().map(|rule| {
        let reach = match &rule.condition {
            Condition::Silence(silence) => {
                let allowed = directory.devices().filter_map(|device| silence.allowance(device));
                allowed.max().unwrap_or(Span::ZERO)
            }
            other => other.reach(),
        };
        let hold = rule.holds().into_iter().max().unwrap_or(Span::ZERO);
        let all = [reach, hold, rule.keep_firing_for].map(Span::micros);
        Span::from_micros(all.into_iter().fold(0, i64::saturating_add))
    });
    needs.max().unwrap_or(Span::ZERO).min(LONGEST_WARM_UP)
}

pub(crate) fn caveats(rules: &[&RuleSet]) -> Vec<Caveat> {
    let mut caveats = vec![
        Caveat::NothingIsLate,
        Caveat::MarksAreNotStored,
        Caveat::RegistryOfToday,
        Caveat::WarmUp,
    ];
    let mut all = rules.iter().flat_map(|rules| rules.rules());
    if all.any(|rule| matches!(rule.condition, Condition::Silence(_))) {
        caveats.push(Caveat::SilenceFromFirstReadings);
    }
    caveats
}

/// Alerts, put together from the events of an evaluator.
#[derive(Debug, Default)]
pub struct Alerts {
    all: Vec<WouldBe>,
    /// Those that fire, by the alert's id.
    open: FxHashMap<Arc<str>, usize>,
}

impl Alerts {
    /// Takes what happened, in its order.
    pub fn take(&mut self, events: impl IntoIterator<Item = AlertEvent>) {
        for event in events {
            let AlertEvent { kind, at, alert, .. } = event;
            if kind == AlertEventKind::Fired {
                self.open.insert(alert.id.clone(), self.all.len());
                self.all.push(WouldBe {
                    rule: alert.rule.id,
                    subject: alert.subject,
                    severity: alert.severity,
                    started_at: alert.started_at,
                    fired_at: at,
                    resolved_at: None,
                    value: alert.value,
                    limit: alert.limit,
                    summary: alert.summary,
                    zones: alert.zones,
                });
                continue;
            }
            let Some(place) = self.open.get(&alert.id).copied() else { continue };
            let known = &mut self.all[place];
            known.severity = known.severity.max(alert.severity);
            if kind == AlertEventKind::Resolved {
                known.resolved_at = Some(at);
                self.open.remove(&alert.id);
            }
        }
    }

    /// All of them in order of time.
    pub fn finish(mut self) -> Vec<WouldBe> {
        self.all.sort_by_key(|alert| alert.fired_at);
        self.all
    }
}

/// One set of rules on its way.
struct Trial {
    evaluator: Evaluator,
    events: Vec<AlertEvent>,
    alerts: Alerts,
}

impl Trial {
    fn new(rules: &Arc<RuleSet>, directory: &Arc<Directory>, start: Timestamp) -> Self {
        let mut evaluator = Evaluator::new(rules.clone(), directory.clone(), start);
        evaluator.watch_from_first_readings();
        Self { evaluator, events: Vec::new(), alerts: Alerts::default() }
    }

    fn observe(&mut self, reading: &Reading) {
        self.evaluator.observe(reading, &mut self.events);
        if !self.events.is_empty() {
            self.alerts.take(self.events.drain(..));
        }
    }

    /// All alerts until the end of the range, in order of time.
    fn finish(mut self, range: TimeRange) -> Vec<WouldBe> {
        self.evaluator.advance(range.to, &mut self.events);
        self.alerts.take(self.events);
        self.alerts.finish()
    }
}
