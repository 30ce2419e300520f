//! The payload formats in which devices send: encoders of our own, written from the formats'
//! documents and not from the platform's decoders.
//!
//! To add a format: one file here and one line in [`FORMATS`].

mod chirpstack;
mod json;
mod line_protocol;
mod lorawan;
mod senml;
mod ttn;

pub(crate) use senml::Pack;

use jiff::Timestamp;

use crate::{DeviceSpec, Sample, Value};

/// Every format there is.
pub static FORMATS: &[&dyn Encoder] = &[
    &json::Json,
    &senml::Senml,
    &line_protocol::LineProtocol,
    &chirpstack::ChirpStack,
    &ttn::TheThingsStack,
];

/// A way to put measurements into MQTT messages.
pub trait Encoder: Send + Sync {
    /// Its name in scenarios and in the platform's source configuration.
    fn name(&self) -> &'static str;

    /// Through what devices with this format send.
    fn via(&self) -> Via;

    /// The messages for records of one sender, in the order of time; at least one record.
    fn encode(&self, records: &[Record<'_>]) -> Vec<Uplink>;
}

/// Through what a device sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Its own connection.
    Direct,
    /// A LoRaWAN gateway, each message for itself.
    Lorawan,
    /// A cabinet that collects several devices into one message.
    Cabinet,
}

/// The format with this name.
pub fn format(name: &str) -> Option<&'static dyn Encoder> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// What one device has to say about one moment.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// The device.
    pub device: &'a DeviceSpec,
    /// When it measured.
    pub time: Timestamp,
    /// What it measured.
    pub samples: Vec<Sample>,
    /// Where it was (lon, lat in WGS-84), if it moves.
    pub position: Option<(f64, f64)>,
    /// How many messages it has sent before this one.
    pub counter: u32,
    /// The device's own random number: hardware addresses follow from it.
    pub seed: u64,
}

/// An MQTT message ready to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uplink {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
    /// How many values it holds.
    pub readings: u32,
}

/// A value as JSON.
pub(crate) fn json_value(value: Value) -> serde_json::Value {
    match value {
        Value::Number(number) => number.into(),
        Value::Integer(count) => count.into(),
        Value::Bool(state) => state.into(),
    }
}

/// The values of a record as a JSON object, under the firmware's names.
fn json_object(record: &Record<'_>) -> serde_json::Map<String, serde_json::Value> {
    record.samples.iter().map(|s| (s.sent.to_owned(), json_value(s.value))).collect()
}

/// JSON with nothing that could fail to be written.
fn bytes(value: &serde_json::Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[cfg(test)]
mod tests;
