//! From the pipeline's commits back to acknowledgements in order of arrival.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use city_pipeline::AckSink;
use futures_util::task::AtomicWaker;

/// One connection's letter box for the committer. Each connection has its own, so that news of a
/// connection that is gone reaches nobody.
#[derive(Debug, Default)]
pub(crate) struct Acks {
    committed: Mutex<Vec<u64>>,
    lost: AtomicBool,
    news: AtomicBool,
    mail: AtomicBool,
    waker: AtomicWaker,
}

impl Acks {
    /// Ready when there is something to take.
    pub(crate) fn poll_news(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        if self.news.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Moves the committed tokens to `into`, which must be empty. Returns whether a message was
    /// given up without a commit.
    pub(crate) fn take(&self, into: &mut Vec<u64>) -> bool {
        self.news.store(false, Ordering::Release);
        // Read before the tokens: a message is only given up after the others of its batch.
        let lost = self.lost.load(Ordering::Acquire);
        std::mem::swap(&mut *self.lock(), into);
        lost
    }

    fn commit(&self, token: u64) {
        let first = {
            let mut committed = self.lock();
            committed.push(token);
            committed.len() == 1
        };
        if first {
            self.ring();
        }
    }

    /// Wakes the connection to look for what can be answered.
    pub(crate) fn ring(&self) {
        self.news.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Wakes the connection to look into its mailbox.
    pub(crate) fn ring_for_mail(&self) {
        self.mail.store(true, Ordering::Release);
        self.ring();
    }

    /// Whether there is mail since the last time.
    pub(crate) fn take_mail(&self) -> bool {
        self.mail.load(Ordering::Relaxed) && self.mail.swap(false, Ordering::Acquire)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u64>> {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sink of the messages of one read. It notices when the pipeline drops one of them without
/// a commit, which nobody else would: the device would wait for ever.
#[derive(Debug)]
pub(crate) struct BatchSink {
    acks: Arc<Acks>,
    open: AtomicU32,
}

impl BatchSink {
    pub(crate) fn new(acks: Arc<Acks>) -> Self {
        Self { acks, open: AtomicU32::new(0) }
    }

    /// One more message is to be committed.
    pub(crate) fn expect(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }
}

impl AckSink for BatchSink {
    fn committed(&self, token: u64) {
        self.acks.commit(token);
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for BatchSink {
    fn drop(&mut self) {
        if *self.open.get_mut() > 0 {
            self.acks.lost.store(true, Ordering::Release);
            self.acks.ring();
        }
    }
}

/// What is to be said about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing yet.
    Waits,
    /// It is durable.
    Stored,
    /// The client may not publish it.
    Refused,
}

/// A message that waits for its acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) packet_id: u16,
    pub(crate) qos2: bool,
    pub(crate) verdict: Verdict,
    bytes: u32,
}

/// The messages of a connection that are not acknowledged, in order of arrival.
#[derive(Debug)]
pub(crate) struct Window {
    slots: VecDeque<Slot>,
    /// The token of the first slot.
    first: u64,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
}

impl Window {
    pub(crate) fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self { slots: VecDeque::new(), first: 0, bytes: 0, max_messages, max_bytes }
    }

    /// Whether a packet of this size may come in. One always may when nothing waits.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.slots.is_empty()
            || (self.slots.len() < self.max_messages && self.bytes + bytes <= self.max_bytes)
    }

    /// Takes a message in; returns its token.
    pub(crate) fn push(
        &mut self,
        packet_id: u16,
        qos2: bool,
        bytes: usize,
        verdict: Verdict,
    ) -> u64 {
        self.bytes += bytes;
        self.slots.push_back(Slot { packet_id, qos2, verdict, bytes: bytes as u32 });
        self.first + self.slots.len() as u64 - 1
    }

    /// The message with this token is durable.
    pub(crate) fn commit(&mut self, token: u64) {
        let index = token.checked_sub(self.first).map(|index| index as usize);
        if let Some(slot) = index.and_then(|index| self.slots.get_mut(index)) {
            slot.verdict = Verdict::Stored;
        }
    }

    /// The first message, if it can be answered.
    pub(crate) fn pop(&mut self) -> Option<Slot> {
        let slot = *self.slots.front()?;
        if slot.verdict == Verdict::Waits {
            return None;
        }
        self.slots.pop_front();
        self.first += 1;
        self.bytes -= slot.bytes as usize;
        if self.slots.is_empty() {
            // An idle connection holds no memory.
            self.slots = VecDeque::new();
        }
        Some(slot)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use city_pipeline::Ack;

    use super::*;

    fn popped(window: &mut Window) -> Vec<u16> {
        std::iter::from_fn(|| window.pop()).map(|slot| slot.packet_id).collect()
    }

    #[test]
    fn answers_leave_in_order_of_arrival_whatever_the_order_of_commits() {
        let mut window = Window::new(10, 1000);
        let tokens: Vec<_> = (1..=4).map(|id| window.push(id, false, 10, Verdict::Waits)).collect();
        window.commit(tokens[2]);
        window.commit(tokens[1]);
        assert!(popped(&mut window).is_empty());
        window.commit(tokens[0]);
        assert_eq!(popped(&mut window), [1, 2, 3]);
        window.commit(tokens[3]);
        window.commit(tokens[0]);
        assert_eq!(popped(&mut window), [4]);
        assert!(window.is_empty() && window.bytes == 0);
    }

    #[test]
    fn the_window_is_bounded_by_messages_and_bytes_but_lets_one_through() {
        let mut window = Window::new(2, 100);
        assert!(window.has_room(1000));
        let first = window.push(1, false, 60, Verdict::Waits);
        assert!(window.has_room(40) && !window.has_room(41));
        window.push(2, false, 10, Verdict::Waits);
        assert!(!window.has_room(1));
        window.commit(first);
        assert_eq!(popped(&mut window), [1]);
        assert!(window.has_room(90));
    }

    #[test]
    fn a_message_that_is_dropped_without_a_commit_is_noticed() {
        let acks = Arc::new(Acks::default());
        let sink = Arc::new(BatchSink::new(acks.clone()));
        let mut messages: Vec<_> = (0..2)
            .map(|token| {
                sink.expect();
                Ack::new(sink.clone(), token)
            })
            .collect();
        drop(sink);
        let dropped = messages.pop();
        messages.pop().expect("the first").committed();
        let mut tokens = Vec::new();
        assert!(!acks.take(&mut tokens), "the batch is still under way");
        assert_eq!(tokens, [0]);
        drop(dropped);
        tokens.clear();
        assert!(acks.take(&mut tokens));
        assert!(tokens.is_empty());
    }

    #[test]
    fn a_batch_that_is_committed_whole_is_no_loss() {
        let acks = Arc::new(Acks::default());
        let sink = Arc::new(BatchSink::new(acks.clone()));
        sink.expect();
        let ack = Ack::new(sink.clone(), 7);
        drop(sink);
        ack.committed();
        let mut tokens = Vec::new();
        assert!(!acks.take(&mut tokens));
        assert_eq!(tokens, [7]);
    }
}
