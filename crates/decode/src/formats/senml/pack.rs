//! SenML records and their resolution (RFC 8428, clause 4), whatever they are written in.

use std::borrow::Cow;
use std::fmt;

use city_model::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::cbor;
use super::field::Field;

use crate::Message;
use crate::error::{At, DecodeError, DecodeErrorKind};
use crate::wire::{self, Raw, Text};

/// The highest version that is understood (clause 4.4), but for the features of RFC 9100, which
/// are added to it as powers of two.
const VERSION: u64 = 10;

/// The feature "secondary units" (RFC 9100, clause 4.1).
const SECONDARY_UNITS: u64 = 1 << 4;

/// Times below this many seconds are relative to now (clause 4.5.3).
const RELATIVE_BELOW: f64 = 268_435_456.0;

/// A record with the base fields applied.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Resolved<'a> {
    pub(super) base_name: Option<Cow<'a, str>>,
    pub(super) name: Cow<'a, str>,
    pub(super) unit: Option<Cow<'a, str>>,
    /// `None`: it has none, and so is of when it arrived (clause 4.5.3), as far as anybody knows.
    pub(super) time: Option<Timestamp>,
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
///
/// A pack is an array. JSON begins it with `[` or a blank, CBOR with a byte that no text begins
/// with, so that nobody needs to say which of the two it is.
pub(super) fn read<'a>(
    message: &Message<'a>,
    each: impl FnMut(usize, Resolved<'a>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let base = Base::default();
    let mut pack = Pack { received: message.received, base, index: 0, each, error: None };
    if cbor::begins(message.payload) {
        return cbor::read(message.payload, &mut pack);
    }
    let text = wire::json_text(message.payload)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = (&mut pack).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match read {
        Ok(()) => Ok(()),
        Err(error) => Err(pack.error.unwrap_or_else(|| wire::json_error(&error))),
    }
}

/// The base fields as they stand.
#[derive(Default)]
pub(super) struct Base<'a> {
    name: Option<Cow<'a, str>>,
    time: Option<f64>,
    unit: Option<Cow<'a, str>>,
    value: Option<f64>,
    sum: Option<f64>,
    version: Option<u64>,
}

/// A pack that is being read.
pub(super) struct Pack<'a, F> {
    received: Timestamp,
    pub(super) base: Base<'a>,
    index: usize,
    each: F,
    error: Option<DecodeError>,
}

impl<'a, F> Pack<'a, F>
where
    F: FnMut(usize, Resolved<'a>) -> Result<(), DecodeError>,
{
    /// Takes the next record.
    pub(super) fn take(&mut self, own: Own<'a>) -> Result<(), DecodeError> {
        let index = self.index;
        self.index += 1;
        let taken = resolve(&self.base, own, self.received)
            .and_then(|record| record.map_or(Ok(()), |record| (self.each)(index, record)));
        taken.map_err(|mut error| {
            if error.at == At::Message {
                error.at = At::Path(format!("[{index}]"));
            }
            error
        })
    }
}

/// A record's own fields.
#[derive(Default)]
pub(super) struct Own<'a> {
    name: Option<Cow<'a, str>>,
    unit: Option<Cow<'a, str>>,
    time: Option<f64>,
    value: Option<Raw<'a>>,
    /// How many of v, vs, vb, vd there were.
    values: usize,
    sum: Option<f64>,
}

impl<'a> Own<'a> {
    /// Sets a field that is a text; base fields go to the pack. `false`: it is none.
    pub(super) fn text(&mut self, base: &mut Base<'a>, field: Field, text: Cow<'a, str>) -> bool {
        match field {
            Field::BaseName => base.name = Some(text),
            Field::BaseUnit => base.unit = Some(text),
            Field::Name => self.name = Some(text),
            Field::Unit => self.unit = Some(text),
            Field::Text | Field::Data => self.put(Some(Raw::Text(text))),
            _ => return false,
        }
        true
    }

    /// The same for one that is a number; a value may be null, which is none.
    pub(super) fn number(
        &mut self,
        base: &mut Base<'a>,
        field: Field,
        number: Option<f64>,
    ) -> bool {
        match (field, number) {
            (Field::Value, number) => self.put(number.map(Raw::Number)),
            (_, None) => return false,
            (Field::BaseTime, number) => base.time = number,
            (Field::BaseValue, number) => base.value = number,
            (Field::BaseSum, number) => base.sum = number,
            (Field::Time, number) => self.time = number,
            (Field::Sum, number) => self.sum = number,
            (_, Some(_)) => return false,
        }
        true
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.put(Some(Raw::Bool(flag)));
    }

    fn put(&mut self, raw: Option<Raw<'a>>) {
        self.value = raw;
        self.values += 1;
    }

    /// Whether it says that something was measured: base fields alone only prepare for others.
    fn measures(&self) -> bool {
        self.name.is_some() || self.unit.is_some() || self.time.is_some() || self.sum.is_some()
    }
}

impl Base<'_> {
    pub(super) fn version(&mut self, version: u64) {
        self.version = Some(version);
    }
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
        while let Some(own) = records.next_element_seed(RecordSeed { base: &mut self.base })? {
            if let Err(error) = self.take(own) {
                self.error = Some(error);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// Applies the base fields; `None` if the record has neither value nor sum.
///
/// A missing value counts as 0 where there is a base value, a missing sum where there is a base
/// sum (clause 4.5.4). Only numbers are summed up.
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
    if let Some(version) = base.version.filter(|version| version & !SECONDARY_UNITS > VERSION) {
        return wrong(format!("SenML version {version} is not known, only up to {VERSION}"));
    }
    let counts = own.values == 0 && own.measures();
    let numeric = counts || matches!(own.value, Some(Raw::Number(_)));
    let value = match (own.value, base.value) {
        (Some(Raw::Number(number)), Some(add)) => Some(Raw::Number(number + add)),
        (None, Some(add)) if counts => Some(Raw::Number(add)),
        (value, _) => value,
    };
    let sum = match (own.sum, base.sum) {
        (Some(sum), add) => Some(sum + add.unwrap_or(0.0)),
        (None, add) => add.filter(|_| numeric),
    };
    if value.is_none() && sum.is_none() {
        return Ok(None);
    }
    Ok(Some(Resolved {
        base_name: base.name.clone(),
        name: own.name.unwrap_or_default(),
        unit: own.unit.or_else(|| base.unit.clone()),
        time: time(base.time, own.time, received)?,
        value,
        sum,
    }))
}

/// Base time and time together; `None` without both, since a message that was kept for somebody
/// who comes later is older than its arrival, and nothing in it says so.
fn time(
    base: Option<f64>,
    own: Option<f64>,
    received: Timestamp,
) -> Result<Option<Timestamp>, DecodeError> {
    if base.is_none() && own.is_none() {
        return Ok(None);
    }
    let seconds = base.unwrap_or(0.0) + own.unwrap_or(0.0);
    let time = if seconds < RELATIVE_BELOW {
        Timestamp::from_secs_f64(seconds)
            .map(|offset| received + offset.since(Timestamp::default()))
            .filter(|time| time.is_writable())
    } else {
        Timestamp::from_secs_f64(seconds)
    };
    time.map(Some).ok_or_else(|| {
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
            let known = match Field::known(&label).map_err(A::Error::custom)? {
                Some(Field::BaseVersion) => {
                    self.base.version(fields.next_value()?);
                    true
                }
                Some(Field::Bool) => {
                    own.flag(fields.next_value()?);
                    true
                }
                Some(
                    field @ (Field::BaseName
                    | Field::BaseUnit
                    | Field::Name
                    | Field::Unit
                    | Field::Text
                    | Field::Data),
                ) => {
                    let Text(text) = fields.next_value()?;
                    own.text(self.base, field, text)
                }
                Some(field) => own.number(self.base, field, fields.next_value()?),
                None => fields.next_value::<IgnoredAny>().map(|_| true)?,
            };
            if !known {
                return Err(A::Error::custom(format_args!("`{label}` cannot be null")));
            }
        }
        Ok(own)
    }
}
