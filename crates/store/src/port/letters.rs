//! Messages that could not become readings, as they are kept and handed out.

use std::sync::Arc;

use city_model::{DeviceKey, Timestamp};
use serde::{Deserialize, Serialize};

/// A dead letter's number, in order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeadLetterId(pub i64);

/// Where a page of dead letters begins, and in which order it goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LettersFrom {
    /// The newest first.
    #[default]
    Newest,
    /// The newest first, of those before this one.
    Before(DeadLetterId),
    /// The oldest first.
    Oldest,
    /// The oldest first, of those after this one.
    After(DeadLetterId),
}

impl LettersFrom {
    /// Whether the oldest comes first.
    pub fn goes_up(self) -> bool {
        matches!(self, Self::Oldest | Self::After(_))
    }

    /// The same order, after a letter of it.
    #[must_use]
    pub fn beyond(self, last: DeadLetterId) -> Self {
        if self.goes_up() { Self::After(last) } else { Self::Before(last) }
    }

    /// Whether a page from here on has this letter.
    pub(crate) fn reaches(self, id: DeadLetterId) -> bool {
        match self {
            Self::Newest | Self::Oldest => true,
            Self::Before(before) => id < before,
            Self::After(after) => id > after,
        }
    }
}

/// A message, whole, that could not become readings, or not all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDeadLetter {
    /// The source's number; `None` if no source wanted its topic.
    pub source: Option<u16>,
    /// The source's id at that time.
    pub source_id: String,
    /// The topic.
    pub topic: String,
    /// The bytes.
    pub payload: Arc<[u8]>,
    /// The MQTT client that sent it.
    pub client: Option<String>,
    /// When it reached us.
    pub received: Timestamp,
    /// The device, if that much could be read.
    pub device: Option<String>,
    /// That device's key, if it is registered: whom the ledger counts it for.
    pub device_key: Option<DeviceKey>,
    /// Why, as a stable code: `syntax`, `unknown_device`, …
    pub reason: String,
    /// What is wrong and where.
    pub detail: String,
    /// How to mend it.
    pub hint: String,
    /// How many items of the ledger it stands for (one, unless several readings of one message
    /// failed for the same reason).
    pub items: u32,
    /// Whether its sender had sent the message before (MQTT's DUP): if the same letter is kept
    /// already, it is counted as a duplicate and not kept twice. Letters that are read back say no.
    pub again: bool,
}

impl NewDeadLetter {
    /// Whether it says the same about the same message.
    pub(crate) fn repeats(&self, other: &Self) -> bool {
        self.source == other.source
            && self.reason == other.reason
            && self.topic == other.topic
            && self.payload == other.payload
    }
}

/// A dead letter as kept.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// Its number.
    pub id: DeadLetterId,
    /// What was kept.
    pub letter: NewDeadLetter,
    /// When it was replayed, if it was.
    pub replayed_at: Option<Timestamp>,
}

/// A page of dead letters, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetterPage {
    /// The letters.
    pub items: Vec<DeadLetter>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<LettersFrom>,
}

impl DeadLetterPage {
    /// A page of at most `limit`, of letters of which one more was read if there is more.
    pub(crate) fn cut(from: LettersFrom, mut items: Vec<DeadLetter>, limit: usize) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| from.beyond(last.id));
        Self { items, next }
    }
}

/// How many dead letters a source has for one reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LetterCount {
    /// The source's id at that time; empty if no source wanted their topics.
    pub source_id: String,
    /// The reason's stable code.
    pub reason: String,
    /// Letters.
    pub letters: u64,
    /// Items of the ledger that they stand for.
    pub items: u64,
    /// Those of the letters that were replayed.
    pub replayed: u64,
}
