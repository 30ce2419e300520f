//! A release: the program, packed with its files, manual pages and bill of materials, and checksums.

use std::fs;

use crate::run::{cargo, program, root};
use crate::sbom;

/// Where it is written, from the top.
const FOLDER: &str = "target/release-archive";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Build for this target; `x86_64-unknown-linux-musl` gives a static program, and needs that target
    /// (rustup target add) and musl-gcc (Debian: musl-tools).
    #[arg(long, default_value = env!("HOST"))]
    target: String,
}

pub(crate) fn main(args: &Args) -> anyhow::Result<()> {
    let target = &args.target;
    cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "citybrain",
        "--features",
        "bus",
        "--target",
        target,
    ])?;
    let folder = root().join(FOLDER);
    fs::create_dir_all(&folder)?;
    let bill = folder.join("citybrain.cdx.json");
    fs::write(&bill, sbom::bill("citybrain", target)?)?;
    let built = format!("target/{target}/release/citybrain");
    program(".", "deploy/package.sh", &[&built, FOLDER, &bill.display().to_string()])
}
