//! QARTOD test 7, rate of change: does the value change faster than it can?
//!
//! The change since the newest accepted reading, divided by the event time between the two, so
//! that devices with irregular intervals are judged alike. The manual derives the limit from the
//! standard deviation of the last hours and flags at most suspect; here the limit is set per
//! second, because a limit that adapts to a drifting sensor stops seeing it, and a second limit
//! may fail what no process can do.
//!
//! As in the spike check a flagged reading is a candidate: if the next one can be reached from it
//! within the lower limit, the new level is accepted and that reading passes.

use city_model::{Quality, Timestamp};

use super::{Check, Evidence, Role, flag};
use crate::CheckConfig;

pub(super) const CHECK: Check = Check {
    name: "rate_of_change",
    title_en: "Rate of change",
    title_zh: "变化率检查",
    role: Role::Step,
    is_on: |config| config.rate_of_change.is_some(),
    judge,
};

fn judge(config: &CheckConfig, evidence: &Evidence) -> Quality {
    let (Some(rate), Some(accepted)) = (&config.rate_of_change, evidence.state.last_accepted())
    else {
        return Quality::NotEvaluated;
    };
    let quality = |(value, at): (f64, Timestamp)| {
        // Positive: the reading is in order, so later than everything in the history.
        let seconds = evidence.time.since(at).secs_f64();
        flag((evidence.value - value).abs() / seconds, rate.suspect_per_s, rate.fail_per_s)
    };
    match evidence.state.candidate() {
        Some(candidate) if quality(candidate) == Quality::Pass => Quality::Pass,
        _ => quality(accepted),
    }
}

#[cfg(test)]
mod tests {
    use city_model::Quality::{self, Fail, NotEvaluated, Pass, Suspect};

    use crate::checker::tests::flags_at;
    use crate::{CheckConfig, RateOfChange};

    /// Readings as (second, value); suspect above 0.5 a second, failed above 2.
    fn check(readings: &[(i64, f64)], expected: &[Quality]) {
        let rate = RateOfChange { suspect_per_s: Some(0.5), fail_per_s: Some(2.0) };
        let config = CheckConfig { rate_of_change: Some(rate), ..CheckConfig::default() };
        assert_eq!(flags_at(&config, readings), expected, "{readings:?}");
    }

    #[test]
    fn the_first_reading_has_nothing_to_change_from() {
        check(&[(0, 7.0)], &[NotEvaluated]);
    }

    #[test]
    fn the_limit_is_per_second_of_event_time() {
        // 5 in 10 s is 0.5 a second: not greater. 6 in 10 s is 0.6. 21 in 10 s is 2.1.
        check(&[(0, 0.), (10, 5.)], &[NotEvaluated, Pass]);
        check(&[(0, 0.), (10, 6.)], &[NotEvaluated, Suspect]);
        check(&[(0, 0.), (10, -21.)], &[NotEvaluated, Fail]);
        // The same change is fine after a minute.
        check(&[(0, 0.), (60, 21.)], &[NotEvaluated, Pass]);
    }

    #[test]
    fn a_flagged_reading_is_no_reference() {
        // 50 in 10 s fails; 1 is judged from 0 twenty seconds earlier: 0.05 a second.
        check(&[(0, 0.), (10, 50.), (20, 1.)], &[NotEvaluated, Fail, Pass]);
    }

    #[test]
    fn a_new_level_is_accepted_when_the_next_reading_confirms_it() {
        // 52 from the candidate 50 is 0.2 a second. 48 then is 0.4 a second from 52.
        check(&[(0, 0.), (10, 50.), (20, 52.), (30, 48.)], &[NotEvaluated, Fail, Pass, Pass]);
    }

    #[test]
    fn doubt_fades_with_time() {
        // 100 from 0: after 10 s 10 a second; 300 is 200/10 from the candidate and 300/20 from 0;
        // 100 again is 200/10 from the candidate and 100/300 = 0.33 from 0, long enough.
        check(&[(0, 0.), (10, 100.), (20, 300.), (300, 100.)], &[NotEvaluated, Fail, Fail, Pass]);
    }
}
