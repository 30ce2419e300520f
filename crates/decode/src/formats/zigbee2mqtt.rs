//! Zigbee2MQTT's device states on `zigbee2mqtt/{friendly_name}`.
//!
//! ```json
//! {"temperature": 27.3, "humidity": 44.7, "battery": 91, "linkquality": 120,
//!  "last_seen": "2026-11-23T08:30:00Z"}
//! ```
//!
//! A friendly name may have several levels. `last_seen` is the time, if Zigbee2MQTT is set to
//! send it (`advanced.last_seen`); else it is when the message arrives. Nested values are called by
//! their path; null and empty texts are no values; `ON` and `OFF` are truth values. Units are
//! those that Zigbee2MQTT exposes. `occupancy` is a motion sensor's truth value and is therefore
//! the metric `presence`; `linkquality` is `link_quality`, `illuminance_lux` is `illuminance`.
//! `voltage` has no unit here, since battery devices send millivolts and plugs volts:
//! `metrics = { voltage = { metric = "battery_voltage", unit = "mV" } }` says which.
//!
//! | topic | |
//! |---|---|
//! | `zigbee2mqtt/{name}/availability` | the truth value `online` |
//! | `zigbee2mqtt/{name}/{attribute}` | with `output: attribute`: a single value |
//! | `zigbee2mqtt/bridge/…`, `…/set`, `…/get` | not from devices: ignored on purpose |
//!
//! The parts `update`, `device` and `color_options` of a state are about firmware and the device's
//! description; they are left out. Options: `base` = `zigbee2mqtt` (default), the base topic;
//! `device_from` = `base` (what follows it, default) or `topic` (the source's template);
//! `lon`, `lat`: the names of values that are a position; the time options for `last_seen`.
//!
//! Source: Zigbee2MQTT's documentation, MQTT topics and messages.

use std::borrow::Cow;

use crate::entries::{self, DeviceFrom, Origin, Place, Values};
use crate::error::{DecodeError, OptionsError};
use crate::flat::{self, Flat, Name};
use crate::guard::{Guarded, Parse, Sink};
use crate::mapping::KnownName;
use crate::options::Options;
use crate::time::{self, TimeFormat};
use crate::wire::{self, Raw};
use crate::{Decoder, Example, Format, Message};

/// Zigbee2MQTT's device states.
pub(super) struct Zigbee2Mqtt;

/// What Zigbee2MQTT exposes under one name with one unit (its "generic" exposes).
const KNOWN: [KnownName; 20] = [
    ("temperature", "temperature", "Cel"),
    ("device_temperature", "device_temperature", "Cel"),
    ("humidity", "humidity", "%"),
    ("soil_moisture", "soil_moisture", "%"),
    ("pressure", "pressure", "hPa"),
    ("co2", "co2", "[ppm]"),
    ("pm25", "pm25", "ug/m3"),
    ("pm10", "pm10", "ug/m3"),
    ("illuminance", "illuminance", "lx"),
    ("illuminance_lux", "illuminance", "lx"),
    ("battery", "battery", "%"),
    ("linkquality", "link_quality", ""),
    ("occupancy", "presence", ""),
    ("presence", "presence", ""),
    ("power", "power", "W"),
    ("power_apparent", "power_apparent", "V.A"),
    ("power_reactive", "power_reactive", "var"),
    ("energy", "energy", "kW.h"),
    ("current", "current", "A"),
    ("noise", "noise", "dB"),
];

impl Format for Zigbee2Mqtt {
    fn name(&self) -> &'static str {
        "zigbee2mqtt"
    }

    fn summary(&self) -> &'static str {
        "Zigbee2MQTT's device states and availability"
    }

    fn summary_zh(&self) -> &'static str {
        "Zigbee2MQTT 的设备状态与在线信息"
    }

    fn example(&self) -> Example {
        Example {
            topic: "zigbee2mqtt/hall/air",
            options: "{}",
            payload: r#"{"temperature": 27.3, "humidity": 44.7, "battery": 91, "voltage": null,
                "linkquality": 120, "last_seen": "2026-11-23T08:30:00Z"}"#,
            values: 4,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let own = ["base", "device_from"];
        let known: Vec<&str> =
            own.into_iter().chain(time::KEYS).chain(entries::PLACE_KEYS).collect();
        let options = Options::new(options, &known)?;
        let base = options.text("base")?.unwrap_or("zigbee2mqtt").trim_end_matches('/');
        let reader = Reader {
            base: format!("{base}/"),
            device_from: DeviceFrom::from_options(&options, "base")?,
            time: TimeFormat::from_options(&options)?,
            place: Place::from_options(&options)?,
        };
        Guarded::knowing(reader, &options, &KNOWN)
    }
}

struct Reader {
    /// The base topic with the slash behind it.
    base: String,
    device_from: DeviceFrom,
    time: TimeFormat,
    place: Place,
}

/// What a topic under the base is for.
enum About<'t> {
    /// Not from a device.
    Other,
    Availability(&'t str),
    State(&'t str),
}

impl Parse for Reader {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let below = message.topic.strip_prefix(&self.base);
        match about(below.unwrap_or(message.topic)) {
            About::Other => {
                sink.ignore();
                Ok(())
            }
            About::Availability(name) => self.availability(below.map(|_| name), message, sink),
            About::State(name) if entries::is_structured(message.payload) => {
                self.state(below.map(|_| name), message, sink)
            }
            About::State(name) => self.attribute(name, below.is_some(), message, sink),
        }
    }

    fn looked_for(&self) -> String {
        format!("values on a topic such as {}{{friendly_name}}", self.base)
    }

    fn is_json(&self) -> bool {
        true
    }
}

fn about(below: &str) -> About<'_> {
    // Commands are `{name}/set` and `{name}/set/{attribute}`.
    let commands = |level: &str| level == "set" || level == "get";
    if below.starts_with("bridge/") || below.split('/').skip(1).any(commands) {
        return About::Other;
    }
    match below.strip_suffix("/availability") {
        Some(name) => About::Availability(name),
        None => About::State(below),
    }
}

impl Reader {
    fn availability<'a>(
        &self,
        name: Option<&'a str>,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let online = if entries::is_structured(message.payload) {
            let mut flat: Flat<'_> = wire::from_json(message.payload)?;
            match flat.checked()?.get("state") {
                Some(Raw::Text(text)) => entries::online(text),
                _ => None,
            }
        } else {
            entries::online(entries::text(message.payload)?)
        };
        let origin = Origin { device: self.device_from.device(name)?, ..Origin::default() };
        let entry = online.map(|online| (Name::sent(entries::ONLINE), None, Raw::Bool(online)));
        entries::put(entry, &self.place, &origin, sink)
    }

    fn state<'a>(
        &self,
        name: Option<&'a str>,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut origin = Origin { device: self.device_from.device(name)?, ..Origin::default() };
        let mut values = Values::new(&self.place, sink);
        flat::each(message.payload, |name: Name<'a, '_>, raw: Raw<'a>| {
            let path = name.as_str();
            if path == "last_seen" {
                origin.time = entries::time(&self.time, path, &raw, message.received)?;
            } else if !describes(path) && !is_empty(&raw) {
                values.add(name, None, entries::switched(raw))?;
            }
            Ok(())
        })?;
        values.are(&origin)
    }

    /// A single value; the last level of the topic is its name.
    fn attribute<'a>(
        &self,
        path: &'a str,
        below: bool,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let Some((device, name)) = path.rsplit_once('/') else { return Ok(()) };
        let device = self.device_from.device(below.then_some(device))?;
        let origin = Origin { device, ..Origin::default() };
        if name == "last_seen" {
            // A time alone says nothing about the values that come on topics of their own.
            sink.ignore();
            return Ok(());
        }
        let text = entries::text(message.payload)?.trim();
        let raw = wire::spelled(Cow::Borrowed(text)).map(entries::switched);
        let entry = raw.map(|raw| (Name::sent(name), None, raw));
        entries::put(entry, &self.place, &origin, sink)
    }
}

/// Whether a value is about the device's firmware or description.
fn describes(name: &str) -> bool {
    // Nearly all names are told by their first letter.
    let part = match name.as_bytes().first() {
        Some(b'u') => "update",
        Some(b'd') => "device",
        Some(b'c') => "color_options",
        _ => return false,
    };
    let rest = name.strip_prefix(part);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// An event's name is cleared by sending it empty.
fn is_empty(raw: &Raw<'_>) -> bool {
    matches!(raw, Raw::Text(text) if text.is_empty())
}

#[cfg(test)]
#[path = "zigbee2mqtt/tests.rs"]
mod tests;
