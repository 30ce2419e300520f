//! Blocking work off the async threads, with bounded concurrency: queries never starve the rest.

use std::sync::Arc;
use std::time::Duration;

use city_store::Cancel;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Answer, Problem, codes};

/// How long a call waits for its turn before it is told to come back later.
const PATIENCE: Duration = Duration::from_secs(10);
/// Short calls (state, last values) at the same time.
const SHORT: usize = 16;

/// Runs over much of history at the same time.
const BACKTESTS: usize = 1;

/// Files that are written at the same time: each holds some 10 MB, and as long as its client reads.
const EXPORTS: usize = 4;

/// Passwords that are hashed at the same time, for callers whom nobody knows yet.
const PASSWORDS: usize = 2;
/// How many more may wait for that; the rest are told at once to come back.
const PASSWORDS_WAITING: usize = 16;
/// Bytes of pushed messages that are in memory at the same time, in KiB.
const BODIES_KIB: usize = 64 << 10;

/// Lanes for queries over history, for everything short, and for hashing passwords; and the memory
/// for messages that are pushed.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    history: Arc<Semaphore>,
    backtests: Arc<Semaphore>,
    exports: Arc<Semaphore>,
    short: Arc<Semaphore>,
    passwords: Arc<Semaphore>,
    password_queue: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
}

impl Lanes {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            history: Arc::new(Semaphore::new(cores.max(2))),
            backtests: Arc::new(Semaphore::new(BACKTESTS)),
            exports: Arc::new(Semaphore::new(EXPORTS)),
            short: Arc::new(Semaphore::new(SHORT)),
            passwords: Arc::new(Semaphore::new(PASSWORDS)),
            password_queue: Arc::new(Semaphore::new(PASSWORDS + PASSWORDS_WAITING)),
            bodies: Arc::new(Semaphore::new(BODIES_KIB)),
        }
    }

    /// Checks a password, which costs much on purpose: so few at a time, and so few that wait,
    /// that strangers who guess hold up nobody but each other.
    pub(crate) async fn password<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let Ok(_place) = self.password_queue.clone().try_acquire_owned() else {
            return Err(Problem::new(codes::BUSY, "Too many passwords are being checked.")
                .hint("Try again in a few seconds; a token is checked at once.")
                .retry_after(5));
        };
        run(&self.passwords, work).await
    }

    /// Room for a message of so many bytes, until the permit is dropped.
    pub(crate) async fn body(&self, bytes: usize) -> Answer<OwnedSemaphorePermit> {
        let kib = bytes.div_ceil(1 << 10).clamp(1, BODIES_KIB) as u32;
        let room = tokio::time::timeout(PATIENCE, self.bodies.clone().acquire_many_owned(kib));
        let Ok(Ok(room)) = room.await else {
            return Err(Problem::new(codes::BUSY, "Too many messages are being taken.")
                .hint("Try again in a few seconds.")
                .retry_after(5));
        };
        Ok(room)
    }

    /// Runs a query over history: as many at a time as there are cores, and with less claim to
    /// them than ingest has. It is cancelled when its client goes away.
    pub(crate) async fn history<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Cancel) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        give_way(&self.history, work).await
    }

    /// The same for runs over much of history, which have a lane of their own: they take minutes.
    pub(crate) async fn backtest<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Cancel) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        give_way(&self.backtests, work).await
    }

    /// Begins to write a file, as soon as there is a place, and does not wait for its end.
    pub(crate) async fn export(&self, work: impl FnOnce() + Send + 'static) -> Answer<()> {
        let permit = turn(&self.exports).await?;
        let thread = std::thread::Builder::new().name("export".to_owned());
        let started = thread.spawn(move || {
            city_store::give_way();
            let _permit = permit;
            work();
        });
        started.map(drop).map_err(|error| Problem::internal(&error))
    }

    /// Runs something short that blocks.
    pub(crate) async fn short<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        run(&self.short, work).await
    }
}

/// Cancels a query when whoever waits for it is dropped; after its end that does nothing.
struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

async fn give_way<T: Send + 'static>(
    lane: &Arc<Semaphore>,
    work: impl FnOnce(&Cancel) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let gone = CancelOnDrop(Cancel::default());
    let cancel = gone.0.clone();
    let permit = turn(lane).await?;
    let work = crate::audit::carried(move || work(&cancel));
    // Threads of their own, because one that gives way cannot be made to stop doing so. To
    // start one takes a small part of what any query over history does.
    let (tell, told) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("history".to_owned());
    let started = thread.spawn(move || {
        city_store::give_way();
        let _permit = permit;
        // Nobody may wait any more.
        let _ = tell.send(work());
    });
    started.map_err(|error| Problem::internal(&error))?;
    told.await.unwrap_or_else(|error| Err(Problem::internal(&error)))
}

async fn run<T: Send + 'static>(
    lane: &Arc<Semaphore>,
    work: impl FnOnce() -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let permit = turn(lane).await?;
    let work = crate::audit::carried(work);
    // The permit goes along, because work goes on when its client has gone away.
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    });
    done.await.unwrap_or_else(|error| Err(Problem::internal(&error)))
}

/// A place in a lane, as soon as there is one.
async fn turn(lane: &Arc<Semaphore>) -> Answer<OwnedSemaphorePermit> {
    let permit = tokio::time::timeout(PATIENCE, lane.clone().acquire_owned());
    let Ok(Ok(permit)) = permit.await else {
        return Err(Problem::new(codes::BUSY, "Too many queries are running; this one waited.")
            .hint("Try again in a few seconds, with a shorter range or a longer step.")
            .retry_after(5));
    };
    Ok(permit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_query_that_finds_no_turn_is_told_to_come_back() {
        let lanes = Lanes::new();
        let all = lanes.history.available_permits() as u32;
        let _taken = lanes.history.acquire_many(all).await.expect("open");
        let problem = lanes.history(|_| Ok(())).await.expect_err("no turn");
        assert_eq!(problem.code(), codes::BUSY);
        lanes.short(|| Ok(())).await.expect("the other lane is free");
    }

    #[tokio::test]
    async fn a_query_whose_client_goes_away_is_cancelled() {
        let lanes = Lanes::new();
        let (begun, begins) = tokio::sync::oneshot::channel();
        let (ended, ends) = tokio::sync::oneshot::channel();
        let query = tokio::spawn(async move {
            let work = move |cancel: &Cancel| {
                begun.send(()).expect("somebody waits");
                while cancel.check().is_ok() {
                    std::thread::yield_now();
                }
                ended.send(()).expect("somebody waits");
                Ok(())
            };
            lanes.history(work).await
        });
        begins.await.expect("it runs");
        query.abort();
        ends.await.expect("it ends");
    }

    #[tokio::test(start_paused = true)]
    async fn passwords_have_a_lane_of_their_own_and_a_short_queue() {
        let lanes = Lanes::new();
        let taken = lanes.passwords.acquire_many(PASSWORDS as u32).await.expect("open");
        let waiting: Vec<_> = (0..PASSWORDS + PASSWORDS_WAITING)
            .map(|_| lanes.password_queue.clone().try_acquire_owned().expect("a place"))
            .collect();
        let problem = lanes.password(|| Ok(())).await.expect_err("no place to wait");
        assert_eq!(problem.code(), codes::BUSY);
        lanes.short(|| Ok(())).await.expect("the other lane is free");
        drop((waiting, taken));
        lanes.password(|| Ok(())).await.expect("a turn");
    }

    #[tokio::test(start_paused = true)]
    async fn messages_have_64_mib_in_all() {
        let lanes = Lanes::new();
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(lanes.body(16 << 20).await.expect("room"));
        }
        assert_eq!(lanes.body(1).await.expect_err("no room").code(), codes::BUSY);
        held.pop();
        drop(lanes.body(16 << 20).await.expect("room again"));
    }

    #[tokio::test]
    async fn a_panic_inside_a_query_over_history_is_a_problem_too() {
        let lanes = Lanes::new();
        let all = lanes.history.available_permits() as u32;
        let problem = lanes.history::<()>(|_| panic!("inside")).await.expect_err("panicked");
        assert_eq!(problem.code(), codes::INTERNAL);
        let _all = lanes.history.acquire_many(all).await.expect("the lane is free again");
    }

    #[tokio::test]
    async fn a_panic_inside_is_a_problem_and_frees_the_lane() {
        let lanes = Lanes::new();
        let before = lanes.short.available_permits();
        let problem = lanes.short::<()>(|| panic!("inside")).await.expect_err("panicked");
        assert_eq!(problem.code(), codes::INTERNAL);
        assert_eq!(lanes.short.available_permits(), before);
    }
}
