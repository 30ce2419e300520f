//! Plain JSON of a data logger: one object a message, or an array of what it had stored.

use serde_json::json;

use super::{Encoder, Record, Uplink, Via, bytes, json_object};

/// `city/{department}/{kind}/{device}/up` with `{"ts": …, "data": {…}}`, and
/// `city/{department}/{kind}/{device}/batch` with `{"samples": […]}` of the same objects.
pub(super) struct Json;

impl Encoder for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn via(&self) -> Via {
        Via::Direct
    }

    fn encode(&self, records: &[Record<'_>]) -> Vec<Uplink> {
        let device = records[0].device;
        let topic =
            |end: &str| format!("city/{}/{}/{}/{end}", device.department, device.kind, device.id);
        let object = |record: &Record<'_>| {
            let mut object = json!({"ts": record.time.to_string(), "data": json_object(record)});
            if let Some((lon, lat)) = record.position {
                object["gps"] = json!({"lon": lon, "lat": lat});
            }
            object
        };
        let (topic, payload) = match records {
            [one] => (topic("up"), object(one)),
            _ => {
                (topic("batch"), json!({"samples": records.iter().map(object).collect::<Vec<_>>()}))
            }
        };
        let readings = records.iter().map(|record| record.samples.len() as u32).sum();
        vec![Uplink { topic, payload: bytes(&payload), readings }]
    }
}
