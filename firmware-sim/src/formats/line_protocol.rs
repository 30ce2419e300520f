//! InfluxDB line protocol of a roadside cabinet: one line for each of its devices.

use std::fmt::Write as _;

use super::{Encoder, Record, Uplink, Via};
use crate::Value;

/// `lp/{gateway}`, times in nanoseconds.
pub(super) struct LineProtocol;

impl Encoder for LineProtocol {
    fn name(&self) -> &'static str {
        "line_protocol"
    }

    fn via(&self) -> Via {
        Via::Cabinet
    }

    fn encode(&self, records: &[Record<'_>]) -> Vec<Uplink> {
        let device = records[0].device;
        let gateway = device.gateway.as_deref().unwrap_or(&device.id);
        let mut text = String::with_capacity(records.len() * 96);
        let mut readings = 0;
        for record in records.iter().filter(|record| !record.samples.is_empty()) {
            if !text.is_empty() {
                text.push('\n');
            }
            escaped(&mut text, &record.device.kind, ", ");
            text.push_str(",device=");
            escaped(&mut text, &record.device.id, ",= ");
            for (index, sample) in record.samples.iter().enumerate() {
                text.push(if index == 0 { ' ' } else { ',' });
                escaped(&mut text, sample.sent, ",= ");
                // Writing to a String cannot fail.
                let _ = match sample.value {
                    Value::Number(number) => write!(text, "={number}"),
                    Value::Integer(count) => write!(text, "={count}i"),
                    Value::Bool(state) => write!(text, "={state}"),
                };
            }
            if let Some((lon, lat)) = record.position {
                let _ = write!(text, ",lon={lon},lat={lat}");
            }
            let _ = write!(text, " {}", record.time.as_nanosecond());
            readings += record.samples.len() as u32;
        }
        vec![Uplink { topic: format!("lp/{gateway}"), payload: text.into_bytes(), readings }]
    }
}

/// Writes a name with a backslash before each special character.
fn escaped(text: &mut String, name: &str, special: &str) {
    for c in name.chars() {
        if special.contains(c) {
            text.push('\\');
        }
        text.push(c);
    }
}
