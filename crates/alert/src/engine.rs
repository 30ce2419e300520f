//! The engine: one thread that runs the evaluator over the committed readings and the clock.
//!
//! Its state survives a restart: the evaluator's snapshot is saved with the number of the last
//! commit that it has seen, and the store keeps the commits after that one. A start restores the
//! snapshot and evaluates those commits again; alert ids and event keys depend on the readings
//! only, so that the outbox recognises what it already has.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use city_model::{AlertEvent, Directory, Placement, Reading, SharedClock, Span, Timestamp};
use city_pipeline::{Committed, Follower};
use city_registry::Registry;
use city_rules::{Evaluator, ReloadReport, RuleSet};
use city_store::{SharedStore, StateDb, StateError, StoreError};
use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge};

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

/// How often the state is saved: what a restart may have to evaluate again.
const SAVE_EVERY: Span = Span::from_secs(10);

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineStatus {
    /// The last commit that it has seen.
    pub seq: u64,
    /// Alerts that are firing.
    pub firing: usize,
    /// Readings evaluated since the start.
    pub readings: u64,
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
}

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

    /// How it is doing.
    pub fn status(&self) -> EngineStatus {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Restores the state, evaluates what was committed since, and starts the thread. Blocks.
    pub fn start(parts: EngineParts) -> Result<(Self, Recovered), EngineError> {
        let metrics = Metrics::register(&parts.metrics)?;
        let (orders, inbox) = sync_channel(QUEUE);
        let status = Arc::new(Mutex::new(EngineStatus::default()));
        let mut runner = Runner::restore(parts, metrics, status.clone())?;
        let recovered = runner.catch_up()?;
        let thread = std::thread::Builder::new()
            .name("alerts".to_owned())
            .spawn(move || runner.run(&inbox))?;
        Ok((Self { handle: EngineHandle { orders, status }, thread }, recovered))
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
    seq: u64,
    readings: u64,
    restored: bool,
    saved_at: Timestamp,
    /// Events that the outbox has not taken yet, because the state database failed.
    events: Vec<AlertEvent>,
}

impl Runner {
    fn restore(
        parts: EngineParts,
        metrics: Metrics,
        status: Arc<Mutex<EngineStatus>>,
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
            match postcard::from_bytes(&saved.snapshot) {
                Ok(snapshot) => {
                    events = evaluator.restore(snapshot).events;
                    seq = saved.seq;
                    restored = true;
                }
                Err(error) => tracing::error!(
                    %error,
                    "the alert engine's saved state is of another version; it starts afresh"
                ),
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
            seq,
            readings: 0,
            restored,
            saved_at: now,
            events,
        })
    }

    /// Evaluates the commits since the saved state.
    fn catch_up(&mut self) -> Result<Recovered, EngineError> {
        let mut commits = Vec::new();
        self.store.replay(self.seq + 1, &mut |replay| commits.push(replay))?;
        for commit in commits {
            for mut reading in commit.readings {
                self.fill_zones(&mut reading);
                self.evaluator.observe(&reading, &mut self.events);
                self.readings += 1;
            }
            self.seq = self.seq.max(commit.seq);
        }
        let now = self.clock.now();
        self.evaluator.resume(now);
        self.publish(now);
        self.save(now);
        let firing = self.evaluator.firing().count();
        Ok(Recovered { restored: self.restored, readings: self.readings, firing })
    }

    /// The store keeps no zones: they follow from the place.
    fn fill_zones(&self, reading: &mut Reading) {
        let zones = match self.directory.device(reading.series.device) {
            Some(device) if matches!(device.placement, Placement::Fixed(_)) => device.zones.clone(),
            _ => match reading.position {
                Some(position) => self.registry.zones().locate(position),
                None => return,
            },
        };
        reading.zones = zones;
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
            if idle {
                self.refresh(now);
                self.evaluator.advance(now - TIMER_SLACK, &mut self.events);
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
                let mut report = self.evaluator.set_rules(rules, self.clock.now());
                self.events.append(&mut report.events);
                // An error says that nobody waits for the report any more.
                let _ = answer.send(report);
            }
            Order::Stop | Order::Die => {}
        }
    }

    fn evaluate(&mut self, committed: &Committed) {
        self.refresh(self.clock.now());
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

    /// Puts events into the outbox; while that fails they are kept and tried again.
    fn publish(&mut self, now: Timestamp) {
        if !self.events.is_empty() {
            match self.outbox.put(&self.events, now) {
                Ok(()) => {
                    self.metrics.events.inc_by(self.events.len() as u64);
                    self.events.clear();
                }
                Err(error) => {
                    tracing::error!(%error, "alert events cannot be written; they are tried again");
                }
            }
        }
        let firing = self.evaluator.firing().count();
        self.metrics.firing.set(firing as i64);
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) =
            EngineStatus { seq: self.seq, firing, readings: self.readings };
    }

    /// Saves the state and lets the store drop the commits that it covers. Not while events wait
    /// for the outbox: they would be lost with a crash.
    fn save(&mut self, now: Timestamp) {
        if !self.events.is_empty() {
            return;
        }
        self.saved_at = now;
        if let Err(error) = self.try_save(now) {
            tracing::error!(error = %error, "the alert engine's state cannot be saved; it is tried again");
        }
    }

    fn try_save(&self, now: Timestamp) -> Result<(), EngineError> {
        let snapshot = postcard::to_stdvec(&self.evaluator.snapshot())?;
        let saved = Saved { seq: self.seq, clock: now, snapshot };
        self.state.write(|tx| state::save(tx, &saved))?;
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
