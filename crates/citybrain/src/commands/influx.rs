//! `citybrain influx setup`.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use city_store::Secret;
use city_store::influxdb::{SetupWanted, setup};
use clap::Subcommand;

use super::serve::runtime;
use crate::settings::{self, Problems};

#[derive(Debug, Subcommand)]
pub(crate) enum InfluxCommand {
    /// Make the buckets and the tasks that the configuration describes, and change those that are
    /// different. Deletes nothing; doing it again changes nothing. The token must be allowed to do
    /// it: an operator's or an all-access token.
    Setup {
        /// The configuration file.
        #[arg(long, short, env = "CITYBRAIN_CONFIG", value_name = "FILE")]
        config: PathBuf,
        /// The first user of a server that nobody has set up; the token of the configuration becomes
        /// this user's.
        #[arg(long, requires = "password_file")]
        username: Option<String>,
        /// A file with that user's password in its first line, 8 to 72 characters.
        #[arg(long, value_name = "FILE", requires = "username")]
        password_file: Option<PathBuf>,
    },
}

pub(crate) fn run(command: &InfluxCommand) -> anyhow::Result<()> {
    let InfluxCommand::Setup { config, username, password_file } = command;
    let settings = settings::load(config)?;
    let Some(influxdb) = &settings.store.influxdb else {
        bail!("{} has no [store.influxdb]; `citybrain config example` shows it", config.display());
    };
    let options = influxdb
        .options(crate::store::local(&settings.store))
        .map_err(|problem| Problems(vec![problem]))?;
    let first_user = username.clone().zip(password_file.as_ref());
    let first_user = first_user
        .map(|(username, file)| {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("{} cannot be read", file.display()))?;
            let password = text.lines().next().unwrap_or_default();
            anyhow::Ok((username, Secret::new(password)))
        })
        .transpose()?;
    let wanted = SetupWanted {
        retention: settings.store.retention,
        retention_15m: influxdb.retention_15m,
        retention_1h: influxdb.retention_1h,
        first_user,
    };
    for done in runtime()?.block_on(setup(&options, &wanted))? {
        println!("{:8} {}", if done.changed { "changed" } else { "as it is" }, done.what);
    }
    Ok(())
}
