//! Entries as lines of JSON, which can be checked again, and as rows of CSV, for people.

use std::borrow::Cow;

use city_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::entry::{Entry, hex, unhex};

/// An entry as JSON: `before` and `after` stand there byte for byte as they are in the log.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    number: u64,
    at: Timestamp,
    user: Option<Cow<'a, str>>,
    via: Cow<'a, str>,
    address: Option<Cow<'a, str>>,
    action: Cow<'a, str>,
    target: Option<Cow<'a, str>>,
    department: Option<Cow<'a, str>>,
    before: Option<Box<RawValue>>,
    after: Option<Box<RawValue>>,
    status: Option<u16>,
    outcome: Cow<'a, str>,
    times: u64,
    previous: String,
    hash: String,
}

impl Serialize for Entry {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = |text: &Option<String>| {
            text.clone().map(RawValue::from_string).transpose().map_err(serde::ser::Error::custom)
        };
        Line {
            number: self.number,
            at: self.at,
            user: self.user.as_deref().map(Cow::Borrowed),
            via: Cow::Borrowed(&self.via),
            address: self.address.as_deref().map(Cow::Borrowed),
            action: Cow::Borrowed(&self.action),
            target: self.target.as_deref().map(Cow::Borrowed),
            department: self.department.as_deref().map(Cow::Borrowed),
            before: raw(&self.before)?,
            after: raw(&self.after)?,
            status: self.status,
            outcome: Cow::Borrowed(&self.outcome),
            times: self.times,
            previous: hex(&self.previous),
            hash: hex(&self.hash),
        }
        .serialize(serializer)
    }
}

/// An entry as one line of JSON, with the line's end.
pub fn to_json_line(entry: &Entry) -> serde_json::Result<String> {
    Ok(serde_json::to_string(entry)? + "\n")
}

/// The entry that [`to_json_line`] wrote.
pub fn from_json_line(line: &str) -> Result<Entry, String> {
    let line: Line<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let hash = |text: &str| unhex(text).ok_or_else(|| format!("`{text:.80}` is no SHA-256"));
    let text = |raw: Option<Box<RawValue>>| raw.map(|raw| raw.get().to_owned());
    Ok(Entry {
        number: line.number,
        at: line.at,
        user: line.user.map(Cow::into_owned),
        via: line.via.into_owned(),
        address: line.address.map(Cow::into_owned),
        action: line.action.into_owned(),
        target: line.target.map(Cow::into_owned),
        department: line.department.map(Cow::into_owned),
        before: text(line.before),
        after: text(line.after),
        status: line.status,
        outcome: line.outcome.into_owned(),
        times: line.times,
        previous: hash(&line.previous)?,
        hash: hash(&line.hash)?,
    })
}

/// The columns of [`to_csv`].
pub const CSV_COLUMNS: [&str; 14] = [
    "number",
    "at",
    "user",
    "via",
    "address",
    "action",
    "target",
    "department",
    "before",
    "after",
    "status",
    "outcome",
    "times",
    "hash",
];

/// An entry as a row of CSV, with the line's end. Cells that a spreadsheet would take for formulas
/// begin with an apostrophe ([`city_model::csv_cell`]), so only lines of JSON can be checked again.
pub fn to_csv(entry: &Entry) -> Vec<u8> {
    let maybe = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells: [String; CSV_COLUMNS.len()] = [
        entry.number.to_string(),
        entry.at.to_string(),
        maybe(&entry.user),
        entry.via.clone(),
        maybe(&entry.address),
        entry.action.clone(),
        maybe(&entry.target),
        maybe(&entry.department),
        maybe(&entry.before),
        maybe(&entry.after),
        entry.status.map(|status| status.to_string()).unwrap_or_default(),
        entry.outcome.clone(),
        entry.times.to_string(),
        hex(&entry.hash),
    ];
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = writer.write_record(cells.iter().map(|cell| city_model::csv_cell(cell).into_owned()));
    writer.into_inner().unwrap_or_default()
}
