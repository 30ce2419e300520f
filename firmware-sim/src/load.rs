//! Load: messages at a wanted rate, and how late they are acknowledged.
//!
//! Each message has a moment at which it ought to leave. What counts is the time from that moment to
//! its acknowledgement, whenever it really left: a receiver that stands still for a second makes
//! every message of that second late, not only the one that it happened to have (what is called
//! coordinated omission).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS};
use serde::Serialize;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::Target;

/// The longest delay that is told apart from longer ones, in microseconds.
const LONGEST_US: u64 = 120_000_000;

/// How long acknowledgements are waited for after the last message.
const PATIENCE: Duration = Duration::from_secs(10);

/// Messages of one connection without an acknowledgement, at most: what packet ids allow.
const IN_FLIGHT: u16 = 32_000;

/// Publishes at a wanted rate, at QoS 1.
#[derive(Clone, Debug)]
pub struct Load {
    /// To whom; its connections share the load.
    pub target: Target,
    /// Messages a second, over all connections; more than 0.
    pub rate: f64,
    /// For how long.
    pub time: Duration,
    /// How many devices there are, whose messages take turns; at least 1.
    pub devices: usize,
    /// The topic, in which `{device}` is a device's number.
    pub topic: String,
    /// The payload, in which `{device}` is a device's number, `{time}` the time in RFC 3339 and
    /// `{value}` a number that changes from message to message.
    pub payload: String,
}

/// What a load came to.
#[derive(Clone, Debug, Serialize)]
pub struct LoadReport {
    /// Messages that ought to have been sent.
    pub wanted: u64,
    /// Messages that were acknowledged.
    pub acknowledged: u64,
    /// Messages a second, from the first that ought to leave to the last acknowledgement.
    pub rate: f64,
    /// How late acknowledgements came, in milliseconds.
    pub delay_ms: Delays,
    /// Why connections ended early, if any did, and how many for each reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub failures: BTreeMap<String, usize>,
}

/// Quantiles of delays, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Delays {
    /// Half of them came sooner.
    pub p50: f64,
    /// All but a tenth.
    pub p90: f64,
    /// All but a hundredth.
    pub p99: f64,
    /// All but a thousandth.
    pub p999: f64,
    /// The latest.
    pub max: f64,
}

impl Delays {
    fn of(delays: &Histogram<u64>) -> Self {
        let at = |quantile| delays.value_at_quantile(quantile) as f64 / 1e3;
        Self { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1.0) }
    }
}

impl Load {
    /// Runs it. A connection that fails ends its share of the load, and the report says so.
    pub async fn run(self) -> LoadReport {
        let connections = self.target.connections.max(1);
        let load = Arc::new(self);
        let begun = Instant::now() + Duration::from_millis(200);
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..connections {
            let load = load.clone();
            tasks.spawn(async move { Share { load, number, begun, connections }.run().await });
        }
        let mut delays = delays();
        let (mut last, mut failures) = (begun, BTreeMap::new());
        while let Some(share) = tasks.join_next().await {
            let Ok(share) = share else {
                *failures.entry("its task panicked".to_owned()).or_default() += 1;
                continue;
            };
            // Both have the same bounds.
            let _ = delays.add(&share.delays);
            last = last.max(share.last);
            if let Some(failure) = share.failure {
                *failures.entry(failure).or_default() += 1;
            }
        }
        let seconds = (last - begun).as_secs_f64();
        LoadReport {
            wanted: (load.rate * load.time.as_secs_f64()) as u64,
            acknowledged: delays.len(),
            rate: if seconds > 0.0 { delays.len() as f64 / seconds } else { 0.0 },
            delay_ms: Delays::of(&delays),
            failures,
        }
    }

    fn message(&self, number: u64) -> (String, String) {
        let device = (number % self.devices.max(1) as u64).to_string();
        let value = format!("{:.1}", 20.0 + (number % 97) as f64 / 10.0);
        let time = jiff::Timestamp::now().to_string();
        let payload = self.payload.replace("{device}", &device);
        let payload = payload.replace("{time}", &time).replace("{value}", &value);
        (self.topic.replace("{device}", &device), payload)
    }
}

fn delays() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, 3).expect("bounds that are in order")
}

/// The share of one connection.
struct Share {
    load: Arc<Load>,
    number: usize,
    begun: Instant,
    connections: usize,
}

/// What became of it.
struct Outcome {
    delays: Histogram<u64>,
    last: Instant,
    failure: Option<String>,
}

/// Messages on their way: when they ought to have left.
#[derive(Default)]
struct OnTheWay {
    /// Handed to the client, without a packet id yet.
    handed: VecDeque<Instant>,
    sent: HashMap<u16, Instant>,
    is_all_handed: bool,
}

impl OnTheWay {
    fn is_over(&self) -> bool {
        self.is_all_handed && self.handed.is_empty() && self.sent.is_empty()
    }
}

impl Share {
    async fn run(self) -> Outcome {
        let target = &self.load.target;
        let id = format!("{}-load-{}", target.client_prefix, self.number);
        let mut options = MqttOptions::new(id, target.host.clone(), target.port);
        options.set_keep_alive(Duration::from_secs(30));
        options.set_inflight(IN_FLIGHT);
        if let Some(credentials) = &target.credentials {
            options.set_credentials(&credentials.username, &credentials.password);
        }
        let (client, events) = AsyncClient::new(options, 1_000);
        let (on_the_way, accepted) = (Mutex::default(), Notify::new());
        let mut outcome = Outcome { delays: delays(), last: self.begun, failure: None };
        tokio::select! {
            failure = receive(events, &on_the_way, &accepted, &mut outcome) => {
                outcome.failure = failure;
            }
            () = self.send(&client, &on_the_way, &accepted) => {
                let failure = format!("acknowledgements did not come within {PATIENCE:?}");
                outcome.failure = Some(failure);
            }
        }
        outcome
    }

    /// Hands over what is due; ends only when acknowledgements do not come.
    async fn send(&self, client: &AsyncClient, on_the_way: &Mutex<OnTheWay>, accepted: &Notify) {
        accepted.notified().await;
        let step = self.connections as f64 / self.load.rate;
        let first = self.number as f64 / self.load.rate;
        for turn in 0_u64.. {
            let after = first + turn as f64 * step;
            if after >= self.load.time.as_secs_f64() {
                break;
            }
            let due = self.begun + Duration::from_secs_f64(after);
            if due > Instant::now() {
                tokio::time::sleep_until(due).await;
            }
            let number = turn * self.connections as u64 + self.number as u64;
            let (topic, payload) = self.load.message(number);
            lock(on_the_way).handed.push_back(due);
            if client.publish(topic, QoS::AtLeastOnce, false, payload).await.is_err() {
                // The other half says why.
                return std::future::pending().await;
            }
        }
        lock(on_the_way).is_all_handed = true;
        tokio::time::sleep(PATIENCE).await;
    }
}

/// Takes acknowledgements until all are there, or says why not.
async fn receive(
    mut events: EventLoop,
    on_the_way: &Mutex<OnTheWay>,
    accepted: &Notify,
    outcome: &mut Outcome,
) -> Option<String> {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => accepted.notify_one(),
            Ok(Event::Outgoing(Outgoing::Publish(packet))) => {
                let mut on_the_way = lock(on_the_way);
                if let Some(due) = on_the_way.handed.pop_front() {
                    on_the_way.sent.insert(packet, due);
                }
            }
            Ok(Event::Incoming(Packet::PubAck(ack))) => {
                let mut on_the_way = lock(on_the_way);
                let Some(due) = on_the_way.sent.remove(&ack.pkid) else { continue };
                outcome.last = Instant::now();
                let delay = outcome.last.saturating_duration_since(due).as_micros();
                let delay = u64::try_from(delay).unwrap_or(LONGEST_US);
                outcome.delays.saturating_record(delay.max(1));
                if on_the_way.is_over() {
                    return None;
                }
            }
            Ok(_) => {}
            Err(error) => return Some(error.to_string()),
        }
    }
}

fn lock(on_the_way: &Mutex<OnTheWay>) -> MutexGuard<'_, OnTheWay> {
    // Nothing between lock and unlock can panic halfway through a change.
    on_the_way.lock().unwrap_or_else(PoisonError::into_inner)
}
