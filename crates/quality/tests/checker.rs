//! The checks together: golden cases by hand and properties of any sequence of readings.

use city_model::Quality::{self, Fail, Missing, NotEvaluated, Pass, Suspect};
use city_model::{Range, Span, Timestamp, Value};
use city_quality::{
    CheckConfig, CheckSet, Checker, FlatLine, GrossRange, Input, RateOfChange, SeriesState, Spike,
    Verdict,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// A thermometer at the seaside: possible -40 to 60, usual -10 to 35.
fn everything() -> CheckConfig {
    let config = CheckConfig {
        gross_range: Some(GrossRange {
            fail: Some(Range { min: -40.0, max: 60.0 }),
            suspect: Some(Range { min: -10.0, max: 35.0 }),
        }),
        spike: Some(Spike { suspect: Some(3.0), fail: Some(8.0) }),
        rate_of_change: Some(RateOfChange { suspect_per_s: Some(0.5), fail_per_s: None }),
        flat_line: Some(FlatLine {
            suspect_count: Some(3),
            fail_count: Some(5),
            ..FlatLine::default()
        }),
        location: true,
        max_gap: Some(Span::from_hours(1)),
    };
    assert_eq!(config.problems(), []);
    config
}

fn input(second: i64, value: f64) -> Input {
    let time = Timestamp::from_secs(second);
    Input { time, value: Some(value), position_verdict: NotEvaluated }
}

struct Series {
    checker: Checker,
    state: SeriesState,
}

impl Series {
    fn new(config: CheckConfig) -> Self {
        Self { checker: Checker::new(config), state: SeriesState::default() }
    }

    #[track_caller]
    fn expect(&mut self, second: i64, value: f64, quality: Quality, failed: CheckSet) {
        let verdict = self.checker.check(&mut self.state, &input(second, value));
        assert_eq!(verdict, Verdict { quality, failed }, "{value} at {second} s");
    }
}

const NONE: CheckSet = CheckSet::EMPTY;

#[test]
fn gross_range_needs_no_history_and_both_ends_belong_to_it() {
    for (value, quality) in [
        (-40.1, Fail),
        (-40.0, Suspect),
        (-10.1, Suspect),
        (-10.0, Pass),
        (35.0, Pass),
        (35.1, Suspect),
        (60.0, Suspect),
        (60.1, Fail),
    ] {
        let failed = if quality == Pass { NONE } else { CheckSet::GROSS_RANGE };
        Series::new(everything()).expect(0, value, quality, failed);
    }
}

#[test]
fn a_day_at_the_thermometer() {
    let mut series = Series::new(everything());
    series.expect(0, 10.0, Pass, NONE);
    series.expect(60, 10.5, Pass, NONE);
    // Reference 10.25: 19.75 away, fails the spike; 19.5 in 60 s is 0.325 a second.
    series.expect(120, 30.0, Fail, CheckSet::SPIKE);
    // A broken wire: out of range, and never part of the history.
    series.expect(180, -127.0, Fail, CheckSet::GROSS_RANGE);
    // Back: reference still 10.25.
    series.expect(240, 11.0, Pass, NONE);
    // 4 in 5 s is 0.8 a second; the reference is 10.75, 4.25 away.
    series.expect(245, 15.0, Suspect, CheckSet::SPIKE.with(CheckSet::RATE_OF_CHANGE));
    // A front has come: 15.2 confirms 15.
    series.expect(300, 15.2, Pass, NONE);
    series.expect(360, 15.2, Pass, NONE);
    series.expect(420, 15.2, Suspect, CheckSet::FLAT_LINE);
    // After two hours of silence the history is forgotten: 30 is neither spike nor flat.
    series.expect(7_800, 30.0, Pass, NONE);
    series.expect(7_860, 30.1, Pass, NONE);
}

#[test]
fn a_constant_placeholder_out_of_range_never_becomes_the_new_level() {
    let mut series = Series::new(everything());
    series.expect(0, 10.0, Pass, NONE);
    let before = series.state;
    for second in 1..10 {
        series.expect(second * 60, -127.0, Fail, CheckSet::GROSS_RANGE);
    }
    assert_eq!(series.state, before);
}

#[test]
fn values_suspect_by_the_operators_range_are_history_all_the_same() {
    let mut series = Series::new(everything());
    series.expect(0, 36.0, Suspect, CheckSet::GROSS_RANGE);
    series.expect(60, 37.0, Suspect, CheckSet::GROSS_RANGE);
    // Reference 36.5: 12.5 away. Without the two there would be no reference.
    series.expect(120, 24.0, Fail, CheckSet::SPIKE);
}

#[test]
fn late_readings_and_redeliveries_are_judged_by_the_range_only() {
    let mut series = Series::new(everything());
    for (second, value) in [(0, 10.0), (60, 11.0), (120, 12.0)] {
        series.expect(second, value, Pass, NONE);
    }
    let before = series.state;
    series.expect(90, 30.0, Pass, NONE);
    series.expect(120, 12.0, Pass, NONE);
    series.expect(120, 12.0, Pass, NONE);
    series.expect(-5, 99.0, Fail, CheckSet::GROSS_RANGE);
    assert_eq!(series.state, before);
    // The redeliveries did not make a flat line.
    series.expect(180, 12.0, Pass, NONE);
}

#[test]
fn without_a_range_a_late_reading_is_not_evaluated() {
    let config = CheckConfig { gross_range: None, ..everything() };
    let mut series = Series::new(config);
    series.expect(60, 10.0, NotEvaluated, NONE);
    series.expect(0, 10.0, NotEvaluated, NONE);
}

#[test]
fn a_placeholder_is_missing_and_leaves_no_trace() {
    let mut series = Series::new(everything());
    series.expect(0, 10.0, Pass, NONE);
    let before = series.state;
    let placeholder =
        Input { time: Timestamp::from_secs(60), value: None, position_verdict: Suspect };
    let verdict = series.checker.check(&mut series.state, &placeholder);
    assert_eq!(verdict, Verdict { quality: Missing, failed: NONE });
    assert_eq!(series.state, before);
}

#[test]
fn numbers_that_are_none_fail_whatever_is_configured() {
    for config in [everything(), CheckConfig::default()] {
        let mut series = Series::new(config);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            series.expect(0, value, Fail, CheckSet::GROSS_RANGE);
        }
        assert_eq!(series.state, SeriesState::default());
    }
}

#[test]
fn a_bad_position_reaches_the_reading_but_not_the_history() {
    let mut series = Series::new(everything());
    let at = |second, value, position_verdict| Input { position_verdict, ..input(second, value) };
    for (reading, expected, failed) in [
        (at(0, 10.0, Pass), Pass, NONE),
        (at(60, 10.1, Suspect), Suspect, CheckSet::LOCATION),
        (at(120, 10.2, Fail), Fail, CheckSet::LOCATION),
        (at(180, 99.0, Suspect), Fail, CheckSet::GROSS_RANGE.with(CheckSet::LOCATION)),
        (at(240, 10.3, Missing), Pass, NONE), // not a verdict on a position
    ] {
        let verdict = series.checker.check(&mut series.state, &reading);
        assert_eq!(verdict, Verdict { quality: expected, failed }, "{reading:?}");
    }
    // The value 10.2 was taken: the reference is (10.2 + 10.3) / 2.
    series.expect(300, 13.3, Suspect, CheckSet::SPIKE);

    let checker = Checker::new(CheckConfig { location: false, ..everything() });
    let verdict = checker.check(&mut SeriesState::default(), &at(0, 10.0, Fail));
    assert_eq!(verdict, Verdict { quality: Pass, failed: NONE });
}

#[test]
fn states_and_texts_are_judged_by_their_position_only() {
    let checker = Checker::new(everything());
    let mut state = SeriesState::default();
    for value in [Value::Bool(true), Value::from("open")] {
        for (position, failed) in [(NotEvaluated, NONE), (Suspect, CheckSet::LOCATION)] {
            let verdict =
                checker.check_value(&mut state, Timestamp::default(), Some(&value), position);
            assert_eq!(verdict, Verdict { quality: position, failed });
        }
    }
    assert_eq!(state, SeriesState::default());
    let number = Value::Number(99.0);
    let verdict = checker.check_value(&mut state, Timestamp::default(), Some(&number), Pass);
    assert_eq!(verdict.failed, CheckSet::GROSS_RANGE);
    let verdict = checker.check_value(&mut state, Timestamp::default(), None, Pass);
    assert_eq!(verdict.quality, Missing);
}

#[test]
fn the_state_survives_a_snapshot_in_both_kinds_of_format() {
    let mut series = Series::new(everything());
    for (second, value) in [(0, 10.0), (60, 10.5), (120, 30.0)] {
        series.checker.check(&mut series.state, &input(second, value));
    }
    let json = serde_json::to_string(&series.state).expect("JSON");
    assert_eq!(serde_json::from_str::<SeriesState>(&json).expect("read"), series.state);
    let bytes = postcard::to_allocvec(&series.state).expect("postcard");
    assert_eq!(postcard::from_bytes::<SeriesState>(&bytes).expect("read"), series.state);
}

/// Any number, with those that matter here more often.
fn value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(f64::NAN)),
        1 => Just(Some(f64::MAX)),
        1 => Just(Some(f64::MIN)),
        2 => any::<f64>().prop_map(Some),
        6 => (-20..40_i32).prop_map(|n| Some(f64::from(n) / 2.0)),
    ]
}

fn config() -> impl Strategy<Value = CheckConfig> {
    any::<[bool; 6]>().prop_map(|keep| {
        let all = everything();
        CheckConfig {
            gross_range: all.gross_range.filter(|_| keep[0]),
            spike: all.spike.filter(|_| keep[1]),
            rate_of_change: all.rate_of_change.filter(|_| keep[2]),
            flat_line: all.flat_line.filter(|_| keep[3]),
            location: keep[4],
            max_gap: all.max_gap.filter(|_| keep[5]),
        }
    })
}

proptest! {
    // The same cases every time; PROPTEST_CASES asks for more.
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_comes_the_verdict_is_sound(
        config in config(),
        readings in prop::collection::vec(
            (prop_oneof![0..5_000_i64, any::<i64>()], value(), 0..5_usize),
            1..60,
        ),
    ) {
        let positions = [Pass, NotEvaluated, Suspect, Fail, Missing];
        let checker = Checker::new(config);
        let mut state = SeriesState::default();
        for (second, value, position) in readings {
            let reading = Input {
                time: Timestamp::from_secs(second),
                value,
                position_verdict: positions[position],
            };
            let before = state;
            let verdict = checker.check(&mut state, &reading);
            let flagged = matches!(verdict.quality, Suspect | Fail);
            prop_assert_eq!(flagged, !verdict.failed.is_empty());
            prop_assert_eq!(value.is_none(), verdict.quality == Missing);
            match value {
                Some(number) if number.is_finite() => {}
                // NaN is never accepted, absence never remembered.
                _ => prop_assert_eq!(state, before),
            }
            if value.is_some_and(|number| !number.is_finite()) {
                prop_assert_eq!(verdict.quality, Fail);
            }
            // The memory never goes back in time, so no later reading is compared with the future.
            prop_assert!(state.last_time() >= before.last_time());
            if before.last_time().is_some_and(|last| reading.time <= last) {
                prop_assert_eq!(state, before);
            }
        }
    }

    // What comes late changes no flag of what comes in order.
    #[test]
    fn late_readings_do_not_disturb_the_others(
        values in prop::collection::vec(-40..60_i32, 2..40),
        late in prop::collection::vec((any::<prop::sample::Index>(), -40..60_i32), 0..20),
    ) {
        let checker = Checker::new(everything());
        let (mut alone, mut disturbed) = (SeriesState::default(), SeriesState::default());
        for (n, number) in values.iter().enumerate() {
            let reading = input(n as i64 * 60, f64::from(*number));
            let verdict = checker.check(&mut alone, &reading);
            prop_assert_eq!(checker.check(&mut disturbed, &reading), verdict);
            for (index, number) in &late {
                let second = index.index(n + 1) as i64 * 60 - 30;
                checker.check(&mut disturbed, &input(second, f64::from(*number)));
            }
        }
        prop_assert_eq!(alone, disturbed);
    }
}
