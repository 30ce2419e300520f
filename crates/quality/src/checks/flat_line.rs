//! QARTOD test 8, flat line: has the sensor stopped to measure?
//!
//! The manual flags a reading when the last REP_CNT readings, itself included, are equal within
//! EPS. Here a run begins with a reading and goes on while the readings stay within `eps` of that
//! first one; it is flagged by its count, by the event time it spans, or both. With `eps` 0 this
//! is the manual's test exactly; with a larger `eps` a slow drift begins a new run where the
//! manual's window would slide, so a drift is not taken for a flat line.
//!
//! Off unless configured: a dry rain gauge, a full car park and a lamp that is off are flat and
//! right.

use city_model::Quality;

use super::{Check, Evidence, Role};
use crate::CheckConfig;
use crate::state::Run;

pub(super) const CHECK: Check = Check {
    name: "flat_line",
    title_en: "Flat line",
    title_zh: "恒值检查",
    role: Role::Run,
    is_on: |config| config.flat_line.is_some(),
    judge,
};

/// The run of equal readings once this reading has joined it or begun a new one.
pub(crate) fn run_with(config: &CheckConfig, evidence: &Evidence) -> Run {
    let eps = config.flat_line.as_ref().map_or(0.0, |flat| flat.eps);
    match evidence.state.run() {
        Some(run) if (evidence.value - run.value).abs() <= eps => {
            Run { count: run.count.saturating_add(1), ..run }
        }
        _ => Run { value: evidence.value, since: evidence.time, count: 1 },
    }
}

fn judge(config: &CheckConfig, evidence: &Evidence) -> Quality {
    let Some(flat) = &config.flat_line else { return Quality::NotEvaluated };
    if evidence.state.run().is_none() {
        return Quality::NotEvaluated;
    }
    let run = run_with(config, evidence);
    let lasted = evidence.time.since(run.since);
    let reached = |count: Option<u32>, after: Option<city_model::Span>| {
        count.is_some_and(|limit| run.count >= limit)
            || (run.count > 1 && after.is_some_and(|limit| lasted >= limit))
    };
    if reached(flat.fail_count, flat.fail_after) {
        Quality::Fail
    } else if reached(flat.suspect_count, flat.suspect_after) {
        Quality::Suspect
    } else {
        Quality::Pass
    }
}

#[cfg(test)]
mod tests {
    use city_model::Quality::{self, Fail, NotEvaluated, Pass, Suspect};
    use city_model::Span;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use crate::checker::tests::{flags, flags_at};
    use crate::{CheckConfig, FlatLine};

    fn config(flat: FlatLine) -> CheckConfig {
        CheckConfig { flat_line: Some(flat), ..CheckConfig::default() }
    }

    /// The manual's example: REP_CNT_SUSPECT 3, REP_CNT_FAIL 5.
    fn by_count(eps: f64) -> CheckConfig {
        config(FlatLine { eps, suspect_count: Some(3), fail_count: Some(5), ..FlatLine::default() })
    }

    fn check(config: &CheckConfig, values: &[f64], expected: &[Quality]) {
        assert_eq!(flags(config, values), expected, "{values:?}");
    }

    #[test]
    fn the_third_equal_reading_is_suspect_and_the_fifth_fails() {
        check(
            &by_count(0.0),
            &[4., 7., 7., 7., 7., 7., 7., 8., 7.],
            &[NotEvaluated, Pass, Pass, Suspect, Suspect, Fail, Fail, Pass, Pass],
        );
    }

    #[test]
    fn equal_is_within_eps_of_the_first_of_the_run() {
        // 7.0, 7.1, 6.9 are within 0.1 of 7.0; 7.2 is not and begins a run; 7.1, 7.25 join it.
        check(
            &by_count(0.101),
            &[7.0, 7.1, 6.9, 7.2, 7.1, 7.25],
            &[NotEvaluated, Pass, Suspect, Pass, Pass, Suspect],
        );
        // A drift of 0.1 a reading leaves each run after its second reading.
        let drift: Vec<f64> = (0..10).map(|i| f64::from(i) * 0.1).collect();
        assert!(flags(&by_count(0.101), &drift)[1..].iter().all(|flag| *flag == Pass));
    }

    #[test]
    fn a_span_of_event_time_counts_too() {
        let by_time = config(FlatLine {
            suspect_after: Some(Span::from_secs(60)),
            fail_after: Some(Span::from_secs(300)),
            ..FlatLine::default()
        });
        let readings = [(0, 5.), (59, 5.), (60, 5.), (299, 5.), (300, 5.), (301, 6.), (900, 6.)];
        assert_eq!(
            flags_at(&by_time, &readings),
            [NotEvaluated, Pass, Suspect, Suspect, Fail, Pass, Fail]
        );
    }

    proptest! {
        // The same cases every time; PROPTEST_CASES asks for more.
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn with_eps_zero_it_is_the_manuals_window(
            values in prop::collection::vec(0..3_i32, 1..60),
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let got = flags(&by_count(0.0), &values);
            for n in 1..values.len() {
                // T(n) - T(n-i) = 0 for i = 1 to REP_CNT - 1.
                let equal = |count: usize| {
                    n + 1 >= count && (1..count).all(|i| values[n] == values[n - i])
                };
                let expected = if equal(5) { Fail } else if equal(3) { Suspect } else { Pass };
                prop_assert_eq!(got[n], expected, "reading {} of {:?}", n, values);
            }
        }
    }
}
