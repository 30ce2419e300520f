//! What a store needs that stands before a server: to follow the log with everything that is in it,
//! and to let go of days that the server has.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use city_model::{Reading, Timestamp};

use super::day_name::{DAY, day_of};
use super::log;
use super::{COMPLETE_FROM, Embedded};
use crate::{Store as _, StoreError};

/// The setting that says whether it is known what a server had before this store.
const LOOKED_BACK: &str = "looked_back";

/// A reading of the log as a follower gets it.
#[derive(Debug)]
pub(in crate::backends) struct Followed {
    pub(in crate::backends) reading: Reading,
    pub(in crate::backends) source: u16,
    /// There was one at (series, event time): a redelivery or a correction.
    pub(in crate::backends) duplicate: bool,
}

impl Embedded {
    /// What a follower holds, if it is known.
    pub(in crate::backends) fn held(&self, name: &str) -> Option<u64> {
        self.holds_lock().get(name).copied()
    }

    /// Whether nobody has found out yet what a server had before this store was made; `is_new` is
    /// what counts if that is asked for the first time.
    pub(in crate::backends) fn history_is_unknown(&self, is_new: bool) -> Result<bool, StoreError> {
        Ok(self.writer().db.setting_or(LOOKED_BACK, i64::from(!is_new))? == 0)
    }

    /// Notes that a server has what was before `from`, the start of a day, if anything; reads of
    /// that are not for this store.
    pub(in crate::backends) fn begin_from(
        &self,
        from: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut writer = self.writer();
        if let Some(from) = from.filter(|from| *from > self.complete_from()) {
            writer.db.set(COMPLETE_FROM, from.micros())?;
            self.counts.complete_from.store(from.micros(), Ordering::Release);
        }
        writer.db.set(LOOKED_BACK, 1)
    }

    /// Bytes of the commits from number `from` up to `to` that are in the log.
    pub(in crate::backends) fn bytes_between(&self, from: u64, to: u64) -> Result<u64, StoreError> {
        self.ingest.log_bytes(from, to)
    }

    /// Hands out commits from number `from` on with their bytes and all their readings, duplicates
    /// too, until `each` breaks.
    pub(in crate::backends) fn follow(
        &self,
        from: u64,
        mut each: impl FnMut(u64, u64, Vec<Followed>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let through = self.head_seq();
        let mut from = from;
        while from <= through {
            let page = self.ingest.log_page(from, through)?;
            let Some((newest, _)) = page.last() else { return Ok(()) };
            from = newest + 1;
            for (seq, payload) in page {
                let mut readings = Vec::new();
                log::decode(&payload, |logged| {
                    let log::Logged { reading, source, duplicate } = logged;
                    readings.push(Followed { reading, source, duplicate });
                })
                .map_err(|what| self.damaged_commit(seq, what))?;
                if each(seq, payload.len() as u64, readings).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Puts a reading that is stored elsewhere in the place of a newest value that went.
    pub(in crate::backends) fn bring_back_last(&self, reading: &Reading) {
        let mut writer = self.writer();
        if self.last.get(reading.series).is_none() {
            self.last.apply(&[reading], |reading| reading);
            writer.newest.raise(reading.series, reading.time.micros());
        }
    }

    /// Drops the days before `before` of which a follower has everything: all commits before number
    /// `has`. [`Embedded::complete_from`] moves first, on the disk too, so that whoever reads
    /// meanwhile can tell. Nothing is dropped outside of `within`, for the follower cannot hold it.
    /// What goes still counts as stored.
    pub(in crate::backends) fn let_go(
        &self,
        before: i64,
        has: u64,
        within: (Timestamp, Timestamp),
    ) -> Result<(), StoreError> {
        let _compactor = self.compactor();
        let _sealer = self.sealer();
        let (first, last) = (within.0.micros(), within.1.micros());
        let mut days: BTreeSet<i64> = self.days.days().into_iter().collect();
        days.extend(self.head.between(first, last).iter().map(|window| day_of(window.start)));
        for day in days.into_iter().filter(|day| day.saturating_add(DAY) <= before) {
            if day < first || day + DAY > last {
                continue;
            }
            // Commits wait, so that none reads a chunk back that is dropped meanwhile.
            let mut writer = self.writer();
            let windows = self.head.between(day, day + DAY - 1);
            let is_sealed = windows.iter().all(|window| !window.read().needs_log());
            let passed = |seals: &BTreeMap<i64, u64>| seals.values().all(|seq| *seq < has);
            let is_passed = self.days.contents(day, |found| passed(&found.seals))?;
            let complete_from = self.complete_from().micros();
            if !is_sealed || is_passed == Some(false) {
                // Late readings of a day before may wait; the first day that is here may not.
                if day >= complete_from {
                    return Ok(());
                }
                continue;
            }
            let end = day + DAY;
            if end > complete_from {
                writer.db.set(COMPLETE_FROM, end)?;
                self.counts.complete_from.store(end, Ordering::Release);
            }
            self.days.drop_day(day)?;
        }
        Ok(())
    }
}
