use city_model::{Timestamp, Value};
use serde_json::json;

use super::*;
use crate::{At, DecodeErrorKind, Decoded};

const RECEIVED: Timestamp = Timestamp::from_secs(1_800_000_000);

fn compile(options: &serde_json::Value) -> Box<dyn Decoder> {
    Json.compile(options).expect("valid options")
}

fn decode<'a>(decoder: &'a dyn Decoder, payload: &'a str) -> Result<Vec<Decoded<'a>>, DecodeError> {
    let message = Message::new("t", payload.as_bytes(), RECEIVED);
    let mut out = Vec::new();
    decoder.decode(&message, &mut out).map(|()| out)
}

/// `metric = value` of each value, in order.
fn check(options: &serde_json::Value, payload: &str, expected: &[(&str, Value)]) {
    let decoder = compile(options);
    let values = decode(&*decoder, payload).expect(payload);
    let got: Vec<_> = values.iter().map(|v| (v.metric.as_ref(), v.value.clone())).collect();
    assert_eq!(got, expected, "{payload}");
}

fn number(number: f64) -> Value {
    Value::Number(number)
}

#[test]
fn paths_find_device_time_place_and_values() {
    let decoder = compile(&json!({
        "device": "id", "time": "ts", "lon": "gps.lon", "lat": "gps.lat", "sequence": "n",
        "gateway": "via", "values": {"pm[0]": "pm25", "pm[1]": "pm10", "open": "door"},
    }));
    let values = decode(
        &*decoder,
        r#"{"pm": [12.5, 20, 7], "open": false, "other": {"deep": [1]}, "via": "gw-1", "n": 7,
            "gps": {"lat": 41.88, "lon": "-87.63"}, "ts": 1795422600, "id": "air-17"}"#,
    )
    .expect("values");
    let got: Vec<_> = values.iter().map(|v| (v.metric.as_ref(), v.value.clone())).collect();
    assert_eq!(got, [("pm25", number(12.5)), ("pm10", number(20.0)), ("door", Value::Bool(false))]);
    for value in &values {
        assert_eq!(value.device.as_deref(), Some("air-17"));
        assert!(matches!(value.device, Some(std::borrow::Cow::Borrowed(_))), "copied");
        assert_eq!(value.time, Some(Timestamp::from_secs(1_795_422_600)));
        assert_eq!(value.position, Some((-87.63, 41.88)));
        assert_eq!(value.sequence, Some(7));
        assert_eq!(value.gateway.as_deref(), Some("gw-1"));
    }
}

#[test]
fn without_values_all_top_level_numbers_count() {
    let payload = r#"{"state": "ON", "power": 2.3, "voltage": null, "on": true, "nest": {"a": 1},
        "mode": "7", "ts": 1795422600, "list": [1, 2]}"#;
    let expected = [("power", number(2.3)), ("on", Value::Bool(true))];
    check(&json!({"time": "ts"}), payload, &expected);
    // A text counts if the mapping names it.
    let options = json!({"time": "ts", "metrics": {"mode": "lamp_mode", "state": "lamp_state"}});
    let expected = [
        ("lamp_state", Value::from("ON")),
        ("power", number(2.3)),
        ("on", Value::Bool(true)),
        ("lamp_mode", number(7.0)),
    ];
    check(&options, payload, &expected);
    let options = json!({"unmapped": "ignore", "metrics": {"power": "lamp_power"}});
    check(&options, payload, &[("lamp_power", number(2.3))]);
}

#[test]
fn rows_are_relative_and_the_rest_is_around_them() {
    let decoder = compile(&json!({
        "device": "id", "time": "$.sent", "gateway": "$.gw", "each": "data.rows",
        "lon": "pos[0]", "lat": "pos[1]", "values": {"t": "temperature"},
    }));
    let payload = r#"{"gw": "gw-9", "data": {"rows": [{"id": "a", "t": 1, "pos": [6.1, 52.2]},
        {"id": 42, "t": 2}, {"id": "c"}]}, "sent": "2026-11-23T08:30:00Z"}"#;
    let values = decode(&*decoder, payload).expect("values");
    let got: Vec<_> = values
        .iter()
        .map(|v| (v.device.as_deref(), v.value.as_f64(), v.position, v.gateway.as_deref()))
        .collect();
    assert_eq!(
        got,
        [
            (Some("a"), Some(1.0), Some((6.1, 52.2)), Some("gw-9")),
            (Some("42"), Some(2.0), None, Some("gw-9")),
        ]
    );
    assert!(values.iter().all(|v| v.time == Some(Timestamp::from_secs(1_795_422_600))));
}

#[test]
fn rows_may_be_the_message_itself_or_plain_arrays_and_numbers() {
    let rows = json!({"each": "$", "time": "[0]", "values": {"[1]": "pm25"}});
    check(
        &rows,
        "[[1795422600, 5], [1795422660, 6]]",
        &[("pm25", number(5.0)), ("pm25", number(6.0))],
    );
    let numbers = json!({"each": "t", "values": {"@": "temperature"}});
    check(
        &numbers,
        r#"{"t": [1, 2.5]}"#,
        &[("temperature", number(1.0)), ("temperature", number(2.5))],
    );
    check(
        &json!({"each": "$"}),
        r#"[{"a": 1}, {"b": 2}]"#,
        &[("a", number(1.0)), ("b", number(2.0))],
    );
    check(&json!({"values": {"@": "pressure"}}), "1010.09", &[("pressure", number(1010.09))]);
}

#[test]
fn columns_become_rows() {
    let decoder = compile(&json!({"columns": true, "device": "id", "time": "t", "lon": "x",
        "lat": "y", "values": {"a.pm": "pm25", "a.no2": "no2"}}));
    let payload = r#"{"t": [1795422600, 1795422660, 1795422720], "id": "air-17",
        "a": {"pm": [12.5, null, 14], "no2": [1, 2]}, "x": [6.1, 6.2, 6.3], "y": 52.2}"#;
    let values = decode(&*decoder, payload).expect("values");
    let got: Vec<_> = values
        .iter()
        .map(|v| (v.metric.as_ref(), v.value.as_f64(), v.time.map(|time| time.millis() / 1_000)))
        .collect();
    assert_eq!(
        got,
        [
            ("pm25", Some(12.5), Some(1_795_422_600)),
            ("no2", Some(1.0), Some(1_795_422_600)),
            ("no2", Some(2.0), Some(1_795_422_660)),
            ("pm25", Some(14.0), Some(1_795_422_720)),
        ]
    );
    assert!(values.iter().all(|v| v.device.as_deref() == Some("air-17")));
    let many = format!(r#"{{"a": {{"pm": [{}1]}}}}"#, "1,".repeat(400_000));
    assert_eq!(decode(&*decoder, &many).expect_err("many").kind, DecodeErrorKind::TooManyValues);
}

#[test]
fn a_place_alone_is_a_position_fix() {
    let plain = json!({"device": "id", "time": "ts", "lon": "lon", "lat": "lat"});
    let decoder = compile(&plain);
    let payload = r#"{"id": "bus-7", "ts": 1795422600, "lon": -87.63, "lat": 41.88}"#;
    let values = decode(&*decoder, payload).expect("a fix");
    let fix = Decoded {
        device: Some("bus-7".into()),
        time: Some(Timestamp::from_secs(1_795_422_600)),
        position: Some((-87.63, 41.88)),
        ..Decoded::new("position_fix".into(), Value::Bool(true))
    };
    assert_eq!(values, [fix]);
    let half = r#"{"id": "bus-7", "lon": -87.63}"#;
    assert_eq!(decode(&*decoder, half).expect_err("half").kind, DecodeErrorKind::NoValues);

    let rows = json!({"each": "$", "lon": "lon", "lat": "lat", "values": {"v": "speed"},
        "metrics": {"position_fix": "seen"}});
    let payload = r#"[{"lon": 1, "lat": 2}, {"v": 5, "lon": 1, "lat": 3}, {"w": 1}]"#;
    check(&rows, payload, &[("seen", Value::Bool(true)), ("speed", number(5.0))]);
    let ignored = compile(&json!({"lon": "lon", "lat": "lat",
        "metrics": {"position_fix": {"ignore": true}}}));
    assert_eq!(decode(&*ignored, r#"{"lon": 1, "lat": 2}"#), Ok(vec![]));
}

#[test]
fn bare_nans_are_no_values() {
    let options = json!({"device": "id", "values": {"a": "pm25", "b": "pm10", "c.d": "o3"}});
    let decoder = compile(&options);
    let payload = r#"{"id": "NaN", "a": NaN, "b": 7.5, "c": {"d": -Infinity}}"#;
    let values = decode(&*decoder, payload).expect("the others");
    assert_eq!((values.len(), values[0].metric.as_ref()), (1, "pm10"));
    assert_eq!(values[0].device.as_deref(), Some("NaN"));
    let error = decode(&*decoder, r#"{"a": nan}"#).expect_err("nothing else");
    assert_eq!(error.kind, DecodeErrorKind::NoValues);
    let error = decode(&*decoder, r#"{"a": nan, "b": 7.5,}"#).expect_err("malformed besides");
    assert_eq!(error.kind, DecodeErrorKind::Malformed);
}

#[test]
fn odd_names_can_be_reached() {
    let payload = r#"{"SDS0X1": {"PM2.5": 11.8}, "switch:0": {"t\u0043": 37.7}, "温度": 21}"#;
    let options = json!({"values": {
        r#"SDS0X1["PM2.5"]"#: "pm25", "switch:0.tC": "temperature", "温度": "indoor"}});
    let expected =
        [("pm25", number(11.8)), ("temperature", number(37.7)), ("indoor", number(21.0))];
    check(&options, payload, &expected);
}

#[test]
fn local_times_get_the_sources_offset() {
    let decoder = compile(&json!({
        "time": "Time", "time_offset": "+08:00", "values": {"DS18B20.Temperature": "temperature"},
    }));
    let payload = r#"{"Time":"2017-02-16T10:13:52", "DS18B20":{"Temperature":20.6}}"#;
    let values = decode(&*decoder, payload).expect("values");
    assert_eq!(values[0].time.expect("a time").to_string(), "2017-02-16T02:13:52Z");
}

fn fails(options: &serde_json::Value, payload: &str, kind: DecodeErrorKind, at: &At) {
    let decoder = compile(options);
    let error = decode(&*decoder, payload).expect_err(payload);
    assert_eq!((error.kind, &error.at), (kind, at), "{error}");
    assert!(!error.hint.is_empty());
}

fn at(path: &str) -> At {
    At::Path(path.to_owned())
}

#[test]
fn what_is_wrong_is_named_with_its_path() {
    use DecodeErrorKind::{BadDevice, BadTime, BadValue, Malformed, WrongShape};
    let plain = json!({"device": "id", "time": "ts", "lon": "x", "lat": "y", "sequence": "n",
        "values": {"a.b": "pm25"}});
    fails(&plain, r#"{"id": ""}"#, BadDevice, &at("id"));
    fails(&plain, r#"{"id": "a\u0000b"}"#, BadDevice, &at("id"));
    fails(&plain, r#"{"id": true}"#, BadDevice, &at("id"));
    fails(&plain, &format!(r#"{{"id": "{}"}}"#, "x".repeat(129)), BadDevice, &at("id"));
    fails(&plain, r#"{"ts": "soon"}"#, BadTime, &at("ts"));
    fails(&plain, r#"{"x": "east"}"#, BadValue, &at("x"));
    fails(&plain, r#"{"n": -1}"#, BadValue, &at("n"));
    fails(&plain, r#"{"a": {"b": "NaN"}}"#, BadValue, &at("a.b"));
    fails(&plain, r#"{"a": {"b": [1]}}"#, BadValue, &at("a.b"));
    fails(&plain, r#"{"a": {"b": {"c": 1}}}"#, BadValue, &at("a.b"));
    fails(&plain, &format!(r#"{{"a": {{"b": "{}"}}}}"#, "x".repeat(257)), BadValue, &at("a.b"));
    fails(&plain, r#"{"a": {"b": 1}} x"#, Malformed, &At::LineColumn { line: 1, column: 17 });
    fails(&plain, r#"{"a": {"b": nano}}"#, Malformed, &At::LineColumn { line: 1, column: 14 });
    let columns = json!({"columns": true, "time": "t", "values": {"pm": "pm25"}});
    fails(&columns, r#"{"pm": [1, "nan"]}"#, BadValue, &at("pm[1]"));
    fails(&columns, r#"{"pm": [1], "t": [true]}"#, BadTime, &at("t[0]"));
    let rows = json!({"each": "rows", "values": {"t": "temperature", "[1]": "pm25"}});
    fails(&rows, r#"{"rows": [{"t": 1}, {"t": "inf"}]}"#, BadValue, &at("rows[1].t"));
    fails(&rows, r#"{"rows": {"t": 1}}"#, WrongShape, &at("rows"));
    fails(&rows, r#"{"rows": 5}"#, WrongShape, &at("rows"));
}

#[test]
fn nothing_found_names_what_was_looked_for() {
    let decoder = compile(&json!({"values": {"a.b": "pm25", "c[2]": "pm10"}}));
    for payload in [r#"{"a": 5, "c": [1, 2]}"#, "{}", "[]", "null", "7", r#"{"a": {"b": null}}"#] {
        let error = decode(&*decoder, payload).expect_err(payload);
        assert_eq!(error.kind, DecodeErrorKind::NoValues);
        assert!(error.message.contains("`a.b`") && error.message.contains("`c[2]`"), "{error}");
    }
    let decoder = compile(&json!({"metrics": {"a": {"ignore": true}}}));
    assert_eq!(decode(&*decoder, r#"{"a": 1}"#), Ok(vec![]), "ignored on purpose");
    assert!(decode(&*decoder, r#"{"b": "x"}"#).is_err());
    let decoder = compile(&json!({"metrics": {"a": "pm25"}, "unmapped": "ignore"}));
    let error = decode(&*decoder, r#"{"b": 1}"#).expect_err("not mapped");
    assert!(error.message.ends_with(r#"only a (unmapped = "ignore")"#), "{error}");
}

#[test]
fn an_error_leaves_the_output_as_it_was() {
    let decoder = compile(&json!({"each": "$", "values": {"t": "temperature"}}));
    let mut out = vec![Decoded::new("before".into(), number(1.0))];
    let before = out.clone();
    let payload = br#"[{"t": 1}, {"t": 2}, {"t": [3]}]"#;
    let message = Message::new("t", payload, RECEIVED);
    assert!(decoder.decode(&message, &mut out).is_err());
    assert_eq!(out, before);
}

#[test]
fn limits_are_kept() {
    let each = json!({"each": "$", "values": {"@": "x"}});
    let many = format!("[{}1]", "1,".repeat(100_000));
    fails(&each, &many, DecodeErrorKind::TooManyValues, &At::Message);
    let deep = format!(r#"{{"skipped": {}1{}}}"#, "[".repeat(64), "]".repeat(64));
    fails(&json!({}), &deep, DecodeErrorKind::TooDeep, &At::Byte(75));
    let small = json!({"max_payload": 10});
    fails(&small, r#"{"abcde": 1}"#, DecodeErrorKind::TooLarge, &At::Message);
    let name = format!(r#"{{"{}": 1}}"#, "n".repeat(129));
    let decoder = compile(&json!({}));
    assert_eq!(decode(&*decoder, &name).expect_err("long").kind, DecodeErrorKind::BadName);
}

#[test]
fn bad_options_are_refused() {
    for (options, key) in [
        (json!({"values": {"a..b": "x"}}), "values.a..b"),
        (json!({"values": {}}), "values"),
        (json!({"values": {"a": {"unit": "wag"}}}), "values.a.unit"),
        (json!({"lon": "x"}), "lon"),
        (json!({"device": 5}), "device"),
        (json!({"each": ""}), "each"),
        (json!({"columns": true}), "columns"),
        (json!({"columns": true, "each": "$", "values": {"a": "x"}}), "columns"),
        (json!({"tiem": "ts"}), "tiem"),
        (json!({"time": "ts", "time_format": "local"}), "time_format"),
    ] {
        let error = Json.compile(&options).err().expect("refused");
        assert_eq!(error.key(), Some(key), "{error}");
    }
}
