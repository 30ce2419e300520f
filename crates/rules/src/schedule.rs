//! Schedules: when a rule may raise.
//!
//! ```yaml
//! schedule:
//!   times: ["Mon-Fri 07:00-19:00", "Sat 08:00-12:00"]
//!   calendar: workdays                    # of calendars.yaml; without one weekdays alone count
//!   time_zone: Asia/Shanghai              # default: the city's
//!   outside: hold                         # or `end`
//! ```
//!
//! A time is days, times of day, or both: `Mon-Fri`, `22:00-06:00`, `Sat,Sun 00:00-24:00`. Times that
//! go over midnight belong to the day on which they begin. With a calendar, days of rest have no
//! times, and `workday` and `restday` are days, too: `workday 07:00-19:00`, `restday`. `times` may be
//! left out where there is a calendar: all of its working days.
//!
//! Where clocks are set, a time that they leap over is the instant of the leap; of a time that comes
//! twice a beginning is the first and an end the second, so that nothing goes unwatched.
//!
//! Off schedule nothing is raised and no alert gets worse; windows go on being fed. An alert that fires
//! stays until a reading clears it (`hold`, the default) or ends with the schedule (`end`). When the
//! schedule begins, conditions that hold already begin to hold then: `for` counts from there, and so
//! does the silence of absence rules.

use city_model::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use std::sync::Arc;

use crate::calendar::{Calendar, Weekdays};
use crate::fields::{self, Fields, one_or_many};
use crate::problem::Sink;
use crate::setting::{Setting, Twice, instant_of, local, time_zone};
use crate::yaml::Node;

const DAY_MIN: i16 = 24 * 60;
/// How far ahead changes are looked for at a time.
const AHEAD_DAYS: i64 = 10;

/// What becomes of alerts that fire when the schedule ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// They stay until a reading clears them.
    #[default]
    Hold,
    /// They end.
    End,
}

/// When a rule may raise.
#[derive(Clone, Debug)]
pub struct Schedule {
    times: Vec<Times>,
    calendar: Option<Arc<Calendar>>,
    time_zone: TimeZone,
    /// What becomes of alerts that fire when it ends.
    pub outside: Outside,
}

/// Whether a schedule is on, and until when that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Whether the rule may raise.
    pub on: bool,
    /// When to look again. It may go on as before then.
    pub until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Times {
    weekdays: Weekdays,
    /// All working days of the calendar, all its days of rest.
    workday: bool,
    restday: bool,
    /// Minutes after the beginning of the day.
    from: i16,
    /// At most a day after `from`.
    to: i16,
}

impl Times {
    /// `Mon-Fri 07:00-19:00`, or a part of it; the error says what is wrong.
    fn parse(text: &str) -> Result<Self, String> {
        let mut times = Self {
            weekdays: Weekdays::default(),
            workday: false,
            restday: false,
            from: 0,
            to: DAY_MIN,
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let (days, hours) = match words[..] {
            [days, hours] => (Some(days), Some(hours)),
            [one] if one.contains(':') => (None, Some(one)),
            [one] => (Some(one), None),
            _ => return Err("it must be days, times of day, or both".to_owned()),
        };
        for day in days.into_iter().flat_map(|days| days.split(',')) {
            match day.to_ascii_lowercase().as_str() {
                "workday" | "workdays" => times.workday = true,
                "restday" | "restdays" => times.restday = true,
                _ => {
                    let some = Weekdays::parse(day);
                    let some = some.ok_or_else(|| format!("`{day}` is no day of the week"))?;
                    times.weekdays = times.weekdays.with(some);
                }
            }
        }
        if days.is_none() {
            times.weekdays = Weekdays::ALL;
        }
        if let Some(hours) = hours {
            let parts = hours.split_once('-');
            let (from, to) = parts.ok_or_else(|| format!("`{hours}` has no end"))?;
            let minute =
                |text: &str| minute(text).ok_or_else(|| format!("`{text}` is no time of day"));
            (times.from, times.to) = (minute(from)?, minute(to)?);
            if times.from == DAY_MIN {
                return Err("a time cannot begin at 24:00".to_owned());
            }
            if times.from == times.to {
                return Err("it ends when it begins; a whole day is 00:00-24:00".to_owned());
            }
            if times.to < times.from {
                times.to += DAY_MIN;
            }
        }
        Ok(times)
    }

    /// Whether they apply to a day that is worked as a weekday or not worked.
    fn apply_to(self, day: Option<Weekday>) -> bool {
        match day {
            Some(day) => self.workday || self.weekdays.has(day),
            None => self.restday,
        }
    }
}

/// `07:30` as minutes after midnight.
fn minute(text: &str) -> Option<i16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| (part.len() == 2).then(|| part.parse::<i16>().ok()).flatten();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let fine =
        (0..24).contains(&hours) && (0..60).contains(&minutes) || (hours, minutes) == (24, 0);
    fine.then_some(hours * 60 + minutes)
}

impl Schedule {
    pub(crate) fn read(node: &Node, setting: &Setting, sink: &mut Sink) -> Option<Self> {
        let mut fields = Fields::of(node, "`schedule`", sink)?;
        let before = sink.problems.len();
        let calendar = fields.get("calendar").and_then(|node| setting.calendars.find(node, sink));
        let has_calendar = fields.get("calendar").is_some();
        let mut times = Vec::new();
        let given = fields.get("times");
        for item in given.map_or(&[][..], one_or_many) {
            let text = fields::text(item, "times", sink).unwrap_or_default();
            match Times::parse(text) {
                Err(_) if text.is_empty() => {}
                Err(why) => sink.report_with(
                    item.mark,
                    format!("`{text}` is no time of a schedule: {why}"),
                    "write for example `Mon-Fri 07:00-19:00`, `22:00-06:00` or `Sat,Sun`",
                ),
                Ok(found) => {
                    if (found.workday || found.restday) && !has_calendar {
                        sink.report_with(
                            item.mark,
                            "only a calendar knows working days and days of rest",
                            "add `calendar: …`, or name days of the week",
                        );
                    }
                    times.push(found);
                }
            }
        }
        if given.is_none() && has_calendar {
            times.extend(Times::parse("workday").ok());
        } else if given.is_none_or(|node| one_or_many(node).is_empty()) {
            sink.report_with(
                node.mark,
                "the schedule has no times",
                "write `times: [\"Mon-Fri 07:00-19:00\"]`, or name a calendar",
            );
        }
        let zone = match fields.get("time_zone") {
            None => setting.time_zone.clone(),
            Some(node) => {
                let name = fields::text(node, "time_zone", sink).unwrap_or_default();
                time_zone(name).unwrap_or_else(|| {
                    let message = format!("{} is no time zone", node.found());
                    sink.report_with(
                        node.mark,
                        message,
                        "write an IANA name such as Asia/Shanghai",
                    );
                    TimeZone::UTC
                })
            }
        };
        let outside = [("hold", Outside::Hold), ("end", Outside::End)];
        let outside = match fields.get("outside") {
            None => Outside::default(),
            Some(_) => {
                crate::parse::choose(&mut fields, "outside", &outside, sink).unwrap_or_default()
            }
        };
        fields.finish(|_| None, sink);
        (sink.problems.len() == before).then_some(Self {
            times,
            calendar,
            time_zone: zone,
            outside,
        })
    }

    /// Whether it is on at an instant, and until when that is known.
    pub fn at(&self, now: Timestamp) -> Shift {
        let today = local(&self.time_zone, now).date();
        let mut known = Vec::new();
        for days in -2..=AHEAD_DAYS {
            if let Ok(date) = today.checked_add(days.days()) {
                self.spans_of(date, &mut known);
            }
        }
        known.sort_unstable();
        // Spans that touch or overlap are one.
        let mut on: Option<(Timestamp, Timestamp)> = None;
        for (from, to) in known {
            match &mut on {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                Some((_, end)) if *end > now => break,
                _ => on = Some((from, to)),
            }
        }
        let horizon = today.checked_add(AHEAD_DAYS.days()).ok();
        let horizon = horizon.and_then(|date| self.instant(date, 0, Twice::First));
        match on.filter(|(_, to)| *to > now) {
            Some((from, to)) if from <= now => Shift { on: true, until: to },
            Some((from, _)) => Shift { on: false, until: from },
            None => Shift { on: false, until: horizon.unwrap_or(Timestamp::MAX) },
        }
    }

    fn spans_of(&self, date: Date, spans: &mut Vec<(Timestamp, Timestamp)>) {
        let day = match &self.calendar {
            Some(calendar) => calendar.working(date),
            None => Some(date.weekday()),
        };
        for times in self.times.iter().filter(|times| times.apply_to(day)) {
            let from = self.instant(date, times.from, Twice::First);
            let to = self.instant(date, times.to, Twice::Second);
            spans.extend(from.zip(to).filter(|(from, to)| from < to));
        }
    }

    /// The instant of so many minutes after the beginning of a day, by the clock.
    fn instant(&self, date: Date, minute: i16, twice: Twice) -> Option<Timestamp> {
        let date = date.checked_add(i64::from(minute / DAY_MIN).days()).ok()?;
        let minute = minute % DAY_MIN;
        let time = DateTime::from(date).checked_add(i64::from(minute).minutes()).ok()?;
        instant_of(&self.time_zone, time, twice)
    }
}

#[cfg(test)]
mod tests;
