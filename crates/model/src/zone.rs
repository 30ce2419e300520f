//! Named areas of the city.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::LocalText;

/// A zone's number within one loaded set of zones; not stable over a reload, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ZoneKey(pub u32);

/// The zones that a position lies in, in ascending order; cheap to share between readings.
pub type ZoneSet = Arc<[ZoneKey]>;

/// A named polygon in a hierarchy: city, district, neighbourhood.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// The number in this set of zones.
    pub key: ZoneKey,
    /// The stable name used in rules, the API and the store; lower-case, `-` for spaces.
    pub id: Arc<str>,
    /// What people call it.
    pub name: LocalText,
    /// The layer, such as `neighbourhood`.
    pub layer: Arc<str>,
    /// A place inside the zone, for labels.
    pub label: crate::Position,
    /// West, south, east, north in degrees.
    pub bounds: [f64; 4],
}
