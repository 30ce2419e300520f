//! Days that are over: written anew with one chunk per device, and summarised.
//!
//! A compacted day takes a fraction of the bytes and reads in one go. The new file is written beside
//! the old one and takes its place whole (see [`super::day_name`]), so that a crash leaves one or
//! the other; nothing waits meanwhile. What is sealed after that stands in rows of its own windows
//! and is worked in later, device by device.
//!
//! The order of writing keeps summaries right: they are written before the day is compacted, and are
//! used only for devices of compacted days that have no rows of single windows.

use std::collections::{BTreeMap, BTreeSet};

use city_model::{DeviceKey, MetricKey};
use rusqlite::{Connection, TransactionBehavior};

use super::codec::{self, Chunk};
use super::columns::{DeviceColumns, rows};
use super::day_file::{self, Contents};
use super::day_name::{DAY, date_of, day_of, window_of};
use super::tiers::{Row, Tier, encode, minutes_are_less};
use super::{COMPLETE_FROM, Embedded, Sealer};
use crate::sqlite;
use crate::{StoreError, TimeRange};

/// Devices whose summaries are written together.
const BATCH: usize = 2_000;
/// Devices of a compacted day that are worked in under one lock.
const MERGE_BATCH: usize = 256;
/// Days that are looked at in one turn because nothing is known of them yet.
const LOOKS: usize = 16;

/// What compacting remembers from one turn to the next.
#[derive(Debug, Default)]
pub(super) struct Compactor {
    /// Days in which there is nothing to do until something is sealed in them.
    settled: BTreeSet<i64>,
    /// Metrics whose time was over when a day was settled, by how many.
    settled_for: usize,
}

/// Summaries that are written together.
#[derive(Default)]
pub(super) struct Batch {
    rows: BTreeMap<Tier, Vec<Row>>,
    devices: usize,
}

impl Sealer {
    /// Notes that something was sealed in a day; when is said by the next turn of maintenance.
    pub(super) fn touch(&mut self, window: i64) {
        self.touched.insert(day_of(window), i64::MAX);
    }
}

impl Embedded {
    /// Compacts one day that is due, if there is one.
    pub(super) fn compact_due(&self, now: i64) -> Result<(), StoreError> {
        let mut compactor = self.compactor();
        let after = self.options.compact_after.micros();
        let ripe: Vec<i64> = {
            let mut sealer = self.sealer();
            for (day, at) in &mut sealer.touched {
                if *at == i64::MAX {
                    *at = now;
                    compactor.settled.remove(day);
                }
            }
            sealer.touched.retain(|_, at| now.saturating_sub(*at) < after);
            let quiet = |day: &i64| !sealer.touched.contains_key(day);
            self.days.days().into_iter().filter(quiet).collect()
        };
        let over = self.metrics_over(now);
        if over.values().map(BTreeSet::len).sum::<usize>() != compactor.settled_for {
            compactor.settled.clear();
            compactor.settled_for = over.values().map(BTreeSet::len).sum();
        }
        let first = self.complete_from().micros();
        let mut looks = 0;
        for day in ripe {
            let due = day >= first && day.saturating_add(DAY + after) <= now;
            let skipped = compactor.settled.contains(&day) || self.is_outermost(day);
            if !due || skipped || !self.head.between(day, day + DAY - self.window).is_empty() {
                continue;
            }
            looks += 1;
            if looks > LOOKS {
                break;
            }
            let worked = self.compact(day, over.get(&day));
            match worked {
                Ok(true) => return Ok(()),
                Ok(false) => drop(compactor.settled.insert(day)),
                Err(error) if error.is_unreadable() => {
                    // It is left as it is, until somebody repairs it.
                    tracing::error!(error.cause = %error, day = date_of(day), "a day cannot be compacted");
                    compactor.settled.insert(day);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Does what there is to do in a day. Says whether there was anything.
    fn compact(&self, day: i64, over: Option<&BTreeSet<MetricKey>>) -> Result<bool, StoreError> {
        let known = self.days.contents(day, |found| (found.compacted, found.overridden.len()))?;
        let Some((compacted, overridden)) = known else { return Ok(false) };
        let stripped = self.days.stripped(day)?;
        let over: BTreeSet<MetricKey> =
            over.into_iter().flatten().filter(|m| !stripped.contains(m)).copied().collect();
        if !compacted || !over.is_empty() {
            self.rewrite(day, compacted, &stripped, &over)?;
        } else if overridden > 0 {
            self.merge(day, &stripped)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Days whose readings of some metrics are past their time, with these metrics.
    fn metrics_over(&self, now: i64) -> BTreeMap<i64, BTreeSet<MetricKey>> {
        let retention = {
            let kept = &self.metric_retention;
            kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
        };
        let mut over: BTreeMap<i64, BTreeSet<MetricKey>> = BTreeMap::new();
        for (metric, keep) in retention {
            let keep_from = now.saturating_sub(keep.micros());
            let days = self.days.days().into_iter().take_while(|day| day + DAY <= keep_from);
            for day in days {
                over.entry(day).or_default().insert(metric);
            }
        }
        over
    }

    /// The outermost days of the calendar hold the times beyond it: they stay as they are.
    fn is_outermost(&self, day: i64) -> bool {
        [i64::MIN, i64::MAX].iter().any(|time| day == day_of(window_of(*time, self.window)))
    }

    /// Writes a day anew, without some metrics.
    fn rewrite(
        &self,
        day: i64,
        summarised: bool,
        stripped: &BTreeSet<MetricKey>,
        over: &BTreeSet<MetricKey>,
    ) -> Result<(), StoreError> {
        let path = self.dir.join("chunks").join(format!("{}.new", date_of(day)));
        let cleared = day_file::delete(&path);
        cleared.map_err(|e| super::folder(&self.dir.join("chunks"), e))?;
        let fail = |e| sqlite::error("cannot write a day anew into", &path, e);
        let new = day_file::FORMAT.build(&path)?;
        let mut gone = 0;
        let written = self.days.read_all(day, |contents, conn| {
            let mut batch = Batch::default();
            let mut last_minutes = LastMinutes::new(self, day)?;
            self.each_device(day, contents, conn, |device, mut columns| {
                let fresh = !summarised || contents.overridden.contains(&device.0);
                if fresh {
                    self.summarise(day, device, &columns, stripped, &mut batch)?;
                    self.put_summaries(day, &mut batch, BATCH)?;
                }
                if columns.columns.iter().any(|column| over.contains(&column.metric)) {
                    last_minutes.push(device, &columns)?;
                }
                gone += columns.remove_metrics(over) as u64;
                if columns.times.is_empty() {
                    return Ok(());
                }
                self.days.put_day(&new, day, device, &columns).map_err(fail)
            })?;
            self.put_summaries(day, &mut batch, 0)?;
            last_minutes.end()?;
            let stripped = stripped.union(over);
            copy_rest(conn, &new, &contents.seals, stripped).map_err(fail)?;
            Ok(contents.seals.clone())
        })?;
        day_file::FORMAT.finish_build(new, &path)?;
        let Some(seals) = written else { return Ok(()) };
        self.days.replace(day, &path, |old| self.days.bring_over(day, old, &path, &seals))?;
        self.forget(gone)
    }

    /// Works what was sealed after a day was compacted into the chunks of the whole day.
    fn merge(&self, day: i64, stripped: &BTreeSet<MetricKey>) -> Result<(), StoreError> {
        loop {
            let next = self.days.contents(day, |found| {
                found.overridden.iter().copied().take(MERGE_BATCH).collect::<Vec<u32>>()
            })?;
            let next = next.unwrap_or_default();
            if next.is_empty() {
                return Ok(());
            }
            self.merge_devices(day, &next, stripped)?;
        }
    }

    fn merge_devices(
        &self,
        day: i64,
        devices: &[u32],
        stripped: &BTreeSet<MetricKey>,
    ) -> Result<(), StoreError> {
        // What is sealed waits for this, so that nothing comes in between.
        self.days.change(day, |conn, contents| {
            let mut batch = Batch::default();
            let mut merged = Vec::new();
            for device in devices.iter().map(|device| DeviceKey(*device)) {
                let columns = self.read_device(day, contents, conn, device)?;
                self.summarise(day, device, &columns, stripped, &mut batch)?;
                merged.push((device, columns));
            }
            self.put_summaries(day, &mut batch, 0)?;
            let write = |conn: &mut Connection| {
                let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
                for (device, columns) in &merged {
                    self.days.put_day(&tx, day, *device, columns)?;
                    for window in &contents.windows {
                        tx.prepare_cached("DELETE FROM chunks WHERE id = ?1")?
                            .execute([self.days.row(*window, device.0)])?;
                    }
                }
                tx.commit()
            };
            let path = self.days.path(day);
            write(conn).map_err(|e| sqlite::error("cannot write to the day file", &path, e))?;
            Ok(move |contents: &mut Contents| {
                for device in devices {
                    contents.overridden.remove(device);
                }
                if contents.overridden.is_empty() {
                    contents.windows.clear();
                }
            })
        })
    }

    /// Adds a device's summaries of a day to those to be written. Metrics whose readings were
    /// dropped before keep the summaries that they have.
    pub(super) fn summarise(
        &self,
        day: i64,
        device: DeviceKey,
        columns: &DeviceColumns,
        stripped: &BTreeSet<MetricKey>,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        batch.devices += 1;
        for tier in Tier::ALL {
            let minutes = tier == Tier::Minute;
            let wanted = !minutes || minutes_are_less(columns) || !stripped.is_empty();
            let kept = if stripped.is_empty() {
                Vec::new()
            } else {
                let of: Vec<MetricKey> = stripped.iter().copied().collect();
                self.tiers.row(tier, day, device, &of, TimeRange::ALL)?.unwrap_or_default()
            };
            let row = if wanted { encode(columns, kept, tier, day, device) } else { None };
            batch.rows.entry(tier).or_default().push((device, row));
        }
        Ok(())
    }

    /// Writes summaries if there are at least so many devices of them.
    pub(super) fn put_summaries(
        &self,
        day: i64,
        batch: &mut Batch,
        least: usize,
    ) -> Result<(), StoreError> {
        if batch.devices < least.max(1) {
            return Ok(());
        }
        for (tier, rows) in std::mem::take(batch).rows {
            self.tiers.write(tier, day, rows.into_iter())?;
        }
        Ok(())
    }

    /// Calls `each` with everything that a day's file has of each device, in their order.
    fn each_device(
        &self,
        day: i64,
        contents: &Contents,
        conn: &Connection,
        mut each: impl FnMut(DeviceKey, DeviceColumns) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let path = self.days.path(day);
        let fail = |e| sqlite::error("cannot read the day file", &path, e);
        let mut after = -1i64;
        loop {
            // The next device that has a row anywhere: a jump in the tree for each window.
            let mut next: Option<u32> = None;
            let windows = contents.windows.iter().map(|window| self.days.row(*window, 0));
            let whole = contents.compacted.then(|| self.days.day_row(0));
            for first in windows.chain(whole) {
                let found: Option<i64> = conn
                    .prepare_cached("SELECT min(id) FROM chunks WHERE id BETWEEN ?1 AND ?2")
                    .and_then(|mut statement| {
                        let last = first | i64::from(u32::MAX);
                        statement.query_row((first + after + 1, last), |row| row.get(0))
                    })
                    .map_err(fail)?;
                let found = found.map(|id| id as u32);
                next = match (next, found) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
            let Some(device) = next else { return Ok(()) };
            let columns = self.read_device(day, contents, conn, DeviceKey(device))?;
            each(DeviceKey(device), columns)?;
            after = i64::from(device);
            if device == u32::MAX {
                return Ok(());
            }
        }
    }

    /// Everything that a day's file has of a device.
    pub(super) fn read_device(
        &self,
        day: i64,
        contents: &Contents,
        conn: &Connection,
        device: DeviceKey,
    ) -> Result<DeviceColumns, StoreError> {
        let damage =
            |window: i64, what: codec::bytes::Damaged| self.days.damage(window, device, what.0);
        let blob = |id: i64| self.days.blob(day, conn, id);
        let mut all = DeviceColumns::default();
        let whole = match blob(self.days.day_row(device.0))? {
            Some(blob) => Chunk::parse(&blob, day, device).and_then(|chunk| chunk.all()),
            None => Ok(DeviceColumns::default()),
        };
        let whole = whole.map_err(|what| damage(day, what))?;
        let mut next = day;
        let part = |from: i64, to: i64| {
            let mut part = whole.clone();
            part.keep_rows(rows(&whole.times, from, to));
            part
        };
        for window in &contents.windows {
            let Some(blob) = blob(self.days.row(*window, device.0))? else { continue };
            let own = Chunk::parse(&blob, *window, device).and_then(|chunk| chunk.all());
            if !whole.times.is_empty() {
                all.append(&part(next, *window));
            }
            all.append(&own.map_err(|what| damage(*window, what))?);
            next = window + self.window;
        }
        if next == day {
            return Ok(whole);
        }
        if !whole.times.is_empty() {
            all.append(&part(next, day + DAY));
        }
        Ok(all)
    }

    /// Drops days, and summaries, whose time is over.
    pub(super) fn retain(&self, now: i64) -> Result<(), StoreError> {
        for tier in Tier::ALL {
            if let Some(keep) = self.options.tiers.of(tier) {
                self.tiers.drop_before(tier, now.saturating_sub(keep.micros()))?;
            }
        }
        let Some(retention) = self.options.retention else { return Ok(()) };
        let keep_from = now.saturating_sub(retention.micros());
        let _compactor = self.compactor();
        for day in self.days.days() {
            if day + DAY > keep_from || self.is_held(day)? {
                break;
            }
            let dropped_before = self.complete_from().micros();
            if day >= dropped_before {
                if let Err(error) = self.summarise_last(day) {
                    // A day that cannot be read is dropped all the same: its time is over.
                    if !error.is_unreadable() {
                        return Err(error);
                    }
                    tracing::error!(error.cause = %error, day = date_of(day), "a day was dropped unsummarised");
                }
                self.writer().db.set(COMPLETE_FROM, day + DAY)?;
                let complete_from = &self.counts.complete_from;
                complete_from.store(day + DAY, std::sync::atomic::Ordering::Release);
            }
            let gone = self.days.drop_day(day)?;
            self.forget(gone)?;
        }
        Ok(())
    }

    /// Whether a day holds anything that the follower, for whom days are kept, has not passed.
    fn is_held(&self, day: i64) -> Result<bool, StoreError> {
        let Some(name) = &self.options.keep_for else { return Ok(false) };
        let from = self.holds_lock().get(name).copied().unwrap_or(0);
        let held = self.days.contents(day, |found| found.seals.values().any(|seq| *seq >= from));
        match held {
            Err(error) if error.is_unreadable() => Ok(false),
            held => Ok(held?.unwrap_or(false)),
        }
    }

    /// Makes the summaries of a day whole before its readings go.
    fn summarise_last(&self, day: i64) -> Result<(), StoreError> {
        if self.is_outermost(day) {
            return Ok(());
        }
        while self.compact(day, None)? {}
        self.days.read_all(day, |contents, conn| {
            let mut minutes = LastMinutes::new(self, day)?;
            self.each_device(day, contents, conn, |device, columns| {
                minutes.push(device, &columns)
            })?;
            minutes.end()
        })?;
        Ok(())
    }

    /// Notes that readings are no longer stored.
    pub(super) fn forget(&self, readings: u64) -> Result<(), StoreError> {
        if readings > 0 {
            self.writer().db.add_to_setting("dropped", readings)?;
            self.counts.dropped.fetch_add(readings, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Summaries in minutes of devices that have none, because until now their readings were as small:
/// written before these go.
struct LastMinutes<'a> {
    store: &'a Embedded,
    day: i64,
    have: BTreeSet<DeviceKey>,
    rows: Vec<Row>,
}

impl<'a> LastMinutes<'a> {
    fn new(store: &'a Embedded, day: i64) -> Result<Self, StoreError> {
        let have = store.tiers.devices(Tier::Minute, day)?.into_iter().collect();
        Ok(Self { store, day, have, rows: Vec::new() })
    }

    fn push(&mut self, device: DeviceKey, columns: &DeviceColumns) -> Result<(), StoreError> {
        if !self.have.contains(&device) {
            let row = encode(columns, Vec::new(), Tier::Minute, self.day, device);
            self.rows.push((device, row));
        }
        if self.rows.len() >= BATCH { self.end() } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), StoreError> {
        self.store.tiers.write(Tier::Minute, self.day, self.rows.drain(..))
    }
}

/// Copies what is in a day's file beside its chunks.
fn copy_rest<'a>(
    old: &Connection,
    new: &Connection,
    seals: &BTreeMap<i64, u64>,
    stripped: impl Iterator<Item = &'a MetricKey>,
) -> rusqlite::Result<()> {
    let mut put = new.prepare("INSERT INTO seals (window, seq) VALUES (?1, ?2)")?;
    for (window, seq) in seals {
        put.execute((window, *seq as i64))?;
    }
    let mut put = new.prepare("INSERT INTO facts (name, value) VALUES (?1, ?2)")?;
    for metric in stripped {
        put.execute((format!("{}{}", day_file::STRIPPED, metric.0), i64::from(metric.0)))?;
    }
    let mut put = new.prepare("INSERT INTO damaged (id, chunk) VALUES (?1, ?2)")?;
    let mut damaged = old.prepare("SELECT id, chunk FROM damaged")?;
    let mut damaged = damaged.query([])?;
    while let Some(row) = damaged.next()? {
        put.execute((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))?;
    }
    Ok(())
}
