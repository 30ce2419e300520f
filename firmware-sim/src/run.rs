//! Runs a fleet: publishes what was stored before the start, then goes live on time.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::from_millis;
use crate::mqtt::{Counters, Links, Message};
use crate::scenario::Backfill;
use crate::sends::Sends;
use crate::{Clock, Fleet, Snapshot, Target};

/// How long a fleet that is told to stop waits for outstanding acknowledgements.
const PATIENCE: Duration = Duration::from_secs(2);

/// A device that is this many intervals behind (the machine slept) skips what it missed.
const TOO_LATE: i64 = 6;

/// Publishes a fleet over MQTT until it is told to stop.
#[derive(Debug)]
pub struct Runner {
    fleet: Arc<Fleet>,
    target: Target,
    clock: Clock,
    backfill: Option<Backfill>,
    counters: Arc<Counters>,
}

/// What a run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Messages that were acknowledged.
    pub acknowledged: u64,
    /// Readings in them.
    pub readings: u64,
    /// Messages that gave way because a store was full.
    pub dropped: u64,
    /// Messages that were not acknowledged when time was up.
    pub unsent: u64,
}

impl Runner {
    /// Ready to publish a fleet with real time and the history that its scenario asks for.
    pub fn new(fleet: Arc<Fleet>, target: Target) -> Self {
        let backfill = fleet.backfill();
        Self { fleet, target, clock: Clock::wall(), backfill, counters: Arc::default() }
    }

    /// With another clock: give the one whose time the fleet was made with.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// With another history, or none.
    #[must_use]
    pub fn backfill(mut self, backfill: Option<Backfill>) -> Self {
        self.backfill = backfill;
        self
    }

    /// The counters, which can be read while it runs.
    pub fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
    }

    /// Publishes until `shutdown` is cancelled, then waits up to 2 s for acknowledgements.
    ///
    /// Never fails: a target that cannot be reached is tried again, while the devices store what
    /// they measure, up to [`Target::store`].
    pub async fn run(self, shutdown: CancellationToken) -> Report {
        let links = Links::start(&self.target, &self.counters);
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.publish(&links) => {}
        }
        let unsent = links.finish(PATIENCE).await;
        let Snapshot { acknowledged, readings, dropped, .. } = self.counters.snapshot();
        Report { acknowledged, readings, dropped, unsent }
    }

    async fn publish(&self, links: &Links) {
        let mut counters = vec![0_u32; self.fleet.devices().len()];
        if let Some(backfill) = self.backfill {
            self.send_history(backfill, links, &mut counters).await;
        }
        self.go_live(links, counters).await;
    }

    /// Everything that each sender had stored, at times that are multiples of the step, so that
    /// the same history sent again is the same.
    async fn send_history(&self, backfill: Backfill, links: &Links, counters: &mut [u32]) {
        let (start, step) = (self.fleet.start().as_millisecond(), backfill.step.millis().max(1));
        let first = (start - backfill.window.millis()).div_euclid(step) + 1;
        for sender in self.fleet.senders() {
            let mut records = Vec::new();
            for time in (first..).map(|n| n * step).take_while(|time| *time < start) {
                self.fleet.records(sender, from_millis(time), counters, &mut records);
            }
            if records.is_empty() {
                continue;
            }
            for uplink in self.fleet.format_of(sender, self.fleet.start()).encode(&records) {
                links.of(sender.link).push_when_free(Message::from(uplink)).await;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn go_live(&self, links: &Links, counters: Vec<u32>) {
        let mut sends = Sends::new(&self.fleet, self.fleet.start(), counters);
        let mut uplinks = Vec::new();
        let mut burst = 0_u32;
        while let Some((time, interval)) = sends.next_due() {
            let now = self.clock.now().as_millisecond();
            if now - time > TOO_LATE * interval {
                sends.skip_to(now);
                continue;
            }
            let wait = self.clock.until(from_millis(time));
            if wait.is_zero() {
                burst += 1;
                if burst.is_multiple_of(64) {
                    tokio::task::yield_now().await;
                }
            } else {
                tokio::time::sleep(wait).await;
            }
            let Some(link) = sends.send_next(&mut uplinks) else { return };
            for uplink in uplinks.drain(..) {
                links.of(link).push(Message::from(uplink));
            }
        }
    }
}
