//! Sealed chunks on disk: one SQLite file per day, one row per device and window.
//!
//! A row's number is the window's place in the day times 2³² plus the device key, so that one
//! B-tree serves both "this device" and "this window". `seals` says for each window up to which
//! commit everything is in its chunks.
//!
//! Once a day is over, its file is written anew with one chunk per device for the whole day (see
//! [`super::compact`]); these rows come behind the last window. What is sealed later stands in the
//! rows of its windows again, each complete: where there is one, it counts and not the day's chunk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use city_model::{DeviceKey, MetricKey, Span, Timestamp};
use rusqlite::{Connection, OptionalExtension};
use rustc_hash::FxHashSet;

use super::day_name::{DAY, day_of, day_of_name, name_of};
use super::look_up::Blobs;
use crate::sqlite::{self, Format};
use crate::{StoreError, StoreErrorKind};

const CHUNKS: Blobs = Blobs {
    one: "SELECT id, chunk FROM chunks WHERE id = ?1",
    between: "SELECT id, chunk FROM chunks WHERE id BETWEEN ?1 AND ?2",
};

pub(super) const FORMAT: Format = Format {
    name: "day file",
    application: 0x4342_4441, // "CBDA"
    version: 2,
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
             );
             CREATE TABLE facts (
                 name  TEXT PRIMARY KEY,
                 value INTEGER NOT NULL
             ) WITHOUT ROWID;",
    upgrades: &[(
        1,
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;",
    )],
};

/// What the facts about metrics begin with whose readings were dropped because their time was over.
pub(super) const STRIPPED: &str = "stripped.";

/// Read connections kept open, over all days.
const READERS: usize = 32;

/// All day files of a store.
#[derive(Debug)]
pub(super) struct DayFiles {
    pub(super) dir: PathBuf,
    window: i64,
    pub(super) days: RwLock<BTreeMap<i64, Arc<DayFile>>>,
    /// Read connections that nobody uses, by day and generation, the one used last at the end.
    readers: Mutex<Vec<((i64, u32), Connection)>>,
    /// The write connection used last.
    pub(super) writer: Mutex<Option<(i64, Connection)>>,
}

/// One generation of one day.
#[derive(Debug)]
pub(super) struct DayFile {
    pub(super) path: PathBuf,
    pub(super) generation: u32,
    /// Read when it is first asked for.
    pub(super) contents: RwLock<Option<Contents>>,
}

/// What a day's file has, without the chunks.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    /// Whether the day was compacted: readings are in chunks of the whole day.
    pub(super) compacted: bool,
    /// Window → the commit up to which all of its readings are here.
    pub(super) seals: BTreeMap<i64, u64>,
    /// Windows that have chunks of their own. Until the day is compacted those of `seals`.
    pub(super) windows: BTreeSet<i64>,
    /// Devices that have such chunks, once the day is compacted.
    pub(super) overridden: FxHashSet<u32>,
}

/// What is stored of one device on one day.
#[derive(Debug, Default)]
pub(super) struct DeviceRows {
    /// The chunks of single windows.
    pub(super) windows: Vec<(i64, Vec<u8>)>,
    /// The chunk of the whole day.
    pub(super) day: Option<Vec<u8>>,
}

/// A chunk's row without the chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Summary {
    /// The window's start; the day's for a chunk of the whole day.
    pub(super) window: i64,
    pub(super) device: DeviceKey,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) readings: u64,
}

impl DayFiles {
    /// The files in a folder, which is made if it is not there.
    pub(super) fn open(dir: PathBuf, window: Span) -> std::io::Result<Self> {
        std::fs::create_dir_all(&dir)?;
        let mut days: BTreeMap<i64, Arc<DayFile>> = BTreeMap::new();
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&dir)? {
            let path = entry?.path();
            if let Some((day, generation)) = day_of_name(&path) {
                let file = DayFile { path, generation, contents: RwLock::new(None) };
                files.push((day, generation, file));
            }
        }
        files.sort_unstable_by_key(|(day, generation, _)| (*day, *generation));
        for (day, _, file) in files {
            // A crash came between writing a generation and deleting the one before.
            if let Some(older) = days.insert(day, Arc::new(file)) {
                delete(&older.path)?;
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

    /// Looks at what a day's file has; `None` if there is none.
    pub(super) fn contents<T>(
        &self,
        day: i64,
        look: impl Fn(&Contents) -> T,
    ) -> Result<Option<T>, StoreError> {
        self.with_file(day, |file| self.with_contents(day, file, &look))
    }

    /// The commit up to which all readings of a window are in its chunks; `None` without chunks.
    pub(super) fn sealed_through(&self, window: i64) -> Result<Option<u64>, StoreError> {
        let found = self.contents(day_of(window), |found| found.seals.get(&window).copied())?;
        Ok(found.flatten())
    }

    /// What is stored of a device on a day in windows that start in `windows`, without those of
    /// `except`. The whole day's chunk comes as it is.
    pub(super) fn device(
        &self,
        day: i64,
        device: DeviceKey,
        windows: std::ops::RangeInclusive<i64>,
        except: &[i64],
    ) -> Result<DeviceRows, StoreError> {
        let wanted = |found: &Contents| {
            let single = !found.compacted || found.overridden.contains(&device.0);
            let own = found.windows.range(windows.clone());
            let own = own.filter(|window| single && !except.contains(window));
            (found.compacted, own.copied().collect::<Vec<i64>>())
        };
        let read = |own: Vec<i64>, compacted: bool, conn: &Connection| {
            let mut chunk = conn.prepare_cached("SELECT chunk FROM chunks WHERE id = ?1")?;
            let mut get =
                |id: i64| chunk.query_row([id], |row| row.get::<_, Vec<u8>>(0)).optional();
            let mut rows = DeviceRows::default();
            for window in own {
                if let Some(blob) = get(self.row(window, device.0))? {
                    rows.windows.push((window, blob));
                }
            }
            if compacted {
                rows.day = get(self.day_row(device.0))?;
            }
            Ok(rows)
        };
        // Contents and chunks of the same generation.
        let rows = self.with_file(day, |file| {
            let (compacted, own) = self.with_contents(day, file, wanted)?;
            if own.is_empty() && !compacted {
                return Ok(DeviceRows::default());
            }
            self.read_file(day, file, |conn| read(own, compacted, conn))
        });
        rows.map(Option::unwrap_or_default)
    }

    /// Reads a day's file with what it has; `None` if there is none. `read` runs once.
    pub(super) fn read_all<T>(
        &self,
        day: i64,
        read: impl FnOnce(&Contents, &Connection) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let found = self.with_file(day, |file| {
            let contents = self.with_contents(day, file, Clone::clone)?;
            // Open while the file is there; it may be unlinked then.
            Ok((contents, FORMAT.open_reader(&file.path)?))
        })?;
        found.map(|(contents, conn)| read(&contents, &conn)).transpose()
    }

    /// Calls `each` with the chunks of a window of devices that are given in order, in that order;
    /// perhaps also with those of devices between them. Without a window: the whole day's chunks.
    pub(super) fn each_chunk(
        &self,
        (day, window): (i64, Option<i64>),
        conn: &Connection,
        devices: &[DeviceKey],
        mut each: impl FnMut(DeviceKey, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let id = |device: &DeviceKey| match window {
            Some(window) => self.row(window, device.0),
            None => self.day_row(device.0),
        };
        let ids: Vec<i64> = devices.iter().map(id).collect();
        CHUNKS
            .each(conn, &ids, |id, chunk| each(DeviceKey(id as u32), chunk))
            .map_err(|e| sqlite::error("cannot read the day file", &self.path(day), e))?
    }

    /// The rows of a window.
    pub(super) fn window_ids(&self, window: i64) -> std::ops::RangeInclusive<i64> {
        self.row(window, 0)..=self.row(window, u32::MAX)
    }

    /// The rows of whole days.
    pub(super) fn day_ids(&self) -> std::ops::RangeInclusive<i64> {
        self.day_row(0)..=self.day_row(u32::MAX)
    }

    /// All chunks of a window without their contents.
    pub(super) fn summaries(&self, window: i64) -> Result<Vec<Summary>, StoreError> {
        self.summaries_of(window, self.window_ids(window))
    }

    /// All chunks of a whole day without their contents.
    pub(super) fn day_summaries(&self, day: i64) -> Result<Vec<Summary>, StoreError> {
        self.summaries_of(day, self.day_ids())
    }

    fn summaries_of(
        &self,
        window: i64,
        ids: std::ops::RangeInclusive<i64>,
    ) -> Result<Vec<Summary>, StoreError> {
        let read = |conn: &Connection| {
            conn.prepare_cached(
                "SELECT id, first, last, readings FROM chunks WHERE id BETWEEN ?1 AND ?2",
            )?
            .query_map((ids.start(), ids.end()), |row| {
                Ok(Summary {
                    window,
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

    /// All devices of which a day's file has anything, in order.
    pub(super) fn devices(&self, day: i64) -> Result<BTreeSet<DeviceKey>, StoreError> {
        let read = |conn: &Connection| {
            conn.prepare("SELECT DISTINCT id & 4294967295 FROM chunks")?
                .query_map([], |row| Ok(DeviceKey(row.get::<_, i64>(0)? as u32)))?
                .collect()
        };
        self.read(day, read).map(Option::unwrap_or_default)
    }

    /// A row's chunk.
    pub(super) fn blob(
        &self,
        day: i64,
        conn: &Connection,
        id: i64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        conn.prepare_cached("SELECT chunk FROM chunks WHERE id = ?1")
            .and_then(|mut chunk| chunk.query_row([id], |row| row.get(0)).optional())
            .map_err(|e| sqlite::error("cannot read the day file", &self.path(day), e))
    }

    /// The metrics whose readings of a day were dropped because their time was over.
    pub(super) fn stripped(&self, day: i64) -> Result<BTreeSet<MetricKey>, StoreError> {
        let read = |conn: &Connection| {
            conn.prepare("SELECT value FROM facts WHERE name GLOB ?1 || '*'")?
                .query_map([STRIPPED], |row| Ok(MetricKey(row.get::<_, i64>(0)? as u16)))?
                .collect()
        };
        self.read(day, read).map(Option::unwrap_or_default)
    }

    pub(super) fn forget_readers(&self, day: i64) {
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|((of, _), _)| *of != day);
    }

    /// What a damaged chunk is to people.
    pub(super) fn damage(&self, window: i64, device: DeviceKey, what: &str) -> StoreError {
        StoreError::new(
            StoreErrorKind::Corrupt,
            format!(
                "the chunk of device {} in the window from {} in {} is damaged: {what}; everything \
                 else can be read; restore this file from a backup to get it back, or stop citybrain \
                 and put it aside with `citybrain store repair`",
                device.0,
                Timestamp::from_micros(window),
                self.path(day_of(window)).display()
            ),
        )
    }

    /// Where a day's file is, or would be.
    pub(super) fn path(&self, day: i64) -> PathBuf {
        self.file(day).map_or_else(|| self.path_of(day, 0), |file| file.path.clone())
    }

    /// The days that there are, in order.
    pub(super) fn days(&self) -> Vec<i64> {
        self.days.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// Reads with a connection of its own; `None` if there is no file for this day.
    pub(super) fn read<T>(
        &self,
        day: i64,
        read: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.with_file(day, |file| self.read_file(day, file, &read))
    }

    /// Looks at a day's file; again if it was written anew meanwhile and the old one is gone.
    fn with_file<T>(
        &self,
        day: i64,
        look: impl Fn(&DayFile) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        loop {
            let Some(file) = self.file(day) else { return Ok(None) };
            match look(&file) {
                Err(_) if !self.file(day).is_some_and(|now| Arc::ptr_eq(&now, &file)) => {}
                done => return done.map(Some),
            }
        }
    }

    fn read_file<T>(
        &self,
        day: i64,
        file: &DayFile,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let key = (day, file.generation);
        let idle = {
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            let found = readers.iter().rposition(|(of, _)| *of == key);
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
        // Not if the day was dropped or written anew meanwhile.
        if self.file(day).is_some_and(|now| std::ptr::eq(Arc::as_ptr(&now), file)) {
            readers.push((key, conn));
        }
        Ok(result)
    }

    pub(super) fn with_contents<T>(
        &self,
        day: i64,
        file: &DayFile,
        look: impl FnOnce(&Contents) -> T,
    ) -> Result<T, StoreError> {
        {
            let contents = file.contents.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(contents) = contents.as_ref() {
                return Ok(look(contents));
            }
        }
        // Locked before it is read, so that a window sealed meanwhile is not lost.
        let mut contents = file.contents.write().unwrap_or_else(PoisonError::into_inner);
        if contents.is_none() {
            let compacted = file.generation > 0;
            *contents =
                Some(self.read_file(day, file, |conn| self.read_contents(conn, day, compacted))?);
        }
        Ok(look(contents.as_ref().unwrap_or(&Contents::default())))
    }

    fn read_contents(
        &self,
        conn: &Connection,
        day: i64,
        compacted: bool,
    ) -> rusqlite::Result<Contents> {
        let seals: BTreeMap<i64, u64> = conn
            .prepare("SELECT window, seq FROM seals")?
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?
            .collect::<rusqlite::Result<_>>()?;
        // A damaged note must not show a window twice.
        let is_window = |window: &i64| day_of(*window) == day && window % self.window == 0;
        let seals = seals.into_iter().filter(|(window, _)| is_window(window)).collect();
        let mut contents = Contents { compacted, seals, ..Contents::default() };
        if !compacted {
            contents.windows = contents.seals.keys().copied().collect();
            return Ok(contents);
        }
        let mut ids = conn.prepare("SELECT id FROM chunks WHERE id < ?1")?;
        let mut ids = ids.query([self.day_row(0)])?;
        while let Some(row) = ids.next()? {
            let id: i64 = row.get(0)?;
            contents.windows.insert(day + (id >> 32) * self.window);
            contents.overridden.insert(id as u32);
        }
        Ok(contents)
    }

    pub(super) fn file(&self, day: i64) -> Option<Arc<DayFile>> {
        self.days.read().unwrap_or_else(PoisonError::into_inner).get(&day).cloned()
    }

    pub(super) fn add(&self, day: i64, generation: u32, path: &Path) -> Arc<DayFile> {
        let contents = RwLock::new(None);
        let file = Arc::new(DayFile { path: path.to_owned(), generation, contents });
        let mut days = self.days.write().unwrap_or_else(PoisonError::into_inner);
        days.insert(day, file.clone());
        file
    }

    /// The number of a row of one window.
    pub(super) fn row(&self, window: i64, device: u32) -> i64 {
        ((window - day_of(window)) / self.window) << 32 | i64::from(device)
    }

    /// The number of a row of the whole day.
    pub(super) fn day_row(&self, device: u32) -> i64 {
        (DAY / self.window) << 32 | i64::from(device)
    }

    pub(super) fn path_of(&self, day: i64, generation: u32) -> PathBuf {
        self.dir.join(name_of(day, generation))
    }
}

/// Deletes a database with what SQLite has beside it.
pub(super) fn delete(path: &Path) -> std::io::Result<()> {
    for suffix in ["-wal", "-shm", ""] {
        let mut name = path.to_owned().into_os_string();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn cannot_delete(path: &Path, e: std::io::Error) -> StoreError {
    let message = format!(
        "cannot delete {}, which is needed no longer: {e}; let citybrain's user write to its folder",
        path.display()
    );
    StoreError::new(StoreErrorKind::ReadOnly, message).caused_by(e)
}

/// Makes what was renamed in a folder outlive a power cut.
pub(super) fn sync_folder(dir: &Path) -> std::io::Result<()> {
    std::fs::File::open(dir)?.sync_all()
}
