//! Device codecs: what turns the raw bytes of a LoRaWAN frame into named values.

use std::sync::Arc;

use city_model::{Timestamp, Value};

/// One uplink as its device sent it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The device's id.
    pub device: &'a str,
    /// The application payload, decrypted.
    pub bytes: &'a [u8],
    /// The LoRaWAN port, 1 to 223.
    pub f_port: u8,
    /// When the network heard it.
    pub received: Timestamp,
}

/// Turns the frames of one kind of device into values.
pub trait Codec: Send + Sync {
    /// Appends the values of a frame by name to `out`; nested ones by path, such as `battery.level`.
    fn decode_uplink(
        &self,
        frame: &Frame<'_>,
        out: &mut Vec<(String, Value)>,
    ) -> Result<(), CodecError>;
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

/// Why a codec could not decode a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CodecError {
    /// The codec's file, and the line in it if known: `milesight.js:17`.
    pub at: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: &'static str,
}
