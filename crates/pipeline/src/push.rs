//! Messages whose senders wait until they are durable and hear what became of them, as over HTTP.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use city_decode::topic::Captures;
use city_model::SharedClock;
use city_store::Outcome;
use tokio::sync::oneshot;

use crate::{Ack, AckSink, Delivery, Intake, RawMessage, Report, Sources, Speakers};

/// How long a sender waits. What became durable after that is a duplicate when it comes again, if
/// its readings say when they were measured or it has a [`Push::key`].
const PATIENCE: Duration = Duration::from_secs(30);

/// A message that is pushed.
#[derive(Clone, Debug)]
pub struct Push {
    /// The id of the source.
    pub source: String,
    /// The topic, if the sender gives one; else it is made from the source's template.
    pub topic: Option<String>,
    /// The device that sends it, where its credentials say so.
    pub device: Option<Arc<str>>,
    /// The name that its credentials have.
    pub client: Option<Arc<str>>,
    /// What its sender calls this message, the same when it sends it again: readings without a time
    /// of their own are known by it. Another message of the same name is another message.
    pub key: Option<String>,
    /// The bytes.
    pub payload: Bytes,
}

/// What became of a pushed message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Readings stored.
    pub stored: u64,
    /// Readings that were there already.
    pub duplicates: u64,
    /// What could not become readings, and why. It is kept.
    pub dead_letters: Vec<PushedLetter>,
}

/// A part of a pushed message that could not become readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedLetter {
    /// Why, as a stable code.
    pub reason: String,
    /// What is wrong and where.
    pub detail: String,
    /// How to mend it.
    pub hint: String,
    /// How many readings it stands for.
    pub items: u32,
}

/// Why a message was not taken. Nothing of it is kept, or not yet: send it again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// No source has this id.
    #[error("there is no source `{0}`")]
    NoSource(String),
    /// The topic is not one of the source's.
    #[error("the topic `{topic}` does not fit the source's template `{template}`")]
    Topic {
        /// The topic.
        topic: String,
        /// The template.
        template: String,
    },
    /// The client may not publish to the topic.
    #[error("`{client}` may not publish to `{topic}`")]
    NotItsTopic {
        /// The client.
        client: Arc<str>,
        /// The topic.
        topic: String,
    },
    /// The pipeline has stopped.
    #[error("citybrain is stopping")]
    Stopped,
    /// It did not become durable in time.
    #[error("the message did not become durable within {} seconds", PATIENCE.as_secs())]
    Slow,
}

/// Takes messages from senders who wait.
#[derive(Clone)]
pub struct Pusher {
    intake: Intake,
    sources: Arc<Sources>,
    clock: SharedClock,
    speakers: Arc<dyn Speakers>,
}

impl std::fmt::Debug for Pusher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pusher").finish_non_exhaustive()
    }
}

impl Pusher {
    pub(crate) fn new(
        intake: Intake,
        sources: Arc<Sources>,
        clock: SharedClock,
        speakers: Arc<dyn Speakers>,
    ) -> Self {
        Self { intake, sources, clock, speakers }
    }

    /// Hands a message over and waits until it is durable.
    pub async fn push(&self, push: Push) -> Result<Pushed, PushError> {
        let key = self.sources.by_id(&push.source);
        let source = key.and_then(|key| self.sources.get(key));
        let source = source.ok_or_else(|| PushError::NoSource(push.source.clone()))?;
        let captures = Captures {
            device: push.device.as_deref(),
            department: Some(&source.spec.department),
            kind: Some(&source.spec.kind),
            metric: None,
        };
        let topic = match push.topic {
            Some(topic) => {
                let Some(named) = source.template.capture(&topic) else {
                    let template = source.template.to_string();
                    return Err(PushError::Topic { topic, template });
                };
                if let Some(client) = &push.client
                    && !self.speakers.may_publish(client, &topic, named.device)
                {
                    return Err(PushError::NotItsTopic { client: client.clone(), topic });
                }
                topic
            }
            // A template without {device} leaves the device to the payload.
            None => source
                .template
                .fill(&captures)
                .or_else(|| source.template.fill(&Captures { device: None, ..captures }))
                .unwrap_or_else(|| source.template.to_string()),
        };
        let (sink, outcome) = Waiting::new();
        // Names are the sender's own: two may use the same.
        let id = push.key.map(|key| {
            let mut hasher = DefaultHasher::new();
            (key, &push.client, &push.device, &topic, &push.payload).hash(&mut hasher);
            hasher.finish()
        });
        let delivery = Delivery { id, ..Delivery::default() };
        let message = RawMessage {
            source: key,
            topic: topic.into(),
            payload: push.payload,
            received: self.clock.now(),
            retained: false,
            replayed: false,
            client: push.client,
            ack: Some(Ack::new(sink, 0).delivered(delivery)),
        };
        let done = async {
            self.intake.send(vec![message]).await.map_err(|_| PushError::Stopped)?;
            outcome.await.map_err(|_| PushError::Stopped)
        };
        tokio::time::timeout(PATIENCE, done).await.map_err(|_| PushError::Slow)?
    }
}

/// A sender that waits.
struct Waiting(Mutex<Option<oneshot::Sender<Pushed>>>);

impl Waiting {
    fn new() -> (Arc<Self>, oneshot::Receiver<Pushed>) {
        let (sender, receiver) = oneshot::channel();
        (Arc::new(Self(Mutex::new(Some(sender)))), receiver)
    }

    fn tell(&self, pushed: Pushed) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        // An error says that nobody waits any more.
        let _ = sender.map(|sender| sender.send(pushed));
    }
}

impl AckSink for Waiting {
    fn committed(&self, _token: u64) {
        self.tell(Pushed::default());
    }

    fn reported(&self, _token: u64, report: &Report<'_>) {
        let stored = report.outcomes.iter().filter(|outcome| **outcome == Outcome::Stored).count();
        let letters = report.dead_letters.iter().map(|letter| PushedLetter {
            reason: letter.reason.clone(),
            detail: letter.detail.clone(),
            hint: letter.hint.clone(),
            items: letter.items,
        });
        self.tell(Pushed {
            stored: stored as u64,
            duplicates: (report.outcomes.len() - stored) as u64,
            dead_letters: letters.collect(),
        });
    }
}
