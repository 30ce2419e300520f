//! Events of the stream: written once, and shared by every client. One that wants less gets those
//! parts of what was written that it wants.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use city_model::{DeviceKey, Position, Timestamp, Value, ZoneSet};
use rustc_hash::FxHashMap;
use serde::Serialize;
use serde::ser::Serializer;
use utoipa::ToSchema;

use super::client::ClientFilter;
use crate::alerts::AlertItem;
use crate::routes::system::System;

/// About how many bytes an item of a list is when it is written.
const WRITTEN: usize = 64;

/// One event with its place in the stream.
#[derive(Debug)]
pub(super) struct Event {
    /// Grows by one with every event, over restarts too.
    pub(super) id: u64,
    pub(super) payload: Payload,
    frame: OnceLock<Frame>,
    /// The parts that clients with a filter get, by what they have in common: many have the same.
    parts: Mutex<FxHashMap<Arc<str>, Option<Bytes>>>,
    /// Where the values of each device are in their list.
    by_device: OnceLock<FxHashMap<DeviceKey, Vec<usize>>>,
}

/// An event as it is sent.
#[derive(Debug)]
struct Frame {
    bytes: Bytes,
    /// Where the items of its list are in `bytes`, in order; none if it has no list.
    items: Vec<Range<usize>>,
}

/// What events are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    Map,
    Values,
    Alert,
    System,
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
        Self {
            id,
            payload,
            frame: OnceLock::new(),
            parts: Mutex::default(),
            by_device: OnceLock::new(),
        }
    }

    /// Whether a client that comes back has to get it: the state of the system is sent anew
    /// every other second anyway.
    pub(super) fn is_kept(&self) -> bool {
        !matches!(self.payload, Payload::System(_))
    }

    /// Whether only those who follow values have to get it.
    pub(super) fn is_of_values(&self) -> bool {
        matches!(self.payload, Payload::Values { .. })
    }

    /// About how many bytes it takes up, written or not.
    pub(super) fn weight(&self) -> usize {
        match &self.payload {
            Payload::Map { changes, .. } => changes.len() * (size_of::<MapChange>() + WRITTEN),
            Payload::Values { values, .. } => values.len() * (size_of::<ValueChange>() + WRITTEN),
            Payload::Alert(_) | Payload::System(_) => self.frame().len(),
        }
    }

    /// The bytes for a client, or nothing if it does not want this event.
    pub(super) fn frame_for(&self, filter: &ClientFilter) -> Option<Bytes> {
        if !filter.wants_kind(self.payload.kind()) {
            return None;
        }
        match &self.payload {
            Payload::Map { changes, .. } if filter.narrows() => self.shared(filter, || {
                let wanted = |change: &MapChange| {
                    filter.wants(&change.its_kind, change.zones.iter().flatten())
                };
                self.part(places(changes, wanted))
            }),
            Payload::Values { values, .. } if !filter.devices.is_empty() => {
                let by_device = self.by_device.get_or_init(|| by_device(values));
                let places = filter.devices.iter().filter_map(|device| by_device.get(device));
                let wanted = |place: &usize| filter.wants_value(&values[*place]);
                self.part(places.flatten().copied().filter(wanted).collect())
            }
            Payload::Values { values, .. } if filter.narrows() => self.shared(filter, || {
                self.part(places(values, |value: &ValueChange| filter.wants_value(value)))
            }),
            Payload::Alert(item) if !filter.wants_alert(item) => None,
            _ => Some(self.frame()),
        }
    }

    /// The bytes for clients that want all of it.
    pub(super) fn frame(&self) -> Bytes {
        self.written().bytes.clone()
    }

    /// What all clients with the same filter get: put together once.
    fn shared(&self, filter: &ClientFilter, make: impl FnOnce() -> Option<Bytes>) -> Option<Bytes> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(part) = parts.get(&filter.common) {
            return part.clone();
        }
        let part = make();
        parts.insert(filter.common.clone(), part.clone());
        part
    }

    /// The bytes with the items at these places of the list; nothing if there are none.
    fn part(&self, places: Vec<usize>) -> Option<Bytes> {
        if places.is_empty() {
            return None;
        }
        let Frame { bytes: all, items } = self.written();
        if places.len() == items.len() {
            return Some(all.clone());
        }
        let (first, last) = (items.first()?, items.last()?);
        let (head, tail) = (&all[..first.start], &all[last.end..]);
        let length: usize = places.iter().map(|place| items[*place].len() + 1).sum();
        let mut bytes = Vec::with_capacity(head.len() + length + tail.len());
        bytes.extend_from_slice(head);
        for (index, place) in places.into_iter().enumerate() {
            if index > 0 {
                bytes.push(b',');
            }
            bytes.extend_from_slice(&all[items[place].clone()]);
        }
        bytes.extend_from_slice(tail);
        Some(bytes.into())
    }

    fn written(&self) -> &Frame {
        self.frame.get_or_init(|| match &self.payload {
            Payload::Map { at, changes } => list(self.id, "map", *at, "devices", changes),
            Payload::Values { at, values } => list(self.id, "values", *at, "values", values),
            Payload::Alert(item) => frame(self.id, "alert", item).into(),
            Payload::System(system) => frame(self.id, "system", system).into(),
        })
    }
}

/// Where the items are that are wanted.
fn places<T>(items: &[T], wanted: impl Fn(&T) -> bool) -> Vec<usize> {
    let chosen = items.iter().enumerate().filter(|(_, item)| wanted(item));
    chosen.map(|(place, _)| place).collect()
}

fn by_device(values: &[ValueChange]) -> FxHashMap<DeviceKey, Vec<usize>> {
    let mut places: FxHashMap<_, Vec<_>> = FxHashMap::default();
    for (place, value) in values.iter().enumerate() {
        places.entry(value.key).or_default().push(place);
    }
    places
}

impl From<Bytes> for Frame {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, items: Vec::new() }
    }
}

impl Payload {
    fn kind(&self) -> EventKind {
        match self {
            Self::Map { .. } => EventKind::Map,
            Self::Values { .. } => EventKind::Values,
            Self::Alert(_) => EventKind::Alert,
            Self::System(_) => EventKind::System,
        }
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

/// An event with a list, which clients may want parts of.
fn list(id: u64, event: &str, at: Timestamp, member: &str, items: &[impl Serialize]) -> Frame {
    let mut bytes =
        format!("id: {id}\nevent: {event}\ndata: {{\"at\":\"{at}\",\"{member}\":[").into_bytes();
    let mut places = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        let start = bytes.len();
        // Writing to a vector cannot fail, and neither can these shapes.
        let _ = serde_json::to_writer(&mut bytes, item);
        places.push(start..bytes.len());
    }
    bytes.extend_from_slice(b"]}\n\n");
    Frame { bytes: bytes.into(), items: places }
}

impl ClientFilter {
    fn wants_value(&self, value: &ValueChange) -> bool {
        self.wants(&value.kind, std::iter::once(&value.zones))
    }

    /// Whether it leaves out devices.
    fn narrows(&self) -> bool {
        !self.zones.is_empty() || !self.kinds.is_empty()
    }

    fn wants_kind(&self, kind: EventKind) -> bool {
        (kind != EventKind::Values || self.values)
            && (self.events.is_empty() || self.events.contains(&kind))
    }

    fn wants<'a>(&self, kind: &str, mut zones: impl Iterator<Item = &'a ZoneSet>) -> bool {
        let mut in_zone =
            || zones.any(|set| self.zones.iter().any(|(wanted, _)| set.contains(wanted)));
        (self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind))
            && (self.zones.is_empty() || in_zone())
    }

    fn wants_alert(&self, item: &AlertItem) -> bool {
        let alert = &item.alert;
        let in_zone = |zone: &str| {
            alert.zones.iter().any(|id| &**id == zone)
                || matches!(&alert.subject, city_model::Subject::Zone { zone: id } if &**id == zone)
        };
        let of_kind = |wanted: &String| alert.kind.as_deref() == Some(wanted);
        (self.kinds.is_empty() || self.kinds.iter().any(of_kind))
            && (self.zones.is_empty() || self.zones.iter().any(|(_, id)| in_zone(id)))
    }
}
