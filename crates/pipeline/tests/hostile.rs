//! What no device sends by accident: every format refuses it with a dead letter, and the pipeline
//! goes on.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_decode::FORMATS;
use city_model::{Catalogue, ManualClock, Timestamp};
use city_pipeline::{
    Everybody, Limits, NoCodecs, NoDownlink, Pipeline, PipelineParts, Push, Pushed, SourceSpec,
    Sources, TimePolicy,
};
use city_registry::{Registry, Seed};
use city_store::{Memory, SharedStore, StateDb};

const NOW: Timestamp = Timestamp::from_secs(1_795_435_200);

const TEN_MEGABYTES: usize = 10_000_000;

fn source(format: &dyn city_decode::Format) -> SourceSpec {
    let example = format.example();
    let options: serde_json::Value = serde_json::from_str(example.options).expect("JSON");
    serde_json::from_value(serde_json::json!({
        "id": format.name(), "topic": example.topic, "format": format.name(),
        "unknown_devices": "register", "options": options,
    }))
    .expect("a source")
}

fn pipeline(store: &SharedStore) -> Pipeline {
    let state = Arc::new(StateDb::in_memory().expect("a database"));
    let seed = Seed { catalogue: Catalogue::embedded(), ..Seed::default() };
    let specs: Vec<SourceSpec> = FORMATS.iter().map(|format| source(*format)).collect();
    Pipeline::start(PipelineParts {
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
        speakers: Arc::new(Everybody),
        downlink: Arc::new(NoDownlink),
        limits: Limits::default(),
        clock: Arc::new(ManualClock::new(NOW)),
        metrics: prometheus::Registry::new(),
    })
    .expect("starts")
}

/// (what it is, the bytes)
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let million = format!(r#"{{"a":[{}0]}}"#, "0,".repeat(1_000_000));
    let records = format!("[{}{{}}]", r#"{"n":"a","v":1},"#.repeat(1_000_000));
    let deep = format!("{}1{}", r#"{"a":["#.repeat(100_000), "]}".repeat(100_000));
    // CBOR: an array that says that it holds 2^32 - 1 items; Protocol Buffers: a field of 2 GiB.
    let lying_array = vec![0x9a, 0xff, 0xff, 0xff, 0xff, 0x01];
    let lying_field = vec![0x12, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00];
    vec![
        ("10 MB of one letter", vec![b'a'; TEN_MEGABYTES]),
        ("10 MB of brackets", vec![b'['; TEN_MEGABYTES]),
        ("10 MB of zeros", vec![0; TEN_MEGABYTES]),
        ("an array of a million numbers", million.into_bytes()),
        ("a million records", records.into_bytes()),
        ("200,000 levels", deep.into_bytes()),
        ("an array that lies about its length", lying_array),
        ("a field that lies about its length", lying_field),
        ("nothing", Vec::new()),
    ]
}

#[test]
fn every_format_refuses_hostile_messages_with_a_dead_letter() {
    let store: SharedStore = Arc::new(Memory::new());
    let pipeline = pipeline(&store);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let push = |source: &str, payload: Vec<u8>| -> Pushed {
        let (source, device) = (source.to_owned(), Some("d".into()));
        let push =
            Push { source, topic: None, device, client: None, key: None, payload: payload.into() };
        runtime.block_on(pipeline.pusher().push(push)).expect("taken")
    };
    let hostile = hostile();
    for format in FORMATS {
        for (what, payload) in &hostile {
            let pushed = push(format.name(), payload.clone());
            let at = format!("{what} as {}", format.name());
            // A text of zeros or letters may be a value to a format of bare values, but no more.
            assert!(pushed.stored + pushed.duplicates <= 1, "{at}: {pushed:?}");
            if payload.len() > 1 << 20 {
                assert_eq!((pushed.stored, pushed.dead_letters.len()), (0, 1), "{at}");
                assert_eq!(pushed.dead_letters[0].reason, "too_large", "{at}");
            }
        }
        let example = format.example().bytes();
        let pushed = push(format.name(), example);
        assert!(pushed.stored > 0, "{} goes on afterwards: {pushed:?}", format.name());
    }
    pipeline.stop();
    for (key, counted) in store.ledger() {
        let sum = counted.stored + counted.duplicate + counted.dead_lettered;
        assert_eq!(counted.received, sum, "{key:?}");
    }
}
