//! How the embedded store works.

use std::collections::BTreeMap;

use city_model::{MetricKey, Span};

pub use super::tiers::TierRetention;
use crate::{StoreError, StoreErrorKind};

/// How the embedded store works. The defaults suit a city.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The length of a window: what a chunk covers. A day must be a multiple of it. It cannot be
    /// changed once a store is made.
    pub window: Span,
    /// How long after its end a window is sealed, and how long late readings are gathered before
    /// their chunks are written anew.
    pub seal_after: Span,
    /// How long readings are kept by event time, in whole days of UTC; `None`: for ever.
    pub retention: Option<Span>,
    /// The same for metrics that are kept for less; see [`super::Embedded::keep_metrics`].
    pub metric_retention: BTreeMap<MetricKey, Span>,
    /// How long summaries are kept, in whole months of UTC.
    pub tiers: TierRetention,
    /// How long after its end, and after something was last sealed in it, a day is compacted.
    pub compact_after: Span,
    /// The name of a hold: days that hold anything that it has not passed are not dropped.
    pub keep_for: Option<String>,
    /// How long dead letters are kept after they were received.
    pub dead_letter_retention: Span,
    /// How many bytes of dead letters (payloads, topics and what is noted with them) are kept;
    /// when there are more, the oldest go.
    pub dead_letter_bytes: u64,
    /// How often last values and the ledger are written out while nothing is sealed, so that less
    /// is replayed. Each time costs about as much as taking in a reading of every series.
    pub snapshot_every: Span,
    /// About how many readings may be in memory (at 10 to 20 bytes each) before windows are
    /// sealed out of turn. Windows that are being written to now may take more.
    pub head_readings: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window: Span::from_hours(1),
            seal_after: Span::from_mins(5),
            retention: None,
            metric_retention: BTreeMap::new(),
            tiers: TierRetention::default(),
            compact_after: Span::from_hours(1),
            keep_for: None,
            dead_letter_retention: Span::from_hours(90 * 24),
            dead_letter_bytes: 1 << 30,
            snapshot_every: Span::from_mins(10),
            head_readings: 8_000_000,
        }
    }
}

impl Options {
    /// Refuses what cannot work.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let window = self.window.micros();
        if window < 1_000_000 || Span::from_hours(24).micros() % window != 0 {
            return Err(StoreError::new(
                StoreErrorKind::Invalid,
                format!(
                    "windows of {} cannot be: a day must be a multiple of them, and they must be at \
                     least 1s, such as 15m or 1h",
                    self.window
                ),
            ));
        }
        if self.dead_letter_retention.micros() <= 0 {
            return Err(StoreError::new(
                StoreErrorKind::Invalid,
                format!(
                    "dead letters cannot be kept for {}; choose a time in which people can look \
                     at them, such as 90d",
                    self.dead_letter_retention
                ),
            ));
        }
        Ok(())
    }
}
