//! Files of millions of readings: as much as there is, in memory that does not grow with it.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use city_model::{Marks, Quality, Reading, SeriesKey, Span, Timestamp, Value, ZoneSet};
use city_store::{Commit, Embedded, Options, Store as _};
use city_tests::faults::{City, PATIENCE};
use city_tests::fleet::now;
use city_tests::instance::{Instance, eventually};
use city_tests::publisher::Publisher;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::json;

const DEVICES: usize = 100;
/// Of each device, one a second: two million in all, which is more than any buffer holds.
const READINGS: usize = 20_000;
/// Of one device alone: more than fits between the program and a client.
const ALONE: usize = 100_000;
/// Readings of each device in a commit.
const BATCH: usize = 100;
/// The first reading: 2026-03-01.
const START: Timestamp = Timestamp::from_secs(1_772_323_200);
/// How much more memory an export may take, in bytes: some row groups and chunks.
const MORE: u64 = 96 << 20;

/// Puts readings into the store of a program that does not run, and says whose they are.
fn fill(city: &City, readings: usize) -> anyhow::Result<Vec<SeriesKey>> {
    let (store, _) = Embedded::open(city.data().join("store"), Options::default())?;
    let mut all = Vec::new();
    store.each_last(&mut |series, _| all.push(series));
    all.sort_unstable();
    for second in (0..readings).step_by(BATCH) {
        let of = |series: &SeriesKey, n: usize| Reading {
            series: *series,
            time: START + Span::from_secs(n as i64),
            received: START + Span::from_secs(n as i64),
            value: Value::Number((n % 1_000) as f64 / 8.0),
            quality: Quality::Pass,
            marks: Marks::NONE,
            position: None,
            zones: ZoneSet::default(),
        };
        let seconds = second..second + BATCH;
        let readings: Vec<Reading> =
            seconds.flat_map(|n| all.iter().map(move |series| of(series, n))).collect();
        let sources = vec![0; readings.len()];
        store.commit(&Commit { readings, sources, ..Commit::default() })?;
        if second.is_multiple_of(3_600) {
            store.maintain(START + Span::from_secs(second as i64))?;
        }
    }
    store.flush()?;
    Ok(all)
}

/// What came of an export.
struct Exported {
    bytes: u64,
    lines: u64,
    /// The most memory that the program took meanwhile.
    memory: u64,
    took: Duration,
}

async fn export(
    instance: &Instance,
    format: &str,
    to: &mut dyn std::io::Write,
) -> anyhow::Result<Exported> {
    let client = city_alert::plain_client(Duration::from_mins(20)).map_err(anyhow::Error::msg)?;
    let query = format!("format={format}&from={START}&to={}", START + Span::from_hours(48));
    let url = format!("http://{}/api/v1/readings/export?{query}", instance.ready.http);
    let begun = Instant::now();
    let request = client.get(url).bearer_auth(&instance.ready.token);
    let mut answer = request.send().await?.error_for_status()?;
    let mut done =
        Exported { bytes: 0, lines: 0, memory: instance.memory()?, took: Duration::ZERO };
    let mut looked = 0;
    while let Some(chunk) = answer.chunk().await? {
        to.write_all(&chunk)?;
        done.bytes += chunk.len() as u64;
        done.lines += chunk.split(|byte| *byte == b'\n').count() as u64 - 1;
        if done.bytes - looked > 4 << 20 {
            looked = done.bytes;
            done.memory = done.memory.max(instance.memory()?);
        }
    }
    done.took = begun.elapsed();
    Ok(done)
}

#[tokio::test(flavor = "multi_thread")]
async fn millions_of_readings_are_exported_in_bounded_memory() {
    let city = City::new(&[]).expect("a city");
    let instance = city.start().await.expect("it starts");
    let mqtt = instance.ready.mqtt.expect("an endpoint");
    let mut publisher = Publisher::connect(mqtt, "levels").expect("connected");
    for device in 0..DEVICES {
        let payload = json!({ "ts": now(), "level": 1.0 }).to_string();
        publisher.publish(&format!("mqtt/level-{device}/up"), payload.as_bytes());
        publisher.flush().expect("sent");
        publisher.acknowledged().expect("acknowledged");
    }
    assert!(instance.interrupt().expect("stopped").1);
    let series = fill(&city, READINGS).expect("filled");
    assert_eq!(series.len(), DEVICES);
    let rows = (series.len() * READINGS) as u64;

    let instance = city.start().await.expect("it starts again");
    let before = instance.memory().expect("readable");
    for (format, around) in [("csv", 1), ("ndjson", 0), ("geojson", 2)] {
        let done = export(&instance, format, &mut std::io::sink()).await.expect("exported");
        assert_eq!(done.lines, rows + around, "{format}");
        let more = done.memory.saturating_sub(before);
        println!(
            "{format}: {} MB in {:.1} s, {:.0} readings/s, {} MB more memory",
            done.bytes / 1_000_000,
            done.took.as_secs_f64(),
            rows as f64 / done.took.as_secs_f64(),
            more / 1_000_000
        );
        assert!(more < MORE, "{format} took {more} bytes more");
    }
    let file = tempfile::tempfile().expect("a file");
    let mut writer = std::io::BufWriter::new(file.try_clone().expect("the same file"));
    let done = export(&instance, "parquet", &mut writer).await.expect("exported");
    writer.flush().expect("written");
    let more = done.memory.saturating_sub(before);
    println!(
        "parquet: {} MB in {:.1} s, {} MB more memory",
        done.bytes / 1_000_000,
        done.took.as_secs_f64(),
        more / 1_000_000
    );
    assert!(more < MORE, "parquet took {more} bytes more");
    let reader = SerializedFileReader::new(file).expect("Parquet");
    assert_eq!(reader.metadata().file_metadata().num_rows() as u64, rows);
    assert!(reader.num_row_groups() > 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_go_away_leave_room_for_others() {
    let city = City::new(&[]).expect("a city");
    let instance = city.start().await.expect("it starts");
    let mqtt = instance.ready.mqtt.expect("an endpoint");
    let mut publisher = Publisher::connect(mqtt, "levels").expect("connected");
    let payload = json!({ "ts": now(), "level": 1.0 }).to_string();
    publisher.publish("mqtt/level-0/up", payload.as_bytes());
    publisher.flush().expect("sent");
    publisher.acknowledged().expect("acknowledged");
    assert!(instance.interrupt().expect("stopped").1);
    fill(&city, ALONE).expect("filled");
    let instance = city.start().await.expect("it starts again");
    let client = city_alert::plain_client(PATIENCE).expect("a client");
    let url =
        format!("http://{}/api/v1/readings/export?from={START}&format=ndjson", instance.ready.http);
    // More than can be written at the same time, each left after its beginning.
    for _ in 0..20 {
        let request = client.get(&url).bearer_auth(&instance.ready.token);
        let begun = eventually("a place", PATIENCE, async || {
            let answer = request.try_clone().context("a request")?.send().await?;
            Ok(answer.status().is_success().then_some(answer))
        });
        let mut answer = begun.await.expect("begun");
        assert!(answer.chunk().await.expect("a chunk").is_some());
        drop(answer);
    }
    let done = export(&instance, "csv", &mut std::io::sink()).await.expect("exported");
    assert_eq!(done.lines, ALONE as u64 + 1);
}
