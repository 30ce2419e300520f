//! From what somebody writes to what a rule's alerts are about.

use std::sync::Arc;

use city_model::{Directory, Subject};
use city_rules::Rule;

use super::About;

/// The subject that a text means for a rule: a device and a metric as `device/metric`, a device,
/// or a zone, each by its id; what alerts say (`series:d1/pm25`, `device:d1`, `zone:z1`) is
/// understood, too. Where a rule selects one metric, the device alone will do.
///
/// # Errors
///
/// Says in English what is unknown or missing, and how to write it.
pub fn subject_of(rule: &Rule, text: &str, directory: &Directory) -> Result<Subject, String> {
    let plain = ["series:", "device:", "zone:"].iter().find_map(|kind| text.strip_prefix(kind));
    let text = plain.unwrap_or(text);
    match About::of(rule) {
        About::Zone => match directory.zone_by_id(text) {
            Some(zone) => Ok(Subject::Zone { zone: zone.id.clone() }),
            None => {
                Err(format!("rule `{}` is about zones, and there is no zone `{text}`", rule.id))
            }
        },
        About::Device => {
            let device = device(text, directory)
                .or_else(|| device(text.rsplit_once('/')?.0, directory))
                .ok_or_else(|| format!("there is no device `{text}`"))?;
            Ok(Subject::Device { device })
        }
        About::Series => series(rule, text, directory),
    }
}

fn series(rule: &Rule, text: &str, directory: &Directory) -> Result<Subject, String> {
    if let Some(device) = device(text, directory) {
        return match rule.select.metric.as_slice() {
            [metric] => Ok(Subject::Series { device, metric: metric.clone() }),
            all => {
                let first = all.first().map_or("metric", |metric| &**metric);
                Err(format!("rule `{}` judges metrics: say which one, as {text}/{first}", rule.id))
            }
        };
    }
    let Some((id, name)) = text.rsplit_once('/') else {
        return Err(format!("there is no device `{text}`"));
    };
    let device = device(id, directory).ok_or_else(|| format!("there is no device `{id}`"))?;
    match directory.metrics.by_id(name) {
        Some(metric) => Ok(Subject::Series { device, metric: metric.id.clone() }),
        None => Err(format!("there is no metric `{name}`")),
    }
}

/// A device, or a gateway that is known by those behind it alone.
fn device(id: &str, directory: &Directory) -> Option<Arc<str>> {
    if let Some(device) = directory.device_by_id(id) {
        return Some(device.id.clone());
    }
    directory.devices().find_map(|device| device.gateway.clone().filter(|known| **known == *id))
}
