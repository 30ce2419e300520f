//! Benchmarks: builds in release, runs, and compares what was measured.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args as ClapArgs, Subcommand};
use serde::Deserialize;

use crate::run::cargo;

#[derive(ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The benchmark, such as pipeline or store.
    name: Option<String>,
    /// Once and small, to see that it works.
    #[arg(long)]
    quick: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Show what moved between two results.
    Compare {
        /// The result before.
        old: PathBuf,
        /// The result after.
        new: PathBuf,
    },
}

/// Benchmarks that run the program as it ships.
const NEED_PROGRAM: &[&str] = &["alerts"];

/// Those that run it on a bus.
const NEED_BUS: &[&str] = &["scale"];

pub(crate) fn main(args: &Args) -> anyhow::Result<()> {
    if let Some(Command::Compare { old, new }) = &args.command {
        return compare(old, new);
    }
    let name = args.name.as_deref().context("name a benchmark: cargo xtask bench pipeline")?;
    if NEED_PROGRAM.contains(&name) {
        cargo(&["build", "--release", "--quiet", "--package", "citybrain"])?;
    }
    if NEED_BUS.contains(&name) {
        crate::nats::ensure()?;
        let with_bus = ["--package", "citybrain", "--features", "bus"];
        cargo(&[&["build", "--release", "--quiet"], &with_bus[..]].concat())?;
    }
    let mut line = vec![
        "run",
        "--release",
        "--quiet",
        "--package",
        "city-tests",
        "--bin",
        "city-bench",
        "--",
        name,
    ];
    if args.quick {
        line.push("--quick");
    }
    cargo(&line)
}

#[derive(Deserialize)]
struct Result {
    bench: String,
    figures: Vec<Figure>,
}

#[derive(Deserialize)]
#[allow(clippy::struct_field_names)] // the names are those of the result file
struct Figure {
    figure: String,
    value: f64,
    unit: String,
    ratio: Option<f64>,
    #[serde(default)]
    note: String,
}

fn read(path: &Path) -> anyhow::Result<Result> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is no benchmark result", path.display()))
}

fn compare(old: &Path, new: &Path) -> anyhow::Result<()> {
    let (old, new) = (read(old)?, read(new)?);
    anyhow::ensure!(old.bench == new.bench, "these are results of {} and {}", old.bench, new.bench);
    println!("{:<32} {:>14} {:>14} {:>8} {:>16}", "figure", "before", "after", "change", "ratio");
    for figure in &new.figures {
        let same = |other: &&Figure| other.figure == figure.figure && other.note == figure.note;
        let Some(before) = old.figures.iter().find(same) else { continue };
        let change = (figure.value / before.value - 1.0) * 100.0;
        let ratio = match (before.ratio, figure.ratio) {
            (Some(a), Some(b)) => format!("{a:.2} -> {b:.2}"),
            _ => String::new(),
        };
        println!(
            "{:<32} {:>14} {:>14} {change:>+7.1}% {ratio:>16}  {} {}",
            figure.figure,
            digits(before.value),
            digits(figure.value),
            figure.unit,
            figure.note
        );
    }
    Ok(())
}

/// A number with so many decimals that small ones tell something.
fn digits(number: f64) -> String {
    let decimals = if number.abs() < 10.0 { 4 } else { 1 };
    format!("{number:.decimals$}")
}
