//! InfluxDB line protocol, as Telegraf and many gateways send it.
//!
//! ```text
//! air,device=air-17,street=Main\ St pm25=12.5,ok=true,n=42i 1795422600000000000
//! ```
//!
//! The syntax is that of InfluxData's reference decoder and its corpus. One wrong line makes the
//! whole message an error. Options:
//!
//! ```toml
//! device_tag = "device"                # the tag that holds the device's id
//! name = "{field}"                     # the sent name: {measurement} and {field} are filled in
//! precision = "ns"                     # of timestamps: ns, us, ms, s
//! lon = "lon"                          # fields with the position; none by default
//! lat = "lat"
//! ```
//!
//! Without the tag, the topic says which device it is. A line with a position and no other field
//! becomes the truth value `position_fix`.

mod syntax;

use std::borrow::Cow;

use city_model::Timestamp;

use crate::error::{At, DecodeError, DecodeErrorKind, OptionsError};
use crate::guard::{Guarded, Parse, Sink, bad_value, check_id};
use crate::options::Options;
use crate::time::clock_was_set;
use crate::wire::Raw;
use crate::{Decoder, Example, Format, Message};
use syntax::{Lines, Point};

/// InfluxDB line protocol.
pub(super) struct LineProtocol;

impl Format for LineProtocol {
    fn name(&self) -> &'static str {
        "line_protocol"
    }

    fn summary(&self) -> &'static str {
        "InfluxDB line protocol; a tag names the device, fields are metrics"
    }

    fn summary_zh(&self) -> &'static str {
        "InfluxDB 行协议：标签给出设备，字段即指标"
    }

    fn example(&self) -> Example {
        Example {
            topic: "telegraf/gateway-3",
            options: r#"{"device_tag": "device", "metrics": {"n": {"ignore": true}}}"#,
            payload: r"air,device=air-17,street=Main\ St pm25=12.5,ok=true,n=42i 1795422600000000000",
            values: 2,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let options = Options::new(options, &["device_tag", "name", "precision", "lon", "lat"])?;
        let precisions = [("ns", 1_i64), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];
        let reader = Reader {
            device_tag: options.text("device_tag")?.unwrap_or("device").to_owned(),
            name: Name::parse(&options)?,
            precision: options.choice("precision", &precisions)?.unwrap_or(1),
            lon: options.text("lon")?.map(str::to_owned),
            lat: options.text("lat")?.map(str::to_owned),
        };
        if reader.lon.is_some() != reader.lat.is_some() {
            return Err(OptionsError::bad("lon", "lon and lat go together"));
        }
        Guarded::boxed(reader, &options)
    }
}

struct Reader {
    device_tag: String,
    name: Name,
    /// Nanoseconds in one unit of a timestamp.
    precision: i64,
    lon: Option<String>,
    lat: Option<String>,
}

impl Parse for Reader {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut lines = Lines::new(message.payload);
        let mut point = Point::default();
        while lines.next(&mut point)? {
            self.put(&mut point, sink)?;
        }
        Ok(())
    }

    fn looked_for(&self) -> String {
        "lines of a measurement, tags, fields and a time".to_owned()
    }
}

impl Reader {
    fn put<'a>(
        &'a self,
        point: &mut Point<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let line = At::LineColumn { line: point.line, column: 1 };
        let tag = point.tags.iter().find(|(key, _)| *key == self.device_tag);
        let device = tag.map(|(_, id)| check_id(id.clone(), || line.clone())).transpose()?;
        let time = point.time.map(|time| self.time(time, &line)).transpose()?.flatten();
        let before = sink.found().len();
        let (mut lon, mut lat) = (None, None);
        for (field, raw) in point.fields.drain(..) {
            if self.lon.as_deref() == Some(&*field) {
                lon = Some(coordinate(&raw, &line)?);
            } else if self.lat.as_deref() == Some(&*field) {
                lat = Some(coordinate(&raw, &line)?);
            } else {
                let name = self.name.fill(&point.measurement, field);
                sink.named(name, None, raw, || line.clone())?;
            }
        }
        if let (Some(position), true) = (lon.zip(lat), sink.since(before).is_empty()) {
            sink.position_fix(position)?;
        }
        for value in sink.since(before) {
            value.device.clone_from(&device);
            value.time = time;
            value.position = lon.zip(lat);
        }
        Ok(())
    }

    fn time(&self, time: i64, at: &At) -> Result<Option<Timestamp>, DecodeError> {
        match time.checked_mul(self.precision) {
            Some(nanos) => Ok(clock_was_set(Timestamp::from_nanos(nanos))),
            None => Err(DecodeError::new(
                DecodeErrorKind::BadTime,
                at.clone(),
                format!("the time {time} is out of range"),
                "check the source's option precision: ns, us, ms or s?",
            )),
        }
    }
}

fn coordinate(raw: &Raw<'_>, at: &At) -> Result<f64, DecodeError> {
    let number = raw.as_number().filter(|number| number.is_finite());
    number.ok_or_else(|| bad_value(at.clone(), format!("{} is not a coordinate", raw.describe())))
}

/// How the sent name is made of measurement and field.
#[derive(Debug, PartialEq, Eq)]
enum Name {
    Field,
    Measurement,
    Parts(Vec<Part>),
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Field,
    Measurement,
    Text(String),
}

impl Name {
    fn parse(options: &Options<'_>) -> Result<Self, OptionsError> {
        let Some(template) = options.text("name")? else { return Ok(Self::Field) };
        let mut parts = Vec::new();
        let mut rest = template;
        while !rest.is_empty() {
            let (part, after) = if let Some(after) = rest.strip_prefix("{field}") {
                (Part::Field, after)
            } else if let Some(after) = rest.strip_prefix("{measurement}") {
                (Part::Measurement, after)
            } else if rest.starts_with('{') {
                let problem = "only {measurement} and {field} can be filled in";
                return Err(OptionsError::bad(options.full("name"), problem));
            } else {
                let end = rest.find('{').unwrap_or(rest.len());
                (Part::Text(rest[..end].to_owned()), &rest[end..])
            };
            parts.push(part);
            rest = after;
        }
        if !parts.iter().any(|part| matches!(part, Part::Field | Part::Measurement)) {
            let problem = "must hold {measurement} or {field}";
            return Err(OptionsError::bad(options.full("name"), problem));
        }
        Ok(match parts.as_slice() {
            [Part::Field] => Self::Field,
            [Part::Measurement] => Self::Measurement,
            _ => Self::Parts(parts),
        })
    }

    fn fill<'a>(&self, measurement: &Cow<'a, str>, field: Cow<'a, str>) -> Cow<'a, str> {
        match self {
            Self::Field => field,
            Self::Measurement => measurement.clone(),
            Self::Parts(parts) => {
                let texts = parts.iter().map(|part| match part {
                    Part::Field => field.as_ref(),
                    Part::Measurement => measurement.as_ref(),
                    Part::Text(text) => text,
                });
                Cow::Owned(texts.collect())
            }
        }
    }
}

#[cfg(test)]
#[path = "line_protocol/tests.rs"]
mod tests;
