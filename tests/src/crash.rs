//! The crash test: kill -9 at random moments while numbered readings are published, then count.
//!
//! Every acknowledged reading must be in the store exactly once. Readings that were sent but not
//! acknowledged may be there or not; they are sent again until they are acknowledged.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use city_model::{DeviceKey, SeriesKey, Timestamp};
use city_store::{Store as _, TimeRange};
use rand::{RngExt as _, SeedableRng as _};

use crate::instance::Instance;
use crate::publisher::Publisher;

/// How much, how often, and with which seed.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Numbered readings in all.
    pub readings: u64,
    /// Kills, spread over the readings.
    pub kills: u32,
    /// The seed of the moments.
    pub seed: u64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Readings that were acknowledged.
    pub acknowledged: u64,
    /// Of those, how many are not in the store.
    pub missing: u64,
    /// Readings that are in the store more than once, or with another value.
    pub wrong: u64,
    /// Readings that were sent more than once.
    pub sent_again: u64,
    /// Processes killed.
    pub kills: u32,
}

const DEVICES: u64 = 20;
/// Messages under way at a time.
const WINDOW: usize = 500;
/// The event time of reading 0; one millisecond more for each.
const FIRST: Timestamp = Timestamp::from_secs(1_790_000_000);

fn time_of(number: u64) -> Timestamp {
    Timestamp::from_micros(FIRST.micros() + number as i64 * 1_000)
}

/// Runs it in a folder of its own.
pub fn run(
    folder: &Path,
    options: Options,
    mut progress: impl FnMut(u64),
) -> anyhow::Result<Report> {
    let config = folder.join("citybrain.toml");
    std::fs::write(&config, CONFIG)?;
    let data = folder.join("data");
    let arguments =
        ["serve", "--config", &config.to_string_lossy(), "--data-dir", &data.to_string_lossy()]
            .map(str::to_owned);
    let start = || Instance::start(&arguments.each_ref().map(String::as_str));

    let mut instance = Some(start()?);
    let address = Arc::new(Mutex::new(instance.as_ref().and_then(|i| i.ready.mqtt)));
    let acknowledged = Arc::new(AtomicU64::new(0));
    let publisher = {
        let (address, acknowledged) = (address.clone(), acknowledged.clone());
        std::thread::spawn(move || publish_all(options.readings, &address, &acknowledged))
    };
    let mut rng = rand::rngs::StdRng::seed_from_u64(options.seed);
    let mut kills = 0;
    while !publisher.is_finished() {
        let done = acknowledged.load(Ordering::Relaxed);
        progress(done);
        // The moments are random in the middle of their share of the readings.
        let share = options.readings / u64::from(options.kills + 1);
        let due = share * u64::from(kills) + rng.random_range(share / 4..share.max(4));
        if kills < options.kills && done >= due {
            std::thread::sleep(Duration::from_millis(rng.random_range(0..40)));
            *address.lock().expect("no panic holds it") = None;
            instance.take().context("running")?.kill()?;
            kills += 1;
            let next = start()?;
            *address.lock().expect("no panic holds it") = next.ready.mqtt;
            instance = Some(next);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let (acked, sent_again) = publisher.join().expect("the publisher does not panic")?;
    instance.take().context("running")?.kill()?;
    let (missing, wrong) = count(&data, &acked, options.readings)?;
    Ok(Report { acknowledged: acked.len() as u64, missing, wrong, sent_again, kills })
}

type Acknowledged = (BTreeSet<u64>, u64);

/// Publishes every number until it is acknowledged, over as many connections as it takes.
fn publish_all(
    readings: u64,
    address: &Mutex<Option<SocketAddr>>,
    count: &AtomicU64,
) -> anyhow::Result<Acknowledged> {
    let mut acked = BTreeSet::new();
    let mut sent = BTreeSet::new();
    let mut again = 0;
    let mut idle = 0;
    while (acked.len() as u64) < readings {
        ensure!(idle < 60_000, "nobody listens any more");
        let here = *address.lock().expect("no panic holds it");
        let Some(Ok(mut publisher)) = here.map(|address| Publisher::connect(address, "crash"))
        else {
            idle += 1;
            std::thread::sleep(Duration::from_millis(5));
            continue;
        };
        idle = 0;
        let mut open: Vec<u64> = (0..readings).filter(|number| !acked.contains(number)).collect();
        open.reverse();
        let mut under_way = HashMap::new();
        // Ends with the connection, or when there is nothing left.
        while !open.is_empty() || !under_way.is_empty() {
            while under_way.len() < WINDOW {
                let Some(number) = open.pop() else { break };
                let topic = format!("crash/device-{}/up", number % DEVICES);
                let payload = format!("{{\"ts\":\"{}\",\"sequence\":{number}}}", time_of(number));
                under_way.insert(publisher.publish(&topic, payload.as_bytes()), number);
                if !sent.insert(number) {
                    again += 1;
                }
            }
            if publisher.flush().is_err() {
                break;
            }
            let Ok(id) = publisher.acknowledged() else { break };
            let number = under_way.remove(&id).context("an acknowledgement of nothing")?;
            acked.insert(number);
            count.store(acked.len() as u64, Ordering::Relaxed);
        }
    }
    Ok((acked, again))
}

/// Counts in the store itself what is missing and what is wrong.
fn count(data: &Path, acked: &BTreeSet<u64>, readings: u64) -> anyhow::Result<(u64, u64)> {
    let (store, _) =
        city_store::Embedded::open(data.join("store"), city_store::Options::default())?;
    let state = Arc::new(city_store::StateDb::open(data.join("state.db"))?);
    let registry = city_registry::Registry::open(state, city_registry::Seed::default())?;
    let directory = registry.directory();
    let metric = directory.metrics.by_id("sequence").context("the metric")?.key;
    let range = TimeRange { from: FIRST, to: time_of(readings) };
    let mut stored: HashMap<u64, u64> = HashMap::new();
    let mut wrong = 0;
    for number in 0..DEVICES {
        let id = format!("device-{number}");
        let Some(device) = directory.device_by_id(&id) else { continue };
        let device: DeviceKey = device.key;
        let points = store.raw(SeriesKey { device, metric }, range, usize::MAX)?;
        for point in points {
            let value = point.value.as_f64().unwrap_or(-1.0);
            if value < 0.0
                || time_of(value as u64) != point.time
                || value as u64 % DEVICES != number
            {
                wrong += 1;
            }
            *stored.entry(value as u64).or_default() += 1;
        }
    }
    wrong += stored.values().filter(|times| **times > 1).count() as u64;
    let missing = acked.iter().filter(|number| !stored.contains_key(number)).count() as u64;
    Ok((missing, wrong))
}

const CONFIG: &str = r#"
[city]
name = "Crash test"
time_zone = "UTC"
simulated = true
[http]
listen = "127.0.0.1:0"
[mqtt]
listen = "127.0.0.1:0"
[[source]]
id = "crash"
topic = "crash/{device}/up"
format = "json"
unknown_devices = "register"
[source.options]
time = "ts"
"#;
