//! `firmware-sim`: a simulated city, or load, for anything that takes MQTT.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a command line talks

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use firmware_sim::{Clock, Fleet, Load, Runner, Scenario, Span, Target};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
#[command(name = "firmware-sim", version, about = "A simulated city of devices that talk MQTT")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the devices of a scenario as JSON, for `citybrain devices import`.
    Devices(City),
    /// Print what really happens in a scenario as JSON: incidents, and faults of devices.
    Truth {
        #[command(flatten)]
        city: City,
        /// The start of the simulation, in RFC 3339; now if it is not given.
        #[arg(long)]
        start: Option<Timestamp>,
    },
    /// Publish what the devices of a scenario send.
    Run(Run),
    /// Publish at a wanted rate and say how late acknowledgements come.
    Load(LoadArgs),
}

#[derive(Args)]
struct City {
    /// The scenario's file (TOML).
    scenario: PathBuf,
    /// The zone file (GeoJSON), if not the one beside the scenario that it names.
    #[arg(long)]
    zones: Option<PathBuf>,
    /// So many times as many devices.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
}

#[derive(Args)]
struct Receiver {
    /// The broker or endpoint, as HOST:PORT.
    #[arg(long)]
    to: String,
    /// The user name there.
    #[arg(long, requires = "password_file")]
    user: Option<String>,
    /// The file that holds the password.
    #[arg(long, requires = "user")]
    password_file: Option<PathBuf>,
    /// How many connections share the work.
    #[arg(long, default_value_t = 16)]
    connections: usize,
}

#[derive(Args)]
struct Run {
    #[command(flatten)]
    city: City,
    #[command(flatten)]
    receiver: Receiver,
    /// For how long of the city's time, such as 10m; until Ctrl-C if it is not given.
    #[arg(long = "for", value_parser = span)]
    time: Option<Span>,
    /// How fast time goes. Faster than 1 it begins so long ago that it ends now: give --for, too.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Where to write what really happens.
    #[arg(long)]
    truth: Option<PathBuf>,
}

#[derive(Args)]
struct LoadArgs {
    #[command(flatten)]
    receiver: Receiver,
    /// Messages a second.
    #[arg(long)]
    rate: f64,
    /// For how long, such as 30s.
    #[arg(long = "for", value_parser = span, default_value = "30s")]
    time: Span,
    /// How many devices send.
    #[arg(long, default_value_t = 1_000)]
    devices: usize,
    /// The topic; `{device}` is a device's number.
    #[arg(long, default_value = "city/load/load/load-{device}/up")]
    topic: String,
    /// The payload; `{device}`, `{time}` and `{value}` change from message to message.
    #[arg(long, default_value = r#"{"ts":"{time}","data":{"temperature":{value}}}"#)]
    payload: String,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

fn span(text: &str) -> Result<Span, String> {
    let read: Result<Span, serde_json::Error> =
        serde_json::from_value(serde_json::Value::String(text.to_owned()));
    read.map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Devices(city) => print(city.fleet(Timestamp::now())?.devices()),
        Command::Truth { city, start } => {
            print(&city.fleet(start.unwrap_or_else(Timestamp::now))?.truth())
        }
        Command::Run(run) => runtime()?.block_on(run.run()),
        Command::Load(load) => runtime()?.block_on(load.run()),
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

fn print(value: &(impl serde::Serialize + ?Sized)) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match serde_json::to_writer_pretty(&mut out, value).map_err(std::io::Error::from) {
        // Whoever reads may have enough, as `head` does.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written.and_then(|()| writeln!(out))?),
    }
}

impl City {
    fn fleet(&self, start: Timestamp) -> anyhow::Result<Fleet> {
        if !(self.scale.is_finite() && self.scale > 0.0) {
            bail!("--scale {} makes no city; give a number above 0, such as 0.1 or 50", self.scale);
        }
        let (scenario, zones) = match &self.zones {
            None => Scenario::load(&self.scenario)?,
            Some(zones) => {
                let what = format!("`{}`", self.scenario.display());
                (Scenario::parse(&what, &read(&self.scenario)?)?, read(zones)?)
            }
        };
        Ok(Fleet::new(&scenario.scaled(self.scale), &zones, start)?)
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

impl Receiver {
    fn target(&self) -> anyhow::Result<Target> {
        let wrong =
            || format!("--to {} is no address; give HOST:PORT, such as 127.0.0.1:1883", self.to);
        let (host, port) = self.to.rsplit_once(':').with_context(wrong)?;
        let mut target = Target::new(host, port.parse().with_context(wrong)?);
        if let (Some(user), Some(file)) = (&self.user, &self.password_file) {
            target = target.with_credentials(user, read(file)?.trim_end());
        }
        target.connections = self.connections.max(1);
        Ok(target)
    }
}

impl Run {
    async fn run(self) -> anyhow::Result<()> {
        let target = self.receiver.target()?;
        if !(self.speed.is_finite() && self.speed > 0.0) {
            bail!("--speed {} is not a speed; give a number above 0", self.speed);
        }
        let start = match self.time {
            Some(time) if self.speed > 1.0 => Timestamp::now() - time.duration(),
            None if self.speed > 1.0 => {
                bail!("faster than real time the city would run into the future; give --for, too")
            }
            _ => Timestamp::now(),
        };
        let fleet = Arc::new(self.city.fleet(start)?);
        if let Some(path) = &self.truth {
            std::fs::write(path, serde_json::to_string_pretty(&fleet.truth())?)
                .with_context(|| format!("{} cannot be written", path.display()))?;
        }
        let stop = CancellationToken::new();
        let (end, real) = (stop.clone(), self.time.map(|t| t.duration().div_f64(self.speed)));
        tokio::spawn(async move {
            let time = async {
                match real {
                    Some(time) => tokio::time::sleep(time).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = time => {}
                // Without a way to hear of Ctrl-C it ends as any program does.
                Ok(()) = tokio::signal::ctrl_c() => {}
            }
            end.cancel();
        });
        eprintln!("{} devices send to {}", fleet.devices().len(), self.receiver.to);
        let runner = Runner::new(fleet, target).clock(Clock::from(start, self.speed));
        let report = runner.run(stop).await;
        println!(
            "{} messages acknowledged with {} readings; {} gave way in a full store, {} unsent",
            report.acknowledged, report.readings, report.dropped, report.unsent
        );
        Ok(())
    }
}

impl LoadArgs {
    async fn run(self) -> anyhow::Result<()> {
        if !(self.rate.is_finite() && self.rate > 0.0) {
            bail!("--rate {} is not a rate; give messages a second, such as 1000", self.rate);
        }
        let load = Load {
            target: self.receiver.target()?,
            rate: self.rate,
            time: self.time.duration(),
            devices: self.devices.max(1),
            topic: self.topic,
            payload: self.payload,
        };
        let report = load.run().await;
        if self.json {
            print(&report)?;
        } else {
            let delays = report.delay_ms;
            println!(
                "{} of {} messages acknowledged, {:.0} a second\n\
                 from when each ought to leave to its acknowledgement, in ms: p50 {:.2}, p90 {:.2}, \
                 p99 {:.2}, p99.9 {:.2}, latest {:.2}",
                report.acknowledged,
                report.wanted,
                report.rate,
                delays.p50,
                delays.p90,
                delays.p99,
                delays.p999,
                delays.max
            );
        }
        if report.failures.is_empty() {
            return Ok(());
        }
        let failures = report.failures.iter();
        let failures: Vec<_> = failures.map(|(why, n)| format!("{n} connections: {why}")).collect();
        bail!("{}", failures.join("; "))
    }
}
