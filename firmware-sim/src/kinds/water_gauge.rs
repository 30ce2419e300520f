//! Water gauges: the level of a river or canal, with limits of each gauge's own.

use std::collections::BTreeMap;

use super::{Kind, Moment, Sample, Seed, called, departments, integer, number};
use crate::noise::{lerp, round};
use crate::{Attribute, IncidentKind, LocalText};

/// A radar gauge under a bridge.
pub(super) struct WaterGauge;

/// The usual level in metres over the gauge's zero.
fn usual(device: Seed) -> f64 {
    device.constant(1, 1.0, 1.5)
}

/// From which level on it is watched, and from which on it is dangerous, in metres.
fn limits(device: Seed) -> (f64, f64) {
    let usual = usual(device);
    (round(usual + device.constant(2, 0.6, 0.8), 1), round(usual + device.constant(3, 1.2, 1.4), 1))
}

impl Kind for WaterGauge {
    fn id(&self) -> &'static str {
        "water_gauge"
    }

    fn name(&self) -> LocalText {
        LocalText::new("Water gauge", "水位站")
    }

    fn department(&self) -> (&'static str, LocalText) {
        departments::water()
    }

    fn prefix(&self) -> &'static str {
        "gauge"
    }

    fn attributes(&self, device: Seed) -> BTreeMap<String, Attribute> {
        let (warning, danger) = limits(device);
        BTreeMap::from([
            ("warning_level".to_owned(), Attribute::Number(warning)),
            ("danger_level".to_owned(), Attribute::Number(danger)),
        ])
    }

    fn measure(&self, moment: &Moment<'_>, out: &mut Vec<Sample>) {
        let mut level = usual(moment.device)
            + 0.12 * moment.drift(4, 32_400.0)
            + 0.015 * moment.now.weather.rain.min(10.0)
            + 0.006 * moment.noise(5);
        if let Some((strength, peak)) = moment.effect(IncidentKind::RisingWater) {
            level = lerp(level, limits(moment.device).1 + peak + 0.01 * moment.noise(6), strength);
        }
        let volts = 3.4 + 0.2 * moment.constant(7, 0.0, 1.0) + 0.02 * moment.drift(8, 86_400.0);
        out.push(called("level_cm", number("water_level", level * 100.0, 1, "cm")));
        out.push(called("battery_mv", integer("battery_voltage", volts * 1e3, "mV")));
    }
}
