//! What the LoRaWAN network servers' formats share: who sent what when, which codec decodes it, and
//! what becomes of the codec's output.
//!
//! An uplink is decoded by, in this order: the codec of the device's kind
//! ([`Message::codecs`]); the network server, if its output is in the message; the source's
//! option `codec` (a built-in one, such as `cayenne_lpp`). With none of them the message is
//! refused with `no_codec`.
//!
//! Device EUIs are written in lower case, however the network server spells them, so that a
//! device keeps its id when it moves to another one. A gateway's place is never the device's.
//!
//! An object with just `value` and `unit` or `displayName`, as some vendors' codecs give for every
//! measurement, is one value in that unit: `{"level": {"value": 3.1, "unit": "m"}}`.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use city_model::{Timestamp, Value};

use crate::Message;
use crate::codec::{self, BUILT_IN, Codec, CodecOutput, Frame};
use crate::error::{At, DecodeError, DecodeErrorKind, OptionsError, quote};
use crate::flat::{Entries, Flat};
use crate::guard::{Sink, bad_value, check_id};
use crate::options::Options;
use crate::time;
use crate::wire::{Raw, Text};

/// The options that [`Uplinks::from_options`] reads.
pub(crate) const KEYS: [&str; 4] = ["device", "lon", "lat", "codec"];

/// Base64 with or without the padding at its end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The options of an uplink format.
#[derive(Debug)]
pub(crate) struct Uplinks<D> {
    /// Which of the payload's names for the device is its id.
    pub(crate) device: D,
    /// The names of decoded values that are the device's own position.
    place: Option<(String, String)>,
    /// What decodes when nobody else does.
    codec: Option<Arc<dyn Codec>>,
}

/// What there is to decode in an uplink, and where in the payload it is.
#[derive(Debug)]
pub(crate) struct Body<'a> {
    /// What the network server made of it.
    pub(crate) decoded: Option<Flat<'a>>,
    pub(crate) decoded_at: &'static str,
    /// The device's bytes.
    pub(crate) bytes: Option<Bytes<'a>>,
    pub(crate) bytes_at: &'static str,
    pub(crate) f_port: Option<u64>,
    /// What to do in this network server so that it decodes.
    pub(crate) hint: &'static str,
}

/// The device's bytes as the network server writes them.
#[derive(Debug)]
pub(crate) enum Bytes<'a> {
    Base64(Text<'a>),
    Hex(Text<'a>),
    Plain(Vec<u8>),
}

/// What an uplink says besides its values.
#[derive(Debug, Default)]
pub(crate) struct Header<'a> {
    pub(crate) device: Option<Cow<'a, str>>,
    pub(crate) time: Option<Timestamp>,
    pub(crate) position: Option<(f64, f64)>,
    pub(crate) sequence: Option<u64>,
    pub(crate) dedup: Option<Cow<'a, str>>,
    pub(crate) simulated: bool,
    pub(crate) gateway: Option<Cow<'a, str>>,
}

impl<D: Copy> Uplinks<D> {
    pub(crate) fn from_options(
        options: &Options<'_>,
        devices: &[(&str, D)],
        default: D,
    ) -> Result<Self, OptionsError> {
        let place = match (options.text("lon")?, options.text("lat")?) {
            (Some(lon), Some(lat)) => Some((lon.to_owned(), lat.to_owned())),
            (None, None) => None,
            _ => return Err(OptionsError::bad(options.full("lon"), "lon and lat go together")),
        };
        let device = options.choice("device", devices)?.unwrap_or(default);
        let codec = match options.text("codec")? {
            None => None,
            Some(name) => Some(codec::built_in(name).ok_or_else(|| {
                let problem = format!(
                    "`{name}` is no built-in codec; these are {}. A codec file belongs to a kind of \
                     devices, not to a source",
                    BUILT_IN.join(", ")
                );
                OptionsError::bad(options.full("codec"), problem)
            })?),
        };
        Ok(Self { device, place, codec })
    }

    /// Decodes an uplink and gives its values to the sink.
    pub(crate) fn take<'a>(
        &'a self,
        message: &Message<'a>,
        body: Body<'a>,
        mut header: Header<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let taken = self.values(message, body, &mut header, sink);
        // A frame without a payload is routine; like one that cannot be decoded it has come.
        if (taken.is_err() || sink.found().is_empty())
            && !header.simulated
            && let (Some(heard), Some(device)) = (message.heard, header.device.as_deref())
            && let Some(sequence) = header.sequence
        {
            heard.note(device, sequence);
        }
        taken
    }

    fn values<'a>(
        &'a self,
        message: &Message<'a>,
        body: Body<'a>,
        header: &mut Header<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let own = header.device.as_deref().and_then(|device| message.codecs?.codec(device));
        let codec = match (&own, &body.decoded) {
            (Some(own), _) => Some(own),
            (None, None) => self.codec.as_ref(),
            (None, Some(_)) => None,
        };
        match (codec, body.bytes.as_ref().filter(|bytes| !bytes.is_empty()), body.decoded) {
            (Some(codec), Some(bytes), _) => {
                let bytes = bytes.read(body.bytes_at)?;
                let frame = Frame {
                    device: header.device.as_deref().unwrap_or_default(),
                    bytes: &bytes,
                    f_port: body.f_port.and_then(|port| u8::try_from(port).ok()),
                    received: header.time.unwrap_or(message.received),
                };
                let (entries, position) = run(&**codec, &frame, body.bytes_at)?;
                header.position = position.or(header.position);
                self.put(body.bytes_at, entries, header, sink)
            }
            (_, _, Some(mut flat)) => {
                self.put(body.decoded_at, with_units(flat.checked()?), header, sink)
            }
            (None, Some(_), None) => Err(no_codec(body.bytes_at, body.decoded_at, body.hint)),
            (_, None, None) => {
                // Joins and the like have no counter; in Protocol Buffers theirs reads as 0.
                if header.sequence.is_some_and(|number| number > 0) {
                    sink.ignore();
                }
                Ok(())
            }
        }
    }

    /// Gives values to the sink; `root` is where in the payload they come from.
    fn put<'a>(
        &self,
        root: &'static str,
        entries: Vec<Entry<'a>>,
        header: &Header<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let (mut lon, mut lat) = (None, None);
        for (name, raw, unit) in entries {
            match &self.place {
                Some((place, _)) if *place == *name => lon = Some(coordinate(root, &name, &raw)?),
                Some((_, place)) if *place == *name => lat = Some(coordinate(root, &name, &raw)?),
                _ => {
                    let path = name.clone();
                    sink.named(name, unit, raw, move || locate(root, &path))?;
                }
            }
        }
        let position = lon.zip(lat).or(header.position);
        if let (Some(position), true) = (position, sink.found().is_empty()) {
            sink.position_fix(position)?;
        }
        for value in sink.found() {
            value.device.clone_from(&header.device);
            value.time = header.time;
            value.position = position;
            value.sequence = header.sequence;
            value.dedup.clone_from(&header.dedup);
            value.simulated = header.simulated;
            value.gateway.clone_from(&header.gateway);
        }
        Ok(())
    }
}

/// A name, its value, and the unit that came with it.
type Entry<'a> = (Cow<'a, str>, Raw<'a>, Option<Cow<'a, str>>);

impl Bytes<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Base64(Text(text)) | Self::Hex(Text(text)) => text.is_empty(),
            Self::Plain(bytes) => bytes.is_empty(),
        }
    }

    fn read(&self, at: &'static str) -> Result<Cow<'_, [u8]>, DecodeError> {
        let (read, notation, text) = match self {
            Self::Plain(bytes) => return Ok(Cow::Borrowed(bytes)),
            Self::Base64(Text(text)) => (BASE64.decode(text.as_bytes()).ok(), "base64", text),
            Self::Hex(Text(text)) => (hex(text), "hexadecimal", text),
        };
        read.map(Cow::Owned).ok_or_else(|| {
            DecodeError::new(
                DecodeErrorKind::Malformed,
                At::Path(at.to_owned()),
                format!("`{}` is not {notation}", quote(text)),
                "check that the source's format is the network server that sends here",
            )
        })
    }
}

/// Bytes from pairs of hexadecimal digits.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

type Ran<'a> = (Vec<Entry<'a>>, Option<(f64, f64)>);

fn run<'a>(codec: &dyn Codec, frame: &Frame<'_>, at: &str) -> Result<Ran<'a>, DecodeError> {
    let mut out = CodecOutput::default();
    codec.decode_uplink(frame, &mut out).map_err(|error| {
        DecodeError::new(
            DecodeErrorKind::Codec,
            At::Path(at.to_owned()),
            format!("the codec failed for device `{}`: {error}", quote(frame.device)),
            error.hint,
        )
    })?;
    let entries = out.values.into_iter().map(|value| {
        let raw = match value.value {
            Value::Number(number) => Raw::Number(number),
            Value::Bool(flag) => Raw::Bool(flag),
            Value::Text(text) => Raw::Text(Cow::Owned(text.as_ref().to_owned())),
        };
        (Cow::Owned(value.name), raw, value.unit)
    });
    Ok((entries.collect(), out.position))
}

/// Makes one value of an object that is one value with its unit.
fn with_units<'a>(entries: &mut Entries<'a>) -> Vec<Entry<'a>> {
    if !entries.iter().any(|(name, _)| split(name.as_str()).1 == "value") {
        return entries.drain().map(|(name, raw)| (name.keep(), raw, None)).collect();
    }
    let entries: Vec<_> = entries.drain().map(|(name, raw)| (name.keep(), raw)).collect();
    let mut out = Vec::with_capacity(entries.len());
    for object in entries.chunk_by(|(a, _), (b, _)| split(a).0 == split(b).0) {
        match measured(object) {
            Some(entry) => out.push(entry),
            None => out.extend(object.iter().map(|(name, raw)| (name.clone(), raw.clone(), None))),
        }
    }
    out
}

/// What is before the last dot, and what is after it.
fn split(name: &str) -> (Option<&str>, &str) {
    name.rsplit_once('.').map_or((None, name), |(object, leaf)| (Some(object), leaf))
}

fn measured<'a>(object: &[(Cow<'a, str>, Raw<'a>)]) -> Option<Entry<'a>> {
    let (mut value, mut unit) = (None, None);
    for (name, raw) in object {
        match (split(name).1, raw) {
            ("value", raw) => value = Some(raw),
            ("unit", Raw::Text(text)) => unit = Some(text.clone()),
            ("displayName", Raw::Text(_)) => {}
            _ => return None,
        }
    }
    let name = split(&object.first()?.0).0?;
    (object.len() > 1).then_some((Cow::Owned(name.to_owned()), value?.clone(), unit))
}

fn locate(root: &str, name: &str) -> At {
    At::Path(format!("{root}.{name}"))
}

fn coordinate(root: &'static str, name: &str, raw: &Raw<'_>) -> Result<f64, DecodeError> {
    let number = raw.as_number().filter(|number| number.is_finite());
    number.ok_or_else(|| {
        bad_value(locate(root, name), format!("{} is not a coordinate", raw.describe()))
    })
}

/// An id at a fixed place in the payload; an absent or empty one is none.
pub(crate) fn id<'a>(
    text: Option<Text<'a>>,
    path: &'static str,
) -> Result<Option<Cow<'a, str>>, DecodeError> {
    match text {
        Some(Text(id)) if !id.is_empty() => check_id(id, || At::Path(path.to_owned())).map(Some),
        _ => Ok(None),
    }
}

/// The EUI of a device at a fixed place in the payload, in lower case.
pub(crate) fn eui<'a>(
    text: Option<Text<'a>>,
    path: &'static str,
) -> Result<Option<Cow<'a, str>>, DecodeError> {
    Ok(id(text, path)?.map(|eui| {
        if eui.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(eui.to_ascii_lowercase());
        }
        eui
    }))
}

/// A time at a fixed place in the payload.
pub(crate) fn rfc3339(
    text: Option<&Text<'_>>,
    path: &'static str,
) -> Result<Option<Timestamp>, DecodeError> {
    let read = text.map(|Text(text)| time::rfc3339(text)).transpose();
    read.map_err(|problem| {
        let at = At::Path(path.to_owned());
        DecodeError::new(DecodeErrorKind::BadTime, at, problem.message, problem.hint)
    })
}

/// The uplink has the device's bytes but nobody decodes them.
fn no_codec(bytes: &str, decoded: &str, hint: &'static str) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::NoCodec,
        At::Path(bytes.to_owned()),
        format!("the uplink has only the device's raw bytes (`{bytes}`), no `{decoded}`"),
        format!("give the device's kind a codec, or {hint}"),
    )
}

#[cfg(test)]
#[path = "lorawan/tests.rs"]
mod tests;
