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
}

fn main() -> anyhow::Result<()> {
    let Arguments { name, quick, idle } = Arguments::parse();
    if let Some(address) = idle {
        return bench::hold_idle_connections(address, name.parse()?);
    }
    let scale = if quick { Scale::Quick } else { Scale::Full };
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
