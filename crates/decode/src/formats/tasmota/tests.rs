use city_model::Value;
use serde_json::json;

use super::*;
use crate::DecodeErrorKind;
use crate::testing::{self, Expected, decode, number};

fn compile(options: &serde_json::Value) -> Box<dyn Decoder> {
    Tasmota.compile(options).expect("valid options")
}

fn check(options: &serde_json::Value, topic: &str, payload: &str, expected: &[Expected<'_>]) {
    testing::check(&Tasmota, options, topic, payload, expected);
}

#[test]
fn values_are_called_by_path_with_the_units_of_the_message() {
    let payload = r#"{"Time":"2023-05-21T01:06:38","BME280":{"Temperature":70.5,"Humidity":53.1,
        "Pressure":753.3},"SDS0X1":{"PM2.5":11.8},"ANALOG":{"A0":3},"Switch1":"OFF",
        "PressureUnit":"mmHg","TempUnit":"F"}"#;
    let zone = json!({"time_zone": "Europe/Berlin"});
    let device = Some("node/terrace");
    check(
        &zone,
        "tele/node/terrace/SENSOR",
        payload,
        &[
            (device, "BME280.Temperature", Some("F"), number(70.5)),
            (device, "BME280.Humidity", Some("%"), number(53.1)),
            (device, "BME280.Pressure", Some("mmHg"), number(753.3)),
            (device, "SDS0X1.PM2.5", Some("ug/m3"), number(11.8)),
            (device, "ANALOG.A0", None, number(3.0)),
            (device, "Switch1", None, Value::Bool(false)),
        ],
    );
    let decoder = compile(&zone);
    let values = decode(&*decoder, "tele/node/terrace/SENSOR", payload).expect("values");
    assert_eq!(values[0].time.expect("a time").to_string(), "2023-05-20T23:06:38Z");

    let keys = json!({"time_offset": "Z", "names": "key", "device_from": "topic",
        "metrics": {"A0": {"ignore": true}, "Switch1": "door_open"}});
    check(
        &keys,
        "tele/terrace/SENSOR",
        payload,
        &[
            (None, "temperature", Some("F"), number(70.5)),
            (None, "humidity", Some("%"), number(53.1)),
            (None, "pressure", Some("mmHg"), number(753.3)),
            (None, "pm25", Some("ug/m3"), number(11.8)),
            (None, "door_open", None, Value::Bool(false)),
        ],
    );
}

#[test]
fn a_sensor_without_contact_does_not_silence_the_others() {
    let payload = r#"{"Time":"2018-10-31T11:57:31","SI7021-00":{"Temperature":17.1},
        "SI7021-02":{"Temperature":nan,"Humidity":nan},"TempUnit":"C"}"#;
    let expected = [(Some("a"), "SI7021-00.Temperature", Some("C"), number(17.1))];
    check(&json!({"time_offset": "Z"}), "tele/a/SENSOR", payload, &expected);
}

#[test]
fn the_topic_says_what_the_values_are_part_of() {
    let utc = json!({"time_offset": "Z"});
    let time = r#""Time":"2018-10-31T11:57:31""#;
    let energy = format!(r#"{{{time},"Total":1.753,"ReactivePower":12,"Power":[3,4]}}"#);
    let expected = [
        (Some("a"), "ENERGY.Total", Some("kW.h"), number(1.753)),
        (Some("a"), "ENERGY.ReactivePower", Some("var"), number(12.0)),
        (Some("a"), "ENERGY.Power[0]", Some("W"), number(3.0)),
        (Some("a"), "ENERGY.Power[1]", Some("W"), number(4.0)),
    ];
    check(&utc, "tele/a/ENERGY", &energy, &expected);
    let within = format!(r#"{{{time},"ENERGY":{{"Total":1.753}}}}"#);
    check(&utc, "tele/a/SENSOR", &within, &expected[..1]);
    check(&utc, "a/tele/SENSOR", &within, &expected[..1]);
    let answer = format!(r#"{{"StatusSNS":{within}}}"#);
    check(&utc, "stat/a/STATUS8", &answer, &expected[..1]);
    let info = r#"{"Module":"Sonoff Pow"}"#;
    let expected = [(Some("a"), "INFO.Module", None, Value::from("Sonoff Pow"))];
    check(&utc, "tele/a/INFO1", info, &expected);
}

#[test]
fn single_values_wills_and_what_is_not_telemetry() {
    let bare = json!({});
    let power = [(Some("lamp"), "POWER", None, Value::Bool(true))];
    check(&bare, "stat/lamp/POWER", "ON", &power);
    check(&bare, "stat/lamp/RESULT", r#"{"POWER":"ON"}"#, &power);
    let pressure = [(None, "Pressure", Some("hPa"), number(1010.09))];
    check(&bare, "/ESP_BOX/BM280/Pressure", "1010.09", &pressure);
    for (will, there) in [("Online", true), ("Offline", false)] {
        let expected = [(Some("lamp"), "online", None, Value::Bool(there))];
        check(&bare, "tele/lamp/LWT", will, &expected);
    }
    let settings = r#"{"StatusNET":{"Hostname":"lamp"}}"#;
    for topic in ["stat/lamp/STATUS5", "stat/lamp/STATUS", "cmnd/lamp/POWER"] {
        check(&bare, topic, settings, &[]);
    }
}

#[test]
fn what_cannot_be_read_says_why() {
    let decoder = compile(&json!({}));
    let local = r#"{"Time":"2018-10-31T11:57:31","A":1}"#;
    let error = decode(&*decoder, "tele/a/SENSOR", local).expect_err("no offset");
    assert_eq!(error.kind, DecodeErrorKind::BadTime);
    assert!(error.hint.contains("time_zone"), "{error}");
    for (payload, kind) in [
        (r#""Time":"2017-10-02T19:24:32", "Total":1.753}"#, DecodeErrorKind::Malformed),
        ("ON", DecodeErrorKind::Malformed),
        (r#"{"TempUnit":"C"}"#, DecodeErrorKind::NoValues),
        ("[]", DecodeErrorKind::NoValues),
    ] {
        let error = decode(&*decoder, "tele/a/SENSOR", payload).expect_err(payload);
        assert_eq!(error.kind, kind, "{payload}: {error}");
    }
    let long = format!("tele/{}/SENSOR", "x".repeat(129));
    let error = decode(&*decoder, &long, r#"{"A":1}"#).expect_err("a long id");
    assert_eq!(error.kind, DecodeErrorKind::BadDevice);
}

#[test]
fn a_receiver_of_satellites_gives_the_place() {
    let decoder = compile(&json!({"lon": "GPS.lon", "lat": "GPS.lat"}));
    let payload = r#"{"GPS":{"lat":48.1,"lon":11.6}}"#;
    let values = decode(&*decoder, "tele/bus/SENSOR", payload).expect("a fix");
    assert_eq!((values.len(), values[0].metric.as_ref()), (1, "position_fix"));
    assert_eq!(values[0].position, Some((11.6, 48.1)));
    assert_eq!(values[0].device.as_deref(), Some("bus"));
}

#[test]
fn bad_options_are_refused() {
    for (options, key) in [
        (json!({"names": "all"}), "names"),
        (json!({"device_from": "payload"}), "device_from"),
        (json!({"lon": "x"}), "lon"),
        (json!({"timezone": "UTC"}), "timezone"),
    ] {
        let error = Tasmota.compile(&options).err().expect("refused");
        assert_eq!(error.key(), Some(key), "{error}");
    }
}
