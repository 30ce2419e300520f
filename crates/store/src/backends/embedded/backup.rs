//! A copy of a store, taken while it works.
//!
//! Each file is copied as it is at one instant, the log first and the days after it. What is sealed
//! in between is in the days only; so that a store that goes on from the copy gives no number of a
//! commit twice, the copy of the log notes the highest number that its days hold (`seq_floor`).
//! Readings that came while the copy was made may be in it, without being counted in its ledger.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::day_name::{files_in, name_of};
use super::tiers::{self, Tiers};
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
}

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
        match done.add(&day_file::FORMAT, &path, &target) {
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
        match done.add(&tiers::FORMAT, &path, &target) {
            Err(_) if !path.exists() => {}
            copy => copy?,
        }
    }
    let copy = to.join("ingest.db");
    let conn = ingest_db::FORMAT.open(&copy)?;
    conn.execute(
        "INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)",
        (SEQ_FLOOR, floor as i64),
    )
    .map_err(|e| sqlite::error("cannot write to", &copy, e))?;
    ingest_db::FORMAT.finish_build(conn, &copy)?;
    for folder in ["", "chunks", "tiers/1m", "tiers/15m", "tiers/1h"].map(|name| to.join(name)) {
        if folder.is_dir() {
            day_file::sync_folder(&folder).map_err(|e| super::folder(&folder, e))?;
        }
    }
    Ok(done)
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
