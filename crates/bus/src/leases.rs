//! Exclusive ownership of named things for a short time.
//!
//! A lease is an entry of a replicated key-value store that its holder writes anew again and again.
//! No clocks need agree. A holder counts from before it sent its last successful renewal, by its own
//! monotonic clock, and gives up after three quarters of the time to live. Others count from when
//! they first saw that renewal, which is later, and take over after the whole of it; the time during
//! which they could not look does not count, for nobody could renew anything while the bus was away.
//! Taking is a compare-and-set on the entry's revision: of two that try, one succeeds.
//!
//! Who is too slow to renew in time, as on a machine that is kept busy by something else, soon comes
//! back. If it got its share back at once, that would cost it and the others the very time that is
//! missing, again and again; it must have lived for a while ([`Leases::live`]).
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

/// For so many times to live a node must give signs of life again until it is counted among those
/// that live, if it gave none for too long before.
const RETURNS: u32 = 2;

/// The headers by which key-value stores mark what was deleted.
const OPERATION: (&str, &str) = ("KV-Operation", "DEL");

/// The leases of one node. One thread calls [`turn`](Self::turn) every quarter of the time to live.
pub struct Leases {
    bus: Bus,
    ttl: Duration,
    /// Tells this process from an earlier one of the same node.
    process: String,
    held: Arc<Mutex<BTreeMap<String, Held>>>,
    /// What was read of all entries, and for how long each revision has been seen.
    seen: HashMap<String, Seen>,
    /// When all entries were last read.
    looked: Option<Instant>,
    group: Option<String>,
}

#[derive(Clone, Copy)]
struct Held {
    revision: u64,
    until: Instant,
}

struct Seen {
    revision: u64,
    /// How long it has been the same while it was looked at.
    quiet: Duration,
    /// How long it has been renewed again after it was not for longer than the time to live; none if
    /// it always was.
    back: Option<Duration>,
    /// Who holds it; none if it was released.
    holder: Option<Holder>,
}

impl Seen {
    /// What is seen now, `passed` after the time before.
    fn next(
        before: Option<&Self>,
        passed: Duration,
        ttl: Duration,
        revision: u64,
        holder: Option<Holder>,
    ) -> Self {
        let Some(before) = before else {
            return Self { revision, quiet: Duration::ZERO, back: None, holder };
        };
        // The time in which nobody looked does not count.
        let passed = passed.min(ttl / 2);
        let is_same = before.revision == revision;
        let quiet = if is_same { before.quiet + passed } else { Duration::ZERO };
        // Who says that it leaves has not been too slow.
        let back = if before.holder.is_some() && before.quiet >= ttl {
            Some(Duration::ZERO)
        } else {
            before.back.map(|back| back + passed).filter(|back| *back < ttl * RETURNS)
        };
        Self { revision, quiet, back, holder }
    }

    /// Whether the holder gives signs of life.
    fn lives(&self, ttl: Duration) -> bool {
        self.holder.is_some() && self.quiet < ttl
    }
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
        Self { bus, ttl, process, held, seen: HashMap::new(), looked: None, group: None }
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
            let holder = seen.holder.as_ref().filter(|_| seen.lives(self.ttl))?;
            Some((name.to_owned(), holder.node.clone()))
        });
        held.collect()
    }

    /// The nodes of a group that live, as of the last turn that could look, in order; none before
    /// the first. This node is among them if it announced itself. A node that had no time to give
    /// signs of life for longer than the time to live is not, until it has given them for twice as
    /// long; one that left, or that is new, is at once.
    pub fn live(&self, group: &str) -> Vec<String> {
        let begin = format!("node.{group}.");
        let live = self.seen.iter().filter(|(_, seen)| seen.lives(self.ttl) && seen.back.is_none());
        let mut nodes: Vec<_> =
            live.filter_map(|(key, _)| key.strip_prefix(&begin).map(str::to_owned)).collect();
        if self.looked.is_some() && self.group.as_deref() == Some(group) {
            nodes.push(self.bus.node().to_owned());
        }
        nodes.sort_unstable();
        nodes.dedup();
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
                Some(seen) if !seen.lives(self.ttl) || mine(seen) => {
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
        let passed = self.looked.map_or(Duration::ZERO, |looked| now - looked);
        let mut seen = HashMap::new();
        for (key, last) in found.into_iter().flatten() {
            let deleted = last.headers.get(OPERATION.0).is_some();
            let holder = if deleted { None } else { holder(&last.payload) };
            let before = self.seen.get(&key);
            let next = Seen::next(before, passed, self.ttl, last.sequence, holder);
            seen.insert(key, next);
        }
        (self.seen, self.looked) = (seen, Some(now));
        Ok(())
    }
}

fn holder(value: &[u8]) -> Option<Holder> {
    let (node, process) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    Some(Holder { node: node.to_owned(), process: process.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(8);
    const TURN: Duration = Duration::from_secs(2);

    /// What is seen of an entry of these revisions, one each turn; revision 0 is its deletion.
    fn seen(before: Option<Seen>, revisions: impl IntoIterator<Item = u64>) -> Option<Seen> {
        revisions.into_iter().fold(before, |before, revision| {
            let node = || Holder { node: "a".to_owned(), process: "1".to_owned() };
            let holder = (revision > 0).then(node);
            Some(Seen::next(before.as_ref(), TURN, TTL, revision, holder))
        })
    }

    #[test]
    fn who_gives_no_signs_of_life_for_the_time_to_live_is_gone() {
        let lives = |seen: Option<Seen>| seen.is_some_and(|seen| seen.lives(TTL));
        assert!(lives(seen(None, [7])));
        assert!(lives(seen(None, [7, 7, 7, 7])));
        assert!(!lives(seen(None, [7, 7, 7, 7, 7])));
        assert!(!lives(seen(None, [7, 0])));
        // Nobody looked for long: it may have had no chance.
        let before = seen(None, [7]).unwrap();
        let after = Seen::next(Some(&before), 10 * TTL, TTL, 7, before.holder.clone());
        assert!(after.lives(TTL));
    }

    #[test]
    fn who_was_too_slow_is_back_only_when_it_has_lived_for_a_while() {
        let back = |seen: &Option<Seen>| seen.as_ref().unwrap().back.is_some();
        let gone = || seen(None, [7; 5]);
        assert!(!back(&gone()));
        let mut returned = seen(gone(), [8]);
        for turn in 0..7 {
            assert!(back(&returned), "turn {turn}");
            returned = seen(returned, [9 + turn]);
        }
        returned = seen(returned, [99]);
        assert!(!back(&returned));
        // Too slow once more meanwhile: from the beginning.
        let again = seen(seen(gone(), [8, 8, 8, 8, 8]), [9, 10]).unwrap();
        assert_eq!(again.back, Some(TURN));
        // It said that it leaves, or nobody has seen it before.
        assert!(!back(&seen(None, [7, 0, 0, 0, 0, 0, 8])));
        assert!(!back(&seen(None, [8])));
    }
}
