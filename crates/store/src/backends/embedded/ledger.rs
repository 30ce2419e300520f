//! What was counted, per source and per device, over the whole life of the store.

use city_model::DeviceKey;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::log::LoggedLetters;
use crate::{Counters, LedgerKey, Sequence, SequenceNote};

/// The counters. `received` is not kept: it is the sum of the other three.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ledger {
    sources: FxHashMap<u16, Tally>,
    no_source: Tally,
    /// Dense by device key.
    devices: Vec<Tally>,
    no_device: Tally,
    /// The numbers of messages, by device and source.
    #[serde(skip)]
    sequences: FxHashMap<(DeviceKey, u16), Sequence>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tally {
    stored: u64,
    duplicate: u64,
    dead_lettered: u64,
}

impl Tally {
    fn readings(&mut self, count: u64, duplicate: bool) {
        if duplicate {
            self.duplicate += count;
        } else {
            self.stored += count;
        }
    }

    fn letters(&mut self, letters: LoggedLetters) {
        if letters.repeated {
            self.duplicate += letters.items;
        } else {
            self.dead_lettered += letters.items;
        }
    }

    fn counters(self, missed: u64) -> Counters {
        Counters {
            received: self.stored + self.duplicate + self.dead_lettered,
            stored: self.stored,
            duplicate: self.duplicate,
            dead_lettered: self.dead_lettered,
            missed,
        }
    }
}

impl Ledger {
    /// Counts readings: of which source and device each is, and whether it was there already.
    pub(super) fn readings(&mut self, readings: impl Iterator<Item = (u16, DeviceKey, bool)>) {
        let mut readings = readings.peekable();
        // Those of one message are alike.
        while let Some(first) = readings.next() {
            let mut count = 1;
            while readings.next_if_eq(&first).is_some() {
                count += 1;
            }
            let (source, device, duplicate) = first;
            self.device(device).readings(count, duplicate);
            self.sources.entry(source).or_default().readings(count, duplicate);
        }
    }

    /// Counts at least so many readings of a device as stored.
    pub(super) fn at_least_stored(&mut self, device: DeviceKey, stored: u64) {
        let tally = self.device(device);
        tally.stored = tally.stored.max(stored);
    }

    pub(super) fn letters(&mut self, letters: LoggedLetters) {
        match letters.device {
            Some(device) => self.device(device).letters(letters),
            None => self.no_device.letters(letters),
        }
        let tally = match letters.source {
            Some(source) => self.sources.entry(source).or_default(),
            None => &mut self.no_source,
        };
        tally.letters(letters);
    }

    pub(super) fn sequence(&mut self, note: SequenceNote) {
        self.sequences.entry((note.device, note.source)).or_default().note(note.number);
    }

    /// As one snapshot.
    pub(super) fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        let sums = postcard::to_stdvec(self)?;
        postcard::to_extend(&self.sequences, sums)
    }

    /// Reads a snapshot. Older ones end before the message numbers.
    pub(super) fn decode(payload: &[u8]) -> Result<Self, postcard::Error> {
        let (mut ledger, rest): (Self, _) = postcard::take_from_bytes(payload)?;
        if !rest.is_empty() {
            ledger.sequences = postcard::from_bytes(rest)?;
        }
        Ok(ledger)
    }

    fn device(&mut self, device: DeviceKey) -> &mut Tally {
        let index = device.index();
        if self.devices.len() <= index {
            self.devices.resize(index + 1, Tally::default());
        }
        &mut self.devices[index]
    }

    /// Readings stored, of all sources.
    pub(super) fn stored(&self) -> u64 {
        self.sources.values().map(|tally| tally.stored).sum()
    }

    /// All counters of which any is not zero, in order.
    pub(super) fn counters(&self) -> Vec<(LedgerKey, Counters)> {
        let mut missed: FxHashMap<LedgerKey, u64> = FxHashMap::default();
        for ((device, source), sequence) in &self.sequences {
            for key in [LedgerKey::Device(*device), LedgerKey::Source(*source)] {
                *missed.entry(key).or_default() += sequence.missed;
            }
        }
        let sources = self.sources.iter().map(|(key, tally)| (LedgerKey::Source(*key), *tally));
        let devices = (0..)
            .zip(&self.devices)
            .map(|(key, tally)| (LedgerKey::Device(DeviceKey(key)), *tally));
        let mut all: Vec<_> = sources
            .chain(devices)
            .chain([(LedgerKey::NoSource, self.no_source), (LedgerKey::NoDevice, self.no_device)])
            .filter(|(_, tally)| *tally != Tally::default())
            .map(|(key, tally)| {
                (key, tally.counters(missed.get(&key).copied().unwrap_or_default()))
            })
            .collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        all
    }
}
