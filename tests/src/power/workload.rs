//! What is written: a handful of devices that send every ten minutes, now and then late, for days, so
//! that windows are sealed, the log is cut, and days are compacted.

use anyhow::ensure;
use city_model::{
    DeviceKey, Marks, MetricKey, Quality, Reading, SeriesKey, Span, Timestamp, Value, ZoneSet,
};
use city_store::{Commit, Store, TimeRange};

const DEVICES: u32 = 5;
const METRICS: u16 = 2;
/// Midnight of 2026-03-01.
const START: Timestamp = Timestamp::from_secs(1_772_323_200);
const STEP: Span = Span::from_mins(10);
/// One commit of so many comes so many steps late.
const LATE: (u64, u64) = (7, 9);

/// When the readings of a commit come.
pub fn time_of(commit: u64) -> Timestamp {
    START + Span::from_micros(STEP.micros() * commit as i64)
}

fn step_of(commit: u64) -> u64 {
    // The late ones change places with nobody: their step is in the past, and theirs alone.
    if commit.is_multiple_of(LATE.0) { commit.saturating_sub(LATE.1) } else { commit }
}

fn readings(commit: u64) -> impl Iterator<Item = Reading> {
    let time = time_of(step_of(commit)) + Span::from_secs((commit % 500) as i64);
    (0..DEVICES).flat_map(move |device| {
        (0..METRICS).map(move |metric| Reading {
            series: SeriesKey { device: DeviceKey(device), metric: MetricKey(metric) },
            time,
            received: time_of(commit),
            value: Value::Number((commit * 10 + u64::from(metric)) as f64 / 10.0),
            quality: Quality::Pass,
            marks: Marks::NONE,
            position: None,
            zones: ZoneSet::default(),
        })
    })
}

/// The readings of a commit.
pub fn commit(number: u64) -> Commit {
    let readings: Vec<Reading> = readings(number).collect();
    Commit { sources: vec![1; readings.len()], readings, ..Commit::default() }
}

/// Whether a store holds what was acknowledged, and of the next commit all or nothing. Returns how
/// many commits it holds.
pub fn check(store: &dyn Store, acknowledged: u64) -> anyhow::Result<u64> {
    let mut found = 0;
    for device in 0..DEVICES {
        for metric in 0..METRICS {
            let series = SeriesKey { device: DeviceKey(device), metric: MetricKey(metric) };
            let points = store.raw(series, TimeRange::ALL, usize::MAX)?;
            let commits = points.len() as u64;
            ensure!(
                (acknowledged..=acknowledged + 1).contains(&commits),
                "{series:?} has readings of {commits} commits; {acknowledged} were acknowledged"
            );
            ensure!(found == 0 || found == commits, "a commit is there in part");
            found = commits;
            let mut right: Vec<Reading> =
                (0..commits).flat_map(readings).filter(|r| r.series == series).collect();
            right.sort_by_key(|reading| reading.time);
            for (point, right) in points.iter().zip(right) {
                ensure!(
                    point.time == right.time && point.value == right.value,
                    "{point:?} is stored, not {right:?}"
                );
            }
        }
    }
    let sums = store.ledger().into_iter().find(|(key, _)| *key == city_store::LedgerKey::Source(1));
    let counted = sums.map_or(0, |(_, sums)| sums.stored);
    let stored = found * u64::from(DEVICES) * u64::from(METRICS);
    ensure!(counted == stored, "the ledger says {counted} of {stored}");
    Ok(found)
}
