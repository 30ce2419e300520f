//! A start: from what the last run left behind to where its last event was written, and on through
//! the commits that nobody heard of.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use city_model::{
    Alert, Device, DeviceKey, Directory, EndReason, Placement, Position, Reading, ZoneSet,
};
use city_rules::{Evaluator, Told};
use city_store::{Replay, SharedStore};
use rustc_hash::FxHashMap;

use super::field::Field;
use super::journal::{Input, Journal, Next, Script};
use super::runner::{Base, Runner, SAVE_EVERY};
use super::saver::{Content, Saver};
use super::{EngineError, EngineParts, EngineStatus, LowWater, Metrics, Recovered};
use crate::state;

/// What is needed to lead the evaluator to where the last event was written.
pub(super) struct Past {
    script: Script,
    /// What receivers were told; `None` if that was not written down.
    told: Option<Vec<Told>>,
    /// Alerts that ended because rules or registry were changed while the program was down.
    ended: FxHashMap<Arc<str>, EndReason>,
    /// Whether all that was written has been evaluated again.
    is_over: bool,
    zones: FxHashMap<DeviceKey, ZoneSet>,
}

impl Runner {
    pub(super) fn restore(
        parts: EngineParts,
        metrics: Metrics,
        status: Arc<Mutex<EngineStatus>>,
        low_water: Arc<OnceLock<LowWater>>,
    ) -> Result<(Self, Past), EngineError> {
        state::migrate(&parts.state)?;
        let mut field = Field::new(parts.registry, parts.share);
        let present = field.look();
        let now = parts.clock.now();
        let (saved, numbers) = state::load(&parts.state)?;
        let content = saved.as_ref().and_then(|saved| Content::read(&saved.bytes));
        if saved.is_some() && content.is_none() {
            tracing::error!(
                "the alert engine's saved state cannot be read; what was told of ends, and what \
                 still holds is raised anew"
            );
        }
        // Devices that were registered later are not known yet.
        let known = content.as_ref().map_or(u32::MAX, |content| content.devices) as usize;
        let is_behind = known < present.device_slots();
        let directory =
            if is_behind { Arc::new(present.with_devices_below(known)) } else { present };
        // Whatever becomes of the state: commits after it were not evaluated yet.
        let (seq, begun) =
            saved.as_ref().map_or((parts.store.head_seq(), now), |saved| (saved.seq, saved.clock));
        let mut evaluator = Evaluator::new(parts.rules, directory.clone(), begun);
        let (inputs, told) =
            saved.map_or((VecDeque::new(), Some(Vec::new())), |saved| (saved.inputs, saved.told));
        let mut past = Past {
            script: Script(inputs),
            told,
            ended: FxHashMap::default(),
            is_over: false,
            zones: FxHashMap::default(),
        };
        let (mut places, mut events) = (None, Vec::new());
        let restored = content.is_some();
        if let Some(content) = content {
            let report = evaluator.restore(content.evaluator);
            past.ended = report.ended.into_iter().map(|end| (end.alert, end.reason)).collect();
            (places, events) = (content.places, report.events);
        }
        let places = match places {
            Some(places) => places.into_iter().collect(),
            None => last_places(&parts.store, &directory).collect(),
        };
        let saver = Saver::start(
            parts.state.clone(),
            parts.outbox.clone(),
            parts.store.clone(),
            numbers.generation,
        )?;
        let runner = Self {
            evaluator,
            field,
            is_behind,
            directory,
            store: parts.store,
            state: parts.state,
            outbox: parts.outbox,
            clock: parts.clock,
            metrics,
            status,
            low_water,
            saver,
            journal: Journal::default(),
            entry: numbers.entry,
            base: Base::Stale,
            seq,
            readings: 0,
            restored,
            places,
            saved_at: now,
            save_every: SAVE_EVERY,
            saved_readings: 0,
            tidied_at: now,
            failing: None,
            is_untold: false,
            taking: None,
            wrote: (Instant::now(), Duration::ZERO),
            events,
        };
        Ok((runner, past))
    }

    /// Evaluates again what led to the last event that was written, and then the commits since.
    pub(super) fn catch_up(&mut self, mut past: Past) -> Result<Recovered, EngineError> {
        let store = self.store.clone();
        store.replay(self.seq + 1, &mut |commit| self.take_again(commit, &mut past))?;
        let rest: Vec<Input> = past.script.rest().collect();
        for input in rest {
            self.give(input);
        }
        self.meet_the_present(&mut past);
        let now = self.clock.now();
        self.evaluator.resume(now);
        self.is_untold = past.told.is_none();
        self.save_now(now);
        self.report();
        let firing = self.evaluator.firing_count();
        Ok(Recovered { restored: self.restored, readings: self.readings, firing })
    }

    fn take_again(&mut self, commit: Replay, past: &mut Past) {
        while !past.is_over {
            match past.script.next(commit.seq) {
                Next::Give(input) => self.give(input),
                Next::Again => break,
                Next::New => self.meet_the_present(past),
            }
        }
        for mut reading in commit.readings {
            self.fill_zones(&mut reading, &mut past.zones);
            self.evaluator.observe(&reading, &mut self.events);
            self.readings += 1;
        }
        self.seq = self.seq.max(commit.seq);
    }

    /// Gives the evaluator an input that it had before.
    fn give(&mut self, input: Input) {
        match input {
            Input::Clock(at) => self.evaluator.advance(at, &mut self.events),
            Input::Devices(keys, at) if keys as usize > self.directory.device_slots() => {
                let present = self.field.look();
                self.directory = Arc::new(present.with_devices_below(keys as usize));
                self.is_behind = true;
                let mut report = self.evaluator.set_directory(self.directory.clone(), at);
                self.events.append(&mut report.events);
            }
            Input::Commits(_) | Input::Devices(..) => {}
        }
    }

    /// All that was written has been evaluated again: the events that came of it are written, too,
    /// and receivers know what the evaluator knows. Where they do not, they are told.
    fn meet_the_present(&mut self, past: &mut Past) {
        if std::mem::replace(&mut past.is_over, true) {
            return;
        }
        if let Some(told) = past.told.as_mut().map(std::mem::take) {
            self.events.clear();
            let ended = &past.ended;
            let why = |alert: &Alert| ended.get(&alert.id).copied();
            self.evaluator.reconcile(told, why, &mut self.events);
        }
        self.refresh(self.evaluator.clock());
    }

    /// The store keeps no zones: they follow from the place; a moving device that does not say
    /// where it is counts as where it was.
    fn fill_zones(&mut self, reading: &mut Reading, known: &mut FxHashMap<DeviceKey, ZoneSet>) {
        let key = reading.series.device;
        let fixed =
            self.directory.device(key).filter(|d| matches!(d.placement, Placement::Fixed(_)));
        if let Some(device) = fixed {
            reading.zones = device.zones.clone();
            return;
        }
        let locate = |position| self.field.zones().locate(position);
        if let Some(position) = reading.position {
            known.insert(key, locate(position));
            self.places.insert(key, position);
        }
        let zones = known
            .entry(key)
            .or_insert_with(|| self.places.get(&key).copied().map_or_else(|| [].into(), locate));
        reading.zones = zones.clone();
    }
}

/// Where devices that move were last as far as the store knows.
fn last_places(
    store: &SharedStore,
    directory: &Directory,
) -> impl Iterator<Item = (DeviceKey, Position)> {
    let moves = |device: &&Arc<Device>| !matches!(device.placement, Placement::Fixed(_));
    directory.devices().filter(moves).filter_map(|device| {
        let known = store.last_of_device(device.key).into_iter();
        let placed = known.filter_map(|(_, last)| Some((last.time, *last.position?)));
        Some((device.key, placed.max_by_key(|(time, _)| *time)?.1))
    })
}
