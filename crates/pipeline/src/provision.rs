//! Devices that nobody registered: registered by their source's policy, or kept waiting.

use city_decode::topic::Captures;
use city_model::Timestamp;
use city_registry::{DeviceEntry, NotRegistered, Registry, check_id};

use crate::letter::Reason;
use crate::source::{Source, UnknownDevices};

/// Registers the device of a message if its source lets it; otherwise notes that it called and
/// says why its message must wait.
///
/// The first of the source's `provisioning` rules that fits the id decides, and what fits none is
/// judged by `unknown_devices`.
pub(crate) fn admit(
    registry: &Registry,
    source: &Source,
    captures: &Captures<'_>,
    id: &str,
    received: Timestamp,
) -> Result<(), Reason> {
    check_id(id).map_err(|why| Reason::bad_device(id, why))?;
    let spec = &source.spec;
    let rule = spec.provisioning.iter().find(|rule| rule.matches(id));
    let kind = captures.kind.unwrap_or(&spec.kind);
    let kind = rule.and_then(|rule| rule.kind.as_deref()).unwrap_or(kind);
    let department = captures.department.unwrap_or(&spec.department);
    let department = rule.and_then(|rule| rule.department.as_deref()).unwrap_or(department);
    let entry = DeviceEntry::unknown(id, kind, department, spec.simulated);
    if rule.is_none() && spec.unknown_devices == UnknownDevices::Quarantine {
        registry.see_unknown(&entry, &spec.id, received);
        return Err(Reason::unknown_device(id, &spec.id));
    }
    let waiting = entry.clone();
    match registry.register_unknown(entry, &spec.id, spec.max_registered) {
        Ok(()) => {
            tracing::info!(
                device.id = id, device.kind = kind, device.department = department,
                source.id = %spec.id, "a device registered by calling"
            );
            Ok(())
        }
        Err(full @ NotRegistered::Full { .. }) => {
            registry.see_unknown(&waiting, &spec.id, received);
            Err(Reason::full(id, &full))
        }
        Err(NotRegistered::Registry(error)) => Err(Reason::registry(&error)),
    }
}
