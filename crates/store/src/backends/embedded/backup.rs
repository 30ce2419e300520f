//! A copy of a store, taken while it works.
//!
//! Each file is copied as it is at one instant, the log first and the days after it. What is sealed
//! in between is in the days only; so that a store that goes on from the copy gives no number of a
//! commit twice, the copy of the log notes the highest number that its days hold (`seq_floor`).
//! Readings that came while the copy was made may be in it, without being counted in its ledger.
//!
//! A day that is over is written anew once and then stays as it is, so that a copy made before
//! still holds ([`Stamp`]): a link to it is as good as another copy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::day_name::{files_in, name_of};
use super::tiers::{self, Tiers};
use super::verify::NEWEST;
use super::{SEQ_FLOOR, day_file, folder, ingest_db};
use crate::sqlite::{self, Format};
use crate::{StoreError, StoreErrorKind, state};

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backup {
    /// Files.
    pub files: u64,
    /// Their bytes in the copy.
    pub bytes: u64,
    /// Files that are links to an earlier copy, counted in neither of the above.
    pub linked: u64,
}

/// A file that has changed for the last time this long ago has one stamp for one content: clocks
/// of file systems tick slowly.
const SETTLED: Duration = Duration::from_secs(2);

/// What a file of a store was at a moment: while it is the same, so is the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub modified_ns: u64,
}

impl Stamp {
    /// The stamp of a database file; `None` if something about it may still move: it was written
    /// just now, or has a write-ahead log that is not empty.
    pub fn of(path: &Path) -> Option<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        if std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
            return None;
        }
        let file = std::fs::metadata(path).ok()?;
        let modified = file.modified().ok()?;
        let settled = SystemTime::now().duration_since(modified).is_ok_and(|age| age > SETTLED);
        let since = modified.duration_since(UNIX_EPOCH).ok()?;
        let modified_ns = u64::try_from(since.as_nanos()).ok()?;
        settled.then_some(Self { bytes: file.len(), modified_ns })
    }
}

/// Says where a copy is that was made of a file, named relative to the store, while it had this
/// stamp.
pub type Earlier<'a> = &'a dyn Fn(&Path, Stamp) -> Option<PathBuf>;

/// Copies the store in `dir` to `to`, which must not be there or be empty. The store may be in use
/// by a running program, which is not held up. `begin` is called with each file before it is
/// copied, its place among them from 0, and how many there are about.
///
/// # Errors
/// If there is no store, if something is in `to`, or if a file cannot be read or written; what was
/// copied until then is left for people to look at, and is no backup.
pub fn backup(
    dir: &Path,
    to: &Path,
    begin: impl FnMut(&Path, usize, usize),
) -> Result<Backup, StoreError> {
    backup_since(dir, to, &|_, _| None, begin)
}

/// As [`backup`]; days and summaries of which an `earlier` copy still holds are hard links to that
/// where the file system can do it. Nobody must write to such copies: restore them by copying.
///
/// # Errors
/// As [`backup`].
pub fn backup_since(
    dir: &Path,
    to: &Path,
    earlier: Earlier<'_>,
    mut begin: impl FnMut(&Path, usize, usize),
) -> Result<Backup, StoreError> {
    let ingest = super::ingest_db_of(dir)?;
    if std::fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        let message = format!("{} is not empty; name a folder that is not there", to.display());
        return Err(StoreError::new(StoreErrorKind::Invalid, message));
    }
    let mut done = Backup::default();
    let mut copied: BTreeMap<i64, u32> = BTreeMap::new();
    let mut floor = 0;
    let total = 1 + files_in(dir).len() + tiers_of(dir).len();
    begin(&ingest, 0, total);
    done.add(&ingest_db::FORMAT, &ingest, &to.join("ingest.db"))?;
    // A day may be written anew while it is copied, and new ones begin: until nothing is missing.
    loop {
        let missing = files_in(dir).into_iter().find(|(day, found)| {
            copied.get(day).is_none_or(|generation| *generation < found.0) && found.1.exists()
        });
        let Some((day, (generation, path))) = missing else { break };
        if day_file::FORMAT.is_empty(&path) {
            // Its first window is being sealed: what goes in there was in the log before.
            copied.insert(day, generation);
            continue;
        }
        begin(&path, done.files as usize, total);
        let target = to.join("chunks").join(path.file_name().unwrap_or_default());
        match done.link_or_add(&day_file::FORMAT, (dir, &path), &target, earlier) {
            // It was written anew, or its time was over.
            Err(_) if !path.exists() => {
                let _ = std::fs::remove_file(&target);
            }
            copy => {
                copy?;
                let before = copied.insert(day, generation);
                if let Some(before) = before {
                    let older = name_of(day, before);
                    let _ = std::fs::remove_file(to.join("chunks").join(older));
                }
                floor = floor.max(highest_seal(&target)?);
            }
        }
    }
    for path in tiers_of(dir) {
        begin(&path, done.files as usize, total);
        let target = to.join(path.strip_prefix(dir).unwrap_or(&path));
        match done.link_or_add(&tiers::FORMAT, (dir, &path), &target, earlier) {
            Err(_) if !path.exists() => {}
            copy => copy?,
        }
    }
    raise_floor(&to.join("ingest.db"), floor)?;
    for folder in ["", "chunks", "tiers/1m", "tiers/15m", "tiers/1h"].map(|name| to.join(name)) {
        if folder.is_dir() {
            day_file::sync_folder(&folder).map_err(|e| super::folder(&folder, e))?;
        }
    }
    Ok(done)
}

/// Notes in the copy of a store that the numbers of commits which the store in `dir` has given until
/// now are taken. To be called when the state database was copied after the store: what is known
/// there of later commits must not be taken for known of those that come after a restore.
///
/// # Errors
/// If the store cannot be read, or the copy cannot be written.
pub fn pass_on_numbers(dir: &Path, copy: &Path) -> Result<(), StoreError> {
    let ingest = super::ingest_db_of(dir)?;
    let conn = ingest_db::FORMAT.open_only_to_read(&ingest)?;
    let newest: i64 = conn
        .query_row(NEWEST, [], |row| row.get(0))
        .map_err(|e| sqlite::error("cannot read", &ingest, e))?;
    raise_floor(&super::ingest_db_of(copy)?, newest as u64)
}

/// Notes that no commit gets this number or a lower one.
fn raise_floor(ingest: &Path, floor: u64) -> Result<(), StoreError> {
    let conn = ingest_db::FORMAT.open(ingest)?;
    conn.execute(
        "INSERT INTO settings (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
        (SEQ_FLOOR, floor as i64),
    )
    .map_err(|e| sqlite::error("cannot write to", ingest, e))?;
    ingest_db::FORMAT.finish_build(conn, ingest)
}

/// Copies the state database, `state.db`: the registry, rules, alerts and users.
///
/// # Errors
/// If it cannot be read, or the copy cannot be written.
pub fn backup_state(path: &Path, to: &Path) -> Result<Backup, StoreError> {
    let mut done = Backup::default();
    done.add(&state::FORMAT, path, to)?;
    Ok(done)
}

impl Backup {
    /// Counts what another one copied too.
    pub fn append(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.linked += other.linked;
    }

    /// Links to an earlier copy of a file that has not changed since, or copies it.
    fn link_or_add(
        &mut self,
        format: &Format,
        (dir, from): (&Path, &Path),
        to: &Path,
        earlier: Earlier<'_>,
    ) -> Result<(), StoreError> {
        let name = from.strip_prefix(dir).unwrap_or(from);
        let known = Stamp::of(from).and_then(|stamp| earlier(name, stamp));
        let parent = to.parent().unwrap_or(to);
        std::fs::create_dir_all(parent).map_err(|e| folder(parent, e))?;
        if known.is_some_and(|known| std::fs::hard_link(known, to).is_ok()) {
            self.linked += 1;
            return Ok(());
        }
        self.add(format, from, to)
    }

    /// Copies a file as it is at one instant.
    fn add(&mut self, format: &Format, from: &Path, to: &Path) -> Result<(), StoreError> {
        let conn = format.open_only_to_read(from)?;
        let parent = to.parent().unwrap_or(to);
        std::fs::create_dir_all(parent).map_err(|e| folder(parent, e))?;
        let name = to.to_string_lossy();
        conn.execute("VACUUM INTO ?1", [&*name])
            .map_err(|e| sqlite::error(&format!("cannot copy {} to", from.display()), to, e))?;
        let synced = std::fs::File::open(to).and_then(|file| {
            file.sync_all()?;
            file.metadata()
        });
        self.bytes += synced.map_err(|e| folder(parent, e))?.len();
        self.files += 1;
        Ok(())
    }
}

fn tiers_of(dir: &Path) -> Vec<PathBuf> {
    Tiers::open(dir.join("tiers")).paths().into_iter().map(|(_, path)| path).collect()
}

fn highest_seal(path: &Path) -> Result<u64, StoreError> {
    let highest = |conn: &Connection| {
        conn.query_row("SELECT coalesce(max(seq), 0) FROM seals", [], |row| row.get::<_, i64>(0))
    };
    let conn = day_file::FORMAT.open_only_to_read(path)?;
    let highest = highest(&conn).map_err(|e| sqlite::error("cannot read the copy", path, e))?;
    Ok(highest as u64)
}
