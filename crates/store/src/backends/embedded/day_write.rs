//! Writing to the files of days: sealing windows, and putting new generations in place.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::PoisonError;

use city_model::DeviceKey;
use rusqlite::{Connection, TransactionBehavior};

use super::codec;
use super::columns::DeviceColumns;
use super::day_file::{Contents, DayFiles, FORMAT, cannot_delete, delete, sync_folder};
use super::day_name::day_of;
use crate::StoreError;
use crate::sqlite;

/// A device's readings that are to become a chunk.
#[derive(Debug)]
pub(super) struct ToSeal<'a> {
    pub(super) device: DeviceKey,
    pub(super) columns: &'a DeviceColumns,
    /// Whether the row that is there cannot be read: it is put aside, not overwritten.
    pub(super) damaged: bool,
}

impl DayFiles {
    /// Writes chunks of one window in one transaction, in the place of those that are there, and
    /// notes that everything up to commit `seq` is in them. It is on the disk when this returns.
    pub(super) fn write<'a>(
        &self,
        window: i64,
        seq: u64,
        devices: impl Iterator<Item = ToSeal<'a>>,
    ) -> Result<(), StoreError> {
        let day = day_of(window);
        self.change(day, |conn, contents| {
            // Not asked before: the day may have been written anew just now.
            let compacted = contents.compacted;
            let written = self
                .write_in(conn, window, seq, compacted, devices)
                .map_err(|e| sqlite::error("cannot write to the day file", &self.path(day), e))?;
            Ok(move |contents: &mut Contents| {
                contents.seals.insert(window, seq);
                if !written.is_empty() || !compacted {
                    contents.windows.insert(window);
                }
                if compacted {
                    contents.overridden.extend(written);
                }
            })
        })
    }

    /// Changes a day's file, with an eye on what it has, and then what is known of that. The file is
    /// made if it is not there; one change at a time.
    pub(super) fn change<After: FnOnce(&mut Contents)>(
        &self,
        day: i64,
        change: impl FnOnce(&mut Connection, &Contents) -> Result<After, StoreError>,
    ) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let file = self.file(day);
        let path = file.as_ref().map_or_else(|| self.path_of(day, 0), |file| file.path.clone());
        // Taken out, so that a connection that failed is not used again.
        let mut conn = match writer.take() {
            Some((of, conn)) if of == day => conn,
            _ => FORMAT.open(&path)?,
        };
        let file = file.unwrap_or_else(|| self.add(day, 0, &path));
        let known = self.with_contents(day, &file, Clone::clone)?;
        let after = change(&mut conn, &known)?;
        let mut contents = file.contents.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(contents) = contents.as_mut() {
            after(contents);
        }
        *writer = Some((day, conn));
        Ok(())
    }

    fn write_in<'a>(
        &self,
        conn: &mut Connection,
        window: i64,
        seq: u64,
        compacted: bool,
        devices: impl Iterator<Item = ToSeal<'a>>,
    ) -> rusqlite::Result<Vec<u32>> {
        let mut written = Vec::new();
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
                let id = self.row(window, device.0);
                if damaged {
                    put_aside.execute([id])?;
                }
                if columns.times.is_empty() && !compacted {
                    // Everything was deleted.
                    tx.prepare_cached("DELETE FROM chunks WHERE id = ?1")?.execute([id])?;
                    continue;
                }
                // An empty one stands for what was deleted of the whole day's chunk.
                let first = columns.times.first().unwrap_or(&window);
                let last = columns.times.last().unwrap_or(&window);
                let chunk = codec::encode(columns, window, device);
                put.execute((id, first, last, columns.readings as i64, chunk))?;
                written.push(device.0);
            }
            tx.prepare_cached("INSERT OR REPLACE INTO seals (window, seq) VALUES (?1, ?2)")?
                .execute((window, seq as i64))?;
        }
        tx.commit()?;
        Ok(written)
    }

    /// Writes the chunk of a whole day, or deletes it if nothing is left. For use in a transaction.
    pub(super) fn put_day(
        &self,
        conn: &Connection,
        day: i64,
        device: DeviceKey,
        columns: &DeviceColumns,
    ) -> rusqlite::Result<()> {
        let id = self.day_row(device.0);
        let (Some(first), Some(last)) = (columns.times.first(), columns.times.last()) else {
            conn.prepare_cached("DELETE FROM chunks WHERE id = ?1")?.execute([id])?;
            return Ok(());
        };
        let chunk = codec::encode(columns, day, device);
        conn.prepare_cached(
            "INSERT OR REPLACE INTO chunks (id, first, last, readings, chunk)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((id, first, last, columns.readings as i64, chunk))
        .map(|_| ())
    }

    /// Brings over what was sealed into a day's `old` file since it had `seals`, whole windows at a
    /// time, into the `new` one.
    pub(super) fn bring_over(
        &self,
        day: i64,
        old: &Path,
        new: &Path,
        seals: &BTreeMap<i64, u64>,
    ) -> Result<(), StoreError> {
        let now = self.contents(day, |found| found.seals.clone())?.unwrap_or_default();
        let changed: Vec<(i64, u64)> =
            now.into_iter().filter(|(window, seq)| seals.get(window) != Some(seq)).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let from = FORMAT.open_reader(old)?;
        let mut to = FORMAT.open(new)?;
        let copy = || {
            let tx = to.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for (window, seq) in changed {
                let ids = self.window_ids(window);
                let mut rows = from.prepare(
                    "SELECT id, first, last, readings, chunk FROM chunks
                     WHERE id BETWEEN ?1 AND ?2",
                )?;
                let mut rows = rows.query((ids.start(), ids.end()))?;
                while let Some(row) = rows.next()? {
                    let values: (i64, i64, i64, i64, Vec<u8>) =
                        (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
                    tx.prepare_cached("INSERT OR REPLACE INTO chunks VALUES (?1, ?2, ?3, ?4, ?5)")?
                        .execute(values)?;
                }
                tx.prepare_cached("INSERT OR REPLACE INTO seals (window, seq) VALUES (?1, ?2)")?
                    .execute((window, seq as i64))?;
            }
            tx.commit()
        };
        copy().map_err(|e| sqlite::error("cannot write a day anew into", new, e))?;
        FORMAT.finish_build(to, new)
    }

    /// Puts a new generation of a day, which is whole and on the disk at `path`, in the place of the
    /// one that is there. `finish` brings over what was sealed while it was written; nothing is
    /// sealed while it runs.
    pub(super) fn replace(
        &self,
        day: i64,
        path: &Path,
        finish: impl FnOnce(&Path) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(old) = self.file(day) else { return Ok(()) };
        writer.take_if(|(of, _)| *of == day);
        finish(&old.path)?;
        let generation = old.generation + 1;
        let new = self.path_of(day, generation);
        let moved = std::fs::rename(path, &new).and_then(|()| sync_folder(&self.dir));
        moved.map_err(|e| super::folder(&self.dir, e))?;
        self.add(day, generation, &new);
        self.forget_readers(day);
        delete(&old.path).map_err(|e| cannot_delete(&old.path, e))
    }

    /// Unlinks a day's file. Returns how many readings went.
    pub(super) fn drop_day(&self, day: i64) -> Result<u64, StoreError> {
        let count = |conn: &Connection| {
            let sum = "SELECT coalesce(sum(readings), 0) FROM chunks";
            conn.query_row(sum, [], |row| row.get::<_, i64>(0))
        };
        // A file that cannot be read is dropped all the same: its time is over.
        let readings = self.read(day, count).ok().flatten().unwrap_or(0);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.take_if(|(of, _)| *of == day);
        let file = self.days.write().unwrap_or_else(PoisonError::into_inner).remove(&day);
        self.forget_readers(day);
        if let Some(file) = file {
            delete(&file.path).map_err(|e| cannot_delete(&file.path, e))?;
        }
        Ok(readings as u64)
    }
}
