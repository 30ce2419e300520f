//! SenML in JSON or CBOR (RFC 8428); the first byte tells which.
//!
//! ```json
//! [{"bn": "urn:dev:mac:0024befffe804ff1:", "bt": 1795422600, "n": "temp", "u": "Cel", "v": 21.5},
//!  {"n": "rh", "u": "%RH", "v": 40, "t": -60},
//!  {"u": "lon", "v": -87.63}, {"u": "lat", "v": 41.88}]
//! ```
//!
//! Base fields are resolved (clause 4.1); a time below 2^28 is relative to when the message
//! arrived (4.5.3); without base time and time it has none of its own. Records with the units `lon` and `lat` are no values but the position of
//! their device at their time; where it measured nothing at that time, they become the truth
//! value `position_fix`. A sum (`s`) is a metric of its own, `<name>_sum`. With a base value a
//! record without a value has the value 0 plus that, and the same with sums (4.5.4); a record of
//! base fields alone measures nothing. Unknown fields are ignored, unless their name ends in `_`
//! (4.4). Data values (`vd`) stay base64 texts. Secondary units (RFC 9100) are understood.
//!
//! Which part of a name is the device, which the metric:
//!
//! | `device_from` | device | metric |
//! |---|---|---|
//! | `base` (default) | the base name without `:`, `/`, `-`, `_`, `.` at its end; without base name the topic's, unless the name is a `urn:dev:` | the name |
//! | `name` | base name and name up to the last `:` or `/` | what follows |
//! | `topic` | not in the payload | base name and name |
//!
//! A record without a name of its own is called by its unit, so that the shared option
//! `metrics = { "%RH" = "humidity" }` can name it.

mod cbor;
mod field;
mod pack;

use std::borrow::Cow;
use std::slice::SliceIndex;

use city_model::Timestamp;
use rustc_hash::FxHashMap;

use crate::error::{At, DecodeError, OptionsError};
use crate::guard::{Guarded, Parse, Sink, check_id};
use crate::options::Options;
use crate::wire::Raw;
use crate::{Decoder, Example, Format, Message};
use pack::Resolved;

/// SenML in JSON or CBOR.
pub(super) struct Senml;

impl Format for Senml {
    fn name(&self) -> &'static str {
        "senml"
    }

    fn summary(&self) -> &'static str {
        "SenML in JSON or CBOR (RFC 8428) with base fields, relative times and positions"
    }

    fn summary_zh(&self) -> &'static str {
        "SenML 的 JSON 或 CBOR 表示（RFC 8428），支持基础字段、相对时间与位置"
    }

    fn example(&self) -> Example {
        Example {
            topic: "city/weather/roof/up",
            options: r#"{"metrics": {"temp": "temperature", "rh": "humidity"}}"#,
            payload: r#"[{"bn": "urn:dev:mac:0024befffe804ff1:", "bt": 1795422600,
                "n": "temp", "u": "Cel", "v": 21.5}, {"n": "rh", "u": "%RH", "v": 40, "t": -60},
                {"u": "lon", "v": -87.63}, {"u": "lat", "v": 41.88}]"#,
            values: 2,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let options = Options::new(options, &["device_from"])?;
        let choices =
            [("base", DeviceFrom::Base), ("name", DeviceFrom::Name), ("topic", DeviceFrom::Topic)];
        let device_from = options.choice("device_from", &choices)?.unwrap_or(DeviceFrom::Base);
        Guarded::boxed(Reader { device_from }, &options)
    }
}

#[derive(Clone, Copy, Debug)]
enum DeviceFrom {
    Base,
    Name,
    Topic,
}

struct Reader {
    device_from: DeviceFrom,
}

impl Parse for Reader {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut places = Places { received: message.received, known: FxHashMap::default() };
        pack::read(message, |index, record| {
            let at = || At::Path(format!("[{index}]"));
            let (device, name) = self.split(&record);
            let device = device.map(|device| check_id(device, at)).transpose()?;
            match (record.unit.as_deref(), &record.value) {
                (Some("lon"), Some(raw)) => places.at(device, record.time).lon = finite(raw),
                (Some("lat"), Some(raw)) => places.at(device, record.time).lat = finite(raw),
                _ => put(record, device.as_ref(), name, sink, at)?,
            }
            Ok(())
        })?;
        places.give_to(sink)
    }

    fn is_json(&self) -> bool {
        true
    }

    fn looked_for(&self) -> String {
        "records with v, vs, vb, vd or s that are not positions".to_owned()
    }
}

/// The value of a record, and its sum.
fn put<'a>(
    record: Resolved<'a>,
    device: Option<&Cow<'a, str>>,
    name: Cow<'a, str>,
    sink: &mut Sink<'_, 'a>,
    at: impl Fn() -> At,
) -> Result<(), DecodeError> {
    let name = if name.is_empty() { record.unit.clone().unwrap_or_default() } else { name };
    let before = sink.found().len();
    if let Some(sum) = record.sum {
        let name = Cow::Owned(format!("{name}_sum"));
        sink.named(name, None, Raw::Number(sum), &at)?;
    }
    if let Some(raw) = record.value {
        sink.named(name, record.unit, raw, &at)?;
    }
    for value in sink.since(before) {
        value.device = device.cloned();
        value.time = record.time;
    }
    Ok(())
}

/// Punctuation between a device's part of a base name and the names behind it.
const SEPARATORS: [char; 5] = [':', '/', '-', '_', '.'];

impl Reader {
    /// The device's id, if the payload has one, and the metric's name.
    fn split<'a>(&self, record: &Resolved<'a>) -> (Option<Cow<'a, str>>, Cow<'a, str>) {
        match self.device_from {
            DeviceFrom::Topic => (None, record.full_name()),
            DeviceFrom::Name => {
                let full = record.full_name();
                match full.rfind([':', '/']) {
                    Some(end) => (Some(part(&full, ..end)), part(&full, end + 1..)),
                    None => (None, full),
                }
            }
            DeviceFrom::Base => match &record.base_name {
                Some(base) if !base.is_empty() => {
                    let end = base.trim_end_matches(SEPARATORS).len();
                    (Some(part(base, ..end)), record.name.clone())
                }
                // A device URN (RFC 9039) alone can only be the device.
                _ if record.name.starts_with("urn:dev:") => {
                    (Some(record.name.clone()), Cow::Borrowed(""))
                }
                _ => (None, record.name.clone()),
            },
        }
    }
}

/// A part of a text, borrowed if the text is.
fn part<'a>(text: &Cow<'a, str>, range: impl SliceIndex<str, Output = str>) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
        Cow::Owned(text) => Cow::Owned(text[range].to_owned()),
    }
}

/// Where a device was at one time, as far as it is known.
#[derive(Default)]
struct Place {
    lon: Option<f64>,
    lat: Option<f64>,
    /// The time that it was sent with.
    time: Option<Timestamp>,
    /// Whether a value was measured there.
    taken: bool,
}

/// Positions by device and time.
struct Places<'a> {
    received: Timestamp,
    known: FxHashMap<(Option<Cow<'a, str>>, Timestamp), Place>,
}

impl<'a> Places<'a> {
    fn at(&mut self, device: Option<Cow<'a, str>>, time: Option<Timestamp>) -> &mut Place {
        let place = self.known.entry((device, time.unwrap_or(self.received))).or_default();
        place.time = place.time.or(time);
        place
    }

    /// Gives values their positions; positions without values become some.
    fn give_to(mut self, sink: &mut Sink<'_, 'a>) -> Result<(), DecodeError> {
        if self.known.is_empty() {
            return Ok(());
        }
        for value in sink.found() {
            let key = (value.device.clone(), value.time.unwrap_or(self.received));
            if let Some(place) = self.known.get_mut(&key) {
                place.taken = true;
                value.position = place.lon.zip(place.lat);
            }
        }
        let alone = self.known.into_iter().filter(|(_, place)| !place.taken);
        let fixes =
            alone.filter_map(|(key, place)| Some((key, place.time, place.lon.zip(place.lat)?)));
        let mut fixes: Vec<_> = fixes.collect();
        fixes.sort_by(|(a, ..), (b, ..)| (a.1, &a.0).cmp(&(b.1, &b.0)));
        for ((device, _), time, position) in fixes {
            let before = sink.found().len();
            sink.position_fix(position)?;
            for value in sink.since(before) {
                value.device.clone_from(&device);
                value.time = time;
            }
        }
        Ok(())
    }
}

fn finite(raw: &Raw<'_>) -> Option<f64> {
    raw.as_number().filter(|number| number.is_finite())
}

#[cfg(test)]
#[path = "senml/tests.rs"]
mod tests;
