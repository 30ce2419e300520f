//! ThingsBoard's device and gateway APIs, for devices and gateways that were made for it.
//!
//! ```json
//! {"ts": 1795422600000, "values": {"temperature": 21.5, "door": {"open": true}}}
//! ```
//!
//! | topic | payload |
//! |---|---|
//! | `v1/devices/me/telemetry`, `v2/t` | `{key: value}`, `{ts, values}`, or an array of such |
//! | `v1/devices/me/attributes`, `v2/a` | `{key: value}` |
//! | `v1/gateway/telemetry` | `{"Device A": [{ts, values}, …], …}` |
//! | `v1/gateway/attributes` | `{"Device A": {key: value}, …}` |
//! | connect, disconnect, claim, rpc, requests and responses | ignored on purpose |
//!
//! A path of an HTTP push such as `/api/v1/{token}/telemetry` is read alike; on any other topic
//! the payload is a device's. In the gateway API the device's name is its id; in the device API
//! the topic does not say which device it is: the client does, or the source's template.
//! Attributes are values like any other. Nested values are called by their path: `door.open`.
//!
//! Options: `lon`, `lat`: the names of values that are a position, such as `longitude`.
//!
//! Source: ThingsBoard's documentation, MQTT Device API and MQTT Gateway API.

use std::borrow::Cow;

use crate::entries::{self, Origin, Place, Values};
use crate::error::{DecodeError, OptionsError};
use crate::flat::Flat;
use crate::guard::{Guarded, Parse, Sink, check_id};
use crate::options::Options;
use crate::rows;
use crate::time::TimeFormat;
use crate::{Decoder, Example, Format, Message};

/// ThingsBoard's device and gateway APIs.
pub(super) struct ThingsBoard;

impl Format for ThingsBoard {
    fn name(&self) -> &'static str {
        "thingsboard"
    }

    fn summary(&self) -> &'static str {
        "ThingsBoard's device and gateway APIs: telemetry and attributes"
    }

    fn summary_zh(&self) -> &'static str {
        "ThingsBoard 设备与网关 API：遥测与属性"
    }

    fn example(&self) -> Example {
        Example {
            topic: "v1/gateway/telemetry",
            options: "{}",
            payload: r#"{"air 17": [{"ts": 1795422600000, "values": {"pm25": 12.5, "no2": 31}},
                                    {"ts": 1795422540000, "values": {"pm25": 12}}],
                "door 4": [{"ts": 1795422600000, "values": {"open": true}}]}"#,
            values: 4,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let options = Options::new(options, &entries::PLACE_KEYS)?;
        let place = Place::from_options(&options)?;
        Guarded::boxed(Reader { place, time: TimeFormat::unix_ms() }, &options)
    }
}

struct Reader {
    place: Place,
    time: TimeFormat,
}

/// What a topic is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Device,
    Gateway,
    Nothing,
}

fn about(topic: &str) -> About {
    let topic = topic.trim_start_matches('/');
    if let Some(below) = topic.strip_prefix("v1/gateway/") {
        return match below {
            "telemetry" | "attributes" => About::Gateway,
            _ => About::Nothing,
        };
    }
    let below = topic.strip_prefix("v1/devices/me/").or(topic.strip_prefix("v2/"));
    match below {
        // The short topics may name the encoding.
        None | Some("telemetry" | "attributes" | "t" | "a" | "t/j" | "a/j") => About::Device,
        Some(_) => About::Nothing,
    }
}

impl Parse for Reader {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        match about(message.topic) {
            About::Nothing => {
                sink.ignore();
                Ok(())
            }
            About::Device => rows::each(message.payload, |_, _, flat| self.put(None, flat, sink)),
            About::Gateway => rows::each_named(message.payload, |name, index, flat| {
                let device = check_id(name.clone(), || rows::at(name, index))?;
                self.put(Some(device), flat, sink)
            }),
        }
    }

    fn looked_for(&self) -> String {
        "values under names, or under `values` beside a `ts`".to_owned()
    }

    fn is_json(&self) -> bool {
        true
    }
}

impl Reader {
    /// `{ts, values}`, or plain values.
    fn put<'a>(
        &self,
        device: Option<Cow<'a, str>>,
        flat: &mut Flat<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        let mut origin = Origin { device, ..Origin::default() };
        let entries = flat.checked()?;
        let timed = entries.iter().any(|(name, _)| name.as_str().starts_with(VALUES));
        if timed && let Some(raw) = entries.get("ts") {
            origin.time = entries::time(&self.time, "ts", raw, sink.received())?;
        }
        let mut values = Values::new(&self.place, sink);
        for (name, raw) in entries.drain() {
            let name = if timed { name.strip_prefix(VALUES) } else { Some(name) };
            if let Some(name) = name {
                values.add(name, None, raw)?;
            }
        }
        values.are(&origin)
    }
}

/// What is before the names of values that have a time.
const VALUES: &str = "values.";

#[cfg(test)]
#[path = "thingsboard/tests.rs"]
mod tests;
