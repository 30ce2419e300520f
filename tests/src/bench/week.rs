//! `week`: a week of a city of 20,000 devices as fast as the machine takes it, by the virtual clock.
//!
//! Three metrics once a minute, one device of twenty moves, one message of a hundred is late;
//! readings are kept for three days, so that retention acts from the fourth on, summaries for ever.
//! Every six hours: how fast it was, what is on the disk and in memory, and how long questions take.
//! Does memory stay flat, do questions stay quick as history grows, does retention free the disk?
//!
//! The steps are written to `target/bench/week.csv`. The baseline of each figure of the seventh day
//! is the same figure of the second.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::ensure;
use city_model::Span;
use city_store::{Embedded, Options, Store as _, TimeRange};

use super::asking::{Asker, Expect, Kind, Minutes, Times};
use super::city::{City, DAY, LATEST};
use super::intake::{Intake, Leg};
use super::part::{bytes_in, disk_folder, memory_mb};
use super::{Report, Samples, Scale};

const DAYS: u32 = 7;
const KEPT_DAYS: u32 = 3;
/// Minutes of a step.
const STEP: u32 = 6 * 60;
const KINDS: [Kind; 5] = [Kind::LastAll, Kind::Raw, Kind::Zone, Kind::Quarters, Kind::Top];

/// What one step of six hours showed.
struct Step {
    /// Minutes since the start.
    now: u32,
    leg: Leg,
    raw_mb: f64,
    summaries_mb: f64,
    log_mb: f64,
    rss_mb: f64,
    times: Vec<(Kind, Times)>,
}

pub(super) fn run(scale: Scale) -> anyhow::Result<Report> {
    let devices = if scale == Scale::Quick { 2_000 } else { 20_000 };
    let city = City { devices, metrics: 3, moving: 20 };
    let folder = disk_folder()?;
    let options = Options {
        retention: Some(Span::from_hours(24 * i64::from(KEPT_DAYS))),
        ..Options::default()
    };
    let (store, _) = Embedded::open(folder.path(), options)?;
    let store = Arc::new(store);
    let mut intake = Intake::new(city, store.clone())?;
    let mut files = Files::new(folder.path());
    let mut steps = Vec::new();
    let mut all = Leg::default();
    eprintln!("{}", Step::HEAD);
    for number in 1..=DAYS * DAY / STEP {
        let now = number * STEP;
        let leg = intake.until(now)?;
        all += leg;
        files.look();
        let step = Step {
            now,
            leg,
            raw_mb: files.raw() as f64 / 1e6,
            summaries_mb: bytes_in(&folder.path().join("tiers")) as f64 / 1e6,
            log_mb: files.log() as f64 / 1e6,
            rss_mb: memory_mb(std::process::id(), "VmRSS")?,
            times: questions(city, store.as_ref(), now)?,
        };
        eprintln!("{}", step.line());
        steps.push(step);
    }
    intake.upkeep.join()?;
    check_count(city, &store, intake.committed())?;
    write(&steps)?;
    let mut samples = Samples::default();
    samples.add("durable_readings_per_s", all.per_s());
    samples.add("readings_per_cpu_s", all.per_cpu_s());
    samples.add("retention_freed_mb", files.freed as f64 / 1e6);
    samples.add("raw_mb_end", files.raw() as f64 / 1e6);
    Ok(report(samples, &steps, &files, city))
}

/// Asks everything, and checks what is answered.
fn questions(city: City, store: &Embedded, now: u32) -> anyhow::Result<Vec<(Kind, Times)>> {
    let mut asker = Asker::new(city, store, u64::from(now));
    let mut asked = Vec::new();
    for kind in KINDS {
        let today = now - now % DAY;
        let minutes: Minutes = match kind {
            Kind::Raw if today == 0 => continue,
            Kind::Raw => (today - DAY, today),
            Kind::Quarters => (now.saturating_sub(DAYS * DAY), now),
            _ => (now - 3 * 60, now - 2 * 60),
        };
        let expect = if minutes.1 + LATEST <= now { Expect::All } else { Expect::Most };
        let count = match kind {
            Kind::LastAll => 50,
            Kind::Raw | Kind::Minutes => 500,
            Kind::Zone => 100,
            Kind::Quarters => 200,
            Kind::Top => 40,
        };
        asked.push((kind, asker.times(kind, minutes, expect, count)?));
    }
    Ok(asked)
}

/// What retention has not dropped must be there, and nothing else.
fn check_count(city: City, store: &Embedded, committed: u64) -> anyhow::Result<()> {
    let dropped_days = DAYS - KEPT_DAYS;
    let complete_from = store.complete_from();
    ensure!(
        complete_from == City::minute(dropped_days * DAY),
        "readings are complete from {complete_from} on, not from day {dropped_days}"
    );
    let right = committed - u64::from(dropped_days * DAY) * city.per_minute();
    let count = store.count(None, TimeRange::ALL)?;
    ensure!(count == right, "{count} readings are stored of {right}");
    Ok(())
}

/// The store's files, and what became of days that are over.
struct Files {
    folder: PathBuf,
    /// Bytes of each day by its date.
    days: BTreeMap<String, u64>,
    freed: u64,
}

impl Files {
    fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), days: BTreeMap::new(), freed: 0 }
    }

    /// Notes what is there; days that are not any more were dropped.
    fn look(&mut self) {
        let entries = std::fs::read_dir(self.folder.join("chunks")).into_iter().flatten().flatten();
        let mut now = BTreeMap::new();
        for entry in entries {
            // A day has one file or several: their names begin with its date.
            let name = entry.file_name().to_string_lossy().into_owned();
            let date = name.get(..10).unwrap_or(&name).to_owned();
            *now.entry(date).or_default() += bytes_in(&entry.path());
        }
        for (_, bytes) in self.days.iter().filter(|(date, _)| !now.contains_key(*date)) {
            self.freed += bytes;
        }
        self.days = now;
    }

    fn raw(&self) -> u64 {
        self.days.values().sum()
    }

    fn log(&self) -> u64 {
        ["ingest.db", "ingest.db-wal"].iter().map(|name| bytes_in(&self.folder.join(name))).sum()
    }
}

impl Step {
    const HEAD: &str = "  day   readings/s  by CPU    raw MB  summaries MB   log MB   RSS MB   p50/p99 ms: last all, raw day, zone hour, week, top";

    fn day(&self) -> f64 {
        f64::from(self.now) / f64::from(DAY)
    }

    fn line(&self) -> String {
        let mut line = format!(
            "{:5.2} {:>12.0} {:>7.0} {:>9.1} {:>13.1} {:>8.1} {:>8.1}  ",
            self.day(),
            self.leg.per_s(),
            self.leg.per_cpu_s(),
            self.raw_mb,
            self.summaries_mb,
            self.log_mb,
            self.rss_mb
        );
        for (_, times) in &self.times {
            // Writing to a string cannot fail.
            let _ = write!(line, " {:.2}/{:.2}", times.quantile(0.5), times.quantile(0.99));
        }
        line
    }

    fn quantile(&self, kind: Kind, part: f64) -> f64 {
        let found = self.times.iter().find(|(of, _)| *of == kind);
        found.map_or(f64::NAN, |(_, times)| times.quantile(part))
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::LastAll => "last_all_ms",
        Kind::Raw => "day_raw_ms",
        Kind::Minutes => "day_minute_ms",
        Kind::Quarters => "week_quarters_ms",
        Kind::Zone => "zone_hour_ms",
        Kind::Top => "top_n_ms",
    }
}

fn write(steps: &[Step]) -> anyhow::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench/week.csv");
    let mut file = csv::Writer::from_path(path)?;
    let mut head: Vec<String> = [
        "day",
        "readings_per_s",
        "readings_per_cpu_s",
        "raw_mb",
        "summaries_mb",
        "log_mb",
        "rss_mb",
    ]
    .map(str::to_owned)
    .to_vec();
    for kind in KINDS {
        head.extend(["p50", "p99"].map(|part| format!("{}_{part}", name(kind))));
    }
    file.write_record(&head)?;
    for step in steps {
        let mut row = vec![
            step.day(),
            step.leg.per_s(),
            step.leg.per_cpu_s(),
            step.raw_mb,
            step.summaries_mb,
            step.log_mb,
            step.rss_mb,
        ];
        for kind in KINDS {
            row.extend([0.5, 0.99].map(|part| step.quantile(kind, part)));
        }
        file.write_record(row.iter().map(|number| format!("{number:.4}")))?;
    }
    Ok(file.flush()?)
}

/// The figures: of the second day, of the seventh, and of the whole.
fn report(mut samples: Samples, steps: &[Step], files: &Files, city: City) -> Report {
    // The steps that end in the second and in the seventh day: each figure has four values.
    let of_day = |day: u32| steps.iter().filter(move |step| (step.now - 1) / DAY + 1 == day);
    for day in [2, DAYS] {
        for step in of_day(day) {
            samples.add(format!("rss_mb_day{day}"), step.rss_mb);
            samples.add(format!("readings_per_s_day{day}"), step.leg.per_s());
            samples.add(format!("readings_per_cpu_s_day{day}"), step.leg.per_cpu_s());
            for kind in KINDS {
                let p99 = step.quantile(kind, 0.99);
                let p50 = step.quantile(kind, 0.5);
                let per_day = if kind == Kind::Quarters { step.day() } else { 1.0 };
                samples.add(format!("{}_p50_day{day}", name(kind)), p50 / per_day);
                samples.add(format!("{}_p99_day{day}", name(kind)), p99 / per_day);
            }
        }
    }
    let per_day = (city.per_minute() * u64::from(DAY)) as f64;
    // Days that are compacted and not dropped; the last one is not compacted yet.
    let whole = files.days.values().take(files.days.len().saturating_sub(1));
    for bytes in whole {
        samples.add("bytes_per_reading", *bytes as f64 / per_day);
    }
    let summaries = steps.last().map_or(f64::NAN, |step| step.summaries_mb);
    samples.add("summaries_mb_end", summaries);

    let mut figures = vec![
        samples.figure("durable_readings_per_s", "1/s", None, "the whole week"),
        samples.figure("readings_per_cpu_s", "1/s", None, "sealing, compacting and retention too"),
        samples.figure("bytes_per_reading", "B", None, "days that are compacted, places too"),
        samples.figure("retention_freed_mb", "MB", None, "days of which only summaries are kept"),
        samples.figure("raw_mb_end", "MB", None, "days of which all is kept, and today"),
        samples.figure("summaries_mb_end", "MB", None, "of all seven days"),
    ];
    let mut names = vec![
        ("rss_mb".to_owned(), "MB", ""),
        ("readings_per_s".to_owned(), "1/s", ""),
        ("readings_per_cpu_s".to_owned(), "1/s", ""),
    ];
    for kind in KINDS {
        let note = if kind == Kind::Quarters { "for each day that is in it" } else { "" };
        names.push((format!("{}_p50", name(kind)), "ms", note));
        names.push((format!("{}_p99", name(kind)), "ms", note));
    }
    for (name, unit, note) in names {
        let before = format!("{name}_day2");
        figures.push(samples.figure(&before, unit, None, note));
        figures.push(samples.figure(format!("{name}_day{DAYS}"), unit, Some(&before), note));
    }
    Report::new("week", 1, figures)
}
