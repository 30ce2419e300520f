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
    /// they are told before all others.
    pub fn start<E>(
        bus: Bus,
        state: Arc<StateDb>,
        outbox: Arc<Outbox>,
        clock: SharedClock,
        unknown: impl FnOnce(Timestamp) -> Result<Vec<AlertEvent>, E>,
    ) -> Result<Self, IntakeError>
    where
        IntakeError: From<E>,
    {
        state.migrate(COMPONENT, MIGRATIONS)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stream = format!("alerts/{}", bus.made());
        let taker = Taker { bus, stream, state, outbox, clock, stop: stop.clone() };
        if taker.taken()?.is_none() {
            let now = taker.clock.now();
            taker.note(&unknown(now)?, now, 0)?;
        }
        let thread =
            std::thread::Builder::new().name("bus-alerts".to_owned()).spawn(move || taker.run())?;
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
    stop: Arc<AtomicBool>,
}

impl Taker {
    fn run(&self) {
        let mut skip_to = 0;
        while !self.stop.load(Ordering::Relaxed) {
            match self.take(skip_to) {
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
