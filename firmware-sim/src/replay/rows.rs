//! Reads the rows of a data set in the order of time, as a stream.

use std::fs::File;
use std::io::{BufReader, Read};
use std::iter::Peekable;
use std::path::PathBuf;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::dataset::{Dataset, Source, TimeFormat};
use crate::SimError;
use crate::clock::from_millis;

/// Files that are not in the order of time are sorted in memory, up to this many rows.
const MOST_TO_SORT: u64 = 5_000_000;

/// What a data set holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Rows with at least one value.
    pub rows: u64,
    /// Values in them.
    pub values: u64,
    /// Rows without any value: they are not sent.
    pub empty: u64,
    /// The earliest time.
    pub first: Timestamp,
    /// The latest time.
    pub last: Timestamp,
}

/// A row: what one device measured at one time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) time: Timestamp,
    pub(super) device: String,
    /// By the number of the column among the source's values; never empty.
    pub(super) values: Vec<(usize, f64)>,
    /// The number of the source.
    pub(super) source: usize,
}

/// A data set that was read once: what it holds, and how each file has to be read.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) overview: Overview,
    sorted: Vec<bool>,
}

impl Dataset {
    /// Reads everything once: what there is, or the first row that cannot be used.
    pub fn overview(&self) -> Result<Overview, SimError> {
        self.scan().map(|scan| scan.overview)
    }

    pub(super) fn scan(&self) -> Result<Scan, SimError> {
        let (mut rows, mut values, mut empty) = (0, 0, 0);
        let mut range: Option<(Timestamp, Timestamp)> = None;
        let mut sorted = Vec::with_capacity(self.sources.len());
        for (number, source) in self.sources.iter().enumerate() {
            let mut reader = Rows::open(source, number)?;
            let (mut in_order, mut before, mut here) = (true, Timestamp::MIN, 0_u64);
            while let Some(row) = reader.next().transpose()? {
                in_order &= row.time >= before;
                before = row.time;
                here += 1;
                values += row.values.len() as u64;
                let (first, last) = range.unwrap_or((row.time, row.time));
                range = Some((first.min(row.time), last.max(row.time)));
            }
            if !in_order && here > MOST_TO_SORT {
                let problem = format!(
                    "its {here} rows are not in the order of time, and at most {MOST_TO_SORT} are \
                     sorted here; sort the file first"
                );
                return Err(SimError::Row { path: source.path.clone(), line: 1, problem });
            }
            rows += here;
            empty += reader.empty;
            sorted.push(in_order);
        }
        let Some((first, last)) = range else {
            return Err(SimError::Dataset {
                path: self.path.clone(),
                place: "[[file]]".to_owned(),
                problem: "the files hold no row with a value; check the columns under values"
                    .to_owned(),
            });
        };
        Ok(Scan { overview: Overview { rows, values, empty, first, last }, sorted })
    }
}

type Stream = Peekable<Box<dyn Iterator<Item = Result<Row, SimError>> + Send>>;

/// All rows of a data set in the order of time; of the same time in the order of the files.
pub(super) struct Merged {
    streams: Vec<Stream>,
}

impl Merged {
    pub(super) fn open(dataset: &Dataset, scan: &Scan) -> Result<Self, SimError> {
        let mut streams = Vec::with_capacity(dataset.sources.len());
        for (number, source) in dataset.sources.iter().enumerate() {
            let rows = Rows::open(source, number)?;
            let stream: Box<dyn Iterator<Item = Result<Row, SimError>> + Send> =
                if scan.sorted.get(number).copied().unwrap_or(false) {
                    Box::new(rows)
                } else {
                    let mut all = rows.collect::<Result<Vec<_>, _>>()?;
                    all.sort_by_key(|row| row.time);
                    Box::new(all.into_iter().map(Ok))
                };
            streams.push(stream.peekable());
        }
        Ok(Self { streams })
    }
}

impl Iterator for Merged {
    type Item = Result<Row, SimError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut best: Option<(usize, Timestamp)> = None;
        for (number, stream) in self.streams.iter_mut().enumerate() {
            match stream.peek() {
                Some(Ok(row)) if best.is_none_or(|(_, time)| row.time < time) => {
                    best = Some((number, row.time));
                }
                // An error goes out at once: it ends the replay.
                Some(Err(_)) => return stream.next(),
                _ => {}
            }
        }
        best.and_then(|(number, _)| self.streams[number].next())
    }
}

/// The rows of one file in its own order.
struct Rows {
    records: csv::StringRecordsIntoIter<Box<dyn Read + Send>>,
    path: Arc<PathBuf>,
    number: usize,
    time: usize,
    time_format: TimeFormat,
    offset: Option<Offset>,
    device: usize,
    prefix: String,
    /// For each value: its column, and the cells that mean "no value".
    columns: Vec<(usize, String, Vec<String>)>,
    empty: u64,
}

impl Rows {
    fn open(source: &Source, number: usize) -> Result<Self, SimError> {
        let path = source.path.clone();
        let file =
            File::open(&path).map_err(|error| SimError::Read { path: path.clone(), error })?;
        let zipped = path.extension().is_some_and(|extension| extension == "gz");
        let read: Box<dyn Read + Send> = if zipped {
            Box::new(MultiGzDecoder::new(BufReader::new(file)))
        } else {
            Box::new(BufReader::new(file))
        };
        let mut reader = csv::Reader::from_reader(read);
        let wrong = |problem: String| SimError::Row { path: path.clone(), line: 1, problem };
        let header = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
        let find = |column: &str| {
            header.iter().position(|name| name.trim_start_matches('\u{feff}') == column).ok_or_else(
                || {
                    let known: Vec<_> = header.iter().collect();
                    wrong(format!("there is no column `{column}`; there are {}", known.join(", ")))
                },
            )
        };
        let (time, device) = (find(&source.time)?, find(&source.device)?);
        let columns = source
            .values
            .iter()
            .map(|(name, column)| Ok((find(name)?, name.clone(), column.missing.clone())))
            .collect::<Result<_, SimError>>()?;
        Ok(Self {
            records: reader.into_records(),
            path: Arc::new(path),
            number,
            time,
            time_format: source.time_format,
            offset: source.time_offset.and_then(|seconds| Offset::from_seconds(seconds).ok()),
            device,
            prefix: source.device_prefix.clone(),
            columns,
            empty: 0,
        })
    }

    fn row(&self, record: &csv::StringRecord) -> Result<Row, SimError> {
        let wrong = |problem: String| SimError::Row {
            path: self.path.as_ref().clone(),
            line: record.position().map_or(0, csv::Position::line),
            problem,
        };
        let time = record.get(self.time).unwrap_or_default().trim();
        let time = self.time_of(time).ok_or_else(|| {
            wrong(format!(
                "`{time}` is not a time in the form {:?}; see time_format",
                self.time_format
            ))
        })?;
        let device = record.get(self.device).unwrap_or_default().trim();
        let fit = |c: char| !c.is_control() && !matches!(c, '+' | '#' | '/');
        if device.is_empty() || !device.chars().all(fit) {
            return Err(wrong(format!("`{device}` cannot be a device's id in a topic")));
        }
        let mut values = Vec::with_capacity(self.columns.len());
        for (number, (column, name, missing)) in self.columns.iter().enumerate() {
            let cell = record.get(*column).unwrap_or_default().trim();
            if cell.is_empty() || missing.iter().any(|word| word == cell) {
                continue;
            }
            match cell.parse::<f64>() {
                Ok(value) if value.is_finite() => values.push((number, value)),
                _ => {
                    return Err(wrong(format!(
                        "column `{name}`: `{cell}` is not a number; if it means \"no value\", add \
                         it to the column's `missing`"
                    )));
                }
            }
        }
        let device = format!("{}{device}", self.prefix);
        Ok(Row { time, device, values, source: self.number })
    }

    fn time_of(&self, text: &str) -> Option<Timestamp> {
        match self.time_format {
            TimeFormat::Rfc3339 => text.parse().ok(),
            TimeFormat::Local => {
                let local: DateTime = text.parse().ok()?;
                self.offset?.to_timestamp(local).ok()
            }
            TimeFormat::UnixS => {
                let seconds: f64 = text.parse().ok()?;
                seconds.is_finite().then(|| from_millis((seconds * 1e3).round() as i64))
            }
            TimeFormat::UnixMs => text.parse().ok().map(from_millis),
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Row, SimError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let row = match self.records.next()? {
                Ok(record) => self.row(&record),
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    let problem = error.to_string();
                    Err(SimError::Row { path: self.path.as_ref().clone(), line, problem })
                }
            };
            match row {
                Ok(row) if row.values.is_empty() => self.empty += 1,
                row => return Some(row),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::dataset::tests::TEXT;
    use super::*;

    fn dataset(folder: &std::path::Path, rows: &str) -> Dataset {
        std::fs::write(folder.join("rows.csv"), rows).expect("written");
        Dataset::parse(folder.join("dataset.toml"), TEXT).expect("valid")
    }

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn all(dataset: &Dataset) -> Vec<Row> {
        let scan = dataset.scan().expect("readable");
        Merged::open(dataset, &scan).expect("opens").collect::<Result<_, _>>().expect("rows")
    }

    #[test]
    fn missing_cells_and_empty_rows_are_not_sent() {
        let folder = folder();
        let rows = "\u{feff}at,station,co,n,note\n2014-03-01T00:00:00,A,300,,x\n\
                    2014-03-01 01:00:00.5,A,NA,7,\n2014-03-01T02:00:00,A,,,\n";
        let dataset = dataset(folder.path(), rows);
        let rows = all(&dataset);
        assert_eq!(rows[0].time.to_string(), "2014-02-28T16:00:00Z");
        assert_eq!(rows[0].values, [(0, 300.0)], "columns in the order of their names: co, n");
        assert_eq!((rows[1].values.as_slice(), rows[1].device.as_str()), (&[(1, 7.0)][..], "x-A"));
        let overview = dataset.overview().expect("readable");
        assert_eq!((overview.rows, overview.values, overview.empty), (2, 2, 1));
        assert_eq!(overview.last.to_string(), "2014-02-28T17:00:00.5Z");
    }

    #[test]
    fn rows_come_in_the_order_of_time_also_from_several_files() {
        let folder = folder();
        let mut dataset = dataset(
            folder.path(),
            "at,station,n,co\n2014-03-01T03:00:00,A,3,\n2014-03-01T01:00:00,A,1,\n",
        );
        let mut other = dataset.sources[0].clone();
        other.path = folder.path().join("other.csv.gz");
        let file = File::create(&other.path).expect("created");
        let mut zip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        zip.write_all(b"at,station,n,co\n2014-03-01T01:00:00,B,10,\n2014-03-01T02:00:00,B,2,\n")
            .expect("written");
        zip.finish().expect("finished");
        dataset.sources.push(other);
        let rows = all(&dataset);
        let order: Vec<_> = rows.iter().map(|row| (row.device.as_str(), row.values[0].1)).collect();
        assert_eq!(order, [("x-A", 1.0), ("x-B", 10.0), ("x-B", 2.0), ("x-A", 3.0)]);
    }

    #[test]
    fn bad_rows_are_located() {
        let folder = folder();
        for (rows, expected) in [
            (
                "at,station,co,n\n2014-03-01T00:00:00,A,1,2\nyesterday,A,1,2\n",
                "line 3: `yesterday`",
            ),
            ("at,station,co,n\n2014-03-01T00:00:00,A,-,2\n", "column `co`: `-` is not a number"),
            ("at,station,co,n\n2014-03-01T00:00:00,a/b,1,2\n", "`a/b` cannot be a device's id"),
            ("at,place,co,n\n", "no column `station`; there are at, place, co, n"),
            ("at,station,co,n\n2014-03-01T00:00:00,A\n", "line"),
            ("at,station,co,n\n", "no row with a value"),
        ] {
            let error = dataset(folder.path(), rows).overview().expect_err(rows).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
