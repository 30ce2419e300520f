//! The way back to a broker: commands of ours, such as a request for a new birth certificate.

use tokio::sync::mpsc;

/// Commands that may wait for the connection.
const ROOM: usize = 256;

/// Publishes over a collector's connection. Clones share it.
#[derive(Clone, Debug)]
pub struct Publisher(mpsc::Sender<Publication>);

/// A message of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Publication {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPublished {
    /// Too many wait already, because there is no connection.
    #[error("too many messages wait for the connection to the broker")]
    Full,
    /// The collector has stopped.
    #[error("the collector has stopped")]
    Stopped,
}

impl Publisher {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Publication>) {
        let (sender, receiver) = mpsc::channel(ROOM);
        (Self(sender), receiver)
    }

    /// Publishes at QoS 0, not retained, as Sparkplug has it for commands. Does not wait. What
    /// waits when a connection ends is dropped: whoever had a reason to send it still has it.
    pub fn publish(&self, topic: String, payload: Vec<u8>) -> Result<(), NotPublished> {
        self.0.try_send(Publication { topic, payload }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotPublished::Full,
            mpsc::error::TrySendError::Closed(_) => NotPublished::Stopped,
        })
    }
}
