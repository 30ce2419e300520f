//! Which devices a request is about: zone, kind, department.

use std::sync::Arc;

use city_model::{Device, DeviceKey, Directory, Metric, MetricKey, ZoneKey};
use utoipa::IntoParams;

use crate::live::DeviceNow;
use crate::parameters::{FromPairs, Pairs, short};
use crate::problem::{Answer, Problem, codes};

/// The parameters that choose devices, as lists of ids: one of each list must fit.
#[derive(Clone, Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Choice {
    /// Only devices that are in one of these zones now, separated by commas.
    #[param(value_type = Option<String>)]
    pub(crate) zone: Option<Vec<String>>,
    /// Only devices of these kinds, separated by commas.
    #[param(value_type = Option<String>)]
    pub(crate) kind: Option<Vec<String>>,
    /// Only these departments' devices, separated by commas.
    #[param(value_type = Option<String>)]
    pub(crate) department: Option<Vec<String>>,
}

impl FromPairs for Choice {
    fn from_pairs(pairs: &mut Pairs) -> Answer<Self> {
        Ok(Self {
            zone: pairs.list("zone"),
            kind: pairs.list("kind"),
            department: pairs.list("department"),
        })
    }
}

/// A choice of devices; everything that is not given matches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    zones: Option<Vec<ZoneKey>>,
    kinds: Option<Vec<String>>,
    departments: Option<Vec<String>>,
    /// Only these devices.
    devices: Option<Vec<DeviceKey>>,
}

impl Selection {
    /// A choice; zones must exist.
    pub(crate) fn new(directory: &Directory, choice: Choice) -> Answer<Self> {
        let keys = |ids: Vec<String>| -> Answer<Vec<ZoneKey>> {
            ids.iter().map(|id| zone_key(directory, id)).collect()
        };
        Ok(Self {
            zones: choice.zone.map(keys).transpose()?,
            kinds: choice.kind,
            departments: choice.department,
            devices: None,
        })
    }

    /// Only these of them, which must exist.
    pub(crate) fn only(mut self, directory: &Directory, ids: Option<&[String]>) -> Answer<Self> {
        let key = |id: &String| device(directory, id).map(|device| device.key);
        let keys = ids.map(|ids| ids.iter().map(key).collect::<Answer<Vec<DeviceKey>>>());
        self.devices = keys.transpose()?;
        Ok(self)
    }

    /// Whether a device is chosen; a moving one is in the zones that it is in now.
    pub(crate) fn has(&self, device: &Device, now: &DeviceNow) -> bool {
        has(self.kinds.as_ref(), &device.kind)
            && has(self.departments.as_ref(), &device.department)
            && self.devices.as_ref().is_none_or(|keys| keys.contains(&device.key))
            && self.zones.as_ref().is_none_or(|zones| {
                let here = now.zones(device);
                zones.iter().any(|zone| here.contains(zone))
            })
    }

    /// The devices that are chosen, with how they are now, in the order of their keys.
    pub(crate) fn devices<'a, 'd: 'a>(
        &'a self,
        directory: &'d Directory,
        states: &'a [DeviceNow],
    ) -> impl Iterator<Item = (&'d Arc<Device>, DeviceNow)> + 'a {
        directory
            .devices()
            .map(|device| (device, states.get(device.key.index()).cloned().unwrap_or_default()))
            .filter(|(device, now)| self.has(device, now))
    }
}

/// Whether a word is in a list, if there is one.
pub(crate) fn has<T: AsRef<str>>(list: Option<&Vec<T>>, word: &str) -> bool {
    list.is_none_or(|list| list.iter().any(|wanted| wanted.as_ref() == word))
}

/// The metrics with these ids.
pub(crate) fn metrics(directory: &Directory, ids: &[String]) -> Answer<Vec<MetricKey>> {
    ids.iter().map(|id| metric(directory, id).map(|metric| metric.key)).collect()
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
