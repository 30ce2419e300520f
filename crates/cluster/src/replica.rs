//! A copy of a shared state: made from its image on the bus, and kept the same by its log.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use city_bus::{Bus, BusError, Follow};
use city_store::{Listener, Sharing, StateDb, StateError, Writers};

use crate::log::BusLog;

/// The log of the city's own state: registry, rules, people, alerts.
pub const CITY: &str = "city";

/// How often an image is taken that a newer one takes the place of meanwhile.
const TRIES: usize = 5;

const LOOK_UP: Duration = Duration::from_millis(200);
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// The bus failed.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The state database failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The copy cannot be put where it belongs.
    #[error("{}: the copy of the shared state cannot be written: {source}; free space on this disk, \
             and let citybrain's user write to this folder", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A copy of a shared state.
pub struct Replica {
    /// The copy.
    pub state: Arc<StateDb>,
    bus: Bus,
    log: String,
    /// Where the image on the bus stands.
    image: AtomicU64,
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica").field("log", &self.log).finish_non_exhaustive()
    }
}

impl Replica {
    /// Makes the copy at `path` from the image on the bus and what was written since; `None` if
    /// nobody has made one yet. What was at `path` before is replaced.
    pub fn from_image(
        bus: &Bus,
        log: &str,
        path: &Path,
        writers: Writers,
        listener: Listener,
    ) -> Result<Option<Self>, ReplicaError> {
        let listener = Arc::new(listener);
        for tries in 1.. {
            let Some((number, bytes)) = bus.image(log)? else { return Ok(None) };
            replace(path, &bytes)?;
            let hears = listener.clone();
            let listener: Listener = Box::new(move |tables| (*hears)(tables));
            match Self::from_file(bus, log, path, &|_| Ok(()), writers, listener) {
                Ok(replica) => {
                    replica.image.store(number, Ordering::Relaxed);
                    return Ok(Some(replica));
                }
                // A newer image took the place of this one, and the log was cut, meanwhile.
                Err(_) if tries < TRIES && bus.image(log)?.is_some_and(|(n, _)| n > number) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Makes the file at `path` the first copy; `prepare` makes the tables that it needs. Nobody
    /// else can follow until [`Replica::put_image`].
    pub fn from_file(
        bus: &Bus,
        log: &str,
        path: &Path,
        prepare: &dyn Fn(&StateDb) -> Result<(), StateError>,
        writers: Writers,
        listener: Listener,
    ) -> Result<Self, ReplicaError> {
        let state = StateDb::open(path)?;
        if bus.log_end(log)? == 0 {
            state.begin_log()?;
        }
        prepare(&state)?;
        let shared = Arc::new(BusLog::new(bus.clone(), log));
        state.share(Sharing { log: shared, writers, listener })?;
        Ok(Self {
            state: Arc::new(state),
            bus: bus.clone(),
            log: log.to_owned(),
            image: AtomicU64::new(0),
        })
    }

    /// Puts an image of the present state on the bus, and drops from the log what was in the image
    /// before: whoever has just taken that one goes on from there.
    pub fn put_image(&self) -> Result<(), ReplicaError> {
        let (number, bytes) = self.state.image()?;
        self.bus.put_image(&self.log, number, &bytes)?;
        let before = self.image.swap(number, Ordering::Relaxed);
        self.bus.drop_before(&self.log, before)?;
        Ok(())
    }

    /// As [`Replica::put_image`], unless nothing was written since the last one.
    pub fn renew_image(&self) -> Result<(), ReplicaError> {
        if self.state.position() == self.image.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.put_image()
    }

    /// Applies what others write, until what is returned is dropped.
    pub fn follow(&self) -> Result<Follower, std::io::Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let failed = Arc::new(AtomicBool::new(false));
        let (ends, fails) = (stop.clone(), failed.clone());
        let (bus, log, state) = (self.bus.clone(), self.log.clone(), self.state.clone());
        let thread = std::thread::Builder::new().name("bus-state".to_owned()).spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                match follow(&bus, &log, &state, &ends) {
                    Ok(()) => {}
                    Err(error @ (ReplicaError::Bus(BusError::Gone { .. }) | ReplicaError::State(_))) => {
                        tracing::error!(
                            log,
                            error.cause = %error,
                            "this copy of the shared state cannot be brought up to date; the \
                             process must be started again, which makes it anew"
                        );
                        fails.store(true, Ordering::Relaxed);
                        return;
                    }
                    Err(error) => {
                        tracing::warn!(log, error.cause = %error, "the shared state waits for the bus");
                        std::thread::sleep(TRY_AGAIN);
                    }
                }
            }
        })?;
        Ok(Follower { stop, failed, thread: Some(thread) })
    }
}

/// A thread that applies what others write.
#[derive(Debug)]
pub struct Follower {
    stop: Arc<AtomicBool>,
    failed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Whether the copy is lost for good.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that follows the shared state panicked");
        }
    }
}

fn follow(bus: &Bus, log: &str, state: &StateDb, stop: &AtomicBool) -> Result<(), ReplicaError> {
    let mut following = bus.follow(Follow::Log(log.to_owned()), state.position())?;
    let mut messages = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        messages.clear();
        following.next_batch(&mut messages, 100, LOOK_UP)?;
        for message in &messages {
            state.apply(message.number, &message.payload)?;
        }
    }
    Ok(())
}

/// Puts a database file in the place of another one and of what belongs to that.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), ReplicaError> {
    let fail = |source| ReplicaError::File { path: path.to_owned(), source };
    let beside = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    for old in [beside("-wal"), beside("-shm")] {
        match std::fs::remove_file(old) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
            _ => {}
        }
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    let fresh = beside(".new");
    std::fs::write(&fresh, bytes).map_err(fail)?;
    std::fs::rename(&fresh, path).map_err(fail)
}
