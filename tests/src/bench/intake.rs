//! A city's readings on their way into a store: one thread commits, the upkeep runs beside it, and
//! the cost of making up the readings is left out of what is measured.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use city_model::Timestamp;
use city_store::{Commit, Outcome, Store};

use super::city::{City, Feed};
use super::cpu_seconds;
use super::upkeep::Upkeep;

/// Readings of one group commit.
pub(super) const BATCH: usize = 10_000;

pub(super) struct Intake {
    city: City,
    feed: Feed,
    commit: Commit,
    store: Arc<dyn Store>,
    pub(super) upkeep: Upkeep,
    now: Timestamp,
    committed: u64,
}

/// What a part of the run took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Leg {
    readings: u64,
    /// By the clock, without making up the readings.
    wall: f64,
    /// Of all threads of the process, without making up the readings.
    cpu: f64,
}

impl Leg {
    pub(super) fn per_s(&self) -> f64 {
        self.readings as f64 / self.wall
    }

    pub(super) fn per_cpu_s(&self) -> f64 {
        self.readings as f64 / self.cpu
    }
}

impl std::ops::AddAssign for Leg {
    fn add_assign(&mut self, other: Self) {
        self.readings += other.readings;
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}

impl Intake {
    pub(super) fn new(city: City, store: Arc<dyn Store>) -> anyhow::Result<Self> {
        Ok(Self {
            city,
            feed: Feed::new(city),
            commit: Commit::default(),
            upkeep: Upkeep::start(store.clone())?,
            store,
            now: City::minute(0),
            committed: 0,
        })
    }

    /// What the virtual clock shows.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Readings committed so far.
    pub(super) fn committed(&self) -> u64 {
        self.committed
    }

    /// Commits once. Returns how long making up the readings took.
    pub(super) fn step(&mut self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        self.now = self.now.max(self.feed.fill(&mut self.commit, BATCH));
        let filled = started.elapsed();
        let report = self.store.commit(&self.commit).context("a commit failed")?;
        let new = report.outcomes.iter().filter(|outcome| **outcome == Outcome::Stored).count();
        ensure!(new == self.commit.readings.len(), "{new} readings of {BATCH} were new");
        self.committed += new as u64;
        Ok(filled)
    }

    /// Lets the upkeep know what time it is.
    pub(super) fn tick(&self) {
        self.upkeep.tick(self.now);
    }

    /// Commits until the virtual clock reaches a minute, and until the upkeep has caught up.
    pub(super) fn until(&mut self, minute: u32) -> anyhow::Result<Leg> {
        let (started, cpu, before) = (Instant::now(), cpu_seconds(), self.committed);
        let mut filling = Duration::ZERO;
        while self.now < City::minute(minute) {
            filling += self.step()?;
            self.tick();
        }
        self.upkeep.catch_up()?;
        let filling = filling.as_secs_f64();
        Ok(Leg {
            readings: self.committed - before,
            wall: started.elapsed().as_secs_f64() - filling,
            cpu: cpu_seconds() - cpu - filling,
        })
    }

    /// Bytes of log that a commit takes; for a store that is new.
    pub(super) fn log_bytes(&mut self) -> anyhow::Result<u64> {
        const COMMITS: u64 = 5;
        let before = self.store.stats().log_bytes;
        for _ in 0..COMMITS {
            self.step()?;
        }
        Ok((self.store.stats().log_bytes - before) / COMMITS)
    }

    pub(super) fn city(&self) -> City {
        self.city
    }
}
