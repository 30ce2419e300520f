//! The sequence numbers of an edge node's messages, 0 to 255 and again (clause 6.4.2).

use city_model::Timestamp;

/// Which messages of an edge node have come.
///
/// Messages are not held back until those before them are there: each of them says its own time,
/// so that their order changes nothing. What matters is whether one is missing.
#[derive(Clone, Debug)]
pub(super) struct Sequence {
    next: u8,
    /// Those that came before their turn.
    ahead: [u64; 4],
    /// The newest of them.
    newest: u8,
    /// Which of the eight numbers before the next have come, the last one in the lowest bit.
    recent: u8,
    missing_since: Option<Timestamp>,
}

impl Sequence {
    /// What follows the number of a birth.
    pub(super) fn after(seq: u8) -> Self {
        let next = seq.wrapping_add(1);
        Self { next, ahead: [0; 4], newest: seq, recent: 1, missing_since: None }
    }

    /// A message has come.
    pub(super) fn see(&mut self, seq: u8, now: Timestamp) {
        if seq == self.next {
            self.go_on();
            while self.take(self.next) {
                self.go_on();
            }
            if self.ahead == [0; 4] {
                self.missing_since = None;
            }
            return;
        }
        if self.is_repeated(seq) {
            return;
        }
        // One from before its turn, or, as far as can be told, from after more losses than half
        // the numbers there are.
        if seq.wrapping_sub(self.next) < 128 {
            self.ahead[usize::from(seq >> 6)] |= 1 << (seq & 63);
        }
        let further = seq.wrapping_sub(self.next) > self.newest.wrapping_sub(self.next);
        if further || self.missing_since.is_none() {
            self.newest = seq;
        }
        self.missing_since.get_or_insert(now);
    }

    /// Since when something is missing.
    pub(super) fn missing_since(&self) -> Option<Timestamp> {
        self.missing_since
    }

    /// Nothing more is waited for: goes on after the newest.
    pub(super) fn give_up(&mut self) {
        *self = Self::after(self.newest);
    }

    fn go_on(&mut self) {
        self.next = self.next.wrapping_add(1);
        self.recent = self.recent << 1 | 1;
    }

    /// Whether it came just before: a second delivery, by which nothing is missing.
    fn is_repeated(&self, seq: u8) -> bool {
        let back = self.next.wrapping_sub(seq).wrapping_sub(1);
        self.recent.checked_shr(u32::from(back)).is_some_and(|recent| recent & 1 == 1)
    }

    fn take(&mut self, seq: u8) -> bool {
        let bit = 1 << (seq & 63);
        let word = &mut self.ahead[usize::from(seq >> 6)];
        let there = *word & bit != 0;
        *word &= !bit;
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn numbers_wrap_and_nothing_is_missing() {
        let mut sequence = Sequence::after(250);
        for seq in (251..=255).chain(0..=255).chain(0..10) {
            sequence.see(seq, at(0));
            assert_eq!(sequence.missing_since(), None, "{seq}");
        }
    }

    #[test]
    fn what_comes_out_of_turn_is_missed_until_it_is_there() {
        let mut sequence = Sequence::after(254);
        for (seq, time, missing) in
            [(1, 10, Some(10)), (0, 11, Some(10)), (3, 12, Some(10)), (255, 13, Some(10))]
        {
            sequence.see(seq, at(time));
            assert_eq!(sequence.missing_since(), missing.map(at), "{seq}");
        }
        sequence.see(2, at(14));
        assert_eq!(sequence.missing_since(), None);
        sequence.see(4, at(15));
        assert_eq!(sequence.missing_since(), None);
    }

    #[test]
    fn after_giving_up_it_goes_on_with_the_newest() {
        let mut sequence = Sequence::after(0);
        sequence.see(9, at(1));
        sequence.give_up();
        sequence.see(10, at(2));
        assert_eq!(sequence.missing_since(), None);
        sequence.see(200, at(3));
        assert_eq!(sequence.missing_since(), Some(at(3)), "many lost at once");
        sequence.give_up();
        sequence.see(201, at(4));
        assert_eq!(sequence.missing_since(), None);
    }

    #[test]
    fn a_repetition_is_no_gap() {
        let mut sequence = Sequence::after(254);
        for seq in [254, 255, 255, 254, 0, 1, 255, 0, 1, 2, 2] {
            sequence.see(seq, at(1));
            assert_eq!(sequence.missing_since(), None, "{seq}");
        }
        // A number from before the birth never came; one from long ago comes after losses.
        for seq in [253, 250, 100] {
            let mut sequence = sequence.clone();
            sequence.see(seq, at(2));
            assert_eq!(sequence.missing_since(), Some(at(2)), "{seq}");
        }
        // What is missing stays so, whatever is repeated.
        sequence.see(4, at(3));
        sequence.see(2, at(4));
        sequence.see(4, at(5));
        assert_eq!(sequence.missing_since(), Some(at(3)));
        sequence.see(3, at(6));
        assert_eq!(sequence.missing_since(), None);
        sequence.see(3, at(7));
        assert_eq!(sequence.missing_since(), None);
    }
}
