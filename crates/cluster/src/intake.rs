//! What the engines found, taken from the bus into the outbox of the brain: each event once, whatever
//! ends in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use city_alert::Outbox;
use city_bus::{Bus, BusError, Follow, Message};
use city_model::{AlertEvent, SharedClock, Timestamp};
use city_store::{StateDb, StateError};

const COMPONENT: &str = "bus";
const MIGRATIONS: &[&str] = &["CREATE TABLE bus_taken (
         stream TEXT PRIMARY KEY,  -- alerts, and when its bus was made
         number INTEGER NOT NULL   -- the last message of it that was taken
     ) STRICT;"];

/// Events that are taken in one transaction.
const TOGETHER: usize = 500;

const LOOK_UP: Duration = Duration::from_millis(200);
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// Why nothing can be taken in.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The state database failed.
    #[error("alert events cannot be taken from the bus: {0}")]
    State(#[from] StateError),
    /// A statement failed.
    #[error("alert events cannot be taken from the bus: {0}")]
    Sql(#[from] rusqlite::Error),
    /// The bus failed.
    #[error("alert events cannot be taken from the bus: {0}")]
    Bus(#[from] BusError),
    /// The system gives no thread.
    #[error("the thread that takes alert events cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// A thread that takes in what engines find. Dropping it ends it.
#[derive(Debug)]
pub struct Intake {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Intake {
    /// Starts it. Where nothing was ever taken from this bus, what fires by engines of another bus, or of
    /// a single process, is not known to any engine: `unknown` gives the events by which that ends, and
    /// they are told before all others, once the receiver `list`, which `unknown` reads, was told of
    /// all that waited for it.
    pub fn start(
        bus: Bus,
        state: Arc<StateDb>,
        outbox: Arc<Outbox>,
        clock: SharedClock,
        list: &str,
        unknown: impl Fn(Timestamp) -> Result<Vec<AlertEvent>, StateError> + Send + 'static,
    ) -> Result<Self, IntakeError> {
        state.migrate(COMPONENT, MIGRATIONS)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stream = format!("alerts/{}", bus.made());
        let (list, stopped) = (list.to_owned(), stop.clone());
        let taker = Taker { bus, stream, state, outbox, clock, stop: stopped, list };
        let thread = std::thread::Builder::new()
            .name("bus-alerts".to_owned())
            .spawn(move || taker.run(&unknown))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that takes alert events from the bus panicked");
        }
    }
}

struct Taker {
    bus: Bus,
    /// Under which is noted how far it is.
    stream: String,
    state: Arc<StateDb>,
    outbox: Arc<Outbox>,
    clock: SharedClock,
    /// The receiver that keeps the list of alerts.
    list: String,
    stop: Arc<AtomicBool>,
}

type Unknown = dyn Fn(Timestamp) -> Result<Vec<AlertEvent>, StateError>;

impl Taker {
    fn run(&self, unknown: &Unknown) {
        let mut skip_to = 0;
        while !self.stop.load(Ordering::Relaxed) {
            match self.begin(unknown).and_then(|()| self.take(skip_to)) {
                Ok(()) => {}
                Err(IntakeError::Bus(BusError::Gone { first })) => {
                    tracing::error!(
                        first,
                        "alert events that no brain has taken are gone from the bus; let it keep \
                         them for longer, or keep a brain running"
                    );
                    skip_to = first.saturating_sub(1);
                }
                Err(error) => {
                    tracing::error!("{error}; it is tried again");
                    std::thread::sleep(TRY_AGAIN);
                }
            }
        }
    }

    /// Ends what no engine knows, where nothing was ever taken from this bus.
    fn begin(&self, unknown: &Unknown) -> Result<(), IntakeError> {
        if self.taken()?.is_some() {
            return Ok(());
        }
        while self.outbox.backlog(&self.list)? > 0 {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            std::thread::sleep(LOOK_UP);
        }
        let now = self.clock.now();
        self.note(&unknown(now)?, now, 0)
    }

    /// Takes until it is told to stop, or fails.
    fn take(&self, skip_to: u64) -> Result<(), IntakeError> {
        let taken = self.taken()?.unwrap_or(0).max(skip_to);
        let mut following = self.bus.follow(Follow::Alerts, taken)?;
        let mut messages = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            messages.clear();
            following.next_batch(&mut messages, TOGETHER, LOOK_UP)?;
            if let Some(last) = messages.last() {
                let (number, now) = (last.number, self.clock.now());
                let events: Vec<AlertEvent> = messages.iter().filter_map(event).collect();
                self.note(&events, now, number)?;
            }
        }
        Ok(())
    }

    /// Takes events, and notes up to which message of the bus that is.
    fn note(&self, events: &[AlertEvent], now: Timestamp, number: u64) -> Result<(), IntakeError> {
        self.outbox.take(events, now, |tx| {
            tx.execute(
                "INSERT INTO bus_taken (stream, number) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET number = excluded.number",
                (&self.stream, number as i64),
            )?;
            Ok(())
        })
    }

    /// The last message that was taken; `None` if nothing ever was of this bus.
    fn taken(&self) -> Result<Option<u64>, IntakeError> {
        let number: Option<i64> = self.state.read(|conn| {
            let row = conn.query_row(
                "SELECT max(number) FROM bus_taken WHERE stream = ?1",
                [&self.stream],
                |row| row.get(0),
            )?;
            Ok::<_, IntakeError>(row)
        })?;
        Ok(number.map(|number| number as u64))
    }
}

fn event(message: &Message) -> Option<AlertEvent> {
    serde_json::from_slice(&message.payload)
        .inspect_err(|error| {
            tracing::error!(
                number = message.number,
                error.cause = %error,
                "a message of the bus is no alert event; it is left out"
            );
        })
        .ok()
}
