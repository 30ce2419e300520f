//! Shelly devices of both generations.
//!
//! ```json
//! {"src": "shellyplus1pm-441793ab3fb4", "dst": "shellyplus1pm-441793ab3fb4/events",
//!  "method": "NotifyStatus",
//!  "params": {"ts": 1795422600.44, "switch:0": {"id": 0, "output": true, "apower": 61.5,
//!                                               "temperature": {"tC": 37.67, "tF": 99.81}}}}
//! ```
//!
//! | topic | |
//! |---|---|
//! | `{device}/events/rpc` | `NotifyStatus`, `NotifyFullStatus`: `switch:0.temperature.tC` |
//! | `{device}/status/{component}` | the same names; there is no time in it |
//! | `{device}/online` | the truth value `online` |
//! | `shellies/{device}/…` (first generation) | single values: `relay.0.power`, `sensor.temperature` |
//! | `NotifyEvent`, `…/command`, `…/rpc`, `announce`, `info`, `…/debug/…` | ignored on purpose |
//!
//! The device is what stands before these parts of the topic, without `shellies/`; with
//! `device_from = "topic"` the source's template says it. A `ts` before the clock was set is no
//! time. Components' own numbers (`id`), degrees Fahrenheit beside Celsius and the energy of
//! single minutes are left out. The weather stations' values have the catalogue's names
//! (`temperature:0.tC` is `temperature`); all others keep theirs, with their units.
//!
//! Source: Shelly's technical documentation, Gen1 MQTT and Gen2+ notifications and components.

use std::borrow::Cow;

use crate::entries::{self, DeviceFrom, Origin, Place, Values};
use crate::error::{At, DecodeError, OptionsError};
use crate::flat::{self, Flat, Name};
use crate::guard::{self, Guarded, Parse, Sink};
use crate::mapping::KnownName;
use crate::options::Options;
use crate::time::TimeFormat;
use crate::wire::{self, Raw};
use crate::{Decoder, Example, Format, Message};

/// Shelly devices.
pub(super) struct Shelly;

const KNOWN: [KnownName; 9] = [
    ("temperature:0.tC", "temperature", "Cel"),
    ("humidity:0.rh", "humidity", "%"),
    ("illuminance:0.lux", "illuminance", "lx"),
    ("devicepower:0.battery.percent", "battery", "%"),
    ("devicepower:0.battery.V", "battery_voltage", "V"),
    ("sensor.temperature", "temperature", "Cel"),
    ("sensor.humidity", "humidity", "%"),
    ("sensor.lux", "illuminance", "lx"),
    ("sensor.battery", "battery", "%"),
];

impl Format for Shelly {
    fn name(&self) -> &'static str {
        "shelly"
    }

    fn summary(&self) -> &'static str {
        "Shelly devices: notifications and status of the second generation, topics of the first"
    }

    fn summary_zh(&self) -> &'static str {
        "Shelly 设备：第二代的通知与状态，第一代的单值主题"
    }

    fn example(&self) -> Example {
        Example {
            topic: "shellyplus1pm-441793ab3fb4/events/rpc",
            options: r#"{"metrics": {"switch:0.apower": "lamp_power", "switch:0.output": "lamp_on"}}"#,
            payload: r#"{"src": "shellyplus1pm-441793ab3fb4",
                "dst": "shellyplus1pm-441793ab3fb4/events", "method": "NotifyStatus",
                "params": {"ts": 1795422600.44, "switch:0": {"id": 0, "output": true,
                    "apower": 61.5, "temperature": {"tC": 37.67, "tF": 99.81}}}}"#,
            values: 3,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let options = Options::new(options, &["device_from"])?;
        let device_from = DeviceFrom::from_options(&options, "prefix")?;
        let time = TimeFormat::unix_s();
        Guarded::knowing(Reader { device_from, time, place: Place::default() }, &options, &KNOWN)
    }
}

struct Reader {
    device_from: DeviceFrom,
    time: TimeFormat,
    place: Place,
}

/// What a topic is for.
enum About<'t> {
    Nothing,
    Online,
    Rpc,
    /// The state of one component.
    Status(&'t str),
    /// A value of the first generation, by the levels of its topic.
    Value(&'t str),
}

impl Parse for Reader {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let (id, about) = read_topic(message.topic);
        let origin = Origin { device: self.device_from.device(id)?, ..Origin::default() };
        match about {
            About::Nothing => {
                sink.ignore();
                Ok(())
            }
            About::Online => {
                let online = entries::online(entries::text(message.payload)?);
                let entry = online.map(|on| (Name::sent(entries::ONLINE), None, Raw::Bool(on)));
                entries::put(entry, &self.place, &origin, sink)
            }
            About::Rpc => self.rpc(message, origin, sink),
            About::Status(component) => self.below(component, message, &origin, sink),
            About::Value(path) if entries::is_structured(message.payload) => {
                self.below(path, message, &origin, sink)
            }
            About::Value(path) => {
                let text = entries::text(message.payload)?.trim();
                let raw = wire::spelled(Cow::Borrowed(text)).map(entries::switched);
                let name = path.replace('/', ".");
                let name = Name::made(&name);
                let raw = raw.filter(|_| !is_left_out(name));
                let entry = raw.map(|raw| (name, unit_of(name), raw));
                entries::put(entry, &self.place, &origin, sink)
            }
        }
    }

    fn looked_for(&self) -> String {
        "values on a topic such as {device}/events/rpc, {device}/status/{component} or \
         shellies/{device}/…"
            .to_owned()
    }

    fn is_json(&self) -> bool {
        true
    }
}

/// The notifications with values.
const STATES: [&str; 2] = ["NotifyStatus", "NotifyFullStatus"];

impl Reader {
    /// A notification, with the components' states in `params`.
    fn rpc<'a>(
        &self,
        message: &Message<'a>,
        mut origin: Origin<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut flat: Flat<'a> = wire::from_json(message.payload)?;
        let found = flat.checked()?;
        match found.get("method") {
            Some(Raw::Text(method)) if STATES.contains(&&**method) => {}
            // Events of buttons and the like.
            Some(Raw::Text(_)) => {
                sink.ignore();
                return Ok(());
            }
            _ => return Ok(()),
        }
        let mut values = Values::new(&self.place, sink);
        for (name, raw) in found.drain() {
            match (name.strip_prefix("params."), raw) {
                (Some(inside), raw) if inside.as_str() == "ts" => {
                    let read = entries::time(&self.time, name.as_str(), &raw, message.received);
                    origin.time = read?;
                }
                (Some(inside), raw) if !is_left_out(inside) => {
                    values.add(inside, unit_of(inside), entries::switched(raw))?;
                }
                (None, Raw::Text(text))
                    if name.as_str() == "src"
                        && origin.device.is_none()
                        && self.device_from == DeviceFrom::Format =>
                {
                    let checked = guard::check_id(text, || At::Path("src".to_owned()));
                    origin.device = Some(checked?);
                }
                _ => {}
            }
        }
        values.are(&origin)
    }

    /// The values of an object, called by their path below a component.
    fn below<'a>(
        &self,
        component: &str,
        message: &Message<'a>,
        origin: &Origin<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut path = component.replace('/', ".");
        path.push('.');
        let around = path.len();
        let mut values = Values::new(&self.place, sink);
        flat::each(message.payload, |name: Name<'a, '_>, raw: Raw<'a>| {
            path.truncate(around);
            path.push_str(name.as_str());
            let name = Name::made(&path);
            if !is_left_out(name) {
                values.add(name, unit_of(name), entries::switched(raw))?;
            }
            Ok(())
        })?;
        values.are(origin)
    }
}

/// The device and what the topic is for.
fn read_topic(topic: &str) -> (Option<&str>, About<'_>) {
    let id = |prefix| Some(str::strip_prefix(prefix, "shellies/").unwrap_or(prefix));
    if let Some(prefix) = topic.strip_suffix("/events/rpc") {
        return (id(prefix), About::Rpc);
    }
    if let Some((prefix, component)) = topic.split_once("/status/") {
        return (id(prefix), About::Status(component));
    }
    if let Some(prefix) = topic.strip_suffix("/online") {
        return (id(prefix), About::Online);
    }
    let ends = ["/command", "/rpc", "/announce", "/info", "/set"];
    if ends.iter().any(|end| topic.ends_with(end)) || topic.contains("/debug/") {
        return (None, About::Nothing);
    }
    match topic.strip_prefix("shellies/").and_then(|rest| rest.split_once('/')) {
        Some((device, path)) => (Some(device), About::Value(path)),
        None => (None, About::Rpc),
    }
}

/// Whether a value says nothing that another one does not say better.
fn is_left_out(name: Name<'_, '_>) -> bool {
    let last = name.last();
    matches!(last, "id" | "tF" | "minute_ts" | "temperature_f") || last.starts_with("by_minute[")
}

/// The unit of a value by its last name.
fn unit_of(name: Name<'_, '_>) -> Option<Cow<'static, str>> {
    let last = name.last();
    let around = name.as_str().strip_suffix(last).unwrap_or_default().trim_end_matches('.');
    let first_generation = !around.contains(':');
    let unit = match last {
        "tC" => "Cel",
        "rh" | "percent" | "humidity" => "%",
        "lux" => "lx",
        "rssi" => "dBm",
        "freq" => "Hz",
        // The first generation counts the energy of relays and meters in watt-minutes.
        "energy" | "returned_energy" if first_generation => "W.min",
        "total" if around.ends_with("energy") || first_generation && around.contains("emeter") => {
            "W.h"
        }
        "temperature" if first_generation => "Cel",
        "V" => "V",
        "power" if first_generation => "W",
        "reactive_power" => "var",
        _ if last.ends_with("voltage") => "V",
        _ if last.ends_with("current") => "A",
        _ if last.ends_with("act_power") || last == "apower" => "W",
        _ if last.ends_with("aprt_power") => "V.A",
        _ if last.ends_with("act_energy") || last.ends_with("act_ret_energy") => "W.h",
        _ => return None,
    };
    Some(Cow::Borrowed(unit))
}

#[cfg(test)]
#[path = "shelly/tests.rs"]
mod tests;
