//! NATS's own server, built from source because no package registry of ours has it as a binary.

use anyhow::ensure;

use crate::influxd::cache;
use crate::run::{program, succeeds};

/// Builds it into the user's cache, unless it is there.
pub(crate) fn build() -> anyhow::Result<()> {
    ensure!(
        succeeds("go", &["version"]),
        "go is missing; install Go 1.25 or newer to build NATS's server"
    );
    program("tests/nats", "./build.sh", &[&cache()?.display().to_string()])
}

/// Builds it for the tests if it can be built here; says whether tests that need it are skipped.
pub(crate) fn ensure() -> anyhow::Result<bool> {
    if succeeds("go", &["version"]) {
        build().map(|()| true)
    } else {
        eprintln!("go is missing: the tests against NATS's own server will be SKIPPED");
        Ok(false)
    }
}
