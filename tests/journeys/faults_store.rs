//! A store that is slow, or stands still: the broker holds the rest back, the session stays, and
//! nothing is lost. The pipeline, the collector, the store and the broker are real; only the
//! slowness is injected.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use city_collect::{BrokerConfig, Collector, MqttVersion, Phase};
use city_model::{Catalogue, ManualClock, Span, Timestamp};
use city_pipeline::{
    Everybody, Limits, NoCodecs, NoDownlink, Pipeline, PipelineParts, SourceSpec, Sources,
    TimePolicy,
};
use city_registry::{Registry, Seed};
use city_store::{Embedded, SharedStore, StateDb};
use city_tests::faults::PATIENCE;
use city_tests::fleet::{Address, Load, Sender, check_store};
use city_tests::instance::eventually;
use city_tests::mosquitto::Mosquitto;
use city_tests::slow_store::SlowStore;
use tokio_util::sync::CancellationToken;

const KEEP_ALIVE: Span = Span::from_secs(5);
/// Longer than the broker waits for a sign of life (1.5 times the keep-alive), twice.
const STANDSTILL: Duration = Duration::from_secs(16);

const SOURCE: &str = r#"[{"id": "far", "broker": "far", "topic": "far/{device}/up", "format": "json",
  "unknown_devices": "register", "options": {"time": "ts", "values": {"number": "number"}}}]"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_store_holds_the_broker_back_and_nothing_is_lost() {
    tokio::join!(through(MqttVersion::V4), through(MqttVersion::V5));
}

async fn through(version: MqttVersion) {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = Mosquitto::start(folder.path()).expect("a broker");
    let (store, _) = Embedded::open(folder.path().join("store"), city_store::Options::default())
        .expect("a store");
    let store: SharedStore = Arc::new(store);
    let slow = Arc::new(SlowStore::new(store.clone()));
    let state = Arc::new(StateDb::open(folder.path().join("state.db")).expect("a database"));
    let seed = Seed { catalogue: Catalogue::embedded(), ..Seed::default() };
    let registry = Arc::new(Registry::open(state, seed).expect("a registry"));
    let specs: Vec<SourceSpec> = serde_json::from_str(SOURCE).expect("valid");
    let sources = Arc::new(Sources::compile(&specs).expect("good"));
    // Half a megabyte under way, so that the pressure reaches the broker soon.
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_800_000_000)));
    let pipeline = Pipeline::start(PipelineParts {
        sources: sources.clone(),
        registry,
        store: slow.clone(),
        followers: Vec::new(),
        bounds: None,
        times: TimePolicy::default(),
        checks: BTreeMap::default(),
        location: city_quality::LocationChecks::default(),
        aqi: Vec::new(),
        codecs: Arc::new(NoCodecs),
        speakers: Arc::new(Everybody),
        downlink: Arc::new(NoDownlink),
        limits: Limits { batches: 4, bytes: 512 << 10 },
        clock: clock.clone(),
        metrics: prometheus::Registry::new(),
    })
    .expect("starts");
    let config = BrokerConfig {
        version,
        keep_alive: KEEP_ALIVE,
        receive_maximum: 200,
        ..BrokerConfig::new("127.0.0.1", broker.address.port(), "citybrain")
    };
    let filters = sources.filters(Some("far"));
    let route = Arc::new(move |topic: &str, _: Option<&str>| sources.route(Some("far"), topic));
    let collector =
        Collector::new(config, &filters, route, pipeline.intake(), clock).expect("good");
    let (mut status, stats) = (collector.status(), collector.stats());
    let shutdown = CancellationToken::new();
    let collecting = tokio::spawn(collector.run(shutdown.clone()));
    status.wait_for(|status| status.granted > 0).await.expect("subscribed");

    let address = broker.address;
    let address: Address = Arc::new(move || Some(address));
    let sender = Sender::start(Load::steady("d", "far", 1000.0), address);
    eventually("some commits", PATIENCE, async || Ok((slow.commits() > 20).then_some(())))
        .await
        .expect("it works");

    // It stands still for longer than the broker waits for a sign of life.
    slow.close();
    tokio::task::spawn_blocking({
        let slow = slow.clone();
        move || slow.wait_for_a_commit()
    })
    .await
    .expect("waits");
    let (before, acknowledged) = (sender.acknowledged(), stats.snapshot().acknowledged);
    tokio::time::sleep(STANDSTILL).await;
    let standing = stats.snapshot();
    // What the broker took from the devices waits there: of 1,000 a second only what fits under way
    // came, and none of it was acknowledged but what was durable before.
    assert!(sender.acknowledged() > before + 5_000, "the broker goes on taking");
    assert!(standing.acknowledged <= acknowledged + 1_000, "{standing:?}, before: {acknowledged}");
    assert!(standing.received < acknowledged + 10_000, "{standing:?}, before: {acknowledged}");

    // Then it is slow: each commit takes a quarter of a second.
    slow.open(Duration::from_millis(250));
    sender.more(2_000, PATIENCE).expect("published");
    slow.open(Duration::ZERO);
    let sent = [sender.stop().expect("all sent")];
    eventually("all to be stored", PATIENCE, async || {
        let stored: u64 = store.stats().readings;
        anyhow::ensure!(stored >= sent[0].numbers, "{stored} of {}", sent[0].numbers);
        Ok(Some(()))
    })
    .await
    .expect("nothing is lost");
    // A session at most ended because more came than there was room for; none because it was silent.
    let (now, snapshot) = (status.borrow().clone(), stats.snapshot());
    assert_eq!(now.phase, Phase::Connected, "{now:?}");
    assert_eq!(now.connects, 1 + snapshot.overflows, "no other reason to reconnect: {now:?}");
    assert!(snapshot.overflows <= 3, "no storm: {snapshot:?}");
    assert_eq!(snapshot.dropped, 0);

    shutdown.cancel();
    collecting.await.expect("no panic");
    for (key, counters) in store.ledger() {
        let sum = counters.stored + counters.duplicate + counters.dead_lettered;
        assert_eq!((counters.received, counters.dead_lettered), (sum, 0), "{key:?} {counters:?}");
    }
    tokio::task::spawn_blocking(move || pipeline.stop()).await.expect("stops");
    drop((slow, store));
    check_store(folder.path(), &sent).expect("each once");
}
