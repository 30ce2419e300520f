//! Whether a device is heard from: online, late, offline or never seen.

use city_model::{Span, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// The interval of devices that declare none.
pub(crate) const DEFAULT_INTERVAL: Span = Span::from_mins(5);

/// How often derived series, such as air quality indices, get a new value.
pub(crate) const DERIVED_EVERY: Span = Span::from_hours(1);

/// Whether a device is heard from, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeviceStatus {
    /// Heard within 1.5 intervals.
    Online,
    /// Heard within 3 intervals.
    Late,
    /// Not heard for longer.
    Offline,
    /// Never heard.
    NeverSeen,
}

impl DeviceStatus {
    /// All with their names, in the order of their codes.
    pub(crate) const ALL: [(&str, Self); 4] = [
        ("online", Self::Online),
        ("late", Self::Late),
        ("offline", Self::Offline),
        ("never_seen", Self::NeverSeen),
    ];

    /// The number that columns and streams use.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// The status of a device that was last heard at `heard` (received time) and is expected
    /// every `interval`.
    pub(crate) fn of(heard: Option<Timestamp>, interval: Option<Span>, now: Timestamp) -> Self {
        let Some(heard) = heard else { return Self::NeverSeen };
        let interval = interval.unwrap_or(DEFAULT_INTERVAL).micros();
        let silent = now.since(heard).micros();
        if silent <= interval.saturating_mul(3) / 2 {
            Self::Online
        } else if silent <= interval.saturating_mul(3) {
            Self::Late
        } else {
            Self::Offline
        }
    }
}

/// After how long a value of a device counts as old: when the device counts as offline.
pub(crate) fn max_age(interval: Option<Span>) -> Span {
    Span::from_micros(interval.unwrap_or(DEFAULT_INTERVAL).micros().saturating_mul(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_belong_to_the_better_status() {
        let heard = Timestamp::from_secs(1_000);
        let check = |after_ms: i64, interval: Option<Span>| {
            DeviceStatus::of(Some(heard), interval, heard + Span::from_millis(after_ms))
        };
        let minute = Some(Span::from_secs(60));
        assert_eq!(check(-5_000, minute), DeviceStatus::Online, "a clock that went back");
        assert_eq!(check(90_000, minute), DeviceStatus::Online);
        assert_eq!(check(90_001, minute), DeviceStatus::Late);
        assert_eq!(check(180_000, minute), DeviceStatus::Late);
        assert_eq!(check(180_001, minute), DeviceStatus::Offline);
        assert_eq!(check(450_000, None), DeviceStatus::Online);
        assert_eq!(check(450_001, None), DeviceStatus::Late);
        assert_eq!(check(900_001, None), DeviceStatus::Offline);
        assert_eq!(DeviceStatus::of(None, minute, heard), DeviceStatus::NeverSeen);
    }

    #[test]
    fn codes_follow_the_order_of_names() {
        for (index, (_, status)) in DeviceStatus::ALL.iter().enumerate() {
            assert_eq!(usize::from(status.code()), index);
        }
    }
}
