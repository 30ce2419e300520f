//! Gateways and roadside cabinets: through them others send; they report their own state.

use super::{Kind, Moment, Sample, called, departments, number};
use crate::LocalText;

/// A gateway or cabinet with a temperature and a supply sensor.
pub(super) struct Gateway;

impl Kind for Gateway {
    fn id(&self) -> &'static str {
        super::GATEWAY
    }

    fn name(&self) -> LocalText {
        LocalText::new("Gateway", "网关")
    }

    fn department(&self) -> (&'static str, LocalText) {
        departments::networks()
    }

    fn prefix(&self) -> &'static str {
        "gw"
    }

    fn measure(&self, moment: &Moment<'_>, out: &mut Vec<Sample>) {
        let inside = moment.now.weather.temperature + 9.0 + 2.0 * moment.drift(1, 5_400.0);
        let volts = 13.5 + 0.3 * moment.drift(2, 7_200.0) + 0.02 * moment.noise(3);
        out.push(number("temperature", inside + 0.1 * moment.noise(4), 1, "Cel"));
        out.push(called("supply", number("battery_voltage", volts, 2, "V")));
    }
}
