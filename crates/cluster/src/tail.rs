//! All that was committed to the bus, brought into a store of one's own and told to the live views.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use city_bus::{Bus, BusError, Follow, Message};
use city_model::Timestamp;
use city_pipeline::{Committed, Follower};
use city_registry::{Registry, RegistryError};
use city_store::{Commit, DeliveryNote, Outcome, SharedStore, StateDb, StoreError};

use crate::place::Placer;
use crate::wire::Batch;

/// Under this key, mixed with when the bus was made, the store notes in the same commit up to where it
/// has read that bus.
const POSITION: u64 = u64::from_be_bytes(*b"city-bus");

/// Readings in one commit, at most.
const COMMIT_READINGS: usize = 10_000;

/// Messages that are read at once.
const MESSAGES: usize = 64;

const LOOK_UP: Duration = Duration::from_millis(200);
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// What a tail is made of.
pub struct TailParts {
    /// The bus.
    pub bus: Bus,
    /// The registry.
    pub registry: Arc<Registry>,
    /// The city's state.
    pub state: Arc<StateDb>,
    /// Where readings, dead letters and counters go.
    pub store: SharedStore,
    /// Who is told of new readings; must not block.
    pub followers: Vec<Arc<dyn Follower>>,
}

impl std::fmt::Debug for TailParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TailParts").finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
enum TailError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// A thread that reads the bus into a store. Dropping it ends it; the store knows how far it came.
#[derive(Debug)]
pub struct Tail {
    stop: Arc<AtomicBool>,
    taken: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Tail {
    /// Goes on where the store stands.
    pub fn start(parts: TailParts) -> Result<Self, StoreError> {
        let key = POSITION ^ parts.bus.made() as u64;
        let taken = position(&parts.store, key)?;
        let (stop, at) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(taken)));
        let placer = Placer::new(parts.registry.clone(), parts.state.clone());
        let mut reader = Reader { parts, placer, key, stop: stop.clone(), taken: at.clone() };
        let thread = std::thread::Builder::new()
            .name("bus-readings".to_owned())
            .spawn(move || reader.run())
            .map_err(|error| {
                let message = "the thread that reads the bus cannot be started";
                StoreError::new(city_store::StoreErrorKind::Other, message).caused_by(error)
            })?;
        Ok(Self { stop, taken: at, thread: Some(thread) })
    }

    /// The number of the last message of the bus that is in the store.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that reads the bus panicked");
        }
    }
}

/// Up to where a store has read the bus.
fn position(store: &SharedStore, key: u64) -> Result<u64, StoreError> {
    let notes = store.deliveries()?;
    let mine = notes.iter().filter(|note| note.key == key);
    Ok(mine.map(|note| note.received.micros() as u64).max().unwrap_or(0))
}

struct Reader {
    parts: TailParts,
    placer: Placer,
    /// Under which the position is noted.
    key: u64,
    stop: Arc<AtomicBool>,
    taken: Arc<AtomicU64>,
}

impl Reader {
    fn run(&mut self) {
        while !self.stop.load(Ordering::Relaxed) {
            match self.read() {
                Ok(()) => {}
                Err(TailError::Bus(BusError::Gone { first })) => {
                    tracing::error!(
                        from = self.taken.load(Ordering::Relaxed) + 1,
                        first,
                        "readings are gone from the bus before this brain has read them; its history \
                         lacks them"
                    );
                    self.taken.store(first.saturating_sub(1), Ordering::Relaxed);
                }
                Err(error) => {
                    tracing::error!(error.cause = %error, "the bus cannot be read into the store; it is tried again");
                    std::thread::sleep(TRY_AGAIN);
                }
            }
        }
    }

    /// Reads until it is told to stop, or something fails.
    fn read(&mut self) -> Result<(), TailError> {
        let taken = self.taken.load(Ordering::Relaxed);
        let mut following = self.parts.bus.follow(Follow::AllReadings, taken)?;
        let mut messages: Vec<Message> = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            messages.clear();
            following.next_batch(&mut messages, MESSAGES, LOOK_UP)?;
            let (mut commit, mut last) = (Commit::default(), None);
            for message in messages.drain(..) {
                let number = message.number;
                match Batch::decode(number, &message.payload) {
                    Ok(batch) => {
                        self.placer.await_state(&batch, &self.stop);
                        batch.add_to(&mut commit);
                    }
                    Err(error) => tracing::error!("{error}"),
                }
                last = Some(number);
                if commit.readings.len() >= COMMIT_READINGS {
                    self.commit(std::mem::take(&mut commit), number)?;
                    last = None;
                }
            }
            if let Some(number) = last {
                self.commit(commit, number)?;
            }
        }
        Ok(())
    }

    fn commit(&mut self, mut commit: Commit, number: u64) -> Result<(), TailError> {
        self.placer.place(&mut commit.readings)?;
        let at = Timestamp::from_micros(number as i64);
        commit.deliveries.push(DeliveryNote { key: self.key, received: at });
        let report = self.parts.store.commit(&commit)?;
        self.taken.store(number, Ordering::Relaxed);
        let fresh: Vec<_> = commit
            .readings
            .into_iter()
            .zip(&report.outcomes)
            .filter(|(_, outcome)| **outcome == Outcome::Stored)
            .map(|(reading, _)| reading)
            .collect();
        if !fresh.is_empty() {
            let committed = Arc::new(Committed { seq: report.seq, readings: fresh });
            for follower in &self.parts.followers {
                follower.follow(&committed);
            }
        }
        Ok(())
    }
}
