//! The gate between the engine and the outbox: what silences, shelves and other alerts keep from
//! outside receivers is held, and told when nothing keeps it any longer and the alert still fires.
//!
//! Receivers inside (the brain) hear everything. A receiver that was told of an alert hears of its
//! end whatever holds it: a false alarm that stands elsewhere is worse than a message. An alert that
//! came and went while it was held is never told. Of what happened meanwhile to one that still
//! fires, the first and the newest event are told, exactly as they would have been.

mod held;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use city_model::{Alert, AlertEvent, AlertEventKind, Timestamp};
use city_registry::Registry;
use city_rules::lifecycle::{InhibitRule, Inhibitions, NoSilences, Place, Silencing};
use city_store::{StateDb, StateError};
use rusqlite::Transaction;
use rustc_hash::FxHashMap;
use tokio_util::sync::CancellationToken;

use crate::outbox::{Outbox, Route};

/// How often it is looked at what holds no longer.
const EVERY: Duration = Duration::from_millis(500);

/// What decides on what is told to whom and when.
pub struct GateParts {
    /// Silences and shelves.
    pub silencing: Arc<dyn Silencing>,
    /// Which alerts keep others from being told.
    pub inhibit: Arc<[InhibitRule]>,
    /// Where devices and zones are; without it every alert is nowhere.
    pub registry: Option<Arc<Registry>>,
}

impl Default for GateParts {
    /// Everything is told at once.
    fn default() -> Self {
        Self { silencing: Arc::new(NoSilences), inhibit: Arc::default(), registry: None }
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
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl Gate {
    /// The gate as the database has it.
    pub(crate) fn open(state: &StateDb, parts: GateParts) -> Result<Self, StateError> {
        held::migrate(state)?;
        let (held, open) =
            state.read(|conn| Ok::<_, StateError>((held::newest(conn)?, held::open(conn)?)))?;
        let gate =
            Self { silencing: parts.silencing, registry: parts.registry, memory: Mutex::default() };
        let mut memory = gate.memory();
        memory.inhibitions = Inhibitions::new(parts.inhibit);
        for alert in open {
            memory.inhibitions.take(&alert, &gate.place(&alert));
        }
        memory.held = held.into_iter().map(|alert| (alert.id.clone(), alert)).collect();
        drop(memory);
        Ok(gate)
    }

    /// Takes note of events before they are put into the outbox: what happens at once is judged
    /// together.
    pub(crate) fn note(&self, tx: &Transaction<'_>, events: &[AlertEvent]) -> rusqlite::Result<()> {
        // A deadline that was missed changes nothing about the alert itself.
        for event in events.iter().filter(|event| event.kind != AlertEventKind::Overdue) {
            let alert = Arc::new(event.alert.clone());
            let place = self.place(&alert);
            let mut memory = self.memory();
            if !memory.inhibitions.is_empty() {
                held::note_open(tx, event)?;
                memory.inhibitions.take(&alert, &place);
            }
            if let Some(held) = memory.held.get_mut(&alert.id) {
                *held = alert;
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
            return Ok((was_held || holds) && !held::was_told(tx, receiver, &alert.id)?);
        }
        if !holds {
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

    /// The alerts that nothing holds any longer.
    fn free(&self, now: Timestamp) -> Vec<Arc<str>> {
        let held: Vec<Arc<Alert>> = self.memory().held.values().cloned().collect();
        let free = held.into_iter().filter(|alert| !self.holds(alert, now));
        free.map(|alert| alert.id.clone()).collect()
    }

    /// Lets go what nothing holds any longer; `true` if there was something.
    pub(crate) fn review(&self, state: &StateDb, now: Timestamp) -> Result<bool, StateError> {
        let free = self.free(now);
        if free.is_empty() {
            return Ok(false);
        }
        state.write(|tx| {
            for alert in &free {
                for receiver in held::receivers(tx, alert)? {
                    held::release(tx, &receiver, alert, now)?;
                }
            }
            Ok::<_, StateError>(())
        })?;
        let mut memory = self.memory();
        memory.held.retain(|id, _| !free.contains(id));
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
            && !memory.inhibitions.of(alert, &self.place(alert)).is_empty()
    }

    fn place(&self, alert: &Alert) -> Place {
        let registry = self.registry.as_ref();
        registry.map(|registry| Place::of(alert, &registry.directory())).unwrap_or_default()
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
                tracing::error!(%error, "held alerts cannot be looked at; it is tried again");
            }
            Err(error) => tracing::error!(%error, "looking at held alerts panicked"),
        }
    }
}

#[cfg(test)]
mod tests;
