//! Street lights: on when the sun is down.

use super::{Kind, Moment, Sample, Value, called, departments, number};
use crate::LocalText;

/// A lamp with a controller.
pub(super) struct StreetLight;

impl Kind for StreetLight {
    fn id(&self) -> &'static str {
        "street_light"
    }

    fn name(&self) -> LocalText {
        LocalText::new("Street light", "路灯")
    }

    fn department(&self) -> (&'static str, LocalText) {
        departments::lighting()
    }

    fn prefix(&self) -> &'static str {
        "lamp"
    }

    fn measure(&self, moment: &Moment<'_>, out: &mut Vec<Sample>) {
        let lit = moment.now.sun < moment.constant(1, -2.5, -0.8);
        // Dimmed in the small hours, when nobody is about.
        let dim = if (1.0..5.0).contains(&moment.now.hour) { 0.6 } else { 1.0 };
        let full = moment.constant(2, 60.0, 140.0);
        let power =
            if lit { full * dim + 0.6 * moment.noise(3) } else { 0.6 + 0.1 * moment.noise(4) };
        let on = Sample { metric: "lamp_on", sent: "on", value: Value::Bool(lit), unit: "1" };
        out.push(on);
        out.push(called("power", number("lamp_power", power, 1, "W")));
    }
}
