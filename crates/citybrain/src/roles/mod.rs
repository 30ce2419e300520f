//! One city as several processes on a bus: collectors, alert workers, and brains.
//!
//! All of them follow the city's own state, which the first brain puts on the bus. A process that
//! loses its copy of it, or its place, ends with a message; whatever started it starts it again,
//! and it makes its copy anew.

mod alert;
mod brain;
mod collect;
mod forward;
mod node;
mod status;

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use clap::ValueEnum;

use crate::city::City;
use crate::run_file::RunFile;
use crate::settings::{BusSettings, Problem, Problems, check_roles};

/// What a process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Everything, in one process, without a bus
    #[default]
    All,
    /// Take messages from devices and commit them to the bus
    Collect,
    /// Evaluate the rules over a share of the devices
    Alert,
    /// Keep the history, answer people and programs, tell receivers of alerts
    Brain,
}

impl Role {
    /// Its name in the settings, the log and the figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Collect => "collect",
            Self::Alert => "alert",
            Self::Brain => "brain",
        }
    }
}

/// Runs a process of a city on a bus until it is told to stop.
pub(crate) async fn run(role: Role, city: City) -> anyhow::Result<()> {
    let bus = bus(role, &city)?;
    match role {
        Role::All => anyhow::bail!("the role `all` knows no bus"),
        Role::Collect => Box::pin(collect::run(city, bus)).await,
        Role::Alert => Box::pin(alert::run(city, bus)).await,
        Role::Brain => Box::pin(brain::run(city, bus)).await,
    }
}

/// Says in a data folder what runs on it, for as long as this lives.
struct Running<'a>(&'a Path);

impl<'a> Running<'a> {
    fn note(role: Role, data_dir: &'a Path, http: SocketAddr) -> anyhow::Result<Self> {
        let role = Some(role.name().to_owned());
        let note = RunFile { process: std::process::id(), http, token: String::new(), role };
        note.write(data_dir).context("running.json cannot be written")?;
        Ok(Self(data_dir))
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        RunFile::remove(self.0);
    }
}

/// One line of JSON for programs that wait for the start.
#[allow(clippy::print_stdout)] // a command line talks
fn announce_ready(http: SocketAddr, mqtt: Option<SocketAddr>) {
    if std::env::var_os("CITYBRAIN_READY_LINE").is_some() {
        println!("READY {}", serde_json::json!({ "http": http, "mqtt": mqtt }));
    }
}

fn bus(role: Role, city: &City) -> Result<BusSettings, Problems> {
    let mut problems = Vec::new();
    check_roles(&city.settings, &mut problems);
    let bus = city.settings.bus.clone();
    if bus.is_none() {
        let hint = "see [bus] of `citybrain config example`";
        let message = format!("there is none, and the role `{}` needs one", role.name());
        problems.push(Problem::new("bus", message, hint));
    }
    match bus {
        Some(bus) if problems.is_empty() => Ok(bus),
        _ => Err(Problems(problems)),
    }
}
