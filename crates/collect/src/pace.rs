//! How long the poll loop may stand still when there is no room, so that the broker does not
//! think us dead, nor the client library the broker.

use std::time::Duration;

use tokio::time::Instant;

/// Decides whether to poll.
///
/// Standing still lets the network hold messages back, which is all that is needed while the
/// pipeline catches up. But our pings must go out, and the answer to one may stand behind a long
/// queue of messages in the network: the client library gives the connection up when the next
/// ping is due and the last is not answered.
#[derive(Debug)]
pub(crate) struct Pace {
    keep_alive: Duration,
    standing_since: Option<Instant>,
    pinged: Option<Instant>,
}

impl Pace {
    /// For a connection with this keep-alive.
    pub(crate) fn new(keep_alive: Duration) -> Self {
        Self { keep_alive, standing_since: None, pinged: None }
    }

    /// Whether to poll now: always while there is room, and else when it has stood still for a
    /// quarter of the keep-alive, or a ping is unanswered for half of it.
    pub(crate) fn polls(&mut self, full: bool, now: Instant) -> bool {
        if full {
            self.standing_since.get_or_insert(now);
        } else {
            self.standing_since = None;
        }
        self.until().is_none_or(|until| now >= until)
    }

    /// Until when it may stand still, if it does.
    pub(crate) fn until(&self) -> Option<Instant> {
        let since = self.standing_since?;
        let standing = since + self.keep_alive / 4;
        Some(self.pinged.map_or(standing, |pinged| standing.min(pinged + self.keep_alive / 2)))
    }

    /// A ping went out.
    pub(crate) fn ping(&mut self, now: Instant) {
        self.pinged = Some(now);
    }

    /// It was answered.
    pub(crate) fn pong(&mut self) {
        self.pinged = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_stands_still_while_it_is_full_but_not_for_too_long() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let mut pace = Pace::new(Duration::from_secs(40));
        assert!(pace.polls(false, at(0)));
        assert!(!pace.polls(true, at(0)));
        assert_eq!(pace.until(), Some(at(10)));
        assert!(pace.polls(false, at(9)), "there is room again");
        assert!(!pace.polls(true, at(10)) && !pace.polls(true, at(19)));
        assert!(pace.polls(true, at(20)), "full, but we must be seen to live");
        assert!(pace.polls(true, at(21)), "until there is room");
    }

    #[tokio::test(start_paused = true)]
    async fn it_reads_on_to_the_answer_of_a_ping() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let mut pace = Pace::new(Duration::from_secs(40));
        pace.ping(at(0));
        assert!(pace.polls(false, at(15)));
        assert!(!pace.polls(true, at(15)));
        assert_eq!(pace.until(), Some(at(20)));
        assert!(pace.polls(true, at(20)));
        pace.pong();
        assert!(!pace.polls(true, at(21)));
    }
}
