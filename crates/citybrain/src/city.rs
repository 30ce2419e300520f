//! What the files that the settings name say: zones, metrics, devices, rules, sources. Everything
//! is read and checked before anything is started, and all problems are reported at once.

use std::fs;
use std::path::{Path, PathBuf};

use city_api::BaseMap;
use city_model::{Catalogue, Directory};
use city_pipeline::Sources;
use city_registry::{DeviceEntry, Seed, read_devices};
use city_rules::{Condition, RuleSet, Setting};

use crate::codecs::CodecFiles;
use crate::settings::{Problem, Problems, Settings, StoreBackend, check_meaning};

/// The city, ready to be started.
pub struct City {
    /// The settings that it was read from.
    pub settings: Settings,
    /// What goes to the registry.
    pub seed: Seed,
    /// The devices to import.
    pub devices: Vec<DeviceEntry>,
    /// What lies under the zones on the map.
    pub base_map: BaseMap,
    /// The rules.
    pub rules: RuleSet,
    /// The sources.
    pub sources: Sources,
    /// The codec files that kinds of devices name.
    pub codecs: CodecFiles,
    /// West, south, east, north of where devices may be, if the settings or the zones say.
    pub bounds: Option<[f64; 4]>,
    /// West, south, east, north of what the map shows first.
    pub shown_bounds: [f64; 4],
    /// What is odd but no reason to refuse, such as a zone that had to be left out.
    pub warnings: Vec<String>,
}

impl City {
    /// Reads and checks everything that the settings name.
    pub fn read(mut settings: Settings) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut warnings = Vec::new();
        if settings.city.simulated {
            for source in &mut settings.sources {
                source.simulated = true;
            }
        }
        check_values(&settings, &mut problems.0);
        let zones = crate::zones::read(&settings.city, &mut problems.0, &mut warnings);
        let base_map = crate::base_map::read(&settings.city.base_map, &mut problems.0);
        let catalogue = read_catalogue(settings.city.metrics.as_deref(), &mut problems.0);
        let mut devices = read_device_file(settings.city.devices.as_deref(), &mut problems.0);
        check_meaning(&settings, &catalogue, &devices, &mut problems.0);
        if settings.city.simulated {
            for device in &mut devices {
                device.simulated = true;
            }
        }
        let sources = compile_sources(&settings, &mut problems.0);
        let codecs = CodecFiles::read(settings.city.codecs.as_deref(), &mut problems.0);
        codecs.check(&settings.city.kinds, &mut problems.0);
        crate::kinds::check(&settings.city.kinds, &catalogue, &mut problems.0);
        let setting = Setting::in_zone(&settings.city.time_zone).unwrap_or_default();
        let rules = read_rules(settings.city.rules.as_deref(), &setting, &mut problems.0);
        let directory = Directory::new([], catalogue.clone(), zones.zones().to_vec(), 0);
        if let Err(found) = rules.check_against(&directory) {
            problems.0.push(rule_problem(settings.city.rules.as_deref(), &found));
        }
        let is_zone = |id: &str| directory.zone_by_id(id).is_some();
        crate::receivers::check_zones(&settings, is_zone, &mut problems.0);
        problems.into_result()?;
        warnings.extend(crate::receivers::unknown_rules(&settings, &rules));
        warnings.extend(indices_not_computed(&settings, &rules));
        let bounds = settings.city.bounds.or_else(|| zones.bounds());
        let seed = Seed {
            catalogue,
            zones,
            kinds: settings.city.kinds.clone(),
            departments: settings.city.departments.clone(),
        };
        let shown_bounds = bounds.or_else(|| bounds_of(&devices)).unwrap_or(WORLD);
        Ok(Self {
            settings,
            seed,
            devices,
            base_map,
            rules,
            sources,
            codecs,
            bounds,
            shown_bounds,
            warnings,
        })
    }
}

/// What a map shows of which nothing is known.
const WORLD: [f64; 4] = [-180.0, -85.0, 180.0, 85.0];

/// The box around the devices that stand still, a little wider.
fn bounds_of(devices: &[DeviceEntry]) -> Option<[f64; 4]> {
    const MARGIN_DEG: f64 = 0.02;
    let places = devices.iter().filter_map(|device| device.position);
    places.fold(None, |bounds: Option<[f64; 4]>, place| {
        let [west, south, east, north] = [
            place.lon - MARGIN_DEG,
            place.lat - MARGIN_DEG,
            place.lon + MARGIN_DEG,
            place.lat + MARGIN_DEG,
        ];
        Some(bounds.map_or([west, south, east, north], |b| {
            [b[0].min(west), b[1].min(south), b[2].max(east), b[3].max(north)]
        }))
    })
}

/// What types alone cannot say.
fn check_values(settings: &Settings, problems: &mut Vec<Problem>) {
    if Setting::in_zone(&settings.city.time_zone).is_none() {
        problems.push(Problem::new(
            "city.time_zone",
            format!("`{}` is no time zone", settings.city.time_zone),
            "write an IANA name, such as \"Asia/Shanghai\" or \"Europe/Copenhagen\"",
        ));
    }
    settings.http.check(problems);
    settings.log.check(problems);
    settings.mqtt.check(problems);
    settings.hj212.check(&settings.sources, problems);
    #[cfg(feature = "bus")]
    if let Some(bus) = &settings.bus {
        bus.check(problems);
    }
    #[cfg(not(feature = "bus"))]
    if settings.bus.is_some() {
        problems.push(Problem::new(
            "bus",
            "this citybrain was built without the bus",
            "leave [bus] out, or build it with `cargo build --release --features bus`",
        ));
    }
    check_store(settings, problems);
    for (key, message) in settings.issuer().and_then(Result::err).into_iter().flatten() {
        let hint = "see [cap] of `citybrain config example`";
        problems.push(Problem::new(format!("cap.{key}"), message, hint));
    }
    check_outside(settings, problems);
    let names: Vec<&str> = settings.brokers.iter().map(|broker| broker.name.as_str()).collect();
    for (index, source) in settings.sources.iter().enumerate() {
        if let Some(broker) = source.broker.as_deref().filter(|name| !names.contains(name)) {
            problems.push(Problem::new(
                format!("source[{index}].broker"),
                format!("there is no broker `{broker}`"),
                format!("add a [[broker]] with this name; there are: {}", names.join(", ")),
            ));
        }
    }
}

/// A server that is described is checked, even while it is not used.
fn check_store(settings: &Settings, problems: &mut Vec<Problem>) {
    match &settings.store.influxdb {
        Some(influxdb) => {
            problems.extend(influxdb.options(crate::store::local(&settings.store)).err());
        }
        None if settings.store.backend == StoreBackend::InfluxDb => problems.push(Problem::new(
            "store.influxdb",
            "the backend is InfluxDB, but there is no server",
            "add a [store.influxdb] with url, org and token; `citybrain config example` shows it",
        )),
        None => {}
    }
}

/// Receivers and brokers are made once for a try, so that a check finds what a start would find.
fn check_outside(settings: &Settings, problems: &mut Vec<Problem>) {
    for (index, receiver) in settings.receivers.iter().enumerate() {
        let key = format!("receiver[{index}] (`{}`)", receiver.id);
        if let Err(error) = receiver.check() {
            problems.push(Problem::new(
                &key,
                error,
                "see the [[receiver]] of `citybrain config example`",
            ));
        }
        let twice = settings.receivers[..index].iter().any(|other| other.id == receiver.id);
        if twice || receiver.id == crate::app::BRAIN {
            problems.push(Problem::new(
                key,
                "this id is taken",
                "give each receiver an id of its own",
            ));
        }
    }
    for (index, broker) in settings.brokers.iter().enumerate() {
        let key = format!("broker[{index}] (`{}`)", broker.name);
        problems.extend(broker.connect.problems().iter().map(|problem| {
            let key = format!("broker[{index}].connect.{} (`{}`)", problem.key, broker.name);
            Problem::new(key, problem, "see the [[broker]] of `citybrain config example`")
        }));
        if settings.brokers[..index].iter().any(|other| other.connect.displaces(&broker.connect)) {
            problems.push(Problem::new(
                format!("broker[{index}].connect.client_id (`{}`)", broker.name),
                "another [[broker]] has the same host, port and client_id; the two would throw each other out for ever",
                "give each a client_id of its own, or leave one out",
            ));
        }
        if settings.brokers[..index].iter().any(|other| other.name == broker.name) {
            problems.push(Problem::new(
                key,
                "this name is taken",
                "give each broker a name of its own",
            ));
        }
    }
}

fn read_file(path: &Path, key: &str, problems: &mut Vec<Problem>) -> Option<String> {
    fs::read_to_string(path)
        .map_err(|error| {
            problems.push(Problem::new(
                key,
                format!("{} cannot be read: {error}", path.display()),
                "paths are relative to the configuration file",
            ));
        })
        .ok()
}

fn read_catalogue(path: Option<&Path>, problems: &mut Vec<Problem>) -> Catalogue {
    let embedded = Catalogue::embedded();
    let Some(path) = path else { return embedded };
    let Some(text) = read_file(path, "city.metrics", problems) else { return embedded };
    match Catalogue::parse(&text) {
        Ok(own) => embedded.overlaid(&own),
        Err(error) => {
            let hint = "see crates/model/src/catalogue.toml for the shape";
            problems.push(Problem::new(
                "city.metrics",
                format!("{}: {error}", path.display()),
                hint,
            ));
            embedded
        }
    }
}

fn read_device_file(path: Option<&Path>, problems: &mut Vec<Problem>) -> Vec<DeviceEntry> {
    let Some(path) = path else { return Vec::new() };
    let Some(text) = read_file(path, "city.devices", problems) else { return Vec::new() };
    read_devices(&path.display().to_string(), &text).unwrap_or_else(|error| {
        problems.push(Problem {
            key: "city.devices".to_owned(),
            message: error.to_string(),
            hint: None,
        });
        Vec::new()
    })
}

fn compile_sources(settings: &Settings, problems: &mut Vec<Problem>) -> Sources {
    Sources::compile(&settings.sources).unwrap_or_else(|found| {
        problems.extend(found.into_iter().map(|problem| Problem {
            key: format!("source[{}] (`{}`)", problem.place - 1, problem.id),
            message: problem.error.to_string(),
            hint: None,
        }));
        Sources::default()
    })
}

/// The rule files of a directory, in the order of their names: (name, text).
pub fn rule_files(directory: &Path) -> std::io::Result<Vec<(String, String)>> {
    rule_paths(directory)?
        .into_iter()
        .map(|path| Ok((path.display().to_string(), fs::read_to_string(&path)?)))
        .collect()
}

/// The paths of the rule files of a directory, in order.
pub fn rule_paths(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.retain(|path| {
        path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
    });
    paths.sort();
    Ok(paths)
}

fn read_rules(directory: Option<&Path>, setting: &Setting, problems: &mut Vec<Problem>) -> RuleSet {
    let Some(directory) = directory else { return RuleSet::default() };
    let files = match rule_files(directory) {
        Ok(files) => files,
        Err(error) => {
            problems.push(Problem::new(
                "city.rules",
                format!("{} cannot be read: {error}", directory.display()),
                "it must be a directory with *.yaml files",
            ));
            return RuleSet::default();
        }
    };
    RuleSet::parse_in(&files, setting).unwrap_or_else(|found| {
        problems.push(rule_problem(Some(directory), &found));
        RuleSet::default()
    })
}

/// Rules on an air quality index that is not computed here: they would never fire.
fn indices_not_computed(settings: &Settings, rules: &RuleSet) -> Vec<String> {
    let computed = |id: &str| settings.derived.aqi.iter().any(|aqi| aqi.standard.id == id);
    let rules = rules.rules().iter().filter_map(|rule| match &rule.condition {
        Condition::Index(index) if !computed(index.standard.id) => Some(format!(
            "rule `{}`: the index {} is not computed, so it never fires; add [[derived.aqi]] with \
             standard = \"{}\" and the kinds of devices",
            rule.id, index.standard.name, index.standard.id
        )),
        _ => None,
    });
    rules.collect()
}

fn rule_problem(directory: Option<&Path>, found: &city_rules::RuleProblems) -> Problem {
    let key =
        directory.map_or_else(|| "rules".to_owned(), |path| format!("rules in {}", path.display()));
    Problem { key, message: format!("\n{found}"), hint: None }
}
