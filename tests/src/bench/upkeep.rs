//! The store's upkeep beside the commits, as production runs it: every five seconds, by the virtual
//! clock, on a thread of its own; a turn that takes longer lets the next one wait.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use city_model::{Span, Timestamp};
use city_store::Store;

const EVERY: Span = Span::from_secs(5);

/// The thread; it ends when this is dropped.
pub(super) struct Upkeep {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<anyhow::Result<()>>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The virtual time.
    now: i64,
    /// That of the last turn that is done.
    done: i64,
    stop: bool,
    ended: bool,
    longest: Duration,
}

impl State {
    fn is_due(&self) -> bool {
        self.now >= self.done + EVERY.micros()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_up(&self, store: &dyn Store) -> anyhow::Result<()> {
        loop {
            let now = {
                let mut state = self.lock();
                while !state.stop && !state.is_due() {
                    state = self.wait(state);
                }
                if state.stop {
                    return Ok(());
                }
                state.now
            };
            let started = Instant::now();
            store.maintain(Timestamp::from_micros(now)).context("the upkeep failed")?;
            let mut state = self.lock();
            state.done = now;
            state.longest = state.longest.max(started.elapsed());
            self.changed.notify_all();
        }
    }
}

impl Upkeep {
    pub(super) fn start(store: Arc<dyn Store>) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::default());
        let own = shared.clone();
        // A name, so that profiles tell it from the commits.
        let thread = std::thread::Builder::new().name("upkeep".to_owned()).spawn(move || {
            let result = own.keep_up(store.as_ref());
            own.lock().ended = true;
            own.changed.notify_all();
            result
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Lets the virtual time go on; it never goes back.
    pub(super) fn tick(&self, now: Timestamp) {
        let mut state = self.shared.lock();
        state.now = state.now.max(now.micros());
        if state.is_due() {
            self.shared.changed.notify_all();
        }
    }

    /// Waits until the turn that is due is done; fails if one has failed.
    pub(super) fn catch_up(&mut self) -> anyhow::Result<()> {
        let mut state = self.shared.lock();
        while !state.ended && state.is_due() {
            state = self.shared.wait(state);
        }
        let ended = state.ended;
        drop(state);
        if ended { self.join() } else { Ok(()) }
    }

    /// How long the longest turn took.
    pub(super) fn longest(&self) -> Duration {
        self.shared.lock().longest
    }

    /// Ends the thread; fails if a turn has failed.
    pub(super) fn join(&mut self) -> anyhow::Result<()> {
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().map_err(|_| anyhow!("the upkeep panicked"))?
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        // Whoever wants to know how it ended has asked before.
        let _ = self.join();
    }
}
