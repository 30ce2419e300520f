//! Lengths of time as scenario files write them: `5s`, `2m`, `150ms`, `2h`, `7d`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time in whole milliseconds, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

const UNITS: [(&str, i64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Span {
    /// From milliseconds; negative ones count as none.
    pub const fn from_millis(millis: i64) -> Self {
        Self(if millis < 0 { 0 } else { millis })
    }

    /// From seconds; negative ones count as none.
    pub const fn from_secs(secs: i64) -> Self {
        Self::from_millis(secs.saturating_mul(1_000))
    }

    /// In milliseconds.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// In seconds with their fraction.
    pub fn secs_f64(self) -> f64 {
        self.0 as f64 / 1e3
    }

    /// Whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// As the standard library's duration.
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0 as u64)
    }

    /// This many times as long, rounded to milliseconds, at least one.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self(((self.0 as f64 * factor).round() as i64).max(1))
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = text[..digits].parse().ok()?;
        let (_, factor) = UNITS.iter().find(|(unit, _)| *unit == &text[digits..])?;
        number.checked_mul(*factor).map(Self)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = UNITS.iter().find(|(_, factor)| self.0 != 0 && self.0 % factor == 0);
        match fits {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None => f.write_str("0s"),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "`{text}` is not a length of time; write a whole number and ms, s, m, h or d, such as 30s"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn lengths_are_read_as_they_are_written() {
        for (text, millis) in [("5s", 5_000), ("2m", 120_000), ("150ms", 150), ("7d", 604_800_000)]
        {
            let span = Span::parse(text).expect("a length");
            assert_eq!(span.millis(), millis);
            assert_eq!(span.to_string(), text);
        }
        for bad in ["", "5", "s", "5 s", "-5s", "1.5s", "5y"] {
            assert_eq!(Span::parse(bad), None, "{bad}");
        }
    }
}
