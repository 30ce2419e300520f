use city_model::{Timestamp, Value};
use serde_json::json;

use super::*;
use crate::testing::{self, Expected, decode, number};
use crate::{At, DecodeErrorKind};

fn compile(options: &serde_json::Value) -> Box<dyn Decoder> {
    ThingsBoard.compile(options).expect("valid options")
}

fn check(options: &serde_json::Value, topic: &str, payload: &str, expected: &[Expected<'_>]) {
    testing::check(&ThingsBoard, options, topic, payload, expected);
}

#[test]
fn a_device_sends_values_with_or_without_time() {
    let bare = json!({});
    let plain = r#"{"temperature":21.5,"door":{"open":true},"mode":"eco","ts":7}"#;
    let expected = [
        (None, "temperature", None, number(21.5)),
        (None, "door.open", None, Value::Bool(true)),
        (None, "mode", None, Value::from("eco")),
        (None, "ts", None, number(7.0)),
    ];
    for topic in ["v1/devices/me/telemetry", "v2/t", "/api/v1/TOKEN/telemetry", "city/air"] {
        check(&bare, topic, plain, &expected);
    }
    let decoder = compile(&bare);
    let rows = r#"[{"ts":1795422600000,"values":{"a":1}},{"b":2},
        {"values":{"c":3},"ts":"1795422600250"}]"#;
    let values = decode(&*decoder, "v1/devices/me/telemetry", rows).expect("values");
    let got: Vec<_> =
        values.iter().map(|v| (v.metric.as_ref(), v.time.map(Timestamp::millis))).collect();
    let expected = [("a", Some(1_795_422_600_000)), ("b", None), ("c", Some(1_795_422_600_250))];
    assert_eq!(got, expected);
}

#[test]
fn a_gateway_names_its_devices() {
    let telemetry = r#"{"air 1.5":[{"ts":1795422600000,"values":{"a":1}},{"a":2}],"b":{"c":3}}"#;
    let expected = [
        (Some("air 1.5"), "a", None, number(1.0)),
        (Some("air 1.5"), "a", None, number(2.0)),
        (Some("b"), "c", None, number(3.0)),
    ];
    check(&json!({}), "v1/gateway/telemetry", telemetry, &expected);
    let attributes = r#"{"air 17":{"firmware":"1.0","battery":87}}"#;
    let expected = [
        (Some("air 17"), "firmware", None, Value::from("1.0")),
        (Some("air 17"), "battery", None, number(87.0)),
    ];
    check(&json!({}), "v1/gateway/attributes", attributes, &expected);
    for topic in ["v1/gateway/connect", "v1/gateway/rpc", "v1/devices/me/rpc/request/1"] {
        check(&json!({}), topic, r#"{"device":"air 17"}"#, &[]);
    }
}

#[test]
fn a_place_of_its_own() {
    let decoder = compile(&json!({"lon": "longitude", "lat": "latitude"}));
    let payload = r#"[{"ts":1795422600000,"values":{"longitude":-87.63,"latitude":41.88}},
        {"ts":1795422660000,"values":{"longitude":-87.62,"latitude":41.88,"speed":30}}]"#;
    let values = decode(&*decoder, "v1/devices/me/telemetry", payload).expect("values");
    let got: Vec<_> = values.iter().map(|v| (v.metric.as_ref(), v.position)).collect();
    let expected = [("position_fix", Some((-87.63, 41.88))), ("speed", Some((-87.62, 41.88)))];
    assert_eq!(got, expected);
    assert_eq!(values[0].time, Some(Timestamp::from_secs(1_795_422_600)));
}

#[test]
fn errors_say_which_device_and_row() {
    let decoder = compile(&json!({}));
    let path = |path: &str| At::Path(path.to_owned());
    for (topic, payload, kind, at) in [
        ("v1/gateway/telemetry", r#"{"a":[{"b":1},5]}"#, DecodeErrorKind::WrongShape, path("a[1]")),
        ("v1/gateway/telemetry", r#"{"":{"b":1}}"#, DecodeErrorKind::BadDevice, At::Message),
        ("v2/t", "[1]", DecodeErrorKind::WrongShape, path("[0]")),
        ("v2/t", r#"{"ts":true,"values":{"a":1}}"#, DecodeErrorKind::BadTime, path("ts")),
        ("v2/t", r#"{"values":{}}"#, DecodeErrorKind::NoValues, At::Message),
        ("v2/t", r#"{"a":NaN}"#, DecodeErrorKind::NoValues, At::Message),
    ] {
        let error = decode(&*decoder, topic, payload).expect_err(payload);
        assert_eq!((error.kind, &error.at), (kind, &at), "{error}");
    }
    let values = decode(&*decoder, "v2/t", r#"{"a":NaN,"b":1}"#).expect("the other");
    assert_eq!(values[0].metric, "b");
}
