//! Events of the stream: written once, shared by every client that wants the whole of them.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use city_model::{DeviceKey, Position, Timestamp, Value, ZoneKey, ZoneSet};
use serde::Serialize;
use serde::ser::Serializer;
use utoipa::ToSchema;

use super::client::ClientFilter;
use crate::alerts::AlertItem;
use crate::routes::system::System;

/// One event with its place in the stream.
#[derive(Debug)]
pub(super) struct Event {
    /// Grows by one with every event, over restarts too.
    pub(super) id: u64,
    pub(super) payload: Payload,
    frame: OnceLock<Bytes>,
}

/// What happened.
#[derive(Debug)]
pub(super) enum Payload {
    Map { at: Timestamp, changes: Vec<MapChange> },
    Values { at: Timestamp, values: Vec<ValueChange> },
    Alert(Box<AlertItem>),
    System(Box<System>),
}

/// A device on the map that changed: only what changed is there.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MapChange {
    /// The device.
    #[schema(value_type = String)]
    pub(super) id: Arc<str>,
    /// The new status, as in `MapSnapshot`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) status: Option<u8>,
    /// The new severity, as in `MapSnapshot`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) severity: Option<u8>,
    /// The new longitude.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) lon: Option<f64>,
    /// The new latitude.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) lat: Option<f64>,
    /// The kind of a device that is new on the map.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub(super) kind: Option<Arc<str>>,
    /// Whether a new device moves, 0 or 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) moving: Option<u8>,
    #[serde(skip)]
    pub(super) its_kind: Arc<str>,
    /// The zones that it is in and, if it just left others, those.
    #[serde(skip)]
    pub(super) zones: [Option<ZoneSet>; 2],
}

impl MapChange {
    pub(super) fn place(&mut self, position: Position) {
        self.lon = Some(position.lon);
        self.lat = Some(position.lat);
    }
}

/// The newest value of a series: `[device, metric, time_ms, value, quality_code]`.
#[derive(Clone, Debug)]
pub(crate) struct ValueChange {
    pub(super) key: DeviceKey,
    pub(super) device: Arc<str>,
    pub(super) metric: Arc<str>,
    pub(super) time: Timestamp,
    pub(super) value: Value,
    pub(super) quality: u8,
    pub(super) kind: Arc<str>,
    pub(super) zones: ZoneSet,
}

impl Serialize for ValueChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.device, &self.metric, self.time.millis(), &self.value, self.quality)
            .serialize(serializer)
    }
}

impl Event {
    pub(super) fn new(id: u64, payload: Payload) -> Self {
        Self { id, payload, frame: OnceLock::new() }
    }

    /// Whether a client that comes back has to get it: the state of the system is sent anew
    /// every other second anyway.
    pub(super) fn is_kept(&self) -> bool {
        !matches!(self.payload, Payload::System(_))
    }

    /// The bytes for a client, or nothing if it does not want this event.
    pub(super) fn frame_for(&self, filter: &ClientFilter) -> Option<Bytes> {
        match &self.payload {
            Payload::Values { .. } if !filter.values => None,
            Payload::Map { at, changes } if filter.narrows() => {
                let wanted: Vec<_> = changes
                    .iter()
                    .filter(|change| filter.wants(&change.its_kind, change.zones.iter().flatten()))
                    .collect();
                let data = MapData { at: *at, devices: &wanted };
                (!wanted.is_empty()).then(|| frame(self.id, "map", &data))
            }
            Payload::Values { at, values } if filter.narrows() || filter.device.is_some() => {
                let wanted: Vec<_> = values
                    .iter()
                    .filter(|value| filter.device.is_none_or(|key| key == value.key))
                    .filter(|value| filter.wants(&value.kind, std::iter::once(&value.zones)))
                    .collect();
                let data = ValuesData { at: *at, values: &wanted };
                (!wanted.is_empty()).then(|| frame(self.id, "values", &data))
            }
            Payload::Alert(item) if !filter.wants_alert(item) => None,
            _ => Some(self.frame()),
        }
    }

    /// The bytes for clients that want all of it.
    pub(super) fn frame(&self) -> Bytes {
        let write = || match &self.payload {
            Payload::Map { at, changes } => {
                frame(self.id, "map", &MapData { at: *at, devices: changes })
            }
            Payload::Values { at, values } => {
                frame(self.id, "values", &ValuesData { at: *at, values })
            }
            Payload::Alert(item) => frame(self.id, "alert", item),
            Payload::System(system) => frame(self.id, "system", system),
        };
        self.frame.get_or_init(write).clone()
    }
}

/// One event in the format of the HTML standard, section 9.2 (Server-sent events). JSON holds no
/// line breaks, so one `data` line is enough.
pub(super) fn frame(id: u64, name: &str, data: &impl Serialize) -> Bytes {
    let json = serde_json::to_string(data).unwrap_or_default();
    let mut text = String::with_capacity(json.len() + 48);
    let _ = write!(text, "id: {id}\nevent: {name}\ndata: {json}\n\n");
    text.into()
}

#[derive(Serialize)]
struct MapData<'a, T> {
    at: Timestamp,
    devices: &'a [T],
}

#[derive(Serialize)]
struct ValuesData<'a, T> {
    at: Timestamp,
    values: &'a [T],
}

impl ClientFilter {
    /// Whether it leaves out devices.
    fn narrows(&self) -> bool {
        self.zone.is_some() || self.kind.is_some()
    }

    fn wants<'a>(&self, kind: &str, mut zones: impl Iterator<Item = &'a ZoneSet>) -> bool {
        let mut in_zone = |zone: ZoneKey| zones.any(|set| set.contains(&zone));
        self.kind.as_deref().is_none_or(|wanted| wanted == kind)
            && self.zone.as_ref().is_none_or(|(key, _)| in_zone(*key))
    }

    fn wants_alert(&self, item: &AlertItem) -> bool {
        let alert = &item.alert;
        let in_zone = |zone: &str| {
            alert.zones.iter().any(|id| &**id == zone)
                || matches!(&alert.subject, city_model::Subject::Zone { zone: id } if &**id == zone)
        };
        self.kind.as_deref().is_none_or(|wanted| alert.kind.as_deref() == Some(wanted))
            && self.zone.as_ref().is_none_or(|(_, id)| in_zone(id))
    }
}
