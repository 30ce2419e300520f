//! Series with labelled windows, in the layout of the Numenta Anomaly Benchmark.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use city_model::Timestamp;
use serde::de::DeserializeOwned;

use super::scorer::Labels;

/// A labelled series.
#[derive(Debug)]
pub(super) struct Series {
    /// The category and the file name.
    pub(super) name: String,
    /// Local times, as if they were UTC, and values.
    pub(super) rows: Vec<(Timestamp, f64)>,
    pub(super) labels: Labels,
}

impl Series {
    pub(super) fn category(&self) -> &str {
        self.name.split_once('/').map_or(&*self.name, |(category, _)| category)
    }
}

/// The part of the corpus that comes with the repository.
pub(super) fn testdata() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/nab"))
}

/// A JSON file.
pub(super) fn json<T: DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    let text = std::fs::read(file).with_context(|| file.display().to_string())?;
    serde_json::from_slice(&text).with_context(|| file.display().to_string())
}

/// All labelled series of a folder, by name.
pub(super) fn read(folder: &Path) -> anyhow::Result<Vec<Series>> {
    let beside = folder.join("combined_windows.json");
    let labels = if beside.exists() { beside } else { folder.join("labels/combined_windows.json") };
    let windows: BTreeMap<String, Vec<(String, String)>> = json(&labels)?;
    let mut corpus = Vec::new();
    let mut missing = 0;
    for (name, windows) in windows {
        let file = folder.join("data").join(&name);
        if file.exists() {
            let series = read_series(&file, name, &windows);
            corpus.push(series.with_context(|| file.display().to_string())?);
        } else {
            missing += 1;
        }
    }
    if missing > 0 {
        eprintln!("{missing} labelled series are not in {}", folder.display());
    }
    ensure!(!corpus.is_empty(), "there are no labelled series in {}", folder.display());
    Ok(corpus)
}

fn read_series(file: &Path, name: String, windows: &[(String, String)]) -> anyhow::Result<Series> {
    let mut rows = Vec::new();
    for record in csv::Reader::from_path(file)?.into_deserialize() {
        let (text, value): (String, f64) = record?;
        rows.push((time(&text)?, value));
    }
    let mut bounds = Vec::new();
    for (from, to) in windows {
        let (from, to) = (time(from)?, time(to)?);
        let first = rows.iter().position(|(time, _)| *time >= from).context("an empty window")?;
        let last = rows.iter().rposition(|(time, _)| *time <= to).context("an empty window")?;
        ensure!(first <= last, "an empty window");
        bounds.push((first, last));
    }
    let labels = Labels { rows: rows.len(), windows: bounds };
    Ok(Series { name, rows, labels })
}

/// `2014-04-01 00:00:00`, with or without a fraction.
fn time(text: &str) -> anyhow::Result<Timestamp> {
    Ok(format!("{}Z", text.trim().replace(' ', "T")).parse()?)
}
