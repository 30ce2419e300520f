//! A summary row: what the readings of one device on one day were, step by step.
//!
//! ```text
//! version   1 byte
//! checksum  4 bytes: CRC-32 of day, step, device key and all that follows
//! metrics, then for each: metric, which steps there are, counts, flagged, and if anything counts:
//!           when in its step the newest was, last, then lowest, highest and sum of the steps in
//!           which more than one counts, each only where it differs from last
//! ```
//! Steps are numbered from the start of the day. Where one reading fell into each step, which is
//! what the shortest steps of slow devices look like, a row is as small as its readings.

use city_model::{DeviceKey, MetricKey};

use super::bytes::{Damaged, Reader, put_signed, put_varint};
use super::{ints, numbers, presence};
use crate::steps::Stats;

const VERSION: u8 = 1;
const HEADER: usize = 5;

/// The steps of one metric, in order of time: where a step begins, and what was in it.
pub(crate) type Summary = Vec<(i64, Stats)>;

/// Encodes the summaries of device `key` on the day that starts at `day`, in microseconds as `step`.
pub(crate) fn encode(
    metrics: &[(MetricKey, Summary)],
    (day, step): (i64, i64),
    key: DeviceKey,
) -> Vec<u8> {
    let mut out = vec![VERSION, 0, 0, 0, 0];
    put_varint(&mut out, metrics.len() as u64);
    let mut before = Vec::new();
    for (metric, summary) in metrics {
        put_varint(&mut out, u64::from(metric.0));
        encode_steps(summary, day, step, &mut out);
        pack(summary.iter().map(|(_, stats)| stats.count), &mut out);
        pack(summary.iter().map(|(_, stats)| stats.flagged), &mut out);
        let counting = || summary.iter().map(|(_, stats)| stats).filter(|stats| stats.count > 0);
        let column = |of: fn(&Stats) -> f64| counting().map(of).collect::<Vec<f64>>();
        let last = column(|stats| stats.last);
        if last.is_empty() {
            continue;
        }
        let newest = |(start, stats): &(i64, Stats)| stats.last_time.wrapping_sub(*start) as u64;
        let newest: Vec<u64> = summary.iter().filter(|(_, s)| s.count > 0).map(newest).collect();
        encode_offsets(&newest, &before, &mut out);
        before = newest;
        numbers::encode(&last, &mut out);
        let several = || counting().filter(|stats| stats.count > 1);
        let of_several = |of: fn(&Stats) -> f64| several().map(of).collect::<Vec<f64>>();
        let last = of_several(|stats| stats.last);
        for other in [of_several(|s| s.min), of_several(|s| s.max), of_several(|s| s.sum)] {
            let same = other.iter().zip(&last).all(|(a, b)| a.to_bits() == b.to_bits());
            out.push(u8::from(!same));
            if !same {
                numbers::encode(&other, &mut out);
            }
        }
    }
    let checksum = checksum((day, step), key, &out[HEADER..]);
    out[1..HEADER].copy_from_slice(&checksum.to_le_bytes());
    out
}

/// Decodes those of `wanted` metrics; `None`: all.
pub(crate) fn decode(
    blob: &[u8],
    (day, step): (i64, i64),
    key: DeviceKey,
    wanted: Option<&[MetricKey]>,
) -> Result<Vec<(MetricKey, Summary)>, Damaged> {
    let mut reader = Reader::new(blob);
    if reader.byte()? != VERSION {
        return Err(Damaged("it is of an unknown version"));
    }
    if reader.u32()? != checksum((day, step), key, &blob[HEADER..]) {
        return Err(Damaged("the checksum is wrong"));
    }
    let metrics = reader.count(usize::from(u16::MAX) + 1)?;
    let mut out = Vec::new();
    let mut before = Vec::new();
    for _ in 0..metrics {
        let metric = MetricKey(reader.count(usize::from(u16::MAX))? as u16);
        let summary = decode_one(&mut reader, day, step, &mut before)?;
        if wanted.is_none_or(|wanted| wanted.contains(&metric)) {
            out.push((metric, summary));
        }
    }
    Ok(out)
}

/// `before` is when the newest were of the metric before, and becomes that of this one.
fn decode_one(
    reader: &mut Reader<'_>,
    day: i64,
    step: i64,
    before: &mut Vec<u64>,
) -> Result<Summary, Damaged> {
    let starts = decode_steps(reader, day, step)?;
    let (mut counts, mut flagged) = (Vec::new(), Vec::new());
    ints::unpack(reader, starts.len(), &mut counts)?;
    ints::unpack(reader, starts.len(), &mut flagged)?;
    let counting = counts.iter().filter(|count| **count > 0).count();
    let mut summary: Summary = Vec::with_capacity(starts.len());
    for ((start, count), flagged) in starts.into_iter().zip(counts).zip(flagged) {
        summary.push((start, Stats { count, flagged, ..Stats::default() }));
    }
    if counting == 0 {
        return Ok(summary);
    }
    decode_offsets(reader, counting, before)?;
    let last = numbers::decode(reader, counting)?;
    let several = summary.iter().filter(|(_, stats)| stats.count > 1).count();
    let mut other = || match reader.byte()? {
        0 => Ok(None),
        _ => numbers::decode(reader, several).map(|of| Some(of.into_iter())),
    };
    let (mut min, mut max, mut sum) = (other()?, other()?, other()?);
    let places = summary.iter_mut().filter(|(_, stats)| stats.count > 0);
    for (((start, stats), last), at) in places.zip(last).zip(&*before) {
        // Of one reading all are the same.
        let get = |other: &mut Option<std::vec::IntoIter<f64>>| match other {
            Some(other) if stats.count > 1 => other.next().unwrap_or(last),
            _ => last,
        };
        (stats.min, stats.max, stats.sum) = (get(&mut min), get(&mut max), get(&mut sum));
        (stats.last, stats.last_time) = (last, start.wrapping_add(*at as i64));
    }
    Ok(summary)
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

fn decode_steps(reader: &mut Reader<'_>, day: i64, step: i64) -> Result<Vec<i64>, Damaged> {
    // A day holds no more minutes; the outermost days of the calendar hold more, but have no rows.
    const MOST: usize = 1 << 20;
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

/// Metrics of one message have the same times: those of the metric before are not written again.
fn encode_offsets(offsets: &[u64], before: &[u64], out: &mut Vec<u8>) {
    out.push(u8::from(offsets != before));
    if offsets == before {
        return;
    }
    let units = [60_000_000, 1_000_000, 1_000];
    let unit = units.into_iter().find(|unit| offsets.iter().all(|at| at % unit == 0)).unwrap_or(1);
    put_varint(out, unit);
    let lowest = offsets.iter().copied().min().unwrap_or(0) / unit;
    put_varint(out, lowest);
    pack(offsets.iter().map(|at| at / unit - lowest), out);
}

fn decode_offsets(
    reader: &mut Reader<'_>,
    count: usize,
    before: &mut Vec<u64>,
) -> Result<(), Damaged> {
    if reader.byte()? == 0 {
        let same = before.len() == count;
        return if same { Ok(()) } else { Err(Damaged("the times of the newest are missing")) };
    }
    let (unit, lowest) = (reader.varint()?, reader.varint()?);
    before.clear();
    ints::unpack(reader, count, before)?;
    for at in before {
        *at = at.wrapping_add(lowest).wrapping_mul(unit);
    }
    Ok(())
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
        let back = decode(&blob, (DAY, STEP), KEY, None).expect("decodes");
        assert_eq!(format!("{back:?}"), format!("{metrics:?}"));
        for (metric, _) in metrics {
            let one = decode(&blob, (DAY, STEP), KEY, Some(&[*metric])).expect("decodes");
            assert!(one.iter().all(|(of, _)| of == metric));
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
        assert!(decode(&blob, (DAY, STEP), KEY, None).is_ok());
        assert!(decode(&blob, (DAY + 1, STEP), KEY, None).is_err());
        assert!(decode(&blob, (DAY, STEP * 15), KEY, None).is_err());
        assert!(decode(&blob, (DAY, STEP), DeviceKey(8), None).is_err());
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
            let _ = decode(&bytes, (DAY, STEP), KEY, None);
        }
    }
}
