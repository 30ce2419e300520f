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
/// delivers out of order. A counter that starts again, as after a change of batteries, is no loss;
/// one odd number, as of a test message, is none either and changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// The highest number so far; `None` before the first.
    newest: Option<u64>,
    /// Bit `n`: the number `newest - n` has come.
    seen: u64,
    /// A number far from the others: where the counter started again if others follow it.
    odd: Option<u64>,
    /// Numbers that were skipped and never came.
    pub missed: u64,
}

impl Sequence {
    /// Takes the number of the next message.
    pub fn note(&mut self, number: u64) {
        let Some(newest) = self.newest else { return self.start(number) };
        if number > newest {
            let step = number - newest;
            if step - 1 > LARGEST_GAP {
                return self.far(number);
            }
            self.odd = None;
            self.missed += step - 1;
            self.seen = if step < WINDOW { self.seen << step | 1 } else { 1 };
            self.newest = Some(number);
            return;
        }
        let back = newest - number;
        if back >= WINDOW {
            return self.far(number);
        }
        self.odd = None;
        let bit = 1 << back;
        if self.seen & bit == 0 {
            self.seen |= bit;
            // What came before the first message was never counted as missed: `start` marks it.
            self.missed = self.missed.saturating_sub(1);
        }
    }

    /// A number that does not fit: the counter started again if the next one follows it.
    fn far(&mut self, number: u64) {
        match self.odd {
            Some(odd) if number > odd && number - odd < WINDOW => {
                self.start(odd);
                self.note(number);
            }
            _ => self.odd = Some(number),
        }
    }

    /// The first number of a counter: whatever came before it is not expected.
    fn start(&mut self, number: u64) {
        (self.newest, self.odd) = (Some(number), None);
        self.seen = u64::MAX;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missed(numbers: impl IntoIterator<Item = u64>) -> u64 {
        let mut sequence = Sequence::default();
        numbers.into_iter().for_each(|number| sequence.note(number));
        sequence.missed
    }

    #[test]
    fn skipped_numbers_are_missed_until_they_come() {
        assert_eq!(missed([5, 6, 7]), 0);
        assert_eq!(missed([5, 8]), 2);
        assert_eq!(missed([5, 8, 6]), 1);
        assert_eq!(missed([5, 8, 6, 7]), 0);
        assert_eq!(missed([5, 8, 6, 6, 8]), 1, "a repeated number fills no second gap");
        assert_eq!(missed([5, 4, 3]), 0, "nobody knows what came before the first");
        assert_eq!(missed([0, 200]), 199);
        assert_eq!(missed([0, 63, 64, 1]), 61, "the window's far end");
        assert_eq!(missed([0, 100, 37]), 98, "the window moves on with the numbers");
    }

    #[test]
    fn a_counter_that_starts_again_is_no_loss() {
        assert_eq!(missed([1_000, 1_001, 0, 1, 2]), 0);
        assert_eq!(missed([1_000, 1_001, 0, 3, 4]), 2, "from where it starts it counts");
        assert_eq!(missed([0, 1 << 40, (1 << 40) + 1]), 0);
        assert_eq!(missed([0, LARGEST_GAP + 1]), LARGEST_GAP);
        assert_eq!(missed([0, LARGEST_GAP + 2, LARGEST_GAP + 3]), 0);
        assert_eq!(missed([u64::MAX, u64::MAX - 1, 0, 1]), 0);
    }

    #[test]
    fn one_odd_number_changes_nothing() {
        assert_eq!(missed([10_335, 0, 10_336, 10_337]), 0, "a test message without a counter");
        assert_eq!(missed([10_335, 0, 10_336, 0, 10_337]), 0);
        assert_eq!(missed([100, 5, 101, 6, 102]), 0, "old messages, delivered very late");
    }
}
