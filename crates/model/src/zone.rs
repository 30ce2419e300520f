//! Named areas of the city.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::LocalText;

/// A zone's number while the program runs: a reload of the zones keeps the numbers of ids that
/// stay and never gives a number to another id. Not the same after a restart, never stored.
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
    /// West, south, east, north in degrees; west is greater than east across the antimeridian
    /// (RFC 7946, section 5.2).
    pub bounds: [f64; 4],
    /// The zone above it in the hierarchy.
    pub parent: Option<ZoneKey>,
    /// Its area in square kilometres, on a sphere.
    pub area_km2: f64,
}
