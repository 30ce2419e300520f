//! A consistent, immutable picture of what is registered: the hot path's view of the registry.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{Catalogue, Device, DeviceKey, Zone, ZoneKey};

/// Devices, metrics and zones at one moment. Rebuilt on change, shared by `Arc`.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    devices: Vec<Option<Arc<Device>>>,
    by_id: FxHashMap<Arc<str>, DeviceKey>,
    /// The metrics.
    pub metrics: Catalogue,
    zones: Vec<Zone>,
    zone_by_id: FxHashMap<Arc<str>, ZoneKey>,
    /// Counts up with every change, so that readers can tell that theirs is old.
    pub version: u64,
}

impl Directory {
    /// A directory of these parts. Zone keys must equal their index.
    pub fn new(
        devices: impl IntoIterator<Item = Arc<Device>>,
        metrics: Catalogue,
        zones: Vec<Zone>,
        version: u64,
    ) -> Self {
        let mut directory = Self { metrics, version, ..Self::default() };
        for zone in &zones {
            directory.zone_by_id.insert(zone.id.clone(), zone.key);
        }
        directory.zones = zones;
        for device in devices {
            directory.put(device);
        }
        directory
    }

    /// Adds a device or replaces the one with its key.
    pub fn put(&mut self, device: Arc<Device>) {
        let index = device.key.index();
        if self.devices.len() <= index {
            self.devices.resize(index + 1, None);
        }
        self.by_id.insert(device.id.clone(), device.key);
        self.devices[index] = Some(device);
    }

    /// The device with this key.
    pub fn device(&self, key: DeviceKey) -> Option<&Arc<Device>> {
        self.devices.get(key.index())?.as_ref()
    }

    /// The device with this id.
    pub fn device_by_id(&self, id: &str) -> Option<&Arc<Device>> {
        self.device(*self.by_id.get(id)?)
    }

    /// All devices in the order of their keys.
    pub fn devices(&self) -> impl Iterator<Item = &Arc<Device>> {
        self.devices.iter().flatten()
    }

    /// How many device keys are in use: one more than the largest.
    pub fn device_slots(&self) -> usize {
        self.devices.len()
    }

    /// The zone with this key.
    pub fn zone(&self, key: ZoneKey) -> Option<&Zone> {
        self.zones.get(key.0 as usize)
    }

    /// The zone with this id.
    pub fn zone_by_id(&self, id: &str) -> Option<&Zone> {
        self.zone(*self.zone_by_id.get(id)?)
    }

    /// All zones in the order of their keys.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }
}
