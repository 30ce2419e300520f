//! Where a reading was made: coordinate systems, plausibility and zones.

use std::sync::Arc;

use city_geo::ZoneIndex;
use city_geo::crs::to_wgs84;
use city_model::{Crs, Device, DeviceKey, Placement, Position, Quality, Timestamp, ZoneSet};
use rustc_hash::FxHashMap;

/// A vehicle in a city is never faster than this, in m/s (about 360 km/h).
const FASTEST_M_PER_S: f64 = 100.0;

/// How far outside the city's bounds, in degrees (about 50 km), a position is still plausible.
const MARGIN_DEG: f64 = 0.5;

/// The place of one reading.
pub(crate) struct Located {
    /// Where a moving device was.
    pub(crate) position: Option<Position>,
    /// The zones that the reading counts for.
    pub(crate) zones: ZoneSet,
    /// The QARTOD location test: fail for a place that cannot be, suspect for one that is far
    /// off, not evaluated for devices that stand still.
    pub(crate) verdict: Quality,
}

/// The last trusted place of a moving device.
struct Last {
    position: Position,
    zones: ZoneSet,
    time: Timestamp,
}

/// Finds places; remembers where moving devices were.
pub(crate) struct Locator {
    index: Arc<ZoneIndex>,
    bounds: Option<[f64; 4]>,
    moving: FxHashMap<DeviceKey, Last>,
    nowhere: ZoneSet,
}

impl Locator {
    pub(crate) fn new(index: Arc<ZoneIndex>, bounds: Option<[f64; 4]>) -> Self {
        Self { index, bounds, moving: FxHashMap::default(), nowhere: [].into() }
    }

    /// The place of a reading of `device` at `time`, whose message says `sent` (lon, lat).
    pub(crate) fn locate(
        &mut self,
        device: &Device,
        sent: Option<(f64, f64)>,
        source_crs: Crs,
        time: Timestamp,
    ) -> Located {
        if let Placement::Fixed(_) = device.placement {
            return Located {
                position: None,
                zones: device.zones.clone(),
                verdict: Quality::NotEvaluated,
            };
        }
        let Some((lon, lat)) = sent else { return self.last_known(device.key) };
        let crs = if device.crs == Crs::Wgs84 { source_crs } else { device.crs };
        let Some(position) = Position::new(lon, lat).and_then(|_| {
            let (lon, lat) = to_wgs84(crs, lon, lat);
            Position::new(lon, lat)
        }) else {
            return Located { verdict: Quality::Fail, ..self.last_known(device.key) };
        };
        if self.bounds.is_some_and(|bounds| !inside(bounds, position)) {
            return Located { verdict: Quality::Fail, ..self.last_known(device.key) };
        }
        self.moved(device.key, position, time)
    }

    fn moved(&mut self, device: DeviceKey, position: Position, time: Timestamp) -> Located {
        let mut verdict = Quality::Pass;
        if let Some(last) = self.moving.get(&device) {
            if last.position == position {
                let zones = last.zones.clone();
                return Located { position: Some(position), zones, verdict };
            }
            let seconds = time.since(last.time).secs_f64();
            if seconds > 0.0
                && last.position.distance_m(position) > FASTEST_M_PER_S * seconds.max(1.0)
            {
                verdict = Quality::Suspect;
            }
        }
        let zones = self.index.locate(position);
        let newer = self.moving.get(&device).is_none_or(|last| time >= last.time);
        if newer {
            self.moving.insert(device, Last { position, zones: zones.clone(), time });
        }
        Located { position: Some(position), zones, verdict }
    }

    fn last_known(&self, device: DeviceKey) -> Located {
        match self.moving.get(&device) {
            Some(last) => Located {
                position: None,
                zones: last.zones.clone(),
                verdict: Quality::NotEvaluated,
            },
            None => Located {
                position: None,
                zones: self.nowhere.clone(),
                verdict: Quality::NotEvaluated,
            },
        }
    }
}

fn inside([west, south, east, north]: [f64; 4], position: Position) -> bool {
    (west - MARGIN_DEG..=east + MARGIN_DEG).contains(&position.lon)
        && (south - MARGIN_DEG..=north + MARGIN_DEG).contains(&position.lat)
}
