//! Exclusive ownership of named things for a short time.
//!
//! A lease is an entry of a replicated key-value store that its holder writes anew again and again.
//! No clocks need agree. A holder counts from before it sent its last successful renewal, by its own
//! monotonic clock, and gives up after three quarters of the time to live. Others count from when
//! they first saw that renewal, which is later, and take over after the whole of it. Taking is a
//! compare-and-set on the entry's revision: of two that try, one succeeds.
//!
//! It saves work from being done twice; it is no fence. A holder whose machine was suspended may act
//! before it sees that its time is over. What must not happen twice is appended to a log, which
//! refuses the second.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::bus::Bus;
use crate::error::{BusError, Cause};
use crate::names::{Part, dotted, token};
use crate::server::{PutError, patiently};

/// The shortest time to live: below it, a server's pause costs every lease.
const SHORTEST: Duration = Duration::from_secs(1);

/// The headers by which key-value stores mark what was deleted.
const OPERATION: (&str, &str) = ("KV-Operation", "DEL");

/// The leases of one node. One thread calls [`turn`](Self::turn) every quarter of the time to live.
pub struct Leases {
    bus: Bus,
    ttl: Duration,
    /// Tells this process from an earlier one of the same node.
    process: String,
    held: Arc<Mutex<BTreeMap<String, Held>>>,
    /// What was read of all entries, and when each revision was first seen.
    seen: HashMap<String, Seen>,
    group: Option<String>,
}

#[derive(Clone, Copy)]
struct Held {
    revision: u64,
    until: Instant,
}

struct Seen {
    revision: u64,
    since: Instant,
    /// Who holds it; none if it was released.
    holder: Option<Holder>,
}

#[derive(Clone, PartialEq, Eq)]
struct Holder {
    node: String,
    process: String,
}

/// What a turn changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Held from now on.
    pub gained: Vec<String>,
    /// Not held any more: what was done under them must stop now.
    pub lost: Vec<String>,
}

/// Says to any thread what is held at this moment, also when no turn comes to say that it is lost.
#[derive(Clone)]
pub struct Holding {
    held: Arc<Mutex<BTreeMap<String, Held>>>,
}

impl Holding {
    /// Whether a lease is held now.
    pub fn holds(&self, name: &str) -> bool {
        self.held.lock().get(name).is_some_and(|held| Instant::now() < held.until)
    }
}

impl Leases {
    pub(crate) fn new(bus: Bus, ttl: Duration) -> Self {
        let process = bus.unique();
        let (ttl, held) = (ttl.max(SHORTEST), Arc::default());
        Self { bus, ttl, process, held, seen: HashMap::new(), group: None }
    }

    /// A view for other threads.
    pub fn holding(&self) -> Holding {
        Holding { held: Arc::clone(&self.held) }
    }

    /// Has every turn say that this node lives, in a group such as that of the workers.
    pub fn announce(&mut self, group: &str) -> Result<(), BusError> {
        self.group = Some(token("group", group)?.to_owned());
        Ok(())
    }

    /// Renews what is held, `wanted` or not, and takes what is free or stale among `wanted`. It waits
    /// a quarter of the time to live at most. A lease that could not be renewed for three quarters of
    /// it is lost. If the bus cannot be asked that is an error, unless there are lost ones to tell.
    pub fn turn(&mut self, wanted: &[String]) -> Result<Changes, BusError> {
        for name in wanted {
            dotted("lease", name)?;
        }
        let bus = self.bus.clone();
        let asked = bus.run(self.ask(wanted));
        let mut changes = Changes::default();
        // Also after an error: the clock runs without the bus.
        let now = Instant::now();
        self.held.lock().retain(|name, held| {
            let holds = now < held.until;
            if !holds {
                changes.lost.push(name.clone());
            }
            holds
        });
        match asked {
            Ok(asked) => {
                changes.lost.extend(asked.lost);
                changes.gained = asked.gained;
                changes.gained.retain(|name| !changes.lost.contains(name));
                Ok(changes)
            }
            Err(error) if changes.lost.is_empty() => Err(error),
            Err(error) => {
                tracing::warn!(%error, lost = ?changes.lost, "leases are lost: the bus is away");
                Ok(changes)
            }
        }
    }

    /// Who holds what, as of the last turn.
    pub fn holders(&self) -> BTreeMap<String, String> {
        let held = self.seen.iter().filter_map(|(key, seen)| {
            let name = key.strip_prefix("lease.")?;
            let holder = seen.holder.as_ref().filter(|_| seen.since.elapsed() < self.ttl)?;
            Some((name.to_owned(), holder.node.clone()))
        });
        held.collect()
    }

    /// The nodes of a group that live, as of the last turn, in order. This node is among them if it
    /// announced itself.
    pub fn live(&self, group: &str) -> Vec<String> {
        let begin = format!("node.{group}.");
        let live = self
            .seen
            .iter()
            .filter(|(_, seen)| seen.holder.is_some() && seen.since.elapsed() < self.ttl);
        let mut nodes: Vec<_> =
            live.filter_map(|(key, _)| key.strip_prefix(&begin).map(str::to_owned)).collect();
        nodes.sort_unstable();
        nodes
    }

    /// Lets a lease go, so that others can take it at once. Stop first what is done under it. If the
    /// bus cannot be told, others take it after the time to live.
    pub fn release(&mut self, name: &str) {
        let held = self.held.lock().remove(name);
        if let Some(held) = held {
            self.delete(&format!("lease.{name}"), Some(held.revision));
        }
    }

    /// Releases all, and says that this node does not live any more.
    pub fn leave(&mut self) {
        let names: Vec<String> = self.held.lock().keys().cloned().collect();
        for name in names {
            self.release(&name);
        }
        if let Some(group) = self.group.take() {
            self.delete(&format!("node.{group}.{}", self.bus.node()), None);
        }
    }

    fn delete(&mut self, key: &str, revision: Option<u64>) {
        self.seen.remove(key);
        let subject = self.bus.names().key(key);
        let mut message = PublishMessage::build().header(OPERATION.0, OPERATION.1);
        if let Some(revision) = revision {
            message = message.expected_last_subject_sequence(revision);
        }
        let put = self.bus.server().put(&subject, message);
        // The timeout is made in the runtime.
        let put = async { tokio::time::timeout(self.ttl / 4, put).await };
        match self.bus.run(put) {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::info!(key, ?error, "others must wait for this lease to end"),
            Err(_) => tracing::info!(key, "others must wait for this lease to end: no answer"),
        }
    }

    /// Renews, looks, takes.
    async fn ask(&mut self, wanted: &[String]) -> Result<Changes, BusError> {
        let within = self.ttl / 4;
        let deadline = Instant::now() + within;
        if let Err(cause) = self.bus.server().connected(deadline).await {
            let doing = "renewing the leases".to_owned();
            return Err(BusError::TimedOut { doing, within, cause });
        }
        let held: Vec<(String, Held)> =
            self.held.lock().iter().map(|(name, held)| (name.clone(), *held)).collect();
        // First what is held; its time runs.
        let renewing =
            held.iter().map(async |(name, held)| self.write(name, held.revision, deadline).await);
        let renewed = join_all(renewing).await;
        let mut unsure = Vec::new();
        for ((name, _), renewed) in held.iter().zip(renewed) {
            match renewed {
                Ok(held) => _ = self.held.lock().insert(name.clone(), held),
                // Another has it, or an earlier renewal without an answer was successful after all.
                Err(Some(PutError::Mismatch)) => unsure.push(name.clone()),
                Err(error) => tracing::debug!(name, ?error, "a lease was not renewed"),
            }
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if let Some(group) = &self.group {
            let subject = self.bus.names().key(&format!("node.{group}.{}", self.bus.node()));
            let message = PublishMessage::build().payload(self.value());
            let put = self.bus.server().put(&subject, message);
            let _ = tokio::time::timeout_at(deadline, put).await;
        }
        self.look(left).await?;
        let mut changes = Changes::default();
        let mine =
            |seen: &Seen| seen.holder.as_ref().is_some_and(|holder| holder.process == self.process);
        let mut take = Vec::new();
        for name in &unsure {
            match self.seen.get(&format!("lease.{name}")) {
                Some(seen) if mine(seen) => take.push((name, seen.revision)),
                _ => {
                    self.held.lock().remove(name);
                    changes.lost.push(name.clone());
                }
            }
        }
        for name in wanted {
            if self.held.lock().contains_key(name) {
                continue;
            }
            match self.seen.get(&format!("lease.{name}")) {
                None => take.push((name, 0)),
                Some(seen)
                    if seen.holder.is_none() || mine(seen) || seen.since.elapsed() >= self.ttl =>
                {
                    take.push((name, seen.revision));
                }
                Some(_) => {}
            }
        }
        let taking =
            take.iter().map(async |(name, revision)| self.write(name, *revision, deadline).await);
        for ((name, _), taken) in take.iter().zip(join_all(taking).await) {
            if let Ok(held) = taken {
                let before = self.held.lock().insert((*name).clone(), held);
                if before.is_none() {
                    changes.gained.push((*name).clone());
                }
            }
        }
        Ok(changes)
    }

    /// Writes this process into a lease's entry if it has a revision yet. `None` as an error: no
    /// answer came.
    async fn write(
        &self,
        name: &str,
        revision: u64,
        deadline: Instant,
    ) -> Result<Held, Option<PutError>> {
        let subject = self.bus.names().key(&format!("lease.{name}"));
        let message =
            PublishMessage::build().expected_last_subject_sequence(revision).payload(self.value());
        // Before it is sent: nobody can see it earlier.
        let until = Instant::now() + self.ttl * 3 / 4;
        let put = self.bus.server().put(&subject, message);
        match tokio::time::timeout_at(deadline, put).await {
            Ok(Ok(revision)) => Ok(Held { revision, until }),
            Ok(Err(error)) => Err(Some(error)),
            Err(_) => Err(None),
        }
    }

    fn value(&self) -> Bytes {
        format!("{} {}", self.bus.node(), self.process).into()
    }

    /// Reads all entries from their leader.
    async fn look(&mut self, within: Duration) -> Result<(), BusError> {
        let bus = self.bus.clone();
        let (stream, begin) = (bus.names().stream(Part::Leases), bus.names().key(""));
        let doing = || "reading the leases".to_owned();
        let found = patiently(doing, within, async || {
            let subjects = bus.server().subjects(&stream, &format!("{begin}>")).await?;
            let reading = subjects.iter().map(async |subject| {
                let last = bus.server().last(&stream, subject).await?;
                let key = subject.strip_prefix(&begin).unwrap_or(subject).to_owned();
                Ok::<_, Cause>(last.map(|last| (key, last)))
            });
            try_join_all(reading).await
        })
        .await?;
        let now = Instant::now();
        let mut seen = HashMap::new();
        for (key, last) in found.into_iter().flatten() {
            let before = self.seen.get(&key).filter(|seen| seen.revision == last.sequence);
            let since = before.map_or(now, |seen| seen.since);
            let deleted = last.headers.get(OPERATION.0).is_some();
            let holder = if deleted { None } else { holder(&last.payload) };
            seen.insert(key, Seen { revision: last.sequence, since, holder });
        }
        self.seen = seen;
        Ok(())
    }
}

fn holder(value: &[u8]) -> Option<Holder> {
    let (node, process) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    Some(Holder { node: node.to_owned(), process: process.to_owned() })
}
