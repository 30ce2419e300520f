//! `citybrain store copy`: moves history from one backend to the other, and goes on where it was
//! cut short.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use city_audit::AuditLog;
use city_model::{Clock as _, DeviceKey, Reading};
use city_registry::Registry;
use city_store::{Commit, SharedStore, StateDb, StoreErrorKind, TimeRange};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::DataDir;
use crate::audited::by_operator;
use crate::city::City;
use crate::clock::SystemClock;
use crate::settings::{self, StoreBackend};

/// The source that copied readings are counted for.
const COPIED: &str = "copied";
/// Readings in a commit.
const BATCH: usize = 10_000;
/// How long a full spool is left to drain before it is asked again.
const PATIENCE: Duration = Duration::from_millis(500);
/// Where in the data folder it is noted how far a copy got.
const NOTE: &str = "copy.json";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    /// The files in the data folder.
    Embedded,
    /// The server of [store.influxdb], with its spool in the data folder.
    Influxdb,
}

#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// Where the readings are.
    #[arg(long)]
    from: Side,
    /// Where they go. What is there stays; what is there already is not doubled.
    #[arg(long)]
    to: Side,
    /// The configuration file.
    #[arg(long, short, env = "CITYBRAIN_CONFIG", value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    data: DataDir,
}

/// How far a copy got: everything of the devices before `next` is there.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    from: Side,
    to: Side,
    next: u32,
}

pub(crate) fn run(args: &CopyArgs) -> anyhow::Result<()> {
    if args.from == args.to {
        bail!("--from and --to are the same; name the other one of embedded and influxdb in --to");
    }
    let mut settings = settings::load(&args.config)?;
    if let Some(folder) = &args.data.data_dir {
        settings.data_dir.clone_from(folder);
    }
    let folder = settings.data_dir.clone();
    let store = settings.store.clone();
    let City { seed, .. } = City::read(settings)?;
    let open = |side| {
        let backend = match side {
            Side::Embedded => StoreBackend::Embedded,
            Side::Influxdb => StoreBackend::InfluxDb,
        };
        crate::store::open(&crate::settings::StoreSettings { backend, ..store.clone() }, &folder)
    };
    // Both are locked before anything is changed: a running program keeps us out.
    let (from, _) = open(args.from)?;
    let (to, _) = open(args.to)?;
    let state = Arc::new(StateDb::open(folder.join("state.db"))?);
    let registry = Arc::new(Registry::open(state.clone(), seed)?);
    let source = registry.source_numbers([COPIED])?[0];
    let from = from.start_to_copy_from(&registry, &store)?;
    let to = to.start(&registry, &store)?;
    let work = Work { from, to, source, note: folder.join(NOTE), args };
    let mut entry = by_operator(SystemClock.now(), "copy_store");
    entry.after = Some(json!({ "from": args.from, "to": args.to }));
    AuditLog::open(state)?.around(entry, |_| work.run(&registry))
}

struct Work<'a> {
    from: SharedStore,
    to: SharedStore,
    source: u16,
    note: PathBuf,
    args: &'a CopyArgs,
}

impl Work<'_> {
    fn run(&self, registry: &Registry) -> anyhow::Result<()> {
        // Devices that are registered no more may have readings; and a spool that is new knows of
        // none that is at the server.
        let mut devices: BTreeSet<DeviceKey> =
            registry.directory().devices().map(|device| device.key).collect();
        self.from.each_last(&mut |series, _| {
            devices.insert(series.device);
        });
        let begun = self.begun()?;
        if begun > 0 {
            println!("going on where the last copy was cut short");
        }
        let left: Vec<DeviceKey> = devices.into_iter().filter(|key| key.0 >= begun).collect();
        let style =
            ProgressStyle::with_template("{bar:30} {pos}/{len} devices, {msg} readings {eta}")?;
        let bar = ProgressBar::new(left.len() as u64).with_style(style);
        let (mut readings, mut new) = (0, 0);
        for device in left {
            let (seen, stored) = self.device(device).with_context(|| {
                let directory = registry.directory();
                let id = directory.device(device).map(|device| device.id.to_string());
                format!("device {} cannot be copied", id.unwrap_or_else(|| device.0.to_string()))
            })?;
            readings += seen;
            new += stored;
            self.write_note(device.0 + 1)?;
            bar.inc(1);
            bar.set_message(readings.to_string());
        }
        bar.finish_and_clear();
        self.to.flush()?;
        self.drain()?;
        std::fs::remove_file(&self.note).or_else(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(e),
        })?;
        println!("{readings} readings read, {new} of them were not there yet");
        Ok(())
    }

    fn device(&self, device: DeviceKey) -> anyhow::Result<(u64, u64)> {
        let (mut seen, mut stored) = (0, 0);
        let mut failed = None;
        self.from.export(device, TimeRange::ALL, &mut |page| {
            for batch in page.chunks(BATCH) {
                match self.put(batch) {
                    Ok(new) => stored += new,
                    Err(error) => {
                        failed = Some(error);
                        return ControlFlow::Break(());
                    }
                }
                seen += batch.len() as u64;
            }
            ControlFlow::Continue(())
        })?;
        failed.map_or(Ok((seen, stored)), Err)
    }

    /// Commits readings; a spool that is full drains first.
    fn put(&self, readings: &[Reading]) -> anyhow::Result<u64> {
        let commit = Commit {
            readings: readings.to_vec(),
            sources: vec![self.source; readings.len()],
            ..Commit::default()
        };
        loop {
            match self.to.commit(&commit) {
                Ok(report) => {
                    let new =
                        |outcome: &&city_store::Outcome| **outcome == city_store::Outcome::Stored;
                    return Ok(report.outcomes.iter().filter(new).count() as u64);
                }
                Err(error)
                    if error.kind == StoreErrorKind::Full && self.to.stats().forward.is_some() =>
                {
                    self.to.maintain(SystemClock.now())?;
                    std::thread::sleep(PATIENCE);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits until a server has everything.
    fn drain(&self) -> anyhow::Result<()> {
        let mut said = None;
        // What was committed a moment ago is not being sent yet, but it is in the bytes that wait.
        while let Some(forward) = self.to.stats().forward
            && (forward.spool_bytes > 0 || forward.oldest_waiting.is_some())
        {
            if forward.trouble != said {
                if let Some(trouble) = &forward.trouble {
                    println!("{} bytes wait for the server: {trouble}", forward.spool_bytes);
                }
                said = forward.trouble;
            }
            std::thread::sleep(PATIENCE);
        }
        self.to.maintain(SystemClock.now())?;
        Ok(())
    }

    /// The first device that an interrupted copy of the same kind has not done.
    fn begun(&self) -> anyhow::Result<u32> {
        let Ok(text) = std::fs::read_to_string(&self.note) else { return Ok(0) };
        let note: Note = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged; delete it", self.note.display()))?;
        Ok(if (note.from, note.to) == (self.args.from, self.args.to) { note.next } else { 0 })
    }

    fn write_note(&self, next: u32) -> anyhow::Result<()> {
        let note = Note { from: self.args.from, to: self.args.to, next };
        write_whole(&self.note, &serde_json::to_string(&note)?)
            .with_context(|| format!("{} cannot be written", self.note.display()))
    }
}

fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("new");
    std::fs::write(&new, text)?;
    std::fs::rename(new, path)
}
