//! The description of a recorded data set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::tz::Offset;
use serde::{Deserialize, Deserializer};

use crate::{LocalText, SimError};

/// A recorded data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// What people call it.
    pub name: LocalText,
    /// Its devices in the registry's import shape.
    pub devices: Option<PathBuf>,
    /// How its rows are sent.
    pub publish: Publish,
    /// Its files.
    pub sources: Vec<Source>,
    /// Where its description stands.
    pub(super) path: PathBuf,
}

/// How rows are sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The payload format.
    pub format: PublishFormat,
    /// The topic; `{device}` stands for the device's id.
    pub topic: String,
}

/// The payload format of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishFormat {
    /// A SenML pack with the metrics' names and the columns' units.
    Senml,
    /// `{"ts": …, "<column>": …}` under the columns' own names.
    Json,
}

/// One CSV file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The file, `.csv` or `.csv.gz`.
    pub path: PathBuf,
    /// The column with the time.
    pub time: String,
    /// How it is written.
    #[serde(default)]
    pub time_format: TimeFormat,
    /// The offset of local times, such as `+02:00`.
    #[serde(default, deserialize_with = "offset")]
    pub time_offset: Option<i32>,
    /// The column with the device.
    pub device: String,
    /// What is put before it to make the device's id.
    #[serde(default)]
    pub device_prefix: String,
    /// The columns that hold values.
    pub values: BTreeMap<String, Column>,
}

/// How times are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeFormat {
    /// With an offset or `Z`.
    #[default]
    Rfc3339,
    /// Date and time without an offset, which `time_offset` gives.
    Local,
    /// Seconds since 1970.
    UnixS,
    /// Milliseconds since 1970.
    UnixMs,
}

/// A column of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The metric.
    pub metric: String,
    /// Its unit in the file as a UCUM code; `None`: the metric's own.
    pub unit: Option<String>,
    /// Cells that mean "no value", beside empty ones.
    pub missing: Vec<String>,
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Full {
            metric: String,
            unit: Option<String>,
            #[serde(default)]
            missing: Vec<String>,
        }
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "write \"metric\" or { metric = …, unit = …, missing = […] }"
        )]
        enum Either {
            Name(String),
            Full(Full),
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Name(metric) => Self { metric, unit: None, missing: Vec::new() },
            Either::Full(Full { metric, unit, missing }) => Self { metric, unit, missing },
        })
    }
}

/// An offset such as `+02:00` or `Z` in seconds.
fn offset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i32>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_offset(&text).map(Some).ok_or_else(|| {
        serde::de::Error::custom(format!("`{text}` is not an offset such as +08:00, -05:30 or Z"))
    })
}

fn parse_offset(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = sign * (hours * 3_600 + minutes * 60);
    (minutes < 60).then(|| Offset::from_seconds(seconds).ok()).flatten().map(Offset::seconds)
}

impl Dataset {
    /// Reads the description at `path`, or `dataset.toml` in the folder `path`. Relative paths in
    /// it are relative to it.
    pub fn load(path: &Path) -> Result<Self, SimError> {
        let path = if path.is_dir() { path.join("dataset.toml") } else { path.to_owned() };
        let text = std::fs::read_to_string(&path)
            .map_err(|error| SimError::Read { path: path.clone(), error })?;
        Self::parse(path, &text)
    }

    /// Reads a description; `path` is where it stands or would stand.
    pub fn parse(path: PathBuf, text: &str) -> Result<Self, SimError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            name: LocalText,
            devices: Option<PathBuf>,
            publish: Publish,
            #[serde(rename = "file")]
            sources: Vec<Source>,
        }
        let mut file: File = toml::from_str(text).map_err(|error| SimError::Syntax {
            what: format!("`{}`", path.display()),
            error: Box::new(error),
        })?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        for source in &mut file.sources {
            source.path = folder.join(&source.path);
        }
        let dataset = Self {
            name: file.name,
            devices: file.devices.map(|devices| folder.join(devices)),
            publish: file.publish,
            sources: file.sources,
            path,
        };
        dataset.check()?;
        Ok(dataset)
    }

    /// The same description for another file of the same shape, such as the whole of what the
    /// data set is a sample of. Only for a data set of one file.
    pub fn with_file(mut self, path: PathBuf) -> Result<Self, SimError> {
        if let [source] = &mut self.sources[..] {
            source.path = path;
            return Ok(self);
        }
        let count = self.sources.len();
        Err(self.wrong("[[file]]", format!("there are {count}; copy the description and edit it")))
    }

    fn wrong(&self, place: &str, problem: String) -> SimError {
        SimError::Dataset { path: self.path.clone(), place: place.to_owned(), problem }
    }

    fn check(&self) -> Result<(), SimError> {
        if !self.publish.topic.contains("{device}") {
            let problem = "must contain {device}, or nobody can tell the devices apart";
            return Err(self.wrong("publish.topic", problem.to_owned()));
        }
        if self.sources.is_empty() {
            return Err(self.wrong("[[file]]", "there is none; name at least one file".to_owned()));
        }
        for (index, source) in self.sources.iter().enumerate() {
            let place = format!("[[file]] number {}", index + 1);
            if source.values.is_empty() {
                let problem = "values is empty; map at least one column to a metric";
                return Err(self.wrong(&place, problem.to_owned()));
            }
            if source.time_format == TimeFormat::Local && source.time_offset.is_none() {
                let problem = "local times need time_offset, such as \"+02:00\"";
                return Err(self.wrong(&place, problem.to_owned()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) const TEXT: &str = r#"
        name = { en = "Test", zh = "测试" }
        devices = "devices.json"
        [publish]
        format = "senml"
        topic = "senml/{device}"
        [[file]]
        path = "rows.csv"
        time = "at"
        time_format = "local"
        time_offset = "+08:00"
        device = "station"
        device_prefix = "x-"
        [file.values]
        n = "traffic_count"
        co = { metric = "co", unit = "ug/m3", missing = ["NA"] }
    "#;

    #[test]
    fn paths_are_relative_to_the_description() {
        let dataset = Dataset::parse("/data/set/dataset.toml".into(), TEXT).expect("valid");
        assert_eq!(dataset.sources[0].path, Path::new("/data/set/rows.csv"));
        assert_eq!(dataset.devices.as_deref(), Some(Path::new("/data/set/devices.json")));
        assert_eq!(dataset.sources[0].time_offset, Some(8 * 3_600));
        assert_eq!(dataset.sources[0].values["n"].metric, "traffic_count");
        let other = dataset.with_file("/else/where.csv.gz".into()).expect("one file");
        assert_eq!(other.sources[0].path, Path::new("/else/where.csv.gz"));
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, expected) in [
            ("{device}\"", "x\"", "{device}"),
            ("time_offset = \"+08:00\"", "", "need time_offset"),
            ("+08:00", "eight", "`eight` is not an offset"),
            ("topic =", "topics =", "topics"),
            ("\"senml\"", "\"xml\"", "xml"),
            ("missing =", "mising =", "write \"metric\" or"),
        ] {
            let error = Dataset::parse("d.toml".into(), &TEXT.replacen(from, to, 1)).expect_err(to);
            let text = error.to_string();
            assert!(text.contains(expected) && text.contains("d.toml"), "{text}");
        }
    }

    #[test]
    fn offsets_are_checked() {
        assert_eq!(parse_offset("-05:30"), Some(-19_800));
        for bad in ["05:30", "+5", "+25:99", "", "+aa:00", "+60:00"] {
            assert_eq!(parse_offset(bad), None, "{bad}");
        }
    }
}
