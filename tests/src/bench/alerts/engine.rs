//! The engine alone: readings a second, and memory.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use city_alert::{Engine, EngineHandle, EngineParts, Notifier};
use city_model::{
    Attribute, Catalogue, Marks, Quality, Reading, SeriesKey, SharedClock, Span, Timestamp, Value,
};
use city_pipeline::{Committed, Follower as _};
use city_registry::{DeviceEntry, Registry, Seed};
use city_rules::RuleSet;
use city_store::{Memory, StateDb};
use serde::{Deserialize, Serialize};

use super::super::pipeline::Wall;
use super::super::{Scale, store::say};

const METRICS: [&str; 4] = ["temperature", "humidity", "pm25", "noise_laeq"];
/// Readings in a commit.
const COMMIT: usize = 1_000;
/// Time between two rounds, by the devices' clocks.
const PACE: Span = Span::from_secs(5);

/// What the engine took.
#[derive(Serialize, Deserialize)]
pub(super) struct Taken {
    /// Readings a second.
    pub(super) per_s: f64,
    /// Memory that it took, bytes.
    pub(super) bytes: f64,
    pub(super) series: f64,
}

pub(super) fn run(rules: usize, scale: Scale, folder: &Path) -> anyhow::Result<()> {
    let (devices, rounds) = if scale == Scale::Quick { (2_500, 4) } else { (25_000, 20) };
    let groups = groups(rules);
    let clock: SharedClock = Arc::new(Wall);
    let metrics = prometheus::Registry::new();
    let state = Arc::new(StateDb::open(folder.join("state.db"))?);
    let seed = Seed { catalogue: Catalogue::embedded(), ..Seed::default() };
    let registry = Arc::new(Registry::open(state.clone(), seed)?);
    registry.import(&(0..devices).map(|index| device(index, groups)).collect::<Vec<_>>())?;
    let parsed = if rules == 0 {
        RuleSet::default()
    } else {
        RuleSet::parse(&[("bench.yaml".to_owned(), text(rules))])
            .map_err(|problems| anyhow::anyhow!("{problems}"))?
    };
    ensure!(parsed.len() == rules, "{} rules", parsed.len());
    let notifier = Notifier::new(state.clone(), Vec::new(), clock.clone(), &metrics)?;
    let series = series(&registry, devices)?;
    let before = resident()?;
    let (engine, _) = Engine::start(EngineParts {
        rules: Arc::new(parsed),
        registry,
        share: None,
        store: Arc::new(Memory::new()),
        state,
        outbox: notifier.outbox(),
        clock: clock.clone(),
        metrics,
    })?;
    let handle = engine.handle();
    let first = clock.now() - Span::from_micros(PACE.micros() * (rounds + 2));
    let mut seq = 0;
    // Whose rules are which is looked up once: not in the figures.
    feed(&handle, &series, first, 0, &mut seq)?;
    let (mut took, mut count) = (Duration::ZERO, 0);
    for round in 1..=rounds {
        took += feed(&handle, &series, first, round, &mut seq)?;
        count += series.len();
    }
    let bytes = resident()? - before;
    ensure!((handle.status().firing > 0) == (rules > 0), "alerts fire if there are rules");
    engine.stop();
    say(&Taken { per_s: count as f64 / took.as_secs_f64(), bytes, series: series.len() as f64 })
}

/// Devices are of so many kinds, each with three rules.
fn groups(rules: usize) -> usize {
    (rules / 3).max(1)
}

fn device(index: usize, groups: usize) -> DeviceEntry {
    let group = index % groups;
    let (kind, department) = (format!("kind-{group}"), format!("department-{group}"));
    let mut entry = DeviceEntry::unknown(&format!("bench-{index}"), &kind, &department, false);
    entry.attributes.insert("block".to_owned(), Attribute::Number(group as f64));
    entry
}

fn text(rules: usize) -> String {
    let mut text = "group: bench\ndepartment: bench\nrules:\n".to_owned();
    let all = METRICS.join(", ");
    for number in 0..rules {
        let group = number / 3;
        let rest = match number % 3 {
            0 => format!(
                "kind: threshold, select: {{metric: [{all}], kind: kind-{group}}}, \
                 severity: medium, raise: {{above: 100}}, clear: {{below: 90}}"
            ),
            1 => format!(
                "kind: window, select: {{metric: [{all}], department: department-{group}}}, \
                 window: {{function: mean, over: 5m}}, severity: high, raise: {{above: 100}}"
            ),
            _ => format!(
                "kind: threshold, select: {{metric: [{all}], attributes: {{block: {group}}}}}, \
                 for: 20s, severity: {{low: {{above: 99, clear_below: 95}}, \
                 critical: {{above: 140, clear_below: 130}}}}"
            ),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  - {{id: rule-{number}, {rest}}}");
    }
    text
}

fn series(registry: &Registry, devices: usize) -> anyhow::Result<Vec<SeriesKey>> {
    let directory = registry.directory();
    let mut series = Vec::with_capacity(devices * METRICS.len());
    for index in 0..devices {
        let device = directory.device_by_id(&format!("bench-{index}")).context("registered")?;
        for metric in METRICS {
            let metric = directory.metrics.by_id(metric).context("a metric")?;
            series.push(SeriesKey { device: device.key, metric: metric.key });
        }
    }
    Ok(series)
}

/// Gives the engine a reading of each series; how long it took for them.
fn feed(
    handle: &EngineHandle,
    series: &[SeriesKey],
    first: Timestamp,
    round: i64,
    seq: &mut u64,
) -> anyhow::Result<Duration> {
    let at = first + Span::from_micros(PACE.micros() * round);
    let every = series.len();
    let commits: Vec<Arc<Committed>> = series
        .chunks(COMMIT)
        .enumerate()
        .map(|(chunk, series)| {
            let readings = series.iter().enumerate().map(|(place, series)| {
                let number = chunk * COMMIT + place + round as usize * 7_919;
                // In each round another one of them, and back in the next.
                let passes = number.is_multiple_of(every);
                let calm = 40.0 + (number % 50) as f64 / 10.0;
                reading(*series, at, if passes { 120.0 } else { calm })
            });
            let readings = readings.collect();
            *seq += 1;
            Arc::new(Committed { seq: *seq, readings })
        })
        .collect();
    let started = Instant::now();
    for committed in &commits {
        handle.follow(committed);
    }
    while handle.status().seq < *seq {
        std::thread::sleep(Duration::from_micros(100));
    }
    let took = started.elapsed();
    ensure!(handle.status().failing.is_none(), "{:?}", handle.status());
    Ok(took)
}

fn reading(series: SeriesKey, at: Timestamp, value: f64) -> Reading {
    Reading {
        series,
        time: at,
        received: at,
        value: Value::Number(value),
        quality: Quality::Pass,
        marks: Marks::NONE,
        position: None,
        zones: [].into(),
    }
}

/// Memory that this process occupies, bytes.
fn resident() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).context("VmRSS")?;
    Ok(kib.parse::<f64>()? * 1024.0)
}
