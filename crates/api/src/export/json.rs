//! The formats of JSON: `GeoJSON` (RFC 7946), sequences of its features (RFC 8142), lines of JSON.

use std::io::{self, Write as _};

use serde_json::{Map, Value, json};

use super::table::{Cell, Table};
use super::{Format, Sink, Writer};

pub(super) static GEOJSON: Format = Format {
    name: "geojson",
    media: "application/geo+json",
    content_type: "application/geo+json",
    extension: "geojson",
    open: |sink, table, _| Ok(Box::new(Json::open(sink, table, Frame::Collection)?)),
};

pub(super) static SEQUENCE: Format = Format {
    name: "geojsonseq",
    media: "application/geo+json-seq",
    content_type: "application/geo+json-seq",
    extension: "geojsons",
    open: |sink, table, _| Ok(Box::new(Json::open(sink, table, Frame::Sequence)?)),
};

pub(super) static LINES: Format = Format {
    name: "ndjson",
    media: "application/x-ndjson",
    content_type: "application/x-ndjson",
    extension: "ndjson",
    open: |sink, table, _| Ok(Box::new(Json::open(sink, table, Frame::Lines)?)),
};

/// What stands around the things.
#[derive(Clone, Copy, PartialEq)]
enum Frame {
    /// A feature collection.
    Collection,
    /// A record separator before each feature and a line feed after it.
    Sequence,
    /// Plain objects, one a line.
    Lines,
}

struct Json {
    sink: Sink,
    table: Table,
    frame: Frame,
    place: Option<(usize, usize)>,
    is_first: bool,
}

impl Json {
    fn open(mut sink: Sink, table: Table, frame: Frame) -> io::Result<Self> {
        if frame == Frame::Collection {
            sink.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[")?;
        }
        let place = if frame == Frame::Lines { None } else { table.place() };
        Ok(Self { sink, table, frame, place, is_first: true })
    }

    fn feature(&self, row: &[Cell<'_>], properties: &Map<String, Value>) -> Value {
        let coordinate = |index: usize| match row.get(index) {
            Some(Cell::Number(number)) => Some(*number),
            _ => None,
        };
        let place = self.place.and_then(|(lon, lat)| Some([coordinate(lon)?, coordinate(lat)?]));
        // What has no place is a feature without a geometry (section 3.2).
        let geometry = place.map(|place| json!({ "type": "Point", "coordinates": place }));
        json!({ "type": "Feature", "geometry": geometry, "properties": properties })
    }
}

impl Writer for Json {
    fn row(&mut self, row: &[Cell<'_>]) -> io::Result<()> {
        let is_place = |index| self.place.is_some_and(|(lon, lat)| index == lon || index == lat);
        let mut members = Map::new();
        for (index, (column, cell)) in self.table.columns.iter().zip(row).enumerate() {
            if !is_place(index) {
                members.insert(column.name.to_string(), cell.json());
            }
        }
        let value = match self.frame {
            Frame::Lines => Value::Object(members),
            Frame::Collection | Frame::Sequence => self.feature(row, &members),
        };
        match self.frame {
            Frame::Collection if self.is_first => self.sink.write_all(b"\n")?,
            Frame::Collection => self.sink.write_all(b",\n")?,
            Frame::Sequence => self.sink.write_all(b"\x1e")?,
            Frame::Lines => {}
        }
        self.is_first = false;
        serde_json::to_writer(&mut self.sink, &value)?;
        if self.frame != Frame::Collection {
            self.sink.write_all(b"\n")?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<Sink> {
        if self.frame == Frame::Collection {
            self.sink.write_all(b"\n]}\n")?;
        }
        Ok(self.sink)
    }
}
