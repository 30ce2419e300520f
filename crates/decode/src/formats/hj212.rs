//! HJ 212-2017 and HJ 212-2025: monitoring of pollutants in China, with HJ/T 212-2005 before them.
//!
//! ```text
//! ##0152QN=20261123163001123;ST=22;CN=2011;PW=123456;MN=AQ-0017;Flag=5;CP=&&DataTime=20261123163000;a34004-Rtd=35.2,a34004-Flag=N;a21005-Rtd=0.8,a21005-Flag=T&&6180
//! ```
//!
//! The device is `MN`, the time `DataTime` (or the factor's own `SampleTime`), local time at the
//! option `time_offset`, by default `+08:00`. A message may hold several frames; a packet of a
//! split transmission that has no `DataTime` takes it from the packet before it.
//!
//! Names: the standard's factor codes are called as in the catalogue (`a34004-Rtd` is `pm25`),
//! other codes keep their own. A statistic is a metric of its own, named by what it is and by the
//! command that it came with:
//!
//! | in the frame | metric |
//! |---|---|
//! | `a34004-Rtd` | `pm25` |
//! | `a34004-Avg`, `-Min`, `-Max` with CN=2051, 2061, 2031 | `pm25_avg_minute`, `pm25_min_hour`, `pm25_max_day`, … |
//! | `w00000-Cou` with CN=2061 | `water_flow_sum_hour` |
//! | `a21026-ZsRtd`, `-ZsAvg` (ST=31) | `stack_so2_converted`, `stack_so2_converted_avg_hour` |
//! | any other, such as `SB1-RS` | as it is sent |
//!
//! With `plain = "minute"` (or `hour`, `day`) that average is the metric itself, for stations
//! that send no real-time values: `a34004-Avg` is `pm25`.
//!
//! The shared option `metrics` can name each item as it is sent (`"a34004-Avg"`), and a code
//! alone for its plain value (`"a34004"`). `units = { a21004 = "mg/m3" }` says in which unit a
//! code's values come, where the standard's is not kept to.
//!
//! A flag beside a value is the device's own verdict: broken, in maintenance, being calibrated
//! (fail), out of range (suspect), off or out of reach (missing). A value of `NaN` is missing too.
//!
//! `crc` says which checksum is right: `standard`, `modbus` (which some devices compute
//! instead), `either` (default), or `ignore`. A wrong length is tolerated if the checksum is right.
//!
//! Requests, settings, answers and notices (CN=1… and 9…), a device's running state, start and
//! own data without a factor's value have no values on purpose.

mod beside;
mod clock;
mod factors;
pub mod frame;
mod period;
mod settings;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use city_model::{Quality, Timestamp};
use jiff::tz::Offset;
use rustc_hash::FxHashMap;

use crate::error::{At, DecodeError, DecodeErrorKind, OptionsError, quote};
use crate::guard::{Guarded, Parse, Sink, check_id};
use crate::options::Options;
use crate::wire::Raw;
use crate::{Decoder, Example, Format, Message};
use beside::Beside;
use clock::{local_time, offset};
use factors::Verdict;
use frame::{CrcKind, Frame, FrameError, Head, Step};
use period::{Period, statistic_name};
use settings::{Crc, units};

/// HJ 212.
pub(super) struct Hj212;

impl Format for Hj212 {
    fn name(&self) -> &'static str {
        "hj212"
    }

    fn summary(&self) -> &'static str {
        "HJ 212-2017, HJ 212-2025 and HJ/T 212-2005: frames of China's pollutant monitoring"
    }

    fn summary_zh(&self) -> &'static str {
        "HJ 212-2017、HJ 212-2025 与 HJ/T 212-2005 污染物自动监测数据传输报文"
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
        let options = Options::new(options, &["crc", "time_offset", "plain", "units"])?;
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
        };
        Guarded::boxed(reader, &options)
    }
}

struct Reader {
    crc: Crc,
    offset: Offset,
    plain: Period,
    units: FxHashMap<Box<str>, Box<str>>,
}

/// What was said in the packet before, for one of the same transmission.
#[derive(Clone, Copy)]
struct Earlier<'a> {
    mn: &'a str,
    cn: &'a str,
    time: Timestamp,
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
        self.check(&frame, place)?;
        let head = frame.head().map_err(|error| not_a_frame(error, place))?;
        // Requests and settings, answers and notices: no measurements, whatever they hold.
        if matches!(head.cn.as_bytes(), [b'1' | b'9', _, _, _]) {
            sink.ignore();
            return Ok(());
        }
        let time = self.time(&head, *earlier, place)?;
        if let Some(time) = time {
            *earlier = Some(Earlier { mn: head.mn, cn: head.cn, time });
        }
        let device = match head.mn {
            "" => None,
            mn => Some(check_id(Cow::Borrowed(mn), || At::Byte(place))?),
        };
        let before = sink.found().len();
        self.values(&head, place, sink)?;
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

    fn check(&self, frame: &Frame<'_>, place: usize) -> Result<(), DecodeError> {
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
        Err(DecodeError::new(
            DecodeErrorKind::BadChecksum,
            At::Byte(place),
            format!(
                "the checksum is {:04X}; the data segment has {:04X} by HJ 212 and {:04X} by \
                 Modbus{length}",
                frame.crc, checksums.standard, checksums.modbus
            ),
            "check the line to the device; if it is the device that computes it differently, set \
             the source's option crc (standard, modbus, either or ignore)",
        ))
    }

    /// The time of the data; that of the exchange for real-time data without one.
    fn time(
        &self,
        head: &Head<'_>,
        earlier: Option<Earlier<'_>>,
        place: usize,
    ) -> Result<Option<Timestamp>, DecodeError> {
        if let Some(text) = head.item("DataTime") {
            return self.read_time("DataTime", text, place).map(Some);
        }
        let of = |earlier: &Earlier<'_>| (earlier.mn, earlier.cn) == (head.mn, head.cn);
        if let Some(earlier) = earlier.filter(of) {
            return Ok(Some(earlier.time));
        }
        match Period::of(head.cn) {
            Some(Period::RealTime) if !head.qn.is_empty() => {
                self.read_time("QN", head.qn, place).map(Some)
            }
            Some(Period::Minute | Period::Hour | Period::Day) => Err(DecodeError::new(
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
            )),
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

    fn values<'a>(
        &'a self,
        head: &Head<'a>,
        place: usize,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let beside = Beside::of(head);
        for (name, text) in head.items() {
            let Some((code, what)) = name.rsplit_once('-') else { continue };
            if matches!(what, "Flag" | "EFlag" | "SampleTime") || text.is_empty() {
                continue;
            }
            let raw = match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Raw::Number(number),
                // The device says that it has none: that is news, and none about the others.
                Ok(_) => Raw::Absent(Cow::Borrowed(text)),
                Err(_) => Raw::Text(Cow::Borrowed(text.trim_matches('/'))),
            };
            let time = match beside.sample_time(code) {
                Some(text) => Some(self.read_time("SampleTime", text, place)?),
                None => None,
            };
            let absent = matches!(raw, Raw::Absent(_));
            let before = sink.found().len();
            self.value(head, (name, code, what), raw, place, sink)?;
            let verdict = beside.flag(code).map_or(Verdict::Good, factors::verdict);
            for value in sink.since(before) {
                value.time = time;
                match verdict {
                    _ if absent => value.quality = Some(Quality::Missing),
                    Verdict::Good => {}
                    Verdict::Bad(quality) => value.quality = Some(quality),
                    Verdict::None => {
                        value.missing = true;
                        value.quality = Some(Quality::Missing);
                    }
                }
            }
        }
        Ok(())
    }

    fn value<'a>(
        &'a self,
        head: &Head<'a>,
        (name, code, what): (&'a str, &'a str, &'a str),
        raw: Raw<'a>,
        place: usize,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let at = || At::Byte(place);
        let known = factors::metric(code, head.st);
        let period = Period::of(head.cn);
        let (converted, statistic) = match what.strip_prefix("Zs") {
            Some(what) => (true, what),
            None => (false, what),
        };
        let plain = match period {
            Some(Period::RealTime) | None => statistic == "Rtd",
            Some(period) => statistic == "Avg" && period == self.plain,
        };
        let unit = self.unit(code, statistic, known.map(|(_, unit)| unit));
        let mapping = sink.mapping();
        let by_code = || if plain && !converted { mapping.find(code) } else { None };
        if let Some(rule) = mapping.find(name).or_else(by_code) {
            return sink.ruled(rule, unit, raw, at);
        }
        let of: &'a str = known.map_or(code, |(metric, _)| metric);
        let converted = if converted { "_converted" } else { "" };
        let called = match (plain, statistic_name(statistic)) {
            (true, _) if converted.is_empty() => Cow::Borrowed(of),
            (true, _) => Cow::Owned(format!("{of}{converted}")),
            (false, Some(statistic)) => {
                let period = period.map_or("", Period::suffix);
                Cow::Owned(format!("{of}{converted}_{statistic}{period}"))
            }
            (false, None) => Cow::Borrowed(name),
        };
        sink.named(called, unit, raw, at)
    }

    /// The unit of a value. Sums are of another dimension: only that of a volume is known.
    fn unit<'a>(
        &'a self,
        code: &str,
        statistic: &str,
        known: Option<&'static str>,
    ) -> Option<Cow<'a, str>> {
        if statistic == "Cou" {
            let volume = matches!(known, Some("L/s" | "m3/s"));
            return volume.then_some(Cow::Borrowed("m3"));
        }
        if statistic_name(statistic).is_none() && statistic != "Rtd" {
            return None;
        }
        self.units.get(code).map(|unit| Cow::Borrowed(&**unit)).or(known.map(Cow::Borrowed))
    }
}

/// Whether a command may be without values: a device's running state and start, and what it is.
fn holds_nothing(head: &Head<'_>) -> bool {
    head.cn.starts_with('3') || matches!(head.cn, "2012" | "2021" | "2022" | "2041" | "2081")
}

fn not_a_frame(error: FrameError, place: usize) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::Malformed,
        At::Byte(place),
        format!("not a frame of HJ 212: {error}"),
        "check that the source's format is right, and the line to the device",
    )
}
