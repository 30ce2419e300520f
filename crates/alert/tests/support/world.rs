//! A small city for tests: a store, a registry with one station, a rule, and the engine on them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use city_alert::{Engine, EngineParts, GateParts, Notifier, ReceiverConfig};
use city_model::{
    Catalogue, ManualClock, Marks, Quality, Reading, SeriesKey, Span, Timestamp, Value,
};
use city_pipeline::{Committed, Follower as _};
use city_registry::{Registry, Seed, read_devices};
use city_rules::RuleSet;
use city_store::{Commit, Memory, SharedStore, StateDb};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

pub(crate) const RULES: &str = "
group: air
department: environment
rules:
  - id: pm25-high
    name: {en: PM2.5 high, zh: PM2.5 超标}
    kind: threshold
    select: {metric: pm25}
    severity: {medium: {above: 75, clear_below: 65}, critical: {above: 150, clear_below: 130}}
    summary: {en: '{device} {value}', zh: '{device} {value}'}
";

/// Everything that outlives a restart, and the clock.
pub(crate) struct World {
    pub(crate) store: SharedStore,
    pub(crate) state: Arc<StateDb>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) clock: Arc<ManualClock>,
    began: Timestamp,
}

pub(crate) struct Running {
    pub(crate) engine: Engine,
    pub(crate) notifier: Arc<Notifier>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::at(NOW, StateDb::in_memory().expect("a database"))
    }

    /// A city whose outbox is on disk, as it is in life.
    pub(crate) fn on_disk(folder: &Path) -> Self {
        Self::at(NOW, StateDb::open(folder.join("state.db")).expect("a database"))
    }

    /// A city whose clock stands ten seconds ago, for servers that have a clock of their own: what is
    /// committed for the seconds after that is past for them.
    pub(crate) fn now() -> Self {
        Self::at(wall_clock() - Span::from_secs(10), StateDb::in_memory().expect("a database"))
    }

    fn at(began: Timestamp, state: StateDb) -> Self {
        let state = Arc::new(state);
        let seed = Seed { catalogue: Catalogue::embedded(), ..Seed::default() };
        let registry = Arc::new(Registry::open(state.clone(), seed).expect("a registry"));
        let devices = r#"[{"id":"a","kind":"air_station","department":"environment"}]"#;
        registry.import(&read_devices("d", devices).expect("valid")).expect("imported");
        let clock = Arc::new(ManualClock::new(began));
        Self { store: Arc::new(Memory::new()), state, registry, clock, began }
    }

    pub(crate) fn start(&self, receivers: Vec<ReceiverConfig>) -> Running {
        self.start_gated(receivers, GateParts::default())
    }

    pub(crate) fn start_gated(&self, receivers: Vec<ReceiverConfig>, gate: GateParts) -> Running {
        let metrics = prometheus::Registry::new();
        let (state, clock) = (self.state.clone(), self.clock.clone());
        let notifier = Notifier::gated(state, receivers, clock, &metrics, gate);
        let notifier = Arc::new(notifier.expect("good receivers"));
        let rules = RuleSet::parse(&[("air.yaml", RULES)]).expect("good rules");
        let (engine, _) = Engine::start(EngineParts {
            rules: Arc::new(rules),
            registry: self.registry.clone(),
            share: None,
            store: self.store.clone(),
            state: self.state.clone(),
            outbox: notifier.outbox(),
            clock: self.clock.clone(),
            metrics,
        })
        .expect("starts");
        Running { engine, notifier }
    }

    /// Commits a reading; returns what the followers are told.
    pub(crate) fn commit(&self, seconds: i64, value: f64, marks: Marks) -> Arc<Committed> {
        self.commit_all(seconds, &[value], marks)
    }

    /// Commits readings of one second after the other.
    pub(crate) fn commit_all(&self, seconds: i64, values: &[f64], marks: Marks) -> Arc<Committed> {
        let directory = self.registry.directory();
        let series = SeriesKey {
            device: directory.device_by_id("a").expect("registered").key,
            metric: directory.metrics.by_id("pm25").expect("known").key,
        };
        let readings: Vec<Reading> = (seconds..)
            .zip(values)
            .map(|(second, value)| Reading {
                series,
                time: self.began + Span::from_secs(second),
                received: self.began + Span::from_secs(second),
                value: Value::Number(*value),
                quality: Quality::Pass,
                marks,
                position: None,
                zones: [].into(),
            })
            .collect();
        let commit = Commit {
            sources: vec![0; readings.len()],
            readings: readings.clone(),
            ..Commit::default()
        };
        let report = self.store.commit(&commit).expect("commits");
        Arc::new(Committed { seq: report.seq, readings })
    }
}

/// Deliveries in progress.
pub(crate) struct Delivering {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    /// Begins to deliver.
    pub(crate) fn deliver(&self) -> Delivering {
        let (notifier, stop) = (self.notifier.clone(), CancellationToken::new());
        let told = stop.clone();
        Delivering { stop, task: tokio::spawn(async move { notifier.run(told).await }) }
    }

    /// Evaluates readings.
    pub(crate) fn follow(&self, committed: &Arc<Committed>) {
        self.engine.handle().follow(committed);
    }

    /// Ends evaluating; what it made so far is in the outbox.
    pub(crate) async fn stop(self) -> Arc<Notifier> {
        let Self { engine, notifier } = self;
        tokio::task::spawn_blocking(|| engine.stop()).await.expect("stops");
        notifier
    }
}

impl Delivering {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.expect("ends");
    }
}

/// Waits until there is something; fails when it takes too long.
pub(crate) async fn until<T>(what: impl AsyncFn() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(found) = what().await {
            return found;
        }
        assert!(Instant::now() < end, "it does not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Timestamp::from_micros(since.as_micros() as i64)
}
