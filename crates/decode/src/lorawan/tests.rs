use std::sync::Mutex;

use serde_json::json;

use super::*;
use crate::codec::{CodecError, CodecValue, Codecs};
use crate::{Decoded, Decoder, format};

/// Device, bytes and port of a frame.
type Seen = (String, Vec<u8>, Option<u8>);

/// A codec that notes the frames and answers the same to each.
struct Spy {
    frames: Mutex<Vec<Seen>>,
    answer: Result<CodecOutput, CodecError>,
}

impl Codec for Spy {
    fn decode_uplink(&self, frame: &Frame<'_>, out: &mut CodecOutput) -> Result<(), CodecError> {
        let frame = (frame.device.to_owned(), frame.bytes.to_vec(), frame.f_port);
        self.frames.lock().expect("no panic").push(frame);
        *out = self.answer.clone()?;
        Ok(())
    }
}

/// Every device has the same codec but `stranger`.
struct Same(Arc<Spy>);

impl Codecs for Same {
    fn codec(&self, device: &str) -> Option<Arc<dyn Codec>> {
        (device != "stranger").then(|| self.0.clone() as Arc<dyn Codec>)
    }
}

fn spy(answer: Result<CodecOutput, CodecError>) -> Same {
    Same(Arc::new(Spy { frames: Mutex::default(), answer }))
}

fn decode<'a>(
    decoder: &'a dyn Decoder,
    codecs: &'a Same,
    payload: &'a str,
) -> Result<Vec<Decoded<'a>>, DecodeError> {
    let received = Timestamp::from_secs(1_800_000_000);
    let message =
        Message { codecs: Some(codecs), ..Message::new("t", payload.as_bytes(), received) };
    let mut out = Vec::new();
    decoder.decode(&message, &mut out).map(|()| out)
}

fn compile(name: &str, options: &serde_json::Value) -> Box<dyn Decoder> {
    format(name).expect("a format").compile(options).expect("valid options")
}

fn level() -> CodecOutput {
    let mut level = CodecValue::new("level", 1.5);
    level.unit = Some("m".into());
    CodecOutput { values: vec![level], position: None }
}

#[test]
fn a_devices_own_codec_comes_before_the_network_servers_output() {
    let codecs = spy(Ok(level()));
    let decoder = compile("chirpstack", &json!({"codec": "cayenne_lpp"}));
    let payload = r#"{"deviceInfo": {"devEui": "0A"}, "data": "A2cBEA==", "fPort": 85,
        "object": {"t": 1}}"#;
    let values = decode(&*decoder, &codecs, payload).expect("values");
    assert_eq!((&*values[0].metric, values[0].unit.as_deref()), ("level", Some("m")));
    let frames = codecs.0.frames.lock().expect("no panic");
    assert_eq!(*frames, [("0a".to_owned(), vec![3, 103, 1, 16], Some(85))]);
}

#[test]
fn without_its_own_the_servers_output_comes_first_and_the_sources_codec_last() {
    let codecs = spy(Ok(level()));
    let decoder = compile("chirpstack", &json!({"codec": "cayenne_lpp"}));
    let with = r#"{"deviceInfo": {"devEui": "stranger"}, "data": "A2cBEA", "object": {"t": 1}}"#;
    assert_eq!(decode(&*decoder, &codecs, with).expect("values")[0].metric, "t");
    // Base64 may come without its padding.
    let without = r#"{"deviceInfo": {"devEui": "stranger"}, "data": "A2cBEA"}"#;
    let values = decode(&*decoder, &codecs, without).expect("values");
    assert_eq!((&*values[0].metric, &values[0].value), ("temperature_3", &Value::from(27.2)));
    // A device's own codec cannot decode what is not there.
    let empty = r#"{"deviceInfo": {"devEui": "0a"}, "object": {"t": 1}}"#;
    assert_eq!(decode(&*decoder, &codecs, empty).expect("values")[0].metric, "t");
    let port = r#"{"deviceInfo": {"devEui": "0a"}, "data": "AA==", "fPort": 4711}"#;
    decode(&*decoder, &codecs, port).expect("values");
    assert_eq!(codecs.0.frames.lock().expect("no panic")[0].2, None, "no such port");
}

#[test]
fn a_codecs_failure_names_device_file_and_remedy() {
    let codecs = spy(Err(CodecError {
        at: "level.js:17".to_owned(),
        message: "TypeError: not a function".to_owned(),
        hint: "mend the codec",
    }));
    let decoder = compile("ttn", &json!({}));
    let payload =
        r#"{"end_device_ids": {"dev_eui": "0A"}, "uplink_message": {"frm_payload": "AA=="}}"#;
    let error = decode(&*decoder, &codecs, payload).expect_err("a broken codec");
    assert_eq!(error.kind, DecodeErrorKind::Codec);
    assert_eq!(
        error.detail(),
        "the codec failed for device `0a`: level.js:17: TypeError: not a function \
         (at `uplink_message.frm_payload`)"
    );
    assert_eq!(error.hint, "mend the codec");
}

#[test]
fn a_fix_is_the_devices_position_unless_the_options_name_another() {
    let mut output = level();
    output.position = Some((1.0, 2.0));
    output.values.extend([CodecValue::new("x", 3.0), CodecValue::new("y", "4.5")]);
    let codecs = spy(Ok(output));
    let payload = r#"{"cmd": "rx", "EUI": "0A", "data": "00"}"#;
    let decoder = compile("loriot", &json!({}));
    let values = decode(&*decoder, &codecs, payload).expect("values");
    assert_eq!((values.len(), values[0].position), (3, Some((1.0, 2.0))));
    let decoder = compile("loriot", &json!({"lon": "x", "lat": "y"}));
    let values = decode(&*decoder, &codecs, payload).expect("values");
    assert_eq!((values.len(), values[0].position), (1, Some((3.0, 4.5))));
}

#[test]
fn a_value_with_its_unit_is_one_value() {
    let codecs = spy(Ok(level()));
    let decoder = compile("chirpstack", &json!({}));
    let payload = r#"{"object": {"id": 5,
        "level": {"displayName": "Level", "value": 1.5, "unit": "m"},
        "ratio": {"displayName": "Ratio", "value": 0.1},
        "lonely": {"value": 7}, "odd": {"value": 1, "unit": "m", "more": 2},
        "value": 8, "unit": "m", "list": [{"value": 1, "unit": "V"}, {"value": 2, "unit": "V"}]}}"#;
    let values = decode(&*decoder, &codecs, payload).expect("values");
    let found: Vec<_> =
        values.iter().map(|value| (&*value.metric, value.unit.as_deref())).collect();
    let expected = [
        ("id", None),
        ("level", Some("m")),
        ("ratio", None),
        ("lonely.value", None),
        ("odd.value", None),
        ("odd.unit", None),
        ("odd.more", None),
        ("value", None),
        ("unit", None),
        ("list[0]", Some("V")),
        ("list[1]", Some("V")),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_codec_file_is_not_a_sources_option() {
    let format = format("ttn").expect("a format");
    let error = format.compile(&json!({"codec": "x.js"})).err().expect("no such codec");
    assert!(error.to_string().contains("cayenne_lpp"), "{error}");
    assert_eq!(error.key(), Some("codec"));
}
