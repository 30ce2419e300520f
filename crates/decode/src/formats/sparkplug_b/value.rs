//! What a value on the wire means, by its data type (Sparkplug 3.0, clause 6.4.16).

use std::borrow::Cow;

use city_model::Timestamp;

use super::wire::Raw;
use crate::wire;

/// The data types that become readings.
mod datatype {
    pub(super) const INT8: u32 = 1;
    pub(super) const INT16: u32 = 2;
    pub(super) const INT32: u32 = 3;
    pub(super) const INT64: u32 = 4;
    pub(super) const UINT8: u32 = 5;
    pub(super) const UINT64: u32 = 8;
    pub(super) const FLOAT: u32 = 9;
    pub(super) const DOUBLE: u32 = 10;
    pub(super) const BOOLEAN: u32 = 11;
    pub(super) const STRING: u32 = 12;
    pub(super) const DATE_TIME: u32 = 13;
    pub(super) const TEXT: u32 = 14;
    pub(super) const UUID: u32 = 15;
}

/// The data type that a value has beyond doubt; an integer may be signed or not.
pub(super) fn evident(raw: Option<Raw<'_>>) -> Option<u32> {
    match raw {
        Some(Raw::Bits(_)) => None,
        Some(Raw::Float(_)) => Some(datatype::FLOAT),
        Some(Raw::Double(_)) => Some(datatype::DOUBLE),
        Some(Raw::Bool(_)) => Some(datatype::BOOLEAN),
        Some(Raw::Text(_)) => Some(datatype::STRING),
        // What has no value needs no type.
        Some(Raw::Template(_) | Raw::Other) | None => Some(0),
    }
}

/// The reading that a value is; `None` if it is none, such as bytes, or not a number.
pub(super) fn reading(of: u32, raw: Raw<'_>) -> Result<Option<wire::Raw<'_>>, String> {
    use datatype::{
        BOOLEAN, DATE_TIME, DOUBLE, FLOAT, INT8, INT16, INT32, INT64, STRING, TEXT, UINT8, UINT64,
        UUID,
    };
    let value = match (of, raw) {
        // Negative numbers are two's complement in an unsigned field, of 32 bits or of their own.
        (INT8, Raw::Bits(bits)) => wire::Raw::Integer((bits as u8 as i8).into()),
        (INT16, Raw::Bits(bits)) => wire::Raw::Integer((bits as u16 as i16).into()),
        (INT32, Raw::Bits(bits)) => wire::Raw::Integer((bits as u32 as i32).into()),
        (INT64, Raw::Bits(bits)) => wire::Raw::Integer(bits as i64),
        (UINT8..=UINT64, Raw::Bits(bits)) => wire::unsigned(bits),
        (DATE_TIME, Raw::Bits(bits)) => wire::Raw::Text(Cow::Owned(date_time(bits)?)),
        (FLOAT | DOUBLE, Raw::Float(number)) => return Ok(shortest(number)),
        (FLOAT | DOUBLE, Raw::Double(number)) => {
            return Ok(number.is_finite().then_some(wire::Raw::Number(number)));
        }
        (BOOLEAN, Raw::Bool(flag)) => wire::Raw::Bool(flag),
        (STRING | TEXT | UUID, Raw::Text(text)) => wire::Raw::Text(Cow::Borrowed(text)),
        (INT8..=UUID, _) => {
            return Err(format!("the value is not of its data type {of}"));
        }
        _ => return Ok(None),
    };
    Ok(Some(value))
}

/// The number with the fewest digits that is this float: 12.3, not 12.300000190734863.
fn shortest<'a>(number: f32) -> Option<wire::Raw<'a>> {
    if !number.is_finite() {
        return None;
    }
    number.to_string().parse().ok().map(wire::Raw::Number)
}

fn date_time(millis: u64) -> Result<String, String> {
    let millis = i64::try_from(millis).ok().filter(|millis| *millis < i64::MAX / 1_000);
    let time = millis.map(Timestamp::from_millis).filter(|time| time.is_writable());
    time.map(|time| time.to_string()).ok_or_else(|| "a DateTime is no time".to_owned())
}
