//! The commands for one client: waiting, and sent without an answer yet.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use city_model::Timestamp;

use crate::filters::matches;

/// A command on its way to a client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Its number in the file of commands.
    pub(crate) number: u64,
    pub(crate) topic: Box<str>,
    pub(crate) payload: Bytes,
    /// 0 or 1.
    pub(crate) qos: u8,
    pub(crate) expires: Option<Timestamp>,
}

impl Letter {
    /// What it takes of the limits, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.topic.len() + self.payload.len()
    }

    pub(crate) fn is_stale(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// A letter in a mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) letter: Arc<Letter>,
    /// The lower of the letter's QoS and the subscription's.
    pub(crate) qos: u8,
    /// Whether it is sent because the client has just subscribed.
    pub(crate) retained: bool,
}

/// An entry that is to be written now.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) entry: Entry,
    /// 0 at QoS 0.
    pub(crate) id: u16,
    /// Sent before.
    pub(crate) again: bool,
}

/// One client's subscriptions and commands.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    /// Filter and QoS.
    pub(crate) subscriptions: Vec<(Box<str>, u8)>,
    waiting: VecDeque<Entry>,
    waiting_bytes: usize,
    /// At QoS 1, in the order in which they were sent first.
    sent: VecDeque<(u16, Entry)>,
    /// How many of those were sent on this connection.
    current: usize,
    last_id: u16,
}

impl Mailbox {
    /// The QoS at which a topic is wanted; `None` if it is not.
    pub(crate) fn wants(&self, topic: &str) -> Option<u8> {
        let fitting = self.subscriptions.iter().filter(|(filter, _)| matches(filter, topic));
        fitting.map(|(_, qos)| *qos).max()
    }

    /// Subscribes; returns whether the filter is new.
    pub(crate) fn subscribe(&mut self, filter: &str, qos: u8) -> bool {
        let known = self.subscriptions.iter_mut().find(|(known, _)| **known == *filter);
        let is_new = known.is_none();
        if let Some((_, known)) = known {
            *known = qos;
        } else {
            self.subscriptions.push((filter.into(), qos));
        }
        is_new
    }

    /// Unsubscribes; returns whether there was such a subscription.
    pub(crate) fn unsubscribe(&mut self, filter: &str) -> bool {
        let before = self.subscriptions.len();
        self.subscriptions.retain(|(known, _)| **known != *filter);
        self.subscriptions.len() < before
    }

    /// Puts a letter in; returns those that had to go for it, the oldest.
    pub(crate) fn push(
        &mut self,
        entry: Entry,
        most: usize,
        most_bytes: usize,
    ) -> Vec<Arc<Letter>> {
        let size = entry.letter.size();
        let mut gone = Vec::new();
        while !self.waiting.is_empty()
            && (self.waiting.len() >= most || self.waiting_bytes + size > most_bytes)
        {
            gone.extend(self.take_waiting().map(|entry| entry.letter));
        }
        self.waiting_bytes += size;
        self.waiting.push_back(entry);
        gone
    }

    /// The connection is new: what was sent on the last one is to be sent again.
    pub(crate) fn resume(&mut self) {
        self.current = 0;
    }

    /// The next letter to be written, if no more than `window` are without an answer. Those that
    /// have expired come out too, because somebody has to forget them.
    pub(crate) fn next(&mut self, window: usize) -> Option<Outgoing> {
        if let Some((id, entry)) = self.sent.get(self.current) {
            if self.current >= window {
                return None;
            }
            self.current += 1;
            return Some(Outgoing { entry: entry.clone(), id: *id, again: true });
        }
        let qos = self.waiting.front()?.qos;
        if qos > 0 && self.sent.len() >= window {
            return None;
        }
        let entry = self.take_waiting()?;
        Some(Outgoing { entry, id: 0, again: false })
    }

    /// Remembers a letter that is sent at QoS 1 until its answer; returns its packet id.
    pub(crate) fn send(&mut self, entry: Entry) -> u16 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if self.sent.iter().all(|(id, _)| *id != self.last_id) {
                break;
            }
        }
        self.sent.push_back((self.last_id, entry));
        self.current += 1;
        self.last_id
    }

    /// As it was before a restart.
    pub(crate) fn restore_sent(&mut self, id: u16, number: u64) {
        if let Some(place) = self.waiting.iter().position(|entry| entry.letter.number == number)
            && let Some(entry) = self.waiting.remove(place)
        {
            self.waiting_bytes -= entry.letter.size();
            self.sent.push_back((id, entry));
            self.last_id = id;
        }
    }

    /// The client has answered, or the letter is not to be sent any more.
    pub(crate) fn settle(&mut self, id: u16) -> Option<Arc<Letter>> {
        let place = self.sent.iter().position(|(sent, _)| *sent == id)?;
        if place < self.current {
            self.current -= 1;
        }
        self.sent.remove(place).map(|(_, entry)| entry.letter)
    }

    /// Forgets a letter by its number.
    pub(crate) fn forget(&mut self, number: u64) {
        let sent = self.sent.iter().find(|(_, entry)| entry.letter.number == number);
        if let Some(id) = sent.map(|(id, _)| *id) {
            self.settle(id);
        } else if let Some(place) =
            self.waiting.iter().position(|entry| entry.letter.number == number)
            && let Some(entry) = self.waiting.remove(place)
        {
            self.waiting_bytes -= entry.letter.size();
        }
    }

    /// Everything that is to be sent, and the packet id of what was.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Option<u16>, &Entry)> {
        let sent = self.sent.iter().map(|(id, entry)| (Some(*id), entry));
        sent.chain(self.waiting.iter().map(|entry| (None, entry)))
    }

    /// How many letters are in it.
    pub(crate) fn len(&self) -> usize {
        self.sent.len() + self.waiting.len()
    }

    fn take_waiting(&mut self) -> Option<Entry> {
        let entry = self.waiting.pop_front()?;
        self.waiting_bytes -= entry.letter.size();
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> Entry {
        let letter = Letter {
            number,
            topic: "cmd/d1".into(),
            payload: Bytes::from_static(b"1234"),
            qos: 1,
            expires: None,
        };
        Entry { letter: Arc::new(letter), qos: 1, retained: false }
    }

    fn numbers(letters: &[Arc<Letter>]) -> Vec<u64> {
        letters.iter().map(|letter| letter.number).collect()
    }

    fn send_next(mailbox: &mut Mailbox, window: usize) -> Option<(u64, u16, bool)> {
        let next = mailbox.next(window)?;
        let number = next.entry.letter.number;
        let id = if next.again { next.id } else { mailbox.send(next.entry) };
        Some((number, id, next.again))
    }

    #[test]
    fn a_full_mailbox_gives_up_the_oldest() {
        let mut mailbox = Mailbox::default();
        assert!(mailbox.push(entry(1), 2, 100).is_empty());
        assert!(mailbox.push(entry(2), 2, 100).is_empty());
        assert_eq!(numbers(&mailbox.push(entry(3), 2, 100)), [1]);
        assert_eq!(numbers(&mailbox.push(entry(4), 9, 15)), [2, 3], "10 bytes each");
        assert!(mailbox.push(entry(5), 9, 5).len() == 1, "one always finds room");
    }

    #[test]
    fn what_was_not_answered_is_sent_again_first_under_its_id() {
        let mut mailbox = Mailbox::default();
        for number in 1..=4 {
            mailbox.push(entry(number), 10, 1000);
        }
        assert_eq!(send_next(&mut mailbox, 2), Some((1, 1, false)));
        assert_eq!(send_next(&mut mailbox, 2), Some((2, 2, false)));
        assert_eq!(send_next(&mut mailbox, 2), None, "the window is full");
        assert_eq!(mailbox.settle(1).map(|letter| letter.number), Some(1));
        assert_eq!(mailbox.settle(1), None);
        assert_eq!(send_next(&mut mailbox, 2), Some((3, 3, false)));
        mailbox.resume();
        assert_eq!(send_next(&mut mailbox, 1), Some((2, 2, true)));
        assert_eq!(send_next(&mut mailbox, 1), None, "the new connection takes fewer");
        mailbox.settle(2);
        assert_eq!(send_next(&mut mailbox, 1), Some((3, 3, true)));
        mailbox.settle(3);
        assert_eq!(send_next(&mut mailbox, 1), Some((4, 4, false)));
        mailbox.forget(4);
        assert_eq!(mailbox.len(), 0);
    }

    #[test]
    fn packet_ids_in_use_are_passed_over() {
        let mut mailbox = Mailbox { last_id: u16::MAX - 1, ..Mailbox::default() };
        for number in 1..=3 {
            mailbox.push(entry(number), 10, 1000);
        }
        mailbox.restore_sent(1, 3);
        mailbox.last_id = u16::MAX - 1;
        mailbox.current = 1;
        let ids: Vec<_> = std::iter::from_fn(|| send_next(&mut mailbox, 9)).collect();
        assert_eq!(ids, [(1, u16::MAX, false), (2, 2, false)]);
    }

    #[test]
    fn the_highest_qos_of_overlapping_subscriptions_counts() {
        let mut mailbox = Mailbox::default();
        assert!(mailbox.subscribe("cmd/d1/#", 0) && mailbox.subscribe("cmd/+/a", 1));
        assert!(!mailbox.subscribe("cmd/d1/#", 0));
        assert_eq!((mailbox.wants("cmd/d1/a"), mailbox.wants("cmd/d1/b")), (Some(1), Some(0)));
        assert!(mailbox.unsubscribe("cmd/d1/#") && !mailbox.unsubscribe("cmd/d1/#"));
        assert_eq!(mailbox.wants("cmd/d1/b"), None);
    }
}
