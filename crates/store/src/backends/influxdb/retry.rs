//! When to try again: back-off with jitter, `Retry-After`, one pace for all requests to a server.

use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio_util::sync::CancellationToken;

/// The longest that a server may ask to be left alone.
const LONGEST_ASKED: Duration = Duration::from_mins(10);

/// Work was given up because the store is being closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stopped;

/// What `Retry-After` says (RFC 9110, section 10.2.3): seconds, or a date. At most ten minutes.
pub(super) fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u64>() {
        return Some(Duration::from_secs(seconds).min(LONGEST_ASKED));
    }
    let date = jiff::fmt::rfc2822::parse(header).ok()?;
    let date = Duration::from_secs(u64::try_from(date.timestamp().as_second()).unwrap_or(0));
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let wait = date.saturating_sub(now);
    Some(wait.min(LONGEST_ASKED))
}

/// When the next request may go out. Shared by all that are under way, so that one refusal slows
/// down all of them, and counts once.
#[derive(Debug)]
pub(super) struct Pace {
    first: Duration,
    longest: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    not_before: Option<Instant>,
}

impl Pace {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, state: Mutex::default() }
    }

    /// Waits until it is time for the next request.
    pub(super) async fn wait(&self, stop: &CancellationToken) -> Result<(), Stopped> {
        loop {
            if stop.is_cancelled() {
                return Err(Stopped);
            }
            let Some(until) = self.state().not_before.filter(|until| *until > Instant::now())
            else {
                return Ok(());
            };
            tokio::select! {
                () = stop.cancelled() => return Err(Stopped),
                () = tokio::time::sleep_until(until.into()) => {}
            }
        }
    }

    /// A request succeeded.
    pub(super) fn succeeded(&self) {
        *self.state() = State::default();
    }

    /// A request failed in a way that time may mend. The wait is doubled with each failure that
    /// follows, a quarter of it chance, so that many clients do not come back together.
    pub(super) fn failed(&self, asked: Option<Duration>) {
        let mut state = self.state();
        let now = Instant::now();
        if state.not_before.is_some_and(|until| until > now) && asked.is_none() {
            return;
        }
        let doubled = self.first.saturating_mul(1 << state.failures.min(16)).min(self.longest);
        let wait = doubled.mul_f64(0.75 + 0.25 * chance()).max(asked.unwrap_or_default());
        state.failures += 1;
        state.not_before = state.not_before.max(Some(now + wait));
    }

    /// The server denied us: somebody has to mend that, so there is no hurry.
    pub(super) fn denied(&self) {
        self.state().not_before = Some(Instant::now() + self.longest);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number in 0..1 that nobody can foresee.
fn chance() -> f64 {
    let random = std::hash::RandomState::new().build_hasher().finish();
    (random >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (header, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("100000", Some(600)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
            ("soon", None),
            ("-3", None),
            ("", None),
        ] {
            assert_eq!(retry_after(header, now), seconds.map(Duration::from_secs), "{header}");
        }
    }

    #[test]
    fn waits_grow_to_the_longest_and_end_with_a_success() {
        let pace = Pace::new(Duration::from_millis(100), Duration::from_secs(1));
        let wait_after_failure = || {
            pace.state().not_before = None;
            let before = Instant::now();
            pace.failed(None);
            pace.state().not_before.expect("a wait") - before
        };
        for expected_ms in [100, 200, 400, 800, 1_000, 1_000] {
            let wait = wait_after_failure().as_millis();
            assert!((expected_ms * 3 / 4..=expected_ms + 50).contains(&wait), "{wait}");
        }
        pace.succeeded();
        assert!(wait_after_failure() < Duration::from_millis(150));
        pace.failed(Some(Duration::from_mins(1)));
        let until = pace.state().not_before.expect("a wait");
        assert!(
            until > Instant::now() + Duration::from_secs(50),
            "what the server asks for counts"
        );
        pace.failed(None);
        assert_eq!(pace.state().not_before, Some(until), "requests under way count once");
    }
}
