//! ChirpStack v4 uplink events in JSON, on `application/{id}/device/{DevEUI}/event/up`.
//!
//! ```json
//! {"deduplicationId": "57433366-50a6-4dc2-8145-2df1bbc70d9e",
//!  "time": "2026-11-23T08:30:00.404859+00:00",
//!  "deviceInfo": {"deviceName": "air 17", "devEui": "24e124136b502217"},
//!  "fCnt": 42, "fPort": 85, "data": "A2cYAQRoZQ==",
//!  "object": {"temperature": 28.0, "humidity": 50.5, "battery": {"level": 97}},
//!  "rxInfo": [{"gatewayId": "6a7e111a10000000", "rssi": -35,
//!              "location": {"latitude": 41.8, "longitude": -87.6}}]}
//! ```
//!
//! The codec's `object` is flattened: `battery.level`, `history[0].t`. Without a codec in the
//! device profile there is no `object`, and `data` is decoded here (see [`crate::lorawan`]).
//! `rxInfo` is about gateways: the one that heard best is kept, their locations never become the
//! device's.
//!
//! Options: `device` = `dev_eui` (default) or `device_name`; `lon` and `lat`, the names of
//! decoded values that are the device's own position; `codec` = `cayenne_lpp` for what nobody else
//! decodes; `encoding` = `json` (default) or `protobuf`, as the MQTT integration is set.
//!
//! The JSON of ChirpStack v3 (`devEUI` in base64, `objectJSON`), which many gateways with a server
//! of their own send too (`devEUI` in hexadecimal digits), is understood as well.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::chirpstack_protobuf::Protobuf;

use crate::error::{At, DecodeError, DecodeErrorKind, OptionsError};
use crate::flat::Flat;
use crate::guard::{Guarded, Parse, Sink};
use crate::lorawan::{self, Body, Bytes, Header, Uplinks};
use crate::options::Options;
use crate::wire::{self, Text};
use crate::{Decoder, Example, Format, Message};

/// ChirpStack's uplink events.
pub(super) struct ChirpStack;

impl Format for ChirpStack {
    fn name(&self) -> &'static str {
        "chirpstack"
    }

    fn summary(&self) -> &'static str {
        "LoRaWAN uplinks of ChirpStack v4 with the codec's output"
    }

    fn summary_zh(&self) -> &'static str {
        "ChirpStack v4 的 LoRaWAN 上行事件（含编解码器输出）"
    }

    fn example(&self) -> Example {
        Example {
            topic: "application/ca739e26/device/24e124136b502217/event/up",
            options: r#"{"metrics": {"battery.level": {"metric": "battery", "unit": "%"}}}"#,
            payload: r#"{"deduplicationId": "57433366-50a6-4dc2-8145-2df1bbc70d9e",
                "time": "2026-11-23T08:30:00.404859+00:00",
                "deviceInfo": {"deviceName": "air 17", "devEui": "24e124136b502217"},
                "fCnt": 42, "fPort": 85, "data": "A2cYAQRoZQ==",
                "object": {"temperature": 28.0, "humidity": 50.5, "battery": {"level": 97}},
                "rxInfo": [{"gatewayId": "6a7e111a10000000", "rssi": -35,
                            "location": {"latitude": 41.8, "longitude": -87.6}}]}"#,
            values: 3,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let known: Vec<&str> = lorawan::KEYS.into_iter().chain(["encoding"]).collect();
        let options = Options::new(options, &known)?;
        let devices = [("dev_eui", Device::Eui), ("device_name", Device::Name)];
        let uplinks = Uplinks::from_options(&options, &devices, Device::Eui)?;
        match options.choice("encoding", &[("json", false), ("protobuf", true)])? {
            Some(true) => Guarded::boxed(Protobuf(uplinks), &options),
            _ => Guarded::boxed(uplinks, &options),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Device {
    Eui,
    Name,
}

/// What to do in ChirpStack so that it decodes.
pub(super) const HINT: &str = "set one for it in ChirpStack: Device profiles, tab Codec";

/// What was looked for, in either encoding.
pub(super) const LOOKED_FOR: &str = "the decoded values in `object`, or the device's bytes in \
    `data` (only uplink events have them: subscribe to application/+/device/+/event/up)";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Uplink<'a> {
    #[serde(borrow)]
    deduplication_id: Option<Text<'a>>,
    #[serde(borrow)]
    time: Option<Text<'a>>,
    #[serde(borrow)]
    device_info: Option<DeviceInfo<'a>>,
    f_cnt: Option<u64>,
    f_port: Option<u64>,
    #[serde(borrow)]
    data: Option<Text<'a>>,
    #[serde(borrow)]
    object: Option<Flat<'a>>,
    #[serde(borrow)]
    rx_info: Option<Vec<RxInfo<'a>>>,
    /// Version 3 had these instead of `deviceInfo` and `object`.
    #[serde(borrow, rename = "devEUI")]
    v3_dev_eui: Option<Text<'a>>,
    #[serde(borrow, rename = "deviceName")]
    v3_device_name: Option<Text<'a>>,
    #[serde(borrow, rename = "objectJSON")]
    v3_object: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeviceInfo<'a> {
    #[serde(borrow)]
    dev_eui: Option<Text<'a>>,
    #[serde(borrow)]
    device_name: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RxInfo<'a> {
    #[serde(borrow)]
    gateway_id: Option<Text<'a>>,
    rssi: Option<f64>,
    #[serde(borrow, rename = "gatewayID", alias = "mac")]
    v3_gateway_id: Option<Text<'a>>,
    /// Version 3 had no time of its own, only the gateways'.
    #[serde(borrow, rename = "time")]
    v3_time: Option<Text<'a>>,
}

impl Parse for Uplinks<Device> {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut uplink: Uplink<'a> = wire::from_json(message.payload)?;
        let decoded = match (uplink.object.take(), uplink.v3_object.take()) {
            (None, Some(Text(json))) if !json.is_empty() => Some(v3_object(&json)?),
            (flat, _) => flat,
        };
        let body = Body {
            decoded,
            decoded_at: "object",
            bytes: uplink.data.take().map(Bytes::Base64),
            bytes_at: "data",
            f_port: uplink.f_port,
            hint: HINT,
        };
        let header = header(self.device, uplink)?;
        self.take(message, body, header, sink)
    }

    fn looked_for(&self) -> String {
        LOOKED_FOR.to_owned()
    }
}

fn header(by: Device, uplink: Uplink<'_>) -> Result<Header<'_>, DecodeError> {
    let (eui, name) = match uplink.device_info {
        Some(info) => (info.dev_eui, info.device_name),
        None => (uplink.v3_dev_eui.map(v3_eui), uplink.v3_device_name),
    };
    let device = match by {
        Device::Eui => lorawan::eui(eui, "deviceInfo.devEui")?,
        Device::Name => lorawan::id(name, "deviceInfo.deviceName")?,
    };
    let gateways = uplink.rx_info.unwrap_or_default();
    let mut time = lorawan::rfc3339(uplink.time.as_ref(), "time")?;
    if time.is_none() {
        let heard = gateways.iter().find_map(|gateway| gateway.v3_time.as_ref());
        time = lorawan::rfc3339(heard, "rxInfo[0].time")?;
    }
    let strength = |gateway: &RxInfo<'_>| gateway.rssi.unwrap_or(f64::NEG_INFINITY);
    // Of equals `max_by` takes the last, so the first is put there.
    let best = gateways.into_iter().rev().max_by(|a, b| strength(a).total_cmp(&strength(b)));
    let gateway = best.and_then(|best| best.gateway_id.or_else(|| best.v3_gateway_id.map(v3_eui)));
    Ok(Header {
        device,
        time,
        sequence: uplink.f_cnt,
        dedup: lorawan::id(uplink.deduplication_id, "deduplicationId")?,
        gateway: lorawan::id(gateway, "rxInfo[0].gatewayId")?,
        ..Header::default()
    })
}

/// Version 3 wrote the codec's output as JSON within a text.
fn v3_object<'a>(json: &str) -> Result<Flat<'a>, DecodeError> {
    let flat: Result<Flat<'_>, DecodeError> = wire::from_json(json.as_bytes());
    flat.map(Flat::into_owned).map_err(|error| {
        let message = format!("the JSON inside cannot be read: {}", error.detail());
        DecodeError::new(
            DecodeErrorKind::Malformed,
            At::Path("objectJSON".to_owned()),
            message,
            error.hint,
        )
    })
}

/// Version 3 wrote the eight bytes of an EUI as base64; already hexadecimal ones stay.
fn v3_eui(text: Text<'_>) -> Text<'_> {
    match STANDARD.decode(text.0.as_bytes()) {
        Ok(bytes) if bytes.len() == 8 => {
            let number = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            Text(Cow::Owned(format!("{number:016x}")))
        }
        _ => text,
    }
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
        let topic = "application/1/device/2/event/up";
        let message = Message::new(topic, payload.as_bytes(), received);
        let mut out = Vec::new();
        decoder.decode(&message, &mut out).map(|()| out)
    }

    fn compile(options: &str) -> Box<dyn Decoder> {
        let options = serde_json::from_str(options).expect("JSON");
        ChirpStack.compile(&options).expect("valid options")
    }

    #[test]
    fn the_gateway_is_named_but_its_place_is_not_the_devices() {
        let decoder = compile("{}");
        let payload = ChirpStack.example().payload;
        let values = decode(&*decoder, payload).expect("values");
        for value in &values {
            assert_eq!(value.position, None);
            assert_eq!(value.gateway.as_deref(), Some("6a7e111a10000000"));
            assert_eq!(value.device.as_deref(), Some("24e124136b502217"));
            assert_eq!(value.sequence, Some(42));
            assert_eq!(value.dedup.as_deref(), Some("57433366-50a6-4dc2-8145-2df1bbc70d9e"));
            assert_eq!(value.time, Some(Timestamp::from_micros(1_795_422_600_404_859)));
        }
        let names: Vec<_> = values.iter().map(|value| value.metric.as_ref()).collect();
        assert_eq!(names, ["temperature", "humidity", "battery.level"]);
        assert_eq!(values[1].value, Value::Number(50.5));
    }

    #[test]
    fn the_best_gateway_of_several_is_kept() {
        let decoder = compile("{}");
        let payload = r#"{"object": {"t": 1}, "rxInfo": [{"gatewayId": "far", "rssi": -110},
            {"gatewayId": "near", "rssi": -40}, {"gatewayId": "deaf"}]}"#;
        let values = decode(&*decoder, payload).expect("values");
        assert_eq!(values[0].gateway.as_deref(), Some("near"));
        let equals = r#"{"object": {"t": 1}, "rxInfo": [{"gatewayId": "a"}, {"gatewayId": "b"}]}"#;
        assert_eq!(decode(&*decoder, equals).expect("values")[0].gateway.as_deref(), Some("a"));
    }

    #[test]
    fn a_position_from_the_codec_is_the_devices() {
        let decoder = compile(r#"{"lon": "gps.lon", "lat": "gps.lat", "device": "device_name"}"#);
        let payload = r#"{"deviceInfo": {"devEui": "01", "deviceName": "bus 7"},
            "object": {"gps": {"lon": -87.6, "lat": "41.8"}, "speed": 3}}"#;
        let values = decode(&*decoder, payload).expect("values");
        assert_eq!(values.len(), 1);
        assert_eq!(values[0].position, Some((-87.6, 41.8)));
        assert_eq!(values[0].device.as_deref(), Some("bus 7"));
        let alone = r#"{"deviceInfo": {"deviceName": "bus 7"},
            "object": {"gps": {"lon": -87.6, "lat": 41.8}}}"#;
        let values = decode(&*decoder, alone).expect("a fix");
        assert_eq!((values.len(), values[0].metric.as_ref()), (1, "position_fix"));
        assert_eq!(values[0].position, Some((-87.6, 41.8)));
        assert_eq!(values[0].device.as_deref(), Some("bus 7"));
    }

    #[test]
    fn raw_bytes_without_a_codec_say_what_to_do() {
        let decoder = compile("{}");
        for object in ["", r#", "object": null"#] {
            let payload =
                format!(r#"{{"deviceInfo": {{"devEui": "01"}}, "data": "AQI="{object}}}"#);
            let error = decode(&*decoder, &payload).expect_err("no codec");
            assert_eq!(error.kind, DecodeErrorKind::NoCodec);
            assert!(error.hint.contains("Device profiles"), "{error}");
        }
        let join = r#"{"deviceInfo": {"devEui": "01"}, "devAddr": "00189440"}"#;
        let error = decode(&*decoder, join).expect_err("a join event");
        assert_eq!(error.kind, DecodeErrorKind::NoValues);
        assert!(error.message.contains("event/up"), "{error}");
    }

    #[test]
    fn version_3_is_understood() {
        let decoder = compile("{}");
        let payload = r#"{"devEUI": "AgICAgICAgI=", "deviceName": "garden", "fCnt": 10,
            "rxInfo": [{"gatewayID": "AwMDAwMDAwM=", "time": "2019-11-08T13:59:25.048445Z"}],
            "objectJSON": "{\"temperatureSensor\":25,\"open\":true}"}"#;
        let values = decode(&*decoder, payload).expect("values");
        assert_eq!(values[0].device.as_deref(), Some("0202020202020202"));
        assert_eq!(values[0].gateway.as_deref(), Some("0303030303030303"));
        assert_eq!(values[0].time, Some(Timestamp::from_micros(1_573_221_565_048_445)));
        assert_eq!(values[1].value, Value::Bool(true));
        let error = decode(&*decoder, r#"{"objectJSON": "{"}"#).expect_err("broken inside");
        assert_eq!(error.at, At::Path("objectJSON".to_owned()));
    }
}
