//! Kills at any moment: what was told and what fires afterwards are the same as without them.

use std::sync::Arc;

use city_alert::{Engine, EngineParts, Notifier, ReceiverConfig};
use city_geo::{ZoneIndex, ZoneOptions};
use city_model::{
    AlertEvent, Catalogue, Clock as _, Crs, DeclaredPosition, ManualClock, Marks, Position,
    Quality, Reading, SeriesKey, Span, Timestamp, Value,
};
use city_pipeline::{Committed, Follower as _};
use city_registry::{DeviceEntry, Registry, Seed};
use city_rules::RuleSet;
use city_store::{Commit, Memory, SharedStore, StateDb};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

const RULES: &str = "
group: all
department: d
rules:
  - {id: value, kind: threshold, select: {metric: pm25}, for: 20s, keep_firing_for: 15s,
     severity: {low: {above: 50, clear_below: 40}, high: {above: 80, clear_below: 70}}}
  - {id: here, kind: threshold, select: {metric: pm25, zone: west}, severity: low, raise: {above: 60}}
  - {id: mean, kind: window, select: {metric: pm25}, window: {function: mean, over: 40s},
     severity: medium, raise: {above: 55}, clear: {below: 50}}
  - {id: zone, kind: zone_aggregate, select: {metric: pm25}, severity: high, raise: {above: 65},
     aggregate: {function: mean, over: 30s, min_devices: 2}}
";

const ZONES: &str = r#"{"type":"FeatureCollection","features":[
 {"type":"Feature","properties":{"name":"West"},"geometry":{"type":"Polygon",
  "coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}},
 {"type":"Feature","properties":{"name":"East"},"geometry":{"type":"Polygon",
  "coordinates":[[[1,0],[2,0],[2,1],[1,1],[1,0]]]}}]}"#;

/// Devices at the start; the last one moves.
const DEVICES: usize = 5;

/// Everything that outlives the engine.
struct World {
    store: SharedStore,
    state: Arc<StateDb>,
    registry: Arc<Registry>,
    clock: Arc<ManualClock>,
    registered: usize,
    /// Where the device that moves was last.
    place: Option<Position>,
}

struct Running {
    engine: Engine,
    // The outbox lives in it.
    _notifier: Notifier,
}

fn device(index: usize) -> DeviceEntry {
    let mut entry = DeviceEntry::unknown(&format!("d{index}"), "air_station", "d", false);
    if index + 1 != DEVICES {
        let lon = if index.is_multiple_of(2) { 0.5 } else { 1.5 };
        entry.position = Some(DeclaredPosition { lon, lat: 0.5, crs: Crs::Wgs84 });
    }
    entry
}

impl World {
    fn new() -> Self {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let options = ZoneOptions { layer: "district".to_owned(), ..ZoneOptions::default() };
        let zones = ZoneIndex::from_geojson(ZONES, &options).expect("zones").index;
        let seed = Seed { catalogue: Catalogue::embedded(), zones, ..Seed::default() };
        let registry = Arc::new(Registry::open(state.clone(), seed).expect("a registry"));
        let devices: Vec<_> = (0..DEVICES).map(device).collect();
        registry.import(&devices).expect("imported");
        let clock = Arc::new(ManualClock::new(NOW));
        let store = Arc::new(Memory::new());
        Self { store, state, registry, clock, registered: DEVICES, place: None }
    }

    fn start(&self) -> Running {
        let metrics = prometheus::Registry::new();
        let options = serde_json::json!({ "url": "http://127.0.0.1:9/nobody" });
        let receiver =
            ReceiverConfig { inside: true, ..ReceiverConfig::new("desk", "webhook", options) };
        let notifier =
            Notifier::new(self.state.clone(), vec![receiver], self.clock.clone(), &metrics)
                .expect("a good receiver");
        let rules = RuleSet::parse(&[("rules.yaml", RULES)]).expect("good rules");
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
        Running { engine, _notifier: notifier }
    }

    /// Commits readings, (device, value, where it is if it moves), that are received now.
    fn commit(&mut self, sent: &[(usize, f64, Option<bool>)]) -> Arc<Committed> {
        let directory = self.registry.directory();
        let metric = directory.metrics.by_id("pm25").expect("known").key;
        let now = self.clock.now();
        let mut readings = Vec::new();
        for (nth, (index, value, east)) in sent.iter().enumerate() {
            let index = index % self.registered;
            let device = directory.device_by_id(&format!("d{index}")).expect("registered");
            let moves = index + 1 == DEVICES;
            let position = east
                .filter(|_| moves)
                .and_then(|east| Position::new(if east { 1.5 } else { 0.5 }, 0.5));
            if position.is_some() {
                self.place = position;
            }
            // As the locate stage does: without a place it is where it was.
            let place = if moves { self.place } else { None };
            let zones = match place {
                Some(place) => self.registry.zones().locate(place),
                None => device.zones.clone(),
            };
            readings.push(Reading {
                series: SeriesKey { device: device.key, metric },
                // Each is news, also of two of one device.
                time: now + Span::from_micros(nth as i64),
                received: now,
                value: Value::Number(*value),
                quality: Quality::Pass,
                marks: Marks::NONE,
                position,
                zones,
            });
        }
        let commit = Commit {
            sources: vec![0; readings.len()],
            readings: readings.clone(),
            ..Commit::default()
        };
        let report = self.store.commit(&commit).expect("commits");
        Arc::new(Committed { seq: report.seq, readings })
    }

    fn forbid(&self, table: &str) {
        let sql = format!(
            "CREATE TEMP TRIGGER IF NOT EXISTS no_{table} BEFORE INSERT ON main.{table}
             BEGIN SELECT RAISE(ABORT, 'no space'); END"
        );
        self.state
            .write(|tx| tx.execute_batch(&sql).map_err(city_store::StateError::from))
            .expect("a trigger");
    }

    fn allow(&self, table: &str) {
        let sql = format!("DROP TRIGGER IF EXISTS no_{table}");
        self.state
            .write(|tx| tx.execute_batch(&sql).map_err(city_store::StateError::from))
            .expect("no trigger");
    }

    /// What receivers are told, in order, and what fires in the end.
    fn outcome(&self) -> (Vec<String>, Vec<String>) {
        let told = self.state.read(|conn| {
            let mut statement = conn.prepare("SELECT body FROM alert_outbox ORDER BY id")?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            let bodies: Vec<String> = rows.collect::<Result<_, _>>()?;
            let mut statement = conn.prepare("SELECT alert FROM alert_told ORDER BY alert")?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            Ok::<_, city_store::StateError>((bodies, rows.collect::<Result<Vec<_>, _>>()?))
        });
        let (bodies, firing) = told.expect("readable");
        let events = bodies.iter().map(|body| {
            let event: AlertEvent = serde_json::from_str(body).expect("an event");
            assert_eq!(event.reason, None, "nothing was lost");
            let (alert, kind) = (&event.alert, event.kind);
            format!("{} {kind:?} {:?} {:?} {}", event.key, alert.severity, alert.value, event.at)
        });
        (events.collect(), firing)
    }
}

/// Waits until the engine has evaluated a commit.
fn evaluated(running: &Running, seq: u64) {
    while running.engine.handle().status().seq < seq {
        std::thread::yield_now();
    }
}

/// Waits until the engine has served the timers of `now`.
fn served(running: &Running, now: Timestamp) {
    let upto = now - Span::from_millis(500);
    while running.engine.handle().status().evaluated < upto {
        std::thread::yield_now();
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Time passes (milliseconds), then readings come.
    Commit(i64, Vec<(usize, f64, Option<bool>)>),
    /// Time passes, and timers are served.
    Wait(i64),
    Register,
    /// What is known of a device changes, without consequence.
    Rename,
    /// The process dies, perhaps before the last commit was evaluated.
    Kill,
    /// The process dies between the evaluation of these readings and the write.
    KillBeforeWrite(Vec<(usize, f64, Option<bool>)>),
    /// The state is not saved any more, or is again.
    Jam(bool),
}

fn readings() -> impl Strategy<Value = Vec<(usize, f64, Option<bool>)>> {
    prop::collection::vec((0usize..8, 20.0f64..110.0, any::<Option<bool>>()), 1..6)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (1i64..9_000, readings()).prop_map(|(gap, sent)| Step::Commit(gap, sent)),
        1 => (1i64..25_000).prop_map(Step::Wait),
        1 => Just(Step::Register),
        1 => Just(Step::Rename),
        3 => Just(Step::Kill),
        2 => readings().prop_map(Step::KillBeforeWrite),
        1 => any::<bool>().prop_map(Step::Jam),
    ];
    prop::collection::vec(step, 1..50)
}

fn play(steps: &[Step], kills: bool) -> (Vec<String>, Vec<String>) {
    let mut world = World::new();
    let mut running = world.start();
    let mut last = 0;
    let mut renamed = 0;
    for step in steps {
        match step {
            Step::Commit(gap, sent) => {
                // What is under way is evaluated before time passes, as it is in life.
                evaluated(&running, last);
                world.clock.advance(Span::from_millis(*gap));
                let committed = world.commit(sent);
                running.engine.handle().follow(&committed);
                last = committed.seq;
            }
            Step::Wait(gap) => {
                evaluated(&running, last);
                world.clock.advance(Span::from_millis(*gap));
                served(&running, world.clock.now());
            }
            Step::Register => {
                evaluated(&running, last);
                world.registry.import(&[device(world.registered)]).expect("registered");
                world.registered += 1;
            }
            Step::Rename => {
                evaluated(&running, last);
                renamed += 1;
                let mut entry = device(0);
                entry.name = Some(city_model::LocalText::same(format!("name {renamed}")));
                world.registry.import(&[entry]).expect("renamed");
            }
            Step::Kill if kills => {
                running.engine.kill();
                running = world.start();
            }
            Step::KillBeforeWrite(sent) => {
                evaluated(&running, last);
                world.clock.advance(Span::from_millis(10));
                if kills {
                    world.forbid("alert_journal");
                    world.forbid("alert_base");
                }
                let committed = world.commit(sent);
                running.engine.handle().follow(&committed);
                last = committed.seq;
                if kills {
                    evaluated(&running, last);
                    running.engine.kill();
                    world.allow("alert_journal");
                    world.allow("alert_base");
                    running = world.start();
                }
            }
            Step::Jam(true) if kills => world.forbid("alert_base"),
            Step::Jam(false) => world.allow("alert_base"),
            Step::Kill | Step::Jam(true) => {}
        }
    }
    world.allow("alert_base");
    evaluated(&running, last);
    // A start just before the end looks at the clock, too.
    served(&running, world.clock.now());
    // What waits was tried again after a second.
    world.clock.advance(Span::from_millis(1_500));
    running.engine.stop();
    world.outcome()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn kills_at_any_moment_change_nothing(steps in steps()) {
        let without = play(&steps, false);
        let with = play(&steps, true);
        prop_assert_eq!(with.0, without.0, "what was told, in order, each once");
        prop_assert_eq!(with.1, without.1, "what fires in the end");
    }
}
