//! The Things Stack v3 uplinks in JSON, on `v3/{application}@{tenant}/devices/{device}/up`.
//!
//! ```json
//! {"end_device_ids": {"device_id": "air-17", "dev_eui": "0004A30B001C0530"},
//!  "received_at": "2026-11-23T08:30:00.848446463Z",
//!  "uplink_message": {"f_port": 2, "f_cnt": 10335, "frm_payload": "ARI=",
//!    "decoded_payload": {"temperature": 28.0, "open": false},
//!    "rx_metadata": [{"gateway_ids": {"gateway_id": "roof"}, "rssi": -35,
//!                     "location": {"latitude": 41.8, "longitude": -87.6}}],
//!    "received_at": "2026-11-23T08:30:00.641841782Z",
//!    "locations": {"user": {"latitude": 41.88, "longitude": -87.63}}},
//!  "simulated": true}
//! ```
//!
//! The formatter's `decoded_payload` is flattened: `battery.level`, `history[0].t`. Without a
//! payload formatter there is none, and `frm_payload` is decoded here (see [`crate::lorawan`]).
//! The Things Stack leaves out fields that are zero, so a missing `f_cnt` is 0. `locations` are the device's (`frm-payload`,
//! from its own receiver, before `user`, where it was registered); `rx_metadata` is about
//! gateways. The time is when the network server received it.
//!
//! Options: `device` = `dev_eui` (default; else `device_id`, if the device has none) or
//! `device_id`; `lon` and `lat`, the names of decoded values that are the device's own position;
//! `codec` = `cayenne_lpp` for what nobody else decodes.

use serde::Deserialize;

use crate::error::{DecodeError, OptionsError};
use crate::flat::Flat;
use crate::guard::{Guarded, Parse, Sink};
use crate::lorawan::{self, Body, Bytes, Header, Uplinks};
use crate::options::Options;
use crate::wire::{self, Text};
use crate::{Decoder, Example, Format, Message};

/// The Things Stack's uplinks.
pub(super) struct TheThingsStack;

impl Format for TheThingsStack {
    fn name(&self) -> &'static str {
        "ttn"
    }

    fn summary(&self) -> &'static str {
        "LoRaWAN uplinks of The Things Stack v3 with the payload formatter's output"
    }

    fn summary_zh(&self) -> &'static str {
        "The Things Stack v3 的 LoRaWAN 上行消息（含负载格式化输出）"
    }

    fn example(&self) -> Example {
        Example {
            topic: "v3/city@tenant/devices/air-17/up",
            options: r#"{"device": "device_id"}"#,
            payload: r#"{"end_device_ids": {"device_id": "air-17", "dev_eui": "0004A30B001C0530"},
                "received_at": "2026-11-23T08:30:00.848446463Z",
                "uplink_message": {"f_port": 2, "f_cnt": 10335, "frm_payload": "ARI=",
                  "decoded_payload": {"temperature": 28.0, "open": false},
                  "rx_metadata": [{"gateway_ids": {"gateway_id": "roof"}, "rssi": -35,
                                   "location": {"latitude": 41.8, "longitude": -87.6}}],
                  "received_at": "2026-11-23T08:30:00.641841782Z",
                  "locations": {"user": {"latitude": 41.88, "longitude": -87.63}}},
                "simulated": true}"#,
            values: 2,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let options = Options::new(options, &lorawan::KEYS)?;
        let devices = [("dev_eui", Device::Eui), ("device_id", Device::Id)];
        Guarded::boxed(Uplinks::from_options(&options, &devices, Device::Eui)?, &options)
    }
}

#[derive(Clone, Copy, Debug)]
enum Device {
    Eui,
    Id,
}

#[derive(Deserialize)]
struct Up<'a> {
    #[serde(borrow)]
    end_device_ids: Option<DeviceIds<'a>>,
    #[serde(borrow)]
    received_at: Option<Text<'a>>,
    #[serde(borrow)]
    uplink_message: Option<Uplink<'a>>,
    simulated: Option<bool>,
}

#[derive(Deserialize)]
struct DeviceIds<'a> {
    #[serde(borrow)]
    device_id: Option<Text<'a>>,
    #[serde(borrow)]
    dev_eui: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Uplink<'a> {
    f_cnt: Option<u64>,
    f_port: Option<u64>,
    #[serde(borrow)]
    frm_payload: Option<Text<'a>>,
    #[serde(borrow)]
    decoded_payload: Option<Flat<'a>>,
    #[serde(borrow)]
    rx_metadata: Option<Vec<RxMetadata<'a>>>,
    #[serde(borrow)]
    received_at: Option<Text<'a>>,
    locations: Option<Locations>,
}

#[derive(Deserialize)]
struct RxMetadata<'a> {
    #[serde(borrow)]
    gateway_ids: Option<GatewayIds<'a>>,
    rssi: Option<f64>,
}

#[derive(Deserialize)]
struct GatewayIds<'a> {
    #[serde(borrow)]
    gateway_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Locations {
    user: Option<Location>,
    #[serde(rename = "frm-payload")]
    frm_payload: Option<Location>,
}

/// A coordinate that is exactly zero is left out like every zero.
#[derive(Deserialize)]
struct Location {
    latitude: Option<f64>,
    longitude: Option<f64>,
}

impl Location {
    fn position(&self) -> Option<(f64, f64)> {
        match (self.longitude, self.latitude) {
            (None, None) => None,
            (lon, lat) => Some((lon.unwrap_or(0.0), lat.unwrap_or(0.0))),
        }
    }
}

impl Parse for Uplinks<Device> {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut up: Up<'a> = wire::from_json(message.payload)?;
        let Some(mut uplink) = up.uplink_message.take() else { return Ok(()) };
        let body = Body {
            decoded: uplink.decoded_payload.take(),
            decoded_at: "uplink_message.decoded_payload",
            bytes: uplink.frm_payload.take().map(Bytes::Base64),
            bytes_at: "uplink_message.frm_payload",
            f_port: uplink.f_port,
            hint: "set a payload formatter for it or its application in The Things Stack: Payload \
                   formatters, Uplink",
        };
        let header = header(self.device, up, uplink)?;
        self.take(message, body, header, sink)
    }

    fn looked_for(&self) -> String {
        "the decoded values in `uplink_message.decoded_payload`, or the device's bytes in \
         `uplink_message.frm_payload` (only uplinks have them: subscribe to v3/+/devices/+/up)"
            .to_owned()
    }
}

fn header<'a>(by: Device, up: Up<'a>, uplink: Uplink<'a>) -> Result<Header<'a>, DecodeError> {
    let (id, eui) = match up.end_device_ids {
        Some(ids) => (ids.device_id, ids.dev_eui),
        None => (None, None),
    };
    let device = match (by, eui) {
        (Device::Eui, Some(eui)) => lorawan::eui(Some(eui), "end_device_ids.dev_eui")?,
        _ => lorawan::id(id, "end_device_ids.device_id")?,
    };
    let time = match lorawan::rfc3339(uplink.received_at.as_ref(), "uplink_message.received_at")? {
        Some(time) => Some(time),
        None => lorawan::rfc3339(up.received_at.as_ref(), "received_at")?,
    };
    let strength = |gateway: &RxMetadata<'_>| gateway.rssi.unwrap_or(f64::NEG_INFINITY);
    // Of equals `max_by` takes the last, so the first is put there.
    let heard = uplink.rx_metadata.unwrap_or_default().into_iter().rev();
    let best = heard.max_by(|a, b| strength(a).total_cmp(&strength(b)));
    let gateway = best.and_then(|best| best.gateway_ids).and_then(|ids| ids.gateway_id);
    let position = uplink.locations.and_then(|locations| {
        [locations.frm_payload, locations.user].iter().flatten().find_map(Location::position)
    });
    Ok(Header {
        device,
        time,
        position,
        sequence: Some(uplink.f_cnt.unwrap_or(0)),
        dedup: None,
        simulated: up.simulated.unwrap_or(false),
        gateway: lorawan::id(gateway, "uplink_message.rx_metadata[0].gateway_ids.gateway_id")?,
    })
}

#[cfg(test)]
mod tests {
    use city_model::{Timestamp, Value};

    use super::*;
    use crate::{DecodeErrorKind, Decoded};

    fn decode<'a>(
        decoder: &'a dyn Decoder,
        payload: &'a str,
    ) -> Result<Vec<Decoded<'a>>, DecodeError> {
        let received = Timestamp::from_secs(1_800_000_000);
        let message = Message::new("v3/a@t/devices/d/up", payload.as_bytes(), received);
        let mut out = Vec::new();
        decoder.decode(&message, &mut out).map(|()| out)
    }

    fn compile(options: &str) -> Box<dyn Decoder> {
        let options = serde_json::from_str(options).expect("JSON");
        TheThingsStack.compile(&options).expect("valid options")
    }

    #[test]
    fn the_envelope_is_read() {
        let decoder = compile("{}");
        let values = decode(&*decoder, TheThingsStack.example().payload).expect("values");
        for value in &values {
            assert_eq!(value.device.as_deref(), Some("0004a30b001c0530"), "in lower case");
            assert_eq!(value.time, Some(Timestamp::from_micros(1_795_422_600_641_841)));
            assert_eq!(value.position, Some((-87.63, 41.88)), "registered, not the gateway's");
            assert_eq!(value.sequence, Some(10_335));
            assert_eq!(value.gateway.as_deref(), Some("roof"));
            assert!(value.simulated);
        }
        assert_eq!(values[1].value, Value::Bool(false));
    }

    #[test]
    fn zeros_that_were_left_out_are_zero() {
        let decoder = compile("{}");
        let payload = r#"{"end_device_ids": {"device_id": "abp"}, "uplink_message":
            {"decoded_payload": {"t": 1}, "locations": {"user": {"longitude": 6.6}}}}"#;
        let values = decode(&*decoder, payload).expect("values");
        assert_eq!(values[0].sequence, Some(0));
        assert_eq!(values[0].position, Some((6.6, 0.0)));
        assert_eq!(values[0].device.as_deref(), Some("abp"), "no EUI, so the id");
        assert!(!values[0].simulated);
    }

    #[test]
    fn the_devices_own_fix_comes_first() {
        let payload = r#"{"uplink_message": {"decoded_payload": {"t": 1, "x": 3.0, "y": 4.0},
            "locations": {"user": {"longitude": 1, "latitude": 1},
                          "frm-payload": {"longitude": 2, "latitude": 2}}}}"#;
        let decoder = compile("{}");
        assert_eq!(decode(&*decoder, payload).expect("values")[0].position, Some((2.0, 2.0)));
        let decoder = compile(r#"{"lon": "x", "lat": "y"}"#);
        assert_eq!(decode(&*decoder, payload).expect("values")[0].position, Some((3.0, 4.0)));
    }

    #[test]
    fn raw_bytes_without_a_formatter_say_what_to_do() {
        let decoder = compile("{}");
        let payload = r#"{"uplink_message": {"frm_payload": "ARI="}}"#;
        let error = decode(&*decoder, payload).expect_err("no formatter");
        assert_eq!(error.kind, DecodeErrorKind::NoCodec);
        assert!(error.hint.contains("Payload formatters"), "{error}");
        let error = decode(&*decoder, r#"{"join_accept": {}}"#).expect_err("no uplink");
        assert_eq!(error.kind, DecodeErrorKind::NoValues);
    }
}
