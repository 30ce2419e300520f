//! Devices that send until everything is acknowledged, through whatever door takes it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use city_tests::cluster::RECOVERS;
use city_tests::publisher::Publisher;

/// Devices send through so many connections, each device through one of them.
pub(super) const CONNECTIONS: usize = 4;

/// An MQTT message.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
}

/// What there is to send.
pub(super) trait Load: Send + Sync {
    /// What goes through a connection in a round: one list after the other, the messages of a list
    /// together.
    fn waves(&self, connection: usize, round: usize) -> Vec<Vec<Message>>;
}

/// Devices that send one round after the other until they are told how many there are, each message
/// until it is acknowledged.
pub(super) struct Devices {
    rounds: Arc<AtomicUsize>,
    /// How many messages were sent more than once.
    pub(super) sent_again: Arc<AtomicU64>,
    done: Vec<Arc<AtomicUsize>>,
    threads: Vec<std::thread::JoinHandle<anyhow::Result<()>>>,
}

impl Devices {
    pub(super) fn start(load: &Arc<dyn Load>, doors: &[SocketAddr], pace: Duration) -> Self {
        let (rounds, sent_again) = (Arc::new(AtomicUsize::new(usize::MAX)), Arc::default());
        let mut devices = Self {
            rounds: rounds.clone(),
            sent_again: Arc::clone(&sent_again),
            done: Vec::new(),
            threads: Vec::new(),
        };
        for connection in 0..CONNECTIONS {
            let done = Arc::new(AtomicUsize::new(0));
            devices.done.push(done.clone());
            let sender = Sender {
                doors: doors.to_vec(),
                connection,
                load: load.clone(),
                pace,
                rounds: rounds.clone(),
                again: sent_again.clone(),
                done,
            };
            devices.threads.push(std::thread::spawn(move || sender.run()));
        }
        devices
    }

    /// How many rounds all have sent.
    pub(super) fn done(&self) -> usize {
        self.done.iter().map(|done| done.load(Ordering::Relaxed)).min().unwrap_or(0)
    }

    /// Ends after the round that is under way; tells how many there were.
    pub(super) fn finish(self) -> anyhow::Result<usize> {
        let most = self.done.iter().map(|done| done.load(Ordering::Relaxed)).max();
        let rounds = most.unwrap_or(0) + 2;
        self.finish_after(rounds)?;
        Ok(rounds)
    }

    /// Ends after so many rounds, if there were not more already.
    pub(super) fn finish_after(self, rounds: usize) -> anyhow::Result<()> {
        self.rounds.store(rounds, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a sender does not panic")?;
        }
        Ok(())
    }
}

struct Sender {
    doors: Vec<SocketAddr>,
    connection: usize,
    load: Arc<dyn Load>,
    pace: Duration,
    rounds: Arc<AtomicUsize>,
    again: Arc<AtomicU64>,
    done: Arc<AtomicUsize>,
}

impl Sender {
    fn run(self) -> anyhow::Result<()> {
        let mut line = Line::new(&self.doors, self.connection);
        for round in 0.. {
            if round >= self.rounds.load(Ordering::Relaxed) {
                break;
            }
            let begun = Instant::now();
            for wave in self.load.waves(self.connection, round) {
                line.send(&wave, &self.again)
                    .with_context(|| format!("connection {}, round {round}", self.connection))?;
            }
            self.done.store(round + 1, Ordering::Relaxed);
            std::thread::sleep(self.pace.saturating_sub(begun.elapsed()));
        }
        Ok(())
    }
}

/// A connection to one of several doors, and to the next one when it breaks.
pub(super) struct Line {
    doors: Vec<SocketAddr>,
    at: usize,
    open: Option<Publisher>,
}

impl Line {
    pub(super) fn new(doors: &[SocketAddr], first: usize) -> Self {
        Self { doors: doors.to_vec(), at: first, open: None }
    }

    /// Sends messages until all are acknowledged, by whomever.
    pub(super) fn send(&mut self, messages: &[Message], again: &AtomicU64) -> anyhow::Result<()> {
        let begun = Instant::now();
        let mut left: Vec<usize> = (0..messages.len()).collect();
        let mut tries = 0_u64;
        while !left.is_empty() {
            ensure!(begun.elapsed() < 2 * RECOVERS, "nobody takes {} messages", left.len());
            if tries > 0 {
                again.fetch_add(left.len() as u64, Ordering::Relaxed);
            }
            tries += 1;
            if self.attempt(messages, &mut left).is_err() {
                self.open = None;
                self.at += 1;
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(())
    }

    fn attempt(&mut self, messages: &[Message], left: &mut Vec<usize>) -> anyhow::Result<()> {
        let door = self.doors[self.at % self.doors.len()];
        let publisher = match &mut self.open {
            Some(publisher) => publisher,
            none => none.insert(Publisher::connect(door, &format!("devices-{}", self.at))?),
        };
        let mut under_way = BTreeMap::new();
        for index in left.iter() {
            let Message { topic, payload } = &messages[*index];
            under_way.insert(publisher.publish(topic, payload), *index);
        }
        publisher.flush()?;
        while !under_way.is_empty() {
            // A collector that the bus does not answer keeps its acknowledgements back.
            let id = publisher.acknowledged_within(Duration::from_secs(5))?.context("too slow")?;
            if let Some(index) = under_way.remove(&id) {
                left.retain(|one| *one != index);
            }
        }
        Ok(())
    }
}
