//! Device codecs: what turns the raw bytes of a LoRaWAN frame into named values.

use std::borrow::Cow;
use std::sync::Arc;

use city_model::{Timestamp, Value};

use crate::cayenne::CayenneLpp;

/// One uplink as its device sent it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The device's id; empty if the message does not say it.
    pub device: &'a str,
    /// The application payload, decrypted.
    pub bytes: &'a [u8],
    /// The LoRaWAN port, 1 to 223 for applications; `None` if the network server left it out.
    pub f_port: Option<u8>,
    /// When the network heard it.
    pub received: Timestamp,
}

/// One value of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct CodecValue {
    /// Its name; nested ones by path, such as `battery.level` or `history[0].t`.
    pub name: String,
    /// The value; numbers are finite, texts may still be longer than a reading allows.
    pub value: Value,
    /// The unit that the codec gives, as it spells it.
    pub unit: Option<Cow<'static, str>>,
}

impl CodecValue {
    /// A value without a unit.
    pub fn new(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { name: name.into(), value: value.into(), unit: None }
    }
}

/// What a codec made of a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CodecOutput {
    /// The values in the codec's order.
    pub values: Vec<CodecValue>,
    /// The device's own fix, longitude and latitude in degrees, if the codec knows it to be one.
    pub position: Option<(f64, f64)>,
}

/// Turns the frames of one kind of device into values.
pub trait Codec: Send + Sync {
    /// Adds the values of a frame to `out`, which is empty before. After an error its content
    /// means nothing.
    fn decode_uplink(&self, frame: &Frame<'_>, out: &mut CodecOutput) -> Result<(), CodecError>;

    /// Decodes frames one after the other and adds what became of each to `out`.
    fn decode_uplinks(&self, frames: &[Frame<'_>], out: &mut Vec<Result<CodecOutput, CodecError>>) {
        out.extend(frames.iter().map(|frame| {
            let mut output = CodecOutput::default();
            self.decode_uplink(frame, &mut output).map(|()| output)
        }));
    }

    /// Whether many frames at a time cost it much less than one after the other.
    fn takes_many(&self) -> bool {
        false
    }
}

/// The codecs of the devices that are known.
pub trait Codecs: Send + Sync {
    /// The codec of a device; `None` if it has none or is not known.
    fn codec(&self, device: &str) -> Option<Arc<dyn Codec>>;
}

impl std::fmt::Debug for dyn Codecs + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Codecs")
    }
}

impl std::fmt::Debug for dyn Codec + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Codec")
    }
}

/// Why a codec could not decode a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}")]
pub struct CodecError {
    /// The codec's file, and the line in it if known: `milesight.js:17`.
    pub at: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: &'static str,
}

/// The codecs that need no file, by the names that configuration calls them by.
pub const BUILT_IN: [&str; 1] = [CAYENNE_LPP];

const CAYENNE_LPP: &str = "cayenne_lpp";

/// The codec with a built-in name.
pub fn built_in(name: &str) -> Option<Arc<dyn Codec>> {
    (name == CAYENNE_LPP).then(|| Arc::new(CayenneLpp) as Arc<dyn Codec>)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_name_has_its_codec() {
        for name in BUILT_IN {
            assert!(built_in(name).is_some(), "{name}");
        }
        assert!(built_in("morse").is_none());
    }
}
