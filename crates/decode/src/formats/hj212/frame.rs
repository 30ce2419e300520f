//! The frames of HJ 212: where they begin and end, what their checksum is, what their head says.
//!
//! ```text
//! ##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&1C80<CR><LF>
//! ```
//!
//! `##`, the length of the data segment in four decimal digits, the data segment, its CRC in four
//! hexadecimal digits, CR and LF (HJ 212-2017, clause 6.3). HJ 212-2025 keeps the frame, and may
//! encrypt the data in it: see [`Frame::open`].
//!
//! Devices compute two checksums: the standard's (annex A: each byte is added to the high byte,
//! shifted down), and the CRC-16 of Modbus. Both are told apart here, never mixed.

use std::fmt::Write as _;

pub use super::cipher::{Opened, Sm4Key};
use super::cut::number;
pub use super::cut::{Step, next};
pub use super::items::Items;

/// The longest frame in bytes: a segment of 9,999 and what is around it.
pub const MAX_FRAME: usize = 2 + 4 + 9_999 + 4 + 2;

/// The longest head in front of `CP=` that is looked at, in bytes. The standard's is below 120.
const MAX_HEAD: usize = 1_024;
/// What is in front of the data.
const DATA: &[u8] = b"CP=&&";

/// A frame taken apart; nothing in it is checked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The length of the segment as the frame says it.
    pub declared: usize,
    /// The data segment.
    pub segment: &'a [u8],
    /// The checksum that was sent.
    pub crc: u16,
}

/// Why bytes are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// No `##` at the start.
    #[error("a frame begins with ##")]
    NoStart,
    /// No length after `##`.
    #[error("the length of the data segment, four decimal digits, follows ##")]
    NoLength,
    /// No checksum at the end.
    #[error("a frame ends with a CRC of four hexadecimal digits, CR and LF")]
    NoCrc,
    /// More than [`MAX_FRAME`] without an end.
    #[error("a frame has at most {MAX_FRAME} bytes and ends with CR and LF")]
    NoEnd,
    /// No `CP=&&…&&`, or a head in front of it that is no text.
    #[error("the data segment is fields such as QN=…;ST=…; and then CP=&&…&&")]
    NoData,
}

/// The two checksums of a data segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksums {
    /// By HJ 212, annex A.
    pub standard: u16,
    /// By Modbus, which some devices send instead.
    pub modbus: u16,
}

/// Which checksum a device computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CrcKind {
    /// By HJ 212, annex A.
    #[default]
    Standard,
    /// By Modbus.
    Modbus,
}

impl Checksums {
    /// Of a data segment.
    pub fn of(segment: &[u8]) -> Self {
        let (mut standard, mut modbus) = (0xFFFF_u16, 0xFFFF_u16);
        for byte in segment {
            standard = shifted((standard >> 8) ^ u16::from(*byte));
            modbus = shifted(modbus ^ u16::from(*byte));
        }
        Self { standard, modbus }
    }

    /// Which of the two a sent checksum is; the standard's if it is both.
    pub fn kind(self, sent: u16) -> Option<CrcKind> {
        if sent == self.standard {
            Some(CrcKind::Standard)
        } else if sent == self.modbus {
            Some(CrcKind::Modbus)
        } else {
            None
        }
    }
}

/// Eight steps of the polynomial that both checksums share.
fn shifted(mut crc: u16) -> u16 {
    for _ in 0..8 {
        let carry = crc & 1 == 1;
        crc >>= 1;
        if carry {
            crc ^= 0xA001;
        }
    }
    crc
}

impl<'a> Frame<'a> {
    /// Takes a frame apart; CR and LF at its end may be missing.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let body = bytes.trim_ascii_end().strip_prefix(b"##").ok_or(FrameError::NoStart)?;
        let digits = body.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        let (length, body) = body.split_at(digits);
        let declared = number(length).ok_or(FrameError::NoLength)?;
        let (segment, crc) =
            body.split_at_checked(body.len().wrapping_sub(4)).ok_or(FrameError::NoCrc)?;
        let hexadecimal = crc.iter().all(u8::is_ascii_hexdigit);
        let crc = std::str::from_utf8(crc).ok().filter(|_| hexadecimal);
        let crc = crc.and_then(|crc| u16::from_str_radix(crc, 16).ok()).ok_or(FrameError::NoCrc)?;
        Ok(Self { declared, segment, crc })
    }

    /// Whether the length that it says is right.
    pub fn length_is_right(&self) -> bool {
        self.declared == self.segment.len()
    }

    /// The checksums that it should have, by either way.
    pub fn checksums(&self) -> Checksums {
        Checksums::of(self.segment)
    }

    /// What is in front of the data, and the data.
    pub fn head(&self) -> Result<Head<'a>, FrameError> {
        let place = data_place(self.segment).ok_or(FrameError::NoData)?;
        let text = &self.segment[..place - DATA.len()];
        let text = std::str::from_utf8(text).map_err(|_| FrameError::NoData)?;
        let data = self.segment[place..].strip_suffix(b"&&").ok_or(FrameError::NoData)?;
        Ok(Head::read(text, data))
    }
}

/// Where the data begin in a segment, or in the start of one.
pub(super) fn data_place(segment: &[u8]) -> Option<usize> {
    let start = &segment[..segment.len().min(MAX_HEAD)];
    let place = start.windows(DATA.len()).position(|part| part == DATA)?;
    Some(place + DATA.len())
}

/// The fields of a data segment (HJ 212-2017, table 3). Absent ones are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head<'a> {
    /// When the request was made, to the millisecond; names one exchange.
    pub qn: &'a str,
    /// The kind of system: 21 surface water, 22 air, 23 noise, 31 stack, 32 waste water, ….
    pub st: &'a str,
    /// The command: 2011 real time, 2051 minutes, 2061 hours, 2031 days, ….
    pub cn: &'a str,
    /// The password.
    pub pw: &'a str,
    /// The device.
    pub mn: &'a str,
    /// The standard's version and what follows or is asked for.
    pub flag: Option<Flag>,
    /// How many packets there are of a transmission that is split.
    pub pnum: Option<u16>,
    /// Which of them this is, from 1.
    pub pno: Option<u16>,
    /// What is between `CP=&&` and `&&`.
    pub data: &'a [u8],
}

/// The field `Flag` (HJ 212-2017, table 3): six bits of version, one for split packets, one for
/// an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub u8);

impl Flag {
    /// The version of the standard: 0 is HJ/T 212-2005, 1 is HJ 212-2017, 2 is HJ 212-2025.
    ///
    /// 2 is no proof: devices for surface water (ST=21) sent `Flag=9` before there was that one.
    pub const fn version(self) -> u8 {
        self.0 >> 2
    }

    /// Whether the packet has a number, `PNUM` and `PNO`.
    pub const fn is_split(self) -> bool {
        self.0 & 2 != 0
    }

    /// Whether an answer is asked for.
    pub const fn wants_answer(self) -> bool {
        self.0 & 1 != 0
    }
}

impl<'a> Head<'a> {
    fn read(text: &'a str, data: &'a [u8]) -> Self {
        let mut head = Self { data, ..Self::default() };
        for field in text.split(';') {
            let Some((name, value)) = field.split_once('=') else { continue };
            let value = value.trim();
            match name.trim() {
                "QN" => head.qn = value,
                "ST" => head.st = value,
                "CN" => head.cn = value,
                "PW" => head.pw = value,
                "MN" => head.mn = value,
                "Flag" => head.flag = value.parse().ok().map(Flag),
                "PNUM" => head.pnum = value.parse().ok(),
                "PNO" => head.pno = value.parse().ok(),
                _ => {}
            }
        }
        head
    }

    /// The items of the data, `name=value`, in order. What is no text or has no `=` is left out.
    pub fn items(&self) -> Items<'a> {
        Items { rest: self.data }
    }

    /// The value of an item.
    pub fn item(&self, name: &str) -> Option<&'a str> {
        self.items().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// Whether this is an answer itself (9011 to 9014), which nobody answers. A heartbeat (9015)
    /// is none.
    pub fn is_answer(&self) -> bool {
        matches!(self.cn, "9011" | "9012" | "9013" | "9014")
    }

    /// The answer, without checksum and frame (see [`encode`]): 9014 to data, and 9013 to the
    /// notices of a device: it asks for the time (1013) or a new key (1014), says what hardware it
    /// is (1001), or that it is there (9015, the heartbeat of HJ 212-2025).
    ///
    /// HJ 212-2017 names the exchange in the field QN; HJ/T 212-2005 in the data.
    pub fn answer(&self) -> String {
        let Self { qn, pw, mn, .. } = self;
        let version = self.flag.unwrap_or_default().version();
        let is_notice = matches!(self.cn, "1001" | "1013" | "1014" | "9015");
        let cn = if is_notice { "9013" } else { "9014" };
        if version == 0 {
            return format!("ST=91;CN={cn};PW={pw};MN={mn};Flag=0;CP=&&QN={qn}&&");
        }
        let flag = version << 2;
        format!("QN={qn};ST=91;CN={cn};PW={pw};MN={mn};Flag={flag};CP=&&&&")
    }
}

/// A frame around a data segment.
pub fn encode(segment: &str, kind: CrcKind) -> Vec<u8> {
    let checksums = Checksums::of(segment.as_bytes());
    let crc = match kind {
        CrcKind::Standard => checksums.standard,
        CrcKind::Modbus => checksums.modbus,
    };
    let mut frame = format!("##{:04}", segment.len());
    frame.push_str(segment);
    // Writing to a text cannot fail.
    let _ = write!(frame, "{crc:04X}\r\n");
    frame.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_the_exchange_in_the_way_of_its_version() {
        let head = Head { qn: "20160801085857223", pw: "1", mn: "M", ..Head::default() };
        assert_eq!(head.answer(), "ST=91;CN=9014;PW=1;MN=M;Flag=0;CP=&&QN=20160801085857223&&");
        let head = Head { flag: Some(Flag(7)), ..head };
        let answer = head.answer();
        assert_eq!(answer, "QN=20160801085857223;ST=91;CN=9014;PW=1;MN=M;Flag=4;CP=&&&&");
        for kind in [CrcKind::Standard, CrcKind::Modbus] {
            let bytes = encode(&answer, kind);
            let frame = Frame::parse(&bytes).expect("a frame");
            assert!(frame.length_is_right());
            assert_eq!(frame.checksums().kind(frame.crc), Some(kind));
            assert_eq!(frame.head().expect("a head").mn, "M");
        }
    }

    #[test]
    fn notices_are_answered_as_notices_and_data_as_data() {
        for (cn, expected) in [
            ("1001", "9013"),
            ("1013", "9013"),
            ("1014", "9013"),
            ("9015", "9013"),
            ("2011", "9014"),
            ("2111", "9014"),
            ("3020", "9014"),
        ] {
            let head = Head { cn, flag: Some(Flag(9)), ..Head::default() };
            let answer = head.answer();
            assert_eq!(answer, format!("QN=;ST=91;CN={expected};PW=;MN=;Flag=8;CP=&&&&"));
            assert!(!head.is_answer(), "{cn}");
        }
    }
}
