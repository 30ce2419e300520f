//! What this program itself and its command line write into the audit log.

use std::path::Path;
use std::sync::Arc;

use city_audit::{AuditLog, NewEntry, Via, operator};
use city_model::Timestamp;
use city_store::{StateDb, StateError};

use crate::backup::Restored;

/// An entry about something that the account of the operating system does on the command line.
pub(crate) fn by_operator(now: Timestamp, action: &str) -> NewEntry {
    NewEntry { user: Some(operator()), ..NewEntry::new(now, Via::Cli, action) }
}

/// Says in the audit log that the program starts: what is configured takes effect with it.
pub(crate) fn record_start(state: &Arc<StateDb>, now: Timestamp) -> Result<(), StateError> {
    let mut entry = NewEntry::new(now, Via::System, "start");
    entry.user = Some(operator());
    entry.after = Some(serde_json::json!({
        "version": env!("CARGO_PKG_VERSION"), "process": std::process::id(),
    }));
    AuditLog::open(state.clone())?.finish(None, entry)?;
    Ok(())
}

/// Says in the audit log of a city that was brought back that it ends with its backup, so that what
/// was recorded later is not taken for cut off.
pub(crate) fn record_restore(
    data_dir: &Path,
    now: Timestamp,
    restored: &Restored,
) -> Result<(), StateError> {
    let mut entry = by_operator(now, "restore");
    let moved: Vec<_> = restored.moved.iter().map(|path| path.display().to_string()).collect();
    entry.after = Some(serde_json::json!({
        "backup_begun_at": restored.manifest.begun_at, "moved_aside": moved,
    }));
    let state = Arc::new(StateDb::open(data_dir.join("state.db"))?);
    AuditLog::open(state)?.accept(entry)?;
    Ok(())
}
