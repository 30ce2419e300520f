//! The run of the embedded store: a day and nine hours of a city, with questions in between and,
//! at the end, beside the commits.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{anyhow, ensure};
use city_store::{Embedded, Options, Store, TimeRange};
use serde::{Deserialize, Serialize};

use super::{Place, city};
use crate::bench::Scale;
use crate::bench::asking::{Asker, Expect, Kind, Minutes, Times};
use crate::bench::city::{City, DAY};
use crate::bench::intake::{Intake, Leg};
use crate::bench::part::{bytes_in, memory_mb};

/// Everything of the first day is here, and it is not compacted yet.
const SEALED: u32 = 25 * 60 + 2;
/// The first day is compacted.
const COMPACTED: u32 = 27 * 60;
/// Hours after that, in turn without and with questions.
const IN_TURN: u32 = 6;
/// Minutes after which it is said how it goes.
const SHOWN: u32 = 3 * 60;
/// The hour of the first day that is asked for.
const HOUR: Minutes = (15 * 60, 16 * 60);

/// What the part found.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ingested {
    pub(super) per_s: f64,
    pub(super) per_cpu_s: f64,
    /// The rate with questions over the rate without.
    pub(super) with_queries: f64,
    pub(super) times: Vec<(Kind, Place, Times)>,
    /// Bytes a reading of the first day: sealed, compacted, and its summaries.
    pub(super) bytes_sealed: f64,
    pub(super) bytes_compacted: f64,
    pub(super) bytes_summaries: f64,
    pub(super) log_bytes_per_commit: u64,
    /// The highest so far when the first day was compacted, and at the end.
    pub(super) rss_commits_mb: f64,
    pub(super) rss_mb: f64,
    /// Seconds of the longest turn of the upkeep.
    pub(super) longest_upkeep_s: f64,
}

pub(super) fn run(scale: Scale, folder: &Path) -> anyhow::Result<()> {
    let (store, _) = Embedded::open(folder, Options::default())?;
    let store: Arc<dyn Store> = Arc::new(store);
    let ingested = measure(scale, folder, &store)?;
    super::say(&ingested)
}

fn measure(scale: Scale, folder: &Path, store: &Arc<dyn Store>) -> anyhow::Result<Ingested> {
    let city = city(scale);
    let mut intake = Intake::new(city, store.clone())?;
    let mut times = Vec::new();
    let log_bytes_per_commit = intake.log_bytes()?;

    let mut commits = until(&mut intake, SEALED)?;
    let rss_sealed = memory_mb(std::process::id(), "VmHWM")?;
    let tiers = folder.join("tiers");
    let per_reading = |bytes: u64| bytes as f64 / (city.per_minute() * u64::from(DAY)) as f64;
    ensure!(bytes_in(&tiers) == 0, "the first day was compacted too early to be asked before");
    let bytes_sealed = per_reading(first_day(folder));
    let mut asker = Asker::new(city, store.as_ref(), 1);
    for kind in [Kind::Raw, Kind::Minutes, Kind::Zone, Kind::Top] {
        let found = asker.times(kind, minutes_of(kind, 0), Expect::All, count(scale, kind))?;
        times.push((kind, Place::Sealed, found));
    }

    commits += until(&mut intake, COMPACTED)?;
    let rss_commits_mb = rss_sealed.max(memory_mb(std::process::id(), "VmHWM")?);
    ensure!(bytes_in(&tiers) > 0, "the first day was not compacted");
    ensure!(first_day(folder) > 0, "the first day has no file");
    let bytes_compacted = per_reading(first_day(folder));
    let bytes_summaries = per_reading(bytes_in(&tiers));
    for kind in [Kind::LastAll, Kind::Raw, Kind::Minutes, Kind::Zone, Kind::Top] {
        let found = asker.times(kind, minutes_of(kind, 0), Expect::All, count(scale, kind))?;
        times.push((kind, Place::Compacted, found));
    }
    for kind in [Kind::Raw, Kind::Minutes, Kind::Zone, Kind::Top] {
        let found =
            asker.times(kind, minutes_of(kind, COMPACTED), Expect::Most, count(scale, kind))?;
        times.push((kind, Place::Newest, found));
    }

    let (mut without, mut with) = (Leg::default(), Leg::default());
    let mut beside = BTreeMap::<Kind, Times>::new();
    for hour in 1..=IN_TURN {
        let until = COMPACTED + 60 * hour;
        if hour % 2 == 1 {
            without += intake.until(until)?;
        } else {
            with += beside_commits(&mut intake, store, until, &mut beside)?;
        }
    }
    times.extend(beside.into_iter().map(|(kind, times)| (kind, Place::Beside, times)));
    let longest_upkeep_s = intake.upkeep.longest().as_secs_f64();
    intake.upkeep.join()?;
    let (count, right) = (store.count(None, TimeRange::ALL)?, intake.committed());
    ensure!(count == right, "{count} readings are stored of {right}");
    Ok(Ingested {
        per_s: commits.per_s(),
        per_cpu_s: commits.per_cpu_s(),
        with_queries: with.per_s() / without.per_s(),
        times,
        bytes_sealed,
        bytes_compacted,
        bytes_summaries,
        log_bytes_per_commit,
        rss_commits_mb,
        rss_mb: memory_mb(std::process::id(), "VmHWM")?,
        longest_upkeep_s,
    })
}

/// Commits until a minute, and says now and then how it goes.
fn until(intake: &mut Intake, minute: u32) -> anyhow::Result<Leg> {
    let mut all = Leg::default();
    let first = City::minute_of(intake.now()) as u32 / SHOWN + 1;
    for next in (first..minute.div_ceil(SHOWN)).map(|hour| hour * SHOWN).chain([minute]) {
        let leg = intake.until(next)?;
        eprintln!(
            "  until {:02}:{:02}: {:.2} M readings/s, {:.2} M per second of processor time, {:.0} MB",
            next / 60,
            next % 60,
            leg.per_s() / 1e6,
            leg.per_cpu_s() / 1e6,
            memory_mb(std::process::id(), "VmRSS")?,
        );
        all += leg;
    }
    Ok(all)
}

/// Bytes of the chunks of the first day: its file's name begins with its date.
fn first_day(folder: &Path) -> u64 {
    let date = City::minute(0).to_string();
    let entries = std::fs::read_dir(folder.join("chunks")).into_iter().flatten().flatten();
    let of_day = entries.filter(|entry| {
        entry.file_name().to_str().is_some_and(|name| name.starts_with(&date[..10]))
    });
    of_day.map(|entry| bytes_in(&entry.path())).sum()
}

/// How often a kind is asked.
fn count(scale: Scale, kind: Kind) -> usize {
    let full = match kind {
        Kind::LastAll | Kind::Zone => 300,
        Kind::Raw | Kind::Minutes | Kind::Quarters => 2_000,
        Kind::Top => 100,
    };
    if scale == Scale::Quick { full / 10 } else { full }
}

/// What is asked for: of the first day, or, if it is not midnight, of what came just before.
fn minutes_of(kind: Kind, now: u32) -> Minutes {
    let hour = matches!(kind, Kind::Zone | Kind::Top);
    match (hour, now) {
        (true, 0) => HOUR,
        (true, now) => (now - 60, now),
        (false, 0) => (0, DAY),
        (false, now) => (now - DAY, now),
    }
}

/// Commits while a thread asks one thing after the other.
fn beside_commits(
    intake: &mut Intake,
    store: &Arc<dyn Store>,
    until: u32,
    beside: &mut BTreeMap<Kind, Times>,
) -> anyhow::Result<Leg> {
    let (city, now) = (intake.city(), until - 60);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = std::thread::Builder::new().name("asking".to_owned());
        let asking = asking.spawn_scoped(scope, || {
            city_store::give_way();
            let mut asker = Asker::new(city, store.as_ref(), u64::from(until));
            let mut times = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                for kind in [Kind::LastAll, Kind::Raw, Kind::Minutes, Kind::Zone, Kind::Top] {
                    for now in [0, now] {
                        times.push((kind, asker.ask(kind, minutes_of(kind, now), Expect::Most)?));
                    }
                }
            }
            anyhow::Ok(times)
        })?;
        let leg = intake.until(until);
        stop.store(true, Ordering::Relaxed);
        let times = asking.join().map_err(|_| anyhow!("whoever asks panicked"))??;
        for (kind, ms) in times {
            beside.entry(kind).or_default().add(ms);
        }
        leg
    })
}
