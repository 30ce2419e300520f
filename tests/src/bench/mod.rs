//! Benchmarks: each one file and one line in [`BENCHES`]. Every figure stands beside a baseline that
//! was measured in the same run, because absolute figures drift from machine to machine.
#![allow(clippy::print_stderr)] // people wait for a benchmark and want to see where it is
#![allow(clippy::struct_field_names)] // the names are those of the result file

mod alerts;
mod anomaly;
mod api;
mod asking;
mod backtest;
mod city;
mod decode;
mod endpoint;
mod intake;
mod locate;
mod part;
mod pipeline;
mod scale;
mod store;
mod truth;
mod upkeep;
mod week;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

pub use endpoint::hold_idle_connections;
pub use part::{PARTS, Part};

/// All benchmarks by name.
pub static BENCHES: &[(&str, Run)] = &[
    ("alerts", alerts::run),
    ("anomaly", anomaly::run),
    ("api", api::run),
    ("backtest", backtest::run),
    ("decode", decode::run),
    ("endpoint", endpoint::run),
    ("locate", locate::run),
    ("pipeline", pipeline::run),
    ("scale", scale::run),
    ("store", store::run),
    ("truth", truth::run),
    ("week", week::run),
];

/// Runs a benchmark.
pub type Run = fn(Scale) -> anyhow::Result<Report>;

/// How thorough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Once and small: does it work?
    Quick,
    /// Several runs at full size.
    Full,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    bench: &'static str,
    machine: Machine,
    runs: usize,
    figures: Vec<Figure>,
}

#[derive(Debug, Serialize)]
struct Machine {
    cores: usize,
    memory_gib: u64,
}

/// One figure: the median of the runs.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    figure: String,
    value: f64,
    min: f64,
    max: f64,
    unit: &'static str,
    baseline: Option<String>,
    ratio: Option<f64>,
    note: String,
}

/// Collects the values of each figure over the runs.
#[derive(Debug, Default)]
pub struct Samples {
    values: BTreeMap<String, Vec<f64>>,
}

impl Samples {
    /// Adds one run's value.
    pub fn add(&mut self, figure: impl AsRef<str>, value: f64) {
        self.values.entry(figure.as_ref().to_owned()).or_default().push(value);
    }

    /// Whether there is any value of a figure.
    pub fn has(&self, figure: &str) -> bool {
        self.values.contains_key(figure)
    }

    /// The figure, with its ratio to the baseline's median.
    pub fn figure(
        &self,
        figure: impl AsRef<str>,
        unit: &'static str,
        baseline: Option<&str>,
        note: &str,
    ) -> Figure {
        let figure = figure.as_ref().to_owned();
        let values = self.values.get(&figure).map(Vec::as_slice).unwrap_or_default();
        let value = median(values);
        let ratio =
            baseline.and_then(|name| self.values.get(name)).map(|base| value / median(base));
        Figure {
            figure,
            value,
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            unit,
            baseline: baseline.map(str::to_owned),
            ratio,
            note: note.to_owned(),
        }
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

impl Report {
    /// A report of this machine.
    pub fn new(bench: &'static str, runs: usize, figures: Vec<Figure>) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib: u64 = memory
            .lines()
            .find_map(|line| {
                line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok()
            })
            .unwrap_or(0);
        let machine = Machine { cores, memory_gib: kib.div_ceil(1 << 20) };
        Self { bench, machine, runs, figures }
    }

    /// Writes `target/bench/NAME.json`.
    pub fn write(&self) -> anyhow::Result<PathBuf> {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench"));
        std::fs::create_dir_all(&folder)?;
        let file = folder.canonicalize()?.join(format!("{}.json", self.bench));
        std::fs::write(&file, serde_json::to_string_pretty(self)?)?;
        Ok(file)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { cores, memory_gib } = self.machine;
        writeln!(
            f,
            "{}: median of {} runs, {cores} cores, {memory_gib} GiB",
            self.bench, self.runs
        )?;
        writeln!(
            f,
            "{:<26} {:>14} {:>14} {:>14}  {:<6} {:>7}  against",
            "figure", "median", "min", "max", "unit", "ratio"
        )?;
        for figure in &self.figures {
            let ratio = figure.ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
            writeln!(
                f,
                "{:<26} {:>14} {:>14} {:>14}  {:<6} {ratio:>7}  {}",
                figure.figure,
                digits(figure.value),
                digits(figure.min),
                digits(figure.max),
                figure.unit,
                figure.baseline.as_deref().unwrap_or_default(),
            )?;
            if !figure.note.is_empty() {
                writeln!(f, "{:<26} {}", "", figure.note)?;
            }
        }
        Ok(())
    }
}

/// A number with so many decimals that four digits tell.
fn digits(number: f64) -> String {
    let decimals = match number.abs() {
        0.0 | 1_000.0.. => 0,
        100.0.. => 1,
        1.0.. => 2,
        _ => 4,
    };
    format!("{number:.decimals$}")
}

/// Seconds of processor time that this process has used, user and system.
pub(crate) fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is the name in brackets, which may hold spaces.
    let fields: Vec<&str> = text.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |index: usize| fields.get(index).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
