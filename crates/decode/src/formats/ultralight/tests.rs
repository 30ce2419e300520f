use city_model::Value;
use serde_json::json;

use super::*;
use crate::testing::{self, Expected, RECEIVED, decode, number};
use crate::{At, DecodeErrorKind};

fn compile(options: &serde_json::Value) -> Box<dyn Decoder> {
    UltraLight.compile(options).expect("valid options")
}

fn check(options: &serde_json::Value, topic: &str, payload: &str, expected: &[Expected<'_>]) {
    testing::check(&UltraLight, options, topic, payload, expected);
}

const TOPIC: &str = "/ul/4jggokgpepnvsb2uv4s40d59ov/air-17/attrs";

#[test]
fn names_and_values_alternate() {
    let air = Some("air-17");
    let expected = [(air, "t", None, number(15.0)), (air, "k", None, Value::from("abc"))];
    for topic in [TOPIC, "/key/air-17/attrs", "key/air-17/attrs", "ul/key/air-17/attrs"] {
        check(&json!({}), topic, "t|15|k|abc", &expected);
    }
    check(&json!({"device_from": "topic"}), TOPIC, "t|15", &[(None, "t", None, number(15.0))]);
    check(&json!({}), "site/air", "t|15", &[(None, "t", None, number(15.0))]);
    let expected = [(air, "open", None, Value::Bool(true)), (air, "x", None, number(-1.5))];
    check(&json!({}), TOPIC, " open | true | y | | z | nan | x | -1.5 \n", &expected);
}

#[test]
fn groups_may_have_times() {
    let decoder = compile(&json!({"location": "gps"}));
    let payload = "2016-06-13T00:35:30Z|lle|100|gps|41.88, -87.63#t|10#gps|41.9,-87.6#";
    let values = decode(&*decoder, TOPIC, payload).expect("values");
    let got: Vec<_> =
        values.iter().map(|v| (v.metric.as_ref(), v.time.is_some(), v.position)).collect();
    assert_eq!(
        got,
        [
            ("lle", true, Some((-87.63, 41.88))),
            ("t", false, None),
            ("position_fix", false, Some((-87.6, 41.9))),
        ]
    );
    assert_eq!(values[0].time.expect("a time").to_string(), "2016-06-13T00:35:30Z");
    assert!(values.iter().all(|value| value.device.as_deref() == Some("air-17")));
}

#[test]
fn single_values_and_commands() {
    let topic = format!("{TOPIC}/humidity");
    let expected = [(Some("air-17"), "humidity", None, number(45.0))];
    check(&json!({}), &topic, "45", &expected);
    for topic in ["/ul/key/air-17/cmdexe", "/ul/key/air-17/cmd", "/ul/k/d/configuration/values"] {
        check(&json!({}), topic, "air-17@ping|Ping ok", &[]);
    }
}

#[test]
fn what_cannot_be_read_says_where() {
    let decoder = compile(&json!({"location": "gps"}));
    let group = |number: usize| At::Path(format!("group {number}"));
    for (payload, kind, at) in [
        ("t|1#t|15|k", DecodeErrorKind::BadTime, group(2)),
        ("t", DecodeErrorKind::BadTime, group(1)),
        ("gps|north|t|1", DecodeErrorKind::BadValue, group(1)),
        ("|5", DecodeErrorKind::BadName, At::Path(String::new())),
        ("", DecodeErrorKind::NoValues, At::Message),
        ("t|", DecodeErrorKind::NoValues, At::Message),
    ] {
        let error = decode(&*decoder, TOPIC, payload).expect_err(payload);
        assert_eq!((error.kind, &error.at), (kind, &at), "{payload}: {error}");
    }
    let mut out = Vec::new();
    let message = Message::new(TOPIC, b"t|\xff", RECEIVED);
    assert_eq!(decoder.decode(&message, &mut out).expect_err("bytes").at, At::Byte(2));
}
