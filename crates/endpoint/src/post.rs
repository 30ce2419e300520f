//! The post office's counter: connections subscribe and take their commands, the program sends them.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use city_model::{SharedClock, Timestamp};

use crate::acks::Acks;
use crate::answer;
use crate::downlink::{CommandsConfig, Delivery, DownlinkError, DownlinkMessage, Keep};
use crate::filters::Filters;
use crate::journal::Record;
use crate::mailbox::{Entry, Letter, Outgoing};
use crate::office::{Office, saved};
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
        let office = Office::open(file, clock.now(), has_session)?;
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
                self.put(&mut office, client, &letter, false);
            }
        }
        let wanted = match retained {
            Retained::Send => true,
            Retained::SendIfNew => is_new,
            Retained::DoNotSend => false,
        };
        if wanted {
            for letter in office.retained_for(filter) {
                self.put(&mut office, client, &letter, true);
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
        let is_topic = !topic.is_empty() && u16::try_from(topic.len()).is_ok();
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
            self.put(&mut office, client, &letter, false);
        }
        add(&self.stats.commands, 1);
        let is_there = |client: &&Arc<str>| {
            office.boxes.get(&***client).is_some_and(|owner| owner.bell.is_some())
        };
        let connected = clients.iter().filter(is_there).count();
        Ok(Delivery { clients: clients.len(), connected, kept })
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
    fn put(&self, office: &mut Office, client: &Arc<str>, letter: &Arc<Letter>, retained: bool) {
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
            let (client, letter) = (client.to_string(), saved(letter));
            office.write(&Record::Queued { client, qos, retained, letter });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Office> {
        self.office.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In whole seconds, at least 1: what is sent is not expired.
fn seconds_until(expires: Timestamp, now: Timestamp) -> u32 {
    let left = expires.since(now).micros() / 1_000_000;
    u32::try_from(left.max(1)).unwrap_or(u32::MAX)
}
