//! Where the listener listens, and what it bears.

use std::net::SocketAddr;
use std::time::Duration;

use city_decode::hj212::{CrcKind, Sm4Key};
use city_pipeline::SourceKey;

/// A listener.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address.
    pub listen: SocketAddr,
    /// The source that the messages belong to.
    pub source: SourceKey,
    /// Connections at a time; further ones are closed at once.
    pub max_connections: usize,
    /// How long a new connection may take to its first frame.
    pub first: Duration,
    /// How long a connection may be without a frame.
    pub idle: Duration,
    /// How long a device may take to read its answers.
    pub write: Duration,
    /// Frames of one connection that may wait for their commit.
    pub window: usize,
    /// Which checksums are right: as the source's option `crc` has it.
    pub checksum: Checksum,
    /// The key of encrypted data: as the source's option `sm4_key` has it. Without one, whether
    /// their checksum is right is left to the format, and they are answered whatever it says.
    pub sm4_key: Option<Sm4Key>,
}

/// Which checksums are right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// By the standard or by Modbus.
    #[default]
    Either,
    /// This one alone.
    Only(CrcKind),
    /// Whatever was sent.
    Ignore,
}

impl Config {
    /// A listener with everything else as it is by default.
    pub fn new(listen: SocketAddr, source: SourceKey) -> Self {
        Self {
            listen,
            source,
            max_connections: 10_000,
            first: Duration::from_mins(1),
            idle: Duration::from_mins(30),
            write: Duration::from_secs(10),
            window: 64,
            checksum: Checksum::default(),
            sm4_key: None,
        }
    }
}

impl Checksum {
    /// By the word that the source's option has; a word that is none is the format's to refuse.
    pub fn from_option(word: Option<&str>) -> Self {
        match word {
            Some("standard") => Self::Only(CrcKind::Standard),
            Some("modbus") => Self::Only(CrcKind::Modbus),
            Some("ignore") => Self::Ignore,
            _ => Self::Either,
        }
    }

    /// Whether a frame's checksum is right.
    pub(crate) fn accepts(self, kind: Option<CrcKind>) -> bool {
        match self {
            Self::Either => kind.is_some(),
            Self::Only(only) => kind == Some(only),
            Self::Ignore => true,
        }
    }
}
