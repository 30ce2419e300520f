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
use crate::formats::ultralight::{Attrs, location};
use crate::guard::{Guarded, Parse, Sink, check_id};
use crate::options::Options;
use crate::time::{self, TimeFormat};
use crate::wire::{self, Flat, Raw};
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
        let flat: Flat<'a> = wire::from_json(message.payload)?;
        let mut entries: Entries<'a> =
            flat.checked()?.into_iter().map(|(name, raw)| (name, Some(raw))).collect();
        let mut rest = entries.as_mut_slice();
        // A notification's own fields are about the subscription.
        let notified =
            rest.iter().any(|(name, _)| name.starts_with("data[") || name == "subscriptionId");
        while let Some((name, _)) = rest.first() {
            let row = row_of(name, notified);
            let end = rest.iter().position(|(name, _)| row_of(name, notified) != row);
            let (end, start) = (end.unwrap_or(rest.len()), row.map(str::len));
            let (object, after) = rest.split_at_mut(end);
            if start.is_some() || !notified {
                self.object(object, start.unwrap_or(0), device.as_ref(), sink)?;
            }
            rest = after;
        }
        Ok(())
    }

    fn looked_for(&self) -> String {
        "attributes beside `TimeInstant`, `id` and `type`".to_owned()
    }

    fn is_json(&self) -> bool {
        true
    }
}

/// What is left of a flattened message; values are taken out.
type Entries<'a> = Vec<(Cow<'a, str>, Option<Raw<'a>>)>;

/// The start of a name that says which object of an array it is in: `[3].` or `data[3].`.
fn row_of(name: &str, notified: bool) -> Option<&str> {
    let inside = if notified { name.strip_prefix("data")? } else { name };
    let digits = inside.strip_prefix('[')?;
    let end = digits.find(']')?;
    let length = name.len() - digits.len() + end + 1;
    let dot = usize::from(name.get(length..)?.starts_with('.'));
    name.get(..length + dot)
}

impl Reader {
    /// The attributes of one object, whose names begin after `start` bytes.
    fn object<'a>(
        &self,
        entries: &mut [(Cow<'a, str>, Option<Raw<'a>>)],
        start: usize,
        device: Option<&Cow<'a, str>>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut origin = Origin { device: device.cloned(), ..Origin::default() };
        let is_entity = ["id", "type"].iter().all(|key| text_of(entries, start, key).is_some());
        if let Some((place, id)) = text_of(entries, start, "id").filter(|_| is_entity)
            && self.device_from == DeviceFrom::Format
        {
            origin.device = Some(check_id(id, || at(entries, place))?);
        }
        let before = sink.found().len();
        let mut rest = entries;
        while let Some((name, _)) = rest.first() {
            let attribute = attribute_of(name, start).to_owned();
            let end = rest.iter().position(|(name, _)| attribute_of(name, start) != attribute);
            let (parts, after) = rest.split_at_mut(end.unwrap_or(rest.len()));
            if !(is_entity && is_frame(&attribute)) {
                self.attribute(&attribute, parts, start, &mut origin, sink)?;
            }
            rest = after;
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
        parts: &mut [(Cow<'a, str>, Option<Raw<'a>>)],
        start: usize,
        origin: &mut Origin<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let inside = start + attribute.len();
        let value = part(parts, inside, "").or_else(|| part(parts, inside, ".value"));
        if matches!(attribute, "TimeInstant" | "dateObserved" | "observedAt") {
            if let Some(raw) = value.and_then(|place| parts[place].1.take()) {
                let time = entries::time(&self.time, attribute, &raw, sink.received())?;
                // The agent's own field says it best.
                let first = origin.time.is_none() || attribute == "TimeInstant";
                origin.time = if first { time } else { origin.time };
            }
            return Ok(());
        }
        if attribute == "location"
            && let Some(position) = point(parts, inside, value)?
        {
            origin.position = Some(position);
            return Ok(());
        }
        let Some(value) = value else { return others(parts, start, sink) };
        let unit = unit(parts, inside);
        let time = self.time_of(parts, inside, sink.received())?;
        let Some(raw) = parts[value].1.take() else { return Ok(()) };
        let before = sink.found().len();
        let name = Cow::Owned(attribute.to_owned());
        let at = || At::Path(attribute.to_owned());
        match raw {
            Raw::Text(text) => sink.spelled(name, unit, text, at)?,
            raw => sink.named(name, unit, raw, at)?,
        }
        for value in sink.since(before) {
            value.time = time;
        }
        Ok(())
    }

    /// An attribute's own time.
    fn time_of(
        &self,
        parts: &[(Cow<'_, str>, Option<Raw<'_>>)],
        inside: usize,
        received: Timestamp,
    ) -> Result<Option<Timestamp>, DecodeError> {
        let keys = [".observedAt", ".metadata.TimeInstant.value"];
        match keys.iter().find_map(|key| part(parts, inside, key)) {
            Some(place) => match &parts[place] {
                (name, Some(raw)) => entries::time(&self.time, name, raw, received),
                (_, None) => Ok(None),
            },
            None => Ok(None),
        }
    }
}

/// A nested object that is no attribute: every value by its path.
fn others<'a>(
    parts: &mut [(Cow<'a, str>, Option<Raw<'a>>)],
    start: usize,
    sink: &mut Sink<'_, 'a>,
) -> Result<(), DecodeError> {
    for (name, raw) in parts {
        let Some(raw) = raw.take() else { continue };
        let name = name.get(start..).unwrap_or_default().to_owned();
        let path = name.clone();
        sink.named(Cow::Owned(name), None, raw, move || At::Path(path))?;
    }
    Ok(())
}

fn at(entries: &[(Cow<'_, str>, Option<Raw<'_>>)], place: usize) -> At {
    entries.get(place).map_or(At::Message, |(name, _)| At::Path(name.to_string()))
}

/// The fields of an entity that are not attributes.
fn is_frame(attribute: &str) -> bool {
    matches!(attribute, "id" | "type" | "@context" | "scope")
}

/// The first name of a path.
fn attribute_of(name: &str, start: usize) -> &str {
    let name = name.get(start..).unwrap_or_default();
    name.split_once(['.', '[']).map_or(name, |(first, _)| first)
}

/// Where the part of an attribute with this ending is.
fn part(parts: &[(Cow<'_, str>, Option<Raw<'_>>)], inside: usize, ending: &str) -> Option<usize> {
    parts.iter().position(|(name, _)| name.get(inside..) == Some(ending))
}

/// A text at the top of an object.
fn text_of<'a>(
    entries: &[(Cow<'a, str>, Option<Raw<'a>>)],
    start: usize,
    key: &str,
) -> Option<(usize, Cow<'a, str>)> {
    let place = entries.iter().position(|(name, _)| name.get(start..) == Some(key))?;
    match &entries[place].1 {
        Some(Raw::Text(text)) => Some((place, text.clone())),
        _ => None,
    }
}

/// A GeoJSON point, with or without an attribute around it, or a text.
fn point(
    parts: &[(Cow<'_, str>, Option<Raw<'_>>)],
    inside: usize,
    value: Option<usize>,
) -> Result<Option<(f64, f64)>, DecodeError> {
    if let Some(place) = value {
        return match &parts[place] {
            (name, Some(Raw::Text(text))) => location(text, || At::Path(name.to_string())),
            _ => Ok(None),
        };
    }
    let coordinate = |index: usize| {
        let endings = [format!(".coordinates[{index}]"), format!(".value.coordinates[{index}]")];
        let place = endings.iter().find_map(|ending| part(parts, inside, ending))?;
        let (name, raw) = &parts[place];
        raw.as_ref().map(|raw| entries::coordinate(name, raw))
    };
    match (coordinate(0), coordinate(1)) {
        (Some(lon), Some(lat)) => Ok(Some((lon?, lat?))),
        _ => Ok(None),
    }
}

/// The unit of an attribute.
fn unit<'a>(parts: &[(Cow<'a, str>, Option<Raw<'a>>)], inside: usize) -> Option<Cow<'a, str>> {
    let text = |ending: &str| match &parts[part(parts, inside, ending)?].1 {
        Some(Raw::Text(text)) => Some(text.clone()),
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
