//! QARTOD test 4, gross range: is the value one that the sensor can give, and the city can have?
//!
//! Outside the physical range it fails; outside the narrower range that an operator has set it is
//! suspect. Both ends belong to the range.

use city_model::Quality;

use super::{Check, Evidence, Role};
use crate::CheckConfig;

pub(super) const CHECK: Check = Check {
    name: "gross_range",
    title_en: "Gross range",
    title_zh: "量程检查",
    role: Role::Value,
    is_on: |config| config.gross_range.is_some(),
    judge,
};

fn judge(config: &CheckConfig, evidence: &Evidence) -> Quality {
    let Some(ranges) = &config.gross_range else { return Quality::NotEvaluated };
    let outside = |range: &Option<city_model::Range>| {
        range.is_some_and(|range| !(range.min..=range.max).contains(&evidence.value))
    };
    if outside(&ranges.fail) {
        Quality::Fail
    } else if outside(&ranges.suspect) {
        Quality::Suspect
    } else {
        Quality::Pass
    }
}
