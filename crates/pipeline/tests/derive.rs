//! Air quality indices through the whole pipeline: what a station sends becomes derived readings,
//! over redeliveries, late readings and restarts.

use std::sync::{Arc, Mutex};

use city_derive::AqiConfig;
use city_model::{
    Catalogue, Clock as _, ManualClock, Marks, Quality, Reading, SeriesKey, Span, Timestamp, Value,
};
use city_pipeline::{
    Committed, DERIVED_SOURCE, Everybody, Follower, Limits, NoCodecs, NoDownlink, Pipeline,
    PipelineParts, RawMessage, SourceSpec, Sources, TimePolicy,
};
use city_registry::{Registry, Seed, read_devices};
use city_store::{Counters, LedgerKey, Memory, Point, SharedStore, StateDb, TimeRange};

/// A full hour.
const START: Timestamp = Timestamp::from_secs(1_789_999_200);

const SOURCES: &str = r#"[
  {"id": "json", "topic": "up/{device}", "format": "json", "options": {"time": "ts",
   "values": {"pm25": "pm25", "pm10": "pm10", "no2": "no2", "so2": "so2", "co": "co", "o3": "o3"}}}
]"#;

const DEVICES: &str = r#"[
  {"id": "air-1", "kind": "air_station", "department": "e", "interval": "5m",
   "position": {"lon": 116.3, "lat": 39.9}},
  {"id": "air-2", "kind": "air_station", "department": "e", "interval": "5m", "simulated": true,
   "position": {"lon": 116.4, "lat": 39.9}},
  {"id": "indoor", "kind": "office", "department": "e", "interval": "5m",
   "position": {"lon": 116.4, "lat": 39.9}}
]"#;

#[derive(Default)]
struct Seen(Mutex<Vec<Reading>>);

impl Follower for Seen {
    fn follow(&self, committed: &Arc<Committed>) {
        self.0.lock().expect("no panic holds it").extend(committed.readings.iter().cloned());
    }
}

/// A city with a store that outlives its pipelines.
struct City {
    clock: Arc<ManualClock>,
    store: SharedStore,
    registry: Arc<Registry>,
    seen: Arc<Seen>,
    standards: Vec<AqiConfig>,
    pipeline: Option<Pipeline>,
}

impl City {
    fn new(standards: &[&str]) -> Self {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let seed = Seed { catalogue: Catalogue::embedded(), ..Seed::default() };
        let registry = Arc::new(Registry::open(state, seed).expect("a registry"));
        registry.import(&read_devices("devices", DEVICES).expect("valid")).expect("imported");
        let standards = standards.iter().map(|id| AqiConfig {
            standard: city_derive::standard(id).expect("known"),
            kinds: vec!["air_station".to_owned()],
        });
        let mut city = Self {
            clock: Arc::new(ManualClock::new(START)),
            store: Arc::new(Memory::new()),
            registry,
            seen: Arc::default(),
            standards: standards.collect(),
            pipeline: None,
        };
        city.restart();
        city
    }

    /// Stops the pipeline, if there is one, and starts another on the same store.
    fn restart(&mut self) {
        self.stop();
        let specs: Vec<SourceSpec> = serde_json::from_str(SOURCES).expect("valid");
        let pipeline = Pipeline::start(PipelineParts {
            sources: Arc::new(Sources::compile(&specs).expect("good sources")),
            registry: self.registry.clone(),
            store: self.store.clone(),
            followers: vec![self.seen.clone()],
            bounds: None,
            times: TimePolicy::default(),
            checks: std::collections::BTreeMap::default(),
            location: city_quality::LocationChecks::default(),
            aqi: self.standards.clone(),
            codecs: Arc::new(NoCodecs),
            speakers: Arc::new(Everybody),
            downlink: Arc::new(NoDownlink),
            limits: Limits::default(),
            clock: self.clock.clone(),
            metrics: prometheus::Registry::new(),
        });
        self.pipeline = Some(pipeline.expect("starts"));
    }

    fn stop(&mut self) {
        self.pipeline.take().into_iter().for_each(Pipeline::stop);
    }

    /// Sends one message at the present time and waits until it is taken.
    fn send(&self, device: &str, time: Timestamp, values: &str) {
        let pipeline = self.pipeline.as_ref().expect("runs");
        let topic = format!("up/{device}");
        let before = pipeline.status().last_commit;
        let committed = self.store.head_seq();
        let raw = RawMessage {
            source: pipeline.sources().route(None, &topic),
            topic: topic.as_str().into(),
            payload: format!(r#"{{"ts":"{time}",{values}}}"#).into_bytes().into(),
            received: self.clock.now(),
            retained: false,
            replayed: false,
            client: None,
            ack: None,
        };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(pipeline.intake().send(vec![raw])).expect("open");
        // One message, one commit: what is derived does not depend on how they were batched, but
        // the test's clock must not move before the commit is made.
        while self.store.head_seq() == committed {
            std::thread::yield_now();
        }
        let _ = before;
    }

    /// One message every five minutes, from a minute of START on to another, the clock with it.
    fn feed(&self, device: &str, minutes: std::ops::Range<i64>, values: &str) {
        for minute in minutes.step_by(5) {
            let at = START + Span::from_mins(minute);
            self.clock.set(at);
            self.send(device, at, values);
        }
    }

    fn series(&self, device: &str, metric: &str) -> SeriesKey {
        let directory = self.registry.directory();
        SeriesKey {
            device: directory.device_by_id(device).expect("registered").key,
            metric: directory.metrics.by_id(metric).expect("known").key,
        }
    }

    fn points(&self, device: &str, metric: &str) -> Vec<Point> {
        self.store.raw(self.series(device, metric), TimeRange::ALL, 1_000).expect("points")
    }

    /// (hours after START, value) of what was derived.
    fn derived(&self, device: &str, metric: &str) -> Vec<(f64, Value)> {
        let points = self.points(device, metric).into_iter();
        points.map(|p| (p.time.since(START).secs_f64() / 3_600.0, p.value)).collect()
    }

    /// Checks contract 7, and returns what is counted for the derived source.
    fn counted(&self) -> Counters {
        let ledger = self.store.ledger();
        for (key, counters) in &ledger {
            let sum = counters.stored + counters.duplicate + counters.dead_lettered;
            assert_eq!(counters.received, sum, "{key:?} {counters:?}");
        }
        let ids = self.registry.source_ids().expect("listed");
        let number = ids.iter().position(|id| id == DERIVED_SOURCE).expect("numbered") as u16;
        let of = ledger.into_iter().find(|(key, _)| *key == LedgerKey::Source(number));
        of.map(|(_, counters)| counters).unwrap_or_default()
    }
}

const ALL_SIX: &str = r#""pm25":75,"pm10":50,"no2":40,"so2":10,"co":0.4,"o3":60"#;

fn number(number: i32) -> Value {
    Value::Number(f64::from(number))
}

#[test]
fn a_full_hour_gives_an_index_with_its_primary_pollutant() {
    let mut city = City::new(&["hj633_2026"]);
    city.feed("air-1", 0..70, ALL_SIX);
    city.stop();
    // HJ 633-2026: 75 µg/m³ of PM2.5 give 114.
    assert_eq!(city.derived("air-1", "aqi_cn"), [(1.0, number(114))]);
    assert_eq!(city.derived("air-1", "aqi_cn_primary"), [(1.0, "PM2.5".into())]);
    assert_eq!(city.points("air-1", "aqi_cn")[0].quality, Quality::Pass);
    assert_eq!(city.derived("air-1", "aqi_cn_24h"), []);
    assert_eq!(city.derived("indoor", "aqi_cn"), []);

    let seen = city.seen.0.lock().expect("no panic holds it");
    let derived: Vec<_> = seen.iter().filter(|r| r.marks.has(Marks::DERIVED)).collect();
    assert_eq!(derived.len(), 2, "index and pollutant are news to the followers, once");
    assert_eq!(derived[0].received, START + Span::from_mins(65));
    assert!(!derived[0].marks.has(Marks::SIMULATED));
    let counted = city.counted();
    assert_eq!((counted.received, counted.stored), (2, 2));
}

#[test]
fn flagged_readings_do_not_count_and_what_is_lacking_shows() {
    let mut city = City::new(&["hj633_2026"]);
    // 9000 is no concentration that PM10 can have, so it fails the range check.
    city.feed("air-1", 0..60, r#""pm25":20,"pm10":9000"#);
    city.feed("air-1", 60..125, r#""pm25":20,"pm10":100"#);
    city.feed("air-1", 125..155, r#""pm25":20,"pm10":100"#);
    city.feed("air-1", 155..190, r#""pm25":20"#);
    city.stop();
    let derived = city.points("air-1", "aqi_cn");
    let told: Vec<_> = derived.iter().map(|p| (p.value.clone(), p.quality)).collect();
    assert_eq!(
        told,
        [
            // PM2.5 of 20 gives 29 (50/35 * 20 = 28.6, up); PM10 of 100 gives 86 (85.7).
            (number(29), Quality::Suspect),
            (number(86), Quality::NotEvaluated),
            (number(29), Quality::Suspect),
        ]
    );
}

#[test]
fn what_is_derived_from_simulated_readings_stays_simulated() {
    let mut city = City::new(&["hj633_2026"]);
    city.feed("air-2", 0..70, ALL_SIX);
    city.stop();
    let last = city.store.last(city.series("air-2", "aqi_cn")).expect("derived");
    assert!(last.marks.has(Marks::SIMULATED.with(Marks::DERIVED)));
}

#[test]
fn a_silent_station_gets_its_last_hour_when_others_speak() {
    let mut city = City::new(&["hj633_2026"]);
    city.feed("air-1", 0..60, ALL_SIX);
    assert_eq!(city.derived("air-1", "aqi_cn"), []);
    city.clock.set(START + Span::from_mins(62));
    city.send("indoor", START + Span::from_mins(62), r#""pm25":1"#);
    city.stop();
    assert_eq!(city.derived("air-1", "aqi_cn"), [(1.0, number(114))]);
}

#[test]
fn a_redelivery_changes_nothing() {
    let mut city = City::new(&["hj633_2026", "us_epa_2024"]);
    city.feed("air-1", 0..60, r#""pm25":20,"no2":40"#);
    for minute in [10, 30, 55] {
        let at = START + Span::from_mins(minute);
        city.send("air-1", at, r#""pm25":20,"no2":40"#);
    }
    city.feed("air-1", 60..130, r#""pm25":20,"no2":40"#);
    city.send("air-1", START, r#""pm25":20,"no2":40"#);
    city.feed("air-1", 130..190, r#""pm25":20,"no2":40"#);
    city.stop();
    // Three indices of China, and as many of the US although its NowCast needs two hours: NO2 is
    // in time.
    let hours = [(1.0, number(29)), (2.0, number(29)), (3.0, number(29))];
    assert_eq!(city.derived("air-1", "aqi_cn"), hours);
    assert_eq!(city.points("air-1", "aqi_us").len(), 3);
    assert_eq!(city.counted().duplicate, 0, "nothing was told twice");
}

#[test]
fn late_readings_correct_what_was_derived() {
    let mut city = City::new(&["hj633_2026"]);
    // Half of the first hour is missing: too little for an index.
    city.feed("air-1", 0..30, r#""pm25":20"#);
    city.feed("air-1", 60..90, r#""pm25":20"#);
    assert_eq!(city.derived("air-1", "aqi_cn"), []);
    for minute in (30..60).step_by(5) {
        city.send("air-1", START + Span::from_mins(minute), r#""pm25":50"#);
    }
    city.feed("air-1", 90..125, r#""pm25":20"#);
    // The mean of the first hour is 35.
    assert_eq!(city.derived("air-1", "aqi_cn")[0], (1.0, number(50)));
    // A correction: the same time, another value. The hour's mean is 20 + 30/2 + 15/12 * … = 39.58,
    // to the whole 40, and 50 + 10 = 60.
    city.send("air-1", START, r#""pm25":75"#);
    city.feed("air-1", 125..190, r#""pm25":20"#);
    city.stop();
    let corrected = city.derived("air-1", "aqi_cn");
    assert_eq!(corrected[0], (1.0, number(60)));
    assert_eq!(corrected.len(), 3);
    assert_eq!(city.counted().duplicate, 2, "index and pollutant of one hour");
}

/// Two days of changing air with every standard, with restarts at these minutes.
fn two_days(restarts: &[i64]) -> Vec<Vec<(f64, Value)>> {
    let mut city = City::new(&["hj633_2026", "hj633_2012", "us_epa_2024"]);
    for step in 0..(48 * 12 + 2) {
        let minute = step * 5;
        if restarts.contains(&minute) {
            city.restart();
        }
        let wave = (minute * 37 % 211) as f64 / 10.0;
        let values = format!(
            r#""pm25":{},"pm10":{},"no2":{},"so2":{},"co":{},"o3":{}"#,
            10.0 + wave,
            30.5 + wave,
            20.0 + wave,
            5.0 + wave / 3.0,
            0.3 + wave / 50.0,
            40.0 + 3.0 * wave
        );
        city.feed("air-1", minute..minute + 1, &values);
        if minute % 70 == 0 {
            let at = START + Span::from_mins(minute - minute % 60);
            city.send("air-1", at, r#""pm25":10"#);
        }
    }
    city.stop();
    assert_eq!(city.counted().received, city.counted().stored + city.counted().duplicate);
    city_derive::STANDARDS
        .iter()
        .flat_map(|standard| city_derive::Form::ALL.map(|form| standard.metrics(form)))
        .flat_map(|metrics| [metrics.index, metrics.primary])
        .map(|metric| city.derived("air-1", metric))
        .collect()
}

#[test]
fn a_restart_changes_nothing() {
    let without = two_days(&[]);
    assert_eq!(without.len(), 12);
    let counts: Vec<usize> = without.iter().map(Vec::len).collect();
    // Each hour has its index; those of 24 hours begin with the 19th hour, when 14 means of eight
    // hours of O3 are there (US: the 18th).
    assert_eq!(counts, [48, 48, 30, 30, 48, 48, 30, 30, 48, 48, 31, 31]);
    let with = two_days(&[600, 605, 1_440, 1_475, 2_700]);
    for (series, (with, without)) in with.iter().zip(&without).enumerate() {
        for (with, without) in with.iter().zip(without) {
            assert_eq!(with, without, "series {series}");
        }
        assert_eq!(with.len(), without.len());
    }
}
