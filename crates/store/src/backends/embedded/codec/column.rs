//! One metric's column in a chunk: which rows, their flags, and the values kind by kind.

use std::sync::Arc;

use city_model::Quality;
use rustc_hash::FxHashMap;

use super::bytes::{Damaged, Reader, put_varint};
use super::{ints, numbers, presence};
use crate::backends::embedded::columns::{ABSENT, Column, Kind, kind_of};

/// More bytes than any text has.
const MAX_TEXT: usize = 1 << 24;

/// Presence, flags, then numbers, truth values and texts, each only if there are any.
pub(super) fn encode(column: &Column, rows: usize, out: &mut Vec<u8>) -> Option<numbers::Decimals> {
    let plain = |flag: &u8| *flag != ABSENT && kind_of(*flag) == Some(Kind::Number);
    if column.flags.len() == rows && column.flags.iter().all(plain) {
        // Nearly every column; this writes what the rest of this function would.
        presence::encode_all(out);
        encode_flags(&column.flags, out);
        return if rows > 0 { numbers::encode(&column.values, out) } else { None };
    }
    let mut present: Vec<bool> = column.flags.iter().map(|flag| *flag != ABSENT).collect();
    present.resize(rows, false);
    presence::encode(&present, out);
    let there = || {
        column
            .flags
            .iter()
            .zip(&column.values)
            .filter(|(f, _)| **f != ABSENT)
            .map(|(f, v)| (*f, *v))
    };
    let flags: Vec<u8> = there().map(|(flag, _)| flag).collect();
    encode_flags(&flags, out);
    let of = |kind| there().filter(move |(flag, _)| kind_of(*flag) == Some(kind)).map(|(_, v)| v);
    let of_numbers: Vec<f64> = of(Kind::Number).collect();
    let mut decimals = None;
    if !of_numbers.is_empty() {
        decimals = numbers::encode(&of_numbers, out);
    }
    let states: Vec<bool> = of(Kind::Bool).map(|number| number != 0.0).collect();
    if !states.is_empty() {
        presence::put_bits(states.iter().copied(), out);
    }
    let texts: Vec<usize> = of(Kind::Text).map(|number| number as usize).collect();
    if !texts.is_empty() {
        encode_texts(&column.texts, &texts, out);
    }
    if states.len() == flags.len() {
        let ints = states.iter().map(|state| i64::from(*state)).collect();
        return Some(numbers::Decimals { exponent: 0, ints });
    }
    // Only if all are numbers do they line up with the rows.
    decimals.filter(|d| d.ints.len() == flags.len())
}

pub(super) fn decode(mut reader: Reader<'_>, rows: usize, out: &mut Column) -> Result<(), Damaged> {
    let present = presence::decode(&mut reader, rows)?;
    let count = present.iter().filter(|p| **p).count();
    let flags = decode_flags(&mut reader, count)?;
    let of = |kind| flags.iter().filter(|flag| kind_of(**flag) == Some(kind)).count();
    let how_many = of(Kind::Number);
    let numbers = if how_many > 0 { numbers::decode(&mut reader, how_many)? } else { Vec::new() };
    if how_many == rows {
        // Nearly every column: nothing is absent, everything is a number.
        out.flags = flags;
        out.values = numbers;
        return Ok(());
    }
    let states = presence::bits(&mut reader, of(Kind::Bool))?;
    let how_many = of(Kind::Text);
    let texts = if how_many > 0 { decode_texts(&mut reader, how_many, out)? } else { Vec::new() };
    let (mut numbers, mut states, mut texts) =
        (numbers.into_iter(), states.into_iter(), texts.into_iter());
    let mut flags = flags.into_iter();
    for there in present {
        let flag = if there { flags.next().unwrap_or(ABSENT) } else { ABSENT };
        let value = match kind_of(flag) {
            _ if flag == ABSENT => None,
            Some(Kind::Number) => numbers.next(),
            Some(Kind::Bool) => states.next().map(|state| f64::from(u8::from(state))),
            Some(Kind::Text) => texts.next().map(|index| index as f64),
            None => None,
        };
        out.flags.push(flag);
        out.values.push(value.unwrap_or(0.0));
    }
    Ok(())
}

/// The commonest flag, then the places that have another.
fn encode_flags(flags: &[u8], out: &mut Vec<u8>) {
    let mut counts = [0usize; 256];
    for flag in flags {
        counts[usize::from(*flag)] += 1;
    }
    let common = (0..=255u8).max_by_key(|flag| counts[usize::from(*flag)]).unwrap_or(ABSENT);
    let others = || flags.iter().enumerate().filter(move |(_, flag)| **flag != common);
    out.push(common);
    if flags.len() - counts[usize::from(common)] > flags.len() / 3 {
        out.push(1);
        out.extend_from_slice(flags);
        return;
    }
    out.push(0);
    put_varint(out, others().count() as u64);
    let mut previous = 0;
    for (index, flag) in others() {
        put_varint(out, (index - previous) as u64);
        out.push(*flag);
        previous = index;
    }
}

fn decode_flags(reader: &mut Reader<'_>, count: usize) -> Result<Vec<u8>, Damaged> {
    let common = reader.byte()?;
    let flags = if reader.byte()? == 1 {
        reader.bytes(count)?.to_vec()
    } else {
        let mut flags = vec![common; count];
        let mut index = 0;
        for _ in 0..reader.count(count)? {
            index += reader.count(count)?;
            *flags.get_mut(index).ok_or(Damaged("a flag is out of range"))? = reader.byte()?;
        }
        flags
    };
    let known = |flag: &u8| kind_of(*flag).is_some() && Quality::from_code(flag & 0xf).is_some();
    if flags.iter().all(known) { Ok(flags) } else { Err(Damaged("a flag has no meaning")) }
}

/// The distinct texts, then for each reading which one.
fn encode_texts(texts: &[Arc<str>], indices: &[usize], out: &mut Vec<u8>) {
    let mut numbers: FxHashMap<&str, u64> = FxHashMap::default();
    let mut distinct: Vec<&str> = Vec::new();
    let which: Vec<u64> = indices
        .iter()
        .map(|index| {
            let text: &str = texts.get(*index).map_or("", |text| text);
            *numbers.entry(text).or_insert_with(|| {
                distinct.push(text);
                distinct.len() as u64 - 1
            })
        })
        .collect();
    put_varint(out, distinct.len() as u64);
    for text in distinct {
        put_varint(out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
    }
    ints::pack(ints::plan(which.iter().copied()), which.iter().copied(), out);
}

fn decode_texts(
    reader: &mut Reader<'_>,
    count: usize,
    out: &mut Column,
) -> Result<Vec<u64>, Damaged> {
    for _ in 0..reader.count(count)? {
        let length = reader.count(MAX_TEXT)?;
        let text =
            str::from_utf8(reader.bytes(length)?).map_err(|_| Damaged("a text is broken"))?;
        out.texts.push(text.into());
    }
    let mut which = Vec::with_capacity(count);
    ints::unpack(reader, count, &mut which)?;
    if which.iter().any(|index| *index >= out.texts.len() as u64) {
        return Err(Damaged("a text is missing"));
    }
    Ok(which)
}
