//! Benchmarks, run by `cargo xtask bench NAME`.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a command line talks

use city_tests::bench::{self, Scale};
use clap::Parser;

#[derive(Parser)]
struct Arguments {
    /// The benchmark.
    name: String,
    /// Once and small.
    #[arg(long)]
    quick: bool,
    /// Hold as many idle connections as the name says, until the standard input ends.
    #[arg(long, hide = true)]
    idle: Option<std::net::SocketAddr>,
    /// Run the part of a benchmark that the name says, in this folder.
    #[arg(long, hide = true)]
    part: Option<std::path::PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let Arguments { name, quick, idle, part } = Arguments::parse();
    if let Some(address) = idle {
        return bench::hold_idle_connections(address, name.parse()?);
    }
    let scale = if quick { Scale::Quick } else { Scale::Full };
    if let Some(folder) = part {
        let known = bench::PARTS.iter().copied().flatten().find(|(known, _)| *known == name);
        let (_, run) = known.ok_or_else(|| anyhow::anyhow!("there is no part `{name}`"))?;
        return run(scale, &folder);
    }
    let (_, run) = bench::BENCHES.iter().find(|(known, _)| *known == name).ok_or_else(|| {
        let known: Vec<_> = bench::BENCHES.iter().map(|(known, _)| *known).collect();
        anyhow::anyhow!("there is no benchmark `{name}`; there are: {}", known.join(", "))
    })?;
    let report = run(scale)?;
    print!("{report}");
    let file = report.write()?;
    println!("written to {}", file.display());
    Ok(())
}
