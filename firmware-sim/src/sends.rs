//! What a fleet sends, message by message, in the order of time.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use jiff::Timestamp;

use crate::clock::from_millis;
use crate::formats::{Record, Uplink};
use crate::{FaultKind, Fleet};

/// What a device stores at most while it cannot send; the oldest gives way.
const STORED: usize = 20_000;

/// A message that leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When.
    pub at: Timestamp,
    /// Messages with the same number keep their order on the way.
    pub link: u64,
    /// The message.
    pub uplink: Uplink,
}

/// Everything that a fleet sends from a moment on: endless, the same every time, and as fast as it
/// is asked for. [`crate::Runner`] sends it when it is due; tests and rehearsals take it at once.
pub struct Sends<'f> {
    fleet: &'f Fleet,
    /// When each sender sends next.
    due: BinaryHeap<Reverse<(i64, usize)>>,
    counters: Vec<u32>,
    /// What senders could not send yet.
    stored: HashMap<usize, Vec<Record<'f>>>,
    /// Messages that let the next ones overtake them.
    slow: HashMap<usize, Vec<Uplink>>,
    ready: VecDeque<Sent>,
}

impl std::fmt::Debug for Sends<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sends").field("senders", &self.due.len()).finish_non_exhaustive()
    }
}

impl<'f> Sends<'f> {
    pub(crate) fn new(fleet: &'f Fleet, from: Timestamp, counters: Vec<u32>) -> Self {
        let from = from.as_millisecond();
        let senders = fleet.senders().iter().enumerate();
        let due = senders
            .map(|(index, sender)| Reverse((next(from, sender.interval, sender.phase), index)))
            .collect();
        let (stored, slow, ready) = (HashMap::new(), HashMap::new(), VecDeque::new());
        Self { fleet, due, counters, stored, slow, ready }
    }

    /// When the next sender is due, and how often it sends; in milliseconds.
    pub(crate) fn next_due(&self) -> Option<(i64, i64)> {
        let Reverse((time, index)) = self.due.peek()?;
        Some((*time, self.fleet.senders()[*index].interval))
    }

    /// Leaves out what the next sender should have sent before.
    pub(crate) fn skip_to(&mut self, now: i64) {
        let Some(Reverse((_, index))) = self.due.pop() else { return };
        let sender = &self.fleet.senders()[index];
        self.due.push(Reverse((next(now, sender.interval, sender.phase), index)));
    }

    /// Lets the next sender measure and send: its messages are appended to `out`, and there may be
    /// none. Returns the sender's link.
    pub(crate) fn send_next(&mut self, out: &mut Vec<Uplink>) -> Option<u64> {
        let Reverse((millis, index)) = self.due.pop()?;
        let sender = &self.fleet.senders()[index];
        self.due.push(Reverse((millis + sender.interval, index)));
        let time = from_millis(millis);
        let mut records = Vec::new();
        self.fleet.records(sender, time, &mut self.counters, &mut records);
        self.keep_what_cannot_go(index, time, &mut records);
        let mut uplinks = Vec::new();
        if !records.is_empty() {
            uplinks = self.fleet.format_of(sender, time).encode(&records);
        }
        self.mix_up(index, time, uplinks, out);
        Some(sender.link)
    }

    /// Takes out of `records` what is to be stored, and puts in what was, where it can go now.
    fn keep_what_cannot_go(
        &mut self,
        sender: usize,
        time: Timestamp,
        records: &mut Vec<Record<'f>>,
    ) {
        let fleet = self.fleet;
        let holds = |record: &Record<'_>| fleet.holds_back(record.device, time);
        let was_stored = self.stored.remove(&sender).unwrap_or_default();
        if was_stored.is_empty() && !records.iter().any(holds) {
            return;
        }
        let (mut stored, mut go): (Vec<_>, Vec<_>) =
            was_stored.into_iter().chain(records.drain(..)).partition(holds);
        go.sort_by_key(|record| record.time);
        records.append(&mut go);
        if stored.len() > STORED {
            stored.drain(..stored.len() - STORED);
        }
        if !stored.is_empty() {
            self.stored.insert(sender, stored);
        }
    }

    /// Doubles messages and lets others overtake them, as faults say.
    fn mix_up(&mut self, sender: usize, time: Timestamp, new: Vec<Uplink>, out: &mut Vec<Uplink>) {
        let first = self.fleet.senders()[sender].devices[0];
        let seed = self.fleet.seed_of(first);
        let is_hit = |kind| {
            let mut faults = self.fleet.faults_of(first, time);
            faults.any(|fault| fault.kind == kind && fault.is_drawn(seed, time, fault.size))
        };
        let overtaken = self.slow.remove(&sender).unwrap_or_default();
        if new.is_empty() && overtaken.is_empty() {
            return;
        }
        if new.is_empty() || (overtaken.is_empty() && is_hit(FaultKind::Reordering)) {
            self.slow.insert(sender, overtaken.into_iter().chain(new).collect());
            return;
        }
        if is_hit(FaultKind::Duplicates) {
            out.extend(new.iter().cloned());
        }
        out.extend(new);
        out.extend(overtaken);
    }
}

impl Iterator for Sends<'_> {
    type Item = Sent;

    fn next(&mut self) -> Option<Sent> {
        while self.ready.is_empty() {
            let (at, _) = self.next_due()?;
            let mut uplinks = Vec::new();
            let link = self.send_next(&mut uplinks)?;
            let sent = |uplink| Sent { at: from_millis(at), link, uplink };
            self.ready.extend(uplinks.into_iter().map(sent));
        }
        self.ready.pop_front()
    }
}

/// The first time at or after `from` at which a sender sends.
pub(crate) fn next(from: i64, interval: i64, phase: i64) -> i64 {
    let interval = interval.max(1);
    (from - phase + interval - 1).div_euclid(interval) * interval + phase
}

#[cfg(test)]
mod tests;
