//! Where an alert is, as far as alerts are compared by it.

use std::sync::Arc;

use city_model::{Alert, Directory, Subject};

/// Where an alert is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The zone that it is about, or else the smallest that it lies in.
    pub zone: Option<Arc<str>>,
    /// The gateway through which its device sends.
    pub gateway: Option<Arc<str>>,
}

impl Place {
    /// As the directory knows it; zones that it does not know count as the largest.
    pub fn of(alert: &Alert, directory: &Directory) -> Self {
        let zone = if let Subject::Zone { zone } = &alert.subject {
            Some(zone.clone())
        } else {
            let area =
                |id: &Arc<str>| directory.zone_by_id(id).map_or(f64::MAX, |zone| zone.area_km2);
            alert.zones.iter().min_by(|a, b| area(a).total_cmp(&area(b))).cloned()
        };
        let device = alert.subject.device().and_then(|id| directory.device_by_id(id));
        Self { zone, gateway: device.and_then(|device| device.gateway.clone()) }
    }
}
