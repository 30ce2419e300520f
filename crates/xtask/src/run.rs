//! Runs other programs, showing what is run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail};

/// The repository's top folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Runs a program in a folder below the top; an exit code other than 0 is an error.
pub(crate) fn program(folder: &str, name: &str, arguments: &[&str]) -> anyhow::Result<()> {
    with_environment(folder, name, arguments, &[])
}

/// As [`program`], with further environment variables.
pub(crate) fn with_environment(
    folder: &str,
    name: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> anyhow::Result<()> {
    let line = format!("{name} {}", arguments.join(" "));
    eprintln!("── {line}");
    let started = Instant::now();
    let status = Command::new(name)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root().join(folder))
        .status()
        .with_context(|| format!("`{name}` cannot be started; is it installed?"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    eprintln!("── done in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Runs cargo at the top.
pub(crate) fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    program(".", env!("CARGO"), arguments)
}

/// Whether a program can be started with these arguments and succeeds, printing nothing.
pub(crate) fn succeeds(name: &str, arguments: &[&str]) -> bool {
    Command::new(name)
        .args(arguments)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
