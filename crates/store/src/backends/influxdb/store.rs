//! The storage port, each call as the module's documentation says: to the spool, or to both sides.

use std::ops::ControlFlow;

use city_model::{DeviceKey, MetricKey, Position, Reading, SeriesKey, Span, Timestamp};

use super::{DRAIN, Influx};
use crate::{
    Bucket, Cancel, Commit, CommitReport, Counters, DeadLetter, DeadLetterId, DeadLetterPage,
    Deletion, DeliveryNote, ForwardStats, LastValue, LedgerKey, LetterCount, LettersFrom, Point,
    Rank, Replay, Store, StoreError, StoreErrorKind, StoreStats, TimeRange,
};

impl Store for Influx {
    fn commit(&self, commit: &Commit) -> Result<CommitReport, StoreError> {
        let waiting = self.shared.waiting();
        if waiting >= self.spool_limit {
            return Err(self.full(waiting));
        }
        let report = self.local.commit(commit)?;
        // Should this fail, the spool looks emptier than it is by one commit.
        self.shared.came(self.local.bytes_between(report.seq, report.seq).unwrap_or_default());
        Ok(report)
    }

    fn scan(
        &self,
        series: SeriesKey,
        range: TimeRange,
        each: &mut dyn FnMut(&[Point]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.read_scan(series, range, each)
    }

    fn raw(
        &self,
        series: SeriesKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<Point>, StoreError> {
        self.read_raw(series, range, limit)
    }

    fn buckets(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        step: Span,
        cancel: &Cancel,
    ) -> Result<Vec<Bucket>, StoreError> {
        self.read_buckets(series, range, step, cancel)
    }

    fn top(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        by: Rank,
        n: usize,
        cancel: &Cancel,
    ) -> Result<Vec<(SeriesKey, Bucket)>, StoreError> {
        self.read_top(series, range, by, n, cancel)
    }

    fn export(
        &self,
        device: DeviceKey,
        range: TimeRange,
        each: &mut dyn FnMut(Vec<Reading>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.read_export(device, range, each)
    }

    fn delete(&self, what: &Deletion) -> Result<u64, StoreError> {
        self.do_delete(what)
    }

    fn track(
        &self,
        device: DeviceKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Position)>, StoreError> {
        self.read_track(device, range, limit)
    }

    fn count(&self, device: Option<DeviceKey>, range: TimeRange) -> Result<u64, StoreError> {
        self.read_count(device, range)
    }

    fn last(&self, series: SeriesKey) -> Option<LastValue> {
        self.local.last(series)
    }

    fn last_of_device(&self, device: DeviceKey) -> Vec<(MetricKey, LastValue)> {
        self.local.last_of_device(device)
    }

    fn each_last(&self, each: &mut dyn FnMut(SeriesKey, &LastValue)) {
        self.local.each_last(each);
    }

    fn replay(&self, from: u64, each: &mut dyn FnMut(Replay)) -> Result<(), StoreError> {
        self.local.replay(from, each)
    }

    fn hold(&self, name: &str, from: u64) -> Result<(), StoreError> {
        self.local.hold(name, from)
    }

    fn head_seq(&self) -> u64 {
        self.local.head_seq()
    }

    fn dead_letters(
        &self,
        from: LettersFrom,
        reason: Option<&str>,
        limit: usize,
    ) -> Result<DeadLetterPage, StoreError> {
        self.local.dead_letters(from, reason, limit)
    }

    fn dead_letter(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
        self.local.dead_letter(id)
    }

    fn count_letters(&self, received: TimeRange) -> Result<Vec<LetterCount>, StoreError> {
        self.local.count_letters(received)
    }

    fn mark_replayed(&self, id: DeadLetterId, at: Timestamp) -> Result<(), StoreError> {
        self.local.mark_replayed(id, at)
    }

    fn deliveries(&self) -> Result<Vec<DeliveryNote>, StoreError> {
        self.local.deliveries()
    }

    fn ledger(&self) -> Vec<(LedgerKey, Counters)> {
        self.local.ledger()
    }

    fn maintain(&self, now: Timestamp) -> Result<(), StoreError> {
        self.local.maintain(now)?;
        self.let_go(now.micros().saturating_sub(self.keep_local))
    }

    fn flush(&self) -> Result<(), StoreError> {
        if !self.drain_on_flush {
            return self.local.flush();
        }
        let head = self.local.head_seq();
        if !self.shared.wait_for(head, DRAIN) {
            let trouble = self.shared.stats().trouble.unwrap_or_default();
            return Err(StoreError::new(
                StoreErrorKind::Busy,
                format!(
                    "InfluxDB at {} has not taken everything within {DRAIN:?}: {trouble}; it is \
                     tried on",
                    self.server
                ),
            ));
        }
        // Seals and cuts, then lets go of what the server has.
        self.local.flush()?;
        self.let_go(i64::MAX)
    }

    fn stats(&self) -> StoreStats {
        let forward = ForwardStats {
            server: self.server.clone(),
            spool_limit: self.spool_limit,
            batch_lines: self.batches.size().lines as u64,
            ..self.shared.stats()
        };
        StoreStats { forward: Some(forward), ..self.local.stats() }
    }
}
