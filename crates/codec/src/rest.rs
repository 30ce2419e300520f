//! When a codec that keeps failing is left alone, and for how long.

use std::time::Duration;

/// How often in a row a codec may use up its time or memory before it must rest.
const STRIKES: u32 = 3;

/// The first rest.
const FIRST: Duration = Duration::from_secs(10);

/// The longest one; each is twice as long as the one before.
const LONGEST: Duration = Duration::from_mins(5);

/// The record of one codec. Times count from any fixed moment.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    strikes: u32,
    until: Duration,
}

impl Rest {
    /// How long the codec still rests; `None` if it may work.
    pub(crate) fn left(&self, now: Duration) -> Option<Duration> {
        self.until.checked_sub(now).filter(|left| !left.is_zero())
    }

    /// The codec gave an answer within its limits.
    pub(crate) fn worked(&mut self) {
        *self = Self::default();
    }

    /// The codec did not even end: it rests at once.
    pub(crate) fn stuck(&mut self, now: Duration) {
        self.strikes = self.strikes.max(STRIKES - 1);
        self.struck(now);
    }

    /// The codec used up its time or memory.
    pub(crate) fn struck(&mut self, now: Duration) {
        self.strikes = self.strikes.saturating_add(1);
        // One strike after a rest is enough for the next.
        let Some(doublings) = self.strikes.checked_sub(STRIKES) else { return };
        self.until = now + (FIRST * (1 << doublings.min(5))).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn three_strikes_in_a_row_make_a_rest_that_doubles() {
        let mut rest = Rest::default();
        rest.struck(at(0));
        rest.struck(at(1));
        assert_eq!(rest.left(at(1)), None);
        rest.struck(at(2));
        assert_eq!(rest.left(at(2)), Some(at(10)));
        assert_eq!(rest.left(at(11)), Some(at(1)));
        assert_eq!(rest.left(at(12)), None, "it is tried again");
        rest.struck(at(20));
        assert_eq!(rest.left(at(20)), Some(at(20)), "twice as long");
        for _ in 0..20 {
            rest.struck(at(100));
        }
        assert_eq!(rest.left(at(100)), Some(LONGEST));
    }

    #[test]
    fn a_codec_that_is_stuck_rests_at_once() {
        let mut rest = Rest::default();
        rest.stuck(at(0));
        assert_eq!(rest.left(at(0)), Some(at(10)));
        rest.stuck(at(10));
        assert_eq!(rest.left(at(10)), Some(at(20)));
    }

    #[test]
    fn an_answer_forgives_everything() {
        let mut rest = Rest::default();
        for _ in 0..2 {
            rest.struck(at(0));
        }
        rest.worked();
        rest.struck(at(1));
        rest.struck(at(1));
        assert_eq!(rest.left(at(1)), None);
    }
}
