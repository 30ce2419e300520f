//! Keeps the alert list bounded: what ended long ago is deleted.

use std::sync::Arc;
use std::time::Duration;

use city_model::{SharedClock, Span};
use tokio::time::{MissedTickBehavior, interval};

use super::AlertList;
use crate::lanes::Lanes;
use crate::problem::Problem;

/// How long an alert that ended is kept with its log: a year, and enough of the next one to write
/// the report. Alerts that fire are kept however old they are.
pub(crate) const RETENTION: Span = Span::from_hours(400 * 24);
/// How often it is looked for alerts to delete.
const EVERY: Duration = Duration::from_hours(1);
/// How many are deleted at a time: meanwhile nobody else can use the state database.
const AT_ONCE: usize = 500;

/// Deletes alerts whose [`RETENTION`] is over, now and every hour, for as long as it is polled.
pub(crate) async fn upkeep(list: &Arc<AlertList>, lanes: &Lanes, clock: &SharedClock) {
    let mut ticker = interval(EVERY);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticker.tick().await;
        match delete_old(list, lanes, clock).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(alerts.deleted = deleted, "alerts of long ago deleted"),
            // The log has the cause; the next hour is soon enough.
            Err(_) => tracing::warn!("alerts of long ago could not all be deleted"),
        }
    }
}

async fn delete_old(
    list: &Arc<AlertList>,
    lanes: &Lanes,
    clock: &SharedClock,
) -> Result<usize, Problem> {
    let before = clock.now() - RETENTION;
    let mut deleted = 0;
    loop {
        let list = list.clone();
        let some = lanes.short(move || Ok(list.delete_ended(before, AT_ONCE)?)).await?;
        deleted += some;
        if some < AT_ONCE {
            return Ok(deleted);
        }
    }
}
