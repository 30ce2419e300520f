//! The readings of windows that are not sealed, in memory: window → device → columns.
//!
//! Who holds the committer's lock is the only one to change the head. Queries take a window's lock
//! just long enough to share a device's columns, and read them outside of it.
//!
//! What makes queries simple: a device that is here is here with *all* its readings of the window.
//! If a chunk of it was sealed before, the chunk was read back in first. So a query asks the head,
//! and only if the device is not here, the chunk.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use city_model::{DeviceKey, Reading};
use rustc_hash::FxHashMap;

use super::columns::{DeviceColumns, Put, rows};
use crate::Deletion;

/// All windows.
#[derive(Debug, Default)]
pub(super) struct Head {
    windows: RwLock<BTreeMap<i64, Arc<Window>>>,
    readings: AtomicUsize,
}

/// One window.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) start: i64,
    inner: RwLock<Inner>,
}

/// What a window holds.
#[derive(Debug, Default)]
pub(super) struct Inner {
    index: FxHashMap<u32, u32>,
    slots: Vec<Slot>,
    /// The first commit with readings that are in no chunk.
    dirty_from: Option<u64>,
    /// The same for readings that are being sealed right now.
    sealing_from: Option<u64>,
    /// The newest commit that touched it.
    pub(super) touched: u64,
    /// When maintenance first saw it due, in microseconds.
    pub(super) due_since: Option<i64>,
}

/// One device.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) device: DeviceKey,
    pub(super) columns: Arc<DeviceColumns>,
    /// Whether it holds anything that its chunk does not.
    pub(super) dirty: bool,
    /// Whether there is a chunk that cannot be read.
    pub(super) damaged: bool,
}

impl Head {
    pub(super) fn get(&self, window: i64) -> Option<Arc<Window>> {
        self.map().get(&window).cloned()
    }

    /// The window, made if it is not there. For the holder of the committer's lock.
    pub(super) fn get_or_make(&self, start: i64) -> Arc<Window> {
        if let Some(window) = self.get(start) {
            return window;
        }
        let window = Arc::new(Window { start, inner: RwLock::default() });
        self.map_mut().insert(start, window.clone());
        window
    }

    /// Windows that start in `from..=to`, in order.
    pub(super) fn between(&self, from: i64, to: i64) -> Vec<Arc<Window>> {
        self.map().range(from..=to).map(|(_, window)| window.clone()).collect()
    }

    /// All windows, in order.
    pub(super) fn all(&self) -> Vec<Arc<Window>> {
        self.map().values().cloned().collect()
    }

    /// Forgets a window if it has no devices. For the holder of the committer's lock.
    pub(super) fn drop_if_empty(&self, window: &Window) {
        if window.read().slots.is_empty() {
            self.map_mut().remove(&window.start);
        }
    }

    /// How many readings are in memory.
    pub(super) fn readings(&self) -> usize {
        self.readings.load(Ordering::Relaxed)
    }

    /// Notes that readings came into memory or left it.
    pub(super) fn count(&self, came: usize, left: usize) {
        self.readings.fetch_add(came, Ordering::Relaxed);
        self.readings.fetch_sub(left, Ordering::Relaxed);
    }

    /// The first commit that must stay in the log because of what is here.
    pub(super) fn needs_from(&self) -> Option<u64> {
        self.map().values().filter_map(|window| window.read().needs_from()).min()
    }

    fn map(&self) -> RwLockReadGuard<'_, BTreeMap<i64, Arc<Window>>> {
        self.windows.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn map_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<i64, Arc<Window>>> {
        self.windows.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// All readings of a device in this window, if it is here.
    pub(super) fn device(&self, device: DeviceKey) -> Option<Slot> {
        let inner = self.read();
        inner.slot(device).map(|slot| inner.slots[slot].clone())
    }

    /// Whether a device is here.
    pub(super) fn has(&self, device: DeviceKey) -> bool {
        self.read().slot(device).is_some()
    }

    /// All devices that are here.
    pub(super) fn devices(&self) -> Vec<Slot> {
        self.read().slots.clone()
    }
}

impl Inner {
    pub(super) fn slot(&self, device: DeviceKey) -> Option<usize> {
        self.index.get(&device.0).map(|slot| *slot as usize)
    }

    pub(super) fn columns(&self, slot: usize) -> &DeviceColumns {
        &self.slots[slot].columns
    }

    /// Brings what readings of these slots need into the processor's caches; see [`super::warm`].
    /// Step by step: what is found behind something else can be asked for only once that is there,
    /// and so the processor asks for all of one step at once.
    pub(super) fn warm(&self, slots: &(impl Iterator<Item = usize> + Clone)) {
        for step in [DeviceColumns::warm, DeviceColumns::warm_columns, DeviceColumns::warm_ends] {
            slots.clone().for_each(|slot| step(&self.slots[slot].columns));
        }
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.dirty_from.is_some()
    }

    /// Adds a device with what its chunk holds.
    pub(super) fn add(
        &mut self,
        device: DeviceKey,
        columns: DeviceColumns,
        damaged: bool,
    ) -> usize {
        let slot = self.slots.len();
        self.index.insert(device.0, slot as u32);
        self.slots.push(Slot { device, columns: Arc::new(columns), dirty: false, damaged });
        slot
    }

    /// Puts committed readings of a device in. Returns how many readings more there are.
    pub(super) fn put<'a>(
        &mut self,
        slot: usize,
        readings: impl IntoIterator<Item = &'a Reading>,
        seq: u64,
    ) -> usize {
        let slot = &mut self.slots[slot];
        let columns = Arc::make_mut(&mut slot.columns);
        let before = columns.readings;
        let mut changed = false;
        for reading in readings {
            let put = columns.put(
                reading.series.metric,
                reading.time.micros(),
                &reading.value,
                reading.quality,
                reading.position,
            );
            changed |= put != Put::Same;
        }
        self.touched = seq;
        if changed {
            slot.dirty = true;
            self.dirty_from.get_or_insert(seq);
        }
        columns.readings - before
    }

    /// Whether it holds readings that are in no chunk.
    pub(super) fn needs_log(&self) -> bool {
        self.needs_from().is_some()
    }

    /// Removes readings of a device, and lets the window be sealed anew. Returns how many went;
    /// `None` if the device is not here, an error if what is stored of it could not be read.
    pub(super) fn remove(&mut self, what: &Deletion, seq: u64) -> Option<Result<usize, ()>> {
        let slot = self.slot(what.device)?;
        let slot = &mut self.slots[slot];
        if slot.damaged {
            return Some(Err(()));
        }
        let columns = Arc::make_mut(&mut slot.columns);
        let (from, to) = (what.range.from.micros(), what.range.to.micros());
        let rows = rows(&columns.times, from, to);
        slot.dirty = true;
        self.dirty_from.get_or_insert(seq);
        Some(Ok(columns.remove(what.metric, rows)))
    }

    /// Lets the window be sealed anew although nothing in it changed.
    pub(super) fn seal_anyway(&mut self, seq: u64) {
        self.dirty_from.get_or_insert(seq);
    }

    fn needs_from(&self) -> Option<u64> {
        self.dirty_from.into_iter().chain(self.sealing_from).min()
    }

    /// Hands out all devices to be sealed. Readings that come from now on are kept apart.
    pub(super) fn begin_sealing(&mut self) -> Vec<Slot> {
        self.sealing_from = self.needs_from();
        self.dirty_from = None;
        self.slots.clone()
    }

    /// The sealing failed: everything is as dirty as before.
    pub(super) fn sealing_failed(&mut self) {
        self.dirty_from = self.needs_from();
        self.sealing_from = None;
    }

    /// Everything handed out is in chunks: devices that did not change since leave. Returns them,
    /// so that freeing their memory needs no lock.
    pub(super) fn sealed(&mut self, handed_out: Vec<Slot>) -> Vec<Slot> {
        self.sealing_from = None;
        self.due_since = None;
        let mut gone = Vec::with_capacity(handed_out.len());
        let slots = std::mem::take(&mut self.slots);
        // New devices came behind those handed out, so both lists run in the same order.
        let mut handed_out = handed_out.into_iter();
        for mut slot in slots {
            match handed_out.next() {
                Some(sealed) if Arc::ptr_eq(&sealed.columns, &slot.columns) => gone.push(slot),
                Some(sealed) => {
                    // What was written put the damaged chunk aside.
                    slot.damaged &= !sealed.dirty;
                    self.slots.push(slot);
                }
                None => self.slots.push(slot),
            }
        }
        self.index =
            self.slots.iter().zip(0u32..).map(|(slot, index)| (slot.device.0, index)).collect();
        gone
    }
}
