//! The hub between ingest and the clients of the stream.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use city_geo::ZoneIndex;
use city_model::{DeviceKey, Directory, SharedClock, Span, Timestamp};
use city_pipeline::Committed;
use city_registry::Registry;
use city_store::Store;
use prometheus::IntGauge;
use tokio::sync::broadcast;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::client::{Presence, Start, Subscription};
use super::event::{Event, Payload, ValueChange};
use super::published::{MapColumns, Published};
use super::seats::{Follower, Seats, Taking};
use super::table::{DeviceNow, Table};
use crate::alerts::{AlertItem, Board};
use crate::routes::system::System;

/// How often every client hears that the server is alive.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often values are sent, at most.
const TICK: Duration = Duration::from_millis(100);
/// How many ticks apart changes of the map are sent: a fifth of a second.
const MAP_TICKS: u64 = 2;
/// How many ticks apart the state of the system is sent: two seconds.
const SYSTEM_TICKS: u64 = 20;
/// How often every device is looked at, because silence changes its status too.
const SWEEP: Span = Span::from_secs(1);
/// How many events a client may be behind before it has to start over: some fifteen seconds.
const BEHIND: usize = 256;
/// For how long values are collected after the last client that wanted them has gone, so that
/// one that comes back misses none.
const VALUES_LINGER: Span = Span::from_secs(60);

/// See the module.
pub(crate) struct Hub {
    registry: Arc<Registry>,
    board: Arc<Board>,
    clock: SharedClock,
    table: Mutex<Table>,
    published: Mutex<Published>,
    sender: broadcast::Sender<Arc<Event>>,
    seats: Seats,
    values: Mutex<Demand>,
    /// Devices whose alerts changed.
    touched: Mutex<Vec<DeviceKey>>,
    swept: Mutex<Swept>,
    connected: IntGauge,
    stop: CancellationToken,
}

/// Who wants values.
#[derive(Debug, Default)]
struct Demand {
    clients: usize,
    /// When the last one left.
    left: Option<Timestamp>,
}

/// When all devices were last looked at, and in which directory.
#[derive(Debug, Default)]
struct Swept {
    at: Option<Timestamp>,
    directory: u64,
    /// The zones that devices which move were put into.
    zones: Option<Arc<ZoneIndex>>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("seats", &self.seats).finish_non_exhaustive()
    }
}

impl city_pipeline::Follower for Hub {
    fn follow(&self, committed: &Arc<Committed>) {
        let want_values = self.wants_values();
        let mut table = lock(&self.table);
        for reading in &committed.readings {
            table.take(reading, want_values);
        }
    }
}

impl Hub {
    /// A hub that knows what the store knows.
    pub(crate) fn new(
        registry: Arc<Registry>,
        store: &dyn Store,
        board: Arc<Board>,
        clock: SharedClock,
        connected: IntGauge,
        seats: Seats,
    ) -> Self {
        // Positions start at the microseconds of the clock. A hub makes far fewer than a million
        // events a second, so no position is ever given twice, also over restarts, and what a
        // client saw before a restart is always before everything that is known now.
        let position = clock.now().micros().max(0) as u64;
        let hub = Self {
            registry,
            board,
            clock,
            table: Mutex::new(Table::load(store)),
            published: Mutex::new(Published::new(position)),
            sender: broadcast::channel(BEHIND).0,
            seats,
            values: Mutex::default(),
            touched: Mutex::default(),
            swept: Mutex::default(),
            connected,
            stop: CancellationToken::new(),
        };
        hub.show_all();
        hub
    }

    /// Sends changes until the hub is closed; `system` gives the state of the system.
    pub(crate) async fn run(&self, system: impl Fn() -> System) {
        let mut ticker = interval(TICK);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ticks = 0_u64;
        loop {
            tokio::select! {
                () = self.closed() => return,
                _ = ticker.tick() => {}
            }
            if ticks.is_multiple_of(MAP_TICKS) {
                self.tick();
            } else {
                self.tick_values();
            }
            if ticks.is_multiple_of(SYSTEM_TICKS) && self.sender.receiver_count() > 0 {
                self.publish(&mut lock(&self.published), Payload::System(Box::new(system())));
            }
            ticks += 1;
        }
    }

    /// Sends what changed since the last tick.
    pub(crate) fn tick(&self) {
        let now = self.clock.now();
        let directory = self.registry.directory();
        let candidates = self.candidates(&directory, now);
        let values = self.take_values(&directory);
        let mut published = lock(&self.published);
        let mut changes = Vec::new();
        for (key, state) in &candidates {
            if let Some(device) = directory.device(*key) {
                changes.extend(published.update(device, state, &self.board, now));
            }
        }
        if !changes.is_empty() {
            self.publish(&mut published, Payload::Map { at: now, changes });
        }
        self.note_demand(&mut published, now);
        if !values.is_empty() {
            self.publish(&mut published, Payload::Values { at: now, values });
        }
    }

    /// Sends the values since the last tick.
    fn tick_values(&self) {
        let values = self.take_values(&self.registry.directory());
        if !values.is_empty() {
            let at = self.clock.now();
            self.publish(&mut lock(&self.published), Payload::Values { at, values });
        }
    }

    /// Sends an alert that changed, now; its device's severity follows with the next tick.
    pub(crate) fn alert(&self, item: AlertItem) {
        let device = item.alert.subject.device();
        let key = device.and_then(|id| Some(self.registry.directory().device_by_id(id)?.key));
        lock(&self.touched).extend(key);
        self.publish(&mut lock(&self.published), Payload::Alert(Box::new(item)));
    }

    /// What clients know, as the map shows it, with the position after which changes follow.
    pub(crate) fn map(&self) -> (Timestamp, u64, MapColumns, Vec<Arc<str>>) {
        let directory = self.registry.directory();
        let published = lock(&self.published);
        let (columns, kinds) = published.columns(&directory);
        (self.clock.now(), published.position, columns, kinds)
    }

    /// The position of the newest event.
    pub(crate) fn position(&self) -> u64 {
        lock(&self.published).position
    }

    /// One device now.
    pub(crate) fn device(&self, key: DeviceKey) -> DeviceNow {
        lock(&self.table).get(key)
    }

    /// All devices now, by key; those that were never heard may be missing at the end.
    pub(crate) fn devices(&self) -> Vec<DeviceNow> {
        lock(&self.table).all()
    }

    /// When anything was last received.
    pub(crate) fn newest_received(&self) -> Option<Timestamp> {
        lock(&self.table).newest_received()
    }

    /// Ends all streams and the ticker.
    pub(crate) fn close(&self) {
        self.stop.cancel();
    }

    /// Returns once the hub is closed.
    pub(super) async fn closed(&self) {
        self.stop.cancelled().await;
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Gives a client a seat; the error says which are all taken.
    pub(super) fn enter(
        self: &Arc<Self>,
        follower: Follower,
        values: bool,
    ) -> Result<Presence, Taking> {
        self.seats.take(&follower)?;
        self.connected.inc();
        if values {
            lock(&self.values).clients += 1;
        }
        Ok(Presence::new(self.clone(), follower, values))
    }

    pub(super) fn leave(&self, follower: &Follower, values: bool) {
        self.seats.leave(follower);
        self.connected.dec();
        if values {
            let mut demand = lock(&self.values);
            demand.clients -= 1;
            demand.left = Some(self.clock.now());
        }
    }

    /// What a client missed and where it goes on, at one moment.
    pub(super) fn subscribe(&self, start: Start, values: bool) -> Subscription {
        let mut published = lock(&self.published);
        if values && published.values_since.is_none() {
            published.values_since = Some(published.position);
        }
        let position = published.position;
        let backlog = match start {
            Start::Now => Ok(Vec::new()),
            Start::Lost => Err("the position is not one of this stream"),
            Start::After(seen) if seen > position => Err("the position is not one of this stream"),
            Start::After(seen) if values && published.values_since.is_some_and(|s| seen < s) => {
                Err("values were not collected meanwhile")
            }
            Start::After(seen) => published
                .after(seen, values)
                .ok_or("the server restarted, or the client was away for too long"),
        };
        let receiver = self.sender.subscribe();
        match (backlog, start) {
            (Ok(backlog), Start::After(seen)) => {
                Subscription { backlog, lost: None, position: seen, receiver }
            }
            (Ok(backlog), _) => Subscription { backlog, lost: None, position, receiver },
            (Err(lost), _) => {
                Subscription { backlog: Vec::new(), lost: Some(lost), position, receiver }
            }
        }
    }

    /// Fills what clients know without sending anything: there are none yet.
    fn show_all(&self) {
        let now = self.clock.now();
        let directory = self.registry.directory();
        let candidates = self.candidates(&directory, now);
        let mut published = lock(&self.published);
        for (key, state) in &candidates {
            if let Some(device) = directory.device(*key) {
                published.update(device, state, &self.board, now);
            }
        }
    }

    /// The devices that may have changed: those with readings or alerts, and every second all.
    fn candidates(&self, directory: &Directory, now: Timestamp) -> Vec<(DeviceKey, DeviceNow)> {
        let mut swept = lock(&self.swept);
        let due = swept.at.is_none_or(|at| now.since(at) >= SWEEP || now < at);
        let touched = std::mem::take(&mut *lock(&self.touched));
        let mut table = lock(&self.table);
        if !swept.zones.as_ref().is_some_and(|zones| self.registry.has_zones(zones)) {
            let zones = self.registry.zones();
            table.locate(&zones);
            swept.zones = Some(zones);
        }
        let mut candidates = table.take_dirty();
        if due || swept.directory != directory.version {
            (swept.at, swept.directory) = (Some(now), directory.version);
            return directory.devices().map(|device| (device.key, table.get(device.key))).collect();
        }
        candidates.extend(touched.into_iter().map(|key| (key, table.get(key))));
        candidates
    }

    fn take_values(&self, directory: &Directory) -> Vec<ValueChange> {
        let values: Vec<_> = {
            let mut table = lock(&self.table);
            let values = table.take_values().into_iter();
            values.map(|(series, now)| (series, now, table.get(series.device))).collect()
        };
        values
            .into_iter()
            .filter_map(|(series, now, state)| {
                let device = directory.device(series.device)?;
                Some(ValueChange {
                    key: series.device,
                    device: device.id.clone(),
                    metric: directory.metrics.get(series.metric)?.id.clone(),
                    time: now.time,
                    value: now.value,
                    quality: now.quality.code(),
                    kind: device.kind.clone(),
                    zones: state.zones(device),
                })
            })
            .collect()
    }

    fn wants_values(&self) -> bool {
        let demand = lock(&self.values);
        demand.clients > 0 || demand.left.is_some()
    }

    /// Stops collecting values when nobody has wanted them for a while.
    fn note_demand(&self, published: &mut Published, now: Timestamp) {
        let mut demand = lock(&self.values);
        if demand.clients == 0 && demand.left.is_some_and(|left| now.since(left) > VALUES_LINGER) {
            demand.left = None;
            published.values_since = None;
        }
    }

    /// Gives the event its place, keeps it and hands it to everybody.
    fn publish(&self, published: &mut Published, payload: Payload) {
        published.position += 1;
        let event = Arc::new(Event::new(published.position, payload));
        if event.is_kept() {
            published.keep(event.clone());
        }
        // Nobody listening is fine.
        let _ = self.sender.send(event);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
impl Hub {
    /// How many values wait for the next tick.
    pub(crate) fn waiting_values(&self) -> usize {
        lock(&self.table).waiting_values()
    }
}
