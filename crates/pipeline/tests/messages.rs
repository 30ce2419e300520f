//! Messages through the whole pipeline into a store in memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use city_model::{
    Catalogue, Clock as _, ManualClock, Marks, Quality, Reading, SeriesKey, Span, Timestamp, Value,
};
use city_pipeline::{
    Ack, AckSink, Committed, Follower, Limits, NoCodecs, NoDownlink, Pipeline, PipelineParts, Push,
    PushError, Pushed, RawMessage, SourceSpec, Sources, Speakers, TimePolicy,
};
use city_registry::{Registry, Seed, read_devices};
use city_store::{LedgerKey, LettersFrom, Memory, SharedStore, StateDb, TimeRange};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

const SOURCES: &str = r#"[
  {"id": "json", "topic": "city/{department}/{kind}/{device}/up", "format": "json",
   "unknown_devices": "register", "options": {"time": "ts", "lon": "lon", "lat": "lat",
   "values": {"t": {"metric": "temperature", "unit": "[degF]"}, "pm": "pm25", "w": "water_level"}}},
  {"id": "strict", "topic": "strict/{device}", "format": "senml", "crs": "GCJ-02", "simulated": true},
  {"id": "lora", "topic": "lora/up", "format": "chirpstack"},
  {"id": "pattern", "topic": "pattern/{device}", "format": "senml", "kind": "thing",
   "max_registered": 2,
   "provisioning": [{"pattern": "air-*", "kind": "air_station", "department": "environment"}]}
]"#;

const DEVICES: &str = r#"[
  {"id": "bus-1", "kind": "bus", "department": "transport", "moving": true},
  {"id": "gauge", "kind": "water_gauge", "department": "water", "position": {"lon": 116.3, "lat": 39.9}}
]"#;

#[derive(Default)]
struct Seen(Mutex<Vec<Reading>>);

impl Follower for Seen {
    fn follow(&self, committed: &Arc<Committed>) {
        self.0.lock().expect("no panic holds it").extend(committed.readings.iter().cloned());
    }
}

#[derive(Default)]
struct Acked(AtomicU64);

impl AckSink for Acked {
    fn committed(&self, _token: u64) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The client `buses` speaks for what is called so.
struct OnlyTheirs;

impl Speakers for OnlyTheirs {
    fn may_speak(&self, client: &str, device: &str) -> bool {
        client == "buses" && device.starts_with("bus-")
    }
}

struct Bench {
    pipeline: Pipeline,
    store: SharedStore,
    registry: Arc<Registry>,
    seen: Arc<Seen>,
    acked: Arc<Acked>,
}

impl Bench {
    fn new() -> Self {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let seed = Seed { catalogue: Catalogue::embedded(), ..Seed::default() };
        let registry = Arc::new(Registry::open(state, seed).expect("a registry"));
        registry.import(&read_devices("devices", DEVICES).expect("valid")).expect("imported");
        let specs: Vec<SourceSpec> = serde_json::from_str(SOURCES).expect("valid");
        let store: SharedStore = Arc::new(Memory::new());
        let seen = Arc::new(Seen::default());
        let pipeline = Pipeline::start(PipelineParts {
            sources: Arc::new(Sources::compile(&specs).expect("good sources")),
            registry: registry.clone(),
            store: store.clone(),
            followers: vec![seen.clone()],
            bounds: Some([115.4, 39.4, 117.5, 41.1]),
            times: TimePolicy::default(),
            checks: std::collections::BTreeMap::default(),
            location: city_quality::LocationChecks::default(),
            aqi: Vec::new(),
            codecs: Arc::new(NoCodecs),
            speakers: Arc::new(OnlyTheirs),
            downlink: Arc::new(NoDownlink),
            limits: Limits::default(),
            clock: Arc::new(ManualClock::new(NOW)),
            metrics: prometheus::Registry::new(),
        })
        .expect("starts");
        Self { pipeline, store, registry, seen, acked: Arc::default() }
    }

    fn push(&self, source: &str, device: Option<&str>, payload: &str) -> Result<Pushed, PushError> {
        self.push_as(None, source, device, payload)
    }

    fn push_as(
        &self,
        client: Option<&str>,
        source: &str,
        device: Option<&str>,
        payload: &str,
    ) -> Result<Pushed, PushError> {
        let push = Push {
            source: source.to_owned(),
            topic: None,
            device: device.map(Into::into),
            client: client.map(Into::into),
            key: None,
            payload: payload.to_owned().into(),
        };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(self.pipeline.pusher().push(push))
    }

    fn send(&self, messages: &[(&str, &str)]) {
        self.send_at(NOW, messages);
    }

    fn send_at(&self, received: Timestamp, messages: &[(&str, &str)]) {
        let sources = self.pipeline.sources();
        let raw = messages.iter().map(|(topic, payload)| RawMessage {
            source: sources.route(None, topic),
            topic: (*topic).into(),
            payload: payload.as_bytes().to_vec().into(),
            received,
            retained: false,
            replayed: false,
            client: None,
            ack: Some(Ack::new(self.acked.clone(), 0)),
        });
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(self.pipeline.intake().send(raw.collect())).expect("open");
    }

    /// Waits until everything that was sent is durable.
    fn pipeline_is_idle(&self) {
        while self.pipeline.status().in_flight > 0 || self.seen.0.lock().expect("free").is_empty() {
            std::thread::yield_now();
        }
    }

    /// Stops, so that everything is committed; returns what the followers saw.
    fn finish(self) -> Done {
        self.pipeline.stop();
        let readings = self.seen.0.lock().expect("no panic holds it").clone();
        let acked = self.acked.0.load(Ordering::SeqCst);
        Done { readings, acked, store: self.store, registry: self.registry }
    }
}

struct Done {
    readings: Vec<Reading>,
    acked: u64,
    store: SharedStore,
    registry: Arc<Registry>,
}

impl Done {
    fn reasons(&self) -> Vec<String> {
        let page = self.store.dead_letters(LettersFrom::Newest, None, 100).expect("a page");
        let mut reasons: Vec<_> = page.items.into_iter().map(|item| item.letter.reason).collect();
        reasons.sort();
        reasons
    }

    /// Checks contract 7.
    fn assert_balanced(&self) {
        for (key, counters) in self.store.ledger() {
            let sum = counters.stored + counters.duplicate + counters.dead_lettered;
            assert_eq!(counters.received, sum, "{key:?} {counters:?}");
        }
    }
}

fn run(messages: &[(&str, &str)]) -> Done {
    let bench = Bench::new();
    bench.send(messages);
    let done = bench.finish();
    assert_eq!(done.acked, messages.len() as u64, "everything that is kept is acknowledged");
    done.assert_balanced();
    done
}

fn at(offset: Span) -> String {
    (NOW + offset).to_string()
}

#[test]
fn units_are_converted_and_the_unknown_device_registers_itself_from_its_topic() {
    let time = at(Span::from_secs(-5));
    let payload = format!(r#"{{"ts":"{time}","t":212,"pm":12}}"#);
    let done = run(&[("city/parks/weather/w-1/up", &payload)]);
    assert_eq!(done.readings.len(), 2);
    let directory = done.registry.directory();
    let device = directory.device_by_id("w-1").expect("registered");
    assert_eq!((&*device.kind, &*device.department), ("weather", "parks"));
    let temperature = directory.metrics.by_id("temperature").expect("known").key;
    let series = SeriesKey { device: device.key, metric: temperature };
    let range = TimeRange { from: NOW - Span::from_mins(1), to: NOW };
    let points = done.store.raw(series, range, 10).expect("points");
    assert_eq!(points.len(), 1);
    assert_eq!(points[0].value, Value::Number(100.0));
    // 100 degrees Celsius are outside of what air can have.
    assert_eq!(points[0].quality, Quality::Fail);
}

#[test]
fn a_redelivery_is_a_duplicate_and_no_news() {
    let payload = format!(r#"{{"ts":"{}","pm":12}}"#, at(Span::ZERO));
    let topic = "city/a/air/x/up";
    let done = run(&[(topic, &payload), (topic, &payload)]);
    assert_eq!(done.readings.len(), 1);
    let source = done.store.ledger().into_iter().find(|(key, _)| *key == LedgerKey::Source(0));
    let (_, counters) = source.expect("counted");
    assert_eq!((counters.received, counters.stored, counters.duplicate), (2, 1, 1));
}

#[test]
fn times_are_judged() {
    let topic = "city/a/air/x/up";
    let soon = format!(r#"{{"ts":"{}","pm":1}}"#, at(Span::from_hours(1)));
    let absurd = format!(r#"{{"ts":"{}","pm":2}}"#, at(Span::from_hours(48)));
    let none = r#"{"pm":3}"#;
    let done = run(&[(topic, &soon), (topic, &absurd), (topic, none)]);
    assert_eq!(done.reasons(), ["absurd_time"]);
    assert!(done.readings[0].marks.has(Marks::FUTURE));
    assert_eq!(done.readings[0].quality, Quality::Suspect);
    assert!(done.readings[1].marks.has(Marks::UNTIMED));
    assert_eq!(done.readings[1].time, NOW);
}

#[test]
fn positions_are_converted_and_bad_ones_are_marked() {
    let message = |seconds: i64, lon: f64, lat: f64| {
        format!(
            r#"[{{"bn":"bus-1:","bt":{},"n":"speed","u":"km/h","v":30}},{{"n":"lon","u":"lon","v":{lon}}},{{"n":"lat","u":"lat","v":{lat}}}]"#,
            NOW.secs_f64() as i64 - 60 + seconds
        )
    };
    // GCJ-02 of a place in Beijing; then with the numbers swapped.
    let (good, swapped) = (message(0, 116.410_45, 39.916_61), message(10, 39.916_61, 116.410_45));
    let done = run(&[("strict/bus-1", &good), ("strict/bus-1", &swapped)]);
    assert_eq!(done.readings.len(), 2, "{:?}", done.reasons());
    let place = done.readings[0].position.expect("a place");
    assert!((place.lon - 116.4042).abs() < 1e-3 && (place.lat - 39.9152).abs() < 1e-3, "{place:?}");
    assert!(done.readings[0].marks.has(Marks::SIMULATED));
    assert_eq!(done.readings[1].position, None);
    assert!(done.readings[1].marks.has(Marks::BAD_POSITION));
    assert_eq!(done.readings[1].quality, Quality::Suspect);
}

#[test]
fn what_cannot_become_readings_is_kept_whole_with_a_reason() {
    let bench = Bench::new();
    bench.send(&[
        ("nowhere", "x"),
        ("strict/ghost", r#"[{"n":"pm25","v":1}]"#),
        ("city/a/b/c/up", "{"),
        (
            "strict/gauge",
            r#"[{"n":"water_level","u":"Cel","v":1},{"n":"humidity","u":"%RH","v":40}]"#,
        ),
    ]);
    let done = bench.finish();
    done.assert_balanced();
    assert_eq!(done.reasons(), ["bad_unit", "malformed", "no_source", "unknown_device"]);
    assert_eq!(done.readings.len(), 1, "the good half of a message is stored");
    let page = done.store.dead_letters(LettersFrom::Newest, Some("bad_unit"), 1).expect("a page");
    let letter = &page.items[0].letter;
    assert!(
        letter.detail.contains("water_level") && letter.detail.contains("temperature"),
        "{letter:?}"
    );
    assert!(letter.payload.starts_with(b"[{"), "the message is whole");
}

#[test]
fn dead_letters_are_counted_for_their_device_if_it_is_registered_and_the_only_one() {
    let bad = r#""n":"water_level","u":"Cel","v":1"#;
    let one = format!("[{{{bad}}},{{{bad}}}]");
    let two = format!(r#"[{{"bn":"gauge:",{bad}}},{{"bn":"bus-1:",{bad}}}]"#);
    let done = run(&[
        ("strict/gauge", &one),
        ("strict/gauge", "{"),
        ("strict/ghost", &one),
        ("strict/gauge", &two),
    ]);
    let gauge = done.registry.directory().device_by_id("gauge").expect("registered").key;
    let mut lost: Vec<_> = done.store.ledger();
    lost.retain(|(key, _)| matches!(key, LedgerKey::Device(_) | LedgerKey::NoDevice));
    let lost: Vec<_> = lost.into_iter().map(|(key, of)| (key, of.dead_lettered)).collect();
    assert_eq!(lost, [(LedgerKey::Device(gauge), 2 + 1), (LedgerKey::NoDevice, 2 + 2)]);
}

#[test]
fn an_unknown_metric_is_kept_and_waits_to_be_mapped() {
    let done = run(&[("strict/gauge", r#"[{"n":"radon","u":"Bq/m3","v":7}]"#)]);
    assert_eq!(done.readings.len(), 1);
    let directory = done.registry.directory();
    assert!(directory.metrics.by_id("radon").expect("kept").unmapped);
}

#[test]
fn a_dead_letter_is_replayed_once_its_cause_is_mended() {
    let bench = Bench::new();
    bench.send(&[("strict/ghost", r#"[{"bt":1789999990,"n":"pm25","v":1}]"#)]);
    let (registry, replayer) = (bench.registry.clone(), bench.pipeline.replayer());
    // The letter is there once the message is acknowledged.
    while bench.acked.0.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    let id = bench.store.dead_letters(LettersFrom::Newest, None, 1).expect("a page").items[0].id;
    registry
        .import(
            &read_devices("d", r#"[{"id":"ghost","kind":"k","department":"d"}]"#).expect("valid"),
        )
        .expect("imported");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    for _ in 0..2 {
        runtime.block_on(replayer.replay(id)).expect("replayed");
    }
    drop(replayer);
    let done = bench.finish();
    assert_eq!(done.readings.len(), 1, "replayed twice, stored once");
    let letter = done.store.dead_letter(id).expect("reads").expect("kept");
    assert_eq!(letter.replayed_at, Some(ManualClock::new(NOW).now()));
    done.assert_balanced();
}

#[test]
fn who_pushes_a_message_hears_what_became_of_it() {
    let bench = Bench::new();
    let stored = |stored, duplicates| Pushed { stored, duplicates, dead_letters: Vec::new() };
    let good = r#"{"ts": 1789999990, "t": 68.0, "pm": 8.5}"#;
    assert_eq!(bench.push("json", Some("air-1"), good), Ok(stored(2, 0)));
    assert_eq!(bench.push("json", Some("air-1"), good), Ok(stored(0, 2)));
    let bad = bench.push("json", Some("air-1"), "{").expect("taken");
    assert_eq!((bad.stored, bad.dead_letters.len()), (0, 1));
    assert_eq!(bad.dead_letters[0].reason, "malformed");
    let mixed = r#"[{"n": "water_level", "v": 1.5, "t": 1789999990},
                    {"n": "pm25", "v": 3, "t": 300000000}]"#;
    let mixed = bench.push("strict", Some("gauge"), mixed).expect("taken");
    assert_eq!((mixed.stored, mixed.dead_letters.len()), (1, 1));
    assert_eq!(mixed.dead_letters[0].reason, "absurd_time");
    let nowhere = bench.push("nowhere", None, good);
    assert_eq!(nowhere, Err(PushError::NoSource("nowhere".to_owned())));
    let done = bench.finish();
    assert!(done.registry.directory().device_by_id("air-1").is_some());
    done.assert_balanced();
}

#[test]
fn skipped_numbers_of_messages_are_counted_and_old_ones_are_no_news() {
    let bench = Bench::new();
    let uplink = |number: u32| {
        format!(
            r#"{{"deduplicationId": "d-{number}", "time": "2026-09-21T13:33:{number:02}Z",
                "deviceInfo": {{"devEui": "gauge"}}, "fCnt": {number}, "object": {{"t": 1, "u": 2}}}}"#
        )
    };
    let payloads = [uplink(1), uplink(2), uplink(5), uplink(4)];
    let messages: Vec<_> = payloads.iter().map(|payload| ("lora/up", payload.as_str())).collect();
    bench.send(&messages);
    let done = bench.finish();
    let device = done.registry.directory().device_by_id("gauge").expect("known").key;
    let missed: Vec<_> =
        done.store.ledger().into_iter().map(|(key, counted)| (key, counted.missed)).collect();
    assert!(missed.contains(&(LedgerKey::Device(device), 1)), "{missed:?}");
    done.assert_balanced();
}

#[test]
fn a_mapping_takes_effect_while_messages_come_and_the_old_readings_keep_their_name() {
    let bench = Bench::new();
    let topic = "strict/gauge";
    let pack = |t: i64| format!(r#"[{{"n":"Pegel","u":"cm","v":{t},"t":{}}}]"#, 1_789_999_000 + t);
    bench.send(&[(topic, &pack(137))]);
    bench.pipeline_is_idle();
    let unmapped = bench.registry.unmapped();
    assert_eq!(unmapped.len(), 1, "{unmapped:?}");
    assert_eq!(
        (&*unmapped[0].source, &*unmapped[0].name, &*unmapped[0].unit),
        ("strict", "Pegel", "cm")
    );
    assert_eq!((unmapped[0].count, unmapped[0].last_value), (1, Some(137.0)));

    let mapping = r#"{"source":"strict","name":"Pegel","metric":"water_level"}"#;
    let mapping: city_registry::Mapping = serde_json::from_str(mapping).expect("valid");
    bench.registry.put_mapping(mapping).expect("put");
    bench.send(&[(topic, &pack(138))]);
    let done = bench.finish();
    let directory = done.registry.directory();
    let name = |reading: &Reading| directory.metrics.get(reading.series.metric).map(|m| &*m.id);
    let named: Vec<_> = done
        .readings
        .iter()
        .map(|reading| (name(reading).expect("known"), &reading.value))
        .collect();
    let expected = [("Pegel", &Value::Number(137.0)), ("water_level", &Value::Number(1.38))];
    assert_eq!(named, expected);
    assert_eq!(done.registry.unmapped(), []);
    done.assert_balanced();
}

#[test]
fn devices_register_by_pattern_up_to_the_cap_and_the_others_wait() {
    let done = run(&[
        ("pattern/air-1", r#"[{"n":"pm25","v":1}]"#),
        ("pattern/lamp-1", r#"[{"n":"pm25","v":1}]"#),
        ("pattern/air-2", r#"[{"n":"pm25","v":1}]"#),
        ("pattern/air-3", r#"[{"n":"pm25","v":1}]"#),
        ("pattern/air-1", r#"[{"n":"pm25","v":2}]"#),
    ]);
    let directory = done.registry.directory();
    let air = directory.device_by_id("air-1").expect("registered");
    assert_eq!((&*air.kind, &*air.department), ("air_station", "environment"));
    assert!(directory.device_by_id("air-2").is_some(), "the cap is two");
    assert_eq!(done.reasons(), ["unknown_device", "unknown_device"]);
    let mut waiting: Vec<_> =
        done.registry.unknown_devices().into_iter().map(|d| (d.id, d.kind, d.count)).collect();
    waiting.sort();
    let expected = [
        ("air-3".to_owned(), "air_station".to_owned(), 1),
        ("lamp-1".to_owned(), "thing".to_owned(), 1),
    ];
    assert_eq!(waiting, expected);
    let letters = done.store.dead_letters(LettersFrom::Newest, None, 100).expect("a page").items;
    assert!(letters[0].letter.detail.contains("2 devices already"), "{}", letters[0].letter.detail);
}

#[test]
fn a_client_speaks_for_its_own_devices_only() {
    let bench = Bench::new();
    let payload = r#"{"ts": 1789999990, "t": 68.0}"#;
    let own = bench.push_as(Some("buses"), "json", Some("bus-1"), payload).expect("taken");
    assert_eq!((own.stored, own.dead_letters.len()), (1, 0));
    let other = bench.push_as(Some("buses"), "json", Some("gauge"), payload).expect("taken");
    assert_eq!((other.stored, &*other.dead_letters[0].reason), (0, "not_its_device"));
    let unknown = bench.push_as(Some("lamp-7"), "json", Some("lamp-7"), payload).expect("taken");
    assert_eq!(unknown.dead_letters[0].reason, "not_its_device");
    let done = bench.finish();
    assert!(done.registry.directory().device_by_id("lamp-7").is_none(), "nobody registers by it");
    done.assert_balanced();
}

#[test]
fn a_redelivery_without_a_time_is_known_by_the_network_servers_id() {
    let bench = Bench::new();
    let uplink = r#"{"deduplicationId": "d-1", "deviceInfo": {"devEui": "gauge"}, "fCnt": 1,
        "object": {"t": 1, "u": 2}}"#;
    bench.send(&[("lora/up", uplink)]);
    bench.send_at(NOW + Span::from_secs(30), &[("lora/up", uplink)]);
    let done = bench.finish();
    assert_eq!(done.readings.len(), 2, "once each");
    assert!(done.readings.iter().all(|reading| reading.time == NOW));
    done.assert_balanced();
}

#[test]
fn a_message_without_values_has_come_all_the_same() {
    let bench = Bench::new();
    let up = |number: u32, rest: &str| {
        format!(
            r#"{{"deduplicationId": "d-{number}", "time": "2026-09-21T13:33:{number:02}Z",
                "deviceInfo": {{"devEui": "gauge"}}, "fCnt": {number}{rest}}}"#
        )
    };
    let payloads = [
        up(1, r#", "object": {"t": 1}"#),
        up(2, r#", "data": """#),                 // nothing but link upkeep
        up(3, r#", "data": "AQI=", "fPort": 1"#), // nobody decodes it
        up(6, r#", "object": {"t": 2}"#),
    ];
    let messages: Vec<_> = payloads.iter().map(|payload| ("lora/up", payload.as_str())).collect();
    bench.send(&messages);
    let done = bench.finish();
    assert_eq!(done.reasons(), ["no_codec"]);
    let letter =
        &done.store.dead_letters(LettersFrom::Newest, None, 1).expect("a page").items[0].letter;
    assert_eq!(letter.device.as_deref(), Some("gauge"), "the message says whose it is");
    let device = done.registry.directory().device_by_id("gauge").expect("known").key;
    let ledger = done.store.ledger();
    let of = ledger.iter().find(|(key, _)| *key == LedgerKey::Device(device)).expect("counted");
    assert_eq!(of.1.missed, 2, "4 and 5");
    done.assert_balanced();
}
