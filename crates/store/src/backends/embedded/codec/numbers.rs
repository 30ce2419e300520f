//! Numbers as sensors write them: decimals become integers, and those are packed.
//!
//! A number `v` is a decimal of exponent `e` if `round(v * 10^e) / 10^e` gives `v` back bit for
//! bit. Division of two exact floats is correctly rounded, so every decimal of up to 15 digits is
//! one. The few that are none (or are -0.0) are patched in; if there are many, the numbers are
//! stored whole, in four bytes if they come from single precision.

use std::ops::Range;

use super::bytes::{Damaged, Reader, put_f64, put_signed, put_varint};
use super::ints;

/// 10^17 times a number of one digit still fits the 2^53 that a float holds exactly.
const MAX_EXPONENT: u8 = 17;
const POWERS: [f64; 18] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17,
];
const EXACT: f64 = 9_007_199_254_740_992.0;
const DELTA: u8 = 0x40;
const SINGLE: u8 = 0xfe;
const WHOLE: u8 = 0xff;

/// The numbers as integers of one exponent, if they all are.
#[derive(Debug)]
pub(super) struct Decimals {
    pub(super) exponent: u8,
    pub(super) ints: Vec<i64>,
}

/// The number of an integer with this exponent.
pub(super) fn from_decimal(int: i64, exponent: u8) -> Result<f64, Damaged> {
    POWERS
        .get(usize::from(exponent))
        .map(|power| int as f64 / power)
        .ok_or(Damaged("a decimal exponent is too large"))
}

/// Appends numbers. Returns them as integers if every one is a decimal.
pub(super) fn encode(values: &[f64], out: &mut Vec<u8>) -> Option<Decimals> {
    if let Some(decimals) = all_decimals(values) {
        encode_ints(&decimals.ints, decimals.exponent, values, &[], out);
        return Some(decimals);
    }
    let Some(exponent) = common_exponent(values) else {
        encode_whole(values, out);
        return None;
    };
    let mut ints = Vec::with_capacity(values.len());
    let mut odd = Vec::new();
    for (index, value) in values.iter().enumerate() {
        // An odd number repeats its neighbour, so that it costs nothing where it is not.
        ints.push(to_decimal(*value, exponent).unwrap_or_else(|| {
            odd.push(index);
            ints.last().copied().unwrap_or(0)
        }));
    }
    if odd.len() * 4 > values.len() {
        encode_whole(values, out);
        return None;
    }
    encode_ints(&ints, exponent, values, &odd, out);
    odd.is_empty().then_some(Decimals { exponent, ints })
}

fn encode_ints(ints: &[i64], exponent: u8, values: &[f64], odd: &[usize], out: &mut Vec<u8>) {
    // All integers are below 2^53, so no difference overflows.
    let first = ints.first().copied().unwrap_or(0);
    let lowest = ints.iter().copied().min().unwrap_or(0);
    let deltas = || ints.windows(2).map(|pair| pair[1] - pair[0]);
    let slowest = deltas().min().unwrap_or(0);
    let plain = ints.iter().map(|int| (int - lowest) as u64);
    // Not `windows`: `pack` needs an exact length and a clone.
    let steps = (1..ints.len()).map(|i| (ints[i] - ints[i - 1] - slowest) as u64);
    let plain_plan = ints::plan(plain.clone());
    let steps_plan = ints::plan(steps.clone());
    let by_delta = steps_plan.bytes + 2 < plain_plan.bytes;
    out.push(exponent | if by_delta { DELTA } else { 0 });
    put_varint(out, odd.len() as u64);
    let mut previous = 0;
    for index in odd {
        put_varint(out, (index - previous) as u64);
        put_f64(out, values[*index]);
        previous = *index;
    }
    if by_delta {
        put_signed(out, first);
        put_signed(out, slowest);
        ints::pack(steps_plan, steps, out);
    } else {
        put_signed(out, lowest);
        ints::pack(plain_plan, plain, out);
    }
}

fn encode_whole(values: &[f64], out: &mut Vec<u8>) {
    let is_single = |value: &f64| f64::from(*value as f32).to_bits() == value.to_bits();
    if values.iter().all(is_single) {
        out.push(SINGLE);
        out.extend(values.iter().flat_map(|value| (*value as f32).to_bits().to_le_bytes()));
    } else {
        out.push(WHOLE);
        out.extend(values.iter().flat_map(|value| value.to_bits().to_le_bytes()));
    }
}

/// Reads `count` numbers.
pub(super) fn decode(reader: &mut Reader<'_>, count: usize) -> Result<Vec<f64>, Damaged> {
    decode_some(reader, count, 0..count)
}

/// Reads over `count` numbers, and takes those of a range.
pub(super) fn decode_some(
    reader: &mut Reader<'_>,
    count: usize,
    some: Range<usize>,
) -> Result<Vec<f64>, Damaged> {
    let mode = reader.byte()?;
    if mode == WHOLE || mode == SINGLE {
        let size = if mode == WHOLE { 8 } else { 4 };
        let bytes = count.checked_mul(size).ok_or(Damaged("there are too many numbers"))?;
        let bytes = reader.bytes(bytes)?;
        let mut reader = Reader::new(&bytes[some.start * size..some.end * size]);
        let number = |_| if mode == WHOLE { reader.f64() } else { reader.f32().map(f64::from) };
        return some.map(number).collect();
    }
    let power = *POWERS
        .get(usize::from(mode & !DELTA))
        .ok_or(Damaged("numbers are written in an unknown way"))?;
    let patches = reader.count(count)?;
    let mut odd = Vec::with_capacity(patches);
    let mut index = 0;
    for _ in 0..patches {
        index += reader.count(count)?;
        odd.push((index, reader.f64()?));
    }
    let mut packed: Vec<u64> = Vec::with_capacity(some.len());
    // Numbers take the memory of the integers that they are made of.
    let mut values: Vec<f64> = if mode & DELTA == 0 {
        let lowest = reader.signed()?;
        ints::unpack_some(reader, count, some.clone(), &mut packed)?;
        packed.into_iter().map(|p| lowest.wrapping_add(p as i64) as f64 / power).collect()
    } else {
        let first = reader.signed()?;
        let slowest = reader.signed()?;
        let mut int = first.wrapping_sub(slowest);
        packed.push(0);
        // Each one leads to the next.
        let to_last = some.end.saturating_sub(1);
        ints::unpack_some(reader, count.saturating_sub(1), 0..to_last, &mut packed)?;
        packed.truncate(some.end);
        let add = |step: u64| {
            int = int.wrapping_add(slowest).wrapping_add(step as i64);
            int as f64 / power
        };
        packed.into_iter().map(add).skip(some.start).collect()
    };
    for (index, value) in odd {
        if index >= count {
            return Err(Damaged("a number is out of range"));
        }
        if some.contains(&index) {
            values[index - some.start] = value;
        }
    }
    Ok(values)
}

/// The numbers as integers of the smallest exponent that all of them have; `None` if some have none.
fn all_decimals(values: &[f64]) -> Option<Decimals> {
    let mut exponent = 0;
    let mut ints: Vec<i64> = Vec::with_capacity(values.len());
    for value in values {
        if let Some(int) = to_decimal(*value, exponent) {
            ints.push(int);
            continue;
        }
        let (needed, int) = (exponent + 1..=MAX_EXPONENT)
            .find_map(|e| to_decimal(*value, e).map(|int| (e, int)))?;
        // The same decimals with more digits, as long as a float holds them exactly.
        let more = 10_i64.pow(u32::from(needed - exponent));
        for int in &mut ints {
            *int = int.checked_mul(more).filter(|int| int.unsigned_abs() < EXACT as u64)?;
        }
        ints.push(int);
        exponent = needed;
    }
    Some(Decimals { exponent, ints })
}

fn to_decimal(value: f64, exponent: u8) -> Option<i64> {
    let power = POWERS[usize::from(exponent)];
    let int = nearest(value * power);
    // By way of the integer, which has no -0.0.
    let fits =
        int.unsigned_abs() < EXACT as u64 && (int as f64 / power).to_bits() == value.to_bits();
    fits.then_some(int)
}

/// The nearest integer; saturates. Exactly between two it may be either: such a number is no decimal
/// of the exponent that is tried.
fn nearest(value: f64) -> i64 {
    /// 1.5 times 2^52: a sum with it has no room for a fraction. Faster than to round, which is a
    /// call into the mathematics library on processors that all programs must run on.
    const NO_FRACTION: f64 = 6_755_399_441_055_744.0;
    const SMALL: f64 = 2_251_799_813_685_248.0;
    if value.abs() < SMALL {
        ((value + NO_FRACTION) - NO_FRACTION) as i64
    } else {
        value.round() as i64
    }
}

/// The decimal of an exponent that is nearest; `None` if it is too large for one.
pub(super) fn nearest_decimal(value: f64, exponent: u8) -> Option<f64> {
    let power = POWERS.get(usize::from(exponent))?;
    let scaled = (value * power).round();
    (scaled.abs() < EXACT).then(|| (scaled as i64) as f64 / power)
}

/// The smallest exponent that makes integers of nearly all numbers; `None` if there is none.
pub(super) fn common_exponent(values: &[f64]) -> Option<u8> {
    let mut exponent = 0;
    let mut odd = 0;
    for (seen, value) in values.iter().enumerate() {
        match (exponent..=MAX_EXPONENT).find(|e| to_decimal(*value, *e).is_some()) {
            Some(needed) => exponent = needed,
            // A large number may have been a decimal before the exponent grew for another.
            None => odd += 1,
        }
        if odd > 4 && odd * 2 > seen {
            return None;
        }
    }
    (odd * 4 <= values.len()).then_some(exponent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip(values: &[f64]) -> usize {
        let mut out = Vec::new();
        encode(values, &mut out);
        let mut reader = Reader::new(&out);
        let back = decode(&mut reader, values.len()).expect("decodes");
        assert!(reader.is_empty());
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(values));
        let some = values.len() / 3..values.len() - values.len() / 4;
        let mut reader = Reader::new(&out);
        let part = decode_some(&mut reader, values.len(), some.clone()).expect("decodes");
        assert!(reader.is_empty());
        assert_eq!(bits(&part), bits(&values[some]));
        out.len()
    }

    #[test]
    fn sensors_decimals_are_small() {
        let drifting: Vec<f64> = (0..60).map(|i| f64::from(200 + i % 7) / 10.0).collect();
        assert!(round_trip(&drifting) <= 30, "three bits each");
        let rising: Vec<f64> = (0..60).map(|i| f64::from(1_000_000 + i * 3) / 1000.0).collect();
        assert!(round_trip(&rising) <= 12, "a steady rise costs nothing");
        let single: Vec<f64> = (0..60u8).map(|i| f64::from(21.3f32 + f32::from(i) / 7.0)).collect();
        assert!(round_trip(&single) <= 60 * 4 + 2);
    }

    #[test]
    fn odd_numbers_come_back() {
        let tiny = f64::from_bits(1);
        for odd in [-0.0, tiny, f64::MIN_POSITIVE, f64::MAX, f64::MIN, 0.1 + 0.2, 1e300, 1e-300] {
            round_trip(&[odd]);
            let mut values = vec![20.5; 40];
            values[7] = odd;
            values[39] = odd;
            round_trip(&values);
        }
        round_trip(&[EXACT, -EXACT, EXACT - 1.0, 1.0 - EXACT, 0.5]);
        round_trip(&[1e-17, 1.0, 9e15, 123_456_789.123_456]);
        round_trip(&[]);
    }

    proptest! {
        #[test]
        fn any_finite_numbers_come_back(
            values in prop::collection::vec(
                prop_oneof![
                    4 => (-100_000i32..100_000).prop_map(|i| f64::from(i) / 100.0),
                    1 => any::<i64>().prop_map(|i| i as f64),
                    1 => any::<f64>().prop_filter("finite", |v| v.is_finite()),
                    1 => Just(-0.0),
                ],
                0..200)
        ) {
            round_trip(&values);
        }

        #[test]
        fn any_bytes_decode_or_are_damaged(
            bytes in prop::collection::vec(any::<u8>(), 0..100), count in 0usize..200
        ) {
            let _ = decode(&mut Reader::new(&bytes), count);
        }
    }
}
