//! Other people's servers with the same readings over HTTP: InfluxDB 2 as `tests/influxd` builds it,
//! and VictoriaMetrics if it is installed. Both take line protocol, gzipped, in requests of 5,000
//! lines of which two are under way; the requests are made up before the clock starts.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use city_store::Commit;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::city;
use crate::bench::asking::{Kind, Times};
use crate::bench::city::{City, Feed};
use crate::bench::part::{bytes_in, disk_folder, memory_mb};
use crate::bench::{Figure, Samples, Scale};
use crate::ports::free_address;

const LINES: usize = 5_000;
const UNDER_WAY: usize = 2;
/// Minutes of the city that the servers get.
const MINUTES: u32 = 60;
const TOKEN: &str = "bench-token";

type Requests = Arc<Vec<bytes::Bytes>>;

/// Each server that is there, once.
pub(super) fn add(samples: &mut Samples, scale: Scale) -> anyhow::Result<()> {
    let influxd = influxd_path()?;
    let victoria = which("victoria-metrics");
    if influxd.is_none() {
        eprintln!("no influxd: `tests/influxd/build.sh` builds it; its figures are left out");
    }
    if victoria.is_none() {
        eprintln!("no victoria-metrics (Debian's package of that name); its figures are left out");
    }
    if influxd.is_none() && victoria.is_none() {
        return Ok(());
    }
    // The process may have a provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (requests, readings) = requests(city(scale))?;
    if let Some(program) = influxd {
        eprintln!("influxd");
        let found = runtime.block_on(influxd_run(&program, &requests, readings))?;
        samples.add("influxd_readings_per_s", found.per_s);
        samples.add("influxd_last_all_ms_p50", found.last_all.quantile(0.5));
        samples.add("influxd_top_n_ms_p50", found.top.quantile(0.5));
        samples.add("influxd_bytes_per_reading", found.bytes_per_reading);
        samples.add("influxd_rss_mb", found.rss_mb);
    }
    if let Some(program) = victoria {
        eprintln!("victoria-metrics");
        let found = runtime.block_on(victoria_run(&program, &requests, readings))?;
        samples.add("victoria_readings_per_s", found.per_s);
        samples.add("victoria_rss_mb", found.rss_mb);
    }
    Ok(())
}

pub(super) fn figures(samples: &Samples) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut add = |figure: &str, unit, note| {
        if samples.has(figure) {
            figures.push(samples.figure(figure, unit, None, note));
        }
    };
    let over_http = "over HTTP, gzip, 5,000 lines a request, two under way; its log is fsynced";
    add("influxd_readings_per_s", "1/s", over_http);
    add("influxd_bytes_per_reading", "B", "just after");
    add("influxd_rss_mb", "MB", "the highest until all was written");
    for kind in [Kind::LastAll, Kind::Top] {
        let figure = format!("influxd_{}_p50", super::name(kind));
        add(&figure, "ms", "by Flux, answer read to its end");
    }
    let in_memory = "the same requests; it answers before anything is on the disk";
    add("victoria_readings_per_s", "1/s", in_memory);
    add("victoria_rss_mb", "MB", "the highest until all was written");
    figures
}

/// What a server made of it.
struct Found {
    per_s: f64,
    last_all: Times,
    top: Times,
    bytes_per_reading: f64,
    rss_mb: f64,
}

const METRICS: [&str; 5] = ["temperature", "humidity", "noise", "pm25", "battery"];

/// The city's first readings as line protocol, a line a reading, and how many there are.
fn requests(city: City) -> anyhow::Result<(Requests, u64)> {
    let (mut feed, mut commit, mut requests) = (Feed::new(city), Commit::default(), Vec::new());
    let total = u64::from(MINUTES) * city.per_minute();
    let mut count = 0;
    while count < total {
        feed.fill(&mut commit, LINES);
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        for reading in &commit.readings {
            writeln!(
                packed,
                "{},device=d{:05} value={} {}",
                METRICS[usize::from(reading.series.metric.0)],
                reading.series.device.0,
                reading.value.as_f64().context("a number")?,
                reading.time.micros(),
            )?;
        }
        requests.push(packed.finish()?.into());
        count += commit.readings.len() as u64;
    }
    Ok((Arc::new(requests), count))
}

/// Readings a second until the server has said yes to all requests.
async fn write_all(
    client: &Client,
    requests: &Requests,
    readings: u64,
    prepare: impl Fn(&Client) -> RequestBuilder,
) -> anyhow::Result<f64> {
    let next = AtomicUsize::new(0);
    let send = async || {
        while let Some(body) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
            let request = prepare(client).header("content-encoding", "gzip").body(body.clone());
            let answer = request.send().await?;
            let status = answer.status();
            ensure!(status == StatusCode::NO_CONTENT, "{status}: {}", answer.text().await?);
        }
        Ok(())
    };
    let started = Instant::now();
    const { assert!(UNDER_WAY == 2, "as many as are joined here") };
    tokio::try_join!(send(), send())?;
    Ok(readings as f64 / started.elapsed().as_secs_f64())
}

/// A server process; killed when dropped.
struct Server(Child);

impl Server {
    /// Starts it, and waits until an address answers.
    async fn start(command: &mut Command, client: &Client, health: &str) -> anyhow::Result<Self> {
        let mut server = Self(command.stdin(Stdio::null()).spawn()?);
        let started = Instant::now();
        loop {
            if let Ok(answer) = client.get(health).send().await
                && answer.status().is_success()
            {
                return Ok(server);
            }
            if let Some(status) = server.0.try_wait()? {
                bail!("the server ended at once: {status}");
            }
            ensure!(started.elapsed() < Duration::from_secs(30), "the server does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn memory_mb(&self) -> anyhow::Result<f64> {
        memory_mb(self.0.id(), "VmHWM")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn influxd_run(program: &Path, requests: &Requests, readings: u64) -> anyhow::Result<Found> {
    let folder = disk_folder()?;
    let dir = folder.path();
    let url = format!("http://{}", free_address()?);
    let client = Client::builder().timeout(Duration::from_mins(2)).build()?;
    let mut command = Command::new(program);
    command
        .args(["--http-bind-address", url.trim_start_matches("http://")])
        .arg("--bolt-path")
        .arg(dir.join("bolt"))
        .arg("--engine-path")
        .arg(dir.join("engine"))
        .arg("--sqlite-path")
        .arg(dir.join("sqlite"))
        .args(["--reporting-disabled", "--log-level", "error"])
        .env("HOME", dir)
        .stdout(File::create(dir.join("log"))?);
    let server = Server::start(&mut command, &client, &format!("{url}/health")).await?;
    let setup = json!({
        "username": "bench", "password": "bench-password", "org": "city", "bucket": "city",
        "token": TOKEN,
    });
    let answer = client.post(format!("{url}/api/v2/setup")).json(&setup).send().await?;
    ensure!(answer.status() == StatusCode::CREATED, "setting influxd up: {}", answer.text().await?);

    let write = format!("{url}/api/v2/write?org=city&bucket=city&precision=us");
    let per_s = write_all(&client, requests, readings, |client| {
        client.post(&write).header("authorization", format!("Token {TOKEN}"))
    })
    .await?;
    let rss_mb = server.memory_mb()?;
    let bytes_per_reading = bytes_in(&dir.join("engine")) as f64 / readings as f64;

    let ask = async |flux: String| {
        let started = Instant::now();
        let request = client
            .post(format!("{url}/api/v2/query?org=city"))
            .header("authorization", format!("Token {TOKEN}"))
            .header("content-type", "application/vnd.flux");
        let answer = request.body(flux).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{status}: {text}");
        anyhow::Ok((text, started.elapsed().as_secs_f64() * 1e3))
    };
    let (from, to) = (City::minute(0), City::minute(MINUTES + 2));
    let all = format!("from(bucket: \"city\") |> range(start: {from}, stop: {to})");
    let (text, _) = ask(format!("{all} |> count() |> group() |> sum()")).await?;
    let stored = text.lines().find_map(|line| line.rsplit(',').next()?.trim().parse().ok());
    ensure!(stored == Some(readings), "influxd has {stored:?} of {readings} readings: {text}");
    let (mut last_all, mut top) = (Times::default(), Times::default());
    for _ in 0..3 {
        last_all.add(ask(format!("{all} |> last()")).await?.1);
        let of = "filter(fn: (r) => r._measurement == \"pm25\") |> mean() |> group() |> top(n: 10)";
        top.add(ask(format!("{all} |> {of}")).await?.1);
    }
    Ok(Found { per_s, last_all, top, bytes_per_reading, rss_mb })
}

async fn victoria_run(program: &Path, requests: &Requests, readings: u64) -> anyhow::Result<Found> {
    let folder = disk_folder()?;
    let dir = folder.path();
    let address = free_address()?.to_string();
    let client = Client::builder().timeout(Duration::from_mins(2)).build()?;
    let mut command = Command::new(program);
    command
        .arg(format!("-httpListenAddr={address}"))
        .arg(format!("-storageDataPath={}", dir.join("data").display()))
        .args(["-retentionPeriod=100y", "-loggerLevel=ERROR"])
        .stdout(Stdio::null())
        .stderr(File::create(dir.join("log"))?);
    let server = Server::start(&mut command, &client, &format!("http://{address}/health")).await?;
    let write = format!("http://{address}/api/v2/write?precision=us");
    let per_s = write_all(&client, requests, readings, |client| client.post(&write)).await?;
    let metrics = client.get(format!("http://{address}/metrics")).send().await?.text().await?;
    let inserted = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("vm_rows_inserted_total{type=\"influx\"} "))
        .find_map(|count| count.parse::<u64>().ok());
    ensure!(inserted == Some(readings), "it has taken {inserted:?} of {readings} readings");
    let rss_mb = server.memory_mb()?;
    let (last_all, top) = (Times::default(), Times::default());
    Ok(Found { per_s, last_all, top, bytes_per_reading: f64::NAN, rss_mb })
}

/// The server that `tests/influxd/build.sh` has built, if it has.
fn influxd_path() -> anyhow::Result<Option<PathBuf>> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("influxd");
    let mut hash = Sha256::new();
    for file in ["go.mod", "go.sum"] {
        hash.update(std::fs::read(module.join(file)).with_context(|| file.to_owned())?);
    }
    let mut hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
    hash.truncate(8);
    let hash = hash.concat();
    let Some(home) = std::env::var_os("HOME") else { return Ok(None) };
    let path = PathBuf::from(home).join(format!(".cache/citybrain/influxd-{hash}/influxd"));
    Ok(path.is_file().then_some(path))
}

fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}
