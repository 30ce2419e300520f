//! What reaches a decoder: nothing whose sender nobody looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_decode::hj212::{CrcKind, encode};
use city_model::{Catalogue, ManualClock, Timestamp};
use city_pipeline::{
    Ack, Delivery, Limits, NoCodecs, NoDownlink, Pipeline, PipelineParts, Push, PushError, Pushed,
    RawMessage, SourceSpec, Sources, Speakers, TimePolicy,
};
use city_registry::{Registry, Seed};
use city_store::{LettersFrom, Memory, NewDeadLetter, SharedStore, StateDb};

const NOW: Timestamp = Timestamp::from_secs(1_795_435_200);

const SOURCES: &str = r#"[
  {"id": "json", "topic": "city/{device}/up", "format": "json", "unknown_devices": "register"},
  {"id": "batch", "topic": "batch/#", "format": "senml", "unknown_devices": "register"},
  {"id": "hj212", "topic": "hj212/{device}", "format": "hj212", "unknown_devices": "register"}
]"#;

/// Everybody speaks for the device of their own name.
struct Own;

impl Speakers for Own {
    fn may_speak(&self, client: &str, device: &str) -> bool {
        client == device
    }
}

struct Bench {
    pipeline: Pipeline,
    store: SharedStore,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new() -> Self {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let seed = Seed { catalogue: Catalogue::embedded(), ..Seed::default() };
        let specs: Vec<SourceSpec> = serde_json::from_str(SOURCES).expect("JSON");
        let store: SharedStore = Arc::new(Memory::new());
        let pipeline = Pipeline::start(PipelineParts {
            sources: Arc::new(Sources::compile(&specs).expect("good sources")),
            registry: Arc::new(Registry::open(state, seed).expect("a registry")),
            store: store.clone(),
            followers: Vec::new(),
            bounds: None,
            times: TimePolicy::default(),
            checks: BTreeMap::default(),
            location: city_quality::LocationChecks::default(),
            aqi: Vec::new(),
            codecs: Arc::new(NoCodecs),
            speakers: Arc::new(Own),
            downlink: Arc::new(NoDownlink),
            limits: Limits::default(),
            clock: Arc::new(ManualClock::new(NOW)),
            metrics: prometheus::Registry::new(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        Self { pipeline: pipeline.expect("starts"), store, runtime: runtime.expect("a runtime") }
    }

    fn push(&self, source: &str, topic: Option<&str>, payload: &str) -> Result<Pushed, PushError> {
        self.runtime.block_on(self.pipeline.pusher().push(Push {
            source: source.to_owned(),
            topic: topic.map(str::to_owned),
            device: Some("d9".into()),
            client: Some("d9".into()),
            key: None,
            payload: payload.to_owned().into(),
        }))
    }

    fn letters(&self) -> Vec<NewDeadLetter> {
        let page = self.store.dead_letters(LettersFrom::Newest, None, 100).expect("a page");
        page.items.into_iter().map(|kept| kept.letter).collect()
    }
}

#[test]
fn a_client_pushes_only_to_topics_that_name_its_device() {
    let bench = Bench::new();
    for (source, topic) in [("json", "city/victim/up"), ("batch", "batch/g/NBIRTH/victim")] {
        let refused = bench.push(source, Some(topic), "{}");
        let (client, topic) = ("d9".into(), topic.to_owned());
        assert_eq!(refused, Err(PushError::NotItsTopic { client, topic }));
    }
    assert!(bench.letters().is_empty(), "nothing of it is kept");
    let payload = r#"{"pm25": 3}"#;
    let own = bench.push("json", Some("city/d9/up"), payload).expect("its own");
    assert_eq!(own.stored, 1, "{own:?}");
    assert_eq!(bench.push("json", None, payload).expect("its own").dead_letters, []);
    let payload = r#"[{"bn": "d9:", "n": "pm25", "v": 3}]"#;
    assert!(!matches!(bench.push("batch", None, payload), Err(PushError::NotItsTopic { .. })));
}

#[test]
fn no_decoder_sees_a_message_whose_topic_names_somebody_elses_device() {
    let bench = Bench::new();
    let message = RawMessage {
        source: bench.pipeline.sources().by_id("json"),
        topic: "city/victim/up".into(),
        payload: b"{"[..].into(),
        received: NOW,
        retained: false,
        replayed: false,
        client: Some("d9".into()),
        ack: None,
    };
    bench.runtime.block_on(bench.pipeline.intake().send(vec![message])).expect("open");
    // What is behind it is committed after it.
    assert_eq!(bench.push("json", None, "{").expect("taken").dead_letters[0].reason, "malformed");
    let mut reasons: Vec<_> = bench.letters().into_iter().map(|letter| letter.reason).collect();
    reasons.sort();
    assert_eq!(reasons, ["malformed", "not_its_device"], "not decoded, or it were malformed too");
}

#[test]
fn garbage_is_never_decoded_whatever_is_in_it_and_however_often_it_is_replayed() {
    let bench = Bench::new();
    let segment = "QN=1;ST=22;CN=2011;PW=0;MN=victim;Flag=4;\
                   CP=&&DataTime=20261123163000;a34004-Rtd=35.2&&";
    let frame = encode(segment, CrcKind::Standard);
    let message = RawMessage {
        source: bench.pipeline.sources().by_id("hj212"),
        topic: "hj212/-".into(),
        payload: frame.into(),
        received: NOW,
        retained: false,
        replayed: false,
        client: None,
        ack: Some(Ack::of_nobody(Delivery { garbage: true, ..Delivery::default() })),
    };
    bench.runtime.block_on(bench.pipeline.intake().send(vec![message])).expect("open");
    bench.push("json", None, "{").expect("taken");
    let page = bench.store.dead_letters(LettersFrom::Newest, Some("garbage"), 10).expect("a page");
    let [letter] = &page.items[..] else { panic!("{:?}", page.items) };
    bench.runtime.block_on(bench.pipeline.replayer().replay(letter.id)).expect("replayed");
    let page = bench.store.dead_letters(LettersFrom::Newest, Some("garbage"), 10).expect("a page");
    assert_eq!(page.items.len(), 2, "garbage again");
    assert_eq!(bench.letters().len(), 3);
}
