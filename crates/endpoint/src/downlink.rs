//! Commands to devices: the handle with which the rest of the program sends them.

use std::sync::Arc;

use bytes::Bytes;
use city_model::Span;
use serde::{Deserialize, Serialize};

use crate::post::Post;

/// Limits of commands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CommandsConfig {
    /// Commands that may wait for one client; beyond that, the oldest are given up.
    pub max_queued: usize,
    /// Their bytes. A single command is always let in.
    pub max_queued_bytes: usize,
    /// Commands that one client may leave unanswered; MQTT 5 clients may ask for fewer.
    pub max_unanswered: u16,
    /// How long a command waits at most.
    pub expiry: Span,
    /// Topics whose last command is kept for those who subscribe later, and commands that wait
    /// for a first subscriber; beyond that, new ones are refused.
    pub max_kept: usize,
}

impl Default for CommandsConfig {
    fn default() -> Self {
        Self {
            max_queued: 100,
            max_queued_bytes: 256 << 10,
            max_unanswered: 16,
            expiry: Span::from_hours(7 * 24),
            max_kept: 100_000,
        }
    }
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownlinkMessage {
    /// The topic, without wildcards.
    pub topic: String,
    /// The bytes.
    pub payload: Bytes,
    /// 0, or 1: sent until the client has answered.
    pub qos: u8,
    /// What becomes of it beside being sent to those who have subscribed.
    pub keep: Keep,
    /// How long it is worth sending; the configuration's bound if longer or missing.
    pub expiry: Option<Span>,
}

/// What becomes of a command beside being sent to those who have subscribed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: clients without a session do not get it.
    #[default]
    No,
    /// It waits for a first subscriber if there is none, so that a device that has never connected,
    /// or always asks for a clean session, gets it all the same.
    UntilTaken,
    /// It is kept as the last of its topic for everybody who subscribes later, and never expires;
    /// an empty payload ends that.
    Last,
}

impl DownlinkMessage {
    /// A command at QoS 1 that waits for its device.
    pub fn new(topic: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            qos: 1,
            keep: Keep::UntilTaken,
            expiry: None,
        }
    }
}

/// Where a command went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Clients that it was put in the mailbox of: connected ones, and absent ones with a session.
    pub clients: usize,
    /// How many of them are connected now.
    pub connected: usize,
    /// Whether it is kept for those who subscribe later.
    pub kept: bool,
}

/// Why a command cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DownlinkError {
    /// The topic cannot be published to.
    #[error("`{0}` is no topic to publish to: it must have 1 to 65,535 bytes and no wildcards")]
    Topic(String),
    /// The command is larger than a packet may be.
    #[error("a command of {size} bytes is over the limit of {limit} bytes for a packet")]
    TooLarge {
        /// Bytes of topic and payload.
        size: usize,
        /// The most.
        limit: usize,
    },
    /// Too many commands are kept.
    #[error("{0} commands are kept already; end some with an empty payload, or raise max_kept")]
    Full(usize),
}

/// Sends commands. Clones share everything.
#[derive(Clone)]
pub struct Downlink {
    pub(crate) post: Arc<Post>,
}

impl Downlink {
    /// Sends a command to everybody who has subscribed to its topic. Does not wait for anybody.
    pub fn send(&self, message: DownlinkMessage) -> Result<Delivery, DownlinkError> {
        self.post.publish(message)
    }

    /// Sends a command at QoS 1 to those who have subscribed, and keeps nothing: for requests of
    /// formats, which ask again while they have reason to. What cannot be sent is logged.
    pub fn publish(&self, topic: &str, payload: impl Into<Bytes>) {
        let message = DownlinkMessage { keep: Keep::No, ..DownlinkMessage::new(topic, payload) };
        if let Err(error) = self.send(message) {
            tracing::warn!(mqtt.topic = topic, error.cause = %error, "a command is dropped");
        }
    }

    /// How many commands wait, in all mailboxes.
    pub fn waiting(&self) -> usize {
        self.post.waiting()
    }
}
