//! Tasmota's telemetry on `tele/{device}/SENSOR`, `…/STATE` and their like.
//!
//! ```json
//! {"Time": "2026-11-23T09:30:00", "BME280": {"Temperature": 20.5, "Humidity": 53.1},
//!  "SDS0X1": {"PM2.5": 11.8}, "PressureUnit": "hPa", "TempUnit": "C"}
//! ```
//!
//! Values are called by their path, `BME280.Temperature`; with `names = "key"`, for devices with
//! one sensor of a sort, by what follows the sensor's name, and the usual ones by the catalogue's:
//! `temperature`. Either way the shared `metrics` come first. `TempUnit`, `PressureUnit` and
//! `SpeedUnit` give the units; those of energy meters are known. `ON` and `OFF` are truth values,
//! `LWT` is the truth value `online`. Bare `nan`, which a sensor without contact sends, is no
//! value. Numbers inside `ENERGY`, `MARGINS`, `INFO1` are called by that name, as newer versions
//! send them inside `SENSOR` anyway: `ENERGY.Total`.
//!
//! | topic | |
//! |---|---|
//! | `tele/{device}/…`, `stat/{device}/…`, `{device}/tele/…` | the device may have several levels |
//! | `stat/{device}/POWER1`, or a topic of another shape | a single value, named by the last level |
//! | `stat/{device}/STATUS8`, `10`, `11` | as `SENSOR` and `STATE` |
//! | other `STATUS…`, `cmnd/…` | settings and commands: ignored on purpose |
//!
//! Options: `time_offset` or `time_zone`, because `Time` is local without saying where;
//! `device_from` = `full_topic` (as above, default) or `topic` (the source's template);
//! `names` = `path` (default) or `key`; `lon`, `lat`: the names of values that are a position.
//!
//! Source: Tasmota's documentation, MQTT and Status.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::entries::{self, DeviceFrom, Origin, Place, Values};
use crate::error::{DecodeError, OptionsError};
use crate::flat::{Entries, Flat, Name};
use crate::guard::{Guarded, Parse, Sink};
use crate::mapping::KnownName;
use crate::options::Options;
use crate::time::{self, TimeFormat};
use crate::wire::{self, Raw};
use crate::{Decoder, Example, Format, Message};

/// Tasmota's telemetry.
pub(super) struct Tasmota;

/// Names behind a sensor's name that mean the same everywhere.
const KNOWN: [KnownName; 9] = [
    ("Temperature", "temperature", ""),
    ("Humidity", "humidity", "%"),
    ("DewPoint", "dew_point", ""),
    ("Pressure", "pressure", ""),
    ("PM2.5", "pm25", "ug/m3"),
    ("PM10", "pm10", "ug/m3"),
    ("CarbonDioxide", "co2", "[ppm]"),
    ("Illuminance", "illuminance", "lx"),
    ("Power", "power", "W"),
];

impl Format for Tasmota {
    fn name(&self) -> &'static str {
        "tasmota"
    }

    fn summary(&self) -> &'static str {
        "Tasmota's telemetry (SENSOR, STATE, ENERGY) with its units"
    }

    fn summary_zh(&self) -> &'static str {
        "Tasmota 遥测消息（SENSOR、STATE、ENERGY），含单位"
    }

    fn example(&self) -> Example {
        Example {
            topic: "tele/terrace/SENSOR",
            options: r#"{"time_offset": "+01:00", "names": "key"}"#,
            payload: r#"{"Time": "2026-11-23T09:30:00",
                "BME280": {"Temperature": 20.5, "Humidity": 53.1, "Pressure": 753.3},
                "SDS0X1": {"PM2.5": 11.8}, "PressureUnit": "mmHg", "TempUnit": "C"}"#,
            values: 4,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let own = ["device_from", "names"];
        let known: Vec<&str> =
            own.into_iter().chain(time::KEYS).chain(entries::PLACE_KEYS).collect();
        let options = Options::new(options, &known)?;
        let names = [("path", false), ("key", true)];
        let reader = Reader {
            device_from: DeviceFrom::from_options(&options, "full_topic")?,
            keys: options.choice("names", &names)?.unwrap_or(false),
            time: TimeFormat::from_options(&options)?,
            place: Place::from_options(&options)?,
            units: UNITS.into_iter().collect(),
        };
        let known = if reader.keys { KNOWN.as_slice() } else { &[] };
        Guarded::knowing(reader, &options, known)
    }
}

struct Reader {
    device_from: DeviceFrom,
    /// Whether values are called by what follows the sensor's name.
    keys: bool,
    time: TimeFormat,
    place: Place,
    units: FxHashMap<&'static str, Unit>,
}

impl Parse for Reader {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let topic = Topic::read(message.topic);
        if topic.prefix == Prefix::Command || topic.is_settings() {
            sink.ignore();
            return Ok(());
        }
        let device = self.device_from.device(topic.device)?;
        let origin = Origin { device, ..Origin::default() };
        if topic.kind == "LWT" {
            return self.will(message, &origin, sink);
        }
        let single = topic.prefix != Prefix::Telemetry && !entries::is_structured(message.payload);
        if single {
            return self.single(topic.kind, message, &origin, sink);
        }
        let mut flat: Flat<'a> = wire::from_json(message.payload)?;
        self.put(&topic, flat.checked()?, origin, sink)
    }

    fn looked_for(&self) -> String {
        "values beside `Time` and the units, on a topic such as tele/{device}/SENSOR".to_owned()
    }

    fn is_json(&self) -> bool {
        true
    }
}

impl Reader {
    /// The last will: whether the device is there.
    fn will<'a>(
        &self,
        message: &Message<'a>,
        origin: &Origin<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let Some(online) = entries::online(entries::text(message.payload)?) else { return Ok(()) };
        let entry = (Name::sent(entries::ONLINE), None, Raw::Bool(online));
        entries::put(Some(entry), &self.place, origin, sink)
    }

    /// A payload that is the value itself.
    fn single<'a>(
        &self,
        name: &'a str,
        message: &Message<'a>,
        origin: &Origin<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let text = entries::text(message.payload)?.trim();
        let raw = wire::spelled(Cow::Borrowed(text)).map(entries::switched);
        let name = Name::sent(name);
        let unit = self.unit_of(name, &Units::default());
        let entry = raw.map(|raw| (name, unit, raw));
        entries::put(entry, &self.place, origin, sink)
    }

    fn put<'a>(
        &self,
        topic: &Topic<'a>,
        found: &mut Entries<'a>,
        mut origin: Origin<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let received = sink.received();
        if let Some(wrapper) = topic.wrapper() {
            found.go_inside(wrapper);
        }
        // The units come behind the values that they are for.
        let units = Units::stated(found);
        let within = topic.within();
        let mut values = Values::new(&self.place, sink);
        for (name, raw) in found.drain() {
            let path = name.as_str();
            match (path, &raw) {
                ("Time", raw) => {
                    origin.time = entries::time(&self.time, path, raw, received)?;
                    continue;
                }
                ("TempUnit" | "PressureUnit" | "SpeedUnit", Raw::Text(_)) => continue,
                _ => {}
            }
            let (unit, raw) = (self.unit_of(name, &units), entries::switched(raw));
            match within {
                Some(within) => values.add(Name::made(&format!("{within}.{path}")), unit, raw)?,
                None if self.keys => values.add(key(name), unit, raw)?,
                None => values.add(name, unit, raw)?,
            }
        }
        values.are(&origin)
    }
}

/// What a topic says.
struct Topic<'t> {
    prefix: Prefix,
    device: Option<&'t str>,
    /// The last level: `SENSOR`.
    kind: &'t str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefix {
    Telemetry,
    State,
    Command,
    Other,
}

const PREFIXES: [(&str, Prefix); 3] =
    [("tele", Prefix::Telemetry), ("stat", Prefix::State), ("cmnd", Prefix::Command)];

impl<'t> Topic<'t> {
    /// `%prefix%/%topic%/KIND`, or the device first (Tasmota's `FullTopic`).
    fn read(topic: &'t str) -> Self {
        let (around, kind) = topic.rsplit_once('/').unwrap_or(("", topic));
        for (word, prefix) in PREFIXES {
            let first = around.strip_prefix(word).and_then(|rest| rest.strip_prefix('/'));
            let last = around.strip_suffix(word).and_then(|rest| rest.strip_suffix('/'));
            if let Some(device) = first.or(last) {
                return Self { prefix, device: Some(device), kind };
            }
        }
        Self { prefix: Prefix::Other, device: None, kind }
    }

    /// The number of a status answer.
    fn status(&self) -> Option<&'t str> {
        self.kind.strip_prefix("STATUS").filter(|_| self.prefix != Prefix::Other)
    }

    /// Whether it is an answer about the device's settings, not its state.
    fn is_settings(&self) -> bool {
        self.status().is_some_and(|number| !matches!(number, "8" | "10" | "11"))
    }

    /// The object around the values of a status answer.
    fn wrapper(&self) -> Option<&'static str> {
        match self.status()? {
            "11" => Some("StatusSTS."),
            _ => Some("StatusSNS."),
        }
    }

    /// What the values are part of, where the topic says it rather than the payload.
    fn within(&self) -> Option<&'t str> {
        if self.prefix == Prefix::Other || self.status().is_some() {
            return None;
        }
        match self.kind {
            "SENSOR" | "STATE" | "RESULT" => None,
            kind if kind.starts_with("INFO") => Some("INFO"),
            kind => Some(kind),
        }
    }
}

/// The units that a message states.
#[derive(Default)]
struct Units<'a> {
    temperature: Option<Cow<'a, str>>,
    pressure: Option<Cow<'a, str>>,
    speed: Option<Cow<'a, str>>,
}

impl<'a> Units<'a> {
    fn stated(found: &Entries<'a>) -> Self {
        let mut units = Self::default();
        for (name, raw) in found.iter() {
            let Raw::Text(text) = raw else { continue };
            let unit = match name.as_str() {
                "TempUnit" => &mut units.temperature,
                "PressureUnit" => &mut units.pressure,
                "SpeedUnit" => &mut units.speed,
                _ => continue,
            };
            *unit = Some(text.clone());
        }
        units
    }
}

/// What the unit of a value is.
#[derive(Clone, Copy)]
enum Unit {
    Always(&'static str),
    /// As the message states it for temperatures, else Tasmota's default; and so on.
    Temperature,
    Pressure,
    Speed,
}

/// Units by the last name of a value.
const UNITS: [(&str, Unit); 30] = [
    ("Temperature", Unit::Temperature),
    ("DewPoint", Unit::Temperature),
    ("ReferenceTemperature", Unit::Temperature),
    ("ProbeTemperature", Unit::Temperature),
    ("Pressure", Unit::Pressure),
    ("SeaPressure", Unit::Pressure),
    ("Speed", Unit::Speed),
    ("WindSpeed", Unit::Speed),
    ("SpeedAvg", Unit::Speed),
    ("SpeedMax", Unit::Speed),
    ("Humidity", Unit::Always("%")),
    ("Illuminance", Unit::Always("lx")),
    ("CarbonDioxide", Unit::Always("[ppm]")),
    ("eCO2", Unit::Always("[ppm]")),
    ("TVOC", Unit::Always("[ppb]")),
    ("Voltage", Unit::Always("V")),
    ("Vcc", Unit::Always("V")),
    ("Current", Unit::Always("A")),
    ("Power", Unit::Always("W")),
    ("ApparentPower", Unit::Always("V.A")),
    ("ReactivePower", Unit::Always("var")),
    ("Total", Unit::Always("kW.h")),
    ("Today", Unit::Always("kW.h")),
    ("Yesterday", Unit::Always("kW.h")),
    ("Frequency", Unit::Always("Hz")),
    ("Signal", Unit::Always("dBm")),
    ("UptimeSec", Unit::Always("s")),
    ("PM1", Unit::Always("ug/m3")),
    ("PM2.5", Unit::Always("ug/m3")),
    ("PM10", Unit::Always("ug/m3")),
];

impl Reader {
    /// The unit of a value.
    fn unit_of<'a>(&self, name: Name<'_, '_>, stated: &Units<'a>) -> Option<Cow<'a, str>> {
        let last = name.last();
        let last = if last.ends_with(']') { last.split('[').next()? } else { last };
        let (unit, default) = match *self.units.get(last)? {
            Unit::Always(unit) => return Some(Cow::Borrowed(unit)),
            Unit::Temperature => (&stated.temperature, "Cel"),
            Unit::Pressure => (&stated.pressure, "hPa"),
            Unit::Speed => (&stated.speed, "km/h"),
        };
        Some(unit.clone().unwrap_or(Cow::Borrowed(default)))
    }
}

/// What follows the sensor's name.
fn key<'a: 'f, 'f>(name: Name<'a, 'f>) -> Name<'a, 'f> {
    let path = name.as_str();
    match path.bytes().position(|byte| byte == b'.') {
        // A name of its own that holds a dot.
        Some(_) if path == "PM2.5" => name,
        Some(dot) => name.after(dot + 1),
        None => name,
    }
}

#[cfg(test)]
#[path = "tasmota/tests.rs"]
mod tests;
