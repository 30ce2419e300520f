//! Calendars: which days are working days, with holidays and the days on which those are made up
//! for (调休).
//!
//! ```yaml
//! # calendars.yaml, beside the rules: a file with this key is one of calendars
//! calendars:
//!   - id: workdays
//!     name: {en: Working days, zh: 工作日}
//!     days: Mon-Fri                                  # the default
//!     holidays:
//!       - {date: 2026-01-01, name: {en: New Year, zh: 元旦}}
//!       - {from: 2026-02-15, to: 2026-02-23, name: {en: Spring Festival, zh: 春节}}
//!     workdays:                                      # worked, though not one of `days`
//!       - {date: 2026-02-14, like: Fri, name: {en: Made up for, zh: 春节调休}}
//! ```
//!
//! A day that is made up for counts as the weekday that `like` names, by default the first of `days`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use city_model::LocalText;
use jiff::civil::{Date, Weekday};

use crate::fields::{self, Fields, one_or_many};
use crate::problem::{Mark, Sink, suggestion};
use crate::yaml::{Content, Node};

/// Holidays of more days in a row than this are a mistake.
const LONGEST: usize = 366;

/// Names of weekdays, Monday first.
const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Days of the week; bit 0 is Monday.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weekdays(u8);

impl Weekdays {
    pub(crate) const ALL: Self = Self(0b111_1111);
    const WORKING: Self = Self(0b1_1111);

    pub(crate) fn has(self, day: Weekday) -> bool {
        self.0 & (1 << day.to_monday_zero_offset()) != 0
    }

    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn first(self) -> Option<Weekday> {
        Weekday::from_monday_zero_offset(self.0.trailing_zeros() as i8).ok()
    }

    /// `Mon`, `Monday` or `Mon-Fri`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (weekday(first)?, weekday(last)?);
        let mut days = Self::default();
        let mut day = first;
        loop {
            days.0 |= 1 << day.to_monday_zero_offset();
            if day == last {
                return Some(days);
            }
            day = day.next();
        }
    }
}

fn weekday(name: &str) -> Option<Weekday> {
    let name = name.trim().to_ascii_lowercase();
    let at = WEEKDAYS.iter().position(|full| *full == name || full[..3] == name)?;
    Weekday::from_monday_zero_offset(at as i8).ok()
}

/// A calendar.
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    /// What rules call it.
    pub id: Arc<str>,
    /// What people call it.
    pub name: LocalText,
    days: Weekdays,
    holidays: BTreeMap<Date, LocalText>,
    /// With the weekdays as which they count.
    made_up: BTreeMap<Date, (Weekday, LocalText)>,
}

impl Calendar {
    /// As which weekday a day is worked; `None` for days of rest.
    pub fn working(&self, date: Date) -> Option<Weekday> {
        if let Some((like, _)) = self.made_up.get(&date) {
            return Some(*like);
        }
        let day = date.weekday();
        (self.days.has(day) && !self.holidays.contains_key(&date)).then_some(day)
    }

    /// What is special about a day, if anything: the name of the holiday, or why it is worked.
    pub fn occasion(&self, date: Date) -> Option<&LocalText> {
        self.holidays.get(&date).or_else(|| self.made_up.get(&date).map(|(_, name)| name))
    }

    fn read(node: &Node, sink: &mut Sink) -> Option<Self> {
        let mut fields = Fields::of(node, "a calendar", sink)?;
        let id = fields.need("id", "give it a short name such as `id: workdays`", sink);
        let id = id.and_then(|node| fields::text(node, "id", sink));
        let name = fields.local("name", sink);
        let days = match fields.get("days") {
            None => Weekdays::WORKING,
            Some(node) => read_days(node, sink),
        };
        let mut seen: BTreeMap<Date, Mark> = BTreeMap::new();
        let mut holidays = BTreeMap::new();
        for node in fields.get("holidays").map_or(&[][..], one_or_many) {
            for (date, name, _) in read_entry(node, &mut seen, false, sink) {
                holidays.insert(date, name);
            }
        }
        let mut made_up = BTreeMap::new();
        let usual = days.first().unwrap_or(Weekday::Monday);
        for node in fields.get("workdays").map_or(&[][..], one_or_many) {
            for (date, name, like) in read_entry(node, &mut seen, true, sink) {
                made_up.insert(date, (like.unwrap_or(usual), name));
            }
        }
        fields.finish(|_| None, sink);
        let id: Arc<str> = id?.into();
        let name = name.unwrap_or_else(|| LocalText::same(&*id));
        Some(Self { id, name, days, holidays, made_up })
    }
}

fn read_days(node: &Node, sink: &mut Sink) -> Weekdays {
    let mut days = Weekdays::default();
    for item in one_or_many(node) {
        let parts = item.text_value().unwrap_or_default().split(',');
        for part in parts {
            match Weekdays::parse(part) {
                Some(some) => days = days.with(some),
                None => sink.report_with(
                    item.mark,
                    format!("{} is no day of the week", item.found()),
                    "write for example `Mon-Fri` or `[Mon, Wed]`",
                ),
            }
        }
    }
    days
}

/// The days of a holiday or of working days, with their name and as what they count.
fn read_entry(
    node: &Node,
    seen: &mut BTreeMap<Date, Mark>,
    worked: bool,
    sink: &mut Sink,
) -> Vec<(Date, LocalText, Option<Weekday>)> {
    let what = if worked { "a working day" } else { "a holiday" };
    let Some(mut fields) = Fields::of(node, what, sink) else { return Vec::new() };
    let date = read_date(&mut fields, "date", sink);
    let from = read_date(&mut fields, "from", sink);
    let to = read_date(&mut fields, "to", sink);
    let name = fields.local("name", sink);
    let like = if worked { fields.text("like", sink) } else { None };
    let day = like.and_then(weekday);
    if let (Some(like), None) = (like, day) {
        sink.report_with(
            node.mark,
            format!("`{like}` is no day of the week"),
            "write for example `Fri`",
        );
    }
    let dated = ["date", "from", "to"].map(|key| fields.get(key).is_some());
    fields.finish(|_| None, sink);
    let (first, last) = match (date, from, to) {
        (Some(date), None, None) => (date, date),
        (None, Some(from), Some(to)) if from <= to => (from, to),
        _ => {
            // Dates that could not be read have been told.
            if matches!(dated, [true, false, false] | [false, true, true]) && from <= to {
                return Vec::new();
            }
            sink.report_with(
                node.mark,
                format!("{what} needs `date`, or `from` and a `to` that is not before it"),
                "write `{date: 2026-01-01, name: {en: New Year, zh: 元旦}}`",
            );
            return Vec::new();
        }
    };
    let dates: Vec<Date> = first
        .series(jiff::Span::new().days(1))
        .take_while(|date| *date <= last)
        .take(LONGEST)
        .collect();
    for date in &dates {
        if let Some(before) = seen.insert(*date, node.mark) {
            sink.report_with(
                node.mark,
                format!("{date} is there twice, first on line {}", before.line),
                "a day is either a holiday or worked, and has one name",
            );
        }
    }
    let name = name.unwrap_or_default();
    dates.into_iter().map(|date| (date, name.clone(), day)).collect()
}

fn read_date(fields: &mut Fields<'_>, key: &'static str, sink: &mut Sink) -> Option<Date> {
    let node = fields.get(key)?;
    let date = node.text_value().and_then(|text| text.parse().ok());
    if date.is_none() {
        sink.report_with(
            node.mark,
            format!("`{key}` must be a date, found {}", node.found()),
            "write for example 2026-10-01",
        );
    }
    date
}

/// Calendars by their ids.
#[derive(Clone, Default, PartialEq)]
pub struct Calendars(BTreeMap<Arc<str>, Arc<Calendar>>);

impl fmt::Debug for Calendars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Calendars {
    /// The calendar with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Calendar>> {
        self.0.get(id)
    }

    /// The calendar that a rule names; a problem if there is none.
    pub(crate) fn find(&self, node: &Node, sink: &mut Sink) -> Option<Arc<Calendar>> {
        let id = fields::text(node, "calendar", sink)?;
        let found = self.get(id).cloned();
        if found.is_none() {
            let known: Vec<&str> = self.0.keys().map(|id| &**id).collect();
            let hint = suggestion(id, &known)
                .unwrap_or_else(|| "define it in `calendars.yaml` beside the rules".to_owned());
            sink.push(node.mark, format!("unknown calendar `{id}`"), Some(hint));
        }
        found
    }

    /// Whether a file is one of calendars.
    pub(crate) fn is_file(root: &Node) -> bool {
        let Content::Map(entries) = &root.content else { return false };
        entries.iter().any(|(key, _)| key.name == "calendars")
    }

    /// Takes the calendars of a file. `seen` are those of files before it.
    pub(crate) fn read(&mut self, root: &Node, seen: &mut Vec<Arc<str>>, sink: &mut Sink) {
        let Some(mut fields) = Fields::of(root, "a file of calendars", sink) else { return };
        for node in fields.get("calendars").map_or(&[][..], one_or_many) {
            let Some(calendar) = Calendar::read(node, sink) else { continue };
            if seen.contains(&calendar.id) {
                let message = format!("the calendar `{}` is defined twice", calendar.id);
                sink.report_with(node.mark, message, "give one of the two another id");
            }
            seen.push(calendar.id.clone());
            self.0.insert(calendar.id.clone(), Arc::new(calendar));
        }
        fields.finish(|_| None, sink);
    }
}
