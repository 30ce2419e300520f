//! A backup as one file: a tar archive (POSIX.1-2001), packed by gzip if its name says so. The list
//! comes first, so that everything after it can be checked while it is read.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use anyhow::{Context as _, ensure};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::manifest::{MANIFEST, Manifest};

/// The largest list that is read, in bytes.
const MOST_LIST: u64 = 256 << 20;

/// Whether a backup of this name is an archive.
pub(super) fn is_one(path: &Path) -> bool {
    let name = path.to_string_lossy();
    [".tar", ".tar.gz", ".tgz"].iter().any(|ending| name.ends_with(ending))
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "gz" || ending == "tgz")
}

/// Packs a backup's folder. The file has its name only when all of it is on the disk.
pub(super) fn pack(folder: &Path, manifest: &Manifest, to: &Path) -> anyhow::Result<()> {
    let parent = super::files::parent_of(to);
    // Such files are readable by their owner only.
    let file = tempfile::Builder::new().prefix(".citybrain-backup-").tempfile_in(&parent)?;
    let writer = BufWriter::with_capacity(1 << 18, file.as_file());
    if is_packed(to) {
        let packed = GzEncoder::new(writer, Compression::new(3));
        write(folder, manifest, packed)?.finish()?.flush()?;
    } else {
        write(folder, manifest, writer)?.flush()?;
    }
    file.as_file().sync_all()?;
    file.persist_noclobber(to).with_context(|| format!("{} cannot be made", to.display()))?;
    Ok(())
}

fn write<W: Write>(folder: &Path, manifest: &Manifest, to: W) -> anyhow::Result<W> {
    let mut archive = tar::Builder::new(to);
    let names = manifest.files.iter().map(|file| file.path.as_str());
    for name in std::iter::once(MANIFEST).chain(names) {
        let mut file = File::open(folder.join(name)).context(name.to_owned())?;
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o600);
        header.set_size(file.metadata()?.len());
        header.set_mtime(manifest.begun_at.micros().unsigned_abs() / 1_000_000);
        archive.append_data(&mut header, name, &mut file).context(name.to_owned())?;
    }
    Ok(archive.into_inner()?)
}

/// Reads an archive: calls `list` with its list, then `each` with every file in it.
pub(super) fn read(
    path: &Path,
    list: impl FnOnce(&Manifest) -> anyhow::Result<()>,
    mut each: impl FnMut(&str, &mut dyn Read) -> anyhow::Result<()>,
) -> anyhow::Result<Manifest> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let file = BufReader::with_capacity(1 << 18, file);
    let reader: Box<dyn Read> =
        if is_packed(path) { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
    let mut archive = tar::Archive::new(reader);
    let mut entries = archive.entries()?;
    let broken = || format!("{} is cut short, or no backup", path.display());
    let mut first = entries.next().with_context(broken)?.with_context(broken)?;
    ensure!(
        first.path().is_ok_and(|name| name == Path::new(MANIFEST)) && first.size() < MOST_LIST,
        "{} is no backup: it does not begin with {MANIFEST}",
        path.display()
    );
    let mut text = Vec::new();
    first.read_to_end(&mut text).with_context(broken)?;
    let manifest = Manifest::parse(&text).with_context(|| path.display().to_string())?;
    list(&manifest)?;
    for entry in entries {
        let mut entry = entry.with_context(broken)?;
        let name = entry.path().with_context(broken)?.to_string_lossy().into_owned();
        // What is not in the list is nothing of ours.
        if manifest.files.iter().any(|file| file.path == name) {
            each(&name, &mut entry)?;
        }
    }
    Ok(manifest)
}
