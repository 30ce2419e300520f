//! Saving the whole state beside the evaluation: a thread of its own encodes it and writes it in
//! parts, so that whoever else writes to the state database never waits for long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use city_model::{AlertEvent, DeviceKey, Position, Timestamp};
use city_rules::{Snapshot, Told};
use city_store::{SharedStore, StateDb, give_way_a_little};
use serde::{Deserialize, Serialize};

use super::{EngineError, HOLD};
use crate::outbox::Outbox;
use crate::state::{self, Base};

/// The layout of the saved state. It goes up when what is saved changes; [`Content::read`] then
/// learns to read the one before, too.
const LAYOUT: u8 = 2;

/// The layout of versions before the journal: the evaluator's state alone.
const FIRST_LAYOUT: u8 = 1;

/// Bytes that are written in one transaction: two milliseconds, in which events wait.
const PART: usize = 128 * 1024;

/// For each second that writing a part takes, so long it pauses: saving takes a fourth of the disk's
/// and a core's time at most, because others wait for both.
const PAUSE_FOR_A_PART: u32 = 3;

/// A part that took longer was held up by a disk that stands still, and is no reason to pause longer.
const LONGEST_PART: Duration = Duration::from_millis(5);

/// The engine's state at one moment.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Content {
    /// How many device keys were in use.
    pub(super) devices: u32,
    /// Where devices that move were last; the first layout did not say.
    pub(super) places: Option<Vec<(DeviceKey, Position)>>,
    pub(super) evaluator: Snapshot,
}

impl Content {
    fn write(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_extend(self, vec![LAYOUT])
    }

    /// The state in bytes of this layout or an earlier one; `None` if it is another one or damaged.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (layout, rest) = bytes.split_first()?;
        match *layout {
            LAYOUT => postcard::from_bytes(rest).ok(),
            FIRST_LAYOUT => Some(Self {
                devices: u32::MAX,
                places: None,
                evaluator: postcard::from_bytes(rest).ok()?,
            }),
            _ => None,
        }
    }
}

/// A state to be saved, with what must be written together with it.
pub(super) struct Job {
    pub(super) content: Content,
    pub(super) seq: u64,
    pub(super) clock: Timestamp,
    pub(super) place: u64,
    /// The last entry of the journal that is written.
    pub(super) entry: i64,
    /// Events that the state knows of and that are not written yet.
    pub(super) events: Vec<AlertEvent>,
    /// What receivers were told, if that was not written down before.
    pub(super) told: Vec<Told>,
}

/// What became of a job.
pub(super) struct Done {
    /// Inputs of the journal before this place are in the state.
    pub(super) place: u64,
    /// How long it took without the pauses, and how many bytes it were.
    pub(super) result: Result<(Duration, usize), EngineError>,
}

enum Order {
    Save(Box<Job>),
    Tidy(Timestamp),
}

/// The thread that saves.
pub(super) struct Saver {
    orders: Option<SyncSender<Order>>,
    done: Receiver<Done>,
    /// Whether a state is being saved.
    pub(super) is_busy: bool,
    gives_up: Arc<AtomicBool>,
    /// Whether somebody waits for the job that is under way.
    is_awaited: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Saver {
    pub(super) fn start(
        state: Arc<StateDb>,
        outbox: Arc<Outbox>,
        store: SharedStore,
        generation: i64,
    ) -> std::io::Result<Self> {
        let (orders, inbox) = sync_channel(4);
        let (answers, done) = sync_channel(4);
        let gives_up = Arc::new(AtomicBool::new(false));
        let is_awaited = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            state,
            outbox,
            store,
            generation,
            gives_up: gives_up.clone(),
            is_awaited: is_awaited.clone(),
            rested: Duration::ZERO,
        };
        let thread =
            std::thread::Builder::new().name("alerts-saver".to_owned()).spawn(move || {
                give_way_a_little();
                worker.run(&inbox, &answers);
            })?;
        let (orders, thread) = (Some(orders), Some(thread));
        Ok(Self { orders, done, is_busy: false, gives_up, is_awaited, thread })
    }

    /// Begins to save; not while it is busy. `false` if it cannot be told.
    #[must_use]
    pub(super) fn save(&mut self, job: Job) -> bool {
        self.is_busy = self.order(Order::Save(Box::new(job)));
        self.is_busy
    }

    /// Tidies the outbox, unless there is too much else to do.
    pub(super) fn tidy(&self, now: Timestamp) {
        self.order(Order::Tidy(now));
    }

    fn order(&self, order: Order) -> bool {
        self.orders.as_ref().is_some_and(|orders| orders.try_send(order).is_ok())
    }

    /// What became of the job that is under way; waits for it if `patient`.
    pub(super) fn outcome(&mut self, patient: bool) -> Option<Done> {
        if !self.is_busy {
            return None;
        }
        let done = if patient {
            self.is_awaited.store(true, Ordering::Relaxed);
            let done = self.done.recv().ok();
            self.is_awaited.store(false, Ordering::Relaxed);
            done
        } else {
            self.done.try_recv().ok()
        };
        self.is_busy = done.is_none() && !patient;
        done
    }

    /// Drops what it is doing, as a crash does.
    pub(super) fn give_up(&self) {
        self.gives_up.store(true, Ordering::Relaxed);
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        self.orders = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that saves the alert engine's state panicked");
        }
    }
}

struct Worker {
    state: Arc<StateDb>,
    outbox: Arc<Outbox>,
    store: SharedStore,
    generation: i64,
    gives_up: Arc<AtomicBool>,
    is_awaited: Arc<AtomicBool>,
    /// How long it has paused in the job that is under way.
    rested: Duration,
}

impl Worker {
    fn run(mut self, inbox: &Receiver<Order>, answers: &SyncSender<Done>) {
        while let Ok(order) = inbox.recv() {
            if self.gives_up.load(Ordering::Relaxed) {
                return;
            }
            match order {
                Order::Save(job) => {
                    let begun = Instant::now();
                    self.rested = Duration::ZERO;
                    let Some(result) = self.save(&job).transpose() else { return };
                    let worked = begun.elapsed().saturating_sub(self.rested);
                    let result = result.map(|bytes| (worked, bytes));
                    // An error says that nobody waits for it any more.
                    let _ = answers.send(Done { place: job.place, result });
                }
                Order::Tidy(now) => self.tidy(now),
            }
        }
    }

    /// `None` if it was told to give up.
    fn save(&mut self, job: &Job) -> Result<Option<usize>, EngineError> {
        let bytes = job.content.write()?;
        let generation = self.generation;
        // Parts of an attempt that failed are in nobody's way.
        self.generation += 1;
        for (part, chunk) in (0..).zip(bytes.chunks(PART)) {
            if self.gives_up.load(Ordering::Relaxed) {
                return Ok(None);
            }
            self.gently(|state| state.write(|tx| state::put_part(tx, generation, part, chunk)))?;
        }
        if self.gives_up.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let Job { seq, clock, place, entry, .. } = *job;
        self.state.write(|tx| {
            for told in &job.told {
                state::note_told(tx, told.seq, &told.alert)?;
            }
            self.outbox.put(tx, &job.events, clock)?;
            state::put_told(tx, &job.events)?;
            Ok::<_, EngineError>(state::put_base(
                tx,
                &Base { seq, clock, generation, place, entry },
            )?)
        })?;
        // The state counts from here on; what follows is done again with the next one.
        self.store.hold(HOLD, seq + 1)?;
        while self.gently(|state| state.write(|tx| state::drop_parts(tx, generation)))? {}
        Ok(Some(bytes.len()))
    }

    /// Does one of many steps, and leaves the disk and the core to others after it, unless somebody
    /// waits for the last one.
    fn gently<T>(&mut self, step: impl FnOnce(&StateDb) -> T) -> T {
        let begun = Instant::now();
        let done = step(&self.state);
        let pauses = Instant::now();
        if !self.is_awaited.load(Ordering::Relaxed) {
            std::thread::sleep((pauses - begun).min(LONGEST_PART) * PAUSE_FOR_A_PART);
        }
        self.rested += pauses.elapsed();
        done
    }

    fn tidy(&self, now: Timestamp) {
        match self.outbox.tidy(now) {
            Ok(0) => {}
            Ok(given_up) => tracing::error!(
                given_up,
                "alert events were given up, because too many wait for a receiver"
            ),
            Err(error) => {
                tracing::error!(error.cause = %error, "the outbox of alert events cannot be tidied");
            }
        }
    }
}
