//! Tables of text: CSV and its like, with columns by name or number.
//!
//! ```text
//! sensor_id;lat;lon;timestamp;P1;P2
//! 88091;45.528;11.560;2026-11-23T08:30:00;47.40;23.70
//! ```
//! with the options
//! ```toml
//! delimiter = ";"              # one character; default ","
//! device = "sensor_id"         # columns by their name in the header, or by number from 1
//! time = "timestamp"           # and the time options: time_format, time_offset, time_zone
//! lon = "lon"
//! lat = "lat"
//! [values]                     # column -> metric, or a table (see the shared options)
//! P1 = "pm10"
//! P2 = { metric = "pm25", unit = "ug/m3" }
//! ```
//!
//! In the long form each row is one value, whose name and unit are in columns too:
//! `parameter = "parameter"`, `value = "value"`, `unit = "unit"`; the names go through the shared
//! `metrics`. Without `values` and `value`, every other column that holds a number or truth value
//! is one, under the shared `metrics`; a text only if those name it.
//!
//! More options: `header = false` if there is no row of names, then `columns` can list them;
//! `decimal = ","`, where a point parts thousands; `quote` (default `"`, empty for none); `comment`, a character at the start of
//! lines to leave out; `sequence`, the column of a message counter.
//!
//! An empty cell, `nan` or an infinity is no value. A value's column that a table does not have is
//! no error, since tables of several kinds can share a source; the device's and the time's are. A
//! row with a place and no values becomes the truth value `position_fix`. Rows of different
//! lengths are an error: such a table was cut or broken.

mod cell;
mod plan;
mod rows;

use std::borrow::Cow;

use crate::error::{At, DecodeError, DecodeErrorKind, OptionsError, quote};
use crate::guard::{Guarded, Parse, Sink, bad_value, check_id};
use crate::options::Options;
use crate::wire::{self, Raw};
use crate::{Decoder, Example, Format, Message};
use plan::{Form, Place, Plan, Slot};
use rows::Row;

/// Tables of text.
pub(super) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn summary(&self) -> &'static str {
        "CSV tables with mapped columns, a value a cell or a value a row"
    }

    fn summary_zh(&self) -> &'static str {
        "CSV 表格：列可映射，支持宽表（每格一值）与长表（每行一值）"
    }

    fn example(&self) -> Example {
        Example {
            topic: "archive/air",
            options: r#"{"delimiter": ";", "device": "sensor_id", "time": "timestamp",
                "time_offset": "Z", "lon": "lon", "lat": "lat",
                "values": {"P1": "pm10", "P2": {"metric": "pm25", "unit": "ug/m3"}}}"#,
            payload: "sensor_id;lat;lon;timestamp;P1;P2\n\
                      88091;45.528;11.560;2026-11-23T08:30:00;47.40;23.70\n\
                      88092;45.531;11.554;2026-11-23T08:29:00;;24.80\n",
            values: 3,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let options = Options::new(options, &plan::keys())?;
        Guarded::boxed(Plan::compile(&options)?, &options)
    }
}

impl Parse for Plan {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let payload = message.payload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message.payload);
        let mut rows = self.syntax.rows(payload);
        let mut table = None;
        while let Some(row) = rows.next()? {
            match &table {
                None if self.header => table = Some(Table::named(self, row)?),
                None => table.insert(Table::plain(self, row)?).row(row, sink)?,
                Some(table) => table.row(row, sink)?,
            }
        }
        Ok(())
    }

    fn looked_for(&self) -> String {
        match &self.form {
            Form::Wide { values } if values.is_empty() => {
                "numbers and truth values in the columns".to_owned()
            }
            Form::Wide { values } => {
                let columns: Vec<_> =
                    values.iter().map(|(place, _)| format!("`{place}`")).collect();
                format!("values in the columns {}", columns.join(", "))
            }
            Form::Long { parameter, value, .. } => {
                format!("values in the column `{value}` under the names in `{parameter}`")
            }
        }
    }
}

/// The columns of one payload.
struct Table<'p> {
    plan: &'p Plan,
    /// What each column is.
    slots: Vec<Slot>,
    /// The columns' names; empty where there is no header.
    names: Vec<String>,
}

/// What a row says besides its values.
#[derive(Default)]
struct Around {
    device: Option<String>,
    time: Option<city_model::Timestamp>,
    lon: Option<f64>,
    lat: Option<f64>,
    sequence: Option<u64>,
}

impl<'p> Table<'p> {
    /// By the names in the header.
    fn named(plan: &'p Plan, header: Row<'_>) -> Result<Self, DecodeError> {
        let line = header.line;
        let names = header.cells().enumerate().map(|(column, name)| {
            text(name, || At::Path(format!("line {line}, column {}", column + 1)))
                .map(|name| name.trim().to_owned())
        });
        Self::resolve(plan, names.collect::<Result<_, _>>()?, line)
    }

    /// By numbers, or by the names in the options.
    fn plain(plan: &'p Plan, first: Row<'_>) -> Result<Self, DecodeError> {
        let given = plan.columns.iter().map(ToString::to_string);
        let names = given.chain(std::iter::repeat(String::new()));
        Self::resolve(plan, names.take(first.len()).collect(), first.line)
    }

    fn resolve(plan: &'p Plan, names: Vec<String>, line: u64) -> Result<Self, DecodeError> {
        let mut slots = vec![plan.rest(); names.len()];
        for (place, slot, needed) in plan.places() {
            match place.find(&names) {
                Some(column) => slots[column] = slot,
                None if needed => return Err(no_column(place, &names, line)),
                None => {}
            }
        }
        Ok(Self { plan, slots, names })
    }

    fn row<'a>(&self, row: Row<'_>, sink: &mut Sink<'_, 'a>) -> Result<(), DecodeError>
    where
        'p: 'a,
    {
        let line = row.line;
        let before = sink.found().len();
        let mut around = Around::default();
        let (mut parameter, mut value, mut unit) = (None, None, None);
        for (column, (cell, slot)) in row.cells().zip(&self.slots).enumerate() {
            let at = || self.at(line, column);
            let cell = text(cell, at)?.trim();
            if cell.is_empty() {
                continue;
            }
            match *slot {
                Slot::Nothing => {}
                Slot::Device => {
                    around.device = Some(check_id(Cow::Borrowed(cell), at)?.into_owned());
                }
                Slot::Time => around.time = self.time(cell, sink.received(), at)?,
                Slot::Lon => around.lon = Some(self.coordinate(cell, at)?),
                Slot::Lat => around.lat = Some(self.coordinate(cell, at)?),
                Slot::Sequence => around.sequence = Some(counter(cell, at)?),
                Slot::Value(index) => {
                    let Some(rule) = self.plan.rule(index) else { continue };
                    if rule.ignores() {
                        sink.ignore();
                    } else if let Some(raw) = self.raw(cell, at)? {
                        sink.ruled(rule, None, raw, at)?;
                    }
                }
                Slot::Open => self.open(column, cell, line, sink)?,
                Slot::Parameter => parameter = Some(cell.to_owned()),
                Slot::Unit => unit = Some(Cow::Owned(cell.to_owned())),
                Slot::LongValue => value = self.raw(cell, at)?.map(|raw| (column, raw)),
            }
        }
        if let (Some(name), Some((column, raw))) = (parameter, value) {
            sink.named(Cow::Owned(name), unit, raw, || self.at(line, column))?;
        }
        around.give_to(before, sink)
    }

    /// A column that the options do not name; a text only counts if the mapping names it.
    fn open(
        &self,
        column: usize,
        cell: &str,
        line: u64,
        sink: &mut Sink<'_, '_>,
    ) -> Result<(), DecodeError> {
        let name = match self.names.get(column) {
            Some(name) if !name.is_empty() => name.clone(),
            _ => (column + 1).to_string(),
        };
        let at = || self.at(line, column);
        let rule = sink.mapping().find(&name);
        match rule {
            Some(rule) if rule.ignores() => {
                sink.ignore();
                return Ok(());
            }
            None if sink.mapping().ignores_unmapped() => return Ok(()),
            _ => {}
        }
        match self.raw(cell, at)? {
            None => Ok(()),
            Some(Raw::Text(_)) if rule.is_none() => Ok(()),
            Some(raw) => sink.named(Cow::Owned(name), None, raw, at),
        }
    }

    /// What a cell says.
    fn raw<'a>(&self, cell: &str, at: impl FnOnce() -> At) -> Result<Option<Raw<'a>>, DecodeError> {
        if !self.plan.decimal_comma {
            return Ok(wire::spelled(Cow::Borrowed(cell)).map(Raw::into_owned));
        }
        let raw = cell::with_comma(cell).map_err(|message| {
            let hint = "set the source's option decimal to \".\" if the device writes a point, or \
                        ignore the column in the option metrics";
            DecodeError::new(DecodeErrorKind::BadValue, at(), message, hint)
        })?;
        Ok(raw.map(Raw::into_owned))
    }

    fn time(
        &self,
        cell: &str,
        received: city_model::Timestamp,
        at: impl FnOnce() -> At,
    ) -> Result<Option<city_model::Timestamp>, DecodeError> {
        self.plan.time.read(&Raw::Text(Cow::Borrowed(cell)), received).map_err(|problem| {
            DecodeError::new(DecodeErrorKind::BadTime, at(), problem.message, problem.hint)
        })
    }

    fn coordinate(&self, cell: &str, at: impl FnOnce() -> At) -> Result<f64, DecodeError> {
        let number = match wire::spelled(Cow::Borrowed(cell)) {
            _ if self.plan.decimal_comma => cell::coordinate_with_comma(cell),
            Some(Raw::Number(number)) => Some(number),
            _ => None,
        };
        number.ok_or_else(|| bad_value(at(), format!("`{}` is not a coordinate", quote(cell))))
    }

    /// A place in the table as people count it.
    fn at(&self, line: u64, column: usize) -> At {
        let name = match self.names.get(column) {
            Some(name) if !name.is_empty() => quote(name),
            _ => (column + 1).to_string(),
        };
        At::Path(format!("line {line}, column {name}"))
    }
}

impl Around {
    fn give_to(self, before: usize, sink: &mut Sink<'_, '_>) -> Result<(), DecodeError> {
        let position = self.lon.zip(self.lat);
        if let (Some(position), true) = (position, sink.since(before).is_empty()) {
            sink.position_fix(position)?;
        }
        for value in sink.since(before) {
            value.device = self.device.clone().map(Cow::Owned);
            value.time = self.time;
            value.position = position;
            value.sequence = self.sequence;
        }
        Ok(())
    }
}

fn counter(cell: &str, at: impl FnOnce() -> At) -> Result<u64, DecodeError> {
    let count = cell.parse().ok();
    count.ok_or_else(|| bad_value(at(), format!("`{}` is not a counter", quote(cell))))
}

fn text(cell: &[u8], at: impl FnOnce() -> At) -> Result<&str, DecodeError> {
    std::str::from_utf8(cell).map_err(|_| {
        DecodeError::new(
            DecodeErrorKind::Malformed,
            at(),
            "a cell is not UTF-8 text",
            "send the table as UTF-8",
        )
    })
}

fn no_column(place: &Place, names: &[String], line: u64) -> DecodeError {
    let known: String = names.join(", ").chars().take(500).collect();
    DecodeError::new(
        DecodeErrorKind::WrongShape,
        At::Path(format!("line {line}")),
        format!("there is no column `{place}`; there are {known}"),
        "correct the source's options, or its delimiter",
    )
}

#[cfg(test)]
#[path = "csv/tests.rs"]
mod tests;
