//! Fuzzing of the decoders with libFuzzer, on the stable compiler.
//!
//! The fuzz target is a package of its own (`tests/fuzz`), because all of it is compiled with
//! coverage counters, into `target/fuzz`. What libFuzzer finds worth keeping stays in
//! `target/fuzz/corpus/FORMAT`, and an input that makes a decoder panic, take more than 25
//! seconds or use more than a gigabyte is written to `target/fuzz/crash-FORMAT-…`.

use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, available_parallelism};

use anyhow::{Context as _, ensure};

use crate::run::{cargo, root, with_environment};

/// What the compiler needs to be told so that libFuzzer sees which code an input reaches.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The formats; all if none is named.
    formats: Vec<String>,
    /// How long for each format.
    #[arg(long, default_value_t = 600)]
    seconds: u32,
}

/// Builds what it needs and does it.
pub(crate) fn main(args: &Args) -> anyhow::Result<()> {
    cargo(&["build", "--package", "city-decode", "--example", "fuzz_seeds"])?;
    run(args)
}

/// Fuzzes; the program that writes the formats' examples must be there.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let folder = root().join("target/fuzz");
    let corpus = folder.join("corpus");
    std::fs::create_dir_all(&corpus)?;
    let known = seeds(&corpus)?;
    for format in &args.formats {
        ensure!(known.contains(format), "there is no format `{format}`; there are {known:?}");
    }
    let host = host()?;
    let build = ["build", "--release", "--target", &host];
    let target = folder.display().to_string();
    let flags = COVERAGE.join(" ");
    let environment = [("CARGO_TARGET_DIR", &*target), ("RUSTFLAGS", &*flags)];
    with_environment("tests/fuzz", env!("CARGO"), &build, &environment)?;
    let program = folder.join(&host).join("release/decode").display().to_string();
    let formats = if args.formats.is_empty() { &known } else { &args.formats };
    // As many at a time as there are cores: each keeps one busy.
    let next = Mutex::new(formats.iter());
    let work = || -> anyhow::Result<()> {
        loop {
            let format = next.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(format) = format else { return Ok(()) };
            fuzz(&program, &folder, format, args.seconds)?;
        }
    };
    let cores = available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    eprintln!("{} formats fuzzed for {} s each, nothing found", formats.len(), args.seconds);
    Ok(())
}

fn fuzz(program: &str, folder: &Path, format: &str, seconds: u32) -> anyhow::Result<()> {
    let arguments = [
        &*format!("-max_total_time={seconds}"),
        "-max_len=65536",
        "-timeout=25",
        "-rss_limit_mb=1024",
        "-verbosity=0",
        "-print_final_stats=1",
        &*format!("-artifact_prefix={}/crash-{format}-", folder.display()),
        &*folder.join("corpus").join(format).display().to_string(),
    ];
    with_environment(".", program, &arguments, &[("CITY_FUZZ_FORMAT", format)])
        .with_context(|| format!("format `{format}`: see target/fuzz/crash-{format}-…"))
}

impl Args {
    /// What continuous integration does: long enough to run into what is shallow.
    pub(crate) const fn short() -> Self {
        Self { formats: Vec::new(), seconds: 5 }
    }
}

/// Writes the formats' examples, for a start, and returns the formats' names.
fn seeds(corpus: &Path) -> anyhow::Result<Vec<String>> {
    let program = root().join("target/debug/examples/fuzz_seeds");
    let output = Command::new(&program)
        .arg(corpus)
        .current_dir(root())
        .output()
        .with_context(|| program.display().to_string())?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the formats' examples cannot be written:\n{errors}");
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

fn host() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("rustc cannot be started")?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say what it compiles for")
}
