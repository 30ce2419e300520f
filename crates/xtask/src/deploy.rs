//! The files of `deploy/`, each checked by the tool that reads it, and tried with the program.

use crate::run::program;
use crate::venv;

/// Where the checks are, from the top.
const FOLDER: &str = "tests/deploy";
/// The release build, which must be there.
const PROGRAM: &str = "target/release/citybrain";

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

pub(crate) fn main(args: &Args) -> anyhow::Result<()> {
    let python = format!("{}/python", venv::ensure(FOLDER)?);
    for script in ["check.py", "proxy.py"] {
        program(".", &python, &[&format!("{FOLDER}/{script}"), PROGRAM])?;
    }
    if args.bare {
        program(".", &format!("{FOLDER}/bare_install.sh"), &[PROGRAM, "target/deploy-bare"])?;
    }
    Ok(())
}
