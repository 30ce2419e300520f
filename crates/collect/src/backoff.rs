//! How long to wait before connecting again.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that lasted this long was a good one: the waits start anew.
const GOOD: Duration = Duration::from_secs(10);

/// Doubles the wait with each failure, and picks a random point in its second half, so that many
/// clients of a broker that restarts do not all come at once.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after a connection that lasted so long; `random` is from 0 to 1.
    pub(crate) fn next(&mut self, lasted: Duration, random: f64) -> Duration {
        if lasted >= GOOD {
            self.failures = 0;
        }
        let full = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        full.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_a_limit_are_spread_and_start_anew_after_a_good_connection() {
        let mut backoff = Backoff::default();
        let short = Duration::from_secs(1);
        let mut waits: Vec<_> = (0..8).map(|_| backoff.next(short, 1.0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        waits = [0.0, 0.5].map(|random| backoff.next(short, random).as_millis()).to_vec();
        assert_eq!(waits, [15_000, 22_500]);
        assert_eq!(backoff.next(GOOD, 1.0), FIRST);
    }

    #[test]
    fn it_never_overflows() {
        let mut backoff = Backoff { failures: u32::MAX };
        assert_eq!(backoff.next(Duration::ZERO, 1.0), LONGEST);
    }
}
