use std::io::Read;

use city_model::{Timestamp, Value};
use serde_json::json;

use super::*;
use crate::{DecodeErrorKind, Decoded};

const CORPUS: &[u8] = include_bytes!("../../../testdata/line_protocol/influx_corpus.json.gz");

/// A text of the corpus; what is not UTF-8 stands in base64.
fn bytes(value: &serde_json::Value) -> Vec<u8> {
    use base64::Engine;
    match value {
        serde_json::Value::String(text) => text.as_bytes().to_vec(),
        other => {
            let text = other["binary"].as_str().expect("base64");
            base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
        }
    }
}

fn text(value: &serde_json::Value) -> String {
    String::from_utf8(bytes(value)).expect("results are UTF-8")
}

fn points(payload: &[u8]) -> Result<Vec<Point<'_>>, DecodeError> {
    let mut lines = Lines::new(payload);
    let mut points = Vec::new();
    let mut point = Point::default();
    while lines.next(&mut point)? {
        points.push(point.clone());
    }
    Ok(points)
}

fn same_value(got: &Raw<'_>, expected: &serde_json::Value) -> bool {
    let (kind, expected) = expected.as_object().and_then(|o| o.iter().next()).expect("one value");
    match (kind.as_str(), got) {
        ("bool", Raw::Bool(flag)) => expected.as_bool() == Some(*flag),
        ("string", Raw::Text(got)) => text(expected) == *got,
        ("int", Raw::Integer(number)) => expected.as_i64() == Some(*number),
        ("uint", Raw::Integer(number)) => expected.as_u64() == u64::try_from(*number).ok(),
        ("uint", Raw::Number(number)) => expected.as_u64().map(|n| n as f64) == Some(*number),
        ("float", Raw::Number(number)) => expected.as_f64() == Some(*number),
        _ => false,
    }
}

fn same_point(got: &Point<'_>, expected: &serde_json::Value, default_time: i64) -> bool {
    let list = |key: &str| expected[key].as_array().cloned().unwrap_or_default();
    let mut tags: Vec<_> = got.tags.clone();
    tags.sort();
    let (expected_tags, expected_fields) = (list("tags"), list("fields"));
    got.measurement == text(&expected["name"])
        && got.time.unwrap_or(default_time) == expected["time"].as_i64().expect("a time")
        && tags.len() == expected_tags.len()
        && tags
            .iter()
            .zip(&expected_tags)
            .all(|((key, value), tag)| *key == text(&tag["key"]) && *value == text(&tag["value"]))
        && got.fields.len() == expected_fields.len()
        && got.fields.iter().zip(&expected_fields).all(|((key, value), field)| {
            *key == text(&field["key"]) && same_value(value, &field["value"])
        })
}

/// The whole of InfluxData's corpus, decoding part: the same points, the same refusals.
#[test]
fn the_corpus_is_agreed_with() {
    let mut json = String::new();
    flate2::read::GzDecoder::new(CORPUS).read_to_string(&mut json).expect("gzip");
    let corpus: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let cases = corpus["decode"].as_object().expect("cases");
    let (mut accepted, mut refused, mut differ) = (0, 0, Vec::new());
    for (key, case) in cases {
        let payload = bytes(&case["input"]["text"]);
        let nanos = case["input"]["defaultTime"].as_i64().expect("a time");
        // Where a line has no time, the caller's is cut to the precision.
        let step = if case["input"]["precision"] == "1µs" { 1_000 } else { 1 };
        let default_time = nanos.div_euclid(step) * step;
        match (points(&payload), case["output"]["result"].as_array()) {
            (Err(error), None) => {
                assert!(matches!(error.at, At::LineColumn { .. }), "{error}");
                refused += 1;
            }
            (Ok(got), Some(expected))
                if got.len() == expected.len()
                    && got.iter().zip(expected).all(|(g, e)| same_point(g, e, default_time)) =>
            {
                accepted += 1;
            }
            (got, _) => differ.push(format!("{key}: {got:?}, not {}", case["output"])),
        }
    }
    println!(
        "line protocol corpus: {accepted} accepted, {refused} refused, {} differ",
        differ.len()
    );
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert_eq!((accepted, refused), (206, 3_115));
}

/// The corpus's payloads through the whole decoder: what the syntax refuses stays refused, and
/// nothing panics.
#[test]
fn the_corpus_goes_through_the_decoder() {
    let mut json = String::new();
    flate2::read::GzDecoder::new(CORPUS).read_to_string(&mut json).expect("gzip");
    let corpus: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let decoder = LineProtocol.compile(&json!({})).expect("valid options");
    for case in corpus["decode"].as_object().expect("cases").values() {
        let payload = bytes(&case["input"]["text"]);
        let mut out = Vec::new();
        let message = Message::new("t", &payload, Timestamp::default());
        let decoded = decoder.decode(&message, &mut out);
        if case["output"].get("error").is_some() {
            assert!(decoded.is_err() && out.is_empty(), "{case}");
        }
        // Cut short at any byte it may be anything, but no panic.
        for end in 0..payload.len().min(300) {
            let message = Message { payload: &payload[..end], ..message };
            let _ = decoder.decode(&message, &mut Vec::new());
        }
    }
}

fn decode<'a>(decoder: &'a dyn Decoder, payload: &'a str) -> Result<Vec<Decoded<'a>>, DecodeError> {
    let message = Message::new("t", payload.as_bytes(), Timestamp::default());
    let mut out = Vec::new();
    decoder.decode(&message, &mut out).map(|()| out)
}

#[test]
fn tags_and_fields_become_devices_and_metrics() {
    let options = json!({"device_tag": "node", "precision": "s", "lon": "x", "lat": "y",
        "name": "{measurement}.{field}", "metrics": {"air.pm": "pm25"}});
    let decoder = LineProtocol.compile(&options).expect("valid options");
    let alone = decode(&*decoder, "air,node=a x=-87.6,y=41.8 1795422600").expect("a fix");
    assert_eq!((alone.len(), alone[0].metric.as_ref()), (1, "position_fix"));
    assert_eq!(alone[0].position, Some((-87.6, 41.8)));
    let payload = "# two devices\nair,node=a\\ 1 pm=12.5,ok=t,x=-87.6,y=41.8 1795422600\n\
                   air,node=b pm=3i\nair pm=4,mode=\"eco\" 7\n";
    let values = decode(&*decoder, payload).expect("values");
    let got: Vec<_> =
        values.iter().map(|v| (v.device.as_deref(), v.metric.as_ref(), v.value.clone())).collect();
    assert_eq!(
        got,
        [
            (Some("a 1"), "pm25", Value::Number(12.5)),
            (Some("a 1"), "air.ok", Value::Bool(true)),
            (Some("b"), "pm25", Value::Number(3.0)),
            (None, "pm25", Value::Number(4.0)),
            (None, "air.mode", Value::from("eco")),
        ]
    );
    assert_eq!(values[0].position, Some((-87.6, 41.8)));
    assert_eq!(values[0].time, Some(Timestamp::from_secs(1_795_422_600)));
    assert_eq!((values[2].time, values[2].position), (None, None));
    assert_eq!(values[3].time, None, "the clock was never set");
}

#[test]
fn the_default_name_is_the_field() {
    let decoder = LineProtocol.compile(&json!({})).expect("valid options");
    let values = decode(&*decoder, "air,device=a pm25=1 1795422600000000000").expect("values");
    assert_eq!((values[0].metric.as_ref(), values[0].device.as_deref()), ("pm25", Some("a")));
    let decoder = LineProtocol.compile(&json!({"name": "{measurement}"})).expect("valid options");
    let values = decode(&*decoder, "pm25,device=a value=1").expect("values");
    assert_eq!(values[0].metric, "pm25");
}

#[test]
fn errors_say_where() {
    let decoder = LineProtocol.compile(&json!({"precision": "s"})).expect("valid options");
    for (payload, kind, line, column) in [
        ("a v=1\nb v=NaN", DecodeErrorKind::Malformed, 2, 5),
        ("a v=\"x\ny\",w=2z", DecodeErrorKind::Malformed, 2, 6),
        ("a v=1e999", DecodeErrorKind::BadValue, 1, 5),
        ("a v=1 99999999999999999999", DecodeErrorKind::BadTime, 1, 7),
        ("a v=1\n\na v=1 9999999999999", DecodeErrorKind::BadTime, 3, 1),
        ("a,device=\u{1} v=1", DecodeErrorKind::BadDevice, 1, 1),
        ("a,b=1,b=2 v=1", DecodeErrorKind::Malformed, 1, 3),
    ] {
        let error = decode(&*decoder, payload).expect_err(payload);
        let at = At::LineColumn { line, column };
        assert_eq!((error.kind, &error.at), (kind, &at), "{payload:?}: {error}");
    }
    let error = decode(&*decoder, "# only a comment\n").expect_err("nothing");
    assert_eq!(error.kind, DecodeErrorKind::NoValues);
}

#[test]
fn a_line_of_very_many_tags_costs_no_square() {
    let tags: Vec<_> = (0..60_000).map(|tag| format!(",t{tag}=1")).collect();
    let tags = tags.concat();
    assert_eq!(points(format!("m{tags} v=1").as_bytes()).expect("a point")[0].tags.len(), 60_000);
    assert!(points(format!("m{tags},t7=2 v=1").as_bytes()).is_err());
}

#[test]
fn bad_options_are_refused() {
    for (options, key) in [
        (json!({"name": "{tag}"}), "name"),
        (json!({"name": "fixed"}), "name"),
        (json!({"precision": "m"}), "precision"),
        (json!({"lat": "y"}), "lon"),
        (json!({"devicetag": "x"}), "devicetag"),
    ] {
        let error = LineProtocol.compile(&options).err().expect("refused");
        assert_eq!(error.key(), Some(key), "{error}");
    }
}
