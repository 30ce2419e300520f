//! The functions of filters (OGC 18-088, clause 9.3.3.5.2): one line each.

use city_model::Timestamp;
use geo::{Distance as _, Euclidean, Geometry, Length as _, Relate as _};
use jiff::tz::TimeZone;

use crate::value::Value;

/// A function: its name, how many arguments it takes, and what it does.
#[derive(Clone, Copy)]
pub struct Function(&'static Entry);

struct Entry {
    name: &'static str,
    arguments: (usize, usize),
    work: Work,
}

enum Work {
    /// Of values that are all there.
    Of(fn(&[Value]) -> Option<Value>),
    /// Of a part of an instant.
    Part(fn(&jiff::ZonedDateTime) -> f64),
    /// Of two shapes.
    Shapes(fn(&Geometry<f64>, &Geometry<f64>) -> bool),
    /// The time now.
    Now,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.name)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Function {
    /// The function of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|entry| entry.name == name).map(Self)
    }

    /// How many arguments it takes, at least and at most.
    pub(crate) fn arguments(self) -> (usize, usize) {
        self.0.arguments
    }

    /// What functions there are, for people.
    pub(crate) fn names() -> String {
        let names: Vec<_> = FUNCTIONS.iter().map(|entry| entry.name).collect();
        format!("there are {}", names.join(", "))
    }

    /// Its value. Where an argument is not there, or is none that it can take, nothing.
    pub(crate) fn apply(self, arguments: &[Value], now: Timestamp) -> Value {
        let first = arguments.first().unwrap_or(&Value::Null);
        let found = match self.0.work {
            Work::Of(work) => work(arguments),
            Work::Part(part) => utc(first).map(|time| Value::Number(part(&time))),
            Work::Shapes(holds) => match arguments {
                [a, b, ..] => {
                    a.geometry().zip(b.geometry()).map(|(a, b)| Value::Bool(holds(&a, &b)))
                }
                _ => None,
            },
            Work::Now => Some(Value::Time(now)),
        };
        found.unwrap_or_default()
    }
}

const fn of(
    name: &'static str,
    arguments: (usize, usize),
    work: fn(&[Value]) -> Option<Value>,
) -> Entry {
    Entry { name, arguments, work: Work::Of(work) }
}

const fn part(name: &'static str, part: fn(&jiff::ZonedDateTime) -> f64) -> Entry {
    Entry { name, arguments: (1, 1), work: Work::Part(part) }
}

const fn shapes(name: &'static str, holds: fn(&Geometry<f64>, &Geometry<f64>) -> bool) -> Entry {
    Entry { name, arguments: (2, 2), work: Work::Shapes(holds) }
}

static FUNCTIONS: &[Entry] = &[
    // Texts.
    of("substringof", (2, 2), |v| Some(Value::Bool(v[1].text()?.contains(&v[0].text()?)))),
    of("contains", (2, 2), |v| Some(Value::Bool(v[0].text()?.contains(&v[1].text()?)))),
    of("startswith", (2, 2), |v| Some(Value::Bool(v[0].text()?.starts_with(&v[1].text()?)))),
    of("endswith", (2, 2), |v| Some(Value::Bool(v[0].text()?.ends_with(&v[1].text()?)))),
    of("length", (1, 1), |v| Some(Value::Number(v[0].text()?.chars().count() as f64))),
    of("indexof", (2, 2), |v| {
        let (text, part) = (v[0].text()?, v[1].text()?);
        let place = text.find(&part).map(|byte| text[..byte].chars().count() as f64);
        Some(Value::Number(place.unwrap_or(-1.0)))
    }),
    of("substring", (2, 3), |v| {
        let (text, from) = (v[0].text()?, v[1].number()?);
        let length = match v.get(2) {
            Some(length) => length.number()?,
            None => f64::from(u32::MAX),
        };
        Some(Value::Text(text.chars().skip(from as usize).take(length as usize).collect()))
    }),
    of("tolower", (1, 1), |v| Some(Value::Text(v[0].text()?.to_lowercase()))),
    of("toupper", (1, 1), |v| Some(Value::Text(v[0].text()?.to_uppercase()))),
    of("trim", (1, 1), |v| Some(Value::Text(v[0].text()?.trim().to_owned()))),
    of("concat", (2, 2), |v| Some(Value::Text(v[0].text()? + &v[1].text()?))),
    // Times, by UTC.
    part("year", |time| f64::from(time.year())),
    part("month", |time| f64::from(time.month())),
    part("day", |time| f64::from(time.day())),
    part("hour", |time| f64::from(time.hour())),
    part("minute", |time| f64::from(time.minute())),
    part("second", |time| f64::from(time.second())),
    part("fractionalseconds", |time| f64::from(time.subsec_nanosecond()) / 1e9),
    part("totaloffsetminutes", |_| 0.0),
    of("date", (1, 1), |v| Some(Value::Text(utc(&v[0])?.date().to_string()))),
    of("time", (1, 1), |v| Some(Value::Text(utc(&v[0])?.time().to_string()))),
    Entry { name: "now", arguments: (0, 0), work: Work::Now },
    of("mindatetime", (0, 0), |_| Some(Value::Time(Timestamp::MIN))),
    of("maxdatetime", (0, 0), |_| Some(Value::Time(Timestamp::MAX))),
    // Numbers; halves are rounded away from zero.
    of("round", (1, 1), |v| Some(Value::Number(v[0].number()?.round()))),
    of("floor", (1, 1), |v| Some(Value::Number(v[0].number()?.floor()))),
    of("ceiling", (1, 1), |v| Some(Value::Number(v[0].number()?.ceil()))),
    // Shapes; lengths in degrees, the unit of the coordinate system (OData 4.01, part 2,
    // clause 5.1.1.11).
    of("geo.distance", (2, 2), |v| {
        Some(Value::Number(Euclidean.distance(&v[0].geometry()?, &v[1].geometry()?)))
    }),
    of("geo.length", (1, 1), |v| match v[0].geometry()? {
        Geometry::LineString(line) => Some(Value::Number(Euclidean.length(&line))),
        Geometry::MultiLineString(lines) => Some(Value::Number(Euclidean.length(&lines))),
        _ => Some(Value::Number(0.0)),
    }),
    shapes("geo.intersects", |a, b| a.relate(b).is_intersects()),
    shapes("st_equals", |a, b| a.relate(b).is_equal_topo()),
    shapes("st_disjoint", |a, b| a.relate(b).is_disjoint()),
    shapes("st_touches", |a, b| a.relate(b).is_touches()),
    shapes("st_within", |a, b| a.relate(b).is_within()),
    shapes("st_overlaps", |a, b| a.relate(b).is_overlaps()),
    shapes("st_crosses", |a, b| a.relate(b).is_crosses()),
    shapes("st_intersects", |a, b| a.relate(b).is_intersects()),
    shapes("st_contains", |a, b| a.relate(b).is_contains()),
    of("st_relate", (3, 3), |v| {
        let matrix = v[0].geometry()?.relate(&v[1].geometry()?);
        matrix.matches(&v[2].text()?).ok().map(Value::Bool)
    }),
];

fn utc(value: &Value) -> Option<jiff::ZonedDateTime> {
    let time = jiff::Timestamp::from_microsecond(value.time()?.micros()).ok()?;
    Some(time.to_zoned_datetime(TimeZone::UTC))
}
