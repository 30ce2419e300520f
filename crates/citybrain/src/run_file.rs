//! A note in the data folder that tells the command line how to reach the running program: its
//! address and a token that the next start makes worthless. Readable by its owner only.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The file that says that the state in a data folder is a copy of that on a bus.
pub const ON_A_BUS: &str = "on-a-bus";

const NAME: &str = "running.json";

/// How to reach the running program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunFile {
    /// Its process id.
    pub process: u32,
    /// The address of its HTTP side.
    pub http: SocketAddr,
    /// A token with all rights; empty where there is no API.
    pub token: String,
    /// The role of a process without an API: a collector, an alert worker, a brain that stands by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

impl RunFile {
    fn path(data_dir: &Path) -> PathBuf {
        data_dir.join(NAME)
    }

    /// Writes it.
    pub fn write(&self, data_dir: &Path) -> std::io::Result<()> {
        let path = Self::path(data_dir);
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)?.write_all(serde_json::to_string(self)?.as_bytes())
    }

    /// Reads it; `None` if nothing runs there.
    pub fn read(data_dir: &Path) -> Option<Self> {
        let text = fs::read_to_string(Self::path(data_dir)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Takes it away.
    pub fn remove(data_dir: &Path) {
        // It may be gone already; the next start overwrites it anyhow.
        let _ = fs::remove_file(Self::path(data_dir));
    }
}
