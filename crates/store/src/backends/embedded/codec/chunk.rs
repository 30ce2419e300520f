//! A device chunk: all readings of one device in one window as one blob.
//!
//! ```text
//! version   1 byte
//! checksum  4 bytes: CRC-32 of all that follows
//! rows, length of times, times
//! columns, then for each: metric, length of its block, statistics
//! length of positions
//! blocks of the columns, positions
//! ```
//! Statistics stand before the blocks, so that a step that covers the whole chunk reads no values.

use std::sync::Arc;

use city_model::{MetricKey, Position, Quality};
use rustc_hash::FxHashMap;

use super::bytes::{Damaged, Reader, put_f64, put_signed, put_varint};
use super::{ints, numbers};
use crate::backends::embedded::columns::{ABSENT, Column, DeviceColumns, Kind, kind_of};
use crate::steps::{Stats, counts};

const VERSION: u8 = 1;
const HEADER: usize = 5;
/// More rows than a device can send in a window (10 kHz for an hour are 36 million).
const MAX_ROWS: usize = 1 << 27;

/// Encodes the readings of a device in the window that starts at `window`.
pub(crate) fn encode(device: &DeviceColumns, window: i64) -> Vec<u8> {
    let rows = device.times.len();
    let mut out = vec![VERSION, 0, 0, 0, 0];
    let mut block = Vec::new();
    put_varint(&mut out, rows as u64);
    encode_times(&device.times, window, &mut block);
    put_varint(&mut out, block.len() as u64);
    out.append(&mut block);

    let mut blocks = Vec::new();
    let columns: Vec<_> =
        device.columns.iter().filter(|c| c.flags.iter().any(|f| *f != ABSENT)).collect();
    put_varint(&mut out, columns.len() as u64);
    for column in columns {
        let start = blocks.len();
        let decimals = encode_column(column, rows, &mut blocks);
        put_varint(&mut out, u64::from(column.metric.0));
        put_varint(&mut out, (blocks.len() - start) as u64);
        encode_stats(column, &device.times, decimals.as_ref(), &mut out);
    }
    encode_positions(&device.positions, rows, &mut block);
    put_varint(&mut out, block.len() as u64);
    out.append(&mut blocks);
    out.append(&mut block);

    let checksum = crc32fast::hash(&out[HEADER..]);
    out[1..HEADER].copy_from_slice(&checksum.to_le_bytes());
    out
}

/// An encoded chunk whose checksum is right and whose times are read; columns are read on demand.
#[derive(Debug)]
pub(crate) struct Chunk<'a> {
    pub(crate) times: Vec<i64>,
    directory: Vec<Entry<'a>>,
    positions: &'a [u8],
}

#[derive(Debug)]
struct Entry<'a> {
    metric: MetricKey,
    stats: Stats,
    block: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// Reads the front of a chunk of the window that starts at `window`.
    pub(crate) fn parse(blob: &'a [u8], window: i64) -> Result<Self, Damaged> {
        let mut reader = Reader::new(blob);
        if reader.byte()? != VERSION {
            return Err(Damaged("it is of an unknown version"));
        }
        if reader.u32()? != crc32fast::hash(&blob[HEADER..]) {
            return Err(Damaged("the checksum is wrong"));
        }
        let rows = reader.count(MAX_ROWS)?;
        let length = reader.count(blob.len())?;
        let times = decode_times(Reader::new(reader.bytes(length)?), rows, window)?;
        let columns = reader.count(blob.len())?;
        let mut front = Vec::with_capacity(columns);
        for _ in 0..columns {
            let metric = MetricKey(reader.count(usize::from(u16::MAX))? as u16);
            let length = reader.count(blob.len())?;
            front.push((metric, length, decode_stats(&mut reader, &times)?));
        }
        let positions = reader.count(blob.len())?;
        let mut directory = Vec::with_capacity(columns);
        for (metric, length, stats) in front {
            directory.push(Entry { metric, stats, block: reader.bytes(length)? });
        }
        Ok(Self { times, directory, positions: reader.bytes(positions)? })
    }

    fn entry(&self, metric: MetricKey) -> Option<&Entry<'a>> {
        self.directory.iter().find(|entry| entry.metric == metric)
    }

    /// Statistics of one metric.
    pub(crate) fn stats(&self, metric: MetricKey) -> Option<&Stats> {
        self.entry(metric).map(|entry| &entry.stats)
    }

    /// The values of one metric.
    pub(crate) fn column(&self, metric: MetricKey) -> Result<Option<Column>, Damaged> {
        self.entry(metric).map(|entry| self.read(entry)).transpose()
    }

    fn read(&self, entry: &Entry<'_>) -> Result<Column, Damaged> {
        let mut column = Column { metric: entry.metric, ..Column::default() };
        decode_column(Reader::new(entry.block), self.times.len(), &mut column)?;
        Ok(column)
    }

    /// Where the device was, row by row; empty if it never said.
    pub(crate) fn positions(&self) -> Result<Vec<Option<Position>>, Damaged> {
        decode_positions(Reader::new(self.positions), self.times.len())
    }

    /// Everything.
    pub(crate) fn all(&self) -> Result<DeviceColumns, Damaged> {
        let columns =
            self.directory.iter().map(|entry| self.read(entry)).collect::<Result<Vec<_>, _>>()?;
        let readings =
            columns.iter().map(|c| c.flags.iter().filter(|f| **f != ABSENT).count()).sum();
        Ok(DeviceColumns {
            times: self.times.clone(),
            columns,
            positions: self.positions()?,
            readings,
        })
    }
}

/// The first time relative to the window, the unit (greatest common divisor of all steps), the
/// shortest step, and what the steps have beyond it.
fn encode_times(times: &[i64], window: i64, out: &mut Vec<u8>) {
    let Some(first) = times.first() else { return };
    put_signed(out, first.wrapping_sub(window));
    let step = |i: usize| times[i].wrapping_sub(times[i - 1]) as u64;
    let unit = (1..times.len()).map(step).fold(0, gcd).max(1);
    let shortest = (1..times.len()).map(step).min().unwrap_or(0) / unit;
    put_varint(out, unit);
    put_varint(out, shortest);
    let beyond = (1..times.len()).map(|i| step(i) / unit - shortest);
    ints::pack(ints::plan(beyond.clone()), beyond, out);
}

fn decode_times(mut reader: Reader<'_>, rows: usize, window: i64) -> Result<Vec<i64>, Damaged> {
    if rows == 0 {
        return Ok(Vec::new());
    }
    let mut time = window.wrapping_add(reader.signed()?);
    let unit = reader.varint()?;
    let shortest = reader.varint()?;
    let mut beyond = Vec::with_capacity(rows - 1);
    ints::unpack(&mut reader, rows - 1, &mut beyond)?;
    let mut times = Vec::with_capacity(rows);
    times.push(time);
    for steps in beyond {
        time = time.wrapping_add(steps.wrapping_add(shortest).wrapping_mul(unit) as i64);
        times.push(time);
    }
    Ok(times)
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Which rows there are: all; a bit for each; or the places, whichever is shorter.
fn encode_presence(present: &[bool], out: &mut Vec<u8>) {
    let count = present.iter().filter(|p| **p).count();
    if count == present.len() {
        out.push(0);
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

fn decode_presence(reader: &mut Reader<'_>, rows: usize) -> Result<Vec<bool>, Damaged> {
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

fn put_bits(bits: impl Iterator<Item = bool>, out: &mut Vec<u8>) {
    for (index, bit) in bits.enumerate() {
        if index % 8 == 0 {
            out.push(0);
        }
        if let Some(last) = out.last_mut() {
            *last |= u8::from(bit) << (index % 8);
        }
    }
}

fn bits(reader: &mut Reader<'_>, count: usize) -> Result<Vec<bool>, Damaged> {
    let packed = reader.bytes(count.div_ceil(8))?;
    Ok((0..count).map(|i| packed[i / 8] >> (i % 8) & 1 == 1).collect())
}

/// Presence, flags, then numbers, truth values and texts, each only if there are any.
fn encode_column(column: &Column, rows: usize, out: &mut Vec<u8>) -> Option<numbers::Decimals> {
    let mut present: Vec<bool> = column.flags.iter().map(|flag| *flag != ABSENT).collect();
    present.resize(rows, false);
    encode_presence(&present, out);
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
        put_bits(states.iter().copied(), out);
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

fn decode_column(mut reader: Reader<'_>, rows: usize, out: &mut Column) -> Result<(), Damaged> {
    let present = decode_presence(&mut reader, rows)?;
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
    let states = bits(&mut reader, of(Kind::Bool))?;
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
        let length = reader.count(MAX_ROWS)?;
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

/// Counts; then, if anything counts, lowest, highest, newest and sum: as integers of the column's
/// decimal exponent if that is exact, else whole; and which row is the newest.
fn encode_stats(
    column: &Column,
    times: &[i64],
    decimals: Option<&numbers::Decimals>,
    out: &mut Vec<u8>,
) {
    let mut stats = Stats::default();
    let mut of_ints = IntStats::default();
    let mut newest = 0;
    let mut ints = decimals.map(|d| d.ints.iter());
    for (row, time) in times.iter().enumerate() {
        let Some((number, quality)) = column.number(row) else { continue };
        let int = ints.as_mut().and_then(Iterator::next);
        stats.add(*time, number, quality);
        if number.is_some() && counts(quality) {
            newest = row;
            of_ints.add(int.copied());
        }
    }
    put_varint(out, stats.count);
    put_varint(out, stats.flagged);
    if stats.count == 0 {
        return;
    }
    if let (Some(decimals), Some(sum)) = (decimals, of_ints.sum) {
        out.push(decimals.exponent);
        for int in [of_ints.min, of_ints.max, of_ints.last, sum] {
            put_signed(out, int);
        }
    } else {
        out.push(u8::MAX);
        for number in [stats.min, stats.max, stats.last, stats.sum] {
            put_f64(out, number);
        }
    }
    put_varint(out, (times.len() - 1 - newest) as u64);
}

/// Statistics over the integers of decimals, exact as long as the sum does not overflow.
struct IntStats {
    min: i64,
    max: i64,
    last: i64,
    sum: Option<i64>,
}

impl Default for IntStats {
    fn default() -> Self {
        Self { min: i64::MAX, max: i64::MIN, last: 0, sum: Some(0) }
    }
}

impl IntStats {
    fn add(&mut self, int: Option<i64>) {
        let Some(int) = int else {
            self.sum = None;
            return;
        };
        self.min = self.min.min(int);
        self.max = self.max.max(int);
        self.last = int;
        self.sum = self.sum.and_then(|sum| sum.checked_add(int));
    }
}

fn decode_stats(reader: &mut Reader<'_>, times: &[i64]) -> Result<Stats, Damaged> {
    let mut stats =
        Stats { count: reader.varint()?, flagged: reader.varint()?, ..Stats::default() };
    if stats.count == 0 {
        return Ok(stats);
    }
    let exponent = reader.byte()?;
    let mut next = || {
        if exponent == u8::MAX {
            reader.f64()
        } else {
            reader.signed().and_then(|int| numbers::from_decimal(int, exponent))
        }
    };
    (stats.min, stats.max, stats.last, stats.sum) = (next()?, next()?, next()?, next()?);
    let from_end = reader.count(MAX_ROWS)?;
    let newest = times.len().checked_sub(1 + from_end).ok_or(Damaged("the newest is missing"))?;
    stats.last_time = times[newest];
    Ok(stats)
}

fn encode_positions(positions: &[Option<Position>], rows: usize, out: &mut Vec<u8>) {
    if positions.iter().all(Option::is_none) {
        return;
    }
    let mut present: Vec<bool> = positions.iter().map(Option::is_some).collect();
    present.resize(rows, false);
    encode_presence(&present, out);
    let lons: Vec<f64> = positions.iter().flatten().map(|p| p.lon).collect();
    let lats: Vec<f64> = positions.iter().flatten().map(|p| p.lat).collect();
    numbers::encode(&lons, out);
    numbers::encode(&lats, out);
}

fn decode_positions(mut reader: Reader<'_>, rows: usize) -> Result<Vec<Option<Position>>, Damaged> {
    if reader.is_empty() {
        return Ok(Vec::new());
    }
    let present = decode_presence(&mut reader, rows)?;
    let count = present.iter().filter(|p| **p).count();
    let lons = numbers::decode(&mut reader, count)?;
    let lats = numbers::decode(&mut reader, count)?;
    let mut places = lons.into_iter().zip(lats).map(|(lon, lat)| Position { lon, lat });
    Ok(present.into_iter().map(|there| if there { places.next() } else { None }).collect())
}

#[cfg(test)]
mod tests {
    use city_model::Value;
    use proptest::prelude::*;

    use super::*;
    use crate::backends::embedded::columns::flag;

    const WINDOW: i64 = 1_700_000_000_000_000 - 1_700_000_000_000_000 % 3_600_000_000;

    /// What a chunk must bring back, in a form that tells -0.0 from 0.0.
    fn facts(device: &DeviceColumns) -> Vec<String> {
        let mut facts = Vec::new();
        for (row, time) in device.times.iter().enumerate() {
            for column in &device.columns {
                if let Some(reading) = column.get(row) {
                    facts.push(format!("{time} {:?} {reading:?}", column.metric));
                }
            }
            if let Some(Some(position)) = device.positions.get(row) {
                facts.push(format!("{time} {position:?}"));
            }
        }
        facts
    }

    fn round_trip(device: &DeviceColumns) -> usize {
        let blob = encode(device, WINDOW);
        let chunk = Chunk::parse(&blob, WINDOW).expect("parses");
        let back = chunk.all().expect("decodes");
        assert_eq!(facts(&back), facts(device));
        assert_eq!(back.readings, device.readings);
        for column in &device.columns {
            let mut stats = Stats::default();
            for (row, time) in device.times.iter().enumerate() {
                if let Some((number, quality)) = column.number(row) {
                    stats.add(*time, number, quality);
                }
            }
            let got = chunk.stats(column.metric).expect("statistics");
            assert_eq!((got.count, got.flagged), (stats.count, stats.flagged));
            assert_eq!((got.min, got.max), (stats.min, stats.max));
            if stats.count > 0 {
                assert_eq!((got.last, got.last_time), (stats.last, stats.last_time));
                let size = column.values.iter().fold(0.0, |a: f64, v| a.max(v.abs()));
                let close = (got.sum - stats.sum).abs() <= size * 1e-9 || got.sum == stats.sum;
                assert!(close, "{} is not {}", got.sum, stats.sum);
            }
        }
        blob.len()
    }

    #[test]
    fn a_typical_device_hour_takes_about_a_byte_a_reading() {
        let mut device = DeviceColumns::default();
        for minute in 0..60i64 {
            for metric in 0..5u16 {
                // A slow wave with one decimal and some noise, as an air station has it.
                let wave = (minute as f64 / 9.0 + f64::from(metric)).sin() * 30.0;
                let noise = ((minute * 7_919 + i64::from(metric) * 104_729) % 11) as f64;
                let value = (200.0 + wave + noise).round() / 10.0;
                let time = WINDOW + minute * 60_000_000;
                device.put(MetricKey(metric), time, &value.into(), Quality::Pass, None);
            }
        }
        let bytes = round_trip(&device);
        assert!(bytes <= 330, "{bytes} bytes for 300 readings");
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let mut device = DeviceColumns::default();
        for i in 0..20 {
            device.put(MetricKey(1), WINDOW + i, &(i as f64).into(), Quality::Pass, None);
        }
        let blob = encode(&device, WINDOW);
        for bit in 0..blob.len() * 8 {
            let mut broken = blob.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert!(Chunk::parse(&broken, WINDOW).is_err(), "bit {bit}");
        }
        assert!(Chunk::parse(&blob[..blob.len() - 1], WINDOW).is_err());
        assert!(Chunk::parse(&[], WINDOW).is_err());
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            6 => (-5_000i32..5_000).prop_map(|i| Value::Number(f64::from(i) / 10.0)),
            1 => any::<f64>().prop_filter("finite", |v| v.is_finite()).prop_map(Value::Number),
            1 => any::<i64>().prop_map(|i| Value::Number(i as f64)),
            1 => Just(Value::Number(-0.0)),
            2 => any::<bool>().prop_map(Value::Bool),
            2 => "[a-z水位]{0,6}".prop_map(|text| Value::Text(text.into())),
        ]
    }

    fn quality() -> impl Strategy<Value = Quality> {
        prop_oneof![
            8 => Just(Quality::Pass),
            1 => Just(Quality::NotEvaluated),
            1 => Just(Quality::Suspect),
            1 => Just(Quality::Fail),
            1 => Just(Quality::Missing),
        ]
    }

    fn time() -> impl Strategy<Value = i64> {
        prop_oneof![
            6 => (0i64..60).prop_map(|minute| WINDOW + minute * 60_000_000),
            2 => (0i64..3_600_000).prop_map(|ms| WINDOW + ms * 1_000),
            1 => any::<i64>(),
        ]
    }

    fn position() -> impl Strategy<Value = Option<Position>> {
        prop::option::weighted(0.3, (-180.0..=180.0, -90.0..=90.0)).prop_map(|place| {
            place.map(|(lon, lat): (f64, f64)| Position { lon: (lon * 1e6).round() / 1e6, lat })
        })
    }

    proptest! {
        #[test]
        fn any_readings_come_back(
            readings in prop::collection::vec(
                (0u16..4, time(), value(), quality(), position()), 0..200)
        ) {
            let mut device = DeviceColumns::default();
            for (metric, time, value, quality, position) in &readings {
                device.put(MetricKey(*metric), *time, value, *quality, *position);
            }
            round_trip(&device);
        }

        #[test]
        fn one_kind_of_value_comes_back(
            numbers in prop::collection::vec(any::<i32>(), 1..100), exponent in -9i32..9
        ) {
            let mut device = DeviceColumns::default();
            for (second, number) in (0..).zip(&numbers) {
                let value = f64::from(*number) * 10f64.powi(exponent);
                let time = WINDOW + second * 1_000_000;
                device.put(MetricKey(9), time, &value.into(), Quality::Pass, None);
            }
            round_trip(&device);
        }
    }

    #[test]
    fn flags_keep_kind_and_quality() {
        let flag = flag(Kind::Text, Quality::Missing);
        assert_eq!(
            (kind_of(flag), Quality::from_code(flag & 0xf)),
            (Some(Kind::Text), Some(Quality::Missing))
        );
    }
}
