//! Blocking work off the async threads, with bounded concurrency: queries never starve the rest.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::problem::{Answer, Problem, codes};

/// How long a call waits for its turn before it is told to come back later.
const PATIENCE: Duration = Duration::from_secs(10);
/// Short calls (state, last values) at the same time.
const SHORT: usize = 16;

/// Two lanes: one for queries over history, one for everything short.
#[derive(Clone, Debug)]
pub(crate) struct Lanes {
    history: Arc<Semaphore>,
    short: Arc<Semaphore>,
}

impl Lanes {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            history: Arc::new(Semaphore::new(cores.max(2))),
            short: Arc::new(Semaphore::new(SHORT)),
        }
    }

    /// Runs a query over history: as many at a time as there are cores.
    pub(crate) async fn history<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        run(&self.history, work).await
    }

    /// Runs something short that blocks.
    pub(crate) async fn short<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        run(&self.short, work).await
    }
}

async fn run<T: Send + 'static>(
    lane: &Arc<Semaphore>,
    work: impl FnOnce() -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let permit = tokio::time::timeout(PATIENCE, lane.clone().acquire_owned());
    let Ok(Ok(permit)) = permit.await else {
        return Err(Problem::new(codes::BUSY, "Too many queries are running; this one waited.")
            .hint("Try again in a few seconds, with a shorter range or a longer step.")
            .retry_after(5));
    };
    // The permit goes along, because work goes on when its client has gone away.
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    });
    done.await.unwrap_or_else(|error| Err(Problem::internal(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_query_that_finds_no_turn_is_told_to_come_back() {
        let lanes = Lanes::new();
        let all = lanes.history.available_permits() as u32;
        let _taken = lanes.history.acquire_many(all).await.expect("open");
        let problem = lanes.history(|| Ok(())).await.expect_err("no turn");
        assert_eq!(problem.code(), codes::BUSY);
        lanes.short(|| Ok(())).await.expect("the other lane is free");
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
