//! The checks, one file each and one line in [`CHECKS`].

mod flat_line;
mod gross_range;
mod location;
mod rate_of_change;
mod spike;

use city_model::{LocalText, Quality, Timestamp};

use crate::{CheckConfig, SeriesState};

pub(crate) use flat_line::run_with;

/// All checks, in the order in which they run. A check's place is its bit in a
/// [`CheckSet`](crate::CheckSet), which is stored: add at the end, never reorder. Checks of the
/// value alone stand before those that compare, which are spared the impossible values.
pub static CHECKS: &[Check] =
    &[gross_range::CHECK, spike::CHECK, rate_of_change::CHECK, flat_line::CHECK, location::CHECK];

/// One check.
#[derive(Debug)]
pub struct Check {
    /// Its name in configuration, the API and metrics, such as `gross_range`.
    pub name: &'static str,
    title_en: &'static str,
    title_zh: &'static str,
    /// What it looks at.
    pub(crate) role: Role,
    /// Whether the configuration asks for it.
    pub(crate) is_on: fn(&CheckConfig) -> bool,
    /// Its verdict on a reading; not evaluated if it lacks configuration or history.
    pub(crate) judge: fn(&CheckConfig, &Evidence) -> Quality,
}

impl Check {
    /// What people call it.
    pub fn title(&self) -> LocalText {
        LocalText::new(self.title_en, self.title_zh)
    }
}

/// What a check looks at, which decides when it runs and what its verdict does to the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The value alone. A value that fails stays out of the history.
    Value,
    /// The step from the accepted values. A flagged value becomes a candidate, not accepted yet.
    Step,
    /// The run of values, accepted or not.
    Run,
    /// The position; says nothing about the value.
    Place,
}

impl Role {
    /// Whether the check can judge a reading that comes out of order.
    pub(crate) const fn needs_order(self) -> bool {
        matches!(self, Self::Step | Self::Run)
    }
}

/// What a check may look at: the reading and the history before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) state: &'a SeriesState,
    pub(crate) time: Timestamp,
    /// Finite.
    pub(crate) value: f64,
    pub(crate) position_verdict: Quality,
}

/// The flag of a magnitude: the manual flags what is strictly greater than a threshold.
fn flag(magnitude: f64, suspect: Option<f64>, fail: Option<f64>) -> Quality {
    let exceeds = |threshold: Option<f64>| threshold.is_some_and(|limit| magnitude > limit);
    if exceeds(fail) {
        Quality::Fail
    } else if exceeds(suspect) {
        Quality::Suspect
    } else {
        Quality::Pass
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_check_has_a_name_of_its_own_and_a_title_in_both_languages() {
        let names: BTreeSet<_> = CHECKS.iter().map(|check| check.name).collect();
        assert_eq!(names.len(), CHECKS.len());
        for check in CHECKS {
            let title = check.title();
            assert!(title.en.is_ascii() && !title.en.is_empty(), "{}", check.name);
            assert!(!title.zh.is_ascii(), "{} has no Chinese title", check.name);
            assert!(check.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        }
    }

    #[test]
    fn checks_of_the_value_alone_run_first() {
        let roles: Vec<_> = CHECKS.iter().map(|check| check.role).collect();
        let last_value = roles.iter().rposition(|role| *role == Role::Value);
        assert!(last_value < roles.iter().position(|role| role.needs_order()));
    }

    #[test]
    fn no_check_but_location_runs_unasked() {
        let running: Vec<_> =
            CHECKS.iter().filter(|c| (c.is_on)(&CheckConfig::default())).map(|c| c.name).collect();
        assert_eq!(running, ["location"]);
    }

    #[test]
    fn a_magnitude_on_the_threshold_passes() {
        for (magnitude, expected) in [
            (1.0, Quality::Pass),
            (1.5, Quality::Suspect),
            (2.0, Quality::Suspect),
            (2.5, Quality::Fail),
            (f64::INFINITY, Quality::Fail),
        ] {
            assert_eq!(flag(magnitude, Some(1.0), Some(2.0)), expected, "{magnitude}");
        }
        assert_eq!(flag(5.0, None, Some(4.0)), Quality::Fail);
        assert_eq!(flag(5.0, Some(4.0), None), Quality::Suspect);
    }
}
