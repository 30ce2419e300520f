//! What a trace takes down.

use city_model::{Marks, Subject};

use super::*;

fn subject(device: u32) -> Subject {
    Subject::Series { device: format!("d{device}").into(), metric: "pm25".into() }
}

/// Runs readings with a trace of one rule and subject.
fn traced(
    text: &str,
    (rule, subject): (&str, &Subject),
    readings: &[Reading],
) -> (Trace, Vec<AlertEvent>) {
    let mut evaluator = Evaluator::new(rules(text), directory(["north", "south"]), T0);
    assert!(evaluator.trace(rule, subject));
    let mut events = Vec::new();
    for reading in readings {
        evaluator.observe(reading, &mut events);
    }
    (evaluator.traced().expect("it is on"), events)
}

fn names(trace: &Trace) -> Vec<&'static str> {
    trace.steps.iter().map(|step| step.decision.name()).collect()
}

/// The same reading, received later.
fn received(reading: Reading, at: i64) -> Reading {
    Reading { received: T0 + Span::from_millis(at), ..reading }
}

#[test]
fn every_reading_of_the_subject_has_a_decision_and_others_have_none() {
    let late = RULES.replace("keep_firing_for: 15s,", "keep_firing_for: 15s, lateness: 1m,");
    let marked = |mark, at| Reading { marks: mark, ..pm25(1, at, 90.0) };
    let readings = [
        marked(Marks::RETAINED, 1_000),
        marked(Marks::FUTURE, 2_000),
        pm25(2, 3_000, 90.0),
        pm25(1, 3_000, 45.0),
        pm25(1, 3_000, 45.0),
        received(pm25(1, 1_500, 45.0), 4_000),
        Reading { quality: Quality::Fail, ..pm25(1, 5_000, 90.0) },
        Reading { value: Value::Text("?".into()), ..pm25(1, 6_000, 0.0) },
        received(pm25(1, 7_000, 90.0), 100_000),
        pm25(1, 101_000, 90.0),
        pm25(1, 110_000, 30.0),
        pm25(1, 120_000, 90.0),
        pm25(1, 141_000, 90.0),
        pm25(1, 142_000, 30.0),
        pm25(1, 160_000, 45.0),
    ];
    let (trace, _) = traced(&late, ("value", &subject(1)), &readings);
    assert_eq!(
        names(&trace),
        [
            "retained",
            "future",
            "judged",
            "duplicate",
            "out_of_order",
            "untrusted",
            "not_numeric",
            "late",
            "judged",
            "pending",
            "judged",
            "ceased",
            "judged",
            "pending",
            "fired",
            "judged",
            "judged",
            "recovering",
            "resolved",
            "judged",
        ]
    );
    assert_eq!(trace.counts["judged"], 7);
    assert_eq!(trace.untrusted[&Quality::Fail], 1);
    let second = |secs: i64| T0 + Span::from_secs(secs);
    assert_eq!(trace.ceased, Some((second(101), second(110))));
    // Time fired it and resolved it, no reading did.
    let step = |name: &str| trace.steps.iter().find(|step| step.decision.name() == name);
    assert!(step("fired").is_some_and(|step| step.reading.is_none() && step.at == second(140)));
    assert!(step("resolved").is_some_and(|step| step.reading.is_none() && step.at == second(157)));
    assert_eq!(
        step("late").map(|step| step.decision.clone()),
        Some(Decision::Late { by: Span::from_secs(93) })
    );
    assert_eq!(trace.nearest.map(|near| (near.value, near.limit)), Some((45.0, 50.0)));
    assert_eq!(trace.standing, Standing::Clear);
}

#[test]
fn windows_take_late_readings_and_zones_and_silences_say_what_they_know() {
    let readings = [
        pm25(1, 10_000, 40.0),
        pm25(1, 30_000, 40.0),
        received(pm25(1, 20_000, 70.0), 31_000),
        pm25(3, 32_000, 90.0),
    ];
    let (trace, _) = traced(RULES, ("mean", &subject(1)), &readings);
    assert!(names(&trace).contains(&"inserted"), "{:?}", trace.steps);
    let zone = Subject::Zone { zone: "south".into() };
    let (trace, _) = traced(RULES, ("zone", &zone), &readings);
    assert_eq!(trace.counts["too_few_devices"], 2, "{:?}", trace.steps);
    assert_eq!(trace.counts["judged"], 1);
    let device = Subject::Device { device: "d0".into() };
    let heard = [pm25(0, 10_000, 40.0), pm25(1, 60_000, 40.0)];
    let (trace, events) = traced(RULES, ("gone", &device), &heard);
    assert_eq!(names(&trace), ["heard", "silent", "fired"]);
    assert!(matches!(&trace.standing, Standing::Firing { alert, until: None }
        if events.iter().any(|event| event.alert.id == alert.id)));
    // Devices behind a dark gateway are held back.
    let device = Subject::Device { device: "d1".into() };
    let (trace, _) = traced(RULES, ("gone", &device), &[pm25(0, 50_000, 40.0)]);
    assert_eq!(names(&trace), ["silent", "held_back"]);
    assert_eq!(trace.standing, Standing::HeldBack);
}

#[test]
fn what_moves_out_of_the_zones_of_a_rule_is_clear_by_that() {
    let inside = Reading { zones: [ZoneKey(0)].into(), ..pm25(4, 1_000, 50.0) };
    let outside = Reading { zones: ZoneSet::default(), ..pm25(4, 2_000, 90.0) };
    let (trace, _) = traced(RULES, ("here", &subject(4)), &[inside, outside]);
    assert_eq!(names(&trace), ["judged", "outside_zones"]);
}

#[test]
fn off_schedule_steps_are_told_and_a_trace_changes_nothing() {
    let text = format!("{RULES}{SCHEDULED}");
    let readings: Vec<Reading> = (0..120_i64)
        .map(|step| pm25(1, 5_000 * step, if step % 20 < 12 { 90.0 } else { 30.0 }))
        .collect();
    let (trace, with) = traced(&text, ("shift", &subject(1)), &readings);
    let mut plain = Evaluator::new(rules(&text), directory(["north", "south"]), T0);
    let mut without = Vec::new();
    for reading in &readings {
        plain.observe(reading, &mut without);
    }
    assert_eq!(with, without);
    assert!(plain.traced().is_none());
    for name in ["off_schedule", "on_schedule", "pending", "fired", "resolved"] {
        assert!(trace.counts.contains_key(name), "{name} of {:?}", trace.counts);
    }
    let fired = with
        .iter()
        .filter(|event| &*event.alert.rule.id == "shift" && event.kind == AlertEventKind::Fired);
    assert_eq!(trace.counts["fired"], fired.count() as u64);
    assert!(!plain.trace("none", &subject(1)) && !plain.trace("value", &subject(9)));
}
