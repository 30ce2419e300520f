use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use city_model::{
    Attribute, Catalogue, Crs, Device, DeviceKey, EndReason, LifeCycle, LocalText, MetricKey,
    Placement, Position, Quality, SeriesKey, Severity, Span, Value, Zone, ZoneKey, ZoneSet,
};
use proptest::prelude::*;

use super::*;

mod changes;
mod trace;

const T0: Timestamp = Timestamp::from_secs(1_767_225_600);

const RULES: &str = "
group: all
department: d
rules:
  - {id: value, kind: threshold, select: {metric: pm25}, for: 20s, keep_firing_for: 15s,
     severity: {low: {above: 50, clear_below: 40}, high: {above: 80, clear_below: 70}}}
  - {id: here, kind: threshold, select: {metric: pm25, zone: north}, severity: low, raise: {above: 60}}
  - {id: mean, kind: window, select: {metric: pm25}, window: {function: mean, over: 40s},
     severity: medium, raise: {above: 55}, clear: {below: 50}}
  - {id: gone, kind: absence, severity: low, for: 45s, group_by: gateway, min_devices: 2, share: 0.6}
  - {id: zone, kind: zone_aggregate, select: {metric: pm25}, severity: high, raise: {above: 65},
     aggregate: {function: mean, over: 30s, min_devices: 2}}
";

/// More rules, which may raise at certain times only.
const SCHEDULED: &str = "
  - {id: shift, kind: threshold, select: {metric: pm25}, for: 20s, keep_firing_for: 15s,
     severity: {low: {above: 50, clear_below: 40}, high: {above: 80, clear_below: 70}},
     schedule: {times: ['00:01-00:03', '00:04-00:06', '00:08-00:10']}}
  - {id: ends, kind: window, select: {metric: pm25}, window: {function: mean, over: 40s}, for: 10s,
     severity: medium, raise: {above: 55}, clear: {below: 50},
     schedule: {times: ['00:01-00:03', '00:04-00:06', '00:08-00:10'], outside: end}}
  - {id: shut, kind: absence, severity: low, for: 45s, group_by: gateway, min_devices: 2, share: 0.6,
     schedule: {times: ['00:02-00:05', '00:07-00:10'], outside: end}}
";

/// Whether a rule of these may raise at an instant.
fn on_schedule(rule: &str, at: Timestamp) -> bool {
    let minute = at.since(T0).micros().div_euclid(60_000_000);
    match rule {
        "shift" | "ends" => [1, 2, 4, 5, 8, 9].contains(&minute),
        "shut" => [2, 3, 4, 7, 8, 9].contains(&minute),
        _ => true,
    }
}

fn rules(text: &str) -> Arc<RuleSet> {
    Arc::new(RuleSet::parse(&[("rules.yaml", text)]).expect("valid rules"))
}

fn device(key: u32) -> Device {
    Device {
        key: DeviceKey(key),
        id: format!("d{key}").into(),
        name: LocalText::same(format!("Device {key}")),
        kind: "air_station".into(),
        department: "d".into(),
        placement: Placement::Fixed(Position { lon: 1.0, lat: 2.0 }),
        declared: None,
        crs: Crs::default(),
        zones: [ZoneKey(key % 2)].into(),
        interval: Some(Span::from_secs(15)),
        gateway: (key > 0).then(|| "gw".into()),
        life_cycle: LifeCycle::Active,
        simulated: false,
        attributes: BTreeMap::new(),
    }
}

fn zone(key: u32, id: &str) -> Zone {
    Zone {
        key: ZoneKey(key),
        id: id.into(),
        name: LocalText::same(id),
        layer: "district".into(),
        label: Position { lon: 0.0, lat: 0.0 },
        bounds: [0.0, 0.0, 1.0, 1.0],
        parent: None,
        area_km2: 1.0,
    }
}

/// Devices 0 to 3 stand still, 4 moves.
fn directory(zones: [&str; 2]) -> Arc<Directory> {
    let mut devices: Vec<Device> = (0..5).map(device).collect();
    devices[4].placement = Placement::Moving;
    devices[4].zones = ZoneSet::default();
    for device in &mut devices[..4] {
        let home = if device.key.0 % 2 == 0 { "north" } else { "south" };
        let place = zones.iter().position(|id| *id == home).expect("both are there");
        device.zones = [ZoneKey(place as u32)].into();
    }
    let zones = vec![zone(0, zones[0]), zone(1, zones[1])];
    Arc::new(Directory::new(devices.into_iter().map(Arc::new), Catalogue::embedded(), zones, 1))
}

fn pm25(device: u32, at: i64, value: f64) -> Reading {
    let metric = Catalogue::embedded().by_id("pm25").expect("known").key;
    let at = T0 + Span::from_millis(at);
    Reading {
        series: SeriesKey { device: DeviceKey(device), metric },
        time: at,
        received: at,
        value: Value::Number(value),
        quality: Quality::Pass,
        marks: Marks::NONE,
        position: None,
        zones: [ZoneKey(device % 2)].into(),
    }
}

/// Out and back through a format that describes nothing.
fn restarted(evaluator: &Evaluator, rules: &Arc<RuleSet>) -> Evaluator {
    let bytes = postcard::to_stdvec(&evaluator.snapshot()).expect("can be written");
    let snapshot = postcard::from_bytes::<Snapshot>(&bytes).expect("can be read");
    assert_eq!(snapshot, evaluator.snapshot());
    let mut fresh = Evaluator::new(rules.clone(), evaluator.directory.clone(), evaluator.clock);
    let report = fresh.restore(snapshot);
    assert!(report.events.is_empty() && report.ended.is_empty(), "{report:?}");
    fresh
}

#[derive(Clone, Debug)]
struct Step {
    reading: Reading,
    restart: bool,
    tick: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (
        0u32..5,
        0i64..9_000,
        20.0f64..110.0,
        0i64..4_000,
        0u8..12,
        any::<bool>(),
        any::<bool>(),
        0u32..2,
    );
    prop::collection::vec(step, 1..150).prop_map(|steps| {
        let mut now = 0;
        steps
            .into_iter()
            .map(|(device, gap, value, late, special, restart, tick, place)| {
                now += gap;
                let mut reading = pm25(device, now, value);
                match special {
                    0 => reading.marks = Marks::RETAINED,
                    1 => reading.marks = Marks::FUTURE,
                    2 => reading.quality = Quality::Fail,
                    3 => reading.time = reading.time - Span::from_millis(late * 10),
                    4 => reading.marks = Marks::SIMULATED,
                    5 => reading.time = reading.time - Span::from_secs(3_600),
                    _ => {}
                }
                if device == 4 {
                    reading.zones = [ZoneKey(place)].into();
                    reading.position = Position::new(f64::from(place), 0.5);
                }
                Step { reading, restart, tick }
            })
            .collect()
    })
}

fn play(steps: &[Step], restarts: bool, ticks: bool) -> (Vec<AlertEvent>, Stats) {
    let rules = rules(&format!("{RULES}{SCHEDULED}"));
    let mut evaluator = Evaluator::new(rules.clone(), directory(["north", "south"]), T0);
    let mut out = Vec::new();
    for step in steps {
        if ticks && step.tick {
            let earlier = step.reading.received - Span::from_millis(500);
            evaluator.advance(earlier.max(evaluator.clock), &mut out);
        }
        evaluator.observe(&step.reading, &mut out);
        if restarts && step.restart {
            evaluator = restarted(&evaluator, &rules);
        }
    }
    let end = evaluator.clock + Span::from_mins(10);
    evaluator.advance(end, &mut out);
    (out, evaluator.stats())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn restarts_at_any_point_and_ticks_change_nothing(steps in steps()) {
        let (plain, _) = play(&steps, false, false);
        let (restarted, _) = play(&steps, true, false);
        prop_assert_eq!(&plain, &restarted);
        let (ticked, _) = play(&steps, false, true);
        prop_assert_eq!(&plain, &ticked);
    }

    #[test]
    fn a_state_taken_piece_by_piece_is_that_of_one_moment(steps in steps(), pieces in 0usize..4) {
        let rules = rules(&format!("{RULES}{SCHEDULED}"));
        let mut evaluator = Evaluator::new(rules, directory(["north", "south"]), T0);
        let mut out = Vec::new();
        let mut whole = None;
        for step in &steps {
            if step.restart && !evaluator.is_taking_snapshot() {
                whole = Some(evaluator.snapshot());
                evaluator.begin_snapshot();
            }
            evaluator.observe(&step.reading, &mut out);
            if let Some(snapshot) = evaluator.go_on_with_snapshot(pieces) {
                prop_assert_eq!(Some(snapshot), whole.take());
            }
        }
        while whole.is_some() {
            if let Some(snapshot) = evaluator.go_on_with_snapshot(1) {
                prop_assert_eq!(Some(snapshot), whole.take());
            }
        }
        prop_assert!(!evaluator.is_taking_snapshot());
    }

    #[test]
    fn alerts_are_raised_once_and_never_end_by_silence(steps in steps()) {
        let (events, stats) = play(&steps, false, false);
        let mut keys = BTreeSet::new();
        let mut ids = BTreeSet::new();
        // Alerts by rule and subject that fire, with their severity.
        let mut firing: BTreeMap<(String, String), (String, Severity)> = BTreeMap::new();
        let mut before = T0;
        for event in &events {
            prop_assert!(event.at >= before, "events are in order");
            before = event.at;
            prop_assert!(keys.insert(event.key.clone()), "{} twice", event.key);
            prop_assert_eq!(&event.key, &format!("{}/{}", event.alert.id, event.seq));
            let who = (event.alert.rule.id.to_string(), event.alert.subject.to_string());
            let id = event.alert.id.to_string();
            let severity = event.alert.severity;
            let raises =
                matches!(event.kind, AlertEventKind::Fired | AlertEventKind::Escalated);
            prop_assert!(!raises || on_schedule(&who.0, event.at), "{:?} off schedule", who);
            match event.kind {
                AlertEventKind::Fired => {
                    prop_assert!(ids.insert(id.clone()), "{} begins twice", id);
                    prop_assert_eq!(event.seq, 1);
                    prop_assert!(firing.insert(who, (id, severity)).is_none(), "fires twice");
                }
                AlertEventKind::Overdue => prop_assert!(false, "the evaluator knows no people"),
                AlertEventKind::Escalated | AlertEventKind::Deescalated => {
                    let (known, last) = firing.insert(who, (id.clone(), severity)).expect("fires");
                    prop_assert_eq!(known, id);
                    prop_assert_eq!(event.kind == AlertEventKind::Escalated, severity > last);
                }
                AlertEventKind::Resolved => {
                    let (known, _) = firing.remove(&who).expect("fires");
                    prop_assert_eq!(known, id);
                    let before = event.at - Span::from_micros(1);
                    let ends = ["ends", "shut"].contains(&&*who.0);
                    if ends && on_schedule(&who.0, before) && !on_schedule(&who.0, event.at) {
                        continue;
                    }
                    let keep = if ["value", "shift"].contains(&&*who.0) { Span::from_secs(15) } else { Span::ZERO };
                    let fresh = |step: &Step| {
                        step.reading.received <= event.at - keep
                            && step.reading.received >= event.at - keep - Span::from_secs(1)
                    };
                    prop_assert!(steps.iter().any(fresh), "{:?} ended without news", who);
                }
            }
        }
        prop_assert_eq!(stats.firing, firing.len());
        let outcomes = stats.unselected + stats.retained + stats.future + stats.duplicate
            + stats.out_of_order + stats.evaluated + stats.late + stats.untrusted
            + stats.without_limit + stats.not_numeric + stats.inserted;
        prop_assert_eq!(stats.readings, outcomes);
        prop_assert_eq!(stats.readings, steps.len() as u64);
    }
}

#[test]
fn new_calendars_keep_alerts_and_are_followed_at_once() {
    let calendars = |holidays: &str| format!("calendars: [{{id: c, holidays: [{holidays}]}}]");
    let text = simple(", schedule: {calendar: c, outside: end}");
    let set = |holidays: &str| {
        let files = [("calendars.yaml", calendars(holidays)), ("rules.yaml", text.clone())];
        Arc::new(RuleSet::parse(&files).expect("valid rules"))
    };
    // T0 is a Thursday.
    let mut evaluator = Evaluator::new(set(""), directory(["north", "south"]), T0);
    let mut out = Vec::new();
    for second in 0..20 {
        evaluator.observe(&pm25(0, second * 1_000, 20.0), &mut out);
    }
    assert_eq!(out.iter().map(|event| event.kind).collect::<Vec<_>>(), [AlertEventKind::Fired]);
    let now = T0 + Span::from_secs(20);
    let report = evaluator.set_rules(set("{date: 2026-01-02}"), now);
    assert_eq!((report.kept.len(), report.events.len()), (1, 0), "{report:?}");
    let report = evaluator.set_rules(set("{date: 2026-01-01}"), now);
    assert_eq!((report.kept.len(), report.events.len()), (1, 1), "{report:?}");
    assert_eq!(report.events[0].kind, AlertEventKind::Resolved);
    let report = evaluator.set_rules(set(""), now + Span::from_secs(5));
    assert_eq!(report.events.len(), 0, "it counts anew: {report:?}");
    out.clear();
    evaluator.advance(now + Span::from_secs(15), &mut out);
    assert_eq!(out.iter().map(|event| event.at).collect::<Vec<_>>(), [now + Span::from_secs(15)]);
}

fn simple(extra: &str) -> String {
    format!(
        "group: g\ndepartment: d\nrules:\n  - {{id: hot, kind: threshold, select: {{metric: pm25}}, severity: high, raise: {{above: 10}}, for: 10s{extra}}}\n"
    )
}

#[test]
fn a_reload_keeps_unchanged_rules_and_ends_the_alerts_of_others() {
    let two = format!(
        "{}  - {{id: other, kind: threshold, select: {{metric: pm25}}, severity: low, raise: {{above: 1}}}}\n",
        simple("")
    );
    let mut evaluator = Evaluator::new(rules(&two), directory(["north", "south"]), T0);
    let mut out = Vec::new();
    evaluator.observe(&pm25(0, 0, 20.0), &mut out);
    assert_eq!(out.len(), 1, "`other` fires at once");

    // `hot` is pending and stays so although its place in the file changes; `other` is gone.
    let three = simple("")
        .replace("rules:\n", "rules:\n  - {id: new, kind: absence, severity: low, for: 1h}\n");
    let report = evaluator.set_rules(rules(&three), T0 + Span::from_secs(5));
    let names = |list: &[Arc<str>]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        (names(&report.kept), names(&report.changed), names(&report.removed), names(&report.added)),
        (vec!["hot".into()], vec![], vec!["other".into()], vec!["new".into()])
    );
    assert_eq!(report.ended.len(), 1);
    assert_eq!(report.ended[0].reason, EndReason::RuleRemoved);
    assert_eq!(report.events[0].kind, AlertEventKind::Resolved);
    assert_eq!(report.events[0].key, format!("{}/2", report.ended[0].alert));

    out.clear();
    evaluator.advance(T0 + Span::from_secs(60), &mut out);
    assert_eq!(out.len(), 1);
    assert_eq!((out[0].at, out[0].kind), (T0 + Span::from_secs(10), AlertEventKind::Fired));

    let report = evaluator.set_rules(rules(&simple(", lateness: 1m")), T0 + Span::from_secs(70));
    assert_eq!(names(&report.changed), ["hot"]);
    assert_eq!(report.ended[0].reason, EndReason::RuleChanged);
    assert_eq!(evaluator.firing().count(), 0);
}

#[test]
fn a_restart_with_changed_rules_ends_their_alerts() {
    let mut evaluator = Evaluator::new(rules(&simple("")), directory(["north", "south"]), T0);
    let mut out = Vec::new();
    evaluator.observe(&pm25(0, 0, 20.0), &mut out);
    evaluator.advance(T0 + Span::from_secs(20), &mut out);
    let alert = out[0].alert.clone();

    let changed = rules(&simple(", lateness: 1m"));
    let mut fresh = Evaluator::new(changed, directory(["north", "south"]), T0);
    let report = fresh.restore(evaluator.snapshot());
    assert_eq!(report.ended[0].reason, EndReason::RuleChanged);
    let resolved = &report.events[0].alert;
    assert_eq!((&resolved.id, &resolved.subject), (&alert.id, &alert.subject));
}

#[test]
fn zones_are_followed_into_a_new_directory() {
    let mut evaluator = Evaluator::new(rules(RULES), directory(["north", "south"]), T0);
    let mut out = Vec::new();
    let zones =
        |event: &AlertEvent| event.alert.zones.iter().map(ToString::to_string).collect::<Vec<_>>();
    evaluator.observe(&pm25(0, 0, 61.0), &mut out);
    evaluator.observe(&pm25(2, 1_000, 20.0), &mut out);
    assert!(out.iter().any(|event| &*event.alert.rule.id == "here" && zones(event) == ["north"]));

    // The same zones under other keys: what is pending fires with the right zone.
    let report = evaluator.set_directory(directory(["south", "north"]), T0 + Span::from_secs(2));
    assert_eq!(report.ended, []);
    out.clear();
    evaluator.advance(T0 + Span::from_secs(20), &mut out);
    assert_eq!(out.len(), 1, "{out:?}");
    assert_eq!((&*out[0].alert.rule.id, zones(&out[0])), ("value", vec!["north".to_owned()]));
}

#[test]
fn late_readings_have_one_decision_each() {
    let mut evaluator = Evaluator::new(rules(&simple("")), directory(["north", "south"]), T0);
    let mut out = Vec::new();
    let mut late = pm25(0, 0, 20.0);
    late.received = T0 + Span::from_mins(6);
    let mut straggler = pm25(0, -1_000, 20.0);
    straggler.received = late.received;
    for reading in [&late, &late, &straggler] {
        evaluator.observe(reading, &mut out);
    }
    let stats = evaluator.stats();
    assert_eq!((stats.late, stats.duplicate, stats.out_of_order, stats.evaluated), (1, 1, 1, 0));
    let decisions: Vec<_> = stats.recent_late.into_iter().map(|late| late.decision).collect();
    let rule = "hot".into();
    assert_eq!(
        decisions,
        [LateDecision::Backfill { rule, rules: 1 }, LateDecision::OutOfOrder { newest: late.time }]
    );
}

#[test]
fn two_alerts_of_one_instant_have_two_ids() {
    let text = simple("").replace(", for: 10s", "");
    let mut evaluator = Evaluator::new(rules(&text), directory(["north", "south"]), T0);
    let mut out = Vec::new();
    for (time, value) in [(0, 20.0), (1, 5.0), (2, 20.0), (3, 5.0), (4, 20.0)] {
        let mut reading = pm25(0, time, value);
        reading.received = T0 + Span::from_secs(1);
        evaluator.observe(&reading, &mut out);
    }
    let ids: BTreeSet<_> = out.iter().map(|event| event.alert.id.clone()).collect();
    assert_eq!((out.len(), ids.len()), (5, 3));
}

#[test]
fn time_that_nobody_listened_is_no_silence() {
    let text =
        "group: g\ndepartment: d\nrules:\n  - {id: gone, kind: absence, severity: low, for: 60s}\n";
    let mut evaluator = Evaluator::new(rules(text), directory(["north", "south"]), T0);
    let mut out = Vec::new();
    let back = T0 + Span::from_hours(1);
    evaluator.resume(back);
    evaluator.advance(back + Span::from_secs(59), &mut out);
    assert_eq!(out, []);
    evaluator.advance(back + Span::from_secs(60), &mut out);
    assert_eq!(out.len(), 5);
}

#[test]
fn what_is_derived_is_no_sign_of_life_of_the_device() {
    let text = "group: g\ndepartment: d\nrules:\n  - {id: gone, kind: absence, severity: low, for: 60s}\n  \
        - {id: no-index, kind: absence, subject: series, select: {metric: aqi_cn, device: d0}, severity: low, for: 60s}\n";
    let mut evaluator = Evaluator::new(rules(text), directory(["north", "south"]), T0);
    let metric = Catalogue::embedded().by_id("aqi_cn").expect("known").key;
    let mut out = Vec::new();
    for second in 1..=90 {
        let mut derived = pm25(0, second * 1_000, 80.0);
        derived.series.metric = metric;
        derived.marks = Marks::DERIVED;
        evaluator.observe(&derived, &mut out);
        evaluator.advance(derived.received, &mut out);
    }
    // All five devices are silent, one of them although an index is still computed for it; the
    // index itself is heard.
    assert_eq!(out.len(), 5);
    assert!(out.iter().all(|event| &*event.alert.rule.id == "gone"));
}

#[test]
fn only_rules_that_select_a_series_hold_state_for_it() {
    let mut text = "group: g\ndepartment: d\nrules:\n".to_owned();
    for index in 0..200 {
        let _ = writeln!(
            text,
            "  - {{id: r{index}, kind: threshold, select: {{metric: pm25, device: x{index}}}, severity: low, raise: {{above: 1}}}}"
        );
    }
    text += "  - {id: mine, kind: threshold, select: {metric: pm25, attributes: {pole: [7, 8]}}, severity: low, raise: {above: 1}}\n";
    let mut known = (*directory(["north", "south"])).clone();
    let mut tagged = device(0);
    tagged.attributes.insert("pole".to_owned(), Attribute::Number(8.0));
    known.put(Arc::new(tagged));
    let mut evaluator = Evaluator::new(rules(&text), Arc::new(known), T0);
    let mut out = Vec::new();
    evaluator.observe(&pm25(0, 0, 0.5), &mut out);
    evaluator.observe(&pm25(1, 0, 0.5), &mut out);
    let stats = evaluator.stats();
    assert_eq!((stats.slots, stats.evaluations, stats.unselected), (1, 1, 1));
}

#[test]
fn unknown_devices_and_metrics_are_harmless() {
    let mut evaluator = Evaluator::new(rules(RULES), directory(["north", "south"]), T0);
    let mut out = Vec::new();
    let mut reading = pm25(99, 0, 500.0);
    evaluator.observe(&reading, &mut out);
    reading.series = SeriesKey { device: DeviceKey(0), metric: MetricKey(60_000) };
    evaluator.observe(&reading, &mut out);
    assert_eq!((out.len(), evaluator.stats().unselected), (0, 2));
}

#[test]
fn an_evaluator_can_move_to_a_worker_thread() {
    const fn can_move<T: Send + Sync>() {}
    const { can_move::<Evaluator>() };
}
