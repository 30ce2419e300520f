//! All tests, in the order of how soon they tell something.

use crate::run::{cargo, program};
use crate::{fuzz, influxd, schemathesis, tools, web};

pub(crate) fn all(quick: bool) -> anyhow::Result<()> {
    if quick {
        // The collector's journeys need a real broker.
        cargo(&["test", "--workspace", "--exclude", "city-collect"])?;
        return cargo(&["test", "--package", "city-collect", "--lib"]);
    }
    tools::ensure()?;
    let with_influxd = influxd::ensure()?;
    program("dashboards/web", "npm", &["run", "check"])?;
    program("dashboards/web", "npm", &["test"])?;
    web::build(true)?;
    cargo(&["test", "--workspace"])?;
    fuzz::main(&fuzz::Args::short())?;
    // The slow journeys drive the program as it ships: the release build.
    cargo(&["build", "--release"])?;
    cargo(&["test", "--package", "city-tests", "--features", "slow", "--", "--test-threads=1"])?;
    schemathesis::main(&schemathesis::Args::short())?;
    if with_influxd {
        eprintln!("all tests passed");
    } else {
        eprintln!("all tests passed, but those against InfluxDB's server were SKIPPED: no go");
    }
    Ok(())
}

pub(crate) fn ci() -> anyhow::Result<()> {
    cargo(&["fmt", "--all", "--check"])?;
    tools::ensure()?;
    let slow = "city-tests/slow";
    cargo(&["clippy", "--workspace", "--all-targets", "--features", slow, "--", "-D", "warnings"])?;
    all(false)
}
