//! CSV as RFC 4180 has it: UTF-8, CRLF, a header with units, quotes where they are needed.
//!
//! Texts that a spreadsheet program would take for a formula get an apostrophe before them, as OWASP
//! advises ("CSV Injection"), unless whoever asks wants them as they are. Numbers are left alone.

use std::io;

use super::table::{Cell, Column, Table};
use super::{Format, Options, Sink, Writer};

pub(super) static CSV: Format = Format {
    name: "csv",
    media: "text/csv",
    content_type: "text/csv; charset=utf-8; header=present",
    extension: "csv",
    open: |sink, table, options| Ok(Box::new(Csv::open(sink, &table, options)?)),
};

/// Tells spreadsheet programs that the text is UTF-8; those for Chinese take it for GBK otherwise.
const BOM: &str = "\u{feff}";

/// What makes a spreadsheet program calculate, the full-width forms included.
const FORMULA: &[char] = &['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

struct Csv {
    writer: csv::Writer<Sink>,
    safe: bool,
}

impl Csv {
    fn open(mut sink: Sink, table: &Table, options: Options) -> io::Result<Self> {
        use io::Write as _;
        if options.bom {
            sink.write_all(BOM.as_bytes())?;
        }
        let writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .buffer_capacity(1 << 13)
            .from_writer(sink);
        let mut csv = Self { writer, safe: options.safe };
        for column in &table.columns {
            csv.text(&heading(column))?;
        }
        csv.end_row()?;
        Ok(csv)
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        if self.safe && text.starts_with(FORMULA) {
            return Ok(self.writer.write_field(format!("'{text}"))?);
        }
        Ok(self.writer.write_field(text)?)
    }

    fn end_row(&mut self) -> io::Result<()> {
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }
}

impl Writer for Csv {
    fn row(&mut self, row: &[Cell<'_>]) -> io::Result<()> {
        for cell in row {
            match cell {
                Cell::Empty => self.writer.write_field("")?,
                Cell::Text(text) => self.text(text)?,
                Cell::Number(number) => self.writer.write_field(number.to_string())?,
                Cell::Integer(number) => self.writer.write_field(number.to_string())?,
                Cell::Flag(flag) => self.writer.write_field(flag.to_string())?,
                Cell::Time(time) => self.writer.write_field(time.to_string())?,
            }
        }
        self.end_row()
    }

    fn finish(self: Box<Self>) -> io::Result<Sink> {
        self.writer.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// What stands above a column: its name, and its unit where the name does not say it.
fn heading(column: &Column) -> String {
    match &column.unit {
        Some(unit) => format!("{} [{unit}]", column.name),
        None => column.name.to_string(),
    }
}
