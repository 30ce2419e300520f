//! How much of what is no frame is kept as dead letters.

use std::sync::{Mutex, PoisonError};

use city_model::{Span, Timestamp};

/// Dead letters of garbage for one connection, after which it is closed.
pub(crate) const OF_A_CONNECTION: u32 = 4;
/// For all connections together in a minute.
const IN_A_MINUTE: u32 = 60;

/// The dead letters that may still be made of garbage in this minute.
#[derive(Debug, Default)]
pub(crate) struct Allowance(Mutex<(Timestamp, u32)>);

impl Allowance {
    /// Whether one more may be made.
    pub(crate) fn take(&self, now: Timestamp) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, made) = &mut *state;
        if now.since(*since) >= Span::from_mins(1) || now < *since {
            (*since, *made) = (now, 0);
        }
        *made += 1;
        *made <= IN_A_MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_its_number_of_dead_letters() {
        let allowance = Allowance::default();
        let at = |secs| Timestamp::from_secs(1_800_000_000 + secs);
        let made = |secs: i64| (0..100).filter(|_| allowance.take(at(secs))).count();
        assert_eq!([made(0), made(59), made(60), made(0)], [60, 0, 60, 60]);
    }
}
