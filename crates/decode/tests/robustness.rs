//! No input makes a decoder panic or break its promises, whatever the format.

use city_decode::{Decoded, Decoder, FORMATS, Message, limits};
use city_model::{Timestamp, Value};
use proptest::prelude::*;

/// Every format as its example configures it, and bare.
fn decoders() -> Vec<(&'static str, Box<dyn Decoder>, Vec<u8>)> {
    let mut decoders = Vec::new();
    for format in FORMATS {
        let example = format.example();
        for options in [example.options, "{}"] {
            let options = serde_json::from_str(options).expect("JSON");
            let decoder = format.compile(&options).expect("valid options");
            decoders.push((format.name(), decoder, example.bytes()));
        }
    }
    decoders
}

/// A topic that suits the format, so that a decoder goes on to the payload.
fn topic(name: &str) -> &'static str {
    city_decode::format(name).map_or("t", |format| format.example().topic)
}

/// Decodes and checks what every decoder promises.
fn check(name: &str, decoder: &dyn Decoder, payload: &[u8]) {
    let before = Decoded::new("before".into(), Value::Bool(true));
    let mut out = vec![before.clone()];
    let message = Message::new(topic(name), payload, Timestamp::from_secs(1_800_000_000));
    let decoded = decoder.decode(&message, &mut out);
    assert_eq!(out[0], before, "{name}");
    match decoded {
        Err(error) => {
            assert_eq!(out.len(), 1, "{name}: something was left behind");
            assert!(!error.message.is_empty() && !error.hint.is_empty(), "{name}");
            assert!(error.detail().len() < 2_000, "{name}: an endless message");
        }
        Ok(()) => {
            for value in &out[1..] {
                check_value(name, value);
            }
        }
    }
}

fn check_value(name: &str, value: &Decoded<'_>) {
    match &value.value {
        Value::Number(number) => assert!(number.is_finite(), "{name}"),
        Value::Text(text) => assert!(text.len() <= Value::MAX_TEXT, "{name}"),
        Value::Bool(_) => {}
    }
    assert!((1..=limits::MAX_NAME).contains(&value.metric.len()), "{name}");
    for id in [&value.device, &value.gateway, &value.dedup].into_iter().flatten() {
        assert!((1..=limits::MAX_ID).contains(&id.len()), "{name}");
        assert!(!id.chars().any(char::is_control), "{name}");
    }
    if let Some((lon, lat)) = value.position {
        assert!(lon.is_finite() && lat.is_finite(), "{name}");
    }
}

#[test]
fn truncated_messages_never_panic() {
    for (name, decoder, payload) in decoders() {
        for end in 0..payload.len() {
            check(name, &*decoder, &payload[..end]);
        }
    }
}

#[test]
fn messages_with_one_byte_changed_never_panic() {
    for (name, decoder, payload) in decoders() {
        for place in 0..payload.len() {
            for byte in [0, b'"', b'\\', b'{', b']', b',', b'=', b'-', b'9', b'\n', 0x80, 0xff] {
                let mut payload = payload.clone();
                payload[place] = byte;
                check(name, &*decoder, &payload);
            }
        }
    }
}

#[test]
fn hostile_messages_are_refused_within_the_limits() {
    let deep =
        |open: &str, close: &str| format!("{}1{}", open.repeat(50_000), close.repeat(50_000));
    let mut messages = vec![
        "[".repeat(1 << 20),
        deep("[", "]"),
        deep("{\"a\":", "}"),
        format!("[{}1]", "1,".repeat(400_000)),
        format!("[{}{{}}]", "{},".repeat(300_000)),
        "\"".repeat(1 << 20),
        "\\".repeat(1 << 20),
        " ".repeat(1 << 20),
        format!("m v={}", "9".repeat(1 << 19)),
        format!("m{} v=1", ",a=1".repeat(200_000)),
        format!("m {}v=1", "v=1,".repeat(200_000)),
        "m v=1\n".repeat(150_000),
        "1e999".to_owned(),
    ];
    // A long name around very many values must not be copied for each.
    let many = format!(r#"{{"{}": [{}1]}}"#, "n".repeat(500_000), "1,".repeat(100_000));
    messages.push(format!(r#"{{"object": {many}}}"#));
    messages.push(format!(r#"{{"uplink_message": {{"decoded_payload": {many}}}}}"#));
    messages.push("x".repeat(limits::DEFAULT_MAX_PAYLOAD + 1));
    for (name, decoder, _) in decoders() {
        for message in &messages {
            let mut out = Vec::new();
            let message = Message::new(topic(name), message.as_bytes(), Timestamp::default());
            let refused = decoder.decode(&message, &mut out).is_err();
            assert!(refused || name == "line_protocol", "{name}");
            assert!(out.len() <= limits::MAX_VALUES);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(payload in proptest::collection::vec(any::<u8>(), 0..400)) {
        for (name, decoder, _) in decoders() {
            check(name, &*decoder, &payload);
        }
    }

    /// Words of all formats in any order get further into the decoders than plain noise.
    #[test]
    fn arbitrary_words_never_panic(words in proptest::collection::vec(word(), 0..60)) {
        let payload = words.concat();
        for (name, decoder, _) in decoders() {
            check(name, &*decoder, payload.as_bytes());
        }
    }

    /// Well-formed JSON of any shape.
    #[test]
    fn arbitrary_json_never_panics(json in json()) {
        for (name, decoder, _) in decoders() {
            check(name, &*decoder, json.as_bytes());
        }
    }
}

const KEYS: [&str; 45] = [
    "id",
    "ts",
    "gps",
    "lon",
    "lat",
    "pm",
    "temp",
    "bn",
    "bt",
    "bu",
    "bv",
    "bs",
    "bver",
    "n",
    "u",
    "v",
    "vs",
    "vb",
    "vd",
    "s",
    "t",
    "object",
    "deviceInfo",
    "fCnt",
    "uplink_message",
    "decoded_payload",
    "end_device_ids",
    "Time",
    "TempUnit",
    "last_seen",
    "state",
    "params",
    "method",
    "values",
    "TimeInstant",
    "type",
    "value",
    "location",
    "coordinates[0]",
    "data",
    "unitCode",
    "observedAt",
    "subscriptionId",
    "StatusSNS",
    "switch:0",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "=",
            " ",
            "\n",
            "\r",
            "#",
            "null",
            "true",
            "1e999",
            "-",
            "1i",
            "2u",
            "t",
            "1795422600",
            "{\"a\":",
            "m,device=a v=",
            "\"a\"",
            "[{\"n\":\"a\",\"v\":",
            "|",
            ";",
            "NaN",
            "-nan",
            "ON",
            "id,t,v\n",
            "\u{feff}",
            "\u{0}",
        ])
        .prop_map(str::to_owned),
        any::<f64>().prop_map(|number| number.to_string()),
        proptest::sample::select(KEYS.to_vec()).prop_map(|key| format!("\"{key}\":")),
        ".{0,4}",
    ]
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        (-1e300..1e300_f64).prop_map(|number| format!("{number:e}")),
        ".{0,8}".prop_map(|text| serde_json::Value::from(text).to_string()),
        Just("\"2026-11-23T08:30:00Z\"".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        let entry = (proptest::sample::select(KEYS.to_vec()), inner.clone())
            .prop_map(|(key, value)| format!("\"{key}\":{value}"));
        prop_oneof![
            proptest::collection::vec(inner, 0..5).prop_map(|list| format!("[{}]", list.join(","))),
            proptest::collection::vec(entry, 0..6)
                .prop_map(|list| format!("{{{}}}", list.join(","))),
        ]
    })
}
