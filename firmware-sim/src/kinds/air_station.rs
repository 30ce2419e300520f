//! Air stations: particles and gases that follow traffic, wind and sun.

use super::{Kind, Moment, Sample, departments, number};
use crate::noise::lerp;
use crate::{IncidentKind, LocalText};

/// An air quality station at a street.
pub(super) struct AirStation;

impl Kind for AirStation {
    fn id(&self) -> &'static str {
        "air_station"
    }

    fn name(&self) -> LocalText {
        LocalText::new("Air station", "空气监测站")
    }

    fn department(&self) -> (&'static str, LocalText) {
        departments::environment()
    }

    fn prefix(&self) -> &'static str {
        "air"
    }

    fn measure(&self, moment: &Moment<'_>, out: &mut Vec<Sample>) {
        let now = moment.now;
        let still = 1.0 / (0.6 + now.weather.wind / 8.0);
        let dirt = (5.0 + 5.0 * now.activity + 1.5 * moment.drift(1, 7_200.0))
            * still
            * moment.constant(2, 0.85, 1.2);
        let mut pm25 = dirt + 0.4 * moment.noise(3);
        let mut no2 = 12.0
            + 26.0 * now.activity * still
            + 2.5 * moment.drift(4, 3_600.0)
            + 0.8 * moment.noise(5);
        let mut co = 0.25 + 0.35 * now.activity * still + 0.02 * moment.noise(6);
        let o3 = 38.0 + 0.8 * now.sun.max(0.0) - 0.35 * (no2 - 12.0)
            + 5.0 * moment.drift(7, 5_400.0)
            + moment.noise(8);
        if let Some((strength, peak)) = moment.effect(IncidentKind::AirEpisode) {
            pm25 = lerp(pm25, peak * moment.constant(9, 0.96, 1.04) + moment.noise(10), strength);
            no2 = lerp(no2, 90.0, strength);
            co = lerp(co, 1.6, strength);
        }
        let pm10 = pm25 * moment.constant(11, 1.45, 1.75) + 3.0 + 0.6 * moment.noise(12);
        out.extend([
            number("pm25", pm25.max(1.0), 1, "ug/m3"),
            number("pm10", pm10.max(1.0), 1, "ug/m3"),
            number("no2", no2.max(1.0), 1, "ug/m3"),
            number("o3", o3.max(1.0), 1, "ug/m3"),
            number("co", co.max(0.05), 2, "mg/m3"),
        ]);
    }
}
