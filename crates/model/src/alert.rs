//! Alerts as they leave the engine: what receivers, the brain and people see.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{LocalText, Position, Timestamp};

/// How bad it is, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// 提示
    Low,
    /// 一般
    Medium,
    /// 重要
    High,
    /// 紧急
    Critical,
}

impl Severity {
    /// All, mildest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name in files, the API and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an alert is about. With the rule it is the alert's identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// One metric of one device.
    Series {
        /// The device's id.
        device: Arc<str>,
        /// The metric's name.
        metric: Arc<str>,
    },
    /// A whole device.
    Device {
        /// The device's id.
        device: Arc<str>,
    },
    /// A zone.
    Zone {
        /// The zone's id.
        zone: Arc<str>,
    },
}

impl Subject {
    /// The device, if it is about one.
    pub fn device(&self) -> Option<&Arc<str>> {
        match self {
            Self::Series { device, .. } | Self::Device { device } => Some(device),
            Self::Zone { .. } => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Series { device, metric } => write!(f, "series:{device}/{metric}"),
            Self::Device { device } => write!(f, "device:{device}"),
            Self::Zone { zone } => write!(f, "zone:{zone}"),
        }
    }
}

/// The rule that raised an alert, as it was then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleRef {
    /// Its id.
    pub id: Arc<str>,
    /// The first 12 hexadecimal digits of the SHA-256 of its definition.
    pub version: Arc<str>,
    /// What people call it.
    pub name: LocalText,
    /// The department that owns it.
    pub department: Arc<str>,
}

/// An alert with all that a receiver needs to show it without asking back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The same for every event of this alert, also after a restart or a second evaluation.
    pub id: Arc<str>,
    /// The rule.
    pub rule: RuleRef,
    /// What it is about.
    pub subject: Subject,
    /// How bad it is now.
    pub severity: Severity,
    /// Since when the condition holds, by the clock of the evaluation.
    pub started_at: Timestamp,
    /// When it began to fire: `started_at` plus the rule's `for`.
    pub fired_at: Timestamp,
    /// When it ended.
    pub resolved_at: Option<Timestamp>,
    /// The metric that decided, if one did.
    pub metric: Option<Arc<str>>,
    /// Its unit as people write it.
    pub unit: Option<Arc<str>>,
    /// The value that decided, in that unit.
    pub value: Option<f64>,
    /// The limit that it passed, in the same unit.
    pub limit: Option<f64>,
    /// The event time of the reading that decided.
    pub reading_time: Option<Timestamp>,
    /// What happened, in both languages.
    pub summary: LocalText,
    /// Ids of the zones that it lies in.
    pub zones: Vec<Arc<str>>,
    /// The kind of the device.
    pub kind: Option<Arc<str>>,
    /// Where it is.
    pub position: Option<Position>,
    /// Whether simulated or test data raised it: shown apart, sent to no outside receiver.
    pub simulated: bool,
    /// Where to read what to do.
    pub runbook: Option<String>,
    /// Routing labels of the rule.
    pub labels: BTreeMap<String, String>,
}

/// What happened to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertEventKind {
    /// It began to fire.
    Fired,
    /// Its severity went up.
    Escalated,
    /// Its severity went down.
    Deescalated,
    /// It ended.
    Resolved,
    /// Whoever had to act on it did not in time. Told by the brain, not by an engine: the key is
    /// `<alert id>/h<count>`.
    Overdue,
}

/// One step in the life of an alert, as pushed to receivers.
///
/// Delivery is at least once: `key` is the same when the same event comes again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertEvent {
    /// The idempotency key: `<alert id>/<seq>`.
    pub key: String,
    /// Counts the events of this alert from 1.
    pub seq: u32,
    /// What happened.
    pub kind: AlertEventKind,
    /// When, by the clock of the evaluation.
    pub at: Timestamp,
    /// Why it ended, if no reading cleared it; only for [`AlertEventKind::Resolved`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<EndReason>,
    /// The alert after it happened.
    pub alert: Alert,
}

/// Why an alert ended without a reading that cleared it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its rule is gone.
    RuleRemoved,
    /// Its rule was changed and begins afresh.
    RuleChanged,
    /// Its device was retired or is no longer selected by the rule.
    NotSelected,
    /// Its device is planned or in maintenance, where silence is expected.
    NotWatched,
    /// Its device has no limit any more by which to judge it.
    NoLimit,
    /// Its rule is off schedule, and its alerts end then.
    OffSchedule,
    /// Its zone is gone or no longer selected by the rule.
    ZoneGone,
    /// What was known of it could not be restored after a restart; it is raised again if the
    /// condition still holds.
    StateLost,
}

impl EndReason {
    /// All.
    pub const ALL: [Self; 8] = [
        Self::RuleRemoved,
        Self::RuleChanged,
        Self::NotSelected,
        Self::NotWatched,
        Self::NoLimit,
        Self::OffSchedule,
        Self::ZoneGone,
        Self::StateLost,
    ];

    /// The name in files and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RuleRemoved => "rule_removed",
            Self::RuleChanged => "rule_changed",
            Self::NotSelected => "not_selected",
            Self::NotWatched => "not_watched",
            Self::NoLimit => "no_limit",
            Self::OffSchedule => "off_schedule",
            Self::ZoneGone => "zone_gone",
            Self::StateLost => "state_lost",
        }
    }

    /// For people.
    pub fn text(self) -> LocalText {
        let (en, zh) = match self {
            Self::RuleRemoved => ("the rule was removed", "规则已删除"),
            Self::RuleChanged => ("the rule was changed", "规则已修改"),
            Self::NotSelected => ("the rule no longer selects the device", "规则不再适用于该设备"),
            Self::NotWatched => ("the device is out of service", "设备已停用或维护中"),
            Self::NoLimit => ("the device has no valid limit any more", "设备已没有有效限值"),
            Self::OffSchedule => ("the rule's schedule has ended", "规则已不在生效时段内"),
            Self::ZoneGone => ("the zone is no longer watched", "该区域不再受监测"),
            Self::StateLost => (
                "the alert engine lost what it knew of it; it is raised again if it still holds",
                "告警引擎丢失了该告警的状态；若条件仍成立，将重新告警",
            ),
        };
        LocalText::new(en, zh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_written_by_their_names_and_told_in_both_languages() {
        for reason in EndReason::ALL {
            let json = serde_json::to_string(&reason).expect("written");
            assert_eq!(json, format!("{:?}", reason.name()));
            let text = reason.text();
            assert!(!text.en.is_empty() && !text.zh.is_empty() && text.en != text.zh);
        }
    }
}
