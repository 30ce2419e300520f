//! A store that forgets: plain ordered maps, for tests and as the model of what a store does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use city_model::{
    DeviceKey, MetricKey, Position, Quality, Reading, SeriesKey, Span, Timestamp, Value,
};

use super::{bare_reading, same_value, supersedes};
use crate::steps::{Stats, Steps, check_range, ranked};
use crate::{
    Bucket, Cancel, Commit, CommitReport, Counters, DELIVERIES_KEPT, DeadLetter, DeadLetterId,
    DeadLetterPage, Deletion, DeliveryNote, LastValue, LedgerKey, LetterCount, LettersFrom,
    Outcome, Point, Rank, Replay, Sequence, SequenceNote, Store, StoreError, StoreErrorKind,
    StoreStats, TimeRange,
};

/// Readings in a page.
const PAGE: usize = 1_000;

/// Everything in memory, for ever. Written to be plainly right, not to be quick.
#[derive(Debug, Default)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    readings: BTreeMap<SeriesKey, BTreeMap<Timestamp, (Value, Quality)>>,
    tracks: BTreeMap<DeviceKey, BTreeMap<Timestamp, Position>>,
    last: BTreeMap<SeriesKey, LastValue>,
    letters: Vec<DeadLetter>,
    ledger: BTreeMap<LedgerKey, Counters>,
    sequences: BTreeMap<(DeviceKey, u16), Sequence>,
    deliveries: VecDeque<DeliveryNote>,
    /// New readings of each commit.
    log: BTreeMap<u64, Vec<Reading>>,
    holds: BTreeMap<String, u64>,
    seq: u64,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put(&mut self, reading: &Reading, source: u16) -> Outcome {
        let Reading { series, time, .. } = *reading;
        let readings = self.readings.entry(series).or_default();
        let old = readings.get(&time).cloned();
        if !old.as_ref().is_some_and(|(value, _)| same_value(value, &reading.value)) {
            readings.insert(time, (reading.value.clone(), reading.quality));
        }
        if let Some(position) = reading.position {
            self.tracks.entry(series.device).or_default().insert(time, position);
        }
        match self.last.get_mut(&series) {
            Some(last) if supersedes(reading, last) => *last = LastValue::from(reading),
            Some(_) => {}
            None => {
                self.last.insert(series, LastValue::from(reading));
            }
        }
        for key in [LedgerKey::Source(source), LedgerKey::Device(series.device)] {
            let counters = self.ledger.entry(key).or_default();
            counters.received += 1;
            match old {
                None => counters.stored += 1,
                Some(_) => counters.duplicate += 1,
            }
        }
        if old.is_none() { Outcome::Stored } else { Outcome::Duplicate }
    }

    /// Returns whether it was there already.
    fn dead_letter(&mut self, letter: &crate::NewDeadLetter) -> bool {
        let repeated = letter.again && self.letters.iter().any(|kept| kept.letter.repeats(letter));
        if !repeated {
            let id = DeadLetterId(self.letters.len() as i64 + 1);
            let letter = crate::NewDeadLetter { again: false, ..letter.clone() };
            self.letters.push(DeadLetter { id, letter, replayed_at: None });
        }
        let source = letter.source.map_or(LedgerKey::NoSource, LedgerKey::Source);
        let device = letter.device_key.map_or(LedgerKey::NoDevice, LedgerKey::Device);
        for key in [source, device] {
            let counters = self.ledger.entry(key).or_default();
            counters.received += u64::from(letter.items);
            let what = if repeated { &mut counters.duplicate } else { &mut counters.dead_lettered };
            *what += u64::from(letter.items);
        }
        repeated
    }

    fn sequence(&mut self, note: SequenceNote) {
        let sequence = self.sequences.entry((note.device, note.source)).or_default();
        let before = sequence.missed;
        sequence.note(note.number);
        let after = sequence.missed;
        for key in [LedgerKey::Source(note.source), LedgerKey::Device(note.device)] {
            let counters = self.ledger.entry(key).or_default();
            counters.missed = counters.missed + after - before;
        }
    }

    /// Forgets commits that nobody holds.
    fn cut(&mut self) {
        let keep = self.holds.values().copied().min().unwrap_or(u64::MAX);
        self.log = self.log.split_off(&keep);
    }

    fn within(
        &self,
        series: SeriesKey,
        range: TimeRange,
    ) -> impl Iterator<Item = (&Timestamp, &(Value, Quality))> {
        let points = self.readings.get(&series);
        points.into_iter().flat_map(move |points| points.range(range.from..range.to))
    }
}

impl Store for Memory {
    fn commit(&self, commit: &Commit) -> Result<CommitReport, StoreError> {
        if commit.readings.len() != commit.sources.len() {
            let message = "a commit must have one source for each reading";
            return Err(StoreError::new(StoreErrorKind::Invalid, message));
        }
        let mut state = self.state();
        let mut outcomes = Vec::with_capacity(commit.readings.len());
        let mut new = Vec::new();
        for (reading, source) in commit.readings.iter().zip(&commit.sources) {
            let outcome = state.put(reading, *source);
            if outcome == Outcome::Stored {
                new.push(Reading { zones: city_model::ZoneSet::default(), ..reading.clone() });
            }
            outcomes.push(outcome);
        }
        for note in &commit.sequences {
            state.sequence(*note);
        }
        state.deliveries.extend(&commit.deliveries);
        let old = state.deliveries.len().saturating_sub(DELIVERIES_KEPT);
        state.deliveries.drain(..old);
        let mut repeated_letters = Vec::new();
        for (place, letter) in commit.dead_letters.iter().enumerate() {
            if state.dead_letter(letter) {
                repeated_letters.push(place);
            }
        }
        state.seq += 1;
        let seq = state.seq;
        state.log.insert(seq, new);
        Ok(CommitReport { seq, outcomes, repeated_letters })
    }

    fn scan(
        &self,
        series: SeriesKey,
        range: TimeRange,
        each: &mut dyn FnMut(&[Point]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        check_range(range)?;
        let point = |(time, (value, quality)): (&Timestamp, &(Value, Quality))| Point {
            time: *time,
            value: value.clone(),
            quality: *quality,
        };
        let points: Vec<Point> = self.state().within(series, range).map(point).collect();
        let _ = points.chunks(PAGE).try_for_each(each);
        Ok(())
    }

    fn buckets(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        step: Span,
        cancel: &Cancel,
    ) -> Result<Vec<Bucket>, StoreError> {
        let mut steps = Steps::new(step)?;
        check_range(range)?;
        cancel.check()?;
        let mut series = series.to_vec();
        series.sort_unstable();
        series.dedup();
        let state = self.state();
        for series in series {
            for (time, (value, quality)) in state.within(series, range) {
                steps.add(time.micros(), value.as_f64(), *quality);
            }
        }
        Ok(steps.finish())
    }

    fn top(
        &self,
        series: &[SeriesKey],
        range: TimeRange,
        by: Rank,
        n: usize,
        cancel: &Cancel,
    ) -> Result<Vec<(SeriesKey, Bucket)>, StoreError> {
        check_range(range)?;
        cancel.check()?;
        let state = self.state();
        let all = series.iter().collect::<BTreeSet<_>>().into_iter().map(|series| {
            let mut stats = Stats::default();
            for (time, (value, quality)) in state.within(*series, range) {
                stats.add(time.micros(), value.as_f64(), *quality);
            }
            (*series, stats)
        });
        Ok(ranked(all.collect(), range, by, n))
    }

    fn export(
        &self,
        device: DeviceKey,
        range: TimeRange,
        each: &mut dyn FnMut(Vec<Reading>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        check_range(range)?;
        let mut readings: Vec<Reading> = {
            let state = self.state();
            let track = state.tracks.get(&device);
            let at = |time: &Timestamp| track.and_then(|track| track.get(time)).copied();
            let series = state.readings.keys().filter(|series| series.device == device);
            let all = series.flat_map(|series| {
                state.within(*series, range).map(|(time, (value, quality))| {
                    bare_reading(*series, *time, value.clone(), *quality, at(time))
                })
            });
            all.collect()
        };
        readings.sort_by_key(|reading| (reading.time, reading.series.metric));
        let _ = readings.chunks(PAGE).try_for_each(|page| each(page.to_vec()));
        Ok(())
    }

    fn delete(&self, what: &Deletion) -> Result<u64, StoreError> {
        check_range(what.range)?;
        let mut state = self.state();
        let State { readings, tracks, last, .. } = &mut *state;
        let mut gone = 0;
        for (series, points) in readings.iter_mut().filter(|(series, _)| what.is_about(**series)) {
            let before = points.len();
            points.retain(|time, _| !what.range.contains(*time));
            gone += (before - points.len()) as u64;
            if last.get(series).is_some_and(|last| what.range.contains(last.time)) {
                let track = tracks.get(&series.device);
                let newest = points.last_key_value().map(|(time, (value, quality))| {
                    let position = track.and_then(|track| track.get(time)).copied();
                    bare_reading(*series, *time, value.clone(), *quality, position)
                });
                match newest {
                    Some(newest) => last.insert(*series, LastValue::from(&newest)),
                    None => last.remove(series),
                };
            }
        }
        readings.retain(|_, points| !points.is_empty());
        if what.metric.is_none()
            && let Some(track) = tracks.get_mut(&what.device)
        {
            track.retain(|time, _| !what.range.contains(*time));
        }
        Ok(gone)
    }

    fn track(
        &self,
        device: DeviceKey,
        range: TimeRange,
        limit: usize,
    ) -> Result<Vec<(Timestamp, Position)>, StoreError> {
        check_range(range)?;
        let state = self.state();
        let track = state.tracks.get(&device);
        let places = track.into_iter().flat_map(|track| track.range(range.from..range.to));
        Ok(places.take(limit).map(|(time, position)| (*time, *position)).collect())
    }

    fn count(&self, device: Option<DeviceKey>, range: TimeRange) -> Result<u64, StoreError> {
        check_range(range)?;
        let state = self.state();
        let series = state.readings.keys().filter(|s| device.is_none_or(|d| d == s.device));
        Ok(series.map(|series| state.within(*series, range).count() as u64).sum())
    }

    fn last(&self, series: SeriesKey) -> Option<LastValue> {
        self.state().last.get(&series).cloned()
    }

    fn last_of_device(&self, device: DeviceKey) -> Vec<(MetricKey, LastValue)> {
        let state = self.state();
        let of_device = state.last.iter().filter(|(series, _)| series.device == device);
        of_device.map(|(series, last)| (series.metric, last.clone())).collect()
    }

    fn each_last(&self, each: &mut dyn FnMut(SeriesKey, &LastValue)) {
        let last = self.state().last.clone();
        for (series, value) in &last {
            each(*series, value);
        }
    }

    fn replay(&self, from: u64, each: &mut dyn FnMut(Replay)) -> Result<(), StoreError> {
        let log: Vec<_> = {
            let state = self.state();
            state.log.range(from..).map(|(seq, readings)| (*seq, readings.clone())).collect()
        };
        for (seq, readings) in log {
            each(Replay { seq, readings });
        }
        Ok(())
    }

    fn hold(&self, name: &str, from: u64) -> Result<(), StoreError> {
        self.state().holds.insert(name.to_owned(), from);
        Ok(())
    }

    fn head_seq(&self) -> u64 {
        self.state().seq
    }

    fn dead_letters(
        &self,
        from: LettersFrom,
        reason: Option<&str>,
        limit: usize,
    ) -> Result<DeadLetterPage, StoreError> {
        let state = self.state();
        let matching = state.letters.iter().filter(|letter| {
            from.reaches(letter.id) && reason.is_none_or(|reason| letter.letter.reason == reason)
        });
        let enough = limit.saturating_add(1);
        let items = if from.goes_up() {
            matching.take(enough).cloned().collect()
        } else {
            matching.rev().take(enough).cloned().collect()
        };
        Ok(DeadLetterPage::cut(from, items, limit))
    }

    fn count_letters(&self, received: TimeRange) -> Result<Vec<LetterCount>, StoreError> {
        check_range(received)?;
        let mut counts: BTreeMap<(String, String), LetterCount> = BTreeMap::new();
        for kept in &self.state().letters {
            let letter = &kept.letter;
            if !received.contains(letter.received) {
                continue;
            }
            let key = (letter.source_id.clone(), letter.reason.clone());
            let count = counts.entry(key.clone()).or_insert_with(|| LetterCount {
                source_id: key.0,
                reason: key.1,
                letters: 0,
                items: 0,
                replayed: 0,
            });
            count.letters += 1;
            count.items += u64::from(letter.items);
            count.replayed += u64::from(kept.replayed_at.is_some());
        }
        Ok(counts.into_values().collect())
    }

    fn dead_letter(&self, id: DeadLetterId) -> Result<Option<DeadLetter>, StoreError> {
        Ok(self.state().letters.iter().find(|letter| letter.id == id).cloned())
    }

    fn mark_replayed(&self, id: DeadLetterId, at: Timestamp) -> Result<(), StoreError> {
        if let Some(letter) = self.state().letters.iter_mut().find(|letter| letter.id == id) {
            letter.replayed_at = Some(at);
        }
        Ok(())
    }

    fn deliveries(&self) -> Result<Vec<DeliveryNote>, StoreError> {
        Ok(self.state().deliveries.iter().copied().collect())
    }

    fn ledger(&self) -> Vec<(LedgerKey, Counters)> {
        self.state().ledger.iter().map(|(key, counters)| (*key, *counters)).collect()
    }

    fn maintain(&self, _now: Timestamp) -> Result<(), StoreError> {
        self.state().cut();
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.state().cut();
        Ok(())
    }

    fn stats(&self) -> StoreStats {
        let state = self.state();
        StoreStats {
            readings: state.readings.values().map(|points| points.len() as u64).sum(),
            series: state.last.len() as u64,
            commits: state.seq,
            dead_letters: state.letters.len() as u64,
            ..StoreStats::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{SharedStore, conformance};

    #[test]
    fn it_conforms() {
        conformance::run(|| {
            let store: SharedStore = Arc::new(Memory::new());
            Box::new(move |_| store.clone())
        });
    }
}
