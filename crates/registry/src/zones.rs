//! Other zones while the city runs: taken as a whole, with everything that stands in them.

use std::sync::Arc;

use city_geo::ZoneIndex;
use city_model::Directory;

use crate::Registry;
use crate::registry::build;

impl Registry {
    /// Puts other zones in the place of the present ones, and every device that stands still into
    /// them. Zones whose id stays keep their key; no key is given to another id, so what is on
    /// its way through the stages cannot be taken for something else. `check` sees the picture
    /// that would be shown and can refuse it; then nothing changes.
    ///
    /// Whoever locates for himself asks [`Registry::has_zones`] between two pieces of work.
    pub fn set_zones<E>(
        &self,
        zones: ZoneIndex,
        check: impl FnOnce(&Directory) -> Result<(), E>,
    ) -> Result<Arc<ZoneIndex>, E> {
        let entries = self.lock();
        let old = self.directory();
        let zones = Arc::new(zones.with_keys_of(&self.zones()));
        let kinds = self.kinds.load();
        let devices = entries.iter().map(|(key, entry)| build(*key, entry, &kinds, &zones));
        let (metrics, version) = (old.metrics.clone(), old.version + 1);
        let directory = Directory::new(devices, metrics, zones.zones().to_vec(), version);
        check(&directory)?;
        // The zones first: who sees the new directory finds them.
        self.zones.store(zones.clone());
        self.directory.store(Arc::new(directory));
        Ok(zones)
    }

    /// Whether these are still the zones: one atomic load, for the hot path.
    pub fn has_zones(&self, zones: &Arc<ZoneIndex>) -> bool {
        Arc::ptr_eq(&self.zones.load(), zones)
    }
}

#[cfg(test)]
mod tests {
    use city_geo::ZoneOptions;
    use city_model::{Catalogue, ZoneKey};
    use city_store::StateDb;

    use super::*;
    use crate::{Seed, read_devices};

    /// Squares of a degree by name and west.
    fn zones(squares: &[(&str, i32)]) -> ZoneIndex {
        let features: Vec<String> = squares
            .iter()
            .map(|(name, west)| {
                let east = west + 1;
                format!(
                    r#"{{"type":"Feature","properties":{{"name":"{name}"}},"geometry":{{"type":"Polygon",
                    "coordinates":[[[{west},0],[{east},0],[{east},1],[{west},1],[{west},0]]]}}}}"#
                )
            })
            .collect();
        let text = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
        let options = ZoneOptions { layer: "district".to_owned(), ..ZoneOptions::default() };
        ZoneIndex::from_geojson(&text, &options).expect("valid zones").index
    }

    fn open() -> Registry {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let seed = Seed {
            catalogue: Catalogue::embedded(),
            zones: zones(&[("West", 0), ("East", 1)]),
            ..Seed::default()
        };
        let registry = Registry::open(state, seed).expect("a registry");
        let devices = r#"[{"id":"a","kind":"k","department":"d","position":{"lon":0.5,"lat":0.5}},
            {"id":"b","kind":"k","department":"d","position":{"lon":1.5,"lat":0.5}},
            {"id":"m","kind":"k","department":"d","moving":true}]"#;
        registry.import(&read_devices("three", devices).expect("valid")).expect("taken");
        registry
    }

    fn zones_of(registry: &Registry, device: &str) -> Vec<String> {
        let directory = registry.directory();
        let device = directory.device_by_id(device).expect("registered");
        device.zones.iter().map(|key| directory.zone(*key).expect("known").id.to_string()).collect()
    }

    #[test]
    fn other_zones_place_the_devices_anew_and_ids_that_stay_keep_their_keys() {
        let registry = open();
        let before = registry.zones();
        assert_eq!(zones_of(&registry, "a"), ["west"]);
        let east = registry.directory().zone_by_id("east").expect("known").key;

        let taken = registry
            .set_zones(zones(&[("North", 0), ("East", 1), ("South", 2)]), |_| Ok::<_, ()>(()))
            .expect("taken");
        assert!(registry.has_zones(&taken) && !registry.has_zones(&before));
        assert_eq!(
            (zones_of(&registry, "a"), zones_of(&registry, "b")),
            (vec!["north".to_owned()], vec!["east".to_owned()])
        );
        let directory = registry.directory();
        assert_eq!(directory.zone_by_id("east").expect("known").key, east);
        // West's key is nobody's now.
        assert!(directory.zone(ZoneKey(0)).is_none() && directory.zone_by_id("west").is_none());
        let keys: Vec<u32> = directory.zones().iter().map(|zone| zone.key.0).collect();
        assert_eq!(keys, [2, 1, 3]);
        assert_eq!(zones_of(&registry, "m"), Vec::<String>::new());
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let registry = open();
        let (before, zones_before) = (registry.directory(), registry.zones());
        let refused = registry.set_zones(zones(&[("North", 0)]), |directory| {
            assert_eq!(directory.zones().len(), 1);
            Err("a rule names the zone `west`")
        });
        assert_eq!(refused.err(), Some("a rule names the zone `west`"));
        assert!(registry.is_current(&before) && registry.has_zones(&zones_before));
    }

    #[test]
    fn a_key_is_never_given_to_another_id() {
        let registry = open();
        let mut seen = std::collections::BTreeMap::new();
        for round in 0..20 {
            let names = [format!("Zone {round}"), format!("Zone {}", round / 3)];
            let squares = [(&*names[0], 0), (&*names[1], 1)];
            registry.set_zones(zones(&squares), |_| Ok::<_, ()>(())).expect("taken");
            for zone in registry.directory().zones() {
                let owner = seen.entry(zone.key).or_insert_with(|| zone.id.clone());
                assert_eq!(*owner, zone.id, "key {:?}", zone.key);
            }
        }
    }
}
