use city_model::{Timestamp, Value};
use serde_json::json;

use super::*;
use crate::testing::{self, Expected, decode, number};
use crate::{At, DecodeErrorKind};

fn compile(options: &serde_json::Value) -> Box<dyn Decoder> {
    FiwareJson.compile(options).expect("valid options")
}

fn check(options: &serde_json::Value, topic: &str, payload: &str, expected: &[Expected<'_>]) {
    testing::check(&FiwareJson, options, topic, payload, expected);
}

const TOPIC: &str = "/json/4jggokgpepnvsb2uv4s40d59ov/air-17/attrs";

#[test]
fn devices_send_objects_or_arrays_of_them() {
    let air = Some("air-17");
    let payload = r#"[{"TimeInstant":"2026-11-23T08:30:00Z","h":"45","t":23,"on":"true","x":null},
        {"t":24,"nested":{"deep":[1]},"location":"41.88, -87.63"}]"#;
    let expected = [
        (air, "h", None, number(45.0)),
        (air, "t", None, number(23.0)),
        (air, "on", None, Value::Bool(true)),
        (air, "t", None, number(24.0)),
        (air, "nested.deep[0]", None, number(1.0)),
    ];
    check(&json!({}), TOPIC, payload, &expected);
    let decoder = compile(&json!({}));
    let values = decode(&*decoder, TOPIC, payload).expect("values");
    assert_eq!(values[0].time, Some(Timestamp::from_secs(1_795_422_600)));
    assert_eq!((values[3].time, values[3].position), (None, Some((-87.63, 41.88))));
    assert_eq!(values[0].position, None);
    let one = [(air, "h", None, number(45.0))];
    check(&json!({}), &format!("{TOPIC}/h"), "45", &one);
    check(&json!({}), "/json/key/air-17/cmdexe", r#"{"ping":"ok"}"#, &[]);
}

#[test]
fn entities_of_both_versions() {
    let ld = r#"{"id":"urn:ngsi-ld:Air:17","type":"Air","@context":["https://x"],
        "dateObserved":{"type":"Property","value":"2026-11-23T08:30:00Z"},
        "no2":{"type":"Property","value":31,"unitCode":"GQ","observedAt":"2026-11-23T08:29:00Z"},
        "state":{"type":"Property","value":"ok"},
        "location":{"type":"GeoProperty","value":{"type":"Point","coordinates":[-87.63,41.88]}}}"#;
    let air = Some("urn:ngsi-ld:Air:17");
    let expected =
        [(air, "no2", Some("ug/m3"), number(31.0)), (air, "state", None, Value::from("ok"))];
    check(&json!({}), "broker/updates", ld, &expected);
    let decoder = compile(&json!({}));
    let values = decode(&*decoder, "broker/updates", ld).expect("values");
    let times: Vec<_> = values.iter().map(|v| v.time.expect("a time").millis() / 1_000).collect();
    assert_eq!(times, [1_795_422_540, 1_795_422_600]);
    assert!(values.iter().all(|value| value.position == Some((-87.63, 41.88))));

    let v2 = r#"{"subscriptionId":"57458eb60962ef754e7c0998","data":[
        {"id":"Room1","type":"Room","temperature":{"type":"Number","value":23,
         "metadata":{"unitCode":{"type":"Text","value":"FAH"},
                     "TimeInstant":{"type":"DateTime","value":"2026-11-23T08:30:00Z"}}}},
        {"id":"Room2","type":"Room","temperature":21.5}]}"#;
    let expected = [
        (Some("Room1"), "temperature", Some("[degF]"), number(23.0)),
        (Some("Room2"), "temperature", None, number(21.5)),
    ];
    check(&json!({}), "broker/updates", v2, &expected);
    let topic = json!({"device_from": "topic"});
    check(&topic, "broker/updates", v2, &expected.map(|(_, n, u, v)| (None, n, u, v)));
}

#[test]
fn a_place_alone_is_a_position_fix() {
    for location in [
        r#"{"type":"Point","coordinates":[-87.63,41.88]}"#,
        r#"{"type":"geo:json","value":{"type":"Point","coordinates":[-87.63,41.88]}}"#,
        r#"{"type":"geo:point","value":"41.88,-87.63"}"#,
    ] {
        let payload = format!(r#"{{"location":{location},"TimeInstant":"2026-11-23T08:30:00Z"}}"#);
        let decoder = compile(&json!({}));
        let values = decode(&*decoder, TOPIC, &payload).expect("a fix");
        assert_eq!((values.len(), values[0].metric.as_ref()), (1, "position_fix"));
        assert_eq!(values[0].position, Some((-87.63, 41.88)));
        assert_eq!(values[0].time, Some(Timestamp::from_secs(1_795_422_600)));
    }
}

#[test]
fn what_cannot_be_read_says_where() {
    let decoder = compile(&json!({}));
    let path = |path: &str| At::Path(path.to_owned());
    for (payload, kind, at) in [
        (r#"{"TimeInstant":"soon","t":1}"#, DecodeErrorKind::BadTime, path("TimeInstant")),
        (r#"[{"location":"north","t":1}]"#, DecodeErrorKind::BadValue, path("[0].location")),
        (r#"{"id":"","type":"Air","t":1}"#, DecodeErrorKind::BadDevice, path("id")),
        (r#"{"TimeInstant":"2026-11-23T08:30:00Z"}"#, DecodeErrorKind::NoValues, At::Message),
        (r#"{"subscriptionId":"5","data":[]}"#, DecodeErrorKind::NoValues, At::Message),
        ("[]", DecodeErrorKind::NoValues, At::Message),
    ] {
        let error = decode(&*decoder, TOPIC, payload).expect_err(payload);
        assert_eq!((error.kind, &error.at), (kind, &at), "{payload}: {error}");
    }
}

#[test]
fn every_unit_code_is_known() {
    for code in ["CEL", "FAH", "GQ", "GP", "A97", "MBR", "MQH", "2N", "KWH", "D54", "59", "61"] {
        let ucum = ucum(code).expect(code);
        assert!(city_model::unit::is_known(ucum), "{ucum}");
    }
}
