//! InfluxDB's own server, built from source because no package registry has it as a binary.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use crate::run::{program, succeeds};

/// Builds it into the user's cache, unless it is there.
pub(crate) fn build() -> anyhow::Result<()> {
    ensure!(
        succeeds("go", &["version"]),
        "go is missing; install Go 1.24 or newer to build InfluxDB's server"
    );
    let cache = cache()?;
    std::fs::create_dir_all(&cache)
        .with_context(|| format!("{} cannot be made", cache.display()))?;
    program("tests/influxd", "./build.sh", &[&cache.display().to_string()])
}

/// Builds it for the tests if it can be built here; says whether tests that need it are skipped.
pub(crate) fn ensure() -> anyhow::Result<bool> {
    if succeeds("go", &["version"]) {
        build().map(|()| true)
    } else {
        eprintln!("go is missing: the tests against InfluxDB's own server will be SKIPPED");
        Ok(false)
    }
}

/// Where servers for the tests are kept: outside the repository, so that a fresh clone need not build
/// them again.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base =
        base.or_else(home).context("neither XDG_CACHE_HOME nor HOME says where to keep it")?;
    Ok(base.join("citybrain"))
}
