//! The options of a table: which column is what.

use std::fmt;

use super::rows::Syntax;
use crate::error::OptionsError;
use crate::mapping::{Mapping, Rule};
use crate::options::{Options, name_of};
use crate::time::{self, TimeFormat};

const KEYS: [&str; 15] = [
    "device",
    "time",
    "lon",
    "lat",
    "sequence",
    "values",
    "parameter",
    "value",
    "unit",
    "delimiter",
    "quote",
    "decimal",
    "comment",
    "header",
    "columns",
];

/// All options of the format.
pub(super) fn keys() -> Vec<&'static str> {
    KEYS.into_iter().chain(time::KEYS).collect()
}

/// A source's options.
pub(super) struct Plan {
    pub(super) syntax: Syntax,
    pub(super) decimal_comma: bool,
    pub(super) header: bool,
    /// The columns' names where there is no header.
    pub(super) columns: Vec<Box<str>>,
    pub(super) time: TimeFormat,
    pub(super) form: Form,
    around: Vec<(Place, Slot)>,
}

/// How values stand in a table.
pub(super) enum Form {
    /// A cell is a value; without `values` any cell may be one.
    Wide { values: Vec<(Place, Rule)> },
    /// A row is a value.
    Long { parameter: Place, value: Place, unit: Option<Place> },
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Name(Box<str>),
    /// From 1.
    Number(usize),
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Nothing,
    Device,
    Time,
    Lon,
    Lat,
    Sequence,
    /// An index into the values of [`Form::Wide`].
    Value(usize),
    /// A value if it looks like one.
    Open,
    Parameter,
    LongValue,
    Unit,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl Place {
    /// From an option that is a name or a number.
    fn from_option(options: &Options<'_>, key: &str) -> Result<Option<Self>, OptionsError> {
        match options.get(key) {
            None => Ok(None),
            Some(serde_json::Value::String(name)) => Ok(Some(Self::Name(name.as_str().into()))),
            Some(value) => {
                if let Some(number @ 1..=100_000) = value.as_u64() {
                    return Ok(Some(Self::Number(number as usize)));
                }
                let found = name_of(value);
                let problem = format!("must be a column's name, or its number from 1, not {found}");
                Err(OptionsError::bad(options.full(key), problem))
            }
        }
    }

    /// From the key of a table, which is always a text.
    fn from_key(key: &str, header: bool) -> Self {
        match key.parse() {
            Ok(number @ 1..=100_000) if !header => Self::Number(number),
            _ => Self::Name(key.into()),
        }
    }

    /// The column's index; of several with one name, the first's.
    pub(super) fn find(&self, names: &[String]) -> Option<usize> {
        match self {
            Self::Name(wanted) => names.iter().position(|name| **name == **wanted),
            Self::Number(number) => number.checked_sub(1).filter(|index| *index < names.len()),
        }
    }
}

impl Plan {
    pub(super) fn compile(options: &Options<'_>) -> Result<Self, OptionsError> {
        let header = options.flag("header")?.unwrap_or(true);
        let mut around = Vec::new();
        for (key, slot) in [
            ("device", Slot::Device),
            ("time", Slot::Time),
            ("lon", Slot::Lon),
            ("lat", Slot::Lat),
            ("sequence", Slot::Sequence),
        ] {
            around.extend(Place::from_option(options, key)?.map(|place| (place, slot)));
        }
        if options.get("lon").is_some() != options.get("lat").is_some() {
            return Err(OptionsError::bad(options.full("lon"), "lon and lat go together"));
        }
        let decimals = [(".", false), (",", true)];
        let delimiter = character(options, "delimiter", Some(b','))?.unwrap_or(b',');
        let quote = character(options, "quote", Some(b'"'))?;
        let plan = Self {
            syntax: Syntax::new(delimiter, quote, character(options, "comment", None)?),
            decimal_comma: options.choice("decimal", &decimals)?.unwrap_or(false),
            header,
            columns: columns(options, header)?,
            time: TimeFormat::from_options(options)?,
            form: Form::compile(options, header)?,
            around,
        };
        if options.get("delimiter").is_some() && quote == Some(delimiter) {
            let problem = "must be another character than quote";
            return Err(OptionsError::bad(options.full("delimiter"), problem));
        }
        Ok(plan)
    }

    /// What columns hold that are not named.
    pub(super) fn rest(&self) -> Slot {
        match &self.form {
            Form::Wide { values } if values.is_empty() => Slot::Open,
            _ => Slot::Nothing,
        }
    }

    /// The columns that are named, what they hold, and whether a table must have them.
    pub(super) fn places(&self) -> impl Iterator<Item = (&Place, Slot, bool)> {
        let around = self.around.iter().map(|(place, slot)| {
            let needed = matches!(slot, Slot::Device | Slot::Time);
            (place, *slot, needed)
        });
        let values: Vec<_> = match &self.form {
            Form::Wide { values } => {
                let values = values.iter().enumerate();
                values.map(|(index, (place, _))| (place, Slot::Value(index), false)).collect()
            }
            Form::Long { parameter, value, unit } => {
                let unit = unit.iter().map(|unit| (unit, Slot::Unit, false));
                let named = [(parameter, Slot::Parameter, true), (value, Slot::LongValue, true)];
                named.into_iter().chain(unit).collect()
            }
        };
        // A column that is both, such as a counter that is a value too, is a value.
        around.chain(values)
    }

    pub(super) fn rule(&self, index: usize) -> Option<&Rule> {
        match &self.form {
            Form::Wide { values } => values.get(index).map(|(_, rule)| rule),
            Form::Long { .. } => None,
        }
    }
}

impl Form {
    fn compile(options: &Options<'_>, header: bool) -> Result<Self, OptionsError> {
        let place = |key| Place::from_option(options, key);
        let long = (place("parameter")?, place("value")?, place("unit")?);
        match (options.table("values")?, long) {
            (None, (Some(parameter), Some(value), unit)) => {
                Ok(Self::Long { parameter, value, unit })
            }
            (None, (None, None, None)) => Ok(Self::Wide { values: Vec::new() }),
            (Some(table), (None, None, None)) => Self::wide(options, table, header),
            (Some(_), _) => {
                let problem = "a table has either values (a value a cell) or parameter and value \
                               (a value a row)";
                Err(OptionsError::bad(options.full("values"), problem))
            }
            (None, _) => {
                let problem = "parameter and value go together; unit goes with them";
                Err(OptionsError::bad(options.full("value"), problem))
            }
        }
    }

    fn wide(
        options: &Options<'_>,
        table: &serde_json::Map<String, serde_json::Value>,
        header: bool,
    ) -> Result<Self, OptionsError> {
        if table.is_empty() {
            let problem = "names no column; leave it out to take all that hold numbers";
            return Err(OptionsError::bad(options.full("values"), problem));
        }
        let mapping = Mapping::from_options(options)?;
        let numbered = !header && options.get("columns").is_none();
        let values = table.iter().map(|(name, spec)| {
            let key = options.full(&format!("values.{name}"));
            Ok((Place::from_key(name, !numbered), mapping.rule(&key, name, spec)?))
        });
        Ok(Self::Wide { values: values.collect::<Result<_, _>>()? })
    }
}

/// An option that is one ASCII character, or empty for none.
fn character(
    options: &Options<'_>,
    key: &str,
    default: Option<u8>,
) -> Result<Option<u8>, OptionsError> {
    match options.text(key)? {
        None => Ok(default),
        Some("") if key != "delimiter" => Ok(None),
        Some(text) => match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0) => Ok(Some(*byte)),
            _ => {
                let problem = "must be one ASCII character, such as \";\" or \"\\t\"";
                Err(OptionsError::bad(options.full(key), problem))
            }
        },
    }
}

/// The names of columns that no header names.
fn columns(options: &Options<'_>, header: bool) -> Result<Vec<Box<str>>, OptionsError> {
    let list = options.list("columns")?;
    if header && !list.is_empty() {
        let problem = "stands in for a header: set header = false";
        return Err(OptionsError::bad(options.full("columns"), problem));
    }
    let names = list.iter().map(|name| match name {
        serde_json::Value::String(name) => Ok(name.as_str().into()),
        other => {
            let problem = format!("must list names, not {}", name_of(other));
            Err(OptionsError::bad(options.full("columns"), problem))
        }
    });
    names.collect()
}
