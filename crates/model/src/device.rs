//! Things in the field.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{DeclaredPosition, LocalText, Position, Span, ZoneSet};

/// A device's number in the registry: dense from 0, kept for ever, used in the store and on the
/// hot path instead of the id.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct DeviceKey(pub u32);

impl DeviceKey {
    /// As an index into dense tables.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a device is.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub enum Placement {
    /// Nobody has said.
    #[default]
    Unknown,
    /// It stands at one place, in WGS-84; the declared position is kept beside it.
    Fixed(Position),
    /// Its messages carry its position.
    Moving,
}

/// A stage in a device's life. In all of them its readings are taken, checked and stored: a device
/// that sends is listened to, whatever the register says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LifeCycle {
    /// Known but not yet in use, such as while it is installed and tried: no rule judges it and
    /// nobody misses it. The map shows it.
    Planned,
    /// In use: all rules judge it, and its silence is missed.
    #[default]
    Active,
    /// Being worked on: its silence is expected, so absence rules leave it out; what it sends is
    /// judged by all others. The map shows it.
    Maintenance,
    /// Gone; kept for its history: no rule judges it, and the map and the figures leave it out.
    Retired,
}

/// An attribute of a device, such as its own limit or its pole number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Attribute {
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(state) => write!(f, "{state}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A thing in the field, as the registry knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Its number in the registry.
    pub key: DeviceKey,
    /// Its id: unique in the city, what messages or topics carry.
    pub id: Arc<str>,
    /// What people call it; the id if nobody named it.
    pub name: LocalText,
    /// Its kind, such as `air_station`.
    pub kind: Arc<str>,
    /// The department that owns it.
    pub department: Arc<str>,
    /// Where it is, in WGS-84.
    pub placement: Placement,
    /// The position as declared, with its coordinate system.
    pub declared: Option<DeclaredPosition>,
    /// The coordinate system of positions in its messages.
    pub crs: crate::Crs,
    /// The zones of a fixed device; empty for others.
    pub zones: ZoneSet,
    /// How often it is expected to send.
    pub interval: Option<Span>,
    /// The device through which it sends, if it has one.
    pub gateway: Option<Arc<str>>,
    /// Its stage of life.
    pub life_cycle: LifeCycle,
    /// Whether everything it sends is simulated or test data.
    pub simulated: bool,
    /// Further attributes, its own limits among them.
    pub attributes: BTreeMap<String, Attribute>,
}
