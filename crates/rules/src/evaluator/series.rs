//! Series and the slots that select them, in dense tables.

use city_model::{DeviceKey, SeriesKey, Timestamp, ZoneSet};

use super::program::Hot;
use super::slot::SlotId;

/// A rule that selects a series.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subscription {
    pub(super) rule: u32,
    pub(super) hot: Hot,
    pub(super) target: Target,
    /// Whether the device is simulated.
    pub(super) simulated: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// `roams`: the device moves and the rule selects zones, so every reading must be looked at.
    Series {
        slot: SlotId,
        roams: bool,
    },
    Silence {
        slot: SlotId,
    },
    /// `place`: of the metric among those of the rule; `roams` as above.
    Device {
        slot: SlotId,
        place: u8,
        roams: bool,
    },
    /// The device has no limits: nothing is judged.
    NoLimit,
    /// An index into [`Table::links`].
    Zone {
        link: u32,
    },
}

/// The zones for which a device counts in a zone rule.
#[derive(Debug, Default)]
pub(super) struct ZoneLink {
    /// The zones of the last reading; `None` if they are to be looked up anew.
    pub(super) zones: Option<ZoneSet>,
    pub(super) slots: Vec<SlotId>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: SeriesKey,
    /// The time of the newest reading that was news.
    pub(super) newest: Option<Timestamp>,
    /// `None` until a reading comes after rules or directory have changed.
    pub(super) plan: Option<Box<[Subscription]>>,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    /// By device key: entries by metric. A device has few metrics, so a list is faster than a map.
    devices: Vec<Vec<(u16, u32)>>,
    pub(super) entries: Vec<Entry>,
    pub(super) links: Vec<ZoneLink>,
    /// Links that are no longer used.
    free: Vec<u32>,
}

impl Table {
    pub(super) fn find_or_add(&mut self, key: SeriesKey) -> usize {
        let device = key.device.index();
        if self.devices.len() <= device {
            self.devices.resize_with(device + 1, Vec::new);
        }
        let metrics = &mut self.devices[device];
        if let Some((_, entry)) = metrics.iter().find(|(metric, _)| *metric == key.metric.0) {
            return *entry as usize;
        }
        metrics.push((key.metric.0, self.entries.len() as u32));
        self.entries.push(Entry { key, newest: None, plan: None });
        self.entries.len() - 1
    }

    pub(super) fn add_link(&mut self, link: ZoneLink) -> u32 {
        if let Some(place) = self.free.pop() {
            self.links[place as usize] = link;
            return place;
        }
        self.links.push(link);
        (self.links.len() - 1) as u32
    }

    /// Forgets who selects the series of a device; it is looked up again as readings come.
    pub(super) fn forget_device(&mut self, device: DeviceKey) {
        for (_, entry) in self.devices.get(device.index()).into_iter().flatten() {
            let plan = self.entries[*entry as usize].plan.take().unwrap_or_default();
            self.free.extend(plan.iter().filter_map(|subscription| match subscription.target {
                Target::Zone { link } => Some(link),
                Target::Series { .. }
                | Target::Silence { .. }
                | Target::Device { .. }
                | Target::NoLimit => None,
            }));
        }
    }

    /// Forgets who selects what; it is looked up again as readings come.
    pub(super) fn forget_plans(&mut self) {
        self.links.clear();
        self.free.clear();
        for entry in &mut self.entries {
            entry.plan = None;
        }
    }
}
