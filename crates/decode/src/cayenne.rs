//! Cayenne LPP: the self-describing payload of many LoRaWAN devices, as a built-in codec.
//!
//! A frame is a row of channel (1 byte), type (1 byte), big-endian value. Values are called
//! `temperature_3`: the type's name and the channel; those with several parts
//! `accelerometer_6.x`. A GPS value is the device's own position; its altitude is a value.
//!
//! Source of types, sizes and resolutions: the Cayenne docs (myDevices, "Cayenne Low Power
//! Payload") and the later types of ElectronicCats' CayenneLPP library. Its decoder takes one byte
//! for a direction where its encoder writes two; two are right.

use std::borrow::Cow;

use city_model::Value;

use crate::codec::{Codec, CodecError, CodecOutput, CodecValue, Frame};

/// The built-in codec.
pub(crate) struct CayenneLpp;

/// The number of a GPS value, which is not a value like the others.
const GPS: u8 = 136;

/// How one type is written.
struct Kind {
    number: u8,
    name: &'static str,
    unit: Option<&'static str>,
    /// Bytes of each part.
    width: usize,
    signed: bool,
    /// What a part is divided by.
    divisor: f64,
    /// The names of the parts; none if it is one number.
    parts: &'static [&'static str],
}

const fn unsigned(number: u8, name: &'static str, width: usize, divisor: f64) -> Kind {
    Kind { number, name, unit: None, width, signed: false, divisor, parts: &[] }
}

const fn signed(number: u8, name: &'static str, width: usize, divisor: f64) -> Kind {
    Kind { signed: true, ..unsigned(number, name, width, divisor) }
}

impl Kind {
    const fn of(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    const fn parts(self, parts: &'static [&'static str]) -> Self {
        Self { parts, ..self }
    }

    fn size(&self) -> usize {
        self.width * self.parts.len().max(1)
    }
}

static KINDS: &[Kind] = &[
    unsigned(0, "digital_input", 1, 1.0),
    unsigned(1, "digital_output", 1, 1.0),
    signed(2, "analog_input", 2, 100.0),
    signed(3, "analog_output", 2, 100.0),
    unsigned(100, "generic", 4, 1.0),
    unsigned(101, "illuminance", 2, 1.0).of("lx"),
    unsigned(102, "presence", 1, 1.0),
    signed(103, "temperature", 2, 10.0).of("Cel"),
    unsigned(104, "humidity", 1, 2.0).of("%"),
    signed(113, "accelerometer", 2, 1_000.0).of("[g]").parts(&["x", "y", "z"]),
    unsigned(115, "barometer", 2, 10.0).of("hPa"),
    unsigned(116, "voltage", 2, 100.0).of("V"),
    unsigned(117, "current", 2, 1_000.0).of("A"),
    unsigned(118, "frequency", 4, 1.0).of("Hz"),
    unsigned(120, "percentage", 1, 1.0).of("%"),
    signed(121, "altitude", 2, 1.0).of("m"),
    unsigned(125, "concentration", 2, 1.0).of("[ppm]"),
    unsigned(128, "power", 2, 1.0).of("W"),
    unsigned(130, "distance", 4, 1_000.0).of("m"),
    unsigned(131, "energy", 4, 1_000.0).of("kW.h"),
    unsigned(132, "direction", 2, 1.0).of("deg"),
    unsigned(133, "time", 4, 1.0).of("s"),
    signed(134, "gyrometer", 2, 100.0).of("deg/s").parts(&["x", "y", "z"]),
    unsigned(135, "colour", 1, 1.0).parts(&["r", "g", "b"]),
    unsigned(142, "switch", 1, 1.0),
];

impl Codec for CayenneLpp {
    fn decode_uplink(&self, frame: &Frame<'_>, out: &mut CodecOutput) -> Result<(), CodecError> {
        let mut rest = frame.bytes;
        while let [channel, number, tail @ ..] = rest {
            let at = frame.bytes.len() - rest.len();
            rest = if *number == GPS {
                fix(*channel, at, tail, out)?
            } else {
                let kind = KINDS.iter().find(|kind| kind.number == *number);
                value(kind.ok_or_else(|| unknown(*number, at))?, *channel, at, tail, out)?
            };
        }
        match rest {
            [] => Ok(()),
            _ => Err(cut_off("a value's type", frame.bytes.len() - 1)),
        }
    }
}

fn value<'b>(
    kind: &Kind,
    channel: u8,
    at: usize,
    tail: &'b [u8],
    out: &mut CodecOutput,
) -> Result<&'b [u8], CodecError> {
    let (bytes, tail) = tail.split_at_checked(kind.size()).ok_or_else(|| cut_off(kind.name, at))?;
    let name = format!("{}_{channel}", kind.name);
    let mut put = |name, bytes: &[u8]| {
        let value = Value::Number(number(bytes, kind.signed) as f64 / kind.divisor);
        out.values.push(CodecValue { name, value, unit: kind.unit.map(Cow::Borrowed) });
    };
    match kind.parts {
        [] => put(name, bytes),
        parts => {
            for (part, bytes) in parts.iter().zip(bytes.chunks(kind.width)) {
                put(format!("{name}.{part}"), bytes);
            }
        }
    }
    Ok(tail)
}

/// Latitude and longitude in 0.0001°, altitude in centimetres, three bytes each.
fn fix<'b>(
    channel: u8,
    at: usize,
    tail: &'b [u8],
    out: &mut CodecOutput,
) -> Result<&'b [u8], CodecError> {
    let (bytes, tail) = tail.split_at_checked(9).ok_or_else(|| cut_off("gps", at))?;
    let part = |from: usize| number(&bytes[from..from + 3], true) as f64;
    out.position = Some((part(3) / 10_000.0, part(0) / 10_000.0));
    out.values.push(CodecValue {
        name: format!("gps_{channel}.altitude"),
        value: Value::Number(part(6) / 100.0),
        unit: Some(Cow::Borrowed("m")),
    });
    Ok(tail)
}

/// A big-endian integer of at most four bytes.
fn number(bytes: &[u8], signed: bool) -> i64 {
    let number = bytes.iter().fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
    let negative = signed && bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    if negative { number - (1_i64 << (8 * bytes.len())) } else { number }
}

fn unknown(number: u8, at: usize) -> CodecError {
    CodecError {
        at: format!("cayenne_lpp, byte {at}"),
        message: format!("there is no type {number} in Cayenne LPP"),
        hint: "check that the device sends Cayenne LPP; if not, give its kind the vendor's codec",
    }
}

fn cut_off(what: &str, at: usize) -> CodecError {
    CodecError {
        at: format!("cayenne_lpp, byte {at}"),
        message: format!("the frame ends inside {what}"),
        hint: "check that the device sends Cayenne LPP; if not, give its kind the vendor's codec",
    }
}

#[cfg(test)]
mod tests {
    use city_model::Timestamp;

    use super::*;

    fn decode(bytes: &[u8]) -> Result<CodecOutput, CodecError> {
        let frame = Frame { device: "d", bytes, f_port: Some(1), received: Timestamp::default() };
        let mut out = CodecOutput::default();
        CayenneLpp.decode_uplink(&frame, &mut out).map(|()| out)
    }

    /// Every type of the published table, with its lowest and highest value.
    #[test]
    fn every_type_has_its_width_sign_and_resolution() {
        let table = [
            (0, "digital_input", 1, 1.0, false),
            (1, "digital_output", 1, 1.0, false),
            (2, "analog_input", 2, 100.0, true),
            (3, "analog_output", 2, 100.0, true),
            (100, "generic", 4, 1.0, false),
            (101, "illuminance", 2, 1.0, false),
            (102, "presence", 1, 1.0, false),
            (103, "temperature", 2, 10.0, true),
            (104, "humidity", 1, 2.0, false),
            (113, "accelerometer", 6, 1000.0, true),
            (115, "barometer", 2, 10.0, false),
            (116, "voltage", 2, 100.0, false),
            (117, "current", 2, 1000.0, false),
            (118, "frequency", 4, 1.0, false),
            (120, "percentage", 1, 1.0, false),
            (121, "altitude", 2, 1.0, true),
            (125, "concentration", 2, 1.0, false),
            (128, "power", 2, 1.0, false),
            (130, "distance", 4, 1000.0, false),
            (131, "energy", 4, 1000.0, false),
            (132, "direction", 2, 1.0, false),
            (133, "time", 4, 1.0, false),
            (134, "gyrometer", 6, 100.0, true),
            (142, "switch", 1, 1.0, false),
        ];
        for (number, name, size, divisor, signed) in table {
            let mut bytes = vec![7, number];
            bytes.resize(2 + size, 0xff);
            let out = decode(&bytes).expect(name);
            let width = size / out.values.len();
            let highest = (1_u64 << (8 * width)) as f64 - 1.0;
            let expected = if signed { -1.0 } else { highest } / divisor;
            for value in &out.values {
                assert!(value.name.starts_with(&format!("{name}_7")), "{}", value.name);
                assert_eq!(value.value, Value::Number(expected), "{name}");
            }
            bytes.pop();
            assert!(decode(&bytes).expect_err("cut off").message.contains(name));
        }
        // Those of the table, and the colour that only the encoder knows.
        assert_eq!(KINDS.len(), table.len() + 1);
    }

    #[test]
    fn what_is_no_cayenne_says_where() {
        let error = decode(&[3, 0x67, 1, 0x10, 5, 99, 0]).expect_err("no type 99");
        assert_eq!(error.at, "cayenne_lpp, byte 4");
        assert!(error.message.contains("99"), "{error}");
        assert!(decode(&[3]).is_err());
        assert_eq!(decode(&[]), Ok(CodecOutput::default()));
    }
}
