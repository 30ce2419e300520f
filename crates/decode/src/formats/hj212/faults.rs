//! What can be wrong with a frame, said with how to mend it.

use super::frame::{Frame, FrameError};
use super::settings::Crc;
use super::{CrcKind, Reader};
use crate::error::{At, DecodeError, DecodeErrorKind};

impl Reader {
    /// Whether the checksum is right; `decrypted` says whether the frame is what a key made of it.
    pub(super) fn check(
        &self,
        frame: &Frame<'_>,
        decrypted: bool,
        place: usize,
    ) -> Result<(), DecodeError> {
        let checksums = frame.checksums();
        let good = match self.crc {
            Crc::Ignore => return Ok(()),
            Crc::Either => checksums.kind(frame.crc).is_some(),
            Crc::Only(CrcKind::Standard) => frame.crc == checksums.standard,
            Crc::Only(CrcKind::Modbus) => frame.crc == checksums.modbus,
        };
        if good {
            return Ok(());
        }
        let length = if frame.length_is_right() {
            String::new()
        } else {
            let (declared, found) = (frame.declared, frame.segment.len());
            format!("; the length is wrong too: {declared} is said, {found} is there")
        };
        let (segment, hint) = if decrypted {
            (
                "the data segment, decrypted with the source's option sm4_key,",
                "check that sm4_key is the key that this device has now: HJ 212-2025 has keys \
                 changed every 90 days; then the line to the device",
            )
        } else {
            (
                "the data segment",
                "check the line to the device; if it is the device that computes it differently, \
                 set the source's option crc (standard, modbus, either or ignore)",
            )
        };
        Err(DecodeError::new(
            DecodeErrorKind::BadChecksum,
            At::Byte(place),
            format!(
                "the checksum is {:04X}; {segment} has {:04X} by HJ 212 and {:04X} by \
                 Modbus{length}",
                frame.crc, checksums.standard, checksums.modbus
            ),
            hint,
        ))
    }
}

/// Encrypted data, and no key: neither they nor the checksum can be read.
pub(super) fn locked(place: usize) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::NoCodec,
        At::Byte(place),
        "the data are encrypted (SM4, HJ 212-2025), and the source has no key for them",
        "set the source's option sm4_key to the device's key, 32 hexadecimal digits",
    )
}

pub(super) fn not_a_frame(error: FrameError, place: usize) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::Malformed,
        At::Byte(place),
        format!("not a frame of HJ 212: {error}"),
        "check that the source's format is right, and the line to the device",
    )
}
