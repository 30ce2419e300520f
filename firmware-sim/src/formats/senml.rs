//! SenML in JSON (RFC 8428): a base name and time, then records; positions as `lon` and `lat`.

use serde_json::{Map, Value, json};

use super::{Encoder, Record, Uplink, Via, bytes};
use crate::kinds;

/// `senml/{device}`.
pub(super) struct Senml;

impl Encoder for Senml {
    fn name(&self) -> &'static str {
        "senml"
    }

    fn via(&self) -> Via {
        Via::Direct
    }

    fn encode(&self, records: &[Record<'_>]) -> Vec<Uplink> {
        let mut pack = Pack::new(&records[0].device.id, records[0].time);
        for record in records {
            for sample in &record.samples {
                pack.value(record.time, sample.sent, sample.unit, sample.value);
            }
            if let Some((lon, lat)) = record.position {
                pack.position(record.time, lon, lat);
            }
        }
        let readings = records.iter().map(|record| record.samples.len() as u32).sum();
        let topic = format!("senml/{}", records[0].device.id);
        vec![Uplink { topic, payload: pack.finish(), readings }]
    }
}

/// A SenML pack under construction.
pub(crate) struct Pack {
    base: i64,
    records: Vec<Value>,
    name: String,
}

impl Pack {
    /// A pack of one device with its base time.
    pub(crate) fn new(device: &str, base: jiff::Timestamp) -> Self {
        Self { base: base.as_millisecond(), records: Vec::new(), name: format!("{device}:") }
    }

    /// Adds a value; the time is written relative to the base time (clause 4.1).
    pub(crate) fn value(
        &mut self,
        time: jiff::Timestamp,
        name: &str,
        unit: &str,
        value: kinds::Value,
    ) {
        let mut record = Map::new();
        record.insert("n".to_owned(), json!(name));
        // The unit of counts and ratios is `/`, which is also what a missing one may mean.
        if unit != "1" {
            record.insert("u".to_owned(), json!(unit));
        }
        match value {
            kinds::Value::Bool(state) => record.insert("vb".to_owned(), json!(state)),
            other => record.insert("v".to_owned(), super::json_value(other)),
        };
        self.push(time, record);
    }

    /// Adds a position: two records that have a unit and no name of their own (clause 12.1).
    pub(crate) fn position(&mut self, time: jiff::Timestamp, lon: f64, lat: f64) {
        for (unit, degrees) in [("lon", lon), ("lat", lat)] {
            let record = json!({"u": unit, "v": degrees});
            if let Value::Object(record) = record {
                self.push(time, record);
            }
        }
    }

    fn push(&mut self, time: jiff::Timestamp, mut record: Map<String, Value>) {
        if self.records.is_empty() {
            record.insert("bn".to_owned(), json!(self.name));
            record.insert("bt".to_owned(), seconds(self.base));
        }
        let after = time.as_millisecond() - self.base;
        if after != 0 {
            record.insert("t".to_owned(), seconds(after));
        }
        self.records.push(Value::Object(record));
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        bytes(&Value::Array(self.records))
    }
}

/// Whole seconds as an integer, others with their fraction.
fn seconds(millis: i64) -> Value {
    if millis % 1_000 == 0 { json!(millis / 1_000) } else { json!(millis as f64 / 1e3) }
}
