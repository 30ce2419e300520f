//! Lists and readings as files: CSV, `GeoJSON`, lines of JSON, Parquet, written while they are read, in
//! memory that does not grow with them.
//!
//! A format is one file and one line in [`FORMATS`]. What fails in the middle is cut off: no end of the
//! chunked body comes, so that nobody takes a part for the whole.

mod csv;
mod json;
mod parquet;
mod shape;
mod sink;
mod table;

use std::io;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use city_store::{Cancel, StateError, StoreError};

use crate::app::App;
use crate::problem::{Answer, Problem};

pub(crate) use shape::{Shape, Wanted};
use sink::{Part, Sink};
pub(crate) use table::{Cell, Column, Kind, Table, column, lon_lat, word};

/// A format of files.
pub(crate) struct Format {
    /// As the parameter `format` names it.
    pub(crate) name: &'static str,
    /// The media type, for `Accept`.
    pub(crate) media: &'static str,
    content_type: &'static str,
    extension: &'static str,
    open: fn(Sink, Table, Options) -> io::Result<Box<dyn Writer>>,
}

/// All formats.
pub(crate) static FORMATS: &[&Format] =
    &[&csv::CSV, &json::GEOJSON, &json::SEQUENCE, &json::LINES, &parquet::PARQUET];

/// How a file is to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Whether CSV begins with a byte order mark.
    bom: bool,
    /// Whether CSV keeps spreadsheet programs from taking texts for formulas.
    safe: bool,
}

/// Writes rows in one format.
trait Writer {
    fn row(&mut self, row: &[Cell<'_>]) -> io::Result<()>;

    /// Writes what is at the end.
    fn finish(self: Box<Self>) -> io::Result<Sink>;
}

/// Why no more rows are wanted.
#[derive(Debug)]
pub(crate) enum Stop {
    /// As many as were asked for are there.
    Enough,
    /// Something failed.
    Failed(Box<Problem>),
    /// It could not be written; often because the client has gone.
    Unwritten(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Unwritten(error)
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Failed(Box::new(problem))
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Self {
        Problem::from(error).into()
    }
}

/// Takes the rows of an export.
pub(crate) struct Rows {
    writer: Box<dyn Writer>,
    /// The places of the columns that are wanted; `None` for all.
    chosen: Option<Vec<usize>>,
    /// How many more rows are wanted.
    left: usize,
}

impl Rows {
    /// Adds a row with a cell for each column of the table.
    pub(crate) fn add(&mut self, row: &[Cell<'_>]) -> Result<(), Stop> {
        if self.left == 0 {
            return Err(Stop::Enough);
        }
        self.left -= 1;
        match &self.chosen {
            None => self.writer.row(row)?,
            Some(chosen) => {
                let row: Vec<Cell<'_>> =
                    chosen.iter().filter_map(|place| row.get(*place).cloned()).collect();
                self.writer.row(&row)?;
            }
        }
        Ok(())
    }
}

/// Answers with a file whose rows `work` gives, on a thread of its own; `work` gets what tells it that
/// the client has gone.
pub(crate) async fn respond(
    app: &App,
    wanted: Wanted,
    table: Table,
    work: impl FnOnce(&mut Rows, &Cancel) -> Result<(), Stop> + Send + 'static,
) -> Answer<Response> {
    let Wanted { format, fields, options, most } = wanted;
    let (table, chosen) = choose(table, fields.as_deref())?;
    let name = table.name;
    let (sink, mut parts) = sink::pipe();
    let cancel = parts.cancel();
    let work = move || {
        let told = sink.teller();
        let done = (format.open)(sink, table, options).map_err(Stop::from).and_then(|writer| {
            let mut rows = Rows { writer, chosen, left: most.unwrap_or(usize::MAX) };
            match work(&mut rows, &cancel) {
                Ok(()) | Err(Stop::Enough) => Ok(rows.writer.finish()?.end()?),
                failed => failed,
            }
        });
        told.tell(match done {
            Ok(()) | Err(Stop::Enough) => Part::Done,
            Err(_) if told.is_lost() => return,
            Err(Stop::Failed(problem)) => Part::Failed(problem),
            Err(Stop::Unwritten(error)) => Part::Failed(Box::new(Problem::internal(&error))),
        });
    };
    app.lanes.export(work).await?;
    // What fails before anything is sent is a problem like any other.
    parts.begin().await?;
    let now = app.clock.now().to_string();
    let stamp: String = now.chars().take_while(|c| *c != '.').filter(|c| *c != ':').collect();
    let stamp = stamp.trim_end_matches('Z').replace('-', "");
    let file = format!("attachment; filename=\"{name}-{stamp}Z.{}\"", format.extension);
    let file = HeaderValue::try_from(file).unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.content_type)),
        (header::CONTENT_DISPOSITION, file),
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    Ok((headers, Body::from_stream(parts.stream())).into_response())
}

/// The table with the columns that are wanted only, and their places in the whole one.
fn choose(table: Table, fields: Option<&[String]>) -> Answer<(Table, Option<Vec<usize>>)> {
    let Some(fields) = fields else { return Ok((table, None)) };
    let known: Vec<&str> = table.columns.iter().map(|column| &*column.name).collect();
    shape::check(fields, &known)?;
    let places: Vec<usize> =
        fields.iter().filter_map(|field| known.iter().position(|name| name == field)).collect();
    let columns = places.iter().map(|place| table.columns[*place].clone()).collect();
    Ok((Table { name: table.name, columns }, Some(places)))
}

#[cfg(test)]
mod tests;
