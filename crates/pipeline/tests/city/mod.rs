//! A city for tests: sources and devices of the test's own, a store that outlives its pipelines, a
//! clock that is turned by hand.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use city_decode::Codecs;
use city_derive::AqiConfig;
use city_model::{Catalogue, Clock as _, ManualClock, Reading, SeriesKey, Timestamp};
use city_pipeline::{
    Committed, Everybody, Follower, Limits, NoCodecs, NoDownlink, Pipeline, PipelineParts, Push,
    Pushed, RawMessage, SourceSpec, Sources, TimePolicy,
};
use city_quality::{LocationChecks, MetricChecks};
use city_registry::{Registry, Seed, read_devices};
use city_store::{Counters, LedgerKey, Memory, Point, SharedStore, StateDb, TimeRange};

/// What follows the commits and remembers.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Vec<Reading>>);

impl Follower for Seen {
    fn follow(&self, committed: &Arc<Committed>) {
        self.0.lock().expect("no panic holds it").extend(committed.readings.iter().cloned());
    }
}

/// What a city is made of.
#[derive(Clone, Default)]
pub(crate) struct Plan {
    /// JSON list of sources.
    pub(crate) sources: &'static str,
    /// JSON list of devices.
    pub(crate) devices: &'static str,
    pub(crate) checks: BTreeMap<String, MetricChecks>,
    pub(crate) location: LocationChecks,
    pub(crate) aqi: Vec<AqiConfig>,
    /// None if not given.
    pub(crate) codecs: Option<Arc<dyn Codecs>>,
}

/// A city with a store that outlives its pipelines.
pub(crate) struct City {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: SharedStore,
    pub(crate) registry: Arc<Registry>,
    seen: Arc<Seen>,
    plan: Plan,
    pipeline: Option<Pipeline>,
}

impl City {
    pub(crate) fn new(plan: Plan, now: Timestamp) -> Self {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let seed = Seed { catalogue: Catalogue::embedded(), ..Seed::default() };
        let registry = Arc::new(Registry::open(state, seed).expect("a registry"));
        registry.import(&read_devices("devices", plan.devices).expect("valid")).expect("imported");
        let mut city = Self {
            clock: Arc::new(ManualClock::new(now)),
            store: Arc::new(Memory::new()),
            registry,
            seen: Arc::default(),
            plan,
            pipeline: None,
        };
        city.restart();
        city
    }

    /// Stops the pipeline, if there is one, and starts another on the same store.
    pub(crate) fn restart(&mut self) {
        self.stop();
        let specs: Vec<SourceSpec> = serde_json::from_str(self.plan.sources).expect("valid");
        let pipeline = Pipeline::start(PipelineParts {
            sources: Arc::new(Sources::compile(&specs).expect("good sources")),
            registry: self.registry.clone(),
            store: self.store.clone(),
            followers: vec![self.seen.clone()],
            bounds: None,
            times: TimePolicy::default(),
            checks: self.plan.checks.clone(),
            location: self.plan.location.clone(),
            aqi: self.plan.aqi.clone(),
            codecs: self.plan.codecs.clone().unwrap_or_else(|| Arc::new(NoCodecs)),
            speakers: Arc::new(Everybody),
            downlink: Arc::new(NoDownlink),
            limits: Limits::default(),
            clock: self.clock.clone(),
            metrics: prometheus::Registry::new(),
        });
        self.pipeline = Some(pipeline.expect("starts"));
    }

    /// Stops, so that everything is committed and the followers have heard of it.
    pub(crate) fn stop(&mut self) {
        self.pipeline.take().into_iter().for_each(Pipeline::stop);
    }

    /// Sends one message at the present time and waits until it is durable: what follows from it
    /// does not depend on how messages are batched, but the clock must not move before.
    pub(crate) fn send(&self, topic: &str, payload: &str) {
        self.send_all(topic, &[payload.to_owned()]);
    }

    /// The same for several messages that come together.
    pub(crate) fn send_all(&self, topic: &str, payloads: &[String]) {
        let pipeline = self.pipeline.as_ref().expect("runs");
        let committed = self.store.head_seq();
        let batch = payloads.iter().map(|payload| RawMessage {
            source: pipeline.sources().route(None, topic),
            topic: topic.into(),
            payload: payload.clone().into(),
            received: self.clock.now(),
            retained: false,
            replayed: false,
            client: None,
            ack: None,
        });
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(pipeline.intake().send(batch.collect())).expect("open");
        while self.store.head_seq() == committed {
            std::thread::yield_now();
        }
    }

    /// Pushes one message at the present time and says what became of it.
    pub(crate) fn push(
        &self,
        source: &str,
        device: &str,
        key: Option<&str>,
        payload: &str,
    ) -> Pushed {
        let push = Push {
            source: source.to_owned(),
            topic: None,
            device: Some(device.into()),
            client: None,
            key: key.map(str::to_owned),
            payload: payload.to_owned().into(),
        };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let pipeline = self.pipeline.as_ref().expect("runs");
        runtime.block_on(pipeline.pusher().push(push)).expect("taken")
    }

    pub(crate) fn series(&self, device: &str, metric: &str) -> SeriesKey {
        let directory = self.registry.directory();
        SeriesKey {
            device: directory.device_by_id(device).expect("registered").key,
            metric: directory.metrics.by_id(metric).expect("known").key,
        }
    }

    pub(crate) fn points(&self, device: &str, metric: &str) -> Vec<Point> {
        self.store.raw(self.series(device, metric), TimeRange::ALL, 1_000).expect("points")
    }

    /// What the followers saw so far.
    pub(crate) fn seen(&self) -> Vec<Reading> {
        self.seen.0.lock().expect("no panic holds it").clone()
    }

    /// Checks contract 7, and returns what is counted for a source.
    pub(crate) fn counted(&self, source: &str) -> Counters {
        let ledger = self.store.ledger();
        for (key, counters) in &ledger {
            let sum = counters.stored + counters.duplicate + counters.dead_lettered;
            assert_eq!(counters.received, sum, "{key:?} {counters:?}");
        }
        let ids = self.registry.source_ids().expect("listed");
        let number = ids.iter().position(|id| id == source).expect("numbered") as u16;
        let of = ledger.into_iter().find(|(key, _)| *key == LedgerKey::Source(number));
        of.map(|(_, counters)| counters).unwrap_or_default()
    }
}
