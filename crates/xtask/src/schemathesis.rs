//! Schemathesis against the running program, for every role: every answer is one that the API's
//! document describes, and none is a failure inside.
//!
//! It is a Python program; `tests/schemathesis/requirements.txt` pins it with all that it needs, and
//! it lives in `target/schemathesis`.

use crate::run::cargo;
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

/// Starts a city in the release build, which must be there, and runs schemathesis.
pub(crate) fn main(args: &Args) -> anyhow::Result<()> {
    let schemathesis = format!("{}/schemathesis", venv::ensure(FOLDER)?);
    let (examples, seed) = (args.max_examples.to_string(), args.seed.to_string());
    let mut line = vec!["run", "--quiet", "--package", "city-tests", "--bin", "schemathesis", "--"];
    line.extend(["--program", &schemathesis, "--max-examples", &examples, "--seed", &seed]);
    for role in &args.role {
        line.extend(["--role", role]);
    }
    cargo(&line)
}
