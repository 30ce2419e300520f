//! Where readings from the bus count: zones are not sent, for their keys are of one process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use city_model::{DeviceKey, Placement, Reading, ZoneSet};
use city_registry::{Registry, RegistryError};
use city_store::StateDb;
use rustc_hash::FxHashMap;

use crate::wire::Batch;

/// How long readings wait for the part of the city's state that knows their devices.
const STATE_COMES: Duration = Duration::from_secs(10);

const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Gives readings their zones, once their devices are known here.
pub(crate) struct Placer {
    registry: Arc<Registry>,
    state: Arc<StateDb>,
    /// Where devices that move were last.
    last: FxHashMap<DeviceKey, ZoneSet>,
}

impl Placer {
    pub(crate) fn new(registry: Arc<Registry>, state: Arc<StateDb>) -> Self {
        Self { registry, state, last: FxHashMap::default() }
    }

    /// Waits until the devices of a batch can be known here: until the city's state has come as far as
    /// whoever wrote it had seen. Not for ever: a state that does not come is told elsewhere.
    pub(crate) fn await_state(&self, batch: &Batch, ends: &AtomicBool) {
        let begun = Instant::now();
        while self.state.position() < batch.state
            && begun.elapsed() < STATE_COMES
            && !ends.load(Ordering::Relaxed)
        {
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Gives readings their zones. Devices that are unknown are looked for in the state once.
    pub(crate) fn place(&mut self, readings: &mut [Reading]) -> Result<(), RegistryError> {
        let directory = self.registry.directory();
        let unknown = |reading: &Reading| {
            directory.device(reading.series.device).is_none()
                || directory.metrics.get(reading.series.metric).is_none()
        };
        if readings.iter().any(unknown) {
            self.registry.reload()?;
        }
        let directory = self.registry.directory();
        for reading in readings {
            let key = reading.series.device;
            reading.zones = match directory.device(key) {
                Some(device) if matches!(device.placement, Placement::Fixed(_)) => {
                    device.zones.clone()
                }
                _ => {
                    if let Some(position) = reading.position {
                        self.last.insert(key, self.registry.zones().locate(position));
                    }
                    self.last.get(&key).cloned().unwrap_or_else(|| [].into())
                }
            };
        }
        Ok(())
    }
}
