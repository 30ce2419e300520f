//! Small adapters between crates that do not know each other.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use city_alert::{EngineHandle, Notifier, ReceiverStatus};
use city_api::{
    BrokerStatus, CommandRefusal, CommandSent, DeviceCommand, IngestStatus, Pushing, ReceiverState,
};
use city_collect::{Phase, Status};
use city_model::{AlertEvent, SharedClock, Timestamp};
use city_pipeline::{Monitor, Pipeline, Push, PushError, Pusher, Replayer};
use city_registry::{Registry, RegistryError};
use city_store::DeadLetterId;
use tokio::sync::watch;

use crate::doors::WayBack;

/// What the brain may ask of the pipeline, which is started after it because it feeds it.
#[derive(Default)]
pub struct Ingest {
    pipeline: OnceLock<Connected>,
    brokers: Mutex<Vec<(String, watch::Receiver<Status>)>>,
    way_back: WayBack,
}

struct Connected {
    monitor: Monitor,
    replayer: Replayer,
    pusher: Pusher,
    notifier: Arc<Notifier>,
    engine: EngineHandle,
    /// The ids of sources by their number in the ledger.
    sources: Vec<String>,
}

impl Ingest {
    /// Connects the pipeline, once.
    pub fn connect(
        &self,
        pipeline: &Pipeline,
        registry: &Registry,
        notifier: Arc<Notifier>,
        engine: EngineHandle,
    ) -> Result<(), RegistryError> {
        // A second call would change nothing, and there is none.
        let _ = self.pipeline.set(Connected {
            monitor: pipeline.monitor(),
            replayer: pipeline.replayer(),
            pusher: pipeline.pusher(),
            notifier,
            engine,
            sources: registry.source_ids()?,
        });
        Ok(())
    }

    /// When the oldest message was received that the followers have not heard of.
    pub(crate) fn oldest_open(&self) -> Option<Timestamp> {
        self.pipeline.get()?.monitor.oldest_open()
    }

    /// The way on which commands go, to be connected with the endpoint.
    pub(crate) fn way_back(&self) -> WayBack {
        self.way_back.clone()
    }

    /// Watches the session with a broker.
    pub fn watch_broker(&self, name: &str, status: watch::Receiver<Status>) {
        self.brokers().push((name.to_owned(), status));
    }

    fn brokers(&self) -> MutexGuard<'_, Vec<(String, watch::Receiver<Status>)>> {
        self.brokers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl city_api::Ingest for Ingest {
    fn status(&self) -> IngestStatus {
        let Some(connected) = self.pipeline.get() else { return IngestStatus::default() };
        let status = connected.monitor.status();
        IngestStatus {
            in_flight: status.in_flight,
            readings_per_s: status.readings_per_s,
            failing: status.failing,
            sources: connected.sources.clone(),
            receivers: connected.notifier.status().into_iter().map(receiver).collect(),
            engine_failing: connected.engine.status().failing,
            brokers: self.brokers().iter().map(|(name, status)| broker(name, status)).collect(),
        }
    }

    fn replay(&self, id: DeadLetterId) -> Result<(), String> {
        let connected = self.pipeline.get().ok_or("the pipeline has not started yet; try again")?;
        let replayed = tokio::runtime::Handle::current().block_on(connected.replayer.replay(id));
        replayed.map_err(|error| error.to_string())
    }

    fn push(&self, push: Push) -> Pushing<'_> {
        let connected = self.pipeline.get();
        Box::pin(async move {
            match connected {
                Some(connected) => connected.pusher.push(push).await,
                // Asked before everything has started: the sender tries again.
                None => Err(PushError::Slow),
            }
        })
    }

    fn command(&self, command: DeviceCommand) -> Result<CommandSent, CommandRefusal> {
        self.way_back.command(command)
    }
}

/// The receivers outside, for what the brain finds out.
pub(crate) struct Outside {
    pub(crate) notifier: Arc<Notifier>,
    pub(crate) clock: SharedClock,
}

impl city_api::Notices for Outside {
    fn tell(&self, event: &AlertEvent) -> Result<(), String> {
        let told = self.notifier.outbox().notify(event, self.clock.now());
        told.map_err(|error| error.to_string())
    }
}

fn broker(name: &str, status: &watch::Receiver<Status>) -> BrokerStatus {
    let status = status.borrow();
    let refused = status.refused.first().map(|refused| {
        format!("the subscription `{}` was refused: {}", refused.filter, refused.reason)
    });
    BrokerStatus {
        name: name.to_owned(),
        ok: status.phase == Phase::Connected && status.granted > 0 && refused.is_none(),
        error: refused.or_else(|| status.last_error.as_ref().map(|(_, error)| error.clone())),
    }
}

fn receiver((id, status): (String, ReceiverStatus)) -> ReceiverState {
    let ReceiverStatus { waiting, last_delivery, error, failing_since, .. } = status;
    ReceiverState { id, waiting, last_delivery, error, failing_since }
}
