//! The gate between the engine and the outbox: what silences, shelves and other alerts keep from
//! outside receivers is held, and told when nothing keeps it any longer and the alert still fires.
//!
//! Receivers inside (the brain) hear everything. A receiver that was told of an alert hears of its
//! end whatever holds it: a false alarm that stands elsewhere is worse than a message. An alert that
//! came and went while it was held is never told; what is repeated to a receiver that forgets goes on
//! being repeated, for it would take silence for an end. Of what happened meanwhile to one that still
//! fires, the first and the newest event are told, exactly as they would have been.

mod flood;
mod held;
mod told;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use city_model::{Alert, AlertEvent, AlertEventKind, Timestamp};
use city_registry::Registry;
use city_rules::lifecycle::{
    FloodConfig, InhibitRule, Inhibitions, NoSilences, Place, Silencing, Troubled,
};
use city_store::{StateDb, StateError};
use rusqlite::Transaction;
use rustc_hash::{FxHashMap, FxHashSet};
use tokio_util::sync::CancellationToken;

use crate::outbox::Outbox;
use crate::route::Route;
use flood::Floods;

/// How often it is looked at what holds no longer.
const EVERY: Duration = Duration::from_millis(500);

/// What decides on what is told to whom and when.
pub struct GateParts {
    /// Silences and shelves.
    pub silencing: Arc<dyn Silencing>,
    /// Which alerts keep others from being told.
    pub inhibit: Arc<[InhibitRule]>,
    /// When many alerts are a flood.
    pub flood: FloodConfig,
    /// Where devices and zones are; without it an alert is in the first of its zones.
    pub registry: Option<Arc<Registry>>,
}

impl Default for GateParts {
    /// Everything is told at once.
    fn default() -> Self {
        Self {
            silencing: Arc::new(NoSilences),
            inhibit: Arc::default(),
            flood: FloodConfig::default(),
            registry: None,
        }
    }
}

impl std::fmt::Debug for GateParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GateParts").field("inhibit", &self.inhibit).finish_non_exhaustive()
    }
}

pub(crate) struct Gate {
    silencing: Arc<dyn Silencing>,
    registry: Option<Arc<Registry>>,
    memory: Mutex<Memory>,
}

/// What the tables hold too: an event that could not be written comes again, so that memory may
/// be ahead of them for a while.
#[derive(Default)]
struct Memory {
    inhibitions: Inhibitions,
    /// The alerts of which something is held, as they are.
    held: FxHashMap<Arc<str>, Arc<Alert>>,
    troubled: Troubled,
    floods: Floods,
    /// The keys of the events that were counted for floods last.
    noted: FxHashSet<String>,
}

/// Whether a receiver would want an event for what it is.
pub(crate) type Wants = fn(&Route, &AlertEvent) -> bool;

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

pub(crate) fn migrate(state: &StateDb) -> Result<(), StateError> {
    held::migrate(state)
}

impl Gate {
    /// The gate as the database has it.
    pub(crate) fn open(state: &StateDb, parts: GateParts) -> Result<Self, StateError> {
        held::migrate(state)?;
        let (held, open, positions) = state.read(|conn| {
            Ok::<_, StateError>((held::newest(conn)?, held::open(conn)?, held::floods(conn)?))
        })?;
        let gate =
            Self { silencing: parts.silencing, registry: parts.registry, memory: Mutex::default() };
        let mut memory = gate.memory();
        memory.inhibitions = Inhibitions::new(parts.inhibit);
        for alert in open {
            memory.inhibitions.take(&alert, &gate.place(&alert));
            memory.troubled.take(&alert);
        }
        memory.floods = Floods { config: parts.flood, positions };
        memory.floods.forget_ended();
        memory.held = held.into_iter().map(|alert| (alert.id.clone(), alert)).collect();
        drop(memory);
        Ok(gate)
    }

    /// Takes note of events before they are put into the outbox: what happens at once is judged
    /// together.
    pub(crate) fn note(
        &self,
        tx: &Transaction<'_>,
        events: &[AlertEvent],
        (routes, wants): (&[Route], Wants),
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        // A deadline that was missed changes nothing about the alert itself.
        for event in events.iter().filter(|event| event.kind != AlertEventKind::Overdue) {
            let alert = Arc::new(event.alert.clone());
            let place = self.place(&alert);
            let mut memory = self.memory();
            held::note_open(tx, event)?;
            memory.troubled.take(&alert);
            memory.inhibitions.take(&alert, &place);
            if let Some(held) = memory.held.get_mut(&alert.id) {
                *held = alert;
            }
        }
        // After a stop, what was before may be long over.
        let mut positions: BTreeSet<_> = self.memory().floods.advance(now).into_iter().collect();
        // Those that could not be written come again, and are counted already.
        let before = std::mem::take(&mut self.memory().noted);
        let mut noted = FxHashSet::default();
        for event in events.iter().filter(|event| event.kind != AlertEventKind::Overdue) {
            let alert = &event.alert;
            if alert.simulated || alert.resolved_at.is_some() || self.holds(alert, now) {
                continue;
            }
            if before.contains(&event.key) {
                noted.insert(event.key.clone());
                positions.insert(self.memory().floods.config.position(alert));
                continue;
            }
            // For whoever is told, an alert that nothing holds any longer begins now.
            let begins = event.kind == AlertEventKind::Fired;
            if !begins && !self.memory().held.contains_key(&alert.id) {
                continue;
            }
            noted.insert(event.key.clone());
            let labelled = self.labelled(alert);
            positions.insert(self.memory().floods.fired(alert, labelled, now));
        }
        self.memory().noted = noted;
        self.tell_digests(tx, positions, (routes, wants), now)
    }

    /// Writes what is known of floods, and their digests for those who read them.
    fn tell_digests(
        &self,
        tx: &Transaction<'_>,
        positions: impl IntoIterator<Item = Arc<str>>,
        (routes, wants): (&[Route], Wants),
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let memory = self.memory();
        for position in positions {
            if let Some(flood) = memory.floods.positions.get(&position) {
                held::save_flood(tx, &position, flood)?;
            }
            let Some(digest) = memory.floods.digest(&position) else { continue };
            let hear = |route: &&Route| route.people && !route.inside && route.hears_of(digest);
            for route in routes.iter().filter(hear) {
                held::tell_digest(tx, &route.receiver, digest, (wants(route, digest), now))?;
            }
        }
        Ok(())
    }

    /// Whether an event is kept from a receiver, for now or for good. `wanted` says whether the
    /// receiver would want it for what it is.
    pub(crate) fn keeps(
        &self,
        tx: &Transaction<'_>,
        (route, wanted): (&Route, bool),
        event: &AlertEvent,
        (body, now): (&str, Timestamp),
    ) -> rusqlite::Result<bool> {
        if event.kind == AlertEventKind::Overdue {
            // The brain knows it first; whoever is silenced is not told of people's delays either.
            return Ok(route.inside || self.holds(&event.alert, now));
        }
        if route.inside {
            return Ok(false);
        }
        let (receiver, alert) = (route.receiver.as_str(), &event.alert);
        let holds = self.holds(alert, now);
        if alert.resolved_at.is_some() {
            let was_held = held::drop_all(tx, receiver, &alert.id)?;
            self.memory().held.remove(&alert.id);
            // People who were told by a digest only need not hear of each end.
            let unheard = was_held || holds || route.people;
            return Ok(unheard && !held::was_told(tx, receiver, &alert.id)?);
        }
        if !holds {
            self.memory().held.remove(&alert.id);
            if self.swallows(tx, route, alert)? {
                held::drop_all(tx, receiver, &alert.id)?;
                return Ok(true);
            }
            held::release(tx, receiver, &alert.id, now)?;
            return Ok(false);
        }
        let follows = || {
            Ok::<_, rusqlite::Error>(
                held::was_told(tx, receiver, &alert.id)? || held::is_held(tx, receiver, &alert.id)?,
            )
        };
        if wanted || follows()? {
            held::hold(tx, receiver, event, body, now)?;
            self.memory().held.insert(alert.id.clone(), Arc::new(alert.clone()));
        }
        Ok(true)
    }

    /// Whether a receiver hears of an alert by the digest of a flood only.
    fn swallows(
        &self,
        tx: &Transaction<'_>,
        route: &Route,
        alert: &Alert,
    ) -> rusqlite::Result<bool> {
        let Some(flood) = self.memory().floods.of(alert).cloned() else { return Ok(false) };
        // Who did not want the digest, because it was of milder alerts, is told of each.
        Ok(route.people
            && held::was_told(tx, &route.receiver, &flood)?
            && !held::was_told(tx, &route.receiver, &alert.id)?
            && self.memory().floods.swallows(alert))
    }

    /// The alerts that nothing holds any longer.
    fn free(&self, now: Timestamp) -> Vec<Arc<Alert>> {
        let held: Vec<Arc<Alert>> = self.memory().held.values().cloned().collect();
        held.into_iter().filter(|alert| !self.holds(alert, now)).collect()
    }

    /// Lets go what nothing holds any longer, and tells how floods go on; `true` if there was
    /// something.
    pub(crate) fn review(
        &self,
        state: &StateDb,
        routes: (&[Route], Wants),
        now: Timestamp,
    ) -> Result<bool, StateError> {
        let before = self.memory().floods.positions.clone();
        let mut floods: BTreeSet<Arc<str>> =
            self.memory().floods.advance(now).into_iter().collect();
        let free = self.free(now);
        // What comes back all at once is as much of a flood as what fires so.
        for alert in &free {
            let labelled = self.labelled(alert);
            floods.insert(self.memory().floods.fired(alert, labelled, now));
        }
        if free.is_empty() && floods.is_empty() {
            return Ok(false);
        }
        let mut let_go = Vec::new();
        let written = state.write(|tx| {
            self.tell_digests(tx, floods, routes, now)?;
            for alert in &free {
                // It may have ended, or be silenced again, since it was looked at. From here on
                // nobody else writes.
                let present = self.memory().held.get(&alert.id).cloned();
                let Some(alert) = present.filter(|alert| !self.holds(alert, now)) else { continue };
                for receiver in held::receivers(tx, &alert.id)? {
                    let route = routes.0.iter().find(|route| route.receiver == receiver);
                    match route {
                        Some(route) if !self.swallows(tx, route, &alert)? => {
                            held::release(tx, &receiver, &alert.id, now)?;
                        }
                        // Told by a digest, or nobody is there any more to be told.
                        _ => drop(held::drop_all(tx, &receiver, &alert.id)?),
                    }
                }
                self.memory().held.remove(&alert.id);
                let_go.push(alert);
            }
            Ok::<_, StateError>(())
        });
        let mut memory = self.memory();
        if let Err(error) = written {
            // It is done the next time. What fired meanwhile is put again by whoever put it.
            memory.floods.positions = before;
            for alert in let_go {
                memory.held.entry(alert.id.clone()).or_insert(alert);
            }
            return Err(error);
        }
        memory.floods.forget_ended();
        Ok(true)
    }

    /// How many alerts are held.
    pub(crate) fn held(&self) -> usize {
        self.memory().held.len()
    }

    fn holds(&self, alert: &Alert, now: Timestamp) -> bool {
        if self.silencing.current().holds(alert, now) {
            return true;
        }
        let memory = self.memory();
        !memory.inhibitions.is_empty()
            && !memory.inhibitions.of(alert, &self.place(alert), 1).is_empty()
    }

    fn place(&self, alert: &Alert) -> Place {
        let registry = self.registry.as_ref();
        registry.map_or_else(
            || Place { zone: alert.zones.first().cloned(), gateway: None },
            |registry| Place::of(alert, &registry.directory()),
        )
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets go what nothing holds any longer, until told to stop.
pub(crate) async fn watch(
    outbox: Arc<Outbox>,
    clock: city_model::SharedClock,
    held: prometheus::IntGauge,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let (outbox, now) = (outbox.clone(), clock.now());
        let reviewed = tokio::task::spawn_blocking(move || {
            let reviewed = outbox.review(now);
            (reviewed, outbox.held())
        });
        match reviewed.await {
            Ok((Ok(()), count)) => held.set(count as i64),
            Ok((Err(error), _)) => {
                tracing::error!(error.cause = %error, "held alerts cannot be looked at; it is tried again");
            }
            Err(error) => tracing::error!(error.cause = %error, "looking at held alerts panicked"),
        }
    }
}

#[cfg(test)]
mod tests;
