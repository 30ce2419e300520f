//! Schemathesis at any size, for people: `cargo xtask schemathesis`.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a command line talks

use std::path::PathBuf;

use city_tests::schemathesis::{Options, ROLES, run};
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// The program `schemathesis`.
    #[arg(long)]
    program: PathBuf,
    /// Only as this role.
    #[arg(long)]
    role: Vec<String>,
    /// Requests made up for each operation and phase.
    #[arg(long, default_value_t = 50)]
    max_examples: u32,
    /// The seed of what is made up.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { program, role, max_examples, seed } = Arguments::parse();
    for role in &role {
        anyhow::ensure!(ROLES.contains(&role.as_str()), "roles are {}", ROLES.join(", "));
    }
    let roles = ROLES.iter().copied();
    let roles = roles.filter(|known| role.is_empty() || role.iter().any(|role| role == known));
    run(&Options { program, roles: roles.collect(), max_examples, seed }).await
}
