//! Traffic loops: speed and number of vehicles, from free flow to jam.

use std::collections::BTreeMap;

use super::{Kind, Moment, Sample, Seed, departments, integer, number};
use crate::noise::lerp;
use crate::{Attribute, IncidentKind, LocalText};

/// An induction loop in a lane.
pub(super) struct TrafficLoop;

/// The speed that a driver has here at night, in km/h.
fn free_flow(device: Seed) -> f64 {
    (device.constant(1, 40.0, 85.0) / 5.0).round() * 5.0
}

impl Kind for TrafficLoop {
    fn id(&self) -> &'static str {
        "traffic_loop"
    }

    fn name(&self) -> LocalText {
        LocalText::new("Traffic loop", "车流线圈")
    }

    fn department(&self) -> (&'static str, LocalText) {
        departments::transport()
    }

    fn prefix(&self) -> &'static str {
        "loop"
    }

    fn attributes(&self, device: Seed) -> BTreeMap<String, Attribute> {
        BTreeMap::from([("free_flow_kmh".to_owned(), Attribute::Number(free_flow(device)))])
    }

    fn measure(&self, moment: &Moment<'_>, out: &mut Vec<Sample>) {
        let busy = moment.now.activity * moment.constant(2, 0.75, 1.1);
        let free = free_flow(moment.device);
        let slow = 0.3 * busy.min(1.0).powi(2);
        let mut speed = free * (1.0 - slow) + 2.5 * moment.drift(3, 240.0) + 1.5 * moment.noise(4);
        let mut count = moment.constant(5, 6.0, 26.0) * busy * (1.0 + 0.2 * moment.noise(6));
        if let Some((strength, peak)) = moment.effect(IncidentKind::TrafficJam) {
            speed =
                lerp(speed, peak * moment.constant(7, 0.8, 1.2) + 0.8 * moment.noise(8), strength);
            count = lerp(count, 4.0 + moment.noise(9), strength);
        }
        out.push(number("traffic_speed", speed.max(1.0), 1, "km/h"));
        out.push(integer("traffic_count", count.max(0.0), "1"));
    }
}
