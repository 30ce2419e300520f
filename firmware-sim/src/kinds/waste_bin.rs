//! Waste bins: filled by passers-by, emptied by the crew.

use super::{Kind, Moment, Sample, called, departments, integer, number};
use crate::LocalText;

/// A bin with an ultrasonic sensor in its lid.
pub(super) struct WasteBin;

impl Kind for WasteBin {
    fn id(&self) -> &'static str {
        "waste_bin"
    }

    fn name(&self) -> LocalText {
        LocalText::new("Waste bin", "垃圾箱")
    }

    fn department(&self) -> (&'static str, LocalText) {
        departments::sanitation()
    }

    fn prefix(&self) -> &'static str {
        "bin"
    }

    fn measure(&self, moment: &Moment<'_>, out: &mut Vec<Sample>) {
        // Most are emptied in time; a few stand at busy corners and run over now and then.
        let busy = moment.constant(1, 0.0, 1.0) < 0.02;
        let (period, top) = if busy {
            (moment.constant(2, 14_000.0, 26_000.0), 97.0)
        } else {
            (moment.constant(3, 130_000.0, 330_000.0), moment.constant(4, 55.0, 82.0))
        };
        let filled = (moment.now.secs / period + moment.constant(5, 0.0, 1.0)).fract();
        let level = (3.0 + (top - 3.0) * filled + 0.4 * moment.noise(6)).clamp(0.0, 100.0);
        let temperature = moment.now.weather.temperature + 2.5 + moment.drift(7, 3_600.0);
        out.push(called("fill", integer("fill_level", level, "%")));
        out.push(number("temperature", temperature + 0.1 * moment.noise(8), 1, "Cel"));
        out.push(integer("battery", moment.battery() as f64, "%"));
    }
}
