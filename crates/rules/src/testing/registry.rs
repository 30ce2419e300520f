//! The registry of a test: zones and devices, and their changes.

use city_model::{
    Crs, Device, DeviceKey, Directory, LifeCycle, LocalText, Placement, Position, Zone, ZoneKey,
    ZoneSet,
};

use crate::fields::{self, Fields, one_or_many};
use crate::problem::{Sink, suggestion};
use crate::selector::attribute;
use crate::yaml::Node;

const LIVES: [(&str, LifeCycle); 4] = [
    ("planned", LifeCycle::Planned),
    ("active", LifeCycle::Active),
    ("maintenance", LifeCycle::Maintenance),
    ("retired", LifeCycle::Retired),
];

pub(super) fn read_zones(fields: &mut Fields<'_>, sink: &mut Sink) -> Vec<Zone> {
    let mut zones = Vec::new();
    for node in fields.get("zones").map_or(&[][..], one_or_many) {
        let Some(mut fields) = Fields::of(node, "a zone", sink) else { continue };
        let id = fields
            .need("id", "zones need an id", sink)
            .and_then(|node| fields::text(node, "id", sink));
        let name = fields.local("name", sink);
        let layer = fields.text("layer", sink).unwrap_or("neighbourhood");
        let size = fields.number("size", sink).unwrap_or(1.0);
        fields.finish(|_| None, sink);
        let Some(id) = id else { continue };
        zones.push(Zone {
            key: ZoneKey(zones.len() as u32),
            id: id.into(),
            name: name.unwrap_or_else(|| LocalText::same(id)),
            layer: layer.into(),
            label: Position { lon: size / 2.0, lat: size / 2.0 },
            bounds: [0.0, 0.0, size, size],
            parent: None,
            area_km2: size * size,
        });
    }
    zones
}

/// A device, or, if the directory has one with the id, the change of it.
pub(super) fn read_device(node: &Node, directory: &Directory, sink: &mut Sink) -> Option<Device> {
    let mut fields = Fields::of(node, "a device", sink)?;
    let id = fields.need("id", "devices need an id", sink)?;
    let id = fields::text(id, "id", sink)?;
    let mut device = match directory.device_by_id(id) {
        Some(known) => (**known).clone(),
        None => Device {
            key: DeviceKey(directory.device_slots() as u32),
            id: id.into(),
            name: LocalText::same(id),
            kind: "sensor".into(),
            department: "test".into(),
            placement: Placement::Fixed(Position { lon: 0.5, lat: 0.5 }),
            declared: None,
            crs: Crs::default(),
            zones: ZoneSet::default(),
            interval: None,
            gateway: None,
            life_cycle: LifeCycle::Active,
            simulated: false,
            attributes: std::collections::BTreeMap::new(),
        },
    };
    if let Some(name) = fields.local("name", sink) {
        device.name = name;
    }
    if let Some(kind) = fields.text("kind", sink) {
        device.kind = kind.into();
    }
    if let Some(department) = fields.text("department", sink) {
        device.department = department.into();
    }
    if let Some(true) = fields.flag("moving", sink) {
        device.placement = Placement::Moving;
    }
    if fields.get("zones").is_some() {
        device.zones = read_zone_set(&mut fields, directory, sink);
    }
    device.interval = fields.span("interval", sink).or(device.interval);
    device.gateway = fields.text("gateway", sink).map(Into::into).or(device.gateway);
    if let Some(life_cycle) = pick(&mut fields, "life_cycle", &LIVES, sink) {
        device.life_cycle = life_cycle;
    }
    device.simulated = fields.flag("simulated", sink).unwrap_or(device.simulated);
    let attributes = fields.get("attributes");
    if let Some(attributes) = attributes.and_then(|node| Fields::of(node, "`attributes`", sink)) {
        for (key, node) in attributes.entries() {
            device.attributes.extend(attribute(node, sink).map(|value| (key.name.clone(), value)));
        }
    }
    fields.finish(|_| None, sink);
    Some(device)
}

pub(super) fn read_zone_set(
    fields: &mut Fields<'_>,
    directory: &Directory,
    sink: &mut Sink,
) -> ZoneSet {
    let known: Vec<&str> = directory.zones().iter().map(|zone| &*zone.id).collect();
    let mut keys = Vec::new();
    // An empty list is meant here: outside of all zones.
    for node in fields.get("zones").map_or(&[][..], one_or_many) {
        let Some(id) = fields::text(node, "zones", sink) else { continue };
        match directory.zone_by_id(id) {
            Some(zone) => keys.push(zone.key),
            None => sink.push(node.mark, format!("unknown zone `{id}`"), suggestion(id, &known)),
        }
    }
    keys.sort_unstable();
    keys.into()
}

/// The choice of a key that may be absent.
pub(super) fn pick<T: Copy>(
    fields: &mut Fields<'_>,
    key: &'static str,
    choices: &[(&'static str, T)],
    sink: &mut Sink,
) -> Option<T> {
    fields.get(key)?;
    crate::parse::choose(fields, key, choices, sink)
}
