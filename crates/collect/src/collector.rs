//! Keeps a session with one broker: connects, and connects again.

use std::collections::HashSet;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use city_model::SharedClock;
use city_pipeline::{Intake, IntakeClosed};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::Route;
use crate::backoff::Backoff;
use crate::config::{BrokerConfig, ConfigError};
use crate::link::{LinkError, valid_filter};
use crate::memory::Memory;
use crate::outbox::Outbox;
use crate::publisher::{Publication, Publisher};
use crate::session::{self, End, STOP_PATIENCE};
use crate::sparkplug;
use crate::status::{Phase, Stats, Status};

/// Collects the messages of one broker.
pub struct Collector {
    shared: Shared,
    outbox: Outbox,
    publisher: Publisher,
    commands: mpsc::Receiver<Publication>,
}

/// What a collector's connections share.
pub(crate) struct Shared {
    pub(crate) config: BrokerConfig,
    /// The filters as they are subscribed, without repetition.
    pub(crate) subscriptions: Vec<String>,
    pub(crate) route: Route,
    pub(crate) clock: SharedClock,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) stats: Arc<Stats>,
    memory: Option<Arc<dyn Memory>>,
}

impl Collector {
    /// Prepares a collector for these topic filters. Reports everything that is wrong.
    pub fn new(
        config: BrokerConfig,
        filters: &[String],
        route: Route,
        intake: Intake,
        clock: SharedClock,
    ) -> Result<Self, Vec<ConfigError>> {
        let mut problems = config.problems();
        for filter in filters.iter().filter(|filter| !valid_filter(filter)) {
            problems.push(ConfigError {
                key: "topic",
                value: format!("`{filter}`"),
                wanted: "a filter in which `+` is a whole level, and `#` the whole last one",
            });
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut seen = HashSet::new();
        let state = config.sparkplug_host.as_deref().map(sparkplug::topic);
        let subscriptions = filters
            .iter()
            .map(|filter| config.subscription(filter))
            .chain(state)
            .filter(|filter| seen.insert(filter.clone()))
            .collect();
        let status = Status {
            phase: Phase::Connecting,
            since: clock.now(),
            last_error: None,
            granted: 0,
            refused: Vec::new(),
            session_resumed: false,
            connects: 0,
        };
        let outbox = Outbox::new(intake, config.receive_maximum.into());
        let status = watch::Sender::new(status);
        let stats = Arc::default();
        let shared = Shared { config, subscriptions, route, clock, status, stats, memory: None };
        let (publisher, commands) = Publisher::new();
        Ok(Self { shared, outbox, publisher, commands })
    }

    /// Gives up at the broker what was subscribed by an earlier run and is not wanted any more.
    pub fn with_memory(mut self, memory: Arc<dyn Memory>) -> Self {
        self.shared.memory = Some(memory);
        self
    }

    /// How it stands, now and from now on.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.shared.status.subscribe()
    }

    /// The way back to the broker.
    pub fn publisher(&self) -> Publisher {
        self.publisher.clone()
    }

    /// What it counts.
    pub fn stats(&self) -> Arc<Stats> {
        self.shared.stats.clone()
    }

    /// Collects until told to stop; then waits, for a bounded time, for the commits under way, so
    /// that they are acknowledged. The pipeline must go on meanwhile. Ends by itself only when
    /// the pipeline has stopped.
    pub async fn run(self, shutdown: CancellationToken) {
        // Our own end is kept, so that the queue never looks closed.
        let Self { shared, mut outbox, publisher: _publisher, mut commands } = self;
        let mut backoff = Backoff::default();
        loop {
            shared.enter(Phase::Connecting, None);
            let (end, lasted) = session::run(&shared, &mut outbox, &mut commands, &shutdown).await;
            let wait = backoff.next(lasted, rand::random());
            match end {
                End::Shutdown => break,
                End::PipelineStopped => return shared.pipeline_stopped(),
                End::Failed(error) => shared.failed(&error, wait),
            }
            // What is waiting goes first: the broker is about to send it again.
            let pause = async {
                let drained = drain(&mut outbox);
                tokio::join!(drained, sleep(wait)).0
            };
            tokio::select! {
                () = shutdown.cancelled() => break,
                drained = pause => if drained.is_err() {
                    return shared.pipeline_stopped();
                },
            }
        }
        if timeout(STOP_PATIENCE, drain(&mut outbox)).await.is_err() {
            tracing::warn!(
                mqtt.broker = &*shared.config.host,
                "stopped before the pipeline took everything; at QoS 1 it will come again"
            );
        }
        shared.enter(Phase::Stopped, None);
    }
}

/// Waits until the pipeline has taken everything.
async fn drain(outbox: &mut Outbox) -> Result<(), IntakeClosed> {
    poll_fn(|cx| {
        while !outbox.is_empty() {
            match outbox.poll_hand_over(true, || {}, cx) {
                Poll::Ready(Ok(())) => {}
                other => return other,
            }
        }
        Poll::Ready(Ok(()))
    })
    .await
}

impl Shared {
    /// Publishes a change of the status.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Status)) {
        self.status.send_modify(change);
    }

    /// Publishes a new phase, and the error that led to it.
    pub(crate) fn enter(&self, phase: Phase, error: Option<String>) {
        let now = self.clock.now();
        self.update(|status| {
            status.phase = phase;
            status.since = now;
            if let Some(error) = error {
                status.last_error = Some((now, error));
            }
        });
    }

    /// What the broker delivers from an earlier run, and is not wanted any more.
    pub(crate) fn unwanted(&self) -> Vec<String> {
        let Some(memory) = &self.memory else { return Vec::new() };
        match memory.load() {
            Ok(mut earlier) => {
                earlier.retain(|filter| !self.subscriptions.contains(filter));
                earlier
            }
            Err(error) => {
                tracing::warn!(
                    mqtt.broker = &*self.config.host,
                    error = &error as &dyn std::error::Error,
                    "cannot read what was subscribed earlier; the broker may go on delivering it"
                );
                Vec::new()
            }
        }
    }

    /// Remembers what is subscribed now.
    pub(crate) fn remember(&self) {
        let Some(memory) = &self.memory else { return };
        if let Err(error) = memory.save(&self.subscriptions) {
            tracing::warn!(
                mqtt.broker = &*self.config.host,
                error = &error as &dyn std::error::Error,
                "cannot remember what is subscribed"
            );
        }
    }

    fn failed(&self, error: &LinkError, wait: std::time::Duration) {
        tracing::warn!(
            mqtt.broker = &*self.config.host,
            mqtt.wait_ms = wait.as_millis() as u64,
            "{error}; connecting again"
        );
        self.enter(Phase::Waiting, Some(error.to_string()));
    }

    fn pipeline_stopped(&self) {
        tracing::warn!(mqtt.broker = &*self.config.host, "{IntakeClosed}; collecting ends");
        self.enter(Phase::Stopped, Some(IntakeClosed.to_string()));
    }
}
