//! The payload of Sparkplug B: Google's protocol buffers, read without a copy.
//!
//! Read by hand rather than into owned structures, because names and texts are taken from the
//! message itself, and because a hostile message must not become a hundred times its size: a
//! metric costs two bytes on the wire. Fields: `sparkplug_b.proto` of Sparkplug 3.0, clause 6.4.

use crate::limits::MAX_VALUES;

/// Why a payload cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// Not the wire format.
    Syntax,
    /// A text that is not UTF-8.
    Text,
    /// More metrics than allowed.
    TooMany,
}

/// A payload.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Payload<'a> {
    /// When it was sent, in milliseconds since 1970.
    pub(super) timestamp: Option<u64>,
    pub(super) seq: Option<u64>,
    pub(super) metrics: Vec<Metric<'a>>,
}

/// A metric.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Metric<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) alias: Option<u64>,
    /// In milliseconds since 1970.
    pub(super) timestamp: Option<u64>,
    pub(super) datatype: Option<u32>,
    /// Not to be kept, in the sender's opinion.
    pub(super) is_transient: bool,
    pub(super) is_null: bool,
    pub(super) value: Option<Raw<'a>>,
    properties: Option<&'a [u8]>,
}

/// A value as it is on the wire; the data type says what it means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Raw<'a> {
    /// `int_value` or `long_value`.
    Bits(u64),
    Float(f32),
    Double(f64),
    Bool(bool),
    Text(&'a str),
    Template(&'a [u8]),
    /// Bytes, data sets and extensions, which are no readings.
    Other,
}

/// What a metric's properties say that matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Properties<'a> {
    /// 0 bad, 192 good, 500 stale (clause 6.4.11); others are OPC's.
    pub(super) quality: Option<i32>,
    /// The engineering unit.
    pub(super) unit: Option<&'a str>,
}

impl<'a> Payload<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Bad> {
        let mut payload = Self::default();
        let mut fields = Fields { rest: bytes };
        while let Some(field) = fields.next()? {
            match field {
                (1, Wire::Varint(millis)) => payload.timestamp = Some(millis),
                (2, Wire::Bytes(metric)) => {
                    if payload.metrics.len() >= MAX_VALUES {
                        return Err(Bad::TooMany);
                    }
                    payload.metrics.push(Metric::read(metric)?);
                }
                (3, Wire::Varint(seq)) => payload.seq = Some(seq),
                // What is known with another wire type is no payload; what is not is an extension.
                (1..=3, _) | (4 | 5, Wire::Varint(_) | Wire::Eight(_) | Wire::Four(_)) => {
                    return Err(Bad::Syntax);
                }
                _ => {}
            }
        }
        Ok(payload)
    }
}

impl<'a> Metric<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Bad> {
        let mut metric = Self::default();
        let mut fields = Fields { rest: bytes };
        while let Some(field) = fields.next()? {
            match field {
                (1, Wire::Bytes(name)) => metric.name = Some(text(name)?),
                (2, Wire::Varint(alias)) => metric.alias = Some(alias),
                (3, Wire::Varint(millis)) => metric.timestamp = Some(millis),
                (4, Wire::Varint(datatype)) => metric.datatype = Some(datatype as u32),
                (6, Wire::Varint(flag)) => metric.is_transient = flag != 0,
                (7, Wire::Varint(flag)) => metric.is_null = flag != 0,
                (9, Wire::Bytes(properties)) => metric.properties = Some(properties),
                (10 | 11, Wire::Varint(bits)) => metric.value = Some(Raw::Bits(bits)),
                (12, Wire::Four(bits)) => metric.value = Some(Raw::Float(f32::from_bits(bits))),
                (13, Wire::Eight(bits)) => metric.value = Some(Raw::Double(f64::from_bits(bits))),
                (14, Wire::Varint(flag)) => metric.value = Some(Raw::Bool(flag != 0)),
                (15, Wire::Bytes(bytes)) => metric.value = Some(Raw::Text(text(bytes)?)),
                (18, Wire::Bytes(template)) => metric.value = Some(Raw::Template(template)),
                (16 | 17 | 19, Wire::Bytes(_)) => metric.value = Some(Raw::Other),
                _ => {}
            }
        }
        Ok(metric)
    }

    /// What its properties say; what cannot be read says nothing.
    pub(super) fn properties(&self) -> Properties<'a> {
        self.properties.and_then(|bytes| Properties::read(bytes).ok()).unwrap_or_default()
    }
}

impl<'a> Properties<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Bad> {
        let mut properties = Self::default();
        // Keys and values are two lists, in the same order; mostly all keys come first.
        let mut keys = Fields { rest: bytes };
        let mut values = Fields { rest: bytes };
        while let Some(key) = keys.next_of(1)? {
            let Some(value) = values.next_of(2)? else { break };
            match text(key)? {
                "Quality" | "quality" => properties.quality = int_property(value)?,
                "engUnit" | "EngUnit" | "engUnits" | "unit" | "units" => {
                    properties.unit = text_property(value)?.filter(|unit| !unit.is_empty());
                }
                _ => {}
            }
        }
        Ok(properties)
    }
}

fn int_property(value: &[u8]) -> Result<Option<i32>, Bad> {
    let mut fields = Fields { rest: value };
    let mut number = None;
    while let Some(field) = fields.next()? {
        if let (3 | 4, Wire::Varint(bits)) = field {
            number = Some(bits as i32);
        }
    }
    Ok(number)
}

fn text_property(value: &[u8]) -> Result<Option<&str>, Bad> {
    let mut fields = Fields { rest: value };
    let mut found = None;
    while let Some(field) = fields.next()? {
        if let (8, Wire::Bytes(bytes)) = field {
            found = Some(text(bytes)?);
        }
    }
    Ok(found)
}

/// The members of a template's instance; `None` for a definition, which has no values.
pub(super) fn members(template: &[u8]) -> Result<Option<Members<'_>>, Bad> {
    let mut fields = Fields { rest: template };
    while let Some(field) = fields.next()? {
        if matches!(field, (5, Wire::Varint(flag)) if flag != 0) {
            return Ok(None);
        }
    }
    Ok(Some(Members(Fields { rest: template })))
}

/// See [`members`].
pub(super) struct Members<'a>(Fields<'a>);

impl<'a> Members<'a> {
    pub(super) fn next(&mut self) -> Result<Option<Metric<'a>>, Bad> {
        self.0.next_of(2)?.map(Metric::read).transpose()
    }
}

/// The fields of a message, in order.
struct Fields<'a> {
    rest: &'a [u8],
}

enum Wire<'a> {
    Varint(u64),
    Eight(u64),
    Bytes(&'a [u8]),
    Four(u32),
}

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<(u32, Wire<'a>)>, Bad> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let field = u32::try_from(key >> 3).ok().filter(|field| *field > 0).ok_or(Bad::Syntax)?;
        let value = match key & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Eight(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Bad::Syntax)?;
                let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Bad::Syntax)?;
                self.rest = rest;
                Wire::Bytes(bytes)
            }
            5 => Wire::Four(u32::from_le_bytes(self.array()?)),
            _ => return Err(Bad::Syntax),
        };
        Ok(Some((field, value)))
    }

    /// The next field of this number with bytes.
    fn next_of(&mut self, wanted: u32) -> Result<Option<&'a [u8]>, Bad> {
        while let Some((field, value)) = self.next()? {
            if let Wire::Bytes(bytes) = value
                && field == wanted
            {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Bad> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Bad::Syntax)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn varint(&mut self) -> Result<u64, Bad> {
        let mut number = 0;
        for shift in (0..70).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(Bad::Syntax)?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or_default();
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Bad::Syntax)
    }
}

fn text(bytes: &[u8]) -> Result<&str, Bad> {
    std::str::from_utf8(bytes).map_err(|_| Bad::Text)
}

/// The payload of a command that asks for a new birth (clause 6.4.24: a timestamp, no sequence
/// number; the name and never an alias).
pub(super) fn rebirth(millis: u64) -> Vec<u8> {
    const NAME: &[u8] = b"Node Control/Rebirth";
    const BOOLEAN: u8 = 11;
    let mut metric = vec![0x0a, NAME.len() as u8];
    metric.extend_from_slice(NAME);
    metric.push(0x18);
    put_varint(millis, &mut metric);
    metric.extend_from_slice(&[0x20, BOOLEAN, 0x70, 1]);
    let mut payload = vec![0x08];
    put_varint(millis, &mut payload);
    payload.extend_from_slice(&[0x12, metric.len() as u8]);
    payload.append(&mut metric);
    payload
}

fn put_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}
