//! What clients were last told of each device, so that only changes are sent.

use std::sync::Arc;

use city_model::{Device, DeviceKey, Directory, LifeCycle, Position, Timestamp, ZoneSet};
use rustc_hash::FxHashMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::event::{Event, MapChange};
use super::ring::Ring;
use super::table::DeviceNow;
use crate::alerts::Board;
use crate::status::DeviceStatus;

/// What clients know of a device.
#[derive(Clone, Debug)]
struct Shown {
    status: DeviceStatus,
    severity: u8,
    position: Option<Position>,
    zones: ZoneSet,
}

/// What clients know, and how they got to know it.
#[derive(Debug)]
pub(super) struct Published {
    devices: Vec<Option<Shown>>,
    /// The id of the newest event.
    pub(super) position: u64,
    pub(super) ring: Ring,
    /// Values apart: there may be very many of them, and few clients follow them.
    pub(super) values: Ring,
    /// Since which position values are collected without a gap; `None` while nobody wants them.
    pub(super) values_since: Option<u64>,
}

/// One entry per device, as columns.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct MapColumns {
    #[schema(value_type = Vec<String>)]
    id: Vec<Arc<str>>,
    /// An index into `kinds`.
    kind: Vec<usize>,
    /// Degrees east; `null` if the position is not known.
    lon: Vec<Option<f64>>,
    /// Degrees north; `null` if the position is not known.
    lat: Vec<Option<f64>>,
    /// 0 online, 1 late, 2 offline, 3 never seen.
    status: Vec<u8>,
    /// The worst firing alert: 0 none, 1 low, 2 medium, 3 high, 4 critical.
    severity: Vec<u8>,
    /// 1 if its messages carry its position.
    moving: Vec<u8>,
}

impl Published {
    /// Nobody knows anything yet; events follow `position`.
    pub(super) fn new(position: u64) -> Self {
        let (ring, values) = (Ring::new(position), Ring::new(position));
        Self { devices: Vec::new(), position, ring, values, values_since: None }
    }

    /// Keeps an event for clients that come back.
    pub(super) fn keep(&mut self, event: Arc<Event>) {
        let ring = if event.is_of_values() { &mut self.values } else { &mut self.ring };
        ring.push(event);
    }

    /// Everything after `position`, with values or without; `None` if some of it is gone.
    pub(super) fn after(&self, position: u64, values: bool) -> Option<Vec<Arc<Event>>> {
        let mut events = self.ring.after(position)?;
        if values {
            events.extend(self.values.after(position)?);
            events.sort_by_key(|event| event.id);
        }
        Some(events)
    }

    /// Takes the present state of a device, and says what of it is new to clients.
    pub(super) fn update(
        &mut self,
        device: &Device,
        state: &DeviceNow,
        board: &Board,
        now: Timestamp,
    ) -> Option<MapChange> {
        if device.life_cycle == LifeCycle::Retired {
            return None;
        }
        let shown = Shown {
            status: DeviceStatus::of(state.heard, device.interval, now),
            severity: board.severity_of(&device.id).map_or(0, crate::alerts::severity_code),
            position: state.position(device),
            zones: state.zones(device),
        };
        let index = device.key.index();
        if self.devices.len() <= index {
            self.devices.resize(index + 1, None);
        }
        let before = self.devices[index].replace(shown.clone());
        change(device, before.as_ref(), &shown)
    }

    /// What clients know, as the map shows it.
    pub(super) fn columns(&self, directory: &Directory) -> (MapColumns, Vec<Arc<str>>) {
        let mut columns = MapColumns::default();
        let mut kinds: Vec<Arc<str>> = Vec::new();
        let mut kind_index: FxHashMap<Arc<str>, usize> = FxHashMap::default();
        for (index, shown) in self.devices.iter().enumerate() {
            let Some(shown) = shown else { continue };
            let Some(device) = directory.device(DeviceKey(index as u32)) else { continue };
            let kind = *kind_index.entry(device.kind.clone()).or_insert_with(|| {
                kinds.push(device.kind.clone());
                kinds.len() - 1
            });
            columns.id.push(device.id.clone());
            columns.kind.push(kind);
            columns.lon.push(shown.position.map(|position| position.lon));
            columns.lat.push(shown.position.map(|position| position.lat));
            columns.status.push(shown.status.code());
            columns.severity.push(shown.severity);
            columns.moving.push(u8::from(is_moving(device)));
        }
        (columns, kinds)
    }
}

fn is_moving(device: &Device) -> bool {
    device.placement == city_model::Placement::Moving
}

fn change(device: &Device, before: Option<&Shown>, now: &Shown) -> Option<MapChange> {
    let is_new = before.is_none();
    let differs =
        |different: fn(&Shown, &Shown) -> bool| before.is_none_or(|before| different(before, now));
    let moved = differs(|a, b| a.position != b.position);
    let status = differs(|a, b| a.status != b.status);
    let severity = differs(|a, b| a.severity != b.severity);
    if !(moved || status || severity) {
        return None;
    }
    let left = before.filter(|before| before.zones != now.zones).map(|before| before.zones.clone());
    let mut change = MapChange {
        id: device.id.clone(),
        status: status.then(|| now.status.code()),
        severity: severity.then_some(now.severity),
        lon: None,
        lat: None,
        kind: is_new.then(|| device.kind.clone()),
        moving: is_new.then(|| u8::from(is_moving(device))),
        its_kind: device.kind.clone(),
        zones: [Some(now.zones.clone()), left],
    };
    if let Some(position) = now.position.filter(|_| moved) {
        change.place(position);
    }
    Some(change)
}
