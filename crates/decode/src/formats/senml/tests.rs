use city_model::Value;
use serde_json::json;

use super::*;
use crate::DecodeErrorKind;

const RECEIVED: Timestamp = Timestamp::from_secs(1_800_000_000);

fn compile(options: &serde_json::Value) -> Box<dyn Decoder> {
    Senml.compile(options).expect("valid options")
}

fn decode<'a>(decoder: &'a dyn Decoder, payload: &'a str) -> Result<Vec<Decoded<'a>>, DecodeError> {
    let message = Message::new("t", payload.as_bytes(), RECEIVED);
    let mut out = Vec::new();
    decoder.decode(&message, &mut out).map(|()| out)
}

fn check(device_from: &str, payload: &str, expected: &[(Option<&str>, &str, Value)]) {
    let decoder = compile(&json!({"device_from": device_from}));
    let values = decode(&*decoder, payload).expect(payload);
    let got: Vec<_> =
        values.iter().map(|v| (v.device.as_deref(), v.metric.as_ref(), v.value.clone())).collect();
    assert_eq!(got, expected, "{payload}");
}

#[test]
fn names_are_split_into_device_and_metric() {
    let one = || Value::Number(1.0);
    let pack = r#"[{"bn": "urn:dev:mac:01:", "n": "temp", "v": 1}]"#;
    check("base", pack, &[(Some("urn:dev:mac:01"), "temp", one())]);
    check("name", pack, &[(Some("urn:dev:mac:01"), "temp", one())]);
    check("topic", pack, &[(None, "urn:dev:mac:01:temp", one())]);
    check(
        "base",
        r#"[{"bn": "urn:dev:mac:01", "u": "%RH", "v": 1}]"#,
        &[(Some("urn:dev:mac:01"), "%RH", one())],
    );
    check(
        "base",
        r#"[{"n": "urn:dev:mac:01", "u": "Cel", "v": 1}]"#,
        &[(Some("urn:dev:mac:01"), "Cel", one())],
    );
    check("base", r#"[{"n": "temp", "v": 1}]"#, &[(None, "temp", one())]);
    check("name", r#"[{"n": "room/7/temp", "v": 1}]"#, &[(Some("room/7"), "temp", one())]);
    check("name", r#"[{"n": "temp", "v": 1}]"#, &[(None, "temp", one())]);
    check("base", r#"[{"bn": "a\/b:", "n": "t", "v": 1}]"#, &[(Some("a/b"), "t", one())]);
}

#[test]
fn base_fields_last_until_they_change() {
    let pack = r#"[{"bn": "a:", "bt": 1795422600, "bu": "Cel", "bv": 20, "bs": 100, "n": "t", "v": 1.5},
        {"n": "t", "t": 10, "v": 2}, {"bn": "b:", "bv": 0}, {"n": "e", "u": "J", "v": 3, "s": 5}]"#;
    let decoder = compile(&json!({}));
    let values = decode(&*decoder, pack).expect("values");
    let got: Vec<_> = values
        .iter()
        .map(|v| (v.device.as_deref(), v.metric.as_ref(), v.value.as_f64(), v.unit.as_deref()))
        .collect();
    assert_eq!(
        got,
        [
            (Some("a"), "t", Some(21.5), Some("Cel")),
            (Some("a"), "t", Some(22.0), Some("Cel")),
            (Some("b"), "e_sum", Some(105.0), None),
            (Some("b"), "e", Some(3.0), Some("J")),
        ]
    );
    assert_eq!(values[1].time, Some(Timestamp::from_secs(1_795_422_610)));
    assert_eq!(values[2].time, Some(Timestamp::from_secs(1_795_422_600)));
}

#[test]
fn small_times_are_relative_to_the_arrival() {
    let decoder = compile(&json!({}));
    let pack = r#"[{"n": "a", "v": 1}, {"n": "a", "t": -60.5, "v": 1}, {"n": "a", "bt": -5, "t": 3, "v": 1},
        {"n": "a", "bt": 0, "t": 268435456, "v": 1}]"#;
    let values = decode(&*decoder, pack).expect("values");
    let millis: Vec<_> = values.iter().map(|v| v.time.expect("always a time").millis()).collect();
    let now = RECEIVED.millis();
    assert_eq!(millis, [now, now - 60_500, now - 2_000, 268_435_456_000]);
}

#[test]
fn positions_belong_to_their_device_and_time() {
    let pack = r#"[{"bn": "bus:", "n": "speed", "v": 9, "t": -10}, {"n": "speed", "v": 8},
        {"u": "lat", "v": 41.8}, {"u": "lon", "v": -87.6}, {"bn": "tram:", "n": "speed", "v": 7},
        {"u": "lon", "v": 1}]"#;
    let decoder = compile(&json!({}));
    let values = decode(&*decoder, pack).expect("values");
    let places: Vec<_> = values.iter().map(|v| (v.value.as_f64(), v.position)).collect();
    assert_eq!(places, [(Some(9.0), None), (Some(8.0), Some((-87.6, 41.8))), (Some(7.0), None)]);
}

#[test]
fn what_the_rfc_forbids_is_refused() {
    use DecodeErrorKind::{BadDevice, BadTime, BadValue, Malformed, NoValues, WrongShape};
    let decoder = compile(&json!({}));
    for (pack, kind) in [
        (r#"{"n": "a", "v": 1}"#, WrongShape),
        (r#"[{"n": "a", "v": 1, "vb": true}]"#, WrongShape),
        (r#"[{"n": "a", "v": "1"}]"#, WrongShape),
        (r#"[{"n": "a", "v": 1, "must_": 1}]"#, WrongShape),
        (r#"[{"bver": 11, "n": "a", "v": 1}]"#, WrongShape),
        (r#"[{"bt": 1e300, "n": "a", "v": 1}]"#, BadTime),
        (r#"[{"bt": -1e300, "n": "a", "v": 1}]"#, BadTime),
        (r#"[{"bv": 1e308, "n": "a", "v": 1e308}]"#, BadValue),
        (r#"[{"bn": ":", "n": "a", "v": 1}]"#, BadDevice),
        (r#"[{"bn": "a:"}]"#, NoValues),
        ("[]", NoValues),
        (r#"[{"n": "a", "v": NaN}]"#, Malformed),
    ] {
        let error = decode(&*decoder, pack).expect_err(pack);
        assert_eq!(error.kind, kind, "{pack}: {error}");
    }
    let other = r#"[{"n": "a", "v": 1, "ut": 5, "l": "[]", "bver": 10}]"#;
    assert_eq!(decode(&*decoder, other).expect("unknown fields are ignored").len(), 1);
}

#[test]
fn a_record_with_neither_name_nor_unit_has_no_metric() {
    let decoder = compile(&json!({}));
    let error = decode(&*decoder, r#"[{"bn": "a:", "v": 1}]"#).expect_err("no name");
    assert_eq!((error.kind, error.at), (DecodeErrorKind::BadName, At::Path("[0]".to_owned())));
}
