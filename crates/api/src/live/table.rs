//! What ingest has told about each device: when it was heard, its newest reading, where it is.

use city_geo::ZoneIndex;
use city_model::{
    Device, DeviceKey, Marks, Placement, Position, Quality, Reading, SeriesKey, Timestamp, Value,
    ZoneSet,
};
use city_store::Store;
use rustc_hash::FxHashMap;

/// One device now.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeviceNow {
    /// When it was last heard (received time). What a broker had retained, or what was derived here,
    /// is not news of it.
    pub(crate) heard: Option<Timestamp>,
    /// The event time of its newest reading whose time can be trusted.
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

/// Whether a reading is a sign of life: what a broker had kept, or what was computed here, is none.
fn is_heard(marks: Marks) -> bool {
    !marks.has(Marks::RETAINED) && !marks.has(Marks::DERIVED)
}

/// The newest value of a series since the last tick.
#[derive(Clone, Debug)]
pub(super) struct ValueNow {
    pub(super) time: Timestamp,
    pub(super) value: Value,
    pub(super) quality: Quality,
    /// Whether its time is too far in the future to be trusted.
    ahead: bool,
}

impl ValueNow {
    /// What makes a value newer, as the store sees it: a time that cannot be trusted never hides
    /// one that can.
    fn rank(&self) -> (bool, Timestamp) {
        (!self.ahead, self.time)
    }
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
            if is_heard(last.marks) {
                device.heard = device.heard.max(Some(last.received));
            }
            device.measured(last.time, last.marks, last.position.as_deref().copied(), None);
        });
        table.newest_received = table.devices.iter().filter_map(|device| device.heard).max();
        table
    }

    /// Takes a reading; keeps its value for the stream if somebody wants values.
    pub(super) fn take(&mut self, reading: &Reading, want_values: bool) {
        let key = reading.series.device;
        let device = self.device(key);
        if is_heard(reading.marks) {
            device.heard = device.heard.max(Some(reading.received));
        }
        device.measured(reading.time, reading.marks, reading.position, Some(&reading.zones));
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
                ahead: reading.marks.has(Marks::FUTURE),
            };
            self.values
                .entry(reading.series)
                .and_modify(|value| {
                    if newer.rank() >= value.rank() {
                        *value = newer.clone();
                    }
                })
                .or_insert(newer);
        }
    }

    /// Puts every device that moves into the zones around its last place.
    pub(super) fn locate(&mut self, zones: &ZoneIndex) {
        for device in &mut self.devices {
            if let Some((_, position)) = device.moved {
                device.zones = Some(zones.locate(position));
            }
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
    /// Takes when and where it measured, as far as its marks let that be trusted.
    ///
    /// A time in the future would win over everything until it has passed: one message of a clock
    /// that ran ahead would freeze a vehicle on the map for hours.
    fn measured(
        &mut self,
        time: Timestamp,
        marks: Marks,
        position: Option<Position>,
        zones: Option<&ZoneSet>,
    ) {
        if marks.has(Marks::FUTURE) {
            return;
        }
        self.newest = self.newest.max(Some(time));
        if !marks.has(Marks::BAD_POSITION) {
            self.move_to(time, position, zones);
        }
    }

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

#[cfg(test)]
mod tests {
    use city_model::{MetricKey, Span};
    use city_store::{Commit, Memory};

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000_000);
    const BUS: DeviceKey = DeviceKey(0);

    /// A reading of the bus at this longitude, received `after` seconds after [`NOW`] and
    /// measured `ahead` of that.
    fn reading(after: i64, ahead: Span, marks: Marks, lon: f64) -> Reading {
        let received = NOW + Span::from_secs(after);
        Reading {
            series: SeriesKey { device: BUS, metric: MetricKey(0) },
            time: received + ahead,
            received,
            value: lon.into(),
            quality: Quality::Pass,
            marks,
            position: Position::new(lon, 50.0),
            zones: ZoneSet::default(),
        }
    }

    fn longitude(device: &DeviceNow) -> Option<f64> {
        device.moved.map(|(_, position)| position.lon)
    }

    #[test]
    fn a_clock_that_ran_ahead_once_does_not_freeze_a_vehicle() {
        let mut table = Table::default();
        table.take(&reading(0, Span::ZERO, Marks::NONE, 10.0), true);
        table.take(&reading(30, Span::from_hours(20), Marks::FUTURE, 11.0), true);
        let ahead = table.get(BUS);
        assert_eq!(longitude(&ahead), Some(10.0));
        assert_eq!(ahead.newest, Some(NOW));
        assert_eq!(ahead.heard, Some(NOW + Span::from_secs(30)), "it was heard nevertheless");
        table.take(&reading(60, Span::ZERO, Marks::NONE, 12.0), true);
        let after = table.get(BUS);
        assert_eq!(longitude(&after), Some(12.0));
        assert_eq!(after.newest, Some(NOW + Span::from_secs(60)));
        let values = table.take_values();
        let times: Vec<_> = values.values().map(|value| value.time).collect();
        assert_eq!(times, [NOW + Span::from_secs(60)], "the trusted value is the newest");
    }

    #[test]
    fn what_the_store_kept_is_trusted_no_more_than_what_comes() {
        for (marks, newest) in
            [(Marks::FUTURE, None), (Marks::BAD_POSITION, Some(NOW)), (Marks::NONE, Some(NOW))]
        {
            let store = Memory::new();
            let readings = vec![reading(0, Span::ZERO, marks, 10.0)];
            let commit = Commit { readings, sources: vec![0], ..Commit::default() };
            store.commit(&commit).expect("committed");
            let device = Table::load(&store).get(BUS);
            let trusted = marks == Marks::NONE;
            assert_eq!(longitude(&device), trusted.then_some(10.0), "{marks:?}");
            assert_eq!((device.newest, device.heard), (newest, Some(NOW)), "{marks:?}");
        }
    }
}
