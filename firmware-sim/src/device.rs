//! Devices in the shape that the registry imports.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{LocalText, Span};

/// A device, as the registry is to know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceSpec {
    /// Unique in the city; fit for MQTT topics and for The Things Stack (at most 36 characters).
    pub id: String,
    /// What people call it.
    pub name: LocalText,
    /// Its kind.
    pub kind: String,
    /// The department that owns it.
    pub department: String,
    /// Where it stands; none for what moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<DeclaredPosition>,
    /// Whether its messages carry its position.
    pub moving: bool,
    /// How often it sends.
    pub interval: Span,
    /// The device through which it sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Further attributes, its own limits among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Attribute>,
    /// Its stage of life: `active`.
    pub life_cycle: String,
    /// Always true: nothing of this happened.
    pub simulated: bool,
}

/// A place with its coordinate system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeclaredPosition {
    /// Degrees east.
    pub lon: f64,
    /// Degrees north.
    pub lat: f64,
    /// The coordinate system: `WGS-84`.
    pub crs: String,
}

/// An attribute of a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Attribute {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// What people call a kind or a department.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    /// The name in files and the API.
    pub id: String,
    /// What people call it.
    pub name: LocalText,
}
