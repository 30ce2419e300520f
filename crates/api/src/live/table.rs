//! What ingest has told about each device: when it was heard, its newest reading, where it is.

use city_model::{
    Device, DeviceKey, Marks, Placement, Position, Quality, Reading, SeriesKey, Timestamp, Value,
    ZoneSet,
};
use city_store::Store;
use rustc_hash::FxHashMap;

/// One device now.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeviceNow {
    /// When it was last heard (received time). What a broker had retained is not news of it.
    pub(crate) heard: Option<Timestamp>,
    /// The event time of its newest reading.
    pub(crate) newest: Option<Timestamp>,
    /// Where a moving device was, and when.
    moved: Option<(Timestamp, Position)>,
    /// The zones of a moving device.
    zones: Option<ZoneSet>,
    dirty: bool,
}

impl DeviceNow {
    /// Where it is, moving or not.
    pub(crate) fn position(&self, device: &Device) -> Option<Position> {
        match device.placement {
            Placement::Fixed(position) => Some(position),
            Placement::Moving => self.moved.map(|(_, position)| position),
            Placement::Unknown => None,
        }
    }

    /// The zones that it is in, moving or not.
    pub(crate) fn zones(&self, device: &Device) -> ZoneSet {
        match (device.placement, &self.zones) {
            (Placement::Moving, Some(zones)) => zones.clone(),
            _ => device.zones.clone(),
        }
    }
}

/// The newest value of a series since the last tick.
#[derive(Clone, Debug)]
pub(super) struct ValueNow {
    pub(super) time: Timestamp,
    pub(super) value: Value,
    pub(super) quality: Quality,
}

/// All devices, and what changed since the last tick.
#[derive(Debug, Default)]
pub(super) struct Table {
    devices: Vec<DeviceNow>,
    dirty: Vec<DeviceKey>,
    values: FxHashMap<SeriesKey, ValueNow>,
    newest_received: Option<Timestamp>,
}

impl Table {
    /// As the store's last values have it.
    pub(super) fn load(store: &dyn Store) -> Self {
        let mut table = Self::default();
        store.each_last(&mut |series, last| {
            let device = table.device(series.device);
            if !last.marks.has(Marks::RETAINED) {
                device.heard = device.heard.max(Some(last.received));
            }
            device.newest = device.newest.max(Some(last.time));
            device.move_to(last.time, last.position, None);
        });
        table.newest_received = table.devices.iter().filter_map(|device| device.heard).max();
        table
    }

    /// Takes a reading; keeps its value for the stream if somebody wants values.
    pub(super) fn take(&mut self, reading: &Reading, want_values: bool) {
        let key = reading.series.device;
        let device = self.device(key);
        if !reading.marks.has(Marks::RETAINED) {
            device.heard = device.heard.max(Some(reading.received));
        }
        device.newest = device.newest.max(Some(reading.time));
        if !reading.marks.has(Marks::BAD_POSITION) {
            device.move_to(reading.time, reading.position, Some(&reading.zones));
        }
        if !device.dirty {
            device.dirty = true;
            self.dirty.push(key);
        }
        self.newest_received = self.newest_received.max(Some(reading.received));
        if want_values {
            let newer = ValueNow {
                time: reading.time,
                value: reading.value.clone(),
                quality: reading.quality,
            };
            self.values
                .entry(reading.series)
                .and_modify(|value| {
                    if reading.time >= value.time {
                        *value = newer.clone();
                    }
                })
                .or_insert(newer);
        }
    }

    /// The devices that readings came for since the last call, each with its present state.
    pub(super) fn take_dirty(&mut self) -> Vec<(DeviceKey, DeviceNow)> {
        let dirty = std::mem::take(&mut self.dirty);
        dirty
            .into_iter()
            .filter_map(|key| {
                let device = self.devices.get_mut(key.index())?;
                device.dirty = false;
                Some((key, device.clone()))
            })
            .collect()
    }

    /// The newest values since the last call.
    pub(super) fn take_values(&mut self) -> FxHashMap<SeriesKey, ValueNow> {
        std::mem::take(&mut self.values)
    }

    /// One device; one that was never heard if nothing is known.
    pub(super) fn get(&self, key: DeviceKey) -> DeviceNow {
        self.devices.get(key.index()).cloned().unwrap_or_default()
    }

    /// All devices that anything is known of, by key.
    pub(super) fn all(&self) -> Vec<DeviceNow> {
        self.devices.clone()
    }

    /// When anything was last received.
    pub(super) fn newest_received(&self) -> Option<Timestamp> {
        self.newest_received
    }

    fn device(&mut self, key: DeviceKey) -> &mut DeviceNow {
        let index = key.index();
        if self.devices.len() <= index {
            self.devices.resize(index + 1, DeviceNow::default());
        }
        &mut self.devices[index]
    }
}

impl DeviceNow {
    /// Takes a position if it is not older than the one that is known.
    fn move_to(&mut self, time: Timestamp, position: Option<Position>, zones: Option<&ZoneSet>) {
        let Some(position) = position else { return };
        if self.moved.is_some_and(|(known, _)| known > time) {
            return;
        }
        self.moved = Some((time, position));
        self.zones = zones.cloned();
    }
}

#[cfg(test)]
impl Table {
    pub(super) fn waiting_values(&self) -> usize {
        self.values.len()
    }
}
