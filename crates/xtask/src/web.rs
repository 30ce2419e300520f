//! Builds the dashboard into the crate that embeds it, or checks that it is built.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::run::{program, root};
use crate::tools;

const BUILT: &str = "crates/api/web";

pub(crate) fn build(check: bool) -> anyhow::Result<()> {
    tools::npm()?;
    if !check {
        return program("dashboards/web", "npm", &["run", "build"]);
    }
    let scratch = root().join("target/web-check");
    let out = scratch.to_string_lossy().into_owned();
    program("dashboards/web", "npm", &["run", "build", "--", "--outDir", &out, "--emptyOutDir"])?;
    let (built, committed) = (files(&scratch)?, files(&root().join(BUILT))?);
    let names: std::collections::BTreeSet<_> = built.keys().chain(committed.keys()).collect();
    let different: Vec<_> =
        names.into_iter().filter(|name| built.get(*name) != committed.get(*name)).collect();
    if !different.is_empty() {
        bail!(
            "{BUILT} is not what dashboards/web builds: {different:?}; run `cargo xtask web` and commit it"
        );
    }
    eprintln!("{BUILT} is up to date ({} files)", committed.len());
    Ok(())
}

fn files(top: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(top)?.to_string_lossy().into_owned();
                found.insert(name, fs::read(&path)?);
            }
        }
    }
    Ok(found)
}
