//! `citybrain devices import | export`, through the running program.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;

use super::DataDir;
use super::client::Client;

#[derive(Debug, Subcommand)]
pub(crate) enum DevicesCommand {
    /// Add devices from a JSON file, or change those whose id is known.
    Import {
        /// A JSON array of devices.
        file: PathBuf,
        #[command(flatten)]
        data: DataDir,
    },
    /// Print all devices as JSON that can be imported again.
    Export {
        #[command(flatten)]
        data: DataDir,
    },
}

pub(crate) fn run(command: &DevicesCommand) -> anyhow::Result<()> {
    match command {
        DevicesCommand::Import { file, data } => {
            let name = file.display().to_string();
            let text =
                std::fs::read_to_string(file).with_context(|| format!("{name} cannot be read"))?;
            let entries = city_registry::read_devices(&name, &text)?;
            let report = Client::connect(data)?
                .post("/api/v1/devices/import", &serde_json::to_value(&entries)?)?;
            println!(
                "{} added, {} changed, {} unchanged",
                report["added"], report["changed"], report["unchanged"]
            );
        }
        DevicesCommand::Export { data } => {
            let devices = Client::connect(data)?.get("/api/v1/devices/export", &[])?;
            println!("{}", serde_json::to_string_pretty(&devices)?);
        }
    }
    Ok(())
}
