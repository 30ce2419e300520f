//! Delivery: one task for each receiver, so that a dead one delays nobody else. Order is kept
//! for each receiver; an event is tried until the receiver takes it or says that it never will.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use city_model::{SharedClock, Timestamp};
use city_store::{StateDb, StateError};
use prometheus::{IntCounterVec, Opts};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::ReceiverConfig;
use crate::outbox::{Outbox, Route, Waiting};
use crate::receivers::Receiver;

const BATCH: usize = 100;
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// How often the outbox is looked at although nobody rang: a safety net, not the normal way.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

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
        crate::state::migrate(&state)?;
        let mut built: Vec<(ReceiverConfig, Arc<dyn Receiver>)> = Vec::new();
        for config in configs {
            let error = |message| NotifierError::Receiver { id: config.id.clone(), message };
            if built.iter().any(|(other, _)| other.id == config.id) {
                return Err(error("this id is used twice; give each receiver its own".to_owned()));
            }
            let receiver = config.build().map_err(error)?;
            built.push((config, receiver.into()));
        }
        let routes = built.iter().map(|(config, _)| Route {
            receiver: config.id.clone(),
            severity: config.severity,
            inside: config.inside,
        });
        let delivered = IntCounterVec::new(
            Opts::new("citybrain_notifier_deliveries_total", "Attempts to deliver alert events."),
            &["receiver", "outcome"],
        )?;
        metrics.register(Box::new(delivered.clone()))?;
        Ok(Self {
            outbox: Arc::new(Outbox::new(state, routes.collect())),
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
        tasks.close();
        tasks.wait().await;
    }
}

struct Worker {
    id: String,
    receiver: Arc<dyn Receiver>,
    outbox: Arc<Outbox>,
    clock: SharedClock,
    status: Arc<Mutex<BTreeMap<String, ReceiverStatus>>>,
    delivered: IntCounterVec,
}

impl Worker {
    async fn run(self, stop: CancellationToken) {
        let mut wait = FIRST_WAIT;
        loop {
            // Registered before looking, so that an event put in between still rings.
            let news = self.outbox.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            let pause = match self.deliver_waiting(&stop).await {
                Ok(()) => {
                    wait = FIRST_WAIT;
                    LOOK_AGAIN
                }
                Err(after) => {
                    let pause = after.unwrap_or(wait).max(jittered(wait));
                    wait = (wait * 2).min(LONGEST_WAIT);
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(pause) => continue,
                    }
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = &mut news => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Delivers what waits, oldest first; stops at the first that must be tried again and says
    /// how long the receiver wants to be left alone.
    async fn deliver_waiting(&self, stop: &CancellationToken) -> Result<(), Option<Duration>> {
        loop {
            let waiting =
                self.on_outbox(|outbox, id| outbox.waiting(id, BATCH)).await.ok_or(None)?;
            if waiting.is_empty() {
                self.report(0, None);
                return Ok(());
            }
            for event in waiting {
                if stop.is_cancelled() {
                    return Ok(());
                }
                self.deliver(event).await?;
            }
        }
    }

    async fn deliver(&self, waiting: Waiting) -> Result<(), Option<Duration>> {
        let Waiting { id, delivery, attempts } = waiting;
        let count = |outcome| self.delivered.with_label_values(&[self.id.as_str(), outcome]).inc();
        let now = self.clock.now();
        match self.receiver.deliver(std::slice::from_ref(&delivery), now).await {
            Ok(()) => {
                count("delivered");
                self.on_outbox(move |outbox, _| outbox.delivered(id, now)).await.ok_or(None)?;
                let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
                status.entry(self.id.clone()).or_default().last_delivery = Some(now);
                Ok(())
            }
            Err(error) if error.retry => {
                count("failed");
                tracing::warn!(receiver = %self.id, attempts, %error, "an alert event was not taken; it is tried again");
                let message = error.message.clone();
                self.on_outbox(move |outbox, _| outbox.failed(id, &message)).await.ok_or(None)?;
                let backlog = self.on_outbox(Outbox::backlog).await;
                self.report(backlog.unwrap_or_default(), Some(error.message));
                Err(error.after)
            }
            Err(error) => {
                count("refused");
                tracing::error!(receiver = %self.id, key = %delivery.key, %error, "an alert event was refused for good");
                self.on_outbox(move |outbox, _| outbox.given_up(id, &error.message, now))
                    .await
                    .ok_or(None)?;
                Ok(())
            }
        }
    }

    fn report(&self, waiting: u64, error: Option<String>) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = status.entry(self.id.clone()).or_default();
        entry.waiting = waiting;
        entry.error = error;
    }

    /// Runs a call on the database off the async threads; a failure is logged and tried later.
    async fn on_outbox<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Outbox, &str) -> Result<T, StateError> + Send + 'static,
    ) -> Option<T> {
        let (outbox, id) = (self.outbox.clone(), self.id.clone());
        let result = tokio::task::spawn_blocking(move || call(&outbox, &id)).await.ok()?;
        result.inspect_err(|error| tracing::error!(%error, "the outbox cannot be used")).ok()
    }
}

/// Between half of the wait and all of it, so that receivers are not all tried at once.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(rand::random_range(0.5..=1.0))
}
