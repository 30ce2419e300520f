//! What the disk alone can do: the log's bytes of a commit written one after the other into one
//! file, each made durable. No store that acknowledges what is durable is faster.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Instant;

use crate::bench::intake::BATCH;

/// Where a write-ahead log begins anew.
const FILE_BYTES: u64 = 16 << 20;

/// Readings a second if each commit took one write and one `fdatasync`.
pub(super) fn readings_per_s(folder: &Path, bytes: u64, commits: u32) -> anyhow::Result<f64> {
    let mut file = File::create(folder.join("sequential"))?;
    let noise: Vec<u8> = (0..bytes).map(|place| crate::bench::city::chance(place) as u8).collect();
    let mut written = 0;
    let started = Instant::now();
    for _ in 0..commits {
        if written + bytes > FILE_BYTES {
            file.seek(SeekFrom::Start(0))?;
            written = 0;
        }
        file.write_all(&noise)?;
        file.sync_data()?;
        written += bytes;
    }
    Ok(f64::from(commits) * BATCH as f64 / started.elapsed().as_secs_f64())
}
