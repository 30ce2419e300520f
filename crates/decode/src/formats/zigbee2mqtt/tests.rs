use city_model::{Timestamp, Value};
use serde_json::json;

use super::*;
use crate::DecodeErrorKind;
use crate::testing::{self, Expected, decode, number};

fn compile(options: &serde_json::Value) -> Box<dyn Decoder> {
    Zigbee2Mqtt.compile(options).expect("valid options")
}

fn check(options: &serde_json::Value, topic: &str, payload: &str, expected: &[Expected<'_>]) {
    testing::check(&Zigbee2Mqtt, options, topic, payload, expected);
}

#[test]
fn states_have_units_and_the_catalogues_names() {
    let payload = r#"{"state":"ON","power":2.3,"voltage":null,"temperature":25,"linkquality":60,
        "occupancy":true,"illuminance_lux":7,"action":"","color":{"x":0.3},"child_lock":"LOCK",
        "update":{"state":"idle","latest_release_notes":"…"},"device":{"ieeeAddr":"0x00"}}"#;
    let plug = Some("hall/plug");
    let expected = [
        (plug, "state", None, Value::Bool(true)),
        (plug, "power", Some("W"), number(2.3)),
        (plug, "temperature", Some("Cel"), number(25.0)),
        (plug, "link_quality", None, number(60.0)),
        (plug, "presence", None, Value::Bool(true)),
        (plug, "illuminance", Some("lx"), number(7.0)),
        (plug, "color.x", None, number(0.3)),
        (plug, "child_lock", None, Value::from("LOCK")),
    ];
    check(&json!({}), "zigbee2mqtt/hall/plug", payload, &expected);
    let own = json!({"base": "site/zigbee", "unmapped": "ignore",
        "metrics": {"state": "lamp_on", "linkquality": {"ignore": true}}});
    let expected: Vec<_> = [
        (plug, "lamp_on", None, Value::Bool(true)),
        (plug, "power", Some("W"), number(2.3)),
        (plug, "temperature", Some("Cel"), number(25.0)),
        (plug, "presence", None, Value::Bool(true)),
        (plug, "illuminance", Some("lx"), number(7.0)),
    ]
    .into();
    check(&own, "site/zigbee/hall/plug", payload, &expected);
}

#[test]
fn last_seen_is_the_time() {
    let decoder = compile(&json!({}));
    for seen in [r#""2026-11-23T09:30:00+01:00""#, "1795422600000"] {
        let payload = format!(r#"{{"temperature":1,"last_seen":{seen}}}"#);
        let values = decode(&*decoder, "zigbee2mqtt/a", &payload).expect("values");
        assert_eq!(values.len(), 1);
        assert_eq!(values[0].time, Some(Timestamp::from_secs(1_795_422_600)));
    }
    let error = decode(&*decoder, "zigbee2mqtt/a", r#"{"a":1,"last_seen":"soon"}"#);
    assert_eq!(error.expect_err("no time").kind, DecodeErrorKind::BadTime);
}

#[test]
fn availability_in_both_forms() {
    for (payload, there) in [
        ("online", true),
        ("offline", false),
        (r#"{"state":"online"}"#, true),
        (r#"{"state":"offline"}"#, false),
    ] {
        let expected = [(Some("hall/plug"), "online", None, Value::Bool(there))];
        check(&json!({}), "zigbee2mqtt/hall/plug/availability", payload, &expected);
    }
    let decoder = compile(&json!({}));
    let error = decode(&*decoder, "zigbee2mqtt/a/availability", "perhaps").expect_err("neither");
    assert_eq!(error.kind, DecodeErrorKind::NoValues);
}

#[test]
fn what_is_not_from_devices_is_ignored() {
    for topic in [
        "zigbee2mqtt/bridge/devices",
        "zigbee2mqtt/a/set",
        "zigbee2mqtt/a/set/state",
        "zigbee2mqtt/a/get",
        "zigbee2mqtt/bridge/state",
    ] {
        check(&json!({}), topic, r#"[{"ieee_address":"0x00"}]"#, &[]);
    }
}

#[test]
fn attributes_on_topics_of_their_own() {
    let expected = [(Some("hall/plug"), "power", Some("W"), number(2.3))];
    check(&json!({}), "zigbee2mqtt/hall/plug/power", "2.3", &expected);
    let expected = [(None, "state", None, Value::Bool(false))];
    check(&json!({"device_from": "topic"}), "zigbee2mqtt/hall/plug/state", "OFF", &expected);
    check(&json!({}), "zigbee2mqtt/plug/last_seen", "2026-11-23T08:30:00Z", &[]);
    let decoder = compile(&json!({}));
    for (topic, payload) in [("zigbee2mqtt/plug", "2.3"), ("zigbee2mqtt/plug/power", "nan")] {
        let error = decode(&*decoder, topic, payload).expect_err("nothing");
        assert_eq!(error.kind, DecodeErrorKind::NoValues);
    }
}
