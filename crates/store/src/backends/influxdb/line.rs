//! Readings as InfluxDB's line protocol, and names as it can hold them.
//!
//! Source of the rules: InfluxDB OSS v2 documentation, "Line protocol"; what it leaves open was
//! tried on a server of version 2.7.12.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use city_model::{MetricKey, Position, Quality, SeriesKey, Timestamp, Value};

use super::options::Naming;

/// The first instant that InfluxDB holds, in nanoseconds.
pub(super) const FIRST_NANO: i64 = i64::MIN + 2;
/// The last instant that InfluxDB holds, in nanoseconds.
pub(super) const LAST_NANO: i64 = i64::MAX - 1;
/// The longest text that InfluxDB holds, in bytes.
const LONGEST_TEXT: usize = 64 * 1024 - 1;

/// The field that holds a value. A point has exactly one of these, and `quality`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// A number that counts: passed, suspect, or not evaluated.
    Value,
    /// A number that does not: failed, or a placeholder for a missing one.
    Rejected,
    /// A truth value that counts.
    State,
    /// A truth value that does not.
    RejectedState,
    /// A text.
    Text,
}

impl Field {
    pub(super) const ALL: [Self; 5] =
        [Self::Value, Self::Rejected, Self::State, Self::RejectedState, Self::Text];

    /// The field for a value of this quality.
    pub(super) fn of(value: &Value, quality: Quality) -> Self {
        match (value, crate::steps::counts(quality)) {
            (Value::Number(_), true) => Self::Value,
            (Value::Number(_), false) => Self::Rejected,
            (Value::Bool(_), true) => Self::State,
            (Value::Bool(_), false) => Self::RejectedState,
            (Value::Text(_), _) => Self::Text,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Rejected => "rejected",
            Self::State => "state",
            Self::RejectedState => "rejected_state",
            Self::Text => "text",
        }
    }
}

/// What a point holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Content<'a> {
    pub(super) value: &'a Value,
    pub(super) quality: Quality,
    pub(super) position: Option<Position>,
}

/// Why InfluxDB cannot hold a point, in words for people; nothing if it can.
pub(super) fn why_not(time: Timestamp, content: &Content<'_>) -> Option<String> {
    if !is_holdable(time) {
        return Some(format!(
            "its time {time} is outside of what InfluxDB holds, 1677-09-21 to 2262-04-11"
        ));
    }
    match content.value {
        Value::Number(number) if !number.is_finite() => {
            Some(format!("InfluxDB cannot hold the number {number}"))
        }
        Value::Text(text) if as_text(text).len() > LONGEST_TEXT => {
            Some(format!("a text of {} bytes is longer than the 64 KiB of InfluxDB", text.len()))
        }
        _ => None,
    }
}

/// Whether InfluxDB can hold a time.
pub(super) fn is_holdable(time: Timestamp) -> bool {
    time.micros().checked_mul(1_000).is_some_and(|nanos| (FIRST_NANO..=LAST_NANO).contains(&nanos))
}

/// A time in nanoseconds; what is outside becomes the end.
pub(super) fn nanos(time: Timestamp) -> i64 {
    time.micros().saturating_mul(1_000).clamp(FIRST_NANO, LAST_NANO)
}

/// A series as InfluxDB calls it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) measurement: String,
    pub(super) device: String,
    /// Whether the registry knew both.
    pub(super) known: bool,
}

impl Name {
    pub(super) fn of(series: SeriesKey, naming: &dyn Naming) -> Self {
        let device = naming.device(series.device);
        let metric = naming.metric(series.metric);
        let known = device.is_some() && metric.is_some();
        Self { measurement: measurement(series.metric, metric), device: tag(series, device), known }
    }

    /// The start of each of its lines.
    pub(super) fn prefix(&self) -> Vec<u8> {
        let mut prefix = Vec::new();
        escape(&self.measurement, b", ", &mut prefix);
        prefix.extend_from_slice(b",device=");
        escape(&self.device, b", =", &mut prefix);
        prefix
    }
}

/// Somebody took it out of the registry before its readings were forwarded: they keep a name.
fn tag(series: SeriesKey, name: Option<Arc<str>>) -> String {
    name.map_or_else(|| format!("unregistered_{}", series.device.0), |name| plain(&name))
}

fn measurement(key: MetricKey, name: Option<Arc<str>>) -> String {
    name.map_or_else(|| format!("unregistered_{}", key.0), |name| plain(&name))
}

/// The tag of a device.
pub(super) fn device_tag(device: city_model::DeviceKey, naming: &dyn Naming) -> String {
    tag(SeriesKey { device, metric: MetricKey(0) }, naming.device(device))
}

/// An id as a tag or measurement. The line protocol knows no way to write a line break in them, a
/// backslash at some places, or a measurement that begins like a comment; predicates and queries
/// quote. So these characters are written as in URLs, and the per cent sign with them.
fn plain(id: &str) -> String {
    let mut plain = String::with_capacity(id.len());
    for (place, c) in id.char_indices() {
        let bad = matches!(c, '%' | '\\' | '"') || c.is_control() || (place == 0 && c == '#');
        if bad {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                // Writing to memory cannot fail.
                let _ = write!(plain, "%{byte:02X}");
            }
        } else {
            plain.push(c);
        }
    }
    plain
}

fn escape(text: &str, special: &[u8], out: &mut Vec<u8>) {
    for byte in text.bytes() {
        if special.contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

/// Writes a line with its line break. `prefix` is that of its series.
pub(super) fn write(prefix: &[u8], time: Timestamp, content: &Content<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(prefix);
    out.push(b' ');
    out.extend_from_slice(Field::of(content.value, content.quality).name().as_bytes());
    out.push(b'=');
    match content.value {
        Value::Number(number) => put(out, format_args!("{number:?}")),
        Value::Bool(state) => out.push(if *state { b't' } else { b'f' }),
        Value::Text(text) => {
            out.push(b'"');
            escape(&as_text(text), b"\"\\", out);
            out.push(b'"');
        }
    }
    put(out, format_args!(",quality={}i", content.quality.code()));
    if let Some(Position { lon, lat }) = content.position
        && lon.is_finite()
        && lat.is_finite()
    {
        put(out, format_args!(",lon={lon:?},lat={lat:?}"));
    }
    put(out, format_args!(" {}\n", time.micros()));
}

fn put(out: &mut Vec<u8>, arguments: std::fmt::Arguments<'_>) {
    // Writing to memory cannot fail.
    let _ = out.write_fmt(arguments);
}

const CARRIAGE_RETURN: char = '\u{240d}';
const ESCAPE: char = '\u{241b}';

/// A text as it is stored. InfluxDB's answers are CSV whose writer makes `\r\n` of `\n` and drops
/// every other `\r` (Go's `encoding/csv` with `UseCRLF`), so a carriage return is stored as its
/// symbol, U+240D, and the symbol itself behind U+241B.
fn as_text(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains(['\r', CARRIAGE_RETURN, ESCAPE]) {
        return text.into();
    }
    let mut stored = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\r' => stored.push(CARRIAGE_RETURN),
            CARRIAGE_RETURN | ESCAPE => stored.extend([ESCAPE, c]),
            c => stored.push(c),
        }
    }
    stored.into()
}

/// The text that was stored, from a cell of an answer.
pub(super) fn text_of(cell: &str) -> Arc<str> {
    let cell = cell.replace("\r\n", "\n");
    if !cell.contains([CARRIAGE_RETURN, ESCAPE]) {
        return cell.into();
    }
    let mut text = String::with_capacity(cell.len());
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        match c {
            CARRIAGE_RETURN => text.push('\r'),
            ESCAPE => text.extend(chars.next()),
            c => text.push(c),
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use city_model::DeviceKey;
    use proptest::prelude::*;

    use super::*;

    struct Same(&'static str, &'static str);

    impl Naming for Same {
        fn device(&self, key: DeviceKey) -> Option<Arc<str>> {
            (key.0 == 1).then(|| self.0.into())
        }

        fn metric(&self, key: MetricKey) -> Option<Arc<str>> {
            (key.0 == 1).then(|| self.1.into())
        }
    }

    fn series(device: u32, metric: u16) -> SeriesKey {
        SeriesKey { device: DeviceKey(device), metric: MetricKey(metric) }
    }

    fn line(value: impl Into<Value>, quality: Quality, position: Option<Position>) -> String {
        let name = Name::of(series(1, 1), &Same("水 1,a=b", "pm 2,5"));
        let mut out = Vec::new();
        let value = value.into();
        let content = Content { value: &value, quality, position };
        write(&name.prefix(), Timestamp::from_micros(-7), &content, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn each_kind_of_value_has_its_field() {
        let start = r"pm\ 2\,5,device=水\ 1\,a\=b ";
        let here = Some(Position { lon: -87.5, lat: 41.0 });
        for (got, expected) in [
            (line(21.5, Quality::Pass, None), "value=21.5,quality=1i -7\n"),
            (line(-0.0, Quality::Suspect, None), "value=-0.0,quality=3i -7\n"),
            (line(1e300, Quality::Pass, None), "value=1e300,quality=1i -7\n"),
            (
                line(f64::MAX, Quality::Fail, None),
                "rejected=1.7976931348623157e308,quality=4i -7\n",
            ),
            (line(f64::from_bits(1), Quality::Missing, None), "rejected=5e-324,quality=9i -7\n"),
            (line(true, Quality::NotEvaluated, None), "state=t,quality=2i -7\n"),
            (line(false, Quality::Fail, None), "rejected_state=f,quality=4i -7\n"),
            (line("", Quality::Fail, None), "text=\"\",quality=4i -7\n"),
            (
                line("a\"b\\c d,e=f\ng", Quality::Pass, None),
                "text=\"a\\\"b\\\\c d,e=f\ng\",quality=1i -7\n",
            ),
            (line(1.0, Quality::Pass, here), "value=1.0,quality=1i,lon=-87.5,lat=41.0 -7\n"),
        ] {
            assert_eq!(got, format!("{start}{expected}"));
        }
    }

    #[test]
    fn names_hold_no_character_that_lines_or_queries_trip_over() {
        for (id, expected) in [
            ("plain-1", "plain-1"),
            ("100%", "100%25"),
            ("a\\", "a%5C"),
            ("a\"b", "a%22b"),
            ("a\nb\u{85}", "a%0Ab%C2%85"),
            ("#1", "%231"),
            ("no #1 水", "no #1 水"),
        ] {
            assert_eq!(plain(id), expected);
        }
    }

    #[test]
    fn what_nobody_knows_any_more_keeps_a_name() {
        let name = Name::of(series(7, 9), &Same("", ""));
        assert_eq!((&*name.measurement, &*name.device), ("unregistered_9", "unregistered_7"));
        assert!(!name.known);
        assert!(Name::of(series(1, 1), &Same("a", "b")).known);
    }

    #[test]
    fn what_cannot_be_held_is_named() {
        let bad = |value: Value, time| {
            let content = Content { value: &value, quality: Quality::Pass, position: None };
            why_not(Timestamp::from_micros(time), &content).is_some()
        };
        assert!(!bad(1.0.into(), 0));
        assert!(bad(f64::NAN.into(), 0) && bad(f64::INFINITY.into(), 0));
        assert!(bad("x".repeat(65_536).as_str().into(), 0));
        assert!(!bad("x".repeat(65_535).as_str().into(), 0));
        assert!(bad(1.0.into(), i64::MAX) && bad(1.0.into(), i64::MIN / 1_000 - 1));
        assert!(!bad(1.0.into(), i64::MAX / 1_000));
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_a_cell(text in "[a\r\n\u{240d}\u{241b}水]{0,12}") {
            // What the CSV writer of the server does with it.
            let cell = as_text(&text).replace('\r', "").replace('\n', "\r\n");
            prop_assert_eq!(&*text_of(&cell), text.as_str());
        }
    }
}
