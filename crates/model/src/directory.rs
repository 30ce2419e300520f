//! A consistent, immutable picture of what is registered: the hot path's view of the registry.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{Catalogue, Device, DeviceKey, Zone, ZoneKey};

/// The place of a key that no zone has.
const NO_ZONE: u32 = u32::MAX;

/// Devices, metrics and zones at one moment. Rebuilt on change, shared by `Arc`.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    devices: Vec<Option<Arc<Device>>>,
    by_id: FxHashMap<Arc<str>, DeviceKey>,
    /// The metrics.
    pub metrics: Catalogue,
    zones: Vec<Zone>,
    /// The place of each zone by its id.
    zone_by_id: FxHashMap<Arc<str>, u32>,
    /// The place of each zone by its key; [`NO_ZONE`] for keys that are no longer in use.
    zone_by_key: Vec<u32>,
    /// Counts up with every change, so that readers can tell that theirs is old.
    pub version: u64,
}

/// What is different between two pictures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Devices that are new, gone or not as they were, in order of their keys.
    pub devices: Vec<DeviceKey>,
    /// Whether the zones are others.
    pub zones: bool,
    /// Whether the metrics are others.
    pub metrics: bool,
}

impl Difference {
    /// Whether all that happened is that devices with keys from `keys` on were registered.
    pub fn only_adds_from(&self, keys: usize) -> bool {
        !self.zones
            && !self.metrics
            && self.devices.first().is_none_or(|first| first.index() >= keys)
    }
}

impl Directory {
    /// A directory of these parts. Zone keys are unique, and dense enough for a table.
    pub fn new(
        devices: impl IntoIterator<Item = Arc<Device>>,
        metrics: Catalogue,
        zones: Vec<Zone>,
        version: u64,
    ) -> Self {
        let mut directory = Self { metrics, version, ..Self::default() };
        let keys = zones.iter().map(|zone| zone.key.0 as usize + 1).max().unwrap_or(0);
        directory.zone_by_key = vec![NO_ZONE; keys];
        for (place, zone) in zones.iter().enumerate() {
            directory.zone_by_id.insert(zone.id.clone(), place as u32);
            directory.zone_by_key[zone.key.0 as usize] = place as u32;
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

    /// Takes a device out; its key stays unused.
    pub fn remove(&mut self, key: DeviceKey) {
        if let Some(device) = self.devices.get_mut(key.index()).and_then(Option::take) {
            self.by_id.remove(&device.id);
        }
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

    /// What is different in a later picture.
    pub fn difference(&self, later: &Self) -> Difference {
        let slots = self.devices.len().max(later.devices.len());
        let of = |directory: &Self, index: usize| directory.devices.get(index).cloned().flatten();
        let same = |index: &usize| match (self.devices.get(*index), later.devices.get(*index)) {
            (Some(Some(before)), Some(Some(after))) => Arc::ptr_eq(before, after),
            _ => of(self, *index).is_none() && of(later, *index).is_none(),
        };
        let devices = (0..slots).filter(|index| !same(index));
        Difference {
            devices: devices.map(|index| DeviceKey(index as u32)).collect(),
            zones: self.zones != later.zones,
            metrics: !self.metrics.iter().eq(later.metrics.iter()),
        }
    }

    /// The same picture with only those devices whose keys are below `keys`: as it was before the
    /// others were registered.
    #[must_use]
    pub fn with_devices_below(&self, keys: usize) -> Self {
        let devices = self.devices().filter(|device| device.key.index() < keys).cloned();
        Self::new(devices, self.metrics.clone(), self.zones.clone(), self.version)
    }

    /// The same picture with only those devices that are `wanted`; all keys stay in use.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&Device) -> bool) -> Self {
        let mut kept = self.clone();
        for slot in &mut kept.devices {
            if let Some(device) = slot.take_if(|device| !wanted(device)) {
                kept.by_id.remove(&device.id);
            }
        }
        kept
    }

    /// How many device keys are in use: one more than the largest.
    pub fn device_slots(&self) -> usize {
        self.devices.len()
    }

    /// The zone with this key.
    pub fn zone(&self, key: ZoneKey) -> Option<&Zone> {
        self.zones.get(*self.zone_by_key.get(key.0 as usize)? as usize)
    }

    /// The zone with this id.
    pub fn zone_by_id(&self, id: &str) -> Option<&Zone> {
        self.zones.get(*self.zone_by_id.get(id)? as usize)
    }

    /// All zones in the order of their files; a key is no index here.
    pub fn zones(&self) -> &[Zone] {
        &self.zones
    }
}
