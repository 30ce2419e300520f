//! Brings a city back from a backup.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use city_model::Timestamp;

use super::files::{
    check_room, create_private, is_empty, make_private, parent_of, scratch, sync_folders,
};
use super::hash::{self, Digest};
use super::manifest::{Entry, Manifest};
use super::verify::compare;
use super::{Progress, archive};
use crate::store::{EMBEDDED, SPOOL};

/// What to bring back, and where to.
pub struct Restore<'a> {
    /// The backup, a folder or an archive.
    pub from: &'a Path,
    /// The data folder: not there or empty, unless `replace`.
    pub data_dir: &'a Path,
    /// Where the configuration and its files go; they stay in the backup if missing.
    pub config_dir: Option<&'a Path>,
    /// Whether what is there is moved out of the way. It is never deleted.
    pub replace: bool,
    /// Names what is moved out of the way.
    pub now: Timestamp,
}

/// What was brought back.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What was in the backup.
    pub manifest: Manifest,
    /// What was in the way, and where it is now.
    pub moved: Vec<PathBuf>,
}

/// Brings a city back. All of it is copied and compared with the backup's list under another name
/// first; only then it takes its place.
///
/// # Errors
/// If something is in the way, a program works there, the disk has no room, or the backup is not
/// whole. Then nothing has changed.
pub fn restore(wanted: &Restore<'_>, progress: Progress<'_>) -> anyhow::Result<Restored> {
    let data_dir = wanted.data_dir;
    refuse_while_in_use(data_dir)?;
    if !wanted.replace && !is_empty(data_dir) {
        bail!(
            "{} is not empty; name another folder, or say --replace to move what is there out of \
             the way",
            data_dir.display()
        );
    }
    let parent = parent_of(data_dir);
    make_private(&parent)?;
    let scratch = scratch(".citybrain-restore-", &parent).with_context(|| {
        format!(
            "nothing can be written in {}; restore beside the data folder and move it there, or run \
             this as a user who may",
            parent.display()
        )
    })?;
    let manifest = copy_all(wanted, scratch.path(), progress)?;
    let suffix = suffix(wanted.now);
    let mut moved = Vec::new();
    if let Some(config_dir) = wanted.config_dir {
        place_config(&manifest, scratch.path(), (config_dir, wanted.replace), &suffix, &mut moved)?;
    }
    place_data(&scratch.path().join("data"), data_dir, &suffix, &mut moved)?;
    File::open(&parent)?.sync_all()?;
    Ok(Restored { manifest, moved })
}

/// Two programs on the same files would destroy them, and so would a restore below one.
fn refuse_while_in_use(data_dir: &Path) -> anyhow::Result<()> {
    for store in [EMBEDDED, SPOOL] {
        let Ok(lock) = File::open(data_dir.join(store).join("LOCK")) else { continue };
        if matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
            bail!("citybrain runs on {}; stop it first", data_dir.display());
        }
    }
    Ok(())
}

/// Copies every file to the scratch folder while it is checked.
fn copy_all(
    wanted: &Restore<'_>,
    scratch: &Path,
    progress: Progress<'_>,
) -> anyhow::Result<Manifest> {
    let begin = |manifest: &Manifest| check_room(scratch, manifest.bytes());
    let is_wanted = |name: &str| wanted.config_dir.is_some() || !name.starts_with("config/");
    let mut missing: BTreeSet<String> = BTreeSet::new();
    let mut damages = Vec::new();
    let mut place = 0;
    let mut take = |file: &Entry, content: &mut dyn Read, of: usize| -> anyhow::Result<()> {
        progress(&file.path, place, of);
        place += 1;
        let mut target = create_private(&scratch.join(&file.path))?;
        let found = hash::copy(content, &mut target).map_err(anyhow::Error::from);
        target.sync_all()?;
        let expected = Digest { bytes: file.bytes, sha256: file.sha256.clone() };
        damages.extend(compare(&file.path, &expected, found));
        Ok(())
    };
    let manifest = if wanted.from.is_dir() {
        let manifest = Manifest::read(wanted.from)?;
        begin(&manifest)?;
        for file in manifest.files.iter().filter(|file| is_wanted(&file.path)) {
            match File::open(wanted.from.join(&file.path)) {
                Ok(mut content) => take(file, &mut content, manifest.files.len())?,
                Err(_) => _ = missing.insert(file.path.clone()),
            }
        }
        manifest
    } else {
        let mut taken = BTreeSet::new();
        let list = std::cell::OnceCell::new();
        let manifest = archive::read(
            wanted.from,
            |manifest| {
                begin(manifest)?;
                let files = manifest.files.iter().map(|file| (file.path.clone(), file.clone()));
                let _ = list.set(files.collect::<std::collections::BTreeMap<_, _>>());
                Ok(())
            },
            |name, content| {
                let files = list.get().context("the list comes first")?;
                if let Some(file) = files.get(name).filter(|_| is_wanted(name)) {
                    take(file, content, files.len())?;
                    taken.insert(name.to_owned());
                }
                Ok(())
            },
        )?;
        let wanted = manifest.files.iter().map(|file| &file.path).filter(|path| is_wanted(path));
        missing.extend(wanted.filter(|path| !taken.contains(*path)).cloned());
        manifest
    };
    damages.extend(missing.iter().map(|name| format!("{name}: it is missing")));
    ensure!(
        damages.is_empty(),
        "the backup is damaged in {} places, nothing was restored; take another one:\n  {}",
        damages.len(),
        damages.join("\n  ")
    );
    sync_folders(scratch)?;
    Ok(manifest)
}

/// Puts the data folder in its place in one step, and what is there out of the way.
fn place_data(
    data: &Path,
    data_dir: &Path,
    suffix: &str,
    moved: &mut Vec<PathBuf>,
) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot take its place", data_dir.display());
    if is_empty(data_dir) {
        // A folder gives way to another one if it is empty and no mount point.
        return fs::rename(data, data_dir)
            .or_else(|_| move_children(data, data_dir))
            .with_context(cannot);
    }
    let aside = named(data_dir, suffix);
    fs::rename(data_dir, &aside).with_context(|| {
        format!(
            "{} cannot be moved out of the way; is it a mount point? Restore into a folder in it, and \
             name that as data_dir",
            data_dir.display()
        )
    })?;
    if let Err(error) = fs::rename(data, data_dir) {
        // What was there goes on.
        fs::rename(&aside, data_dir).with_context(cannot)?;
        return Err(error).with_context(cannot);
    }
    moved.push(aside);
    Ok(())
}

/// For an empty folder that cannot be replaced itself, because a disk is mounted there. Across disks
/// it cannot be done in one step, so it is copied, the state database last: without it there is no
/// city yet.
fn move_children(data: &Path, data_dir: &Path) -> std::io::Result<()> {
    let mut names = super::files::below(data).map_err(std::io::Error::other)?;
    names.sort_by_key(|name| name == Path::new("state.db"));
    for name in names {
        let (from, to) = (data.join(&name), data_dir.join(&name));
        let mut target = create_private(&to).map_err(std::io::Error::other)?;
        std::io::copy(&mut File::open(from)?, &mut target)?;
        target.sync_all()?;
    }
    sync_folders(data_dir).map_err(std::io::Error::other)
}

fn place_config(
    manifest: &Manifest,
    scratch: &Path,
    (config_dir, replace): (&Path, bool),
    suffix: &str,
    moved: &mut Vec<PathBuf>,
) -> anyhow::Result<()> {
    let names = manifest.files.iter().filter_map(|file| file.path.strip_prefix("config/"));
    let names: Vec<&str> = names.collect();
    let there: Vec<&&str> = names.iter().filter(|name| config_dir.join(name).exists()).collect();
    ensure!(
        replace || there.is_empty(),
        "{} is there already; name another folder, or say --replace to move it out of the way",
        there.first().map_or_else(PathBuf::new, |name| config_dir.join(name)).display()
    );
    for name in names {
        let target = config_dir.join(name);
        if target.exists() {
            let aside = named(&target, suffix);
            fs::rename(&target, &aside).with_context(|| target.display().to_string())?;
            moved.push(aside);
        }
        let mut content = File::open(scratch.join("config").join(name))?;
        let mut file = create_private(&target)?;
        std::io::copy(&mut content, &mut file)?;
        file.sync_all()?;
    }
    Ok(())
}

/// `20261129T170000Z`, for names.
fn suffix(now: Timestamp) -> String {
    let text = now.to_string();
    let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("before-restore-{}Z", plain.get(..15).unwrap_or(&plain))
}

fn named(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
