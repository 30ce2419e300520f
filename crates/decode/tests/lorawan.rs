//! The LoRaWAN formats against every collected uplink of five network servers: who sent which
//! bytes when, and Cayenne LPP against its published frames.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex};

use city_decode::{
    Codec, CodecError, CodecOutput, CodecValue, Codecs, DecodeErrorKind, Decoded, Frame, Message,
    built_in, format,
};
use city_model::{Timestamp, Value};
use serde_json::{Value as Json, json};

const UPLINKS: &[u8] = include_bytes!("../testdata/lorawan/lns_envelopes_thingsboard.jsonl.gz");
const CAYENNE: &str = include_str!("../testdata/lorawan/cayenne_lpp.json");

/// A codec for every device that notes the frame and gives one value.
#[derive(Clone, Default)]
struct Spy(Arc<Mutex<Vec<Seen>>>);

#[derive(Clone, Debug, PartialEq)]
struct Seen {
    device: String,
    bytes: Vec<u8>,
    f_port: Option<u64>,
    received: Timestamp,
}

impl Codec for Spy {
    fn decode_uplink(&self, frame: &Frame<'_>, out: &mut CodecOutput) -> Result<(), CodecError> {
        self.0.lock().expect("no panic").push(Seen {
            device: frame.device.to_owned(),
            bytes: frame.bytes.to_vec(),
            f_port: frame.f_port.map(u64::from),
            received: frame.received,
        });
        out.values.push(CodecValue::new("seen", true));
        Ok(())
    }
}

impl Codecs for Spy {
    fn codec(&self, _device: &str) -> Option<Arc<dyn Codec>> {
        Some(Arc::new(self.clone()))
    }
}

/// What an envelope says, read independently of the decoder.
struct Envelope {
    format: &'static str,
    device: Json,
    counter: Json,
    port: Json,
    /// RFC 3339, or milliseconds.
    time: Json,
    bytes: Vec<u8>,
    gateway: Option<Json>,
}

fn envelope(row: &Json) -> Envelope {
    let input = &row["input"];
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    match row["format"].as_str().expect("a format") {
        "chirpstack-v4-uplink" if input.get("deviceInfo").is_some() => Envelope {
            format: "chirpstack",
            device: input["deviceInfo"]["devEui"].clone(),
            counter: input["fCnt"].clone(),
            port: input["fPort"].clone(),
            time: input["time"].clone(),
            bytes: base64(&text(&input["data"])),
            gateway: Some(input["rxInfo"][0]["gatewayId"].clone()),
        },
        // Version 3, with base64 identifiers and only the gateway's time.
        "chirpstack-v4-uplink" => Envelope {
            format: "chirpstack",
            device: hexadecimal(&base64(&text(&input["devEUI"]))).into(),
            counter: input["fCnt"].clone(),
            port: input["fPort"].clone(),
            time: input["rxInfo"][0]["time"].clone(),
            bytes: base64(&text(&input["data"])),
            gateway: Some(hexadecimal(&base64(&text(&input["rxInfo"][0]["gatewayID"]))).into()),
        },
        "tts-v3-uplink" => Envelope {
            format: "ttn",
            device: match &input["end_device_ids"] {
                ids if ids["dev_eui"].is_string() => ids["dev_eui"].clone(),
                ids => ids["device_id"].clone(),
            },
            counter: input["uplink_message"].get("f_cnt").cloned().unwrap_or(json!(0)),
            port: input["uplink_message"]["f_port"].clone(),
            time: input["uplink_message"]["received_at"].clone(),
            bytes: base64(&text(&input["uplink_message"]["frm_payload"])),
            gateway: None,
        },
        "loriot-rx" => Envelope {
            format: "loriot",
            device: input["EUI"].clone(),
            counter: input["fcnt"].clone(),
            port: input["port"].clone(),
            time: input["ts"].clone(),
            bytes: unhex(&text(&input["data"])),
            gateway: Some(input["gws"][0]["gweui"].clone()),
        },
        "thingpark-deveui-uplink" => Envelope {
            format: "thingpark",
            device: input["DevEUI_uplink"]["DevEUI"].clone(),
            counter: input["DevEUI_uplink"]["FCntUp"].clone(),
            port: input["DevEUI_uplink"]["FPort"].clone(),
            time: input["DevEUI_uplink"]["Time"].clone(),
            bytes: unhex(&text(&input["DevEUI_uplink"]["payload_hex"])),
            gateway: Some(input["DevEUI_uplink"]["Lrrid"].clone()),
        },
        // A gateway with a server of its own, in the shape of ChirpStack 3.
        "http-json" => Envelope {
            format: "chirpstack",
            device: input["devEUI"].clone(),
            counter: input["fCnt"].clone(),
            port: input["fPort"].clone(),
            time: input["time"].clone(),
            bytes: base64(&text(&input["data"])),
            gateway: Some(input["rxInfo"][0]["mac"].clone()),
        },
        other => panic!("{other}"),
    }
}

fn rows() -> Vec<Json> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(UPLINKS).read_to_string(&mut text).expect("gzip");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// All 847 records: 213 of ChirpStack, 284 of The Things Stack, 204 of LORIOT, 122 of ThingPark,
/// 24 of gateways that push over HTTP.
#[test]
fn all_847_envelopes_give_device_counter_port_time_and_bytes() {
    let mut checked: BTreeMap<String, usize> = BTreeMap::new();
    let mut frames = 0;
    for mut row in rows() {
        let kind = row["format"].as_str().expect("a format").to_owned();
        if kind == "http-json" {
            // Their times lack a dash, which the next test is about.
            row["input"]["time"] = "2020-03-27T12:39:05.547336Z".into();
        }
        if let Some(input) = row["input"].as_object_mut() {
            // These carry a codec's output, which counts less than the device's own codec.
            assert_eq!(
                input.contains_key("objectJSON"),
                input.contains_key("applicationID") && kind != "http-json"
            );
        }
        let envelope = envelope(&row);
        let spy = Spy::default();
        let payload = row["input"].to_string();
        let decoder =
            format(envelope.format).expect("a format").compile(&Json::Null).expect("no options");
        let message = Message {
            codecs: Some(&spy),
            ..Message::new("t", payload.as_bytes(), Timestamp::default())
        };
        let mut values = Vec::new();
        decoder.decode(&message, &mut values).unwrap_or_else(|error| panic!("{error}: {payload}"));
        let [value] = &*values else { panic!("{payload}") };
        check(value, &envelope, &spy.0.lock().expect("no panic"), &payload);
        if let Some(published) = row["frame"]["bytes_hex"].as_str() {
            assert_eq!(hexadecimal(&envelope.bytes), published.to_lowercase());
            assert_eq!(row["frame"]["fPort"], envelope.port);
            frames += 1;
        }
        *checked.entry(kind).or_default() += 1;
    }
    let expected = [
        ("chirpstack-v4-uplink", 213),
        ("http-json", 24),
        ("loriot-rx", 204),
        ("thingpark-deveui-uplink", 122),
        ("tts-v3-uplink", 284),
    ];
    assert_eq!(checked, expected.map(|(kind, count)| (kind.to_owned(), count)).into());
    assert_eq!(frames, 820, "those with the published bytes of the frame");
}

fn check(value: &Decoded<'_>, envelope: &Envelope, seen: &[Seen], payload: &str) {
    let device = envelope.device.as_str().expect("a device").to_ascii_lowercase();
    let time = match &envelope.time {
        Json::String(text) => text.parse().expect("a time"),
        other => Timestamp::from_millis(other.as_i64().expect("milliseconds")),
    };
    assert_eq!(value.device.as_deref(), Some(&*device), "{payload}");
    assert_eq!(value.sequence, envelope.counter.as_u64(), "{payload}");
    assert_eq!(value.time, Some(time), "{payload}");
    assert_eq!(value.position, None, "the gateway's place is not the device's: {payload}");
    assert!(!value.simulated);
    if let Some(gateway) = &envelope.gateway {
        assert_eq!(value.gateway.as_deref(), gateway.as_str(), "{payload}");
    }
    let frame = Seen {
        device,
        bytes: envelope.bytes.clone(),
        f_port: envelope.port.as_u64(),
        received: time,
    };
    assert_eq!(seen, [frame], "{payload}");
}

/// `2020-0327T12:39:05Z` is no time; to take the time of arrival instead would be a guess.
#[test]
fn all_24_http_records_as_published_are_refused_for_their_time() {
    let decoder = format("chirpstack").expect("a format").compile(&Json::Null).expect("valid");
    let mut refused = 0;
    for row in rows().iter().filter(|row| row["format"] == "http-json") {
        let payload = row["input"].to_string();
        let message = Message::new("t", payload.as_bytes(), Timestamp::default());
        let error = decoder.decode(&message, &mut Vec::new()).expect_err("no time");
        assert_eq!(error.kind, DecodeErrorKind::BadTime, "{error}");
        refused += 1;
    }
    assert_eq!(refused, 24);
}

/// The seven published frames; the eighth record is the table of types, which is checked below.
#[test]
fn all_7_cayenne_frames_and_the_25_types_of_the_table_decode() {
    let cases: Vec<Json> = serde_json::from_str(CAYENNE).expect("JSON");
    let codec = built_in("cayenne_lpp").expect("built in");
    let (mut frames, mut values, mut types) = (0, 0, 0);
    for case in &cases {
        if let Some(table) = case["type_table"].as_object() {
            types += table.iter().filter(|(number, row)| of_table(&*codec, number, row)).count();
            continue;
        }
        let bytes = unhex(case["input_hex"].as_str().expect("bytes"));
        let out = run(&*codec, &bytes).expect("values");
        let expected = case["expected"].as_array().expect("values");
        values += expected.iter().map(|value| check_cayenne(&out, value)).sum::<usize>();
        let parts: usize =
            expected.iter().map(|v| if v["type"] == "accelerometer" { 3 } else { 1 }).sum();
        assert_eq!(out.values.len(), parts, "nothing more than published");
        frames += 1;
    }
    assert_eq!((frames, values, types), (7, 24, 25));
}

fn run(codec: &dyn Codec, bytes: &[u8]) -> Result<CodecOutput, CodecError> {
    let frame = Frame { device: "d", bytes, f_port: None, received: Timestamp::default() };
    let mut out = CodecOutput::default();
    codec.decode_uplink(&frame, &mut out).map(|()| out)
}

/// How many numbers of a published value are there.
fn check_cayenne(out: &CodecOutput, expected: &Json) -> usize {
    let name = format!("{}_{}", expected["type"].as_str().expect("a type"), expected["channel"]);
    let number = |name: &str| {
        let value = out.values.iter().find(|value| value.name == name);
        value.unwrap_or_else(|| panic!("{name}")).value.clone()
    };
    let of = |value: &Json| Value::Number(value.as_f64().expect("a number"));
    match &expected["value"] {
        Json::Object(parts) if parts.contains_key("latitude") => {
            let degrees = |key: &str| parts[key].as_f64().expect("degrees");
            assert_eq!(out.position, Some((degrees("longitude"), degrees("latitude"))));
            assert_eq!(number(&format!("{name}.altitude")), of(&parts["altitude"]));
            3
        }
        Json::Object(parts) => {
            for (part, value) in parts {
                assert_eq!(number(&format!("{name}.{part}")), of(value), "{name}");
            }
            parts.len()
        }
        value => {
            assert_eq!(number(&name), of(value), "{name}");
            1
        }
    }
}

/// Whether a row of the table, `[name, bytes, divisor, sign]`, is how the codec reads that type.
fn of_table(codec: &dyn Codec, number: &str, row: &Json) -> bool {
    let (name, size) = (row[0].as_str().expect("a name"), row[1].as_u64().expect("bytes"));
    let mut bytes = vec![9, number.parse().expect("a type")];
    // One in the last byte of each part.
    let parts = if matches!(name, "accelerometer" | "gyrometer" | "gps") { 3 } else { 1 };
    for _ in 0..parts {
        bytes.resize(bytes.len() + size as usize / parts - 1, 0);
        bytes.push(1);
    }
    let out = run(codec, &bytes).expect(name);
    if name == "gps" {
        return out.position == Some((0.0001, 0.0001)) && out.values[0].value == Value::from(0.01);
    }
    let one = Value::Number(1.0 / row[2].as_f64().expect("a divisor"));
    out.values.len() == parts
        && out.values.iter().all(|value| value.name.starts_with(name) && value.value == one)
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let digit = ALPHABET.iter().position(|known| *known == byte).expect("base64");
        (bits, count) = (bits << 6 | digit as u32, count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

fn unhex(text: &str) -> Vec<u8> {
    let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(pair).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |digit: u8| char::from(b"0123456789abcdef"[usize::from(digit)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
