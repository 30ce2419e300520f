//! A backtest finds what the live evaluator finds, and says what it means for people.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_backtest::{Label, Request, backtest};
use city_model::{
    AlertEventKind, Catalogue, Crs, Device, DeviceKey, Directory, LifeCycle, LocalText, Marks,
    Placement, Position, Quality, Reading, SeriesKey, Severity, Span, Timestamp, ZoneSet,
};
use city_rules::{Evaluator, RuleSet};
use city_store::{Cancel, Commit, Deletion, Memory, Store as _, StoreErrorKind, TimeRange};

const RULES: &str = "
group: air
department: environment
rules:
  - id: pm25-high
    kind: threshold
    select: {metric: pm25}
    severity:
      medium: {above: 75, clear_below: 65}
      high: {above: 115}
    for: 2m
  - id: pm25-mean
    kind: window
    select: {metric: pm25}
    window: {function: mean, over: 10m}
    severity: low
    raise: {above: 70}
  - id: silent
    kind: absence
    select: {kind: air_station}
    for: 20m
    severity: low
";

fn start() -> Timestamp {
    "2026-11-20T00:00:00Z".parse().expect("a time")
}

fn at(minutes: i64) -> Timestamp {
    start() + Span::from_mins(minutes)
}

fn rules(text: &str) -> Arc<RuleSet> {
    let files = [("air.yaml".to_owned(), text.to_owned())];
    Arc::new(RuleSet::parse(&files).unwrap_or_else(|problems| panic!("{problems}")))
}

fn directory() -> Arc<Directory> {
    let device = |key: u32| Device {
        key: DeviceKey(key),
        id: format!("d{key}").into(),
        name: LocalText::same(format!("Device {key}")),
        kind: "air_station".into(),
        department: "environment".into(),
        placement: Placement::Fixed(Position { lon: 1.0, lat: 2.0 }),
        declared: None,
        crs: Crs::default(),
        zones: ZoneSet::default(),
        interval: Some(Span::from_secs(60)),
        gateway: None,
        life_cycle: LifeCycle::Active,
        simulated: false,
        attributes: BTreeMap::new(),
    };
    let devices = (0..3).map(|key| Arc::new(device(key)));
    Arc::new(Directory::new(devices, Catalogue::embedded(), Vec::new(), 1))
}

/// Three days of three stations, each minute; one has an episode each day, and one falls silent.
fn history() -> Vec<Reading> {
    let metric = Catalogue::embedded().by_id("pm25").expect("known").key;
    let mut readings = Vec::new();
    for minute in 0..3 * 1_440_i64 {
        for device in 0..3_u32 {
            if device == 2 && (2_000..2_100).contains(&minute) {
                continue;
            }
            let episode = device == 1 && (600..660).contains(&(minute % 1_440));
            let value =
                if episode { 90.0 + (minute % 60) as f64 } else { 30.0 + (minute % 7) as f64 };
            readings.push(Reading {
                series: SeriesKey { device: DeviceKey(device), metric },
                time: at(minute),
                received: at(minute),
                value: value.into(),
                quality: Quality::Pass,
                marks: Marks::NONE,
                position: None,
                zones: ZoneSet::default(),
            });
        }
    }
    readings
}

fn store() -> Memory {
    let store = Memory::new();
    for readings in history().chunks(5_000) {
        let sources = vec![0; readings.len()];
        let commit = Commit { readings: readings.to_vec(), sources, ..Commit::default() };
        store.commit(&commit).expect("committed");
    }
    store
}

fn request(text: &str) -> Request {
    Request {
        rules: rules(text),
        against: None,
        range: TimeRange { from: at(1_440), to: at(3 * 1_440) },
        operators: 1,
        labels: Vec::new(),
    }
}

fn run(request: &Request) -> city_backtest::Report {
    let nowhere = |_| ZoneSet::default();
    backtest(&store(), &directory(), &nowhere, request, &Cancel::never(), |_| {}).expect("runs")
}

#[test]
fn it_finds_what_the_evaluator_finds_live() {
    let report = run(&request(RULES));
    let mut live = Evaluator::new(rules(RULES), directory(), start());
    live.watch_from_first_readings();
    let mut events = Vec::new();
    for reading in history() {
        live.observe(&reading, &mut events);
    }
    live.advance(at(3 * 1_440), &mut events);
    let mut expected: Vec<String> = events
        .iter()
        .filter(|event| event.at >= at(1_440) && event.kind == AlertEventKind::Fired)
        .map(|event| format!("{} {} {}", event.at, event.alert.rule.id, event.alert.subject))
        .collect();
    let mut found: Vec<String> = report
        .alerts
        .iter()
        .map(|alert| format!("{} {} {}", alert.fired_at, alert.rule, alert.subject))
        .collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(found.len(), 5, "two episodes that two rules see, and one silence: {found:?}");
    let worst = report.alerts.iter().find(|alert| &*alert.rule == "pm25-high").expect("an alert");
    assert_eq!(worst.severity, Severity::High, "the worst that it had");
    assert!(worst.resolved_at.is_some() && worst.value == Some(91.0), "{worst:?}");
    assert_eq!((report.series, report.load.alerts), (3, 5));
    assert_eq!(
        report.per_day.into_iter().collect::<Vec<_>>(),
        [("2026-11-21".to_owned(), 3), ("2026-11-22".to_owned(), 2),]
    );
    assert!(report.warmed_up_from < report.from, "windows know what came before");
}

#[test]
fn rules_with_a_schedule_raise_on_it_alone() {
    // The episodes are from 10:00 to 11:00 UTC, which is 18:00 to 19:00 in Shanghai.
    let text = RULES.replace(
        "    for: 2m\n",
        "    for: 2m\n    schedule: {times: '18:20-18:40', time_zone: Asia/Shanghai, outside: end}\n",
    );
    let mut request = request(&text);
    request.rules = Arc::new(request.rules.only(&["pm25-high".to_owned()]));
    let report = run(&request);
    let found: Vec<_> = report
        .alerts
        .iter()
        .map(|alert| (alert.started_at, alert.fired_at, alert.resolved_at))
        .collect();
    let expected = [1, 2].map(|day| {
        let minute = |minute: i64| at(day * 1_440 + 600 + minute);
        (minute(20), minute(22), Some(minute(40)))
    });
    assert_eq!(found, expected);
}

#[test]
fn a_device_that_was_never_heard_is_not_silent() {
    let (store, directory) = (store(), directory());
    // Nothing is stored before the third hour.
    let hour = |hour: i64| start() + Span::from_mins(60 * hour);
    for device in 0..3 {
        let range = TimeRange { from: start(), to: hour(3) };
        let what = Deletion { device: DeviceKey(device), metric: None, range };
        store.delete(&what).expect("deleted");
    }
    let mut request = request(RULES);
    request.range = TimeRange { from: start(), to: hour(9) };
    let nowhere = |_| ZoneSet::default();
    let report = backtest(&store, &directory, &nowhere, &request, &Cancel::never(), |_| {});
    assert_eq!(report.expect("runs").alerts, []);
}

#[test]
fn another_version_is_compared_and_incidents_are_scored() {
    let mut request = request(RULES);
    request.against = Some(rules(&RULES.replace("above: 70}", "above: 700}")));
    let label = |name: &str, place: &str, from: i64, to: i64| Label {
        name: name.to_owned(),
        rule: Some("pm25-high".into()),
        place: Some(place.into()),
        from: at(from),
        to: at(to),
    };
    request.labels = vec![
        label("second day", "d1", 1_440 + 600, 1_440 + 660),
        label("nobody saw it", "d0", 3_000, 3_010),
    ];
    let report = run(&request);
    let difference = report.difference.expect("compared");
    assert_eq!((difference.both, difference.only_here, difference.only_there), (3, 2, 0));
    assert!(difference.gained.iter().all(|alert| &*alert.rule == "pm25-mean"));
    let labelled = report.labelled.expect("scored");
    assert_eq!((labelled.recall, labelled.precision), (Some(0.5), Some(0.2)));
    assert_eq!((labelled.delay_s, labelled.false_alarms), (Some(120.0), 4));
    assert_eq!(labelled.incidents[1].fired_at, None);
}

#[test]
fn progress_is_told_and_it_can_be_cancelled() {
    let (store, directory, cancel) = (store(), directory(), Cancel::default());
    let nowhere = |_| ZoneSet::default();
    let mut seen = Vec::new();
    let stop = cancel.clone();
    let stopped = backtest(&store, &directory, &nowhere, &request(RULES), &cancel, |progress| {
        seen.push(progress);
        if seen.len() == 2 {
            stop.cancel();
        }
    });
    assert_eq!(stopped.expect_err("cancelled").kind, StoreErrorKind::Cancelled);
    assert_eq!(seen.len(), 2);
    assert!(seen[0].until < seen[1].until && seen[0].readings < seen[1].readings, "{seen:?}");
}

#[test]
fn ages_without_readings_are_passed_quickly_and_what_stands_before_the_range_is_no_difference() {
    let mut request = request(RULES);
    request.range =
        TimeRange { from: "0001-01-01T00:00:00Z".parse().expect("a time"), to: at(600) };
    let mut slices = 0;
    let nowhere = |_| ZoneSet::default();
    let told = |_| slices += 1;
    let report = backtest(&store(), &directory(), &nowhere, &request, &Cancel::never(), told);
    assert_eq!(report.expect("runs").readings, 3 * 600);
    assert!(slices < 100, "{slices} slices");

    // Fires during the second episode in both versions, in one of them before the range.
    request.range = TimeRange { from: at(1_440 + 605), to: at(1_440 + 700) };
    let later = RULES.replace("for: 2m", "for: 10m");
    (request.rules, request.against) = (rules(&later), Some(rules(RULES)));
    let difference = run(&request).difference.expect("compared");
    assert_eq!((difference.only_here, difference.only_there), (0, 0), "{difference:?}");
}
