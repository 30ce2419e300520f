use city_model::Value;

use super::*;
use crate::{Decoded, Decoder, Format, limits};

fn decoder(options: &serde_json::Value) -> Box<dyn Decoder> {
    super::super::chirpstack::ChirpStack.compile(options).expect("valid options")
}

fn decode<'a>(
    decoder: &'a dyn Decoder,
    payload: &'a [u8],
) -> Result<Vec<Decoded<'a>>, DecodeError> {
    let received = Timestamp::from_secs(1_800_000_000);
    let message = Message::new("application/1/device/2/event/up", payload, received);
    let mut out = Vec::new();
    decoder.decode(&message, &mut out).map(|()| out)
}

fn number(number: f64) -> Any {
    Any { kind: Some(Kind::Number(number)) }
}

fn object(fields: impl IntoIterator<Item = (&'static str, Any)>) -> Struct {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
    Struct { fields: fields.collect() }
}

fn event() -> UplinkEvent {
    let list = ListValue { values: vec![number(1.0), Any { kind: Some(Kind::Null(0)) }] };
    UplinkEvent {
        deduplication_id: "57433366-50a6-4dc2-8145-2df1bbc70d9e".to_owned(),
        time: Some(Instant { seconds: 1_795_422_600, nanos: 404_859_999 }),
        device_info: Some(DeviceInfo {
            device_name: "air 17".to_owned(),
            dev_eui: "24E124136B502217".to_owned(),
        }),
        f_cnt: 42,
        f_port: 85,
        data: vec![3, 103, 1, 16],
        object: Some(object([
            ("battery", Any { kind: Some(Kind::Object(object([("level", number(97.0))]))) }),
            ("history", Any { kind: Some(Kind::List(list)) }),
            ("open", Any { kind: Some(Kind::Bool(true)) }),
            ("state", Any { kind: Some(Kind::Text("ok".to_owned())) }),
        ])),
        rx_info: vec![
            UplinkRxInfo { gateway_id: "far".to_owned(), rssi: -110 },
            UplinkRxInfo { gateway_id: "near".to_owned(), rssi: -40 },
        ],
    }
}

fn protobuf() -> serde_json::Value {
    serde_json::json!({"encoding": "protobuf"})
}

#[test]
fn the_event_is_read_as_its_json_is() {
    let decoder = decoder(&protobuf());
    let payload = event().encode_to_vec();
    let values = decode(&*decoder, &payload).expect("values");
    let found: Vec<_> = values.iter().map(|value| (&*value.metric, value.value.clone())).collect();
    let expected = [
        ("battery.level", Value::from(97.0)),
        ("history[0]", Value::from(1.0)),
        ("open", Value::from(true)),
        ("state", Value::from("ok")),
    ];
    assert_eq!(found, expected);
    for value in &values {
        assert_eq!(value.device.as_deref(), Some("24e124136b502217"));
        assert_eq!(value.time, Some(Timestamp::from_micros(1_795_422_600_404_859)));
        assert_eq!(value.sequence, Some(42));
        assert_eq!(value.gateway.as_deref(), Some("near"));
        assert_eq!(value.dedup.as_deref(), Some("57433366-50a6-4dc2-8145-2df1bbc70d9e"));
        assert_eq!(value.position, None);
    }
}

/// Bytes put together by hand from the field numbers of ChirpStack's own files, with the fields
/// that are not read here between them.
#[test]
fn the_field_numbers_are_chirpstacks() {
    let mut bytes = Vec::new();
    bytes.extend([0x12, 0x06, 0x08, 0x88, 0xf3, 0x8f, 0xd8, 0x06]); // time.seconds
    bytes.extend([0x1a, 0x16]); // device_info
    bytes.extend([0x0a, 0x02, b't', b'1']); // tenant_id
    bytes.extend([0x42, 0x10]); // dev_eui
    bytes.extend(*b"0102030405060708");
    bytes.extend([0x22, 0x02, b'0', b'1']); // dev_addr
    bytes.extend([0x28, 0x01, 0x30, 0x05]); // adr, dr
    bytes.extend([0x38, 0x07, 0x40, 0x55]); // f_cnt 7, f_port 85
    bytes.extend([0x48, 0x01]); // confirmed
    bytes.extend([0x52, 0x04, 0x03, 0x67, 0x01, 0x10]); // data
    bytes.extend([0x62, 0x13]); // rx_info
    bytes.extend([0x0a, 0x02, b'g', b'1', 0x10, 0x09]); // gateway_id, uplink_id
    bytes.extend([0x30, 0xd8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]); // rssi -40
    bytes.extend([0x40, 0x02]); // channel
    bytes.extend([0x6a, 0x02, 0x08, 0x01]); // tx_info
    let options = serde_json::json!({"encoding": "protobuf", "codec": "cayenne_lpp"});
    let decoder = decoder(&options);
    let values = decode(&*decoder, &bytes).expect("values");
    assert_eq!(values.len(), 1);
    assert_eq!((&*values[0].metric, &values[0].value), ("temperature_3", &Value::from(27.2)));
    assert_eq!(values[0].device.as_deref(), Some("0102030405060708"));
    assert_eq!((values[0].sequence, values[0].gateway.as_deref()), (Some(7), Some("g1")));
    assert_eq!(values[0].time, Some(Timestamp::from_secs(1_795_422_600)));
}

#[test]
fn raw_bytes_and_other_events_say_what_to_do() {
    let decoder = decoder(&protobuf());
    let raw = UplinkEvent { object: None, ..event() }.encode_to_vec();
    let error = decode(&*decoder, &raw).expect_err("no codec");
    assert_eq!(error.kind, DecodeErrorKind::NoCodec);
    let empty = UplinkEvent { data: Vec::new(), object: None, ..event() };
    let upkeep = empty.encode_to_vec();
    let upkeep = decode(&*decoder, &upkeep).expect("understood");
    assert!(upkeep.is_empty(), "a frame of link upkeep only has no values");
    let join = UplinkEvent { f_cnt: 0, ..empty }.encode_to_vec();
    let error = decode(&*decoder, &join).expect_err("a join");
    assert_eq!(error.kind, DecodeErrorKind::NoValues);
    let error = decode(&*decoder, b"{\"deviceInfo\": {}}").expect_err("JSON");
    assert_eq!(error.kind, DecodeErrorKind::Malformed);
    assert!(error.hint.contains("json = false"), "{}", error.hint);
    let late = Instant { seconds: i64::MAX, nanos: 0 };
    let late = UplinkEvent { time: Some(late), ..event() }.encode_to_vec();
    assert_eq!(decode(&*decoder, &late).expect_err("no time").kind, DecodeErrorKind::BadTime);
}

#[test]
fn hostile_objects_are_refused_within_the_limits() {
    let decoder = decoder(&protobuf());
    let of = |object| UplinkEvent { object: Some(object), ..event() }.encode_to_vec();
    let mut deep = number(1.0);
    for _ in 0..2_000 {
        deep = Any { kind: Some(Kind::List(ListValue { values: vec![deep] })) };
    }
    let deep = of(object([("a", deep)]));
    assert_eq!(decode(&*decoder, &deep).expect_err("deep").kind, DecodeErrorKind::Malformed);
    let values = vec![Any { kind: Some(Kind::Bool(true)) }; limits::MAX_VALUES + 1];
    let many = of(object([("a", Any { kind: Some(Kind::List(ListValue { values })) })]));
    assert_eq!(decode(&*decoder, &many).expect_err("many").kind, DecodeErrorKind::TooManyValues);
    let name: &'static str = Box::leak("n".repeat(limits::MAX_NAME + 1).into_boxed_str());
    let long = of(object([(name, number(1.0))]));
    assert_eq!(decode(&*decoder, &long).expect_err("long").kind, DecodeErrorKind::BadName);
    let payload = event().encode_to_vec();
    for end in 0..payload.len() {
        let _ = decode(&*decoder, &payload[..end]);
    }
    for place in 0..payload.len() {
        for byte in [0, 0x0a, 0x7f, 0x80, 0xff] {
            let mut payload = payload.clone();
            payload[place] = byte;
            let _ = decode(&*decoder, &payload);
        }
    }
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(payload: Vec<u8>) {
        let decoder = decoder(&protobuf());
        let _ = decode(&*decoder, &payload);
    }
}
