//! Folders and files: walked, copied, made private and durable.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

/// Space that must be left over on a disk, in bytes.
const SPARE: u64 = 64 << 20;

/// All files below a folder, relative to it, in order. Links are not followed, and no files.
pub(super) fn below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder)
            .with_context(|| format!("the folder {} cannot be read", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    let mut relative: Vec<PathBuf> = found
        .iter()
        .filter_map(|path| path.strip_prefix(folder).ok())
        .map(Path::to_owned)
        .collect();
    relative.sort();
    Ok(relative)
}

/// Whether nothing is in a folder, or there is none.
pub(super) fn is_empty(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Makes a folder and those above it, for the owner only.
pub(super) fn make_private(folder: &Path) -> anyhow::Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("the folder {} cannot be made", folder.display()))
}

/// A new file for the owner only.
pub(super) fn create_private(path: &Path) -> anyhow::Result<File> {
    if let Some(folder) = path.parent() {
        make_private(folder)?;
    }
    let created = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    created.with_context(|| format!("{} cannot be made", path.display()))
}

/// A new folder beside others, for the owner only, that goes when it is dropped.
pub(super) fn scratch(prefix: &str, parent: &Path) -> std::io::Result<tempfile::TempDir> {
    let only_owner = fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix(prefix).permissions(only_owner).tempdir_in(parent)
}

/// Takes what is in a folder away from everybody but its owner.
pub(super) fn protect(folder: &Path) -> anyhow::Result<()> {
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
            .with_context(|| path.display().to_string())
    };
    for name in below(folder)? {
        set(&folder.join(&name), 0o600)?;
        for part in name.ancestors().skip(1).filter(|part| !part.as_os_str().is_empty()) {
            set(&folder.join(part), 0o700)?;
        }
    }
    Ok(())
}

/// Makes the names in a folder and in those below it durable.
pub(super) fn sync_folders(folder: &Path) -> anyhow::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        File::open(&folder)?.sync_all().with_context(|| folder.display().to_string())?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(())
}

/// The folder that something is in or will be in; the working folder for a bare name.
pub(super) fn parent_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Refuses to begin what the disk has no room for.
pub(super) fn check_room(folder: &Path, bytes: u64) -> anyhow::Result<()> {
    let disk = rustix::fs::statvfs(folder)
        .with_context(|| format!("the disk of {} cannot be asked", folder.display()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let needed = bytes.saturating_add(SPARE);
    ensure!(
        free >= needed,
        "{} has {} MB free, and {} MB are needed; free some space or name a folder on another disk",
        folder.display(),
        free / 1_000_000,
        needed / 1_000_000
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_disk_has_no_room_for_is_refused_with_both_numbers() {
        let folder = tempfile::tempdir().expect("a folder");
        check_room(folder.path(), 1).expect("a byte");
        let error = check_room(folder.path(), u64::MAX / 2).expect_err("too much").to_string();
        assert!(error.contains("MB free") && error.contains("MB are needed"), "{error}");
    }

    #[test]
    fn files_are_found_in_order_and_links_are_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("b/c")).expect("folders");
        for name in ["z", "b/c/x", "b/a"] {
            fs::write(at(name), name).expect("written");
        }
        std::os::unix::fs::symlink("/etc/passwd", at("b/link")).expect("linked");
        let names = below(folder.path()).expect("walks");
        assert_eq!(names, ["b/a", "b/c/x", "z"].map(PathBuf::from));
    }
}
