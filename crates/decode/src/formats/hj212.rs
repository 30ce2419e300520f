//! HJ 212-2017, with HJ/T 212-2005 before it and HJ 212-2025 behind it: monitoring of pollutants
//! in China.
//!
//! ```text
//! ##0152QN=20261123163001123;ST=22;CN=2011;PW=123456;MN=AQ-0017;Flag=5;CP=&&DataTime=20261123163000;a34004-Rtd=35.2,a34004-Flag=N;a21005-Rtd=0.8,a21005-Flag=T&&6180
//! ```
//!
//! The device is `MN`, the time `DataTime` (or the factor's own `SampleTime`), local time at the
//! option `time_offset`, by default `+08:00`. A message may hold several frames; a packet of a
//! split transmission that has no `DataTime` takes it from a packet of the same one before it.
//!
//! Names: the standard's factor codes are called as in the catalogue (`a34004-Rtd` is `pm25`),
//! other codes keep their own. A statistic is a metric of its own, named by what it is and by the
//! command that it came with:
//!
//! | in the frame | metric |
//! |---|---|
//! | `a34004-Rtd` | `pm25` |
//! | `a34004-Avg`, `-Min`, `-Max` with CN=2051, 2061, 2031 | `pm25_avg_minute`, `pm25_min_hour`, `pm25_max_day`, … |
//! | `w00000-Cou`, `w01018-Cou` with CN=2061 | `water_flow_sum_hour` (m3), `water_cod_sum_hour` (kg) |
//! | `Leq-Data` with CN=2051; 2052, a single measurement | `noise_laeq_avg_minute`; `noise_laeq` |
//! | `Leq-DayData`, `-NightData` with CN=2031 | `noise_laeq_daytime`, `noise_laeq_nighttime` |
//! | `a01901-Avg`, `-RawAvg` with CN=2111 | `a01901_avg_five_minutes`, `a01901_raw_avg_five_minutes` |
//! | `a21026-ZsRtd`, `-ZsAvg` (ST=31) | `stack_so2_converted`, `stack_so2_converted_avg_hour` |
//! | any other, such as `SB1-RS` | as it is sent |
//!
//! With `plain = "minute"` (or `hour`, `day`) that average is the metric itself, for stations
//! that send no real-time values: `a34004-Avg` is `pm25`, `Leq-Data` is `noise_laeq`.
//!
//! The shared option `metrics` can name each item as it is sent (`"a34004-Avg"`), and a code
//! alone for its plain value (`"a34004"`). `units = { a21004 = "mg/m3" }` says in which unit a
//! code's values come, where the standard's is not kept to.
//!
//! A flag beside a value is the device's own verdict: broken, in maintenance, being calibrated
//! (fail), out of range (suspect), off, without power or out of reach (missing). A value of `NaN`
//! is missing too.
//!
//! `crc` says which checksum is right: `standard`, `modbus` (which some devices compute
//! instead), `either` (default), or `ignore`. A wrong length is tolerated if the checksum is right.
//!
//! `sm4_key`, 32 hexadecimal digits, decrypts the data of HJ 212-2025 (SM4), raw or written as
//! `{0xE4,0x3E,…}`; the checksum is then that of the decrypted segment. One key is for all devices
//! of a source, and a new one (CN=1014) is not fetched: it has to be set here.
//!
//! Requests, settings, answers, notices and heartbeats (CN=1… and 9…), a device's running state,
//! start and own data without a factor's value have no values on purpose. Files (HJ 212-2025,
//! annex H) are not read.

mod beside;
mod cipher;
mod clock;
mod cut;
mod factors;
mod faults;
pub mod frame;
mod items;
mod period;
mod settings;
#[cfg(test)]
mod tests;
mod values;

use std::borrow::Cow;

use city_model::Timestamp;
use jiff::tz::Offset;
use rustc_hash::FxHashMap;

use crate::error::{At, DecodeError, DecodeErrorKind, OptionsError, quote};
use crate::guard::{Guarded, Parse, Sink, check_id};
use crate::options::Options;
use crate::{Decoder, Example, Format, Message};
use clock::{local_time, offset};
use faults::{locked, not_a_frame};
use frame::{CrcKind, Frame, FrameError, Head, Opened, Sm4Key, Step};
use period::Period;
use settings::{Crc, sm4_key, units};

/// HJ 212.
pub(super) struct Hj212;

impl Format for Hj212 {
    fn name(&self) -> &'static str {
        "hj212"
    }

    fn summary(&self) -> &'static str {
        "HJ 212-2017, HJ 212-2025 (its SM4 too) and HJ/T 212-2005: frames of China's pollutant \
         monitoring"
    }

    fn summary_zh(&self) -> &'static str {
        "HJ 212-2017、HJ 212-2025（含 SM4 加密）与 HJ/T 212-2005 污染物自动监测数据传输报文"
    }

    fn example(&self) -> Example {
        Example {
            topic: "hj212/AQ-0017",
            options: r#"{"crc": "standard"}"#,
            payload: "##0152QN=20261123163001123;ST=22;CN=2011;PW=123456;MN=AQ-0017;Flag=5;\
                CP=&&DataTime=20261123163000;a34004-Rtd=35.2,a34004-Flag=N;\
                a21005-Rtd=0.8,a21005-Flag=T&&6180\r\n",
            values: 2,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let options = Options::new(options, &["crc", "time_offset", "plain", "units", "sm4_key"])?;
        let crcs = [
            ("either", Crc::Either),
            ("standard", Crc::Only(CrcKind::Standard)),
            ("modbus", Crc::Only(CrcKind::Modbus)),
            ("ignore", Crc::Ignore),
        ];
        let periods = [
            ("realtime", Period::RealTime),
            ("minute", Period::Minute),
            ("hour", Period::Hour),
            ("day", Period::Day),
        ];
        let reader = Reader {
            crc: options.choice("crc", &crcs)?.unwrap_or(Crc::Either),
            offset: offset(&options)?,
            plain: options.choice("plain", &periods)?.unwrap_or(Period::RealTime),
            units: units(&options)?,
            key: sm4_key(&options)?,
        };
        Guarded::boxed(reader, &options)
    }
}

struct Reader {
    crc: Crc,
    offset: Offset,
    plain: Period,
    units: FxHashMap<Box<str>, Box<str>>,
    key: Option<Sm4Key>,
}

/// What was said in a packet before, for those of the same transmission.
struct Earlier<'a> {
    mn: Cow<'a, str>,
    cn: Cow<'a, str>,
    packets: u16,
    number: u16,
    time: Timestamp,
}

impl Earlier<'_> {
    /// Whether a packet belongs to the same transmission. Not only the next one does: the TCP
    /// listener puts the first packet alone in front of each of the others.
    fn goes_on_in(&self, head: &Head<'_>) -> bool {
        (&*self.mn, &*self.cn, Some(self.packets)) == (head.mn, head.cn, head.pnum)
            && head.pno.is_some_and(|number| self.number < number)
    }
}

impl Parse for Reader {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut place = 0;
        let mut earlier = None;
        let mut frames = 0;
        while let Some(rest) = message.payload.get(place..).filter(|rest| !rest.is_empty()) {
            let length = match frame::next(rest) {
                Step::Blank(length) => {
                    place += length;
                    continue;
                }
                Step::Frame(length) => length,
                // Nothing more comes: CR and LF may be missing, or something is wrong.
                Step::More => rest.len(),
                // Whoever took it from a line has asked nobody who sent it.
                Step::Garbage(length) => {
                    let error = Frame::parse(&rest[..length]).err();
                    return Err(not_a_frame(error.unwrap_or(FrameError::NoEnd), place));
                }
            };
            self.frame(&rest[..length], place, &mut earlier, sink)?;
            place += length;
            frames += 1;
        }
        if frames == 0 {
            return Err(not_a_frame(FrameError::NoStart, 0));
        }
        Ok(())
    }

    fn looked_for(&self) -> String {
        "factors with values (a34004-Rtd=…) in CP=&&…&&".to_owned()
    }
}

impl Reader {
    fn frame<'a>(
        &'a self,
        bytes: &'a [u8],
        place: usize,
        earlier: &mut Option<Earlier<'a>>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let frame = Frame::parse(bytes).map_err(|error| not_a_frame(error, place))?;
        let opened = frame.open(self.key.as_ref());
        match &opened {
            Opened::Plain => {
                self.check(&frame, false, place)?;
                self.readable(&frame, Cow::Borrowed, place, earlier, sink)
            }
            Opened::Decrypted(_) => {
                let frame = opened.frame(&frame);
                self.check(&frame, true, place)?;
                let keep = |text: &str| Cow::Owned(text.to_owned());
                self.readable(&frame, keep, place, earlier, sink)
            }
            Opened::Locked => {
                let head = frame.head().map_err(|error| not_a_frame(error, place))?;
                if !is_about_the_exchange(&head) {
                    return Err(locked(place));
                }
                sink.ignore();
                Ok(())
            }
        }
    }

    /// A frame whose data can be read. `keep` makes its texts outlast it.
    fn readable<'a, 'h>(
        &'a self,
        frame: &Frame<'h>,
        keep: impl Fn(&'h str) -> Cow<'a, str> + Copy,
        place: usize,
        earlier: &mut Option<Earlier<'a>>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let head = frame.head().map_err(|error| not_a_frame(error, place))?;
        if is_about_the_exchange(&head) {
            sink.ignore();
            return Ok(());
        }
        let time = self.time(&head, earlier.as_ref(), place)?;
        if let (Some(packets), Some(number), Some(time)) = (head.pnum, head.pno, time) {
            let (mn, cn) = (keep(head.mn), keep(head.cn));
            // Behind the last one another transmission begins.
            *earlier = (number < packets).then_some(Earlier { mn, cn, packets, number, time });
        }
        let device = match head.mn {
            "" => None,
            mn => Some(check_id(keep(mn), || At::Byte(place))?),
        };
        let before = sink.found().len();
        self.values(&head, keep, place, sink)?;
        for value in sink.since(before) {
            value.device.clone_from(&device);
            value.time = value.time.or(time);
        }
        let nothing = sink.since(before).is_empty();
        if nothing && Period::of(head.cn).is_none() && holds_nothing(&head) {
            sink.ignore();
        }
        Ok(())
    }

    /// The time of the data; that of the exchange for real-time data without one.
    fn time(
        &self,
        head: &Head<'_>,
        earlier: Option<&Earlier<'_>>,
        place: usize,
    ) -> Result<Option<Timestamp>, DecodeError> {
        if let Some(text) = head.item("DataTime") {
            return self.read_time("DataTime", text, place).map(Some);
        }
        if let Some(earlier) = earlier.filter(|earlier| earlier.goes_on_in(head)) {
            return Ok(Some(earlier.time));
        }
        match Period::of(head.cn) {
            Some(Period::RealTime | Period::Single) if !head.qn.is_empty() => {
                self.read_time("QN", head.qn, place).map(Some)
            }
            Some(Period::Minute | Period::FiveMinutes | Period::Hour | Period::Day) => {
                Err(DecodeError::new(
                    DecodeErrorKind::BadTime,
                    At::Byte(place),
                    match head.pno {
                        Some(pno) => format!(
                            "packet {pno} of a split transmission has no DataTime, and the packet \
                         before it is not here"
                        ),
                        None => "the data have no DataTime".to_owned(),
                    },
                    "send DataTime in each packet, or through the TCP listener, which puts the \
                 packets of a transmission together",
                ))
            }
            _ => Ok(None),
        }
    }

    fn read_time(&self, name: &str, text: &str, place: usize) -> Result<Timestamp, DecodeError> {
        local_time(text, self.offset).ok_or_else(|| {
            DecodeError::new(
                DecodeErrorKind::BadTime,
                At::Byte(place),
                format!("{name} is `{}`, which is not a time", quote(text)),
                "the time is written as YYYYMMDDhhmmss, with three digits more in QN",
            )
        })
    }
}

/// Requests and settings, answers, notices and heartbeats: no measurements, whatever they hold.
fn is_about_the_exchange(head: &Head<'_>) -> bool {
    matches!(head.cn.as_bytes(), [b'1' | b'9', _, _, _])
}

/// Whether a command may be without values: a device's running state and start, and what it is.
fn holds_nothing(head: &Head<'_>) -> bool {
    head.cn.starts_with('3') || matches!(head.cn, "2012" | "2021" | "2022" | "2041" | "2081")
}
