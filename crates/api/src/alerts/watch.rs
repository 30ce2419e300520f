//! What happens to alerts by time alone: silences begin and end, shelves end, deadlines pass.

use std::sync::Arc;
use std::time::Duration;

use city_store::StateError;
use tokio::time::{MissedTickBehavior, interval};

use super::AlertList;
use crate::lanes::Lanes;

/// How often the clock is looked at.
const EVERY: Duration = Duration::from_secs(1);

impl AlertList {
    /// Does what is due.
    pub(crate) fn tick(&self) -> Result<(), StateError> {
        let now = self.holds.clock.now();
        self.end_shelves(now)?;
        self.serve_deadlines(now)?;
        self.end_floods(now)?;
        if self.holds.have_changed(now) {
            let _one = self.lock();
            self.look_again(self.board.firing(), now)?;
        }
        Ok(())
    }
}

/// Does what is due every second, for as long as it is polled.
pub(crate) async fn watch(list: &Arc<AlertList>, lanes: &Lanes) {
    let mut ticker = interval(EVERY);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticker.tick().await;
        let list = list.clone();
        // A failure is in the log already; what was due is due the next time, too.
        if lanes.short(move || Ok(list.tick()?)).await.is_err() {
            tracing::warn!("what is due to alerts could not all be done");
        }
    }
}
