//! The engine: one thread that runs the evaluator over the committed readings and the clock.
//!
//! Its state survives a restart: the evaluator's snapshot is saved with the number of the last
//! commit that it has seen, and the store keeps the commits after that one. A start restores the
//! snapshot and evaluates those commits again. Events are written to the outbox in the same
//! transaction as the snapshot that knows of them, so that nothing that was told is evaluated a
//! second time, whatever timers and reloads had to do with it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use city_model::{
    AlertEvent, DeviceKey, Directory, Placement, Reading, SharedClock, Span, Timestamp, ZoneSet,
};
use city_pipeline::{Committed, Follower};
use city_registry::Registry;
use city_rules::{Evaluator, LateLog, ReloadReport, RuleSet, Snapshot};
use city_store::{Replay, SharedStore, StateDb, StateError, StoreError};
use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge};
use rustc_hash::FxHashMap;

use crate::outbox::Outbox;
use crate::state::{self, Saved};

/// The name under which the engine holds commits in the store.
const HOLD: &str = "alert-engine";

/// Commits that may wait for the engine; past that the committer waits, and with it ingest.
const QUEUE: usize = 64;

/// The longest time between two looks at the clock.
const TICK: Duration = Duration::from_millis(100);

/// Timers run this far behind the clock, so that a reading that was received in time, but is
/// still on its way to the engine, is heard before the timer decides.
const TIMER_SLACK: Span = Span::from_millis(500);

/// How far the clock may be behind what was evaluated before it counts as set back. Less is
/// waited for.
const SET_BACK: Span = Span::from_secs(30);

/// How often the state is saved: what a restart may have to evaluate again.
const SAVE_EVERY: Span = Span::from_secs(10);

/// The layout of the saved state; goes up when what the evaluator saves changes.
const SNAPSHOT_VERSION: u8 = 1;

fn read_snapshot(bytes: &[u8]) -> Option<Snapshot> {
    let (version, rest) = bytes.split_first()?;
    if *version != SNAPSHOT_VERSION {
        return None;
    }
    postcard::from_bytes(rest).ok()
}

/// What an engine is made of.
pub struct EngineParts {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// The registry.
    pub registry: Arc<Registry>,
    /// The store, for the commits that a restart has to evaluate again.
    pub store: SharedStore,
    /// The state database.
    pub state: Arc<StateDb>,
    /// Where events go.
    pub outbox: Arc<Outbox>,
    /// The clock.
    pub clock: SharedClock,
    /// Where the engine's metrics go.
    pub metrics: prometheus::Registry,
}

impl std::fmt::Debug for EngineParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineParts").finish_non_exhaustive()
    }
}

/// Why the engine cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The state database failed.
    #[error("the alert engine's state cannot be used: {0}")]
    State(#[from] StateError),
    /// The store failed.
    #[error("the readings since the last stop cannot be evaluated: {0}")]
    Store(#[from] StoreError),
    /// The state cannot be written as bytes.
    #[error("the alert engine's state cannot be encoded: {0}")]
    Encode(#[from] postcard::Error),
    /// A metric's name is taken.
    #[error("the alert engine's metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The system gives no thread.
    #[error("the alert engine's thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// What a start found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Whether there was a saved state.
    pub restored: bool,
    /// Readings that were evaluated again.
    pub readings: u64,
    /// Alerts that are firing.
    pub firing: usize,
}

/// How the engine is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineStatus {
    /// The last commit that it has seen.
    pub seq: u64,
    /// Alerts that are firing.
    pub firing: usize,
    /// Readings evaluated since the start.
    pub readings: u64,
    /// Why its state cannot be saved now, while its events wait; `None` while it can.
    pub failing: Option<String>,
}

/// A running engine.
pub struct Engine {
    handle: EngineHandle,
    thread: JoinHandle<()>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

enum Order {
    Evaluate(Arc<Committed>),
    Rules(Arc<RuleSet>, SyncSender<ReloadReport>),
    Stop,
    Die,
}

/// The engine's ear: follows the commits, takes new rules.
#[derive(Clone)]
pub struct EngineHandle {
    orders: SyncSender<Order>,
    status: Arc<Mutex<EngineStatus>>,
    low_water: Arc<OnceLock<LowWater>>,
    late: LateLog,
}

/// Tells when the oldest message was received that is taken, but not handed to the engine yet.
pub type LowWater = Box<dyn Fn() -> Option<Timestamp> + Send + Sync>;

impl std::fmt::Debug for EngineHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineHandle").finish_non_exhaustive()
    }
}

impl Follower for EngineHandle {
    /// Waits while the engine is behind: nothing is skipped.
    fn follow(&self, committed: &Arc<Committed>) {
        // An error says that the engine has stopped; the next start reads the commit from the store.
        let _ = self.orders.send(Order::Evaluate(committed.clone()));
    }
}

impl EngineHandle {
    /// Puts new rules in place and tells what became of the old ones' alerts; `None` if the
    /// engine has stopped. Blocks until the engine has done it.
    pub fn set_rules(&self, rules: Arc<RuleSet>) -> Option<ReloadReport> {
        let (sender, report) = sync_channel(1);
        self.orders.send(Order::Rules(rules, sender)).ok()?;
        report.recv().ok()
    }

    /// From now on timers wait for what `oldest` tells. Set once, when the pipeline has started.
    pub fn wait_for(&self, oldest: LowWater) {
        // A second call would change nothing, and there is none.
        let _ = self.low_water.set(oldest);
    }

    /// What was decided about late readings since the start; it goes on being written.
    pub fn late_log(&self) -> LateLog {
        self.late.clone()
    }

    /// How it is doing.
    pub fn status(&self) -> EngineStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Engine {
    /// Restores the state, evaluates what was committed since, and starts the thread. Blocks.
    pub fn start(parts: EngineParts) -> Result<(Self, Recovered), EngineError> {
        let metrics = Metrics::register(&parts.metrics)?;
        let (orders, inbox) = sync_channel(QUEUE);
        let status = Arc::new(Mutex::new(EngineStatus::default()));
        let low_water = Arc::new(OnceLock::new());
        let mut runner = Runner::restore(parts, metrics, status.clone(), low_water.clone())?;
        let recovered = runner.catch_up()?;
        let late = runner.evaluator.late_log();
        let thread = std::thread::Builder::new()
            .name("alerts".to_owned())
            .spawn(move || runner.run(&inbox))?;
        let handle = EngineHandle { orders, status, low_water, late };
        Ok((Self { handle, thread }, recovered))
    }

    /// What follows the commits.
    pub fn handle(&self) -> EngineHandle {
        self.handle.clone()
    }

    /// Evaluates what is queued, saves the state and stops.
    pub fn stop(self) {
        self.end(Order::Stop);
    }

    /// Stops at once and saves nothing, as a crash does. For tests of what survives one.
    #[doc(hidden)]
    pub fn kill(self) {
        self.end(Order::Die);
    }

    fn end(self, order: Order) {
        // An error says that the thread is gone already, which the join tells.
        let _ = self.handle.orders.send(order);
        if self.thread.join().is_err() {
            tracing::error!("the alert engine's thread panicked");
        }
    }
}

struct Metrics {
    readings: IntCounter,
    events: IntCounter,
    firing: IntGauge,
    batch: Histogram,
}

impl Metrics {
    fn register(registry: &prometheus::Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            readings: IntCounter::new(
                "citybrain_alert_readings_total",
                "Committed readings that the alert engine has taken.",
            )?,
            events: IntCounter::new(
                "citybrain_alert_events_total",
                "Alert events: fired, escalated, de-escalated, resolved.",
            )?,
            firing: IntGauge::new("citybrain_alert_firing", "Alerts that are firing now.")?,
            batch: Histogram::with_opts(HistogramOpts::new(
                "citybrain_alert_batch_seconds",
                "Time to evaluate the readings of one commit.",
            ))?,
        };
        registry.register(Box::new(metrics.readings.clone()))?;
        registry.register(Box::new(metrics.events.clone()))?;
        registry.register(Box::new(metrics.firing.clone()))?;
        registry.register(Box::new(metrics.batch.clone()))?;
        Ok(metrics)
    }
}

struct Runner {
    evaluator: Evaluator,
    registry: Arc<Registry>,
    directory: Arc<Directory>,
    store: SharedStore,
    state: Arc<StateDb>,
    outbox: Arc<Outbox>,
    clock: SharedClock,
    metrics: Metrics,
    status: Arc<Mutex<EngineStatus>>,
    low_water: Arc<OnceLock<LowWater>>,
    seq: u64,
    readings: u64,
    restored: bool,
    saved_at: Timestamp,
    failing: Option<String>,
    /// Events that the outbox has not taken yet, because the state database failed.
    events: Vec<AlertEvent>,
}

impl Runner {
    fn restore(
        parts: EngineParts,
        metrics: Metrics,
        status: Arc<Mutex<EngineStatus>>,
        low_water: Arc<OnceLock<LowWater>>,
    ) -> Result<Self, EngineError> {
        state::migrate(&parts.state)?;
        let directory = parts.registry.directory();
        let now = parts.clock.now();
        let saved = state::load(&parts.state)?;
        let begun = saved.as_ref().map_or(now, |saved| saved.clock);
        let mut evaluator = Evaluator::new(parts.rules, directory.clone(), begun);
        let mut seq = parts.store.head_seq();
        let mut restored = false;
        let mut events = Vec::new();
        if let Some(saved) = saved {
            // Whatever becomes of the state: commits after it were not evaluated yet.
            seq = saved.seq;
            if let Some(snapshot) = read_snapshot(&saved.snapshot) {
                events = evaluator.restore(snapshot).events;
                restored = true;
            } else {
                tracing::error!(
                    "the alert engine's saved state is of another version; it starts afresh, and \
                     alerts that fire are raised anew"
                );
            }
        }
        Ok(Self {
            evaluator,
            registry: parts.registry,
            directory,
            store: parts.store,
            state: parts.state,
            outbox: parts.outbox,
            clock: parts.clock,
            metrics,
            status,
            low_water,
            seq,
            readings: 0,
            restored,
            saved_at: now,
            failing: None,
            events,
        })
    }

    /// Evaluates the commits since the saved state.
    fn catch_up(&mut self) -> Result<Recovered, EngineError> {
        let store = self.store.clone();
        let mut places = FxHashMap::default();
        store.replay(self.seq + 1, &mut |commit| self.take_again(commit, &mut places))?;
        let now = self.clock.now();
        self.evaluator.resume(now);
        self.publish(now);
        self.save(now);
        let firing = self.evaluator.firing().count();
        Ok(Recovered { restored: self.restored, readings: self.readings, firing })
    }

    fn take_again(&mut self, commit: Replay, places: &mut FxHashMap<DeviceKey, ZoneSet>) {
        for mut reading in commit.readings {
            self.fill_zones(&mut reading, places);
            self.evaluator.observe(&reading, &mut self.events);
            self.readings += 1;
        }
        self.seq = self.seq.max(commit.seq);
    }

    /// The store keeps no zones: they follow from the place; a moving device that does not say
    /// where it is counts as where it was.
    fn fill_zones(&self, reading: &mut Reading, places: &mut FxHashMap<DeviceKey, ZoneSet>) {
        let key = reading.series.device;
        let fixed =
            self.directory.device(key).filter(|d| matches!(d.placement, Placement::Fixed(_)));
        if let Some(device) = fixed {
            reading.zones = device.zones.clone();
            return;
        }
        let locate = |position| self.registry.zones().locate(position);
        if let Some(position) = reading.position {
            places.insert(key, locate(position));
        }
        let zones = places.entry(key).or_insert_with(|| {
            let known = self.store.last_of_device(key);
            let newest = known.into_iter().filter(|(_, last)| last.position.is_some());
            let newest =
                newest.max_by_key(|(_, last)| last.time).and_then(|(_, last)| last.position);
            newest.map_or_else(|| [].into(), |position| locate(*position))
        });
        reading.zones = zones.clone();
    }

    fn run(mut self, inbox: &Receiver<Order>) {
        loop {
            let idle = match inbox.recv_timeout(TICK) {
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(Order::Die) => return,
                Ok(order) => {
                    self.obey(order);
                    false
                }
                Err(RecvTimeoutError::Timeout) => true,
            };
            let now = self.clock.now();
            if self.evaluator.clock().since(now) > SET_BACK {
                let evaluated = self.evaluator.clock();
                tracing::warn!(%now, %evaluated, "the clock was set back; alerts go on from there");
                self.evaluator.set_back(now - TIMER_SLACK);
            }
            if idle {
                let upto = self.settled(now);
                self.refresh(upto);
                self.evaluator.advance(upto, &mut self.events);
            }
            self.publish(now);
            if now.since(self.saved_at) >= SAVE_EVERY || now < self.saved_at {
                self.save(now);
            }
        }
        let now = self.clock.now();
        self.publish(now);
        self.save(now);
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Evaluate(committed) => self.evaluate(&committed),
            Order::Rules(rules, answer) => {
                let mut report = self.evaluator.set_rules(rules, self.settled(self.clock.now()));
                self.events.append(&mut report.events);
                // An error says that nobody waits for the report any more.
                let _ = answer.send(report);
            }
            Order::Stop | Order::Die => {}
        }
    }

    /// Up to when timers may decide: a reading that was received but is not evaluated yet, because
    /// the disk is slow or full, must be heard before.
    fn settled(&self, now: Timestamp) -> Timestamp {
        let oldest = self.low_water.get().and_then(|oldest| oldest());
        oldest.map_or(now, |oldest| oldest.min(now)) - TIMER_SLACK
    }

    fn evaluate(&mut self, committed: &Committed) {
        // The registry may have changed since these were received; time has not passed for them.
        self.refresh(committed.readings.first().map_or(self.evaluator.clock(), |r| r.received));
        let timer = self.metrics.batch.start_timer();
        for reading in &committed.readings {
            self.evaluator.observe(reading, &mut self.events);
        }
        timer.observe_duration();
        self.seq = committed.seq;
        self.readings += committed.readings.len() as u64;
        self.metrics.readings.inc_by(committed.readings.len() as u64);
    }

    /// Takes up changes of the registry.
    fn refresh(&mut self, now: Timestamp) {
        if !self.registry.is_current(&self.directory) {
            self.directory = self.registry.directory();
            let mut report = self.evaluator.set_directory(self.directory.clone(), now);
            self.events.append(&mut report.events);
        }
    }

    /// Writes events and the state that knows of them; while that fails both are kept and tried
    /// again.
    fn publish(&mut self, now: Timestamp) {
        if !self.events.is_empty() {
            self.save(now);
        }
        let firing = self.evaluator.firing().count();
        self.metrics.firing.set(firing as i64);
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = EngineStatus {
            seq: self.seq,
            firing,
            readings: self.readings,
            failing: self.failing.clone(),
        };
    }

    /// Saves the state with the events that wait, and lets the store drop the commits that it
    /// covers.
    fn save(&mut self, now: Timestamp) {
        self.saved_at = now;
        match self.try_save(now) {
            Ok(()) => {
                self.metrics.events.inc_by(self.events.len() as u64);
                if !self.events.is_empty() {
                    self.outbox.ring();
                }
                self.events.clear();
                self.failing = None;
            }
            Err(error) => {
                tracing::error!(
                    %error,
                    "the alert engine's state cannot be saved, its events wait; it is tried again"
                );
                self.failing = Some(error.to_string());
            }
        }
    }

    fn try_save(&self, now: Timestamp) -> Result<(), EngineError> {
        let snapshot = postcard::to_extend(&self.evaluator.snapshot(), vec![SNAPSHOT_VERSION])?;
        let saved = Saved { seq: self.seq, clock: now, snapshot };
        self.state.write(|tx| {
            self.outbox.put(tx, &self.events, now)?;
            state::save(tx, &saved)
        })?;
        self.store.hold(HOLD, self.seq + 1)?;
        let given_up = self.outbox.tidy(now)?;
        if given_up > 0 {
            tracing::error!(
                given_up,
                "alert events were given up, because too many wait for a receiver"
            );
        }
        Ok(())
    }
}
