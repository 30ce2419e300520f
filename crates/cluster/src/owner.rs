//! One partition that this worker owns: its copy of the engine's state, the engine, what it hears, and
//! the way of what it finds to the bus.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, UNIX_EPOCH};

use city_alert::{
    Engine, EngineError, EngineParts, GateParts, Notifier, NotifierError, ReceiverConfig,
};
use city_bus::{Bus, BusError, Following, Message};
use city_model::{SharedClock, Span, Timestamp};
use city_pipeline::{Committed, Follower as _};
use city_registry::{Registry, RegistryError};
use city_rules::RuleSet;
use city_store::{Memory, StateDb, StateError, Writers};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::bus_store::BusStore;
use crate::courier::Courier;
use crate::partition::{Partition, partition_of};
use crate::place::Placer;
use crate::replica::{Replica, ReplicaError};
use crate::wire::Batch;

/// The receiver of an engine's events.
const BRAIN: &str = "brain";

/// Messages that are read at once.
const MESSAGES: usize = 64;

/// How long to wait for the next message before looking whether there is one.
const LOOK_UP: Duration = Duration::from_millis(200);

/// How often it is looked whether everything was heard, while nothing comes.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Timers run this far behind what was heard: a reading that a collector has received may still be on
/// its way to the bus.
const ON_ITS_WAY: Span = Span::from_secs(2);

/// For so long after the bus was away timers stand still: what collectors hold comes first.
const AFTER_AN_OUTAGE: Duration = Duration::from_secs(10);

/// How often the image of the engine's state is renewed, and its log cut.
const IMAGE_EVERY: Duration = Duration::from_mins(1);

/// After how long an engine whose state is not taken is begun anew, from what the bus has: of a write
/// that was not answered nobody knows whether it was taken.
const STUCK_AFTER: Duration = Duration::from_secs(5);

const TRY_AGAIN: Duration = Duration::from_millis(500);

/// Why a partition is not evaluated.
#[derive(Debug, thiserror::Error)]
pub enum OwnerError {
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// There is no copy of the engine's state.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// The state database failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The engine does not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The way to the bus cannot be made.
    #[error(transparent)]
    Notifier(#[from] NotifierError),
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The engine's state cannot be written any more.
    #[error("the engine's state is not taken any more: {0}")]
    Stuck(String),
}

/// What all partitions of a worker have in common.
pub(crate) struct Common {
    pub(crate) bus: Bus,
    pub(crate) registry: Arc<Registry>,
    /// The city's state.
    pub(crate) city: Arc<StateDb>,
    pub(crate) folder: PathBuf,
    pub(crate) clock: SharedClock,
    pub(crate) runtime: Handle,
}

/// How a partition is doing.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Whether it is evaluated.
    pub(crate) runs: AtomicBool,
    /// The last message that was evaluated.
    pub(crate) heard: AtomicU64,
    /// Readings that were evaluated.
    pub(crate) readings: AtomicU64,
    /// Why it is not evaluated.
    pub(crate) trouble: Mutex<Option<String>>,
}

impl Progress {
    fn troubled(&self, why: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }
}

enum Order {
    Rules(Arc<RuleSet>),
    /// Saves, and lets go.
    Stop,
}

/// A partition that is owned.
pub(crate) struct Owner {
    orders: Sender<Order>,
    /// Whether it is to end.
    ends: Arc<AtomicBool>,
    /// Whether somebody else may own it by now: nothing is saved any more.
    lost: Arc<AtomicBool>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) metrics: prometheus::Registry,
    thread: Option<JoinHandle<()>>,
}

impl Owner {
    pub(crate) fn start(
        common: Arc<Common>,
        partition: Partition,
        rules: Arc<RuleSet>,
    ) -> std::io::Result<Self> {
        let labels = [("partition".to_owned(), partition.name())].into_iter().collect();
        // Labels of this form are always taken.
        let metrics = prometheus::Registry::new_custom(None, Some(labels)).unwrap_or_default();
        let (orders, inbox) = channel();
        let [ends, lost] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let progress = Arc::new(Progress::default());
        let worker = Worker {
            common,
            partition,
            rules,
            inbox,
            ends: ends.clone(),
            lost: lost.clone(),
            progress: progress.clone(),
            metrics: metrics.clone(),
        };
        let thread = std::thread::Builder::new()
            .name(format!("alerts-{}", partition.name()))
            .spawn(move || worker.run())?;
        Ok(Self { orders, ends, lost, progress, metrics, thread: Some(thread) })
    }

    pub(crate) fn set_rules(&self, rules: Arc<RuleSet>) {
        // An error says that it has ended.
        let _ = self.orders.send(Order::Rules(rules));
    }

    /// Tells it to save and to end, which takes its time.
    pub(crate) fn stop(&self) {
        self.ends.store(true, Ordering::Relaxed);
        // An error says that it has ended.
        let _ = self.orders.send(Order::Stop);
    }

    /// Tells it to end without saving anything: somebody else may own the partition.
    pub(crate) fn lose(&self) {
        self.lost.store(true, Ordering::Relaxed);
        self.stop();
    }

    /// Whether it does nothing any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Owner {
    /// Waits until it has ended.
    fn drop(&mut self) {
        self.stop();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of a partition panicked");
        }
    }
}

struct Worker {
    common: Arc<Common>,
    partition: Partition,
    rules: Arc<RuleSet>,
    inbox: Receiver<Order>,
    ends: Arc<AtomicBool>,
    lost: Arc<AtomicBool>,
    progress: Arc<Progress>,
    metrics: prometheus::Registry,
}

/// What came of an attempt.
enum End {
    Told,
}

impl Worker {
    fn run(mut self) {
        loop {
            match self.evaluate() {
                Ok(End::Told) => return,
                Err(error) => {
                    self.progress.runs.store(false, Ordering::Relaxed);
                    self.progress.troubled(Some(error.to_string()));
                    tracing::error!(
                        partition = self.partition.name(),
                        error.cause = %error,
                        "a partition cannot be evaluated now; it is tried again"
                    );
                }
            }
            // The metrics of an attempt are registered anew with the next one.
            let labels = [("partition".to_owned(), self.partition.name())].into_iter().collect();
            self.metrics = prometheus::Registry::new_custom(None, Some(labels)).unwrap_or_default();
            match self.inbox.recv_timeout(TRY_AGAIN) {
                Ok(Order::Rules(rules)) => self.rules = rules,
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn replica(&self) -> Result<Replica, OwnerError> {
        let Common { bus, folder, .. } = &*self.common;
        let name = self.partition.name();
        let path = folder.join(format!("{name}.db"));
        let nobody = || Box::new(|_: &_| ());
        if let Some(replica) = Replica::from_image(bus, &name, &path, Writers::One, nobody())? {
            return Ok(replica);
        }
        std::fs::create_dir_all(folder)
            .map_err(|source| ReplicaError::File { path: folder.clone(), source })?;
        // The first owner of all; what an earlier one wrote before it made an image is in the log.
        for end in ["", "-wal", "-shm"] {
            // What is not there need not go.
            let _ = std::fs::remove_file(folder.join(format!("{name}.db{end}")));
        }
        let replica = Replica::from_file(
            bus,
            &name,
            &path,
            &city_alert::make_tables,
            Writers::One,
            nobody(),
        )?;
        replica.put_image()?;
        Ok(replica)
    }

    /// Evaluates until it is told to stop, or fails.
    fn evaluate(&mut self) -> Result<End, OwnerError> {
        let common = self.common.clone();
        let partitions = common.bus.partitions();
        let replica = self.replica()?;
        let topic = self.partition.alerts();
        let config = ReceiverConfig {
            inside: true,
            ..ReceiverConfig::new(BRAIN, "bus", serde_json::Value::Null)
        };
        let notifier = Notifier::with(
            replica.state.clone(),
            vec![(config, Arc::new(Courier::new(common.bus.clone(), topic)))],
            common.clock.clone(),
            &self.metrics,
            GateParts::default(),
        )?;
        let notifier = Arc::new(notifier);
        let own = self.partition;
        let share: city_alert::Share = Arc::new(move |device| match own {
            Partition::Devices(number) => partition_of(&device.id, partitions) == number,
            Partition::Spanning => true,
        });
        let store = BusStore::reader(common.bus.clone(), self.partition, Arc::new(Memory::new()));
        let (engine, recovered) = Engine::start(EngineParts {
            rules: self.rules.clone(),
            registry: common.registry.clone(),
            share: Some(share),
            store: Arc::new(store),
            state: replica.state.clone(),
            outbox: notifier.outbox(),
            clock: common.clock.clone(),
            metrics: self.metrics.clone(),
        })?;
        tracing::info!(
            partition = self.partition.name(),
            readings = recovered.readings,
            firing = recovered.firing,
            "a partition is evaluated here"
        );
        self.progress.runs.store(true, Ordering::Relaxed);
        self.progress.troubled(None);
        let told = CancellationToken::new();
        let (telling, ends) = (notifier.clone(), told.clone());
        let telling = common.runtime.spawn(async move { telling.run(ends).await });
        let ended = self.feed(&engine, &replica);
        if self.lost.load(Ordering::Relaxed) || ended.is_err() {
            engine.kill();
        } else {
            engine.stop();
        }
        told.cancel();
        // It panics only with the process.
        let _ = common.runtime.block_on(telling);
        self.progress.runs.store(false, Ordering::Relaxed);
        ended
    }

    fn feed(&mut self, engine: &Engine, replica: &Replica) -> Result<End, OwnerError> {
        let common = self.common.clone();
        let handle = engine.handle();
        let mut seen = handle.status().seq;
        let follow = || self.partition.follow(common.bus.partitions());
        let mut following = common.bus.follow(follow(), seen)?;
        let settled = Arc::new(AtomicI64::new(handle.status().evaluated.micros()));
        let low_water = settled.clone();
        handle.wait_for(Box::new(move || {
            Some(Timestamp::from_micros(low_water.load(Ordering::Relaxed)))
        }));
        let mut placer = Placer::new(common.registry.clone(), common.city.clone());
        let mut messages: Vec<Message> = Vec::new();
        let mut pace = Pace::new(settled);
        let mut imaged = Instant::now();
        let mut since_failing = None;
        loop {
            match self.inbox.try_recv() {
                Ok(Order::Rules(rules)) => {
                    self.rules = rules.clone();
                    if handle.set_rules(rules).is_none() {
                        return Ok(End::Told);
                    }
                }
                Ok(Order::Stop) => return Ok(End::Told),
                Err(_) => {}
            }
            messages.clear();
            match following.next_batch(&mut messages, MESSAGES, LOOK_UP) {
                Ok(()) => {}
                Err(BusError::Gone { first }) => {
                    tracing::error!(
                        partition = self.partition.name(),
                        first,
                        "readings are gone from the bus before they were evaluated; let it keep \
                         them for longer"
                    );
                    seen = first.saturating_sub(1);
                    following = common.bus.follow(follow(), seen)?;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(partition = self.partition.name(), error.cause = %error, "the bus is away");
                    pace.is_away();
                    std::thread::sleep(TRY_AGAIN);
                    following = self.again(&common, seen)?;
                    continue;
                }
            }
            let upto = messages.last().map(|message| message.published);
            for message in messages.drain(..) {
                seen = message.number;
                let batch = match Batch::decode(message.number, &message.payload) {
                    Ok(batch) => batch,
                    Err(error) => {
                        tracing::error!("{error}");
                        continue;
                    }
                };
                placer.await_state(&batch, &self.ends);
                if self.ends.load(Ordering::Relaxed) {
                    // Whoever is next evaluates it, also if this one could not know its device yet.
                    return Ok(End::Told);
                }
                let mut readings = batch.into_readings();
                placer.place(&mut readings)?;
                let count = readings.len() as u64;
                handle.follow(&Arc::new(Committed { seq: message.number, readings }));
                self.progress.readings.fetch_add(count, Ordering::Relaxed);
                self.progress.heard.store(message.number, Ordering::Relaxed);
            }
            match upto {
                Some(published) => {
                    let published = published.duration_since(UNIX_EPOCH).unwrap_or_default();
                    pace.heard(Timestamp::from_micros(published.as_micros() as i64));
                }
                None => pace.nothing_came(&common, self.partition, seen),
            }
            let failing = handle.status().failing;
            self.progress.troubled(failing.clone());
            match failing {
                Some(why) => {
                    let since = *since_failing.get_or_insert_with(Instant::now);
                    if replica.state.is_replaced() || since.elapsed() >= STUCK_AFTER {
                        return Err(OwnerError::Stuck(why));
                    }
                }
                None => since_failing = None,
            }
            if imaged.elapsed() >= IMAGE_EVERY {
                imaged = Instant::now();
                if let Err(error) = replica.renew_image() {
                    tracing::warn!(partition = self.partition.name(), error.cause = %error,
                        "the image of a partition's state is not renewed now");
                }
            }
        }
    }

    fn again(&self, common: &Common, seen: u64) -> Result<Following, OwnerError> {
        Ok(common.bus.follow(self.partition.follow(common.bus.partitions()), seen)?)
    }
}

/// Up to when timers may decide.
struct Pace {
    settled: Arc<AtomicI64>,
    asked: Instant,
    /// Until when timers stand still.
    still: Option<Instant>,
}

impl Pace {
    fn new(settled: Arc<AtomicI64>) -> Self {
        // A worker that has just started does not know for how long the bus was away.
        Self { settled, asked: Instant::now(), still: Some(Instant::now() + AFTER_AN_OUTAGE) }
    }

    fn is_away(&mut self) {
        self.still = Some(Instant::now() + AFTER_AN_OUTAGE);
    }

    fn heard(&mut self, upto: Timestamp) {
        if self.still.is_none_or(|until| Instant::now() >= until) {
            self.still = None;
            self.settled.fetch_max((upto - ON_ITS_WAY).micros(), Ordering::Relaxed);
        }
    }

    /// If there is nothing more on the bus, all that was published until now was heard.
    fn nothing_came(&mut self, common: &Common, partition: Partition, seen: u64) {
        if self.asked.elapsed() < ASK_AGAIN {
            return;
        }
        self.asked = Instant::now();
        let now = common.clock.now();
        let topics = match partition.follow(common.bus.partitions()) {
            city_bus::Follow::Topics(topics) => topics,
            _ => Vec::new(),
        };
        let mut end = 0;
        for topic in topics {
            match common.bus.topic_end(topic) {
                Ok(last) => end = end.max(last),
                Err(_) => return self.is_away(),
            }
        }
        if end <= seen {
            self.heard(now);
        }
    }
}
