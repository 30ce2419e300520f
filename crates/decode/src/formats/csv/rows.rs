//! The rows of a table, by a reader whose table of states is made once for each source: making it
//! takes longer than reading a message of a few rows.

use std::sync::{Mutex, PoisonError};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::error::{At, DecodeError, DecodeErrorKind};

/// How a source writes its tables.
pub(super) struct Syntax {
    builder: ReaderBuilder,
    /// A reader that nobody uses now. It is lent rather than cloned: a clone of csv-core 0.1 lacks
    /// half of its states and never ends.
    spare: Mutex<Option<Box<Reader>>>,
}

impl Syntax {
    /// `quote` is `None` where quotes are characters like others.
    pub(super) fn new(delimiter: u8, quote: Option<u8>, comment: Option<u8>) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(delimiter).comment(comment);
        builder.quote(quote.unwrap_or(b'"')).quoting(quote.is_some());
        Self { builder, spare: Mutex::new(None) }
    }

    /// The rows of a payload.
    pub(super) fn rows<'p>(&'p self, payload: &'p [u8]) -> Rows<'p> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        Rows {
            syntax: self,
            reader: Some(spare.unwrap_or_else(|| Box::new(self.builder.build()))),
            rest: payload,
            bytes: vec![0; payload.len().min(1_024)],
            ends: vec![0; 32],
            width: None,
        }
    }
}

/// A table that is being read.
pub(super) struct Rows<'p> {
    syntax: &'p Syntax,
    /// Goes back when the table is read.
    reader: Option<Box<Reader>>,
    rest: &'p [u8],
    /// Space for the cells of a row, one behind the other.
    bytes: Vec<u8>,
    /// Space for where each of them ends.
    ends: Vec<usize>,
    /// How many cells the first row has.
    width: Option<usize>,
}

impl Rows<'_> {
    /// The next row; `None` at the end. Rows of different lengths are an error.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>, DecodeError> {
        let Some(reader) = self.reader.as_mut() else { return Ok(None) };
        let line = reader.line();
        let (mut length, mut cells) = (0, 0);
        loop {
            let space = (&mut self.bytes[length..], &mut self.ends[cells..]);
            let (result, read, written, ended) = reader.read_record(self.rest, space.0, space.1);
            self.rest = &self.rest[read..];
            length += written;
            cells += ended;
            match result {
                // What is left is empty now, which tells the reader that nothing more comes.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.bytes.resize(2 * length.max(32), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * cells.max(32), 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        let width = *self.width.get_or_insert(cells);
        if cells != width {
            return Err(unequal(line, cells, width));
        }
        Ok(Some(Row { line, bytes: &self.bytes[..length], ends: &self.ends[..cells] }))
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        if let Some(mut reader) = self.reader.take() {
            reader.reset();
            *self.syntax.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(reader);
        }
    }
}

/// The cells of a row.
#[derive(Clone, Copy)]
pub(super) struct Row<'r> {
    /// Where it begins, from 1.
    pub(super) line: u64,
    bytes: &'r [u8],
    ends: &'r [usize],
}

impl<'r> Row<'r> {
    pub(super) fn len(self) -> usize {
        self.ends.len()
    }

    pub(super) fn cells(self) -> impl Iterator<Item = &'r [u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(self.ends).map(move |(start, end)| &self.bytes[start..*end])
    }
}

fn unequal(line: u64, cells: usize, width: usize) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::Malformed,
        At::Path(format!("line {line}")),
        format!("a row has {cells} cells, the first has {width}"),
        "send complete rows; check the source's options delimiter and quote",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines and cells, up to the first row of another length; whether there was one.
    type Table = (Vec<(u64, Vec<Vec<u8>>)>, bool);

    fn ours(syntax: &Syntax, payload: &[u8]) -> Table {
        let (mut rows, mut table) = (syntax.rows(payload), Vec::new());
        loop {
            match rows.next() {
                Ok(Some(row)) => table.push((row.line, row.cells().map(<[u8]>::to_vec).collect())),
                Ok(None) => return (table, false),
                Err(_) => return (table, true),
            }
        }
    }

    fn theirs(delimiter: u8, quote: Option<u8>, comment: Option<u8>, payload: &[u8]) -> Table {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .quote(quote.unwrap_or(b'"'))
            .quoting(quote.is_some())
            .comment(comment)
            .has_headers(false)
            .from_reader(payload);
        let mut table = Vec::new();
        for record in reader.byte_records() {
            let Ok(record) = record else { return (table, true) };
            let line = record.position().map_or(0, csv::Position::line);
            table.push((line, record.iter().map(<[u8]>::to_vec).collect()));
        }
        (table, false)
    }

    proptest! {
        #[test]
        fn rows_are_those_of_the_general_reader(
            payload in "([ab;,\"#\r\n]|\u{feff}|é){0,60}",
            quote in proptest::option::of(Just(b'"')),
            comment in proptest::option::of(Just(b'#')),
        ) {
            let syntax = Syntax::new(b';', quote, comment);
            let expected = theirs(b';', quote, comment, payload.as_bytes());
            prop_assert_eq!(ours(&syntax, payload.as_bytes()), expected);
        }
    }

    #[test]
    fn a_reader_is_as_new_for_every_payload_and_long_rows_have_room() {
        let syntax = Syntax::new(b',', Some(b'"'), None);
        let cut = ours(&syntax, b"a,\"b");
        assert_eq!(ours(&syntax, b"a,\"b"), cut, "an open quote ends with its payload");
        let long = format!("{}x\n{}\n", "a,".repeat(5_000), "\"b,\",".repeat(5_000));
        let (rows, unequal) = ours(&syntax, long.as_bytes());
        assert_eq!((rows.len(), unequal), (2, false));
        assert_eq!((rows[0].1.len(), rows[1].1.len(), rows[1].0), (5_001, 5_001, 2));
        assert_eq!(rows[1].1[4_999], b"b,");
    }
}
