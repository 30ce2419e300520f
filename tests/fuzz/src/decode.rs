//! Feeds a format whatever libFuzzer comes up with; the environment variable `CITY_FUZZ_FORMAT`
//! names the format. `cargo xtask fuzz` builds it with coverage counters and runs it.
#![no_main]

use std::sync::{Arc, LazyLock};

use city_decode::{Codec, Codecs, Decoded, Decoder, Message, built_in, format, limits};
use city_model::{Timestamp, Value};
use libfuzzer_sys::fuzz_target;

/// Options that lead elsewhere than those of a format's example.
const MORE_OPTIONS: &[(&str, &str)] = &[
    ("chirpstack", r#"{"encoding": "protobuf"}"#),
    ("ttn", r#"{"codec": "cayenne_lpp"}"#),
    ("loriot", r#"{"codec": "cayenne_lpp"}"#),
    ("thingpark", r#"{"codec": "cayenne_lpp"}"#),
];

/// Topics that lead elsewhere than that of a format's example: an input that begins with 0xff is
/// about the one that its second byte numbers.
const MORE_TOPICS: &[(&str, &[&str])] = &[
    (
        "sparkplug_b",
        &[
            "spBv1.0/city/NDATA/air-17",
            "spBv1.0/city/NDEATH/air-17",
            "spBv1.0/city/DBIRTH/air-17/s",
            "spBv1.0/city/DDATA/air-17/s",
            "spBv1.0/city/DDEATH/air-17/s",
            "spBv1.0/STATE/host",
        ],
    ),
    ("tasmota", &["tele/a/STATE", "tele/a/LWT", "stat/a/POWER1", "stat/a/STATUS10", "a"]),
    ("zigbee2mqtt", &["zigbee2mqtt/a/availability", "zigbee2mqtt/bridge/state", "a/b"]),
    (
        "shelly",
        &[
            "a/status/switch:0",
            "a/online",
            "shellies/a/relay/0/power",
            "shellies/a/sensor/temperature",
        ],
    ),
    ("thingsboard", &["v1/devices/me/telemetry", "v1/gateway/attributes", "v1/gateway/connect"]),
    ("ultralight", &["/ul/k/a/attrs/t", "/ul/k/a/cmd"]),
    ("fiware_json", &["/json/k/a/attrs/t", "/json/k/a/cmd"]),
];

struct Target {
    topics: Vec<&'static str>,
    /// With the options of the format's example, with none where that is allowed, and with others.
    decoders: Vec<Box<dyn Decoder>>,
}

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("CITY_FUZZ_FORMAT").expect("CITY_FUZZ_FORMAT names a format");
    let format = format(&name).unwrap_or_else(|| panic!("there is no format `{name}`"));
    let example = format.example();
    let options = serde_json_of(example.options);
    let own = format.compile(&options).expect("the example's options are good");
    let bare = format.compile(&serde_json_of("{}")).ok();
    let more = MORE_OPTIONS
        .iter()
        .filter(|(of, _)| *of == name)
        .map(|(_, options)| format.compile(&serde_json_of(options)).expect("the options are good"));
    let decoders = std::iter::once(own).chain(bare).chain(more).collect();
    let more = MORE_TOPICS.iter().filter(|(of, _)| *of == name).flat_map(|(_, topics)| *topics);
    let topics = std::iter::once(example.topic).chain(more.copied()).collect();
    Target { topics, decoders }
});

fn serde_json_of(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("options are JSON")
}

/// Every second device has the built-in codec, so that formats with raw bytes go all the way.
struct Cayenne;

impl Codecs for Cayenne {
    fn codec(&self, device: &str) -> Option<Arc<dyn Codec>> {
        (device.len() % 2 == 0).then(|| built_in("cayenne_lpp")).flatten()
    }
}

fuzz_target!(|input: &[u8]| {
    let (topic, payload) = match input {
        [0xff, number, payload @ ..] => {
            (TARGET.topics[usize::from(*number) % TARGET.topics.len()], payload)
        }
        payload => (TARGET.topics[0], payload),
    };
    for decoder in &TARGET.decoders {
        let message = Message {
            codecs: Some(&Cayenne),
            ..Message::new(topic, payload, Timestamp::from_secs(1_795_435_200))
        };
        let mut out = vec![Decoded::new("before".into(), Value::Bool(true))];
        let decoded = decoder.decode(&message, &mut out);
        assert!(!out.is_empty() && out[0].metric == "before", "what was there stays");
        assert!(decoded.is_ok() || out.len() == 1, "all or nothing");
        assert!(out.len() <= 1 + limits::MAX_VALUES, "{} values", out.len());
        for value in &out {
            check(value);
        }
        let mut commands = Vec::new();
        decoder.commands(&mut commands);
    }
});

/// What the documentation of [`Decoded`] promises.
fn check(value: &Decoded<'_>) {
    let is_name = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
    assert!(is_name(&value.metric) && value.metric.len() <= limits::MAX_NAME, "{value:?}");
    if let Some(device) = &value.device {
        assert!(is_name(device) && device.len() <= 128, "{value:?}");
    }
    match &value.value {
        Value::Number(number) => assert!(number.is_finite(), "{value:?}"),
        Value::Text(text) => assert!(text.len() <= Value::MAX_TEXT, "{value:?}"),
        Value::Bool(_) => {}
    }
    if let Some((lon, lat)) = value.position {
        assert!(lon.is_finite() && lat.is_finite(), "{value:?}");
    }
}
