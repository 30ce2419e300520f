//! All tests, in the order of how soon they tell something.

use std::time::Instant;

use crate::run::{cargo, program, with_environment};
use crate::{deploy, fuzz, influxd, nats, schemathesis, tools, web};

/// What all builds of tests select: cargo compiles what features of another selection change, and
/// all that depends on it, once more.
const WHOLE: &[&str] = &["--workspace", "--features", "citybrain/bus"];
/// The tests that run only when they are named.
const JOURNEYS: &[&str] = &["--test", "journeys", "--test", "dashboard"];

/// Where the program is that journeys are made with.
const PROGRAM: &str = "target/debug/citybrain";

pub(crate) fn all(quick: bool) -> anyhow::Result<()> {
    if quick {
        // The collector's journeys need a real broker.
        cargo(&["test", "--workspace", "--exclude", "city-collect"])?;
        return cargo(&["test", "--package", "city-collect", "--lib"]);
    }
    timed("tools", tools::ensure)?;
    let with_influxd = timed("influxd", influxd::ensure)?;
    let with_nats = timed("nats-server", nats::ensure)?;
    timed("the web app", || {
        program("dashboards/web", "npm", &["run", "check"])?;
        program("dashboards/web", "npm", &["test"])?;
        web::build(true)
    })?;
    timed("Grafana's dashboards", || program("dashboards/grafana", "npm", &["test"]))?;
    timed("tests", || test(&[], &[]))?;
    timed("the bus with three servers", || {
        test(&["--test", "it"], &["cluster::", "--ignored", "--test-threads=1"])
    })?;
    timed("fuzzing", || fuzz::run(&fuzz::Args::short()))?;
    timed("the program", build_program)?;
    // Mostly they wait, for what takes its time; but a city of many processes keeps the machine busy, and
    // its leases are short.
    timed("journeys", || {
        test(&["--test", "journeys"], &["--test-threads=2", "--skip", "cluster::"])?;
        test(&["--test", "journeys"], &["--test-threads=1", "cluster::"])
    })?;
    timed("the dashboard's journeys", || test(&["--test", "dashboard"], &["--test-threads=3"]))?;
    timed("deployment files", || deploy::run(&deploy::Args::short(), PROGRAM))?;
    timed("schemathesis", || schemathesis::run(&schemathesis::Args::short()))?;
    if with_influxd && with_nats {
        eprintln!("all tests passed");
    } else {
        eprintln!(
            "all tests passed, but those against InfluxDB's and NATS's servers were SKIPPED: no go"
        );
    }
    Ok(())
}

/// Builds the program for journeys. Beside a browser one without any optimization does not keep up with its
/// city; what is not this repository's is optimized that far anyway, and not compiled again.
fn build_program() -> anyhow::Result<()> {
    let build = [&["build"], WHOLE, &["--bin", "citybrain"]].concat();
    with_environment(".", env!("CARGO"), &build, &[("CARGO_PROFILE_DEV_OPT_LEVEL", "1")])
}

pub(crate) fn ci() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    tools::ensure()?;
    timed("lints", || {
        let deny = ["--", "-D", "warnings"];
        cargo(&[&["clippy"], WHOLE, &["--all-targets"], &deny].concat())?;
        // What runs only when it is named is not among all targets.
        cargo(&[&["clippy"], WHOLE, JOURNEYS, &deny].concat())?;
        cargo(&[&["clippy", "--workspace"][..], &deny].concat())
    })?;
    all(false)
}

/// Runs these of all tests, with these arguments for the test programs.
fn test(which: &[&str], arguments: &[&str]) -> anyhow::Result<()> {
    cargo(&[&["test"], WHOLE, which, &["--"], arguments].concat())
}

/// Does a part and says how long it took.
fn timed<T>(part: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let begun = Instant::now();
    let done = work();
    eprintln!("== {part}: {} s", begun.elapsed().as_secs());
    done
}
