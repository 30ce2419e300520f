//! SenML records and their resolution (RFC 8428, clause 4).

use std::borrow::Cow;
use std::fmt;

use city_model::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::Message;
use crate::error::{At, DecodeError, DecodeErrorKind, quote};
use crate::wire::{self, Raw, Text};

/// The highest version that is understood (clause 4.4).
const VERSION: u64 = 10;

/// Times below this many seconds are relative to now (clause 4.5.3).
const RELATIVE_BELOW: f64 = 268_435_456.0;

/// A record with the base fields applied.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Resolved<'a> {
    pub(super) base_name: Option<Cow<'a, str>>,
    pub(super) name: Cow<'a, str>,
    pub(super) unit: Option<Cow<'a, str>>,
    pub(super) time: Timestamp,
    pub(super) value: Option<Raw<'a>>,
    pub(super) sum: Option<f64>,
}

impl<'a> Resolved<'a> {
    /// Base name and name together: the name of the sensor (clause 4.5.1).
    pub(super) fn full_name(&self) -> Cow<'a, str> {
        match &self.base_name {
            Some(base) if !base.is_empty() => {
                if self.name.is_empty() {
                    base.clone()
                } else {
                    Cow::Owned(format!("{base}{}", self.name))
                }
            }
            _ => self.name.clone(),
        }
    }
}

/// Reads a pack; `each` gets every record that has a value or a sum, with its index.
pub(super) fn read<'a>(
    message: &Message<'a>,
    each: impl FnMut(usize, Resolved<'a>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let text = wire::json_text(message.payload)?;
    let mut pack = Pack { received: message.received, base: Base::default(), each, error: None };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = (&mut pack).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match read {
        Ok(()) => Ok(()),
        Err(error) => Err(pack.error.unwrap_or_else(|| wire::json_error(&error))),
    }
}

/// The base fields as they stand.
#[derive(Default)]
struct Base<'a> {
    name: Option<Cow<'a, str>>,
    time: Option<f64>,
    unit: Option<Cow<'a, str>>,
    value: Option<f64>,
    sum: Option<f64>,
    version: Option<u64>,
}

struct Pack<'a, F> {
    received: Timestamp,
    base: Base<'a>,
    each: F,
    error: Option<DecodeError>,
}

/// A record's own fields.
#[derive(Default)]
struct Own<'a> {
    name: Option<Cow<'a, str>>,
    unit: Option<Cow<'a, str>>,
    time: Option<f64>,
    value: Option<Raw<'a>>,
    /// How many of v, vs, vb, vd there were.
    values: usize,
    sum: Option<f64>,
}

impl<'de, F> DeserializeSeed<'de> for &mut Pack<'de, F>
where
    F: FnMut(usize, Resolved<'de>) -> Result<(), DecodeError>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F> Visitor<'de> for &mut Pack<'de, F>
where
    F: FnMut(usize, Resolved<'de>) -> Result<(), DecodeError>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of SenML records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<(), A::Error> {
        let mut index = 0;
        while let Some(own) = records.next_element_seed(RecordSeed { base: &mut self.base })? {
            let step = resolve(&self.base, own, self.received)
                .and_then(|record| record.map_or(Ok(()), |record| (self.each)(index, record)));
            if let Err(mut error) = step {
                if error.at == At::Message {
                    error.at = At::Path(format!("[{index}]"));
                }
                self.error = Some(error);
                return Err(A::Error::custom("stopped"));
            }
            index += 1;
        }
        Ok(())
    }
}

/// Applies the base fields; `None` if the record has neither value nor sum.
fn resolve<'a>(
    base: &Base<'a>,
    own: Own<'a>,
    received: Timestamp,
) -> Result<Option<Resolved<'a>>, DecodeError> {
    let wrong = |message: String| {
        let hint = "send SenML as RFC 8428 prescribes it";
        Err(DecodeError::new(DecodeErrorKind::WrongShape, At::Message, message, hint))
    };
    if own.values > 1 {
        return wrong("a record has more than one of v, vs, vb and vd".to_owned());
    }
    if let Some(version) = base.version.filter(|version| *version > VERSION) {
        return wrong(format!("SenML version {version} is not known, only up to {VERSION}"));
    }
    if own.value.is_none() && own.sum.is_none() {
        return Ok(None);
    }
    let value = match (own.value, base.value) {
        (Some(raw @ (Raw::Number(_) | Raw::Integer(_))), Some(add)) => {
            raw.as_number().map(|number| Raw::Number(number + add))
        }
        (value, _) => value,
    };
    Ok(Some(Resolved {
        base_name: base.name.clone(),
        name: own.name.unwrap_or_default(),
        unit: own.unit.or_else(|| base.unit.clone()),
        time: time(base.time.unwrap_or(0.0) + own.time.unwrap_or(0.0), received)?,
        value,
        sum: own.sum.map(|sum| sum + base.sum.unwrap_or(0.0)),
    }))
}

fn time(seconds: f64, received: Timestamp) -> Result<Timestamp, DecodeError> {
    let time = if seconds < RELATIVE_BELOW {
        Timestamp::from_secs_f64(seconds)
            .map(|offset| received + offset.since(Timestamp::default()))
            .filter(|time| time.is_writable())
    } else {
        Timestamp::from_secs_f64(seconds)
    };
    time.ok_or_else(|| {
        DecodeError::new(
            DecodeErrorKind::BadTime,
            At::Message,
            format!("the time {seconds} s is out of range"),
            "bt and t are seconds since 1970, or relative to now if below 2^28",
        )
    })
}

/// Reads one record; base fields go to the pack, the others are returned.
struct RecordSeed<'p, 'a> {
    base: &'p mut Base<'a>,
}

impl<'de> DeserializeSeed<'de> for RecordSeed<'_, 'de> {
    type Value = Own<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Own<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_, 'de> {
    type Value = Own<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a SenML record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Own<'de>, A::Error> {
        let mut own = Own::default();
        while let Some(Text(label)) = fields.next_key()? {
            match label.as_ref() {
                "bn" => self.base.name = Some(text(&mut fields)?),
                "bt" => self.base.time = Some(fields.next_value()?),
                "bu" => self.base.unit = Some(text(&mut fields)?),
                "bv" => self.base.value = Some(fields.next_value()?),
                "bs" => self.base.sum = Some(fields.next_value()?),
                "bver" => self.base.version = Some(fields.next_value()?),
                "n" => own.name = Some(text(&mut fields)?),
                "u" => own.unit = Some(text(&mut fields)?),
                "t" => own.time = Some(fields.next_value()?),
                "s" => own.sum = Some(fields.next_value()?),
                "v" => own.put(Raw::Number(fields.next_value()?)),
                "vb" => own.put(Raw::Bool(fields.next_value()?)),
                "vs" | "vd" => own.put(Raw::Text(text(&mut fields)?)),
                unknown if unknown.ends_with('_') => {
                    let label = quote(unknown);
                    return Err(A::Error::custom(format_args!(
                        "the field `{label}` must be understood, but is not known"
                    )));
                }
                _ => {
                    fields.next_value::<serde::de::IgnoredAny>()?;
                }
            }
        }
        Ok(own)
    }
}

impl<'a> Own<'a> {
    fn put(&mut self, raw: Raw<'a>) {
        self.value = Some(raw);
        self.values += 1;
    }
}

fn text<'de, A: MapAccess<'de>>(fields: &mut A) -> Result<Cow<'de, str>, A::Error> {
    fields.next_value::<Text<'de>>().map(|text| text.0)
}
