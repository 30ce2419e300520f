//! The shapes of silences.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::Severity;

/// Which alerts: every part that is given must match, a part matches if one of its values does. One
/// value may stand without its list.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertMatch {
    /// Ids of rules.
    #[schema(required = false)]
    rule: Vec<String>,
    /// Subjects: `series:DEVICE/METRIC`, `device:DEVICE` or `zone:ZONE`.
    #[schema(required = false)]
    subject: Vec<String>,
    /// Ids of devices.
    #[schema(required = false)]
    device: Vec<String>,
    /// Ids of zones that they lie in or are about.
    #[schema(required = false)]
    zone: Vec<String>,
    /// Departments that own their rules.
    #[schema(required = false)]
    department: Vec<String>,
    /// Labels of their rules, each with the values that match.
    #[schema(required = false)]
    labels: BTreeMap<String, Vec<String>>,
    /// The worst severity that matches.
    severity_at_most: Option<Severity>,
    /// The mildest severity that matches.
    severity_at_least: Option<Severity>,
}

/// Spans of every week by the clock on the wall.
#[derive(Serialize, ToSchema)]
pub(crate) struct Weekly {
    /// An IANA name, such as `Asia/Shanghai`.
    time_zone: String,
    spans: Vec<WeeklySpan>,
}

/// A span of some days of the week.
#[derive(Serialize, ToSchema)]
pub(crate) struct WeeklySpan {
    /// The days on which it begins.
    days: Vec<Weekday>,
    /// When it begins, `HH:MM`.
    from: String,
    /// When it ends, `HH:MM`; on the next day if that is not after `from`.
    to: String,
}

/// A day of the week.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}
