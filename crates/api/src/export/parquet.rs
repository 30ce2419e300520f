//! Parquet: columns of a row group at a time, compressed with Snappy.
//!
//! Times are microseconds in UTC, numbers doubles, texts UTF-8 with a dictionary. What a reading says
//! is in two columns: `value` for numbers, truth values as 1 and 0, and `value_text` for texts.

use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};

use super::table::{Cell, Kind, Table};
use super::{Format, Sink, Writer};

pub(super) static PARQUET: Format = Format {
    name: "parquet",
    media: "application/vnd.apache.parquet",
    content_type: "application/vnd.apache.parquet",
    extension: "parquet",
    open: |sink, table, _| Ok(Box::new(Parquet::open(sink, table)?)),
};

/// Rows of a row group, at most: what is in memory at a time.
const GROUP: usize = 65_536;
/// Bytes of texts in a row group, about.
const GROUP_TEXTS: usize = 8 << 20;
/// The largest dictionary of a column in a row group, in bytes.
const DICTIONARY: usize = 1 << 18;

/// A column of the file with what waits for its row group.
struct Leaf {
    /// The place of its cells in a row.
    of: usize,
    present: Vec<i16>,
    data: Data,
}

enum Data {
    Text(Vec<ByteArray>),
    Number(Vec<f64>),
    Integer(Vec<i64>),
    Flag(Vec<bool>),
}

struct Parquet {
    file: SerializedFileWriter<Sink>,
    leaves: Vec<Leaf>,
    rows: usize,
    /// Bytes of texts that wait.
    texts: usize,
}

impl Parquet {
    fn open(sink: Sink, table: Table) -> io::Result<Self> {
        let mut leaves = Vec::new();
        let mut fields: Vec<TypePtr> = Vec::new();
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            // Pages are not indexed: that index would grow in memory until the file ends.
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_dictionary_page_size_limit(DICTIONARY)
            .set_created_by("citybrain".to_owned());
        let mut units = Vec::new();
        for (of, column) in table.columns.into_iter().enumerate() {
            if let Some(unit) = &column.unit {
                units.push(KeyValue::new(format!("unit.{}", column.name), unit.to_string()));
            }
            let name = column.name.as_ref();
            let mut leaf = |name: &str, kind| -> io::Result<()> {
                leaves.push(Leaf { of, present: Vec::new(), data: Data::of(kind) });
                fields.push(Arc::new(field(name, kind).map_err(io::Error::other)?));
                Ok(())
            };
            match column.kind {
                Kind::Value => {
                    leaf(name, Kind::Number)?;
                    leaf(&format!("{name}_text"), Kind::Text)?;
                }
                kind => leaf(name, kind)?,
            }
            if column.kind == Kind::Time {
                let path = ColumnPath::from(name);
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
            }
        }
        let schema = Type::group_type_builder(table.name).with_fields(fields).build();
        let schema = schema.map_err(io::Error::other)?;
        let properties = properties.set_key_value_metadata(Some(units)).build();
        let file = SerializedFileWriter::new(sink, Arc::new(schema), Arc::new(properties));
        Ok(Self { file: file.map_err(io::Error::other)?, leaves, rows: 0, texts: 0 })
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        (self.rows, self.texts) = (0, 0);
        let mut group = self.file.next_row_group()?;
        let mut leaves = self.leaves.iter_mut();
        while let Some(mut column) = group.next_column()? {
            if let Some(leaf) = leaves.next() {
                leaf.write(&mut column)?;
            }
            column.close()?;
        }
        group.close()?;
        Ok(())
    }
}

impl Writer for Parquet {
    fn row(&mut self, row: &[Cell<'_>]) -> io::Result<()> {
        for leaf in &mut self.leaves {
            let kept = row.get(leaf.of).and_then(|cell| leaf.data.push(cell));
            leaf.present.push(i16::from(kept.is_some()));
            self.texts += kept.unwrap_or_default();
        }
        self.rows += 1;
        if self.rows < GROUP && self.texts < GROUP_TEXTS {
            return Ok(());
        }
        self.write_group().map_err(io::Error::other)
    }

    fn finish(mut self: Box<Self>) -> io::Result<Sink> {
        self.write_group().map_err(io::Error::other)?;
        self.file.into_inner().map_err(io::Error::other)
    }
}

impl Leaf {
    fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let present = Some(self.present.as_slice());
        match &mut self.data {
            Data::Text(values) => {
                column.typed::<ByteArrayType>().write_batch(values, present, None)?;
                values.clear();
            }
            Data::Number(values) => {
                column.typed::<DoubleType>().write_batch(values, present, None)?;
                values.clear();
            }
            Data::Integer(values) => {
                column.typed::<Int64Type>().write_batch(values, present, None)?;
                values.clear();
            }
            Data::Flag(values) => {
                column.typed::<BoolType>().write_batch(values, present, None)?;
                values.clear();
            }
        }
        self.present.clear();
        Ok(())
    }
}

impl Data {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(Vec::new()),
            Kind::Number | Kind::Value => Self::Number(Vec::new()),
            Kind::Integer | Kind::Time => Self::Integer(Vec::new()),
            Kind::Flag => Self::Flag(Vec::new()),
        }
    }

    /// Adds a cell, and says how many bytes of text that takes; `None` if the cell holds nothing of
    /// this kind.
    fn push(&mut self, cell: &Cell<'_>) -> Option<usize> {
        match (self, cell) {
            (Self::Text(values), Cell::Text(text)) => {
                // Neighbours are often the same, and then one in memory.
                if let Some(last) = values.last().filter(|last| last.data() == text.as_bytes()) {
                    values.push(last.clone());
                    return Some(0);
                }
                values.push(text.as_bytes().to_vec().into());
                return Some(text.len());
            }
            (Self::Number(values), Cell::Number(number)) => values.push(*number),
            (Self::Number(values), Cell::Integer(number)) => values.push(*number as f64),
            (Self::Number(values), Cell::Flag(flag)) => values.push(f64::from(u8::from(*flag))),
            (Self::Integer(values), Cell::Integer(number)) => values.push(*number),
            (Self::Integer(values), Cell::Time(time)) => values.push(time.micros()),
            (Self::Flag(values), Cell::Flag(flag)) => values.push(*flag),
            _ => return None,
        }
        Some(0)
    }
}

fn field(name: &str, kind: Kind) -> Result<Type, ParquetError> {
    let (physical, logical) = match kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Number | Kind::Value => (Physical::DOUBLE, None),
        Kind::Integer => (Physical::INT64, None),
        Kind::Flag => (Physical::BOOLEAN, None),
        Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
    };
    Type::primitive_type_builder(name, physical)
        .with_logical_type(logical)
        .with_repetition(Repetition::OPTIONAL)
        .build()
}
