//! What time it is in the simulated city: the real time, or one that runs faster.

use jiff::Timestamp;
use tokio::time::{Duration, Instant};

/// The clock of a simulation.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Timestamp,
    since: Instant,
    speed: f64,
}

impl Clock {
    /// The real time, read once and carried on by a clock that never jumps.
    pub fn wall() -> Self {
        Self::from(Timestamp::now(), 1.0)
    }

    /// A clock that shows `start` now and runs `speed` times as fast as real time.
    ///
    /// A speed that is not a positive number counts as 1.
    pub fn from(start: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { start, since: Instant::now(), speed }
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        let millis = self.since.elapsed().as_secs_f64() * self.speed * 1e3;
        from_millis(self.start.as_millisecond().saturating_add(millis as i64))
    }

    /// How long a person has to wait until this clock shows `time`.
    pub fn until(&self, time: Timestamp) -> Duration {
        let millis = time.as_millisecond() - self.now().as_millisecond();
        Duration::from_secs_f64((millis.max(0) as f64 / 1e3 / self.speed).min(86_400.0))
    }
}

/// An instant from milliseconds since the epoch, clamped to what can be written.
pub(crate) fn from_millis(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(if millis < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_waits_less() {
        let start = from_millis(1_700_000_000_000);
        let clock = Clock::from(start, 60.0);
        let wait = clock.until(from_millis(start.as_millisecond() + 60_000));
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert!(clock.now() >= start);
    }
}
