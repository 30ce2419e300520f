//! What the post office has: mailboxes, kept commands, who hears what; and what of it is in the
//! file in which it outlives a restart.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use city_model::Timestamp;

use crate::acks::Acks;
use crate::downlink::{DownlinkError, Keep};
use crate::filters::matches;
use crate::index::Index;
use crate::journal::{Journal, Record, Saved};
use crate::mailbox::{Entry, Letter, Mailbox};

#[derive(Default)]
pub(crate) struct Office {
    pub(crate) boxes: HashMap<Arc<str>, Owner>,
    pub(crate) index: Index,
    /// The last command of each topic.
    pub(crate) retained: BTreeMap<Box<str>, Arc<Letter>>,
    /// What waits for a first subscriber, by topic.
    pub(crate) held: BTreeMap<Box<str>, Vec<Arc<Letter>>>,
    pub(crate) held_count: usize,
    journal: Option<Journal>,
    pub(crate) last: u64,
}

#[derive(Default)]
pub(crate) struct Owner {
    pub(crate) mailbox: Mailbox,
    /// Whether it outlives the connection.
    pub(crate) lasting: bool,
    /// The connection to be woken.
    pub(crate) bell: Option<Arc<Acks>>,
}

impl Office {
    /// What the file holds for the clients that have a session.
    pub(crate) fn open(
        file: Option<&Path>,
        now: Timestamp,
        has_session: impl Fn(&str) -> bool,
    ) -> io::Result<Self> {
        let mut office = Self::default();
        let Some(path) = file else { return Ok(office) };
        let (journal, records) = Journal::open(path)?;
        for record in records {
            office.replay(record);
        }
        let gone: Vec<_> = office.boxes.keys().filter(|id| !has_session(id)).cloned().collect();
        for client in gone {
            office.forget(&client);
        }
        office.journal = Some(journal);
        office.tidy(now);
        office.rewrite();
        Ok(office)
    }

    pub(crate) fn forget(&mut self, client: &str) {
        let Some(owner) = self.boxes.remove(client) else { return };
        for (filter, _) in &owner.mailbox.subscriptions {
            self.index.remove(filter, client);
        }
        if owner.lasting {
            self.write(&Record::Gone { client: client.to_owned() });
        }
    }

    pub(crate) fn unsubscribe(&mut self, client: &str, filter: &str) -> bool {
        let Some(owner) = self.boxes.get_mut(client) else { return false };
        if !owner.mailbox.unsubscribe(filter) {
            return false;
        }
        self.index.remove(filter, client);
        if owner.lasting {
            let (client, filter) = (client.to_owned(), filter.to_owned());
            self.write(&Record::Unsubscribed { client, filter });
        }
        true
    }

    pub(crate) fn keep(
        &mut self,
        letter: &Arc<Letter>,
        keep: Keep,
        most: usize,
        now: Timestamp,
    ) -> Result<(), DownlinkError> {
        let ends = keep == Keep::Last && letter.payload.is_empty();
        let replaces = keep == Keep::Last && self.retained.contains_key(&letter.topic);
        if !ends && !replaces && self.kept() >= most {
            self.tidy(now);
            if self.kept() >= most {
                return Err(DownlinkError::Full(most));
            }
        }
        if keep == Keep::Last {
            self.retain(letter.clone());
            self.write(&Record::Retained { letter: saved(letter) });
        } else {
            self.hold(letter.clone());
            self.write(&Record::Held { letter: saved(letter) });
        }
        Ok(())
    }

    fn kept(&self) -> usize {
        self.retained.len() + self.held_count
    }

    fn retain(&mut self, letter: Arc<Letter>) {
        if letter.payload.is_empty() {
            self.retained.remove(&letter.topic);
        } else {
            self.retained.insert(letter.topic.clone(), letter);
        }
    }

    fn hold(&mut self, letter: Arc<Letter>) {
        self.held_count += 1;
        self.held.entry(letter.topic.clone()).or_default().push(letter);
    }

    /// Takes out what has waited for a subscriber to this filter, in the order in which it came.
    pub(crate) fn take_held(&mut self, filter: &str) -> Vec<Arc<Letter>> {
        let topics: Vec<_> = under(&self.held, filter).map(|(topic, _)| topic.clone()).collect();
        let mut letters: Vec<_> =
            topics.iter().filter_map(|topic| self.held.remove(topic)).flatten().collect();
        letters.sort_by_key(|letter| letter.number);
        self.held_count -= letters.len();
        for letter in &letters {
            let topic = letter.topic.to_string();
            self.write(&Record::Taken { topic, number: letter.number });
        }
        letters
    }

    pub(crate) fn retained_for(&self, filter: &str) -> Vec<Arc<Letter>> {
        under(&self.retained, filter).map(|(_, letter)| letter.clone()).collect()
    }

    /// A letter is out of a mailbox.
    pub(crate) fn done(&mut self, client: &str, number: u64) {
        if self.boxes.get(client).is_some_and(|owner| owner.lasting) {
            self.write(&Record::Done { client: client.to_owned(), number });
        }
    }

    /// Forgets what has waited too long for a subscriber.
    pub(crate) fn tidy(&mut self, now: Timestamp) {
        self.held.retain(|_, letters| {
            letters.retain(|letter| !letter.is_stale(now));
            !letters.is_empty()
        });
        self.held_count = self.held.values().map(Vec::len).sum();
        self.retained.retain(|_, letter| !letter.is_stale(now));
    }

    pub(crate) fn write(&mut self, record: &Record) {
        let Some(journal) = &mut self.journal else { return };
        if let Err(error) = journal.append(record) {
            cannot_write(&error);
        } else if journal.is_long() {
            self.rewrite();
        }
    }

    fn rewrite(&mut self) {
        let Some(mut journal) = self.journal.take() else { return };
        if let Err(error) = journal.rewrite(self.records()) {
            cannot_write(&error);
        }
        self.journal = Some(journal);
    }

    /// What brings a fresh office to the state of this one.
    fn records(&self) -> impl Iterator<Item = Record> {
        let lasting = self.boxes.iter().filter(|(_, owner)| owner.lasting);
        let mailboxes = lasting.flat_map(|(client, owner)| {
            let subscriptions = owner.mailbox.subscriptions.iter().map(|(filter, qos)| {
                let (client, filter) = (client.to_string(), filter.to_string());
                Record::Subscribed { client, filter, qos: *qos }
            });
            let entries = owner.mailbox.entries().flat_map(|(id, entry)| {
                let Entry { letter, qos, retained } = entry;
                let queued = Record::Queued {
                    client: client.to_string(),
                    qos: *qos,
                    retained: *retained,
                    letter: saved(letter),
                };
                let number = letter.number;
                let sent = id.map(|id| Record::Sent { client: client.to_string(), number, id });
                std::iter::once(queued).chain(sent)
            });
            subscriptions.chain(entries)
        });
        let retained =
            self.retained.values().map(|letter| Record::Retained { letter: saved(letter) });
        let held = self.held.values().flatten();
        let held = held.map(|letter| Record::Held { letter: saved(letter) });
        mailboxes.chain(retained).chain(held)
    }

    fn replay(&mut self, record: Record) {
        match record {
            Record::Subscribed { client, filter, qos } => {
                let client: Arc<str> = client.into();
                let owner = self.boxes.entry(client.clone()).or_default();
                owner.lasting = true;
                if owner.mailbox.subscribe(&filter, qos) {
                    self.index.insert(&filter, &client);
                }
            }
            Record::Unsubscribed { client, filter } => {
                self.unsubscribe(&client, &filter);
            }
            Record::Queued { client, qos, retained, letter } => {
                let letter = self.letter(letter);
                if let Some(owner) = self.boxes.get_mut(&*client) {
                    owner.mailbox.push(Entry { letter, qos, retained }, usize::MAX, usize::MAX);
                }
            }
            Record::Sent { client, number, id } => {
                if let Some(owner) = self.boxes.get_mut(&*client) {
                    owner.mailbox.restore_sent(id, number);
                }
            }
            Record::Done { client, number } => {
                if let Some(owner) = self.boxes.get_mut(&*client) {
                    owner.mailbox.forget(number);
                }
            }
            Record::Gone { client } => self.forget(&client),
            Record::Retained { letter } => {
                let letter = self.letter(letter);
                self.retain(letter);
            }
            Record::Held { letter } => {
                let letter = self.letter(letter);
                self.hold(letter);
            }
            Record::Taken { topic, number } => {
                if let Some(letters) = self.held.get_mut(&*topic) {
                    let before = letters.len();
                    letters.retain(|letter| letter.number != number);
                    self.held_count -= before - letters.len();
                    if letters.is_empty() {
                        self.held.remove(&*topic);
                    }
                }
            }
        }
    }

    fn letter(&mut self, saved: Saved) -> Arc<Letter> {
        self.last = self.last.max(saved.number);
        Arc::new(Letter {
            number: saved.number,
            topic: saved.topic.into(),
            payload: Bytes::from(saved.payload),
            qos: saved.qos,
            expires: saved.expires.map(Timestamp::from_micros),
        })
    }
}

/// What stands under the topics that a filter matches.
fn under<'a, V>(
    table: &'a BTreeMap<Box<str>, V>,
    filter: &'a str,
) -> impl Iterator<Item = (&'a Box<str>, &'a V)> {
    // "a/#" matches "a" too.
    let literal = filter.split(['+', '#']).next().unwrap_or_default().trim_end_matches('/');
    table
        .range::<str, _>((Bound::Included(literal), Bound::Unbounded))
        .take_while(move |(topic, _)| topic.starts_with(literal))
        .filter(move |(topic, _)| matches(filter, topic))
}

pub(crate) fn saved(letter: &Letter) -> Saved {
    Saved {
        number: letter.number,
        topic: letter.topic.to_string(),
        payload: letter.payload.to_vec(),
        qos: letter.qos,
        expires: letter.expires.map(Timestamp::micros),
    }
}

fn cannot_write(error: &io::Error) {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "cannot write the file of commands; what waits now will not outlive a restart"
    );
}
