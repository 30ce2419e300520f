//! Delivery: one task for each receiver, so that a dead one delays nobody else. Order is kept
//! for each receiver; an event is tried until the receiver takes it or says that it never will.

mod worker;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use city_model::{SharedClock, Timestamp};
use city_store::{StateDb, StateError};
use prometheus::{IntCounterVec, IntGauge, Opts};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::ReceiverConfig;
use crate::gate::{Gate, GateParts};
use crate::outbox::{Outbox, Route};
use crate::receivers::Receiver;
use worker::Worker;

/// How a receiver is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ReceiverStatus {
    /// Events that wait for it.
    pub waiting: u64,
    /// When it last took one.
    pub last_delivery: Option<Timestamp>,
    /// Why it does not take them now.
    pub error: Option<String>,
}

/// All receivers of an instance.
pub struct Notifier {
    outbox: Arc<Outbox>,
    receivers: Vec<(ReceiverConfig, Arc<dyn Receiver>)>,
    clock: SharedClock,
    status: Arc<Mutex<BTreeMap<String, ReceiverStatus>>>,
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
        crate::state::migrate(&state)?;
        let gate = Gate::open(&state, gate)?;
        let mut built: Vec<(ReceiverConfig, Arc<dyn Receiver>)> = Vec::new();
        for config in configs {
            let error = |message| NotifierError::Receiver { id: config.id.clone(), message };
            if built.iter().any(|(other, _)| other.id == config.id) {
                return Err(error("this id is used twice; give each receiver its own".to_owned()));
            }
            let receiver = config.build().map_err(error)?;
            built.push((config, receiver.into()));
        }
        let routes = built.iter().map(|(config, receiver)| Route {
            receiver: config.id.clone(),
            severity: config.severity,
            inside: config.inside,
            people: receiver.speaks_to_people(),
        });
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
