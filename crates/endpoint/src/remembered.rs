//! The file in which sessions outlive a restart: which clients have one.
//!
//! A session of this endpoint is nothing but its existence. It matters all the same: a client
//! whose session is gone forgets the messages that it has not had acknowledged. The file is
//! appended to without waiting for the disk, since a crash of the machine may lose an entry
//! without breaking a promise: nothing was acknowledged.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Lines that the file may have beyond its entries before it is written anew.
const SLACK: usize = 10_000;

/// A set of client ids, mirrored in a file of lines `+id` and `-id`.
#[derive(Debug)]
pub(crate) struct Remembered {
    path: PathBuf,
    file: File,
    clients: HashSet<String>,
    lines: usize,
}

impl Remembered {
    /// Reads the file, if there is one, and writes it anew without what is out of date.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let text = match fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut clients = HashSet::new();
        for line in text.lines() {
            match line.split_at_checked(1) {
                Some(("+", client)) => clients.insert(client.to_owned()),
                Some(("-", client)) => clients.remove(client),
                _ => false,
            };
        }
        let file = rewrite(path, &clients)?;
        Ok(Self { path: path.to_owned(), file, lines: clients.len(), clients })
    }

    /// The clients that have a session.
    pub(crate) fn clients(&self) -> impl Iterator<Item = &str> {
        self.clients.iter().map(String::as_str)
    }

    /// The client has a session from now on, or no longer.
    pub(crate) fn set(&mut self, client: &str, has: bool) -> io::Result<()> {
        // A line cannot hold such an id; the client's session does not outlive a restart.
        if client.contains(['\n', '\r']) {
            return Ok(());
        }
        let changed = if has {
            !self.clients.contains(client) && self.clients.insert(client.to_owned())
        } else {
            self.clients.remove(client)
        };
        if !changed {
            return Ok(());
        }
        self.lines += 1;
        if self.lines > self.clients.len() + SLACK {
            self.file = rewrite(&self.path, &self.clients)?;
            self.lines = self.clients.len();
            return Ok(());
        }
        let sign = if has { '+' } else { '-' };
        self.file.write_all(format!("{sign}{client}\n").as_bytes())
    }
}

/// Replaces the file by one with these entries, and opens it for more.
fn rewrite(path: &Path, clients: &HashSet<String>) -> io::Result<File> {
    let fresh = path.with_extension("new");
    let text: String = clients.iter().flat_map(|client| ["+", client, "\n"]).collect();
    fs::write(&fresh, text)?;
    fs::rename(&fresh, path)?;
    OpenOptions::new().append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(remembered: &Remembered) -> Vec<&str> {
        let mut clients: Vec<_> = remembered.clients().collect();
        clients.sort_unstable();
        clients
    }

    #[test]
    fn what_was_set_is_there_after_opening_again_even_behind_a_torn_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sessions");
        let mut remembered = Remembered::open(&path).expect("new");
        for (client, has) in
            [("a", true), ("设备", true), ("b", true), ("a", true), ("b", false), ("x\ny", true)]
        {
            remembered.set(client, has).expect("written");
        }
        drop(remembered);
        let again = Remembered::open(&path).expect("there");
        assert_eq!(sorted(&again), ["a", "设备"]);
        fs::write(&path, b"+a\n+\xe8\xae").expect("torn");
        let torn = Remembered::open(&path).expect("readable");
        assert!(sorted(&torn).contains(&"a"));
    }

    #[test]
    fn the_file_does_not_grow_without_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sessions");
        let mut remembered = Remembered::open(&path).expect("new");
        for round in 0..2 * SLACK {
            remembered.set("a", round % 2 == 0).expect("written");
        }
        let size = fs::metadata(&path).expect("there").len();
        assert!(size <= 3 * (SLACK as u64 + 1), "{size} bytes");
    }
}
