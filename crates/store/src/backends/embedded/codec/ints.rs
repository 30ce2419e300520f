//! Patched bit-packing: integers in as few bits as most of them need, the few large ones apart.

use std::ops::Range;

use super::bytes::{Damaged, Reader, put_varint};

/// How to pack some integers, and what it costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    width: u32,
    /// About how many bytes it takes.
    pub(super) bytes: usize,
}

/// Bits in which an exception is expected to be written: its place and its upper bits.
const EXCEPTION_BITS: usize = 12;

/// The cheapest way to pack these integers.
pub(super) fn plan(values: impl Iterator<Item = u64>) -> Plan {
    let mut by_width = [0usize; 65];
    let mut total = 0;
    for value in values {
        by_width[(64 - value.leading_zeros()) as usize] += 1;
        total += 1;
    }
    let widest = (0..=64).rev().find(|w| by_width[*w] > 0).unwrap_or(0);
    let mut best = Plan { width: widest as u32, bytes: (widest * total).div_ceil(8) };
    let mut exceptions = 0;
    for width in (0..widest).rev() {
        exceptions += by_width[width + 1];
        let bits = width * total + exceptions * (EXCEPTION_BITS + (widest - width) * 8 / 7);
        let bytes = bits.div_ceil(8);
        if bytes < best.bytes {
            best = Plan { width: width as u32, bytes };
        }
    }
    best.bytes += 2;
    best
}

/// Appends integers: width, number of exceptions, packed lower bits, exceptions.
pub(super) fn pack(
    plan: Plan,
    values: impl ExactSizeIterator<Item = u64> + Clone,
    out: &mut Vec<u8>,
) {
    let width = plan.width;
    let large = |value: u64| width < 64 && value >> width != 0;
    let exceptions = values.clone().filter(|v| large(*v)).count();
    out.push(width as u8);
    put_varint(out, exceptions as u64);
    let mask = mask(width);
    let mut bits = 0u128;
    let mut filled = 0;
    for value in values.clone() {
        bits |= u128::from(value & mask) << filled;
        filled += width;
        if filled >= 64 {
            out.extend_from_slice(&(bits as u64).to_le_bytes());
            bits >>= 64;
            filled -= 64;
        }
    }
    out.extend_from_slice(&(bits as u64).to_le_bytes()[..filled.div_ceil(8) as usize]);
    let mut previous = 0;
    for (index, value) in values.enumerate().filter(|(_, v)| large(*v)) {
        put_varint(out, (index - previous) as u64);
        put_varint(out, value >> width);
        previous = index;
    }
}

/// Reads `count` integers.
pub(super) fn unpack(
    reader: &mut Reader<'_>,
    count: usize,
    out: &mut Vec<u64>,
) -> Result<(), Damaged> {
    unpack_some(reader, count, 0..count, out)
}

/// Reads over `count` integers, and takes those of a range.
pub(super) fn unpack_some(
    reader: &mut Reader<'_>,
    count: usize,
    some: Range<usize>,
    out: &mut Vec<u64>,
) -> Result<(), Damaged> {
    let width = u32::from(reader.byte()?);
    if width > 64 {
        return Err(Damaged("an integer is wider than 64 bits"));
    }
    let exceptions = reader.count(count)?;
    let packed = reader.bytes((width as usize * count).div_ceil(8))?;
    let start = out.len();
    unpack_bits(packed, width as usize, some.clone(), out);
    let mut index = 0;
    for _ in 0..exceptions {
        index += reader.count(count)?;
        let high = reader.varint()?.checked_shl(width);
        if index >= count {
            return Err(Damaged("an exception is out of range"));
        }
        let high = high.ok_or(Damaged("an exception is too wide"))?;
        if some.contains(&index) {
            out[start + index - some.start] |= high;
        }
    }
    Ok(())
}

/// Appends those of a range of integers of so many bits.
fn unpack_bits(packed: &[u8], width: usize, some: Range<usize>, out: &mut Vec<u64>) {
    if width == 0 {
        out.resize(out.len() + some.len(), 0);
        return;
    }
    let mask = mask(width as u32);
    // Eight bytes hold all bits of a narrow one wherever in a byte it begins.
    let narrow = width <= 57;
    let last = packed.len().checked_sub(8).filter(|_| narrow);
    let quick =
        last.map_or(some.start, |last| ((last * 8 + 7) / width + 1).clamp(some.start, some.end));
    out.extend((some.start..quick).map(|i| {
        let at = i * width;
        let bytes = packed.get(at / 8..).and_then(<[u8]>::first_chunk);
        (bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes)) >> (at % 8)) & mask
    }));
    out.extend((quick..some.end).map(|i| load(packed, i * width) & mask));
}

const fn mask(width: u32) -> u64 {
    if width >= 64 { u64::MAX } else { (1 << width) - 1 }
}

/// 64 bits from bit `at` on, zeros after the end.
fn load(packed: &[u8], at: usize) -> u64 {
    let tail = packed.get(at / 8..).unwrap_or_default();
    let wide = match tail.first_chunk::<9>() {
        Some(bytes) => {
            let low = u64::from_le_bytes([
                bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
            ]);
            u128::from(low) | u128::from(bytes[8]) << 64
        }
        None => tail.iter().rev().fold(0, |wide, byte| wide << 8 | u128::from(*byte)),
    };
    (wide >> (at % 8)) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip(values: &[u64]) -> usize {
        let mut out = Vec::new();
        pack(plan(values.iter().copied()), values.iter().copied(), &mut out);
        let mut reader = Reader::new(&out);
        let mut back = Vec::new();
        unpack(&mut reader, values.len(), &mut back).expect("unpacks");
        assert_eq!(back, values);
        assert!(reader.is_empty());
        let some = values.len() / 3..values.len() - values.len() / 4;
        let (mut reader, mut part) = (Reader::new(&out), Vec::new());
        unpack_some(&mut reader, values.len(), some.clone(), &mut part).expect("unpacks");
        assert_eq!(part, values[some]);
        assert!(reader.is_empty());
        out.len()
    }

    #[test]
    fn equal_integers_take_no_bits_and_outliers_do_not_widen_the_rest() {
        assert_eq!(round_trip(&[0; 1000]), 2);
        let mut values = vec![3u64; 1000];
        values[500] = u64::MAX;
        assert!(round_trip(&values) < 280, "two bits each and one exception");
    }

    proptest! {
        #[test]
        fn any_integers_come_back(
            values in prop::collection::vec(
                prop_oneof![0u64..4, 0u64..100_000, any::<u64>(), Just(u64::MAX)], 0..300)
        ) {
            round_trip(&values);
        }

        #[test]
        fn any_bytes_unpack_or_are_damaged(
            bytes in prop::collection::vec(any::<u8>(), 0..100), count in 0usize..200
        ) {
            let _ = unpack(&mut Reader::new(&bytes), count, &mut Vec::new());
        }
    }
}
