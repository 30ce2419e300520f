//! The encryption of HJ 212-2025: SM4 over what is between `CP=&&` and the closing `&&`.
//!
//! ECB without padding: whole blocks of 16 bytes are encrypted, and what is left behind the last
//! one stays as it is. The checksum is computed first, so that it is that of the plain segment and
//! can only be checked with the key (HJ 212-2025, clause 6.4.2 and annex A.2).
//!
//! The standard does not say how ciphertext is written on the line. Both ways are read: the bytes
//! themselves, and the notation of annex A.2, `{0xE4,0x3E,…}` with the rest behind it.

use std::fmt;

use sm4::Sm4;
use sm4::cipher::{Array, BlockCipherDecrypt as _, KeyInit as _};

use super::frame::{Flag, Frame, data_place};

/// The bytes of a block.
pub(super) const BLOCK: usize = 16;

/// A key for [`Frame::open`], of 16 bytes. It is never shown.
#[derive(Clone)]
pub struct Sm4Key(Box<Sm4>);

impl Sm4Key {
    /// The key that 32 hexadecimal digits spell; `None` if the text is anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 2 * BLOCK {
            return None;
        }
        let mut key = [0; BLOCK];
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_byte(pair)?;
        }
        Some(Self(Box::new(Sm4::new(&key.into()))))
    }

    /// By the text that the source's option `sm4_key` has; one that is no key is the format's to
    /// refuse.
    pub fn from_option(text: Option<&str>) -> Option<Self> {
        text.and_then(Self::from_hex)
    }

    /// Decrypts the whole blocks.
    fn decrypt(&self, bytes: &mut [u8]) {
        let (blocks, _plain) = Array::slice_as_chunks_mut(bytes);
        self.0.decrypt_blocks(blocks);
    }
}

impl fmt::Debug for Sm4Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sm4Key(…)")
    }
}

/// What a frame's data segment turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Not encrypted: it is as it was sent.
    Plain,
    /// Encrypted; this is the plain segment, if the key is the right one.
    Decrypted(Vec<u8>),
    /// Encrypted, and there is no key: the data and the checksum mean nothing.
    Locked,
}

impl Opened {
    /// The frame with its plain segment, as far as there is one.
    pub fn frame<'b>(&'b self, sent: &Frame<'b>) -> Frame<'b> {
        match self {
            Self::Decrypted(segment) => Frame { segment, ..*sent },
            Self::Plain | Self::Locked => *sent,
        }
    }
}

impl Frame<'_> {
    /// Decrypts the data, if they are encrypted.
    ///
    /// No field says whether they are. Only the edition of 2025 knows encryption; there ciphertext
    /// is told by its looks, and a checksum that is right for what was sent says that it was a text
    /// after all, in another encoding than ASCII. In a frame of an earlier edition such bytes are a
    /// disturbance on the line.
    pub fn open(&self, key: Option<&Sm4Key>) -> Opened {
        let Some(place) = data_place(self.segment) else { return Opened::Plain };
        let (head, data) = self.segment.split_at(place);
        if !knows_encryption(head) || !is_raw(data) && !is_spelled(data) {
            return Opened::Plain;
        }
        let is_right = |frame: &Frame<'_>| frame.checksums().kind(frame.crc).is_some();
        let Some(key) = key else {
            return if is_right(self) { Opened::Plain } else { Opened::Locked };
        };
        let Some(segment) = data.strip_suffix(b"&&").and_then(bytes_of) else {
            return Opened::Plain;
        };
        let mut segment = [head, &segment, b"&&"].concat();
        let end = segment.len() - 2;
        key.decrypt(&mut segment[place..end]);
        let decrypted = is_right(&Frame { segment: &segment, ..*self });
        if !decrypted && is_right(self) {
            return Opened::Plain;
        }
        Opened::Decrypted(segment)
    }
}

/// Whether a head is of an edition of the standard that knows encryption.
pub(super) fn knows_encryption(head: &[u8]) -> bool {
    let flag = head.split(|byte| *byte == b';').find_map(|field| field.strip_prefix(b"Flag="));
    let flag = flag.and_then(|flag| std::str::from_utf8(flag).ok()?.trim().parse().ok());
    flag.map(Flag).is_some_and(|flag| flag.version() >= 2)
}

/// Whether data are ciphertext as it is: a first block of random bytes is printable ASCII once in
/// ten million times, and the data of a plain frame begin with a name and `=`.
pub(super) fn is_raw(data: &[u8]) -> bool {
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~');
    data.get(..BLOCK).is_some_and(|block| !block.iter().all(is_text))
}

/// Whether data are ciphertext in the notation of annex A.2.
fn is_spelled(data: &[u8]) -> bool {
    data.starts_with(b"{0x") || data.starts_with(b"{0X")
}

/// The bytes of ciphertext in either way of writing, with what is plain behind them.
fn bytes_of(data: &[u8]) -> Option<Vec<u8>> {
    if !is_spelled(data) {
        return Some(data.to_vec());
    }
    let end = data.iter().position(|byte| *byte == b'}')?;
    let byte = |text: &[u8]| {
        let text = text.trim_ascii();
        hex_byte(text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X"))?)
    };
    let mut bytes =
        data[1..end].split(|byte| *byte == b',').map(byte).collect::<Option<Vec<_>>>()?;
    bytes.extend_from_slice(&data[end + 1..]);
    Some(bytes)
}

/// The byte that two hexadecimal digits spell.
fn hex_byte(digits: &[u8]) -> Option<u8> {
    let &[high, low] = digits else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_hexadecimal_digits_and_never_shown() {
        let key = Sm4Key::from_hex("0123456789abcdefFEDCBA9876543210").expect("a key");
        assert_eq!(format!("{key:?}"), "Sm4Key(…)");
        for text in
            ["", "0123", "0123456789abcdefFEDCBA987654321g", "0123456789abcdef+EDCBA987654321"]
        {
            assert!(Sm4Key::from_hex(text).is_none(), "{text}");
        }
        assert!(Sm4Key::from_option(None).is_none());
    }

    /// GB/T 32907-2016, annex A.1.
    #[test]
    fn whole_blocks_are_decrypted_and_the_rest_stays() {
        let text = "0123456789abcdeffedcba9876543210";
        let key = Sm4Key::from_hex(text).expect("a key");
        let bytes =
            |text: &str| text.as_bytes().chunks(2).map(hex_byte).collect::<Option<Vec<_>>>();
        let mut data = bytes("681edf34d206965e86b3e94f536e4246").expect("hexadecimal");
        data.extend_from_slice(b"g=N");
        key.decrypt(&mut data);
        assert_eq!(data, [bytes(text).expect("hexadecimal"), b"g=N".to_vec()].concat());
    }

    #[test]
    fn a_text_in_another_encoding_is_not_taken_for_ciphertext_if_its_checksum_is_right() {
        let key = Sm4Key::from_hex(&"30".repeat(BLOCK)).expect("a key");
        let segment = "MN=M;Flag=8;CP=&&站点名称一=1;a34004-Rtd=1&&";
        let bytes = super::super::frame::encode(segment, super::super::frame::CrcKind::Standard);
        let frame = Frame::parse(&bytes).expect("a frame");
        for key in [None, Some(&key)] {
            assert_eq!(frame.open(key), Opened::Plain);
        }
        let wrong = Frame { crc: frame.crc ^ 1, ..frame };
        assert_eq!(wrong.open(None), Opened::Locked);
    }
}
