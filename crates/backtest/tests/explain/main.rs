//! An explanation says how something stood and what decided it.

mod city;

use std::sync::Arc;

use city_backtest::{Explanation, Verdict, subject_of, told};
use city_model::{Catalogue, Directory, LocalText, Quality, Severity, Span, Subject};
use city_rules::{Decision, Evaluator};

use self::city::{City, at, device, noon, rules, zone};

#[track_caller]
fn says(explanation: &Explanation, verdict: Verdict, en: &str) {
    let LocalText { en: text, zh } = &explanation.sentence;
    assert_eq!(explanation.verdict, verdict, "{text}");
    assert!(text.contains(en), "`{text}` lacks `{en}`");
    assert!(!zh.is_empty() && zh != text, "{zh}");
}

#[test]
fn an_alert_that_fires_is_told_with_what_decided() {
    let city = City::new(&[80.0, 81.0, 120.0, 82.0, 83.0, 84.0, 85.0]);
    let found = city.ask("high", "d0/pm25", 6);
    says(&found, Verdict::Firing, "Firing since 2026-11-20T12:05:00Z (medium): ");
    assert_eq!(found.since, Some(at(5)));
    let alert = found.alert.expect("it fires");
    assert_eq!((alert.severity, alert.started_at), (Severity::Medium, at(0)));
    assert_eq!((found.counts["judged"], found.counts["fired"], found.readings), (7, 1, 7));
    let words: Vec<LocalText> =
        found.steps.iter().map(|step| told(&step.decision, &found.units)).collect();
    let en: Vec<&str> = words.iter().map(|text| &*text.en).collect();
    assert_eq!(
        en[..2],
        ["80 µg/m³ against 75 µg/m³: raises medium", "pending, fires at 2026-11-20T12:05:00Z"]
    );
    assert!(en.contains(&"120 µg/m³ against 115 µg/m³: raises high"), "{en:?}");
    assert!(words[0].zh.starts_with("80 µg/m³ 对比限值 75 µg/m³："), "{}", words[0].zh);
    let seen = found.steps[0].reading.as_ref().expect("a reading");
    assert_eq!((seen.time, &seen.value), (at(0), &80.0.into()));
}

#[test]
fn what_a_rule_expected_is_told() {
    let mut values: Vec<f64> = (0..600).map(|n| 20.0 + f64::from(n % 5)).collect();
    values.push(70.0);
    let last = values.len() as i64 - 1;
    let found = City::new(&values).ask("odd", "d0/pm25", last);
    let judged = found.steps.iter().rev().find_map(|step| match &step.decision {
        Decision::Judged { expected, .. } => Some((*expected, told(&step.decision, &found.units))),
        _ => None,
    });
    let (expected, words) = judged.expect("the last reading was judged");
    let expected = expected.expect("it expected something");
    assert!(expected.low < 24.0 && expected.high < 70.0, "{expected:?}");
    assert!(
        words.en.contains("; expected ") && words.en.ends_with(" usual errors above"),
        "{words:?}"
    );
    // What is judged is a bare number, what was expected is a reading.
    assert!(!words.en.split(';').next().is_some_and(|judged| judged.contains("µg")), "{words:?}");
    assert_eq!(words.en.matches(" µg/m³").count(), 2, "{words:?}");
    assert!(words.zh.contains("；预期 ") && words.zh.contains(" µg/m³，通常 "), "{words:?}");
}

#[test]
fn what_is_pending_says_until_when_and_what_ceased_says_that_it_was_too_short() {
    let city = City::new(&[60.0, 80.0, 90.0, 70.0, 60.0]);
    let found = city.ask("high", "d0/pm25", 2);
    says(
        &found,
        Verdict::Pending,
        "fires at 2026-11-20T12:06:00Z if it stays that way (last 90 µg/m³, limit 75 µg/m³)",
    );
    assert_eq!((found.since, found.until), (Some(at(1)), Some(at(6))));
    let found = city.ask("high", "d0/pm25", 4);
    says(
        &found,
        Verdict::Clear,
        "from 2026-11-20T12:01:00Z to 2026-11-20T12:03:00Z only, and the rule waits for 5m",
    );
    assert_eq!(found.counts["ceased"], 1);
}

#[test]
fn what_fires_goes_on_while_nothing_is_heard() {
    let found = City::new(&[60.0, 80.0]).ask("high", "d0/pm25", 3 * 24 * 60);
    says(&found, Verdict::Firing, "Firing since 2026-11-20T12:06:00Z");
    says(&found, Verdict::Firing, "the last reading was of 2026-11-20T12:01:00Z, and silence");
    assert_eq!(found.nearest, None);
}

#[test]
fn what_is_clear_names_the_nearest_miss_since_the_last_alert() {
    let found = City::new(&[60.0, 74.5, 61.0]).ask("high", "d0", 10);
    says(
        &found,
        Verdict::Clear,
        "none of the last 3 values passed the limit 75 µg/m³; the nearest was 74.5 µg/m³ at 2026-11-20T12:01:00Z",
    );
    let near = found.nearest.expect("a value");
    assert_eq!((near.value, near.limit, near.at), (74.5, 75.0, at(1)));
    let mut values = vec![80.0; 7];
    values.extend([60.0, 50.0, 55.0]);
    let found = City::new(&values).ask("high", "d0", 9);
    says(&found, Verdict::Clear, "of the last 2 values");
    says(&found, Verdict::Clear, "an alert before was over at 2026-11-20T12:07:00Z");
    assert_eq!(found.nearest.map(|near| near.value), Some(55.0));
}

#[test]
fn what_cannot_be_judged_says_why() {
    let untrusted =
        City::default().and("pm25", &[500.0, 501.0], Quality::Fail).ask("high", "d0/pm25", 5);
    says(&untrusted, Verdict::Unknown, "No reading was trusted: 2 failed");
    assert_eq!(untrusted.untrusted[&Quality::Fail], 2);
    let early = City::new(&[10.0]).ask("rising", "d0/pm25", 5);
    says(&early, Verdict::Unknown, "too few readings for the rule's window since");
    let before = City::new(&[80.0]).ask("high", "d0/pm25", -5);
    says(&before, Verdict::Unknown, "No reading is stored from");
    let never = City::default().ask("hot", "d0/temperature", 0);
    says(&never, Verdict::Unknown, "No reading is stored");
    let never = City::default().ask("silent", "d0", 60);
    says(&never, Verdict::Unknown, "silence counts from when the program first knew of it");
}

#[test]
fn what_the_rule_does_not_select_names_the_part() {
    let found = City::new(&[80.0]).ask("high", "d1/pm25", 5);
    says(
        &found,
        Verdict::NotSelected,
        "its kind is `traffic_counter`, the rule selects `air_station`",
    );
    assert_eq!(found.mismatches[0].part, "kind");
    let found = City::new(&[80.0]).ask("high", "d0/co", 5);
    says(&found, Verdict::NotSelected, "its metric is `co`, the rule selects `pm25`");
    let retired = City { retired: true, ..City::new(&[80.0]) };
    says(&retired.ask("high", "d0", 5), Verdict::NotSelected, "the device is retired");
    let found = City::new(&[80.0]).ask("burning", "d0", 5);
    says(&found, Verdict::NotSelected, "a dependency raises no alerts");
}

#[test]
fn off_schedule_a_condition_is_held_back() {
    let values = vec![80.0; 6 * 60];
    let city = City::new(&values);
    says(
        &city.ask("office", "d0/pm25", 4 * 60),
        Verdict::Firing,
        "Firing since 2026-11-20T12:00:00Z",
    );
    let readings = City::new(&values).readings.split_off(301);
    let evening = City { readings, ..City::default() };
    let found = evening.ask("office", "d0/pm25", 330);
    says(&found, Verdict::HeldBack, "off schedule until 2026-11-21T09:00:00Z");
    assert!(found.counts["off_schedule"] > 0, "{:?}", found.counts);
}

#[test]
fn a_silence_counts_from_the_last_sign_of_life_however_long_ago() {
    let city = City::new(&[10.0, 11.0]);
    let found = city.ask("silent", "d0", 10);
    says(
        &found,
        Verdict::Clear,
        "heard at 2026-11-20T12:01:00Z, silent for too long at 2026-11-20T12:21:00Z",
    );
    assert_eq!(found.until, Some(at(21)));
    let found = city.ask("silent", "d0", 60 * 24 * 40);
    says(&found, Verdict::Firing, "Firing since 2026-11-20T12:21:00Z");
    assert_eq!((found.counts["silent"], found.counts["heard"]), (1, 1));
}

#[test]
fn a_composite_counts_its_members_and_a_dependency_holds_back() {
    let hot = |city: City| city.and("temperature", &[31.0; 9], Quality::Pass);
    let found = hot(City::new(&[60.0; 9])).ask("both", "d0", 8);
    says(&found, Verdict::Clear, "1 of the 2 rules needed fire (`hot`)");
    let found = hot(City::new(&[80.0; 9])).ask("both", "d0", 8);
    says(&found, Verdict::Firing, "Firing since 2026-11-20T12:05:00Z");
    assert_eq!(found.counts["followed"], 2);
    let none = City::new(&[60.0; 9]).ask("both", "d0", 8);
    says(&none, Verdict::Clear, "0 of the 2 rules needed fire");

    let burning = City::default().and("co", &[60.0; 9], Quality::Pass);
    let found = hot(burning).ask("hot", "d0", 8);
    says(&found, Verdict::HeldBack, "`burning` suppresses the alert");
    assert!(found.counts["held_back"] > 0, "{:?}", found.counts);
}

#[test]
fn long_traces_keep_the_newest_steps_and_say_how_many_went() {
    let found = City::new(&vec![60.0; 1_400]).ask("office", "d0/pm25", 1_399);
    assert_eq!((found.counts["judged"], found.left_out), (1_400, 0));
    let mut city = City::new(&vec![60.0; 3_000]);
    for (reading, secs) in city.readings.iter_mut().zip(0..) {
        reading.time = noon() + Span::from_secs(secs);
    }
    let found = city.ask("office", "d0/pm25", 60);
    assert_eq!((found.steps.len(), found.left_out, found.counts["judged"]), (2_000, 1_000, 3_000));
    says(&found, Verdict::Clear, "none of the last 3000 values");
}

#[test]
fn a_subject_that_is_unknown_or_unclear_is_refused() {
    let rules = rules();
    let devices = [Arc::new(device(0, "air_station"))];
    let directory = Directory::new(devices, Catalogue::embedded(), vec![zone()], 1);
    let of = |rule: &str, text: &str| {
        let rule = rules.get(rule).expect("a rule");
        subject_of(rule, text, &directory).map(|subject| subject.to_string())
    };
    assert_eq!(of("high", "series:d0/pm25").as_deref(), Ok("series:d0/pm25"));
    assert_eq!(of("high", "d0").as_deref(), Ok("series:d0/pm25"));
    assert_eq!(of("silent", "d0/pm25").as_deref(), Ok("device:d0"));
    assert!(of("high", "d9/pm25").expect_err("unknown").contains("no device `d9`"));
    assert!(of("high", "d0/pm52").expect_err("unknown").contains("no metric `pm52`"));
    assert!(of("silent", "d9").expect_err("unknown").contains("no device `d9`"));
}

#[test]
fn a_zone_is_told_by_its_devices() {
    let city =
        |values: &[f64]| City::new(&[60.0, 90.0, 90.0]).and_of(1, "pm25", values, Quality::Pass);
    let found = city(&[60.0, 90.0, 95.0]).ask("wide", "old-town", 2);
    says(&found, Verdict::Firing, "Firing since 2026-11-20T12:01:00Z");
    assert_eq!(found.readings, 6);
    let found = city(&[60.0, 40.0, 40.0]).ask("wide", "old-town", 3);
    says(&found, Verdict::Clear, "the nearest was 65 µg/m³ at");
    let found = city(&[]).ask("wide", "old-town", 2);
    says(&found, Verdict::Unknown, "the rule needs 2 devices of the zone, heard were 1");
}

#[test]
fn behind_a_dark_gateway_a_silent_device_has_no_alert() {
    let humid = |minutes: usize| {
        City::default().and("humidity", &vec![50.0; minutes], Quality::Pass).and_of(
            1,
            "humidity",
            &[50.0; 3],
            Quality::Pass,
        )
    };
    says(&humid(3).ask("dark", "d0", 60), Verdict::HeldBack, "its gateway");
    says(&humid(3).ask("dark", "g", 60), Verdict::Firing, "Firing since 2026-11-20T12:22:00Z");
    // Long after, too.
    says(&humid(3).ask("dark", "d0", 600), Verdict::HeldBack, "its gateway");
    says(&humid(3).ask("dark", "g", 600), Verdict::Firing, "Firing since 2026-11-20T12:22:00Z");
    // One of two is not the gateway.
    says(&humid(60).ask("dark", "d0", 60), Verdict::Clear, "heard at 2026-11-20T12:59:00Z");
}

#[test]
fn an_explanation_agrees_with_the_evaluator_at_every_minute() {
    // Up and down around the limits, with a gap of half an hour.
    let values: Vec<f64> = (0..120).map(|minute| 40.0 + f64::from((minute * 37) % 90)).collect();
    let slow: Vec<f64> = (0..120).map(|minute| 20.0 + f64::from(minute % 40)).collect();
    let mut city = City::new(&values).and("temperature", &slow, Quality::Pass);
    city.readings.retain(|reading| !(at(60)..at(90)).contains(&reading.time));
    city.readings.sort_by_key(|reading| reading.time);
    let mut live = Evaluator::new(Arc::new(rules()), city.directory(), noon());
    live.watch_from_first_readings();
    let mut events = Vec::new();
    let mut readings = city.readings.iter().peekable();
    let mut fired = 0;
    for minute in 0..130 {
        while let Some(reading) = readings.next_if(|reading| reading.time <= at(minute)) {
            live.observe(reading, &mut events);
        }
        live.advance(at(minute), &mut events);
        for (rule, subject) in
            [("high", "d0/pm25"), ("office", "d0/pm25"), ("silent", "d0"), ("both", "d0")]
        {
            let found = city.ask(rule, subject, minute);
            let real = live.firing().find(|alert| *alert.rule.id == *rule);
            fired += u32::from(real.is_some());
            let is_firing = found.verdict == Verdict::Firing;
            assert_eq!(is_firing, real.is_some(), "{rule} at {minute}: {}", found.sentence.en);
            let ids = (found.alert.as_ref().map(|alert| &alert.id), real.map(|alert| &alert.id));
            assert_eq!(ids.0, ids.1, "{rule} at {minute}");
            assert!(matches!(found.subject, Subject::Series { .. } | Subject::Device { .. }));
        }
    }
    assert!(fired > 20, "{fired}");
}
