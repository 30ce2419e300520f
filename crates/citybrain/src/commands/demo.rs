//! `citybrain demo`: everything on one machine, with a simulated fleet.

use std::io::IsTerminal as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use city_api::Mode;
use clap::Args;
use firmware_sim::{Fleet, Runner, Scenario, Target};
use tokio_util::sync::CancellationToken;

use super::serve::{announce_ready, apply, to_the_end, until_told_to_stop};
use super::{DataDir, Listen};
use crate::app::App;
use crate::city::City;
use crate::logging::{self, LogLevel, LogSettings};
use crate::sample;
use crate::settings::{self, Settings, default_data_dir};

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// A scenario of your own instead of Chicago's (TOML; see firmware-sim/scenarios).
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    #[command(flatten)]
    data: DataDir,
    #[command(flatten)]
    listen: Listen,
    /// Print without colours.
    #[arg(long)]
    no_color: bool,
}

pub(crate) fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let say = Say::new("citybrain demo", args.no_color);
    logging::start(&LogSettings { level: QUIET, ..LogSettings::default() })?;
    let folder = args.data.data_dir.clone().unwrap_or_else(|| default_data_dir().join("demo"));
    say.step("making the city");
    let unpacked = sample::unpack(sample::CHICAGO, &folder.join("city"))?;
    let zone_file = unpacked.folder.join("zones.geojson");
    let (scenario, zones) = match &args.scenario {
        Some(file) => Scenario::load(file)?,
        None => (Scenario::chicago(), std::fs::read_to_string(&zone_file)?),
    };
    std::fs::write(&zone_file, &zones)?;
    let clock = firmware_sim::Clock::wall();
    let fleet = Arc::new(Fleet::new(&scenario, &zones, clock.now())?);
    let devices = serde_json::to_string(fleet.devices())?;
    std::fs::write(unpacked.folder.join("devices.json"), devices)?;

    let mut settings = settings::load(&unpacked.config)?;
    name_kinds(&mut settings, &fleet)?;
    settings.data_dir = folder;
    apply(&mut settings, &DataDir { data_dir: None }, &args.listen);
    let listen = &args.listen;
    free_port(&mut settings.http.listen, listen.http.is_some(), "http", &say);
    free_port(&mut settings.mqtt.listen, listen.mqtt.is_some(), "mqtt", &say);
    // The simulated devices have no credentials, also after somebody tries some out.
    settings.mqtt.anonymous = Some(true);
    let data_dir = settings.data_dir.clone();
    let city = City::read(settings)?;

    to_the_end(async {
        let app = App::start(city, Mode::Demo, &mut |step| say.step(step)).await?;
        let mqtt = app.mqtt.context("the demo needs the embedded endpoint")?;
        say.step(&format!("connecting {} simulated devices", fleet.devices().len()));
        let stop = CancellationToken::new();
        let runner =
            Runner::new(fleet, Target::new(mqtt.ip().to_string(), mqtt.port())).clock(clock);
        let fleet = tokio::spawn(runner.run(stop.clone()));
        banner(&say, &app, &data_dir);
        announce_ready(&app);
        until_told_to_stop().await?;
        say.step("stopping");
        stop.cancel();
        let report = fleet.await?;
        app.stop().await?;
        say.step(&format!("stopped; the fleet had {} messages acknowledged", report.acknowledged));
        Ok(())
    })
}

/// The names of kinds and departments come from the fleet.
fn name_kinds(settings: &mut Settings, fleet: &Fleet) -> anyhow::Result<()> {
    settings.city.kinds = serde_json::from_value(serde_json::to_value(fleet.kinds())?)?;
    settings.city.departments = serde_json::from_value(serde_json::to_value(fleet.departments())?)?;
    Ok(())
}

/// Takes any free port if the usual one is taken, unless a person asked for that very one.
pub(crate) fn free_port(address: &mut SocketAddr, asked: bool, name: &str, say: &Say) {
    if !asked && TcpListener::bind(*address).is_err() {
        say.step(&format!(
            "{name}: port {} is taken by another program, using a free one",
            address.port()
        ));
        address.set_port(0);
    }
}

/// What is logged when people try something out: only what they must know about.
pub(crate) const QUIET: LogLevel = LogLevel::Warn;

pub(crate) fn banner(say: &Say, app: &App, data_dir: &Path) {
    let login = format!("{}/login#token={}", app.url(), app.token);
    println!();
    println!("  {}  {login}", say.strong("Dashboard 仪表板"));
    println!(
        "  {}  the link logs you in; keep it to yourself 链接即登录凭证",
        say.strong("Log in   登录")
    );
    if let Some(mqtt) = app.mqtt {
        println!("  {}  mqtt://{mqtt}", say.strong("Devices  设备"));
    }
    println!("  {}  {}/api/v1/docs", say.strong("API"), app.url());
    println!("  {}  {}", say.strong("Data     数据"), data_dir.display());
    println!("  {}  Ctrl-C", say.strong("Stop     停止"));
    println!();
}

/// Tells people what goes on.
pub(crate) struct Say {
    colours: bool,
    started: Instant,
}

impl Say {
    pub(crate) fn new(title: &str, no_color: bool) -> Self {
        let colours =
            !no_color && std::env::var_os("NO_COLOR").is_none() && std::io::stdout().is_terminal();
        let say = Self { colours, started: Instant::now() };
        println!("{} {}", say.strong(title), env!("CARGO_PKG_VERSION"));
        say
    }

    pub(crate) fn step(&self, step: &str) {
        println!("  {:>5.1} s  {step}", self.started.elapsed().as_secs_f64());
    }

    fn strong(&self, text: &str) -> String {
        if self.colours { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }
}
