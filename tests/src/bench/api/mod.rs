//! `api`: the brain as it ships, in front of a city of 20,000 devices.
//!
//! Questions: the map (Brotli, while a thousand vehicles move), a day of one series (1,440 readings),
//! a day of a zone (200 devices), and the alerts; one connection asks one after the other for the
//! delays, four at once for the rates. Baseline: the file of the web app that is next to the map in
//! size, from the same server.
//!
//! The stream: 2,000 clients each follow 1,000 values and movements a second while messages come in
//! at half of the most that was taken without clients; then at most again. The delay is from the
//! publisher's clock to the reader's: both are this process. Every twentieth client reads what it
//! gets, the others only take it. Everything shares the machine's cores with the program, the load
//! included; absolute figures are those of both together.

mod city;
mod load;
mod watchers;

use std::time::Duration;

use anyhow::ensure;

use self::city::City;
use self::load::{Bulk, Vehicles};
use self::watchers::Watchers;
use super::{Figure, Report, Samples, Scale};
use crate::http::{Connection, raise_open_files};

const CLIENTS: usize = 2_000;
const IDLE: usize = 10_000;
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn run(scale: Scale) -> anyhow::Result<Report> {
    let runs = if scale == Scale::Quick { 1 } else { 3 };
    raise_open_files()?;
    let mut samples = Samples::default();
    for run in 1..=runs {
        eprintln!("run {run} of {runs}: a city of {} devices", city::DEVICES);
        let city = City::start(scale)?;
        eprintln!("run {run} of {runs}: questions");
        questions(&city, scale, &mut samples)?;
        eprintln!("run {run} of {runs}: {CLIENTS} clients of the stream");
        stream(&city, scale, &mut samples)?;
        eprintln!("run {run} of {runs}: {IDLE} idle connections");
        idle(&city, &mut samples)?;
    }
    Ok(Report::new("api", runs, figures(&samples)))
}

/// Asks each question for its delays and rates.
fn questions(city: &City, scale: Scale, samples: &mut Samples) -> anyhow::Result<()> {
    let (asks, rate_for) = if scale == Scale::Quick { (50, 1) } else { (500, 5) };
    let vehicles = Vehicles::start(city.mqtt)?;
    for (name, path, headers) in city.questions()? {
        let headers = format!("{}{headers}", city.bearer);
        let mut connection = Connection::open(city.http, PATIENCE)?;
        let mut delays = Vec::with_capacity(asks);
        let mut bytes = 0;
        for _ in 0..asks {
            let started = std::time::Instant::now();
            let answer = connection.get(&path, &headers)?;
            delays.push(started.elapsed());
            ensure!(answer.status == 200, "{path}: {}", answer.head);
            bytes = answer.body.len();
        }
        for (part, share) in [("p50", 0.5), ("p99", 0.99)] {
            samples.add(format!("{name}_{part}_ms"), load::quantile(&delays, share)?);
        }
        samples.add(format!("{name}_kb"), bytes as f64 / 1_000.0);
        let rate = load::rate(city.http, &path, &headers, Duration::from_secs(rate_for))?;
        samples.add(format!("{name}_per_s"), rate);
    }
    vehicles.stop()
}

/// Messages alone, then with all clients.
fn stream(city: &City, scale: Scale, samples: &mut Samples) -> anyhow::Result<()> {
    let time = Duration::from_secs(if scale == Scale::Quick { 3 } else { 20 });
    let mut bulk = Bulk::connect(city.mqtt)?;
    let most = bulk.most(time / 2)?;
    samples.add("messages_per_s_alone", most);
    let vehicles = Vehicles::start(city.mqtt)?;
    let alone = bulk.paced(most / 2.0, time)?;
    samples.add("half_messages_per_s_alone", alone.per_s);
    samples.add("ack_p99_ms_alone", load::quantile(&alone.delays, 0.99)?);

    let watchers = Watchers::start(city.http, &city.bearer, CLIENTS)?;
    watchers.measure(true);
    let beside = bulk.paced(most / 2.0, time)?;
    watchers.measure(false);
    let most_beside = bulk.most(time / 2)?;
    let seen = watchers.stop()?;
    vehicles.stop()?;
    ensure!(seen.silent == 0, "{} clients got nothing for a while", seen.silent);
    samples.add("half_messages_per_s", beside.per_s);
    samples.add("ack_p99_ms", load::quantile(&beside.delays, 0.99)?);
    samples.add("messages_per_s", most_beside);
    samples.add("ingest_slowdown_ratio", beside.per_s / alone.per_s);
    samples.add("ingest_most_ratio", most_beside / most);
    for (part, share) in [("p50", 0.5), ("p99", 0.99)] {
        samples.add(format!("sse_2000_{part}_ms"), load::quantile(&seen.delays, share)?);
    }
    samples.add("sse_events_per_s", seen.values_per_client_s);
    samples.add("sse_mb_per_s", seen.bytes_per_s / 1e6);
    samples.add("sse_resyncs", seen.resyncs as f64);
    Ok(())
}

/// Memory of the program for each connection that has asked once and waits.
fn idle(city: &City, samples: &mut Samples) -> anyhow::Result<()> {
    let hold = |count: usize| -> anyhow::Result<Vec<Connection>> {
        let mut held = Vec::with_capacity(count);
        for _ in 0..count {
            let mut connection = Connection::open(city.http, PATIENCE)?;
            ensure!(connection.get("/health/live", "")?.status == 200, "not live");
            held.push(connection);
        }
        Ok(held)
    };
    // The first ones pay for what all share.
    let first = hold(100)?;
    let before = city.instance.memory()?;
    let held = hold(IDLE)?;
    let after = city.instance.memory()?;
    samples
        .add("idle_kb_per_connection", (after.saturating_sub(before)) as f64 / 1e3 / IDLE as f64);
    let mut connection = Connection::open(city.http, PATIENCE)?;
    let mut delays = Vec::new();
    for _ in 0..200 {
        let started = std::time::Instant::now();
        ensure!(connection.get("/health/live", "")?.status == 200, "not live");
        delays.push(started.elapsed());
    }
    samples.add("beside_idle_p99_ms", load::quantile(&delays, 0.99)?);
    drop((first, held));
    Ok(())
}

fn figures(samples: &Samples) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (name, note) in [
        ("snapshot_20k", "the map, Brotli, while 1,000 vehicles move; aim 30 ms, 400 kB"),
        ("day_series", "1,440 readings; aim 10 ms"),
        ("zone_day", "200 devices in steps of 15 minutes"),
        ("alerts", "the first page"),
    ] {
        let base = "static_p99_ms";
        figures.push(samples.figure(format!("{name}_p99_ms"), "ms", Some(base), note));
        figures.push(samples.figure(format!("{name}_p50_ms"), "ms", Some("static_p50_ms"), ""));
        let rate = format!("{name}_per_s");
        figures.push(samples.figure(rate, "1/s", Some("static_per_s"), ""));
        figures.push(samples.figure(format!("{name}_kb"), "kB", Some("static_kb"), ""));
    }
    let note = "the file of the web app that is next to the map in size, Brotli";
    figures.push(samples.figure("static_p99_ms", "ms", None, note));
    for (name, unit) in [("static_p50_ms", "ms"), ("static_per_s", "1/s"), ("static_kb", "kB")] {
        figures.push(samples.figure(name, unit, None, ""));
    }
    let note =
        "from the publisher to the reader of one of 2,000 clients, ingest at half; aim 250 ms";
    figures.push(samples.figure("sse_2000_p99_ms", "ms", Some("ack_p99_ms"), note));
    figures.push(samples.figure("sse_2000_p50_ms", "ms", None, ""));
    figures.push(samples.figure("sse_events_per_s", "1/s", None, "values that each client gets"));
    figures.push(samples.figure("sse_mb_per_s", "MB/s", None, "to all of them"));
    figures.push(samples.figure("sse_resyncs", "", None, "clients that fell behind"));
    let note =
        "messages acknowledged at half of the most, with 2,000 clients over without; aim 0.9";
    figures.push(samples.figure("ingest_slowdown_ratio", "", None, note));
    let note = "the same as fast as it goes: the clients and their readers take cores from it";
    figures.push(samples.figure("ingest_most_ratio", "", None, note));
    for name in ["messages_per_s", "half_messages_per_s"] {
        let base = format!("{name}_alone");
        figures.push(samples.figure(name, "1/s", Some(&base), ""));
        figures.push(samples.figure(base, "1/s", None, ""));
    }
    figures.push(samples.figure("ack_p99_ms", "ms", Some("ack_p99_ms_alone"), ""));
    figures.push(samples.figure("ack_p99_ms_alone", "ms", None, ""));
    let note = "resident, of 10,000 connections that have asked once; aim below 25 kB";
    figures.push(samples.figure("idle_kb_per_connection", "kB", None, note));
    figures.push(samples.figure("beside_idle_p99_ms", "ms", None, "/health/live beside them"));
    figures
}
