//! The registry itself: one writer at a time, any number of readers without a lock.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use city_geo::ZoneIndex;
use city_model::{Catalogue, Device, DeviceKey, Difference, Directory, Placement};
use city_store::StateDb;

use crate::mapping::Mappings;
use crate::provisioning::Provisioning;
use crate::{Department, DeviceEntry, Kind, RegistryError, seen_tables, tables};

/// How often something is tried that others, who write to the same state, get in the way of.
const TRIES: usize = 20;

/// What configuration brings to the registry at every start.
#[derive(Debug, Default)]
pub struct Seed {
    /// The metrics that the city describes.
    pub catalogue: Catalogue,
    /// The zones.
    pub zones: ZoneIndex,
    /// Kinds that the configuration describes.
    pub kinds: Vec<Kind>,
    /// Names of departments.
    pub departments: Vec<Department>,
}

/// Devices, kinds, departments and metrics.
pub struct Registry {
    pub(crate) state: Arc<StateDb>,
    pub(crate) zones: ArcSwap<ZoneIndex>,
    pub(crate) directory: ArcSwap<Directory>,
    entries: Mutex<BTreeMap<DeviceKey, DeviceEntry>>,
    pub(crate) kinds: ArcSwap<Kinds>,
    /// The kinds and the departments that the configuration describes.
    pub(crate) configured: [BTreeSet<String>; 2],
    pub(crate) mappings: Mappings,
    /// How many names of metrics that are not in the catalogue each source brought.
    pub(crate) brought: Mutex<HashMap<String, usize>>,
    pub(crate) provisioning: Provisioning,
    /// The metrics that the configuration describes.
    described: Catalogue,
}

/// The described kinds by id.
pub(crate) type Kinds = BTreeMap<String, Arc<Kind>>;

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

impl Registry {
    /// Reads the registry from the state database, after adding what the seed brings.
    pub fn open(state: Arc<StateDb>, seed: Seed) -> Result<Self, RegistryError> {
        tables::migrate(&state)?;
        let bring = || {
            state.write(|tx| {
                for kind in &seed.kinds {
                    tables::put_kind(tx, kind)?;
                }
                for department in &seed.departments {
                    tables::put_label(tx, "department", &department.id, &department.name, true)?;
                }
                tables::load_catalogue(tx, &seed.catalogue)
            })
        };
        let mut brought = bring();
        for _ in 1..TRIES {
            match &brought {
                // Others bring the same at the same time.
                Err(RegistryError::State(error)) if state.is_shared() && error.is_busy() => {
                    brought = bring();
                }
                _ => break,
            }
        }
        let catalogue = brought?;
        let kinds = state.read(tables::load_kinds)?;
        let entries: BTreeMap<_, _> = state.read(tables::load_devices)?.into_iter().collect();
        let devices: Vec<_> =
            entries.iter().map(|(key, entry)| build(*key, entry, &kinds, &seed.zones)).collect();
        let directory = Directory::new(devices, catalogue, seed.zones.zones().to_vec(), 1);
        let mut brought = HashMap::new();
        for (id, source) in state.read(tables::load_metric_sources)? {
            if directory.metrics.by_id(&id).is_some_and(|metric| metric.unmapped) {
                *brought.entry(source).or_default() += 1;
            }
        }
        let configured = [
            seed.kinds.into_iter().map(|kind| kind.id).collect(),
            seed.departments.into_iter().map(|department| department.id).collect(),
        ];
        let (mappings, provisioning) = state.read(|conn| {
            let seen = seen_tables::load_seen_metrics(conn)?;
            let mappings = Mappings::new(seen_tables::load_mappings(conn)?, seen);
            let unknown = seen_tables::load_seen_devices(conn)?;
            let provisioning = Provisioning::new(unknown, seen_tables::load_registered(conn)?);
            Ok::<_, RegistryError>((mappings, provisioning))
        })?;
        Ok(Self {
            state,
            zones: ArcSwap::from_pointee(seed.zones),
            directory: ArcSwap::from_pointee(directory),
            entries: Mutex::new(entries),
            kinds: ArcSwap::from_pointee(kinds),
            configured,
            mappings,
            brought: Mutex::new(brought),
            provisioning,
            described: seed.catalogue,
        })
    }

    /// Reads devices, kinds, metrics and mappings again, because somebody else has changed them in the
    /// state database. Devices that are as they were stay the same.
    pub fn reload(&self) -> Result<(), RegistryError> {
        let mut entries = self.lock();
        let catalogue = self.state.write(|tx| tables::load_catalogue(tx, &self.described))?;
        let kinds = self.state.read(tables::load_kinds)?;
        let fresh: BTreeMap<_, _> = self.state.read(tables::load_devices)?.into_iter().collect();
        let (zones, before) = (self.zones(), self.directory());
        let devices: Vec<_> = fresh
            .iter()
            .map(|(key, entry)| {
                let device = build(*key, entry, &kinds, &zones);
                match before.device(*key) {
                    Some(known) if **known == *device => known.clone(),
                    _ => device,
                }
            })
            .collect();
        let version = before.version + 1;
        let directory = Directory::new(devices, catalogue, zones.zones().to_vec(), version);
        self.kinds.store(Arc::new(kinds));
        *entries = fresh;
        if before.difference(&directory) != Difference::default() {
            self.directory.store(Arc::new(directory));
        }
        self.mappings.reset(self.state.read(seen_tables::load_mappings)?);
        self.provisioning.reset(self.state.read(seen_tables::load_registered)?);
        Ok(())
    }

    /// The present picture; readers keep it as long as they like.
    pub fn directory(&self) -> Arc<Directory> {
        self.directory.load_full()
    }

    /// Whether `directory` is still the present picture: one atomic load, for the hot path.
    pub fn is_current(&self, directory: &Arc<Directory>) -> bool {
        Arc::ptr_eq(&self.directory.load(), directory)
    }

    /// The zones.
    pub fn zones(&self) -> Arc<ZoneIndex> {
        self.zones.load_full()
    }

    /// The numbers of sources in the ledger; new ones get the next. A source keeps its number
    /// when the configuration puts it in another place, or leaves it out for a while.
    pub fn source_numbers<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<u16>, RegistryError> {
        self.state.write(|tx| ids.into_iter().map(|id| tables::source_number(tx, id)).collect())
    }

    /// The ids of all sources that there ever were, by number.
    pub fn source_ids(&self) -> Result<Vec<String>, RegistryError> {
        self.state.read(tables::load_sources)
    }

    /// All devices as they can be imported again, in the order of their keys.
    pub fn export(&self) -> Vec<DeviceEntry> {
        self.lock().values().cloned().collect()
    }

    /// Does something that writes; where others write to the same state, again, when they were
    /// quicker and have taken a key that was to be given.
    pub(crate) fn again<T>(
        &self,
        mut attempt: impl FnMut() -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        for _ in 1..TRIES {
            match attempt() {
                Err(RegistryError::State(error)) if self.state.is_shared() && error.is_busy() => {
                    self.reload()?;
                }
                done => return done,
            }
        }
        attempt()
    }

    /// Builds devices anew, after something changed that they have in common.
    pub(crate) fn rebuild(
        &self,
        entries: &BTreeMap<DeviceKey, DeviceEntry>,
        wanted: impl Fn(&DeviceEntry) -> bool,
    ) {
        let (kinds, zones) = (self.kinds.load(), self.zones());
        let mut directory = (*self.directory()).clone();
        directory.version += 1;
        for (key, entry) in entries.iter().filter(|(_, entry)| wanted(entry)) {
            directory.put(build(*key, entry, &kinds, &zones));
        }
        self.directory.store(Arc::new(directory));
    }

    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<DeviceKey, DeviceEntry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The device with what its kind gives it and the zones that it stands in.
pub(crate) fn build(
    key: DeviceKey,
    entry: &DeviceEntry,
    kinds: &Kinds,
    zones: &ZoneIndex,
) -> Arc<Device> {
    let mut device = entry.to_device(key, kinds.get(&entry.kind).map(|kind| &**kind));
    if let Placement::Fixed(position) = device.placement {
        device.zones = zones.locate(position);
    }
    Arc::new(device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ImportReport, read_devices};

    const ZONES: &str = r#"{"type":"FeatureCollection","features":[{"type":"Feature",
        "properties":{"name":"Old Town"},"geometry":{"type":"Polygon",
        "coordinates":[[[10,50],[11,50],[11,51],[10,51],[10,50]]]}}]}"#;

    fn seed() -> Seed {
        let options = city_geo::ZoneOptions {
            layer: "district".to_owned(),
            name_property: Some("name".to_owned()),
            ..city_geo::ZoneOptions::default()
        };
        let loaded = city_geo::ZoneIndex::from_geojson(ZONES, &options).expect("valid zones");
        Seed { catalogue: Catalogue::embedded(), zones: loaded.index, ..Seed::default() }
    }

    fn open() -> (Arc<StateDb>, Registry) {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        let registry = Registry::open(state.clone(), seed()).expect("a registry");
        (state, registry)
    }

    const TWO: &str = r#"[
        {"id":"a","kind":"air_station","department":"environment","position":{"lon":10.5,"lat":50.5},
         "interval":"30s","attributes":{"limit":3.5}},
        {"id":"b","kind":"bus","department":"transport","moving":true}]"#;

    #[test]
    fn imported_devices_are_placed_and_survive_a_reopening_with_their_keys() {
        let (state, registry) = open();
        let entries = read_devices("two", TWO).expect("valid");
        let report = registry.import(&entries).expect("taken");
        assert_eq!(report, ImportReport { added: 2, ..ImportReport::default() });
        let again = registry.import(&entries).expect("taken");
        assert_eq!(again, ImportReport { unchanged: 2, ..ImportReport::default() });

        let before = registry.directory();
        let a = before.device_by_id("a").expect("imported");
        assert_eq!(a.zones.len(), 1);
        assert_eq!(before.zone(a.zones[0]).expect("a zone").id.as_ref(), "old-town");

        let reopened = Registry::open(state, seed()).expect("a registry");
        let after = reopened.directory();
        assert_eq!(after.device_by_id("a"), Some(a));
        assert_eq!(after.device_by_id("b").map(|d| d.placement), Some(Placement::Moving));
        assert_eq!(reopened.export(), entries);
    }

    #[test]
    fn one_bad_device_stops_the_import_and_every_problem_is_reported() {
        let (_, registry) = open();
        let text = r#"[{"id":"a","kind":"k","department":"d","position":{"lon":50.5,"lat":110.5}},
            {"id":"","kind":"k","department":"d"},
            {"id":"b","kind":"k","department":"d"}, {"id":"b","kind":"k","department":"d"}]"#;
        let error =
            registry.import(&read_devices("bad", text).expect("valid JSON")).expect_err("bad");
        let RegistryError::Import(problems) = &error else { panic!("{error}") };
        assert_eq!(problems.iter().map(|p| p.row).collect::<Vec<_>>(), [1, 2, 4]);
        assert!(error.to_string().contains("swapped"), "{error}");
        assert_eq!(registry.directory().devices().count(), 0);
    }

    #[test]
    fn a_source_keeps_its_number_wherever_it_stands() {
        let (state, registry) = open();
        assert_eq!(registry.source_numbers(["a", "b"]).expect("numbered"), [0, 1]);
        let reopened = Registry::open(state, seed()).expect("a registry");
        assert_eq!(reopened.source_numbers(["c", "b"]).expect("numbered"), [2, 1]);
        assert_eq!(reopened.source_ids().expect("listed"), ["a", "b", "c"]);
    }

    #[test]
    fn an_unknown_field_is_named() {
        let error =
            read_devices("x.json", r#"[{"id":"a","kind":"k","department":"d","colour":"red"}]"#)
                .expect_err("unknown field");
        assert!(error.to_string().contains("colour"), "{error}");
    }
}
