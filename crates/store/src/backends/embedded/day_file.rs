//! Sealed chunks on disk: one SQLite file per day, one row per device and window.
//!
//! A row's number is the window's place in the day times 2³² plus the device key, so that one
//! B-tree serves both "this device" and "this window". `seals` says for each window up to which
//! commit everything is in its chunks; it also tells at once whether a window has any.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use city_model::{DeviceKey, Span, Timestamp};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::codec;
use super::columns::DeviceColumns;
use crate::sqlite::{self, Format};
use crate::{StoreError, StoreErrorKind};

pub(super) const FORMAT: Format = Format {
    name: "day file",
    application: 0x4342_4441, // "CBDA"
    version: 1,
    page_size: 16384,
    schema: "CREATE TABLE chunks (
                 id       INTEGER PRIMARY KEY,
                 first    INTEGER NOT NULL,
                 last     INTEGER NOT NULL,
                 readings INTEGER NOT NULL,
                 chunk    BLOB NOT NULL
             );
             CREATE TABLE damaged (
                 id    INTEGER NOT NULL,
                 chunk BLOB NOT NULL
             );
             CREATE TABLE seals (
                 window INTEGER PRIMARY KEY,
                 seq    INTEGER NOT NULL
             );",
};

pub(super) const DAY: i64 = 86_400_000_000;
/// Read connections kept open, over all days.
const READERS: usize = 32;

/// All day files of a store.
#[derive(Debug)]
pub(super) struct DayFiles {
    dir: PathBuf,
    window: i64,
    days: RwLock<BTreeMap<i64, Arc<DayFile>>>,
    /// Read connections that nobody uses, the one used last at the end.
    readers: Mutex<Vec<(i64, Connection)>>,
    /// The write connection used last.
    writer: Mutex<Option<(i64, Connection)>>,
}

/// One day.
#[derive(Debug)]
struct DayFile {
    path: PathBuf,
    /// Window → commit; read when it is first asked for.
    seals: RwLock<Option<BTreeMap<i64, u64>>>,
}

/// A chunk's row without the chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Summary {
    pub(super) device: DeviceKey,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) readings: u64,
}

/// A device's readings that are to become a chunk.
#[derive(Debug)]
pub(super) struct ToSeal<'a> {
    pub(super) device: DeviceKey,
    pub(super) columns: &'a DeviceColumns,
    /// Whether the row that is there cannot be read: it is put aside, not overwritten.
    pub(super) damaged: bool,
}

impl DayFiles {
    /// The files in a folder, which is made if it is not there.
    pub(super) fn open(dir: PathBuf, window: Span) -> std::io::Result<Self> {
        std::fs::create_dir_all(&dir)?;
        let mut days = BTreeMap::new();
        for entry in std::fs::read_dir(&dir)? {
            let path = entry?.path();
            if let Some(day) = day_of_name(&path) {
                days.insert(day, Arc::new(DayFile { path, seals: RwLock::new(None) }));
            }
        }
        Ok(Self {
            dir,
            window: window.micros(),
            days: RwLock::new(days),
            readers: Mutex::default(),
            writer: Mutex::default(),
        })
    }

    /// Days from that of one window to that of another, in order.
    pub(super) fn days_between(&self, from: i64, to: i64) -> Vec<i64> {
        let days = self.days.read().unwrap_or_else(PoisonError::into_inner);
        days.range(day_of(from)..=day_of(to)).map(|(day, _)| *day).collect()
    }

    /// Windows of a day that have chunks, and the commit up to which they are complete.
    pub(super) fn seals(&self, day: i64) -> Result<BTreeMap<i64, u64>, StoreError> {
        let Some(file) = self.file(day) else { return Ok(BTreeMap::new()) };
        self.with_seals(day, &file, Clone::clone)
    }

    /// The commit up to which all readings of a window are in its chunks; `None` without chunks.
    pub(super) fn sealed_through(&self, window: i64) -> Result<Option<u64>, StoreError> {
        let day = day_of(window);
        let Some(file) = self.file(day) else { return Ok(None) };
        self.with_seals(day, &file, |seals| seals.get(&window).copied())
    }

    /// A device's chunk.
    pub(super) fn chunk(
        &self,
        window: i64,
        device: DeviceKey,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if self.sealed_through(window)?.is_none() {
            return Ok(None);
        }
        let read = |conn: &Connection| {
            conn.prepare_cached("SELECT chunk FROM chunks WHERE id = ?1")?
                .query_row([self.row(window, device.0)], |row| row.get(0))
                .optional()
        };
        self.read(day_of(window), read).map(Option::flatten)
    }

    /// All chunks of a window without their contents.
    pub(super) fn summaries(&self, window: i64) -> Result<Vec<Summary>, StoreError> {
        let read = |conn: &Connection| {
            conn.prepare_cached(
                "SELECT id, first, last, readings FROM chunks WHERE id BETWEEN ?1 AND ?2",
            )?
            .query_map((self.row(window, 0), self.row(window, u32::MAX)), |row| {
                Ok(Summary {
                    device: DeviceKey(row.get::<_, i64>(0)? as u32),
                    first: row.get(1)?,
                    last: row.get(2)?,
                    readings: row.get::<_, i64>(3)? as u64,
                })
            })?
            .collect()
        };
        self.read(day_of(window), read).map(Option::unwrap_or_default)
    }

    /// The summary of one chunk.
    pub(super) fn summary(
        &self,
        window: i64,
        device: DeviceKey,
    ) -> Result<Option<Summary>, StoreError> {
        if self.sealed_through(window)?.is_none() {
            return Ok(None);
        }
        let read = |conn: &Connection| {
            conn.prepare_cached("SELECT first, last, readings FROM chunks WHERE id = ?1")?
                .query_row([self.row(window, device.0)], |row| {
                    let readings = row.get::<_, i64>(2)? as u64;
                    Ok(Summary { device, first: row.get(0)?, last: row.get(1)?, readings })
                })
                .optional()
        };
        self.read(day_of(window), read).map(Option::flatten)
    }

    /// Writes chunks of one window in one transaction, in the place of those that are there, and
    /// notes that everything up to commit `seq` is in them. It is on the disk when this returns.
    pub(super) fn write<'a>(
        &self,
        window: i64,
        seq: u64,
        devices: impl Iterator<Item = ToSeal<'a>>,
    ) -> Result<(), StoreError> {
        let day = day_of(window);
        let path = self.path_of(day);
        let fail = |e| sqlite::error("cannot write to the day file", &path, e);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken out, so that a connection that failed is not used again.
        let mut conn = match writer.take() {
            Some((of, conn)) if of == day => conn,
            _ => FORMAT.open(&path)?,
        };
        let file = self.file_or_new(day, &path);
        self.write_in(&mut conn, window, seq, devices).map_err(fail)?;
        let mut seals = file.seals.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(seals) = seals.as_mut() {
            seals.insert(window, seq);
        }
        *writer = Some((day, conn));
        Ok(())
    }

    fn write_in<'a>(
        &self,
        conn: &mut Connection,
        window: i64,
        seq: u64,
        devices: impl Iterator<Item = ToSeal<'a>>,
    ) -> rusqlite::Result<()> {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut put_aside = tx.prepare_cached(
                "INSERT INTO damaged (id, chunk) SELECT id, chunk FROM chunks WHERE id = ?1",
            )?;
            let mut put = tx.prepare_cached(
                "INSERT OR REPLACE INTO chunks (id, first, last, readings, chunk)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for ToSeal { device, columns, damaged } in devices {
                let (Some(first), Some(last)) = (columns.times.first(), columns.times.last())
                else {
                    continue;
                };
                let id = self.row(window, device.0);
                if damaged {
                    put_aside.execute([id])?;
                }
                let chunk = codec::encode(columns, window, device);
                put.execute((id, first, last, columns.readings as i64, chunk))?;
            }
            tx.prepare_cached("INSERT OR REPLACE INTO seals (window, seq) VALUES (?1, ?2)")?
                .execute((window, seq as i64))?;
        }
        tx.commit()
    }

    /// Unlinks the files of days that end before `keep_from`. Returns how many readings went.
    pub(super) fn drop_before(&self, keep_from: i64) -> Result<u64, StoreError> {
        let old: Vec<i64> = {
            let days = self.days.read().unwrap_or_else(PoisonError::into_inner);
            days.keys().copied().take_while(|day| day + DAY <= keep_from).collect()
        };
        let mut gone = 0;
        for day in old {
            gone += self.drop_day(day)?;
        }
        Ok(gone)
    }

    /// Unlinks the file of a day. Returns how many readings went.
    pub(super) fn drop_day(&self, day: i64) -> Result<u64, StoreError> {
        let count = |conn: &Connection| {
            conn.query_row("SELECT coalesce(sum(readings), 0) FROM chunks", [], |row| {
                row.get::<_, i64>(0)
            })
        };
        // A file that cannot be read is dropped all the same: its time is over.
        let readings = self.read(day, count).ok().flatten().unwrap_or(0);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.take_if(|(of, _)| *of == day);
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _)| *of != day);
        self.days.write().unwrap_or_else(PoisonError::into_inner).remove(&day);
        let path = self.path_of(day);
        for suffix in ["-wal", "-shm", ""] {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            match std::fs::remove_file(&name) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::new(
                        StoreErrorKind::ReadOnly,
                        format!(
                            "cannot delete {}, whose time is over: {e}; let citybrain's user \
                             write to its folder",
                            path.display()
                        ),
                    )
                    .caused_by(e));
                }
                _ => {}
            }
        }
        Ok(readings as u64)
    }

    /// What a damaged chunk is to people.
    pub(super) fn damage(&self, window: i64, device: DeviceKey, what: &str) -> StoreError {
        StoreError::new(
            StoreErrorKind::Corrupt,
            format!(
                "the chunk of device {} in the window from {} in {} is damaged: {what}; everything \
                 else can be read; restore this file from a backup to get it back",
                device.0,
                Timestamp::from_micros(window),
                self.path_of(day_of(window)).display()
            ),
        )
    }

    /// Reads with a connection of its own; `None` if there is no file for this day.
    fn read<T>(
        &self,
        day: i64,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let Some(file) = self.file(day) else { return Ok(None) };
        self.read_file(day, &file, read).map(Some)
    }

    fn read_file<T>(
        &self,
        day: i64,
        file: &DayFile,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let idle = {
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            let found = readers.iter().rposition(|(of, _)| *of == day);
            found.map(|index| readers.remove(index).1)
        };
        let conn = match idle {
            Some(conn) => conn,
            None => FORMAT.open_reader(&file.path)?,
        };
        let result =
            read(&conn).map_err(|e| sqlite::error("cannot read the day file", &file.path, e))?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() >= READERS {
            readers.remove(0);
        }
        // Not if the day was dropped meanwhile.
        if self.file(day).is_some() {
            readers.push((day, conn));
        }
        Ok(result)
    }

    fn with_seals<T>(
        &self,
        day: i64,
        file: &DayFile,
        look: impl FnOnce(&BTreeMap<i64, u64>) -> T,
    ) -> Result<T, StoreError> {
        {
            let seals = file.seals.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(seals) = seals.as_ref() {
                return Ok(look(seals));
            }
        }
        // Locked before it is read, so that a window sealed meanwhile is not lost.
        let mut seals = file.seals.write().unwrap_or_else(PoisonError::into_inner);
        if seals.is_none() {
            *seals = Some(self.read_file(day, file, |conn| {
                conn.prepare("SELECT window, seq FROM seals")?
                    .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?
                    .collect()
            })?);
        }
        Ok(look(seals.as_ref().unwrap_or(&BTreeMap::new())))
    }

    fn file(&self, day: i64) -> Option<Arc<DayFile>> {
        self.days.read().unwrap_or_else(PoisonError::into_inner).get(&day).cloned()
    }

    fn file_or_new(&self, day: i64, path: &Path) -> Arc<DayFile> {
        let mut days = self.days.write().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(DayFile { path: path.to_owned(), seals: RwLock::new(None) });
        days.entry(day).or_insert_with(new).clone()
    }

    fn row(&self, window: i64, device: u32) -> i64 {
        ((window - day_of(window)) / self.window) << 32 | i64::from(device)
    }

    fn path_of(&self, day: i64) -> PathBuf {
        let at = Timestamp::from_micros(day).to_string();
        let name = at.split_once('T').map_or(at.as_str(), |(date, _)| date);
        self.dir.join(format!("{name}.db"))
    }
}

/// Where the day starts in which a window lies.
pub(super) fn day_of(window: i64) -> i64 {
    window.div_euclid(DAY) * DAY
}

/// The day of a file called `2026-11-23.db`.
pub(super) fn day_of_name(path: &Path) -> Option<i64> {
    let date = path.file_name()?.to_str()?.strip_suffix(".db")?;
    let day: Timestamp = format!("{date}T00:00:00Z").parse().ok()?;
    Some(day.micros())
}

/// The window in which a time lies. Times near or past the ends of the calendar share the outer
/// windows, so that every window has a day with a name.
pub(super) fn window_of(time: i64, window: i64) -> i64 {
    let margin = 3 * DAY;
    let inside = time.clamp(Timestamp::MIN.micros() + margin, Timestamp::MAX.micros() - margin);
    inside.div_euclid(window) * window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_has_a_window_and_every_day_a_name() {
        let hour = Span::from_hours(1);
        let dir = tempfile::tempdir().expect("a temporary folder");
        let files = DayFiles::open(dir.path().join("chunks"), hour).expect("opens");
        for time in [i64::MIN, -377_000_000_000_000_000, -1, 0, 1_795_422_600_250_000, i64::MAX] {
            let window = window_of(time, hour.micros());
            let path = files.path_of(day_of(window));
            assert_eq!(day_of_name(&path), Some(day_of(window)), "{}", path.display());
        }
        assert!(files.path_of(day_of(1_795_422_600_250_000)).ends_with("2026-11-23.db"));
        assert_eq!(window_of(-1, hour.micros()), -3_600_000_000);
    }
}
