//! From the pipeline's commits back to answers in the order of the frames, for one connection.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use city_pipeline::{Ack, AckSink};
use tokio::sync::Notify;

/// The letter box for the committer.
#[derive(Debug, Default)]
pub(crate) struct Acks {
    committed: Mutex<Vec<u64>>,
    lost: AtomicBool,
    bell: Notify,
}

impl Acks {
    /// Waits for news.
    pub(crate) async fn news(&self) {
        self.bell.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u64>> {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sink of the frames that are handed over together. It notices when the pipeline drops one
/// of them without a commit, which nobody else would: the device would wait for ever.
#[derive(Debug)]
struct Batch {
    acks: Arc<Acks>,
    open: AtomicU32,
}

impl AckSink for Batch {
    fn committed(&self, token: u64) {
        self.acks.lock().push(token);
        self.open.fetch_sub(1, Ordering::Relaxed);
        self.acks.bell.notify_one();
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if *self.open.get_mut() > 0 {
            self.acks.lost.store(true, Ordering::Release);
            self.acks.bell.notify_one();
        }
    }
}

/// The frames that wait for their commit, in order, with their answers.
#[derive(Debug, Default)]
pub(crate) struct Window {
    pub(crate) acks: Arc<Acks>,
    batch: Option<Arc<Batch>>,
    slots: VecDeque<Slot>,
    /// The token of the first slot.
    first: u64,
}

#[derive(Debug)]
struct Slot {
    answer: Vec<u8>,
    committed: bool,
}

impl Window {
    /// The duty to answer a frame.
    pub(crate) fn expect(&mut self, answer: Vec<u8>) -> Ack {
        let token = self.first + self.slots.len() as u64;
        self.slots.push_back(Slot { answer, committed: false });
        let acks = &self.acks;
        let fresh = || Arc::new(Batch { acks: acks.clone(), open: AtomicU32::new(0) });
        let batch = self.batch.get_or_insert_with(fresh);
        batch.open.fetch_add(1, Ordering::Relaxed);
        Ack::new(batch.clone(), token)
    }

    /// The frames so far go their way together. Only then can a lost one be noticed.
    pub(crate) fn close_batch(&mut self) {
        self.batch = None;
    }

    /// Appends the answers that are due; returns how many. An error: a frame was given up without
    /// a commit.
    pub(crate) fn settle(&mut self, out: &mut Vec<u8>) -> Result<usize, Lost> {
        // Read before the tokens: a frame is only given up after the others of its batch.
        let lost = self.acks.lost.load(Ordering::Acquire);
        for token in std::mem::take(&mut *self.acks.lock()) {
            let index = token.checked_sub(self.first).map(|index| index as usize);
            if let Some(slot) = index.and_then(|index| self.slots.get_mut(index)) {
                slot.committed = true;
            }
        }
        let mut answered = 0;
        while self.slots.front().is_some_and(|slot| slot.committed)
            && let Some(slot) = self.slots.pop_front()
        {
            out.extend_from_slice(&slot.answer);
            self.first += 1;
            answered += 1;
        }
        if lost { Err(Lost) } else { Ok(answered) }
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }
}

/// A frame was given up without a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost;

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(window: &mut Window) -> Result<String, Lost> {
        let mut out = Vec::new();
        window.settle(&mut out)?;
        Ok(String::from_utf8(out).expect("text"))
    }

    #[test]
    fn answers_leave_in_the_order_of_the_frames() {
        let mut window = Window::default();
        let mut acks: Vec<_> = ["a", "b", "c"].map(|text| window.expect(text.into())).into();
        window.close_batch();
        acks.pop().expect("c").committed();
        acks.pop().expect("b").committed();
        assert_eq!(settled(&mut window).as_deref(), Ok(""));
        acks.pop().expect("a").committed();
        assert_eq!(settled(&mut window).as_deref(), Ok("abc"));
        assert_eq!(window.len(), 0);
    }

    #[test]
    fn a_frame_that_is_given_up_is_noticed() {
        let mut window = Window::default();
        let (kept, dropped) = (window.expect(b"a".to_vec()), window.expect(b"b".to_vec()));
        window.close_batch();
        drop(dropped);
        kept.committed();
        assert_eq!(settled(&mut window), Err(Lost));
    }
}
