//! A pull parser of annotated CSV, the answers of Flux queries: bytes in, one record at a time out,
//! whatever the size of the answer.
//!
//! Source: InfluxDB OSS v2 documentation, "Annotated CSV". We ask for the annotation `#datatype`,
//! because only it tells where a table with other columns begins. An error that the server meets
//! when the answer has begun comes as a table with the columns `error` and `reference`.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// The longest record, in bytes. A reading's text is far shorter.
const LONGEST_RECORD: usize = 1 << 20;
/// The most cells of a record.
const MOST_CELLS: usize = 1 << 10;

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CsvError {
    /// The server says so.
    #[error("{0}")]
    Told(String),
    /// It is no annotated CSV.
    #[error("the answer is no annotated CSV: {0}")]
    Malformed(&'static str),
}

/// What a step of the parser gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It needs more bytes.
    Hungry,
    /// A record is there.
    Record,
    /// That was all.
    End,
}

/// What the next row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Header,
    Data,
    /// With its words in this cell.
    Error(usize),
}

/// The parser.
#[derive(Debug)]
pub(super) struct Decoder {
    reader: Reader,
    cells: Vec<u8>,
    ends: Vec<usize>,
    filled: usize,
    ended: usize,
    header: Vec<String>,
    next: Next,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            reader: ReaderBuilder::new().build(),
            cells: vec![0; 4096],
            ends: vec![0; 64],
            filled: 0,
            ended: 0,
            header: Vec::new(),
            next: Next::Header,
        }
    }

    /// Goes on with these bytes; none says that there are no more. Returns how many were used.
    pub(super) fn step(&mut self, input: &[u8]) -> Result<(usize, Step), CsvError> {
        let mut used = 0;
        loop {
            if used > 0 && used == input.len() {
                // Nothing to go on with is not the same as nothing more to come.
                return Ok((used, Step::Hungry));
            }
            let (result, nin, nout, nend) = self.reader.read_record(
                &input[used..],
                &mut self.cells[self.filled..],
                &mut self.ends[self.ended..],
            );
            used += nin;
            self.filled += nout;
            self.ended += nend;
            match result {
                ReadRecordResult::InputEmpty => return Ok((used, Step::Hungry)),
                ReadRecordResult::OutputFull => {
                    let room = self.cells.len() * 2;
                    if room > LONGEST_RECORD {
                        return Err(CsvError::Malformed("a record is longer than 1 MiB"));
                    }
                    self.cells.resize(room, 0);
                }
                ReadRecordResult::OutputEndsFull => {
                    let room = self.ends.len() * 2;
                    if room > MOST_CELLS {
                        return Err(CsvError::Malformed("a record has more than 1,024 cells"));
                    }
                    self.ends.resize(room, 0);
                }
                ReadRecordResult::End => return Ok((used, Step::End)),
                ReadRecordResult::Record => {
                    let is_record = self.row()?;
                    if is_record {
                        return Ok((used, Step::Record));
                    }
                    self.forget();
                }
            }
        }
    }

    /// Makes room for the next record.
    pub(super) fn forget(&mut self) {
        (self.filled, self.ended) = (0, 0);
    }

    /// Looks at a row that is complete; says whether it is a record of a table.
    fn row(&mut self) -> Result<bool, CsvError> {
        let first = self.cell(0).unwrap_or_default();
        if first.starts_with('#') {
            self.next = Next::Header;
            return Ok(false);
        }
        if let Next::Error(place) = self.next {
            return Err(CsvError::Told(self.cell(place).unwrap_or_default().to_owned()));
        }
        // Data begin with an empty cell, that of the annotations.
        if first == "error" {
            self.next = Next::Error(0);
            return Ok(false);
        }
        if self.next == Next::Header {
            let names: Option<Vec<String>> =
                (0..self.ended).map(|place| self.cell(place).map(str::to_owned)).collect();
            self.header = names.ok_or(CsvError::Malformed("a column's name is no text"))?;
            let error = self.header.iter().position(|name| name == "error");
            self.next = error.map_or(Next::Data, Next::Error);
            return Ok(false);
        }
        if self.ended != self.header.len() {
            return Err(CsvError::Malformed("a record has not as many cells as its table"));
        }
        Ok(true)
    }

    /// A cell of the record that is there.
    pub(super) fn cell(&self, place: usize) -> Option<&str> {
        let end = *self.ends[..self.ended].get(place)?;
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        str::from_utf8(self.cells.get(start..end)?).ok()
    }

    /// The place of a column in the table that the record is of.
    pub(super) fn place(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|name| name == column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All records as (column, cell), fed in pieces of `size` bytes.
    fn read(text: &str, size: usize) -> Result<Vec<Vec<(String, String)>>, CsvError> {
        let mut decoder = Decoder::new();
        let mut records = Vec::new();
        let mut pieces = text.as_bytes().chunks(size);
        let mut piece = pieces.next().unwrap_or_default();
        loop {
            if piece.is_empty() {
                piece = pieces.next().unwrap_or_default();
            }
            let (used, step) = decoder.step(piece)?;
            piece = &piece[used..];
            match step {
                Step::End => return Ok(records),
                Step::Hungry => {}
                Step::Record => {
                    let cells = decoder.header.iter().enumerate().map(|(place, name)| {
                        (name.clone(), decoder.cell(place).expect("a cell").to_owned())
                    });
                    records.push(cells.skip(2).collect());
                    decoder.forget();
                }
            }
        }
    }

    #[test]
    fn tables_are_told_apart_whatever_the_pieces() {
        let text = "#datatype,string,long,double,string\r\n,result,table,_value,device\r\n\
                    ,,0,1.5,\"a,\"\"b\"\"\r\n水\"\r\n,,0,,x\r\n\r\n\
                    #datatype,string,long,boolean\r\n,result,table,state\r\n,,1,true\r\n\r\n";
        let cell = |name: &str, cell: &str| (name.to_owned(), cell.to_owned());
        let expected = vec![
            vec![cell("table", "0"), cell("_value", "1.5"), cell("device", "a,\"b\"\r\n水")],
            vec![cell("table", "0"), cell("_value", ""), cell("device", "x")],
            vec![cell("table", "1"), cell("state", "true")],
        ];
        for size in [1, 2, 3, 7, 64, 10_000] {
            assert_eq!(read(text, size).expect("readable"), expected, "{size}");
        }
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(read("", 1), Ok(vec![]));
        assert_eq!(read("\r\n", 1), Ok(vec![]));
    }

    #[test]
    fn an_error_in_the_middle_is_an_error() {
        let begun = "#datatype,string,long,double\r\n,result,table,_value\r\n,,0,1\r\n\r\n";
        for end in [
            "error,reference\r\nit ran out of memory,897\r\n",
            "#datatype,string,string\r\n,error,reference\r\n,it ran out of memory,897\r\n",
        ] {
            for size in [1, 5, 1_000] {
                let told = read(&format!("{begun}{end}"), size);
                assert_eq!(told, Err(CsvError::Told("it ran out of memory".to_owned())));
            }
        }
        assert!(read("#datatype,string\r\n,result,table\r\n,,0,7\r\n", 9).is_err());
    }

    #[test]
    fn a_record_without_end_does_not_fill_the_memory() {
        let mut decoder = Decoder::new();
        let endless = vec![b'x'; 1 << 16];
        let refused = (0..64).find_map(|_| decoder.step(&endless).err());
        assert_eq!(refused, Some(CsvError::Malformed("a record is longer than 1 MiB")));
    }
}
