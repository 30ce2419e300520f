//! `citybrain receivers list | test`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::bail;
use city_model::Clock as _;
use clap::{Args, Subcommand};

use super::serve::runtime;
use crate::clock::SystemClock;
use crate::receivers::hint;
use crate::settings;

#[derive(Debug, Subcommand)]
pub(crate) enum ReceiversCommand {
    /// List the receivers that a configuration names.
    List {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Tell one receiver about an alert that begins and ends, marked as a test; says whether it took
    /// both. Needs no running citybrain.
    Test {
        /// The receiver's id.
        id: String,
        #[command(flatten)]
        config: ConfigFile,
    },
}

/// Where the receivers are described.
#[derive(Debug, Args)]
pub(crate) struct ConfigFile {
    /// The configuration file
    #[arg(long = "config", short = 'c', env = "CITYBRAIN_CONFIG", value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(command: &ReceiversCommand) -> anyhow::Result<()> {
    match command {
        ReceiversCommand::List { config } => list(&config.file),
        ReceiversCommand::Test { id, config } => test(id, &config.file),
    }
}

fn list(file: &Path) -> anyhow::Result<()> {
    let receivers = settings::load(file)?.receivers;
    if receivers.is_empty() {
        println!("{} names no receivers; alerts are shown on the dashboard only", file.display());
        return Ok(());
    }
    println!("{:<24} {:<14} {:<10} options", "id", "type", "severity");
    for receiver in &receivers {
        let state = receiver.check().err().unwrap_or_else(|| "good".to_owned());
        println!("{:<24} {:<14} {:<10} {state}", receiver.id, receiver.kind, receiver.severity);
    }
    Ok(())
}

fn test(id: &str, file: &Path) -> anyhow::Result<()> {
    let receivers = settings::load(file)?.receivers;
    let Some(receiver) = receivers.iter().find(|receiver| receiver.id == id) else {
        let ids: Vec<&str> = receivers.iter().map(|receiver| receiver.id.as_str()).collect();
        let known = if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
        bail!("{} has no receiver `{id}`; it has: {known}", file.display());
    };
    let began = Instant::now();
    match runtime()?.block_on(receiver.try_out(SystemClock.now())) {
        Ok(()) => {
            let took = began.elapsed().as_millis();
            println!("{id} ({}): took the test alert and its end in {took} ms", receiver.kind);
            println!("{id}：测试告警及其解除均已送达");
            Ok(())
        }
        Err(error) => bail!(
            "receiver `{id}` ({}) of {}: {error}\n  hint: {}",
            receiver.kind,
            file.display(),
            hint(receiver, &error),
        ),
    }
}
