//! The start: snapshots, then what the log has beyond them.

use std::collections::hash_map::Entry;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, SendError, SyncSender};
use std::sync::{Arc, PoisonError};

use city_model::DeviceKey;
use rustc_hash::FxHashMap;

use super::Embedded;
use super::head::Window;
use super::last::LastValues;
use super::ledger::Ledger;
use super::log::{self, Logged, LoggedLetters};
use super::seal::{LAST, LEDGER};
use super::warm;
use crate::{SequenceNote, StoreError, StoreErrorKind};

/// Commits that may be decoded and not taken in yet.
const DECODED_AHEAD: usize = 2;

/// A commit of the log.
struct LoggedCommit {
    seq: u64,
    readings: Vec<Logged>,
}

type Decoded = Result<LoggedCommit, StoreError>;

/// Where readings of a window go when they are replayed.
struct Target {
    /// Everything up to this commit is in its chunks.
    sealed_through: u64,
    /// Made when the first reading comes that is in no chunk.
    window: Option<Arc<Window>>,
    slots: FxHashMap<DeviceKey, usize>,
}

impl Embedded {
    /// Brings everything in memory back; no commit gets the number `floor` or a lower one. Returns
    /// how many commits and readings were replayed.
    pub(super) fn recover(&mut self, floor: u64) -> Result<(u64, u64), StoreError> {
        let mut ledger_seq = 0;
        if let Some((seq, payload)) = self.ingest.snapshot(LEDGER)? {
            let ledger = Ledger::decode(&payload)
                .map_err(|e| self.damaged_snapshot(LEDGER, &e.to_string()))?;
            *self.ledger.get_mut().unwrap_or_else(PoisonError::into_inner) = ledger;
            ledger_seq = seq;
        }
        let mut last_seq = 0;
        if let Some((seq, payload)) = self.ingest.snapshot(LAST)? {
            self.last =
                LastValues::decode(&payload).map_err(|e| self.damaged_snapshot(LAST, e.0))?;
            last_seq = seq;
        }
        let (log_bytes, log_newest) = self.ingest.log_size()?;
        let newest = log_newest.max(ledger_seq).max(last_seq).max(floor);
        self.counts.log_bytes.store(log_bytes, Ordering::Relaxed);
        let counts = self.replay_log(newest, ledger_seq, last_seq)?;
        let writer = self.writer.get_mut();
        self.last.each_newest(|series, _, time| writer.newest.raise(series, time.micros()));
        self.counts.head_seq.store(newest, Ordering::Release);
        self.sealer.get_mut().unwrap_or_else(PoisonError::into_inner).snapshot_seq =
            ledger_seq.min(last_seq);
        Ok(counts)
    }

    fn replay_log(
        &self,
        through: u64,
        ledger_seq: u64,
        last_seq: u64,
    ) -> Result<(u64, u64), StoreError> {
        std::thread::scope(|scope| {
            // One thread reads, decodes and counts, this one fills the head.
            let (decoded, commits) = mpsc::sync_channel(DECODED_AHEAD);
            let (used, room) = mpsc::channel();
            let reader = std::thread::Builder::new().name("log-reader".to_owned());
            let spawned = reader.spawn_scoped(scope, move || {
                // Nobody listens any more if taking in failed; that error counts.
                let _ = self.decode_log(through, (ledger_seq, last_seq), &decoded, &room);
            });
            spawned.map_err(|e| {
                let message = format!(
                    "the log in {} cannot be read back, because no thread can be started; let \
                     citybrain's user start more (ulimit -u, or the service's TasksMax)",
                    self.ingest.path().display()
                );
                StoreError::new(StoreErrorKind::Other, message).caused_by(e)
            })?;
            let mut targets: FxHashMap<i64, Target> = FxHashMap::default();
            let (mut count, mut readings) = (0, 0);
            for commit in commits {
                let commit = commit?;
                count += 1;
                readings += commit.readings.len() as u64;
                self.replay_commit(&mut targets, &commit.readings, commit.seq)?;
                // The other thread has ended if this was the last commit.
                let _ = used.send(commit.readings);
            }
            Ok((count, readings))
        })
    }

    /// Sends all commits of the log in order; ends after the first that cannot be read. Puts those
    /// after their snapshots into the ledger and the last values. Where there was `room` for a
    /// commit's readings, those of another one are put.
    fn decode_log(
        &self,
        through: u64,
        (ledger_seq, last_seq): (u64, u64),
        to: &SyncSender<Decoded>,
        room: &Receiver<Vec<Logged>>,
    ) -> Result<(), SendError<Decoded>> {
        let mut from = 0;
        loop {
            let page = match self.ingest.log_page(from, through) {
                Ok(page) => page,
                Err(error) => return to.send(Err(error)),
            };
            let Some((newest, _)) = page.last() else { return Ok(()) };
            from = newest + 1;
            for (seq, payload) in page {
                let mut readings = room.try_recv().unwrap_or_default();
                readings.clear();
                match log::decode(&payload, |logged| readings.push(logged)) {
                    Ok((letters, sequences)) => {
                        if seq > ledger_seq {
                            self.replay_ledger(&readings, &letters, &sequences);
                        }
                        if seq > last_seq {
                            self.last.apply(&readings, |logged| &logged.reading);
                        }
                        to.send(Ok(LoggedCommit { seq, readings }))?;
                    }
                    Err(what) => return to.send(Err(self.damaged_commit(seq, what))),
                }
            }
        }
    }

    fn replay_ledger(
        &self,
        readings: &[Logged],
        letters: &[LoggedLetters],
        sequences: &[SequenceNote],
    ) {
        let mut ledger = self.ledger_lock();
        ledger.readings(
            readings
                .iter()
                .map(|logged| (logged.source, logged.reading.series.device, logged.duplicate)),
        );
        for letter in letters {
            ledger.letters(*letter);
        }
        for note in sequences {
            ledger.sequence(*note);
        }
    }

    /// Puts the readings of a commit back into the head, those of one device and window together.
    fn replay_commit(
        &self,
        targets: &mut FxHashMap<i64, Target>,
        readings: &[Logged],
        seq: u64,
    ) -> Result<(), StoreError> {
        let place = |logged: &Logged| {
            (self.window_of(logged.reading.time.micros()), logged.reading.series.device)
        };
        let mut came = 0;
        let mut places = Vec::with_capacity(warm::AHEAD);
        let together = |a: &Logged, b: &Logged| self.are_together(&a.reading, &b.reading);
        let mut runs = readings.chunk_by(together).peekable();
        while runs.peek().is_some() {
            for together in runs.by_ref().take(warm::AHEAD) {
                let (start, device) = place(&together[0]);
                let slot = self.replay_slot(targets, (start, device), seq)?;
                places.extend(slot.map(|slot| (start, slot, together)));
            }
            for of_window in places.chunk_by(|(a, ..), (b, ..)| a == b) {
                let window = targets.get(&of_window[0].0).and_then(|to| to.window.as_deref());
                let Some(mut inner) = window.map(Window::write) else { continue };
                inner.warm(&of_window.iter().map(|(_, slot, _)| *slot));
                for (_, slot, together) in of_window {
                    let readings = together.iter().map(|logged| &logged.reading);
                    came += inner.put(*slot, readings, seq);
                }
            }
            places.clear();
        }
        self.head.count(came, 0);
        Ok(())
    }

    /// The slot in its window into which the readings of a device go; `None` if they are in a chunk
    /// already.
    fn replay_slot(
        &self,
        targets: &mut FxHashMap<i64, Target>,
        (start, device): (i64, DeviceKey),
        seq: u64,
    ) -> Result<Option<usize>, StoreError> {
        let target = match targets.entry(start) {
            Entry::Occupied(target) => target.into_mut(),
            Entry::Vacant(place) => {
                let sealed_through = match self.days.sealed_through(start) {
                    // A day file that cannot be read: its readings stay in the log and in memory.
                    Err(error) if error.is_unreadable() => 0,
                    through => through?.unwrap_or(0),
                };
                place.insert(Target { sealed_through, window: None, slots: FxHashMap::default() })
            }
        };
        if seq <= target.sealed_through {
            return Ok(None);
        }
        let window = target.window.get_or_insert_with(|| self.head.get_or_make(start));
        let slot = match target.slots.get(&device) {
            Some(slot) => *slot,
            None => *target.slots.entry(device).or_insert(self.slot(window, device)?),
        };
        Ok(Some(slot))
    }

    fn damaged_snapshot(&self, name: &str, what: &str) -> StoreError {
        StoreError::new(
            StoreErrorKind::Corrupt,
            format!(
                "the snapshot `{name}` in {} is damaged: {what}; restore the data directory from a \
                 backup, or let `citybrain store repair` make it again",
                self.ingest.path().display()
            ),
        )
    }
}
