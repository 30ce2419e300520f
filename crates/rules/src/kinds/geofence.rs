//! `geofence`: a moving device enters, leaves or stays in an area.
//!
//! ```yaml
//! kind: geofence
//! select: {kind: snow_plough}
//! fence: {zone: [park, harbour], when: inside, min_fixes: 2}
//! severity: medium                   # or by how long: {low: {for: 10m}, high: {for: 1h}}
//! for: 5m                            # dwell; without it, on entering
//! ```
//!
//! `when: inside` is for areas where it should not be, `when: outside` for those that it should not
//! leave. Only readings that bring a position count, whatever their metric: a position that was
//! refused changes nothing, nor does silence. `min_fixes` positions in a row (default 1) must be on
//! the other side of the fence before it counts as crossed, against positions that jump. The zones
//! are tested by the polygon, as everywhere. Devices that stand still have no positions to judge.

use std::sync::Arc;

use city_model::{LocalText, Quality, Span, Timestamp};

use super::{
    Built, Condition, DeviceFunction, DeviceMemory, Finding, Input, Kind, Measure, SavedDevice,
};
use crate::fields::Fields;
use crate::ladder;
use crate::parse::{choose, located};
use crate::problem::Sink;
use crate::rule::Trust;
use crate::selector::Selector;
use crate::template::Placeholder;

pub(super) static KIND: Kind = Kind {
    name: "geofence",
    about: [
        "Raises when a moving device enters, leaves or stays in an area.",
        "移动设备进入、离开或停留于某一区域时告警。",
    ],
    keys: &["fence", "severity", "for"],
    placeholders: &[
        Placeholder::Device,
        Placeholder::DeviceName,
        Placeholder::Zone,
        Placeholder::State,
        Placeholder::For,
    ],
    summary: ["{device_name} is {state}", "{device_name} {state}"],
    read,
};

/// A fence, and the side that is bad.
#[derive(Clone, Debug)]
struct Fence {
    zones: Vec<Arc<str>>,
    inside: bool,
    min_fixes: u32,
}

fn read(rule: &mut Fields<'_>, _: &Selector, sink: &mut Sink) -> Option<Built> {
    let waits = ladder::read_waits(rule, sink)?;
    let node = rule.need("fence", "write `fence: {zone: park, when: inside}`", sink)?;
    let mut fields = Fields::of(node, "`fence`", sink)?;
    let zones = fields.need("zone", "the ids of the zones that are fenced", sink);
    let places = located(zones, "zone", sink);
    if places.is_empty() {
        sink.report_with(node.mark, "no zone is fenced", "name at least one");
    }
    let inside = choose(&mut fields, "when", &[("inside", true), ("outside", false)], sink);
    let min_fixes = fields.count("min_fixes", 1, sink).unwrap_or(1);
    fields.finish(|_| None, sink);
    let zones = places.iter().map(|(id, _)| id.clone()).collect();
    let fence = Fence { zones, inside: inside?, min_fixes };
    let built = Built::waiting(waits, Condition::Device(Arc::new(fence)));
    // It is about the position, whatever the values are worth.
    let trust = Trust::of(&[Quality::Pass, Quality::NotEvaluated, Quality::Suspect, Quality::Fail]);
    Some(Built { trust, places, ..built })
}

impl DeviceFunction for Fence {
    fn start(&self) -> Box<dyn DeviceMemory> {
        self.restore(&SavedDevice::default())
    }

    fn restore(&self, saved: &SavedDevice) -> Box<dyn DeviceMemory> {
        // Columns: integers = newest time, side (0 unknown, 1 outside, 2 inside), side of the newest
        // position, positions on that side.
        let (newest, side, last, fixes) = match saved.integers[..] {
            [newest, side, last, fixes] => (Some(newest), side, last == 2, fixes as u32),
            _ => (None, 0, false, 0),
        };
        Box::new(Whereabouts {
            bad: self.inside,
            min_fixes: self.min_fixes,
            newest: newest.map(Timestamp::from_micros),
            inside: (side > 0).then_some(side == 2),
            last,
            fixes,
        })
    }

    fn reach(&self) -> Span {
        Span::ZERO
    }

    fn measure(&self) -> Measure {
        Measure::Length
    }

    fn text(&self, zone: &dyn Fn(&str) -> LocalText) -> LocalText {
        let names: Vec<LocalText> = self.zones.iter().map(|id| zone(id)).collect();
        let join = |of: fn(&LocalText) -> &str| names.iter().map(of).collect::<Vec<_>>().join("/");
        let (en, zh) = (join(|name| &name.en), join(|name| &name.zh));
        if self.inside {
            LocalText::new(format!("inside {en}"), format!("位于 {zh} 内"))
        } else {
            LocalText::new(format!("outside {en}"), format!("位于 {zh} 外"))
        }
    }

    fn zones(&self) -> &[Arc<str>] {
        &self.zones
    }
}

/// On which side of the fence a device is.
#[derive(Debug)]
struct Whereabouts {
    bad: bool,
    min_fixes: u32,
    newest: Option<Timestamp>,
    inside: Option<bool>,
    /// The side of the newest position, and how many in a row are on it.
    last: bool,
    fixes: u32,
}

impl DeviceMemory for Whereabouts {
    fn take(&mut self, input: &Input<'_>) -> Option<Finding> {
        // Each metric of a message brings the same position again.
        if input.position.is_none() || self.newest.is_some_and(|newest| input.time <= newest) {
            return None;
        }
        self.newest = Some(input.time);
        self.fixes = if self.last == input.inside { self.fixes.saturating_add(1) } else { 1 };
        self.last = input.inside;
        if self.inside != Some(input.inside) && self.fixes < self.min_fixes {
            return None;
        }
        self.inside = Some(input.inside);
        Some(Finding::Truth(input.inside == self.bad))
    }

    fn set_back(&mut self, now: Timestamp) {
        self.newest = self.newest.filter(|newest| *newest <= now);
    }

    fn save(&self) -> SavedDevice {
        let side = |inside| 1 + i64::from(inside);
        let inside = self.inside.map_or(0, side);
        let integers = self
            .newest
            .map(|newest| vec![newest.micros(), inside, side(self.last), self.fixes.into()]);
        SavedDevice { integers: integers.unwrap_or_default(), values: Vec::new() }
    }
}
