//! Buses: speed from the movement along the route, and how full they are.

use super::{Kind, Moment, Sample, called, departments, integer, number};
use crate::LocalText;

/// A bus with a satellite receiver.
pub(super) struct Bus;

impl Kind for Bus {
    fn id(&self) -> &'static str {
        super::BUS
    }

    fn name(&self) -> LocalText {
        LocalText::new("Bus", "公交车")
    }

    fn department(&self) -> (&'static str, LocalText) {
        departments::transport()
    }

    fn prefix(&self) -> &'static str {
        "bus"
    }

    fn measure(&self, moment: &Moment<'_>, out: &mut Vec<Sample>) {
        let load = 6.0
            + 68.0 * moment.now.activity * moment.constant(1, 0.5, 1.1)
            + 10.0 * moment.drift(2, 300.0);
        out.push(number("speed", moment.speed, 1, "km/h"));
        out.push(called("load", integer("occupancy", load.clamp(0.0, 120.0), "%")));
    }
}
