//! From bytes to values: what devices send, in whichever format, as plain decoded values.
//!
//! Pure: bytes in, values out, no I/O, no clock, no async runtime. A [`Format`] compiles a
//! source's options into a [`Decoder`], which then turns each [`Message`] into [`Decoded`] values,
//! all or nothing. What the values mean (which device, which catalogue metric, which unit
//! conversion, whether the position is plausible) is decided later, by others.
//!
//! Hostile input is expected: every decoder keeps the [`limits`] and answers with a
//! [`DecodeError`], never with a panic.
//!
//! To add a format: one file in `src/formats/` and one line in `formats::FORMATS`.

mod cayenne;
mod codec;
mod entries;
mod error;
mod flat;
mod formats;
mod guard;
pub mod limits;
mod lorawan;
mod mapping;
mod options;
mod path;
mod rows;
#[cfg(test)]
mod testing;
mod time;
pub mod topic;
mod wire;

use std::borrow::Cow;
use std::cell::RefCell;

use city_model::{Quality, Timestamp, Value};

pub use codec::{BUILT_IN, Codec, CodecError, CodecOutput, CodecValue, Codecs, Frame, built_in};
pub use error::{At, DecodeError, DecodeErrorKind, OptionsError};
pub use formats::hj212::frame as hj212;
pub use formats::{FORMATS, format};

/// What arrived.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The MQTT topic, or the path of an HTTP push.
    pub topic: &'a str,
    /// The bytes.
    pub payload: &'a [u8],
    /// When it reached us: what relative times are relative to.
    pub received: Timestamp,
    /// Whether it is a dead letter that is tried again: true about its own time, no news about
    /// the state of a session.
    pub replayed: bool,
    /// The codecs of the devices, for formats that carry a device's raw bytes. Such a format keeps
    /// no state: its messages may be decoded twice, first only to see which frames they hold.
    pub codecs: Option<&'a dyn Codecs>,
    /// Where a format notes who sent a message that has no values or cannot be decoded.
    pub heard: Option<&'a Heard>,
}

/// Who sent a message in which there are no values, so that it does not count as one that never
/// came.
#[derive(Debug, Default)]
pub struct Heard(RefCell<Option<Sender>>);

/// The sender of a message and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The device's id.
    pub device: String,
    /// The message's number, such as a LoRaWAN frame counter.
    pub sequence: u64,
}

impl Heard {
    /// What was noted, if anything.
    pub fn take(&self) -> Option<Sender> {
        self.0.take()
    }

    pub(crate) fn note(&self, device: &str, sequence: u64) {
        self.0.replace(Some(Sender { device: device.to_owned(), sequence }));
    }
}

impl<'a> Message<'a> {
    /// A message that arrived just now, with no codecs at hand.
    pub const fn new(topic: &'a str, payload: &'a [u8], received: Timestamp) -> Self {
        Self { topic, payload, received, replayed: false, codecs: None, heard: None }
    }
}

/// What a format wants to be published where its messages come from, such as a request for a
/// new birth certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The topic.
    pub topic: String,
    /// The bytes.
    pub payload: Vec<u8>,
}

/// One value found in a message, still in the device's words.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<'a> {
    /// The device's id as the payload gives it: 1 to 128 bytes without control characters.
    /// `None`: the topic or the client says it.
    pub device: Option<Cow<'a, str>>,
    /// The metric's name after the source's mapping; an unmapped one as the device sends it.
    pub metric: Cow<'a, str>,
    /// The value in [`Self::unit`]; numbers are finite, texts at most [`Value::MAX_TEXT`] bytes.
    pub value: Value,
    /// Whether the value is the device's placeholder for "no value", such as -999.
    pub missing: bool,
    /// The unit as mapped, else as sent; `None`: the metric's own.
    pub unit: Option<Cow<'a, str>>,
    /// The event time. `None`: the payload has none, or the device's clock was never set.
    pub time: Option<Timestamp>,
    /// Longitude and latitude in the source's declared coordinate system, finite, not yet judged.
    pub position: Option<(f64, f64)>,
    /// The message's number, such as a LoRaWAN frame counter.
    pub sequence: Option<u64>,
    /// The network server's id of the message, the same in redeliveries.
    pub dedup: Option<Cow<'a, str>>,
    /// Whether the sender marks it as simulated.
    pub simulated: bool,
    /// What the device itself says about the value; `None`: nothing, which is trusted.
    pub quality: Option<Quality>,
    /// The gateway that heard it, the best one of several.
    pub gateway: Option<Cow<'a, str>>,
}

impl<'a> Decoded<'a> {
    /// A value of a metric with nothing else known.
    pub const fn new(metric: Cow<'a, str>, value: Value) -> Self {
        Self {
            device: None,
            metric,
            value,
            missing: false,
            unit: None,
            time: None,
            position: None,
            sequence: None,
            dedup: None,
            simulated: false,
            quality: None,
            gateway: None,
        }
    }
}

/// A payload format that sources can name in their configuration.
pub trait Format: Send + Sync {
    /// The name in configuration: lower-case letters and digits, words joined by `_`.
    fn name(&self) -> &'static str;

    /// What it is, in one English sentence.
    fn summary(&self) -> &'static str;

    /// The same in Chinese.
    fn summary_zh(&self) -> &'static str;

    /// A message in this format with options that suit it; used by documentation and tests.
    fn example(&self) -> Example;

    /// Makes a decoder from a source's options (a JSON object, or null for none).
    ///
    /// Unknown options are errors that name the key and list the known ones.
    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError>;
}

/// A message as documentation shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// The topic that it comes on.
    pub topic: &'static str,
    /// Options for the format, as JSON.
    pub options: &'static str,
    /// The payload; that of a binary format in hexadecimal digits after `hex:`.
    pub payload: &'static str,
    /// How many values it decodes to.
    pub values: usize,
}

impl Example {
    /// The payload's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let Some(digits) = self.payload.strip_prefix("hex:") else {
            return self.payload.as_bytes().to_vec();
        };
        let digit = |character: char| character.to_digit(16).map(|digit| digit as u8);
        let digits: Vec<u8> = digits.chars().filter_map(digit).collect();
        digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }
}

/// A format with a source's options applied: decodes that source's messages.
pub trait Decoder: Send + Sync {
    /// Appends the values of a message to `out`, in the order of the payload.
    ///
    /// All or nothing: after an error `out` is as it was before. A message in which nothing was
    /// found is an error ([`DecodeErrorKind::NoValues`]); one whose values the mapping ignores on
    /// purpose is not, and appends nothing.
    ///
    /// Values borrow from the message and, for mapped names, from the decoder.
    fn decode<'a>(
        &'a self,
        message: &Message<'a>,
        out: &mut Vec<Decoded<'a>>,
    ) -> Result<(), DecodeError>;

    /// Moves what the messages so far gave reason to publish into `out`. Asked after each message;
    /// most formats never have anything to say.
    fn commands(&self, out: &mut Vec<Command>) {
        let _ = out;
    }
}

/// Empties a vector of values and gives its memory back for another message's lifetime.
pub fn recycle<'b>(mut values: Vec<Decoded<'_>>) -> Vec<Decoded<'b>> {
    values.clear();
    // Nothing is left to convert; `collect` reuses the allocation because the layouts agree.
    values.into_iter().map_while(|_| None).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recycling_keeps_the_memory() {
        let text = String::from("x");
        let mut values = Vec::with_capacity(1_000);
        values.push(Decoded::new(Cow::Borrowed(text.as_str()), Value::Bool(true)));
        let again: Vec<Decoded<'static>> = recycle(values);
        assert!(again.is_empty());
        assert_eq!(again.capacity(), 1_000);
    }

    #[test]
    fn format_names_are_unique_snake_case_and_found() {
        let mut names: Vec<_> = FORMATS.iter().map(|format| format.name()).collect();
        for name in &names {
            let snake = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            assert!(name.bytes().all(snake), "{name}");
            assert_eq!(format(name).map(Format::name), Some(*name));
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FORMATS.len());
        assert!(format("morse").is_none());
    }
}
