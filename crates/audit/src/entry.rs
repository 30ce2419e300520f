//! One entry of the log, and the bytes that its hash is made of.

use std::fmt;

use city_model::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// What the first entry follows.
pub(crate) const BEGINNING: Hash = [0; 32];

/// Stands before the fields, so that no other use of SHA-256 yields the same hashes.
const DOMAIN: &str = "citybrain audit log 1";

/// How it was proven who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// The cookie of a browser's session.
    Session,
    /// An access token.
    Token,
    /// The account of the operating system on the server's command line.
    Cli,
    /// Nobody asked: the program itself.
    System,
    /// Nothing was proven.
    Anonymous,
}

impl Via {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Session, Self::Token, Self::Cli, Self::System, Self::Anonymous];

    /// The name in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
            Self::Cli => "cli",
            Self::System => "system",
            Self::Anonymous => "anonymous",
        }
    }

    pub(crate) fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|via| via.name() == name)
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused or failed; the stable code of the problem.
    Refused(String),
    /// The program ended before it was known.
    Unknown,
}

impl Outcome {
    /// The word in the API and the database.
    pub fn name(&self) -> &str {
        match self {
            Self::Done => "done",
            Self::Refused(code) => code,
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is to be recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEntry {
    /// When it was asked for.
    pub at: Timestamp,
    /// Who: the user's name; `None` if nobody proved who they are.
    pub user: Option<String>,
    /// How that was proven.
    pub via: Via,
    /// The client's network address; `None` on the command line.
    pub address: Option<String>,
    /// What: a stable name, in the API that of the operation.
    pub action: String,
    /// What it was done to, most often an id.
    pub target: Option<String>,
    /// The department that owns the target; `None` if it is the whole city's, or not known.
    pub department: Option<String>,
    /// What it was before; secrets and very long texts are replaced when it is written.
    pub before: Option<Value>,
    /// What it is after.
    pub after: Option<Value>,
    /// The HTTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// What became of it.
    pub outcome: Outcome,
    /// How often the same was refused; 1 except for refusals that are counted together.
    pub times: u64,
}

impl NewEntry {
    /// Something that was done once.
    pub fn new(at: Timestamp, via: Via, action: impl Into<String>) -> Self {
        Self {
            at,
            user: None,
            via,
            address: None,
            action: action.into(),
            target: None,
            department: None,
            before: None,
            after: None,
            status: None,
            outcome: Outcome::Done,
            times: 1,
        }
    }
}

/// An entry as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counts from 1.
    pub number: u64,
    /// When it was asked for.
    pub at: Timestamp,
    /// Who.
    pub user: Option<String>,
    /// How that was proven.
    pub via: String,
    /// From where.
    pub address: Option<String>,
    /// What.
    pub action: String,
    /// To what.
    pub target: Option<String>,
    /// Whose that is.
    pub department: Option<String>,
    /// What it was before, as JSON.
    pub before: Option<String>,
    /// What it is after, as JSON.
    pub after: Option<String>,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// What became of it.
    pub outcome: String,
    /// How often.
    pub times: u64,
    /// The hash of the entry before; zeros for the first.
    pub previous: [u8; 32],
    /// The hash of this entry.
    pub hash: [u8; 32],
}

impl Entry {
    /// The hash that these fields have: SHA-256 over the domain `citybrain audit log 1`, the hash
    /// of the entry before, and each field in the order of this struct. A number is 8 bytes, big
    /// endian; the time is in microseconds since 1970, two's complement. A text is its length in
    /// bytes as such a number and then its UTF-8. What may be missing has a byte before it, 0 if it
    /// is missing and 1 if not.
    pub(crate) fn digest(&self) -> Hash {
        self.digest_as(self.number)
    }

    /// The hash that it would have under another number.
    pub(crate) fn digest_as(&self, number: u64) -> Hash {
        let mut sum = Sha256::new();
        let text = |sum: &mut Sha256, text: &str| {
            sum.update((text.len() as u64).to_be_bytes());
            sum.update(text.as_bytes());
        };
        let maybe = |sum: &mut Sha256, field: &Option<String>| {
            sum.update([u8::from(field.is_some())]);
            if let Some(field) = field {
                text(sum, field);
            }
        };
        text(&mut sum, DOMAIN);
        sum.update(self.previous);
        sum.update(number.to_be_bytes());
        sum.update(self.at.micros().to_be_bytes());
        maybe(&mut sum, &self.user);
        text(&mut sum, &self.via);
        maybe(&mut sum, &self.address);
        text(&mut sum, &self.action);
        maybe(&mut sum, &self.target);
        maybe(&mut sum, &self.department);
        maybe(&mut sum, &self.before);
        maybe(&mut sum, &self.after);
        sum.update([u8::from(self.status.is_some())]);
        if let Some(status) = self.status {
            sum.update(u64::from(status).to_be_bytes());
        }
        text(&mut sum, &self.outcome);
        sum.update(self.times.to_be_bytes());
        sum.finalize().into()
    }
}

/// Bytes in lowercase hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The hash that [`hex`] wrote.
pub(crate) fn unhex(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(hash)
}
