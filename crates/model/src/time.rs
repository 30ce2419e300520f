//! Instants and lengths of time, both in whole microseconds.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const MICROS_PER_SEC: i64 = 1_000_000;

/// An instant: microseconds since 1970-01-01T00:00:00Z, negative before it.
///
/// Written as RFC 3339 with a `Z` in text formats (JSON, YAML) and as the integer in binary ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant that can be written as RFC 3339 (year -9999).
    pub const MIN: Self = Self(-377_705_023_201_000_000);
    /// The latest instant that can be written as RFC 3339 (year 9999).
    pub const MAX: Self = Self(253_402_207_200_000_000);

    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From milliseconds since the Unix epoch; saturates.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// From seconds since the Unix epoch; saturates.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(MICROS_PER_SEC))
    }

    /// From nanoseconds since the Unix epoch, rounded towards the past.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos.div_euclid(1_000))
    }

    /// From a fractional number of seconds since the Unix epoch; `None` if not finite or out of
    /// the range that RFC 3339 can write.
    pub fn from_secs_f64(secs: f64) -> Option<Self> {
        let micros = (secs * MICROS_PER_SEC as f64).round();
        let inside = micros >= Self::MIN.0 as f64 && micros <= Self::MAX.0 as f64;
        inside.then_some(Self(micros as i64))
    }

    /// Microseconds since the Unix epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the Unix epoch, rounded towards the past.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Seconds since the Unix epoch with their fraction.
    pub fn secs_f64(self) -> f64 {
        self.0 as f64 / MICROS_PER_SEC as f64
    }

    /// The time from `earlier` to `self`, negative if `self` is before it.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The latest multiple of `step` (counted from the epoch) that is not after `self`.
    ///
    /// `step` must be positive.
    pub const fn floor_to(self, step: Span) -> Self {
        Self(self.0.div_euclid(step.0) * step.0)
    }

    /// Whether RFC 3339 can write this instant (years -9999 to 9999).
    pub const fn is_writable(self) -> bool {
        self.0 >= Self::MIN.0 && self.0 <= Self::MAX.0
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;

    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with as many fractional digits as are needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clamped = self.0.clamp(Self::MIN.0, Self::MAX.0);
        match jiff::Timestamp::from_microsecond(clamped) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

/// A text that is not an RFC 3339 instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an RFC 3339 time with an offset, such as 2026-11-23T08:30:00Z")]
pub struct ParseTimestampError(pub String);

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let instant: jiff::Timestamp =
            text.parse().map_err(|_| ParseTimestampError(text.chars().take(64).collect()))?;
        Ok(Self(instant.as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(de::Error::custom)
        } else {
            Ok(Self(i64::deserialize(deserializer)?))
        }
    }
}

/// A length of time in microseconds, possibly negative; written `90s`, `5m`, `1h30m`, `2d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// From microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From milliseconds; saturates.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// From seconds; saturates.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(MICROS_PER_SEC))
    }

    /// From minutes; saturates.
    pub const fn from_mins(mins: i64) -> Self {
        Self::from_secs(mins.saturating_mul(60))
    }

    /// From hours; saturates.
    pub const fn from_hours(hours: i64) -> Self {
        Self::from_secs(hours.saturating_mul(3_600))
    }

    /// In microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// In seconds with their fraction.
    pub fn secs_f64(self) -> f64 {
        self.0 as f64 / MICROS_PER_SEC as f64
    }

    /// As a standard duration; a negative span becomes zero.
    pub const fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_micros(if self.0 < 0 { 0 } else { self.0 as u64 })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let mut rest = self.0.unsigned_abs();
        for (size, unit) in UNITS {
            let count = rest / size;
            if count > 0 {
                write!(f, "{count}{unit}")?;
                rest -= count * size;
            }
        }
        Ok(())
    }
}

const UNITS: [(u64, &str); 6] = [
    (86_400_000_000, "d"),
    (3_600_000_000, "h"),
    (60_000_000, "m"),
    (1_000_000, "s"),
    (1_000, "ms"),
    (1, "us"),
];

/// A text that is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a length of time; write a number with a unit: 500ms, 30s, 5m, 1h30m, 2d")]
pub struct ParseSpanError(pub String);

impl FromStr for Span {
    type Err = ParseSpanError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseSpanError(text.chars().take(64).collect());
        let (negative, mut rest) = match text.trim().strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.trim()),
        };
        if rest.is_empty() {
            return Err(error());
        }
        let mut total: i64 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
            let count: i64 = rest[..digits].parse().map_err(|_| error())?;
            rest = &rest[digits..];
            let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let unit = &rest[..letters];
            let (size, _) = UNITS.iter().find(|(_, name)| *name == unit).ok_or_else(error)?;
            total = count
                .checked_mul(*size as i64)
                .and_then(|part| total.checked_add(part))
                .ok_or_else(error)?;
            rest = &rest[letters..];
        }
        Ok(Self(if negative { -total } else { total }))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(de::Error::custom)
        } else {
            Ok(Self(i64::deserialize(deserializer)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_read_and_write_rfc_3339() {
        let at: Timestamp = "2026-11-23T16:30:00.25+08:00".parse().expect("a valid time");
        assert_eq!(at, Timestamp::from_millis(1_795_422_600_250));
        assert_eq!(at.to_string(), "2026-11-23T08:30:00.25Z");
        let error = "2026-11-23 08:30".parse::<Timestamp>().expect_err("no offset");
        assert!(error.to_string().contains("2026-11-23 08:30"), "{error}");
    }

    #[test]
    fn extreme_timestamps_can_be_written() {
        for at in [Timestamp::MIN, Timestamp::MAX] {
            assert_eq!(at.to_string().parse::<Timestamp>(), Ok(at));
        }
        assert!(!Timestamp::from_micros(i64::MAX).is_writable());
        assert!(!Timestamp::from_micros(i64::MAX).to_string().is_empty());
    }

    #[test]
    fn timestamps_are_integers_in_binary_formats_and_text_in_json() {
        let at = Timestamp::from_millis(1_500);
        assert_eq!(serde_json::to_string(&at).expect("json"), "\"1970-01-01T00:00:01.5Z\"");
    }

    #[test]
    fn floor_goes_towards_the_past_before_the_epoch_too() {
        let hour = Span::from_hours(1);
        assert_eq!(Timestamp::from_secs(-1).floor_to(hour), Timestamp::from_secs(-3_600));
        assert_eq!(Timestamp::from_secs(7_199).floor_to(hour), Timestamp::from_secs(3_600));
    }

    #[test]
    fn spans_read_and_write() {
        for (text, micros) in [
            ("500ms", 500_000),
            ("90s", 90_000_000),
            ("1h30m", 5_400_000_000),
            ("-5m", -300_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Span::from_micros(micros)), "{text}");
        }
        assert_eq!(Span::from_secs(90).to_string(), "1m30s");
        for bad in ["", "5", "m", "5 m", "5y", "99999999999999d"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }
}
