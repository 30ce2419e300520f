//! Publishes the demo's city, or a recorded data set, to a broker and says every second how it goes.
//!
//! ```text
//! cargo run -p firmware-sim --example publish -- 127.0.0.1:1883 60            # Chicago for 60 s
//! cargo run -p firmware-sim --example publish -- 127.0.0.1:1883 600 crates/citybrain/assets/samples/aarhus
//! ```
#![expect(clippy::print_stdout, reason = "the output of a command")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use firmware_sim::replay::{Dataset, Replay, Shift, Speed};
use firmware_sim::{Clock, Counters, Fleet, Runner, Scenario, Target};
use tokio_util::sync::CancellationToken;

const ZONES: &str = include_str!("../../crates/citybrain/assets/chicago/zones.geojson");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (address, seconds, dataset) = match &arguments[..] {
        [address, seconds] => (address, seconds, None),
        [address, seconds, dataset] => (address, seconds, Some(dataset)),
        _ => return Err("give HOST:PORT, a number of seconds and perhaps a data set".into()),
    };
    let (host, port) = address.rsplit_once(':').ok_or("give HOST:PORT")?;
    let target = Target::new(host, port.parse()?);
    let shutdown = CancellationToken::new();
    let (end, wait) = (shutdown.clone(), Duration::from_secs(seconds.parse()?));
    tokio::spawn(async move {
        tokio::time::sleep(wait).await;
        end.cancel();
    });
    if let Some(dataset) = dataset {
        let dataset = Dataset::load(Path::new(dataset))?;
        let replay = Replay::new(dataset, target).speed(Speed::Max);
        let replay = replay.shift(Shift::EndNow, Clock::wall().now());
        let replay = replay.on_progress(|at| println!("{}/{} {}", at.rows, at.total, at.data_time));
        println!("{:#?}", replay.run(shutdown).await?);
        return Ok(());
    }
    let clock = Clock::wall();
    let fleet = Arc::new(Fleet::new(&Scenario::chicago(), ZONES, clock.now())?);
    let runner = Runner::new(fleet, target).clock(clock);
    let watch = watch(runner.counters(), shutdown.clone());
    let (report, ()) = tokio::join!(runner.run(shutdown), watch);
    println!("{report:#?}");
    Ok(())
}

async fn watch(counters: Arc<Counters>, shutdown: CancellationToken) {
    let mut every = tokio::time::interval(Duration::from_secs(1));
    while !shutdown.is_cancelled() {
        every.tick().await;
        println!("{:?}", counters.snapshot());
    }
}
