//! The bill of materials of what ships, by `CycloneDX` 1.6: crates of the program and packages of its
//! web app, with versions, licences and checksums.
//!
//! Crates are those that `cargo metadata` resolves for the program on a target, without what only builds
//! or tests it; packages are those that the web app's lock file marks for production.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::run::root;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

/// The bill as JSON, for a program that is built for `target`.
pub(crate) fn bill(program: &str, target: &str) -> anyhow::Result<String> {
    let mut components = crates(program, target)?;
    let version = components
        .iter()
        .find(|component| component["name"] == program)
        .and_then(|component| component["version"].as_str())
        .context("the program is not among the crates")?
        .to_owned();
    components.extend(packages()?);
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": {
            "type": "application", "bom-ref": program, "name": program, "version": version,
        } },
        "components": components,
    });
    Ok(serde_json::to_string_pretty(&bill)? + "\n")
}

fn crates(program: &str, target: &str) -> anyhow::Result<Vec<Value>> {
    let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", target];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
    let checksums = checksums(&fs::read_to_string(root().join("Cargo.lock"))?);
    let by_id: BTreeMap<&str, &Package> =
        metadata.packages.iter().map(|package| (package.id.as_str(), package)).collect();
    let nodes: BTreeMap<&str, &Node> =
        metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let first = metadata.packages.iter().find(|package| package.name == program);
    let mut open = vec![first.context("there is no such program")?.id.as_str()];
    let mut reached = BTreeSet::new();
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            let deps = nodes.get(id).into_iter().flat_map(|node| &node.deps);
            let ships = |of: &&Dependency| of.dep_kinds.iter().any(|kind| kind.kind.is_none());
            open.extend(deps.filter(ships).map(|of| of.pkg.as_str()));
        }
    }
    let mut found: Vec<&Package> =
        reached.into_iter().filter_map(|id| by_id.get(id).copied()).collect();
    found.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(found
        .into_iter()
        .map(|Package { name, version, license, source, .. }| {
            let hash = checksums.get(&(name.clone(), version.clone()));
            let purl = source.is_some().then(|| format!("pkg:cargo/{name}@{version}"));
            component(name, version, license.as_deref(), purl, hash.map(|sum| ("SHA-256", sum)))
        })
        .collect())
}

/// The checksums of a lock file, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let member = |block: &str, name: &str| {
        let start = format!("{name} = \"");
        let line = block.lines().find_map(|line| line.strip_prefix(&start))?;
        Some(line.trim_end_matches('"').to_owned())
    };
    lock.split("[[package]]")
        .filter_map(|block| {
            let key = (member(block, "name")?, member(block, "version")?);
            Some((key, member(block, "checksum")?))
        })
        .collect()
}

fn packages() -> anyhow::Result<Vec<Value>> {
    let lock = fs::read_to_string(root().join("dashboards/web/package-lock.json"))?;
    let lock: Value = serde_json::from_str(&lock)?;
    let packages = lock["packages"].as_object().context("package-lock.json has no packages")?;
    let ships = packages.iter().filter(|(path, of)| !path.is_empty() && of["dev"] != true);
    Ok(ships
        .filter_map(|(path, of)| {
            let name = path.rsplit("node_modules/").next()?;
            let version = of["version"].as_str()?;
            let purl = format!("pkg:npm/{}@{version}", name.replace('@', "%40"));
            Some(component(name, version, of["license"].as_str(), Some(purl), None))
        })
        .collect())
}

fn component(
    name: &str,
    version: &str,
    license: Option<&str>,
    purl: Option<String>,
    hash: Option<(&str, &String)>,
) -> Value {
    let mut component = json!({ "type": "library", "name": name, "version": version });
    if let Some(license) = license {
        // Older crates write OR as a slash.
        component["licenses"] = json!([{ "expression": license.replace('/', " OR ") }]);
    }
    if let Some(purl) = purl {
        component["bom-ref"] = json!(purl);
        component["purl"] = json!(purl);
    }
    if let Some((kind, sum)) = hash {
        component["hashes"] = json!([{ "alg": kind, "content": sum }]);
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_is_listed_with_licences_and_checksums() {
        let bill = bill("citybrain", "x86_64-unknown-linux-gnu").expect("a bill");
        let bill: Value = serde_json::from_str(&bill).expect("json");
        let components = bill["components"].as_array().expect("a list");
        let find = |name: &str| components.iter().find(|component| component["name"] == name);
        let axum = find("axum").expect("it is built with axum");
        assert_eq!(axum["hashes"][0]["content"].as_str().map(str::len), Some(64));
        assert_eq!(axum["licenses"][0]["expression"], "MIT");
        assert!(find("maplibre-gl").is_some(), "the web app's packages");
        assert!(find("proptest").is_none() && find("vite").is_none(), "tests do not ship");
        let unlicensed: Vec<_> = components.iter().filter(|of| of["licenses"].is_null()).collect();
        assert!(unlicensed.is_empty(), "{unlicensed:?}");
        let refs: BTreeSet<_> = components.iter().filter_map(|of| of["bom-ref"].as_str()).collect();
        let named = components.iter().filter(|of| !of["bom-ref"].is_null()).count();
        assert_eq!(refs.len(), named, "each reference stands once");
    }
}
