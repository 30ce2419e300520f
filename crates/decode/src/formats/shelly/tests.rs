use city_model::{Timestamp, Value};
use serde_json::json;

use super::*;
use crate::DecodeErrorKind;
use crate::testing::{self, Expected, decode, number};

fn compile(options: &serde_json::Value) -> Box<dyn Decoder> {
    Shelly.compile(options).expect("valid options")
}

fn check(options: &serde_json::Value, topic: &str, payload: &str, expected: &[Expected<'_>]) {
    testing::check(&Shelly, options, topic, payload, expected);
}

#[test]
fn notifications_and_status_give_the_same_names() {
    let rpc = r#"{"src":"shellyplus1-441793ab3fb4","dst":"x","method":"NotifyStatus","params":
        {"ts":1708179956.30,"switch:0":{"id":0,"output":false,"apower":3.5,"aenergy":{"total":7,
         "by_minute":[1,2],"minute_ts":1708179900},"temperature":{"tC":37.67,"tF":99.81}}}}"#;
    let status = r#"{"id":0,"output":false,"apower":3.5,"aenergy":{"total":7,"by_minute":[1,2],
        "minute_ts":1708179900},"temperature":{"tC":37.67,"tF":99.81}}"#;
    let device = Some("shellyplus1-441793ab3fb4");
    let expected = [
        (device, "switch:0.output", None, Value::Bool(false)),
        (device, "switch:0.apower", Some("W"), number(3.5)),
        (device, "switch:0.aenergy.total", Some("W.h"), number(7.0)),
        (device, "switch:0.temperature.tC", Some("Cel"), number(37.67)),
    ];
    check(&json!({}), "shellyplus1-441793ab3fb4/events/rpc", rpc, &expected);
    check(&json!({}), "shellyplus1-441793ab3fb4/status/switch:0", status, &expected);
    let decoder = compile(&json!({}));
    let values = decode(&*decoder, "shellies/plus1/events/rpc", rpc).expect("values");
    assert_eq!(values[0].device.as_deref(), Some("plus1"));
    assert_eq!(values[0].time, Some(Timestamp::from_millis(1_708_179_956_300)));
    let values = decode(&*decoder, "elsewhere", rpc).expect("values");
    assert_eq!(values[0].device.as_deref(), device);
    let template = compile(&json!({"device_from": "topic"}));
    assert_eq!(decode(&*template, "elsewhere", rpc).expect("values")[0].device, None);
}

#[test]
fn a_clock_that_was_never_set_is_no_time() {
    let decoder = compile(&json!({}));
    let rpc = r#"{"method":"NotifyStatus","params":{"ts":1.61,"mqtt":{"connected":true}}}"#;
    let values = decode(&*decoder, "a/events/rpc", rpc).expect("values");
    assert_eq!((values[0].metric.as_ref(), values[0].time), ("mqtt.connected", None));
}

#[test]
fn weather_stations_have_the_catalogues_names() {
    let rpc = r#"{"method":"NotifyFullStatus","params":{"ts":1708179956.3,
        "temperature:0":{"id":0,"tC":21.5,"tF":70.7},"humidity:0":{"id":0,"rh":47},
        "devicepower:0":{"id":0,"battery":{"V":5.2,"percent":83}},
        "em1:0":{"id":0,"act_power":-1899.8,"aprt_power":1974.5,"pf":0.82,"freq":60.0}}}"#;
    let device = Some("a");
    let expected = [
        (device, "temperature", Some("Cel"), number(21.5)),
        (device, "humidity", Some("%"), number(47.0)),
        (device, "battery_voltage", Some("V"), number(5.2)),
        (device, "battery", Some("%"), number(83.0)),
        (device, "em1:0.act_power", Some("W"), number(-1899.8)),
        (device, "em1:0.aprt_power", Some("V.A"), number(1974.5)),
        (device, "em1:0.pf", None, number(0.82)),
        (device, "em1:0.freq", Some("Hz"), number(60.0)),
    ];
    check(&json!({}), "a/events/rpc", rpc, &expected);
}

#[test]
fn the_first_generation_has_a_topic_for_each_value() {
    for (path, payload, metric, unit, value) in [
        ("relay/0", "off", "relay.0", None, Value::Bool(false)),
        ("relay/0/power", "61.5", "relay.0.power", Some("W"), number(61.5)),
        ("relay/0/energy", "1200", "relay.0.energy", Some("W.min"), number(1200.0)),
        ("emeter/1/total", "83.4", "emeter.1.total", Some("W.h"), number(83.4)),
        ("sensor/temperature", "21.5", "temperature", Some("Cel"), number(21.5)),
        ("sensor/battery", "83", "battery", Some("%"), number(83.0)),
        ("sensor/flood", "true", "sensor.flood", None, Value::Bool(true)),
        ("temperature", "41.2", "temperature", Some("Cel"), number(41.2)),
        ("roller/0", "open", "roller.0", None, Value::from("open")),
        ("online", "false", "online", None, Value::Bool(false)),
    ] {
        let topic = format!("shellies/shelly1/{path}");
        check(&json!({}), &topic, payload, &[(Some("shelly1"), metric, unit, value)]);
    }
    let light = r#"{"ison":true,"brightness":40}"#;
    let expected = [
        (Some("dimmer"), "light.0.status.ison", None, Value::Bool(true)),
        (Some("dimmer"), "light.0.status.brightness", None, number(40.0)),
    ];
    check(&json!({}), "shellies/dimmer/light/0/status", light, &expected);
}

#[test]
fn what_is_not_a_measurement_is_ignored() {
    let event = r#"{"method":"NotifyEvent","params":{"ts":1708179956.3,"events":[{"event":"x"}]}}"#;
    check(&json!({}), "a/events/rpc", event, &[]);
    for topic in [
        "shellies/a/relay/0/command",
        "shellies/announce",
        "shellies/a/info",
        "a/rpc",
        "a/debug/log",
    ] {
        check(&json!({}), topic, "{}", &[]);
    }
    let decoder = compile(&json!({}));
    for (topic, payload, kind) in [
        ("a/online", "maybe", DecodeErrorKind::NoValues),
        ("a/status/switch:0", r#"{"id":0}"#, DecodeErrorKind::NoValues),
        ("a/status/switch:0", "{", DecodeErrorKind::Malformed),
        ("shellies/a/temperature_f", "70", DecodeErrorKind::NoValues),
    ] {
        let error = decode(&*decoder, topic, payload).expect_err(topic);
        assert_eq!(error.kind, kind, "{topic}: {error}");
    }
}
