//! Ties over reloads; the ordinary course is in the rule tests of `testdata/rules`.

use std::sync::Arc;

use city_model::{
    AlertEvent, AlertEventKind, Catalogue, Crs, Device, DeviceKey, Directory, EndReason, LifeCycle,
    LocalText, Marks, Placement, Position, Quality, Reading, SeriesKey, Span, Timestamp, Value,
    ZoneSet,
};

use crate::Evaluator;
use crate::rule::RuleSet;

const T0: Timestamp = Timestamp::from_secs(1_767_225_600);

const MEMBERS: &str = "
  - {id: hot, kind: threshold, select: {metric: temperature}, severity: low, raise: {above: 30}}
  - {id: dusty, kind: threshold, select: {metric: pm25}, severity: low, raise: {above: 50},
     silent: true}
";
const BOTH: &str = "
  - {id: both, kind: composite, when: {all: [hot, dusty]}, severity: high}
";

fn rules(parts: &[&str]) -> Arc<RuleSet> {
    let text = format!("group: g\ndepartment: d\nrules:{}", parts.concat());
    Arc::new(RuleSet::parse(&[("rules.yaml", text)]).expect("valid rules"))
}

fn evaluator(rules: Arc<RuleSet>) -> Evaluator {
    Evaluator::new(rules, one_device(), T0)
}

fn one_device() -> Arc<Directory> {
    let device = Device {
        key: DeviceKey(0),
        id: "d".into(),
        name: LocalText::same("D"),
        kind: "k".into(),
        department: "d".into(),
        placement: Placement::Fixed(Position { lon: 1.0, lat: 2.0 }),
        declared: None,
        crs: Crs::default(),
        zones: ZoneSet::default(),
        interval: None,
        gateway: None,
        life_cycle: LifeCycle::Active,
        simulated: false,
        attributes: std::collections::BTreeMap::new(),
    };
    Arc::new(Directory::new([Arc::new(device)], Catalogue::embedded(), Vec::new(), 1))
}

fn reading(metric: &str, secs: i64, value: f64) -> Reading {
    let metric = Catalogue::embedded().by_id(metric).expect("known").key;
    let at = T0 + Span::from_secs(secs);
    Reading {
        series: SeriesKey { device: DeviceKey(0), metric },
        time: at,
        received: at,
        value: Value::Number(value),
        quality: Quality::Pass,
        marks: Marks::NONE,
        position: None,
        zones: ZoneSet::default(),
    }
}

fn log(events: &[AlertEvent]) -> Vec<(&str, AlertEventKind)> {
    events.iter().map(|event| (&*event.alert.rule.id, event.kind)).collect()
}

#[test]
fn a_composite_that_comes_later_counts_what_fires_and_one_without_members_ends() {
    let mut evaluator = evaluator(rules(&[MEMBERS]));
    let mut out = Vec::new();
    evaluator.observe(&reading("temperature", 0, 35.0), &mut out);
    evaluator.observe(&reading("pm25", 1, 80.0), &mut out);
    assert_eq!(log(&out), [("hot", AlertEventKind::Fired)], "the other one is silent");
    assert_eq!(evaluator.firing().count(), 1);
    let at = |secs| T0 + Span::from_secs(secs);
    let report = evaluator.set_rules(rules(&[MEMBERS, BOTH]), at(10));
    assert_eq!(log(&report.events), [("both", AlertEventKind::Fired)]);
    // A member decides differently from now on: nobody hears of the silent one, the composite ends.
    let other = MEMBERS.replace("above: 50", "above: 60");
    let report = evaluator.set_rules(rules(&[&other, BOTH]), at(20));
    assert_eq!(log(&report.events), [("both", AlertEventKind::Resolved)]);
    assert_eq!(report.events[0].reason, Some(EndReason::RuleChanged), "no reading did that");
    let mut out = Vec::new();
    evaluator.observe(&reading("pm25", 30, 80.0), &mut out);
    assert_eq!(log(&out), [("both", AlertEventKind::Fired)]);
}

#[test]
fn a_restart_at_any_point_changes_nothing() {
    let set = rules(&[MEMBERS, BOTH]);
    let readings: Vec<Reading> = (0..12)
        .flat_map(|n| {
            let hot = if n % 4 < 2 { 35.0 } else { 20.0 };
            let dusty = if n % 3 == 0 { 10.0 } else { 80.0 };
            [reading("temperature", 10 * n, hot), reading("pm25", 10 * n + 5, dusty)]
        })
        .collect();
    let run = |restart: usize| {
        let mut running = evaluator(set.clone());
        let mut out = Vec::new();
        for (n, reading) in readings.iter().enumerate() {
            if n == restart {
                let snapshot = running.snapshot();
                running = evaluator(set.clone());
                assert_eq!(running.restore(snapshot).events, []);
            }
            running.observe(reading, &mut out);
        }
        out
    };
    let whole = run(usize::MAX);
    assert!(log(&whole).contains(&("both", AlertEventKind::Fired)));
    for restart in 0..readings.len() {
        assert_eq!(run(restart), whole, "restart before reading {restart}");
    }
}

const POWER: &str = "
  - {id: power-out, kind: threshold, select: {metric: lamp_on, device: f}, severity: high,
     raise: {below: 0.5}}
  - {id: silent, kind: absence, select: {device: a}, severity: low, for: 2m}
  - {id: hot, kind: threshold, select: {metric: temperature}, severity: low, raise: {above: 30},
     for: 1m}
  - {id: behind, kind: dependency, when: power-out, suppress: [silent, hot],
     via: {attribute: feeder}}
";

fn feeder_and_lamp(life_cycle: LifeCycle) -> Arc<Directory> {
    let device = |key: u32, id: &str, life_cycle| {
        let attributes = [("feeder".to_owned(), city_model::Attribute::Text("f".to_owned()))];
        let one = one_device();
        let known = one.device(DeviceKey(0)).expect("there");
        Arc::new(Device {
            key: DeviceKey(key),
            id: id.into(),
            life_cycle,
            attributes: attributes.into(),
            ..(**known).clone()
        })
    };
    let devices = [device(0, "f", life_cycle), device(1, "a", LifeCycle::Active)];
    Arc::new(Directory::new(devices, Catalogue::embedded(), Vec::new(), 1))
}

fn of(device: u32, reading: Reading) -> Reading {
    let series = SeriesKey { device: DeviceKey(device), ..reading.series };
    Reading { series, ..reading }
}

/// The feeder is out, the lamp silent, and hot when it was last heard.
fn dark() -> Evaluator {
    let mut evaluator = Evaluator::new(rules(&[POWER]), feeder_and_lamp(LifeCycle::Active), T0);
    let mut out = Vec::new();
    evaluator.observe(&of(0, reading("lamp_on", 0, 0.0)), &mut out);
    evaluator.observe(&of(1, reading("temperature", 1, 40.0)), &mut out);
    evaluator.advance(T0 + Span::from_mins(30), &mut out);
    assert_eq!(log(&out), [("power-out", AlertEventKind::Fired)]);
    evaluator
}

#[test]
fn what_hung_on_a_device_that_was_taken_away_is_watched_again() {
    let mut evaluator = dark();
    let at = |mins| T0 + Span::from_mins(mins);
    let report = evaluator.set_directory(feeder_and_lamp(LifeCycle::Retired), at(40));
    assert_eq!(log(&report.events), [("power-out", AlertEventKind::Resolved)]);
    assert_eq!(report.events[0].reason, Some(EndReason::NotSelected));
    let mut out = Vec::new();
    evaluator.advance(at(60), &mut out);
    assert_eq!(log(&out), [("hot", AlertEventKind::Fired), ("silent", AlertEventKind::Fired)]);
    assert_eq!(out[0].at, at(41), "it waits for its time again");
    assert_eq!(out[1].at, at(42));
}

#[test]
fn another_rule_for_the_cause_is_no_storm() {
    let mut evaluator = dark();
    let at = |mins| T0 + Span::from_mins(mins);
    let other = POWER.replace("below: 0.5", "below: 0.4");
    let report = evaluator.set_rules(rules(&[&other]), at(40));
    assert_eq!(log(&report.events), [("power-out", AlertEventKind::Resolved)]);
    let mut out = Vec::new();
    evaluator.advance(at(40), &mut out);
    assert_eq!(log(&out), []);
    let fed = of(0, reading("lamp_on", 2_430, 0.0));
    evaluator.observe(&fed, &mut out);
    evaluator.advance(at(60), &mut out);
    assert_eq!(log(&out), [("power-out", AlertEventKind::Fired)], "it holds them back again");
}

#[test]
fn what_was_not_over_its_allowance_yet_has_it_anew_when_the_cause_is_over() {
    let mut evaluator = dark();
    let at = |secs| T0 + Span::from_secs(secs);
    let mut out = Vec::new();
    evaluator.observe(&of(1, reading("temperature", 1_870, 20.0)), &mut out);
    // A minute and a half later the feeder is back: the device has had no turn to send since.
    evaluator.observe(&of(0, reading("lamp_on", 1_960, 1.0)), &mut out);
    assert_eq!(log(&out), [("power-out", AlertEventKind::Resolved)]);
    out.clear();
    evaluator.advance(at(2_070), &mut out);
    assert_eq!(log(&out), []);
    evaluator.advance(at(2_090), &mut out);
    assert_eq!(log(&out), [("silent", AlertEventKind::Fired)]);
    assert_eq!(out[0].at, at(1_960 + 120));
}
