//! The files that a configuration names: those that belong into a backup, and the secrets.
//!
//! They are found by the names of their keys, so that a part of the program that gets a new file
//! need not be known here: `…_file`, `file`, `cert`, `key`, `client_ca`, `client_crl`, and the
//! folders and lists of `[city]`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::LeftOut;
use super::files::below;

/// Files of the configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// Those to take along, with the configuration itself.
    pub(super) files: Vec<PathBuf>,
    /// Secrets, and what is not there.
    pub(super) left_out: Vec<LeftOut>,
}

/// Keys of `[city]` that name a file or a folder.
const OF_CITY: &[&str] = &["city.devices", "city.metrics", "city.rules", "city.codecs"];
/// Names of keys that name a file, beside those that end with `_file`.
const NAMES: &[&str] = &["file", "cert", "key", "client_ca", "client_crl"];
/// What is written and not read.
const WRITTEN: &[&str] = &["log.file"];
/// Parts of the names of keys whose files hold secrets; a robot's address is one, too.
const SECRET: &[&str] = &["key", "password", "token", "secret", "url"];

/// Everything that a configuration names, which was read from this file.
pub(super) fn files(tree: &Value, config: &Path) -> anyhow::Result<Named> {
    let base = super::files::parent_of(config);
    let mut named = Named { files: vec![config.to_owned()], left_out: Vec::new() };
    let mut found = Vec::new();
    walk(tree, "", &mut found);
    for (key, value) in found {
        let path = base.join(value);
        let last = key.rsplit('.').next().unwrap_or(&key);
        if SECRET.iter().any(|part| last.contains(part)) || !path.exists() {
            named.left_out.push(LeftOut { path, key });
        } else if path.is_dir() {
            named.files.extend(below(&path)?.into_iter().map(|name| path.join(name)));
        } else {
            named.files.push(path);
        }
    }
    named.files.sort();
    named.files.dedup();
    Ok(named)
}

fn walk<'a>(value: &'a Value, key: &str, found: &mut Vec<(String, &'a str)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                walk(value, &key, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, key, found)),
        Value::String(text) => {
            let last = key.rsplit('.').next().unwrap_or(key);
            let is_file =
                last.ends_with("_file") || NAMES.contains(&last) || OF_CITY.contains(&key);
            if is_file && !WRITTEN.contains(&key) && !text.is_empty() {
                found.push((key.to_owned(), text));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_are_taken_along_and_secrets_are_only_listed() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("rules/air")).expect("folders");
        for name in
            ["city.toml", "zones.json", "rules/air/a.yaml", "cert.pem", "key.pem", "pass", "robot"]
        {
            std::fs::write(at(name), name).expect("written");
        }
        let tree: Value = toml::from_str(
            r#"data_dir = "."
            [city]
            rules = "rules"
            zones = [{ file = "zones.json", layer = "x", name_property = "key" }]
            [log]
            file = "zones.json"
            [mqtt.tls]
            cert = "cert.pem"
            key = "key.pem"
            [[broker]]
            [broker.connect]
            password_file = "pass"
            [[receiver]]
            [receiver.options]
            url_file = "robot"
            ca_file = "gone.pem""#,
        )
        .expect("TOML");
        let named = files(&tree, &at("city.toml")).expect("found");
        let expected = ["cert.pem", "city.toml", "rules/air/a.yaml", "zones.json"].map(at);
        assert_eq!(named.files, expected);
        let left: Vec<&str> = named.left_out.iter().map(|left| left.key.as_str()).collect();
        let expected = [
            "broker.connect.password_file",
            "mqtt.tls.key",
            "receiver.options.ca_file",
            "receiver.options.url_file",
        ];
        assert_eq!(left, expected);
    }
}
