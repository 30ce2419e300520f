//! From the pipeline's commits back to acknowledgements in order of arrival, for one connection.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use city_pipeline::{Ack, AckSink};
use futures_util::task::AtomicWaker;

/// The messages of one connection that are not acknowledged, in order of arrival. With the
/// connection it goes, and commits that come later find nobody.
#[derive(Debug, Default)]
pub(crate) struct Unacked {
    news: Arc<News>,
    batch: Option<Arc<BatchSink>>,
    slots: VecDeque<Slot>,
    /// The token of the first slot.
    first: u64,
    tokens: Vec<u64>,
}

/// A message that waits for its acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) id: u16,
    pub(crate) qos: u8,
    committed: bool,
}

impl Unacked {
    /// The duty to acknowledge a message that has just come.
    pub(crate) fn expect(&mut self, id: u16, qos: u8) -> Ack {
        let token = self.first + self.slots.len() as u64;
        self.slots.push_back(Slot { id, qos, committed: false });
        let news = &self.news;
        let fresh = || Arc::new(BatchSink { news: news.clone(), open: AtomicU32::new(0) });
        let sink = self.batch.get_or_insert_with(fresh);
        sink.open.fetch_add(1, Ordering::Relaxed);
        Ack::new(sink.clone(), token)
    }

    /// The messages so far go their way together. Only then can a lost one be noticed.
    pub(crate) fn close_batch(&mut self) {
        self.batch = None;
    }

    /// Ready when there are commits, or a loss.
    pub(crate) fn poll_news(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.news.waker.register(cx.waker());
        if self.news.there.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Takes the commits in. Returns whether a message was given up without one.
    pub(crate) fn settle(&mut self) -> bool {
        self.news.there.store(false, Ordering::Release);
        let lost = self.news.lost.load(Ordering::Acquire);
        std::mem::swap(&mut *self.news.lock(), &mut self.tokens);
        for token in self.tokens.drain(..) {
            let index = token.checked_sub(self.first).map(|index| index as usize);
            if let Some(slot) = index.and_then(|index| self.slots.get_mut(index)) {
                slot.committed = true;
            }
        }
        lost
    }

    /// The next message to acknowledge.
    pub(crate) fn pop(&mut self) -> Option<Slot> {
        let slot = *self.slots.front().filter(|slot| slot.committed)?;
        self.slots.pop_front();
        self.first += 1;
        Some(slot)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

#[derive(Debug, Default)]
struct News {
    committed: Mutex<Vec<u64>>,
    lost: AtomicBool,
    there: AtomicBool,
    waker: AtomicWaker,
}

impl News {
    fn lock(&self) -> MutexGuard<'_, Vec<u64>> {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        self.there.store(true, Ordering::Release);
        self.waker.wake();
    }
}

/// The sink of the messages that are handed over together. It notices when the pipeline drops
/// one of them without a commit, which nobody else would: the broker would wait for ever.
#[derive(Debug)]
struct BatchSink {
    news: Arc<News>,
    open: AtomicU32,
}

impl AckSink for BatchSink {
    fn committed(&self, token: u64) {
        let first = {
            let mut committed = self.news.lock();
            committed.push(token);
            committed.len() == 1
        };
        self.open.fetch_sub(1, Ordering::Relaxed);
        if first {
            self.news.ring();
        }
    }
}

impl Drop for BatchSink {
    fn drop(&mut self) {
        if *self.open.get_mut() > 0 {
            self.news.lost.store(true, Ordering::Release);
            self.news.ring();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn popped(unacked: &mut Unacked) -> Vec<u16> {
        std::iter::from_fn(|| unacked.pop()).map(|slot| slot.id).collect()
    }

    #[test]
    fn acknowledgements_leave_in_order_of_arrival() {
        let mut unacked = Unacked::default();
        let mut acks: Vec<_> = (1..=3).map(|id| unacked.expect(id, 1)).collect();
        acks.pop().expect("the third").committed();
        acks.pop().expect("the second").committed();
        assert!(!unacked.settle());
        assert!(popped(&mut unacked).is_empty());
        acks.pop().expect("the first").committed();
        unacked.settle();
        assert_eq!(popped(&mut unacked), [1, 2, 3]);
        assert!(unacked.is_empty());
    }

    #[test]
    fn a_commit_for_an_earlier_connection_finds_nobody() {
        let mut earlier = Unacked::default();
        let stale = earlier.expect(1, 1);
        drop(earlier);
        let mut unacked = Unacked::default();
        let ack = unacked.expect(1, 1);
        stale.committed();
        unacked.settle();
        assert!(popped(&mut unacked).is_empty());
        ack.committed();
        unacked.settle();
        assert_eq!(popped(&mut unacked), [1]);
    }

    #[test]
    fn a_message_that_is_given_up_is_noticed() {
        let mut unacked = Unacked::default();
        let (kept, dropped) = (unacked.expect(1, 1), unacked.expect(2, 1));
        unacked.close_batch();
        let other_batch = unacked.expect(3, 1);
        drop(dropped);
        assert!(!unacked.settle(), "the batch is still under way");
        kept.committed();
        assert!(unacked.settle());
        assert_eq!(popped(&mut unacked), [1]);
        drop(other_batch);
    }
}
