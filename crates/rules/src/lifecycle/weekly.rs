//! Spans of the week by the clock on the wall, for silences that recur.

use city_model::{Span, Timestamp};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The most spans that a week may have.
const MOST_SPANS: usize = 50;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A span of some days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeeklySpan {
    /// The days on which it begins.
    pub days: Vec<Weekday>,
    /// When it begins, `HH:MM`.
    pub from: String,
    /// When it ends, `HH:MM`; on the next day if that is not after `from`.
    pub to: String,
}

/// Spans of every week in a time zone. Where clocks are changed, a span begins and ends when the
/// clock on the wall says so; an hour that comes twice belongs to it both times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Text", into = "Text")]
pub struct Weekly {
    text: Text,
    zone: TimeZone,
    spans: Vec<([bool; 7], Time, Time)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    time_zone: String,
    spans: Vec<WeeklySpan>,
}

impl From<Weekly> for Text {
    fn from(weekly: Weekly) -> Self {
        weekly.text
    }
}

impl TryFrom<Text> for Weekly {
    type Error = String;

    fn try_from(text: Text) -> Result<Self, String> {
        let zone = TimeZone::get(&text.time_zone).map_err(|_| {
            format!("`{}` is no time zone; write it like Asia/Shanghai", text.time_zone)
        })?;
        if text.spans.is_empty() || text.spans.len() > MOST_SPANS {
            return Err(format!("a week has 1 to {MOST_SPANS} spans"));
        }
        let spans = text.spans.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { text, zone, spans })
    }
}

fn read(span: &WeeklySpan) -> Result<([bool; 7], Time, Time), String> {
    let time = |text: &str| {
        let parts = text.split_once(':').filter(|(h, m)| h.len() == 2 && m.len() == 2);
        let (hour, minute) = parts.and_then(|(h, m)| Some((h.parse().ok()?, m.parse().ok()?)))?;
        // Midnight at the end of a day is the beginning of the next.
        if (hour, minute) == (24, 0) {
            Some(Time::midnight())
        } else {
            Time::new(hour, minute, 0, 0).ok()
        }
    };
    let bad = |text: &str| format!("`{text}` is no time of day; write it like 06:30");
    if span.days.is_empty() {
        return Err("a span needs days; write them like [\"mon\", \"tue\"]".to_owned());
    }
    let mut days = [false; 7];
    span.days.iter().for_each(|day| days[*day as usize] = true);
    let from = time(&span.from).filter(|_| span.from != "24:00").ok_or_else(|| bad(&span.from))?;
    Ok((days, from, time(&span.to).ok_or_else(|| bad(&span.to))?))
}

impl Weekly {
    /// Whether a time lies in one of the spans; their ends do not.
    pub fn contains(&self, time: Timestamp) -> bool {
        self.around(time, 0).any(|(from, to)| from <= time && time < to)
    }

    /// When [`Weekly::contains`] next changes after a time.
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        let inside = self.contains(after);
        let edges = self.around(after, 8).flat_map(|(from, to)| [from, to]);
        edges.filter(|edge| *edge > after && self.contains(*edge) != inside).min()
    }

    /// The spans that begin from the day before until so many days after the day of a time.
    fn around(
        &self,
        time: Timestamp,
        days: i32,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> + '_ {
        let today = jiff::Timestamp::from_microsecond(time.micros())
            .map(|time| self.zone.to_datetime(time).date())
            .unwrap_or_default();
        let dates = (-1..=days).filter_map(move |days| {
            today.checked_add(jiff::SignedDuration::from_hours(24 * i64::from(days))).ok()
        });
        dates.flat_map(move |date| self.of_day(date))
    }

    fn of_day(&self, date: Date) -> impl Iterator<Item = (Timestamp, Timestamp)> + '_ {
        let day = usize::from(date.weekday().to_monday_zero_offset() as u8);
        self.spans.iter().filter(move |(days, ..)| days[day]).filter_map(move |(_, from, to)| {
            let last = if to > from { date } else { date.tomorrow().ok()? };
            let from = self.zone.to_ambiguous_timestamp(date.to_datetime(*from)).earlier().ok()?;
            let to = self.zone.to_ambiguous_timestamp(last.to_datetime(*to)).later().ok()?;
            let [from, to] = [from, to].map(|t| Timestamp::from_micros(t.as_microsecond()));
            // Where clocks skip the whole span there is none.
            (to > from && to.since(from) < Span::from_hours(26)).then_some((from, to))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn weekly(spans: &serde_json::Value) -> Weekly {
        serde_json::from_value(json!({"time_zone": "Europe/Copenhagen", "spans": spans}))
            .expect("a week")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn spans_hold_over_midnight_and_end_before_their_end() {
        let week = weekly(&json!([{"days": ["fri"], "from": "22:00", "to": "06:00"}]));
        // 2026-11-27 is a Friday; Copenhagen is an hour ahead of UTC then.
        for (time, expected) in [
            ("2026-11-27T20:59:59Z", false),
            ("2026-11-27T21:00:00Z", true),
            ("2026-11-28T04:59:59Z", true),
            ("2026-11-28T05:00:00Z", false),
            ("2026-11-28T21:30:00Z", false),
        ] {
            assert_eq!(week.contains(at(time)), expected, "{time}");
        }
        let next = |time| week.next_change(at(time)).expect("there is one").to_string();
        assert_eq!(next("2026-11-27T20:00:00Z"), "2026-11-27T21:00:00Z");
        assert_eq!(next("2026-11-27T21:00:00Z"), "2026-11-28T05:00:00Z");
        assert_eq!(next("2026-11-28T05:00:00Z"), "2026-12-04T21:00:00Z", "a week later");
    }

    #[test]
    fn spans_follow_the_clock_on_the_wall_where_clocks_are_changed() {
        let week = weekly(&json!([{"days": ["sun"], "from": "02:30", "to": "04:00"}]));
        // 2026-03-29: 02:00 becomes 03:00, so 02:30 is not there; 2026-10-25: 03:00 becomes 02:00.
        assert!(
            week.contains(at("2026-03-29T01:30:00Z")) && !week.contains(at("2026-03-29T02:00:00Z"))
        );
        assert!(!week.contains(at("2026-10-25T00:29:00Z")));
        assert!(
            week.contains(at("2026-10-25T00:30:00Z")) && week.contains(at("2026-10-25T01:15:00Z"))
        );
        assert!(!week.contains(at("2026-10-25T03:00:00Z")));
    }

    #[test]
    fn spans_that_touch_are_one() {
        let week = weekly(&json!([
            {"days": ["mon"], "from": "00:00", "to": "24:00"},
            {"days": ["tue"], "from": "00:00", "to": "12:00"},
        ]));
        let change = week.next_change(at("2026-11-30T10:00:00Z")).expect("there is one");
        assert_eq!(change.to_string(), "2026-12-01T11:00:00Z");
    }

    #[test]
    fn what_is_no_span_is_said() {
        for spans in [
            json!([]),
            json!([{"days": [], "from": "01:00", "to": "02:00"}]),
            json!([{"days": ["mon"], "from": "1:00", "to": "02:00"}]),
            json!([{"days": ["mon"], "from": "24:00", "to": "02:00"}]),
            json!([{"days": ["mon"], "from": "01:00", "to": "25:00"}]),
            json!([{"days": ["someday"], "from": "01:00", "to": "02:00"}]),
        ] {
            let week = json!({"time_zone": "Europe/Copenhagen", "spans": spans});
            assert!(serde_json::from_value::<Weekly>(week).is_err(), "{spans}");
        }
        let nowhere = json!({"time_zone": "Mars/Olympus", "spans": []});
        let error = serde_json::from_value::<Weekly>(nowhere).expect_err("no such zone");
        assert!(error.to_string().contains("Mars/Olympus"), "{error}");
    }
}
