use serde_json::{Value as Json, json};

use super::*;
use crate::{DeclaredPosition, LocalText, Span};

fn device(kind: &str, gateway: Option<&str>) -> DeviceSpec {
    DeviceSpec {
        id: format!("{kind}-1"),
        name: LocalText::new("A", "甲"),
        kind: kind.to_owned(),
        department: "environment".to_owned(),
        position: Some(DeclaredPosition { lon: -87.6, lat: 41.9, crs: "WGS-84".to_owned() }),
        moving: false,
        interval: Span::from_secs(10),
        gateway: gateway.map(str::to_owned),
        attributes: std::collections::BTreeMap::new(),
        life_cycle: "active".to_owned(),
        simulated: true,
    }
}

fn sample(metric: &'static str, value: Value, unit: &'static str) -> Sample {
    Sample { metric, sent: metric, value, unit }
}

fn record<'a>(device: &'a DeviceSpec, time: &str, samples: Vec<Sample>) -> Record<'a> {
    let time = time.parse().expect("a time");
    Record { device, time, samples, position: None, counter: 42, seed: 7 }
}

fn only(format_name: &str, records: &[Record<'_>]) -> (String, Vec<u8>) {
    let mut uplinks = format(format_name).expect("known").encode(records);
    assert_eq!(uplinks.len(), 1);
    let uplink = uplinks.remove(0);
    (uplink.topic, uplink.payload)
}

fn parsed(payload: &[u8]) -> Json {
    serde_json::from_slice(payload).expect("JSON")
}

#[test]
fn json_carries_its_time_and_batches_are_arrays() {
    let device = device("air_station", None);
    let at = |time| record(&device, time, vec![sample("pm25", Value::Number(12.5), "ug/m3")]);
    let one = at("2026-11-23T08:30:00.25Z");
    let (topic, payload) = only("json", std::slice::from_ref(&one));
    assert_eq!(topic, "city/environment/air_station/air_station-1/up");
    assert_eq!(parsed(&payload), json!({"ts": "2026-11-23T08:30:00.25Z", "data": {"pm25": 12.5}}));
    let (topic, payload) = only("json", &[one, at("2026-11-23T08:35:00Z")]);
    assert_eq!(topic, "city/environment/air_station/air_station-1/batch");
    assert_eq!(parsed(&payload)["samples"][1]["ts"], "2026-11-23T08:35:00Z");
}

#[test]
fn senml_has_base_fields_relative_times_and_positions() {
    // RFC 8428, clause 5.1.2 and the units `lon` and `lat` of clause 12.1.
    let device = device("bus", None);
    let mut first = record(
        &device,
        "2026-11-23T08:30:00Z",
        vec![sample("speed", Value::Number(18.4), "km/h"), sample("door", Value::Bool(false), "1")],
    );
    first.position = Some((-87.63, 41.88));
    let second =
        record(&device, "2026-11-23T08:30:05.5Z", vec![sample("speed", Value::Integer(3), "km/h")]);
    let (topic, payload) = only("senml", &[first, second]);
    assert_eq!(topic, "senml/bus-1");
    assert_eq!(
        parsed(&payload),
        json!([
            {"bn": "bus-1:", "bt": 1_795_422_600, "n": "speed", "u": "km/h", "v": 18.4},
            {"n": "door", "vb": false},
            {"u": "lon", "v": -87.63},
            {"u": "lat", "v": 41.88},
            {"n": "speed", "u": "km/h", "v": 3, "t": 5.5}
        ])
    );
}

#[test]
fn line_protocol_is_one_line_a_device_in_nanoseconds() {
    let (one, mut two) = (device("loop", Some("cab-loop")), device("loop", Some("cab-loop")));
    two.id = "loop 2,x".to_owned();
    let samples = || {
        vec![
            sample("traffic_speed", Value::Number(43.2), "km/h"),
            sample("traffic_count", Value::Integer(17), "1"),
        ]
    };
    let time = "2026-11-23T08:30:00Z";
    let (topic, payload) =
        only("line_protocol", &[record(&one, time, samples()), record(&two, time, samples())]);
    assert_eq!(topic, "lp/cab-loop");
    assert_eq!(
        String::from_utf8(payload).expect("text"),
        "loop,device=loop-1 traffic_speed=43.2,traffic_count=17i 1795422600000000000\n\
         loop,device=loop\\ 2\\,x traffic_speed=43.2,traffic_count=17i 1795422600000000000"
    );
}

/// The keys that the network servers' documents name, each at its place.
fn has_all(payload: &Json, pointers: &[&str]) {
    for pointer in pointers {
        assert!(payload.pointer(pointer).is_some_and(|v| !v.is_null()), "{pointer} in {payload}");
    }
}

#[test]
fn chirpstack_uplinks_have_the_documented_shape() {
    let device = device("bin", Some("gw-loop"));
    let time = "2026-11-23T08:30:00.404859Z";
    let record = record(&device, time, vec![sample("fill", Value::Integer(40), "%")]);
    let (topic, payload) = only("chirpstack", std::slice::from_ref(&record));
    let json = parsed(&payload);
    has_all(&json, &["/deduplicationId", "/deviceInfo/tags", "/fPort", "/rxInfo/0/gatewayId"]);
    assert_eq!(json["time"], "2026-11-23T08:30:00.404859+00:00");
    assert_eq!(json["fCnt"], 42);
    assert_eq!(json["object"], json!({"fill": 40}));
    assert_eq!(json["deviceInfo"]["deviceName"], "bin-1");
    let eui = json["deviceInfo"]["devEui"].as_str().expect("a text");
    assert!(eui.len() == 16 && eui.bytes().all(|b| b.is_ascii_hexdigit()), "{eui}");
    let application = json["deviceInfo"]["applicationId"].as_str().expect("a text");
    assert_eq!(topic, format!("application/{application}/device/{eui}/event/up"));
    // Channel 0, type 0x64, 4000 hundredths.
    assert_eq!(json["data"], "AGQAAA+g");
    let (_, again) = only("chirpstack", std::slice::from_ref(&record));
    assert_eq!(payload, again, "the same uplink has the same deduplicationId");
}

#[test]
fn the_things_stack_leaves_out_what_is_zero() {
    let device = device("lamp", Some("gw-loop"));
    let samples =
        vec![sample("on", Value::Bool(false), "1"), sample("power", Value::Number(0.6), "W")];
    let mut record = record(&device, "2026-11-23T08:30:00.641841782Z", samples);
    let (topic, payload) = only("ttn", std::slice::from_ref(&record));
    assert_eq!(topic, "v3/environment@city/devices/lamp-1/up");
    let json = parsed(&payload);
    has_all(&json, &["/end_device_ids/dev_eui", "/uplink_message/frm_payload"]);
    assert_eq!(json["end_device_ids"]["device_id"], "lamp-1");
    assert_eq!(json["uplink_message"]["f_cnt"], 42);
    assert_eq!(json["uplink_message"]["received_at"], "2026-11-23T08:30:00.641841782Z");
    assert_eq!(json["uplink_message"]["decoded_payload"], json!({"on": false, "power": 0.6}));
    assert_eq!(json["uplink_message"]["rx_metadata"][0]["gateway_ids"]["gateway_id"], "gw-loop");
    assert_eq!(json["simulated"], true);
    record.counter = 0;
    let (_, payload) = only("ttn", &[record]);
    assert!(parsed(&payload)["uplink_message"].get("f_cnt").is_none());
}

#[test]
fn formats_are_named_once() {
    let mut names: Vec<_> = FORMATS.iter().map(|format| format.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FORMATS.len());
    assert!(format("morse").is_none());
}
