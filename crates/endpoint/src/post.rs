//! The post office: everybody's subscriptions and commands, and the file in which they outlive a
//! restart.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use city_model::{SharedClock, Timestamp};

use crate::acks::Acks;
use crate::answer;
use crate::downlink::{CommandsConfig, Delivery, DownlinkError, DownlinkMessage, Keep};
use crate::filters::{Filters, matches};
use crate::index::Index;
use crate::journal::{Journal, Record, Saved};
use crate::mailbox::{Entry, Letter, Mailbox, Outgoing};
use crate::parse::topic_name;
use crate::stats::{Stats, add};
use crate::wire::Version;

/// Bytes of a PUBLISH beside topic and payload: header, lengths, packet id, properties.
const PUBLISH_OVERHEAD: usize = 20;

/// All mailboxes.
pub(crate) struct Post {
    office: Mutex<Office>,
    config: CommandsConfig,
    max_packet: usize,
    clock: SharedClock,
    stats: Arc<Stats>,
}

#[derive(Default)]
struct Office {
    boxes: HashMap<Arc<str>, Owner>,
    index: Index,
    /// The last command of each topic.
    retained: BTreeMap<Box<str>, Arc<Letter>>,
    /// What waits for a first subscriber, by topic.
    held: BTreeMap<Box<str>, Vec<Arc<Letter>>>,
    held_count: usize,
    journal: Option<Journal>,
    last: u64,
}

#[derive(Default)]
struct Owner {
    mailbox: Mailbox,
    /// Whether it outlives the connection.
    lasting: bool,
    /// The connection to be woken.
    bell: Option<Arc<Acks>>,
}

/// How a connection takes its letters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) version: Version,
    /// Letters that may be without an answer.
    pub(crate) window: usize,
    /// The largest packet that the client takes, in bytes.
    pub(crate) max_packet: usize,
    /// Bytes of output at which to pause.
    pub(crate) max_out: usize,
}

/// When what is kept is sent to a new subscription (MQTT 5, 3.8.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retained {
    Send,
    SendIfNew,
    DoNotSend,
}

impl Post {
    /// What the file holds for the clients that have a session.
    pub(crate) fn open(
        file: Option<&Path>,
        config: CommandsConfig,
        max_packet: usize,
        clock: SharedClock,
        stats: Arc<Stats>,
        has_session: impl Fn(&str) -> bool,
    ) -> io::Result<Self> {
        let mut office = Office::default();
        if let Some(path) = file {
            let (journal, records) = Journal::open(path)?;
            for record in records {
                office.replay(record);
            }
            let gone: Vec<_> = office.boxes.keys().filter(|id| !has_session(id)).cloned().collect();
            for client in gone {
                office.forget(&client);
            }
            office.journal = Some(journal);
            office.tidy(clock.now());
            office.rewrite();
        }
        Ok(Self { office: Mutex::new(office), config, max_packet, clock, stats })
    }

    /// A client is connected. What it was sent on the last connection is sent again; what it may
    /// not hear any more it is no longer subscribed to. Says whether it has a mailbox.
    pub(crate) fn attach(
        &self,
        client: &Arc<str>,
        lasting: bool,
        rights: &Filters,
        bell: &Arc<Acks>,
    ) -> bool {
        let mut office = self.lock();
        let Some(owner) = office.boxes.get_mut(client) else { return false };
        owner.lasting = lasting;
        owner.bell = Some(bell.clone());
        owner.mailbox.resume();
        let subscriptions = owner.mailbox.subscriptions.iter();
        let lost: Vec<_> = subscriptions
            .map(|(filter, _)| filter.clone())
            .filter(|filter| !rights.covers(filter))
            .collect();
        for filter in lost {
            office.unsubscribe(client, &filter);
        }
        bell.ring_for_mail();
        true
    }

    /// A client is gone; its mailbox is kept, or not.
    pub(crate) fn detach(&self, client: &str, keep: bool) {
        let mut office = self.lock();
        if !keep {
            office.forget(client);
        } else if let Some(owner) = office.boxes.get_mut(client) {
            owner.bell = None;
        }
    }

    /// A session has ended.
    pub(crate) fn forget(&self, client: &str) {
        self.lock().forget(client);
    }

    /// A connected client subscribes, and gets what is kept for it.
    pub(crate) fn subscribe(
        &self,
        client: &Arc<str>,
        lasting: bool,
        bell: &Arc<Acks>,
        (filter, qos): (&str, u8),
        retained: Retained,
    ) {
        let now = self.clock.now();
        let mut office = self.lock();
        let owner = office.boxes.entry(client.clone()).or_default();
        owner.lasting = lasting;
        owner.bell = Some(bell.clone());
        let is_new = owner.mailbox.subscribe(filter, qos);
        if is_new {
            office.index.insert(filter, client);
        }
        if lasting {
            let (client, filter) = (client.to_string(), filter.to_owned());
            office.write(&Record::Subscribed { client, filter, qos });
        }
        for letter in office.take_held(filter) {
            if letter.is_stale(now) {
                add(&self.stats.commands_dropped, 1);
            } else {
                self.put(&mut office, client, letter, false);
            }
        }
        let wanted = match retained {
            Retained::Send => true,
            Retained::SendIfNew => is_new,
            Retained::DoNotSend => false,
        };
        if wanted {
            for letter in office.retained_for(filter) {
                self.put(&mut office, client, letter, true);
            }
        }
    }

    /// Whether a client has so many subscriptions that this one is too many.
    pub(crate) fn is_full(&self, client: &str, filter: &str, most: usize) -> bool {
        let office = self.lock();
        let subscriptions =
            office.boxes.get(client).map(|owner| owner.mailbox.subscriptions.as_slice());
        let subscriptions = subscriptions.unwrap_or_default();
        subscriptions.len() >= most && subscriptions.iter().all(|(known, _)| **known != *filter)
    }

    /// A client unsubscribes; says whether it had subscribed.
    pub(crate) fn unsubscribe(&self, client: &str, filter: &str) -> bool {
        self.lock().unsubscribe(client, filter)
    }

    /// Sends a command to its subscribers, and keeps it as it says.
    pub(crate) fn publish(&self, message: DownlinkMessage) -> Result<Delivery, DownlinkError> {
        let DownlinkMessage { topic, payload, qos, keep, expiry } = message;
        let is_topic = !topic.is_empty() && topic.len() <= usize::from(u16::MAX);
        if !is_topic || topic_name(topic.as_bytes()).is_err() {
            return Err(DownlinkError::Topic(topic));
        }
        let (size, limit) = (topic.len() + payload.len(), self.max_packet - PUBLISH_OVERHEAD);
        if size > limit {
            return Err(DownlinkError::TooLarge { size, limit });
        }
        let now = self.clock.now();
        let longest = self.config.expiry;
        let waits = expiry.map_or(longest, |expiry| expiry.min(longest));
        let expires = (keep != Keep::Last || expiry.is_some()).then(|| now + waits);
        let mut office = self.lock();
        office.last += 1;
        let letter =
            Letter { number: office.last, topic: topic.into(), payload, qos: qos.min(1), expires };
        let letter = Arc::new(letter);
        let clients = office.index.find(&letter.topic);
        let kept = match keep {
            Keep::No => false,
            Keep::UntilTaken => clients.is_empty(),
            Keep::Last => true,
        };
        if kept {
            office.keep(&letter, keep, self.config.max_kept, now)?;
        }
        for client in &clients {
            self.put(&mut office, client, letter.clone(), false);
        }
        add(&self.stats.commands, 1);
        Ok(Delivery { clients: clients.len(), kept })
    }

    /// Writes what is to be sent to a client now; says whether there is more than fits.
    pub(crate) fn collect(&self, client: &str, terms: Terms, out: &mut BytesMut) -> bool {
        let now = self.clock.now();
        let mut office = self.lock();
        loop {
            let Some(owner) = office.boxes.get_mut(client) else { return false };
            if out.len() >= terms.max_out {
                return true;
            }
            let Some(outgoing) = owner.mailbox.next(terms.window) else { return false };
            let Outgoing { entry, mut id, again } = outgoing;
            let letter = entry.letter.clone();
            let fits = letter.size() + PUBLISH_OVERHEAD <= terms.max_packet;
            if !fits || (!again && letter.is_stale(now)) {
                if again {
                    owner.mailbox.settle(id);
                }
                add(&self.stats.commands_dropped, 1);
                office.done(client, letter.number);
                continue;
            }
            let packet = answer::Command {
                topic: &letter.topic,
                payload: &letter.payload,
                retained: entry.retained,
                again,
                expires_in: letter.expires.map(|expires| seconds_until(expires, now)),
            };
            if entry.qos == 0 {
                answer::publish(out, terms.version, &packet, None);
                office.done(client, letter.number);
            } else {
                if !again {
                    id = owner.mailbox.send(entry.clone());
                    if owner.lasting {
                        let (client, number) = (client.to_owned(), letter.number);
                        office.write(&Record::Sent { client, number, id });
                    }
                }
                answer::publish(out, terms.version, &packet, Some(id));
            }
            add(&self.stats.commands_sent, 1);
        }
    }

    /// A client has answered a command.
    pub(crate) fn acknowledged(&self, client: &str, id: u16) {
        let mut office = self.lock();
        let owner = office.boxes.get_mut(client);
        if let Some(letter) = owner.and_then(|owner| owner.mailbox.settle(id)) {
            add(&self.stats.commands_acknowledged, 1);
            office.done(client, letter.number);
        }
    }

    /// How many commands wait, or are sent without an answer.
    pub(crate) fn waiting(&self) -> usize {
        let office = self.lock();
        let queued: usize = office.boxes.values().map(|owner| owner.mailbox.len()).sum();
        queued + office.held_count
    }

    /// Puts a letter in a mailbox and rings the bell.
    fn put(&self, office: &mut Office, client: &Arc<str>, letter: Arc<Letter>, retained: bool) {
        let Some(owner) = office.boxes.get_mut(client) else { return };
        let Some(wanted) = owner.mailbox.wants(&letter.topic) else { return };
        let qos = wanted.min(letter.qos);
        if let Some(bell) = &owner.bell {
            bell.ring_for_mail();
        }
        let entry = Entry { letter: letter.clone(), qos, retained };
        let CommandsConfig { max_queued, max_queued_bytes, .. } = self.config;
        let gone = owner.mailbox.push(entry, max_queued, max_queued_bytes);
        let lasting = owner.lasting;
        add(&self.stats.commands_dropped, gone.len());
        for letter in gone {
            office.done(client, letter.number);
        }
        if lasting {
            let (client, letter) = (client.to_string(), saved(&letter));
            office.write(&Record::Queued { client, qos, retained, letter });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Office> {
        self.office.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Office {
    fn forget(&mut self, client: &str) {
        let Some(owner) = self.boxes.remove(client) else { return };
        for (filter, _) in &owner.mailbox.subscriptions {
            self.index.remove(filter, client);
        }
        if owner.lasting {
            self.write(&Record::Gone { client: client.to_owned() });
        }
    }

    fn unsubscribe(&mut self, client: &str, filter: &str) -> bool {
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

    fn keep(
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
    fn take_held(&mut self, filter: &str) -> Vec<Arc<Letter>> {
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

    fn retained_for(&self, filter: &str) -> Vec<Arc<Letter>> {
        under(&self.retained, filter).map(|(_, letter)| letter.clone()).collect()
    }

    /// A letter is out of a mailbox.
    fn done(&mut self, client: &str, number: u64) {
        if self.boxes.get(client).is_some_and(|owner| owner.lasting) {
            self.write(&Record::Done { client: client.to_owned(), number });
        }
    }

    /// Forgets what has waited too long for a subscriber.
    fn tidy(&mut self, now: Timestamp) {
        self.held.retain(|_, letters| {
            letters.retain(|letter| !letter.is_stale(now));
            !letters.is_empty()
        });
        self.held_count = self.held.values().map(Vec::len).sum();
        self.retained.retain(|_, letter| !letter.is_stale(now));
    }

    fn write(&mut self, record: &Record) {
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

fn saved(letter: &Letter) -> Saved {
    Saved {
        number: letter.number,
        topic: letter.topic.to_string(),
        payload: letter.payload.to_vec(),
        qos: letter.qos,
        expires: letter.expires.map(Timestamp::micros),
    }
}

/// In whole seconds, at least 1: what is sent is not expired.
fn seconds_until(expires: Timestamp, now: Timestamp) -> u32 {
    let left = expires.since(now).micros() / 1_000_000;
    u32::try_from(left.max(1)).unwrap_or(u32::MAX)
}

fn cannot_write(error: &io::Error) {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "cannot write the file of commands; what waits now will not outlive a restart"
    );
}
