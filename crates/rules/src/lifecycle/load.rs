//! Alarm load as ISA-18.2 and IEC 62682 count it: how much work alerts are for those who watch.

use std::sync::Arc;

use city_model::{Span, Timestamp};
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::{FloodChange, FloodConfig, FloodMonitor};

const TEN_MINUTES: Span = Span::from_mins(10);
const HOUR: Span = Span::from_mins(60);
const DAY: Span = Span::from_hours(24);

/// More alerts than this are too many for ten minutes.
const TEN_MINUTES_LIMIT: u64 = 10;
/// More alerts than this are too many for an hour.
const HOUR_LIMIT: u64 = 30;
/// So many of one rule and subject within a minute are chattering.
const CHATTERING: usize = 3;
const MINUTE: Span = Span::from_secs(60);

/// One alert, as load sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// The rule's id.
    pub rule: Arc<str>,
    /// What it is about.
    pub subject: Arc<str>,
    /// When it fired.
    pub fired: Timestamp,
    /// When it was over; `None` if it still fires at the end.
    pub ended: Option<Timestamp>,
}

impl Occurrence {
    fn stood(&self, to: Timestamp) -> Span {
        self.ended.unwrap_or(to).since(self.fired)
    }

    fn is_fleeting(&self, to: Timestamp) -> bool {
        self.ended.is_some() && self.stood(to) <= MINUTE
    }

    fn is_stale(&self, to: Timestamp) -> bool {
        self.stood(to) > DAY
    }
}

/// The load of a length of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Load {
    /// How many alerts fired.
    pub alerts: u64,
    /// Alerts a day and operator. Up to 144 is acceptable, up to 288 manageable.
    pub per_operator_day: f64,
    /// The most alerts within any ten minutes, of one operator. Up to 1 is acceptable.
    pub peak_ten_minutes: f64,
    /// How many floods there were: more than 10 alerts in 10 minutes for an operator, until fewer
    /// than 5.
    pub floods: u64,
    /// Minutes in flood.
    pub flood_minutes: f64,
    /// The part of the clock's hours with more than 30 alerts for an operator; it should stay under
    /// 0.01.
    pub hours_over_30: f64,
    /// The part of the clock's ten minutes with more than 10; it should stay under 0.01.
    pub ten_minutes_over_10: f64,
    /// How many pairs of rule and subject chattered: 3 alerts or more within a minute.
    pub chattering: u64,
    /// How many alerts were over within a minute.
    pub fleeting: u64,
    /// How many stood for more than a day.
    pub stale: u64,
    /// Each rule's part, the largest first.
    pub rules: Vec<RuleLoad>,
}

/// A rule's part of the load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleLoad {
    /// The rule's id.
    pub rule: Arc<str>,
    /// How many alerts it raised.
    pub alerts: u64,
    /// Its part of all.
    pub share: f64,
    /// How many of its subjects chattered.
    pub chattering: u64,
    /// How many of its alerts were over within a minute.
    pub fleeting: u64,
    /// How many of its alerts stood for more than a day.
    pub stale: u64,
}

impl Load {
    /// The load of alerts that fired from `from` until before `to`, in any order, for so many
    /// operators (at least one) who share them evenly.
    pub fn of(alerts: &[Occurrence], (from, to): (Timestamp, Timestamp), operators: u32) -> Self {
        let operators = operators.max(1);
        let length = to.since(from);
        let mut fired: Vec<Timestamp> = alerts.iter().map(|alert| alert.fired).collect();
        fired.sort_unstable();
        let share = f64::from(operators);
        let floods = floods(&fired, to, operators);
        let periods = |span: Span, limit: u64| {
            let limit = limit * u64::from(operators);
            let period = |time: Timestamp| time.micros().div_euclid(span.micros());
            let mut counts: FxHashMap<i64, u64> = FxHashMap::default();
            for time in &fired {
                *counts.entry(period(*time)).or_default() += 1;
            }
            let over = counts.values().filter(|count| **count > limit).count() as f64;
            let last = Timestamp::from_micros(to.micros().saturating_sub(1));
            over / ((period(last) - period(from) + 1).max(1) as f64)
        };
        let mut load = Self {
            alerts: alerts.len() as u64,
            per_operator_day: alerts.len() as f64 / days(length) / share,
            peak_ten_minutes: most_within(&fired, TEN_MINUTES) as f64 / share,
            floods: floods.len() as u64,
            // A sum of nothing is -0.
            flood_minutes: floods.iter().map(|flood| flood.secs_f64() / 60.0).sum::<f64>() + 0.0,
            hours_over_30: periods(HOUR, HOUR_LIMIT),
            ten_minutes_over_10: periods(TEN_MINUTES, TEN_MINUTES_LIMIT),
            ..Self::default()
        };
        load.rules = rules(alerts, to);
        let sum = |of: fn(&RuleLoad) -> u64| load.rules.iter().map(of).sum();
        (load.chattering, load.fleeting, load.stale) =
            (sum(|rule| rule.chattering), sum(|rule| rule.fleeting), sum(|rule| rule.stale));
        load
    }
}

fn days(length: Span) -> f64 {
    (length.secs_f64() / DAY.secs_f64()).max(f64::MIN_POSITIVE)
}

/// A pair of rule and subject, and how much of the load it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Actor {
    /// The rule's id.
    pub rule: Arc<str>,
    /// What it was about.
    pub subject: Arc<str>,
    /// How many alerts it raised.
    pub alerts: u64,
    /// Its part of all.
    pub share: f64,
    /// Whether it chattered: 3 alerts or more within a minute.
    pub chattering: bool,
    /// How many of its alerts were over within a minute.
    pub fleeting: u64,
    /// How many of its alerts stood for more than a day.
    pub stale: u64,
}

/// The pairs of rule and subject that raised the most of some alerts, the worst first; `to` is the
/// end of the time looked at.
pub fn bad_actors(alerts: &[Occurrence], to: Timestamp, most: usize) -> Vec<Actor> {
    let mut pairs: FxHashMap<(&Arc<str>, &Arc<str>), Vec<&Occurrence>> = FxHashMap::default();
    for alert in alerts {
        pairs.entry((&alert.rule, &alert.subject)).or_default().push(alert);
    }
    let actor = |((rule, subject), raised): ((&Arc<str>, &Arc<str>), Vec<&Occurrence>)| {
        let mut times: Vec<Timestamp> = raised.iter().map(|alert| alert.fired).collect();
        times.sort_unstable();
        Actor {
            rule: rule.clone(),
            subject: subject.clone(),
            alerts: raised.len() as u64,
            share: raised.len() as f64 / alerts.len() as f64,
            chattering: most_within(&times, MINUTE) >= CHATTERING,
            fleeting: raised.iter().filter(|alert| alert.is_fleeting(to)).count() as u64,
            stale: raised.iter().filter(|alert| alert.is_stale(to)).count() as u64,
        }
    };
    let mut actors: Vec<Actor> = pairs.into_iter().map(actor).collect();
    actors.sort_by(|a, b| {
        let names = |actor: &Actor| (actor.rule.clone(), actor.subject.clone());
        b.alerts.cmp(&a.alerts).then_with(|| names(a).cmp(&names(b)))
    });
    actors.truncate(most);
    actors
}

/// How long each flood was; one that is not over ends with the range.
fn floods(fired: &[Timestamp], to: Timestamp, operators: u32) -> Vec<Span> {
    let config = FloodConfig::default();
    let mut monitor = FloodMonitor::default();
    let mut floods = Vec::new();
    let mut end = |change: Option<FloodChange>| {
        if let Some(FloodChange::Ended { began, at, .. }) = change {
            floods.push(at.since(began));
        }
    };
    for (number, time) in fired.iter().enumerate() {
        end(monitor.advance(*time, &config, operators));
        monitor.fired(&number.to_string().into(), *time, &config, operators);
    }
    end(monitor.advance(to, &config, operators));
    if let Some(began) = monitor.since() {
        floods.push(to.since(began));
    }
    floods
}

/// The most of these times within a length of time, its end excluded.
fn most_within(sorted: &[Timestamp], span: Span) -> usize {
    let mut first = 0;
    let mut most = 0;
    for (index, time) in sorted.iter().enumerate() {
        while time.since(sorted[first]) >= span {
            first += 1;
        }
        most = most.max(index + 1 - first);
    }
    most
}

fn rules(alerts: &[Occurrence], to: Timestamp) -> Vec<RuleLoad> {
    let mut by_rule: FxHashMap<&Arc<str>, RuleLoad> = FxHashMap::default();
    let mut times: FxHashMap<(&Arc<str>, &Arc<str>), Vec<Timestamp>> = FxHashMap::default();
    for alert in alerts {
        let rule = by_rule.entry(&alert.rule).or_insert_with(|| RuleLoad {
            rule: alert.rule.clone(),
            alerts: 0,
            share: 0.0,
            chattering: 0,
            fleeting: 0,
            stale: 0,
        });
        rule.alerts += 1;
        rule.fleeting += u64::from(alert.is_fleeting(to));
        rule.stale += u64::from(alert.is_stale(to));
        times.entry((&alert.rule, &alert.subject)).or_default().push(alert.fired);
    }
    for ((rule, _), mut times) in times {
        times.sort_unstable();
        if let Some(rule) = by_rule.get_mut(rule) {
            rule.chattering += u64::from(most_within(&times, MINUTE) >= CHATTERING);
        }
    }
    let mut rules: Vec<RuleLoad> = by_rule.into_values().collect();
    for rule in &mut rules {
        rule.share = rule.alerts as f64 / alerts.len() as f64;
    }
    rules.sort_by(|a, b| b.alerts.cmp(&a.alerts).then_with(|| a.rule.cmp(&b.rule)));
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_767_225_600 + secs)
    }

    fn alert(rule: &str, subject: &str, fired: i64, ended: Option<i64>) -> Occurrence {
        let (rule, subject) = (rule.into(), subject.into());
        Occurrence { rule, subject, fired: at(fired), ended: ended.map(at) }
    }

    #[test]
    fn a_flood_begins_with_the_eleventh_and_ends_below_five() {
        // One every half minute: the eleventh comes after five minutes. The last comes at 9:30; ten
        // minutes after the sixteenth only four are left.
        let alerts: Vec<Occurrence> =
            (0..20).map(|n| alert("r", &n.to_string(), n * 30, None)).collect();
        let load = Load::of(&alerts, (at(0), at(86_400)), 1);
        assert_eq!((load.alerts, load.floods), (20, 1));
        assert!((load.per_operator_day - 20.0).abs() < 1e-9 && load.peak_ten_minutes == 20.0);
        assert_eq!(load.flood_minutes, (15.0 * 30.0 + 600.0 - 300.0) / 60.0);
        assert_eq!(load.ten_minutes_over_10, 1.0 / 144.0);
        assert_eq!(load.hours_over_30, 0.0);
        let shared = Load::of(&alerts, (at(0), at(86_400)), 2);
        assert_eq!((shared.floods, shared.peak_ten_minutes), (0, 10.0), "two share them");
        let cut = Load::of(&alerts, (at(0), at(600)), 1);
        assert_eq!(cut.flood_minutes, 5.0, "it ends with the range");
    }

    #[test]
    fn what_chatters_is_fleeting_or_stale_is_counted_by_rule() {
        let alerts = [
            alert("door", "a", 0, Some(10)),
            alert("door", "a", 20, Some(30)),
            alert("door", "a", 59, Some(200)),
            alert("door", "b", 0, Some(30)),
            alert("door", "b", 60, Some(90)),
            alert("door", "b", 120, Some(150)),
            alert("pump", "c", 5, None),
        ];
        let load = Load::of(&alerts, (at(0), at(2 * 86_400)), 1);
        assert_eq!((load.chattering, load.fleeting, load.stale), (1, 5, 1));
        let shares: Vec<(&str, u64)> =
            load.rules.iter().map(|rule| (&*rule.rule, rule.alerts)).collect();
        assert_eq!(shares, [("door", 6), ("pump", 1)]);
    }

    #[test]
    fn the_worst_pairs_of_rule_and_subject_come_first() {
        let alerts = [
            alert("door", "a", 0, Some(10)),
            alert("door", "a", 20, Some(30)),
            alert("door", "a", 59, Some(200)),
            alert("door", "b", 0, Some(30)),
            alert("pump", "c", 5, None),
        ];
        let actors = bad_actors(&alerts, at(2 * 86_400), 2);
        let door = Actor {
            rule: "door".into(),
            subject: "a".into(),
            alerts: 3,
            share: 0.6,
            chattering: true,
            fleeting: 2,
            stale: 0,
        };
        assert_eq!((actors.len(), &actors[0]), (2, &door));
        assert_eq!((&*actors[1].rule, &*actors[1].subject), ("door", "b"));
        assert_eq!(bad_actors(&alerts, at(2 * 86_400), 9)[2].stale, 1);
    }

    #[test]
    fn nothing_is_no_load() {
        let load = Load::of(&[], (at(0), at(0)), 0);
        assert_eq!((load.alerts, load.floods, load.rules.len()), (0, 0, 0));
        assert_eq!(load.per_operator_day, 0.0);
    }
}
