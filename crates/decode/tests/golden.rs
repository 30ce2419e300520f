//! Decoders against published messages with known results.

use std::io::Read;

use city_decode::{DecodeError, DecodeErrorKind, Decoded, Decoder, FORMATS, Message, format};
use city_model::{Timestamp, Value};
use serde_json::{Value as Json, json};

const SENML: &str = include_str!("../testdata/senml/senml_rfc8428_examples.json");
const UPLINKS: &[u8] = include_bytes!("../testdata/lorawan/lns_envelopes_thingsboard.jsonl.gz");

fn compile(name: &str, options: &Json) -> Box<dyn Decoder> {
    format(name).expect("a format").compile(options).expect("valid options")
}

fn decode<'a>(
    decoder: &'a dyn Decoder,
    payload: &'a [u8],
    received: Timestamp,
) -> Result<Vec<Decoded<'a>>, DecodeError> {
    let mut out = Vec::new();
    decoder.decode(&Message::new("topic", payload, received), &mut out).map(|()| out)
}

#[test]
fn every_formats_example_decodes_as_documented() {
    for format in FORMATS {
        let example = format.example();
        let options: Json = serde_json::from_str(example.options).expect("options are JSON");
        let decoder = format.compile(&options).expect("options are valid");
        let received = Timestamp::from_secs(1_795_422_605);
        let payload = example.bytes();
        let message = Message::new(example.topic, &payload, received);
        let mut values = Vec::new();
        let decoded = decoder.decode(&message, &mut values).map(|()| values);
        let values = decoded.unwrap_or_else(|error| panic!("{}: {error}", format.name()));
        assert_eq!(values.len(), example.values, "{}", format.name());
        assert!(!format.summary().is_empty() && !format.summary_zh().is_ascii());
        for value in values {
            let time = value.time.expect("every example has a time");
            assert!((1_795_422_500..1_795_422_610).contains(&(time.millis() / 1_000)), "{time}");
        }
    }
}

/// The examples of RFC 8428 with their resolved records.
#[test]
fn senml_resolves_as_the_rfc_says() {
    let cases: Vec<Json> = serde_json::from_str(SENML).expect("JSON");
    let decoder = compile("senml", &json!({"device_from": "topic"}));
    let (mut packs, mut records) = (0, 0);
    for case in cases.iter().filter(|case| case["format"] == "senml+json") {
        let Some(expected) = case["expected"]["resolved"].as_array() else { continue };
        let payload = case["input"].to_string();
        // Records without a time were resolved with the clock of that moment.
        let received = match case["source"].as_str().expect("a source") {
            source if source.contains("ex7.") => 1_499_109_309,
            _ => 1_498_780_179,
        };
        let received = Timestamp::from_secs(received);
        let values = decode(&*decoder, payload.as_bytes(), received).expect("values");
        check_resolved(case, &values, expected, received);
        packs += 1;
        records += expected.len();
    }
    assert_eq!((packs, records), (12, 53));
}

fn check_resolved(case: &Json, values: &[Decoded<'_>], expected: &[Json], received: Timestamp) {
    let is = |record: &Json, unit: &str| record["u"] == unit;
    let (places, records): (Vec<_>, Vec<_>) =
        expected.iter().partition(|record| is(record, "lon") || is(record, "lat"));
    // Data values are kept as their base64 text; the published resolution leaves them out.
    let values: Vec<_> =
        values.iter().filter(|value| !value.metric.ends_with("nfv-reader")).collect();
    assert_eq!(values.len(), records.len(), "{case}");
    for (value, record) in values.iter().zip(records) {
        assert_eq!(Some(value.metric.as_ref()), record["n"].as_str(), "{case}");
        assert_eq!(value.unit.as_deref(), record["u"].as_str());
        let time = Timestamp::from_secs_f64(record["t"].as_f64().expect("a time"));
        // One without a time is of when it arrived, which the pipeline fills in.
        assert_eq!(value.time.or(Some(received)), time, "{record}");
        let expected = match (&record["v"], &record["vs"], &record["vb"]) {
            (Json::Number(number), _, _) => Value::Number(number.as_f64().expect("finite")),
            (_, Json::String(text), _) => Value::from(text.as_str()),
            (_, _, Json::Bool(flag)) => Value::Bool(*flag),
            _ => panic!("{record}"),
        };
        assert_eq!(value.value, expected, "{record}");
        let place = |unit: &str| {
            let mut here = places.iter().filter(|p| is(p, unit) && p["t"] == record["t"]);
            here.next().and_then(|place| place["v"].as_f64())
        };
        assert_eq!(value.position, place("lon").zip(place("lat")), "{record}");
    }
}

/// One line of the collected uplinks.
struct Case {
    format: &'static str,
    input: Json,
    /// The device's decoded telemetry and its time in milliseconds.
    values: Json,
    millis: Option<i64>,
}

fn uplinks() -> Vec<Case> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(UPLINKS).read_to_string(&mut text).expect("gzip");
    let rows = text.lines().map(|line| serde_json::from_str::<Json>(line).expect("JSON"));
    rows.filter_map(|row| {
        let format = match row["format"].as_str()? {
            "chirpstack-v4-uplink" => "chirpstack",
            "tts-v3-uplink" => "ttn",
            _ => return None,
        };
        let telemetry = match &row["expected"]["telemetry"] {
            Json::Array(list) => list.first()?.clone(),
            other => other.clone(),
        };
        // Several rows are a device's own history, with its own times.
        let rows = row["expected"]["telemetry"].as_array().map_or(1, Vec::len);
        let millis = match &telemetry["ts"] {
            _ if rows > 1 => None,
            Json::String(text) => Some(text.parse::<Timestamp>().expect("a time").millis()),
            other => other.as_i64(),
        };
        Some(Case {
            format,
            input: row["input"].clone(),
            values: telemetry["values"].clone(),
            millis,
        })
    })
    .collect()
}

/// Real uplinks without a codec: refused, with what to do.
#[test]
fn raw_uplinks_ask_for_a_codec() {
    let mut refused = 0;
    for case in uplinks() {
        // Version 3 of ChirpStack carries the codec's output as a text.
        if case.input.get("objectJSON").is_some() {
            continue;
        }
        let decoder = compile(case.format, &json!({}));
        let payload = case.input.to_string();
        let error = decode(&*decoder, payload.as_bytes(), Timestamp::default()).expect_err("raw");
        assert_eq!(error.kind, DecodeErrorKind::NoCodec, "{error}");
        refused += 1;
    }
    assert_eq!(refused, 436);
}

/// The same uplinks with the telemetry that the device's codec gives for them.
#[test]
fn uplinks_with_a_codec_give_device_counter_time_and_values() {
    let (mut checked, mut empty, mut exact, mut values_checked) = (0, 0, 0, 0);
    for case in uplinks() {
        let mut input = case.input.clone();
        let (place, device, counter) = match case.format {
            "ttn" => {
                let ids = &case.input["end_device_ids"];
                let device = ids.get("dev_eui").unwrap_or(&ids["device_id"]).clone();
                (
                    &mut input["uplink_message"]["decoded_payload"],
                    device,
                    &case.input["uplink_message"]["f_cnt"],
                )
            }
            _ if case.input.get("objectJSON").is_some() => continue,
            _ => (
                &mut input["object"],
                case.input["deviceInfo"]["devEui"].clone(),
                &case.input["fCnt"],
            ),
        };
        *place = case.values.clone();
        let decoder = compile(case.format, &json!({}));
        let payload = input.to_string();
        let decoded = decode(&*decoder, payload.as_bytes(), Timestamp::default());
        if case.values.as_object().is_some_and(serde_json::Map::is_empty) {
            assert_eq!(decoded.expect_err("empty").kind, DecodeErrorKind::NoValues);
            empty += 1;
            continue;
        }
        let values = decoded.expect("values");
        for value in &values {
            let device = device.as_str().map(str::to_ascii_lowercase);
            assert_eq!(value.device.as_deref(), device.as_deref(), "{payload}");
            assert_eq!(value.sequence, counter.as_u64());
            assert_eq!(value.dedup.as_deref(), case.input["deduplicationId"].as_str());
            assert!(value.gateway.is_some() && value.position.is_none() && !value.simulated);
        }
        let time = values[0].time.expect("a time");
        if let Some(millis) = case.millis {
            // Some of the published converters take the application server's time instead.
            assert!((time.millis() - millis).abs() < 1_500, "{time} {millis} {payload}");
            exact += usize::from((time.millis() - millis).abs() <= 1);
        }
        values_checked += check_values(&values, &case.values);
        checked += 1;
    }
    println!("{checked} uplinks, {exact} with the published time, {values_checked} values");
    assert_eq!((checked, empty, exact, values_checked), (429, 7, 284, 3_019));
}

/// Every scalar at the top of the telemetry is there under its name.
fn check_values(values: &[Decoded<'_>], expected: &Json) -> usize {
    let expected = expected.as_object().expect("an object");
    let scalars = expected.iter().filter(|(_, value)| !value.is_object() && !value.is_array());
    let mut checked = 0;
    for (name, expected) in scalars {
        let value = values.iter().find(|value| value.metric == *name).expect(name);
        let same = match expected {
            Json::Bool(flag) => value.value == Value::Bool(*flag),
            Json::Number(number) => value.value.as_f64() == number.as_f64(),
            Json::String(text) => value.value == Value::from(text.as_str()),
            other => panic!("{other}"),
        };
        assert!(same, "{name}: {:?}, not {expected}", value.value);
        checked += 1;
    }
    checked
}

/// ChirpStack's older JSON, with its codec's output as it was sent.
#[test]
fn chirpstack_3_uplinks_carry_their_values() {
    let decoder = compile("chirpstack", &json!({}));
    let mut checked = 0;
    for case in uplinks().iter().filter(|case| case.input.get("objectJSON").is_some()) {
        let payload = case.input.to_string();
        let values = decode(&*decoder, payload.as_bytes(), Timestamp::default()).expect("values");
        let object = case.input["objectJSON"].as_str().expect("a text");
        assert_eq!(
            check_values(&values, &serde_json::from_str(object).expect("JSON")),
            values.len()
        );
        for value in &values {
            assert_eq!(value.device.as_deref(), Some("0202020202020202"));
            assert_eq!(value.sequence, case.input["fCnt"].as_u64());
            assert_eq!(value.position, None, "the gateway's place is not the device's");
        }
        checked += 1;
    }
    assert_eq!(checked, 61);
}

/// Published messages cut short at any byte are refused or decoded, but never panic.
#[test]
fn truncated_messages_never_panic() {
    let packs: Vec<Json> = serde_json::from_str(SENML).expect("JSON");
    let packs = packs.iter().filter(|case| case["format"] == "senml+json");
    let packs = packs.map(|case| ("senml", case["input"].to_string()));
    let uplinks = uplinks().into_iter().step_by(40);
    let uplinks = uplinks.map(|case| (case.format, case.input.to_string()));
    for (format, payload) in packs.chain(uplinks) {
        let decoder = compile(format, &json!({}));
        for end in 0..payload.len() {
            let cut = &payload.as_bytes()[..end];
            assert!(decode(&*decoder, cut, Timestamp::default()).is_err(), "{format}: {end}");
        }
    }
}
