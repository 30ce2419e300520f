//! The front door of the pipeline: raw messages with their acknowledgements, bounded by number
//! of batches and by bytes.
//!
//! When the pipeline is slower than the sources, [`Intake::send`] waits. A source that waits
//! reads nothing more from its connection, so the pressure reaches the device, and memory does
//! not grow.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use city_model::Timestamp;
use city_store::{NewDeadLetter, Outcome};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// A configured source's number: its place in the list of sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceKey(pub u16);

/// One message as it came in, before anybody looked inside.
#[derive(Debug)]
pub struct RawMessage {
    /// The source whose topic it matched; `None` if no source wants this topic.
    pub source: Option<SourceKey>,
    /// The MQTT topic, or the path of an HTTP push.
    pub topic: Box<str>,
    /// The bytes.
    pub payload: Bytes,
    /// When it reached us.
    pub received: Timestamp,
    /// Whether a broker delivered it from its retained store.
    pub retained: bool,
    /// Whether it is a dead letter that is tried again.
    pub replayed: bool,
    /// The MQTT client or user that sent it, where known.
    pub client: Option<Arc<str>>,
    /// Whom to tell once it is durable; `None` at QoS 0.
    pub ack: Option<Ack>,
}

impl RawMessage {
    /// How it came, as far as its connection says.
    pub fn delivery(&self) -> Delivery {
        self.ack.as_ref().map(|ack| ack.delivery).unwrap_or_default()
    }
}

/// What a connection knows of how a message came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// It was sent before and may have come before (MQTT's DUP): a dead letter of it is not kept
    /// twice.
    pub again: bool,
    /// It had so many bytes, more than the connection takes, and its payload is only the
    /// beginning: it becomes a dead letter.
    pub cut_from: Option<usize>,
    /// Its connection found no message in it, so that nobody was asked who sent it: it becomes a
    /// dead letter whatever a format would make of it.
    pub garbage: bool,
    /// A hash of the id that its sender gave it, the same when it is sent again: readings without
    /// a time of their own are known by it.
    pub id: Option<u64>,
}

/// Receives the news that a message is durable. Called by the committer: must not block.
pub trait AckSink: Send + Sync {
    /// The message with this token is durable and can be acknowledged.
    fn committed(&self, token: u64);

    /// The same, with what became of the message, for those who tell their sender.
    fn reported(&self, token: u64, report: &Report<'_>) {
        let _ = report;
        self.committed(token);
    }
}

/// What became of one message.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What became of each of its readings, in their order.
    pub outcomes: &'a [Outcome],
    /// What of it could not become readings.
    pub dead_letters: &'a [NewDeadLetter],
}

/// The duty to acknowledge one message once it is durable.
///
/// Dropping it without [`Ack::committed`] leaves the message unacknowledged, so that its sender
/// sends it again.
pub struct Ack {
    sink: Arc<dyn AckSink>,
    token: u64,
    delivery: Delivery,
}

impl Ack {
    /// An acknowledgement that calls `sink` with `token`.
    pub fn new(sink: Arc<dyn AckSink>, token: u64) -> Self {
        Self { sink, token, delivery: Delivery::default() }
    }

    /// One that nobody waits for, for what only came in this way.
    pub fn of_nobody(delivery: Delivery) -> Self {
        Self::new(Arc::new(Nobody), 0).delivered(delivery)
    }

    /// The same for a message that came in this way.
    pub fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// The message, all its readings or its dead letter, is durable.
    pub fn committed(self) {
        self.sink.committed(self.token);
    }

    /// The same, with what became of it.
    pub fn reported(self, report: &Report<'_>) {
        self.sink.reported(self.token, report);
    }
}

/// Waits for nothing.
struct Nobody;

impl AckSink for Nobody {
    fn committed(&self, _token: u64) {}
}

impl fmt::Debug for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ack").field("token", &self.token).finish_non_exhaustive()
    }
}

/// How much may be under way between the front door and the commit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Batches that may wait in the channel.
    pub batches: usize,
    /// Bytes of topics and payloads, in all, that may be under way and not yet committed.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { batches: 256, bytes: 64 << 20 }
    }
}

/// A batch under way, with the share of the byte budget that it holds until it is dropped.
#[derive(Debug)]
pub struct Pending {
    /// The messages in order of arrival.
    pub messages: Vec<RawMessage>,
    _budget: OwnedSemaphorePermit,
}

impl Pending {
    /// The messages; their share of the budget is given back.
    pub fn into_messages(self) -> Vec<RawMessage> {
        self.messages
    }
}

/// What goes through the channel.
#[derive(Debug)]
enum Item {
    Batch(Pending),
    Stop,
}

/// The sources' end. Clones share one channel and one budget.
#[derive(Clone, Debug)]
pub struct Intake {
    sender: mpsc::Sender<Item>,
    budget: Arc<Semaphore>,
    bytes: usize,
}

/// The pipeline's end.
#[derive(Debug)]
pub struct Received {
    receiver: mpsc::Receiver<Item>,
}

/// The pipeline has stopped: nothing will be committed any more. Do not acknowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pipeline has stopped and takes no more messages")]
pub struct IntakeClosed;

/// Makes both ends.
pub fn intake(limits: Limits) -> (Intake, Received) {
    let (sender, receiver) = mpsc::channel(limits.batches);
    let budget = Arc::new(Semaphore::new(kib(limits.bytes)));
    (Intake { sender, budget, bytes: limits.bytes }, Received { receiver })
}

/// The budget is counted in KiB, because a semaphore hands out at most `u32::MAX` permits.
const fn kib(bytes: usize) -> usize {
    bytes.div_ceil(1024)
}

impl Intake {
    /// Hands messages over, in order; waits while the pipeline is full.
    ///
    /// A batch larger than the whole budget takes all of it.
    pub async fn send(&self, messages: Vec<RawMessage>) -> Result<(), IntakeClosed> {
        let size: usize = messages.iter().map(|m| m.payload.len() + m.topic.len() + 128).sum();
        let permits = kib(size.min(self.bytes)).max(1) as u32;
        let budget =
            self.budget.clone().acquire_many_owned(permits).await.map_err(|_| IntakeClosed)?;
        let batch = Item::Batch(Pending { messages, _budget: budget });
        self.sender.send(batch).await.map_err(|_| IntakeClosed)
    }

    /// Closes the door behind what was handed over so far. Blocks while the channel is full.
    pub(crate) fn stop(&self) {
        // An error says that the pipeline has stopped already.
        let _ = self.sender.blocking_send(Item::Stop);
    }
}

impl Received {
    /// The next batch, waiting for it on a thread of its own; `None` once the pipeline is told to
    /// stop, or every [`Intake`] is dropped, and the batches before that are taken.
    pub fn next_blocking(&mut self) -> Option<Pending> {
        let item = self.receiver.blocking_recv()?;
        self.open(item)
    }

    /// The next batch, waiting for it on an async thread; as [`Received::next_blocking`].
    pub async fn next(&mut self) -> Option<Pending> {
        let item = self.receiver.recv().await?;
        self.open(item)
    }

    /// A batch that is already there.
    pub fn try_next(&mut self) -> Option<Pending> {
        let item = self.receiver.try_recv().ok()?;
        self.open(item)
    }

    fn open(&mut self, item: Item) -> Option<Pending> {
        match item {
            Item::Batch(pending) => Some(pending),
            Item::Stop => {
                self.receiver.close();
                while let Ok(late) = self.receiver.try_recv() {
                    drop(late); // never acknowledged, so that it is sent again
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(size: usize) -> RawMessage {
        RawMessage {
            source: None,
            topic: "t".into(),
            payload: Bytes::from(vec![0; size]),
            received: Timestamp::default(),
            retained: false,
            replayed: false,
            client: None,
            ack: None,
        }
    }

    #[tokio::test]
    async fn a_full_budget_makes_the_source_wait_until_a_batch_is_done() {
        let (intake, mut received) = intake(Limits { batches: 10, bytes: 10 << 10 });
        intake.send(vec![message(8 << 10)]).await.expect("open");
        let second = intake.send(vec![message(8 << 10)]);
        tokio::pin!(second);
        assert!(futures_now(second.as_mut()).is_none(), "the second batch must wait");
        drop(received.try_next().expect("the first batch"));
        assert_eq!(futures_now(second.as_mut()), Some(Ok(())));
    }

    #[tokio::test]
    async fn a_stopped_pipeline_says_so() {
        let (intake, received) = intake(Limits::default());
        drop(received);
        assert_eq!(intake.send(vec![message(1)]).await, Err(IntakeClosed));
    }

    fn futures_now<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        let waker = std::task::Waker::noop();
        match future.poll(&mut std::task::Context::from_waker(waker)) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        }
    }
}
