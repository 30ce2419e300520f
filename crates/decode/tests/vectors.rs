//! Every published vector of the plain formats, each counted: what passes, and what does not with
//! its reason. The vectors of LoRaWAN, HJ 212 and Sparkplug B have test files of their own.

use std::collections::BTreeMap;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use city_decode::{DecodeError, DecodeErrorKind, Decoded, Decoder, Message, format};
use city_model::{Timestamp, Value, unit};
use serde_json::{Value as Json, json};

const SENML: &str = include_str!("../testdata/senml/senml_rfc8428_examples.json");
const CORPUS: &[u8] = include_bytes!("../testdata/line_protocol/influx_corpus.json.gz");
const TASMOTA: &str = include_str!("../testdata/mqtt_json/tasmota_iobroker.json");
const CONSTRUCTED: &str = include_str!("../testdata/mqtt_json/constructed.json");
const TABLES: &str = include_str!("../testdata/csv/csv_row_samples.json");

/// How many vectors there are, by file and result. What is listed with a reason does not pass.
const COUNTS: [(&str, usize); 13] = [
    ("csv: tables of sensor.community, OpenAQ, Array of Things, Birmingham", 5),
    ("line protocol, decoding: accepted with the same fields", 201),
    // Only blanks and comments: agreed with, but a message without values is a dead letter here.
    ("line protocol, decoding: accepted without points", 5),
    ("line protocol, decoding: refused as the corpus refuses", 3_115),
    ("line protocol, encoding: what the encoder writes is read as it was", 58),
    // That a point cannot be written concerns an encoder, and this crate has none.
    ("line protocol, encoding: about an encoder alone", 1),
    ("mqtt_json: shapes with values of our own", 15),
    ("mqtt_json: Tasmota, as published", 17),
    ("mqtt_json: Tasmota, refused as published", 1),
    ("senml: CBOR packs that say what their JSON says", 2),
    ("senml: JSON packs resolved as published", 12),
    // Example 13 of the RFC is published without its resolved records.
    ("senml: JSON packs read, with nothing published to compare", 1),
    ("senml: records resolved", 53),
];

#[test]
fn every_vector_passes_or_is_listed_with_its_reason() {
    let mut counts = BTreeMap::new();
    senml(&mut counts);
    line_protocol(&mut counts);
    mqtt_json(&mut counts);
    tables(&mut counts);
    let expected: BTreeMap<_, _> = COUNTS.into_iter().collect();
    assert_eq!(counts, expected);
}

type Counts = BTreeMap<&'static str, usize>;

fn compile(name: &str, options: &Json) -> Box<dyn Decoder> {
    format(name).expect("a format").compile(options).expect("valid options")
}

fn decode<'a>(
    decoder: &'a dyn Decoder,
    topic: &'a str,
    payload: &'a [u8],
    received: Timestamp,
) -> Result<Vec<Decoded<'a>>, DecodeError> {
    let mut out = Vec::new();
    decoder.decode(&Message::new(topic, payload, received), &mut out).map(|()| out)
}

fn cases(text: &str) -> Vec<Json> {
    serde_json::from_str(text).expect("JSON")
}

fn value_of(json: &Json) -> Value {
    match json {
        Json::Bool(flag) => Value::Bool(*flag),
        Json::String(text) => Value::from(text.as_str()),
        other => Value::Number(other.as_f64().expect("a number")),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).expect("hexadecimal") as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// The examples of RFC 8428. The records' values are compared in `golden.rs`; here every pack is
/// counted, and CBOR is compared with what the same records say in JSON.
fn senml(counts: &mut Counts) {
    let decoder = compile("senml", &json!({"device_from": "topic"}));
    let received = Timestamp::from_secs(1_498_780_179);
    for case in cases(SENML) {
        if let Some(hex) = case["input_hex"].as_str() {
            let (cbor, json) = (unhex(hex), case["expected"]["records"].to_string());
            let binary = decode(&*decoder, "t", &cbor, received).expect("CBOR");
            let plain = decode(&*decoder, "t", json.as_bytes(), received).expect("JSON");
            assert_eq!(binary, plain, "{case}");
            *counts.entry("senml: CBOR packs that say what their JSON says").or_default() += 1;
            continue;
        }
        let payload = case["input"].to_string();
        let values = decode(&*decoder, "t", payload.as_bytes(), received).expect("JSON");
        let name = if let Some(resolved) = case["expected"]["resolved"].as_array() {
            *counts.entry("senml: records resolved").or_default() += resolved.len();
            // Places are no values of their own; data values are not in the publication.
            let is_place = |record: &&Json| record["u"] == "lon" || record["u"] == "lat";
            let places = resolved.iter().filter(is_place).count();
            let data = values.iter().filter(|value| value.metric.ends_with("nfv-reader"));
            assert_eq!(values.len() - data.count(), resolved.len() - places, "{case}");
            "senml: JSON packs resolved as published"
        } else {
            assert_eq!(values.len(), case["input"].as_array().map_or(0, Vec::len));
            "senml: JSON packs read, with nothing published to compare"
        };
        *counts.entry(name).or_default() += 1;
    }
}

/// A text of the corpus; what is not UTF-8 stands in base64.
fn corpus_bytes(value: &Json) -> Vec<u8> {
    match value {
        Json::String(text) => text.as_bytes().to_vec(),
        other => STANDARD.decode(other["binary"].as_str().expect("base64")).expect("base64"),
    }
}

/// InfluxData's corpus. The syntax is compared point by point beside the code; here the payloads
/// go through the decoder as a source uses it.
fn line_protocol(counts: &mut Counts) {
    let mut json = String::new();
    flate2::read::GzDecoder::new(CORPUS).read_to_string(&mut json).expect("gzip");
    let corpus: Json = serde_json::from_str(&json).expect("JSON");
    // No tag is a device's id here: the corpus has hostile tags, and those are not its subject.
    let decoder = compile("line_protocol", &json!({"device_tag": "no such tag"}));
    for (key, case) in corpus["decode"].as_object().expect("cases") {
        let payload = corpus_bytes(&case["input"]["text"]);
        let decoded = || decode(&*decoder, "t", &payload, Timestamp::default());
        let name = match case["output"]["result"].as_array() {
            Some(points) if check_points(key, decoded(), points) => {
                "line protocol, decoding: accepted with the same fields"
            }
            Some(_) => "line protocol, decoding: accepted without points",
            None => {
                assert!(decoded().is_err(), "{key}");
                "line protocol, decoding: refused as the corpus refuses"
            }
        };
        *counts.entry(name).or_default() += 1;
    }
    for (key, case) in corpus["encode"].as_object().expect("cases") {
        let Some(written) = case["output"].get("result") else {
            let name = "line protocol, encoding: about an encoder alone";
            *counts.entry(name).or_default() += 1;
            continue;
        };
        let payload = corpus_bytes(written);
        let decoded = decode(&*decoder, "t", &payload, Timestamp::default());
        let point = std::slice::from_ref(&case["input"]["point"]);
        assert!(check_points(key, decoded, point), "{key}");
        let name = "line protocol, encoding: what the encoder writes is read as it was";
        *counts.entry(name).or_default() += 1;
    }
}

/// Whether the points' fields come out, in order; a payload without points is the error that
/// nothing was found.
fn check_points(
    key: &str,
    decoded: Result<Vec<Decoded<'_>>, DecodeError>,
    points: &[Json],
) -> bool {
    let fields: Vec<&Json> =
        points.iter().flat_map(|point| point["fields"].as_array().into_iter().flatten()).collect();
    let text = |json: &Json| String::from_utf8(corpus_bytes(json)).expect("text");
    let values = match decoded {
        Ok(values) => values,
        Err(error) => {
            assert_eq!(error.kind, DecodeErrorKind::NoValues, "{key}: {error}");
            assert!(points.is_empty(), "{key}: {error}");
            return false;
        }
    };
    assert_eq!(values.len(), fields.len(), "{key}");
    for (value, field) in values.iter().zip(fields) {
        assert_eq!(value.metric, text(&field["key"]), "{key}");
        let (kind, expected) =
            field["value"].as_object().and_then(|value| value.iter().next()).expect("a value");
        let expected = match kind.as_str() {
            "bool" => Value::Bool(expected.as_bool().expect("a truth value")),
            "string" => Value::from(text(expected).as_str()),
            _ => Value::Number(expected.as_f64().expect("a number")),
        };
        assert_eq!(value.value, expected, "{key}");
    }
    true
}

/// Tasmota's, Shelly's and Zigbee2MQTT's messages.
fn mqtt_json(counts: &mut Counts) {
    for case in cases(TASMOTA) {
        let name = if tasmota_as_published(&case) {
            "mqtt_json: Tasmota, as published"
        } else {
            "mqtt_json: Tasmota, refused as published"
        };
        *counts.entry(name).or_default() += 1;
    }
    for case in cases(CONSTRUCTED) {
        let name = case["format"].as_str().expect("a format");
        let options = if name == "tasmota" { json!({"time_offset": "Z"}) } else { json!({}) };
        let decoder = compile(name, &options);
        let (topic, payload) = (&case["topic"], &case["input"]);
        let (topic, payload) = (topic.as_str().expect("topic"), payload.as_str().expect("text"));
        let values = decode(&*decoder, topic, payload.as_bytes(), Timestamp::default());
        let values = values.unwrap_or_else(|error| panic!("{case}: {error}"));
        let got: BTreeMap<_, _> =
            values.iter().map(|v| (v.metric.to_string(), format!("{:?}", v.value))).collect();
        let expected = case["expected"].as_object().expect("an object");
        let expected: BTreeMap<_, _> =
            expected.iter().map(|(k, v)| (k.clone(), format!("{:?}", value_of(v)))).collect();
        assert_eq!(got, expected, "{case}");
        assert!(values.iter().all(|value| value.device.is_some()), "{case}");
        let old = Timestamp::from_secs(100_000_000);
        assert!(values.iter().all(|value| value.time.is_none_or(|time| time > old)), "{case}");
        *counts.entry("mqtt_json: shapes with values of our own").or_default() += 1;
    }
}

/// Whether a message gives the published states; their names part with `_` where ours do with a
/// dot. A message that must be refused is.
fn tasmota_as_published(case: &Json) -> bool {
    let decoder = compile("tasmota", &json!({"time_offset": "Z"}));
    let (topic, payload) = (&case["topic"], &case["input"]);
    let (topic, payload) = (topic.as_str().expect("topic"), payload.as_str().expect("text"));
    let decoded = decode(&*decoder, topic, payload.as_bytes(), Timestamp::default());
    let Some(expected) = case["expected"].as_object() else {
        assert_eq!(decoded.expect_err("refused").kind, DecodeErrorKind::Malformed);
        return false;
    };
    let values = decoded.unwrap_or_else(|error| panic!("{case}: {error}"));
    for (name, expected) in expected.iter().filter(|(name, _)| *name != "note") {
        let same = |value: &&Decoded<'_>| {
            value.metric == *name || value.metric.replacen('.', "_", 1) == *name
        };
        let value = values.iter().find(same).unwrap_or_else(|| panic!("{name}: {case}"));
        assert_eq!(value.value, value_of(expected), "{name}: {case}");
        // What the notes say in words: the stated units lead to the right numbers.
        let converted = |to| {
            let conversion = unit::conversion(value.unit.as_deref().expect("a unit"), to);
            conversion.expect("convertible").apply(value.value.as_f64().expect("a number"))
        };
        match (topic, name.as_str()) {
            ("tele/tasmota_BMP280/SENSOR", "BMP280_Pressure") => {
                assert!((converted("hPa") - 1004.31).abs() < 0.01);
            }
            ("tele/tasmota_BME280/SENSOR", "BME280_Temperature") => {
                assert!((converted("Cel") + 3.83).abs() < 0.01);
            }
            _ => {}
        }
    }
    true
}

/// The tables of four open-data platforms.
fn tables(counts: &mut Counts) {
    for case in cases(TABLES) {
        let rows = case["rows"].as_array().expect("rows").iter();
        let rows: Vec<_> = rows.map(|row| row.as_str().expect("a text")).collect();
        let table = rows.join("\n");
        let name = case["format"].as_str().expect("a format");
        let options = table_options(name);
        let decoder = compile("csv", &options);
        let values = decode(&*decoder, "t", table.as_bytes(), Timestamp::default());
        let values = values.unwrap_or_else(|error| panic!("{case}: {error}"));
        check_table(name, &rows, &values);
        let name = "csv: tables of sensor.community, OpenAQ, Array of Things, Birmingham";
        *counts.entry(name).or_default() += 1;
    }
}

fn table_options(name: &str) -> Json {
    match name {
        "sensor.community-csv" => json!({
            "delimiter": ";", "device": "sensor_id", "time": "timestamp", "time_offset": "Z",
            "lon": "lon", "lat": "lat", "values": {"P1": "pm10", "P2": "pm25",
                "temperature": "temperature", "humidity": "humidity"},
        }),
        "openaq-csv" => json!({
            "device": "location", "time": "utc", "lon": "longitude", "lat": "latitude",
            "parameter": "parameter", "value": "value", "unit": "unit",
        }),
        "array-of-things-nodes-csv" => json!({
            "device": "node_id", "time": "start_timestamp", "time_zone": "America/Chicago",
            "lon": "lon", "lat": "lat", "unmapped": "ignore",
        }),
        "birmingham-parking-csv" => json!({
            "device": "SystemCodeNumber", "time": "LastUpdated", "time_zone": "Europe/London",
            "values": {"Capacity": "parking_capacity", "Occupancy": "parking_taken"},
        }),
        other => panic!("{other}"),
    }
}

fn check_table(name: &str, rows: &[&str], values: &[Decoded<'_>]) {
    let shown: Vec<_> = values
        .iter()
        .map(|value| {
            let time = value.time.map(|time| time.to_string()).unwrap_or_default();
            (value.device.as_deref().unwrap_or_default(), &*value.metric, time)
        })
        .collect();
    let last = values.last().expect("values");
    match (name, rows.len()) {
        ("sensor.community-csv", 8) => {
            assert_eq!(values.len(), 14, "{shown:?}");
            assert_eq!(shown[0], ("88091", "pm10", "2026-02-22T00:00:44Z".to_owned()));
            assert_eq!(values[0].value, Value::Number(47.4));
            assert_eq!(values[0].position, Some((11.56, 45.528)));
            assert_eq!(shown[13], ("27", "pm25", "2015-10-01T19:41:50.266431Z".to_owned()));
            assert_eq!(last.position, None);
        }
        // A row without values: the sensor says where it is, and nothing else.
        ("sensor.community-csv", _) => {
            assert_eq!(shown, [("48", "position_fix", "2016-08-13T00:00:26.053188Z".to_owned())]);
        }
        ("openaq-csv", _) => {
            let time = "2018-07-18T14:00:00Z".to_owned();
            assert_eq!(shown, [("Intarapitak Rd., Thon Buri", "o3", time)]);
            assert_eq!((last.value.clone(), last.unit.as_deref()), (0.006.into(), Some("ppm")));
            assert_eq!(last.position, Some((100.486_604_392_96, 13.727_559_345_309)));
        }
        ("array-of-things-nodes-csv", _) => {
            assert_eq!(
                shown,
                [
                    ("001e0610ba46", "position_fix", "2017-10-09T05:00:00Z".to_owned()),
                    ("001e0610ba3b", "position_fix", "2017-08-08T05:00:00Z".to_owned()),
                ]
            );
            assert_eq!(last.position, Some((-87.616_055, 41.858_136)));
        }
        _ => {
            assert_eq!(values.len(), 8);
            assert_eq!(shown[0].2, "2016-10-04T06:59:42Z", "summer time");
            assert_eq!(last.value, Value::Number(107.0));
        }
    }
}
