//! The committer: makes readings and dead letters durable, then acknowledges, then tells the
//! followers. While the store fails, it withholds acknowledgements and tries again.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use city_model::SharedClock;
use city_store::{Commit, Outcome, SharedStore, StoreError};

use crate::intake::{Pending, Report};
use crate::seam::{Committed, Follower};
use crate::status::Gauge;

/// The waits between attempts of a failing commit: doubled up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A commit with the messages that it came from, whose acknowledgements wait for it.
pub(crate) struct Prepared {
    pub(crate) commit: Commit,
    pub(crate) messages: Vec<Pending>,
    /// For each message in its order, what the commit holds of it.
    pub(crate) shares: Vec<Share>,
}

/// How much of a commit comes from one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub(crate) readings: u32,
    pub(crate) dead_letters: u32,
}

pub(crate) struct Committer {
    pub(crate) store: SharedStore,
    pub(crate) followers: Vec<Arc<dyn Follower>>,
    pub(crate) gauge: Arc<Gauge>,
    pub(crate) clock: SharedClock,
}

impl Committer {
    /// Commits what comes until the processor is done.
    pub(crate) fn run(self, prepared: &Receiver<Prepared>) {
        while let Ok(next) = prepared.recv() {
            if !self.commit(next) {
                return;
            }
        }
    }

    /// Returns whether to go on.
    fn commit(&self, prepared: Prepared) -> bool {
        let Prepared { commit, messages, shares } = prepared;
        let Some(report) = self.until_durable(&commit) else { return false };
        let done = shares.len();
        let (mut outcomes, mut letters) = (&*report.outcomes, &*commit.dead_letters);
        let messages = messages.into_iter().flat_map(Pending::into_messages);
        for (message, share) in messages.zip(shares) {
            let (of_message, rest) = outcomes.split_at(share.readings as usize);
            let (its_letters, other_letters) = letters.split_at(share.dead_letters as usize);
            (outcomes, letters) = (rest, other_letters);
            if let Some(ack) = message.ack {
                ack.reported(&Report { outcomes: of_message, dead_letters: its_letters });
            }
        }
        let Commit { readings, mut dead_letters, .. } = commit;
        let mut repeated = report.repeated_letters.iter().peekable();
        let mut place = 0..;
        dead_letters.retain(|_| {
            let place = place.next();
            repeated.next_if(|repeated| place == Some(**repeated)).is_none()
        });
        let total = readings.len();
        let fresh: Vec<_> = readings
            .into_iter()
            .zip(&report.outcomes)
            .filter(|(_, outcome)| **outcome == Outcome::Stored)
            .map(|(reading, _)| reading)
            .collect();
        self.gauge.committed(done, total, fresh.len(), &dead_letters, self.clock.now());
        if !fresh.is_empty() {
            let committed = Arc::new(Committed { seq: report.seq, readings: fresh });
            for follower in &self.followers {
                follower.follow(&committed);
            }
        }
        self.gauge.followed();
        true
    }

    /// Tries until the commit is durable; `None` if the pipeline is told to give up.
    fn until_durable(&self, commit: &Commit) -> Option<city_store::CommitReport> {
        let mut wait = FIRST_WAIT;
        loop {
            let began = Instant::now();
            match self.store.commit(commit) {
                Ok(report) => {
                    self.gauge.took(began.elapsed());
                    self.gauge.healthy();
                    return Some(report);
                }
                Err(error) => {
                    self.complain(&error);
                    if self.gauge.wait_or_give_up(wait) {
                        return None;
                    }
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
    }

    fn complain(&self, error: &StoreError) {
        if self.gauge.failing(&error.to_string()) {
            tracing::error!(error.cause = %error, "cannot commit; ingest waits and acknowledges nothing until it works again");
        }
    }
}
