//! The zones of the city: read from their files or made as a grid, and read again while the city
//! runs, when a file changed on disk or somebody asks for it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use city_api::ZoneReload;
use city_geo::{Loaded, ZoneIndex, ZoneOptions, automatic_resolution};
use city_registry::Registry;
use city_rulebook::Book;
use tokio_util::sync::CancellationToken;

use crate::settings::{CitySettings, GridSettings, Problem, ZoneFile};
use crate::watched::{self, Stamps, Watcher};

/// Of many warnings of one kind so many are told one by one.
const TOLD: usize = 20;

/// Reads all zones that the settings name, with a grid if they ask for one, or if there are none
/// and the bounds are known. Problems are reasons to refuse, warnings are not.
pub fn read(
    city: &CitySettings,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<String>,
) -> ZoneIndex {
    let mut layers: Vec<ZoneIndex> = Vec::new();
    for (place, file) in city.zones.iter().enumerate() {
        let key = format!("city.zones[{place}].file");
        // Zones are expected where the settings say, or where those before them are.
        let near = city.bounds.or_else(|| layers.iter().find_map(ZoneIndex::bounds));
        match read_file(file, near) {
            Ok(loaded) => {
                warnings.extend(told(file, &loaded));
                layers.push(loaded.index);
            }
            Err(problem) => problems.push(Problem { key, ..problem }),
        }
    }
    layers.extend(grid(city, &layers, problems));
    let index = ZoneIndex::merge(layers);
    let odd = index.hierarchy_problems();
    warnings.extend(odd.iter().take(TOLD).map(|problem| format!("zone {problem}")));
    if odd.len() > TOLD {
        warnings.push(format!("and {} more zones without a zone above them", odd.len() - TOLD));
    }
    index
}

/// Reads one file; `near` is where its zones are expected.
pub fn read_file(file: &ZoneFile, near: Option<[f64; 4]>) -> Result<Loaded, Problem> {
    let path = file.file.display();
    let text = std::fs::read_to_string(&file.file).map_err(|error| {
        let message = format!("{path} cannot be read: {error}");
        Problem::new("", message, "paths are relative to the configuration file")
    })?;
    let options = ZoneOptions {
        layer: file.layer.clone(),
        id_property: file.id_property.clone(),
        name_property: Some(file.name_property.clone()),
        name_zh_property: file.name_zh_property.clone(),
        parent_property: file.parent_property.clone(),
        parent_layer: file.parent_layer.clone(),
        crs: file.crs,
        near,
    };
    ZoneIndex::from_geojson(&text, &options).map_err(|error| {
        let hint = "the file must be a GeoJSON FeatureCollection of polygons, longitude first";
        Problem::new("", format!("{path}: {error}"), hint)
    })
}

/// What a person should know of a file that was read.
fn told(file: &ZoneFile, loaded: &Loaded) -> Vec<String> {
    let path = file.file.display();
    let mut told: Vec<String> = Vec::new();
    told.extend(loaded.oddity.map(|oddity| format!("{path}: {oddity}")));
    told.extend(loaded.problems.iter().take(TOLD).map(|problem| format!("{path}: {problem}")));
    if loaded.problems.len() > TOLD {
        told.push(format!("{path}: and {} more features", loaded.problems.len() - TOLD));
    }
    let grave = loaded.repairs.iter().filter(|repair| repair.is_grave()).count();
    if grave > 0 {
        told.push(format!("{path}: {grave} zones were mended; `citybrain zones check` says how"));
    }
    told
}

/// The grid that the settings ask for, or that makes up for missing zones.
fn grid(
    city: &CitySettings,
    layers: &[ZoneIndex],
    problems: &mut Vec<Problem>,
) -> Option<ZoneIndex> {
    let GridSettings { enabled, resolution } = city.grid.unwrap_or_default();
    let wanted = resolution.is_some() || city.zones.is_empty();
    if !enabled || !wanted {
        return None;
    }
    let Some(bounds) = city.bounds.or_else(|| layers.iter().find_map(ZoneIndex::bounds)) else {
        if resolution.is_some() {
            let hint = "write `bounds = [west, south, east, north]` in [city], or name a zone file";
            problems.push(Problem::new(
                "city.grid",
                "a grid needs to know where the city is",
                hint,
            ));
        }
        return None;
    };
    match ZoneIndex::h3_grid(bounds, resolution.unwrap_or_else(|| automatic_resolution(bounds))) {
        Ok(grid) => Some(grid),
        Err(error) => {
            let hint = "cells of resolution 7 have about 5 km², of 8 0.7 km², of 9 0.1 km²";
            problems.push(Problem::new("city.grid.resolution", error, hint));
            None
        }
    }
}

/// Reads the zone files again while the city runs.
pub struct Zones {
    city: CitySettings,
    registry: Arc<Registry>,
    rules: Arc<Book>,
    /// One reload at a time, with the state of the files at the last one.
    seen: Mutex<Stamps>,
}

impl std::fmt::Debug for Zones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zones").field("files", &self.files()).finish_non_exhaustive()
    }
}

impl Zones {
    /// Watches over the zones that the registry was opened with.
    pub fn new(city: CitySettings, registry: Arc<Registry>, rules: Arc<Book>) -> Self {
        let zones = Self { city, registry, rules, seen: Mutex::default() };
        *zones.seen.lock().unwrap_or_else(PoisonError::into_inner) = zones.stamps();
        zones
    }

    /// Reads all files and takes their zones, all or nothing: not if a file cannot be read, if a
    /// file that had zones has none any more, or if a rule names a zone or a layer that is gone.
    pub fn reload(&self) -> Result<ZoneReload, Vec<String>> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // What is written from now on is for the next time.
        *seen = self.stamps();
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        let index = read(&self.city, &mut problems, &mut warnings);
        let before = self.registry.zones();
        problems.extend(self.emptied(&before, &index));
        if !problems.is_empty() {
            return Err(problems.iter().map(ToString::to_string).collect());
        }
        let rules = self.rules.in_force().load_full();
        let after = self
            .registry
            .set_zones(index, |directory| rules.check_against(directory))
            .map_err(|found| vec![format!("rules name what is gone\n{found}")])?;
        if let Some(done) = self.rules.retry_disabled() {
            tracing::info!(added = ?done.changes.added, "rule groups that were disabled are in force");
        }
        let ids = |index: &ZoneIndex| -> BTreeSet<String> {
            index.zones().iter().map(|zone| zone.id.to_string()).collect()
        };
        let (old, new) = (ids(&before), ids(&after));
        Ok(ZoneReload {
            zones: new.len() as u64,
            added: new.difference(&old).cloned().collect(),
            removed: old.difference(&new).cloned().collect(),
            warnings,
        })
    }

    /// Layers that had zones and would have none.
    fn emptied(&self, before: &ZoneIndex, after: &ZoneIndex) -> Vec<Problem> {
        let layers = |index: &ZoneIndex| -> BTreeSet<Arc<str>> {
            index.layers().into_iter().map(|figures| figures.layer).collect()
        };
        let gone = &layers(before) - &layers(after);
        let files = self.city.zones.iter().enumerate();
        files
            .filter(|(_, file)| gone.contains(&*file.layer))
            .map(|(place, file)| {
                Problem::new(
                    format!("city.zones[{place}].file"),
                    format!("{} has no usable zone any more", file.file.display()),
                    "`citybrain zones check` says what is wrong with each feature",
                )
            })
            .collect()
    }

    /// Reloads when a file has changed and is complete, and on a hang-up signal, until told to
    /// stop.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let Some(mut watcher) = Watcher::new("zones", self.stamps()) else { return };
        while watcher.is_due(&stop, || self.stamps(), &self.seen).await {
            self.reload_and_tell().await;
        }
    }

    async fn reload_and_tell(self: &Arc<Self>) {
        let zones = self.clone();
        match tokio::task::spawn_blocking(move || zones.reload()).await {
            Ok(Ok(done)) => {
                for warning in &done.warnings {
                    tracing::warn!("{warning}");
                }
                tracing::info!(
                    zones = done.zones,
                    added = done.added.len(),
                    removed = done.removed.len(),
                    "zones reloaded"
                );
            }
            Ok(Err(problems)) => tracing::error!(
                "the zone files changed, but the zones stay as they are: {}",
                problems.join("; ")
            ),
            Err(error) => tracing::error!(error.cause = %error, "reloading the zones panicked"),
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        self.city.zones.iter().map(|file| file.file.clone()).collect()
    }

    fn stamps(&self) -> Stamps {
        watched::stamps(self.files())
    }
}

impl city_api::ZoneFiles for Zones {
    fn reload(&self) -> Result<ZoneReload, Vec<String>> {
        Zones::reload(self)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use city_model::{Catalogue, Position};
    use city_registry::Seed;
    use city_store::StateDb;

    use super::*;
    use crate::clock::SystemClock;
    use crate::rules::Rules;
    use crate::watched::LOOK_EVERY;

    /// A GeoJSON of squares of a degree, by name and west.
    fn squares(squares: &[(&str, i32)]) -> String {
        let mut features = String::new();
        for (place, (name, west)) in squares.iter().enumerate() {
            let (comma, east) = (if place > 0 { "," } else { "" }, west + 1);
            // Writing to a string cannot fail.
            let _ = write!(
                features,
                r#"{comma}{{"type":"Feature","properties":{{"name":"{name}"}},"geometry":{{"type":
                "Polygon","coordinates":[[[{west},0],[{east},0],[{east},1],[{west},1],[{west},0]]]}}}}"#
            );
        }
        format!(r#"{{"type":"FeatureCollection","features":[{features}]}}"#)
    }

    fn settings(text: &str) -> CitySettings {
        toml::from_str(&format!("name = \"A\"\ntime_zone = \"UTC\"\n{text}")).expect("settings")
    }

    fn read_all(city: &CitySettings) -> (ZoneIndex, Vec<Problem>, Vec<String>) {
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        let index = read(city, &mut problems, &mut warnings);
        (index, problems, warnings)
    }

    #[test]
    fn without_zone_files_the_bounds_make_a_grid_unless_it_is_switched_off() {
        let bounds = "bounds = [-87.94, 41.64, -87.52, 42.02]\n";
        let (index, problems, _) = read_all(&settings(bounds));
        assert!(problems.is_empty() && index.zones().len() > 1_000, "{}", index.zones().len());
        let off = settings(&format!("{bounds}grid = {{ enabled = false }}"));
        assert!(read_all(&off).0.zones().is_empty());
        assert!(read_all(&settings("")).0.zones().is_empty());
        let coarse = settings(&format!("{bounds}grid = {{ resolution = 6 }}"));
        assert!((20..120).contains(&read_all(&coarse).0.zones().len()));
    }

    #[test]
    fn a_grid_that_cannot_be_is_a_problem_with_a_hint() {
        let fine = "bounds = [-87.94, 41.64, -87.52, 42.02]\ngrid = { resolution = 12 }";
        let (_, problems, _) = read_all(&settings(fine));
        assert_eq!(problems[0].key, "city.grid.resolution");
        assert!(problems[0].message.contains("resolution 9 is the finest that fits"));
        let (_, problems, _) = read_all(&settings("grid = { resolution = 7 }"));
        assert_eq!(problems[0].key, "city.grid");
        let typo = toml::from_str::<CitySettings>(
            "name = \"A\"\ntime_zone = \"UTC\"\ngrid = { resolutions = 7 }",
        );
        assert!(typo.expect_err("unknown").to_string().contains("resolutions"));
    }

    const RULES: &str = "group: g\ndepartment: d\nrules:\n  - id: here\n    name: here\n    kind: threshold\n    select: {metric: pm25, zone: west}\n    severity: {high: {above: 100}}\n    summary: high\n";

    struct Fixture {
        folder: tempfile::TempDir,
        registry: Arc<Registry>,
        zones: Arc<Zones>,
    }

    impl Fixture {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("zones.geojson");
            std::fs::write(&file, squares(&[("West", 0), ("East", 1)])).expect("written");
            let mut city = settings("zones = [{ file = \"zones.geojson\", layer = \"district\" }]");
            city.zones[0].file = file;
            let (index, problems, warnings) = read_all(&city);
            assert!(problems.is_empty() && warnings.is_empty(), "{problems:?} {warnings:?}");
            let state = Arc::new(StateDb::in_memory().expect("a database"));
            let catalogue = Catalogue::embedded();
            let seed = Seed { catalogue, zones: index, ..Seed::default() };
            let registry = Arc::new(Registry::open(state.clone(), seed).expect("a registry"));
            std::fs::create_dir(folder.path().join("rules")).expect("made");
            std::fs::write(folder.path().join("rules/r.yaml"), RULES).expect("written");
            let rules = Some(folder.path().join("rules"));
            let clock = Arc::new(SystemClock);
            let rules =
                Rules::open(rules, city_rules::Setting::default(), state, registry.clone(), clock)
                    .expect("valid");
            let zones = Arc::new(Zones::new(city, registry.clone(), rules.book()));
            Self { folder, registry, zones }
        }

        fn write(&self, text: &str) {
            std::fs::write(self.folder.path().join("zones.geojson"), text).expect("written");
        }

        fn ids_at(&self, lon: f64) -> Vec<String> {
            let index = self.registry.zones();
            let set = index.locate(Position { lon, lat: 0.5 });
            set.iter().map(|key| index.zone(*key).expect("known").id.to_string()).collect()
        }
    }

    #[test]
    fn a_reload_takes_all_or_nothing() {
        let city = Fixture::new();
        city.write(&squares(&[("West", 0), ("Middle", 1), ("East", 2)]));
        let done = city.zones.reload().expect("good");
        assert_eq!((done.zones, done.added), (3, vec!["middle".to_owned()]));
        assert_eq!(city.ids_at(2.5), ["east"]);

        // A rule names the zone that would be gone.
        city.write(&squares(&[("Middle", 1), ("East", 2)]));
        let problems = city.zones.reload().expect_err("a rule needs it").join("\n");
        assert!(problems.contains("west") && problems.contains("r.yaml:7"), "{problems}");
        for (text, what) in [
            ("{", "not GeoJSON"),
            (r#"{"type":"FeatureCollection","features":[]}"#, "no usable zone any more"),
        ] {
            city.write(text);
            let problems = city.zones.reload().expect_err(what).join("\n");
            assert!(problems.contains(what), "{problems}");
        }
        assert_eq!(
            (city.ids_at(0.5), city.ids_at(1.5)),
            (vec!["west".to_owned()], vec!["middle".to_owned()])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_file_is_taken_up_once_it_is_complete() {
        let city = Fixture::new();
        let stop = CancellationToken::new();
        let watching = tokio::spawn(city.zones.clone().watch(stop.clone()));
        let before = city.registry.zones();
        // Nothing changed: nothing is read.
        tokio::time::sleep(LOOK_EVERY * 3).await;
        assert!(city.registry.has_zones(&before));
        city.write(&squares(&[("West", 0), ("Far East", 7)]));
        while city.registry.has_zones(&before) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        assert_eq!(city.ids_at(7.5), ["far-east"]);
        stop.cancel();
        watching.await.expect("ends");
    }
}
