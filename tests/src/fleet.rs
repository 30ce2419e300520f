//! Devices that publish numbered readings at QoS 1, each again and again until it is acknowledged,
//! and the count of what became of them: every acknowledged reading must be stored exactly once.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, ensure};
use city_model::{SeriesKey, Span, Timestamp};
use city_store::{Store as _, TimeRange};

use crate::publisher::Publisher;

/// The metric of the numbers.
const METRIC: &str = "number";
/// How long ago the readings were taken that are sent first.
const AGO: Span = Span::from_mins(10);
/// How long a device waits for an acknowledgement before it connects anew.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long a device tries at all after it was told to stop.
const STUBBORN: Duration = Duration::from_mins(2);

/// What a sender does.
#[derive(Clone, Debug)]
pub struct Load {
    /// The MQTT client, which publishes for all its devices.
    pub client: String,
    /// Topics are `{prefix}/{client}-{device}/up`.
    pub prefix: String,
    /// How many devices take turns.
    pub devices: u64,
    /// Messages a second; as many as possible if missing.
    pub rate: Option<f64>,
    /// Messages without an acknowledgement at most.
    pub window: usize,
    /// Bytes of filling in each message.
    pub filling: usize,
    /// The event time of number 0; a millisecond more for each.
    pub first: Timestamp,
}

/// What this machine's clock says.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(since.as_micros() as i64)
}

impl Load {
    /// So many messages a second from five devices.
    pub fn steady(client: &str, prefix: &str, rate: f64) -> Self {
        Self {
            client: client.to_owned(),
            prefix: prefix.to_owned(),
            devices: 5,
            rate: Some(rate),
            window: 1000,
            filling: 0,
            first: now() - AGO,
        }
    }
}

/// Where to connect, which may change.
pub type Address = Arc<dyn Fn() -> Option<SocketAddr> + Send + Sync>;

/// A sender at work.
pub struct Sender {
    thread: JoinHandle<anyhow::Result<Sent>>,
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
}

/// What a sender did: the numbers from 0 up to `numbers` are acknowledged, every one.
#[derive(Debug)]
pub struct Sent {
    /// What it was told to do.
    pub load: Load,
    /// Numbers given out.
    pub numbers: u64,
    /// Messages that were sent again.
    pub again: u64,
    /// Connections that it made.
    pub connections: u64,
    /// From the first time that a number was sent to its acknowledgement, in order of the latter.
    pub latencies: Vec<Duration>,
    /// How long it gave out numbers.
    pub took: Duration,
}

impl Sent {
    /// The latency that this share of the messages stayed below.
    pub fn latency(&self, share: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let index = (sorted.len() as f64 * share) as usize;
        sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
    }

    /// Messages given out a second.
    pub fn rate(&self) -> f64 {
        self.numbers as f64 / self.took.as_secs_f64()
    }
}

impl Sender {
    /// Starts to publish.
    pub fn start(load: Load, address: Address) -> Self {
        let (stop, acknowledged) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (stopped, count) = (stop.clone(), acknowledged.clone());
        let thread = std::thread::spawn(move || publish(load, &address, &stopped, &count));
        Self { thread, stop, acknowledged }
    }

    /// How many numbers are acknowledged by now.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until so many more are acknowledged.
    pub fn more(&self, count: u64, within: Duration) -> anyhow::Result<()> {
        let (started, until) = (Instant::now(), self.acknowledged() + count);
        while self.acknowledged() < until {
            ensure!(
                started.elapsed() < within,
                "only {} of {until} were acknowledged within {within:?}",
                self.acknowledged()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Gives out no more numbers and waits until each is acknowledged.
    pub fn stop(self) -> anyhow::Result<Sent> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("a sender does not panic")
    }
}

fn time_of(load: &Load, number: u64) -> Timestamp {
    load.first + Span::from_millis(number as i64)
}

/// What is not acknowledged yet.
#[derive(Default)]
struct Open {
    /// To be sent again, oldest first.
    again: VecDeque<u64>,
    /// When each open number was sent first.
    since: HashMap<u64, Instant>,
}

fn publish(
    load: Load,
    address: &Address,
    stop: &AtomicBool,
    count: &AtomicU64,
) -> anyhow::Result<Sent> {
    let started = Instant::now();
    let mut sent = Sent {
        load,
        numbers: 0,
        again: 0,
        connections: 0,
        latencies: Vec::new(),
        took: Duration::ZERO,
    };
    let mut open = Open::default();
    let mut stopped_at: Option<Instant> = None;
    loop {
        if stop.load(Ordering::Relaxed) {
            let since = *stopped_at.get_or_insert_with(Instant::now);
            sent.took = sent.took.max(since - started);
            if open.since.is_empty() {
                return Ok(sent);
            }
            ensure!(
                since.elapsed() < STUBBORN,
                "{} stay open: {}",
                open.since.len(),
                sent.load.client
            );
        }
        let connected = address().map(|at| Publisher::connect(at, &sent.load.client));
        let Some(Ok(mut publisher)) = connected else {
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        sent.connections += 1;
        // An error is the end of this connection: what is open is sent again over the next.
        let _ended = talk(&mut publisher, &mut sent, &mut open, started, stop, count);
        let mut numbers: Vec<u64> = open.since.keys().copied().collect();
        numbers.sort_unstable();
        open.again = numbers.into();
    }
}

/// Publishes over one connection until it breaks, or there is nothing left to do.
fn talk(
    publisher: &mut Publisher,
    sent: &mut Sent,
    open: &mut Open,
    started: Instant,
    stop: &AtomicBool,
    count: &AtomicU64,
) -> anyhow::Result<()> {
    let filling = "x".repeat(sent.load.filling);
    let mut under_way: HashMap<u16, u64> = HashMap::new();
    let mut heard = Instant::now();
    loop {
        let stopped = stop.load(Ordering::Relaxed);
        if stopped && open.since.is_empty() {
            return Ok(());
        }
        while under_way.len() < sent.load.window {
            let due = sent
                .load
                .rate
                .is_none_or(|rate| (sent.numbers as f64) < started.elapsed().as_secs_f64() * rate);
            let number = match open.again.pop_front() {
                Some(number) => {
                    sent.again += 1;
                    number
                }
                None if stopped || !due => break,
                None => {
                    sent.numbers += 1;
                    open.since.insert(sent.numbers - 1, Instant::now());
                    sent.numbers - 1
                }
            };
            if under_way.is_empty() {
                heard = Instant::now();
            }
            let topic = format!("{}/{}/up", sent.load.prefix, device(&sent.load, number));
            let time = time_of(&sent.load, number);
            let payload =
                format!("{{\"ts\":\"{time}\",\"{METRIC}\":{number},\"note\":\"{filling}\"}}");
            under_way.insert(publisher.publish(&topic, payload.as_bytes()), number);
        }
        publisher.flush()?;
        let Some(id) = publisher.acknowledged_within(Duration::from_millis(2))? else {
            ensure!(under_way.is_empty() || heard.elapsed() < PATIENCE, "nobody answers");
            continue;
        };
        heard = Instant::now();
        let number = under_way.remove(&id).context("an acknowledgement of nothing")?;
        if let Some(since) = open.since.remove(&number) {
            sent.latencies.push(since.elapsed());
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn device(load: &Load, number: u64) -> String {
    format!("{}-{}", load.client, number % load.devices)
}

/// Looks into the store itself, once nobody uses it: is everything there exactly once that was
/// acknowledged, and nothing else?
pub fn check_store(data: &Path, all: &[Sent]) -> anyhow::Result<()> {
    let options = city_store::Options::default();
    let (store, _) = city_store::Embedded::open(data.join("store"), options)?;
    let state = Arc::new(city_store::StateDb::open(data.join("state.db"))?);
    let registry = city_registry::Registry::open(state, city_registry::Seed::default())?;
    let directory = registry.directory();
    let metric = directory.metrics.by_id(METRIC).context("the metric is not registered")?.key;
    for sent in all {
        for device in 0..sent.load.devices.min(sent.numbers) {
            let id = self::device(&sent.load, device);
            let key = directory.device_by_id(&id).with_context(|| format!("{id} is missing"))?.key;
            let series = SeriesKey { device: key, metric };
            let points = store.raw(series, TimeRange::ALL, usize::MAX)?;
            let expected = (0..sent.numbers).filter(|number| number % sent.load.devices == device);
            let mut found = points.iter();
            for number in expected {
                let point = found.next().with_context(|| format!("{id}: {number} is missing"))?;
                ensure!(
                    point.time == time_of(&sent.load, number)
                        && point.value.as_f64() == Some(number as f64),
                    "{id}: {number} was expected, but there is {point:?}"
                );
            }
            ensure!(found.next().is_none(), "{id}: more is stored than was sent");
        }
    }
    Ok(())
}
