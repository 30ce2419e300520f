//! How the pipeline is doing: figures for people and for Prometheus.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use city_model::{Span, Timestamp};
use city_store::NewDeadLetter;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts};

/// How far back the rate of readings looks.
const RATE_OVER: Span = Span::from_secs(10);

/// The pipeline at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PipelineStatus {
    /// Messages that were taken and are not yet durable.
    pub in_flight: u64,
    /// Readings committed a second, over the last ten seconds.
    pub readings_per_s: f64,
    /// When the last commit became durable.
    pub last_commit: Option<Timestamp>,
    /// Why commits fail now; `None` while they work.
    pub failing: Option<String>,
}

/// What the pipeline's threads report to.
pub(crate) struct Gauge {
    taken: AtomicU64,
    done: AtomicU64,
    last_commit: AtomicI64,
    state: Mutex<State>,
    give_up: Condvar,
    metrics: Metrics,
}

#[derive(Default)]
struct State {
    failing: Option<String>,
    stopping: bool,
    /// (when, readings) of recent commits.
    recent: VecDeque<(Timestamp, u64)>,
    /// When the oldest message of each batch was received that the followers have not heard of.
    open: VecDeque<Timestamp>,
}

struct Metrics {
    messages: IntCounter,
    readings: IntCounterVec,
    dead_letters: IntCounterVec,
    failing: IntGauge,
    commits: IntCounter,
    commit_seconds: Histogram,
}

impl Metrics {
    fn register(registry: &prometheus::Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            messages: IntCounter::new(
                "citybrain_pipeline_messages_total",
                "Messages that became durable, as readings or as dead letters.",
            )?,
            readings: IntCounterVec::new(
                Opts::new(
                    "citybrain_pipeline_readings_total",
                    "Readings committed: stored, or duplicate of one that was there.",
                ),
                &["outcome"],
            )?,
            dead_letters: IntCounterVec::new(
                Opts::new("citybrain_pipeline_dead_letters_total", "Dead letters by reason."),
                &["reason"],
            )?,
            failing: IntGauge::new(
                "citybrain_pipeline_commit_failing",
                "1 while the store refuses commits and acknowledgements are withheld.",
            )?,
            commits: IntCounter::new("citybrain_pipeline_commits_total", "Durable commits.")?,
            commit_seconds: Histogram::with_opts(
                HistogramOpts::new(
                    "citybrain_pipeline_commit_seconds",
                    "How long commits took until they were on the disk.",
                )
                .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0]),
            )?,
        };
        registry.register(Box::new(metrics.messages.clone()))?;
        registry.register(Box::new(metrics.readings.clone()))?;
        registry.register(Box::new(metrics.dead_letters.clone()))?;
        registry.register(Box::new(metrics.failing.clone()))?;
        registry.register(Box::new(metrics.commits.clone()))?;
        registry.register(Box::new(metrics.commit_seconds.clone()))?;
        // Rates begin with the first reading only if there was a figure before it.
        for outcome in ["stored", "duplicate"] {
            metrics.readings.with_label_values(&[outcome]);
        }
        Ok(metrics)
    }
}

impl Gauge {
    pub(crate) fn new(registry: &prometheus::Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            taken: AtomicU64::new(0),
            done: AtomicU64::new(0),
            last_commit: AtomicI64::new(i64::MIN),
            state: Mutex::default(),
            give_up: Condvar::new(),
            metrics: Metrics::register(registry)?,
        })
    }

    /// Notes messages that were taken.
    pub(crate) fn taken(&self, messages: usize) {
        self.taken.fetch_add(messages as u64, Relaxed);
    }

    /// Notes that a commit was begun, and when its oldest message was received.
    pub(crate) fn begun(&self, oldest: Timestamp) {
        self.lock().open.push_back(oldest);
    }

    /// Notes that the followers have heard of the oldest batch.
    pub(crate) fn followed(&self) {
        self.lock().open.pop_front();
    }

    pub(crate) fn oldest_open(&self) -> Option<Timestamp> {
        self.lock().open.iter().min().copied()
    }

    pub(crate) fn committed(
        &self,
        messages: usize,
        readings: usize,
        stored: usize,
        dead_letters: &[NewDeadLetter],
        now: Timestamp,
    ) {
        self.done.fetch_add(messages as u64, Relaxed);
        self.last_commit.store(now.micros(), Relaxed);
        let metrics = &self.metrics;
        metrics.commits.inc();
        metrics.messages.inc_by(messages as u64);
        metrics.readings.with_label_values(&["stored"]).inc_by(stored as u64);
        metrics.readings.with_label_values(&["duplicate"]).inc_by((readings - stored) as u64);
        for letter in dead_letters {
            metrics.dead_letters.with_label_values(&[&letter.reason]).inc();
        }
        let mut state = self.lock();
        state.recent.push_back((now, readings as u64));
        drop_old(&mut state.recent, now);
    }

    /// Notes how long a commit took until it was durable.
    pub(crate) fn took(&self, time: Duration) {
        self.metrics.commit_seconds.observe(time.as_secs_f64());
    }

    pub(crate) fn healthy(&self) {
        let mut state = self.lock();
        if state.failing.take().is_some() {
            tracing::info!("commits work again");
            self.metrics.failing.set(0);
        }
    }

    /// Notes a failed commit; tells whether that is news.
    pub(crate) fn failing(&self, why: &str) -> bool {
        self.metrics.failing.set(1);
        let mut state = self.lock();
        let news = state.failing.as_deref() != Some(why);
        state.failing = Some(why.to_owned());
        news
    }

    /// Waits before the next attempt; returns early with `true` if the pipeline is to stop.
    pub(crate) fn wait_or_give_up(&self, wait: Duration) -> bool {
        let state = self.lock();
        let (state, _) = self
            .give_up
            .wait_timeout_while(state, wait, |state| !state.stopping)
            .unwrap_or_else(PoisonError::into_inner);
        state.stopping
    }

    /// From now on a failing commit is given up instead of being tried for ever.
    pub(crate) fn stop_retrying(&self) {
        self.lock().stopping = true;
        self.give_up.notify_all();
    }

    pub(crate) fn status(&self, now: Timestamp) -> PipelineStatus {
        let mut state = self.lock();
        drop_old(&mut state.recent, now);
        let readings: u64 = state.recent.iter().map(|(_, readings)| readings).sum();
        let last = self.last_commit.load(Relaxed);
        PipelineStatus {
            in_flight: self.taken.load(Relaxed).saturating_sub(self.done.load(Relaxed)),
            readings_per_s: readings as f64 / RATE_OVER.secs_f64(),
            last_commit: (last != i64::MIN).then(|| Timestamp::from_micros(last)),
            failing: state.failing.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drop_old(recent: &mut VecDeque<(Timestamp, u64)>, now: Timestamp) {
    while recent.front().is_some_and(|(at, _)| now.since(*at) > RATE_OVER) {
        recent.pop_front();
    }
}
