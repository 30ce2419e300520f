//! Commits over a real NATS server into histories, and partitions that change hands. Skipped, with a
//! word, where there is no server: `cargo xtask nats` builds it.

#[path = "../../../tests/src/nats.rs"]
#[allow(dead_code, unreachable_pub)] // it is shared, and not all is used here
mod nats;
#[path = "../../../tests/src/ports.rs"]
#[allow(unreachable_pub)] // as above
mod ports;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use city_alert::{GateParts, Notifier, ReceiverConfig};
use city_bus::{Bus, BusConfig};
use city_cluster::{BusStore, CITY, Intake, Owners, OwnersParts, Replica, Tail, TailParts};
use city_model::{
    AlertEvent, AlertEventKind, Catalogue, Marks, Quality, Reading, SeriesKey, SharedClock, Span,
    Timestamp, Value,
};
use city_pipeline::{Committed, Follower};
use city_registry::{Registry, Seed, read_devices};
use city_rules::RuleSet;
use city_store::{
    Commit, Memory, NewDeadLetter, SharedStore, StateDb, StateError, Store as _, TimeRange, Writers,
};

const PATIENCE: Duration = Duration::from_mins(1);

const DEVICES: &str = r#"[{"id":"a","kind":"gauge","department":"water"},
    {"id":"b","kind":"gauge","department":"water"}]"#;

const RULES: &str = "group: water\ndepartment: water\nrules:\n  - {id: high, kind: threshold, \
                     lateness: any, select: {metric: water_level}, severity: high, raise: {above: 3}}\n";

/// Asks what fires.
type Unknown = Box<dyn Fn(Timestamp) -> Result<Vec<AlertEvent>, StateError> + Send>;

struct Wall;

impl city_model::Clock for Wall {
    fn now(&self) -> Timestamp {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::from_micros(now.unwrap_or_default().as_micros() as i64)
    }
}

/// A city on a server of its own.
struct City {
    bus: Bus,
    registry: Arc<Registry>,
    replica: Replica,
    folder: tempfile::TempDir,
    server: nats::NatsCluster,
}

impl City {
    fn start(test: &str) -> Option<Self> {
        let server = nats::NatsCluster::start(test, 1)?;
        let config = BusConfig { servers: server.urls(), partitions: 2, ..BusConfig::default() };
        let bus = Bus::connect(&config, "test", PATIENCE).expect("connected");
        let folder = tempfile::tempdir().expect("a folder");
        let replica = Replica::from_file(
            &bus,
            CITY,
            &folder.path().join("state.db"),
            &|_| Ok(()),
            Writers::Several,
            Box::new(|_: &BTreeSet<String>| ()),
        )
        .expect("a state");
        let seed = Seed { catalogue: Catalogue::embedded(), ..Seed::default() };
        let registry = Registry::open(replica.state.clone(), seed).expect("a registry");
        registry.import(&read_devices("d", DEVICES).expect("valid")).expect("imported");
        Some(Self { bus, registry: Arc::new(registry), replica, folder, server })
    }

    fn writer(&self, process: &str) -> BusStore {
        BusStore::writer(
            self.bus.clone(),
            self.registry.clone(),
            self.replica.state.clone(),
            process,
            Arc::new(Memory::new()),
        )
    }

    fn reading(&self, device: &str, second: i64, value: f64) -> Reading {
        let directory = self.registry.directory();
        let at = Timestamp::from_secs(1_790_000_000 + second);
        Reading {
            series: SeriesKey {
                device: directory.device_by_id(device).expect("registered").key,
                metric: directory.metrics.by_id("water_level").expect("known").key,
            },
            time: at,
            received: at + Span::from_millis(5),
            value: Value::Number(value),
            quality: Quality::Pass,
            marks: Marks::NONE,
            position: None,
            zones: [].into(),
        }
    }

    fn tail(&self, store: &SharedStore, follower: &Arc<Heard>) -> Tail {
        Tail::start(TailParts {
            bus: self.bus.clone(),
            registry: self.registry.clone(),
            state: self.replica.state.clone(),
            store: store.clone(),
            followers: vec![follower.clone()],
        })
        .expect("started")
    }
}

fn commit(readings: Vec<Reading>) -> Commit {
    Commit { sources: vec![0; readings.len()], readings, ..Commit::default() }
}

fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<Reading>>);

impl Follower for Heard {
    fn follow(&self, committed: &Arc<Committed>) {
        self.0.lock().expect("not poisoned").extend(committed.readings.iter().cloned());
    }
}

#[test]
fn a_commit_is_in_every_history_once_and_a_history_goes_on_where_it_was() {
    let Some(city) = City::start("a commit on the bus") else { return };
    let letter = NewDeadLetter {
        source: Some(0),
        source_id: "s".to_owned(),
        topic: "t".to_owned(),
        payload: Arc::from(&b"?"[..]),
        client: None,
        received: Timestamp::from_secs(1),
        device: None,
        device_key: None,
        reason: "syntax".to_owned(),
        detail: String::new(),
        hint: String::new(),
        items: 1,
        again: false,
    };
    let readings: Vec<Reading> = (0..50)
        .flat_map(|second| ["a", "b"].map(|device| city.reading(device, second, second as f64)))
        .collect();
    let writer = city.writer("one");
    let mut both = commit(readings.clone());
    both.dead_letters.push(letter);
    let report = writer.commit(&both).expect("on the bus");
    assert_eq!((report.seq, report.outcomes.len()), (1, 100));
    let (store, heard): (SharedStore, Arc<Heard>) = (Arc::new(Memory::new()), Arc::default());
    let count = |store: &SharedStore| store.count(None, TimeRange::ALL).expect("counted");
    let tail = city.tail(&store, &heard);
    eventually("the history", || count(&store) == 100);
    // A device that sent again to another collector, because nobody acknowledged the first time.
    city.writer("two").commit(&commit(readings[..10].to_vec())).expect("on the bus");
    writer.commit(&commit(vec![city.reading("a", 100, 7.0)])).expect("on the bus");
    eventually("the last reading", || count(&store) == 101);
    drop(tail);
    let end = city.bus.readings_end().expect("an end");
    let again = city.tail(&store, &heard);
    writer.commit(&commit(vec![city.reading("b", 100, 8.0)])).expect("on the bus");
    eventually("the reading after the pause", || count(&store) == 102);
    assert_eq!(again.taken(), end + 1);
    let heard = heard.0.lock().expect("not poisoned").len();
    assert_eq!(heard, 102, "what was there already is no news");
    let page = store.dead_letters(city_store::LettersFrom::Newest, None, 10).expect("letters");
    assert_eq!(page.items.len(), 1);
    // A brain that comes later reads all of it.
    let (late, all): (SharedStore, Arc<Heard>) = (Arc::new(Memory::new()), Arc::default());
    let _tail = city.tail(&late, &all);
    eventually("the whole history", || count(&late) == 102);
}

fn owners(city: &City, bus: &Bus, runtime: &tokio::runtime::Runtime) -> Owners {
    let rules = RuleSet::parse(&[("water.yaml", RULES)]).expect("good rules");
    Owners::start(OwnersParts {
        bus: bus.clone(),
        node: bus.node().to_owned(),
        lease: Duration::from_secs(2),
        registry: city.registry.clone(),
        state: city.replica.state.clone(),
        rules: Arc::new(rules),
        folder: city.folder.path().join(bus.node()),
        clock: Arc::new(Wall),
        runtime: runtime.handle().clone(),
    })
    .expect("started")
}

#[test]
fn an_alert_goes_on_when_its_partition_changes_hands() {
    let Some(city) = City::start("partitions on the bus") else { return };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let connect = |node: &str| {
        let config =
            BusConfig { servers: city.server.urls(), partitions: 2, ..BusConfig::default() };
        Bus::connect(&config, node, PATIENCE).expect("connected")
    };
    let clock: SharedClock = Arc::new(Wall);
    let desk = Arc::new(StateDb::in_memory().expect("a database"));
    let receiver =
        ReceiverConfig::new("desk", "webhook", serde_json::json!({"url": "http://127.0.0.1:1"}));
    let notifier = Notifier::gated(
        desk.clone(),
        vec![receiver],
        clock.clone(),
        &prometheus::Registry::new(),
        GateParts::default(),
    )
    .expect("a notifier");
    let intake = |unknown: Unknown| {
        let (bus, outbox, clock) = (city.bus.clone(), notifier.outbox(), clock.clone());
        Intake::start(bus, desk.clone(), outbox, clock, "desk", unknown).expect("an intake")
    };
    let taking = intake(Box::new(|_| Ok(Vec::new())));
    let events = || -> Vec<AlertEvent> {
        let bodies: Result<Vec<String>, rusqlite::Error> = desk.read(|conn| {
            let mut statement = conn.prepare("SELECT body FROM alert_outbox ORDER BY id")?;
            statement.query_map([], |row| row.get(0))?.collect()
        });
        let bodies = bodies.expect("read");
        bodies.iter().map(|body| serde_json::from_str(body).expect("an event")).collect()
    };
    let running = |owners: &Owners| owners.owning().status().iter().filter(|one| one.runs).count();
    let (first, second) = (connect("first"), connect("second"));
    let one = owners(&city, &first, &runtime);
    eventually("all three to be owned", || running(&one) == 3);
    let writer = city.writer("collector");
    writer.commit(&commit(vec![city.reading("a", 0, 5.0)])).expect("on the bus");
    eventually("the alert", || events().len() == 1);
    let two = owners(&city, &second, &runtime);
    eventually("shares", || running(&one) + running(&two) == 3 && running(&two) > 0);
    drop(one);
    eventually("all three to be owned by the other", || running(&two) == 3);
    writer
        .commit(&commit(vec![city.reading("a", 1, 6.0), city.reading("b", 1, 7.0)]))
        .expect("on the bus");
    writer.commit(&commit(vec![city.reading("a", 2, 1.0)])).expect("on the bus");
    eventually("three events", || events().len() >= 3);
    let mut told: Vec<(String, AlertEventKind)> =
        events().iter().map(|event| (event.alert.subject.to_string(), event.kind)).collect();
    told.sort_by(|x, y| x.0.cmp(&y.0));
    let kinds: Vec<AlertEventKind> = told.iter().map(|(_, kind)| *kind).collect();
    assert_eq!(
        kinds,
        [AlertEventKind::Fired, AlertEventKind::Resolved, AlertEventKind::Fired],
        "{told:?}"
    );
    let ids: BTreeSet<_> = events().iter().map(|event| event.alert.id.clone()).collect();
    assert_eq!(ids.len(), 2, "the alert of `a` kept its id");

    // On another bus the list is asked what fires, but not before it knows all that was told.
    drop(taking);
    let change = |sql: &str| {
        let changed: Result<usize, rusqlite::Error> = desk.write(|tx| tx.execute(sql, []));
        changed.expect("changed");
    };
    change("DELETE FROM bus_taken");
    let asked = Arc::new(Mutex::new(None));
    let (asks, outbox) = (asked.clone(), notifier.outbox());
    let _taking = intake(Box::new(move |_| {
        *asks.lock().expect("a lock") = Some(outbox.backlog("desk")?);
        Ok(Vec::new())
    }));
    change("UPDATE alert_outbox SET delivered_at = 1");
    eventually("the list to be asked", || asked.lock().expect("a lock").is_some());
    assert_eq!(*asked.lock().expect("a lock"), Some(0));
}
