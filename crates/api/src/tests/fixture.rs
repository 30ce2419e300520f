//! A small city for tests: one zone, five devices, a store in memory and a clock turned by hand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use city_geo::{ZoneIndex, ZoneOptions};
use city_model::{
    Alert, AlertEvent, AlertEventKind, Catalogue, LocalText, ManualClock, Marks, Position, Quality,
    Reading, RuleRef, SeriesKey, Severity, Span, Subject, Timestamp, Value,
};
use city_pipeline::Committed;
use city_pipeline::{Push, PushError, Pushed};
use city_registry::credentials::Credentials;
use city_registry::{Department, DeviceEntry, Kind, Registry, Seed, read_devices};
use city_rulebook::{Book, BookParts, Text};
use city_rules::ReloadReport;
use city_store::{
    Commit, DeadLetterId, Memory, NewDeadLetter, Outcome, SharedStore, StateDb, StateError,
};
use serde_json::Value as Json;
use tower::ServiceExt;

use crate::{
    Brain, CityInfo, CommandDelivery, CommandRefusal, CommandSent, DeviceCommand, HttpLimits,
    Ingest, IngestStatus, Mode, Notices, Parts, Pushing, RateLimit, ReceiverReport, ReceiverTrial,
    Receivers, Role, Silences, TrialRefusal, Trying, ZoneFiles, ZoneReload,
};

/// When the tests begin: 2026-11-23T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_795_435_200);

const ZONES: &str = r#"{"type":"FeatureCollection","features":[
    {"type":"Feature","properties":{"name":"Old Town","name_zh":"老城"},
     "geometry":{"type":"Polygon","coordinates":[[[10,50],[11,50],[11,51],[10,51],[10,50]]]}},
    {"type":"Feature","properties":{"name":"Harbour","name_zh":"港区"},
     "geometry":{"type":"Polygon","coordinates":[[[11,50],[12,50],[12,51],[11,51],[11,50]]]}}]}"#;

const DEVICES: &str = r#"[
    {"id":"air-1","kind":"air_station","department":"environment",
     "name":{"en":"Market Square","zh":"集市广场"},"position":{"lon":10.5,"lat":50.5},
     "interval":"1m","attributes":{"limit":3.5,"pole":"P7"}},
    {"id":"air-2","kind":"air_station","department":"environment",
     "position":{"lon":11.5,"lat":50.5},"interval":"1m"},
    {"id":"bus-1","kind":"bus","department":"transport","moving":true,"interval":"30s"},
    {"id":"lamp/1","kind":"street_light","department":"works"},
    {"id":"old-1","kind":"street_light","department":"works","life_cycle":"retired"}]"#;

/// A pipeline that only remembers what it was asked.
#[derive(Default)]
pub(crate) struct Pipeline {
    pub(crate) status: Mutex<IngestStatus>,
    pub(crate) replayed: Mutex<Vec<DeadLetterId>>,
    pub(crate) pushed: Mutex<Vec<Push>>,
    /// What a push is answered with.
    pub(crate) answer: Mutex<Option<Result<Pushed, PushError>>>,
    pub(crate) commands: Mutex<Vec<DeviceCommand>>,
    /// Why commands are refused.
    pub(crate) refusal: Mutex<Option<CommandRefusal>>,
}

impl Ingest for Pipeline {
    fn status(&self) -> IngestStatus {
        self.status.lock().expect("not poisoned").clone()
    }

    fn replay(&self, id: DeadLetterId) -> Result<(), String> {
        self.replayed.lock().expect("not poisoned").push(id);
        Ok(())
    }

    fn push(&self, push: Push) -> Pushing<'_> {
        let answer = self.answer.lock().expect("not poisoned").clone();
        self.pushed.lock().expect("not poisoned").push(push);
        Box::pin(async move { answer.unwrap_or_else(|| Ok(Pushed::default())) })
    }

    fn command(&self, command: DeviceCommand) -> Result<CommandSent, CommandRefusal> {
        if let Some(refusal) = self.refusal.lock().expect("not poisoned").clone() {
            return Err(refusal);
        }
        let topic = format!("cmd/{}/{}", command.device, command.name);
        self.commands.lock().expect("not poisoned").push(command);
        Ok(CommandSent { topic, delivery: CommandDelivery::Queued })
    }
}

/// Receivers that are as a test says; a try is answered with what stands in `trial`.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) report: Mutex<Vec<ReceiverReport>>,
    pub(crate) trial: Mutex<Option<Result<ReceiverTrial, TrialRefusal>>>,
}

impl Receivers for Desk {
    fn report(&self) -> Result<Vec<ReceiverReport>, StateError> {
        Ok(self.report.lock().expect("not poisoned").clone())
    }

    fn try_out<'a>(&'a self, _: &'a str) -> Trying<'a> {
        let trial = self.trial.lock().expect("not poisoned").clone();
        Box::pin(async move { trial.unwrap_or(Err(TrialRefusal::Unknown)) })
    }
}

/// Receivers that only remember what they are told.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) events: Mutex<Vec<AlertEvent>>,
    /// Whether they cannot be told now.
    pub(crate) failing: std::sync::atomic::AtomicBool,
}

impl Notices for Told {
    fn tell(&self, event: &AlertEvent) -> Result<(), String> {
        if self.failing.load(Ordering::Relaxed) {
            return Err("the disk is full".to_owned());
        }
        self.events.lock().expect("not poisoned").push(event.clone());
        Ok(())
    }
}

/// Zone files: the first reload finds New Town where Harbour was, a second one nothing good.
struct Files(Arc<Registry>);

/// The rule files, which tests change.
#[derive(Clone)]
pub(crate) struct RuleTexts(pub(crate) Arc<Mutex<Vec<Text>>>);

impl city_rulebook::Files for RuleTexts {
    fn read(&self) -> Result<Vec<Text>, String> {
        self.peek()
    }

    fn peek(&self) -> Result<Vec<Text>, String> {
        Ok(self.0.lock().expect("not poisoned").clone())
    }

    fn are_configured(&self) -> bool {
        true
    }
}

impl ZoneFiles for Files {
    fn reload(&self) -> Result<ZoneReload, Vec<String>> {
        if self.0.zones().zone_by_id("new-town").is_some() {
            return Err(vec!["zones.geojson is not GeoJSON".to_owned()]);
        }
        let text = ZONES.replace("Harbour", "New Town");
        let options = ZoneOptions { layer: "district".to_owned(), ..ZoneOptions::default() };
        let zones = ZoneIndex::from_geojson(&text, &options).expect("valid zones").index;
        let taken = self.0.set_zones(zones, |_| Ok::<_, ()>(())).expect("taken");
        let (added, removed) = (vec!["new-town".to_owned()], vec!["harbour".to_owned()]);
        let zones = taken.zones().len() as u64;
        Ok(ZoneReload { zones, added, removed, warnings: Vec::new() })
    }
}

/// Who speaks in CAP.
fn issuer() -> city_cap::Issuer {
    let config = serde_json::json!({"sender": "alerts@testville.example"});
    let config = serde_json::from_value(config).expect("the right shape");
    let zone = jiff::tz::TimeZone::get("Europe/Copenhagen").expect("known");
    city_cap::Issuer::new(&config, LocalText::new("Testville", "测试城"), zone).expect("good")
}

/// The city with its brain.
pub(crate) struct City {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) clients: Arc<Credentials>,
    pub(crate) store: SharedStore,
    pub(crate) late_readings: city_rules::LateLog,
    pub(crate) state: Arc<StateDb>,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) rule_texts: RuleTexts,
    pub(crate) told: Arc<Told>,
    pub(crate) brain: Brain,
    router: Router,
    admin: String,
    seq: AtomicU64,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// The code of the problem that this must be.
    #[track_caller]
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        let json = self.json();
        assert_eq!(json["status"], self.status.as_u16(), "{json}");
        for member in ["type", "title", "detail", "instance"] {
            assert!(json[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {json}");
        }
        json["code"].as_str().expect("a code").to_owned()
    }
}

impl City {
    /// The city at [`NOW`], with nothing measured yet.
    pub(crate) fn new() -> Self {
        Self::with_state(Arc::new(StateDb::in_memory().expect("a database")), NOW)
    }

    /// The city over what an earlier one left in the state database.
    pub(crate) fn with_state(state: Arc<StateDb>, now: Timestamp) -> Self {
        Self::inhibiting(state, now, Vec::new())
    }

    /// The city with alerts that keep others from being told.
    pub(crate) fn inhibiting(
        state: Arc<StateDb>,
        now: Timestamp,
        inhibit: Vec<city_rules::lifecycle::InhibitRule>,
    ) -> Self {
        Self::built(state, now, inhibit, Self::limits())
    }

    /// The city where connections and clients may cost so much.
    pub(crate) fn limited(limits: HttpLimits) -> Self {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        Self::built(state, NOW, Vec::new(), limits)
    }

    /// The usual limits, but for the rates: tests ask often.
    pub(crate) fn limits() -> HttpLimits {
        let none = RateLimit::NONE;
        HttpLimits { rate: none, rate_without_login: none, ..HttpLimits::default() }
    }

    fn built(
        state: Arc<StateDb>,
        now: Timestamp,
        inhibit: Vec<city_rules::lifecycle::InhibitRule>,
        limits: HttpLimits,
    ) -> Self {
        let options = ZoneOptions {
            layer: "district".to_owned(),
            name_property: Some("name".to_owned()),
            name_zh_property: Some("name_zh".to_owned()),
            ..ZoneOptions::default()
        };
        let zones = ZoneIndex::from_geojson(ZONES, &options).expect("valid zones").index;
        let seed = Seed {
            catalogue: Catalogue::embedded(),
            zones,
            kinds: vec![Kind::named("air_station", LocalText::new("Air station", "空气站"))],
            departments: vec![Department {
                id: "environment".to_owned(),
                name: LocalText::new("Environment", "环境局"),
            }],
        };
        let registry = Arc::new(Registry::open(state.clone(), seed).expect("a registry"));
        registry.import(&read_devices("devices", DEVICES).expect("valid")).expect("imported");
        let clock = Arc::new(ManualClock::new(now));
        let clients = Credentials::open(state.clone(), clock.clone()).expect("credentials");
        let clients = Arc::new(clients);
        let store: SharedStore = Arc::new(Memory::new());
        let late_readings = city_rules::LateLog::default();
        let pipeline = Arc::new(Pipeline::default());
        let desk = Arc::new(Desk::default());
        let rule_texts = RuleTexts(Arc::new(Mutex::new(vec![super::fixture_rules::file()])));
        let of = registry.clone();
        let rule_book = Book::open(BookParts {
            state: state.clone(),
            files: Box::new(rule_texts.clone()),
            directory: Box::new(move || of.directory()),
            setting: city_rules::Setting::default(),
            clock: clock.clone(),
        });
        let rule_book = Arc::new(rule_book.expect("good rules"));
        // Nothing is evaluated here.
        rule_book.connect(Box::new(|_| Some(ReloadReport::default())));
        let told = Arc::new(Told::default());
        let brain = Brain::new(Parts {
            registry: registry.clone(),
            clients: clients.clone(),
            store: store.clone(),
            state: state.clone(),
            late_readings: late_readings.clone(),
            ingest: pipeline.clone(),
            zone_files: Arc::new(Files(registry.clone())),
            rule_book,
            receivers: desk.clone(),
            city: CityInfo {
                name: LocalText::new("Testville", "测试城"),
                time_zone: "Europe/Copenhagen".to_owned(),
                bounds: [10.0, 50.0, 12.0, 51.0],
            },
            cap: Some(issuer()),
            mode: Mode::Demo,
            simulated: true,
            metrics: prometheus::Registry::new(),
            silences: Arc::new(Silences::open(state.clone(), now).expect("silences")),
            sessions: crate::SessionLimits::default(),
            external_login: None,
            base_map: super::base_map::layers(),
            notices: told.clone(),
            flood: city_rules::lifecycle::FloodConfig::default(),
            inhibit: inhibit.into(),
            limits,
            clock: clock.clone(),
            version: "0.0.0-test".to_owned(),
        })
        .expect("a brain");
        let admin = brain.mint("ada", Role::Admin, "test").expect("minted");
        let router = brain.router();
        let seq = AtomicU64::new(1);
        Self {
            clock,
            registry,
            clients,
            store,
            late_readings,
            state,
            pipeline,
            desk,
            rule_texts,
            told,
            brain,
            router,
            admin,
            seq,
        }
    }

    /// All figures, as Prometheus gets them.
    pub(crate) fn metrics_text(&self) -> String {
        let gathered = self.brain.app.metrics.gather();
        prometheus::TextEncoder::new().encode_to_string(&gathered).expect("text")
    }

    /// A token of somebody with this role.
    pub(crate) fn token(&self, role: Role) -> String {
        self.brain.mint(role.name(), role, "test").expect("minted")
    }

    /// GET as the administrator.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path, None)).await
    }

    /// GET that must work.
    #[track_caller]
    pub(crate) fn ok(&self, path: &str) -> impl Future<Output = Json> {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.get(path).await;
            assert_eq!(answer.status, StatusCode::OK, "{caller}: {path}: {}", answer.text);
            answer.json()
        }
    }

    /// POST of JSON as the administrator.
    pub(crate) async fn post(&self, path: &str, body: &Json) -> Answer {
        self.send(self.request(Method::POST, path, Some(body))).await
    }

    /// A request as the administrator.
    pub(crate) fn request(&self, method: Method, path: &str, body: Option<&Json>) -> Request<Body> {
        let mut request = bare(method, path, body);
        let bearer = format!("Bearer {}", self.admin).parse().expect("a header");
        request.headers_mut().insert("authorization", bearer);
        request
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.open(request).await;
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// Sends a request and leaves the body unread.
    pub(crate) async fn open(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.expect("infallible")
    }

    /// The key of a series.
    pub(crate) fn series(&self, device: &str, metric: &str) -> SeriesKey {
        let directory = self.registry.directory();
        SeriesKey {
            device: directory.device_by_id(device).expect("a device").key,
            metric: directory.metrics.by_id(metric).expect("a metric").key,
        }
    }

    /// A reading, measured and received now.
    pub(crate) fn reading(&self, device: &str, metric: &str, value: impl Into<Value>) -> Reading {
        use city_model::Clock;
        let directory = self.registry.directory();
        let device = directory.device_by_id(device).expect("a device");
        Reading {
            series: self.series(&device.id, metric),
            time: self.clock.now(),
            received: self.clock.now(),
            value: value.into(),
            quality: Quality::Pass,
            marks: Marks::NONE,
            position: None,
            zones: device.zones.clone(),
        }
    }

    /// Where a moving device is.
    pub(crate) fn at(&self, reading: Reading, lon: f64, lat: f64) -> Reading {
        let position = Position::new(lon, lat).expect("a position");
        let zones = self.registry.zones().locate(position);
        Reading { position: Some(position), zones, ..reading }
    }

    /// Commits readings, and tells the live view of those that are new.
    pub(crate) fn commit(&self, readings: Vec<Reading>) {
        let sources = vec![0; readings.len()];
        let commit = Commit { readings, sources, ..Commit::default() };
        let report = self.store.commit(&commit).expect("committed");
        let readings = commit
            .readings
            .into_iter()
            .zip(report.outcomes)
            .filter_map(|(reading, outcome)| (outcome == Outcome::Stored).then_some(reading))
            .collect();
        let seq = self.seq.fetch_add(1, Ordering::Relaxed);
        self.brain.live().follow(&Arc::new(Committed { seq, readings }));
    }

    /// Commits a dead letter.
    pub(crate) fn dead_letter(&self, payload: &[u8], reason: &str) {
        let letter = NewDeadLetter {
            source: Some(0),
            source_id: "mqtt".to_owned(),
            topic: "city/x".to_owned(),
            payload: payload.into(),
            client: None,
            received: NOW,
            device: None,
            device_key: None,
            reason: reason.to_owned(),
            detail: "at byte 3: not a number".to_owned(),
            hint: "send a number".to_owned(),
            again: false,
            items: 1,
        };
        let commit = Commit { dead_letters: vec![letter], ..Commit::default() };
        self.store.commit(&commit).expect("committed");
    }

    /// What the pipeline notes when a source `mqtt` sends a metric and a device that nobody knows.
    pub(crate) fn unknown(&self, metric: &str, device: &str) {
        use city_model::Clock;
        let now = self.clock.now();
        self.registry.metric(metric, "Bq").expect("kept");
        let seen = self.registry.see_unmapped("mqtt", metric, "Bq", now).expect("room");
        seen.note(now, Some(42.5));
        let entry = DeviceEntry::unknown(device, "air_station", "environment", false);
        self.registry.see_unknown(&entry, "mqtt", now);
    }

    /// Lets time pass, and the live view notice.
    pub(crate) fn pass(&self, span: Span) {
        self.clock.advance(span);
        self.brain.app.hub.tick();
    }

    /// Pushes an alert event, which must be taken.
    pub(crate) async fn push(&self, event: &AlertEvent) {
        let body = serde_json::to_value(event).expect("JSON");
        let answer = self.post("/api/v1/alert-events", &body).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    }
}

/// A request without credentials.
pub(crate) fn bare(method: Method, path: &str, body: Option<&Json>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let (request, body) = match body {
        Some(json) => {
            (request.header("content-type", "application/json"), Body::from(json.to_string()))
        }
        None => (request, Body::empty()),
    };
    request.body(body).expect("a request")
}

/// An alert about pm25 of air-1 in the old town that fired at [`NOW`].
pub(crate) fn alert(id: &str, severity: Severity) -> Alert {
    Alert {
        id: id.into(),
        rule: RuleRef {
            id: "pm25_high".into(),
            version: "0123456789ab".into(),
            name: LocalText::new("Fine dust", "细颗粒物"),
            department: "environment".into(),
        },
        subject: Subject::Series { device: "air-1".into(), metric: "pm25".into() },
        severity,
        started_at: NOW - Span::from_mins(5),
        fired_at: NOW,
        resolved_at: None,
        metric: Some("pm25".into()),
        unit: Some("µg/m³".into()),
        value: Some(80.5),
        limit: Some(75.0),
        reading_time: Some(NOW),
        summary: LocalText::new("Fine dust is high", "细颗粒物超标"),
        zones: vec!["old-town".into()],
        kind: Some("air_station".into()),
        position: Position::new(10.5, 50.5),
        simulated: true,
        runbook: None,
        labels: std::collections::BTreeMap::new(),
    }
}

/// Step `seq` of an alert, one minute after the step before.
pub(crate) fn event(seq: u32, kind: AlertEventKind, mut alert: Alert) -> AlertEvent {
    let at = NOW + Span::from_mins(i64::from(seq) - 1);
    if kind == AlertEventKind::Resolved {
        alert.resolved_at = Some(at);
    }
    AlertEvent { key: format!("{}/{seq}", alert.id), seq, kind, at, reason: None, alert }
}
