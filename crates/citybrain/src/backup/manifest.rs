//! The list of what is in a backup.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use city_model::Timestamp;
use city_store::Stamp;
use serde::{Deserialize, Serialize};

/// The name of the list.
pub const MANIFEST: &str = "manifest.json";
/// The layout that this program writes and reads.
const FORMAT: u32 = 1;

/// The list of what is in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The layout of the backup.
    pub format: u32,
    /// The version of the program that took it.
    pub citybrain: String,
    /// When it was begun: what was acknowledged before is in it.
    pub begun_at: Timestamp,
    /// When the state database was copied.
    pub state_at: Timestamp,
    /// The data folder that it is of.
    pub data_dir: PathBuf,
    /// The configuration file that it is of, if that is in it.
    pub config: Option<PathBuf>,
    /// Every file in it.
    pub files: Vec<Entry>,
    /// What is needed beside it.
    pub left_out: Vec<LeftOut>,
}

/// A file in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name, relative to the backup, with `/` between its parts.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 (FIPS 180-4) of its content, in hexadecimal digits.
    pub sha256: String,
    /// What the file was that this is a copy of, so that the next backup knows whether it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Stamp>,
    /// Where it was, if it is a file of the configuration from outside of its folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<PathBuf>,
}

/// A file that the configuration names and the backup does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Where it is.
    pub path: PathBuf,
    /// The key of the configuration that names it.
    pub key: String,
}

impl Manifest {
    /// An empty list.
    pub(super) fn new(data_dir: &Path, config: Option<&Path>, begun_at: Timestamp) -> Self {
        Self {
            format: FORMAT,
            citybrain: env!("CARGO_PKG_VERSION").to_owned(),
            begun_at,
            state_at: begun_at,
            data_dir: data_dir.to_owned(),
            config: config.map(Path::to_owned),
            files: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// All bytes of the files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Reads the list of a backup that is a folder.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(MANIFEST);
        let text = fs::read(&path).with_context(|| {
            format!("{} is no backup: {} cannot be read", folder.display(), path.display())
        })?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    /// Reads a list, and refuses what would lead out of the backup.
    pub(super) fn parse(text: &[u8]) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
            citybrain: String,
        }
        let Version { format, citybrain } =
            serde_json::from_slice(text).context("this is no list of a backup")?;
        ensure!(
            format == FORMAT,
            "the backup has format {format}, and this program reads {FORMAT}; use citybrain {citybrain}"
        );
        let manifest: Self = serde_json::from_slice(text).context("the list is damaged")?;
        let mut seen = std::collections::BTreeSet::new();
        for Entry { path, .. } in &manifest.files {
            let mut parts = Path::new(path).components();
            let top = parts.next();
            let inside = [Component::Normal("data".as_ref()), Component::Normal("config".as_ref())]
                .iter()
                .any(|allowed| top.as_ref() == Some(allowed));
            let rest: Vec<_> = parts.collect();
            let plain = rest.iter().all(|part| matches!(part, Component::Normal(_)));
            if !inside || !plain || rest.is_empty() || path.contains('\\') {
                bail!("`{path}` leads out of the backup; somebody has changed the list");
            }
            ensure!(seen.insert(path), "`{path}` is there twice; somebody has changed the list");
        }
        Ok(manifest)
    }

    pub(super) fn to_json(&self) -> anyhow::Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(paths: &[&str]) -> anyhow::Result<Manifest> {
        let mut manifest = Manifest::new(Path::new("/d"), None, Timestamp::from_secs(0));
        manifest.files = paths
            .iter()
            .map(|path| Entry {
                path: (*path).to_owned(),
                bytes: 0,
                sha256: String::new(),
                stamp: None,
                original: None,
            })
            .collect();
        Manifest::parse(&manifest.to_json().expect("JSON"))
    }

    #[test]
    fn a_list_that_leads_out_of_the_backup_is_refused() {
        with(&["data/state.db", "config/rules/a.yaml"]).expect("good");
        for bad in [
            "/etc/passwd",
            "../x",
            "data/../../x",
            "data",
            "data/./../x",
            "state.db",
            "data\\..\\x",
            "",
        ] {
            let error = with(&[bad]).expect_err(bad);
            assert!(error.to_string().contains("leads out"), "{bad}: {error}");
        }
        let error = with(&["data/a", "data/a"]).expect_err("twice");
        assert!(error.to_string().contains("twice"), "{error}");
    }

    #[test]
    fn another_format_is_refused_with_the_program_that_reads_it() {
        let error = Manifest::parse(br#"{"format": 9, "citybrain": "7.1", "new": true}"#)
            .expect_err("another format");
        assert!(error.to_string().contains("use citybrain 7.1"), "{error}");
    }
}
