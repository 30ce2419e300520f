//! Noise meters: the equivalent level of the last interval.

use super::{Kind, Moment, Sample, departments, integer, number};
use crate::noise::lerp;
use crate::{IncidentKind, LocalText};

/// A class 2 sound level meter on a lamp post.
pub(super) struct NoiseMeter;

impl Kind for NoiseMeter {
    fn id(&self) -> &'static str {
        "noise_meter"
    }

    fn name(&self) -> LocalText {
        LocalText::new("Noise meter", "噪声监测点")
    }

    fn department(&self) -> (&'static str, LocalText) {
        departments::environment()
    }

    fn prefix(&self) -> &'static str {
        "noise"
    }

    fn measure(&self, moment: &Moment<'_>, out: &mut Vec<Sample>) {
        let mut level = moment.constant(1, 43.0, 51.0)
            + 14.0 * moment.now.activity
            + 2.0 * moment.drift(2, 600.0)
            + 1.4 * moment.noise(3);
        for kind in [IncidentKind::LoudEvent, IncidentKind::Festival] {
            if let Some((strength, peak)) = moment.effect(kind) {
                level = lerp(level, peak + 1.5 * moment.noise(4), strength);
            }
        }
        out.push(number("noise_laeq", level, 1, "dB"));
        out.push(integer("battery", moment.battery() as f64, "%"));
    }
}
