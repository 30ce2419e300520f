//! One client of the stream: what it missed, then what happens, with heartbeats in between.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use city_model::{DeviceKey, Timestamp, ZoneKey};
use futures_util::stream::{self, Stream};
use serde::Serialize;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use utoipa::ToSchema;

use super::event::{Event, frame};
use super::hub::{HEARTBEAT, Hub};

/// What a client wants.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientFilter {
    /// Only what is in this zone.
    pub(crate) zone: Option<(ZoneKey, String)>,
    /// Only devices of this kind.
    pub(crate) kind: Option<String>,
    /// Values of this device only.
    pub(crate) device: Option<DeviceKey>,
    /// Values too.
    pub(crate) values: bool,
}

/// Where a client starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// At the present.
    Now,
    /// After the event that it saw last.
    After(u64),
    /// It said where it stopped, but nobody can tell what that is.
    Lost,
}

/// What the hub gives to a new client, consistent at one moment.
pub(super) struct Subscription {
    /// What it missed.
    pub(super) backlog: Vec<Arc<Event>>,
    /// Why it cannot go on where it stopped, if so.
    pub(super) lost: Option<&'static str>,
    /// The position that the backlog follows.
    pub(super) position: u64,
    pub(super) receiver: broadcast::Receiver<Arc<Event>>,
}

struct Client {
    hub: Arc<Hub>,
    filter: ClientFilter,
    ready: VecDeque<Bytes>,
    receiver: broadcast::Receiver<Arc<Event>>,
    heartbeat: Interval,
    /// Counts it as connected until it is dropped.
    _presence: Presence,
}

/// Holds a client's place among those that are connected.
pub(super) struct Presence {
    hub: Arc<Hub>,
    values: bool,
}

impl Presence {
    pub(super) fn new(hub: Arc<Hub>, values: bool) -> Self {
        Self { hub, values }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.hub.leave(self.values);
    }
}

/// The data of `hello`, the first event of every connection.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HelloEvent {
    /// The server's clock.
    #[schema(value_type = String, format = DateTime)]
    now: Timestamp,
    /// Seconds between heartbeats, which are comments.
    heartbeat_s: u64,
    /// The position that the following events follow.
    cursor: String,
}

/// The data of `resync`: what the client knows may be out of date; fetch `/map` and `/alerts`
/// again. The stream goes on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResyncEvent {
    reason: &'static str,
}

/// The bytes of the stream for one client; `None` if there are too many clients. It ends when
/// the server stops, or when `admitted`, asked with every heartbeat, says no.
pub(crate) fn stream<F, A>(
    hub: &Arc<Hub>,
    filter: ClientFilter,
    start: Start,
    admitted: A,
) -> Option<impl Stream<Item = Result<Bytes, Infallible>> + Send + use<F, A>>
where
    A: Fn() -> F + Send + Sync,
    F: Future<Output = bool> + Send,
{
    let presence = hub.enter(filter.values)?;
    let Subscription { backlog, lost, position, receiver } = hub.subscribe(start, filter.values);
    let mut ready = VecDeque::new();
    let hello = HelloEvent {
        now: hub.now(),
        heartbeat_s: HEARTBEAT.as_secs(),
        cursor: position.to_string(),
    };
    ready.push_back(frame(position, "hello", &hello));
    if let Some(reason) = lost {
        ready.push_back(frame(position, "resync", &ResyncEvent { reason }));
    }
    ready.extend(backlog.iter().filter_map(|event| event.frame_for(&filter)));
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let hub = hub.clone();
    let client = Client { hub, filter, ready, receiver, heartbeat, _presence: presence };
    Some(stream::unfold((client, admitted), move |(mut client, admitted)| async move {
        let bytes = client.next(&admitted).await?;
        Some((Ok(bytes), (client, admitted)))
    }))
}

impl Client {
    async fn next<F: Future<Output = bool>>(&mut self, admitted: &impl Fn() -> F) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(bytes);
            }
            tokio::select! {
                biased;
                () = self.hub.closed() => return None,
                _ = self.heartbeat.tick() => {
                    if !admitted().await {
                        return None;
                    }
                    return Some(Bytes::from_static(b": heartbeat\n\n"));
                }
                event = self.receiver.recv() => match event {
                    Ok(event) => {
                        if let Some(bytes) = event.frame_for(&self.filter) {
                            return Some(bytes);
                        }
                    }
                    Err(RecvError::Lagged(_)) => return Some(self.start_over()),
                    Err(RecvError::Closed) => return None,
                }
            }
        }
    }

    /// The client was too slow: it skips what is queued for it and is told so.
    fn start_over(&mut self) -> Bytes {
        let fresh = self.hub.subscribe(Start::Now, self.filter.values);
        self.receiver = fresh.receiver;
        frame(fresh.position, "resync", &ResyncEvent { reason: "the client fell behind" })
    }
}
