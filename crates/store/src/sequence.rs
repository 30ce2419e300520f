//! What the numbers of a device's messages say about those that never came.

use serde::{Deserialize, Serialize};

/// How many numbers back a late message is told from a repeated one.
const WINDOW: u64 = 64;

/// A jump further ahead than this is a counter that was set anew: the largest gap that LoRaWAN
/// 1.0.4 lets a network server accept (MAX_FCNT_GAP, section 4.3.1.5).
const LARGEST_GAP: u64 = 16_384;

/// The numbers of one device's messages from one source, followed as they come.
///
/// A number that is skipped counts as missed until it comes after all, as it does when a network
/// delivers out of order. A counter that starts again, as after a change of batteries, is no loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// The highest number so far; `None` before the first.
    newest: Option<u64>,
    /// Bit `n`: the number `newest - n` has come.
    seen: u64,
    /// Numbers that were skipped and never came.
    pub missed: u64,
    /// How often the counter started again.
    pub restarts: u64,
}

impl Sequence {
    /// Takes the number of the next message.
    pub fn note(&mut self, number: u64) {
        let Some(newest) = self.newest else { return self.start(number) };
        if number > newest {
            let step = number - newest;
            if step - 1 > LARGEST_GAP {
                self.restarts += 1;
                return self.start(number);
            }
            self.missed += step - 1;
            self.seen = if step < WINDOW { self.seen << step | 1 } else { 1 };
            self.newest = Some(number);
            return;
        }
        let back = newest - number;
        if back >= WINDOW {
            self.restarts += 1;
            return self.start(number);
        }
        let bit = 1 << back;
        if self.seen & bit == 0 {
            self.seen |= bit;
            // What came before the first message was never counted as missed: `start` marks it.
            self.missed = self.missed.saturating_sub(1);
        }
    }

    /// The first number of a counter: whatever came before it is not expected.
    fn start(&mut self, number: u64) {
        self.newest = Some(number);
        self.seen = u64::MAX;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(numbers: impl IntoIterator<Item = u64>) -> (u64, u64) {
        let mut sequence = Sequence::default();
        numbers.into_iter().for_each(|number| sequence.note(number));
        (sequence.missed, sequence.restarts)
    }

    #[test]
    fn skipped_numbers_are_missed_until_they_come() {
        assert_eq!(after([5, 6, 7]), (0, 0));
        assert_eq!(after([5, 8]), (2, 0));
        assert_eq!(after([5, 8, 6]), (1, 0));
        assert_eq!(after([5, 8, 6, 7]), (0, 0));
        assert_eq!(after([5, 8, 6, 6, 8]), (1, 0), "a repeated number fills no second gap");
        assert_eq!(after([5, 4, 3]), (0, 0), "nobody knows what came before the first");
        assert_eq!(after([0, 200]), (199, 0));
        assert_eq!(after([0, 63, 64, 1]), (61, 0), "the window's far end");
        assert_eq!(after([0, 100, 37]), (98, 0), "the window moves on with the numbers");
    }

    #[test]
    fn a_counter_that_starts_again_is_no_loss() {
        assert_eq!(after([1_000, 1_001, 0, 1, 2]), (0, 1));
        assert_eq!(after([0, 1 << 40]), (0, 1));
        assert_eq!(after([0, LARGEST_GAP + 1]), (LARGEST_GAP, 0));
        assert_eq!(after([0, LARGEST_GAP + 2]), (0, 1));
        assert_eq!(after([u64::MAX, u64::MAX - 1, 0]), (0, 1));
    }
}
