//! `citybrain replay`: recorded data over MQTT, through the same path as live data.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use city_api::Mode;
use clap::{Args, ValueEnum};
use firmware_sim::Target;
use firmware_sim::replay::{Dataset, Progress, Replay, ReplayReport, Shift, Speed};
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use super::demo::{QUIET, Say, banner, free_port};
use super::serve::{announce_ready, apply, runtime, until_told_to_stop};
use super::{DataDir, Listen};
use crate::app::App;
use crate::city::City;
use crate::logging::{self, LogSettings};
use crate::sample;
use crate::settings::{self, default_data_dir};

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// `aarhus` or `beijing`, which come with citybrain, or a folder with a dataset.toml.
    dataset: String,
    /// Another file of the same shape, such as the whole of what the sample is a part of
    /// (CSV, or CSV packed with gzip).
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How many times as fast as recorded; `max` is as fast as it is acknowledged.
    #[arg(long, default_value = "600", value_parser = parse_speed)]
    speed: Speed,
    /// Move the recorded times.
    #[arg(long, value_enum, default_value_t = ShiftTimes::None)]
    shift: ShiftTimes,
    /// Publish to a program that runs already, and start nothing.
    #[arg(long, value_name = "HOST:PORT")]
    to: Option<String>,
    /// Stop when everything is published, instead of when told to.
    #[arg(long)]
    exit: bool,
    #[command(flatten)]
    data: DataDir,
    #[command(flatten)]
    listen: Listen,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ShiftTimes {
    /// They stay as they were recorded.
    None,
    /// The last one is now.
    EndNow,
    /// The first one is now.
    StartNow,
}

fn parse_speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    match text.parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(Speed::Factor(factor)),
        _ => Err("write a positive number, such as 600, or max".to_owned()),
    }
}

pub(crate) fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    logging::start(&LogSettings { level: QUIET, ..LogSettings::default() })?;
    match &args.to {
        Some(target) => publish_only(args, target),
        None => with_instance(args),
    }
}

/// Publishes to a program that runs already.
fn publish_only(args: &ReplayArgs, target: &str) -> anyhow::Result<()> {
    let (host, port) = target.rsplit_once(':').context("write --to as HOST:PORT")?;
    let target = Target::new(host, port.parse().context("the port in --to")?);
    let scratch = tempfile::tempdir().context("a temporary folder")?;
    let folder = unpack(&args.dataset, scratch.path())?;
    let dataset = open(&folder, args.file.as_deref())?;
    let report = runtime()?.block_on(async {
        let stop = CancellationToken::new();
        let replay = replay(args, dataset, target).run(stop.clone());
        tokio::pin!(replay);
        tokio::select! {
            report = &mut replay => anyhow::Ok(report?),
            told = until_told_to_stop() => {
                told?;
                stop.cancel();
                Ok(replay.await?)
            }
        }
    })?;
    tell(&report)
}

/// Starts everything on this machine, then publishes.
fn with_instance(args: &ReplayArgs) -> anyhow::Result<()> {
    let say = Say::new(&format!("citybrain replay {}", args.dataset), false);
    let name = Path::new(&args.dataset).file_name().unwrap_or_default();
    let folder = match &args.data.data_dir {
        Some(folder) => folder.clone(),
        None => default_data_dir().join("replay").join(name),
    };
    let city_folder = unpack(&args.dataset, &folder.join("city"))?;
    let dataset = open(&city_folder, args.file.as_deref())?;
    let mut settings = settings::load(&city_folder.join("citybrain.toml"))?;
    settings.data_dir = folder;
    apply(&mut settings, &DataDir { data_dir: None }, &args.listen);
    free_port(&mut settings.http.listen, args.listen.http.is_some(), "http", &say);
    free_port(&mut settings.mqtt.listen, args.listen.mqtt.is_some(), "mqtt", &say);
    let data_dir = settings.data_dir.clone();
    let city = City::read(settings)?;
    runtime()?.block_on(async {
        let app = App::start(city, Mode::Demo, &mut |step| say.step(step)).await?;
        let mqtt = app.mqtt.context("a replay needs the embedded endpoint")?;
        banner(&say, &app, &data_dir);
        announce_ready(&app);
        let stop = CancellationToken::new();
        let target = Target::new(mqtt.ip().to_string(), mqtt.port());
        let mut publishing = tokio::spawn(replay(args, dataset, target).run(stop.clone()));
        let told = until_told_to_stop();
        tokio::pin!(told);
        let report = tokio::select! {
            report = &mut publishing => {
                let report = report??;
                if !args.exit {
                    say.step("everything is published; Ctrl-C stops");
                    told.await?;
                }
                report
            }
            told = &mut told => {
                told?;
                stop.cancel();
                publishing.await??
            }
        };
        app.stop().await?;
        tell(&report)
    })
}

/// The files of a data set that comes with the program, or the folder itself.
fn unpack(dataset: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    if let Some((_, asset)) = sample::SAMPLES.iter().find(|(name, _)| *name == dataset) {
        return Ok(sample::unpack(asset, folder)?.folder);
    }
    let own = PathBuf::from(dataset);
    if !own.join("dataset.toml").exists() {
        let known: Vec<_> = sample::SAMPLES.iter().map(|(name, _)| *name).collect();
        bail!("`{dataset}` is neither {} nor a folder with a dataset.toml", known.join(" nor "));
    }
    Ok(own)
}

fn open(folder: &Path, file: Option<&Path>) -> anyhow::Result<Dataset> {
    let dataset = Dataset::load(folder)?;
    Ok(match file {
        Some(file) => dataset.with_file(file.to_owned())?,
        None => dataset,
    })
}

fn replay(args: &ReplayArgs, dataset: Dataset, target: Target) -> Replay {
    let shift = match args.shift {
        ShiftTimes::None => Shift::None,
        ShiftTimes::EndNow => Shift::EndNow,
        ShiftTimes::StartNow => Shift::StartNow,
    };
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template(
        "  {bar:32} {pos}/{len} rows  {per_sec}  data time {msg}  {eta} left",
    );
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(500));
    Replay::new(dataset, target).speed(args.speed).shift(shift, jiff::Timestamp::now()).on_progress(
        move |progress: &Progress| {
            bar.set_length(progress.total);
            bar.set_position(progress.rows);
            bar.set_message(progress.data_time.to_string());
            if progress.rows == progress.total {
                bar.finish();
            }
        },
    )
}

fn tell(report: &ReplayReport) -> anyhow::Result<()> {
    println!(
        "{} of {} rows published, {} messages with {} readings acknowledged",
        report.rows, report.overview.rows, report.acknowledged, report.readings
    );
    if report.unsent > 0 {
        bail!("{} messages were not acknowledged in time", report.unsent);
    }
    Ok(())
}
