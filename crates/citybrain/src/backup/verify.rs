//! Checks that a backup is what was taken.

use std::collections::BTreeMap;
use std::path::Path;

use super::hash::{self, Digest};
use super::manifest::Manifest;
use super::{Progress, archive};

/// What was looked at, and what was found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What should be in it.
    pub manifest: Manifest,
    /// What is not as it was written, a line each.
    pub damages: Vec<String>,
}

/// Reads all of a backup, and compares it with its list.
///
/// # Errors
/// If it is no backup, or its list cannot be read. What is wrong with files is in the result.
pub fn verify(backup: &Path, progress: Progress<'_>) -> anyhow::Result<Checked> {
    let mut damages = Vec::new();
    let manifest = if backup.is_dir() {
        let manifest = Manifest::read(backup)?;
        for (place, file) in manifest.files.iter().enumerate() {
            progress(&file.path, place, manifest.files.len());
            let found = hash::of_file(&backup.join(&file.path));
            let expected = Digest { bytes: file.bytes, sha256: file.sha256.clone() };
            damages.extend(compare(&file.path, &expected, found));
        }
        manifest
    } else {
        let mut found = BTreeMap::new();
        let mut place = 0;
        let manifest = archive::read(
            backup,
            |_| Ok(()),
            |name, content| {
                progress(name, place, place + 1);
                place += 1;
                found.insert(name.to_owned(), hash::copy(content, &mut std::io::sink()));
                Ok(())
            },
        )?;
        for file in &manifest.files {
            let expected = Digest { bytes: file.bytes, sha256: file.sha256.clone() };
            let found = match found.remove(&file.path) {
                Some(found) => found.map_err(anyhow::Error::from),
                None => Err(anyhow::anyhow!("it is missing")),
            };
            damages.extend(compare(&file.path, &expected, found));
        }
        manifest
    };
    Ok(Checked { manifest, damages })
}

/// What is wrong with a file, if anything is.
pub(super) fn compare(
    name: &str,
    expected: &Digest,
    found: anyhow::Result<Digest>,
) -> Option<String> {
    match found {
        Ok(found) if found == *expected => None,
        Ok(found) if found.bytes != expected.bytes => {
            Some(format!("{name}: it has {} bytes instead of {}", found.bytes, expected.bytes))
        }
        Ok(_) => Some(format!("{name}: its content is another than was written")),
        Err(error) => Some(format!("{name}: {error:#}")),
    }
}
