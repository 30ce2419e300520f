//! Killed in the middle with 50 million readings stored and some 10 million of them in the log
//! only: how long does the next start take, and is everything there that was acknowledged?
//!
//! So that there is so much in the log, windows are sealed later than they are by default.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use city_model::{DeviceKey, Span, Value};
use city_store::{Embedded, Options, Store, TimeRange};
use serde::{Deserialize, Serialize};

use super::city;
use crate::bench::city::{City, Feed};
use crate::bench::intake::{BATCH, Intake};
use crate::bench::part::{Running, memory_mb};
use crate::bench::{Scale, cpu_seconds};

/// The minute in which it is killed: the last window was sealed just before, and 95 minutes are in
/// the log.
const KILLED: u32 = 8 * 60 + 35;
/// It should be dead by then.
const TOO_LATE: u32 = KILLED + 60;
const ACKNOWLEDGED: &str = "acknowledged";
const STORE: &str = "store";

/// What the start brought back.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reopened {
    pub(super) took_s: f64,
    pub(super) cpu_s: f64,
    pub(super) log_readings: u64,
    pub(super) stored: u64,
    pub(super) acknowledged: u64,
    pub(super) rss_mb: f64,
}

fn options() -> Options {
    Options { seal_after: Span::from_mins(90), head_readings: 16_000_000, ..Options::default() }
}

/// The whole of it, with two processes.
pub(super) fn measure(scale: Scale, folder: &Path) -> anyhow::Result<Reopened> {
    let enough = u64::from(KILLED) * city(scale).per_minute();
    let mut filling = Running::start("store-fill", scale, folder)?;
    let mut acknowledged = 0;
    let mut killed = false;
    while let Some(line) = filling.line()? {
        acknowledged = line.parse().with_context(|| format!("it said {line:?}"))?;
        if !killed && acknowledged >= enough {
            filling.kill()?;
            killed = true;
        }
    }
    ensure!(killed, "the store that was to be killed ended after {acknowledged} readings");
    drop(filling);
    std::fs::write(folder.join(ACKNOWLEDGED), acknowledged.to_string())?;
    Running::start("store-open", scale, folder)?.finish()
}

/// The part that is killed: says after each commit how many readings are acknowledged.
pub(super) fn fill(scale: Scale, folder: &Path) -> anyhow::Result<()> {
    let city = city(scale);
    let (store, _) = Embedded::open(folder.join(STORE), options())?;
    let mut intake = Intake::new(city, Arc::new(store))?;
    let mut out = std::io::stdout().lock();
    while intake.committed() < u64::from(TOO_LATE) * city.per_minute() {
        intake.step()?;
        writeln!(out, "{}", intake.committed())?;
        intake.tick();
        // Windows must be sealed when they are due, not when the machine gets round to it.
        if intake.committed().is_multiple_of(10 * city.per_minute()) {
            intake.upkeep.catch_up()?;
        }
    }
    bail!("nobody has killed this process")
}

/// The part that opens what was left and looks for what is missing.
pub(super) fn open(scale: Scale, folder: &Path) -> anyhow::Result<()> {
    let acknowledged: u64 = std::fs::read_to_string(folder.join(ACKNOWLEDGED))?.parse()?;
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let (store, recovery) = Embedded::open(folder.join(STORE), options())?;
    let (took_s, cpu_s) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let rss_mb = memory_mb(std::process::id(), "VmHWM")?;
    let stored = store.count(None, TimeRange::ALL)?;
    check(city(scale), &store, acknowledged)?;
    let log_readings = recovery.readings;
    super::say(&Reopened { took_s, cpu_s, log_readings, stored, acknowledged, rss_mb })
}

/// Looks at every reading of every device.
fn check(city: City, store: &dyn Store, acknowledged: u64) -> anyhow::Result<()> {
    let metrics = u64::from(city.metrics);
    // What was sent, with one more commit, which may have been made durable and not acknowledged.
    let mut sent = vec![Vec::new(); city.devices as usize];
    let mut feed = Feed::new(city);
    for number in 0..(acknowledged + BATCH as u64) / metrics {
        let (message, _) = feed.next();
        sent[message.device as usize].push((message.minute, number < acknowledged / metrics));
    }
    for (device, sent) in sent.iter_mut().enumerate() {
        let device = device as u32;
        sent.sort_unstable();
        let mut found = vec![0_u64; sent.len()];
        let mut wrong = None;
        store.export(DeviceKey(device), TimeRange::ALL, &mut |readings| {
            for reading in readings {
                let minute = City::minute_of(reading.time) as u32;
                let right = Value::Number(City::value(device, reading.series.metric.0, minute));
                match sent.binary_search_by_key(&minute, |(minute, _)| *minute) {
                    Ok(place) if reading.value == right => found[place] += 1,
                    _ => wrong = Some(reading),
                }
            }
            std::ops::ControlFlow::Continue(())
        })?;
        ensure!(wrong.is_none(), "device {device} never sent {wrong:?}");
        for ((minute, acknowledged), found) in sent.iter().zip(found) {
            ensure!(
                found == metrics || (found == 0 && !acknowledged),
                "device {device} has {found} of {metrics} readings of minute {minute}"
            );
        }
    }
    Ok(())
}
