//! Power loss: what a disk may hold when the machine stops at any moment, worked out from the system
//! calls of a program that wrote to it.
//!
//! The program runs under `strace`. Its calls are played back on a [`disk::Disk`] that knows what is
//! surely there and what may be; stopped anywhere, that disk can be written out in one of the many
//! states in which it may have been found, and opened.

pub mod disk;
mod trace;
pub mod workload;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::ensure;

pub use trace::{Call, calls};

/// Runs a program that writes into a folder, and returns its calls in order.
pub fn record(program: &Path, folder: &Path, arguments: &[&str]) -> anyhow::Result<Vec<Call>> {
    let out: PathBuf = folder.with_extension("strace");
    let status = Command::new("strace")
        .args(["-xx", "-s", "10000000", "-o"])
        .arg(&out)
        .args(["-e", &format!("trace={}", trace::TRACED)])
        .arg(program)
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    ensure!(status.success(), "the traced program ended with {status}");
    let text = std::fs::read_to_string(&out)?;
    std::fs::remove_file(out)?;
    calls(&text)
}
