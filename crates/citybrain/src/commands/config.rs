//! `citybrain config check | example`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::city::City;
use crate::settings;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read a configuration and every file that it names; report all problems.
    Check {
        /// The configuration file.
        file: PathBuf,
    },
    /// Print a complete configuration with comments.
    Example,
}

pub(crate) fn run(command: &ConfigCommand) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Example => print!("{}", settings::EXAMPLE),
        ConfigCommand::Check { file } => {
            let city = City::read(settings::load(file)?)?;
            for warning in &city.warnings {
                eprintln!("warning: {warning}");
            }
            println!(
                "{} is good: {} zones, {} devices, {} sources, {} rules",
                file.display(),
                city.seed.zones.zones().len(),
                city.devices.len(),
                city.sources.iter().count(),
                city.rules.rules().len(),
            );
        }
    }
    Ok(())
}
