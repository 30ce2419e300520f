//! Messages between the poll loop, which must not wait, and the pipeline, which may be full.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use city_pipeline::{Intake, IntakeClosed, RawMessage};

/// Messages that are handed over together at most.
const BATCH: usize = 512;
/// Messages at QoS 0 that may wait.
const QOS0_ROOM: usize = 4096;
/// Bytes that may wait.
const BYTES_ROOM: usize = 64 << 20;

/// A bounded queue in front of the intake.
///
/// At QoS 1 it has room for what the broker may have in flight; at QoS 0, which no broker bounds,
/// for a fixed number; and for a number of bytes in all.
pub(crate) struct Outbox {
    intake: Intake,
    waiting: Vec<RawMessage>,
    /// In `waiting` and in the batch that is being handed over.
    held: Held,
    in_hand: Held,
    sending: Option<Sending>,
    room: Held,
}

type Sending = Pin<Box<dyn Future<Output = Result<(), IntakeClosed>> + Send>>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Held {
    qos0: usize,
    qos1: usize,
    bytes: usize,
}

impl Outbox {
    /// Room for `in_flight` messages at QoS 1.
    pub(crate) fn new(intake: Intake, in_flight: usize) -> Self {
        let room = Held { qos0: QOS0_ROOM, qos1: in_flight, bytes: BYTES_ROOM };
        Self {
            intake,
            waiting: Vec::new(),
            held: Held::default(),
            in_hand: Held::default(),
            sending: None,
            room,
        }
    }

    /// Whether there is room for a message. There always is when nothing waits.
    pub(crate) fn has_room(&self, acknowledged: bool, bytes: usize) -> bool {
        let Held { qos0, qos1, bytes: held } = self.held;
        let count = if acknowledged { qos1 < self.room.qos1 } else { qos0 < self.room.qos0 };
        (qos0 + qos1 == 0) || (count && held + bytes <= self.room.bytes)
    }

    /// Whether it would be better if nothing came for a while.
    pub(crate) fn is_full(&self) -> bool {
        let Held { qos0, qos1, bytes } = self.held;
        qos0 >= self.room.qos0 || qos1 >= self.room.qos1 || bytes >= self.room.bytes
    }

    /// Takes a message in; the caller has asked whether there is room.
    pub(crate) fn push(&mut self, message: RawMessage) {
        self.held.bytes += size(&message);
        if message.ack.is_some() {
            self.held.qos1 += 1;
        } else {
            self.held.qos0 += 1;
        }
        self.waiting.push(message);
    }

    /// Hands messages over. Ready each time that the pipeline has taken some. Starts with a batch
    /// when there are enough, or when `now` says that no more are about to come. Calls `closing`
    /// when a batch sets out.
    pub(crate) fn poll_hand_over(
        &mut self,
        now: bool,
        closing: impl FnOnce(),
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), IntakeClosed>> {
        let enough = BATCH.min(self.room.qos1.div_ceil(2));
        let due = self.waiting.len() >= enough || (now && !self.waiting.is_empty());
        if self.sending.is_none() && due {
            closing();
            let batch = std::mem::take(&mut self.waiting);
            let intake = self.intake.clone();
            self.in_hand = self.held;
            self.sending = Some(Box::pin(async move { intake.send(batch).await }));
        }
        let Some(sending) = &mut self.sending else { return Poll::Pending };
        let result = ready!(sending.as_mut().poll(cx));
        self.sending = None;
        let gone = std::mem::take(&mut self.in_hand);
        self.held = Held {
            qos0: self.held.qos0 - gone.qos0,
            qos1: self.held.qos1 - gone.qos1,
            bytes: self.held.bytes - gone.bytes,
        };
        Poll::Ready(result)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.held == Held::default()
    }
}

/// What a message counts in bytes.
pub(crate) fn size(message: &RawMessage) -> usize {
    message.topic.len() + message.payload.len()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use city_model::Timestamp;
    use city_pipeline::{Limits, Received, intake};

    use super::*;
    use crate::acks::Unacked;

    fn outbox(in_flight: usize) -> (Outbox, Received) {
        let (intake, received) = intake(Limits { batches: 1, bytes: 1 << 30 });
        (Outbox::new(intake, in_flight), received)
    }

    fn message(payload: usize, acks: Option<&mut Unacked>) -> RawMessage {
        RawMessage {
            source: None,
            topic: "".into(),
            payload: Bytes::from(vec![0; payload]),
            received: Timestamp::default(),
            retained: false,
            replayed: false,
            client: None,
            ack: acks.map(|acks| acks.expect(1, 1)),
        }
    }

    fn hand_over(outbox: &mut Outbox, now: bool) -> Poll<Result<(), IntakeClosed>> {
        outbox.poll_hand_over(now, || {}, &mut Context::from_waker(std::task::Waker::noop()))
    }

    #[test]
    fn each_qos_has_its_own_room() {
        let (mut outbox, _received) = outbox(2);
        let mut acks = Unacked::default();
        for _ in 0..2 {
            assert!(outbox.has_room(true, 10));
            outbox.push(message(10, Some(&mut acks)));
        }
        assert!(!outbox.has_room(true, 10) && outbox.has_room(false, 10));
        assert!(outbox.is_full());
        for _ in 0..QOS0_ROOM {
            assert!(outbox.has_room(false, 0));
            outbox.push(message(0, None));
        }
        assert!(!outbox.has_room(false, 0));
    }

    #[test]
    fn bytes_are_bounded_but_one_message_always_has_room() {
        let (mut outbox, _received) = outbox(100);
        assert!(outbox.has_room(true, BYTES_ROOM + 1));
        outbox.push(message(BYTES_ROOM - 5, None));
        assert!(outbox.has_room(true, 5) && !outbox.has_room(true, 6));
        outbox.push(message(5, None));
        assert!(outbox.is_full());
    }

    #[test]
    fn room_comes_back_when_the_pipeline_takes_a_batch() {
        let (mut outbox, mut received) = outbox(BATCH * 3);
        let mut acks = Unacked::default();
        outbox.push(message(1, Some(&mut acks)));
        assert!(hand_over(&mut outbox, false).is_pending(), "more may come");
        assert_eq!(hand_over(&mut outbox, true), Poll::Ready(Ok(())));
        assert!(outbox.is_empty());
        for _ in 0..BATCH {
            outbox.push(message(1, Some(&mut acks)));
        }
        // The channel holds one batch already: this one is under way, and still counts.
        assert!(hand_over(&mut outbox, false).is_pending());
        outbox.push(message(1, Some(&mut acks)));
        assert_eq!(outbox.held.qos1, BATCH + 1);
        assert_eq!(received.try_next().expect("the first").into_messages().len(), 1);
        assert_eq!(hand_over(&mut outbox, false), Poll::Ready(Ok(())));
        assert_eq!(outbox.held, Held { qos0: 0, qos1: 1, bytes: 1 });
        drop(received);
        assert_eq!(hand_over(&mut outbox, true), Poll::Ready(Err(IntakeClosed)));
    }
}
