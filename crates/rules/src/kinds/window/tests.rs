use city_model::Timestamp;
use proptest::prelude::*;

use super::*;

fn functions() -> impl Strategy<Value = Function> {
    let named = (0..FUNCTIONS.len()).prop_map(|at| FUNCTIONS[at].1);
    let percentile = (1u16..1_000).prop_map(|permille| Function::Percentile { permille });
    prop_oneof![2 => named, 1 => percentile]
}

fn slow(function: Function, window: &[f64]) -> f64 {
    let mut sorted = window.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = window.len();
    let mean = window.iter().sum::<f64>() / count as f64;
    match function {
        Function::Mean => mean,
        Function::Sum => window.iter().sum(),
        Function::Count => count as f64,
        Function::Min => sorted[0],
        Function::Max => sorted[count - 1],
        Function::Range => sorted[count - 1] - sorted[0],
        Function::Stddev => {
            (window.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64).sqrt()
        }
        Function::Median => f64::midpoint(sorted[(count - 1) / 2], sorted[count / 2]),
        Function::Percentile { permille } => {
            sorted[(f64::from(permille) * count as f64 / 1_000.0 - 1e-9).ceil() as usize - 1]
        }
    }
}

#[test]
fn functions_are_named_and_percentiles_are_numbers() {
    for (name, permille) in [("p95", 950), ("p99.9", 999), ("p0.1", 1), ("p50", 500)] {
        assert_eq!(Function::named(name), Some(Function::Percentile { permille }), "{name}");
    }
    assert_eq!(Function::named("stddev"), Some(Function::Stddev));
    for bad in ["p0", "p100", "p99.95", "p", "p-5", "pinf", "average"] {
        assert_eq!(Function::named(bad), None, "{bad}");
    }
}

/// Ten readings a second over a window of half an hour: 18,000 readings.
#[test]
fn a_window_with_many_readings_is_bounded_and_nearly_exact() {
    let over = Span::from_mins(30);
    let value = |tick: i64| 20.0 + (tick % 1_987) as f64 / 125.0 + (tick / 20_000) as f64;
    for (function, error) in [
        (Function::Mean, 0.01),
        (Function::Stddev, 0.01),
        (Function::Sum, 0.005),
        (Function::Count, 0.005),
        (Function::Min, 0.0),
        (Function::Range, 0.1),
        (Function::Median, 0.03),
        (Function::Percentile { permille: 950 }, 0.03),
        (Function::Percentile { permille: 999 }, 0.03),
    ] {
        let window = Window { function, over, min_count: 1 };
        let mut memory = window.start();
        let mut got = None;
        for tick in 0..60_000_i64 {
            if tick == 40_000 {
                memory = window.restore(&memory.save());
            }
            got = memory.push(Timestamp::from_millis(tick * 100), value(tick));
        }
        let all: Vec<f64> = (60_000 - 18_000..60_000).map(value).collect();
        let right = slow(function, &all);
        let got = got.expect("enough");
        assert!((got - right).abs() <= error * right, "{function:?}: {got} is not {right}");
        let saved = memory.save();
        let numbers = saved.integers.len() + saved.numbers.len();
        assert!(numbers < 2 * 4_096 + 257 * (8 + 2 * 100), "{function:?} keeps {numbers} numbers");
        let (old, newest) = (59_999 - 6_000, 59_999);
        let late = |tick: i64| Timestamp::from_millis(tick * 100 + 50);
        assert_eq!(memory.insert_late(late(old), 20.0), Late::Refused);
        assert!(matches!(memory.insert_late(late(newest - 9), 20.0), Late::Taken(Some(_))));
    }
}

#[test]
fn small_spreads_of_large_values_are_known() {
    let window = Window { function: Function::Stddev, over: Span::from_mins(1), min_count: 2 };
    let mut memory = window.start();
    let mut got = None;
    for second in 0..10_000_i64 {
        got = memory.push(Timestamp::from_secs(second), 1e9 + (second % 2) as f64);
    }
    assert!((got.expect("known") - 0.5).abs() < 1e-6, "{got:?}");
}

#[test]
fn what_was_saved_before_there_were_panes_is_read() {
    let window = Window { function: Function::Mean, over: Span::from_mins(1), min_count: 1 };
    let saved = Saved { integers: vec![1, 0, 10_000_000], numbers: vec![30.0, 10.0, 20.0] };
    let mut memory = window.restore(&saved);
    assert_eq!(memory.push(Timestamp::from_secs(20), 60.0), Some(30.0));
}

proptest! {
    #[test]
    fn late_readings_count_as_if_they_had_come_in_order(
        steps in prop::collection::vec((0i64..200, -50i32..50), 1..100),
        function in functions(),
    ) {
        let window = Window { function, over: Span::from_secs(60), min_count: 1 };
        let mut memory = window.start();
        let mut taken: Vec<(i64, f64)> = Vec::new();
        for (at, tenths) in steps {
            let value = f64::from(tenths) / 10.0;
            let newest = taken.last().map_or(i64::MIN, |(at, _)| *at);
            let place = taken.partition_point(|(other, _)| *other < at);
            let known = taken.get(place).is_some_and(|(other, _)| *other == at);
            let late = memory.insert_late(Timestamp::from_secs(at), value);
            if known || at <= newest.saturating_sub(60) {
                prop_assert_eq!(late, Late::Refused);
                continue;
            }
            taken.insert(place, (at, value));
            let newest = newest.max(at);
            taken.retain(|(at, _)| *at > newest - 60);
            let mut sorted = window.start();
            let mut expected = None;
            for (at, value) in &taken {
                expected = sorted.push(Timestamp::from_secs(*at), *value);
            }
            let Late::Taken(Some(got)) = late else { panic!("{late:?} is no result") };
            let expected = expected.expect("one reading is enough");
            // The root of a rounding error in a variance of nothing is larger than the error.
            prop_assert!((got - expected).abs() < 1e-6, "{:?}: {} is not {}", function, got, expected);
        }
    }

    #[test]
    fn running_results_equal_those_of_the_whole_window(
        steps in prop::collection::vec((1i64..40, -50i32..50), 1..200),
        function in functions(),
        restart in 0usize..200,
    ) {
        let window = Window { function, over: Span::from_secs(60), min_count: 3 };
        let mut memory = window.start();
        let mut all: Vec<(i64, f64)> = Vec::new();
        let mut now = 0;
        for (index, (gap, tenths)) in steps.into_iter().enumerate() {
            if index == restart {
                memory = window.restore(&memory.save());
            }
            now += gap;
            all.push((now, f64::from(tenths) / 10.0));
            let inside: Vec<f64> =
                all.iter().filter(|(t, _)| *t > now - 60).map(|(_, v)| *v).collect();
            let got = memory.push(Timestamp::from_secs(now), f64::from(tenths) / 10.0);
            if inside.len() < 3 {
                prop_assert_eq!(got, None);
            } else {
                let expected = slow(function, &inside);
                let got = got.expect("enough readings");
                prop_assert!((got - expected).abs() < 1e-6, "{:?}: {} is not {}", function, got, expected);
            }
        }
    }
}
