//! The file in which sessions outlive a restart: which clients have one, and which messages at
//! QoS 2 an absent client has not released. What they have subscribed to is in the file of commands.
//!
//! That a session exists matters by itself: a client whose session is gone forgets the messages
//! that it has not had acknowledged. The file is appended to without waiting for the disk, since a
//! crash of the machine may lose an entry without breaking a promise: nothing was acknowledged,
//! and a message at QoS 2 that is taken twice is stored once.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Lines that the file may have beyond its entries before it is written anew.
const SLACK: usize = 10_000;

/// Client ids with the packet ids that they have to release, mirrored in a file of lines `+id`,
/// `-id` and `2` with packet ids, a tab, and the client id.
#[derive(Debug)]
pub(crate) struct Remembered {
    path: PathBuf,
    file: File,
    clients: HashMap<String, Vec<u16>>,
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
        let mut clients: HashMap<String, Vec<u16>> = HashMap::new();
        for line in text.lines() {
            match line.split_at_checked(1) {
                Some(("+", client)) => {
                    clients.entry(client.to_owned()).or_default();
                }
                Some(("-", client)) => {
                    clients.remove(client);
                }
                Some(("2", rest)) => {
                    if let Some((ids, client)) = rest.split_once('\t')
                        && let Some(known) = clients.get_mut(client)
                    {
                        *known = ids.split(',').filter_map(|id| id.parse().ok()).collect();
                    }
                }
                _ => {}
            }
        }
        let file = rewrite(path, &clients)?;
        Ok(Self { path: path.to_owned(), file, lines: clients.len(), clients })
    }

    /// The clients that have a session, and what they have not released.
    pub(crate) fn clients(&self) -> impl Iterator<Item = (&str, &[u16])> {
        self.clients.iter().map(|(client, ids)| (client.as_str(), ids.as_slice()))
    }

    /// An absent client has these messages at QoS 2 to release; nobody who is connected has.
    pub(crate) fn set_unreleased(&mut self, client: &str, ids: &[u16]) -> io::Result<()> {
        let Some(known) = self.clients.get_mut(client) else { return Ok(()) };
        if known == ids {
            return Ok(());
        }
        *known = ids.to_vec();
        let line = unreleased_line(client, ids);
        self.write(&line)
    }

    /// The client has a session from now on, or no longer.
    pub(crate) fn set(&mut self, client: &str, has: bool) -> io::Result<()> {
        // A line cannot hold such an id; the client's session does not outlive a restart.
        if client.contains(['\n', '\r']) {
            return Ok(());
        }
        if has == self.clients.contains_key(client) {
            return Ok(());
        }
        if has {
            self.clients.insert(client.to_owned(), Vec::new());
        } else {
            self.clients.remove(client);
        }
        let sign = if has { '+' } else { '-' };
        self.write(&format!("{sign}{client}\n"))
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.lines += 1;
        if self.lines > self.clients.len() + SLACK {
            self.file = rewrite(&self.path, &self.clients)?;
            self.lines = self.clients.len();
            return Ok(());
        }
        self.file.write_all(line.as_bytes())
    }
}

fn unreleased_line(client: &str, ids: &[u16]) -> String {
    let ids: Vec<String> = ids.iter().map(u16::to_string).collect();
    format!("2{}\t{client}\n", ids.join(","))
}

/// Replaces the file by one with these entries, and opens it for more.
fn rewrite(path: &Path, clients: &HashMap<String, Vec<u16>>) -> io::Result<File> {
    let fresh = path.with_extension("new");
    let mut text = String::new();
    for (client, ids) in clients {
        text.extend(["+", client, "\n"]);
        if !ids.is_empty() {
            text.push_str(&unreleased_line(client, ids));
        }
    }
    fs::write(&fresh, text)?;
    fs::rename(&fresh, path)?;
    OpenOptions::new().append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(remembered: &Remembered) -> Vec<&str> {
        let mut clients: Vec<_> = remembered.clients().map(|(client, _)| client).collect();
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
    fn what_is_not_released_is_there_until_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sessions");
        for (ids, twice) in [(&[7, 65535][..], false), (&[7, 65535], true), (&[], true)] {
            let mut remembered = Remembered::open(&path).expect("a file");
            remembered.set("a\tb", true).expect("written");
            remembered.set_unreleased("a\tb", ids).expect("written");
            remembered.set_unreleased("nobody", &[1]).expect("ignored");
            drop(remembered);
            if twice {
                drop(Remembered::open(&path).expect("written anew"));
            }
            let again = Remembered::open(&path).expect("there");
            assert_eq!(again.clients().collect::<Vec<_>>(), [("a\tb", ids)]);
        }
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
