//! Where a reading was made: coordinate systems, plausibility and zones.

use std::sync::Arc;

use city_geo::crs::to_wgs84;
use city_geo::{DEFAULT_MARGIN_DEG, Plausibility, Whereabouts, ZoneIndex, plausibility};
use city_model::{Crs, Device, DeviceKey, Marks, Placement, Position, Quality, Timestamp, ZoneSet};
use city_quality::{Fix, LocationChecker, LocationChecks, LocationState};
use city_registry::Registry;
use city_store::SharedStore;
use rustc_hash::FxHashMap;

/// The place of one reading.
#[derive(Debug)]
pub struct Located {
    /// Where a moving device was, if that can be believed.
    pub position: Option<Position>,
    /// The zones that the reading counts for.
    pub zones: ZoneSet,
    /// The verdict on the position; not evaluated for devices that stand still, unless there is a
    /// limit for how far from their place they may say to be.
    pub verdict: Quality,
    /// Whether a position was sent that is impossible, far away, or has its numbers swapped.
    pub bad: bool,
}

/// What is remembered of a moving device.
#[derive(Default)]
struct Track {
    checked: LocationState,
    /// The newest believed place.
    last: Option<(Timestamp, Position, Whereabouts)>,
}

/// The location checks of all devices and of kinds with limits of their own.
struct Checkers {
    all: LocationChecker,
    kinds: Vec<(Box<str>, LocationChecker)>,
}

impl Checkers {
    fn new(limits: &LocationChecks) -> Self {
        let of = |kind: &String| (kind.as_str().into(), LocationChecker::new(limits.of(kind)));
        let all = LocationChecker::new(limits.of_all());
        Self { all, kinds: limits.kinds.keys().map(of).collect() }
    }

    fn of(&self, kind: &str) -> &LocationChecker {
        self.kinds.iter().find(|(of, _)| **of == *kind).map_or(&self.all, |(_, checker)| checker)
    }
}

/// Finds places; remembers where moving devices were.
pub struct Locator {
    index: Arc<ZoneIndex>,
    bounds: Option<[f64; 4]>,
    /// Whether the bounds are those of the zones, so that they change with them.
    follows_zones: bool,
    checkers: Checkers,
    tracks: FxHashMap<DeviceKey, Track>,
    nowhere: ZoneSet,
}

impl std::fmt::Debug for Locator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Locator").field("tracks", &self.tracks.len()).finish_non_exhaustive()
    }
}

impl Locator {
    /// A locator that remembers where the store last saw each moving device.
    pub fn new(
        index: Arc<ZoneIndex>,
        bounds: Option<[f64; 4]>,
        store: &SharedStore,
        limits: &LocationChecks,
    ) -> Self {
        let mut tracks: FxHashMap<DeviceKey, Track> = FxHashMap::default();
        store.each_last(&mut |series, last| {
            if last.marks.has(Marks::FUTURE) {
                return;
            }
            let Some(position) = last.position.as_deref().copied() else { return };
            let track = tracks.entry(series.device).or_default();
            if track.last.as_ref().is_none_or(|(at, ..)| last.time > *at) {
                track.last = Some((last.time, position, index.whereabouts(position)));
            }
        });
        let checkers = Checkers::new(limits);
        let follows_zones = bounds == index.bounds();
        Self { index, bounds, follows_zones, checkers, tracks, nowhere: [].into() }
    }

    /// Takes up other zones, and puts every device that moves into them where it was last;
    /// called between batches.
    pub fn refresh(&mut self, registry: &Registry) {
        if registry.has_zones(&self.index) {
            return;
        }
        self.index = registry.zones();
        if self.follows_zones {
            self.bounds = self.index.bounds();
        }
        for (_, position, there) in self.tracks.values_mut().filter_map(|t| t.last.as_mut()) {
            *there = self.index.whereabouts(*position);
        }
    }

    /// The place of a reading of `device` at `time`, whose message says `sent` (lon, lat).
    pub fn locate(
        &mut self,
        device: &Device,
        sent: Option<(f64, f64)>,
        source_crs: Crs,
        time: Timestamp,
    ) -> Located {
        let crs = if device.crs == Crs::Wgs84 { source_crs } else { device.crs };
        if let Placement::Fixed(place) = device.placement {
            let zones = device.zones.clone();
            let checker = self.checkers.of(&device.kind);
            let verdict = sent.map_or(Quality::NotEvaluated, |(lon, lat)| {
                let (lon, lat) = to_wgs84(crs, lon, lat);
                checker.check_fixed(place, Position::new(lon, lat))
            });
            let bad = matches!(verdict, Quality::Suspect | Quality::Fail);
            return Located { position: None, zones, verdict, bad };
        }
        let track = self.tracks.entry(device.key).or_default();
        let last_zones = track.last.as_ref().map_or(&self.nowhere, |(_, _, there)| &there.zones);
        let Some((lon, lat)) = sent else {
            let zones = last_zones.clone();
            return Located { position: None, zones, verdict: Quality::NotEvaluated, bad: false };
        };
        let (lon, lat) = to_wgs84(crs, lon, lat);
        let position = Position::new(lon, lat);
        let plausibility = match self.bounds {
            Some(bounds) => plausibility(lon, lat, bounds, DEFAULT_MARGIN_DEG),
            None => Plausibility::Inside,
        };
        let checker = self.checkers.of(&device.kind);
        let verdict = checker.check(&mut track.checked, &Fix { time, position, plausibility });
        let Some(position) = position.filter(|_| plausibility == Plausibility::Inside) else {
            return Located { position: None, zones: last_zones.clone(), verdict, bad: true };
        };
        let believed = verdict != Quality::Suspect;
        let zones = match &mut track.last {
            // The next reading of the same message, or a device that waits.
            Some((_, last, there)) if *last == position => there.zones.clone(),
            Some((at, last, there)) if there.hold(position) => {
                if believed && time >= *at {
                    (*at, *last) = (time, position);
                }
                there.zones.clone()
            }
            last => {
                let there = self.index.whereabouts(position);
                let zones = there.zones.clone();
                if believed && last.as_ref().is_none_or(|(at, ..)| time >= *at) {
                    *last = Some((time, position, there));
                }
                zones
            }
        };
        Located { position: Some(position), zones, verdict, bad: false }
    }
}
