//! Which rows of a chunk have a value: bits, or places if they are few.

use super::bytes::{Damaged, Reader, put_varint};
use super::ints;

/// Which rows there are: all; a bit for each; or the places, whichever is shorter.
pub(super) fn encode(present: &[bool], out: &mut Vec<u8>) {
    let count = present.iter().filter(|p| **p).count();
    if count == present.len() {
        encode_all(out);
        return;
    }
    let places: Vec<u64> = (0u64..).zip(present).filter(|(_, p)| **p).map(|(i, _)| i).collect();
    let gaps =
        (0..places.len()).map(|i| if i == 0 { places[0] } else { places[i] - places[i - 1] });
    let plan = ints::plan(gaps.clone());
    if plan.bytes < present.len().div_ceil(8) {
        out.push(2);
        put_varint(out, count as u64);
        ints::pack(plan, gaps, out);
    } else {
        out.push(1);
        put_bits(present.iter().copied(), out);
    }
}

/// The same for rows that are all there.
pub(super) fn encode_all(out: &mut Vec<u8>) {
    out.push(0);
}

pub(super) fn decode(reader: &mut Reader<'_>, rows: usize) -> Result<Vec<bool>, Damaged> {
    match reader.byte()? {
        0 => Ok(vec![true; rows]),
        1 => bits(reader, rows),
        2 => {
            let count = reader.count(rows)?;
            let mut gaps = Vec::with_capacity(count);
            ints::unpack(reader, count, &mut gaps)?;
            let mut present = vec![false; rows];
            let mut place = 0u64;
            for gap in gaps {
                place = place.wrapping_add(gap);
                let slot = usize::try_from(place).ok().and_then(|place| present.get_mut(place));
                *slot.ok_or(Damaged("a row is out of range"))? = true;
            }
            Ok(present)
        }
        _ => Err(Damaged("presence is written in an unknown way")),
    }
}

pub(super) fn put_bits(bits: impl Iterator<Item = bool>, out: &mut Vec<u8>) {
    for (index, bit) in bits.enumerate() {
        if index % 8 == 0 {
            out.push(0);
        }
        if let Some(last) = out.last_mut() {
            *last |= u8::from(bit) << (index % 8);
        }
    }
}

pub(super) fn bits(reader: &mut Reader<'_>, count: usize) -> Result<Vec<bool>, Damaged> {
    let packed = reader.bytes(count.div_ceil(8))?;
    Ok((0..count).map(|i| packed[i / 8] >> (i % 8) & 1 == 1).collect())
}
