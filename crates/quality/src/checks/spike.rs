//! QARTOD test 6, spike: does the value stand out from its neighbours?
//!
//! The manual judges the *middle* of three readings against the mean of the two around it, when
//! the third has come: SPK_REF = (v[n-2] + v[n]) / 2, flagged if |v[n-1] - SPK_REF| exceeds a
//! threshold. An alert cannot wait for the next reading, so here the *newest* reading is judged
//! against the mean of the two readings accepted before it. A lone outlier on a level series gets
//! the same magnitude, hence the same flag, either way; on a slope of s per reading the manual
//! sees 0 and this check 1.5 s, so thresholds must lie above that.
//!
//! Before the next reading a spike cannot be told from a step. A flagged reading is therefore a
//! candidate: if the next one is within the lower threshold of it, the level has moved, that
//! reading passes and both are accepted. So a step is flagged once, and a spike does not make its
//! successors suspect, because it is never part of a reference.

use city_model::Quality;

use super::{Check, Evidence, Role, flag};
use crate::CheckConfig;

pub(super) const CHECK: Check = Check {
    name: "spike",
    title_en: "Spike",
    title_zh: "突跳检查",
    role: Role::Step,
    is_on: |config| config.spike.is_some(),
    judge,
};

fn judge(config: &CheckConfig, evidence: &Evidence) -> Quality {
    let (Some(spike), Some([older, newer])) = (&config.spike, evidence.state.last_two_accepted())
    else {
        return Quality::NotEvaluated;
    };
    let quality =
        |reference: f64| flag((evidence.value - reference).abs(), spike.suspect, spike.fail);
    let verdict = quality(f64::midpoint(older, newer));
    match evidence.state.candidate() {
        Some((candidate, _)) if quality(candidate) == Quality::Pass => Quality::Pass,
        _ => verdict,
    }
}

#[cfg(test)]
mod tests {
    use city_model::Quality::{self, Fail, NotEvaluated, Pass, Suspect};
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use crate::checker::tests::flags;
    use crate::{CheckConfig, Spike};

    fn check(values: &[f64], expected: &[Quality]) {
        let spike = Spike { suspect: Some(3.0), fail: Some(8.0) };
        let config = CheckConfig { spike: Some(spike), ..CheckConfig::default() };
        assert_eq!(flags(&config, values), expected, "{values:?}");
    }

    #[test]
    fn the_first_two_readings_have_no_reference() {
        check(&[10.0, 99.0], &[NotEvaluated, NotEvaluated]);
    }

    #[test]
    fn a_lone_spike_is_flagged_and_its_successors_are_not() {
        // References: (10+10)/2 = 10. |14-10| = 4 > 3 suspect. Back at 10: reference still 10.
        check(&[10., 10., 14., 10., 10.], &[NotEvaluated, NotEvaluated, Suspect, Pass, Pass]);
        // |19-10| = 9 > 8 fails.
        check(&[10., 10., 19., 10., 10.], &[NotEvaluated, NotEvaluated, Fail, Pass, Pass]);
        // |13-10| = 3 is not greater than 3.
        check(&[10., 10., 13., 10.], &[NotEvaluated, NotEvaluated, Pass, Pass]);
        // Downwards as well.
        check(&[10., 10., 1., 10.], &[NotEvaluated, NotEvaluated, Fail, Pass]);
    }

    #[test]
    fn a_step_is_flagged_once() {
        // 20 fails (10 away). 21 is within 3 of the candidate 20: the level has moved. Then the
        // reference is (20+21)/2 = 20.5.
        check(
            &[10., 10., 20., 21., 20., 23.],
            &[NotEvaluated, NotEvaluated, Fail, Pass, Pass, Pass],
        );
    }

    #[test]
    fn spikes_that_agree_on_nothing_are_all_flagged() {
        // 20: 10 away; 30: 20 away and 10 from the candidate; 0: 10 away, 30 from the candidate.
        check(
            &[10., 10., 20., 30., 0., 10.],
            &[NotEvaluated, NotEvaluated, Fail, Fail, Fail, Pass],
        );
    }

    #[test]
    fn a_slope_counts_one_and_a_half_steps() {
        // Step 2: reference (0+2)/2 = 1, 4-1 = 3 passes. Step 3: (0+3)/2 = 1.5, 6-1.5 = 4.5.
        check(&[0., 2., 4., 6.], &[NotEvaluated, NotEvaluated, Pass, Pass]);
        check(&[0., 3., 6.], &[NotEvaluated, NotEvaluated, Suspect]);
    }

    proptest! {
        // The same cases every time; PROPTEST_CASES asks for more.
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        // On a level series the manual's magnitude of the middle reading, once the next has come,
        // is ours at once.
        #[test]
        fn a_lone_outlier_gets_the_manuals_flag(
            level in -50.0..50.0_f64, height in -20.0..20.0_f64,
        ) {
            let spike = Spike { suspect: Some(3.0), fail: Some(8.0) };
            let config = CheckConfig { spike: Some(spike), ..CheckConfig::default() };
            let got = flags(&config, &[level, level, level + height, level])[2];
            let manual = ((level + height) - f64::midpoint(level, level)).abs();
            let expected = if manual > 8.0 { Fail } else if manual > 3.0 { Suspect } else { Pass };
            prop_assert_eq!(got, expected);
        }
    }
}
