//! `scale`: the same readings through one process, and through collectors, a bus and 1, 2 and 4 alert
//! workers.
//!
//! Everything runs on this machine, so that readings a second show what all of it takes together, and
//! more workers show no speed where there are no more cores. What carries over to other machines is
//! the processor time for a million readings, of all processes and of each kind. Messages have two
//! readings of one of 2,000 devices each; four rules select one of them, none the other.
//!
//! The baseline is one process without a bus, under the same load. Workers are killed, too, and the time
//! until others evaluate all of their partitions is taken.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use tokio::runtime::Runtime;

use super::{Report, Samples, Scale};
use crate::cluster::{Additions, Cluster, Size};
use crate::faults::{City, sums};
use crate::instance::{Instance, eventually};
use crate::mqtt_load::Load;

const RULES: &str = "group: numbers\ndepartment: city\nrules:
  - {id: high, kind: threshold, lateness: any, select: {metric: water_level}, severity: {low: {above: 1e6}}}
  - {id: mean, kind: window, lateness: any, select: {metric: water_level}, window: {function: mean, over: 1h}, \
   severity: medium, raise: {above: 1e6}}
  - {id: higher, kind: threshold, lateness: any, select: {metric: water_level}, severity: {low: {above: 1e9}}}
  - {id: most, kind: window, lateness: any, select: {metric: water_level}, window: {function: max, over: 1h}, \
   severity: medium, raise: {above: 1e6}}
";

const DEVICES: usize = 2_000;
const READINGS_PER_MESSAGE: u64 = 2;
const LOAD: Load = Load { connections: 4, window: 600 };
const WORKERS: [usize; 3] = [1, 2, 4];
/// The first event time.
const FIRST_S: i64 = 1_790_000_000;
const PATIENCE: Duration = Duration::from_mins(3);
/// `USER_HZ`, in which `/proc` counts: the same on every Linux of today's machines.
const TICKS_PER_S: f64 = 100.0;

type Messages = [(String, String)];

pub(super) fn run(scale: Scale) -> anyhow::Result<Report> {
    let (runs, messages, kills) =
        if scale == Scale::Quick { (1, 20_000, 1) } else { (3, 300_000, 6) };
    let (first, rest) = (messages_from(0, DEVICES), messages_from(1, messages));
    let runtime = Runtime::new()?;
    let mut samples = Samples::default();
    for run in 1..=runs {
        eprintln!("run {run} of {runs}: one process");
        alone(&runtime, &first, &rest, &mut samples)?;
        for workers in WORKERS {
            eprintln!("run {run} of {runs}: {workers} workers");
            on_a_bus(&runtime, workers, &first, &rest, &mut samples)?;
        }
    }
    eprintln!("{kills} workers killed");
    takeovers(&runtime, kills, &first, &mut samples)?;
    let mut figures = Vec::new();
    let base = Some("cpu_s_per_million_in_process");
    for workers in WORKERS {
        let cpu = format!("cpu_s_per_million_{workers}");
        let note = "all processes and the bus's server";
        figures.push(samples.figure(cpu, "s", base, note));
        let rate = format!("readings_per_s_{workers}");
        let note = "evaluated and stored, clients on the same cores";
        figures.push(samples.figure(rate, "1/s", Some("readings_per_s_in_process"), note));
    }
    for part in ["collect", "alert", "brain", "nats"] {
        let note = "of it with one worker";
        figures.push(samples.figure(format!("cpu_s_per_million_1_{part}"), "s", None, note));
    }
    figures.push(samples.figure("bus_cost_ratio", "1", None, "with one worker, over one process"));
    figures.push(samples.figure("cpu_s_per_million_in_process", "s", None, "one process"));
    figures.push(samples.figure("readings_per_s_in_process", "1/s", None, "one process"));
    let note = "from a worker's kill -9 until others evaluate its partitions; lease of 3 s";
    figures.push(samples.figure("takeover_p50_s", "s", None, note));
    figures.push(samples.figure("takeover_max_s", "s", None, note));
    Ok(Report::new("scale", runs, figures))
}

/// Messages of all devices in turn, a second apart.
fn messages_from(round: usize, count: usize) -> Vec<(String, String)> {
    let message = |number: usize| {
        let (device, second) = (number % DEVICES, FIRST_S + (round + number / DEVICES) as i64);
        let at = city_model::Timestamp::from_secs(second);
        let level = (number % 97) as f64 / 10.0;
        let payload = format!("{{\"ts\":\"{at}\",\"number\":{number},\"level\":{level}}}");
        (format!("mqtt/device-{device}/up"), payload)
    };
    (0..count).map(message).collect()
}

/// Processor time of a process so far, in seconds.
fn cpu_of(process: u32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // After the name, which may hold anything but a closing bracket at the end.
    let (_, rest) = text.rsplit_once(')').context("a name")?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<f64>().ok();
    let ticks = next().context("user time")? + next().context("system time")?;
    Ok(ticks / TICKS_PER_S)
}

fn alone(
    runtime: &Runtime,
    first: &Messages,
    rest: &Messages,
    samples: &mut Samples,
) -> anyhow::Result<()> {
    let city = City::with_rules(Some(RULES), &[])?;
    let instance = runtime.block_on(city.start())?;
    let door = instance.ready.mqtt.context("an endpoint")?;
    let stored = |wanted: usize| {
        runtime.block_on(eventually("all to be stored", PATIENCE, async || {
            Ok((sums(&instance).await?.stored == wanted as u64 * READINGS_PER_MESSAGE)
                .then_some(()))
        }))
    };
    LOAD.run(door, first)?;
    stored(first.len())?;
    let (begun, cpu) = (Instant::now(), cpu_of(instance.process())?);
    LOAD.run(door, rest)?;
    stored(first.len() + rest.len())?;
    let readings = (rest.len() as u64 * READINGS_PER_MESSAGE) as f64;
    let cpu = cpu_of(instance.process())? - cpu;
    samples.add("cpu_s_per_million_in_process", cpu / readings * 1e6);
    samples.add("readings_per_s_in_process", readings / begun.elapsed().as_secs_f64());
    Ok(())
}

fn on_a_bus(
    runtime: &Runtime,
    workers: usize,
    first: &Messages,
    rest: &Messages,
    samples: &mut Samples,
) -> anyhow::Result<()> {
    let size = Size { servers: 1, collectors: 1, workers, brains: 1 };
    let mut cluster = start(size)?;
    runtime.block_on(cluster.all_evaluated(None))?;
    let door = door(&cluster)?;
    LOAD.run(door, first)?;
    runtime.block_on(heard(&mut cluster, first.len()))?;
    let (begun, before) = (Instant::now(), processor(&mut cluster)?);
    LOAD.run(door, rest)?;
    runtime.block_on(heard(&mut cluster, first.len() + rest.len()))?;
    let took = begun.elapsed().as_secs_f64();
    let readings = (rest.len() as u64 * READINGS_PER_MESSAGE) as f64;
    let mut all = 0.0;
    for ((kind, after), (_, before)) in processor(&mut cluster)?.into_iter().zip(before) {
        let cpu = (after - before) / readings * 1e6;
        all += cpu;
        if workers == 1 {
            samples.add(format!("cpu_s_per_million_1_{kind}"), cpu);
        }
    }
    samples.add(format!("cpu_s_per_million_{workers}"), all);
    samples.add(format!("readings_per_s_{workers}"), readings / took);
    if workers == 1 {
        let alone = samples.figure("cpu_s_per_million_in_process", "s", None, "").value;
        samples.add("bus_cost_ratio", all / alone);
    }
    Ok(())
}

fn start(size: Size) -> anyhow::Result<Cluster> {
    Cluster::start(size, RULES, &Additions::default(), "")?
        .context("there is no nats-server; run `cargo xtask nats`")
}

fn door(cluster: &Cluster) -> anyhow::Result<SocketAddr> {
    cluster.nodes["collect-1"].mqtt.context("an endpoint")
}

/// Processor time so far of each kind of process.
fn processor(cluster: &mut Cluster) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let mut all = Vec::new();
    for kind in ["collect", "alert", "brain"] {
        let mut sum = 0.0;
        for name in cluster.of(kind) {
            let process = cluster.node(&name)?.instance().map(Instance::process);
            sum += cpu_of(process.context("it runs")?)?;
        }
        all.push((kind, sum));
    }
    let servers: anyhow::Result<Vec<f64>> = cluster.nats.processes().map(cpu_of).collect();
    all.push(("nats", servers?.into_iter().sum()));
    Ok(all)
}

/// Waits until so many messages are evaluated and in the history.
async fn heard(cluster: &mut Cluster, messages: usize) -> anyhow::Result<()> {
    let wanted = messages as u64 * READINGS_PER_MESSAGE;
    eventually("all to be evaluated and stored", PATIENCE, async || {
        let mut evaluated = 0;
        for name in cluster.of("alert") {
            evaluated += cluster.figure(&name, "citybrain_partition_readings").await?;
        }
        // The engine that spans all devices hears everything once more.
        ensure!(evaluated >= 2 * wanted, "{evaluated} of {}", 2 * wanted);
        let brain = cluster.node("brain-1")?.instance().context("a brain")?;
        let stored = sums(brain).await?.stored;
        ensure!(stored == wanted, "{stored} of {wanted}");
        Ok(Some(()))
    })
    .await
}

fn takeovers(
    runtime: &Runtime,
    kills: usize,
    first: &Messages,
    samples: &mut Samples,
) -> anyhow::Result<()> {
    let mut cluster = start(Size { servers: 1, collectors: 1, workers: 2, brains: 1 })?;
    runtime.block_on(cluster.all_evaluated(None))?;
    LOAD.run(door(&cluster)?, first)?;
    let mut times = Vec::new();
    for kill in 0..kills {
        let name = format!("alert-{}", kill % 2 + 1);
        let begun = Instant::now();
        cluster.kill(&name)?;
        runtime.block_on(cluster.all_evaluated(Some(&name)))?;
        times.push(begun.elapsed().as_secs_f64());
        cluster.restart(&name)?;
        runtime.block_on(cluster.all_evaluated(None))?;
    }
    ensure!(!times.is_empty(), "nothing was taken over");
    samples.add("takeover_max_s", times.iter().copied().fold(0.0, f64::max));
    for time in times {
        samples.add("takeover_p50_s", time);
    }
    Ok(())
}
