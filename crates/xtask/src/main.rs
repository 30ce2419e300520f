//! Repository chores: `cargo xtask web | test | bench | deploy | release | fuzz | schemathesis | crash-test | influxd | nats | ci`.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a command line talks

mod bench;
mod deploy;
mod fuzz;
mod influxd;
mod nats;
mod release;
mod run;
mod sbom;
mod schemathesis;
mod test;
mod tools;
mod venv;
mod web;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Repository chores")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the dashboard into the crate that embeds it.
    Web {
        /// Build into a temporary folder instead, and fail if it differs from what is committed.
        #[arg(long)]
        check: bool,
    },
    /// Run all tests, after installing what they need where that is allowed.
    Test {
        /// Only what takes seconds: no browsers, brokers or crash loops.
        #[arg(long)]
        quick: bool,
    },
    /// Run a benchmark: prints a table and writes target/bench/NAME.json.
    Bench(bench::Args),
    /// Check the files of deploy/ by the tools that read them, and try them with the program.
    Deploy(deploy::Args),
    /// Build the release archive with its bill of materials and checksums.
    Release(release::Args),
    /// Feed the decoders what a fuzzer comes up with.
    Fuzz(fuzz::Args),
    /// Ask the running program everything that its API's document allows, and what it does not, as
    /// every role.
    Schemathesis(schemathesis::Args),
    /// Kill a citybrain process again and again under load and count what is missing.
    CrashTest {
        /// How many numbered readings to publish.
        #[arg(long, default_value_t = 200_000)]
        readings: u64,
        /// How many times to kill.
        #[arg(long, default_value_t = 10)]
        kills: u32,
        /// The seed of the moments of the kills.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Build InfluxDB's server for tests, once, and print where it is; takes some minutes.
    Influxd,
    /// Build NATS's server for tests, once, and print where it is; takes a minute.
    Nats,
    /// What continuous integration runs: formatting, lints, and all tests.
    Ci,
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Web { check } => web::build(check),
        Command::Test { quick } => test::all(quick),
        Command::Bench(args) => bench::main(&args),
        Command::Deploy(args) => {
            run::cargo(&["build", "--release", "--features", "bus"])?;
            deploy::main(&args)
        }
        Command::Release(args) => release::main(&args),
        Command::Fuzz(args) => fuzz::main(&args),
        Command::Schemathesis(args) => {
            run::cargo(&["build", "--release"])?;
            schemathesis::main(&args)
        }
        Command::CrashTest { readings, kills, seed } => run::cargo(&[
            "run",
            "--release",
            "--quiet",
            "--package",
            "city-tests",
            "--bin",
            "crash-test",
            "--",
            "--readings",
            &readings.to_string(),
            "--kills",
            &kills.to_string(),
            "--seed",
            &seed.to_string(),
        ]),
        Command::Influxd => influxd::build(),
        Command::Nats => nats::build(),
        Command::Ci => test::ci(),
    }
}
