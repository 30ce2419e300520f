//! One commit as one blob: its readings in order of arrival, and what it adds to the ledger.
//!
//! ```text
//! version   1 byte
//! checksum  4 bytes: CRC-32 of all that follows
//! readings, then each: what repeats the reading before, quality and kind, the rest in full
//! dead letters, summed up: source + 1 (0: none), device + 1 (0: none), items
//! message numbers, each: source, device, number (since version 3)
//! places of those dead letters above that were kept already (since version 4)
//! ```

use std::sync::Arc;

use city_model::{
    DeviceKey, Marks, MetricKey, Position, Quality, Reading, SeriesKey, Timestamp, Value, ZoneSet,
};

use crate::SequenceNote;

use super::codec::bytes::{Damaged, Reader, put_f64, put_signed, put_varint};

const VERSION: u8 = 4;
/// The oldest version that can still be read.
const OLDEST: u8 = 2;
const HEADER: usize = 5;
/// More readings than any commit holds.
const MAX_READINGS: usize = 1 << 30;

// What the first byte of a reading says. "Same" is: as in the reading before.
const SAME_DEVICE: u8 = 1;
const SAME_TIME: u8 = 1 << 1;
const SAME_RECEIVED: u8 = 1 << 2;
const SAME_SOURCE: u8 = 1 << 3;
const SAME_MARKS: u8 = 1 << 4;
const DUPLICATE: u8 = 1 << 5;
const POSITION: u8 = 1 << 6;
const SAME_POSITION: u8 = 1 << 7;

// The kind of value, in the upper half of the second byte.
const NUMBER: u8 = 0;
const FALSE: u8 = 1 << 4;
const TRUE: u8 = 2 << 4;
const TEXT: u8 = 3 << 4;

/// A reading in the log.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Logged {
    pub(super) reading: Reading,
    pub(super) source: u16,
    pub(super) duplicate: bool,
}

/// Dead letters of one source and one device in one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LoggedLetters {
    pub(super) source: Option<u16>,
    pub(super) device: Option<DeviceKey>,
    pub(super) items: u64,
    /// They were kept already, and count as duplicates.
    pub(super) repeated: bool,
}

/// What the reading before was, to leave out what repeats.
#[derive(Default)]
struct Before {
    device: u32,
    time: i64,
    received: i64,
    source: u16,
    marks: u8,
    position: Option<Position>,
}

/// Writes one blob.
pub(super) struct Encoder {
    out: Vec<u8>,
    before: Before,
}

impl Encoder {
    /// Starts in `buffer`, whose contents are dropped but whose room is used.
    pub(super) fn new(mut buffer: Vec<u8>, readings: usize) -> Self {
        buffer.clear();
        buffer.extend_from_slice(&[VERSION, 0, 0, 0, 0]);
        put_varint(&mut buffer, readings as u64);
        Self { out: buffer, before: Before::default() }
    }

    /// Appends the next reading.
    pub(super) fn reading(&mut self, reading: &Reading, source: u16, duplicate: bool) {
        let out = &mut self.out;
        let before = &mut self.before;
        let (time, received) = (reading.time.micros(), reading.received.micros());
        let (device, marks) = (reading.series.device.0, reading.marks.bits());
        let same = |same: bool, bit: u8| if same { bit } else { 0 };
        let repeats_position = reading.position.is_some() && before.position == reading.position;
        let what = same(device == before.device, SAME_DEVICE)
            | same(time == before.time, SAME_TIME)
            | same(received == before.received, SAME_RECEIVED)
            | same(source == before.source, SAME_SOURCE)
            | same(marks == before.marks, SAME_MARKS)
            | same(duplicate, DUPLICATE)
            | same(reading.position.is_some(), POSITION)
            | same(repeats_position, SAME_POSITION);
        let kind = match &reading.value {
            Value::Number(_) => NUMBER,
            Value::Bool(false) => FALSE,
            Value::Bool(true) => TRUE,
            Value::Text(_) => TEXT,
        };
        out.extend_from_slice(&[what, kind | reading.quality.code()]);
        put_varint(out, u64::from(reading.series.metric.0));
        if what & SAME_DEVICE == 0 {
            put_varint(out, u64::from(device));
        }
        if what & SAME_TIME == 0 {
            put_signed(out, time.wrapping_sub(before.time));
        }
        if what & SAME_RECEIVED == 0 {
            put_signed(out, received.wrapping_sub(before.received));
        }
        if what & SAME_SOURCE == 0 {
            put_varint(out, u64::from(source));
        }
        if what & SAME_MARKS == 0 {
            out.push(marks);
        }
        match &reading.value {
            Value::Number(number) => put_f64(out, *number),
            Value::Bool(_) => {}
            Value::Text(text) => {
                put_varint(out, text.len() as u64);
                out.extend_from_slice(text.as_bytes());
            }
        }
        if let Some(position) = reading.position {
            if !repeats_position {
                put_f64(out, position.lon);
                put_f64(out, position.lat);
            }
            before.position = Some(position);
        }
        (before.device, before.time, before.received) = (device, time, received);
        (before.source, before.marks) = (source, marks);
    }

    /// Appends what the dead letters and the message numbers add to the ledger, and ends the blob.
    pub(super) fn finish(
        mut self,
        letters: &[LoggedLetters],
        sequences: &[SequenceNote],
    ) -> Vec<u8> {
        put_varint(&mut self.out, letters.len() as u64);
        for letter in letters {
            put_varint(&mut self.out, letter.source.map_or(0, |source| u64::from(source) + 1));
            put_varint(&mut self.out, letter.device.map_or(0, |device| u64::from(device.0) + 1));
            put_varint(&mut self.out, letter.items);
        }
        put_varint(&mut self.out, sequences.len() as u64);
        for note in sequences {
            put_varint(&mut self.out, u64::from(note.source));
            put_varint(&mut self.out, u64::from(note.device.0));
            put_varint(&mut self.out, note.number);
        }
        let repeated = || letters.iter().enumerate().filter(|(_, letter)| letter.repeated);
        put_varint(&mut self.out, repeated().count() as u64);
        for (place, _) in repeated() {
            put_varint(&mut self.out, place as u64);
        }
        let checksum = crc32fast::hash(&self.out[HEADER..]);
        self.out[1..HEADER].copy_from_slice(&checksum.to_le_bytes());
        self.out
    }
}

/// What a commit adds to the ledger besides its readings.
pub(super) type Additions = (Vec<LoggedLetters>, Vec<SequenceNote>);

/// Reads a blob: calls `each` for every reading in order, returns what else it adds to the ledger.
pub(super) fn decode(blob: &[u8], mut each: impl FnMut(Logged)) -> Result<Additions, Damaged> {
    let mut reader = Reader::new(blob);
    let version = reader.byte()?;
    if !(OLDEST..=VERSION).contains(&version) {
        return Err(Damaged("it is of an unknown version"));
    }
    if reader.u32()? != crc32fast::hash(&blob[HEADER..]) {
        return Err(Damaged("the checksum is wrong"));
    }
    let no_zones = ZoneSet::default();
    let mut before = Before::default();
    for _ in 0..reader.count(MAX_READINGS)? {
        each(decode_reading(&mut reader, &mut before, &no_zones)?);
    }
    let count = reader.count(blob.len())?;
    let letters: Result<Vec<LoggedLetters>, Damaged> = (0..count)
        .map(|_| {
            let source = reader.count(1 << 16)?.checked_sub(1).map(|source| source as u16);
            let device = match reader.varint()?.checked_sub(1).map(u32::try_from) {
                None => None,
                Some(Ok(device)) => Some(DeviceKey(device)),
                Some(Err(_)) => return Err(Damaged("a device has too large a number")),
            };
            Ok(LoggedLetters { source, device, items: reader.varint()?, repeated: false })
        })
        .collect();
    let mut letters = letters?;
    let count = if version < 3 { 0 } else { reader.count(blob.len())? };
    let sequences: Result<Vec<SequenceNote>, Damaged> = (0..count)
        .map(|_| {
            let source = reader.count(usize::from(u16::MAX))? as u16;
            let device = DeviceKey(reader.count(u32::MAX as usize)? as u32);
            Ok(SequenceNote { source, device, number: reader.varint()? })
        })
        .collect();
    let sequences = sequences?;
    let count = if version < 4 { 0 } else { reader.count(letters.len())? };
    for _ in 0..count {
        let place = reader.count(letters.len())?;
        let letter = letters.get_mut(place).ok_or(Damaged("a dead letter is missing"))?;
        letter.repeated = true;
    }
    Ok((letters, sequences))
}

fn decode_reading(
    reader: &mut Reader<'_>,
    before: &mut Before,
    no_zones: &ZoneSet,
) -> Result<Logged, Damaged> {
    let what = reader.byte()?;
    let kind = reader.byte()?;
    let quality = Quality::from_code(kind & 0xf).ok_or(Damaged("a quality has no meaning"))?;
    let metric = MetricKey(reader.count(usize::from(u16::MAX))? as u16);
    if what & SAME_DEVICE == 0 {
        before.device = reader.count(u32::MAX as usize)? as u32;
    }
    if what & SAME_TIME == 0 {
        before.time = before.time.wrapping_add(reader.signed()?);
    }
    if what & SAME_RECEIVED == 0 {
        before.received = before.received.wrapping_add(reader.signed()?);
    }
    if what & SAME_SOURCE == 0 {
        before.source = reader.count(usize::from(u16::MAX))? as u16;
    }
    if what & SAME_MARKS == 0 {
        before.marks = reader.byte()?;
    }
    let value = match kind & 0xf0 {
        NUMBER => Value::Number(reader.f64()?),
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        TEXT => {
            let length = reader.count(MAX_READINGS)?;
            let text = str::from_utf8(reader.bytes(length)?);
            Value::Text(Arc::from(text.map_err(|_| Damaged("a text is broken"))?))
        }
        _ => return Err(Damaged("a kind of value has no meaning")),
    };
    let mut position = None;
    if what & POSITION != 0 {
        if what & SAME_POSITION == 0 {
            before.position = Some(Position { lon: reader.f64()?, lat: reader.f64()? });
        }
        position = before.position;
    }
    Ok(Logged {
        reading: Reading {
            series: SeriesKey { device: DeviceKey(before.device), metric },
            time: Timestamp::from_micros(before.time),
            received: Timestamp::from_micros(before.received),
            value,
            quality,
            marks: Marks::from_bits(before.marks),
            position,
            zones: no_zones.clone(),
        },
        source: before.source,
        duplicate: what & DUPLICATE != 0,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn logged() -> impl Strategy<Value = Logged> {
        let value = prop_oneof![
            any::<f64>().prop_filter("finite", |v| v.is_finite()).prop_map(Value::Number),
            any::<bool>().prop_map(Value::Bool),
            "[a-z水]{0,5}".prop_map(|text| Value::Text(text.into())),
        ];
        let quality = prop::sample::select(vec![
            Quality::Pass,
            Quality::NotEvaluated,
            Quality::Suspect,
            Quality::Fail,
            Quality::Missing,
        ]);
        let time = prop_oneof![0i64..3, any::<i64>()];
        let place = prop::option::of((0..3).prop_map(f64::from));
        (
            (prop_oneof![0u32..3, any::<u32>()], any::<u16>(), time.clone(), time),
            (value, quality, any::<u8>(), place, any::<u16>(), any::<bool>()),
        )
            .prop_map(
                |(
                    (device, metric, time, received),
                    (value, quality, marks, place, source, dup),
                )| {
                    Logged {
                        reading: Reading {
                            series: SeriesKey {
                                device: DeviceKey(device),
                                metric: MetricKey(metric),
                            },
                            time: Timestamp::from_micros(time),
                            received: Timestamp::from_micros(received),
                            value,
                            quality,
                            marks: Marks::from_bits(marks),
                            position: place.map(|p| Position { lon: p, lat: -p }),
                            zones: ZoneSet::default(),
                        },
                        source,
                        duplicate: dup,
                    }
                },
            )
    }

    fn logged_letters() -> impl Strategy<Value = LoggedLetters> {
        let key = prop_oneof![Just(0), Just(u32::MAX), any::<u32>()].prop_map(DeviceKey);
        (prop::option::of(any::<u16>()), prop::option::of(key), any::<u64>(), any::<bool>())
            .prop_map(|(source, device, items, repeated)| LoggedLetters {
                source,
                device,
                items,
                repeated,
            })
    }

    fn sequence() -> impl Strategy<Value = SequenceNote> {
        (any::<u16>(), any::<u32>(), any::<u64>()).prop_map(|(source, device, number)| {
            SequenceNote { source, device: DeviceKey(device), number }
        })
    }

    proptest! {
        #[test]
        fn any_commit_comes_back(
            readings in prop::collection::vec(logged(), 0..40),
            letters in prop::collection::vec(logged_letters(), 0..4),
            sequences in prop::collection::vec(sequence(), 0..4)
        ) {
            let mut encoder = Encoder::new(vec![1, 2, 3], readings.len());
            for logged in &readings {
                encoder.reading(&logged.reading, logged.source, logged.duplicate);
            }
            let blob = encoder.finish(&letters, &sequences);
            let mut back = Vec::new();
            prop_assert_eq!(decode(&blob, |logged| back.push(logged)), Ok((letters, sequences)));
            prop_assert_eq!(back, readings);
        }
    }

    #[test]
    fn a_commit_of_an_earlier_version_is_read() {
        let letters = [LoggedLetters { source: Some(1), device: None, items: 3, repeated: false }];
        let mut blob = Encoder::new(Vec::new(), 0).finish(&letters, &[]);
        assert_eq!(blob.pop(), Some(0), "the count of repeated letters, new in version 4");
        assert_eq!(blob.pop(), Some(0), "the count of message numbers, new in version 3");
        blob[0] = 2;
        let checksum = crc32fast::hash(&blob[HEADER..]);
        blob[1..HEADER].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(decode(&blob, |_| {}), Ok((letters.to_vec(), Vec::new())));
        blob[0] = 1;
        assert_eq!(decode(&blob, |_| {}), Err(Damaged("it is of an unknown version")));
    }

    #[test]
    fn a_flipped_byte_is_noticed() {
        let letters = LoggedLetters { source: None, device: None, items: 3, repeated: false };
        let mut blob = Encoder::new(Vec::new(), 0).finish(&[letters], &[]);
        assert!(decode(&blob, |_| {}).is_ok());
        let last = blob.len() - 1;
        blob[last] ^= 4;
        assert_eq!(decode(&blob, |_| {}), Err(Damaged("the checksum is wrong")));
    }
}
