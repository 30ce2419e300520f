//! Parking garages: how many spaces are free.

use std::collections::BTreeMap;

use super::{Kind, Moment, Sample, Seed, called, departments, integer};
use crate::noise::lerp;
use crate::{Attribute, IncidentKind, LocalText};

/// The counter of a parking garage.
pub(super) struct ParkingGarage;

fn capacity(device: Seed) -> f64 {
    (device.constant(1, 80.0, 900.0) / 10.0).round() * 10.0
}

impl Kind for ParkingGarage {
    fn id(&self) -> &'static str {
        "parking_garage"
    }

    fn name(&self) -> LocalText {
        LocalText::new("Parking garage", "停车楼")
    }

    fn department(&self) -> (&'static str, LocalText) {
        departments::transport()
    }

    fn prefix(&self) -> &'static str {
        "garage"
    }

    fn attributes(&self, device: Seed) -> BTreeMap<String, Attribute> {
        BTreeMap::from([("capacity".to_owned(), Attribute::Number(capacity(device)))])
    }

    fn measure(&self, moment: &Moment<'_>, out: &mut Vec<Sample>) {
        // Offices fill by day, homes by night.
        let office = moment.constant(2, 0.0, 1.0);
        let hours = (moment.now.hour - 13.5).abs();
        let by_day = (1.0 / (1.0 + ((hours - 4.5) * 1.4).exp()))
            * if moment.now.weekend { 0.45 } else { 1.0 };
        let fill = office * by_day + (1.0 - office) * (0.85 - 0.45 * by_day);
        let mut fill = 0.08 + 0.8 * fill + 0.05 * moment.drift(3, 2_700.0);
        if let Some((strength, _)) = moment.effect(IncidentKind::Festival) {
            fill = lerp(fill, 0.97, strength);
        }
        let free = capacity(moment.device) * (1.0 - fill.clamp(0.02, 0.97));
        out.push(called("free", integer("parking_free", free + moment.noise(4), "1")));
    }
}
