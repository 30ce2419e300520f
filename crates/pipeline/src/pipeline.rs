//! The pipeline as a whole: two threads behind the intake, one that turns messages into readings
//! and one that commits them, so that the disk and the processor work at the same time.

use std::collections::BTreeMap;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use city_decode::Codecs;
use city_derive::AqiConfig;
use city_model::{SharedClock, Timestamp};
use city_quality::{LocationChecks, MetricChecks};
use city_registry::{Registry, RegistryError};
use city_store::{Commit, DeadLetterId, NewDeadLetter, SharedStore, StoreError};
use tokio::sync::oneshot;

use crate::check::Checks;
use crate::commit::{Committer, Prepared, Share};
use crate::derive::Deriver;
use crate::intake::{
    Ack, AckSink, Delivery, Intake, Limits, RawMessage, Received, SourceKey, intake,
};
use crate::letter::Reason;
use crate::locate::Locator;
use crate::process::{Processor, ProcessorParts, TimePolicy};
use crate::push::Pusher;
use crate::status::{Gauge, PipelineStatus};
use crate::{Downlink, Follower, Sources, Speakers};

/// Readings in one commit, at most: what keeps the fsyncs rare under load. When the sources are
/// slower than the disk, commits are smaller and nothing waits.
const COMMIT_READINGS: usize = 10_000;

/// Dead letters in one commit, at most, and their bytes: a flood of them must not keep readings and
/// acknowledgements waiting for one huge commit.
const COMMIT_LETTERS: usize = 2_000;
const COMMIT_LETTER_BYTES: usize = 16 << 20;

/// Commits that may wait for the committer: one under way, one ready.
const PREPARED: usize = 1;

/// What a pipeline is made of.
pub struct PipelineParts {
    /// The sources.
    pub sources: Arc<Sources>,
    /// The registry.
    pub registry: Arc<Registry>,
    /// The store.
    pub store: SharedStore,
    /// Who follows the committed readings, in order.
    pub followers: Vec<Arc<dyn Follower>>,
    /// The city's bounds, for the plausibility of positions.
    pub bounds: Option<[f64; 4]>,
    /// What is tolerated in event times.
    pub times: TimePolicy,
    /// Quality checks by metric, beside those that every metric has.
    pub checks: BTreeMap<String, MetricChecks>,
    /// Limits for the positions that messages carry.
    pub location: LocationChecks,
    /// The air quality indices that are derived.
    pub aqi: Vec<AqiConfig>,
    /// The codecs of the devices.
    pub codecs: Arc<dyn Codecs>,
    /// Which clients may speak for which devices.
    pub speakers: Arc<dyn Speakers>,
    /// The way back to the sources.
    pub downlink: Arc<dyn Downlink>,
    /// How much may be under way.
    pub limits: Limits,
    /// The clock.
    pub clock: SharedClock,
    /// Where the pipeline's metrics go.
    pub metrics: prometheus::Registry,
}

impl std::fmt::Debug for PipelineParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PipelineParts").finish_non_exhaustive()
    }
}

/// Why a pipeline cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A metric's name is taken.
    #[error("the pipeline's metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The sources cannot be numbered.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What was committed before cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no thread.
    #[error("the pipeline's threads cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// A running pipeline.
pub struct Pipeline {
    intake: Intake,
    gauge: Arc<Gauge>,
    store: SharedStore,
    sources: Arc<Sources>,
    clock: SharedClock,
    speakers: Arc<dyn Speakers>,
    threads: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}

impl Pipeline {
    /// Starts the threads.
    pub fn start(parts: PipelineParts) -> Result<Self, StartError> {
        let gauge = Arc::new(Gauge::new(&parts.metrics)?);
        let (intake, received) = intake(parts.limits);
        let (sender, prepared) = sync_channel(PREPARED);
        let committer = Committer {
            store: parts.store.clone(),
            followers: parts.followers,
            gauge: gauge.clone(),
            clock: parts.clock.clone(),
        };
        let clock = parts.clock.clone();
        let deriver = Deriver::new(&parts.aqi, &parts.registry, &parts.store, clock)?;
        let processor = Processor::new(ProcessorParts {
            deriver,
            locator: Locator::new(
                parts.registry.zones(),
                parts.bounds,
                &parts.store,
                &parts.location,
            ),
            sources: parts.sources.clone(),
            registry: parts.registry,
            times: parts.times,
            checks: Checks::new(parts.checks),
            codecs: parts.codecs,
            speakers: parts.speakers.clone(),
            downlink: parts.downlink,
            deliveries: parts.store.deliveries()?,
        })?;
        let counted = gauge.clone();
        let threads = vec![
            std::thread::Builder::new()
                .name("commit".to_owned())
                .spawn(move || committer.run(&prepared))?,
            std::thread::Builder::new()
                .name("pipeline".to_owned())
                .spawn(move || process(received, processor, &sender, &counted))?,
        ];
        Ok(Self {
            intake,
            gauge,
            store: parts.store,
            sources: parts.sources,
            clock: parts.clock,
            speakers: parts.speakers,
            threads,
        })
    }

    /// The front door, for sources.
    pub fn intake(&self) -> Intake {
        self.intake.clone()
    }

    /// The sources.
    pub fn sources(&self) -> &Arc<Sources> {
        &self.sources
    }

    /// How it is doing now.
    pub fn status(&self) -> PipelineStatus {
        self.gauge.status(self.clock.now())
    }

    /// What replays dead letters through this pipeline.
    pub fn replayer(&self) -> Replayer {
        Replayer {
            intake: self.intake.clone(),
            store: self.store.clone(),
            sources: self.sources.clone(),
            clock: self.clock.clone(),
        }
    }

    /// What takes messages from those who wait for the outcome.
    pub fn pusher(&self) -> Pusher {
        let (intake, sources) = (self.intake.clone(), self.sources.clone());
        Pusher::new(intake, sources, self.clock.clone(), self.speakers.clone())
    }

    /// A view for those who ask how it is doing while it runs.
    pub fn monitor(&self) -> Monitor {
        Monitor { gauge: self.gauge.clone(), clock: self.clock.clone() }
    }

    /// Commits what was taken and stops; blocks until that is done. A store that fails is given
    /// up: what is not durable was not acknowledged.
    pub fn stop(self) {
        let Self { intake, gauge, threads, .. } = self;
        gauge.stop_retrying();
        intake.stop();
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the pipeline panicked");
            }
        }
    }
}

/// Tells how a pipeline is doing.
#[derive(Clone)]
pub struct Monitor {
    gauge: Arc<Gauge>,
    clock: SharedClock,
}

impl std::fmt::Debug for Monitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Monitor").finish_non_exhaustive()
    }
}

impl Monitor {
    /// How it is doing now.
    pub fn status(&self) -> PipelineStatus {
        self.gauge.status(self.clock.now())
    }

    /// When the oldest message was received that is taken, but that the followers have not heard
    /// of; `None` if there is none.
    pub fn oldest_open(&self) -> Option<Timestamp> {
        self.gauge.oldest_open()
    }
}

/// The processor's thread.
fn process(
    mut received: Received,
    mut processor: Processor,
    sender: &SyncSender<Prepared>,
    gauge: &Gauge,
) {
    while let Some(first) = received.next_blocking() {
        processor.refresh();
        let mut commit = Commit::default();
        let (mut messages, mut shares) = (Vec::new(), Vec::new());
        let mut letter_bytes = 0;
        let oldest = first.messages.first().map_or(Timestamp::MIN, |message| message.received);
        gauge.begun(oldest);
        let mut next = Some(first);
        while let Some(pending) = next {
            gauge.taken(pending.messages.len());
            let mut before = (commit.readings.len(), commit.dead_letters.len());
            processor.batch(&pending.messages, &mut commit, |commit| {
                let letters = &commit.dead_letters[before.1..];
                letter_bytes += letters.iter().map(|letter| letter.payload.len()).sum::<usize>();
                let now = (commit.readings.len(), commit.dead_letters.len());
                shares.push(Share {
                    readings: (now.0 - before.0) as u32,
                    dead_letters: (now.1 - before.1) as u32,
                });
                before = now;
            });
            messages.push(pending);
            let full = commit.readings.len() >= COMMIT_READINGS
                || commit.dead_letters.len() >= COMMIT_LETTERS
                || letter_bytes >= COMMIT_LETTER_BYTES;
            next = if full { None } else { received.try_next() };
        }
        processor.derive(&mut commit);
        if sender.send(Prepared { commit, messages, shares }).is_err() {
            return; // the committer gave up: nothing more can become durable
        }
    }
}

/// Why a dead letter cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// There is no such dead letter.
    #[error("there is no dead letter {}; `citybrain dead-letters list` shows those that there are", .0.0)]
    Unknown(DeadLetterId),
    /// The pipeline has stopped.
    #[error("the pipeline has stopped; start citybrain and try again")]
    Stopped,
    /// It took too long; it may still be under way.
    #[error("ingest is too slow just now; look at the dead letters again in a minute")]
    Slow,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Feeds dead letters through the pipeline again.
#[derive(Clone)]
pub struct Replayer {
    intake: Intake,
    store: SharedStore,
    sources: Arc<Sources>,
    clock: SharedClock,
}

impl std::fmt::Debug for Replayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replayer").finish_non_exhaustive()
    }
}

impl Replayer {
    /// Sends the message of a dead letter through the pipeline once more, as it came, to the
    /// source that wants its topic now; waits until what became of it is durable. If it fails
    /// again, that is a new dead letter. Readings that were stored the first time are duplicates.
    pub async fn replay(&self, id: DeadLetterId) -> Result<(), ReplayError> {
        let store = self.store.clone();
        let letter = tokio::task::spawn_blocking(move || store.dead_letter(id))
            .await
            .map_err(|_| ReplayError::Stopped)??
            .ok_or(ReplayError::Unknown(id))?
            .letter;
        let (sink, durable) = Once::new();
        let garbage = letter.reason == Reason::GARBAGE;
        let delivery = Delivery { garbage, ..Delivery::default() };
        let message = RawMessage {
            source: self.source(&letter),
            topic: letter.topic.as_str().into(),
            payload: bytes::Bytes::copy_from_slice(&letter.payload),
            received: letter.received,
            retained: false,
            replayed: true,
            client: letter.client.as_deref().map(Into::into),
            ack: Some(Ack::new(sink, 0).delivered(delivery)),
        };
        let replayed = async {
            self.intake.send(vec![message]).await.map_err(|_| ReplayError::Stopped)?;
            durable.await.map_err(|_| ReplayError::Stopped)
        };
        tokio::time::timeout(REPLAY_PATIENCE, replayed).await.map_err(|_| ReplayError::Slow)??;
        let (store, now) = (self.store.clone(), self.clock.now());
        tokio::task::spawn_blocking(move || store.mark_replayed(id, now))
            .await
            .map_err(|_| ReplayError::Stopped)??;
        Ok(())
    }

    /// The source that it came from, if it is still there, or the one that wants its topic now.
    fn source(&self, letter: &NewDeadLetter) -> Option<SourceKey> {
        self.sources.by_id(&letter.source_id).or_else(|| {
            let mut brokers: Vec<_> =
                self.sources.iter().map(|source| source.spec.broker.as_deref()).collect();
            brokers.dedup();
            brokers.into_iter().find_map(|broker| self.sources.route(broker, &letter.topic))
        })
    }
}

/// How long a replay waits until its readings are durable.
const REPLAY_PATIENCE: Duration = Duration::from_secs(10);

/// Hears of one commit.
struct Once(Mutex<Option<oneshot::Sender<()>>>);

impl Once {
    fn new() -> (Arc<Self>, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        (Arc::new(Self(Mutex::new(Some(sender)))), receiver)
    }
}

impl AckSink for Once {
    fn committed(&self, _token: u64) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        // An error says that nobody waits any more.
        let _ = sender.map(|sender| sender.send(()));
    }
}

#[cfg(test)]
mod tests {
    use city_registry::Seed;
    use city_store::{Memory, StateDb};

    use super::*;
    use crate::{Everybody, NoCodecs, NoDownlink};

    /// What a processor without sources makes of batches of messages that are there already: the
    /// dead letters of each commit.
    fn commits(batches: usize, messages: usize, bytes: usize) -> Vec<usize> {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let registry = Arc::new(Registry::open(state, Seed::default()).expect("a registry"));
        let store: SharedStore = Arc::new(Memory::new());
        let location = LocationChecks::default();
        let processor = Processor::new(ProcessorParts {
            locator: Locator::new(registry.zones(), None, &store, &location),
            sources: Arc::default(),
            registry,
            times: TimePolicy::default(),
            checks: Checks::new(BTreeMap::default()),
            codecs: Arc::new(NoCodecs),
            speakers: Arc::new(Everybody),
            downlink: Arc::new(NoDownlink),
            deriver: None,
            deliveries: Vec::new(),
        });
        let (intake, received) = intake(Limits::default());
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        for _ in 0..batches {
            let message = |_| RawMessage {
                source: None,
                topic: "nobody/wants/it".into(),
                payload: vec![0; bytes].into(),
                received: Timestamp::default(),
                retained: false,
                replayed: false,
                client: None,
                ack: None,
            };
            let batch = (0..messages).map(message).collect();
            runtime.block_on(intake.send(batch)).expect("open");
        }
        drop(intake);
        let (sender, prepared) = sync_channel(batches);
        let gauge = Gauge::new(&prometheus::Registry::new()).expect("a gauge");
        process(received, processor.expect("a processor"), &sender, &gauge);
        drop(sender);
        prepared.iter().map(|prepared| prepared.commit.dead_letters.len()).collect()
    }

    #[test]
    fn a_flood_of_dead_letters_is_committed_in_parts() {
        assert_eq!(commits(10, 500, 10), [2_000, 2_000, 1_000]);
        assert_eq!(commits(10, 1, 5 << 20), [4, 4, 2], "as large as 16 MiB and one more");
    }
}
