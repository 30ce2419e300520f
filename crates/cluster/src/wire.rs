//! What a commit looks like on the bus: one message for each partition that has readings in it, and
//! one for the rest.

use std::sync::Arc;

use city_model::{
    DeviceKey, Marks, MetricKey, Position, Quality, Reading, SeriesKey, Timestamp, Value,
};
use city_store::{Commit, DeliveryNote, NewDeadLetter, SequenceNote};
use serde::{Deserialize, Serialize};

/// The layout of messages. It goes up when they are written otherwise.
const LAYOUT: u8 = 1;

/// What a message on the bus holds.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Batch {
    /// How much of the city's state whoever wrote it knew: keys of devices and metrics are from there.
    pub(crate) state: u64,
    readings: Vec<WireReading>,
    letters: Vec<WireLetter>,
    sequences: Vec<(u16, u32, u64)>,
    deliveries: Vec<(u64, i64)>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct WireReading {
    source: u16,
    device: u32,
    metric: u16,
    time: i64,
    /// How long after its time it was received, in microseconds.
    delay: i64,
    value: WireValue,
    quality: u8,
    marks: u8,
    position: Option<Position>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum WireValue {
    Number(f64),
    Bool(bool),
    Text(Arc<str>),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct WireLetter {
    source: Option<u16>,
    source_id: String,
    topic: String,
    payload: Arc<[u8]>,
    client: Option<String>,
    received: i64,
    device: Option<String>,
    device_key: Option<u32>,
    reason: String,
    detail: String,
    hint: String,
    items: u32,
    again: bool,
}

/// A message that this program cannot read.
#[derive(Debug, thiserror::Error)]
#[error(
    "message {number} of the bus cannot be read ({why}); run the same version of citybrain on every machine"
)]
pub(crate) struct Unreadable {
    pub(crate) number: u64,
    pub(crate) why: String,
}

impl Batch {
    pub(crate) fn of_readings<'a>(
        state: u64,
        readings: impl IntoIterator<Item = (&'a Reading, u16)>,
    ) -> Self {
        let readings = readings.into_iter().map(|(reading, source)| WireReading {
            source,
            device: reading.series.device.0,
            metric: reading.series.metric.0,
            time: reading.time.micros(),
            delay: reading.received.micros().wrapping_sub(reading.time.micros()),
            value: match &reading.value {
                Value::Number(number) => WireValue::Number(*number),
                Value::Bool(state) => WireValue::Bool(*state),
                Value::Text(text) => WireValue::Text(text.clone()),
            },
            quality: reading.quality.code(),
            marks: reading.marks.bits(),
            position: reading.position,
        });
        Self { state, readings: readings.collect(), ..Self::default() }
    }

    pub(crate) fn of_the_rest(state: u64, commit: &Commit) -> Self {
        let letters = commit.dead_letters.iter().map(|letter| WireLetter {
            source: letter.source,
            source_id: letter.source_id.clone(),
            topic: letter.topic.clone(),
            payload: letter.payload.clone(),
            client: letter.client.clone(),
            received: letter.received.micros(),
            device: letter.device.clone(),
            device_key: letter.device_key.map(|key| key.0),
            reason: letter.reason.clone(),
            detail: letter.detail.clone(),
            hint: letter.hint.clone(),
            items: letter.items,
            again: letter.again,
        });
        let sequences = commit.sequences.iter().map(|n| (n.source, n.device.0, n.number));
        let deliveries = commit.deliveries.iter().map(|n| (n.key, n.received.micros()));
        Self {
            state,
            readings: Vec::new(),
            letters: letters.collect(),
            sequences: sequences.collect(),
            deliveries: deliveries.collect(),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        // Writing to memory does not fail.
        postcard::to_extend(self, vec![LAYOUT]).unwrap_or_default()
    }

    pub(crate) fn decode(number: u64, bytes: &[u8]) -> Result<Self, Unreadable> {
        let bad = |why: String| Unreadable { number, why };
        let (layout, rest) = bytes.split_first().ok_or_else(|| bad("it is empty".to_owned()))?;
        if *layout != LAYOUT {
            return Err(bad(format!("layout {layout} instead of {LAYOUT}")));
        }
        postcard::from_bytes(rest).map_err(|error| bad(error.to_string()))
    }

    /// Adds what it holds to a commit. Readings have no zones yet.
    pub(crate) fn add_to(self, commit: &mut Commit) {
        for reading in self.readings {
            commit.sources.push(reading.source);
            commit.readings.push(reading.into_reading());
        }
        commit.dead_letters.extend(self.letters.into_iter().map(|letter| NewDeadLetter {
            source: letter.source,
            source_id: letter.source_id,
            topic: letter.topic,
            payload: letter.payload,
            client: letter.client,
            received: Timestamp::from_micros(letter.received),
            device: letter.device,
            device_key: letter.device_key.map(DeviceKey),
            reason: letter.reason,
            detail: letter.detail,
            hint: letter.hint,
            items: letter.items,
            again: letter.again,
        }));
        commit.sequences.extend(self.sequences.into_iter().map(|(source, device, number)| {
            SequenceNote { source, device: DeviceKey(device), number }
        }));
        commit.deliveries.extend(self.deliveries.into_iter().map(|(key, received)| DeliveryNote {
            key,
            received: Timestamp::from_micros(received),
        }));
    }

    /// The readings alone.
    pub(crate) fn into_readings(self) -> Vec<Reading> {
        self.readings.into_iter().map(WireReading::into_reading).collect()
    }
}

impl WireReading {
    fn into_reading(self) -> Reading {
        Reading {
            series: SeriesKey { device: DeviceKey(self.device), metric: MetricKey(self.metric) },
            time: Timestamp::from_micros(self.time),
            received: Timestamp::from_micros(self.time.wrapping_add(self.delay)),
            value: match self.value {
                WireValue::Number(number) => Value::Number(number),
                WireValue::Bool(state) => Value::Bool(state),
                WireValue::Text(text) => Value::Text(text),
            },
            quality: Quality::from_code(self.quality).unwrap_or_default(),
            marks: Marks::from_bits(self.marks),
            position: self.position,
            zones: [].into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(value: Value, position: Option<Position>) -> Reading {
        Reading {
            series: SeriesKey { device: DeviceKey(70_000), metric: MetricKey(3) },
            time: Timestamp::from_secs(1_790_000_000),
            received: Timestamp::from_secs(1_790_000_002),
            value,
            quality: Quality::Suspect,
            marks: Marks::SIMULATED.with(Marks::UNTIMED),
            position,
            zones: [].into(),
        }
    }

    #[test]
    fn a_commit_comes_out_as_it_went_in() {
        let readings = vec![
            reading(Value::Number(0.1), None),
            reading(Value::Bool(true), Some(Position { lon: 120.25, lat: -30.5 })),
            reading("开".into(), None),
        ];
        let letter = NewDeadLetter {
            source: None,
            source_id: String::new(),
            topic: "a/b".to_owned(),
            payload: Arc::from(&b"\0\xff"[..]),
            client: Some("c".to_owned()),
            received: Timestamp::from_secs(1),
            device: Some("d".to_owned()),
            device_key: Some(DeviceKey(9)),
            reason: "syntax".to_owned(),
            detail: "x".to_owned(),
            hint: "y".to_owned(),
            items: 2,
            again: true,
        };
        let commit = Commit {
            readings: readings.clone(),
            sources: vec![1, 2, 3],
            dead_letters: vec![letter.clone()],
            sequences: vec![SequenceNote { source: 4, device: DeviceKey(5), number: 6 }],
            deliveries: vec![DeliveryNote { key: 7, received: Timestamp::from_secs(8) }],
        };
        let pairs = commit.readings.iter().zip(commit.sources.iter().copied());
        let bytes = Batch::of_readings(42, pairs).encode();
        let rest = Batch::of_the_rest(43, &commit).encode();
        let mut back = Commit::default();
        for (bytes, state) in [(bytes, 42), (rest, 43)] {
            let batch = Batch::decode(1, &bytes).expect("readable");
            assert_eq!(batch.state, state);
            batch.add_to(&mut back);
        }
        assert_eq!((back.readings, back.sources), (readings, vec![1, 2, 3]));
        assert_eq!(back.dead_letters, [letter]);
        assert_eq!((back.sequences, back.deliveries), (commit.sequences, commit.deliveries));
    }

    #[test]
    fn what_another_version_wrote_is_refused_with_what_to_do() {
        for bytes in [&[][..], &[9, 0], &[LAYOUT, 255]] {
            let error = Batch::decode(7, bytes).expect_err("unreadable").to_string();
            assert!(error.contains("message 7") && error.contains("same version"), "{error}");
        }
    }
}
