//! The engine: one thread that runs the evaluator over the committed readings and the clock.
//!
//! Its state survives a restart at any moment, and so does every event. Evaluation follows from what
//! the evaluator is given and nothing else: commits, the clock, devices that are new. Those inputs
//! are noted in a journal, in the same transaction as the events that they led to. Now and then the
//! whole state is saved beside it, and what the journal says of before is dropped. A start loads
//! the saved state, evaluates the journal's inputs again (the store keeps the commits), which
//! leads to where the last event was written, and goes on from there with the commits since.

mod field;
mod journal;
mod recovery;
mod runner;
mod saver;

use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use city_model::{SharedClock, Timestamp};
use city_pipeline::{Committed, Follower};
use city_registry::Registry;
use city_rules::{LateLog, ReloadReport, RuleSet};
use city_store::{SharedStore, StateDb, StateError, StoreError};
use prometheus::{Histogram, HistogramOpts, IntCounter, IntGauge};

pub use self::field::Share;
pub(crate) use self::journal::Input;
use self::runner::Runner;
use crate::outbox::Outbox;

/// The name under which the engine holds commits in the store.
const HOLD: &str = "alert-engine";

/// Commits that may wait for the engine; past that the committer waits, and with it ingest.
const QUEUE: usize = 64;

/// What an engine is made of.
pub struct EngineParts {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// The registry.
    pub registry: Arc<Registry>,
    /// Which devices of it are this engine's; all if missing.
    pub share: Option<Share>,
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
    /// The state database failed in the middle of a transaction.
    #[error("the alert engine's state cannot be written: {0}")]
    Sql(#[from] rusqlite::Error),
    /// The thread that saves is gone.
    #[error("the thread that saves the alert engine's state has ended; restart citybrain")]
    Saver,
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
    /// The time up to which everything has been evaluated, deadlines too.
    pub evaluated: Timestamp,
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
        let (mut runner, past) =
            Runner::restore(parts, metrics, status.clone(), low_water.clone())?;
        let recovered = runner.catch_up(past)?;
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
    taking: Histogram,
    standing: Histogram,
    bytes: IntGauge,
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
            taking: Histogram::with_opts(HistogramOpts::new(
                "citybrain_alert_snapshot_seconds",
                "Time to take the state that is saved, all pieces together.",
            ))?,
            standing: Histogram::with_opts(HistogramOpts::new(
                "citybrain_alert_snapshot_pause_seconds",
                "Time for which evaluation stood still for a piece of the state that is saved.",
            ))?,
            bytes: IntGauge::new(
                "citybrain_alert_snapshot_bytes",
                "Bytes of the alert engine's state when it was saved last.",
            )?,
        };
        registry.register(Box::new(metrics.readings.clone()))?;
        registry.register(Box::new(metrics.events.clone()))?;
        registry.register(Box::new(metrics.firing.clone()))?;
        registry.register(Box::new(metrics.batch.clone()))?;
        registry.register(Box::new(metrics.taking.clone()))?;
        registry.register(Box::new(metrics.standing.clone()))?;
        registry.register(Box::new(metrics.bytes.clone()))?;
        Ok(metrics)
    }
}
