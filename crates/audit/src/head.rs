//! The number and hash of the last entry in a file of its own, so that entries cut off at the end
//! are missed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::entry::{Hash, hex, unhex};

/// The name of the file, beside the database.
const FILE: &str = "audit.head";
/// Held while the file is replaced, so that two processes cannot set it back.
const LOCK: &str = "audit.head.lock";

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) number: u64,
    pub(crate) hash: Hash,
}

/// What was found in place of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Head(Head),
    Missing,
    /// Why it cannot be read.
    Unreadable(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    number: u64,
    hash: String,
}

/// The file, or nothing for a database in memory.
#[derive(Clone, Debug)]
pub(crate) struct HeadFile(Option<PathBuf>);

impl HeadFile {
    /// The file beside a database.
    pub(crate) fn beside(database: &Path) -> Self {
        let folder = database.parent().filter(|_| database != Path::new(":memory:"));
        Self(folder.map(Path::to_owned))
    }

    pub(crate) fn path(&self) -> Option<PathBuf> {
        Some(self.0.as_ref()?.join(FILE))
    }

    /// What it says; `None` for a database in memory.
    pub(crate) fn read(&self) -> Option<Found> {
        let path = self.path()?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(Found::Missing),
            Err(error) => return Some(Found::Unreadable(error.to_string())),
        };
        let read = serde_json::from_str::<Text>(&text).map_err(|error| error.to_string()).and_then(
            |text| {
                let hash = unhex(&text.hash).ok_or_else(|| "the hash is none".to_owned())?;
                Ok(Head { number: text.number, hash })
            },
        );
        Some(read.map_or_else(Found::Unreadable, Found::Head))
    }

    /// Moves it on to an entry that is in the database, unless it is further already. It is on the
    /// disk when this returns.
    pub(crate) fn advance(&self, head: Head) -> io::Result<()> {
        self.replace(head, false)
    }

    /// Sets it to what is in the database now, also back.
    pub(crate) fn reset(&self, head: Head) -> io::Result<()> {
        self.replace(head, true)
    }

    fn replace(&self, head: Head, also_back: bool) -> io::Result<()> {
        let Some(folder) = &self.0 else { return Ok(()) };
        let lock =
            File::options().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
        lock.lock()?;
        if !also_back
            && let Some(Found::Head(there)) = self.read()
            && there.number >= head.number
        {
            return Ok(());
        }
        let text = Text { number: head.number, hash: hex(&head.hash) };
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(serde_json::to_string(&text)?.as_bytes())?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(folder.join(FILE)).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_and_not_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = HeadFile::beside(&folder.path().join("state.db"));
        assert_eq!(file.read(), Some(Found::Missing));
        let head = |number| Head { number, hash: [number as u8; 32] };
        for (given, there) in [(1, 1), (3, 3), (2, 3)] {
            file.advance(head(given)).expect("written");
            assert_eq!(file.read(), Some(Found::Head(head(there))));
        }
        file.reset(head(2)).expect("written");
        assert_eq!(file.read(), Some(Found::Head(head(2))));
        fs::write(file.path().expect("a path"), "{").expect("written");
        assert!(matches!(file.read(), Some(Found::Unreadable(_))));
        assert_eq!(HeadFile::beside(Path::new(":memory:")).read(), None);
    }
}
