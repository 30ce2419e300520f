//! A device as files and the API spell it.

use std::collections::BTreeMap;

use city_geo::crs::to_wgs84;
use city_model::{
    Attribute, Crs, DeclaredPosition, Device, DeviceKey, LifeCycle, LocalText, Placement, Position,
    Span,
};
use serde::{Deserialize, Serialize};

use crate::{FieldProblem, Kind};

/// A device as imported and exported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceEntry {
    /// Its id: 1 to 128 bytes without control characters.
    pub id: String,
    /// What people call it; the id if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<LocalText>,
    /// Its kind.
    pub kind: String,
    /// The department that owns it.
    pub department: String,
    /// Where it stands, in the coordinate system that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<DeclaredPosition>,
    /// Whether it moves and its messages carry its position; as its kind says if missing, else not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moving: Option<bool>,
    /// How often it is expected to send; as its kind says if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// The device through which it sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Its stage of life.
    #[serde(default)]
    pub life_cycle: LifeCycle,
    /// Whether everything it sends is simulated or test data.
    #[serde(default)]
    pub simulated: bool,
    /// The coordinate system of positions in its messages; as its kind says if missing, else
    /// WGS-84.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crs: Option<Crs>,
    /// Further attributes, beside those that its kind gives.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Attribute>,
}

/// Whether a text can be a device's id; otherwise what is wrong with it.
pub fn check_id(id: &str) -> Result<(), &'static str> {
    if id.is_empty() {
        return Err("the id is empty");
    }
    if id.len() > 128 {
        return Err("the id is longer than 128 bytes");
    }
    if id.chars().any(char::is_control) {
        return Err("the id holds control characters");
    }
    Ok(())
}

impl DeviceEntry {
    /// The least that must be known of a device that registered itself.
    pub fn unknown(id: &str, kind: &str, department: &str, simulated: bool) -> Self {
        Self {
            id: id.to_owned(),
            name: None,
            kind: kind.to_owned(),
            department: department.to_owned(),
            position: None,
            moving: None,
            interval: None,
            gateway: None,
            life_cycle: LifeCycle::Active,
            simulated,
            crs: None,
            attributes: BTreeMap::new(),
        }
    }

    /// What is wrong with it, by field.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut problems = Vec::new();
        let mut add = |field: &str, message: String, hint: &'static str| {
            problems.push(FieldProblem { field: field.to_owned(), message, hint });
        };
        if let Err(why) = check_id(&self.id) {
            add("id", why.to_owned(), "give each device an id of 1 to 128 characters");
        }
        for (field, text) in [("kind", &self.kind), ("department", &self.department)] {
            if check_id(text).is_err() {
                let hint =
                    "kinds and departments are named like devices, for example `air_station`";
                add(field, format!("`{text}` is not a name"), hint);
            }
        }
        if let Some(gateway) = self.gateway.as_deref().filter(|id| check_id(id).is_err()) {
            add(
                "gateway",
                format!("`{gateway}` is not an id"),
                "give the id of the gateway device",
            );
        }
        if let Some(p) = self.position.filter(|p| wgs84(*p).is_none()) {
            let hint = "lon is -180 to 180, lat is -90 to 90; are the two swapped?";
            add("position", format!("lon {}, lat {} is not on Earth", p.lon, p.lat), hint);
        }
        if self.interval.is_some_and(|interval| interval <= Span::ZERO) {
            add("interval", "it is not positive".to_owned(), "write it like \"30s\" or \"5m\"");
        }
        for (name, value) in &self.attributes {
            let field = format!("attributes.{name}");
            if let Err(why) = check_id(name) {
                add(&field, format!("as a name {why}"), "name an attribute like a metric");
            }
            if matches!(value, Attribute::Number(number) if !number.is_finite()) {
                add(&field, "it is not a number that can be".to_owned(), "leave it out instead");
            }
        }
        problems
    }

    /// The same in its one spelling: a name that says nothing is none, one language that says
    /// nothing is like the other.
    #[must_use]
    pub fn tidy(mut self) -> Self {
        self.name = self.name.filter(|name| !name.is_empty()).map(|name| match name {
            LocalText { en, zh } if en.is_empty() => LocalText::same(zh),
            LocalText { en, zh } if zh.is_empty() => LocalText::same(en),
            name => name,
        });
        self
    }

    /// The device with this key, with what its kind gives it, without zones.
    pub(crate) fn to_device(&self, key: DeviceKey, kind: Option<&Kind>) -> Device {
        let fixed = self.position.and_then(wgs84);
        let moving = self.moving.or(kind.and_then(|kind| kind.moving)).unwrap_or(false);
        let mut attributes = kind.map(|kind| kind.attributes.clone()).unwrap_or_default();
        attributes
            .extend(self.attributes.iter().map(|(name, value)| (name.clone(), value.clone())));
        Device {
            key,
            id: self.id.as_str().into(),
            name: self.name.clone().unwrap_or_else(|| LocalText::same(&self.id)),
            kind: self.kind.as_str().into(),
            department: self.department.as_str().into(),
            placement: match fixed {
                _ if moving => Placement::Moving,
                Some(position) => Placement::Fixed(position),
                None => Placement::Unknown,
            },
            declared: self.position,
            crs: self.crs.or(kind.and_then(|kind| kind.crs)).unwrap_or_default(),
            zones: [].into(),
            interval: self.interval.or(kind.and_then(|kind| kind.interval)),
            gateway: self.gateway.as_deref().map(Into::into),
            life_cycle: self.life_cycle,
            simulated: self.simulated,
            attributes,
        }
    }

    /// The fields that the device has from its kind, because its entry is silent; attributes as
    /// `attributes.NAME`.
    pub fn inherited(&self, kind: &Kind) -> Vec<String> {
        let fields = [
            ("moving", self.moving.is_none() && kind.moving.is_some()),
            ("interval", self.interval.is_none() && kind.interval.is_some()),
            ("crs", self.crs.is_none() && kind.crs.is_some()),
        ];
        let fields = fields.into_iter().filter(|(_, from_kind)| *from_kind);
        let attributes = kind.attributes.keys().filter(|name| !self.attributes.contains_key(*name));
        fields
            .map(|(name, _)| name.to_owned())
            .chain(attributes.map(|name| format!("attributes.{name}")))
            .collect()
    }
}

fn wgs84(declared: DeclaredPosition) -> Option<Position> {
    Position::new(declared.lon, declared.lat)?;
    let (lon, lat) = to_wgs84(declared.crs, declared.lon, declared.lat);
    Position::new(lon, lat)
}
