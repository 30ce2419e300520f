//! A disk that may lose its power.
//!
//! What is promised is little, and is what journaling file systems (ext4, xfs) keep: a file's bytes
//! are there once it was synced. Of what was written to it since, any part may be there: each
//! sector for itself, in any order. Names are made, changed and dropped in order, at the latest by
//! the next sync of anything; so of those since, the first few may be there.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rand::{Rng, RngExt as _};

use super::Call;

/// What a disk writes whole.
const SECTOR: usize = 512;

#[derive(Clone, Debug, Default)]
struct File {
    durable: Vec<u8>,
    since: Vec<Change>,
    /// Where the next write without a place goes, by descriptor.
    ends: HashMap<i32, u64>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

#[derive(Clone, Debug)]
enum Naming {
    Link(PathBuf, usize),
    Rename(PathBuf, PathBuf),
    Unlink(PathBuf),
    Folder(PathBuf),
}

#[derive(Clone, Debug, Default)]
struct Names {
    files: BTreeMap<PathBuf, usize>,
    folders: Vec<PathBuf>,
}

impl Names {
    fn apply(&mut self, naming: &Naming) {
        match naming {
            Naming::Link(path, file) => {
                self.files.insert(path.clone(), *file);
            }
            Naming::Rename(from, to) => {
                if let Some(file) = self.files.remove(from) {
                    self.files.insert(to.clone(), file);
                }
            }
            Naming::Unlink(path) => {
                self.files.remove(path);
                self.folders.retain(|folder| folder != path);
            }
            Naming::Folder(path) => self.folders.push(path.clone()),
        }
    }
}

/// The disk below a folder; calls elsewhere do not count.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    files: Vec<File>,
    open: HashMap<i32, usize>,
    /// What programs see, what is surely there, and what came since.
    seen: Names,
    durable: Names,
    since: Vec<Naming>,
}

impl Disk {
    /// An empty one.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            files: Vec::new(),
            open: HashMap::new(),
            seen: Names::default(),
            durable: Names::default(),
            since: Vec::new(),
        }
    }

    /// The next call.
    pub fn play(&mut self, call: &Call) {
        match call {
            Call::Open { fd, path, create, truncate } => self.open(*fd, path, *create, *truncate),
            Call::Close { fd } => {
                if let Some(file) = self.open.remove(fd) {
                    self.files[file].ends.remove(fd);
                }
            }
            Call::Write { fd, at, bytes } => {
                let Some(file) = self.open.get(fd) else { return };
                let file = &mut self.files[*file];
                let at = at.unwrap_or_else(|| {
                    let end = file.ends.entry(*fd).or_default();
                    let at = *end;
                    *end += bytes.len() as u64;
                    at
                });
                file.since.push(Change::Write(at, bytes.clone()));
            }
            Call::Truncate { fd, length } => {
                let Some(file) = self.open.get(fd) else { return };
                self.files[*file].since.push(Change::Length(*length));
            }
            Call::Sync { fd } => self.sync(*fd),
            Call::Rename { from, to } => self.name(Naming::Rename(from.clone(), to.clone())),
            Call::Unlink { path } => self.name(Naming::Unlink(path.clone())),
            Call::Mkdir { path } => self.name(Naming::Folder(path.clone())),
        }
    }

    fn open(&mut self, fd: i32, path: &Path, create: bool, truncate: bool) {
        if !path.starts_with(&self.root) {
            return;
        }
        let file = match self.seen.files.get(path) {
            Some(file) => *file,
            None if create => {
                self.files.push(File::default());
                self.name(Naming::Link(path.to_owned(), self.files.len() - 1));
                self.files.len() - 1
            }
            // A folder: to sync it makes names durable.
            None => return,
        };
        if truncate {
            self.files[file].since.push(Change::Length(0));
        }
        self.open.insert(fd, file);
    }

    fn name(&mut self, naming: Naming) {
        let (Naming::Link(path, _)
        | Naming::Rename(path, _)
        | Naming::Unlink(path)
        | Naming::Folder(path)) = &naming;
        if path.starts_with(&self.root) {
            self.seen.apply(&naming);
            self.since.push(naming);
        }
    }

    fn sync(&mut self, fd: i32) {
        for naming in self.since.drain(..) {
            self.durable.apply(&naming);
        }
        if let Some(file) = self.open.get(&fd) {
            let file = &mut self.files[*file];
            for change in std::mem::take(&mut file.since) {
                apply(&mut file.durable, &change, |_| true);
            }
        }
    }

    /// Writes one of the states in which the disk may be found into a folder.
    pub fn lose_power(&self, into: &Path, rng: &mut impl Rng) -> anyhow::Result<()> {
        let mut names = self.durable.clone();
        for naming in &self.since[..rng.random_range(0..=self.since.len())] {
            names.apply(naming);
        }
        let place = |path: &Path| -> anyhow::Result<PathBuf> {
            Ok(into.join(path.strip_prefix(&self.root).context("outside of the folder")?))
        };
        for folder in &names.folders {
            std::fs::create_dir_all(place(folder)?)?;
        }
        for (path, file) in &names.files {
            // Shared memory is not of the disk.
            if path.to_string_lossy().ends_with("-shm") {
                continue;
            }
            let file = &self.files[*file];
            let mut bytes = file.durable.clone();
            // Nothing, everything, or anything.
            let mood = rng.random_range(0..4);
            for change in &file.since {
                apply(&mut bytes, change, |_| match mood {
                    0 => false,
                    1 => true,
                    _ => rng.random_bool(0.5),
                });
            }
            let path = place(path)?;
            std::fs::create_dir_all(path.parent().context("no folder")?)?;
            std::fs::write(path, bytes)?;
        }
        Ok(())
    }
}

/// Applies those sectors of a change that are `kept`.
fn apply(bytes: &mut Vec<u8>, change: &Change, mut kept: impl FnMut(usize) -> bool) {
    match change {
        Change::Length(length) => {
            if kept(0) {
                bytes.resize(*length as usize, 0);
            }
        }
        Change::Write(at, new) => {
            let at = *at as usize;
            let mut done = 0;
            while done < new.len() {
                let sector = (at + done) / SECTOR;
                let end = new.len().min((sector + 1) * SECTOR - at);
                if kept(sector) {
                    if bytes.len() < at + end {
                        bytes.resize(at + end, 0);
                    }
                    bytes[at + done..at + end].copy_from_slice(&new[done..end]);
                }
                done = end;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn what_was_synced_is_there_and_the_rest_may_be() {
        let path = PathBuf::from("/disk/a");
        let open = Call::Open { fd: 3, path: path.clone(), create: true, truncate: false };
        let write = |at, byte| Call::Write { fd: 3, at: Some(at), bytes: vec![byte; 1024] };
        let mut disk = Disk::new(Path::new("/disk"));
        for call in [open, write(0, 1), Call::Sync { fd: 3 }, write(512, 2), Call::Unlink { path }]
        {
            disk.play(&call);
        }
        let (mut gone, mut torn) = (0, 0);
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        for _ in 0..100 {
            let into = tempfile::tempdir().expect("a folder");
            disk.lose_power(into.path(), &mut rng).expect("written");
            let Ok(bytes) = std::fs::read(into.path().join("a")) else {
                gone += 1;
                continue;
            };
            assert_eq!(bytes[..512], [1; 512]);
            assert!(bytes[512..1024] == [1; 512] || bytes[512..1024] == [2; 512]);
            torn += usize::from(bytes.len() == 1536 && bytes[512] == 1);
        }
        assert!((20..80).contains(&gone) && torn > 0, "{gone} gone, {torn} torn");
    }
}
