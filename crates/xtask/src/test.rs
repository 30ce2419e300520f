//! All tests, in the order of how soon they tell something.

use std::time::Instant;

use crate::run::{cargo, program};
use crate::{deploy, fuzz, influxd, nats, schemathesis, tools, web};

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
    timed("tests", || cargo(&["test", "--workspace"]))?;
    timed("the bus with three servers", || {
        let slow = ["test", "--package", "city-bus", "--features", "slow", "--test", "it"];
        cargo(&[&slow[..], &["--", "cluster::", "--test-threads=1"]].concat())
    })?;
    timed("fuzzing", || fuzz::main(&fuzz::Args::short()))?;
    // The slow journeys drive the program as it ships: the release build, with the bus.
    timed("the release build", || cargo(&["build", "--release", "--features", "bus"]))?;
    timed("journeys", || {
        cargo(&["test", "--package", "city-tests", "--features", "slow", "--", "--test-threads=1"])
    })?;
    timed("the dashboard's journeys", || {
        let journeys = ["test", "--package", "city-tests", "--features", "slow"];
        let several = ["--test", "dashboard", "--", "--ignored", "--test-threads=3"];
        cargo(&[&journeys[..], &several].concat())
    })?;
    timed("deployment files", || deploy::main(&deploy::Args::short()))?;
    timed("schemathesis", || schemathesis::main(&schemathesis::Args::short()))?;
    if with_influxd && with_nats {
        eprintln!("all tests passed");
    } else {
        eprintln!(
            "all tests passed, but those against InfluxDB's and NATS's servers were SKIPPED: no go"
        );
    }
    Ok(())
}

pub(crate) fn ci() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    tools::ensure()?;
    let slow = "city-tests/slow,city-bus/slow,citybrain/bus";
    timed("lints", || {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            slow,
            "--",
            "-D",
            "warnings",
        ])
    })?;
    all(false)
}

/// Does a part and says how long it took.
fn timed<T>(part: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let begun = Instant::now();
    let done = work();
    eprintln!("== {part}: {} s", begun.elapsed().as_secs());
    done
}
