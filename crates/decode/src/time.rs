//! Event times as devices write them.

use city_model::{Span, Timestamp};
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::error::{OptionsError, quote};
use crate::options::Options;
use crate::wire::Raw;

/// The options that [`TimeFormat::from_options`] reads.
pub(crate) const KEYS: [&str; 3] = ["time_format", "time_offset", "time_zone"];

/// How the times of a source are written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TimeFormat {
    form: Form,
    /// Where local times are from that carry no offset.
    zone: Option<TimeZone>,
}

#[derive(Clone, Debug, PartialEq)]
enum Form {
    /// Whatever it looks like.
    Auto,
    /// Text with an offset.
    Rfc3339,
    /// A count since the epoch, this many to the second.
    Unix(i64),
    /// Text with or without an offset.
    Local,
    /// Text in a pattern of the source's own, such as `%d.%m.%Y %H:%M`.
    Pattern(Box<str>),
}

/// Counts since the epoch are told apart by size. Seconds have 11 digits from the year 5138 on,
/// milliseconds had 11 digits until 1973; the same holds a thousand times further up.
const AUTO_LIMITS: [(f64, i64); 3] = [(1e11, 1), (1e14, 1_000), (1e17, 1_000_000)];

/// How far the clock of a device may run ahead of ours for a time to be taken as past.
const CLOCK_TOLERANCE: Span = Span::from_mins(5);

/// Why a text or number is no time, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoTime {
    pub(crate) message: String,
    pub(crate) hint: &'static str,
}

impl TimeFormat {
    /// From `time_format` and `time_offset` or `time_zone`.
    ///
    /// A zone's rules are looked up here, once; reading times asks nobody.
    pub(crate) fn from_options(options: &Options<'_>) -> Result<Self, OptionsError> {
        let forms = [
            ("auto", Form::Auto),
            ("rfc3339", Form::Rfc3339),
            ("unix_s", Form::UNIX_S),
            ("unix_ms", Form::UNIX_MS),
            ("unix_us", Form::Unix(1_000_000)),
            ("unix_ns", Form::Unix(1_000_000_000)),
            ("local", Form::Local),
        ];
        let form = match options.text("time_format")? {
            None => Form::Auto,
            Some(pattern) if pattern.contains('%') => checked_pattern(pattern)
                .map_err(|problem| OptionsError::bad(options.full("time_format"), problem))?,
            Some(_) => options.choice_of("time_format", forms)?.unwrap_or(Form::Auto),
        };
        let zone = zone(options)?;
        if form == Form::Local && zone.is_none() {
            let problem = "is `local`, so time_offset (\"+08:00\") or time_zone \
                           (\"Europe/Berlin\") must say where";
            return Err(OptionsError::bad(options.full("time_format"), problem));
        }
        Ok(Self { form, zone })
    }

    /// Seconds since 1970, whatever the source's options are.
    pub(crate) const fn unix_s() -> Self {
        Self { form: Form::UNIX_S, zone: None }
    }

    /// Milliseconds since 1970, whatever the source's options are.
    pub(crate) const fn unix_ms() -> Self {
        Self { form: Form::UNIX_MS, zone: None }
    }

    /// Reads a time; `None` if it shows that the device's clock was never set. `received` is when
    /// it reached us, which decides between two instants that a zone's clocks call the same.
    pub(crate) fn read(
        &self,
        raw: &Raw<'_>,
        received: Timestamp,
    ) -> Result<Option<Timestamp>, NoTime> {
        let time = match (&self.form, raw) {
            (Form::Unix(_) | Form::Auto, Raw::Integer(count)) => self.count(*count)?,
            (Form::Unix(_) | Form::Auto, Raw::Number(count)) => self.fraction(*count)?,
            (Form::Unix(_), Raw::Text(text)) => self.digits(text)?,
            (Form::Auto, Raw::Text(text)) if is_digits(text) => self.digits(text)?,
            (Form::Pattern(pattern), Raw::Text(text)) => self.patterned(pattern, text, received)?,
            (_, Raw::Text(text)) => self.text(text, received)?,
            (_, other) => return Err(wrong_type(other)),
        };
        Ok(clock_was_set(time))
    }

    fn count(&self, count: i64) -> Result<Timestamp, NoTime> {
        let micros = match self.per_second(count as f64) {
            1 => count.checked_mul(1_000_000),
            1_000 => count.checked_mul(1_000),
            1_000_000 => Some(count),
            _ => Some(Timestamp::from_nanos(count).micros()),
        };
        let time = micros.map(Timestamp::from_micros).filter(|time| time.is_writable());
        time.ok_or_else(|| out_of_range(&count.to_string()))
    }

    fn fraction(&self, count: f64) -> Result<Timestamp, NoTime> {
        let seconds = count / self.per_second(count) as f64;
        Timestamp::from_secs_f64(seconds).ok_or_else(|| out_of_range(&count.to_string()))
    }

    fn digits(&self, text: &str) -> Result<Timestamp, NoTime> {
        let text = text.trim();
        if let Ok(count) = text.parse() {
            return self.count(count);
        }
        match text.parse() {
            Ok(count) => self.fraction(count),
            Err(_) => Err(NoTime {
                message: format!("`{}` is not a number of seconds", quote(text)),
                hint: "set the source's option time_format to how the device writes times",
            }),
        }
    }

    fn per_second(&self, count: f64) -> i64 {
        match self.form {
            Form::Unix(per_second) => per_second,
            _ => AUTO_LIMITS
                .iter()
                .find(|(limit, _)| count.abs() < *limit)
                .map_or(1_000_000_000, |(_, per_second)| *per_second),
        }
    }

    fn text(&self, text: &str, received: Timestamp) -> Result<Timestamp, NoTime> {
        let text = text.trim();
        if has_offset(text) || self.form == Form::Rfc3339 {
            return rfc3339(text);
        }
        if let Some(Ok(offset)) = self.zone.as_ref().map(TimeZone::to_fixed_offset)
            && let Some(seconds) = clock_face(text.as_bytes())
        {
            return Ok(Timestamp::from_secs(seconds - i64::from(offset.seconds())));
        }
        let dashed = dashed(text);
        let Ok(local) = dashed.as_deref().unwrap_or(text).parse::<DateTime>() else {
            return Err(NoTime {
                message: format!("`{}` is not a time", quote(text)),
                hint: "send RFC 3339 (2026-11-23T08:30:00Z) or seconds since 1970, or set the \
                       source's option time_format, such as \"%d.%m.%Y %H:%M\"",
            });
        };
        self.local(local, text, received)
    }

    fn patterned(
        &self,
        pattern: &str,
        text: &str,
        received: Timestamp,
    ) -> Result<Timestamp, NoTime> {
        let text = text.trim();
        let no_time = |_| NoTime {
            message: format!("`{}` is not a time in the form {pattern}", quote(text)),
            hint: "set the source's option time_format to how the device writes times",
        };
        let parts = BrokenDownTime::parse(pattern, text).map_err(no_time)?;
        if parts.offset().is_some() {
            let time = parts.to_timestamp().map_err(no_time)?;
            return Ok(Timestamp::from_micros(time.as_microsecond()));
        }
        self.local(parts.to_datetime().map_err(no_time)?, text, received)
    }

    /// A local time; in the hour that comes twice in autumn, the one nearest to the arrival that
    /// is not after it: the first hour is told in the first hour, the second in the second.
    fn local(&self, local: DateTime, text: &str, received: Timestamp) -> Result<Timestamp, NoTime> {
        let Some(zone) = &self.zone else {
            return Err(NoTime {
                message: format!("`{}` is a local time without an offset", quote(text)),
                hint: "set the source's option time_offset, such as \"+08:00\", or time_zone, such \
                       as \"Europe/Berlin\"",
            });
        };
        let ambiguous = zone.to_ambiguous_timestamp(local);
        if let AmbiguousOffset::Fold { after, .. } = ambiguous.offset()
            && let Ok(second) = after.to_timestamp(local)
        {
            let second = Timestamp::from_micros(second.as_microsecond());
            if second <= received + CLOCK_TOLERANCE {
                return Ok(second);
            }
        }
        match ambiguous.compatible() {
            Ok(time) => Ok(Timestamp::from_micros(time.as_microsecond())),
            Err(_) => Err(out_of_range(text)),
        }
    }
}

impl Form {
    const UNIX_S: Self = Self::Unix(1);
    const UNIX_MS: Self = Self::Unix(1_000);
}

/// The zone of local times, from `time_offset` or `time_zone`.
fn zone(options: &Options<'_>) -> Result<Option<TimeZone>, OptionsError> {
    match (options.text("time_offset")?, options.text("time_zone")?) {
        (None, None) => Ok(None),
        (Some(text), None) => {
            let problem = || format!("`{text}` is not an offset such as +08:00, -05:30 or Z");
            let offset = parse_offset(text);
            let bad = || OptionsError::bad(options.full("time_offset"), problem());
            offset.map(|offset| Some(TimeZone::fixed(offset))).ok_or_else(bad)
        }
        (None, Some(name)) => TimeZone::get(name).map(Some).map_err(|_| {
            let problem =
                format!("`{name}` is not a zone that this machine knows, such as Asia/Shanghai");
            OptionsError::bad(options.full("time_zone"), problem)
        }),
        (Some(_), Some(_)) => {
            let problem = "time_offset and time_zone exclude each other";
            Err(OptionsError::bad(options.full("time_zone"), problem))
        }
    }
}

/// A pattern that a time can be written in and read from again.
fn checked_pattern(pattern: &str) -> Result<Form, String> {
    let example = jiff::civil::date(2026, 11, 23).at(8, 30, 0, 0).in_tz("UTC");
    let written = example
        .map_err(|error| error.to_string())
        .and_then(|time| BrokenDownTime::from(&time).to_string(pattern).map_err(|e| e.to_string()));
    let read = written.and_then(|text| {
        let parts = BrokenDownTime::parse(pattern, &text).map_err(|error| error.to_string())?;
        let timed = parts.to_timestamp().is_ok() || parts.to_datetime().is_ok();
        if timed { Ok(()) } else { Err("it does not say which day it is".to_owned()) }
    });
    match read {
        Ok(()) => Ok(Form::Pattern(pattern.into())),
        Err(why) => Err(format!("`{pattern}` is not a pattern such as %Y-%m-%d %H:%M:%S: {why}")),
    }
}

/// `2017/10/09 00:00:00` with the dashes of the standard.
fn dashed(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let slashed = bytes.get(4) == Some(&b'/') && bytes.get(7) == Some(&b'/');
    slashed.then(|| text.replacen('/', "-", 2))
}

/// Reads a time with an offset.
pub(crate) fn rfc3339(text: &str) -> Result<Timestamp, NoTime> {
    if let Some(time) = canonical(text.as_bytes()) {
        return Ok(time);
    }
    text.parse().map_err(|_| NoTime {
        message: format!("`{}` is not a time with an offset", quote(text)),
        hint: "send RFC 3339, such as 2026-11-23T08:30:00Z",
    })
}

/// The form that nearly all devices and servers send, read without a general parser, which takes
/// longer than all the rest of a message. `None`: ask the general parser.
fn canonical(text: &[u8]) -> Option<Timestamp> {
    let (stamp, rest) = text.split_at_checked(19)?;
    let seconds = clock_face(stamp)?;
    let (micros, rest) = match rest {
        [b'.', rest @ ..] => fraction(rest)?,
        rest => (0, rest),
    };
    let offset = match rest {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            let seconds = hours * 3_600 + minutes * 60;
            if hours > 23 || minutes > 59 {
                return None;
            }
            if *sign == b'-' { -seconds } else { seconds }
        }
        _ => return None,
    };
    Some(Timestamp::from_micros((seconds - offset) * 1_000_000 + micros))
}

/// The seconds since 1970 that `2026-11-23T08:30:00` would be if it were UTC. `None`: ask the
/// general parser.
fn clock_face(stamp: &[u8]) -> Option<i64> {
    let &[_, _, _, _, b'-', _, _, b'-', _, _, b'T' | b' ', _, _, b':', _, _, b':', _, _] = stamp
    else {
        return None;
    };
    let year = digits(&stamp[0..4])?;
    let (month, day) = (digits(&stamp[5..7])?, digits(&stamp[8..10])?);
    let (hour, minute) = (digits(&stamp[11..13])?, digits(&stamp[14..16])?);
    let second = digits(&stamp[17..19])?;
    let inside = (1970..9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let seconds = days_since_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    inside.then_some(seconds)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    })
}

/// Microseconds from up to nine digits, and what follows them.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let length = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=9).contains(&length) {
        return None;
    }
    let (fraction, rest) = bytes.split_at(length);
    let kept = digits(&fraction[..length.min(6)])?;
    Some((kept * 10_i64.pow(6_u32.saturating_sub(length as u32)), rest))
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar, counting years from March so that the leap
/// day is the last of its year.
const fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// A time from 1970-01-01 to 1973-03-03 is the uptime of a device whose clock was never set: it
/// is no event time, and nothing that a city measures is.
pub(crate) fn clock_was_set(time: Timestamp) -> Option<Timestamp> {
    let unset = Timestamp::default()..Timestamp::from_secs(100_000_000);
    (!unset.contains(&time)).then_some(time)
}

fn out_of_range(what: &str) -> NoTime {
    NoTime {
        message: format!("the time {} is out of range", quote(what)),
        hint: "check the source's option time_format: seconds, milliseconds or nanoseconds?",
    }
}

fn wrong_type(found: &Raw<'_>) -> NoTime {
    NoTime {
        message: format!("{} is not a time in this source's time_format", found.describe()),
        hint: "set the source's option time_format to how the device writes times",
    }
}

fn is_digits(text: &str) -> bool {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Whether a text ends in `Z`, `+hh:mm` or `-hh:mm`; a date's own dashes come before byte 10.
fn has_offset(text: &str) -> bool {
    let time = text.as_bytes().get(10..).unwrap_or_default();
    time.iter().any(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-' | b'['))
}

/// The offset that `+08:00`, `-05` or `Z` says.
pub(crate) fn parse_offset(text: &str) -> Option<Offset> {
    if matches!(text, "Z" | "z") {
        return Some(Offset::UTC);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "00"));
    let two = |part: &str, highest: i32| {
        let plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i32>().ok().filter(|number| plain && *number <= highest)
    };
    Offset::from_seconds(sign * (two(hours, 15)? * 3_600 + two(minutes, 59)? * 60)).ok()
}

#[cfg(test)]
#[path = "time/tests.rs"]
mod tests;
