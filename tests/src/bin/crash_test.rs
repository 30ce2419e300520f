//! The crash test at any size, for people: `cargo xtask crash-test`.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a command line talks

use city_tests::crash::{Options, run};
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// Numbered readings in all.
    #[arg(long, default_value_t = 200_000)]
    readings: u64,
    /// Kills.
    #[arg(long, default_value_t = 10)]
    kills: u32,
    /// The seed of the moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> anyhow::Result<()> {
    let Arguments { readings, kills, seed } = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let started = std::time::Instant::now();
    let mut shown = 0;
    let report = run(folder.path(), Options { readings, kills, seed }, |done| {
        if done >= shown + readings / 10 {
            shown = done;
            eprintln!("{done} of {readings} acknowledged");
        }
    })?;
    println!("{report:?} in {:.1} s", started.elapsed().as_secs_f64());
    anyhow::ensure!(report.missing == 0 && report.wrong == 0, "readings were lost or doubled");
    println!("every acknowledged reading is in the store exactly once");
    Ok(())
}
