//! Deleting readings for good, at the server and here.
//!
//! The server must answer for it: what is still on its way there is waited for first, or it would
//! arrive after the deletion. The tiers lose whole steps; those of the last two days are computed anew
//! from what is left. A device's positions are in the points of its metrics there, so that
//! deleting one metric deletes the positions that came with it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use city_model::{Reading, SeriesKey, Span};

use super::line::Name;
use super::reads::{Part, parts};
use super::setup::{TIERS, tier_bucket};
use super::{HELD_TIMES, Influx};
use crate::backends::bare_reading;
use crate::steps::check_range;
use crate::{Deletion, Point, Store as _, StoreError, StoreErrorKind, TimeRange};

/// How long a deletion waits for what is on its way to the server.
const PATIENCE: Duration = Duration::from_mins(1);

impl Influx {
    pub(super) fn do_delete(&self, what: &Deletion) -> Result<u64, StoreError> {
        check_range(what.range)?;
        if !self.wait_until_forwarded(PATIENCE) {
            let trouble = self.shared.stats().trouble;
            return Err(StoreError::new(
                StoreErrorKind::Busy,
                format!(
                    "nothing can be deleted while readings wait for InfluxDB at {}: {}; delete \
                     again when it has taken them",
                    self.server,
                    trouble.unwrap_or_else(|| "it is not fast enough".to_owned()),
                ),
            ));
        }
        let far: Vec<TimeRange> = parts(what.range, self.complete_from())
            .into_iter()
            .filter_map(|part| if let Part::Far(range) = part { Some(range) } else { None })
            .collect();
        let (mut there, mut twice) = (0, 0);
        for range in far {
            there += self.far_count(Some(what.device), what.metric, range)?;
            // Late readings that have not left yet are at both sides.
            twice += self.local_count(what, range)?;
        }
        let before = self.local.last_of_device(what.device);
        self.forget_recent();
        self.delete_there(what)?;
        let here = self.local.delete(what)?;
        self.forget_recent();
        for (metric, _) in before {
            let series = SeriesKey { device: what.device, metric };
            if self.local.last(series).is_none() {
                self.bring_back_last(series)?;
            }
        }
        Ok(there + here.saturating_sub(twice))
    }

    /// What was forwarded is no longer surely at the server.
    fn forget_recent(&self) {
        self.shared.deletions.fetch_add(1, Ordering::AcqRel);
    }

    fn local_count(&self, what: &Deletion, range: TimeRange) -> Result<u64, StoreError> {
        let Some(metric) = what.metric else {
            return self.local.count(Some(what.device), range);
        };
        let series = SeriesKey { device: what.device, metric };
        let mut count = 0;
        self.local.scan(series, range, &mut |page| {
            count += page.len() as u64;
            std::ops::ControlFlow::Continue(())
        })?;
        Ok(count)
    }

    fn delete_there(&self, what: &Deletion) -> Result<(), StoreError> {
        let start = what.range.from.max(HELD_TIMES.0);
        let end = what.range.to.min(HELD_TIMES.1);
        if start >= end {
            return Ok(());
        }
        let series = SeriesKey { device: what.device, metric: what.metric.unwrap_or_default() };
        let name = Name::of(series, &*self.naming);
        let measurement = what.metric.is_some().then_some(&*name.measurement);
        let last = end - Span::from_micros(1);
        self.wait(async {
            let bucket = self.client.bucket();
            let answer = self.client.delete(bucket, measurement, &name.device, (start, last)).await;
            answer.map_err(|refusal| refusal.into_error("delete from", &self.server))?;
            for (tier, step) in TIERS {
                let times = (start.floor_to(step).max(HELD_TIMES.0), last);
                let bucket = tier_bucket(bucket, tier);
                match self.client.delete(&bucket, measurement, &name.device, times).await {
                    // `citybrain influx setup` was not run: there are no tiers.
                    Err(refusal) if refusal.status == Some(404) => {}
                    answer => answer.map_err(|refusal| {
                        let what = format!("delete summaries (bucket `{bucket}`) from");
                        refusal.into_error(&what, &self.server)
                    })?,
                }
            }
            Ok(())
        })
    }

    /// The newest reading that is left may be at the server only.
    fn bring_back_last(&self, series: SeriesKey) -> Result<(), StoreError> {
        let all = TimeRange { from: HELD_TIMES.0, to: self.complete_from() };
        if all.from >= all.to {
            return Ok(());
        }
        if let Some(Point { time, value, quality }) = self.far_newest(series, all)? {
            let at = TimeRange { from: time, to: time + Span::from_micros(1) };
            let position = self.far_track(series.device, at, 1)?.pop().map(|(_, at)| at);
            let newest: Reading = bare_reading(series, time, value, quality, position);
            self.local.bring_back_last(&newest);
        }
        Ok(())
    }
}
