//! Takes a backup of a city that runs, or stands still.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use city_model::Clock;
use city_store::{
    Stamp, Verification, backup_since, backup_state, pass_on_numbers, verify_only, verify_state,
};
use serde_json::Value;

use super::files::{
    below, check_room, create_private, is_empty, make_private, parent_of, protect, scratch,
    sync_folders,
};
use super::manifest::{Entry, MANIFEST, Manifest};
use super::{Progress, archive, hash, named};
use crate::store::{EMBEDDED, SPOOL};

/// What to take a backup of.
pub struct Wanted<'a> {
    /// The data folder.
    pub data_dir: &'a Path,
    /// The configuration file and what it says, to take it and the files that it names along.
    pub config: Option<(&'a Path, &'a Value)>,
    /// An earlier backup that is a folder: days that have not changed since are links to it.
    pub since: Option<&'a Path>,
    /// The clock.
    pub clock: &'a dyn Clock,
}

/// A backup that was taken and checked.
#[derive(Clone, Debug)]
pub struct Taken {
    /// What is in it.
    pub manifest: Manifest,
    /// How many of its files are links to the earlier backup.
    pub linked: u64,
}

/// The database of everything but readings.
const STATE: &str = "state.db";
/// Files of the data folder that mean nothing elsewhere, or are copied in another way.
const NOT_COPIED: &[&str] = &["running.json", "LOCK", STATE, "state.db-wal", "state.db-shm"];

/// Takes a backup to a folder that is not there or empty, or to a file that is not there. While it
/// is made it has another name beside that; it has its own only when it is whole and checked.
///
/// # Errors
/// If something is at `to`, the disk has no room, or anything cannot be read, written, or is
/// damaged. Nothing is left behind then.
pub fn take(wanted: &Wanted<'_>, to: &Path, progress: Progress<'_>) -> anyhow::Result<Taken> {
    let data_dir = wanted.data_dir;
    ensure!(
        data_dir.join(STATE).is_file(),
        "{} holds no city: there is no {STATE}; give the data folder with --data-dir or --config",
        data_dir.display()
    );
    let is_archive = archive::is_one(to);
    match is_archive {
        true if to.exists() => bail!("{} is there already; name another file", to.display()),
        false if !is_empty(to) => {
            bail!("{} is not empty; name a folder that is not there", to.display())
        }
        _ => {}
    }
    let earlier = wanted.since.map(Earlier::read).transpose()?;
    let parent = parent_of(to);
    make_private(&parent)?;
    let sources = Sources::look_at(data_dir)?;
    let copies = if is_archive { 2 } else { 1 };
    check_room(&parent, sources.bytes_beside(earlier.as_ref()) * copies)?;
    let scratch = scratch(".citybrain-backup-", &parent)
        .with_context(|| format!("nothing can be written in {}", parent.display()))?;
    let folder = scratch.path();
    let config = wanted.config.map(|(config, _)| config);
    let mut manifest = Manifest::new(data_dir, config, wanted.clock.now());

    let data = folder.join("data");
    make_private(&data)?;
    let mut linked = 0;
    for name in &sources.stores {
        let find = |path: &Path, stamp: Stamp| {
            let path = format!("data/{name}/{}", path.to_str()?);
            earlier.as_ref()?.copy_of(&path, stamp)
        };
        let show = |path: &Path, place, of| progress(&name_of(path), place, of);
        linked += backup_since(&data_dir.join(name), &data.join(name), &find, show)?.linked;
    }
    // Before the database: a note of how far something has come must not be ahead of that.
    copy_rest(data_dir, &data, wanted.config.map(|(_, tree)| tree))?;
    manifest.state_at = wanted.clock.now();
    progress(STATE, 0, 1);
    backup_state(&data_dir.join(STATE), &data.join(STATE))?;
    for name in &sources.stores {
        pass_on_numbers(&data_dir.join(name), &data.join(name))?;
    }
    let mut originals = BTreeMap::new();
    if let Some((config, tree)) = wanted.config {
        let named = named::files(tree, config)?;
        copy_config(&named.files, config, &folder.join("config"), &mut originals)?;
        manifest.left_out = named.left_out;
    }

    check(folder, &sources, earlier.as_ref(), progress)?;
    protect(folder)?;
    let paths = below(folder)?;
    for (place, path) in paths.iter().enumerate() {
        let path = path.to_str().context("a file's name is no text")?.to_owned();
        progress(&path, place, paths.len());
        let known = earlier.as_ref().and_then(|earlier| earlier.linked(folder, &path));
        let entry = if let Some(entry) = known {
            entry.clone()
        } else {
            let digest = hash::of_file(&folder.join(&path))?;
            let stamp = sources.stamps.get(&path).copied();
            let original = originals.remove(&path);
            Entry { path, bytes: digest.bytes, sha256: digest.sha256, stamp, original }
        };
        manifest.files.push(entry);
    }
    let list = create_private(&folder.join(MANIFEST))?;
    std::io::Write::write_all(&mut &list, &manifest.to_json()?)?;
    list.sync_all()?;
    sync_folders(folder)?;
    if is_archive {
        progress("packing", 0, 1);
        archive::pack(folder, &manifest, to)?;
    } else {
        // An empty folder of this name gives way.
        fs::rename(folder, to).with_context(|| format!("{} cannot be made", to.display()))?;
        let _ = scratch.keep();
    }
    fs::File::open(&parent)?.sync_all()?;
    Ok(Taken { manifest, linked })
}

/// What there is to copy.
struct Sources {
    /// The stores: embedded, the spool before InfluxDB, or both.
    stores: Vec<&'static str>,
    /// The stamps of their days and summaries, by their names in the backup.
    stamps: BTreeMap<String, Stamp>,
    /// Bytes of all files, by their names in the backup.
    bytes: BTreeMap<String, u64>,
}

impl Sources {
    fn look_at(data_dir: &Path) -> anyhow::Result<Self> {
        let stores = [EMBEDDED, SPOOL];
        let stores = stores.into_iter().filter(|name| data_dir.join(name).is_dir()).collect();
        let mut looked = Self { stores, stamps: BTreeMap::new(), bytes: BTreeMap::new() };
        for name in below(data_dir)? {
            let path = data_dir.join(&name);
            let Some(name) = name.to_str().map(|name| format!("data/{name}")) else { continue };
            // A day may be gone by now: its time was over.
            let Ok(file) = fs::metadata(&path) else { continue };
            looked.bytes.insert(name.clone(), file.len());
            let in_store = looked.stores.iter().any(|store| {
                let chunks = name.strip_prefix("data/").and_then(|n| n.strip_prefix(store));
                chunks
                    .is_some_and(|rest| rest.starts_with("/chunks/") || rest.starts_with("/tiers/"))
            });
            if let Some(stamp) = Stamp::of(&path).filter(|_| in_store) {
                looked.stamps.insert(name, stamp);
            }
        }
        Ok(looked)
    }

    /// Bytes that are not in the earlier backup already.
    fn bytes_beside(&self, earlier: Option<&Earlier>) -> u64 {
        let is_there = |name: &String| {
            let stamp = self.stamps.get(name);
            stamp
                .zip(earlier)
                .is_some_and(|(stamp, earlier)| earlier.copy_of(name, *stamp).is_some())
        };
        self.bytes.iter().filter(|(name, _)| !is_there(name)).map(|(_, bytes)| bytes).sum()
    }
}

/// A backup that was taken before.
struct Earlier {
    folder: PathBuf,
    entries: BTreeMap<String, Entry>,
}

impl Earlier {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let manifest = Manifest::read(folder)?;
        let entries = manifest.files.into_iter().map(|file| (file.path.clone(), file)).collect();
        Ok(Self { folder: folder.to_owned(), entries })
    }

    /// The copy of a file that was made while the file had this stamp.
    fn copy_of(&self, path: &str, stamp: Stamp) -> Option<PathBuf> {
        let entry = self.entries.get(path).filter(|entry| entry.stamp == Some(stamp))?;
        let copy = self.folder.join(&entry.path);
        fs::metadata(&copy).is_ok_and(|file| file.len() == entry.bytes).then_some(copy)
    }

    /// What is noted of a file of the new backup that is a link to one of this.
    fn linked(&self, new: &Path, path: &str) -> Option<&Entry> {
        use std::os::unix::fs::MetadataExt as _;
        let entry = self.entries.get(path)?;
        let (ours, theirs) =
            (fs::metadata(new.join(path)).ok()?, fs::metadata(self.folder.join(path)).ok()?);
        ((ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino())).then_some(entry)
    }
}

/// Copies the files of the data folder that are no databases: small ones, each written at once or
/// only added to.
fn copy_rest(data_dir: &Path, to: &Path, tree: Option<&Value>) -> anyhow::Result<()> {
    let log = tree.and_then(|tree| tree["log"]["file"].as_str());
    let log = log.and_then(|log| Path::new(log).file_name()?.to_str().map(|log| format!("{log}.")));
    for name in below(data_dir)? {
        let top = name.components().next().map(|part| part.as_os_str().to_owned());
        let is_store = [EMBEDDED, SPOOL].iter().any(|store| top.as_deref() == Some(store.as_ref()));
        let file = name_of(&name);
        let is_log = log.as_ref().is_some_and(|log| file.starts_with(log));
        let is_lock = name.extension().is_some_and(|ending| ending == "lock");
        if is_store || is_log || is_lock || NOT_COPIED.contains(&file.as_str()) {
            continue;
        }
        copy(&data_dir.join(&name), &to.join(&name))?;
    }
    Ok(())
}

/// Copies the configuration and what it names. What lies in its folder keeps its place beside it,
/// so that it is found there; the rest goes to `elsewhere`, and where it was is noted.
fn copy_config(
    files: &[PathBuf],
    config: &Path,
    to: &Path,
    originals: &mut BTreeMap<String, PathBuf>,
) -> anyhow::Result<()> {
    let base = parent_of(config);
    for (number, path) in files.iter().enumerate() {
        let inside = path.strip_prefix(&base).ok();
        let inside = inside.filter(|name| name.components().all(|c| is_plain(&c)));
        let name = if let Some(name) = inside {
            name.to_owned()
        } else {
            let name = PathBuf::from(format!("elsewhere/{number}-{}", name_of(path)));
            let in_backup = format!("config/{}", name.display());
            originals.insert(in_backup, std::path::absolute(path)?);
            name
        };
        copy(path, &to.join(name))?;
    }
    Ok(())
}

fn is_plain(part: &std::path::Component<'_>) -> bool {
    matches!(part, std::path::Component::Normal(_))
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let mut source = match fs::File::open(from) {
        Ok(source) => source,
        // A temporary file that has its own name by now.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => bail!("{} cannot be read: {error}", from.display()),
    };
    let mut target = create_private(to)?;
    std::io::copy(&mut source, &mut target)
        .and_then(|_| target.sync_all())
        .with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))
}

/// Reads the databases of the copy, but for what the earlier backup has checked already. SQLite's
/// own files beside them, which reading leaves behind, hold nothing.
fn check(
    folder: &Path,
    sources: &Sources,
    earlier: Option<&Earlier>,
    progress: Progress<'_>,
) -> anyhow::Result<()> {
    let mut found = Verification::default();
    for name in &sources.stores {
        let new = |path: &Path| {
            let path = path.strip_prefix(folder).ok().and_then(Path::to_str);
            path.is_none_or(|path| {
                earlier.and_then(|earlier| earlier.linked(folder, path)).is_none()
            })
        };
        let show = |path: &Path, place, of| progress(&name_of(path), place, of);
        found.append(verify_only(&folder.join("data").join(name), new, show)?);
    }
    found.append(verify_state(&folder.join("data").join(STATE)));
    if let Some(damage) = found.damages.first() {
        bail!(
            "{} places are damaged, the first: {}; the original is damaged, too: run `citybrain \
             store verify`",
            found.damages.len(),
            damage.what
        );
    }
    for path in below(&folder.join("data"))? {
        let path = folder.join("data").join(path);
        let name = name_of(&path);
        let empty_log =
            name.ends_with(".db-wal") && fs::metadata(&path).is_ok_and(|file| file.len() == 0);
        if name.ends_with(".db-shm") || empty_log {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
