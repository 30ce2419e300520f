//! FIWARE's JSON: what devices send to its IoT Agent, and NGSI entities of its context brokers.
//!
//! ```json
//! {"TimeInstant": "2026-11-23T08:30:00Z", "temperature": 21.5, "location": "41.88, -87.63"}
//! ```
//! ```json
//! {"id": "urn:ngsi-ld:AirQualityObserved:17", "type": "AirQualityObserved",
//!  "dateObserved": {"type": "Property", "value": "2026-11-23T08:30:00Z"},
//!  "no2": {"type": "Property", "value": 31, "unitCode": "GQ"},
//!  "location": {"type": "GeoProperty",
//!               "value": {"type": "Point", "coordinates": [-87.63, 41.88]}}}
//! ```
//!
//! A payload is one object or an array of them; a broker's notification has its entities in
//! `data`. An object with `id` and `type` is an entity: its id is the device, unless
//! `device_from = "topic"`. An attribute is a plain value or an object with a `value`; its
//! `unitCode` (UN/CEFACT, as NGSI-LD has it) or metadata `unit` is the unit, its `observedAt` or
//! `TimeInstant` the time; else the object's `TimeInstant`, `dateObserved` or `observedAt`. A
//! point in `location`, as GeoJSON or as the text latitude, comma, longitude, is the position.
//! Other nested values are called by their path. Texts are values too.
//!
//! | topic | payload |
//! |---|---|
//! | `/json/{apikey}/{device}/attrs`, `/{apikey}/{device}/attrs` | as above |
//! | `…/attrs/{name}` | one value |
//! | `…/cmd`, `…/cmdexe`, `…/configuration/…` | ignored on purpose |
//!
//! Options: `device_from` = `topic_path` (as above, default) or `topic` (the source's template);
//! the time options for times without an offset.
//!
//! Sources: FIWARE IoT Agent for JSON, user manual; ETSI GS CIM 009 (NGSI-LD); UN/CEFACT
//! Recommendation 20 (unit codes).

use std::borrow::Cow;

use city_model::Timestamp;

use crate::entries::{self, DeviceFrom, Origin};
use crate::error::{At, DecodeError, OptionsError};
use crate::flat::{Flat, Name, Parts};
use crate::formats::ultralight::{Attrs, location};
use crate::guard::{Guarded, Parse, Sink, check_id};
use crate::options::Options;
use crate::rows;
use crate::time::{self, TimeFormat};
use crate::wire::{self, Raw};
use crate::{Decoder, Example, Format, Message};

/// FIWARE's JSON.
pub(super) struct FiwareJson;

impl Format for FiwareJson {
    fn name(&self) -> &'static str {
        "fiware_json"
    }

    fn summary(&self) -> &'static str {
        "FIWARE JSON of devices (IoT Agent) and NGSI-v2 or NGSI-LD entities"
    }

    fn summary_zh(&self) -> &'static str {
        "FIWARE JSON：设备消息（IoT Agent）与 NGSI-v2、NGSI-LD 实体"
    }

    fn example(&self) -> Example {
        Example {
            topic: "/json/4jggokgpepnvsb2uv4s40d59ov/air-17/attrs",
            options: r#"{"metrics": {"t": "temperature", "p": "pm25"}}"#,
            payload: r#"[{"TimeInstant": "2026-11-23T08:30:00Z", "t": 21.5, "p": "12"},
                {"id": "urn:ngsi-ld:Device:9", "type": "Device",
                 "no2": {"type": "Property", "value": 31, "unitCode": "GQ",
                         "observedAt": "2026-11-23T08:29:00Z"}}]"#,
            values: 3,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let known: Vec<&str> = ["device_from"].into_iter().chain(time::KEYS).collect();
        let options = Options::new(options, &known)?;
        let device_from = DeviceFrom::from_options(&options, "topic_path")?;
        let time = TimeFormat::from_options(&options)?;
        Guarded::boxed(Reader { device_from, time }, &options)
    }
}

struct Reader {
    device_from: DeviceFrom,
    time: TimeFormat,
}

impl Parse for Reader {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let topic = Attrs::read(message.topic);
        if topic == Attrs::Nothing {
            sink.ignore();
            return Ok(());
        }
        let device = self.device_from.device(topic.device())?;
        if let Attrs::One { name, .. } = topic {
            let text = entries::text(message.payload)?.trim();
            let text = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
            sink.spelled(Cow::Borrowed(name), None, Cow::Borrowed(text), || At::Message)?;
            for value in sink.found() {
                value.device.clone_from(&device);
            }
            return Ok(());
        }
        rows::each(message.payload, |_, index, flat: &mut Flat<'a>| {
            let entries = flat.checked()?;
            let notified = entries.iter().any(|(name, _)| is_notification(name.as_str()));
            if notified {
                return self.notification(entries.parts(), device.as_ref(), sink);
            }
            let read = self.object(entries.parts(), device.as_ref(), sink);
            read.map_err(|error| match index {
                Some(index) => inside(&format!("[{index}]."), error),
                None => error,
            })
        })
    }

    fn looked_for(&self) -> String {
        "attributes beside `TimeInstant`, `id` and `type`".to_owned()
    }

    fn is_json(&self) -> bool {
        true
    }
}

fn is_notification(name: &str) -> bool {
    name.starts_with("data[") || name == "subscriptionId"
}

/// The start of a notification's name that says which entity it is in: `data[3].`.
fn entity_of(name: &str) -> Option<&str> {
    let digits = name.strip_prefix("data[")?;
    let end = digits.bytes().position(|byte| byte == b']')?;
    let length = name.len() - digits.len() + end + 1;
    let dot = usize::from(name.get(length..)?.starts_with('.'));
    name.get(..length + dot)
}

/// The error with its place in the whole message.
fn inside(row: &str, error: DecodeError) -> DecodeError {
    match error.at {
        At::Path(path) => DecodeError { at: At::Path(format!("{row}{path}")), ..error },
        _ => error,
    }
}

impl Reader {
    /// The entities of a broker's notification, whose own fields are about the subscription.
    fn notification<'a: 'f, 'f>(
        &self,
        mut parts: Parts<'a, 'f>,
        device: Option<&Cow<'a, str>>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        while let Some(first) = parts.first() {
            let start = entity_of(first.as_str());
            let end = parts.position(|name| entity_of(name) != start).unwrap_or(parts.len());
            let (mut entity, after) = parts.split_at(end);
            if let Some(start) = start {
                entity.cut(start.len());
                let read = self.object(entity, device, sink);
                read.map_err(|error| inside(start, error))?;
            }
            parts = after;
        }
        Ok(())
    }

    /// The attributes of one object.
    fn object<'a>(
        &self,
        mut parts: Parts<'a, '_>,
        device: Option<&Cow<'a, str>>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut origin = Origin { device: device.cloned(), ..Origin::default() };
        let id = text_of(&parts, "id");
        let is_entity = id.is_some() && text_of(&parts, "type").is_some();
        if let (Some(id), true, DeviceFrom::Format) = (id, is_entity, self.device_from) {
            origin.device = Some(check_id(id, || At::Path("id".to_owned()))?);
        }
        let before = sink.found().len();
        while let Some(first) = parts.first() {
            let attribute = attribute_of(first.as_str());
            // A plain value has no other parts.
            let end = if attribute.len() == first.as_str().len() { Some(1) } else { None };
            let end = end.or_else(|| parts.position(|name| attribute_of(name) != attribute));
            let all = parts.len();
            let (own, after) = parts.split_at(end.unwrap_or(all));
            if !(is_entity && is_frame(attribute)) {
                self.attribute(attribute, own, &mut origin, sink)?;
            }
            parts = after;
        }
        if let (Some(position), true) = (origin.position, sink.since(before).is_empty()) {
            sink.position_fix(position)?;
        }
        for value in sink.since(before) {
            value.device.clone_from(&origin.device);
            value.time = value.time.or(origin.time);
            value.position = origin.position;
        }
        Ok(())
    }

    /// One attribute: a time or place for the others, or a value.
    fn attribute<'a>(
        &self,
        attribute: &str,
        mut parts: Parts<'a, '_>,
        origin: &mut Origin<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let inside = attribute.len();
        let value = parts.position(|name| name.len() == inside);
        let value = value.or_else(|| find(&parts, inside, ".value"));
        if matches!(attribute, "TimeInstant" | "dateObserved" | "observedAt") {
            if let Some(raw) = value.map(|place| parts.take(place)) {
                let time = entries::time(&self.time, attribute, &raw, sink.received())?;
                // The agent's own field says it best.
                let first = origin.time.is_none() || attribute == "TimeInstant";
                origin.time = if first { time } else { origin.time };
            }
            return Ok(());
        }
        if attribute == "location"
            && let Some(position) = point(&parts, inside, value)?
        {
            origin.position = Some(position);
            return Ok(());
        }
        let Some(value) = value else { return others(parts, sink) };
        // A plain value has nothing beside it.
        let plain = parts.len() == 1;
        let unit = if plain { None } else { unit(&parts, inside) };
        let time = if plain { None } else { self.time_of(&parts, inside, sink.received())? };
        let name = parts.name(value);
        let name = if name.as_str() == attribute { name } else { Name::made(attribute) };
        let before = sink.found().len();
        match parts.take(value) {
            Raw::Text(text) => {
                if let Some(raw) = wire::spelled(text) {
                    sink.called(name, unit, raw)?;
                }
            }
            raw => sink.called(name, unit, raw)?,
        }
        for value in sink.since(before) {
            value.time = time;
        }
        Ok(())
    }

    /// An attribute's own time.
    fn time_of(
        &self,
        parts: &Parts<'_, '_>,
        inside: usize,
        received: Timestamp,
    ) -> Result<Option<Timestamp>, DecodeError> {
        let keys = [".observedAt", ".metadata.TimeInstant.value"];
        let Some(place) = keys.iter().find_map(|key| find(parts, inside, key)) else {
            return Ok(None);
        };
        entries::time(&self.time, parts.name(place).as_str(), parts.raw(place), received)
    }
}

/// A nested object that is no attribute: every value by its path.
fn others<'a>(mut parts: Parts<'a, '_>, sink: &mut Sink<'_, 'a>) -> Result<(), DecodeError> {
    (0..parts.len()).try_for_each(|place| sink.called(parts.name(place), None, parts.take(place)))
}

/// The fields of an entity that are not attributes.
fn is_frame(attribute: &str) -> bool {
    matches!(attribute, "id" | "type" | "@context" | "scope")
}

/// The first name of a path.
fn attribute_of(name: &str) -> &str {
    let end = name.bytes().position(|byte| matches!(byte, b'.' | b'['));
    end.and_then(|end| name.get(..end)).unwrap_or(name)
}

/// Where the part of an attribute is that is called so behind the attribute's own name.
fn find(parts: &Parts<'_, '_>, inside: usize, ending: &str) -> Option<usize> {
    let length = inside + ending.len();
    parts.position(|name| name.len() == length && name.ends_with(ending))
}

/// A text at the top of an object.
fn text_of<'a>(parts: &Parts<'a, '_>, key: &str) -> Option<Cow<'a, str>> {
    match parts.raw(parts.position(|name| name == key)?) {
        Raw::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// A GeoJSON point, with or without an attribute around it, or a text.
fn point(
    parts: &Parts<'_, '_>,
    inside: usize,
    value: Option<usize>,
) -> Result<Option<(f64, f64)>, DecodeError> {
    if let Some(place) = value {
        return match parts.raw(place) {
            Raw::Text(text) => location(text, || At::Path(parts.name(place).as_str().to_owned())),
            _ => Ok(None),
        };
    }
    let coordinate = |endings: [&str; 2]| {
        let place = endings.into_iter().find_map(|ending| find(parts, inside, ending))?;
        Some(entries::coordinate(parts.name(place).as_str(), parts.raw(place)))
    };
    let lon = coordinate([".coordinates[0]", ".value.coordinates[0]"]);
    let lat = coordinate([".coordinates[1]", ".value.coordinates[1]"]);
    match (lon, lat) {
        (Some(lon), Some(lat)) => Ok(Some((lon?, lat?))),
        _ => Ok(None),
    }
}

/// The unit of an attribute.
fn unit<'a>(parts: &Parts<'a, '_>, inside: usize) -> Option<Cow<'a, str>> {
    let text = |ending: &str| match parts.raw(find(parts, inside, ending)?) {
        Raw::Text(text) => Some(text.clone()),
        _ => None,
    };
    let code = text(".unitCode").or_else(|| text(".metadata.unitCode.value"));
    match code {
        Some(code) => Some(ucum(&code).map_or(code, Cow::Borrowed)),
        None => text(".metadata.unit.value"),
    }
}

/// The UCUM code of a common code of UN/CEFACT Recommendation 20.
fn ucum(code: &str) -> Option<&'static str> {
    let code = match code {
        "CEL" => "Cel",
        "FAH" => "[degF]",
        "KEL" => "K",
        "P1" => "%",
        "C62" => "1",
        "59" => "[ppm]",
        "61" => "[ppb]",
        "GQ" => "ug/m3",
        "GP" => "mg/m3",
        "A97" => "hPa",
        "PAL" => "Pa",
        "KPA" => "kPa",
        "MBR" => "mbar",
        "BAR" => "bar",
        "MTS" => "m/s",
        "KMH" => "km/h",
        "MTR" => "m",
        "CMT" => "cm",
        "MMT" => "mm",
        "KMT" => "km",
        "MTQ" => "m3",
        "LTR" => "L",
        "MQH" => "m3/h",
        "MQS" => "m3/s",
        "2N" => "dB",
        "LUX" => "lx",
        "VLT" => "V",
        "AMP" => "A",
        "WTT" => "W",
        "KWT" => "kW",
        "WHR" => "W.h",
        "KWH" => "kW.h",
        "JOU" => "J",
        "HTZ" => "Hz",
        "SEC" => "s",
        "MIN" => "min",
        "HUR" => "h",
        "DAY" => "d",
        "DD" => "deg",
        "D54" => "W/m2",
        _ => return None,
    };
    Some(code)
}

#[cfg(test)]
#[path = "fiware_json/tests.rs"]
mod tests;
