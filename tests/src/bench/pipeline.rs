//! `pipeline`: readings through decode, locate, check, rule evaluation and durable commit.
//!
//! Nothing is skipped that production does: registered devices in Chicago's neighbourhoods, 40
//! rules of which three select each reading, the alert engine with its durable state, and one
//! fsynced transaction for each commit. The messages are SenML with four readings, five seconds
//! apart for each device, handed over in batches as the endpoint does.
//!
//! Baselines: decode alone on the same bytes; and a bare rumqttc subscriber on Mosquitto that
//! throws the same payloads away, counted in readings.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use city_alert::{Engine, EngineParts, Notifier};
use city_decode::Message;
use city_geo::{ZoneIndex, ZoneOptions};
use city_model::{Catalogue, Clock, SharedClock, Span, Timestamp};
use city_pipeline::{
    Ack, AckSink, Everybody, Limits, NoCodecs, NoDownlink, Pipeline, PipelineParts, RawMessage,
    SourceKey, SourceSpec, Sources, TimePolicy,
};
use city_registry::{DeviceEntry, Registry, Seed};
use city_rules::RuleSet;
use city_store::{Embedded, Options, SharedStore, StateDb};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

use super::{Figure, Report, Samples, Scale, cpu_seconds};
use crate::mosquitto::Mosquitto;
use crate::publisher::Publisher;

const ZONES: &str = include_str!("../../../crates/citybrain/assets/chicago/zones.geojson");
const DEVICES: usize = 2_000;
pub(super) const READINGS_PER_MESSAGE: u64 = 4;
const BATCH: usize = 200;

pub(super) fn run(scale: Scale) -> anyhow::Result<Report> {
    let (runs, messages) = if scale == Scale::Quick { (1, 20_000) } else { (5, 500_000) };
    let mut samples = Samples::default();
    let payloads = payloads(messages);
    for run in 1..=runs {
        eprintln!("run {run} of {runs}: decode alone");
        samples.add("decode_only_per_s", decode_only(&payloads)?);
        eprintln!("run {run} of {runs}: the whole pipeline");
        let (wall, per_cpu) = pipeline(&payloads)?;
        samples.add("readings_per_s_durable", wall);
        samples.add("readings_per_s", per_cpu);
        eprintln!("run {run} of {runs}: bare subscriber");
        samples.add(
            "bare_subscriber_per_s",
            bare_subscriber(&payloads[..payloads.len().min(100_000)])?,
        );
    }
    let figures: Vec<Figure> = vec![
        samples.figure(
            "readings_per_s",
            "1/s",
            Some("decode_only_per_s"),
            "readings by second of processor time, all threads: one core, no network",
        ),
        samples.figure(
            "readings_per_s_durable",
            "1/s",
            Some("bare_subscriber_per_s"),
            "by the clock, until all is durable and evaluated",
        ),
        samples.figure("decode_only_per_s", "1/s", None, "one core, SenML to values"),
        samples.figure(
            "bare_subscriber_per_s",
            "1/s",
            None,
            "rumqttc on Mosquitto, QoS 1, payload thrown away, 4 readings a message",
        ),
    ];
    Ok(Report::new("pipeline", runs, figures))
}

pub(super) struct Wall;

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::from_micros(since.map_or(0, |since| since.as_micros() as i64))
    }
}

fn device_id(index: usize) -> String {
    format!("bench-{index:04}")
}

/// (topic, payload) in the order of time; event times end now.
pub(super) fn payloads(messages: usize) -> Vec<(String, Bytes)> {
    let rounds = messages.div_ceil(DEVICES);
    let first = Wall.now() - Span::from_secs(5 * rounds as i64);
    (0..messages)
        .map(|number| {
            let (round, device) = (number / DEVICES, number % DEVICES);
            let time = first + Span::from_secs(5 * round as i64);
            let wave = ((round + device) as f64 / 50.0).sin();
            let payload = format!(
                r#"[{{"bn":"{}:","bt":{},"n":"temperature","u":"Cel","v":{:.1}}},{{"n":"humidity","u":"%RH","v":{:.0}}},{{"n":"pm25","u":"ug/m3","v":{:.0}}},{{"n":"noise_laeq","u":"dB","v":{:.1}}}]"#,
                device_id(device),
                time.micros() as f64 / 1e6,
                15.0 + 8.0 * wave,
                50.0 - 20.0 * wave,
                40.0 + 30.0 * wave,
                60.0 + 10.0 * wave,
            );
            (format!("bench/{}/up", device_id(device)), Bytes::from(payload))
        })
        .collect()
}

fn source() -> SourceSpec {
    SourceSpec {
        id: "bench".to_owned(),
        topic: "bench/{device}/up".to_owned(),
        format: "senml".to_owned(),
        broker: None,
        crs: city_model::Crs::Wgs84,
        simulated: true,
        unknown_devices: city_pipeline::UnknownDevices::Quarantine,
        kind: "unknown".to_owned(),
        department: "unknown".to_owned(),
        provisioning: Vec::new(),
        max_registered: 0,
        max_metrics: 0,
        options: serde_json::Value::Null,
    }
}

fn decode_only(payloads: &[(String, Bytes)]) -> anyhow::Result<f64> {
    let format = city_decode::format("senml").context("the format")?;
    let decoder = format.compile(&serde_json::json!({}))?;
    let received = Wall.now();
    let started = Instant::now();
    let mut count = 0;
    let mut out = Vec::new();
    for (topic, payload) in payloads {
        out.clear();
        decoder.decode(&Message::new(topic, payload, received), &mut out)?;
        count += out.len() as u64;
    }
    ensure!(count == payloads.len() as u64 * READINGS_PER_MESSAGE, "decoded {count}");
    Ok(count as f64 / started.elapsed().as_secs_f64())
}

/// Counts acknowledgements, as a connection would send them.
#[derive(Default)]
struct Counted(AtomicU64);

impl AckSink for Counted {
    fn committed(&self, _token: u64) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Readings a second by the clock, and by processor time.
fn pipeline(payloads: &[(String, Bytes)]) -> anyhow::Result<(f64, f64)> {
    let folder = tempfile::tempdir()?;
    let (pipeline, engine, _) = start(folder.path())?;
    let acknowledged = Arc::new(Counted::default());
    let intake = pipeline.intake();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (started, cpu) = (Instant::now(), cpu_seconds());
    runtime.block_on(async {
        for batch in payloads.chunks(BATCH) {
            let received = Wall.now();
            let messages = batch.iter().enumerate().map(|(token, (topic, payload))| RawMessage {
                source: Some(SourceKey(0)),
                topic: topic.as_str().into(),
                payload: payload.clone(),
                received,
                retained: false,
                replayed: false,
                client: None,
                ack: Some(Ack::new(acknowledged.clone(), token as u64)),
            });
            intake.send(messages.collect()).await?;
        }
        anyhow::Ok(())
    })?;
    pipeline.stop();
    engine.stop();
    let (wall, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let acks = acknowledged.0.load(Ordering::Relaxed);
    ensure!(
        acks == payloads.len() as u64,
        "{acks} of {} messages were acknowledged",
        payloads.len()
    );
    let readings = payloads.len() as f64 * READINGS_PER_MESSAGE as f64;
    Ok((readings / wall, readings / cpu))
}

/// Everything behind the doors, with its data in a folder.
pub(super) fn start(folder: &Path) -> anyhow::Result<(Pipeline, Engine, Arc<Sources>)> {
    let clock: SharedClock = Arc::new(Wall);
    let metrics = prometheus::Registry::new();
    let (store, _) = Embedded::open(folder.join("store"), Options::default())?;
    let store: SharedStore = Arc::new(store);
    let state = Arc::new(StateDb::open(folder.join("state.db"))?);
    let options = ZoneOptions {
        layer: "neighbourhood".to_owned(),
        name_property: Some("name".to_owned()),
        ..ZoneOptions::default()
    };
    let zones = ZoneIndex::from_geojson(ZONES, &options)?.index;
    let devices = devices(&zones);
    let seed = Seed { catalogue: Catalogue::embedded(), zones, ..Seed::default() };
    let registry = Arc::new(Registry::open(state.clone(), seed)?);
    registry.import(&devices)?;
    let rules = RuleSet::parse(&[("bench.yaml".to_owned(), rules())])
        .map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let notifier = Notifier::new(state.clone(), Vec::new(), clock.clone(), &metrics)?;
    let (engine, _) = Engine::start(EngineParts {
        rules: Arc::new(rules),
        registry: registry.clone(),
        share: None,
        store: store.clone(),
        state,
        outbox: notifier.outbox(),
        clock: clock.clone(),
        metrics: metrics.clone(),
    })?;
    let sources =
        Sources::compile(&[source()]).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    let sources = Arc::new(sources);
    let pipeline = Pipeline::start(PipelineParts {
        sources: sources.clone(),
        registry,
        store,
        followers: vec![Arc::new(engine.handle())],
        bounds: None,
        times: TimePolicy::default(),
        checks: std::collections::BTreeMap::default(),
        location: city_quality::LocationChecks::default(),
        aqi: Vec::new(),
        codecs: Arc::new(NoCodecs),
        speakers: Arc::new(Everybody),
        downlink: Arc::new(NoDownlink),
        limits: Limits::default(),
        clock,
        metrics,
    })?;
    Ok((pipeline, engine, sources))
}

fn devices(zones: &ZoneIndex) -> Vec<DeviceEntry> {
    let zones = zones.zones();
    (0..DEVICES)
        .map(|index| {
            let place = zones[index % zones.len()].label;
            let mut entry = DeviceEntry::unknown(&device_id(index), "air_station", "bench", true);
            entry.position = Some(city_model::DeclaredPosition {
                lon: place.lon,
                lat: place.lat,
                crs: city_model::Crs::Wgs84,
            });
            entry.interval = Some(Span::from_secs(5));
            entry
        })
        .collect()
}

/// Forty rules; of each metric ten, of which three select a given device.
fn rules() -> String {
    let mut text = "group: bench\ndepartment: bench\nrules:\n".to_owned();
    for metric in ["temperature", "humidity", "pm25", "noise_laeq"] {
        for number in 0..10 {
            let (kind, select) = match number {
                0 => ("threshold", String::new()),
                1 => ("window", ", kind: air_station".to_owned()),
                2 => ("threshold", ", department: bench".to_owned()),
                _ => ("threshold", format!(", kind: kind-{number}")),
            };
            let window =
                if kind == "window" { "    window: {function: mean, over: 5m}\n" } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "  - id: {metric}-{number}\n    name: {metric}\n    kind: {kind}\n    select: {{metric: {metric}{select}}}\n{window}    severity: {{high: {{above: 100000, clear_below: 90000}}}}\n    summary: high\n"
            );
        }
    }
    text
}

/// Readings a second that a rumqttc subscriber gets from Mosquitto when it throws them away.
pub(super) fn bare_subscriber(payloads: &[(String, Bytes)]) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let broker = Mosquitto::start(folder.path())?;
    let mut options = MqttOptions::new("bare", "127.0.0.1", broker.address.port());
    options
        .set_max_packet_size(1 << 20, 1 << 20)
        .set_inflight(1000)
        .set_keep_alive(Duration::from_secs(30));
    let (client, mut connection) = Client::new(options, 10);
    client.subscribe("bench/#", QoS::AtLeastOnce)?;
    let total = payloads.len() as u64;
    let mut publisher = None;
    let mut started = Instant::now();
    let mut count = 0;
    for event in connection.iter() {
        match event? {
            Event::Incoming(Packet::SubAck(_)) => {
                started = Instant::now();
                let (address, payloads) = (broker.address, payloads.to_vec());
                publisher = Some(std::thread::spawn(move || publish(address, &payloads)));
            }
            Event::Incoming(Packet::Publish(_)) => {
                count += 1;
                if count == total {
                    break;
                }
            }
            _ => {}
        }
    }
    let took = started.elapsed().as_secs_f64();
    publisher
        .context("no subscription")?
        .join()
        .map_err(|_| anyhow::anyhow!("the publisher panicked"))??;
    Ok(count as f64 * READINGS_PER_MESSAGE as f64 / took)
}

pub(super) fn publish(address: SocketAddr, payloads: &[(String, Bytes)]) -> anyhow::Result<()> {
    let mut publisher = Publisher::connect(address, "bench")?;
    let mut open = 0;
    for (index, (topic, payload)) in payloads.iter().enumerate() {
        publisher.publish(topic, payload);
        open += 1;
        if open >= 500 || index + 1 == payloads.len() {
            publisher.flush()?;
            while open > if index + 1 == payloads.len() { 0 } else { 250 } {
                publisher.acknowledged()?;
                open -= 1;
            }
        }
    }
    Ok(())
}
