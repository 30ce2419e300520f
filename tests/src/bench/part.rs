//! Parts of benchmarks that run as processes of their own, so that what they take of memory and
//! processor is theirs alone, and so that they can be killed.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, anyhow, ensure};
use serde::de::DeserializeOwned;

use super::Scale;

/// Runs a part in a folder.
pub type Part = fn(Scale, &Path) -> anyhow::Result<()>;

/// All parts by name, of one benchmark after the other.
pub static PARTS: &[&[(&str, Part)]] = &[super::alerts::PARTS, super::store::PARTS];

/// A part that runs; killed when dropped.
pub(super) struct Running {
    name: &'static str,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub(super) fn start(name: &'static str, scale: Scale, folder: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(name).arg("--part").arg(folder);
        if scale == Scale::Quick {
            command.arg("--quick");
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Self { name, child, lines })
    }

    /// The next line that it says; `None` once it has ended.
    pub(super) fn line(&mut self) -> anyhow::Result<Option<String>> {
        Ok(self.lines.next().transpose()?)
    }

    /// Kills it at once.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        Ok(())
    }

    /// What it says in its last line.
    pub(super) fn finish<T: DeserializeOwned>(mut self) -> anyhow::Result<T> {
        let mut last = String::new();
        while let Some(line) = self.line()? {
            last = line;
        }
        let status = self.child.wait()?;
        ensure!(status.success(), "{} failed: {status}", self.name);
        serde_json::from_str(&last).map_err(|e| anyhow!("{} said {last:?}: {e}", self.name))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A new folder beside what is built, so on a real disk; it goes when dropped.
pub(super) fn disk_folder() -> anyhow::Result<tempfile::TempDir> {
    let target = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench"));
    std::fs::create_dir_all(&target)?;
    Ok(tempfile::Builder::new().prefix("run-").tempdir_in(target.canonicalize()?)?)
}

/// Bytes of a file, or of all files in a folder.
pub(super) fn bytes_in(path: &Path) -> u64 {
    let Ok(metadata) = std::fs::metadata(path) else { return 0 };
    if metadata.is_file() {
        return metadata.len();
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| bytes_in(&entry.path())).sum()
}

/// A line of `/proc/PID/status` in megabytes, such as `VmHWM`.
pub(super) fn memory_mb(process: u32, line: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let found = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    let kb = found.and_then(|text| text.split_whitespace().next());
    Ok(kb.with_context(|| format!("no {line}"))?.parse::<f64>()? * 1024.0 / 1e6)
}
