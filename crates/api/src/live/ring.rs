//! The newest events of the stream, for clients that come back.

use std::collections::VecDeque;
use std::sync::Arc;

use super::event::Event;

/// How many events are kept: three minutes at ten a second.
const EVENTS: usize = 2_000;
/// About how many bytes of them are kept.
const BYTES: usize = 32 << 20;

/// The newest events, bounded by number and bytes.
#[derive(Debug)]
pub(super) struct Ring {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
    /// No event after this id was dropped.
    complete_after: u64,
}

impl Ring {
    /// An empty ring; events follow `position`.
    pub(super) fn new(position: u64) -> Self {
        Self { events: VecDeque::new(), bytes: 0, complete_after: position }
    }

    /// Adds the newest event.
    pub(super) fn push(&mut self, event: Arc<Event>) {
        self.bytes += event.weight();
        self.events.push_back(event);
        while self.events.len() > EVENTS || self.bytes > BYTES {
            let Some(dropped) = self.events.pop_front() else { break };
            self.bytes -= dropped.weight();
            self.complete_after = dropped.id;
        }
    }

    /// Everything after `position`; `None` if some of it is gone.
    pub(super) fn after(&self, position: u64) -> Option<Vec<Arc<Event>>> {
        if position < self.complete_after {
            return None;
        }
        let start = self.events.partition_point(|event| event.id <= position);
        Some(self.events.range(start..).cloned().collect())
    }
}
