//! Reads settings from a TOML file and the environment, and reports every problem at once.
//!
//! Serde stops at the first error. To find all, the value that an error is about is taken out
//! and reading starts again, until it succeeds or an error is about nothing that can be taken out.

use std::path::{Path, PathBuf};

use city_alert::CityFacts;
use city_cap::Issuer;
use serde_json::Value;

use super::{Problem, Problems, Settings};
use crate::city::City;

/// Environment variables that override the file: `CITYBRAIN__HTTP__LISTEN` is `http.listen`.
const PREFIX: &str = "CITYBRAIN";

/// After this many problems nobody reads on.
const MOST: usize = 50;

/// Why settings cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read or is not TOML.
    #[error("{}: {message}\n  hint: `citybrain config example` prints a complete file to start from", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The file is TOML, but says something that it cannot say.
    #[error("{}: {problems}", path.display())]
    Problems {
        /// The file.
        path: PathBuf,
        /// All that is wrong.
        problems: Problems,
    },
}

/// Reads the settings of a file, overridden by the environment. Paths in them are relative to
/// the file's directory.
pub fn load(path: &Path) -> Result<Settings, LoadError> {
    let tree = tree(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    match read(tree) {
        Ok(mut settings) => {
            settings.resolve_paths(folder);
            settings.tell_receivers_of_the_city();
            Ok(settings)
        }
        Err((rest, mut problems)) => {
            if let Some(mut rest) = rest {
                rest.resolve_paths(folder);
                add_what_else_is_wrong(*rest, &mut problems);
            }
            Err(LoadError::Problems { path: path.to_owned(), problems })
        }
    }
}

/// What a file says, overridden by the environment, before anything is made of it.
pub(crate) fn tree(path: &Path) -> Result<Value, LoadError> {
    let file_error = |message: String| LoadError::File { path: path.to_owned(), message };
    let text = std::fs::read_to_string(path).map_err(|error| file_error(error.to_string()))?;
    let environment = config::Environment::with_prefix(PREFIX)
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true);
    let merged = config::Config::builder()
        .add_source(config::File::from_str(&text, config::FileFormat::Toml))
        .add_source(environment)
        .build()
        .map_err(|error| file_error(error.to_string()))?;
    merged.try_deserialize().map_err(|error| file_error(error.to_string()))
}

/// Checks what could be read, so that one run tells everything: what the values mean, and the
/// files that they name. What is said about a part that was reported already may be an echo of it
/// and is left out.
fn add_what_else_is_wrong(rest: Settings, problems: &mut Problems) {
    let Err(more) = City::read(rest) else { return };
    let table = |key: &str| key.split(['.', ' ']).next().unwrap_or(key).to_owned();
    let known: Vec<String> = problems.0.iter().map(|problem| table(&problem.key)).collect();
    problems.0.extend(more.0.into_iter().filter(|problem| !known.contains(&table(&problem.key))));
}

impl Settings {
    /// What messages of receivers say of the city. A time zone that is not known is reported with
    /// the city.
    fn tell_receivers_of_the_city(&mut self) {
        let time_zone =
            jiff::tz::TimeZone::get(&self.city.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let name = self.city.name.clone();
        let cap = self.issuer().and_then(Result::ok);
        let city = CityFacts { name, time_zone, cap, ..CityFacts::default() };
        self.receivers.iter_mut().for_each(|receiver| receiver.city = city.clone());
    }

    /// Who speaks in the Common Alerting Protocol; otherwise what is wrong with it, key by key.
    pub fn issuer(&self) -> Option<Result<Issuer, Vec<(&'static str, String)>>> {
        let time_zone =
            jiff::tz::TimeZone::get(&self.city.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        self.cap.as_ref().map(|cap| Issuer::new(cap, self.city.name.clone(), time_zone))
    }

    fn resolve_paths(&mut self, base: &Path) {
        let resolve = |path: &mut PathBuf| *path = base.join(&*path);
        resolve(&mut self.data_dir);
        self.http.resolve_paths(base);
        self.mqtt.resolve_paths(base);
        self.log.resolve_paths(base);
        self.brokers.iter_mut().for_each(|broker| broker.connect.resolve_paths(base));
        self.city.zones.iter_mut().for_each(|zones| resolve(&mut zones.file));
        self.city.base_map.iter_mut().for_each(|layer| layer.resolve_paths(base));
        for path in [&mut self.city.devices, &mut self.city.metrics, &mut self.city.rules] {
            path.iter_mut().for_each(resolve);
        }
        self.city.codecs.iter_mut().for_each(resolve);
        self.store.influxdb.iter_mut().for_each(|influxdb| influxdb.resolve_paths(base));
        self.receivers.iter_mut().for_each(|receiver| receiver.resolve_paths(base));
        #[cfg(feature = "bus")]
        self.bus.iter_mut().for_each(|bus| bus.nats.resolve_paths(base));
    }
}

/// Reads settings from a tree; reports all problems, with the settings that are left when
/// everything that is wrong is taken out, if that can be read.
fn read(mut tree: Value) -> Result<Settings, (Option<Box<Settings>>, Problems)> {
    let mut problems = Vec::new();
    let mut settings = None;
    while problems.len() < MOST {
        match serde_path_to_error::deserialize::<_, Settings>(tree.clone()) {
            Ok(read) => {
                settings = Some(read);
                break;
            }
            Err(error) => {
                let path = error.path().to_string();
                let message = error.into_inner().to_string();
                if !note(&mut tree, &path, &message, &mut problems) {
                    break;
                }
            }
        }
    }
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        rest => Err((rest.map(Box::new), Problems(problems))),
    }
}

/// Notes a problem and takes its value out of the tree; returns whether reading can go on.
fn note(tree: &mut Value, path: &str, message: &str, problems: &mut Vec<Problem>) -> bool {
    if let Some(field) = quoted_after(message, "unknown field ") {
        // The path may or may not end with the unknown field itself.
        let parent = path.strip_suffix(field).map_or(path, |p| p.trim_end_matches('.'));
        let key = join(parent, field);
        problems.push(Problem {
            key: key.clone(),
            message: "there is no such key".to_owned(),
            hint: Some(nearest(field, message)),
        });
        return take(tree, parent, Some(field));
    }
    if let Some(field) = quoted_after(message, "missing field ") {
        let key = join(path, field);
        // Missing only because it, or a part of it, was taken out before.
        let part = format!("{key}.");
        let caused =
            problems.iter().any(|problem| problem.key == key || problem.key.starts_with(&part));
        if !caused {
            problems.push(Problem::new(key, "this key is needed", hint_for(field)));
        }
        return take(tree, path, None);
    }
    problems.push(Problem {
        key: path.to_owned(),
        message: message.to_owned(),
        hint: Some(hint_for(path.rsplit('.').next().unwrap_or(path))),
    });
    take(tree, path, None)
}

fn join(parent: &str, field: &str) -> String {
    if parent.is_empty() || parent == "." { field.to_owned() } else { format!("{parent}.{field}") }
}

/// The name in backquotes after `before`.
fn quoted_after<'a>(message: &'a str, before: &str) -> Option<&'a str> {
    let rest = message.split_once(before)?.1.strip_prefix('`')?;
    rest.split('`').next()
}

/// Takes the value at a path like `source[2].options` out of the tree, or one field of it.
fn take(tree: &mut Value, path: &str, field: Option<&str>) -> bool {
    let mut steps = Vec::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let mut pieces = part.split('[');
        let name = pieces.next().unwrap_or_default();
        if !name.is_empty() {
            steps.push(name.to_owned());
        }
        steps.extend(pieces.map(|index| index.trim_end_matches(']').to_owned()));
    }
    steps.extend(field.map(str::to_owned));
    let Some(last) = steps.pop() else { return false };
    let mut at = tree;
    for step in &steps {
        let next = match at {
            Value::Object(map) => map.get_mut(step),
            Value::Array(list) => step.parse::<usize>().ok().and_then(|index| list.get_mut(index)),
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None => return false,
        }
    }
    match at {
        Value::Object(map) => map.remove(&last).is_some(),
        Value::Array(list) => match last.parse::<usize>() {
            Ok(index) if index < list.len() => {
                list.remove(index);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// The known key that looks most like the unknown one, out of serde's list.
fn nearest(field: &str, message: &str) -> String {
    let list = message.split_once("expected ").map_or("", |(_, list)| list);
    let known: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    let best = known.iter().map(|key| (distance(field, key), *key)).min();
    match best {
        Some((distance, key)) if distance <= 2.max(field.len() / 3) => {
            format!("did you mean `{key}`?")
        }
        Some(_) => format!("the keys here are {}", known.join(", ")),
        None => "remove it".to_owned(),
    }
}

/// The edits that turn one word into the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn hint_for(field: &str) -> String {
    match field {
        "listen" => "write an address with a port, such as \"127.0.0.1:8080\"",
        "time_zone" => "write an IANA name, such as \"Asia/Shanghai\"",
        "name" => "write { en = \"…\", zh = \"…\" }, or one text for both languages",
        "city" => "add a [city] table with name and time_zone",
        "topic" => "write a template such as \"city/{department}/{device}/up\"",
        "format" => "name one of the formats: json, senml, line_protocol, chirpstack, ttn",
        "crs" => "one of WGS-84, GCJ-02, BD-09, CGCS2000",
        "retention" | "keep_alive" => "write a length of time, such as \"90d\" or \"30s\"",
        "bounds" => "write [west, south, east, north] in degrees",
        _ => "see `citybrain config example` for a complete file with comments",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<(String, String, String)> {
        let tree: toml::Value = toml::from_str(text).expect("TOML");
        let tree = serde_json::to_value(tree).expect("JSON");
        let (_, problems) = read(tree).expect_err("has problems");
        problems.0.into_iter().map(|p| (p.key, p.message, p.hint.unwrap_or_default())).collect()
    }

    #[test]
    fn three_mistakes_are_reported_at_once_each_with_its_key() {
        let found = problems(
            "[city]\nname = \"A\"\ntime_zone = 5\n[http]\nlisten = \"nowhere\"\nexpoze = true\n",
        );
        let keys: Vec<_> = found.iter().map(|(key, ..)| key.as_str()).collect();
        assert!(keys.contains(&"http.listen"), "{found:?}");
        assert!(keys.contains(&"http.expoze"), "{found:?}");
        assert!(keys.contains(&"city.time_zone"), "{found:?}");
        assert_eq!(found.len(), 3, "{found:?}");
        let hint = &found.iter().find(|(key, ..)| key == "http.expoze").expect("found").2;
        assert_eq!(hint, "did you mean `expose`?");
    }

    #[test]
    fn mistakes_in_lists_are_located() {
        let found = problems(
            "[city]\nname = \"A\"\ntime_zone = \"UTC\"\n[[source]]\nid = \"a\"\ntopic = \"a\"\nformat = \"json\"\n\
             [[source]]\nid = \"b\"\ntopic = \"b\"\nformat = \"json\"\ncrs = \"WGS84\"\n",
        );
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, "source[1].crs");
    }

    #[test]
    fn a_missing_city_is_said_once() {
        let found = problems("[http]\nexpose = true\n");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, "city");
    }
}
