//! Schemathesis against the running program, for every role: every answer is one that the API's
//! document describes, and none is a failure inside.
//!
//! It is a Python program; `tests/schemathesis/requirements.txt` pins it with all that it needs, and
//! it lives in `target/schemathesis`.

use crate::run::{cargo, program};
use crate::venv;

/// Where all that belongs to it is, from the top.
const FOLDER: &str = "tests/schemathesis";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only as this role; all if missing.
    #[arg(long)]
    role: Vec<String>,
    /// Requests made up for each operation and phase.
    #[arg(long, default_value_t = 50)]
    max_examples: u32,
    /// The seed of what is made up.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Args {
    /// What continuous integration has time for: some three minutes.
    pub(crate) fn short() -> Self {
        Self { role: Vec::new(), max_examples: 4, seed: 1 }
    }
}

/// Builds what it needs and does it.
pub(crate) fn main(args: &Args) -> anyhow::Result<()> {
    cargo(&["build", "--package", "city-tests", "--bin", "schemathesis"])?;
    cargo(&["build", "--release"])?;
    run(args)
}

/// Starts a city and runs schemathesis; both programs must be there.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let schemathesis = format!("{}/schemathesis", venv::ensure(FOLDER)?);
    let (examples, seed) = (args.max_examples.to_string(), args.seed.to_string());
    let mut line = vec!["--program", &schemathesis, "--max-examples", &examples, "--seed", &seed];
    for role in &args.role {
        line.extend(["--role", role]);
    }
    program(".", "target/debug/schemathesis", &line)
}
