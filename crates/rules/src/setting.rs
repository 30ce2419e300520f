//! What rules take from the city: its time zone and its calendars.

use std::sync::LazyLock;

use city_model::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

use crate::calendar::Calendars;

/// The time zones that come with the program, so that results do not depend on the machine.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// What rules take from the city around them.
#[derive(Clone, Debug)]
pub struct Setting {
    /// By which local times are meant where a rule names no other zone.
    pub time_zone: TimeZone,
    /// The calendars that rules may name.
    pub calendars: Calendars,
}

impl Default for Setting {
    /// UTC and no calendars.
    fn default() -> Self {
        Self { time_zone: TimeZone::UTC, calendars: Calendars::default() }
    }
}

impl Setting {
    /// A city in a time zone by its IANA name, such as `Asia/Shanghai`, without calendars; `None`
    /// if there is no such zone.
    pub fn in_zone(name: &str) -> Option<Self> {
        Some(Self { time_zone: time_zone(name)?, calendars: Calendars::default() })
    }
}

/// A time zone by its IANA name.
pub(crate) fn time_zone(name: &str) -> Option<TimeZone> {
    ZONES.get(name).ok()
}

/// The local time of an instant.
pub(crate) fn local(zone: &TimeZone, time: Timestamp) -> DateTime {
    zone.to_datetime(instant(time))
}

/// By how many seconds local time is ahead of UTC at an instant.
pub(crate) fn offset_secs(zone: &TimeZone, time: Timestamp) -> i64 {
    i64::from(zone.to_offset(instant(time)).seconds())
}

fn instant(time: Timestamp) -> jiff::Timestamp {
    // Beyond jiff's years there is no calendar; no clock is ever there.
    jiff::Timestamp::from_microsecond(time.micros()).unwrap_or_default()
}

/// Which of the two instants is meant where clocks are set back and a local time comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twice {
    First,
    Second,
}

/// The instant of a local time. A local time that clocks leap over is the instant of the leap.
pub(crate) fn instant_of(zone: &TimeZone, local: DateTime, twice: Twice) -> Option<Timestamp> {
    let found = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok()?,
        AmbiguousOffset::Gap { after, .. } => {
            // By the clock after the leap this is before it.
            let before_leap = after.to_timestamp(local).ok()?;
            zone.following(before_leap).next()?.timestamp()
        }
        AmbiguousOffset::Fold { before, after } => {
            let offset = if twice == Twice::First { before } else { after };
            offset.to_timestamp(local).ok()?
        }
    };
    Some(Timestamp::from_micros(found.as_microsecond()))
}
