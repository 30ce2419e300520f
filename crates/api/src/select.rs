//! Which devices a request is about: zone, kind, department.

use std::sync::Arc;

use city_model::{Device, Directory, Metric, ZoneKey};

use crate::live::DeviceNow;
use crate::parameters::short;
use crate::problem::{Answer, Problem, codes};

/// A choice of devices; everything that is not given matches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) zone: Option<ZoneKey>,
    pub(crate) kind: Option<String>,
    pub(crate) department: Option<String>,
}

impl Selection {
    /// A choice; the zone must exist.
    pub(crate) fn new(
        directory: &Directory,
        zone: Option<&str>,
        kind: Option<String>,
        department: Option<String>,
    ) -> Answer<Self> {
        let zone = zone.map(|id| zone_key(directory, id)).transpose()?;
        Ok(Self { zone, kind, department })
    }

    /// Whether a device is chosen; a moving one is in the zones that it is in now.
    pub(crate) fn has(&self, device: &Device, now: &DeviceNow) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind == &*device.kind)
            && self.department.as_deref().is_none_or(|id| id == &*device.department)
            && self.zone.is_none_or(|zone| now.zones(device).contains(&zone))
    }
}

/// The device with this id.
pub(crate) fn device<'a>(directory: &'a Directory, id: &str) -> Answer<&'a Arc<Device>> {
    directory.device_by_id(id).ok_or_else(|| {
        let detail = format!("There is no device `{}`.", short(id));
        Problem::new(codes::UNKNOWN_DEVICE, detail)
            .hint("GET /api/v1/devices?q=… finds devices by a part of their id or name.")
    })
}

/// The metric with this id.
pub(crate) fn metric<'a>(directory: &'a Directory, id: &str) -> Answer<&'a Metric> {
    directory.metrics.by_id(id).ok_or_else(|| {
        let detail = format!("There is no metric `{}`.", short(id));
        Problem::new(codes::UNKNOWN_METRIC, detail)
            .hint("GET /api/v1/metrics-catalogue lists the metrics.")
    })
}

/// The key of the zone with this id.
pub(crate) fn zone_key(directory: &Directory, id: &str) -> Answer<ZoneKey> {
    directory.zone_by_id(id).map(|zone| zone.key).ok_or_else(|| {
        let detail = format!("There is no zone `{}`.", short(id));
        Problem::new(codes::UNKNOWN_ZONE, detail).hint("GET /api/v1/zones lists the zones.")
    })
}
