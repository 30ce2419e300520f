//! Deleting readings for good: a device that was somebody's, a sensor that told nonsense.
//!
//! What is to go is noted first, and a start that finds a note without an end goes through with it:
//! a crash in between leaves no half-deleted range behind.

use city_model::{DeviceKey, MetricKey, SeriesKey, Timestamp};
use rusqlite::{Connection, TransactionBehavior};

use super::codec::{self, Chunk};
use super::columns::{DeviceColumns, rows};
use super::compact::Batch;
use super::day_file::Contents;
use super::day_name::window_of;
use super::tiers::Tier;
use super::{Embedded, Sealer};
use crate::backends::bare_reading;
use crate::sqlite;
use crate::steps::check_range;
use crate::{Deletion, LastValue, Store as _, StoreError, TimeRange};

/// What is left of a device's chunks of a day.
struct Changes<'a> {
    windows: &'a [(i64, DeviceColumns)],
    whole: Option<&'a DeviceColumns>,
    /// Windows of which everything up to commit `seq` is in chunks.
    sealed: &'a [i64],
    seq: u64,
    compacted: bool,
}

impl Embedded {
    pub(super) fn do_delete(&self, what: &Deletion) -> Result<u64, StoreError> {
        check_range(what.range)?;
        let _compactor = self.compactor();
        let mut sealer = self.sealer();
        let note = self.writer().db.begin_deletion(what)?;
        self.carry_out(&mut sealer, note, what)
    }

    /// Goes through with deletions that a crash cut short.
    pub(super) fn finish_deletions(&self) -> Result<(), StoreError> {
        for (note, what) in self.ingest.open_deletions()? {
            let mut sealer = self.sealer();
            let readings = self.carry_out(&mut sealer, note, &what)?;
            tracing::info!(readings, device = what.device.0, "a deletion was gone through with");
        }
        Ok(())
    }

    fn carry_out(
        &self,
        sealer: &mut Sealer,
        note: i64,
        what: &Deletion,
    ) -> Result<u64, StoreError> {
        let mut gone = 0;
        for day in self.days_of(what.range) {
            gone += self.delete_of_day(sealer, day, what)?;
            self.summarise_again(day, what)?;
        }
        self.delete_last(what)?;
        // A snapshot of all that: a restart does not take it from the log again.
        self.cut(sealer)?;
        self.writer().db.end_deletion(note, gone)?;
        self.counts.dropped.fetch_add(gone, std::sync::atomic::Ordering::Relaxed);
        Ok(gone)
    }

    fn delete_of_day(
        &self,
        sealer: &mut Sealer,
        day: i64,
        what: &Deletion,
    ) -> Result<u64, StoreError> {
        let Some(windows) = self.windows_of(day, what.range) else { return Ok(0) };
        let mut gone = 0;
        let mut here = Vec::new();
        let mut to_seal = Vec::new();
        {
            // Commits wait, so that nobody reads back into the head what is about to go.
            let _writer = self.writer();
            let seq = self.head_seq();
            for window in self.head.between(*windows.start(), *windows.end()) {
                let removed = window.write().remove(what, seq);
                match removed {
                    Some(Ok(removed)) => {
                        self.head.count(0, removed);
                        gone += removed as u64;
                        here.push(window.start);
                    }
                    Some(Err(())) => return Err(self.damaged_slot(window.start, what.device)),
                    None => window.write().seal_anyway(seq),
                }
                to_seal.push(window);
            }
            if self.days.contents(day, |_| ())?.is_some() {
                gone += self.delete_of_file(day, what, &here, seq)?;
            }
        }
        // What is sealed is not taken from the log again; redeliveries may still be in it.
        for window in to_seal {
            self.seal(sealer, &window)?;
        }
        Ok(gone)
    }

    /// Deletes from the chunks of a day. Readings of windows that are in the head are not counted:
    /// what is there stands for them.
    fn delete_of_file(
        &self,
        day: i64,
        what: &Deletion,
        in_head: &[i64],
        seq: u64,
    ) -> Result<u64, StoreError> {
        let Some(windows) = self.windows_of(day, what.range) else { return Ok(0) };
        let device = what.device;
        let damage =
            |window: i64, what: codec::bytes::Damaged| self.days.damage(window, device, what.0);
        let mut gone = 0;
        self.days.change(day, |conn, contents| {
            let read = |conn: &Connection, id: i64, window: i64| {
                let Some(blob) = self.days.blob(day, conn, id)? else { return Ok(None) };
                let chunk = Chunk::parse(&blob, window, device).and_then(|chunk| chunk.all());
                chunk.map(Some).map_err(|what| damage(window, what))
            };
            let mut changed: Vec<(i64, DeviceColumns)> = Vec::new();
            let mut own = in_head.to_vec();
            for window in &contents.windows {
                let id = self.days.row(*window, device.0);
                let Some(mut columns) = read(conn, id, *window)? else { continue };
                let removed = columns.remove(what.metric, range_rows(&columns, what.range));
                if !in_head.contains(window) {
                    own.push(*window);
                    gone += removed as u64;
                }
                changed.push((*window, columns));
            }
            let mut whole = read(conn, self.days.day_row(device.0), day)?;
            if let Some(columns) = &mut whole {
                // What windows of their own stand for is not counted, but goes as well.
                let mut counted = columns.clone();
                counted
                    .retain_rows(|row| !own.contains(&window_of(columns.times[row], self.window)));
                let rows = range_rows(&counted, what.range);
                gone += counted.remove(what.metric, rows) as u64;
                columns.remove(what.metric, range_rows(columns, what.range));
            }
            // Nothing of the other windows is in the head: all of them is in chunks.
            let open: Vec<i64> = self
                .head
                .between(*windows.start(), *windows.end())
                .iter()
                .map(|window| window.start)
                .collect();
            let sealed: Vec<i64> = contents
                .seals
                .range(windows.clone())
                .map(|(window, _)| *window)
                .filter(|window| !open.contains(window))
                .collect();
            let path = self.days.path(day);
            let changes = Changes {
                windows: &changed,
                whole: whole.as_ref(),
                sealed: &sealed,
                seq,
                compacted: contents.compacted,
            };
            self.put_back(conn, day, device, &changes)
                .map_err(|e| sqlite::error("cannot write to the day file", &path, e))?;
            Ok(move |contents: &mut Contents| {
                for window in sealed {
                    contents.seals.insert(window, seq);
                }
            })
        })?;
        Ok(gone)
    }

    fn put_back(
        &self,
        conn: &mut Connection,
        day: i64,
        device: DeviceKey,
        changes: &Changes<'_>,
    ) -> rusqlite::Result<()> {
        // What is deleted is overwritten, not just forgotten.
        conn.execute_batch("PRAGMA secure_delete = ON")?;
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for window in changes.sealed {
            tx.prepare_cached("UPDATE seals SET seq = ?2 WHERE window = ?1")?
                .execute((window, changes.seq as i64))?;
        }
        for (window, columns) in changes.windows {
            let id = self.days.row(*window, device.0);
            if columns.times.is_empty() && !changes.compacted {
                tx.prepare_cached("DELETE FROM chunks WHERE id = ?1")?.execute([id])?;
                continue;
            }
            let first = columns.times.first().unwrap_or(window);
            let last = columns.times.last().unwrap_or(window);
            let chunk = codec::encode(columns, *window, device);
            tx.prepare_cached(
                "UPDATE chunks SET first = ?2, last = ?3, readings = ?4, chunk = ?5 WHERE id = ?1",
            )?
            .execute((id, first, last, columns.readings as i64, chunk))?;
        }
        if let Some(columns) = changes.whole {
            self.days.put_day(&tx, day, device, columns)?;
        }
        tx.commit()
    }

    /// Makes the summaries of a device's day say what is left.
    fn summarise_again(&self, day: i64, what: &Deletion) -> Result<(), StoreError> {
        let device = what.device;
        if day < self.complete_from().micros() {
            return self.cut_summaries(day, what);
        }
        let compacted = self.days.contents(day, |found| found.compacted)?.unwrap_or(false);
        if !compacted {
            return Ok(());
        }
        let mut left = DeviceColumns::default();
        self.each_piece(day, device, TimeRange::ALL, |piece| {
            left.append(&piece.all()?);
            Ok(())
        })?;
        let stripped = self.days.stripped(day)?;
        let mut batch = Batch::default();
        self.summarise(day, device, &left, &stripped, &mut batch)?;
        self.put_summaries(day, &mut batch, 0)?;
        if stripped.is_empty() { Ok(()) } else { self.cut_summaries(day, what) }
    }

    /// Takes steps out of summaries whose readings are no longer kept.
    fn cut_summaries(&self, day: i64, what: &Deletion) -> Result<(), StoreError> {
        for tier in Tier::ALL {
            self.tiers.remove(tier, day, what)?;
        }
        Ok(())
    }

    /// Puts the newest that is left in the place of newest values that went.
    fn delete_last(&self, what: &Deletion) -> Result<(), StoreError> {
        // Commits wait: what they bring is newer than what is found here.
        let mut writer = self.writer();
        for metric in self.last.newest_in(what.device, what.range) {
            if what.metric.is_some_and(|of| of != metric) {
                continue;
            }
            let newest = self.newest_of(what.device, metric)?;
            let series = SeriesKey { device: what.device, metric };
            let time = newest.as_ref().map(|newest| newest.time.micros());
            writer.newest.lower(series, what.range, time);
            self.last.put_back(series, what.range, newest);
        }
        Ok(())
    }

    /// The newest reading that is stored of a series.
    fn newest_of(
        &self,
        device: DeviceKey,
        metric: MetricKey,
    ) -> Result<Option<LastValue>, StoreError> {
        for day in self.days_of(TimeRange::ALL).into_iter().rev() {
            let mut newest = None;
            self.each_piece(day, device, TimeRange::ALL, |piece| {
                let positions = piece.positions()?;
                piece.column(metric, |column| {
                    for row in piece.within(TimeRange::ALL) {
                        let Some((value, quality)) = column.get(row) else { continue };
                        let time = Timestamp::from_micros(piece.times()[row]);
                        let position = positions.get(row).copied().flatten();
                        let series = SeriesKey { device, metric };
                        let reading = bare_reading(series, time, value, quality, position);
                        newest = Some(LastValue::from(&reading));
                    }
                })?;
                Ok(())
            })?;
            if newest.is_some() {
                return Ok(newest);
            }
        }
        Ok(None)
    }
}

fn range_rows(columns: &DeviceColumns, range: TimeRange) -> std::ops::Range<usize> {
    rows(&columns.times, range.from.micros(), range.to.micros())
}
