//! The files of `deploy/`, each checked by the tool that reads it, and tried with the program.

use crate::run::{cargo, program};
use crate::venv;

/// Where the checks are, from the top.
const FOLDER: &str = "tests/deploy";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also install the release archive on a bare Debian and boot that: needs root, Debian's packages
    /// debootstrap and systemd-container, and some minutes.
    #[arg(long)]
    bare: bool,
}

impl Args {
    /// What continuous integration has the rights for.
    pub(crate) fn short() -> Self {
        Self { bare: false }
    }
}

/// Where the program is as it ships.
const SHIPS: &str = "target/release/citybrain";

/// Builds the program as it ships and does it with that.
pub(crate) fn main(args: &Args) -> anyhow::Result<()> {
    cargo(&["build", "--release", "--package", "citybrain", "--features", "citybrain/bus"])?;
    run(args, SHIPS)
}

/// Does it with a program that is there.
pub(crate) fn run(args: &Args, citybrain: &str) -> anyhow::Result<()> {
    let python = format!("{}/python", venv::ensure(FOLDER)?);
    for script in ["check.py", "proxy.py"] {
        program(".", &python, &[&format!("{FOLDER}/{script}"), citybrain])?;
    }
    if args.bare {
        program(".", &format!("{FOLDER}/bare_install.sh"), &[citybrain, "target/deploy-bare"])?;
    }
    Ok(())
}
