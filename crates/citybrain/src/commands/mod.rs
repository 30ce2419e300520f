//! The command line.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a command line talks

mod audit;
mod backtest;
mod backup;
mod client;
mod codec;
mod config;
mod copy;
mod credentials;
mod dead_letters;
mod demo;
mod devices;
mod doctor;
mod explain;
mod formats;
mod influx;
mod metrics;
mod receivers;
mod replay;
mod report;
mod rules;
mod rules_export;
mod serve;
mod shell;
mod store;
mod token;
mod user;
mod zones;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use city_store::StateDb;
use clap::{Args, Parser, Subcommand};

use crate::settings::default_data_dir;

#[cfg(feature = "bus")]
pub(crate) use serve::{announce_app, until_told_to_stop};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "citybrain",
    version,
    about = "An on-premises smart-city sensor platform: devices in by MQTT, a live map and alerts out.",
    after_help = "Start with: citybrain demo"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a living city on this machine: everything starts, with a simulated fleet.
    Demo(demo::DemoArgs),
    /// Run a city from a configuration file.
    Serve(serve::ServeArgs),
    /// Publish recorded data over MQTT at a chosen speed.
    Replay(replay::ReplayArgs),
    /// Check a configuration, or print a complete example.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Show the payload formats with examples, and try one on a message.
    Formats(formats::FormatsArgs),
    /// Check and test rule files.
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// List the receivers of alerts, and try one.
    #[command(subcommand)]
    Receivers(receivers::ReceiversCommand),
    /// See messages that could not become readings, and replay them after a fix.
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLettersCommand),
    /// Try the codec files of devices.
    #[command(subcommand)]
    Codec(codec::CodecCommand),
    /// Import and export the device registry; accept devices that call.
    #[command(subcommand)]
    Devices(devices::DevicesCommand),
    /// Say what the names mean that devices use for metrics.
    #[command(subcommand)]
    Metrics(metrics::MetricsCommand),
    /// Tokens, passwords and certificates of devices.
    #[command(subcommand)]
    Credentials(credentials::CredentialsCommand),
    /// What was received on a day and what became of it.
    #[command(subcommand)]
    Report(report::ReportCommand),
    /// Check zone files before they are used; make the running program read them again.
    #[command(subcommand)]
    Zones(zones::ZonesCommand),
    /// Copy everything that must survive, while the program runs or stands still; check a backup.
    Backup(backup::BackupArgs),
    /// Bring a city back from a backup.
    Restore(backup::RestoreArgs),
    /// Look at everything that a city needs, and say what is wrong and what to do. Exit code 0: all is
    /// well; 1: something should be looked at; 2: something must be mended.
    Doctor(doctor::DoctorArgs),
    /// Check what is stored.
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Prepare an InfluxDB server as the store.
    #[command(subcommand)]
    Influx(influx::InfluxCommand),
    /// Check the audit log, and write it out.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Make and revoke access tokens.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Add people who log in, say what they may do, and give them passwords.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Print what a shell reads to complete commands.
    Completions(shell::CompletionsArgs),
    /// Write manual pages.
    Man(shell::ManArgs),
}

/// Where the data are.
#[derive(Clone, Debug, Args)]
pub(crate) struct DataDir {
    /// The data folder [default: data_dir of the configuration, or the user's data folder]
    #[arg(long, env = "CITYBRAIN_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

impl DataDir {
    /// The state database that is there, for commands that work also while the program runs or does
    /// not start.
    pub(crate) fn state(&self) -> anyhow::Result<Arc<StateDb>> {
        let folder = self.data_dir.clone().unwrap_or_else(default_data_dir);
        let path = folder.join("state.db");
        anyhow::ensure!(
            path.exists(),
            "{} is not there; give the data folder with --data-dir",
            path.display()
        );
        anyhow::ensure!(
            !folder.join(crate::run_file::ON_A_BUS).exists(),
            "{} is a copy of the state of a city on a bus, which a change here would not reach; use \
             the dashboard or the API of its brain",
            path.display()
        );
        let state = StateDb::open(&path).with_context(|| path.display().to_string())?;
        Ok(Arc::new(state))
    }
}

/// Addresses, where the defaults do not fit.
#[derive(Clone, Debug, Args)]
pub(crate) struct Listen {
    /// Where the dashboard and the API listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
    /// Where devices connect with MQTT; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    mqtt: Option<SocketAddr>,
}

/// The threads without which nothing works. Nothing that was acknowledged is lost when the
/// process ends, and the next start goes on from there, so a process that limps on without one of
/// them is the worse choice.
const VITAL_THREADS: &[&str] = &["pipeline", "commit", "influxdb", "leases"];

/// What the names of further threads begin with without which nothing works.
const VITAL_KINDS: &[&str] = &["alerts", "bus-"];

fn is_vital(thread: &str) -> bool {
    VITAL_THREADS.contains(&thread) || VITAL_KINDS.iter().any(|kind| thread.starts_with(kind))
}

/// The exit code after a panic of a vital thread (EX_SOFTWARE of sysexits.h).
const BROKEN: i32 = 70;

fn die_with_vital_threads() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        if city_rules::kinds::is_computing() {
            return; // caught: the formula of a rule has no result
        }
        if std::thread::current().name().is_some_and(is_vital) {
            eprintln!("citybrain: this is a bug; the process ends so that it can be started again");
            std::process::exit(BROKEN);
        }
    }));
}

/// Runs a command.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    die_with_vital_threads();
    match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Config(command) => config::run(&command),
        Command::Formats(args) => formats::run(&args),
        Command::Rules(command) => rules::run(&command),
        Command::Receivers(command) => receivers::run(&command),
        Command::DeadLetters(command) => dead_letters::run(&command),
        Command::Codec(command) => codec::run(&command),
        Command::Devices(command) => devices::run(&command),
        Command::Metrics(command) => metrics::run(&command),
        Command::Credentials(command) => credentials::run(&command),
        Command::Report(command) => report::run(&command),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => backup::bring_back(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Store(command) => store::run(&command),
        Command::Influx(command) => influx::run(&command),
        Command::Zones(command) => zones::run(&command),
        Command::Audit(command) => audit::run(&command),
        Command::Token(command) => token::run(&command),
        Command::User(command) => user::run(&command),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    }
}
