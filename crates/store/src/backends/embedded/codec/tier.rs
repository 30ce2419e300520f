//! A summary row: what the readings of one device on one day were, step by step.
//!
//! ```text
//! version   1 byte
//! checksum  4 bytes: CRC-32 of day, step, device key and all that follows
//! frames, then for each: how many of its steps count, length of its block
//! metrics, then for each: metric, number of its frame, length of its block
//! blocks of the frames: which steps there are, counts, and when in its step the newest was
//! blocks of the metrics: flagged, and if anything counts: last, then lowest, highest and sum of the
//!           steps in which more than one counts, each only where it differs from last
//! ```
//! Steps are numbered from the start of the day. Metrics that come in the same messages share a
//! frame. One metric is read without the others. Where one reading fell into each step, which is
//! what the shortest steps of slow devices look like, a row is as small as its readings.

use std::ops::Range;

use city_model::{DeviceKey, MetricKey, Timestamp};

use super::bytes::{Damaged, Reader, put_signed, put_varint};
use super::{ints, numbers, presence};
use crate::TimeRange;
use crate::steps::Stats;

const VERSION: u8 = 2;
const HEADER: usize = 5;

/// The steps of one metric, in order of time: where a step begins, and what was in it.
pub(crate) type Summary = Vec<(i64, Stats)>;

/// Encodes the summaries of device `key` on the day that starts at `day`, in microseconds as `step`.
pub(crate) fn encode(
    metrics: &[(MetricKey, Summary)],
    (day, step): (i64, i64),
    key: DeviceKey,
) -> Vec<u8> {
    let mut frames: Vec<(usize, Vec<u8>)> = Vec::new();
    let mut entries = Vec::new();
    let mut blocks = Vec::new();
    for (metric, summary) in metrics {
        let frame = encode_frame(summary, day, step);
        let number = frames.iter().position(|other| *other == frame).unwrap_or_else(|| {
            frames.push(frame);
            frames.len() - 1
        });
        let before = blocks.len();
        encode_values(summary, &mut blocks);
        entries.push((metric, number, blocks.len() - before));
    }
    let mut out = vec![VERSION, 0, 0, 0, 0];
    put_varint(&mut out, frames.len() as u64);
    for (counting, block) in &frames {
        put_varint(&mut out, *counting as u64);
        put_varint(&mut out, block.len() as u64);
    }
    put_varint(&mut out, entries.len() as u64);
    for (metric, number, length) in entries {
        put_varint(&mut out, u64::from(metric.0));
        put_varint(&mut out, number as u64);
        put_varint(&mut out, length as u64);
    }
    for (_, block) in &frames {
        out.extend_from_slice(block);
    }
    out.append(&mut blocks);
    let checksum = checksum((day, step), key, &out[HEADER..]);
    out[1..HEADER].copy_from_slice(&checksum.to_le_bytes());
    out
}

/// The steps' frame, and how many of them count.
fn encode_frame(summary: &Summary, day: i64, step: i64) -> (usize, Vec<u8>) {
    let mut out = Vec::new();
    encode_steps(summary, day, step, &mut out);
    pack(summary.iter().map(|(_, stats)| stats.count), &mut out);
    let newest = |(start, stats): &(i64, Stats)| stats.last_time.wrapping_sub(*start) as u64;
    let newest: Vec<u64> = summary.iter().filter(|(_, s)| s.count > 0).map(newest).collect();
    encode_offsets(&newest, &mut out);
    (newest.len(), out)
}

fn encode_values(summary: &Summary, out: &mut Vec<u8>) {
    pack(summary.iter().map(|(_, stats)| stats.flagged), out);
    let counting = || summary.iter().map(|(_, stats)| stats).filter(|stats| stats.count > 0);
    let last: Vec<f64> = counting().map(|stats| stats.last).collect();
    if last.is_empty() {
        return;
    }
    numbers::encode(&last, out);
    let several = || counting().filter(|stats| stats.count > 1);
    let of_several = |of: fn(&Stats) -> f64| several().map(of).collect::<Vec<f64>>();
    let last = of_several(|stats| stats.last);
    for other in [of_several(|s| s.min), of_several(|s| s.max), of_several(|s| s.sum)] {
        let same = other.iter().zip(&last).all(|(a, b)| a.to_bits() == b.to_bits());
        out.push(u8::from(!same));
        if !same {
            numbers::encode(&other, out);
        }
    }
}

/// Makes decimals of the sums of decimals, which floats miss by their last digits: they are as
/// right then as they can be, and take a quarter of the room.
pub(crate) fn settle(summary: &mut Summary) {
    let ends = summary.iter().filter(|(_, stats)| stats.count > 0);
    let ends: Vec<f64> = ends.flat_map(|(_, s)| [s.last, s.min, s.max]).collect();
    let Some(exponent) = numbers::common_exponent(&ends) else { return };
    for (_, stats) in summary {
        let Some(decimal) = numbers::nearest_decimal(stats.sum, exponent) else { continue };
        // What adding up may have lost; values with more digits than these ends differ by more.
        let lost = stats.count as f64 * f64::EPSILON * stats.max.abs().max(stats.min.abs());
        if (decimal - stats.sum).abs() <= lost * stats.count as f64 {
            stats.sum = decimal;
        }
    }
}

/// Decodes those of `wanted` metrics, `None`: all; and the steps that begin `within` a range. A
/// metric without any is left out.
pub(crate) fn decode(
    blob: &[u8],
    (day, step): (i64, i64),
    key: DeviceKey,
    wanted: Option<&[MetricKey]>,
    within: TimeRange,
) -> Result<Vec<(MetricKey, Summary)>, Damaged> {
    let mut out: Vec<(MetricKey, Summary)> = Vec::new();
    each(blob, (day, step), key, wanted, within, |metric, start, stats| match out.last_mut() {
        Some((of, summary)) if *of == metric => summary.push((start, *stats)),
        _ => out.push((metric, vec![(start, *stats)])),
    })?;
    Ok(out)
}

/// The same, step by step: the steps of a metric one after the other.
pub(crate) fn each(
    blob: &[u8],
    (day, step): (i64, i64),
    key: DeviceKey,
    wanted: Option<&[MetricKey]>,
    within: TimeRange,
    mut each: impl FnMut(MetricKey, i64, &Stats),
) -> Result<(), Damaged> {
    let mut reader = Reader::new(blob);
    if reader.byte()? != VERSION {
        return Err(Damaged("it is of an unknown version"));
    }
    if reader.u32()? != checksum((day, step), key, &blob[HEADER..]) {
        return Err(Damaged("the checksum is wrong"));
    }
    let count = reader.count(blob.len())?;
    let mut frames = Vec::with_capacity(count);
    for _ in 0..count {
        frames.push((reader.count(MOST)?, reader.count(blob.len())?));
    }
    let count = reader.count(blob.len())?;
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        let metric = MetricKey(reader.count(usize::from(u16::MAX))? as u16);
        entries.push((metric, reader.count(frames.len())?, reader.count(blob.len())?));
    }
    let of_frames = reader;
    reader.bytes(frames.iter().fold(0, |all: usize, (_, length)| all.saturating_add(*length)))?;
    let mut read: Option<(usize, Frame)> = None;
    for (metric, number, length) in entries {
        let block = reader.bytes(length)?;
        if wanted.is_some_and(|wanted| !wanted.contains(&metric)) {
            continue;
        }
        let frame = match read.take() {
            Some((of, frame)) if of == number => frame,
            _ => {
                let (counting, length) =
                    *frames.get(number).ok_or(Damaged("the frame of a metric is missing"))?;
                let mut reader = of_frames;
                reader.bytes(frames[..number].iter().map(|(_, length)| length).sum())?;
                Frame::decode(Reader::new(reader.bytes(length)?), counting, (day, step), within)?
            }
        };
        frame.with_values(Reader::new(block), |start, stats| each(metric, start, stats))?;
        read = Some((number, frame));
    }
    Ok(())
}

/// What metrics of the same messages share: of the steps that begin in a range.
struct Frame {
    starts: Vec<i64>,
    counts: Vec<u64>,
    /// When in its step the newest was, of those that count.
    newest: Vec<u64>,
    /// All steps, those that count, and those in which more than one counts; and which of each are
    /// in the range.
    all: Part,
    counting: Part,
    several: Part,
}

/// Some of what is written one after the other.
#[derive(Clone)]
struct Part {
    of: usize,
    some: Range<usize>,
}

impl Frame {
    fn decode(
        mut reader: Reader<'_>,
        counting: usize,
        (day, step): (i64, i64),
        within: TimeRange,
    ) -> Result<Self, Damaged> {
        let mut starts = decode_steps(&mut reader, day, step)?;
        let mut counts = Vec::with_capacity(starts.len());
        ints::unpack(&mut reader, starts.len(), &mut counts)?;
        let before = |limit: Timestamp| starts.partition_point(|start| *start < limit.micros());
        let first = before(within.from);
        let some = first..before(within.to).max(first);
        let part = |more_than: u64| {
            let of = |counts: &[u64]| counts.iter().filter(|count| **count > more_than).count();
            let first = of(&counts[..some.start]);
            Part { of: of(&counts), some: first..first + of(&counts[some.clone()]) }
        };
        let (of_counting, several) = (part(0), part(1));
        if of_counting.of != counting {
            return Err(Damaged("another number of steps counts"));
        }
        let newest = decode_offsets(&mut reader, &of_counting)?;
        let all = Part { of: starts.len(), some };
        starts.truncate(all.some.end);
        starts.drain(..all.some.start);
        counts.truncate(all.some.end);
        counts.drain(..all.some.start);
        Ok(Self { starts, counts, newest, all, counting: of_counting, several })
    }

    fn with_values(
        &self,
        mut reader: Reader<'_>,
        mut each: impl FnMut(i64, &Stats),
    ) -> Result<(), Damaged> {
        let reader = &mut reader;
        let mut flagged = Vec::with_capacity(self.starts.len());
        ints::unpack_some(reader, self.all.of, self.all.some.clone(), &mut flagged)?;
        let (mut last, mut others) = (Vec::new().into_iter(), [None, None, None]);
        if self.counting.of > 0 {
            let numbers = |reader: &mut Reader<'_>, part: &Part| {
                numbers::decode_some(reader, part.of, part.some.clone()).map(Vec::into_iter)
            };
            last = numbers(reader, &self.counting)?;
            for other in &mut others {
                if reader.byte()? != 0 {
                    *other = Some(numbers(reader, &self.several)?);
                }
            }
        }
        let mut newest = self.newest.iter();
        for ((start, count), flagged) in self.starts.iter().zip(&self.counts).zip(flagged) {
            let mut stats = Stats { count: *count, flagged, ..Stats::default() };
            if *count > 0
                && let (Some(last), Some(at)) = (last.next(), newest.next())
            {
                // Of one reading all are the same.
                let [min, max, sum] = others.each_mut().map(|other| match other {
                    Some(other) if *count > 1 => other.next().unwrap_or(last),
                    _ => last,
                });
                (stats.min, stats.max, stats.sum) = (min, max, sum);
                (stats.last, stats.last_time) = (last, start.wrapping_add(*at as i64));
            }
            each(*start, &stats);
        }
        Ok(())
    }
}

fn encode_steps(summary: &Summary, day: i64, step: i64, out: &mut Vec<u8>) {
    let number = |start: i64| start.wrapping_sub(day).div_euclid(step);
    let first = summary.first().map_or(0, |(start, _)| number(*start));
    let last = summary.last().map_or(-1, |(start, _)| number(*start));
    put_signed(out, first);
    let span = usize::try_from(last - first + 1).unwrap_or(0);
    put_varint(out, span as u64);
    let mut present = vec![false; span];
    for (start, _) in summary {
        present[(number(*start) - first) as usize] = true;
    }
    presence::encode(&present, out);
}

/// A day holds no more minutes; the outermost days of the calendar hold more, but have no rows.
const MOST: usize = 1 << 20;

fn decode_steps(reader: &mut Reader<'_>, day: i64, step: i64) -> Result<Vec<i64>, Damaged> {
    let first = reader.signed()?;
    let span = reader.count(MOST)?;
    let present = presence::decode(reader, span)?;
    let start =
        |place: usize| first.checked_add(place as i64).and_then(|number| number.checked_mul(step));
    let starts = present.iter().enumerate().filter(|(_, there)| **there).map(|(place, _)| {
        start(place).map(|from| day.wrapping_add(from)).ok_or(Damaged("a step is out of range"))
    });
    starts.collect()
}

fn encode_offsets(offsets: &[u64], out: &mut Vec<u8>) {
    let units = [60_000_000, 1_000_000, 1_000];
    let unit = units.into_iter().find(|unit| offsets.iter().all(|at| at % unit == 0)).unwrap_or(1);
    put_varint(out, unit);
    let lowest = offsets.iter().copied().min().unwrap_or(0) / unit;
    put_varint(out, lowest);
    pack(offsets.iter().map(|at| at / unit - lowest), out);
}

fn decode_offsets(reader: &mut Reader<'_>, part: &Part) -> Result<Vec<u64>, Damaged> {
    let (unit, lowest) = (reader.varint()?, reader.varint()?);
    let mut offsets = Vec::with_capacity(part.some.len());
    ints::unpack_some(reader, part.of, part.some.clone(), &mut offsets)?;
    for at in &mut offsets {
        *at = at.wrapping_add(lowest).wrapping_mul(unit);
    }
    Ok(offsets)
}

fn pack(values: impl Iterator<Item = u64>, out: &mut Vec<u8>) {
    let values: Vec<u64> = values.collect();
    ints::pack(ints::plan(values.iter().copied()), values.iter().copied(), out);
}

fn checksum((day, step): (i64, i64), key: DeviceKey, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&day.to_le_bytes());
    hasher.update(&step.to_le_bytes());
    hasher.update(&key.0.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use city_model::Quality;
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 1_795_392_000_000_000;
    const STEP: i64 = 60_000_000;
    const KEY: DeviceKey = DeviceKey(9);

    fn summary(readings: &[(i64, f64, Quality)]) -> Summary {
        let mut steps = std::collections::BTreeMap::<i64, Stats>::new();
        for (step, number, quality) in readings {
            let start = DAY + step * STEP;
            let at = start + (number.to_bits() % 60_000_000) as i64;
            steps.entry(start).or_default().add(at, Some(*number), *quality);
        }
        steps.into_iter().collect()
    }

    fn round_trip(metrics: &[(MetricKey, Summary)]) -> usize {
        let blob = encode(metrics, (DAY, STEP), KEY);
        let back = decode(&blob, (DAY, STEP), KEY, None, TimeRange::ALL).expect("decodes");
        let mut there = metrics.to_vec();
        there.retain(|(_, summary)| !summary.is_empty());
        assert_eq!(format!("{back:?}"), format!("{there:?}"));
        for (metric, _) in metrics {
            let one =
                decode(&blob, (DAY, STEP), KEY, Some(&[*metric]), TimeRange::ALL).expect("decodes");
            assert!(one.iter().all(|(of, _)| of == metric));
            let from = Timestamp::from_micros(DAY + 10 * STEP);
            let range = TimeRange { from, to: Timestamp::from_micros(DAY + 700 * STEP) };
            let part = decode(&blob, (DAY, STEP), KEY, Some(&[*metric]), range).expect("decodes");
            let mut right = one;
            for (_, summary) in &mut right {
                summary.retain(|(start, _)| range.contains(Timestamp::from_micros(*start)));
            }
            right.retain(|(_, summary)| !summary.is_empty());
            assert_eq!(format!("{part:?}"), format!("{right:?}"));
        }
        blob.len()
    }

    #[test]
    fn one_reading_a_step_takes_what_the_reading_takes() {
        let summary = (0..1_440).map(|minute| {
            let start = DAY + minute * STEP;
            let mut stats = Stats::default();
            let number = f64::from(200 + minute as i32 % 9) / 10.0;
            stats.add(start + 7_250_000, Some(number), Quality::Pass);
            (start, stats)
        });
        let bytes = round_trip(&[(MetricKey(3), summary.collect())]);
        assert!(bytes < 1_440, "{bytes} bytes");
    }

    #[test]
    fn a_row_of_another_device_day_or_step_is_noticed() {
        let blob = encode(&[], (DAY, STEP), KEY);
        assert!(decode(&blob, (DAY, STEP), KEY, None, TimeRange::ALL).is_ok());
        assert!(decode(&blob, (DAY + 1, STEP), KEY, None, TimeRange::ALL).is_err());
        assert!(decode(&blob, (DAY, STEP * 15), KEY, None, TimeRange::ALL).is_err());
        assert!(decode(&blob, (DAY, STEP), DeviceKey(8), None, TimeRange::ALL).is_err());
    }

    proptest! {
        #[test]
        fn any_summary_comes_back(
            readings in prop::collection::vec(
                (
                    0i64..1_440,
                    prop_oneof![
                        3 => (-999i32..999).prop_map(|i| f64::from(i) / 10.0),
                        1 => any::<f64>().prop_filter("finite", |v| v.is_finite()),
                    ],
                    prop::sample::select(vec![Quality::Pass, Quality::Suspect, Quality::Fail]),
                ),
                0..300),
        ) {
            round_trip(&[(MetricKey(1), summary(&readings)), (MetricKey(7), Vec::new())]);
        }

        #[test]
        fn any_bytes_decode_or_are_damaged(
            mut bytes in prop::collection::vec(any::<u8>(), 5..200)
        ) {
            bytes[0] = VERSION;
            let sum = checksum((DAY, STEP), KEY, &bytes[HEADER..]);
            bytes[1..HEADER].copy_from_slice(&sum.to_le_bytes());
            let _ = decode(&bytes, (DAY, STEP), KEY, None, TimeRange::ALL);
        }
    }
}
