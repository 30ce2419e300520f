//! `citybrain serve`: run a city from a configuration file.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context as _;
use city_api::Mode;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{DataDir, Listen};
use crate::app::App;
use crate::city::City;
use crate::logging::{self, LogFormat};
use crate::settings::{self, Settings};

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration file; `citybrain config example` prints one.
    #[arg(long, short, env = "CITYBRAIN_CONFIG", value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    data: DataDir,
    #[command(flatten)]
    listen: Listen,
    /// What this process does; those of a city on several machines share a bus
    #[cfg(feature = "bus")]
    #[arg(long, value_name = "ROLE", default_value = "all")]
    role: crate::roles::Role,
    /// What the log looks like [default: that of the configuration, or text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
}

pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let mut settings = settings::load(&args.config)?;
    apply(&mut settings, &args.data, &args.listen);
    settings.log.format = args.log_format.unwrap_or(settings.log.format);
    let log = settings.log.clone();
    let city = City::read(settings)?;
    logging::start(&log)?;
    #[cfg(feature = "bus")]
    if args.role != crate::roles::Role::All {
        return to_the_end(crate::roles::run(args.role, city));
    }
    to_the_end(async {
        let app = App::start(city, Mode::Live, &mut |step| tracing::info!("{step}")).await?;
        tracing::info!(http = %app.http, mqtt = ?app.mqtt, "ready");
        announce_app(&app);
        if app.setup.is_some() {
            println!("or on this machine with: citybrain user add NAME --grant admin");
        }
        until_told_to_stop().await?;
        tracing::info!("stopping");
        app.stop().await
    })
}

/// Takes what the command line says over what the file says.
pub(crate) fn apply(settings: &mut Settings, data: &DataDir, listen: &Listen) {
    if let Some(folder) = &data.data_dir {
        settings.data_dir.clone_from(folder);
    }
    if let Some(address) = listen.http {
        settings.http.listen = address;
    }
    if let Some(address) = listen.mqtt {
        settings.mqtt.listen = address;
    }
}

/// The runtime of everything async.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Runs work to its end. When it failed nothing else is waited for: what still runs on a thread, such as
/// the renewing of a lease, must not keep a process that does its work no more from ending.
pub(crate) fn to_the_end<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = runtime()?;
    let done = runtime.block_on(work);
    if done.is_err() {
        runtime.shutdown_background();
    }
    done
}

/// One line of JSON for programs that wait for the start.
pub(crate) fn announce_ready(app: &App) {
    if std::env::var_os("CITYBRAIN_READY_LINE").is_some() {
        let ready = serde_json::json!({ "http": app.http, "mqtt": app.mqtt, "token": app.token,
            "setup": app.setup });
        println!("READY {ready}");
    }
}

/// Tells programs and people that wait for the start.
pub(crate) fn announce_app(app: &App) {
    announce_ready(app);
    if let Some(setup) = &app.setup {
        println!("Nobody administers the city yet. Make the first administrator, once, with:");
        println!("  {}/setup#token={setup}", app.url());
    }
}

/// Waits for Ctrl-C or a termination signal. A second one ends the program at once.
pub(crate) async fn until_told_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    let asked = Instant::now();
    tokio::spawn(async move {
        interrupt.recv().await;
        eprintln!("stopped the hard way after {:.1} s", asked.elapsed().as_secs_f64());
        std::process::exit(130);
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_still_runs_does_not_keep_a_failed_process_from_ending() {
        let (running, waits) = std::sync::mpsc::channel::<()>();
        let failed = to_the_end(async {
            let (begins, begun) = tokio::sync::oneshot::channel();
            tokio::task::spawn_blocking(move || {
                let _ = begins.send(());
                waits.recv()
            });
            begun.await?;
            anyhow::Result::<()>::Err(anyhow::anyhow!("the bus is away"))
        });
        assert_eq!(failed.map_err(|error| error.to_string()), Err("the bus is away".to_owned()));
        assert!(running.send(()).is_ok(), "it still waits");
    }
}
