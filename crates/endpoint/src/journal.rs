//! The file in which subscriptions and commands outlive a restart.
//!
//! Records are appended as they happen, each with its length and checksum; a torn one at the end
//! is left out. The file is not synced: a crash of the program loses nothing, one of the machine
//! may lose the last second.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Records beyond twice those of the last time before the file is written anew.
const SLACK: usize = 10_000;
/// Length and checksum before each record.
const HEAD: usize = 8;

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Record {
    /// A client has subscribed.
    Subscribed { client: String, filter: String, qos: u8 },
    /// A client has unsubscribed.
    Unsubscribed { client: String, filter: String },
    /// A command waits for a client.
    Queued { client: String, qos: u8, retained: bool, letter: Saved },
    /// A command was sent, under this packet id.
    Sent { client: String, number: u64, id: u16 },
    /// A command is done with.
    Done { client: String, number: u64 },
    /// The client's session has ended.
    Gone { client: String },
    /// The last command of its topic, for those who subscribe later; an empty one ends it.
    Retained { letter: Saved },
    /// A command that waits for a first subscriber.
    Held { letter: Saved },
    /// Somebody has taken it, or it has expired.
    Taken { topic: String, number: u64 },
}

/// A command as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Saved {
    pub(crate) number: u64,
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: u8,
    /// Microseconds since 1970.
    pub(crate) expires: Option<i64>,
}

/// The file, open for more.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    records: usize,
    /// The number of records at which it is time to write it anew.
    limit: usize,
}

impl Journal {
    /// Opens the file; returns what it holds, in order. The caller is to write it anew at once.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, Vec<Record>)> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let (records, good) = parse(&bytes);
        if good < bytes.len() {
            tracing::warn!(
                file = %path.display(),
                bytes = bytes.len() - good,
                "the end of the file of commands is torn; it is left out"
            );
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let journal = Self { path: path.to_owned(), file, records: records.len(), limit: SLACK };
        Ok((journal, records))
    }

    /// Appends a record.
    pub(crate) fn append(&mut self, record: &Record) -> io::Result<()> {
        let mut bytes = Vec::new();
        put(&mut bytes, record)?;
        self.records += 1;
        self.file.write_all(&bytes)
    }

    /// Whether it is time to write the file anew.
    pub(crate) fn is_long(&self) -> bool {
        self.records > self.limit
    }

    /// Replaces the file by one with these records.
    pub(crate) fn rewrite(&mut self, records: impl Iterator<Item = Record>) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        let (mut bytes, mut count) = (Vec::new(), 0);
        for record in records {
            put(&mut bytes, &record)?;
            count += 1;
        }
        fs::write(&fresh, bytes)?;
        fs::rename(&fresh, &self.path)?;
        self.file = OpenOptions::new().append(true).open(&self.path)?;
        self.records = count;
        self.limit = 2 * count + SLACK;
        Ok(())
    }
}

fn put(bytes: &mut Vec<u8>, record: &Record) -> io::Result<()> {
    let body = postcard::to_stdvec(record).map_err(io::Error::other)?;
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend(crc32fast::hash(&body).to_le_bytes());
    bytes.extend(body);
    Ok(())
}

/// The records, and how many bytes of them are good.
fn parse(bytes: &[u8]) -> (Vec<Record>, usize) {
    let (mut records, mut at) = (Vec::new(), 0);
    while let Some((length, checksum)) = head(&bytes[at..]) {
        let body = bytes.get(at + HEAD..at + HEAD + length);
        let good = body.filter(|body| crc32fast::hash(body) == checksum);
        let Some(record) = good.and_then(|body| postcard::from_bytes(body).ok()) else { break };
        records.push(record);
        at += HEAD + length;
    }
    (records, at)
}

fn head(bytes: &[u8]) -> Option<(usize, u32)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let checksum = rest.first_chunk::<4>()?;
    Some((u32::from_le_bytes(*length) as usize, u32::from_le_bytes(*checksum)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(client: &str) -> Record {
        Record::Gone { client: client.to_owned() }
    }

    #[test]
    fn what_was_appended_is_there_up_to_a_torn_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("commands");
        let (mut journal, records) = Journal::open(&path).expect("new");
        assert!(records.is_empty());
        journal.append(&gone("a")).expect("written");
        journal.append(&gone("设备\n")).expect("written");
        drop(journal);
        let whole = fs::read(&path).expect("there");
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).expect("written");
            let (_, records) = Journal::open(&path).expect("readable");
            assert_eq!(records.len(), usize::from(cut >= whole.len() - HEAD - 9), "cut at {cut}");
        }
        fs::write(&path, &whole).expect("written");
        let (mut journal, records) = Journal::open(&path).expect("there");
        assert_eq!(records, [gone("a"), gone("设备\n")]);
        journal.rewrite([gone("b")].into_iter()).expect("written");
        journal.append(&gone("c")).expect("written");
        let (_, records) = Journal::open(&path).expect("there");
        assert_eq!(records, [gone("b"), gone("c")]);
    }
}
