//! What this program itself and its command line write into the audit log.

use std::sync::Arc;

use city_audit::{AuditLog, NewEntry, Via, operator};
use city_model::Timestamp;
use city_store::{StateDb, StateError};

/// An entry about something that the account of the operating system does on the command line.
pub(crate) fn by_operator(now: Timestamp, action: &str) -> NewEntry {
    NewEntry { user: Some(operator()), ..NewEntry::new(now, Via::Cli, action) }
}

/// Says in the audit log that the program starts: what is configured takes effect with it.
pub(crate) fn record_start(
    state: &Arc<StateDb>,
    now: Timestamp,
    first: bool,
) -> Result<(), StateError> {
    let mut entry = NewEntry::new(now, Via::System, "start");
    entry.user = Some(operator());
    entry.after = Some(serde_json::json!({
        "version": env!("CARGO_PKG_VERSION"), "process": std::process::id(), "first": first,
    }));
    AuditLog::open(state.clone())?.finish(None, entry)?;
    Ok(())
}
