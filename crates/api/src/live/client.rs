//! One client of the stream: what it missed, then what happens, with heartbeats in between.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use city_model::{DeviceKey, Timestamp, ZoneKey};
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use serde::Serialize;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use utoipa::ToSchema;

use super::event::{Event, EventKind, frame};
use super::hub::{HEARTBEAT, Hub};
use super::seats::{Follower, Taking};

/// What a client wants; what is empty leaves out nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientFilter {
    /// Only what is in one of these zones.
    pub(crate) zones: Vec<(ZoneKey, String)>,
    /// Only devices of these kinds.
    pub(crate) kinds: Vec<String>,
    /// Values of these devices only.
    pub(crate) devices: Vec<DeviceKey>,
    /// Values too.
    pub(crate) values: bool,
    /// Only these events.
    pub(crate) events: Vec<EventKind>,
    /// Names what it has in common with others that leave out the same devices.
    pub(crate) common: Arc<str>,
}

impl ClientFilter {
    /// A filter with nothing of it but zones and kinds.
    pub(crate) fn new(mut zones: Vec<(ZoneKey, String)>, mut kinds: Vec<String>) -> Self {
        zones.sort();
        kinds.sort();
        let ids: Vec<&str> = zones.iter().map(|(_, id)| id.as_str()).collect();
        let common = format!("{}\n{}", ids.join(","), kinds.join(",")).into();
        Self { zones, kinds, common, ..Self::default() }
    }
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
    /// What is sent first.
    ready: VecDeque<Bytes>,
    /// What it missed. It is shared with the others until it is sent.
    backlog: VecDeque<Arc<Event>>,
    receiver: broadcast::Receiver<Arc<Event>>,
    heartbeat: Interval,
    /// Counts it as connected until it is dropped.
    _presence: Presence,
}

/// Holds a client's place among those that are connected.
pub(super) struct Presence {
    hub: Arc<Hub>,
    follower: Follower,
    values: bool,
}

impl Presence {
    pub(super) fn new(hub: Arc<Hub>, follower: Follower, values: bool) -> Self {
        Self { hub, follower, values }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.hub.leave(&self.follower, self.values);
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

/// The bytes of the stream for one client; the error says of what there are too many. It ends when
/// the server stops, or when `admitted`, asked with every heartbeat, says no.
pub(crate) fn stream<F, A>(
    hub: &Arc<Hub>,
    follower: Follower,
    filter: ClientFilter,
    start: Start,
    admitted: A,
) -> Result<impl Stream<Item = Result<Bytes, Infallible>> + Send + use<F, A>, Taking>
where
    A: Fn() -> F + Send + Sync,
    F: Future<Output = bool> + Send,
{
    let presence = hub.enter(follower, filter.values)?;
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
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let hub = hub.clone();
    let backlog = backlog.into();
    let client = Client { hub, filter, ready, backlog, receiver, heartbeat, _presence: presence };
    Ok(stream::unfold((client, admitted), move |(mut client, admitted)| async move {
        let bytes = client.next(&admitted).await?;
        Some((Ok(bytes), (client, admitted)))
    })
    // Whoever sends it may ask once more after the end.
    .fuse())
}

impl Client {
    async fn next<F: Future<Output = bool>>(&mut self, admitted: &impl Fn() -> F) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(bytes);
            }
            if let Some(missed) = self.backlog.pop_front() {
                if let Some(bytes) = missed.frame_for(&self.filter) {
                    return Some(bytes);
                }
                continue;
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
