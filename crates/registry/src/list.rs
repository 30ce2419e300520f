//! A list of devices as somebody sent it, with what is wrong in each row.

use serde::de::IntoDeserializer as _;

use crate::{DeviceEntry, ImportProblem, RegistryError, csv};

/// How a list of devices is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFormat {
    /// A JSON array of objects.
    Json,
    /// Lines of cells under a header; see [`crate::COLUMNS`].
    Csv,
}

impl ListFormat {
    /// The format that a file's name promises: CSV if it ends like that, else JSON.
    pub fn of(name: &str) -> Self {
        let csv = name.len() > 4 && name.is_char_boundary(name.len() - 4);
        if csv && name[name.len() - 4..].eq_ignore_ascii_case(".csv") {
            Self::Csv
        } else {
            Self::Json
        }
    }
}

/// A list of devices as read: those that could be read, and what is wrong with the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceList {
    /// What could be read.
    pub(crate) rows: Vec<Row>,
    /// What could not.
    pub(crate) problems: Vec<ImportProblem>,
}

/// A device with its place in the list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// From 1.
    pub(crate) place: usize,
    pub(crate) line: Option<u64>,
    pub(crate) entry: DeviceEntry,
}

impl DeviceList {
    /// Reads a list. An error says that it is no list at all; what is wrong with single rows is
    /// kept beside those that can be read. `name` is what the person called the file.
    pub fn read(name: &str, format: ListFormat, bytes: &[u8]) -> Result<Self, RegistryError> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        match format {
            ListFormat::Json => read_json(name, bytes),
            ListFormat::Csv => csv::read(name, bytes),
        }
    }

    /// The devices that could be read, in order.
    pub fn entries(&self) -> impl Iterator<Item = &DeviceEntry> {
        self.rows.iter().map(|row| &row.entry)
    }

    /// How many devices could be read.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether none could be read.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl From<Vec<DeviceEntry>> for DeviceList {
    fn from(entries: Vec<DeviceEntry>) -> Self {
        let row = |(index, entry): (usize, DeviceEntry)| Row {
            place: index + 1,
            line: None,
            entry: entry.tidy(),
        };
        Self { rows: entries.into_iter().enumerate().map(row).collect(), problems: Vec::new() }
    }
}

/// Reads a list of devices, all or none; `name` is what the person called the file, and a name
/// that ends in `.csv` is read as CSV.
pub fn read_devices(name: &str, text: &str) -> Result<Vec<DeviceEntry>, RegistryError> {
    let list = DeviceList::read(name, ListFormat::of(name), text.as_bytes())?;
    if list.problems.is_empty() {
        return Ok(list.rows.into_iter().map(|row| row.entry).collect());
    }
    Err(RegistryError::Import(list.problems))
}

fn read_json(name: &str, bytes: &[u8]) -> Result<DeviceList, RegistryError> {
    // Nearly always all is well; only otherwise the rows are read one by one.
    if let Ok(entries) = serde_json::from_slice::<Vec<DeviceEntry>>(bytes) {
        return Ok(entries.into());
    }
    let rows: Vec<serde_json::Value> =
        serde_json::from_slice(bytes).map_err(|error| RegistryError::File {
            name: name.to_owned(),
            message: error.to_string(),
            hint: "a device list is a JSON array of objects with at least id, kind and department",
        })?;
    let mut list = DeviceList::default();
    for (index, value) in rows.into_iter().enumerate() {
        let row = index + 1;
        let device = value["id"].as_str().unwrap_or_default().to_owned();
        match serde_path_to_error::deserialize(value.into_deserializer()) {
            Ok(entry) => {
                let entry = DeviceEntry::tidy(entry);
                list.rows.push(Row { place: row, line: None, entry });
            }
            Err(error) => {
                let path = error.path().to_string();
                list.problems.push(ImportProblem {
                    row,
                    line: None,
                    device,
                    field: (path != ".").then_some(path),
                    message: error.inner().to_string(),
                    hint: "the document at /api/v1/openapi.json describes a DeviceEntry".to_owned(),
                });
            }
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_that_cannot_be_read_is_reported_with_its_field() {
        let text = r#"[{"id":"a","kind":"k","department":"d"},
            {"id":"b","kind":"k","department":"d","moving":"yes"},
            {"id":"c","kind":"k","department":"d","colour":"red"},
            {"id":"d","kind":"k","department":"d","position":{"lon":"x","lat":1}},
            {"id":"e","kind":"k"}, 5]"#;
        let list = DeviceList::read("x", ListFormat::Json, text.as_bytes()).expect("a list");
        assert_eq!(list.entries().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["a"]);
        let found: Vec<_> =
            list.problems.iter().map(|p| (p.row, p.device.as_str(), p.field.as_deref())).collect();
        let expected = [
            (2, "b", Some("moving")),
            (3, "c", Some("colour")),
            (4, "d", Some("position.lon")),
            (5, "e", None),
            (6, "", None),
        ];
        assert_eq!(found, expected);
        assert!(list.problems[3].message.contains("department"), "{}", list.problems[3]);
    }

    #[test]
    fn what_is_no_list_says_where() {
        let error = read_devices("x.json", "[{\"id\":\"a\",\n}]").expect_err("no JSON").to_string();
        assert!(error.contains("x.json") && error.contains("line 2"), "{error}");
        assert!(read_devices("x.json", "{}").is_err());
        assert_eq!(ListFormat::of("DEVICES.CSV"), ListFormat::Csv);
        assert_eq!(ListFormat::of("csv"), ListFormat::Json);
    }
}
