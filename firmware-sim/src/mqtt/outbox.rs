//! Store and forward: what a connection has still to send, and what is on its way.
//!
//! Pure bookkeeping without I/O. A message is in exactly one place: waiting, handed over (the
//! client has it but has given it no packet id yet), in flight (sent under a packet id), or gone
//! (acknowledged or dropped).

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

/// A message to be published at QoS 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    /// How many readings it holds.
    pub(crate) readings: u32,
}

impl From<crate::Uplink> for Message {
    fn from(uplink: crate::Uplink) -> Self {
        Self { topic: uplink.topic, payload: uplink.payload.into(), readings: uplink.readings }
    }
}

#[derive(Debug)]
struct Entry {
    message: Message,
    /// Counts up with every message of this outbox: their order.
    number: u64,
    /// Whether a connection that is gone had it already.
    again: bool,
}

/// The messages of one connection.
#[derive(Debug)]
pub(super) struct Outbox {
    waiting: VecDeque<Entry>,
    handed: VecDeque<Entry>,
    in_flight: BTreeMap<u16, Entry>,
    capacity: usize,
    window: usize,
    next: u64,
}

impl Outbox {
    /// At most `capacity` messages in all, of which `window` on their way.
    pub(super) fn new(capacity: usize, window: usize) -> Self {
        let window = window.max(1);
        Self {
            waiting: VecDeque::new(),
            handed: VecDeque::new(),
            in_flight: BTreeMap::new(),
            capacity: capacity.max(window),
            window,
            next: 0,
        }
    }

    /// Messages that are not acknowledged yet.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.on_the_way()
    }

    fn on_the_way(&self) -> usize {
        self.handed.len() + self.in_flight.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.capacity
    }

    /// Adds a message. When full, the oldest that waits gives way; true if one did.
    pub(super) fn push(&mut self, message: Message) -> bool {
        let dropped = self.is_full() && self.waiting.pop_front().is_some();
        self.waiting.push_back(Entry { message, number: self.next, again: false });
        self.next += 1;
        dropped
    }

    /// The next message to hand to the client, if the window allows; and whether it was sent
    /// before on a connection that is gone.
    pub(super) fn hand_over(&mut self) -> Option<(Message, bool)> {
        if self.on_the_way() >= self.window {
            return None;
        }
        let entry = self.waiting.pop_front()?;
        let given = (entry.message.clone(), entry.again);
        self.handed.push_back(entry);
        Some(given)
    }

    /// The client sent the oldest message that it was handed under this packet id.
    pub(super) fn sent(&mut self, packet: u16) {
        if let Some(entry) = self.handed.pop_front() {
            self.in_flight.insert(packet, entry);
        }
    }

    /// The other side has it. `None` for a packet id that is not in flight.
    pub(super) fn acknowledged(&mut self, packet: u16) -> Option<Message> {
        self.in_flight.remove(&packet).map(|entry| entry.message)
    }

    /// The connection is gone: everything on its way waits again, in its old order and first.
    pub(super) fn connection_lost(&mut self) {
        let in_flight = std::mem::take(&mut self.in_flight).into_values();
        let mut back: Vec<Entry> = in_flight.chain(self.handed.drain(..)).collect();
        back.sort_unstable_by_key(|entry| entry.number);
        for mut entry in back.into_iter().rev() {
            entry.again = true;
            self.waiting.push_front(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(n: u32) -> Message {
        Message { topic: n.to_string(), payload: Bytes::new(), readings: n }
    }

    fn filled(capacity: usize, window: usize, count: u32) -> Outbox {
        let mut outbox = Outbox::new(capacity, window);
        for n in 0..count {
            assert!(!outbox.push(message(n)));
        }
        outbox
    }

    fn handed(outbox: &mut Outbox) -> Vec<u32> {
        std::iter::from_fn(|| outbox.hand_over()).map(|(message, _)| message.readings).collect()
    }

    #[test]
    fn only_the_window_is_on_its_way() {
        let mut outbox = filled(100, 3, 10);
        assert_eq!(handed(&mut outbox), [0, 1, 2]);
        outbox.sent(1);
        assert_eq!(handed(&mut outbox), [] as [u32; 0]);
        assert_eq!(outbox.acknowledged(1).map(|m| m.readings), Some(0));
        assert_eq!(handed(&mut outbox), [3]);
    }

    #[test]
    fn what_was_not_acknowledged_is_sent_again_first_and_in_order() {
        let mut outbox = filled(100, 4, 6);
        assert_eq!(handed(&mut outbox), [0, 1, 2, 3]);
        for packet in 1..=3 {
            outbox.sent(packet);
        }
        // The second acknowledgement overtakes the first; the fourth message was never sent.
        assert!(outbox.acknowledged(2).is_some());
        outbox.connection_lost();
        let (first, again) = outbox.hand_over().expect("waits");
        assert_eq!((first.readings, again), (0, true));
        assert_eq!(handed(&mut outbox), [2, 3, 4]);
        assert_eq!(outbox.len(), 5);
    }

    #[test]
    fn an_acknowledgement_of_an_old_connection_means_nothing() {
        let mut outbox = filled(100, 4, 1);
        let _ = outbox.hand_over();
        outbox.sent(1);
        outbox.connection_lost();
        assert_eq!(outbox.acknowledged(1), None);
        assert_eq!(outbox.len(), 1);
    }

    #[test]
    fn a_full_store_drops_the_oldest_that_waits() {
        let mut outbox = filled(4, 2, 4);
        assert_eq!(handed(&mut outbox), [0, 1]);
        assert!(outbox.is_full());
        assert!(outbox.push(message(4)), "2 gives way");
        assert_eq!(outbox.len(), 4);
        outbox.sent(1);
        outbox.sent(2);
        outbox.acknowledged(1);
        outbox.acknowledged(2);
        assert_eq!(handed(&mut outbox), [3, 4]);
    }
}
