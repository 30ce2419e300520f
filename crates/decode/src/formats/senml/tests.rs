use city_model::Value;
use serde_json::json;

use super::*;
use crate::{DecodeErrorKind, Decoded};

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
            (Some("a"), "t_sum", Some(100.0), None),
            (Some("a"), "t", Some(21.5), Some("Cel")),
            (Some("a"), "t_sum", Some(100.0), None),
            (Some("a"), "t", Some(22.0), Some("Cel")),
            (Some("b"), "e_sum", Some(105.0), None),
            (Some("b"), "e", Some(3.0), Some("J")),
        ]
    );
    assert_eq!(values[3].time, Some(Timestamp::from_secs(1_795_422_610)));
    assert_eq!(values[4].time, Some(Timestamp::from_secs(1_795_422_600)));
}

#[test]
fn missing_values_and_sums_count_as_nothing_added_to_the_base() {
    for (pack, expected) in [
        (r#"[{"bn": "a:", "bv": 20}, {"n": "t"}, {"n": "t", "v": 1}]"#, vec![20.0, 21.0]),
        (r#"[{"bv": 20, "n": "t", "t": 5}]"#, vec![20.0]),
        // A sum may stand without a value, but where there is a base value there is a value too.
        (r#"[{"n": "e", "s": 5}]"#, vec![5.0]),
        (r#"[{"bv": 2, "n": "e", "s": 5}]"#, vec![5.0, 2.0]),
        (r#"[{"bs": 7, "n": "e"}, {"n": "e", "s": 1}]"#, vec![7.0, 8.0]),
        (r#"[{"bv": 1, "bs": 7, "n": "e", "vb": true}]"#, vec![1.0]),
        (r#"[{"bv": 1, "n": "e", "v": null}, {"n": "f", "v": 2}]"#, vec![3.0]),
    ] {
        let decoder = compile(&json!({}));
        let values = decode(&*decoder, pack).expect(pack);
        let got: Vec<_> = values.iter().filter_map(|value| value.value.as_f64()).collect();
        assert_eq!(got, expected, "{pack}");
    }
}

#[test]
fn secondary_units_are_a_feature_of_the_version() {
    let decoder = compile(&json!({}));
    let values = decode(&*decoder, r#"[{"bver": 26, "n": "a", "u": "km/h", "v": 1}]"#);
    assert_eq!(values.expect("known")[0].unit.as_deref(), Some("km/h"));
    assert!(decode(&*decoder, r#"[{"bver": 42, "n": "a", "v": 1}]"#).is_err());
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

fn decode_cbor<'a>(
    decoder: &'a dyn Decoder,
    payload: &'a [u8],
) -> Result<Vec<Decoded<'a>>, DecodeError> {
    let mut out = Vec::new();
    decoder.decode(&Message::new("t", payload, RECEIVED), &mut out).map(|()| out)
}

#[test]
fn cbor_numbers_have_many_forms() {
    let decoder = compile(&json!({}));
    for (value, expected) in [
        ("17", 23.0),
        ("1903e8", 1_000.0),
        ("3903e7", -1_000.0),
        ("f93e00", 1.5),
        ("f90001", 5.960_464_477_539_063e-8),
        ("f9c400", -4.0),
        ("fa3fc00000", 1.5),
        ("fb3ff199999999999a", 1.1),
        ("c4820119 0111", 2_730.0),
        ("c4822019 0111", 27.3),
    ] {
        let payload = hex(&format!("81a2 00 6161 02 {value}"));
        let values = decode_cbor(&*decoder, &payload).expect(value);
        assert_eq!(values[0].value, Value::Number(expected), "{value}");
    }
    for (value, kind) in [
        ("f97c00", DecodeErrorKind::BadValue),
        ("f97e00", DecodeErrorKind::BadValue),
        ("f6", DecodeErrorKind::NoValues),
        ("f5", DecodeErrorKind::WrongShape),
        ("c1 01", DecodeErrorKind::WrongShape),
        ("6131", DecodeErrorKind::WrongShape),
        ("f93e", DecodeErrorKind::Malformed),
        ("1c", DecodeErrorKind::WrongShape),
    ] {
        let payload = hex(&format!("81a2 00 6161 02 {value}"));
        let error = decode_cbor(&*decoder, &payload).expect_err(value);
        assert_eq!(error.kind, kind, "{value}: {error}");
    }
}

#[test]
fn cbor_lengths_may_be_open_and_labels_be_names() {
    let decoder = compile(&json!({}));
    // Self-described; [_ {_ -2: (_ "a", ":"), "n": "x", 4: true, 7: [1, {2: 3}], "l": "?"},
    // {0: "d", 8: h'010203'}]
    let payload =
        hex("d9d9f7 9f bf 21 7f 6161 613a ff 616e 6178 04f5 07 82 01 a1 0203 616c 613f ff \
         a2 00 6164 08 43 010203 ff");
    let values = decode_cbor(&*decoder, &payload).expect("values");
    let got: Vec<_> = values.iter().map(|v| (v.metric.as_ref(), v.value.clone())).collect();
    assert_eq!(got, [("x", Value::Bool(true)), ("d", Value::from("AQID"))]);
    assert!(values.iter().all(|value| value.device.as_deref() == Some("a")));
}

#[test]
fn hostile_cbor_is_refused_without_reserving_what_it_declares() {
    use DecodeErrorKind::{Malformed, TooDeep, TooManyValues, WrongShape};
    let decoder = compile(&json!({}));
    let nested = [&hex("81a1 07")[..], &vec![0x81; 100_000], &[0x01]].concat();
    let tagged = [&hex("81a1 07")[..], &vec![0xc6; 100_000], &[0x01]].concat();
    let many = [&hex("9f")[..], &hex("a2 00 6161 02 01").repeat(100_001), &hex("ff")].concat();
    for (payload, kind) in [
        (hex("9b ffffffffffffffff"), Malformed),
        (hex("9a 7fffffff a1 00 6161"), Malformed),
        (hex("81 bb ffffffffffffffff 00 6161"), Malformed),
        (hex("81 a1 00 7b 7fffffffffffffff 61"), Malformed),
        (hex("81 a1 08 5b 7fffffffffffffff 61"), Malformed),
        (hex("81 a2 00 61 ff 02 01"), Malformed),
        (hex("81 a2 00 6161 02 01 00"), Malformed),
        (hex("81 a1 66 6d7573745f5f 01"), WrongShape),
        (hex("81 01"), WrongShape),
        (hex("81 a1 f5 01"), WrongShape),
        (nested, TooDeep),
        (tagged, TooDeep),
        (many, TooManyValues),
    ] {
        let error = decode_cbor(&*decoder, &payload).expect_err("refused");
        assert_eq!(error.kind, kind, "{error}");
    }
}

#[test]
fn small_times_are_relative_to_the_arrival() {
    let decoder = compile(&json!({}));
    let pack = r#"[{"n": "a", "v": 1}, {"n": "a", "t": -60.5, "v": 1}, {"n": "a", "bt": -5, "t": 3, "v": 1},
        {"n": "a", "bt": 0, "t": 268435456, "v": 1}]"#;
    let values = decode(&*decoder, pack).expect("values");
    let millis: Vec<_> = values.iter().map(|v| v.time.map(Timestamp::millis)).collect();
    let now = RECEIVED.millis();
    assert_eq!(millis, [None, Some(now - 60_500), Some(now - 2_000), Some(268_435_456_000)]);
}

/// A retained message comes to whoever subscribes, hours after it was sent.
#[test]
fn without_any_time_nothing_is_said_about_the_age() {
    let decoder = compile(&json!({}));
    for (pack, expected) in [
        (r#"[{"n": "a", "v": 1}]"#, None),
        (r#"[{"n": "a", "t": 0, "v": 1}]"#, Some(RECEIVED)),
        (r#"[{"bt": 0, "n": "a", "v": 1}]"#, Some(RECEIVED)),
        (r#"[{"n": "b", "u": "lon", "v": 1}, {"u": "lat", "v": 2}]"#, None),
        (r#"[{"u": "lon", "v": 1, "t": 0}, {"u": "lat", "v": 2}]"#, Some(RECEIVED)),
    ] {
        let values = decode(&*decoder, pack).expect(pack);
        assert_eq!((values.len(), values[0].time), (1, expected), "{pack}");
    }
    // 81 a2 00 6161 02 01 is [{0: "a", 2: 1}].
    let payload = hex("81a2 00 6161 02 01");
    assert_eq!(decode_cbor(&*decoder, &payload).expect("a value")[0].time, None);
    // A place without a time is that of a value of just now.
    let pack = r#"[{"n": "v", "v": 9, "t": 0}, {"u": "lat", "v": 41.8}, {"u": "lon", "v": -87.6}]"#;
    let values = decode(&*decoder, pack).expect("values");
    assert_eq!((values.len(), values[0].position), (1, Some((-87.6, 41.8))));
}

#[test]
fn positions_belong_to_their_device_and_time() {
    let pack = r#"[{"bn": "bus:", "n": "speed", "v": 9, "t": -10}, {"n": "speed", "v": 8},
        {"u": "lat", "v": 41.8}, {"u": "lon", "v": -87.6}, {"bn": "tram:", "n": "speed", "v": 7},
        {"u": "lon", "v": 1}]"#;
    let alone = r#"[{"bn": "bus:", "u": "lat", "v": 41.8, "t": -5}, {"u": "lon", "v": -87.6, "t": -5},
        {"n": "speed", "v": 9}]"#;
    let decoder = compile(&json!({}));
    let values = decode(&*decoder, pack).expect("values");
    let places: Vec<_> = values.iter().map(|v| (v.value.as_f64(), v.position)).collect();
    assert_eq!(places, [(Some(9.0), None), (Some(8.0), Some((-87.6, 41.8))), (Some(7.0), None)]);
    let values = decode(&*decoder, alone).expect("values");
    assert_eq!(values[0].position, None);
    let fix = (values[1].metric.as_ref(), values[1].position, values[1].device.as_deref());
    assert_eq!(fix, ("position_fix", Some((-87.6, 41.8)), Some("bus")));
    assert_eq!(values[1].time, Some(RECEIVED + city_model::Span::from_secs(-5)));
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
        (r#"[{"n": "a", "v": NaN}]"#, NoValues),
        (r#"[{"n": "a", "t": null, "v": 1}]"#, WrongShape),
        (r#"[{"n": "a", "v": 1},]"#, Malformed),
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

#[test]
fn cbor_cut_short_is_refused_and_cbor_with_a_byte_changed_never_panics() {
    let decoder = compile(&json!({}));
    // [{-2: "a:", -3: 1795422600, 0: "t", 1: "Cel", 2: 21.5}, {0: "l", 3: "x", 6: -60}]
    let pack = hex(
        "82 a5 21 62613a 22 1a6b03fd88 00 6174 01 6343656c 02 f94d60 a3 00 616c 03 6178 06 383b",
    );
    assert_eq!(decode_cbor(&*decoder, &pack).expect("values").len(), 2);
    for end in 0..pack.len() {
        assert!(decode_cbor(&*decoder, &pack[..end]).is_err(), "{end}");
    }
    for place in 0..pack.len() {
        for byte in 0..=u8::MAX {
            let mut pack = pack.clone();
            pack[place] = byte;
            let _ = decode_cbor(&*decoder, &pack);
        }
    }
}
