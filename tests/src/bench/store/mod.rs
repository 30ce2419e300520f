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
//! VictoriaMetrics with the same readings over HTTP.

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
}

fn city(scale: Scale) -> City {
    let devices = if scale == Scale::Quick { 2_000 } else { 20_000 };
    City { devices, metrics: 5, moving: 0 }
}

/// Ends a part with what it has found.
fn say(found: &impl Serialize) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", serde_json::to_string(found)?)?;
    Ok(())
}

pub(super) fn run(scale: Scale) -> anyhow::Result<Report> {
    let runs = if scale == Scale::Quick { 1 } else { 3 };
    let mut samples = Samples::default();
    let mut notes = Notes::default();
    for run in 1..=runs {
        eprintln!("run {run} of {runs}: the embedded store");
        let folder = disk_folder()?;
        let ingested: Ingested = Running::start("store-ingest", scale, folder.path())?.finish()?;
        drop(folder);
        add(&mut samples, &ingested);
        notes.take(&ingested);

        eprintln!("run {run} of {runs}: killed and started again");
        let folder = disk_folder()?;
        let reopened = restart::measure(scale, folder.path())?;
        drop(folder);
        samples.add(
            "restart_s_per_10m",
            reopened.took_s / reopened.log_readings as f64 * 1e7,
        );
        notes.restart = restart_note(&reopened);

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
        servers::add(&mut samples, &mut notes.servers, scale, (run, runs))?;
    }
    Ok(Report::new("store", runs, figures(&samples, &notes)))
}

/// What is said beside the figures; of the last run.
#[derive(Debug, Default)]
struct Notes {
    rate: String,
    beside: String,
    bytes: String,
    memory: String,
    restart: String,
    disk: String,
    servers: servers::Notes,
}

impl Notes {
    fn take(&mut self, ingested: &Ingested) {
        self.rate = format!(
            "by the clock, one committing thread; the longest turn of the upkeep took {:.1} s",
            ingested.longest_upkeep_s
        );
        let beside = ingested.beside.iter().map(|(kind, count, p50, p99)| {
            format!("{} {count} times {p50:.2}/{p99:.2}", name(*kind))
        });
        self.beside = format!(
            "a thread asks without a pause; p50/p99 in ms: {}",
            beside.collect::<Vec<_>>().join(", ")
        );
        self.bytes = format!(
            "a day after compaction; before it {:.2}; its summaries take {:.2} more",
            ingested.bytes_sealed, ingested.bytes_summaries
        );
        self.memory = format!(
            "the highest of the whole run; {:.0} without questions",
            ingested.rss_commits_mb
        );
        self.disk = format!(
            "one write of {} bytes and one fdatasync for each commit",
            ingested.log_bytes_per_commit
        );
    }
}

fn restart_note(reopened: &Reopened) -> String {
    let Reopened { took_s, log_readings, stored, acknowledged, rss_mb } = reopened;
    format!(
        "{took_s:.2} s with {:.1} M readings of {:.1} M in the log; {rss_mb:.0} MB; all of {acknowledged} acknowledged are there",
        *log_readings as f64 / 1e6,
        *stored as f64 / 1e6,
    )
}

fn add(samples: &mut Samples, ingested: &Ingested) {
    samples.add("durable_readings_per_s", ingested.per_s);
    samples.add("readings_per_cpu_s", ingested.per_cpu_s);
    samples.add("with_queries_ratio", ingested.with_queries);
    samples.add("bytes_per_reading", ingested.bytes_compacted);
    samples.add("rss_mb", ingested.rss_mb);
    for (kind, place, times) in &ingested.times {
        add_times(samples, &figure_of(*kind, *place), times);
    }
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
    };
    format!("{}{of}", name(kind))
}

fn figures(samples: &Samples, notes: &Notes) -> Vec<Figure> {
    let mut figures = vec![
        samples.figure("durable_readings_per_s", "1/s", Some("disk_readings_per_s"), &notes.rate),
        samples.figure(
            "readings_per_cpu_s",
            "1/s",
            None,
            "by second of processor time, sealing and compacting too",
        ),
        samples.figure("with_queries_ratio", "", None, &notes.beside),
        samples.figure(
            "bytes_per_reading",
            "B",
            Some("sqlite_bytes_per_reading"),
            &notes.bytes,
        ),
        samples.figure("rss_mb", "MB", None, &notes.memory),
        samples.figure("restart_s_per_10m", "s", None, &notes.restart),
        samples.figure("disk_readings_per_s", "1/s", None, &notes.disk),
        samples.figure("sqlite_rows_per_s", "1/s", None, "a row a reading, the same commits"),
        samples.figure("sqlite_bytes_per_reading", "B", None, ""),
    ];
    let of_place = |kind, place| match (place, kind) {
        (_, Kind::LastAll) => "all series",
        (Place::Compacted, Kind::Raw | Kind::Minutes) => "a day, compacted",
        (Place::Sealed, Kind::Raw | Kind::Minutes) => "a day of sealed windows",
        (Place::Newest, Kind::Raw | Kind::Minutes) => "the 24 hours up to now",
        (Place::Compacted, _) => "an hour of a compacted day",
        (Place::Sealed, _) => "an hour of sealed windows",
        (Place::Newest, _) => "the hour up to now",
    };
    for kind in [Kind::LastAll, Kind::Raw, Kind::Minutes, Kind::Zone, Kind::Top] {
        let places: &[Place] = match kind {
            Kind::LastAll => &[Place::Compacted],
            _ => &[Place::Compacted, Place::Sealed, Place::Newest],
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
    figures.extend(servers::figures(samples, &notes.servers));
    figures
}
