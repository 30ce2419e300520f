//! What an export is made of: columns that say what they hold and in which unit, and rows of cells.

use std::borrow::Cow;

use city_model::{Position, Timestamp, Value};

/// The columns that hold a place, in degrees of WGS-84. Formats that know places draw them as such.
pub(crate) const LON: &str = "lon";
/// See [`LON`].
pub(crate) const LAT: &str = "lat";

/// What the cells of a column are. Any cell may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Integer,
    Flag,
    Time,
    /// What a reading says: a number, a truth value or a text.
    Value,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: Cow<'static, str>,
    /// UCUM code, where the name does not say it.
    pub(crate) unit: Option<Cow<'static, str>>,
    pub(crate) kind: Kind,
}

/// A column of this name and kind.
pub(crate) const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name: Cow::Borrowed(name), unit: None, kind }
}

/// What is exported: its name, which the file gets, and its columns.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<Column>,
}

impl Table {
    pub(crate) fn new(name: &'static str, columns: &[Column]) -> Self {
        Self { name, columns: columns.to_vec() }
    }

    /// The places of the columns with longitude and latitude, if there are both.
    pub(crate) fn place(&self) -> Option<(usize, usize)> {
        let of = |name| self.columns.iter().position(|column| column.name == name);
        Some((of(LON)?, of(LAT)?))
    }
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Empty,
    Text(Cow<'a, str>),
    Number(f64),
    Integer(i64),
    Flag(bool),
    Time(Timestamp),
}

impl Cell<'_> {
    /// As JSON; what is no number of JSON is `null`.
    pub(crate) fn json(&self) -> serde_json::Value {
        match self {
            Self::Empty => serde_json::Value::Null,
            Self::Text(text) => text.as_ref().into(),
            Self::Number(number) => (*number).into(),
            Self::Integer(number) => (*number).into(),
            Self::Flag(flag) => (*flag).into(),
            Self::Time(time) => time.to_string().into(),
        }
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<f64> for Cell<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Cell<'_> {
    fn from(number: u64) -> Self {
        // What is counted stays far below.
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Cell<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Timestamp> for Cell<'_> {
    fn from(time: Timestamp) -> Self {
        Self::Time(time)
    }
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Number(number) => Self::Number(*number),
            Value::Bool(flag) => Self::Flag(*flag),
            Value::Text(text) => Self::Text(Cow::Borrowed(text)),
        }
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::Empty, Into::into)
    }
}

/// The cells of longitude and latitude.
pub(crate) fn lon_lat<'a>(position: Option<Position>) -> [Cell<'a>; 2] {
    [position.map(|at| at.lon).into(), position.map(|at| at.lat).into()]
}

/// A name that something has, as its cell: the word that JSON has for it.
pub(crate) fn word<'a>(of: impl serde::Serialize) -> Cell<'a> {
    match serde_json::to_value(of) {
        Ok(serde_json::Value::String(word)) => word.into(),
        _ => Cell::Empty,
    }
}
