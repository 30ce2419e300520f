//! ChirpStack v4 uplink events in Protocol Buffers: the same events as in JSON, when the MQTT
//! integration of ChirpStack is set to `json = false`. The option `encoding` of
//! [`super::chirpstack`] leads here.
//!
//! The messages are those parts of `integration.UplinkEvent` that are read, with the field
//! numbers of ChirpStack's `api/proto/integration/integration.proto` and `api/proto/gw/gw.proto`;
//! `object` is a `google.protobuf.Struct`. Fields that are zero are not sent, so a missing `f_cnt`
//! is 0.

use std::borrow::Cow;
use std::collections::BTreeMap;

use city_model::Timestamp;
use prost::Message as _;

use super::chirpstack::{Device, HINT, LOOKED_FOR};
use crate::Message;
use crate::error::{At, DecodeError, DecodeErrorKind};
use crate::flat::{self, Flat};
use crate::guard::{Parse, Sink};
use crate::limits::MAX_NAME;
use crate::lorawan::{self, Body, Bytes, Header, Uplinks};
use crate::wire::{Raw, Text};

/// Uplinks in Protocol Buffers.
pub(super) struct Protobuf(pub(super) Uplinks<Device>);

#[derive(Clone, PartialEq, prost::Message)]
struct UplinkEvent {
    #[prost(string, tag = "1")]
    deduplication_id: String,
    #[prost(message, optional, tag = "2")]
    time: Option<Instant>,
    #[prost(message, optional, tag = "3")]
    device_info: Option<DeviceInfo>,
    #[prost(uint32, tag = "7")]
    f_cnt: u32,
    #[prost(uint32, tag = "8")]
    f_port: u32,
    #[prost(bytes = "vec", tag = "10")]
    data: Vec<u8>,
    #[prost(message, optional, tag = "11")]
    object: Option<Struct>,
    #[prost(message, repeated, tag = "12")]
    rx_info: Vec<UplinkRxInfo>,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Instant {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct DeviceInfo {
    #[prost(string, tag = "7")]
    device_name: String,
    #[prost(string, tag = "8")]
    dev_eui: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct UplinkRxInfo {
    #[prost(string, tag = "1")]
    gateway_id: String,
    #[prost(int32, tag = "6")]
    rssi: i32,
}

/// `google.protobuf.Struct`.
#[derive(Clone, PartialEq, prost::Message)]
struct Struct {
    #[prost(btree_map = "string, message", tag = "1")]
    fields: BTreeMap<String, Any>,
}

/// `google.protobuf.Value`.
#[derive(Clone, PartialEq, prost::Message)]
struct Any {
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Kind {
    #[prost(int32, tag = "1")]
    Null(i32),
    #[prost(double, tag = "2")]
    Number(f64),
    #[prost(string, tag = "3")]
    Text(String),
    #[prost(bool, tag = "4")]
    Bool(bool),
    #[prost(message, tag = "5")]
    Object(Struct),
    #[prost(message, tag = "6")]
    List(ListValue),
}

/// `google.protobuf.ListValue`.
#[derive(Clone, PartialEq, prost::Message)]
struct ListValue {
    #[prost(message, repeated, tag = "1")]
    values: Vec<Any>,
}

impl Parse for Protobuf {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut event = UplinkEvent::decode(message.payload).map_err(|error| {
            DecodeError::new(
                DecodeErrorKind::Malformed,
                At::Message,
                format!("no uplink event in Protocol Buffers: {error}"),
                "check that the source's topics are uplink events \
                 (application/+/device/+/event/up) and that ChirpStack's MQTT integration has \
                 json = false; for JSON leave the option encoding out",
            )
        })?;
        let decoded = match event.object.take() {
            None => None,
            Some(object) => Some(flatten(object)?),
        };
        let body = Body {
            decoded,
            decoded_at: "object",
            bytes: Some(Bytes::Plain(std::mem::take(&mut event.data))),
            bytes_at: "data",
            f_port: Some(u64::from(event.f_port)).filter(|port| *port > 0),
            hint: HINT,
        };
        let header = header(self.0.device, event)?;
        self.0.take(message, body, header, sink)
    }

    fn looked_for(&self) -> String {
        LOOKED_FOR.to_owned()
    }
}

fn header<'a>(by: Device, event: UplinkEvent) -> Result<Header<'a>, DecodeError> {
    let text = |text: String| Some(Text(Cow::Owned(text)));
    let info = event.device_info.unwrap_or_default();
    let device = match by {
        Device::Eui => lorawan::eui(text(info.dev_eui), "device_info.dev_eui")?,
        Device::Name => lorawan::id(text(info.device_name), "device_info.device_name")?,
    };
    // Of equals `max_by` takes the last, so the first is put there.
    let best = event.rx_info.into_iter().rev().max_by_key(|gateway| gateway.rssi);
    let gateway = best.and_then(|best| text(best.gateway_id));
    Ok(Header {
        device,
        time: event.time.map(instant).transpose()?,
        sequence: Some(u64::from(event.f_cnt)),
        dedup: lorawan::id(text(event.deduplication_id), "deduplication_id")?,
        gateway: lorawan::id(gateway, "rx_info[0].gateway_id")?,
        ..Header::default()
    })
}

fn instant(instant: Instant) -> Result<Timestamp, DecodeError> {
    let whole = instant.seconds.checked_mul(1_000_000);
    let micros = whole.and_then(|micros| micros.checked_add(i64::from(instant.nanos / 1_000)));
    let time = micros.map(Timestamp::from_micros).filter(|time| time.is_writable());
    time.ok_or_else(|| {
        DecodeError::new(
            DecodeErrorKind::BadTime,
            At::Path("time".to_owned()),
            format!("the time of {} s since 1970 is out of range", instant.seconds),
            "check the clock of the network server",
        )
    })
}

/// The codec's output by path, as in JSON.
fn flatten<'a>(object: Struct) -> Result<Flat<'a>, DecodeError> {
    let mut flat = Flat::default();
    for (name, value) in object.fields {
        put(&name, value, &mut flat)?;
    }
    Ok(flat)
}

/// Recursion ends with the depth that `prost` itself allows.
fn put(name: &str, value: Any, flat: &mut Flat<'_>) -> Result<(), DecodeError> {
    if name.len() > MAX_NAME {
        return Err(flat::long_name(name));
    }
    let raw = match value.kind {
        None | Some(Kind::Null(_)) => return Ok(()),
        Some(Kind::Number(number)) => Raw::Number(number),
        Some(Kind::Text(text)) => Raw::Text(Cow::Owned(text)),
        Some(Kind::Bool(flag)) => Raw::Bool(flag),
        Some(Kind::Object(object)) => {
            for (key, value) in object.fields {
                put(&format!("{name}.{key}"), value, flat)?;
            }
            return Ok(());
        }
        Some(Kind::List(list)) => {
            for (index, value) in list.values.into_iter().enumerate() {
                put(&format!("{name}[{index}]"), value, flat)?;
            }
            return Ok(());
        }
    };
    flat.push(name, raw)
}

#[cfg(test)]
#[path = "chirpstack_protobuf/tests.rs"]
mod tests;
