//! Journeys in a real browser: the scripts of `tests/browser` against a program that runs.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::instance::Instance;

const TOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The demo with a folder of its own.
#[derive(Debug)]
pub struct Demo {
    folder: TempDir,
    /// The running program.
    pub instance: Instance,
}

impl Demo {
    /// Starts it in a new folder.
    pub fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let instance = demo(&folder.path().join("data"))?;
        Ok(Self { folder, instance })
    }

    /// Its folder, with its data in `data`, and the running program.
    pub fn into_parts(self) -> (TempDir, Instance) {
        (self.folder, self.instance)
    }

    /// Where browsers find it.
    pub fn url(&self) -> String {
        format!("http://{}", self.instance.ready.http)
    }

    /// Walks a script through it, as whoever has all rights.
    pub async fn walk(&self, script: &str) -> anyhow::Result<()> {
        walk(script, &[&self.url(), &self.instance.ready.token]).await
    }
}

/// Starts the demo in this folder.
pub fn demo(data: &Path) -> anyhow::Result<Instance> {
    let (data, free) = (data.display().to_string(), "127.0.0.1:0");
    Instance::start(&["demo", "--data-dir", &data, "--http", free, "--mqtt", free, "--no-color"])
}

/// Runs `tests/browser/SCRIPT.mjs` with these arguments and the folder for its pictures.
pub async fn walk(script: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new("node");
    command.arg(format!("tests/browser/{script}.mjs")).args(arguments).arg("tests/artefacts");
    command.current_dir(TOP);
    let status = tokio::task::spawn_blocking(move || command.status()).await?;
    let status = status.context("node cannot be started")?;
    ensure!(status.success(), "the journey `{script}` failed; see tests/artefacts");
    Ok(())
}
