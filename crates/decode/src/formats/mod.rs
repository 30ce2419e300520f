//! The payload formats: one file each, and one line each in [`FORMATS`].

mod chirpstack;
mod chirpstack_protobuf;
mod csv;
mod fiware_json;
pub(crate) mod hj212;
mod json;
mod line_protocol;
mod loriot;
mod senml;
mod shelly;
mod sparkplug_b;
mod tasmota;
mod thingpark;
mod thingsboard;
mod ttn;
mod ultralight;
mod zigbee2mqtt;

use crate::Format;

/// All formats.
pub static FORMATS: &[&dyn Format] = &[
    &json::Json,
    &senml::Senml,
    &line_protocol::LineProtocol,
    &chirpstack::ChirpStack,
    &ttn::TheThingsStack,
    &loriot::Loriot,
    &thingpark::ThingPark,
    &hj212::Hj212,
    &sparkplug_b::SparkplugB,
    &tasmota::Tasmota,
    &zigbee2mqtt::Zigbee2Mqtt,
    &shelly::Shelly,
    &thingsboard::ThingsBoard,
    &ultralight::UltraLight,
    &fiware_json::FiwareJson,
    &csv::Csv,
];

/// The format with this name.
pub fn format(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}
