//! QARTOD test 3, location: the verdict on the position of the message, as a verdict on its
//! readings.
//!
//! The position is judged once per message by [`LocationChecker`](crate::LocationChecker); here
//! that verdict reaches the flag of the reading.

use city_model::Quality;

use super::{Check, Evidence, Role};
use crate::CheckConfig;

pub(super) const CHECK: Check = Check {
    name: "location",
    title_en: "Location",
    title_zh: "位置检查",
    role: Role::Place,
    is_on: |config| config.location,
    judge,
};

fn judge(_: &CheckConfig, evidence: &Evidence) -> Quality {
    match evidence.position_verdict {
        verdict @ (Quality::Pass | Quality::Suspect | Quality::Fail) => verdict,
        // No position is no verdict; whether the value is missing is not for a position to say.
        Quality::NotEvaluated | Quality::Missing => Quality::NotEvaluated,
    }
}
