//! Summaries of whole days in steps of a minute, a quarter of an hour and an hour: one SQLite file
//! per step and month, one row per day and device.
//!
//! They are written when a day is compacted ([`super::compact`]), so that long ranges read little,
//! and so that something is left when the readings themselves are dropped. A row is used only where
//! it says what the readings say: not for a device of which something came after the day was
//! compacted. Minutes are not kept of devices that send no more often than that, as long as their
//! readings are kept: the readings are as small.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use city_model::{DeviceKey, MetricKey, Span, Timestamp};
use jiff::civil::Date;
use jiff::tz::Offset;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::codec::bytes::Damaged;
use super::codec::tier;
use super::columns::{Column, DeviceColumns};
use super::day_file::{cannot_delete, delete};
use super::day_name::{DAY, date_of};
use super::look_up::Blobs;
use crate::sqlite::{self, Format};
use crate::steps::Stats;
use crate::{Deletion, StoreError, StoreErrorKind, TimeRange};

pub(super) const FORMAT: Format = Format {
    name: "summary file",
    application: 0x4342_5449, // "CBTI"
    version: 1,
    page_size: 16384,
    upgrades: &[],
    schema: "CREATE TABLE rows (
                 id      INTEGER PRIMARY KEY,
                 summary BLOB NOT NULL
             );",
};

/// How long the steps of a summary are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    Minute,
    Quarter,
    Hour,
}

impl Tier {
    pub(super) const ALL: [Self; 3] = [Self::Minute, Self::Quarter, Self::Hour];

    /// How its files are made. Hours, small and asked for one by one, stand in small pages.
    const fn format(self) -> Format {
        let page_size = if matches!(self, Self::Hour) { 4096 } else { FORMAT.page_size };
        Format { page_size, ..FORMAT }
    }

    /// The steps' length in microseconds.
    pub(super) const fn step(self) -> i64 {
        match self {
            Self::Minute => 60_000_000,
            Self::Quarter => 900_000_000,
            Self::Hour => 3_600_000_000,
        }
    }

    const fn folder(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::Quarter => "15m",
            Self::Hour => "1h",
        }
    }

    /// The coarsest that steps of this length, in microseconds, can be made of exactly.
    pub(super) fn for_step(step: i64) -> Option<Self> {
        Self::ALL.into_iter().rev().find(|tier| step % tier.step() == 0)
    }
}

/// A device's row of a day to be written; without a summary it is deleted.
pub(super) type Row = (DeviceKey, Option<Vec<u8>>);

/// How long the summaries of each step are kept by event time; `None`: for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierRetention {
    /// Those of a minute.
    pub minute: Option<Span>,
    /// Those of a quarter of an hour.
    pub quarter: Option<Span>,
    /// Those of an hour.
    pub hour: Option<Span>,
}

impl TierRetention {
    pub(super) fn of(&self, tier: Tier) -> Option<Span> {
        match tier {
            Tier::Minute => self.minute,
            Tier::Quarter => self.quarter,
            Tier::Hour => self.hour,
        }
    }
}

/// All files of all steps.
#[derive(Debug)]
pub(super) struct Tiers {
    dir: PathBuf,
    /// Months that have a file, by step.
    months: RwLock<BTreeMap<(Tier, Month), Arc<PathBuf>>>,
    readers: Mutex<Vec<((Tier, Month), Connection)>>,
}

const SELECT_ROW: &str = "SELECT summary FROM rows WHERE id = ?1";
const ROWS: Blobs = Blobs {
    one: "SELECT id, summary FROM rows WHERE id = ?1",
    between: "SELECT id, summary FROM rows WHERE id BETWEEN ?1 AND ?2",
};
/// Read connections kept open.
const READERS: usize = 12;
/// What each of them that reads hours keeps of the file: rows are looked up all over it.
const HOURS_CACHED_KIB: i64 = 8192;

/// A month: years since 0 times 12 plus the month from 0.
type Month = i64;

impl Tiers {
    /// The files below a folder; folders are made when there is something to write.
    pub(super) fn open(dir: PathBuf) -> Self {
        let mut months = BTreeMap::new();
        for tier in Tier::ALL {
            for path in files(&dir.join(tier.folder())) {
                if let Some(month) = month_of_name(&path) {
                    months.insert((tier, month), Arc::new(path));
                }
            }
        }
        Self { dir, months: RwLock::new(months), readers: Mutex::default() }
    }

    /// All files, for checks and backups.
    pub(super) fn paths(&self) -> Vec<(Tier, PathBuf)> {
        self.months().iter().map(|((tier, _), path)| (*tier, path.to_path_buf())).collect()
    }

    /// The summaries of a device on a day, steps that begin in a range; `None` if there is no row.
    pub(super) fn row(
        &self,
        tier: Tier,
        day: i64,
        device: DeviceKey,
        metrics: &[MetricKey],
        range: TimeRange,
    ) -> Result<Option<Vec<(MetricKey, tier::Summary)>>, StoreError> {
        self.decoded(tier, day, device, Some(metrics), range)
    }

    fn row_of_all(
        &self,
        tier: Tier,
        day: i64,
        device: DeviceKey,
    ) -> Result<Option<Vec<(MetricKey, tier::Summary)>>, StoreError> {
        self.decoded(tier, day, device, None, TimeRange::ALL)
    }

    fn decoded(
        &self,
        tier: Tier,
        day: i64,
        device: DeviceKey,
        metrics: Option<&[MetricKey]>,
        range: TimeRange,
    ) -> Result<Option<Vec<(MetricKey, tier::Summary)>>, StoreError> {
        let read = |conn: &Connection| {
            conn.prepare_cached(SELECT_ROW)?
                .query_row([row(day, device.0)], |row| row.get::<_, Vec<u8>>(0))
                .optional()
        };
        let Some(blob) = self.read(tier, day, read)?.flatten() else { return Ok(None) };
        tier::decode(&blob, (day, tier.step()), device, metrics, range)
            .map(Some)
            .map_err(|what| self.damage(tier, day, device, what))
    }

    /// Calls `each` with the encoded rows of a day of devices that are given in order, in that
    /// order; perhaps also with rows of devices between them.
    pub(super) fn each_row(
        &self,
        tier: Tier,
        day: i64,
        devices: &[DeviceKey],
        mut each: impl FnMut(DeviceKey, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let ids: Vec<i64> = devices.iter().map(|device| row(day, device.0)).collect();
        let read = |conn: &Connection| {
            ROWS.each(conn, &ids, |id, summary| each(DeviceKey(id as u32), summary))
        };
        self.read(tier, day, read)?.unwrap_or(Ok(()))
    }

    /// The days of the months that have files, from one day to another.
    pub(super) fn days_between(&self, from: i64, to: i64) -> Vec<i64> {
        let months = self.months();
        let mut days = Vec::new();
        for (_, month) in months.keys() {
            let mut day = first_of(*month).max(from);
            while day <= to && month_of(day) == *month {
                days.push(day);
                day += DAY;
            }
        }
        days
    }

    /// The devices that have a row of a day, in order.
    pub(super) fn devices(&self, tier: Tier, day: i64) -> Result<Vec<DeviceKey>, StoreError> {
        let read = |conn: &Connection| {
            conn.prepare_cached("SELECT id FROM rows WHERE id BETWEEN ?1 AND ?2 ORDER BY id")?
                .query_map([row(day, 0), row(day, u32::MAX)], |row| {
                    Ok(DeviceKey(row.get::<_, i64>(0)? as u32))
                })?
                .collect()
        };
        self.read(tier, day, read).map(Option::unwrap_or_default)
    }

    /// Writes rows of a day, in the place of those that are there; without a blob, deletes them.
    /// They are on the disk when this returns.
    pub(super) fn write(
        &self,
        tier: Tier,
        day: i64,
        rows: impl Iterator<Item = Row>,
    ) -> Result<(), StoreError> {
        let rows: Vec<Row> = rows.collect();
        let known = self.months().contains_key(&(tier, month_of(day)));
        if rows.is_empty() || (!known && rows.iter().all(|(_, summary)| summary.is_none())) {
            return Ok(());
        }
        let folder = self.dir.join(tier.folder());
        std::fs::create_dir_all(&folder).map_err(|e| super::folder(&folder, e))?;
        let path = folder.join(name_of(day));
        let mut conn = tier.format().open(&path)?;
        let write = || {
            let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut put =
                    tx.prepare("INSERT OR REPLACE INTO rows (id, summary) VALUES (?1, ?2)")?;
                let mut delete = tx.prepare("DELETE FROM rows WHERE id = ?1")?;
                for (device, blob) in rows {
                    let id = row(day, device.0);
                    match blob {
                        Some(blob) => put.execute((id, blob))?,
                        None => delete.execute([id])?,
                    };
                }
            }
            tx.commit()
        };
        write().map_err(|e| sqlite::error("cannot write to the summary file", &path, e))?;
        let mut months = self.months.write().unwrap_or_else(PoisonError::into_inner);
        months.entry((tier, month_of(day))).or_insert_with(|| Arc::new(path));
        Ok(())
    }

    /// Takes the steps that begin in a range out of a device's row of a day.
    pub(super) fn remove(&self, tier: Tier, day: i64, what: &Deletion) -> Result<(), StoreError> {
        let device = what.device;
        let Some(mut metrics) = self.row_of_all(tier, day, device)? else { return Ok(()) };
        let from = Timestamp::from_micros(
            what.range.from.micros().max(day).div_euclid(tier.step()) * tier.step(),
        );
        let range = TimeRange { from, to: what.range.to };
        for (metric, summary) in &mut metrics {
            if what.metric.is_none_or(|of| of == *metric) {
                summary.retain(|(start, _)| !range.contains(Timestamp::from_micros(*start)));
            }
        }
        metrics.retain(|(_, summary)| !summary.is_empty());
        let row = (!metrics.is_empty()).then(|| tier::encode(&metrics, (day, tier.step()), device));
        self.write(tier, day, std::iter::once((device, row)))
    }

    /// Unlinks the files of months that end before `keep_from`.
    pub(super) fn drop_before(&self, tier: Tier, keep_from: i64) -> Result<(), StoreError> {
        let first_kept = month_of(keep_from);
        let old: Vec<Month> = {
            let months = self.months();
            let of_tier = months.range((tier, Month::MIN)..(tier, first_kept));
            of_tier.map(|((_, month), _)| *month).collect()
        };
        for month in old {
            let key = (tier, month);
            let mut months = self.months.write().unwrap_or_else(PoisonError::into_inner);
            let path = months.remove(&key);
            drop(months);
            self.readers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .retain(|(of, _)| *of != key);
            if let Some(path) = path {
                delete(&path).map_err(|e| cannot_delete(&path, e))?;
            }
        }
        Ok(())
    }

    pub(super) fn damage(
        &self,
        tier: Tier,
        day: i64,
        device: DeviceKey,
        what: Damaged,
    ) -> StoreError {
        let file = self.dir.join(tier.folder()).join(name_of(day));
        let message = format!(
            "the summary of device {} on {} in {} is damaged: {what}; everything else can be read; \
             `citybrain store repair` makes it again from the readings",
            device.0,
            date_of(day),
            file.display()
        );
        StoreError::new(StoreErrorKind::Corrupt, message)
    }

    fn months(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<(Tier, Month), Arc<PathBuf>>> {
        self.months.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(
        &self,
        tier: Tier,
        day: i64,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let key = (tier, month_of(day));
        let Some(path) = self.months().get(&key).cloned() else { return Ok(None) };
        let fail = |e| sqlite::error("cannot read the summary file", &path, e);
        let idle = {
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            let found = readers.iter().rposition(|(of, _)| *of == key);
            found.map(|index| readers.remove(index).1)
        };
        let conn = match idle {
            Some(conn) => conn,
            // The month may have been dropped just now.
            None => match FORMAT.open_reader(&path) {
                Err(_) if !self.months().contains_key(&key) => return Ok(None),
                opened => {
                    let conn = opened?;
                    if tier == Tier::Hour {
                        conn.pragma_update(None, "cache_size", -HOURS_CACHED_KIB).map_err(fail)?;
                    }
                    conn
                }
            },
        };
        let result = read(&conn).map_err(fail)?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() >= READERS {
            readers.remove(0);
        }
        if self.months().contains_key(&key) {
            readers.push((key, conn));
        }
        Ok(Some(result))
    }
}

/// The summaries of a device's day in steps of a tier, encoded, with those that are `kept` from
/// before; `None` if there is nothing to say.
pub(super) fn encode(
    columns: &DeviceColumns,
    kept: Vec<(MetricKey, tier::Summary)>,
    tier: Tier,
    day: i64,
    device: DeviceKey,
) -> Option<Vec<u8>> {
    let mut metrics = kept;
    let own = columns.columns.iter().filter(|c| metrics.iter().all(|(of, _)| *of != c.metric));
    let own: Vec<&Column> = own.collect();
    for column in own {
        let mut summary: tier::Summary = Vec::new();
        for (row, time) in columns.times.iter().enumerate() {
            let Some((number, quality)) = column.number(row) else { continue };
            let start = time.div_euclid(tier.step()) * tier.step();
            if summary.last().is_none_or(|(at, _)| *at != start) {
                summary.push((start, Stats::default()));
            }
            if let Some((_, stats)) = summary.last_mut() {
                stats.add(*time, number, quality);
            }
        }
        summary.retain(|(_, stats)| !stats.is_empty());
        if !summary.is_empty() {
            tier::settle(&mut summary);
            metrics.push((column.metric, summary));
        }
    }
    (!metrics.is_empty()).then(|| tier::encode(&metrics, (day, tier.step()), device))
}

/// Whether summaries of minutes take less than the readings themselves.
pub(super) fn minutes_are_less(columns: &DeviceColumns) -> bool {
    let mut minutes = 0;
    let mut before = i64::MIN;
    for time in &columns.times {
        let minute = time.div_euclid(Tier::Minute.step());
        minutes += usize::from(minute != before);
        before = minute;
    }
    columns.times.len() > 2 * minutes
}

/// Paths of what is in a folder; none if it is not there.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn date(day: i64) -> Date {
    let at = jiff::Timestamp::from_microsecond(day).unwrap_or_default();
    Offset::UTC.to_datetime(at).date()
}

fn month_of(day: i64) -> Month {
    let date = date(day);
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

/// The first day of a month.
fn first_of(month: Month) -> i64 {
    let (year, month) = (month.div_euclid(12) as i16, month.rem_euclid(12) as i8 + 1);
    let first = Date::new(year, month, 1).and_then(|date| Offset::UTC.to_timestamp(date.into()));
    first.map_or(0, jiff::Timestamp::as_microsecond)
}

/// The number of a row: the day in its month, then the device.
fn row(day: i64, device: u32) -> i64 {
    i64::from(date(day).day() - 1) << 32 | i64::from(device)
}

/// `2026-11.db`.
fn name_of(day: i64) -> String {
    let date = date_of(day);
    format!("{}.db", date.rsplit_once('-').map_or(date.as_str(), |(month, _)| month))
}

pub(super) fn month_of_name(path: &Path) -> Option<Month> {
    let name = path.file_name()?.to_str()?.strip_suffix(".db")?;
    let first: jiff::Timestamp = format!("{name}-01T00:00:00Z").parse().ok()?;
    Some(month_of(first.as_microsecond()))
}

/// The day and the device that a row of a month's file is of.
pub(super) fn of_row(month: Month, id: i64) -> (i64, DeviceKey) {
    (first_of(month) + (id >> 32) * DAY, DeviceKey(id as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_files_know_their_day() {
        for day in ["0001-01-31", "1969-12-31", "2024-02-29", "2026-11-23", "2026-12-01"] {
            let day: Timestamp = format!("{day}T00:00:00Z").parse().expect("a day");
            let month = month_of_name(Path::new(&name_of(day.micros()))).expect("a month");
            let id = row(day.micros(), 7);
            assert_eq!(of_row(month, id), (day.micros(), DeviceKey(7)));
        }
        assert_eq!(name_of(1_795_392_000_000_000), "2026-11.db");
        assert_eq!(month_of_name(Path::new("2026-13.db")), None);
    }

    #[test]
    fn steps_are_made_of_the_coarsest_that_fits() {
        let fits = |secs: i64| Tier::for_step(secs * 1_000_000);
        assert_eq!([fits(30), fits(60), fits(300)], [None, Some(Tier::Minute), Some(Tier::Minute)]);
        assert_eq!([fits(1_800), fits(86_400)], [Some(Tier::Quarter), Some(Tier::Hour)]);
    }
}
