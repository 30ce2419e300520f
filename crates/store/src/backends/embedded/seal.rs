//! Maintenance: seal windows, cut the log, write snapshots, drop what is past its time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::day_write::ToSeal;
use super::head::Window;
use super::ingest_db::Snapshot;
use super::{Embedded, Sealer};
use crate::{Store, StoreError, StoreErrorKind};

/// The name of the ledger's snapshot.
pub(super) const LEDGER: &str = "ledger";
/// The name of the last values' snapshot.
pub(super) const LAST: &str = "last_values";

/// Commits after whose last touch a window counts as idle.
const IDLE_COMMITS: u64 = 16;
/// Bytes of log that are deleted in one transaction: a few milliseconds, in which commits wait.
const CUT_BYTES: u64 = 8 << 20;
/// Transactions in which one turn drops dead letters; what is left is for the next turn.
const LETTER_BATCHES: usize = 64;
/// Long enough that a commit that waits gets its turn between two of them.
const LETTER_PAUSE: Duration = Duration::from_millis(1);

impl Embedded {
    pub(super) fn do_maintain(&self, now: i64) -> Result<(), StoreError> {
        // First, so that nothing that fails below lets them grow.
        let bounded = self.bound_letters(now);
        let mut sealer = self.sealer();
        let due = self.head.all().into_iter().filter(|window| self.is_due(window, now));
        let (sealed, sealing) = self.seal_all(&mut sealer, due);
        let every = self.options.snapshot_every.micros();
        let since = *sealer.snapshot_at.get_or_insert(now);
        let stale = self.head_seq() > sealer.snapshot_seq && now.saturating_sub(since) >= every;
        if sealed || stale {
            sealer.snapshot_at = Some(now);
            self.cut(&mut sealer)?;
        }
        drop(sealer);
        self.compact_due(now)?;
        self.retain(now)?;
        sealing.and(bounded)
    }

    pub(super) fn do_flush(&self) -> Result<(), StoreError> {
        let mut sealer = self.sealer();
        let (_, sealing) = self.seal_all(&mut sealer, self.head.all().into_iter());
        self.cut(&mut sealer)?;
        sealing
    }

    /// Seals windows. One that fails does not keep the others from it. Says whether any was
    /// sealed, and the first failure.
    fn seal_all(
        &self,
        sealer: &mut Sealer,
        windows: impl Iterator<Item = Arc<Window>>,
    ) -> (bool, Result<(), StoreError>) {
        let mut any = false;
        let mut first = Ok(());
        for window in windows {
            match self.seal(sealer, &window) {
                Ok(()) => any = true,
                Err(error) => first = first.and(Err(error)),
            }
        }
        (any, first)
    }

    /// Seals windows out of turn when too much is in memory: first those that are idle, and if
    /// readings come for so many windows that none is, all but the newest.
    pub(super) fn relieve_head(&self) -> Result<(), StoreError> {
        let limit = self.options.head_readings;
        if self.head.readings() <= limit {
            return Ok(());
        }
        let mut sealer = self.sealer();
        let idle_since = self.head_seq().saturating_sub(IDLE_COMMITS);
        let mut windows = self.head.all();
        let newest = windows.pop();
        windows.extend(newest.filter(|newest| newest.read().touched < idle_since));
        windows.sort_by_key(|window| window.read().touched);
        let mut sealed = false;
        for window in windows {
            let over = self.head.readings();
            let idle = window.read().touched < idle_since;
            if over <= limit / 2 || (!idle && over <= limit.saturating_mul(2)) {
                break;
            }
            match self.seal(&mut sealer, &window) {
                Ok(()) => sealed = true,
                // Commits wait until there is room. A damaged file must not stop them.
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => tracing::error!(error.cause = %error, "a window cannot be sealed"),
            }
        }
        if sealed { self.cut(&mut sealer) } else { Ok(()) }
    }

    /// Whether a window is over and has had its time for late readings. A window far in the
    /// future, where wrong clocks put readings, counts as over, or it would keep the log for ever.
    fn is_due(&self, window: &Window, now: i64) -> bool {
        let ends = window.start.saturating_add(self.window);
        if ends > now && window.start <= now.saturating_add(self.window) {
            return false;
        }
        let seal_after = self.options.seal_after.micros();
        let mut inner = window.write();
        let since = *inner.due_since.get_or_insert(now);
        now.saturating_sub(since) >= seal_after
    }

    /// Writes a window's devices as chunks, and lets go of those that did not change meanwhile.
    pub(super) fn seal(&self, sealer: &mut Sealer, window: &Arc<Window>) -> Result<(), StoreError> {
        // First the number, then the contents: everything up to it is in them.
        let through = self.head_seq();
        let (devices, dirty) = {
            let mut inner = window.write();
            let dirty = inner.is_dirty();
            (inner.begin_sealing(), dirty)
        };
        if dirty {
            sealer.touch(window.start);
            let to_seal = devices.iter().filter(|slot| slot.dirty).map(|slot| ToSeal {
                device: slot.device,
                columns: &slot.columns,
                damaged: slot.damaged,
            });
            if let Err(error) = self.days.write(window.start, through, to_seal) {
                window.write().sealing_failed();
                return Err(error);
            }
        }
        let gone = {
            let _writer = self.writer();
            let gone = window.write().sealed(devices);
            self.head.drop_if_empty(window);
            gone
        };
        self.head.count(0, gone.iter().map(|slot| slot.columns.readings).sum());
        Ok(())
    }

    /// Writes snapshots and holds, and deletes from the log what nobody needs any more.
    pub(super) fn cut(&self, sealer: &mut Sealer) -> Result<(), StoreError> {
        // Last values may be newer than the commit that they are written down for: taking in the
        // same commits again changes nothing.
        let last = Snapshot { name: LAST, seq: self.head_seq(), payload: self.last.encode() };
        let keep = {
            let mut writer = self.writer();
            let seq = self.head_seq();
            let ledger = self.ledger_lock().encode().map_err(|e| {
                StoreError::new(StoreErrorKind::Other, "the ledger cannot be written").caused_by(e)
            })?;
            let ledger = Snapshot { name: LEDGER, seq, payload: ledger };
            let holds = self.holds_lock().clone();
            let snapshot_seq = last.seq.min(seq);
            writer.db.put(&[last, ledger], &holds)?;
            sealer.snapshot_seq = snapshot_seq;
            let needed = self.head.needs_from().into_iter().chain(holds.into_values());
            needed.chain([snapshot_seq + 1]).min().unwrap_or(0)
        };
        loop {
            let bytes = self.writer().db.cut(keep, CUT_BYTES)?;
            self.counts.log_bytes.fetch_sub(bytes, Ordering::Relaxed);
            if bytes < CUT_BYTES {
                return Ok(());
            }
        }
    }

    /// Drops dead letters that are too old or too many, and says so.
    fn bound_letters(&self, now: i64) -> Result<(), StoreError> {
        let before = now.saturating_sub(self.options.dead_letter_retention.micros());
        let mut dropped = 0;
        let mut result = Ok(());
        for batch in 0..LETTER_BATCHES {
            if batch > 0 {
                std::thread::sleep(LETTER_PAUSE);
            }
            let gone = {
                let mut writer = self.writer();
                let gone = writer.db.drop_letters(before, self.options.dead_letter_bytes);
                if let Ok(gone) = &gone {
                    self.counts.letters.fetch_sub(gone.letters, Ordering::Relaxed);
                    self.counts.letter_bytes.fetch_sub(gone.bytes, Ordering::Relaxed);
                    self.counts.letters_dropped.fetch_add(gone.letters, Ordering::Relaxed);
                }
                gone
            };
            match gone {
                Ok(gone) => {
                    dropped += gone.letters;
                    if !gone.is_full() {
                        break;
                    }
                }
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        if dropped > 0 {
            tracing::warn!(
                dropped,
                kept = self.counts.letters.load(Ordering::Relaxed),
                "dead letters were dropped because they were too old or too many; mend what causes \
                 them, or let more be kept"
            );
        }
        result
    }
}
