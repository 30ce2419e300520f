//! The plain way: a row for each reading in one table of SQLite, with the same commits.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use city_store::Commit;
use rusqlite::Connection;

use super::city;
use crate::bench::Scale;
use crate::bench::asking::{Kind, Times, ZONE};
use crate::bench::city::{City, DAY, Feed, chance};
use crate::bench::intake::BATCH;

/// Minutes that are committed as they come.
const MINUTES: u32 = 15;
/// Devices of which there is a whole day; of the others there is an hour.
const WHOLE: u32 = 20;

/// What the rows cost.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) per_s: f64,
    pub(super) bytes_per_reading: f64,
    pub(super) times: Vec<(Kind, Times)>,
}

pub(super) fn measure(scale: Scale, folder: &Path) -> anyhow::Result<Rows> {
    let city = city(scale);
    let path = folder.join("rows.db");
    let mut conn = Connection::open(&path)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;
         CREATE TABLE reading (series INTEGER, time INTEGER, value REAL, quality INTEGER,
                               PRIMARY KEY (series, time)) WITHOUT ROWID;
         CREATE TABLE series (id INTEGER PRIMARY KEY);",
    )?;
    let known = conn.transaction()?;
    for device in 0..city.devices {
        for metric in 0..city.metrics {
            known.execute("INSERT INTO series VALUES (?1)", [id(device, metric)])?;
        }
    }
    known.commit()?;

    let (mut feed, mut commit) = (Feed::new(city), Commit::default());
    let (mut filling, mut count) = (Duration::ZERO, 0_u64);
    let started = Instant::now();
    while count < u64::from(MINUTES) * city.per_minute() {
        let before = Instant::now();
        feed.fill(&mut commit, BATCH);
        filling += before.elapsed();
        insert(&mut conn, &commit)?;
        count += commit.readings.len() as u64;
    }
    let per_s = count as f64 / (started.elapsed().as_secs_f64() - filling.as_secs_f64());
    conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);")?;
    let bytes_per_reading = std::fs::metadata(&path)?.len() as f64 / count as f64;
    let stored: i64 = conn.query_row("SELECT count(*) FROM reading", [], |row| row.get(0))?;
    ensure!(stored as u64 == count, "{stored} rows of {count}");
    complete(&mut conn, city)?;
    let times = ask(&conn, scale, city)?;
    Ok(Rows { per_s, bytes_per_reading, times })
}

fn id(device: u32, metric: u16) -> i64 {
    i64::from(device) << 4 | i64::from(metric)
}

fn insert(conn: &mut Connection, commit: &Commit) -> anyhow::Result<()> {
    let tx = conn.transaction()?;
    {
        let mut put =
            tx.prepare_cached("INSERT OR REPLACE INTO reading VALUES (?1, ?2, ?3, ?4)")?;
        for reading in &commit.readings {
            put.execute((
                id(reading.series.device.0, reading.series.metric.0),
                reading.time.micros(),
                reading.value.as_f64(),
                reading.quality.code(),
            ))?;
        }
    }
    Ok(tx.commit()?)
}

/// The rest of the hour, and for some devices of the day, in the order of the rows, so that they
/// can be asked for.
fn complete(conn: &mut Connection, city: City) -> anyhow::Result<()> {
    let tx = conn.transaction()?;
    {
        let mut put = tx.prepare("INSERT OR REPLACE INTO reading VALUES (?1, ?2, ?3, 1)")?;
        for device in 0..city.devices {
            for metric in 0..city.metrics {
                for minute in 0..if device < WHOLE { DAY } else { 60 } {
                    put.execute((
                        id(device, metric),
                        City::time(device, minute).micros(),
                        City::value(device, metric, minute),
                    ))?;
                }
            }
        }
    }
    Ok(tx.commit()?)
}

fn ask(conn: &Connection, scale: Scale, city: City) -> anyhow::Result<Vec<(Kind, Times)>> {
    let day = (City::minute(0).micros(), City::minute(DAY).micros());
    let hour = (City::minute(0).micros(), City::minute(60).micros());
    let rounds = if scale == Scale::Quick { 20 } else { 200 };
    let mut asked = Vec::new();
    let mut ask = |kind, count, one: &dyn Fn(u64) -> anyhow::Result<()>| {
        let mut times = Times::default();
        for turn in 0..count {
            let started = Instant::now();
            one(turn)?;
            times.add(started.elapsed().as_secs_f64() * 1e3);
        }
        asked.push((kind, times));
        anyhow::Ok(())
    };
    let one = |turn: u64| {
        let by = chance(turn);
        id((by % u64::from(WHOLE)) as u32, (by >> 32) as u16 % city.metrics)
    };

    let mut last = conn.prepare(
        "SELECT count(value) FROM (SELECT (SELECT value FROM reading WHERE series = id
                                           ORDER BY time DESC LIMIT 1) AS value FROM series)",
    )?;
    let last = std::cell::RefCell::new(&mut last);
    ask(Kind::LastAll, rounds / 20, &|_| {
        let count: i64 = last.borrow_mut().query_row([], |row| row.get(0))?;
        ensure!(count as u64 == city.series(), "{count} last values");
        Ok(())
    })?;

    ask(Kind::Raw, rounds, &|turn| {
        let mut raw = conn.prepare_cached(
            "SELECT time, value, quality FROM reading WHERE series = ?1 AND time >= ?2 AND time < ?3",
        )?;
        let rows = raw.query_map((one(turn), day.0, day.1), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, f64>(1)?, row.get::<_, i64>(2)?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        ensure!(rows.len() as u32 == DAY, "{} rows of a day", rows.len());
        Ok(())
    })?;

    ask(Kind::Minutes, rounds, &|turn| {
        let mut steps = conn.prepare_cached(
            "SELECT time / 60000000, count(*), min(value), max(value), sum(value) FROM reading
             WHERE series = ?1 AND time >= ?2 AND time < ?3 GROUP BY 1",
        )?;
        let rows = steps.query_map((one(turn), day.0, day.1), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, f64>(4)?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        ensure!(rows.len() as u32 == DAY, "{} minutes of a day", rows.len());
        Ok(())
    })?;

    let size = ZONE.min(city.devices / 2);
    ask(Kind::Zone, rounds / 10, &|turn| {
        let by = chance(turn);
        let (first, metric) =
            ((by % u64::from(city.devices)) as u32, (by >> 32) as u16 % city.metrics);
        let mut of_one = conn.prepare_cached(
            "SELECT count(*), sum(value) FROM reading WHERE series = ?1 AND time >= ?2 AND time < ?3",
        )?;
        let mut count = 0;
        for index in 0..size {
            let device = (first + index * (city.devices / size)) % city.devices;
            let found = of_one.query_row((id(device, metric), hour.0, hour.1), |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Option<f64>>(1)?))
            })?;
            count += found.0;
        }
        ensure!(count == 60 * i64::from(size), "{count} readings of a zone");
        Ok(())
    })?;

    ask(Kind::Top, rounds / 20, &|turn| {
        let mut top = conn.prepare_cached(
            "SELECT id, (SELECT avg(value) FROM reading
                         WHERE series = id AND time >= ?2 AND time < ?3) AS mean
             FROM series WHERE id & 15 = ?1 ORDER BY mean DESC LIMIT 10",
        )?;
        let metric = chance(turn) as u16 % city.metrics;
        let rows = top.query_map((metric, hour.0, hour.1), |row| row.get::<_, f64>(1))?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        ensure!(rows.len() == 10, "{} of the top", rows.len());
        Ok(())
    })?;
    Ok(asked)
}
