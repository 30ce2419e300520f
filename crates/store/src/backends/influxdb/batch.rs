//! Lines that go out together, and how many of them at a time.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use city_model::{Reading, SeriesKey, Timestamp};

use super::line::Content;

/// Lines of a batch at first.
const FIRST: usize = 5_000;
/// Lines of a batch, at most: what InfluxData recommends.
const MOST: usize = 10_000;
/// Lines of a batch after many bad answers. A 413 can make it less.
const LEAST: usize = 500;
/// Bytes of a batch before compression, at most.
const MOST_BYTES: usize = 4 << 20;

/// Lines of some series in the order in which they must arrive.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    of: Vec<Line>,
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    end: usize,
    pub(super) origin: Origin,
}

/// Where a line comes from: what a dead letter needs to tell.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) series: SeriesKey,
    pub(super) source: u16,
    pub(super) received: Timestamp,
}

impl Origin {
    pub(super) fn of(reading: &Reading, source: u16) -> Self {
        Self { series: reading.series, source, received: reading.received }
    }
}

impl Lines {
    pub(super) fn push(
        &mut self,
        prefix: &[u8],
        time: Timestamp,
        content: &Content<'_>,
        origin: Origin,
    ) {
        super::line::write(prefix, time, content, &mut self.bytes);
        self.of.push(Line { end: self.bytes.len(), origin });
    }

    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    /// The bytes of some lines.
    pub(super) fn bytes(&self, range: &Range<usize>) -> &[u8] {
        let end = |line: usize| line.checked_sub(1).map_or(0, |line| self.of[line].end);
        &self.bytes[end(range.start)..end(range.end)]
    }

    pub(super) fn origin(&self, line: usize) -> &Origin {
        &self.of[line].origin
    }

    /// The next batch from line `from` on: at least one line.
    pub(super) fn next_batch(&self, from: usize, size: Size) -> Range<usize> {
        let start = from.checked_sub(1).map_or(0, |line| self.of[line].end);
        let most = self.of.len().min(from.saturating_add(size.lines));
        let fits = self.of[from..most].partition_point(|line| line.end - start <= size.bytes);
        from..(from + fits.max(1)).min(self.of.len())
    }
}

/// How much goes into one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) lines: usize,
    pub(super) bytes: usize,
}

/// The size of batches, as the server's answers make it.
#[derive(Debug)]
pub(super) struct Batches(Mutex<State>);

#[derive(Debug)]
struct State {
    size: Size,
    /// What a 413 showed to be too much is not tried again.
    ceiling: usize,
}

impl Default for Batches {
    fn default() -> Self {
        let size = Size { lines: FIRST, bytes: MOST_BYTES };
        Self(Mutex::new(State { size, ceiling: MOST }))
    }
}

impl Batches {
    pub(super) fn size(&self) -> Size {
        self.state().size
    }

    /// A batch was taken: the next may be larger, if this one was full.
    pub(super) fn taken(&self, lines: usize) {
        let mut state = self.state();
        if lines >= state.size.lines {
            let more = state.size.lines + state.size.lines / 10 + 1;
            state.size.lines = more.min(state.ceiling).max(state.size.lines);
        }
    }

    /// A batch was too large (413): from now on half of it.
    pub(super) fn too_large(&self, lines: usize, bytes: usize) {
        let mut state = self.state();
        state.size.bytes = state.size.bytes.min((bytes / 2).max(1));
        state.ceiling = state.ceiling.min((lines / 2).max(1));
        state.size.lines = state.size.lines.min(state.ceiling);
    }

    /// The server is busy or slow: less at a time, until it has caught up.
    pub(super) fn struggles(&self) {
        let mut state = self.state();
        state.size.lines = (state.size.lines / 2).max(LEAST.min(state.ceiling));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{reading, series, t};

    #[test]
    fn batches_grow_while_they_are_full_and_stay_small_after_a_413() {
        let batches = Batches::default();
        batches.taken(10);
        assert_eq!(batches.size().lines, FIRST, "a small batch says nothing");
        for _ in 0..20 {
            batches.taken(batches.size().lines);
        }
        assert_eq!(batches.size().lines, MOST);
        batches.struggles();
        assert_eq!(batches.size().lines, MOST / 2);
        batches.too_large(4_000, 300_000);
        assert_eq!(batches.size(), Size { lines: 2_000, bytes: 150_000 });
        for _ in 0..20 {
            batches.taken(batches.size().lines);
        }
        assert_eq!(batches.size().lines, 2_000, "what was too much is not tried again");
        for _ in 0..20 {
            batches.struggles();
        }
        assert_eq!(batches.size().lines, LEAST);
        batches.too_large(1, 10);
        batches.struggles();
        assert_eq!(batches.size(), Size { lines: 1, bytes: 5 });
    }

    #[test]
    fn a_batch_ends_at_its_lines_or_bytes_and_always_has_one() {
        let mut lines = Lines::default();
        let value = 1.0.into();
        let content = Content { value: &value, quality: city_model::Quality::Pass, position: None };
        for secs in 0..10 {
            let origin = Origin::of(&reading(series(1, 1), secs, 1.0), 0);
            lines.push(b"m,device=d", t(secs), &content, origin);
        }
        let length = lines.bytes(&(0..1)).len();
        assert_eq!(lines.bytes(&(3..5)).len(), 2 * length);
        for (size, expected) in [
            (Size { lines: 3, bytes: MOST_BYTES }, 4..7),
            (Size { lines: 100, bytes: MOST_BYTES }, 4..10),
            (Size { lines: 100, bytes: 2 * length }, 4..6),
            (Size { lines: 100, bytes: 1 }, 4..5),
        ] {
            assert_eq!(lines.next_batch(4, size), expected);
        }
    }
}
