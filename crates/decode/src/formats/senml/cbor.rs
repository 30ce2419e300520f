//! SenML in CBOR (RFC 8428, clause 6): the same records with numbers for labels.
//!
//! Read item by item: a declared length reserves nothing, and what is not understood is read over
//! no deeper than the limit.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use minicbor::data::Type;
use minicbor::decode::{Decoder, Error};

use super::field::Field;
use super::pack::{Base, Own, Pack, Resolved};
use crate::error::{At, DecodeError, DecodeErrorKind};
use crate::limits::MAX_DEPTH;

/// The tag that only says that CBOR follows (RFC 8949, clause 3.4.6).
const SELF_DESCRIBED: u64 = 55_799;

/// The tag of decimal fractions: exponent and mantissa (RFC 8949, clause 3.4.4).
const DECIMAL: u64 = 4;

/// Whether a payload can only be CBOR: it begins with an array's byte or a tag's, with which no
/// UTF-8 text can begin.
pub(super) fn begins(payload: &[u8]) -> bool {
    matches!(payload, [0x80..=0x9f, ..] | [0xd9, 0xd9, 0xf7, ..])
}

/// Reads a pack.
pub(super) fn read<'a, F>(payload: &'a [u8], pack: &mut Pack<'a, F>) -> Result<(), DecodeError>
where
    F: FnMut(usize, Resolved<'a>) -> Result<(), DecodeError>,
{
    let mut input = Decoder::new(payload);
    if input.datatype().map_err(wrong)? == Type::Tag {
        let at = input.position();
        if input.tag().map_err(wrong)?.as_u64() != SELF_DESCRIBED {
            return Err(shape(at, "a tag where an array of SenML records should be"));
        }
    }
    if !matches!(input.datatype().map_err(wrong)?, Type::Array | Type::ArrayIndef) {
        return Err(shape(input.position(), "no array of SenML records"));
    }
    let mut left = input.array().map_err(wrong)?;
    while more(&mut input, &mut left)? {
        let own = record(&mut input, &mut pack.base)?;
        pack.take(own)?;
    }
    if input.position() < payload.len() {
        let message = "bytes follow after the pack";
        return Err(error(DecodeErrorKind::Malformed, input.position(), message));
    }
    Ok(())
}

/// Whether another item follows in an array or map; takes the end of one without a length.
fn more(input: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, DecodeError> {
    match left {
        Some(0) => Ok(false),
        Some(left) => {
            *left -= 1;
            Ok(true)
        }
        None if input.datatype().map_err(wrong)? == Type::Break => {
            input.set_position(input.position() + 1);
            Ok(false)
        }
        None => Ok(true),
    }
}

fn record<'a>(input: &mut Decoder<'a>, base: &mut Base<'a>) -> Result<Own<'a>, DecodeError> {
    if !matches!(input.datatype().map_err(wrong)?, Type::Map | Type::MapIndef) {
        return Err(shape(input.position(), "no map where a SenML record should be"));
    }
    let mut own = Own::default();
    let mut left = input.map().map_err(wrong)?;
    while more(input, &mut left)? {
        let field = label(input)?;
        let at = input.position();
        let known = match field {
            None => {
                skip(input, 0)?;
                true
            }
            Some(Field::BaseVersion) => {
                base.version(input.u64().map_err(wrong)?);
                true
            }
            Some(Field::Bool) => {
                own.flag(input.bool().map_err(wrong)?);
                true
            }
            Some(Field::Data) => {
                let bytes = bytes(input)?;
                own.text(base, Field::Data, Cow::Owned(URL_SAFE_NO_PAD.encode(bytes)))
            }
            Some(
                field @ (Field::BaseName
                | Field::BaseUnit
                | Field::Name
                | Field::Unit
                | Field::Text),
            ) => own.text(base, field, text(input)?),
            Some(field) => own.number(base, field, number(input)?),
        };
        if !known {
            return Err(shape(at, "a field cannot be null"));
        }
    }
    Ok(own)
}

/// A label by number, or by name as in JSON; `None` if it need not be understood.
fn label(input: &mut Decoder<'_>) -> Result<Option<Field>, DecodeError> {
    let at = input.position();
    match input.datatype().map_err(wrong)? {
        Type::String | Type::StringIndef => {
            Field::known(&text(input)?).map_err(|message| shape(at, message))
        }
        _ => input.i64().map(Field::labelled).map_err(wrong),
    }
}

fn text<'a>(input: &mut Decoder<'a>) -> Result<Cow<'a, str>, DecodeError> {
    match input.datatype().map_err(wrong)? {
        Type::StringIndef => {
            let parts: Result<String, Error> = input.str_iter().map_err(wrong)?.collect();
            parts.map(Cow::Owned).map_err(wrong)
        }
        _ => input.str().map(Cow::Borrowed).map_err(wrong),
    }
}

fn bytes<'a>(input: &mut Decoder<'a>) -> Result<Cow<'a, [u8]>, DecodeError> {
    match input.datatype().map_err(wrong)? {
        Type::BytesIndef => {
            let parts: Result<Vec<&[u8]>, Error> = input.bytes_iter().map_err(wrong)?.collect();
            parts.map(|parts| Cow::Owned(parts.concat())).map_err(wrong)
        }
        _ => input.bytes().map(Cow::Borrowed).map_err(wrong),
    }
}

/// A number in any of the representations of clause 6; `None` for null.
fn number(input: &mut Decoder<'_>) -> Result<Option<f64>, DecodeError> {
    let at = input.position();
    match input.datatype().map_err(wrong)? {
        Type::Null | Type::Undefined => {
            input.set_position(at + 1);
            Ok(None)
        }
        Type::F16 => half(input).map(Some),
        Type::F32 => input.f32().map(|number| Some(f64::from(number))).map_err(wrong),
        Type::F64 => input.f64().map(Some).map_err(wrong),
        Type::Tag if input.tag().map_err(wrong)?.as_u64() == DECIMAL => {
            if input.array().map_err(wrong)? != Some(2) {
                return Err(shape(at, "a decimal fraction is not an exponent and a mantissa"));
            }
            let exponent = input.i32().map_err(wrong)?;
            let mantissa: i128 = input.int().map_err(wrong)?.into();
            // The text has the nearest double; multiplying by a power of ten would not.
            Ok(format!("{mantissa}e{exponent}").parse().ok())
        }
        Type::Tag => Err(shape(at, "a tag that no SenML number has")),
        _ => {
            let whole: i128 = input.int().map_err(wrong)?.into();
            Ok(Some(whole as f64))
        }
    }
}

/// A number of half precision (RFC 8949, appendix D).
fn half(input: &mut Decoder<'_>) -> Result<f64, DecodeError> {
    let at = input.position();
    let Some([high, low]) = input.input().get(at + 1..at + 3) else {
        return Err(error(DecodeErrorKind::Malformed, at, "the payload ends within a number"));
    };
    input.set_position(at + 3);
    let exponent = i32::from((high >> 2) & 0x1f);
    let fraction = f64::from(u16::from(high & 3) << 8 | u16::from(*low));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (fraction + 1_024.0) * 2f64.powi(exponent - 25),
    };
    Ok(if high & 0x80 == 0 { size } else { -size })
}

/// Reads over a value.
fn skip(input: &mut Decoder<'_>, depth: usize) -> Result<(), DecodeError> {
    if depth > MAX_DEPTH {
        let message = format!("arrays and maps are nested deeper than {MAX_DEPTH}");
        return Err(error(DecodeErrorKind::TooDeep, input.position(), message));
    }
    match input.datatype().map_err(wrong)? {
        Type::Tag => {
            input.tag().map_err(wrong)?;
            skip(input, depth + 1)
        }
        Type::Array | Type::ArrayIndef => {
            let mut left = input.array().map_err(wrong)?;
            while more(input, &mut left)? {
                skip(input, depth + 1)?;
            }
            Ok(())
        }
        Type::Map | Type::MapIndef => {
            let mut left = input.map().map_err(wrong)?;
            while more(input, &mut left)? {
                skip(input, depth + 1)?;
                skip(input, depth + 1)?;
            }
            Ok(())
        }
        _ => input.skip().map_err(wrong),
    }
}

/// What the reader's error means for a message.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err everywhere")]
fn wrong(problem: Error) -> DecodeError {
    let at = problem.position().map_or(At::Message, At::Byte);
    let (kind, message) = if problem.is_type_mismatch() {
        (DecodeErrorKind::WrongShape, format!("something else than SenML prescribes: {problem}"))
    } else if problem.is_end_of_input() {
        (DecodeErrorKind::Malformed, "the payload ends too early".to_owned())
    } else {
        (DecodeErrorKind::Malformed, format!("not CBOR: {problem}"))
    };
    DecodeError::new(kind, at, message, HINT)
}

fn shape(at: usize, message: impl Into<String>) -> DecodeError {
    error(DecodeErrorKind::WrongShape, at, message)
}

fn error(kind: DecodeErrorKind, at: usize, message: impl Into<String>) -> DecodeError {
    DecodeError::new(kind, At::Byte(at), message, HINT)
}

const HINT: &str = "send SenML in CBOR as RFC 8428, clause 6, prescribes it";
