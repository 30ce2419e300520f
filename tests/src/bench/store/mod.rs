//! `store`: the embedded store under a city of 100,000 series, with commits of 10,000 readings,
//! each on the disk before the next one, and upkeep by the virtual clock beside them.
//!
//! A day and some hours of the city of [`super::city`]: windows are sealed, the log is cut and the
//! first day is compacted while readings come in. Making up the readings is left out of all
//! figures; it takes a few hundredths of the time, in which the upkeep goes on. Queries are timed
//! between the commits, on readings of windows just sealed, of a compacted day, and of the newest
//! hours; and at the end a thread asks without a pause beside the commits.
//!
//! Baselines: SQLite with a row for each reading and the same commits; the disk's own sequential
//! writes of the log's bytes, each made durable; and, if they are there, a real influxd and
//! VictoriaMetrics with the same readings over HTTP, once.

mod disk;
mod ingest;
mod restart;
mod rows;
mod servers;

use std::io::Write as _;

use serde::{Deserialize, Serialize};

use self::ingest::Ingested;
use self::restart::Reopened;
use super::asking::Kind;
use super::city::City;
use super::part::{Part, Running, disk_folder};
use super::{Figure, Report, Samples, Scale};

/// What runs as a process of its own.
pub(super) const PARTS: &[(&str, Part)] =
    &[("store-ingest", ingest::run), ("store-fill", restart::fill), ("store-open", restart::open)];

/// Where the readings are that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    /// A day that is over and compacted: the usual case of history.
    Compacted,
    /// A day of windows that are sealed, before it is compacted.
    Sealed,
    /// Up to now: in memory, in sealed windows, and in a compacted day.
    Newest,
    /// The first and the last of these in turn, while readings come in without a pause.
    Beside,
}

fn city(scale: Scale) -> City {
    let devices = if scale == Scale::Quick { 2_000 } else { 20_000 };
    City { devices, metrics: 5, moving: 0 }
}

/// Ends a part with what it has found.
pub(super) fn say(found: &impl Serialize) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", serde_json::to_string(found)?)?;
    Ok(())
}

pub(super) fn run(scale: Scale) -> anyhow::Result<Report> {
    let runs = if scale == Scale::Quick { 1 } else { 3 };
    let mut samples = Samples::default();
    for run in 1..=runs {
        eprintln!("run {run} of {runs}: the embedded store");
        let folder = disk_folder()?;
        let ingested: Ingested = Running::start("store-ingest", scale, folder.path())?.finish()?;
        drop(folder);
        add(&mut samples, &ingested);

        eprintln!("run {run} of {runs}: killed and started again");
        let folder = disk_folder()?;
        let reopened = restart::measure(scale, folder.path())?;
        drop(folder);
        add_reopened(&mut samples, &reopened);

        eprintln!("run {run} of {runs}: the disk alone");
        let folder = disk_folder()?;
        let commits = if scale == Scale::Quick { 200 } else { 2_000 };
        let disk = disk::readings_per_s(folder.path(), ingested.log_bytes_per_commit, commits)?;
        samples.add("disk_readings_per_s", disk);

        eprintln!("run {run} of {runs}: SQLite rows");
        let rows = rows::measure(scale, folder.path())?;
        drop(folder);
        samples.add("sqlite_rows_per_s", rows.per_s);
        samples.add("sqlite_bytes_per_reading", rows.bytes_per_reading);
        for (kind, times) in rows.times {
            add_times(&mut samples, &format!("sqlite_{}", name(kind)), &times);
        }
    }
    servers::add(&mut samples, scale)?;
    Ok(Report::new("store", runs, figures(&samples)))
}

fn add(samples: &mut Samples, ingested: &Ingested) {
    samples.add("durable_readings_per_s", ingested.per_s);
    samples.add("readings_per_cpu_s", ingested.per_cpu_s);
    samples.add("longest_upkeep_s", ingested.longest_upkeep_s);
    samples.add("with_queries_ratio", ingested.with_queries);
    samples.add("bytes_per_reading", ingested.bytes_compacted);
    samples.add("bytes_per_reading_sealed", ingested.bytes_sealed);
    samples.add("bytes_per_reading_summaries", ingested.bytes_summaries);
    let log_bytes = ingested.log_bytes_per_commit as f64 / super::intake::BATCH as f64;
    samples.add("bytes_per_reading_log", log_bytes);
    samples.add("rss_mb", ingested.rss_mb);
    samples.add("rss_mb_commits", ingested.rss_commits_mb);
    for (kind, place, times) in &ingested.times {
        add_times(samples, &figure_of(*kind, *place), times);
    }
}

fn add_reopened(samples: &mut Samples, reopened: &Reopened) {
    let ten_millions = reopened.log_readings as f64 / 1e7;
    samples.add("restart_s_per_10m", reopened.took_s / ten_millions);
    samples.add("restart_cpu_s_per_10m", reopened.cpu_s / ten_millions);
    samples.add("restart_s", reopened.took_s);
    samples.add("restart_rss_mb", reopened.rss_mb);
}

fn add_times(samples: &mut Samples, figure: &str, times: &super::asking::Times) {
    samples.add(format!("{figure}_p50"), times.quantile(0.5));
    samples.add(format!("{figure}_p99"), times.quantile(0.99));
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::LastAll => "last_all_ms",
        Kind::Raw => "day_raw_ms",
        Kind::Minutes => "day_minute_ms",
        Kind::Quarters => "quarters_ms",
        Kind::Zone => "zone_hour_ms",
        Kind::Top => "top_n_ms",
    }
}

fn figure_of(kind: Kind, place: Place) -> String {
    let of = match place {
        Place::Compacted => "",
        Place::Sealed => "_sealed",
        Place::Newest => "_newest",
        Place::Beside => "_beside",
    };
    format!("{}{of}", name(kind))
}

fn figures(samples: &Samples) -> Vec<Figure> {
    let plain = |figure: &str, unit, note| samples.figure(figure, unit, None, note);
    let against =
        |figure: &str, unit, baseline, note| samples.figure(figure, unit, Some(baseline), note);
    let bytes = "sqlite_bytes_per_reading";
    let mut figures = vec![
        against(
            "durable_readings_per_s",
            "1/s",
            "disk_readings_per_s",
            "by the clock, one committing thread",
        ),
        plain("readings_per_cpu_s", "1/s", "by processor time, sealing and compacting too"),
        plain("longest_upkeep_s", "s", "the longest turn: the first day is compacted"),
        plain("with_queries_ratio", "", "the rate while a thread asks without a pause"),
        against("bytes_per_reading", "B", bytes, "a day after compaction"),
        against("bytes_per_reading_sealed", "B", bytes, "before, with SQLite's log beside it"),
        against("bytes_per_reading_summaries", "B", bytes, "summaries of the day"),
        plain("bytes_per_reading_log", "B", "until the log is cut"),
        plain("rss_mb", "MB", "the highest of the whole run"),
        plain("rss_mb_commits", "MB", "the highest before questions beside the commits"),
        plain("restart_s_per_10m", "s", "for 10 M readings in the log"),
        plain("restart_cpu_s_per_10m", "s", "by processor time"),
        plain("restart_s", "s", "with what was in the log of five times as many stored"),
        plain("restart_rss_mb", "MB", "the highest until it was open"),
        plain("disk_readings_per_s", "1/s", "the log's bytes, one write and fdatasync a commit"),
        plain("sqlite_rows_per_s", "1/s", "a row a reading, the same commits"),
        plain("sqlite_bytes_per_reading", "B", ""),
    ];
    let of_place = |kind, place| match (place, kind) {
        (Place::Compacted, Kind::LastAll) => "all series",
        (Place::Compacted, Kind::Raw | Kind::Minutes) => "a day, compacted",
        (Place::Sealed, Kind::Raw | Kind::Minutes) => "a day of sealed windows",
        (Place::Newest, Kind::Raw | Kind::Minutes) => "the 24 hours up to now",
        (Place::Compacted, _) => "an hour of a compacted day",
        (Place::Sealed, _) => "an hour of sealed windows",
        (Place::Newest, _) => "the hour up to now",
        (Place::Beside, _) => "beside the commits: history and newest in turn",
    };
    for kind in [Kind::LastAll, Kind::Raw, Kind::Minutes, Kind::Zone, Kind::Top] {
        let places: &[Place] = match kind {
            Kind::LastAll => &[Place::Compacted, Place::Beside],
            _ => &[Place::Compacted, Place::Sealed, Place::Newest, Place::Beside],
        };
        for place in places {
            for part in ["p50", "p99"] {
                let figure = format!("{}_{part}", figure_of(kind, *place));
                let baseline = format!("sqlite_{}_{part}", name(kind));
                let note = of_place(kind, *place);
                figures.push(samples.figure(figure, "ms", Some(&baseline), note));
            }
        }
    }
    for kind in [Kind::LastAll, Kind::Raw, Kind::Minutes, Kind::Zone, Kind::Top] {
        for part in ["p50", "p99"] {
            let figure = format!("sqlite_{}_{part}", name(kind));
            figures.push(samples.figure(figure, "ms", None, ""));
        }
    }
    figures.extend(servers::figures(samples));
    figures
}
