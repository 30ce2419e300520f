//! Files that are read again while the city runs: when they changed on disk, or on a hang-up signal.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How often the files are looked at. One that is being written is left alone until it has not
/// changed for as long.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A file's length and when it was changed; `None` if it is not there.
type Stamp = Option<(u64, SystemTime)>;

/// Files with their stamps, in order.
pub(crate) type Stamps = Vec<(PathBuf, Stamp)>;

/// The stamps of files.
pub(crate) fn stamps(files: impl IntoIterator<Item = PathBuf>) -> Stamps {
    files
        .into_iter()
        .map(|file| {
            let stamp = stamp(&file);
            (file, stamp)
        })
        .collect()
}

fn stamp(file: &Path) -> Stamp {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// Notices when files are to be read again.
pub(crate) struct Watcher {
    hang_up: Signal,
    before: Stamps,
}

impl Watcher {
    /// Watches `what`, whose files look like this `now`; `None`, after saying so, if there are no
    /// signals.
    pub(crate) fn new(what: &str, now: Stamps) -> Option<Self> {
        let Ok(hang_up) = signal(SignalKind::hangup()) else {
            tracing::error!("no signals: {what} are reloaded by the API only");
            return None;
        };
        Some(Self { hang_up, before: now })
    }

    /// Waits until files have changed since they were `seen` and are complete, or for a hang-up
    /// signal; `false` once it is to stop.
    pub(crate) async fn is_due(
        &mut self,
        stop: &CancellationToken,
        look: impl Fn() -> Stamps,
        seen: &Mutex<Stamps>,
    ) -> bool {
        loop {
            let asked = tokio::select! {
                () = stop.cancelled() => return false,
                _ = self.hang_up.recv() => true,
                () = tokio::time::sleep(LOOK_EVERY) => false,
            };
            let now = look();
            let settled = now == self.before && now.iter().all(|(_, stamp)| stamp.is_some());
            let changed = *seen.lock().unwrap_or_else(PoisonError::into_inner) != now;
            self.before = now;
            if asked || (settled && changed) {
                return true;
            }
        }
    }
}
