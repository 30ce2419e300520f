//! A device chunk: all readings of one device in one window as one blob.
//!
//! ```text
//! version   1 byte
//! checksum  4 bytes: CRC-32 of window, device key and all that follows
//! rows, length of times, times
//! columns, then for each: metric, length of its block, statistics
//! length of positions
//! blocks of the columns, positions
//! ```
//! The window and the device are in the checksum, so that a chunk in a wrong place is noticed.
//! Statistics stand before the blocks, so that a step that covers the whole chunk reads no values.

use city_model::{DeviceKey, MetricKey, Position};

use super::bytes::{Damaged, Reader, put_signed, put_varint};
use super::{column, ints, numbers, presence, stats};
use crate::backends::embedded::columns::{ABSENT, Column, DeviceColumns};
use crate::steps::Stats;

const VERSION: u8 = 1;
const HEADER: usize = 5;
/// More rows than a device can send in a window (10 kHz for an hour are 36 million).
const MAX_ROWS: usize = 1 << 27;

/// Encodes the readings of device `key` in the window that starts at `window`.
pub(crate) fn encode(device: &DeviceColumns, window: i64, key: DeviceKey) -> Vec<u8> {
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
        let decimals = column::encode(column, rows, &mut blocks);
        put_varint(&mut out, u64::from(column.metric.0));
        put_varint(&mut out, (blocks.len() - start) as u64);
        stats::encode(column, &device.times, decimals.as_ref(), &mut out);
    }
    encode_positions(&device.positions, rows, &mut block);
    put_varint(&mut out, block.len() as u64);
    out.append(&mut blocks);
    out.append(&mut block);

    let checksum = checksum(window, key, &out[HEADER..]);
    out[1..HEADER].copy_from_slice(&checksum.to_le_bytes());
    out
}

fn checksum(window: i64, key: DeviceKey, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&window.to_le_bytes());
    hasher.update(&key.0.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
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
    /// Reads the front of the chunk of device `key` in the window that starts at `window`.
    pub(crate) fn parse(blob: &'a [u8], window: i64, key: DeviceKey) -> Result<Self, Damaged> {
        let mut reader = Reader::new(blob);
        if reader.byte()? != VERSION {
            return Err(Damaged("it is of an unknown version"));
        }
        if reader.u32()? != checksum(window, key, &blob[HEADER..]) {
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
            front.push((metric, length, stats::decode(&mut reader, &times)?));
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
        column::decode(Reader::new(entry.block), self.times.len(), &mut column)?;
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

fn encode_positions(positions: &[Option<Position>], rows: usize, out: &mut Vec<u8>) {
    if positions.iter().all(Option::is_none) {
        return;
    }
    let mut present: Vec<bool> = positions.iter().map(Option::is_some).collect();
    present.resize(rows, false);
    presence::encode(&present, out);
    let lons: Vec<f64> = positions.iter().flatten().map(|p| p.lon).collect();
    let lats: Vec<f64> = positions.iter().flatten().map(|p| p.lat).collect();
    numbers::encode(&lons, out);
    numbers::encode(&lats, out);
}

fn decode_positions(mut reader: Reader<'_>, rows: usize) -> Result<Vec<Option<Position>>, Damaged> {
    if reader.is_empty() {
        return Ok(Vec::new());
    }
    let present = presence::decode(&mut reader, rows)?;
    let count = present.iter().filter(|p| **p).count();
    let lons = numbers::decode(&mut reader, count)?;
    let lats = numbers::decode(&mut reader, count)?;
    let mut places = lons.into_iter().zip(lats).map(|(lon, lat)| Position { lon, lat });
    Ok(present.into_iter().map(|there| if there { places.next() } else { None }).collect())
}

#[cfg(test)]
mod tests {
    use city_model::{Quality, Value};
    use proptest::prelude::*;

    use super::*;
    use crate::backends::embedded::columns::{Kind, flag, kind_of};

    const KEY: DeviceKey = DeviceKey(7);
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
        let blob = encode(device, WINDOW, KEY);
        let chunk = Chunk::parse(&blob, WINDOW, KEY).expect("parses");
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
        let blob = encode(&device, WINDOW, KEY);
        for bit in 0..blob.len() * 8 {
            let mut broken = blob.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert!(Chunk::parse(&broken, WINDOW, KEY).is_err(), "bit {bit}");
        }
        assert!(Chunk::parse(&blob[..blob.len() - 1], WINDOW, KEY).is_err());
        assert!(Chunk::parse(&[], WINDOW, KEY).is_err());
        assert!(Chunk::parse(&blob, WINDOW, KEY).is_ok());
        assert!(Chunk::parse(&blob, WINDOW, DeviceKey(8)).is_err(), "another device");
        assert!(Chunk::parse(&blob, WINDOW + 1, KEY).is_err(), "another window");
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
