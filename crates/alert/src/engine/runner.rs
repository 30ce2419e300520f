//! The engine's thread: takes what comes, gives it to the evaluator, and writes what comes of it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use city_model::{AlertEvent, DeviceKey, Directory, Position, SharedClock, Span, Timestamp};
use city_pipeline::Committed;
use city_rules::{Evaluator, ReloadReport, RuleSet, Snapshot, Told};
use city_store::{SharedStore, StateDb};
use rustc_hash::FxHashMap;

use super::field::Field;
use super::journal::{Input, Journal};
use super::saver::{Content, Done, Job, Saver};
use super::{EngineError, EngineStatus, LowWater, Metrics, Order};
use crate::outbox::Outbox;
use crate::state;

/// The longest time between two looks at the clock.
const TICK: Duration = Duration::from_millis(100);

/// Orders that are obeyed before their events are written together.
const TOGETHER: usize = 16;

/// Timers run this far behind the clock, so that a reading that was received in time, but is
/// still on its way to the engine, is heard before the timer decides.
const TIMER_SLACK: Span = Span::from_millis(500);

/// How far the clock may be behind what was evaluated before it counts as set back. Less is
/// waited for.
const SET_BACK: Span = Span::from_secs(30);

/// How often the state is saved at most: what a restart has to evaluate again.
pub(super) const SAVE_EVERY: Span = Span::from_secs(10);

/// How often at least, however long it takes.
const SAVE_AT_LEAST_EVERY: Span = Span::from_mins(5);

/// Taking the state keeps evaluation from its work: at most one part in so many of the time.
const TAKING_SHARE: i64 = 100;

/// Subjects of rules whose state is taken between two looks into the inbox, some hundred
/// microseconds: no alert waits until the whole state is taken.
const TAKEN_AT_ONCE: usize = 256;

/// How many readings a restart evaluates again before the state is saved in any case: some seconds.
const MOST_AGAIN: u64 = 20_000_000;

/// Writing it keeps a core and the disk busy: at most one part in so many of the time.
const WRITING_SHARE: i64 = 20;

/// How long to leave a disk alone that did not take the state.
const TRY_AGAIN: Span = Span::from_secs(1);

/// How often the outbox is tidied.
const TIDY_EVERY: Span = Span::from_mins(1);

/// Whether the journal leads to the present state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// It does, from the state that is saved.
    Good,
    /// Something happened that it cannot tell, such as new rules: the whole state must be saved
    /// before the next event can be written.
    Stale,
    /// A state from after that is being saved.
    Renewing,
}

/// The rest of a state that is being taken piece by piece, as it was when that began.
pub(super) struct Taking {
    /// How long it has taken so far.
    took: Duration,
    devices: u32,
    places: Vec<(DeviceKey, Position)>,
    seq: u64,
    clock: Timestamp,
    place: u64,
    entry: i64,
    told: Vec<Told>,
}

/// What the engine's thread holds.
pub(super) struct Runner {
    pub(super) evaluator: Evaluator,
    pub(super) field: Field,
    pub(super) directory: Arc<Directory>,
    /// Whether the directory is one of before.
    pub(super) is_behind: bool,
    pub(super) store: SharedStore,
    pub(super) state: Arc<StateDb>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) clock: SharedClock,
    pub(super) metrics: Metrics,
    pub(super) status: Arc<Mutex<EngineStatus>>,
    pub(super) low_water: Arc<OnceLock<LowWater>>,
    pub(super) saver: Saver,
    pub(super) journal: Journal,
    /// The number of the journal's next entry.
    pub(super) entry: i64,
    pub(super) base: Base,
    pub(super) seq: u64,
    pub(super) readings: u64,
    pub(super) restored: bool,
    /// Where devices that move were last.
    pub(super) places: FxHashMap<DeviceKey, Position>,
    pub(super) saved_at: Timestamp,
    pub(super) save_every: Span,
    /// How many readings had been evaluated then.
    pub(super) saved_readings: u64,
    pub(super) tidied_at: Timestamp,
    pub(super) failing: Option<String>,
    /// Whether it was not written down yet what receivers were told.
    pub(super) is_untold: bool,
    /// A state that is being taken piece by piece.
    pub(super) taking: Option<Taking>,
    /// When events were written last, and how long that took.
    pub(super) wrote: (Instant, Duration),
    /// Events that are not written yet, because the state database failed, or are about to be.
    pub(super) events: Vec<AlertEvent>,
}

impl Runner {
    pub(super) fn run(mut self, inbox: &Receiver<Order>) {
        loop {
            let patience = if self.taking.is_some() { Duration::ZERO } else { TICK };
            let mut next = inbox.recv_timeout(patience);
            let idle = self.taking.is_none() && matches!(next, Err(RecvTimeoutError::Timeout));
            let mut obeyed = 0;
            loop {
                match next {
                    Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return self.finish(),
                    Ok(Order::Die) => return self.saver.give_up(),
                    Ok(Order::Evaluate(committed)) => self.evaluate(&committed),
                    Ok(Order::Rules(rules, answer)) => self.obey(rules, &answer),
                    Err(RecvTimeoutError::Timeout) => break,
                }
                obeyed += 1;
                // What is taken out of the queue is obeyed: nothing may be lost here.
                if obeyed == TOGETHER || self.is_time_to_write() {
                    break;
                }
                next = inbox.try_recv().or(Err(RecvTimeoutError::Timeout));
            }
            let now = self.clock.now();
            if self.evaluator.clock().since(now) > SET_BACK {
                let evaluated = self.evaluator.clock();
                tracing::warn!(%now, %evaluated, "the clock was set back; alerts go on from there");
                self.evaluator.set_back(now - TIMER_SLACK, &mut self.events);
                self.base = Base::Stale;
            }
            if idle {
                let upto = self.settled(now);
                self.refresh(upto);
                self.journal.note(Input::Clock(upto));
                self.evaluator.advance(upto, &mut self.events);
            }
            self.publish(now);
        }
    }

    /// Whether what there is to tell is written before anything else is evaluated: so that writing,
    /// which waits for the disk, takes half of the time at most.
    fn is_time_to_write(&self) -> bool {
        !self.events.is_empty() && self.wrote.0.elapsed() >= self.wrote.1
    }

    fn obey(&mut self, rules: Arc<RuleSet>, answer: &SyncSender<ReloadReport>) {
        let now = self.settled(self.clock.now());
        let mut report = self.evaluator.set_rules(rules, now);
        self.base = Base::Stale;
        self.events.append(&mut report.events);
        // An error says that nobody waits for the report any more.
        let _ = answer.send(report);
    }

    fn finish(mut self) {
        self.save_now(self.clock.now());
        self.report();
    }

    /// Up to when timers may decide: a reading that was received but is not evaluated yet, because
    /// the disk is slow or full, must be heard before.
    fn settled(&self, now: Timestamp) -> Timestamp {
        let oldest = self.low_water.get().and_then(|oldest| oldest());
        oldest.map_or(now, |oldest| oldest.min(now)) - TIMER_SLACK
    }

    fn evaluate(&mut self, committed: &Committed) {
        // The registry may have changed since these were received; time has not passed for them.
        self.refresh(committed.readings.first().map_or(self.evaluator.clock(), |r| r.received));
        let timer = self.metrics.batch.start_timer();
        for reading in &committed.readings {
            if let Some(position) = reading.position {
                self.places.insert(reading.series.device, position);
            }
            self.evaluator.observe(reading, &mut self.events);
        }
        timer.observe_duration();
        self.journal.note(Input::Commits(committed.seq));
        self.seq = committed.seq;
        self.readings += committed.readings.len() as u64;
        self.metrics.readings.inc_by(committed.readings.len() as u64);
    }

    /// Takes up changes of the registry.
    pub(super) fn refresh(&mut self, now: Timestamp) {
        if self.field.is_current() && !self.is_behind {
            return;
        }
        self.is_behind = false;
        let present = self.field.look();
        let keys = self.directory.device_slots();
        if self.directory.difference(&present).only_adds_from(keys) {
            self.journal.note(Input::Devices(present.device_slots() as u32, now));
        } else {
            self.base = Base::Stale;
        }
        self.directory = present;
        let mut report = self.evaluator.set_directory(self.directory.clone(), now);
        self.events.append(&mut report.events);
    }

    /// Writes what there is to tell, and begins to save the state if it is time.
    fn publish(&mut self, now: Timestamp) {
        self.hear_saver(false);
        if !self.events.is_empty() {
            self.write(now);
        }
        self.go_on_taking();
        if self.events.is_empty() && !self.saver.is_busy {
            if self.base == Base::Stale && self.failing.is_none() {
                self.begin_save(now);
            } else if self.taking.is_none()
                && (is_past(self.saved_at, self.save_every, now)
                    || self.readings - self.saved_readings > MOST_AGAIN)
            {
                self.begin_taking(now);
            }
        }
        if is_past(self.tidied_at, TIDY_EVERY, now) {
            self.tidied_at = now;
            self.saver.tidy(now);
        }
        self.report();
    }

    pub(super) fn report(&self) {
        let firing = self.evaluator.firing_count();
        self.metrics.firing.set(firing as i64);
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = EngineStatus {
            seq: self.seq,
            firing,
            readings: self.readings,
            evaluated: self.evaluator.clock(),
            failing: self.failing.clone(),
        };
    }

    /// Writes events and the inputs that they came of; while that fails they are kept and tried
    /// again.
    fn write(&mut self, now: Timestamp) {
        if self.base == Base::Renewing {
            self.hear_saver(true);
        }
        if self.base == Base::Stale {
            if self.failing.is_none() || is_past(self.saved_at, TRY_AGAIN, now) {
                self.save_now(now);
            }
            return;
        }
        let begun = Instant::now();
        let written = self.try_write(now);
        self.wrote = (Instant::now(), begun.elapsed());
        match written {
            Ok(()) => {
                self.entry += 1;
                self.journal.drop_before(self.journal.end());
                self.written();
            }
            Err(error) => self.failed(&error),
        }
    }

    fn try_write(&self, now: Timestamp) -> Result<(), EngineError> {
        let (place, inputs) = self.journal.unwritten();
        let inputs = postcard::to_stdvec(inputs)?;
        self.state.write(|tx| {
            self.outbox.put(tx, &self.events, now)?;
            state::put_told(tx, &self.events)?;
            Ok(state::put_inputs(tx, self.entry, place, &inputs)?)
        })
    }

    fn written(&mut self) {
        if !self.events.is_empty() {
            self.metrics.events.inc_by(self.events.len() as u64);
            self.outbox.ring();
            self.events.clear();
        }
        self.failing = None;
    }

    fn failed(&mut self, error: &EngineError) {
        tracing::error!(
            error.cause = %error,
            "the alert engine's state cannot be saved, its events wait; it is tried again"
        );
        self.failing = Some(error.to_string());
    }

    /// Saves the state together with the events that wait, and waits until it is written.
    pub(super) fn save_now(&mut self, now: Timestamp) {
        self.hear_saver(true);
        self.begin_save(now);
        if self.hear_saver(true) {
            self.written();
        }
    }

    /// Takes the state as it is now, standing still for it, and has it saved beside the evaluation.
    fn begin_save(&mut self, now: Timestamp) {
        let begun = Instant::now();
        let mut taking = self.note_taking(now);
        let snapshot = self.evaluator.snapshot();
        taking.took = begun.elapsed();
        self.metrics.standing.observe(taking.took.as_secs_f64());
        if self.base == Base::Stale {
            self.base = Base::Renewing;
        }
        self.save(taking, snapshot, self.events.clone());
    }

    /// Begins to take the state as it is now, piece by piece.
    fn begin_taking(&mut self, now: Timestamp) {
        let begun = Instant::now();
        let mut taking = self.note_taking(now);
        self.evaluator.begin_snapshot();
        taking.took = begun.elapsed();
        self.metrics.standing.observe(taking.took.as_secs_f64());
        self.taking = Some(taking);
    }

    /// What belongs to a state beside the evaluator's own.
    fn note_taking(&mut self, now: Timestamp) -> Taking {
        // Only one is taken at a time.
        self.taking = None;
        self.evaluator.give_up_snapshot();
        self.saved_at = now;
        self.saved_readings = self.readings;
        Taking {
            took: Duration::ZERO,
            devices: self.directory.device_slots() as u32,
            places: self.places.iter().map(|(device, at)| (*device, *at)).collect(),
            seq: self.seq,
            clock: now,
            place: self.journal.seal(),
            entry: self.entry - 1,
            told: if self.is_untold { self.evaluator.told().collect() } else { Vec::new() },
        }
    }

    /// Takes the next piece of the state that is being taken; has it saved when it is whole.
    fn go_on_taking(&mut self) {
        let Some(mut taking) = self.taking.take() else { return };
        if !self.evaluator.is_taking_snapshot() || self.base != Base::Good {
            // It became another one meanwhile; a new one is begun when it is time.
            return self.evaluator.give_up_snapshot();
        }
        let begun = Instant::now();
        let whole = self.evaluator.go_on_with_snapshot(TAKEN_AT_ONCE);
        let piece = begun.elapsed();
        taking.took += piece;
        self.metrics.standing.observe(piece.as_secs_f64());
        match whole {
            Some(snapshot) => self.save(taking, snapshot, Vec::new()),
            None => self.taking = Some(taking),
        }
    }

    fn save(&mut self, taking: Taking, evaluator: Snapshot, events: Vec<AlertEvent>) {
        let Taking { took, devices, places, seq, clock, place, entry, told } = taking;
        self.metrics.taking.observe(took.as_secs_f64());
        self.save_every = pace(took, TAKING_SHARE);
        let content = Content { devices, places: Some(places), evaluator };
        let begun = self.saver.save(Job { content, seq, clock, place, entry, events, told });
        if !begun {
            // Nothing may be written on a state that is not saved.
            if self.base == Base::Renewing {
                self.base = Base::Stale;
            }
            self.failed(&EngineError::Saver);
        }
    }

    /// Takes note of a state that was saved; the store may drop the commits that it covers. Whether
    /// one was.
    fn hear_saver(&mut self, patient: bool) -> bool {
        if !self.saver.is_busy {
            return false;
        }
        let result = match self.saver.outcome(patient) {
            Some(Done { place, result: Ok((took, bytes)), .. }) => {
                self.journal.drop_before(place);
                self.save_every = self.save_every.max(pace(took, WRITING_SHARE));
                self.metrics.bytes.set(bytes as i64);
                Ok(())
            }
            Some(Done { result: Err(error), .. }) => Err(error),
            None if patient => Err(EngineError::Saver),
            None => return false,
        };
        let saved = result.is_ok();
        if self.base == Base::Renewing {
            self.base = if saved { Base::Good } else { Base::Stale };
        }
        match result {
            Ok(()) => (self.is_untold, self.failing) = (false, None),
            Err(error) => self.failed(&error),
        }
        saved
    }
}

/// A clock that was set back must not make anything wait until it has caught up.
fn is_past(last: Timestamp, every: Span, now: Timestamp) -> bool {
    now.since(last) >= every || now < last
}

/// How long to wait for the next time of something that took so long, and may take one part in
/// `share` of the time.
fn pace(took: Duration, share: i64) -> Span {
    let took = Span::from_micros(i64::try_from(took.as_micros()).unwrap_or(i64::MAX / share));
    Span::from_micros(took.micros() * share).clamp(SAVE_EVERY, SAVE_AT_LEAST_EVERY)
}
