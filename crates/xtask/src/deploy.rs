//! The files of `deploy/`, each checked by the tool that reads it, and tried with the program.

use crate::run::{cargo, program, with_environment};
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

/// Where the program is.
const CITYBRAIN: &str = "target/release/citybrain";

const BUILD: &[&str] =
    &["build", "--release", "--package", "citybrain", "--features", "citybrain/bus"];

/// Builds the program optimized as far as does not take long.
pub(crate) fn build_program_soon() -> anyhow::Result<()> {
    let soon = [
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
        ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ];
    with_environment(".", env!("CARGO"), BUILD, &soon)
}

/// Builds the program as it ships and does it with that.
pub(crate) fn main(args: &Args) -> anyhow::Result<()> {
    cargo(BUILD)?;
    run(args)
}

/// Does it with the program that is there.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let python = format!("{}/python", venv::ensure(FOLDER)?);
    for script in ["check.py", "proxy.py"] {
        program(".", &python, &[&format!("{FOLDER}/{script}"), CITYBRAIN])?;
    }
    if args.bare {
        program(".", &format!("{FOLDER}/bare_install.sh"), &[CITYBRAIN, "target/deploy-bare"])?;
    }
    Ok(())
}
