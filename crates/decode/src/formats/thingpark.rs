//! ThingPark uplinks in JSON (`DevEUI_uplink`), of ThingPark Wireless, Enterprise and IoT Flow.
//!
//! ```json
//! {"DevEUI_uplink": {"Time": "2026-11-23T08:30:00.138+00:00", "DevEUI": "70B3D57BA000156B",
//!   "FPort": 1, "FCntUp": 26, "payload_hex": "02023b00020c60",
//!   "Lrrid": "100019D4", "LrrRSSI": -114.0, "LrrLAT": 32.5, "LrrLON": -106.8,
//!   "Lrrs": {"Lrr": [{"Lrrid": "100019D4", "LrrRSSI": -114.0}]},
//!   "payload": {"battery": 3.1}}}
//! ```
//!
//! `payload` is there if a driver decodes the device's bytes; it is flattened: `battery.level`,
//! `history[0].t`. Otherwise `payload_hex` is decoded here (see [`crate::lorawan`]). Older versions
//! write numbers as texts. `Lrrid` is the gateway that heard best, `LrrLAT` and `LrrLON` are its
//! place, `CustomerData.loc` is what somebody typed: neither is the device's position.
//!
//! Options: `lon` and `lat`, the names of decoded values that are the device's own position;
//! `codec` = `cayenne_lpp` for what nobody else decodes. The device is its EUI.

use serde::Deserialize;

use crate::error::{DecodeError, OptionsError};
use crate::flat::Flat;
use crate::guard::{Guarded, Parse, Sink};
use crate::lorawan::{self, Body, Bytes, Header, Uplinks};
use crate::options::Options;
use crate::wire::{self, Raw, Scalar, Text};
use crate::{Decoder, Example, Format, Message};

/// ThingPark's uplinks.
pub(super) struct ThingPark;

impl Format for ThingPark {
    fn name(&self) -> &'static str {
        "thingpark"
    }

    fn summary(&self) -> &'static str {
        "LoRaWAN uplinks of ThingPark"
    }

    fn summary_zh(&self) -> &'static str {
        "ThingPark 的 LoRaWAN 上行消息"
    }

    fn example(&self) -> Example {
        Example {
            topic: "thingpark/70B3D57BA000156B/uplink",
            options: "{}",
            payload: r#"{"DevEUI_uplink": {"Time": "2026-11-23T08:30:00.138+00:00",
                "DevEUI": "70B3D57BA000156B", "FPort": "1", "FCntUp": "26",
                "payload_hex": "02023b00020c60", "Lrrid": "100019D4", "LrrRSSI": -114.0,
                "LrrLAT": 32.516357, "LrrLON": -106.824348,
                "payload": {"level": {"value": 1.25, "unit": "m"}, "battery": 3.1}}}"#,
            values: 2,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let options = Options::new(options, &lorawan::KEYS)?;
        Guarded::boxed(Uplinks::from_options(&options, &[("dev_eui", Eui)], Eui)?, &options)
    }
}

/// The only name that ThingPark has for a device.
#[derive(Clone, Copy, Debug)]
struct Eui;

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "DevEUI_uplink")]
    uplink: Option<Uplink<'a>>,
}

#[derive(Deserialize)]
struct Uplink<'a> {
    #[serde(borrow, rename = "Time")]
    time: Option<Text<'a>>,
    #[serde(borrow, rename = "DevEUI")]
    dev_eui: Option<Text<'a>>,
    #[serde(borrow, rename = "FPort")]
    f_port: Option<Scalar<'a>>,
    #[serde(borrow, rename = "FCntUp")]
    f_cnt_up: Option<Scalar<'a>>,
    #[serde(borrow)]
    payload_hex: Option<Text<'a>>,
    #[serde(borrow, rename = "Lrrid")]
    gateway: Option<Text<'a>>,
    #[serde(borrow)]
    payload: Option<Flat<'a>>,
}

impl Parse for Uplinks<Eui> {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let event: Event<'a> = wire::from_json(message.payload)?;
        let Some(uplink) = event.uplink else { return Ok(()) };
        let body = Body {
            decoded: uplink.payload,
            decoded_at: "DevEUI_uplink.payload",
            bytes: uplink.payload_hex.map(Bytes::Hex),
            bytes_at: "DevEUI_uplink.payload_hex",
            f_port: uplink.f_port.and_then(whole),
            hint: "set a payload driver for it in ThingPark",
        };
        let header = Header {
            device: lorawan::eui(uplink.dev_eui, "DevEUI_uplink.DevEUI")?,
            time: lorawan::rfc3339(uplink.time.as_ref(), "DevEUI_uplink.Time")?,
            sequence: uplink.f_cnt_up.and_then(whole),
            gateway: lorawan::id(uplink.gateway, "DevEUI_uplink.Lrrid")?,
            ..Header::default()
        };
        self.take(message, body, header, sink)
    }

    fn looked_for(&self) -> String {
        "an uplink in `DevEUI_uplink` with the device's bytes in `payload_hex`".to_owned()
    }
}

/// A whole number, or a text that spells one.
fn whole(Scalar(raw): Scalar<'_>) -> Option<u64> {
    match raw? {
        Raw::Integer(number) => u64::try_from(number).ok(),
        Raw::Text(text) => text.trim().parse().ok(),
        Raw::Number(_) | Raw::Bool(_) | Raw::Absent(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use city_model::{Timestamp, Value};

    use super::*;
    use crate::{DecodeErrorKind, Decoded};

    fn decode(payload: &str) -> Result<Vec<Decoded<'_>>, DecodeError> {
        let decoder = Box::leak(ThingPark.compile(&serde_json::Value::Null).expect("valid"));
        let message = Message::new("t", payload.as_bytes(), Timestamp::from_secs(1_800_000_000));
        let mut out = Vec::new();
        decoder.decode(&message, &mut out).map(|()| out)
    }

    #[test]
    fn the_envelope_is_read_and_the_gateways_place_is_not() {
        let values = decode(ThingPark.example().payload).expect("values");
        for value in &values {
            assert_eq!(value.device.as_deref(), Some("70b3d57ba000156b"));
            assert_eq!(value.gateway.as_deref(), Some("100019D4"));
            assert_eq!(value.time, Some(Timestamp::from_millis(1_795_422_600_138)));
            assert_eq!((value.sequence, value.position), (Some(26), None), "a text that counts");
        }
        assert_eq!(values[0].metric, "level");
        assert_eq!((&values[0].value, values[0].unit.as_deref()), (&Value::from(1.25), Some("m")));
    }

    #[test]
    fn raw_bytes_and_other_events_are_told_apart() {
        let payload = r#"{"DevEUI_uplink": {"DevEUI": "01", "payload_hex": "00"}}"#;
        let error = decode(payload).expect_err("no driver");
        assert_eq!(error.kind, DecodeErrorKind::NoCodec);
        assert!(error.hint.contains("payload driver"), "{}", error.hint);
        let error = decode(r#"{"DevEUI_location": {"DevEUI": "01"}}"#).expect_err("no uplink");
        assert_eq!(error.kind, DecodeErrorKind::NoValues);
    }
}
