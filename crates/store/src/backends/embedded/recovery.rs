//! The start: snapshots, then what the log has beyond them.

use std::collections::hash_map::Entry;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use city_model::DeviceKey;
use rustc_hash::FxHashMap;

use super::Embedded;
use super::head::Window;
use super::last::LastValues;
use super::ledger::Ledger;
use super::log::{self, Logged};
use super::seal::{LAST, LEDGER};
use crate::{StoreError, StoreErrorKind};

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
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.last.each_newest(|series, time| writer.newest.raise(series, time));
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
        let mut targets: FxHashMap<i64, Target> = FxHashMap::default();
        let (mut commits, mut count, mut from) = (0, 0, 0);
        loop {
            let page = self.ingest.log_page(from, through)?;
            let Some((newest, _)) = page.last() else { return Ok((commits, count)) };
            from = newest + 1;
            for (seq, payload) in page {
                let mut readings = Vec::new();
                let (letters, sequences) = log::decode(&payload, |logged| readings.push(logged))
                    .map_err(|what| self.damaged_commit(seq, what))?;
                commits += 1;
                count += readings.len() as u64;
                if seq > ledger_seq {
                    let mut ledger = self.ledger_lock();
                    for logged in &readings {
                        let device = logged.reading.series.device;
                        ledger.reading(logged.source, device, logged.duplicate);
                    }
                    for letter in letters {
                        ledger.letters(letter);
                    }
                    for note in sequences {
                        ledger.sequence(note);
                    }
                }
                if seq > last_seq {
                    self.last.apply(readings.iter().map(|logged| &logged.reading));
                }
                self.replay_commit(&mut targets, &readings, seq)?;
            }
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
        for together in readings.chunk_by(|a, b| place(a) == place(b)) {
            let (start, device) = place(&together[0]);
            let Some((window, slot)) = self.replay_place(targets, (start, device), seq)? else {
                continue;
            };
            let mut inner = window.write();
            for logged in together {
                came += inner.put(slot, &logged.reading, seq);
            }
        }
        self.head.count(came, 0);
        Ok(())
    }

    /// Where the readings of a device in a window go; `None` if they are in a chunk already.
    fn replay_place(
        &self,
        targets: &mut FxHashMap<i64, Target>,
        (start, device): (i64, DeviceKey),
        seq: u64,
    ) -> Result<Option<(Arc<Window>, usize)>, StoreError> {
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
        Ok(Some((window.clone(), slot)))
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
