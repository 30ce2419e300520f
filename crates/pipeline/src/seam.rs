//! The seam between the commit and those who follow it: the alert engine and the live views.
//!
//! In one process the followers are called directly; a bus between processes implements the same
//! trait.

use std::sync::Arc;

use city_model::Reading;

/// Readings that are durable, in commit order.
#[derive(Debug)]
pub struct Committed {
    /// The commit's number; grows by one with each commit that holds readings.
    pub seq: u64,
    /// The readings that were new. Redeliveries are not here: they are no news.
    pub readings: Vec<Reading>,
}

/// Somebody who follows the committed readings.
pub trait Follower: Send + Sync {
    /// Takes the next commit. A follower that must not miss anything (the alert engine) may block,
    /// which holds up ingest; one that may miss something (a live view) must not.
    fn follow(&self, committed: &Arc<Committed>);
}
