//! `endpoint`: durable acknowledgements of the embedded endpoint, with the whole pipeline behind it.
//!
//! Clients, endpoint, decode, locate, check, rule evaluation and fsynced commits share this
//! machine. Each message is SenML with four readings of one of 2,000 registered devices, at QoS 1;
//! about 2,400 are under way at a time, whatever the number of connections.
//!
//! Baselines: a bare listener that acknowledges at once and stores nothing, under the same load;
//! and a bare rumqttc subscriber on Mosquitto, beside which the collector with the whole pipeline
//! behind it takes the same messages from Mosquitto.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use city_collect::{BrokerConfig, Collector};
use city_endpoint::{AllowAll, Endpoint, EndpointConfig};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::pipeline::{self, READINGS_PER_MESSAGE, Wall};
use super::{Report, Samples, Scale};
use crate::mosquitto::Mosquitto;
use crate::mqtt_load::{Load, connect_packet};

/// Messages under way in all.
const UNDER_WAY: usize = 2_400;
const IDLE: usize = 10_000;

/// The figures of one number of connections.
struct Names {
    connections: usize,
    acks: &'static str,
    bare: &'static str,
    p50: &'static str,
    p99: &'static str,
    bare_p99: &'static str,
}

const LOADS: [Names; 3] = [
    Names {
        connections: 4,
        acks: "durable_acks_per_s_4",
        bare: "bare_listener_acks_per_s_4",
        p50: "puback_p50_ms_4",
        p99: "puback_p99_ms_4",
        bare_p99: "bare_listener_p99_ms_4",
    },
    Names {
        connections: 50,
        acks: "durable_acks_per_s_50",
        bare: "bare_listener_acks_per_s_50",
        p50: "puback_p50_ms_50",
        p99: "puback_p99_ms_50",
        bare_p99: "bare_listener_p99_ms_50",
    },
    Names {
        connections: 1_000,
        acks: "durable_acks_per_s_1000",
        bare: "bare_listener_acks_per_s_1000",
        p50: "puback_p50_ms_1000",
        p99: "puback_p99_ms_1000",
        bare_p99: "bare_listener_p99_ms_1000",
    },
];

type Messages = [(String, Bytes)];

pub(super) fn run(scale: Scale) -> anyhow::Result<Report> {
    let (runs, messages, idle) =
        if scale == Scale::Quick { (1, 50_000, 500) } else { (3, 600_000, IDLE) };
    raise_open_files()?;
    let mut samples = Samples::default();
    // First and once: memory that other work has given back would hide what connections take.
    eprintln!("{idle} idle connections");
    samples.add("idle_kb_per_connection", idle_connections(idle)?);
    let messages = pipeline::payloads(messages);
    let through_mosquitto = &messages[..messages.len().min(100_000)];
    for run in 1..=runs {
        for names in &LOADS {
            eprintln!("run {run} of {runs}: {} connections", names.connections);
            let load = Load {
                connections: names.connections,
                window: UNDER_WAY.div_ceil(names.connections),
            };
            let outcome = durable(load, &messages)?;
            samples.add(names.acks, outcome.per_second);
            samples.add(names.p50, outcome.percentile_ms(0.5));
            samples.add(names.p99, outcome.percentile_ms(0.99));
            let bare = bare_listener(load, &messages)?;
            samples.add(names.bare, bare.per_second);
            samples.add(names.bare_p99, bare.percentile_ms(0.99));
        }
        eprintln!("run {run} of {runs}: through Mosquitto");
        samples.add("via_mosquitto_per_s", via_mosquitto(through_mosquitto)?);
        let readings = pipeline::bare_subscriber(through_mosquitto)?;
        samples.add("bare_rumqttc_on_mosquitto_per_s", readings / READINGS_PER_MESSAGE as f64);
    }
    let mut figures = Vec::new();
    for names in &LOADS {
        let note = "four readings each, all durable and evaluated";
        figures.push(samples.figure(names.acks, "1/s", Some(names.bare), note));
        figures.push(samples.figure(names.p50, "ms", None, ""));
        figures.push(samples.figure(names.p99, "ms", Some(names.bare_p99), ""));
        figures.push(samples.figure(names.bare, "1/s", None, "acknowledged, not stored"));
        figures.push(samples.figure(names.bare_p99, "ms", None, ""));
    }
    let note = "growth of the resident memory of the server's process";
    figures.push(samples.figure("idle_kb_per_connection", "kB", None, note));
    figures.push(samples.figure(
        "via_mosquitto_per_s",
        "1/s",
        Some("bare_rumqttc_on_mosquitto_per_s"),
        "messages, the collector and the whole pipeline behind Mosquitto",
    ));
    let note = "messages, QoS 1, payload thrown away";
    figures.push(samples.figure("bare_rumqttc_on_mosquitto_per_s", "1/s", None, note));
    Ok(Report::new("endpoint", runs, figures))
}

/// The embedded endpoint with everything behind it.
fn durable(load: Load, messages: &Messages) -> anyhow::Result<crate::mqtt_load::Outcome> {
    let folder = tempfile::tempdir()?;
    let (pipeline, engine, sources) = pipeline::start(folder.path())?;
    let runtime = Runtime::new()?;
    let route = Arc::new(move |topic: &str, _client: Option<&str>| sources.route(None, topic));
    let bound =
        Endpoint::bind(config(), pipeline.intake(), route, Arc::new(AllowAll), Arc::new(Wall));
    let endpoint = runtime.block_on(bound)?;
    let (address, stats) = (endpoint.local_addr()?, endpoint.stats());
    let stop = CancellationToken::new();
    let running = runtime.spawn(endpoint.run(stop.clone()));
    let outcome = load.run(address, messages);
    stop.cancel();
    runtime.block_on(running)?;
    pipeline.stop();
    engine.stop();
    let outcome = outcome?;
    let acknowledged = stats.snapshot().acknowledged;
    ensure!(acknowledged == messages.len() as u64, "{acknowledged} were acknowledged");
    Ok(outcome)
}

fn config() -> EndpointConfig {
    EndpointConfig {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        max_connections: IDLE + 100,
        ..EndpointConfig::default()
    }
}

/// A listener that acknowledges and does nothing else.
fn bare_listener(load: Load, messages: &Messages) -> anyhow::Result<crate::mqtt_load::Outcome> {
    let runtime = Runtime::new()?;
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that hangs up ends its task.
            tokio::spawn(async move { acknowledge_all(stream).await });
        }
    });
    load.run(address, messages)
}

async fn acknowledge_all(mut stream: tokio::net::TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut input, mut output) = (bytes::BytesMut::new(), Vec::new());
    while stream.read_buf(&mut input).await? > 0 {
        while let Some((kind, start, end)) = frame(&input) {
            let packet = input.split_to(end);
            if kind == 0x10 {
                output.extend([0x20, 2, 0, 0]);
            } else if kind == 0x32 {
                let topic = usize::from(u16::from_be_bytes([packet[start], packet[start + 1]]));
                let id = start + 2 + topic;
                output.extend([0x40, 2, packet[id], packet[id + 1]]);
            }
        }
        stream.write_all(&output).await?;
        output.clear();
    }
    Ok(())
}

/// First byte, start of the body, and end of the first whole packet.
fn frame(input: &[u8]) -> Option<(u8, usize, usize)> {
    let (mut length, mut place) = (0_usize, 1);
    loop {
        let byte = *input.get(place)?;
        length |= usize::from(byte & 0x7f) << (7 * (place - 1));
        place += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let end = place + length;
    (input.len() >= end).then(|| (input[0], place, end))
}

/// kB of resident memory for each connection that does nothing. The clients are another process.
fn idle_connections(count: usize) -> anyhow::Result<f64> {
    let (intake, _received) = city_pipeline::intake(city_pipeline::Limits::default());
    let runtime = Runtime::new()?;
    let route = Arc::new(|_: &str, _: Option<&str>| None);
    let bound = Endpoint::bind(config(), intake, route, Arc::new(AllowAll), Arc::new(Wall));
    let endpoint = runtime.block_on(bound)?;
    let (address, stats) = (endpoint.local_addr()?, endpoint.stats());
    let stop = CancellationToken::new();
    let running = runtime.spawn(endpoint.run(stop.clone()));
    // The first ones pay for what all share.
    let mut first = IdleClients::start(address, 100)?;
    first.wait(100, &stats)?;
    let before = resident_kb()?;
    let mut clients = IdleClients::start(address, count)?;
    clients.wait(count + 100, &stats)?;
    let after = resident_kb()?;
    drop((first, clients));
    stop.cancel();
    runtime.block_on(running)?;
    Ok((after - before) / count as f64)
}

/// A process with idle connections.
struct IdleClients(Child);

impl IdleClients {
    fn start(address: SocketAddr, count: usize) -> anyhow::Result<Self> {
        let child = Command::new(std::env::current_exe()?)
            .arg(count.to_string())
            .arg("--idle")
            .arg(address.to_string())
            .stdin(Stdio::piped())
            .spawn()?;
        Ok(Self(child))
    }

    fn wait(&mut self, count: usize, stats: &city_endpoint::Stats) -> anyhow::Result<()> {
        let started = Instant::now();
        while stats.snapshot().open < count as u64 {
            ensure!(self.0.try_wait()?.is_none(), "the clients have ended");
            ensure!(started.elapsed() < Duration::from_mins(2), "the clients are too slow");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for IdleClients {
    fn drop(&mut self) {
        // Its standard input ends with it, and so does the process.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Opens connections and holds them until the standard input ends; run as a process of its own.
pub fn hold_idle_connections(address: SocketAddr, count: usize) -> anyhow::Result<()> {
    raise_open_files()?;
    let process = std::process::id();
    let mut open = Vec::with_capacity(count);
    for number in 0..count {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(&connect_packet(&format!("idle-{process}-{number}")))?;
        let mut answer = [0; 4];
        stream.read_exact(&mut answer)?;
        open.push(stream);
    }
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn raise_open_files() -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    setrlimit(Resource::Nofile, raised).context("the limit of open files cannot be raised")
}

fn resident_kb() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()).context("VmRSS")?;
    Ok(number.parse()?)
}

/// Messages a second through Mosquitto, the collector and the whole pipeline.
fn via_mosquitto(messages: &Messages) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let broker = Mosquitto::start(folder.path())?;
    let city = tempfile::tempdir()?;
    let (pipeline, engine, sources) = pipeline::start(city.path())?;
    let config: BrokerConfig = serde_json::from_value(serde_json::json!({
        "host": "127.0.0.1", "port": broker.address.port(), "client_id": "collector",
    }))?;
    let route = Arc::new(move |topic: &str, _client: Option<&str>| sources.route(None, topic));
    let filters = ["bench/#".to_owned()];
    let collector = Collector::new(config, &filters, route, pipeline.intake(), Arc::new(Wall));
    let collector = collector.map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    let (stats, status) = (collector.stats(), collector.status());
    let (runtime, stop) = (Runtime::new()?, CancellationToken::new());
    let running = runtime.spawn(collector.run(stop.clone()));
    wait_until("the collector has not subscribed", || status.borrow().granted == filters.len())?;
    let (address, own) = (broker.address, messages.to_vec());
    let started = Instant::now();
    let publisher = std::thread::spawn(move || pipeline::publish(address, &own));
    let total = messages.len() as u64;
    wait_until("messages are missing", || stats.snapshot().acknowledged >= total)?;
    let took = started.elapsed().as_secs_f64();
    publisher.join().map_err(|_| anyhow::anyhow!("the publisher panicked"))??;
    stop.cancel();
    runtime.block_on(running)?;
    pipeline.stop();
    engine.stop();
    Ok(total as f64 / took)
}

fn wait_until(failure: &'static str, done: impl Fn() -> bool) -> anyhow::Result<()> {
    let started = Instant::now();
    while !done() {
        ensure!(started.elapsed() < Duration::from_mins(2), failure);
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
