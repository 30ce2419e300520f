//! Delivery: one task for each receiver, so that a dead one delays nobody else. Order is kept
//! for each receiver; an event is tried until the receiver takes it or says that it never will.

mod worker;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use city_model::{SharedClock, Timestamp};
use city_store::{StateDb, StateError};
use prometheus::{IntCounterVec, IntGauge, Opts};
use serde::Serialize;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::ReceiverConfig;
use crate::gate::{Gate, GateParts};
use crate::outbox::Outbox;
use crate::receivers::{Receiver, TrialError};
use crate::route::Route;
use worker::Worker;

/// How a receiver is doing, as far as its task knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ReceiverStatus {
    /// Events that wait for it.
    pub waiting: u64,
    /// When it last took one.
    pub last_delivery: Option<Timestamp>,
    /// Why it does not take them now.
    pub error: Option<String>,
    /// Since when it does not, as far back as the start.
    pub failing_since: Option<Timestamp>,
    /// When it is tried again, while it does not.
    pub next_try: Option<Timestamp>,
    /// The last attempt since the start that failed, also when it works again.
    pub last_failure: Option<Failure>,
}

impl ReceiverStatus {
    fn fails(&mut self, at: Timestamp, message: &str) {
        self.error = Some(message.to_owned());
        self.failing_since.get_or_insert(at);
        self.last_failure = Some(Failure { at, message: message.to_owned() });
    }

    fn works(&mut self) {
        (self.error, self.failing_since, self.next_try) = (None, None, None);
    }
}

/// Something that went wrong with a receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub message: String,
}

/// All that operators see of a receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiverReport {
    /// The kind of receiver, such as `webhook`.
    pub kind: String,
    /// Its id, and what it wants to be told.
    pub route: Route,
    /// How it is doing.
    pub status: ReceiverStatus,
    /// Since when the oldest event waits for it.
    pub oldest_waiting: Option<Timestamp>,
    /// Events that it was never told, of the last 90 days: it refused them, or too many waited.
    pub given_up: u64,
    /// The last of those.
    pub last_given_up: Option<Failure>,
}

/// All receivers of an instance.
pub struct Notifier {
    outbox: Arc<Outbox>,
    receivers: Vec<(ReceiverConfig, Arc<dyn Receiver>)>,
    clock: SharedClock,
    status: Arc<Mutex<BTreeMap<String, ReceiverStatus>>>,
    /// Wakes the task of a receiver that waits for its next attempt.
    mended: BTreeMap<String, Arc<Notify>>,
    delivered: IntCounterVec,
    held: IntGauge,
}

impl std::fmt::Debug for Notifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notifier").finish_non_exhaustive()
    }
}

/// Why the receivers cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum NotifierError {
    /// A receiver's configuration cannot be used.
    #[error("receiver `{id}`: {message}")]
    Receiver {
        /// Its id.
        id: String,
        /// What is wrong.
        message: String,
    },
    /// The state database failed.
    #[error("the outbox cannot be used: {0}")]
    State(#[from] StateError),
    /// A metric's name is taken.
    #[error("the notifier's metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl Notifier {
    /// Makes receivers ready.
    pub fn new(
        state: Arc<StateDb>,
        configs: Vec<ReceiverConfig>,
        clock: SharedClock,
        metrics: &prometheus::Registry,
    ) -> Result<Self, NotifierError> {
        Self::gated(state, configs, clock, metrics, GateParts::default())
    }

    /// Makes receivers ready, with what decides on what they are told and when.
    pub fn gated(
        state: Arc<StateDb>,
        configs: Vec<ReceiverConfig>,
        clock: SharedClock,
        metrics: &prometheus::Registry,
        gate: GateParts,
    ) -> Result<Self, NotifierError> {
        let mut built: Vec<(ReceiverConfig, Arc<dyn Receiver>)> = Vec::new();
        for config in configs {
            let error = |message| NotifierError::Receiver { id: config.id.clone(), message };
            if built.iter().any(|(other, _)| other.id == config.id) {
                return Err(error("this id is used twice; give each receiver its own".to_owned()));
            }
            let receiver = config.build().map_err(error)?;
            built.push((config, receiver.into()));
        }
        Self::with(state, built, clock, metrics, gate)
    }

    /// Takes receivers that are ready.
    pub fn with(
        state: Arc<StateDb>,
        built: Vec<(ReceiverConfig, Arc<dyn Receiver>)>,
        clock: SharedClock,
        metrics: &prometheus::Registry,
        gate: GateParts,
    ) -> Result<Self, NotifierError> {
        crate::state::migrate(&state)?;
        let gate = Gate::open(&state, gate)?;
        let routes = built.iter().map(|(config, receiver)| Route {
            people: receiver.speaks_to_people(),
            ..config.route()
        });
        let mended = built.iter().map(|(config, _)| (config.id.clone(), Arc::default())).collect();
        let delivered = IntCounterVec::new(
            Opts::new("citybrain_notifier_deliveries_total", "Attempts to deliver alert events."),
            &["receiver", "outcome"],
        )?;
        metrics.register(Box::new(delivered.clone()))?;
        let held = IntGauge::new(
            "citybrain_notifier_held",
            "Alerts that are held back from outside receivers now.",
        )?;
        metrics.register(Box::new(held.clone()))?;
        Ok(Self {
            outbox: Arc::new(Outbox::new(state, routes.collect(), gate)),
            held,
            receivers: built,
            clock,
            status: Arc::default(),
            mended,
            delivered,
        })
    }

    /// Where the engine puts events.
    pub fn outbox(&self) -> Arc<Outbox> {
        self.outbox.clone()
    }

    /// How the receivers are doing, by id.
    pub fn status(&self) -> BTreeMap<String, ReceiverStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All that operators see of the receivers, in the order of the configuration. Blocks.
    pub fn report(&self) -> Result<Vec<ReceiverReport>, StateError> {
        let mut status = self.status();
        let report = |(config, _): &(ReceiverConfig, _)| {
            let kept = self.outbox.figures(&config.id)?;
            let status = status.remove(&config.id).unwrap_or_default();
            Ok(ReceiverReport {
                kind: config.kind.clone(),
                route: config.route(),
                status: ReceiverStatus { waiting: kept.waiting, ..status },
                oldest_waiting: kept.oldest_waiting,
                given_up: kept.given_up,
                last_given_up: kept.last_given_up,
            })
        };
        self.receivers.iter().map(report).collect()
    }

    /// The configuration of a receiver.
    pub fn config(&self, id: &str) -> Option<&ReceiverConfig> {
        self.receivers.iter().map(|(config, _)| config).find(|config| config.id == id)
    }

    /// Tells a receiver about a test alert, see [`ReceiverConfig::try_out`]. If it takes it, it is told
    /// of what waits for it at once.
    pub async fn try_out(&self, config: &ReceiverConfig) -> Result<(), TrialError> {
        config.try_out(self.clock.now()).await?;
        if let Some(mended) = self.mended.get(&config.id) {
            mended.notify_one();
        }
        Ok(())
    }

    /// How many events wait, for all receivers together. Blocks.
    pub fn waiting(&self) -> Result<u64, StateError> {
        self.receivers.iter().map(|(config, _)| self.outbox.backlog(&config.id)).sum()
    }

    /// Delivers until told to stop; what is not delivered by then waits for the next start.
    pub async fn run(&self, shutdown: CancellationToken) {
        let tasks = TaskTracker::new();
        for (config, receiver) in &self.receivers {
            let worker = Worker {
                id: config.id.clone(),
                receiver: receiver.clone(),
                outbox: self.outbox.clone(),
                clock: self.clock.clone(),
                status: self.status.clone(),
                mended: self.mended.get(&config.id).cloned().unwrap_or_default(),
                delivered: self.delivered.clone(),
            };
            let stop = shutdown.clone();
            tasks.spawn(async move { worker.run(stop).await });
        }
        let (outbox, clock) = (self.outbox.clone(), self.clock.clone());
        tasks.spawn(crate::gate::watch(outbox, clock, self.held.clone(), shutdown));
        tasks.close();
        tasks.wait().await;
    }
}
