//! What the tests of formats share.

use city_model::{Timestamp, Value};

use crate::{DecodeError, Decoded, Decoder, Format, Message};

/// When messages arrive.
pub(crate) const RECEIVED: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Device, metric, unit and value.
pub(crate) type Expected<'e> = (Option<&'e str>, &'e str, Option<&'e str>, Value);

pub(crate) fn number(number: f64) -> Value {
    Value::Number(number)
}

pub(crate) fn decode<'a>(
    decoder: &'a dyn Decoder,
    topic: &'a str,
    payload: &'a str,
) -> Result<Vec<Decoded<'a>>, DecodeError> {
    let mut out = Vec::new();
    decoder.decode(&Message::new(topic, payload.as_bytes(), RECEIVED), &mut out).map(|()| out)
}

/// A message must give these values, in order.
pub(crate) fn check(
    format: &dyn Format,
    options: &serde_json::Value,
    topic: &str,
    payload: &str,
    expected: &[Expected<'_>],
) {
    let decoder = format.compile(options).expect("valid options");
    let values = decode(&*decoder, topic, payload).expect(payload);
    let got: Vec<_> = values
        .iter()
        .map(|v| (v.device.as_deref(), v.metric.as_ref(), v.unit.as_deref(), v.value.clone()))
        .collect();
    assert_eq!(got, expected, "{payload}");
}
